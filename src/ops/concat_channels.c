/* SPDX-License-Identifier: Apache-2.0
 *
 * y = the channels of each input, one after the other: [..., Ca], [..., Cb], ... -> [..., Ca + Cb + ...]. Backward: each
 * gets its part.
 */
#include "ops/kernel_util.h"
#include "ops/ops.h"

#include <string.h>

static Err forward(const Step *step)
{
    const int64_t all = channels_of(&step->out[0]), rows = rows_of(&step->in[0]);
#pragma omp parallel for schedule(static) num_threads(step->device.threads)
    for (int64_t row = 0; row < rows; row++) {
        float *to = (float *)step->out[0].data + row * all;
        for (int32_t i = 0; i < step->n_in; i++) {
            const int64_t n = channels_of(&step->in[i]);
            memcpy(to, (const float *)step->in[i].data + row * n, (size_t)n * sizeof *to);
            to += n;
        }
    }
    return ERR_NONE;
}

static Err backward(const Step *step)
{
    const int64_t all = channels_of(&step->out[0]), rows = rows_of(&step->out[0]);
    const float *dy = step->d_out[0].data;
    int64_t first = 0;
    for (int32_t i = 0; i < step->n_in; i++) {
        const int64_t n = channels_of(&step->in[i]);
        float *dx = step->d_in[i].data;
        const bool add = step->accumulate[i];
#pragma omp parallel for schedule(static) num_threads(step->device.threads)
        for (int64_t row = 0; row < (dx != NULL ? rows : 0); row++)
            for (int64_t c = 0; c < n; c++) {
                const float gradient = dy[row * all + first + c];
                dx[row * n + c] = add ? dx[row * n + c] + gradient : gradient;
            }
        first += n;
    }
    return ERR_NONE;
}

static Err infer(const void *attr, int32_t n_in, const Tensor *in, Tensor *ret_out)
{
    char text[2][64];
    (void)attr;
    const Shape *a = &in[0].shape;
    ret_out[0] = in[0];
    for (int32_t k = 0; k < n_in; k++) {
        const Shape *b = &in[k].shape;
        bool fits = in[k].dtype == DTYPE_F32 && a->rank > 0 && a->rank == b->rank;
        for (int32_t i = 0; fits && i + 1 < a->rank; i++) fits = a->dim[i] == b->dim[i];
        if (!fits)
            return err_set(
                ERR_SHAPE,
                "concat_channels: input 0 is %s, input %d is %s; expected f32 alike but for the last dimension",
                shape_text(a, text[0], sizeof text[0]), (int)k, shape_text(b, text[1], sizeof text[1]));
        if (k > 0) ret_out[0].shape.dim[a->rank - 1] += b->dim[b->rank - 1];
    }
    return ERR_NONE;
}

static const Kernel kernel_plain = { .name = "plain", .forward = forward, .backward = backward };
static const Kernel *const kernels[] = { &kernel_plain, NULL };

const OpDef op_def_concat_channels = {
    .name = "concat_channels",
    .min_in = 2,
    .max_in = STEP_MAX_IN,
    .n_out = 1,
    .n_results = 1,
    .infer = infer,
    .kernels = kernels,
};

Var op_concat_channels(Graph *g, int32_t n, const Var *in)
{
    return graph_node(g, &op_def_concat_channels, NULL, n, in);
}
