/* SPDX-License-Identifier: Apache-2.0
 *
 * Body of the vector kernels of window_attention; include after simd_avx2.h or simd_avx512.h. One window and head at a
 * time, all in the first-level cache: rows are copied out of qkv (they are 3 D floats apart there), everything else is
 * small products.
 */
#ifndef METASEG_OPS_WINDOW_ATTENTION_SIMD_H
#define METASEG_OPS_WINDOW_ATTENTION_SIMD_H

#include "ops/simd_attention.h"
#include "ops/window_attention_kernels.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Padded sizes and the scratch of one thread. */
typedef struct WindowBlock {
    WindowSizes n;
    int64_t keys;             /* tokens rounded up to GEMM_ROWS */
    int64_t queries;          /* tokens rounded up to VEC_LANES */
    int64_t rows;             /* size rounded up to GEMM_ROWS */
    int64_t width;            /* size rounded up to VEC_LANES (and so to GEMM_ROWS) */
    int64_t *pixels;          /* [tokens] */
    const float *padding;     /* [3 D] */
    float *q, *k, *v, *d_o;   /* [keys, width] */
    float *d_k, *d_v;         /* [keys, width] */
    float *q_t, *o_t, *d_o_t; /* [rows, queries] */
    float *s, *d_s;           /* [keys, queries] */
    float *masked;            /* [keys, queries], bias and mask of one head */
    float *d_bias;            /* [tokens, queries], sum over the windows of a chunk */
    float *max, *sum;         /* [queries] */
} WindowBlock;

static int64_t take(int64_t *position, int64_t floats)
{
    const int64_t begin = *position;
    *position += round_up(floats, 16);
    return begin;
}

/* Fills sizes and, where base is not NULL, pointers; returns the floats of one thread. */
static int64_t block_layout(const Step *step, float *base, WindowBlock *ret_block)
{
    WindowBlock b = { .n = window_sizes(step) };
    b.keys = round_up(b.n.tokens, GEMM_ROWS);
    b.queries = round_up(b.n.tokens, VEC_LANES);
    b.rows = round_up(b.n.size, GEMM_ROWS);
    b.width = round_up(b.n.size, VEC_LANES);
    int64_t end = 0;
    const int64_t pixels = take(&end, 2 * b.n.tokens);
    float **const parts[] = { &b.q,     &b.k, &b.v,   &b.d_o,    &b.d_k,    &b.d_v, &b.q_t, &b.o_t,
                              &b.d_o_t, &b.s, &b.d_s, &b.masked, &b.d_bias, &b.max, &b.sum };
    const int64_t tall = b.keys * b.width, wide = b.rows * b.queries, square = b.keys * b.queries;
    const int64_t floats[] = { tall, tall,   tall,   tall,   tall,   tall,      wide,     wide,
                               wide, square, square, square, square, b.queries, b.queries };
    for (int64_t i = 0; i < ARRAY_LEN(floats); i++) {
        const int64_t begin = take(&end, floats[i]);
        if (base != NULL) *parts[i] = base + begin;
    }
    if (base != NULL) b.pixels = (int64_t *)(void *)(base + pixels);
    *ret_block = b;
    return end;
}

/* Floats of the bias of all heads, [heads, keys, queries]. */
static int64_t bias_floats(const WindowBlock *b) { return b->n.heads * b->keys * b->queries; }

/* The table spread out: bias[head, j, i] = table[relative(i, j), head], 0 in the padding. */
static void fill_bias(const Step *step, const WindowBlock *b, float *bias)
{
    const float *table = step->in[1].data;
    const WindowSizes *n = &b->n;
#pragma omp parallel for schedule(static) num_threads(step->device.threads)
    for (int64_t head = 0; head < n->heads; head++) {
        for (int64_t j = 0; j < b->keys; j++) {
            float *to = bias + (head * b->keys + j) * b->queries;
            for (int64_t i = 0; i < b->queries; i++) to[i] = 0.0F;
            if (j >= n->tokens) continue;
            for (int64_t y = 0; y < n->window; y++) {
                const float *from = table + window_relative(n, y * n->window, j) * n->heads + head;
                for (int64_t x = 0; x < n->window; x++) to[y * n->window + x] = from[x * n->heads];
            }
        }
    }
}

