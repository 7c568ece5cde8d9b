/* SPDX-License-Identifier: Apache-2.0 */
#include "harness/op_check.h"

#include <math.h>

typedef struct Sizes {
    int64_t B, N, M, D, heads, size, S;
    const AttentionAttr *attr;
    const double *q, *k, *v, *log_share, *mask;
} Sizes;

static int64_t tokens(const Tensor *tensor)
{
    return shape_count(&tensor->shape) / tensor->shape.dim[0] / tensor->shape.dim[tensor->shape.rank - 1];
}

static int64_t slot(const Sizes *n, int64_t token)
{
    const int64_t number = token / n->attr->slot_length;
    return number < n->S ? number : n->S - 1;
}

static double score(const Sizes *n, int64_t b, int64_t head, int64_t i, int64_t j)
{
    double sum = 0;
    for (int64_t d = 0; d < n->size; d++)
        sum += n->q[(b * n->N + i) * n->D + head * n->size + d] * n->k[(b * n->M + j) * n->D + head * n->size + d];
    sum /= sqrt((double)n->size);
    if (n->mask != NULL) sum += n->mask[b * n->M + j];
    if (n->attr->slots == ATTENTION_KEY_SLOTS) sum += n->log_share[(b * n->N + i) * n->S + slot(n, j)];
    if (n->attr->slots == ATTENTION_QUERY_SLOTS) sum += n->log_share[(b * n->M + j) * n->S + slot(n, i)];
    return sum;
}

static void attend(const Sizes *n, int64_t b, int64_t head, int64_t i, double *out)
{
    const int64_t keys = n->attr->causal ? i + 1 : n->M;
    double max = -INFINITY, total = 0;
    for (int64_t j = 0; j < keys; j++) max = fmax(max, score(n, b, head, i, j));
    for (int64_t d = 0; d < n->size; d++) out[d] = 0;
    for (int64_t j = 0; j < keys; j++) {
        const double e = exp(score(n, b, head, i, j) - max);
        total += e;
        for (int64_t d = 0; d < n->size; d++) out[d] += e * n->v[(b * n->M + j) * n->D + head * n->size + d];
    }
    for (int64_t d = 0; d < n->size; d++) out[d] /= total;
}

static void reference(const OpCase *op_case, const double *const *in, const Tensor *in_shapes, double *const *out,
                      const Tensor *out_shapes)
{
    const AttentionAttr *attr = op_case->attr;
    Sizes n = { .B = in_shapes[0].shape.dim[0],
                .N = tokens(&in_shapes[0]),
                .M = tokens(&in_shapes[1]),
                .D = in_shapes[0].shape.dim[in_shapes[0].shape.rank - 1],
                .heads = attr->heads,
                .attr = attr,
                .q = in[0],
                .k = in[1],
                .v = in[2] };
    int32_t next = 3;
    n.size = n.D / n.heads;
    (void)out_shapes;
    if (attr->slots != ATTENTION_PLAIN) {
        n.S = in_shapes[next].shape.dim[in_shapes[next].shape.rank - 1];
        n.log_share = in[next++];
    }
    if (attr->has_mask) n.mask = in[next];
    for (int64_t b = 0; b < n.B; b++)
        for (int64_t head = 0; head < n.heads; head++)
            for (int64_t i = 0; i < n.N; i++) attend(&n, b, head, i, out[0] + (b * n.N + i) * n.D + head * n.size);
}

static const AttentionAttr plain1 = { .heads = 1 }, plain2 = { .heads = 2 }, plain6 = { .heads = 6 },
                           plain12 = { .heads = 12 }, masked2 = { .heads = 2, .has_mask = true },
                           masked12 = { .heads = 12, .has_mask = true },
                           image2 = { 2, ATTENTION_KEY_SLOTS, 5, true, false },
                           text2 = { 2, ATTENTION_QUERY_SLOTS, 5, false, false },
                           image8 = { 8, ATTENTION_KEY_SLOTS, 64, true, false },
                           text8 = { 8, ATTENTION_QUERY_SLOTS, 64, false, false },
                           causal1 = { .heads = 1, .causal = true }, causal8 = { .heads = 8, .causal = true },
                           causal_masked2 = { .heads = 2, .has_mask = true, .causal = true };

