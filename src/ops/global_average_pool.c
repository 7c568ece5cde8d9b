/* SPDX-License-Identifier: Apache-2.0
 *
 * Mean over positions: [B, H, W, C] -> [B, 1, 1, C]. Partial sums over blocks of positions whose number does not
 * depend on the threads; the blocks are added in double.
 */
#include "ops/ops.h"

enum { BLOCK = 256 }; /* positions per partial sum */

static int64_t positions_of(const Step *step) { return step->in[0].shape.dim[1] * step->in[0].shape.dim[2]; }

static int64_t blocks_of(const Step *step) { return (positions_of(step) + BLOCK - 1) / BLOCK; }

static Err prepare(Step *step)
{
    const Shape *shape = &step->in[0].shape;
    step->workspace_bytes = (size_t)(shape->dim[0] * blocks_of(step) * shape->dim[3]) * sizeof(float);
    return ERR_NONE;
}

static Err forward(const Step *step)
{
    const Shape *shape = &step->in[0].shape;
    const int64_t batch = shape->dim[0], channels = shape->dim[3];
    const int64_t positions = positions_of(step), blocks = blocks_of(step);
    const float *x = step->in[0].data;
    float *partial = step->workspace, *y = step->out[0].data;
#pragma omp parallel for schedule(static)
    for (int64_t k = 0; k < batch * blocks; k++) {
        const int64_t first = k % blocks * BLOCK;
        const int64_t last = first + BLOCK < positions ? first + BLOCK : positions;
        float *sum = partial + k * channels;
        for (int64_t c = 0; c < channels; c++) sum[c] = 0;
        for (int64_t p = first; p < last; p++) {
            const float *row = x + (k / blocks * positions + p) * channels;
#pragma omp simd
            for (int64_t c = 0; c < channels; c++) sum[c] += row[c];
        }
    }
    for (int64_t i = 0; i < batch * channels; i++) {
        double sum = 0;
        for (int64_t k = 0; k < blocks; k++)
            sum += (double)partial[(i / channels * blocks + k) * channels + i % channels];
        y[i] = (float)(sum / (double)positions);
    }
    return ERR_NONE;
}

static Err backward(const Step *step)
{
    const Shape *shape = &step->in[0].shape;
    const int64_t channels = shape->dim[3], positions = positions_of(step);
    const float *dy = step->d_out[0].data;
    const float scale = 1.0F / (float)positions;
    const bool add = step->accumulate[0];
    float *dx = step->d_in[0].data;
    if (dx == NULL) return ERR_NONE;
#pragma omp parallel for schedule(static)
    for (int64_t row = 0; row < shape->dim[0] * positions; row++) {
        const float *gradient = dy + row / positions * channels;
        float *to = dx + row * channels;
#pragma omp simd
        for (int64_t c = 0; c < channels; c++) to[c] = add ? to[c] + gradient[c] * scale : gradient[c] * scale;
    }
    return ERR_NONE;
}

static Err infer(const void *attr, int32_t n_in, const Tensor *in, Tensor *ret_out)
{
    char text[96];
    (void)attr, (void)n_in;
    if (in[0].dtype != DTYPE_F32 || in[0].shape.rank != 4)
        return err_set(ERR_SHAPE, "global_average_pool: needs [B, H, W, C] f32, not %s %s",
                       shape_text(&in[0].shape, text, sizeof text), dtype_name(in[0].dtype));
    ret_out[0] = (Tensor){ DTYPE_F32, shape4(in[0].shape.dim[0], 1, 1, in[0].shape.dim[3]), NULL };
    return ERR_NONE;
}

static const Kernel kernel_plain = { .name = "plain", .prepare = prepare, .forward = forward, .backward = backward };
static const Kernel *const kernels[] = { &kernel_plain, NULL };

const OpDef op_def_global_average_pool = {
    .name = "global_average_pool",
    .min_in = 1,
    .max_in = 1,
    .n_out = 1,
    .n_results = 1,
    .infer = infer,
    .kernels = kernels,
};

Var op_global_average_pool(Graph *g, Var x) { return graph_node(g, &op_def_global_average_pool, NULL, 1, &x); }
