/* SPDX-License-Identifier: Apache-2.0
 *
 * Body of the vector kernels of attention; include after simd_avx2.h or simd_avx512.h. Blocks of 64 queries meet blocks
 * of 64 keys in the first-level cache (Dao et al. 2022), scores turned around: lanes are queries.
 *
 * The bias costs nothing extra: scores are products of extended vectors. A key carries, after its (scaled) channels,
 * one column per slot and one for the mask; the matching rows of the turned queries hold log shares against a one-hot
 * slot of the key, or a one-hot slot of the query against log shares of the key, and 1 against the mask.
 *
 * Keys masked with -1e8 or less have the weight exp(-1e8) = 0 in float, whatever the scores: they are left out when the
 * keys are copied, unless all keys of an image are masked. Where the attention is causal all keys stay in their places, as
 * a query may have none but masked ones; blocks of keys behind the last query are passed over.
 */
#ifndef METASEG_OPS_ATTENTION_SIMD_H
#define METASEG_OPS_ATTENTION_SIMD_H

#include "ops/attention_kernels.h"
#include "ops/simd_attention.h"

#include <math.h>
#include <omp.h>

enum { BLOCK = 64, QUERY_BLOCKS_PER_TASK = 4 };

/* Padded sizes and the scratch of one thread for one image and head. */
typedef struct AttentionBlock {
    AttentionSizes n;
    int64_t extended;   /* size + slots + mask: length of the score products */
    int64_t key_width;  /* extended rounded up to GEMM_ROWS */
    int64_t rows;       /* size rounded up to GEMM_ROWS */
    int64_t width;      /* size rounded up to VEC_LANES */
    int64_t keys;       /* keys that are not masked */
    int64_t *key_index; /* [M]: number of key j; keys beyond `keys` are the masked ones */
    float *k;           /* [M up to GEMM_ROWS, key_width] */
    float *v;           /* [M up to GEMM_ROWS, rows] */
    float *q_t;         /* [key_width, BLOCK] */
    float *o_t, *d_o_t; /* [rows, BLOCK] */
    float *s, *d_s;     /* [BLOCK, BLOCK] */
    float *max, *sum;   /* [BLOCK]; in backward lse and do . out */
    float *q, *d_o;     /* [BLOCK, width], backward only, as are: */
    float *d_k, *d_v;   /* [M up to GEMM_ROWS, width] */
} AttentionBlock;

static int64_t take(int64_t *position, int64_t floats)
{
    const int64_t begin = *position;
    *position += round_up(floats, 16);
    return begin;
}

/* Fills sizes and, where base is not NULL, pointers; returns the floats of one thread. */
static int64_t block_layout(const Step *step, float *base, AttentionBlock *ret_block)
{
    AttentionBlock b = { .n = attention_sizes(step) };
    b.extended = b.n.size + b.n.S + (b.n.has_mask ? 1 : 0);
    b.key_width = round_up(b.extended, GEMM_ROWS);
    b.rows = round_up(b.n.size, GEMM_ROWS);
    b.width = round_up(b.n.size, VEC_LANES);
    int64_t end = 0;
    const int64_t keys = round_up(b.n.M, GEMM_ROWS), index = take(&end, 2 * b.n.M);
    const int64_t tall = step->training ? BLOCK * b.width : 0, all = step->training ? keys * b.width : 0;
    float **const parts[] = { &b.k,   &b.v,   &b.q_t, &b.o_t, &b.d_o_t, &b.s,  &b.d_s,
                              &b.max, &b.sum, &b.q,   &b.d_o, &b.d_k,   &b.d_v };
    const int64_t floats[] = { keys * b.key_width,
                               keys * b.rows,
                               b.key_width * BLOCK,
                               b.rows * BLOCK,
                               b.rows * BLOCK,
                               BLOCK * BLOCK,
                               BLOCK * BLOCK,
                               BLOCK,
                               BLOCK,
                               tall,
                               tall,
                               all,
                               all };
    for (int64_t i = 0; i < ARRAY_LEN(floats); i++) {
        const int64_t begin = take(&end, floats[i]);
        if (base != NULL) *parts[i] = base + begin;
    }
    if (base != NULL) b.key_index = (int64_t *)(void *)(base + index);
    *ret_block = b;
    return end;
}

static Err prepare(Step *step)
{
    AttentionBlock b;
    step->workspace_bytes = (size_t)(block_layout(step, NULL, &b) * step->device.threads) * sizeof(float);
    return ERR_NONE;
}

static AttentionBlock own_block(const Step *step)
{
    AttentionBlock b;
    const int64_t own = block_layout(step, NULL, &b);
    (void)block_layout(step, (float *)step->workspace + omp_get_thread_num() * own, &b);
    return b;
}