static Err prepare(Step *step)
{
    WindowBlock b;
    const int64_t own = block_layout(step, NULL, &b);
    if (step->constant[1]) {
        const size_t bytes = (size_t)round_up(bias_floats(&b), 16) * sizeof(float);
        step->state = aligned_alloc(64, bytes);
        if (step->state == NULL) return err_memory(bytes, "the position bias of window attention");
    }
    return window_workspace(step, bias_floats(&b), own);
}

static void release(Step *step)
{
    free(step->state);
    step->state = NULL;
}

/* Inference: the table does not change between calls of pack. */
static Err pack(Step *step)
{
    WindowBlock b;
    (void)block_layout(step, NULL, &b);
    if (step->state != NULL) fill_bias(step, &b, step->state);
    return ERR_NONE;
}

static const float *current_bias(const Step *step, const WindowBlock *b)
{
    if (step->state != NULL) return step->state;
    float *bias = window_shared(step, &b->n);
    fill_bias(step, b, bias);
    return bias;
}

/* The calling thread's block. */
static WindowBlock own_block(const Step *step, const float *padding)
{
    WindowBlock b;
    const int64_t own = block_layout(step, NULL, &b);
    (void)block_layout(step, window_own(step, &b.n, bias_floats(&b), own), &b);
    b.padding = padding;
    return b;
}

/* Bias of a head in a window: that of fill_bias, with the mask where the window has one. */
static const float *bias_of(const WindowBlock *b, const WindowBorder *border, const float *bias, int64_t head)
{
    const WindowSizes *n = &b->n;
    const int64_t w = n->window;
    bias += head * b->keys * b->queries;
    if (!border->masked) return bias;
    memcpy(b->masked, bias, (size_t)(b->keys * b->queries) * sizeof *bias);
    for (int64_t j = 0; j < n->tokens; j++) {
        const bool below = j / w >= border->y, right = j % w >= border->x;
        float *to = b->masked + j * b->queries;
        for (int64_t y = 0; y < w; y++, to += w) {
            const bool apart = (y >= border->y) != below;
            for (int64_t x = 0; x < w; x++) to[x] += apart || (x >= border->x) != right ? -100.0F : 0.0F;
        }
    }
    return b->masked;
}

/* Copies queries (scaled), keys and values of one head, and makes q_t and the scores with bias in s. */
static void load_scores(const WindowBlock *b, const float *qkv, int64_t head, const float *bias)
{
    const WindowSizes *n = &b->n;
    for (int64_t i = 0; i < n->tokens; i++) {
        const float *from = (b->pixels[i] < 0 ? b->padding : qkv + b->pixels[i] * 3 * n->D) + head * n->size;
        copy_row(from, n->size, n->scale, b->q + i * b->width, b->width);
        copy_row(from + n->D, n->size, 1.0F, b->k + i * b->width, b->width);
        copy_row(from + 2 * n->D, n->size, 1.0F, b->v + i * b->width, b->width);
    }
    for (int64_t i = n->tokens * b->width; i < b->keys * b->width; i++) b->k[i] = b->v[i] = 0.0F;
    transpose_rows(b->q, b->width, n->tokens, n->size, b->q_t, b->queries);
    const GemmBlock scores = { .M = b->keys,
                               .N = b->queries,
                               .K = n->size,
                               .a = b->k,
                               .a_row = b->width,
                               .a_column = 1,
                               .b = b->q_t,
                               .b_stride = b->queries,
                               .init = bias,
                               .c = b->s,
                               .c_stride = b->queries };
    gemm_block(&scores);
}

static void forward_head(const WindowBlock *b, const float *qkv, int64_t head, const float *bias, float *out,
                         float *lse)
{
    const WindowSizes *n = &b->n;
    load_scores(b, qkv, head, bias);
    for (int64_t i = 0; i < b->queries; i++) {
        b->max[i] = -INFINITY;
        b->sum[i] = 0.0F;
    }
    softmax_block(b->s, n->tokens, b->queries, b->max, b->sum, NULL, 0);
    const GemmBlock values = { .M = b->rows,
                               .N = b->queries,
                               .K = n->tokens,
                               .a = b->v,
                               .a_row = 1,
                               .a_column = b->width,
                               .b = b->s,
                               .b_stride = b->queries,
                               .c = b->o_t,
                               .c_stride = b->queries };
    gemm_block(&values);
    for (int64_t i = 0; i < b->queries; i += VEC_LANES) {
        const Vec sum = vec_load(b->sum + i), factor = vec_reciprocal(sum);
        for (int64_t d = 0; d < n->size; d++)
            vec_store(b->o_t + d * b->queries + i, vec_mul(vec_load(b->o_t + d * b->queries + i), factor));
        if (lse != NULL && i < n->tokens)
            vec_store_first(lse + i, vec_add(vec_load(b->max + i), vec_log(sum)), min_int64(n->tokens - i, VEC_LANES));
    }
    untranspose_rows(b->o_t, b->queries, n->tokens, n->size, 1.0F, b->q, b->width, false);
    for (int64_t i = 0; i < n->tokens; i++)
        if (b->pixels[i] >= 0)
            write_row(b->q + i * b->width, n->size, out + b->pixels[i] * n->D + head * n->size, false);
}

