/* SPDX-License-Identifier: Apache-2.0
 *
 * Scaled dot-product attention with a bias by slots (docs/model.md section 3).
 * q [B, N, D], k, v [B, M, D], out [B, N, D]; inputs in order q, k, v, [log_share], [mask].
 * Per image and head, size = D / heads:
 *   s_ij = q_i . k_j / sqrt(size) + slot bias + mask_j; -infinity for j > i where it is causal
 *   out_i = sum_j softmax_j(s_ij) v_j
 * Slot bias: with key slots (image reads text) log_share[b, i, slot(j)], with query slots (text reads image)
 * log_share[b, j, slot(i)].
 * Saved: lse_i = log sum_j exp(s_ij), [B, heads, N].
 * Backward recomputes p_ij = exp(s_ij - lse_i):
 *   dp_ij = do_i . v_j
 *   ds_ij = p_ij (dp_ij - do_i . out_i)
 *   dv_j = sum_i p_ij do_i
 *   dq_i = sum_j ds_ij k_j / sqrt(size)
 *   dk_j = sum_i ds_ij q_i / sqrt(size)
 * One task does all queries of an image and head, so the sums over queries have a fixed order whatever the threads.
 */
#include "ops/attention_kernels.h"

#include <math.h>
#include <omp.h>

static int64_t token_count(const Tensor *tensor) { return rows_of(tensor) / tensor->shape.dim[0]; }

AttentionSizes attention_sizes(const Step *step)
{
    const AttentionAttr *attr = step->attr;
    AttentionSizes n = { .B = step->in[0].shape.dim[0],
                         .N = token_count(&step->in[0]),
                         .M = token_count(&step->in[1]),
                         .D = channels_of(&step->in[0]),
                         .heads = attr->heads,
                         .slots = attr->slots,
                         .slot_length = attr->slot_length,
                         .has_mask = attr->has_mask,
                         .causal = attr->causal };
    int32_t next = 3;
    if (attr->slots != ATTENTION_PLAIN) {
        n.S = channels_of(&step->in[next]);
        n.log_share = step->in[next++].data;
    }
    if (attr->has_mask) n.mask = step->in[next].data;
    n.size = n.D / n.heads;
    n.scale = 1.0F / sqrtf((float)n.size);
    return n;
}

/* One image and head of the plain kernel: tensors moved to the first token and the channels of the head. */
typedef struct PlainHead {
    const AttentionSizes *n;
    int64_t b;
    const float *q, *k, *v;
    float *p, *ds; /* scratch of the thread, [M] */
} PlainHead;

static PlainHead plain_head(const Step *step, const AttentionSizes *n, int64_t task)
{
    const int64_t b = task / n->heads, head = task % n->heads;
    float *own = (float *)step->workspace + omp_get_thread_num() * round_up(2 * n->M, 16);
    return (PlainHead){ .n = n,
                        .b = b,
                        .q = (const float *)step->in[0].data + b * n->N * n->D + head * n->size,
                        .k = (const float *)step->in[1].data + b * n->M * n->D + head * n->size,
                        .v = (const float *)step->in[2].data + b * n->M * n->D + head * n->size,
                        .p = own,
                        .ds = own + n->M };
}

static float dot(const float *a, const float *b, int64_t n)
{
    float sum = 0.0F;
    for (int64_t i = 0; i < n; i++) sum += a[i] * b[i];
    return sum;
}

static float bias(const PlainHead *h, int64_t i, int64_t j)
{
    const AttentionSizes *n = h->n;
    float sum = n->mask != NULL ? n->mask[h->b * n->M + j] : 0.0F;
    if (n->slots == ATTENTION_KEY_SLOTS) sum += n->log_share[(h->b * n->N + i) * n->S + attention_slot(n, j)];
    if (n->slots == ATTENTION_QUERY_SLOTS) sum += n->log_share[(h->b * n->M + j) * n->S + attention_slot(n, i)];
    return sum;
}

/* How many keys query i reads, from the first on. */
static int64_t keys_of(const AttentionSizes *n, int64_t i) { return n->causal ? i + 1 : n->M; }

static void score_row(const PlainHead *h, int64_t i)
{
    const AttentionSizes *n = h->n;
    for (int64_t j = 0; j < keys_of(n, i); j++)
        h->p[j] = n->scale * dot(h->q + i * n->D, h->k + j * n->D, n->size) + bias(h, i, j);
}

