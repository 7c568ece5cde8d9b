/* SPDX-License-Identifier: Apache-2.0
 * The same elements under another shape. Where the engine gives the result the memory of the input, nothing is moved. */
#include "ops/ops.h"

#include <string.h>

static Err forward(const Step *step)
{
    if (step->out[0].data != step->in[0].data) memcpy(step->out[0].data, step->in[0].data, tensor_bytes(&step->in[0]));
    return ERR_NONE;
}

static Err backward(const Step *step)
{
    const int64_t n = shape_count(&step->in[0].shape);
    const float *dy = step->d_out[0].data;
    float *dx = step->d_in[0].data;
    const bool add = step->accumulate[0];
    if (dx == NULL || dx == dy) return ERR_NONE;
#pragma omp parallel for simd schedule(static) num_threads(step->device.threads)
    for (int64_t i = 0; i < n; i++) dx[i] = add ? dx[i] + dy[i] : dy[i];
    return ERR_NONE;
}

static Err infer(const void *attr, int32_t n_in, const Tensor *in, Tensor *ret_out)
{
    const ReshapeAttr *a = attr;
    char from[64], to[64];
    (void)n_in;
    bool fits = in[0].dtype == DTYPE_F32 && a->shape.rank >= 1 && a->shape.rank <= SHAPE_MAX_RANK;
    for (int32_t i = 0; fits && i < a->shape.rank; i++) fits = a->shape.dim[i] >= 1;
    if (!fits || shape_count(&a->shape) != shape_count(&in[0].shape))
        return err_set(ERR_SHAPE, "reshape: %s %s cannot become %s; expected f32 and as many elements",
                       dtype_name(in[0].dtype), shape_text(&in[0].shape, from, sizeof from),
                       shape_text(&a->shape, to, sizeof to));
    ret_out[0] = (Tensor){ .dtype = DTYPE_F32, .shape = a->shape };
    return ERR_NONE;
}

static const Kernel kernel_plain = { .name = "plain", .forward = forward, .backward = backward };
static const Kernel *const kernels[] = { &kernel_plain, NULL };

const OpDef op_def_reshape = {
    .name = "reshape",
    .min_in = 1,
    .max_in = 1,
    .n_out = 1,
    .n_results = 1,
    .flags = OP_INPLACE,
    .attr_size = sizeof(ReshapeAttr),
    .infer = infer,
    .kernels = kernels,
};

Var op_reshape(Graph *g, Var x, Shape shape)
{
    const ReshapeAttr attr = { .shape = shape };
    return graph_node(g, &op_def_reshape, &attr, 1, &x);
}