/* Numbers of the keys that count, in order, then those of the others. */
static void choose_keys(AttentionBlock *b, int64_t image)
{
    const float *mask = b->n.mask != NULL ? b->n.mask + image * b->n.M : NULL;
    int64_t masked = b->n.M;
    b->keys = 0;
    for (int64_t j = 0; j < b->n.M; j++)
        if (mask == NULL || b->n.causal || mask[j] > -1e8F) b->key_index[b->keys++] = j;
    for (int64_t j = b->n.M - 1; j >= 0 && masked > b->keys; j--)
        if (mask[j] <= -1e8F) b->key_index[--masked] = j;
    if (b->keys == 0) b->keys = b->n.M;
}

/* Copies keys (scaled, with the columns of the bias) and values of an image and head. */
static void load_keys(AttentionBlock *b, const Step *step, int64_t image, int64_t head)
{
    const AttentionSizes *n = &b->n;
    const int64_t offset = image * n->M * n->D + head * n->size;
    choose_keys(b, image);
    for (int64_t row = 0; row < b->keys; row++) {
        const int64_t j = b->key_index[row];
        float *k = b->k + row * b->key_width;
        copy_row((const float *)step->in[1].data + offset + j * n->D, n->size, n->scale, k, b->key_width);
        copy_row((const float *)step->in[2].data + offset + j * n->D, n->size, 1.0F, b->v + row * b->rows, b->rows);
        if (n->slots == ATTENTION_KEY_SLOTS) k[n->size + attention_slot(n, j)] = 1.0F;
        for (int64_t slot = 0; slot < n->S && n->slots == ATTENTION_QUERY_SLOTS; slot++)
            k[n->size + slot] = n->log_share[(image * n->M + j) * n->S + slot];
        if (n->mask != NULL) k[n->size + n->S] = n->mask[image * n->M + j];
    }
    const int64_t padded = round_up(b->keys, GEMM_ROWS);
    for (int64_t i = b->keys * b->key_width; i < padded * b->key_width; i++) b->k[i] = 0.0F;
    for (int64_t i = b->keys * b->rows; i < padded * b->rows; i++) b->v[i] = 0.0F;
}

/* A block of queries: numbers first .. first + count - 1, in lanes up to `lanes`. */
typedef struct QueryBlock {
    int64_t image, head, first, count, lanes;
    int64_t offset; /* of the first query's channels in q and out */
} QueryBlock;

static QueryBlock query_block(const AttentionSizes *n, int64_t image, int64_t head, int64_t number)
{
    QueryBlock q = { .image = image, .head = head, .first = number * BLOCK };
    q.count = min_int64(n->N - q.first, BLOCK);
    q.lanes = round_up(q.count, VEC_LANES);
    q.offset = (image * n->N + q.first) * n->D + head * n->size;
    return q;
}

/* q_t [extended, lanes]: channels, then the rows of the bias. */
static void load_queries(const AttentionBlock *b, const Step *step, const QueryBlock *q)
{
    const AttentionSizes *n = &b->n;
    transpose_rows((const float *)step->in[0].data + q->offset, n->D, q->count, n->size, b->q_t, q->lanes);
    float *extra = b->q_t + n->size * q->lanes;
    if (n->slots == ATTENTION_KEY_SLOTS)
        transpose_rows(n->log_share + (q->image * n->N + q->first) * n->S, n->S, q->count, n->S, extra, q->lanes);
    for (int64_t slot = 0; slot < n->S && n->slots == ATTENTION_QUERY_SLOTS; slot++)
        for (int64_t i = 0; i < q->lanes; i++)
            extra[slot * q->lanes + i] = attention_slot(n, q->first + i) == slot ? 1.0F : 0.0F;
    for (int64_t i = 0; i < q->lanes && n->mask != NULL; i++) extra[n->S * q->lanes + i] = 1.0F;
}

/* How many keys, from the first on, a block of queries reads. */
static int64_t keys_read(const AttentionBlock *b, const QueryBlock *q)
{
    return b->n.causal ? min_int64(b->keys, q->first + q->count) : b->keys;
}

/* s [keys, lanes] of the keys from `first` on. */
static void score_block(const AttentionBlock *b, const QueryBlock *q, int64_t first, int64_t keys)
{
    const GemmBlock scores = { .M = round_up(keys, GEMM_ROWS),
                               .N = q->lanes,
                               .K = b->extended,
                               .a = b->k + first * b->key_width,
                               .a_row = b->key_width,
                               .a_column = 1,
                               .b = b->q_t,
                               .b_stride = q->lanes,
                               .c = b->s,
                               .c_stride = q->lanes };
    gemm_block(&scores);
    for (int64_t j = 0; j < keys && b->n.causal; j++) {
        const int64_t before = min_int64(first + j - q->first, q->lanes); /* queries that come before this key */
        for (int64_t i = 0; i < before; i++) b->s[j * q->lanes + i] = -INFINITY;
    }
}

