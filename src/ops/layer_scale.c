/* SPDX-License-Identifier: Apache-2.0
 *
 * LayerScale (Touvron et al., "Going deeper with image transformers", 2021): y = gamma x, with a residual
 * y = residual + gamma x; gamma one factor per channel, or one for all. Backward: dx = gamma dy, dresidual = dy, dgamma = sum over
 * positions of dy x. The sum is made in chunks of positions that depend on the shape alone.
 */
#include "ops/kernel_util.h"
#include "ops/ops.h"

static int64_t chunks_of(int64_t rows) { return min_int64(ceil_divide(rows, 64), 32); }

/* Workspace: the factors of a row, then partial sums for their gradients. */
static Err prepare(Step *step)
{
    const int64_t rows = step->training ? 1 + chunks_of(rows_of(&step->in[0])) : 1;
    step->workspace_bytes = (size_t)(rows * channels_of(&step->in[0])) * sizeof(float);
    return ERR_NONE;
}

/* One factor per channel. */
static const float *factors(const Step *step)
{
    const float *gamma = step->in[1].data;
    const int64_t C = channels_of(&step->in[0]);
    float *all = step->workspace;
    if (step->in[1].shape.dim[0] == C) return gamma;
    for (int64_t c = 0; c < C; c++) all[c] = *gamma;
    return all;
}

static Err forward(const Step *step)
{
    const int64_t rows = rows_of(&step->in[0]), C = channels_of(&step->in[0]);
    const float *x = step->in[0].data, *gamma = factors(step);
    const float *residual = step->n_in == 3 ? step->in[2].data : NULL;
    float *y = step->out[0].data;
#pragma omp parallel for schedule(static) num_threads(step->device.threads)
    for (int64_t r = 0; r < rows; r++) {
        const float *from = x + r * C, *add = residual == NULL ? NULL : residual + r * C;
        float *to = y + r * C;
        if (add == NULL) {
#pragma omp simd
            for (int64_t c = 0; c < C; c++) to[c] = gamma[c] * from[c];
        } else {
#pragma omp simd
            for (int64_t c = 0; c < C; c++) to[c] = add[c] + gamma[c] * from[c];
        }
    }
    return ERR_NONE;
}

/* One position: its part of dgamma, then dresidual, then dx, which may lie where dy was. */
static void backward_row(const Step *step, const float *gamma, int64_t r, int64_t C, float *d_gamma)
{
    const float *x = (const float *)step->in[0].data + r * C, *dy = (const float *)step->d_out[0].data + r * C;
    float *dx = step->d_in[0].data, *d_residual = step->n_in == 3 ? step->d_in[2].data : NULL;
    const bool add = step->accumulate[0], add_residual = step->accumulate[2];
#pragma omp simd
    for (int64_t c = 0; c < C; c++) d_gamma[c] += dy[c] * x[c];
    if (d_residual != NULL) {
        d_residual += r * C;
#pragma omp simd
        for (int64_t c = 0; c < C; c++) d_residual[c] = add_residual ? d_residual[c] + dy[c] : dy[c];
    }
    if (dx == NULL) return;
    dx += r * C;
#pragma omp simd
    for (int64_t c = 0; c < C; c++) dx[c] = add ? dx[c] + gamma[c] * dy[c] : gamma[c] * dy[c];
}

static Err backward(const Step *step)
{
    const int64_t rows = rows_of(&step->in[0]), C = channels_of(&step->in[0]), chunks = chunks_of(rows);
    const float *gamma = factors(step);
    float *partials = (float *)step->workspace + C, *d_gamma = step->d_in[1].data;
#pragma omp parallel for schedule(static) num_threads(step->device.threads)
    for (int64_t chunk = 0; chunk < chunks; chunk++) {
        float *sum = partials + chunk * C;
        for (int64_t c = 0; c < C; c++) sum[c] = 0.0F;
        for (int64_t r = chunk_begin(chunk, chunks, rows); r < chunk_begin(chunk + 1, chunks, rows); r++)
            backward_row(step, gamma, r, C, sum);
    }
    if (d_gamma == NULL) return ERR_NONE;
    const int64_t n = step->in[1].shape.dim[0];
    for (int64_t c = 0; c < n; c++) {
        double sum = step->accumulate[1] ? (double)d_gamma[c] : 0.0;
        for (int64_t i = c; i < chunks * C; i += n) sum += (double)partials[i]; /* n is C or 1 */
        d_gamma[c] = (float)sum;
    }
    return ERR_NONE;
}

static Err infer(const void *attr, int32_t n_in, const Tensor *in, Tensor *ret_out)
{
    char text[3][96];
    (void)attr;
    bool fits = in[0].shape.rank >= 1 && in[1].shape.rank == 1 &&
                (in[1].shape.dim[0] == channels_of(&in[0]) || in[1].shape.dim[0] == 1) &&
                (n_in == 2 || shape_equal(&in[0].shape, &in[2].shape));
    for (int32_t i = 0; i < n_in; i++) fits = fits && in[i].dtype == DTYPE_F32;
    if (!fits)
        return err_set(
            ERR_SHAPE, "layer_scale: x %s, gamma %s, residual %s; expected f32 [..., C], [C] or [1], [..., C]",
            shape_text(&in[0].shape, text[0], sizeof text[0]), shape_text(&in[1].shape, text[1], sizeof text[1]),
            n_in == 3 ? shape_text(&in[2].shape, text[2], sizeof text[2]) : "none");
    ret_out[0] = in[0];
    return ERR_NONE;
}

static const Kernel kernel_plain = { .name = "plain", .prepare = prepare, .forward = forward, .backward = backward };
static const Kernel *const kernels[] = { &kernel_plain, NULL };

const OpDef op_def_layer_scale = {
    .name = "layer_scale",
    .min_in = 2,
    .max_in = 3,
    .n_out = 1,
    .n_results = 1,
    .bwd_reads = READS_IN(0) | READS_IN(1),
    .flags = OP_INPLACE,
    .infer = infer,
    .kernels = kernels,
};

Var op_layer_scale(Graph *g, Var x, Var gamma, Var residual)
{
    return graph_node(g, &op_def_layer_scale, NULL, var_exists(residual) ? 3 : 2, (const Var[]){ x, gamma, residual });
}
