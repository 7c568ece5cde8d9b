/* SPDX-License-Identifier: Apache-2.0
 *
 * Fused skip connection of UNetFormer (Wang et al. 2022): y = (r0 a + r1 b) / s with r = relu(weights),
 * s = r0 + r1 + eps. Backward: da = dy r0 / s, db = dy r1 / s, and with A = sum dy a, B = sum dy b, for weights[i] > 0
 * dw0 = (r1 (A - B) + eps A) / s^2, dw1 = (r0 (B - A) + eps B) / s^2 (no difference of nearly equal terms where one
 * weight is 0). The sums are made over blocks whose number does not depend on the threads, and added in double.
 */
#include "ops/ops.h"

#include <math.h>

enum { BLOCK = 4096, PART = 128 };

typedef struct Factors {
    float a, b;
} Factors;

static Factors factors_of(const Step *step)
{
    const WeightedSumAttr *attr = step->attr;
    const float *weights = step->in[2].data;
    const float r0 = weights[0] > 0.0F ? weights[0] : 0.0F, r1 = weights[1] > 0.0F ? weights[1] : 0.0F;
    const float sum = r0 + r1 + attr->eps;
    return (Factors){ r0 / sum, r1 / sum };
}

static int64_t blocks_of(const Step *step) { return (shape_count(&step->in[0].shape) + BLOCK - 1) / BLOCK; }

static Err prepare(Step *step)
{
    if (step->training) step->workspace_bytes = (size_t)(2 * blocks_of(step)) * sizeof(double);
    return ERR_NONE;
}

static Err forward(const Step *step)
{
    const int64_t n = shape_count(&step->in[0].shape);
    const float *a = step->in[0].data, *b = step->in[1].data;
    float *y = step->out[0].data;
    const Factors f = factors_of(step);
#pragma omp parallel for simd schedule(static)
    for (int64_t i = 0; i < n; i++) y[i] = f.a * a[i] + f.b * b[i];
    return ERR_NONE;
}

/* One block: da and db where wanted, sums of dy a and dy b. da may be dy. */
static void backward_block(const Step *step, Factors f, int64_t first, int64_t last, double *ret_sums)
{
    const float *a = step->in[0].data, *b = step->in[1].data, *dy = step->d_out[0].data;
    float *da = step->d_in[0].data, *db = step->d_in[1].data;
    const bool add_a = step->accumulate[0], add_b = step->accumulate[1];
    ret_sums[0] = ret_sums[1] = 0.0;
    /* the two sums nearly cancel in the gradient of the weights: only short parts of them in f32 */
    for (int64_t part = first; part < last; part += PART) {
        const int64_t end = part + PART < last ? part + PART : last;
        float sum_a = 0, sum_b = 0;
#pragma omp simd reduction(+ : sum_a, sum_b)
        for (int64_t i = part; i < end; i++) {
            sum_a += dy[i] * a[i];
            sum_b += dy[i] * b[i];
        }
        ret_sums[0] += (double)sum_a;
        ret_sums[1] += (double)sum_b;
    }
    if (db != NULL) {
#pragma omp simd
        for (int64_t i = first; i < last; i++) db[i] = add_b ? db[i] + f.b * dy[i] : f.b * dy[i];
    }
    if (da != NULL) {
#pragma omp simd
        for (int64_t i = first; i < last; i++) da[i] = add_a ? da[i] + f.a * dy[i] : f.a * dy[i];
    }
}

static Err backward(const Step *step)
{
    const int64_t n = shape_count(&step->in[0].shape), blocks = blocks_of(step);
    const Factors f = factors_of(step);
    const float *weights = step->in[2].data;
    double *sums = step->workspace, sum_a = 0, sum_b = 0;
    float *d_weights = step->d_in[2].data;
#pragma omp parallel for schedule(static)
    for (int64_t k = 0; k < blocks; k++)
        backward_block(step, f, k * BLOCK, (k + 1) * BLOCK < n ? (k + 1) * BLOCK : n, sums + 2 * k);
    if (d_weights == NULL) return ERR_NONE;
    for (int64_t k = 0; k < blocks; k++) {
        sum_a += sums[2 * k];
        sum_b += sums[2 * k + 1];
    }
    const WeightedSumAttr *attr = step->attr;
    const double r0 = fmax((double)weights[0], 0), r1 = fmax((double)weights[1], 0), eps = (double)attr->eps;
    const double square = (r0 + r1 + eps) * (r0 + r1 + eps);
    const double gradient[2] = { (r1 * (sum_a - sum_b) + eps * sum_a) / square,
                                 (r0 * (sum_b - sum_a) + eps * sum_b) / square };
    for (int32_t i = 0; i < 2; i++) {
        const float value = weights[i] > 0.0F ? (float)gradient[i] : 0.0F;
        d_weights[i] = step->accumulate[2] ? d_weights[i] + value : value;
    }
    return ERR_NONE;
}

static Err infer(const void *attr, int32_t n_in, const Tensor *in, Tensor *ret_out)
{
    char a[96], b[96], w[96];
    (void)attr, (void)n_in;
    for (int32_t i = 0; i < 3; i++)
        if (in[i].dtype != DTYPE_F32) return err_set(ERR_SHAPE, "weighted_sum: inputs must be f32");
    if (!shape_equal(&in[0].shape, &in[1].shape) || shape_count(&in[2].shape) != 2)
        return err_set(ERR_SHAPE, "weighted_sum: needs two equal shapes and 2 weights, not %s, %s and %s",
                       shape_text(&in[0].shape, a, sizeof a), shape_text(&in[1].shape, b, sizeof b),
                       shape_text(&in[2].shape, w, sizeof w));
    ret_out[0] = in[0];
    return ERR_NONE;
}

static const Kernel kernel_plain = { .name = "plain", .prepare = prepare, .forward = forward, .backward = backward };
static const Kernel *const kernels[] = { &kernel_plain, NULL };

const OpDef op_def_weighted_sum = {
    .name = "weighted_sum",
    .min_in = 3,
    .max_in = 3,
    .n_out = 1,
    .n_results = 1,
    .bwd_reads = READS_IN(0) | READS_IN(1) | READS_IN(2),
    .flags = OP_INPLACE,
    .attr_size = sizeof(WeightedSumAttr),
    .infer = infer,
    .kernels = kernels,
};

Var op_weighted_sum(Graph *g, Var a, Var b, Var weights, float eps)
{
    const WeightedSumAttr attr = { eps };
    return graph_node(g, &op_def_weighted_sum, &attr, 3, (const Var[]){ a, b, weights });
}