static Err forward(const Step *step)
{
    const WindowSizes n = window_sizes(step);
    float *out = step->out[0].data, *saved = step->out[1].data;
    WindowBlock sizes;
    (void)block_layout(step, NULL, &sizes);
    const float *bias = current_bias(step, &sizes), *padding = window_padding(step, &n);
#pragma omp parallel num_threads(step->device.threads)
    {
        const WindowBlock b = own_block(step, padding);
#pragma omp for schedule(static)
        for (int64_t task = 0; task < n.windows * n.heads; task++) {
            const int64_t window = task / n.heads, head = task % n.heads;
            const WindowBorder border = window_border(&b.n, window);
            window_pixels(&b.n, window, b.pixels);
            forward_head(&b, step->in[0].data, head, bias_of(&b, &border, bias, head), out,
                         saved != NULL ? saved + task * n.tokens : NULL);
        }
    }
    return ERR_NONE;
}

/* s becomes p; d_s = p (dp - sum over keys of p dp), where d_s holds dp; sums d_s into d_bias. */
static void backward_scores(const WindowBlock *b, const float *lse)
{
    const int64_t tokens = b->n.tokens, n = b->queries;
    for (int64_t i = 0; i < n; i += VEC_LANES) {
        const Vec shift = i < tokens ? vec_load_first(lse + i, min_int64(tokens - i, VEC_LANES)) : vec_zero();
        Vec mean = vec_zero();
        for (int64_t j = 0; j < tokens; j++) {
            const Vec p = vec_exp(vec_sub(vec_load(b->s + j * n + i), shift));
            vec_store(b->s + j * n + i, p);
            mean = vec_fma(p, vec_load(b->d_s + j * n + i), mean);
        }
        for (int64_t j = 0; j < tokens; j++) {
            const Vec p = vec_load(b->s + j * n + i);
            const Vec d = vec_mul(p, vec_sub(vec_load(b->d_s + j * n + i), mean));
            vec_store(b->d_s + j * n + i, d);
            vec_store(b->d_bias + j * n + i, vec_add(vec_load(b->d_bias + j * n + i), d));
        }
    }
}

/* Gradients of queries (into q), keys and values of a head from p and d_s. */
static void backward_products(const WindowBlock *b)
{
    const WindowSizes *n = &b->n;
    const GemmBlock values = { .M = b->keys,
                               .N = b->width,
                               .K = n->tokens,
                               .a = b->s,
                               .a_row = b->queries,
                               .a_column = 1,
                               .b = b->d_o,
                               .b_stride = b->width,
                               .c = b->d_v,
                               .c_stride = b->width };
    gemm_block(&values);
    const GemmBlock keys = { .M = b->keys,
                             .N = b->width,
                             .K = n->tokens,
                             .a = b->d_s,
                             .a_row = b->queries,
                             .a_column = 1,
                             .b = b->q,
                             .b_stride = b->width,
                             .c = b->d_k,
                             .c_stride = b->width };
    gemm_block(&keys);
    const GemmBlock queries = { .M = b->rows,
                                .N = b->queries,
                                .K = n->tokens,
                                .a = b->k,
                                .a_row = 1,
                                .a_column = b->width,
                                .b = b->d_s,
                                .b_stride = b->queries,
                                .c = b->o_t,
                                .c_stride = b->queries };
    gemm_block(&queries);
    untranspose_rows(b->o_t, b->queries, n->tokens, n->size, n->scale, b->q, b->width, false);
}

/* Where the gradients of a head go: d_qkv may be NULL, d_padding is [3, size]. */
typedef struct WindowGradients {
    float *d_qkv, *d_padding;
    bool add;
} WindowGradients;

