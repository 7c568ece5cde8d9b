/* SPDX-License-Identifier: Apache-2.0
 *
 * Dropout. The mask is not stored: backward draws the same numbers again. Srivastava et al., JMLR 2014; scaled at
 * training time, so that inference is the identity.
 */
#include "base/rng.h"
#include "ops/ops.h"

#include <string.h>

/* 0 or 1 / (1 - p) for one draw. */
static float factor(const Step *step, const DropoutAttr *attr, int64_t index)
{
    const uint64_t run = step->run_step * 4096 + (uint64_t)step->node;
    return rng_uniform(step->seed, RNG_DROPOUT, run, (uint64_t)index) >= attr->p ? 1.0F / (1.0F - attr->p) : 0.0F;
}

/* to = from * mask, or to += from * mask. from and to may be the same. */
static void apply(const Step *step, const float *from, float *to, bool add)
{
    const DropoutAttr *attr = step->attr;
    const Shape *shape = &step->in[0].shape;
    const int64_t n = shape_count(shape), channels = shape->dim[shape->rank - 1], per_image = n / shape->dim[0];
    const bool per_channel = attr->per_channel;
#pragma omp parallel for schedule(static)
    for (int64_t i = 0; i < n; i++) {
        const int64_t index = per_channel ? i / per_image * channels + i % channels : i;
        const float value = from[i] * factor(step, attr, index);
        to[i] = add ? to[i] + value : value;
    }
}

static Err forward(const Step *step)
{
    const float *x = step->in[0].data;
    float *y = step->out[0].data;
    if (step->training)
        apply(step, x, y, false);
    else if (x != y)
        memcpy(y, x, tensor_bytes(&step->in[0]));
    return ERR_NONE;
}

static Err backward(const Step *step)
{
    if (step->d_in[0].data != NULL) apply(step, step->d_out[0].data, step->d_in[0].data, step->accumulate[0]);
    return ERR_NONE;
}

static Err infer(const void *attr, int32_t n_in, const Tensor *in, Tensor *ret_out)
{
    const DropoutAttr *dropout = attr;
    (void)n_in;
    if (in[0].dtype != DTYPE_F32 || in[0].shape.rank < 2)
        return err_set(ERR_SHAPE, "dropout: input must be f32 of rank 2 or more");
    if (!(dropout->p >= 0.0F && dropout->p < 1.0F))
        return err_set(ERR_SHAPE, "dropout: p is %g, must be in [0, 1)", (double)dropout->p);
    ret_out[0] = in[0];
    return ERR_NONE;
}

static const Kernel kernel_plain = { .name = "plain", .forward = forward, .backward = backward };
static const Kernel *const kernels[] = { &kernel_plain, NULL };

const OpDef op_def_dropout = {
    .name = "dropout",
    .min_in = 1,
    .max_in = 1,
    .n_out = 1,
    .n_results = 1,
    .flags = OP_INPLACE,
    .attr_size = sizeof(DropoutAttr),
    .infer = infer,
    .kernels = kernels,
};

Var op_dropout(Graph *g, Var x, const DropoutAttr *attr) { return graph_node(g, &op_def_dropout, attr, 1, &x); }