/* Returns the lse of query i. */
static float forward_row(const PlainHead *h, int64_t i, float *out)
{
    const AttentionSizes *n = h->n;
    const int64_t keys = keys_of(n, i);
    float max = -INFINITY, sum = 0.0F;
    score_row(h, i);
    for (int64_t j = 0; j < keys; j++) max = h->p[j] > max ? h->p[j] : max;
    for (int64_t j = 0; j < keys; j++) {
        h->p[j] = expf(h->p[j] - max);
        sum += h->p[j];
    }
    for (int64_t d = 0; d < n->size; d++) out[d] = 0.0F;
    for (int64_t j = 0; j < keys; j++)
        for (int64_t d = 0; d < n->size; d++) out[d] += h->p[j] / sum * h->v[j * n->D + d];
    return max + logf(sum);
}

static Err forward(const Step *step)
{
    const AttentionSizes n = attention_sizes(step);
    float *saved = step->out[1].data;
#pragma omp parallel for schedule(static) num_threads(step->device.threads)
    for (int64_t task = 0; task < n.B * n.heads; task++) {
        const PlainHead h = plain_head(step, &n, task);
        float *out = (float *)step->out[0].data + h.b * n.N * n.D + task % n.heads * n.size;
        for (int64_t i = 0; i < n.N; i++) {
            const float lse = forward_row(&h, i, out + i * n.D);
            if (saved != NULL) saved[task * n.N + i] = lse;
        }
    }
    return ERR_NONE;
}

/* Gradient of one input moved to an image and head; NULL stays NULL. Cleared unless it is accumulated. */
static float *head_gradient(const Step *step, const AttentionSizes *n, int32_t input, int64_t task)
{
    float *gradient = step->d_in[input].data;
    if (gradient == NULL) return NULL;
    const int64_t tokens = input == 0 ? n->N : n->M;
    gradient += task / n->heads * tokens * n->D + task % n->heads * n->size;
    for (int64_t t = 0; t < tokens && !step->accumulate[input]; t++)
        for (int64_t d = 0; d < n->size; d++) gradient[t * n->D + d] = 0.0F;
    return gradient;
}

/* to[t] += factor * row[t] * from for each of the tokens, or to += factor * sum row[t] * from[t]. */
static void add_outer(const float *row, const float *from, float factor, int64_t tokens, int64_t size, int64_t D,
                      float *to)
{
    for (int64_t t = 0; t < tokens; t++)
        for (int64_t d = 0; d < size; d++) to[t * D + d] += factor * row[t] * from[d];
}
static void add_weighted(const float *row, const float *from, float factor, int64_t tokens, int64_t size, int64_t D,
                         float *to)
{
    for (int64_t t = 0; t < tokens; t++)
        for (int64_t d = 0; d < size; d++) to[d] += factor * row[t] * from[t * D + d];
}

static Err backward(const Step *step)
{
    const AttentionSizes n = attention_sizes(step);
    const float *saved = step->out[1].data;
#pragma omp parallel for schedule(static) num_threads(step->device.threads)
    for (int64_t task = 0; task < n.B * n.heads; task++) {
        const PlainHead h = plain_head(step, &n, task);
        const int64_t offset = h.b * n.N * n.D + task % n.heads * n.size;
        float *d_q = head_gradient(step, &n, 0, task), *d_k = head_gradient(step, &n, 1, task);
        float *d_v = head_gradient(step, &n, 2, task);
        for (int64_t i = 0; i < n.N; i++) {
            const float *out = (const float *)step->out[0].data + offset + i * n.D;
            const float *d_out = (const float *)step->d_out[0].data + offset + i * n.D;
            const float mean = dot(d_out, out, n.size);
            const int64_t keys = keys_of(&n, i);
            score_row(&h, i);
            for (int64_t j = 0; j < keys; j++) {
                h.p[j] = expf(h.p[j] - saved[task * n.N + i]);
                h.ds[j] = h.p[j] * (dot(d_out, h.v + j * n.D, n.size) - mean);
            }
            if (d_q != NULL) add_weighted(h.ds, h.k, n.scale, keys, n.size, n.D, d_q + i * n.D);
            if (d_k != NULL) add_outer(h.ds, h.q + i * n.D, n.scale, keys, n.size, n.D, d_k);
            if (d_v != NULL) add_outer(h.p, d_out, 1.0F, keys, n.size, n.D, d_v);
        }
    }
    return ERR_NONE;
}