static void forward_block(const AttentionBlock *b, const Step *step, const QueryBlock *q)
{
    const AttentionSizes *n = &b->n;
    float *lse = step->out[1].data;
    load_queries(b, step, q);
    for (int64_t i = 0; i < q->lanes; i++) {
        b->max[i] = -INFINITY;
        b->sum[i] = 0.0F;
    }
    for (int64_t i = 0; i < b->rows * q->lanes; i++) b->o_t[i] = 0.0F;
    const int64_t all = keys_read(b, q);
    for (int64_t first = 0; first < all; first += BLOCK) {
        const int64_t keys = min_int64(all - first, BLOCK);
        score_block(b, q, first, keys);
        softmax_block(b->s, keys, q->lanes, b->max, b->sum, b->o_t, first > 0 ? b->rows : 0);
        const GemmBlock values = { .M = b->rows,
                                   .N = q->lanes,
                                   .K = keys,
                                   .a = b->v + first * b->rows,
                                   .a_row = 1,
                                   .a_column = b->rows,
                                   .b = b->s,
                                   .b_stride = q->lanes,
                                   .init = b->o_t,
                                   .c = b->o_t,
                                   .c_stride = q->lanes };
        gemm_block(&values);
    }
    for (int64_t i = 0; i < q->lanes; i += VEC_LANES) {
        const Vec sum = vec_load(b->sum + i), factor = vec_reciprocal(sum);
        for (int64_t d = 0; d < n->size; d++)
            vec_store(b->o_t + d * q->lanes + i, vec_mul(vec_load(b->o_t + d * q->lanes + i), factor));
        if (lse != NULL)
            vec_store_first(lse + (q->image * n->heads + q->head) * n->N + q->first + i,
                            vec_add(vec_load(b->max + i), vec_log(sum)), min_int64(q->count - i, VEC_LANES));
    }
    untranspose_rows(b->o_t, q->lanes, q->count, n->size, 1.0F, (float *)step->out[0].data + q->offset, n->D, false);
}

static Err forward(const Step *step)
{
    const AttentionSizes n = attention_sizes(step);
    const int64_t blocks = ceil_divide(n.N, BLOCK), parts = ceil_divide(blocks, QUERY_BLOCKS_PER_TASK);
#pragma omp parallel num_threads(step->device.threads)
    {
        AttentionBlock b = own_block(step);
#pragma omp for schedule(static)
        for (int64_t task = 0; task < n.B * n.heads * parts; task++) {
            const int64_t part = task % parts, head = task / parts % n.heads, image = task / parts / n.heads;
            load_keys(&b, step, image, head);
            for (int64_t i = chunk_begin(part, parts, blocks); i < chunk_begin(part + 1, parts, blocks); i++) {
                const QueryBlock q = query_block(&n, image, head, i);
                forward_block(&b, step, &q);
            }
        }
    }
    return ERR_NONE;
}

/* Everything of a block of queries that backward needs: q, q_t, d_o, d_o_t, lse (max) and do . out (sum); o_t = 0. */
static void load_backward(const AttentionBlock *b, const Step *step, const QueryBlock *q)
{
    const AttentionSizes *n = &b->n;
    const float *from_q = (const float *)step->in[0].data + q->offset,
                *out = (const float *)step->out[0].data + q->offset;
    const float *d_out = (const float *)step->d_out[0].data + q->offset;
    const float *lse = (const float *)step->out[1].data + (q->image * n->heads + q->head) * n->N + q->first;
    load_queries(b, step, q);
    transpose_rows(d_out, n->D, q->count, n->size, b->d_o_t, q->lanes);
    for (int64_t i = 0; i < q->lanes; i++) b->max[i] = b->sum[i] = 0.0F;
    for (int64_t i = 0; i < q->count; i++) {
        copy_row(from_q + i * n->D, n->size, 1.0F, b->q + i * b->width, b->width);
        copy_row(d_out + i * n->D, n->size, 1.0F, b->d_o + i * b->width, b->width);
        Vec sum = vec_zero();
        for (int64_t d = 0; d < n->size; d += VEC_LANES)
            sum = vec_fma(vec_load(b->d_o + i * b->width + d),
                          vec_load_first(out + i * n->D + d, min_int64(n->size - d, VEC_LANES)), sum);
        b->sum[i] = vec_sum_lanes(sum);
        b->max[i] = lse[i];
    }
    for (int64_t i = 0; i < b->rows * q->lanes; i++) b->o_t[i] = 0.0F;
}

