/* SPDX-License-Identifier: Apache-2.0
 *
 * y[b, p, c] = x[b, p, c] * s[b, c] over positions p. Backward: dx = dy * s, ds[b, c] = sum_p dy * x.
 * The sum is made in blocks of positions whose number does not depend on the threads, so that results do not either.
 */
#include "ops/ops.h"

enum { BLOCK = 256 }; /* positions per partial sum */

typedef struct Sizes {
    int64_t batch, positions, channels, blocks;
} Sizes;

static Sizes sizes_of(const Step *step)
{
    const Shape *shape = &step->in[0].shape;
    Sizes sizes = { .batch = shape->dim[0], .channels = shape->dim[shape->rank - 1] };
    sizes.positions = shape_count(shape) / (sizes.batch * sizes.channels);
    sizes.blocks = (sizes.positions + BLOCK - 1) / BLOCK;
    return sizes;
}

static Err prepare(Step *step)
{
    const Sizes sizes = sizes_of(step);
    if (step->training) step->workspace_bytes = (size_t)(sizes.batch * sizes.blocks * sizes.channels) * sizeof(float);
    return ERR_NONE;
}

static Err forward(const Step *step)
{
    const Sizes z = sizes_of(step);
    const float *x = step->in[0].data, *s = step->in[1].data;
    float *y = step->out[0].data;
#pragma omp parallel for schedule(static)
    for (int64_t row = 0; row < z.batch * z.positions; row++) {
        const float *scale = s + row / z.positions * z.channels;
#pragma omp simd
        for (int64_t c = 0; c < z.channels; c++) y[row * z.channels + c] = x[row * z.channels + c] * scale[c];
    }
    return ERR_NONE;
}

/* One block of positions: dx where wanted, and the block's part of ds (always made; it is cheap). */
static void backward_block(const Step *step, Sizes z, int64_t block, float *partial)
{
    const float *x = step->in[0].data, *dy = step->d_out[0].data;
    const int64_t b = block / z.blocks, first = block % z.blocks * BLOCK;
    const int64_t last = first + BLOCK < z.positions ? first + BLOCK : z.positions;
    const float *scale = (const float *)step->in[1].data + b * z.channels;
    float *dx = step->d_in[0].data;
    const bool add = step->accumulate[0];
    for (int64_t c = 0; c < z.channels; c++) partial[c] = 0;
    for (int64_t p = first; p < last; p++) {
        const int64_t row = (b * z.positions + p) * z.channels;
#pragma omp simd
        for (int64_t c = 0; c < z.channels; c++) partial[c] += dy[row + c] * x[row + c];
        if (dx == NULL) continue;
#pragma omp simd
        for (int64_t c = 0; c < z.channels; c++) {
            const float gradient = dy[row + c] * scale[c];
            dx[row + c] = add ? dx[row + c] + gradient : gradient;
        }
    }
}

static Err backward(const Step *step)
{
    const Sizes z = sizes_of(step);
    float *partial = step->workspace, *ds = step->d_in[1].data;
#pragma omp parallel for schedule(static)
    for (int64_t block = 0; block < z.batch * z.blocks; block++)
        backward_block(step, z, block, partial + block * z.channels);
    if (ds == NULL) return ERR_NONE;
    for (int64_t b = 0; b < z.batch; b++) {
        for (int64_t c = 0; c < z.channels; c++) {
            double sum = 0;
            for (int64_t k = 0; k < z.blocks; k++) sum += (double)partial[(b * z.blocks + k) * z.channels + c];
            float *target = &ds[b * z.channels + c];
            *target = (step->accumulate[1] ? *target : 0.0F) + (float)sum;
        }
    }
    return ERR_NONE;
}

static Err infer(const void *attr, int32_t n_in, const Tensor *in, Tensor *ret_out)
{
    char a[96], b[96];
    const Shape *x = &in[0].shape, *s = &in[1].shape;
    (void)attr, (void)n_in;
    if (in[0].dtype != DTYPE_F32 || in[1].dtype != DTYPE_F32)
        return err_set(ERR_SHAPE, "channel_scale: inputs must be f32");
    if (x->rank < 2 || s->rank < 2 || s->dim[0] != x->dim[0] || s->dim[s->rank - 1] != x->dim[x->rank - 1] ||
        shape_count(s) != s->dim[0] * s->dim[s->rank - 1])
        return err_set(ERR_SHAPE, "channel_scale: scale %s does not fit x %s; [B, C] or [B, 1, 1, C] is needed",
                       shape_text(s, b, sizeof b), shape_text(x, a, sizeof a));
    ret_out[0] = in[0];
    return ERR_NONE;
}

static const Kernel kernel_plain = { .name = "plain", .prepare = prepare, .forward = forward, .backward = backward };
static const Kernel *const kernels[] = { &kernel_plain, NULL };

const OpDef op_def_channel_scale = {
    .name = "channel_scale",
    .min_in = 2,
    .max_in = 2,
    .n_out = 1,
    .n_results = 1,
    .bwd_reads = READS_IN(0) | READS_IN(1),
    .flags = OP_INPLACE,
    .infer = infer,
    .kernels = kernels,
};

Var op_channel_scale(Graph *g, Var x, Var s)
{
    return graph_node(g, &op_def_channel_scale, NULL, 2, (const Var[]){ x, s });
}