static Err prepare(Step *step)
{
    const AttentionSizes n = attention_sizes(step);
    step->workspace_bytes = (size_t)(round_up(2 * n.M, 16) * step->device.threads) * sizeof(float);
    return ERR_NONE;
}

/* True when log_share and mask, where the attributes want them, have the right shapes. */
static bool bias_fits(const AttentionAttr *a, int32_t n_in, const Tensor *in)
{
    const int64_t B = in[0].shape.dim[0], N = token_count(&in[0]), M = token_count(&in[1]);
    int32_t next = 3;
    if (n_in != 3 + (a->slots != ATTENTION_PLAIN ? 1 : 0) + (a->has_mask ? 1 : 0)) return false;
    if (a->slots != ATTENTION_PLAIN) {
        const Tensor *share = &in[next++];
        const int64_t tokens = a->slots == ATTENTION_KEY_SLOTS ? N : M;
        if (share->dtype != DTYPE_F32 || share->shape.rank < 2 || share->shape.dim[0] != B || channels_of(share) < 1 ||
            token_count(share) != tokens || a->slot_length < 1)
            return false;
    }
    if (!a->has_mask) return true;
    return in[next].dtype == DTYPE_F32 && in[next].shape.rank >= 2 && in[next].shape.dim[0] == B &&
           shape_count(&in[next].shape) == B * M;
}

static Err infer(const void *attr, int32_t n_in, const Tensor *in, Tensor *ret_out)
{
    const AttentionAttr *a = attr;
    char text[5][64] = { "", "", "", "", "" };
    bool fits = n_in >= 3 && a->heads >= 1;
    for (int32_t i = 0; i < 3 && fits; i++)
        fits = in[i].dtype == DTYPE_F32 && in[i].shape.rank >= 2 && in[i].shape.dim[0] == in[0].shape.dim[0] &&
               in[i].shape.dim[0] > 0 && channels_of(&in[i]) == channels_of(&in[0]);
    fits = fits && shape_equal(&in[1].shape, &in[2].shape) && channels_of(&in[0]) % a->heads == 0 &&
           (!a->causal || token_count(&in[0]) == token_count(&in[1])) && bias_fits(a, n_in, in);
    for (int32_t i = 0; i < n_in && i < 5; i++) (void)shape_text(&in[i].shape, text[i], sizeof text[i]);
    if (!fits)
        return err_set(ERR_SHAPE,
                       "attention: q %s, k %s, v %s, then %s %s, %d heads; expected f32 [B, N, D], twice [B, M, D], "
                       "[B, N or M, slots] if slots are used, [B, M] if masked, D a multiple of the heads, N = M if "
                       "causal",
                       text[0], text[1], text[2], text[3], text[4], (int)a->heads);
    ret_out[0] = in[0];
    ret_out[1] = (Tensor){ .dtype = DTYPE_F32, .shape = { 3, { in[0].shape.dim[0], a->heads, token_count(&in[0]) } } };
    return ERR_NONE;
}

static const Kernel kernel_plain = { .name = "plain", .prepare = prepare, .forward = forward, .backward = backward };
static const Kernel *const kernels[] = { KERNEL_AVX512(attention_avx512) KERNEL_AVX2(attention_avx2) & kernel_plain,
                                         NULL };

static int64_t multiply_adds(const Step *step)
{
    return 2 * shape_count(&step->in[0].shape) * token_count(&step->in[1]); /* q k^T, then p v */
}

const OpDef op_def_attention = {
    .name = "attention",
    .min_in = 3,
    .max_in = 5,
    .n_out = 2,
    .n_results = 1,
    .bwd_reads = READS_IN(0) | READS_IN(1) | READS_IN(2) | READS_IN(3) | READS_IN(4) | READS_OUT(0) | READS_OUT(1),
    .no_grad_in = 1U << 3 | 1U << 4,
    .attr_size = sizeof(AttentionAttr),
    .infer = infer,
    .kernels = kernels,
    .multiply_adds = multiply_adds,
};

Var op_attention(Graph *g, Var q, Var k, Var v, Var log_share, Var mask, const AttentionAttr *attr)
{
    Var in[5] = { q, k, v };
    int32_t n = 3;
    if (var_exists(log_share)) in[n++] = log_share;
    if (var_exists(mask)) in[n++] = mask;
    if (var_exists(log_share) != (attr->slots != ATTENTION_PLAIN) || var_exists(mask) != attr->has_mask)
        graph_fail(g, "attention: log_share and mask must be given exactly when the attributes say so");
    return graph_node(g, &op_def_attention, attr, n, in);
}