/* s becomes p = exp(s - lse), d_s, holding dp, becomes p (dp - do . out). */
static void backward_scores(const AttentionBlock *b, int64_t keys, int64_t lanes)
{
    for (int64_t i = 0; i < lanes; i += VEC_LANES) {
        const Vec lse = vec_load(b->max + i), mean = vec_load(b->sum + i);
        for (int64_t j = 0; j < keys; j++) {
            float *s = b->s + j * lanes + i, *d_s = b->d_s + j * lanes + i;
            const Vec p = vec_exp(vec_sub(vec_load(s), lse));
            vec_store(s, p);
            vec_store(d_s, vec_mul(p, vec_sub(vec_load(d_s), mean)));
        }
    }
}

/* Adds what the keys from `first` on and a block of queries give to d_k, d_v and the turned gradient of the queries in
 * o_t. */
static void backward_keys(const AttentionBlock *b, const QueryBlock *q, int64_t first, int64_t keys)
{
    const int64_t padded = round_up(keys, GEMM_ROWS);
    score_block(b, q, first, keys);
    const GemmBlock d_p = { .M = padded,
                            .N = q->lanes,
                            .K = b->n.size,
                            .a = b->v + first * b->rows,
                            .a_row = b->rows,
                            .a_column = 1,
                            .b = b->d_o_t,
                            .b_stride = q->lanes,
                            .c = b->d_s,
                            .c_stride = q->lanes };
    gemm_block(&d_p);
    backward_scores(b, keys, q->lanes);
    GemmBlock product = { .M = padded,
                          .N = b->width,
                          .K = q->count,
                          .a = b->s,
                          .a_row = q->lanes,
                          .a_column = 1,
                          .b = b->d_o,
                          .b_stride = b->width,
                          .c_stride = b->width };
    product.c = b->d_v + first * b->width;
    product.init = product.c;
    gemm_block(&product);
    product.a = b->d_s;
    product.b = b->q;
    product.c = b->d_k + first * b->width;
    product.init = product.c;
    gemm_block(&product);
    const GemmBlock queries = { .M = b->rows,
                                .N = q->lanes,
                                .K = keys,
                                .a = b->k + first * b->key_width,
                                .a_row = 1,
                                .a_column = b->key_width,
                                .b = b->d_s,
                                .b_stride = q->lanes,
                                .init = b->o_t,
                                .c = b->o_t,
                                .c_stride = q->lanes };
    gemm_block(&queries);
}

/* Writes the gradient of keys (input 1) or values (input 2) from rows in the order of key_index; zeros for masked keys.
 */
static void store_keys(const AttentionBlock *b, const Step *step, int32_t input, int64_t task, float *rows,
                       float factor)
{
    const AttentionSizes *n = &b->n;
    float *to = step->d_in[input].data;
    if (to == NULL) return;
    to += task / n->heads * n->M * n->D + task % n->heads * n->size;
    for (int64_t row = 0; row < n->M; row++) {
        float *place = to + b->key_index[row] * n->D;
        if (row < b->keys) {
            copy_row(rows + row * b->width, n->size, factor, rows + row * b->width, n->size);
            write_row(rows + row * b->width, n->size, place, step->accumulate[input]);
        } else {
            for (int64_t d = 0; d < n->size && !step->accumulate[input]; d++) place[d] = 0.0F;
        }
    }
}

static Err backward(const Step *step)
{
    const AttentionSizes n = attention_sizes(step);
    float *d_q = step->d_in[0].data;
#pragma omp parallel num_threads(step->device.threads)
    {
        AttentionBlock b = own_block(step);
#pragma omp for schedule(static)
        for (int64_t task = 0; task < n.B * n.heads; task++) {
            load_keys(&b, step, task / n.heads, task % n.heads);
            for (int64_t i = 0; i < round_up(b.keys, GEMM_ROWS) * b.width; i++) b.d_k[i] = b.d_v[i] = 0.0F;
            for (int64_t number = 0; number < ceil_divide(n.N, BLOCK); number++) {
                const QueryBlock q = query_block(&n, task / n.heads, task % n.heads, number);
                load_backward(&b, step, &q);
                const int64_t all = keys_read(&b, &q);
                for (int64_t first = 0; first < all; first += BLOCK)
                    backward_keys(&b, &q, first, min_int64(all - first, BLOCK));
                if (d_q != NULL)
                    untranspose_rows(b.o_t, q.lanes, q.count, n.size, 1.0F, d_q + q.offset, n.D, step->accumulate[0]);
            }
            store_keys(&b, step, 1, task, b.d_k, n.scale);
            store_keys(&b, step, 2, task, b.d_v, 1.0F);
        }
    }
    return ERR_NONE;
}

#endif
