/* SPDX-License-Identifier: Apache-2.0
 *
 * Dropout. The mask is not stored: backward draws the same numbers again. Srivastava et al., JMLR 2014; scaled at
 * training time, so that inference is the identity.
 */
#include "base/rng.h"
#include "ops/kernel_util.h"
#include "ops/ops.h"

#include <string.h>

/* to = from * mask, or to += from * mask, for one row of channels; index of the row's first draw. */
static void apply_row(const float *from, float *to, int64_t n, uint64_t key, int64_t index, float p, bool add)
{
    const float scale = 1.0F / (1.0F - p);
    for (int64_t i = 0; i < n; i++) {
        const float value = rng_uniform_at(key, (uint64_t)(index + i)) >= p ? from[i] * scale : 0.0F;
        to[i] = add ? to[i] + value : value;
    }
}

/* from and to may be the same. */
static void apply(const Step *step, const float *from, float *to, bool add)
{
    const DropoutAttr *attr = step->attr;
    const Tensor *x = &step->in[0];
    const int64_t rows = rows_of(x), channels = channels_of(x), per_image = rows / x->shape.dim[0];
    const uint64_t key = rng_key(step->seed, RNG_DROPOUT, step->run_step * 4096 + (uint64_t)step->node);
#pragma omp parallel for schedule(static)
    for (int64_t row = 0; row < rows; row++) {
        const int64_t index = (attr->per_channel ? row / per_image : row) * channels;
        apply_row(from + row * channels, to + row * channels, channels, key, index, attr->p, add);
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
