/* SPDX-License-Identifier: Apache-2.0
 *
 * LayerNorm over the last dimension C: y = (x - mean) rstd weight + bias, rstd = 1 / sqrt(var + eps), biased variance.
 * x [..., C], weight [C], bias [C]; y like x; saved [2, rows]: mean, then rstd.
 *
 * Backward, with n = (x - mean) rstd and g = dy weight:
 *   dx = rstd (g - mean(g) - n mean(g n)),  dweight = sum over rows of dy n,  dbias = sum over rows of dy.
 */
#include "ops/layernorm_kernels.h"

#include "ops/ops.h"

#include <math.h>

static void forward_row(const float *x, const float *weight, const float *bias, int64_t C, double eps, float *y,
                        float *ret_mean, float *ret_rstd)
{
    double sum = 0.0, squares = 0.0;
    for (int64_t c = 0; c < C; c++) sum += (double)x[c];
    const double mean = sum / (double)C;
    for (int64_t c = 0; c < C; c++) squares += ((double)x[c] - mean) * ((double)x[c] - mean);
    *ret_mean = (float)mean;
    *ret_rstd = (float)(1.0 / sqrt(squares / (double)C + eps));
    for (int64_t c = 0; c < C; c++) y[c] = (x[c] - *ret_mean) * *ret_rstd * weight[c] + bias[c];
}

static Err forward(const Step *step)
{
    const LayernormAttr *attr = step->attr;
    const int64_t rows = rows_of(&step->in[0]), C = channels_of(&step->in[0]);
    const float *x = step->in[0].data, *weight = step->in[1].data, *bias = step->in[2].data;
    float *y = step->out[0].data, *saved = step->out[1].data;
#pragma omp parallel for schedule(static) num_threads(step->device.threads)
    for (int64_t r = 0; r < rows; r++) {
        float mean, rstd;
        forward_row(x + r * C, weight, bias, C, (double)attr->eps, y + r * C, &mean, &rstd);
        if (saved != NULL) {
            saved[r] = mean;
            saved[rows + r] = rstd;
        }
    }
    return ERR_NONE;
}

/* dx may be the memory of dy. */
static void backward_row(const float *x, const float *weight, const float *dy, int64_t C, float mean, float rstd,
                         float *dx, bool add)
{
    double sum = 0.0, sum_n = 0.0;
    for (int64_t c = 0; c < C; c++) {
        const double g = (double)dy[c] * (double)weight[c];
        sum += g;
        sum_n += g * (double)((x[c] - mean) * rstd);
    }
    const float mean_g = (float)(sum / (double)C), mean_gn = (float)(sum_n / (double)C);
    for (int64_t c = 0; c < C; c++) {
        const float gradient = rstd * (dy[c] * weight[c] - mean_g - (x[c] - mean) * rstd * mean_gn);
        dx[c] = add ? dx[c] + gradient : gradient;
    }
}

static Err backward(const Step *step)
{
    const int64_t rows = rows_of(&step->in[0]), C = channels_of(&step->in[0]), chunks = layernorm_chunks(rows);
    const float *x = step->in[0].data, *weight = step->in[1].data, *saved = step->out[1].data;
    const float *dy = step->d_out[0].data;
    float *dx = step->d_in[0].data, *partials = step->workspace;
#pragma omp parallel for schedule(static) num_threads(step->device.threads)
    for (int64_t chunk = 0; chunk < chunks; chunk++) {
        float *d_weight = partials + chunk * 2 * C, *d_bias = d_weight + C;
        for (int64_t c = 0; c < 2 * C; c++) d_weight[c] = 0.0F;
        for (int64_t r = chunk_begin(chunk, chunks, rows); r < chunk_begin(chunk + 1, chunks, rows); r++) {
            const float mean = saved[r], rstd = saved[rows + r];
            for (int64_t c = 0; c < C; c++) {
                d_weight[c] += dy[r * C + c] * ((x[r * C + c] - mean) * rstd);
                d_bias[c] += dy[r * C + c];
            }
            if (dx != NULL) backward_row(x + r * C, weight, dy + r * C, C, mean, rstd, dx + r * C, step->accumulate[0]);
        }
    }
    layernorm_reduce(step);
    return ERR_NONE;
}

Err layernorm_prepare(Step *step)
{
    const int64_t chunks = layernorm_chunks(rows_of(&step->in[0]));
    step->workspace_bytes = (size_t)(chunks * 2 * channels_of(&step->in[0])) * sizeof(float);
    return ERR_NONE;
}

void layernorm_reduce(const Step *step)
{
    const int64_t C = channels_of(&step->in[0]), chunks = layernorm_chunks(rows_of(&step->in[0]));
    const float *partials = step->workspace;
    for (int32_t i = 0; i < 2; i++) {
        float *gradient = step->d_in[1 + i].data;
        if (gradient == NULL) continue;
        for (int64_t c = 0; c < C; c++) {
            double sum = step->accumulate[1 + i] ? (double)gradient[c] : 0.0;
            for (int64_t chunk = 0; chunk < chunks; chunk++) sum += (double)partials[(chunk * 2 + i) * C + c];
            gradient[c] = (float)sum;
        }
    }
}

static Err infer(const void *attr, int32_t n_in, const Tensor *in, Tensor *ret_out)
{
    (void)attr;
    char text[3][64];
    const int64_t C = channels_of(&in[0]);
    bool fits = n_in == 3 && in[0].shape.rank >= 1;
    for (int32_t i = 0; i < 3; i++) fits = fits && in[i].dtype == DTYPE_F32;
    for (int32_t i = 1; i < 3; i++) fits = fits && in[i].shape.rank == 1 && in[i].shape.dim[0] == C;
    if (!fits)
        return err_set(ERR_SHAPE, "layernorm: x %s, weight %s, bias %s; expected f32 [..., C], [C], [C]",
                       shape_text(&in[0].shape, text[0], sizeof text[0]),
                       shape_text(&in[1].shape, text[1], sizeof text[1]),
                       shape_text(&in[2].shape, text[2], sizeof text[2]));
    ret_out[0] = in[0];
    ret_out[1] = (Tensor){ .dtype = DTYPE_F32, .shape = { 2, { 2, rows_of(&in[0]) } } };
    return ERR_NONE;
}

static const Kernel kernel_plain = {
    .name = "plain", .prepare = layernorm_prepare, .forward = forward, .backward = backward
};
static const Kernel *const kernels[] = { KERNEL_AVX512(layernorm_avx512) KERNEL_AVX2(layernorm_avx2) & kernel_plain,
                                         NULL };

const OpDef op_def_layernorm = {
    .name = "layernorm",
    .min_in = 3,
    .max_in = 3,
    .n_out = 2,
    .n_results = 1,
    .bwd_reads = READS_IN(0) | READS_IN(1) | READS_OUT(1),
    .flags = OP_INPLACE,
    .attr_size = sizeof(LayernormAttr),
    .infer = infer,
    .kernels = kernels,
};

Var op_layernorm(Graph *g, Var x, Var weight, Var bias, float eps)
{
    const LayernormAttr attr = { .eps = eps };
    return graph_node(g, &op_def_layernorm, &attr, 3, (Var[]){ x, weight, bias });
}