static const OpCase cases[] = {
    /* One key: the softmax is 1 whatever the scores, so only the forward result says anything. */
    { .in = { OP_F32(3, 1, 3, 4), OP_F32(3, 1, 1, 4), OP_F32(3, 1, 1, 4) }, .attr = &plain1, .inference_only = true },
    { .in = { OP_F32(3, 1, 1, 1), OP_F32(3, 1, 3, 1), OP_F32(3, 1, 3, 1) }, .attr = &plain1 },
    { .in = { OP_F32(3, 2, 3, 6), OP_F32(3, 2, 5, 6), OP_F32(3, 2, 5, 6) }, .attr = &plain2 },
    { .in = { OP_F32(4, 1, 3, 4, 10), OP_F32(3, 1, 7, 10), OP_F32(3, 1, 7, 10), OP_RANGE(-3, 3, 2, 1, 7) },
      .attr = &masked2 },
    { .in = { OP_F32(4, 2, 3, 5, 16), OP_F32(3, 2, 14, 16), OP_F32(3, 2, 14, 16), OP_RANGE(-9, 0, 3, 2, 15, 3),
              OP_MASK(2, 2, 14) },
      .attr = &image2 },
    { .in = { OP_F32(3, 2, 14, 16), OP_F32(4, 2, 3, 5, 16), OP_F32(4, 2, 3, 5, 16), OP_RANGE(-9, 0, 3, 2, 15, 3) },
      .attr = &text2 },
    /* More than one block of queries and keys, the last ones short; more tokens than slots times their length. */
    { .in = { OP_F32(3, 1, 70, 18), OP_F32(3, 1, 67, 18), OP_F32(3, 1, 67, 18), OP_RANGE(-9, 0, 3, 1, 70, 5),
              OP_MASK(2, 1, 67) },
      .attr = &image2 },
    { .in = { OP_F32(3, 1, 67, 18), OP_F32(3, 1, 130, 18), OP_F32(3, 1, 130, 18), OP_RANGE(-9, 0, 3, 1, 130, 5) },
      .attr = &text2 },
    /* The text encoder. */
    { .in = { OP_F32(3, 2, 33, 384), OP_F32(3, 2, 33, 384), OP_F32(3, 2, 33, 384), OP_MASK(2, 2, 33) },
      .attr = &masked12 },
    /* The network. */
    { .in = { OP_F32(3, 1, 100, 256), OP_F32(3, 1, 132, 256), OP_F32(3, 1, 132, 256), OP_RANGE(-9, 0, 3, 1, 100, 3),
              OP_MASK(2, 1, 132) },
      .attr = &image8 },
    { .in = { OP_F32(3, 1, 132, 256), OP_F32(3, 1, 100, 256), OP_F32(3, 1, 100, 256), OP_RANGE(-9, 0, 3, 1, 100, 3) },
      .attr = &text8 },
    /* Causal: one block, exactly one block, more than one with a short last; with a mask, where the first query may be
     * left with one masked key. The text encoder of CLIP: 77 tokens, 8 heads of 64. */
    { .in = { OP_F32(3, 1, 2, 3), OP_F32(3, 1, 2, 3), OP_F32(3, 1, 2, 3) }, .attr = &causal1 },
    { .in = { OP_F32(3, 2, 64, 8), OP_F32(3, 2, 64, 8), OP_F32(3, 2, 64, 8) }, .attr = &causal1 },
    { .in = { OP_F32(3, 1, 131, 24), OP_F32(3, 1, 131, 24), OP_F32(3, 1, 131, 24) }, .attr = &causal8 },
    { .in = { OP_F32(3, 2, 70, 18), OP_F32(3, 2, 70, 18), OP_F32(3, 2, 70, 18), OP_RANGE(-3, 3, 2, 2, 70) },
      .attr = &causal_masked2 },
    { .in = { OP_F32(3, 1, 77, 512), OP_F32(3, 1, 77, 512), OP_F32(3, 1, 77, 512) }, .attr = &causal8 },
    { .in = { OP_RANGE(0, 0, 3, 1, 3, 8), OP_F32(3, 1, 3, 8), OP_F32(3, 1, 3, 8), OP_RANGE(-1e9, -1e9, 2, 1, 3) },
      .attr = &causal_masked2,
      .inference_only = true },
    /* All keys masked: the same weight for all. Equal scores, because -1e9 leaves no digits for others. */
    { .in = { OP_RANGE(0, 0, 3, 1, 3, 8), OP_F32(3, 1, 6, 8), OP_F32(3, 1, 6, 8), OP_RANGE(-1e9, -1e9, 2, 1, 6) },
      .attr = &masked2,
      .inference_only = true },
    { .in = { OP_F32(3, 1, 1024, 256), OP_F32(3, 1, 260, 256), OP_F32(3, 1, 260, 256), OP_RANGE(-9, 0, 3, 1, 1024, 5),
              OP_RANGE(0, 1, 2, 1, 260) },
      .attr = &image8,
      .perf_only = true },
    { .in = { OP_F32(3, 1, 1024, 256), OP_F32(3, 1, 260, 256), OP_F32(3, 1, 260, 256), OP_RANGE(-9, 0, 3, 1, 1024, 5),
              OP_MASK(2, 1, 260) },
      .attr = &image8,
      .perf_only = true },
    { .in = { OP_F32(3, 1, 260, 256), OP_F32(3, 1, 1024, 256), OP_F32(3, 1, 1024, 256),
              OP_RANGE(-9, 0, 3, 1, 1024, 5) },
      .attr = &text8,
      .perf_only = true },
    { .in = { OP_F32(3, 1, 256, 256), OP_F32(3, 1, 260, 256), OP_F32(3, 1, 260, 256), OP_RANGE(-9, 0, 3, 1, 256, 5),
              OP_RANGE(0, 1, 2, 1, 260) },
      .attr = &image8,
      .perf_only = true },
    /* A plain vision transformer: 512 x 512 pixels in patches of 16, class and register tokens. */
    { .in = { OP_F32(3, 1, 1029, 384), OP_F32(3, 1, 1029, 384), OP_F32(3, 1, 1029, 384) },
      .attr = &plain6,
      .perf_only = true },
    { .in = { OP_F32(3, 1, 64, 384), OP_F32(3, 1, 64, 384), OP_F32(3, 1, 64, 384) },
      .attr = &plain12,
      .perf_only = true },
};

const OpTest op_test_attention = {
    .op = &op_def_attention, .reference = reference, .cases = cases, .n_cases = ARRAY_LEN(cases)
};