static void write_gradients(const WindowBlock *b, int64_t head, const WindowGradients *to)
{
    const WindowSizes *n = &b->n;
    for (int64_t i = 0; i < n->tokens; i++) {
        const bool pixel = b->pixels[i] >= 0;
        if ((pixel ? to->d_qkv : to->d_padding) == NULL) continue;
        float *place = pixel ? to->d_qkv + b->pixels[i] * 3 * n->D + head * n->size : to->d_padding;
        const int64_t part = pixel ? n->D : n->size;
        if (pixel) write_row(b->q + i * b->width, n->size, place, to->add); /* padding asks for nothing */
        write_row(b->d_k + i * b->width, n->size, place + part, to->add || !pixel);
        write_row(b->d_v + i * b->width, n->size, place + 2 * part, to->add || !pixel);
    }
}

static void backward_head(const WindowBlock *b, const float *qkv, int64_t head, const float *bias, const float *lse,
                          const float *d_out, const WindowGradients *to)
{
    const WindowSizes *n = &b->n;
    load_scores(b, qkv, head, bias);
    for (int64_t i = 0; i < n->tokens; i++) {
        float *row = b->d_o + i * b->width;
        if (b->pixels[i] >= 0)
            copy_row(d_out + b->pixels[i] * n->D + head * n->size, n->size, 1.0F, row, b->width);
        else
            memset(row, 0, (size_t)b->width * sizeof *row);
    }
    transpose_rows(b->d_o, b->width, n->tokens, n->size, b->d_o_t, b->queries);
    const GemmBlock d_p = { .M = b->keys,
                            .N = b->queries,
                            .K = n->size,
                            .a = b->v,
                            .a_row = b->width,
                            .a_column = 1,
                            .b = b->d_o_t,
                            .b_stride = b->queries,
                            .c = b->d_s,
                            .c_stride = b->queries };
    gemm_block(&d_p);
    backward_scores(b, lse);
    if (to->d_qkv == NULL && to->d_padding == NULL) return;
    backward_products(b);
    write_gradients(b, head, to);
}

/* Adds the sum over windows d_bias to the table's gradient; neighbours in x are neighbours in the table. */
static void gather_table(const WindowBlock *b, float *d_table)
{
    const WindowSizes *n = &b->n;
    for (int64_t r = 0; r < n->relative; r++) d_table[r] = 0.0F;
    for (int64_t j = 0; j < n->tokens; j++)
        for (int64_t y = 0; y < n->window; y++) {
            float *to = d_table + window_relative(n, y * n->window, j);
            for (int64_t x = 0; x < n->window; x++) to[x] += b->d_bias[j * b->queries + y * n->window + x];
        }
}

static void backward_chunk(const Step *step, const WindowBlock *b, int64_t chunk, int64_t head, const float *bias)
{
    const WindowSizes *n = &b->n;
    const float *saved = step->out[1].data;
    float *partial = window_partial(step, n, chunk, head), *d_padding = partial + n->relative;
    for (int64_t i = 0; i < n->tokens * b->queries; i++) b->d_bias[i] = 0.0F;
    for (int64_t i = 0; i < 3 * n->size; i++) d_padding[i] = 0.0F;
    const WindowGradients to = { .d_qkv = step->d_in[0].data,
                                 .d_padding = step->n_in > 2 && step->d_in[2].data != NULL ? d_padding : NULL,
                                 .add = step->accumulate[0] };
    for (int64_t window = chunk_begin(chunk, n->chunks, n->windows);
         window < chunk_begin(chunk + 1, n->chunks, n->windows); window++) {
        const WindowBorder border = window_border(n, window);
        window_pixels(n, window, b->pixels);
        backward_head(b, step->in[0].data, head, bias_of(b, &border, bias, head),
                      saved + (window * n->heads + head) * n->tokens, step->d_out[0].data, &to);
    }
    if (step->d_in[1].data != NULL) gather_table(b, partial);
}

static Err backward(const Step *step)
{
    const WindowSizes n = window_sizes(step);
    WindowBlock sizes;
    (void)block_layout(step, NULL, &sizes);
    const float *bias = current_bias(step, &sizes), *padding = window_padding(step, &n);
#pragma omp parallel num_threads(step->device.threads)
    {
        const WindowBlock b = own_block(step, padding);
#pragma omp for schedule(static)
        for (int64_t task = 0; task < n.chunks * n.heads; task++)
            backward_chunk(step, &b, task / n.heads, task % n.heads, bias);
    }
    window_reduce(step, &n);
    return ERR_NONE;
}

#endif
