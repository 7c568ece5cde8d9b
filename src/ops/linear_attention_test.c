/* SPDX-License-Identifier: Apache-2.0 */
#include "harness/op_check.h"

/* The softmax of attention replaced by 1 + q . k, written as sums over pairs. */
static double over_positions(const double *q, const double *k, const double *v, int64_t N, int64_t D, int64_t C,
                             int64_t n, int64_t c, double eps)
{
    double sum = 0, total = (double)N;
    for (int64_t m = 0; m < N; m++) {
        double dot = 0;
        for (int64_t d = 0; d < D; d++) dot += q[n * D + d] * k[m * D + d];
        sum += (1 + dot) * v[m * C + c];
        total += dot;
    }
    for (int64_t d = 0; d < D; d++) total += q[n * D + d] * eps;
    return sum / total;
}

static double over_channels(const double *q, const double *k, const double *v, int64_t N, int64_t C, int64_t n,
                            int64_t c, double eps)
{
    double sum = 0, total = (double)N;
    for (int64_t e = 0; e < C; e++) {
        double dot_v = 0, dot_k = 0;
        for (int64_t m = 0; m < N; m++) {
            dot_v += v[m * C + c] * k[m * C + e];
            dot_k += q[m * C + e] * k[m * C + c];
        }
        sum += v[n * C + e] + dot_v * q[n * C + e];
        total += dot_k;
    }
    for (int64_t m = 0; m < N; m++) total += k[m * C + c] * eps;
    return sum / total;
}

static void reference(const OpCase *op_case, const double *const *in, const Tensor *in_shapes, double *const *out,
                      const Tensor *out_shapes)
{
    const LinearAttentionAttr *attr = op_case->attr;
    const Shape *shape = &in_shapes[0].shape;
    const int64_t D = shape->dim[shape->rank - 1], C = in_shapes[2].shape.dim[shape->rank - 1];
    const int64_t N = shape_count(shape) / shape->dim[0] / D;
    for (int64_t i = 0; i < shape_count(&out_shapes[0].shape); i++) {
        const int64_t b = i / (N * C), n = i / C % N, c = i % C;
        const double *q = in[0] + b * N * D, *k = in[1] + b * N * D, *v = in[2] + b * N * C;
        out[0][i] = attr->over_channels ? over_channels(q, k, v, N, C, n, c, (double)attr->eps)
                                        : over_positions(q, k, v, N, D, C, n, c, (double)attr->eps);
    }
}

static const LinearAttentionAttr positions = { .eps = 1e-6F }, channels = { .over_channels = true, .eps = 1e-6F };
static const LinearAttentionAttr coarse = { .eps = 0.5F }, coarse_channels = { .over_channels = true, .eps = 0.5F };

/* Unit lengths are not asked of the op; numbers are small, so that no denominator comes near 0. */
#define SMALL(...) OP_RANGE(-0.2, 0.3, __VA_ARGS__)

static const OpCase cases[] = {
    /* One position: y is nearly v whatever q and k. */
    { .in = { SMALL(3, 1, 1, 1), SMALL(3, 1, 1, 1), OP_F32(3, 1, 1, 1) }, .attr = &positions, .inference_only = true },
    { .in = { SMALL(3, 2, 5, 3), SMALL(3, 2, 5, 3), OP_F32(3, 2, 5, 7) }, .attr = &positions },
    { .in = { SMALL(3, 2, 5, 3), SMALL(3, 2, 5, 3), OP_F32(3, 2, 5, 7) }, .attr = &coarse },
    { .in = { SMALL(4, 2, 3, 5, 7), SMALL(4, 2, 3, 5, 7), OP_F32(4, 2, 3, 5, 7) }, .attr = &channels },
    { .in = { SMALL(4, 1, 3, 2, 5), SMALL(4, 1, 3, 2, 5), OP_F32(4, 1, 3, 2, 5) }, .attr = &coarse_channels },
    { .in = { SMALL(4, 1, 9, 7, 12), SMALL(4, 1, 9, 7, 12), OP_F32(4, 1, 9, 7, 40) }, .attr = &positions },
    { .in = { SMALL(4, 1, 9, 7, 20), SMALL(4, 1, 9, 7, 20), OP_F32(4, 1, 9, 7, 20) }, .attr = &channels },
    { .in = { SMALL(4, 1, 64, 64, 192), SMALL(4, 1, 64, 64, 192), OP_F32(4, 1, 64, 64, 192) },
      .attr = &channels,
      .perf_only = true },
};

const OpTest op_test_linear_attention = {
    .op = &op_def_linear_attention, .reference = reference, .cases = cases, .n_cases = ARRAY_LEN(cases)
};
