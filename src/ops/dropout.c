/* SPDX-License-Identifier: Apache-2.0
 *
 * Dropout. The mask is not stored: backward draws the same numbers again. Srivastava et al., JMLR 2014; scaled at
 * training time, so that inference is the identity.
 */
#include "base/rng.h"
#include "ops/kernel_util.h"
#include "ops/ops.h"

#include <string.h>

enum { PIECE = 256 }; /* elements drawn at once */

/* Factors of one row of draws: 0 or 1 / (1 - p). */
static void draw_row(float *factors, int64_t n, uint64_t key, int64_t index, float p)
{
    const float scale = 1.0F / (1.0F - p);
    for (int64_t i = 0; i < n; i++) factors[i] = rng_uniform_at(key, (uint64_t)(index + i)) >= p ? scale : 0.0F;
}

/* to = from * mask, or to += from * mask, from a mask of B rows. from and to may be the same. */
static void apply_mask(const float *from, const float *mask, float *to, const Tensor *x, bool add)
{
    const int64_t rows = rows_of(x), n = channels_of(x), per_image = rows / x->shape.dim[0];
    ASSERT(per_image > 0);
#pragma omp parallel for schedule(static)
    for (int64_t row = 0; row < rows; row++) {
        const float *factors = mask + row / per_image * n, *source = from + row * n;
        float *target = to + row * n;
#pragma omp simd
        for (int64_t i = 0; i < n; i++) {
            const float value = factors[i] * source[i];
            target[i] = add ? target[i] + value : value;
        }
    }
}

/* The same with one draw per element. */
static void apply_elements(const float *from, float *to, const Tensor *x, uint64_t key, float p, bool add)
{
    const int64_t count = shape_count(&x->shape);
#pragma omp parallel for schedule(static)
    for (int64_t begin = 0; begin < count; begin += PIECE) {
        float factors[PIECE];
        const int64_t n = min_int64(PIECE, count - begin);
        draw_row(factors, n, key, begin, p);
#pragma omp simd
        for (int64_t i = 0; i < n; i++) {
            const float value = factors[i] * from[begin + i];
            to[begin + i] = add ? to[begin + i] + value : value;
        }
    }
}

/* The same with one factor per sample. */
static void apply_samples(const float *from, const float *factors, float *to, const Tensor *x, bool add)
{
    const int64_t count = shape_count(&x->shape), per_image = count / x->shape.dim[0];
#pragma omp parallel for schedule(static)
    for (int64_t begin = 0; begin < count; begin += PIECE) {
        const int64_t end = min_int64(begin + PIECE, count);
        for (int64_t i = begin; i < end;) { /* a piece may end one sample and begin the next */
            const float factor = factors[i / per_image];
            const int64_t stop = min_int64((i / per_image + 1) * per_image, end);
#pragma omp simd
            for (int64_t j = i; j < stop; j++) to[j] = add ? to[j] + factor * from[j] : factor * from[j];
            i = stop;
        }
    }
}

static void apply(const Step *step, const float *from, float *to, bool add)
{
    const DropoutAttr *attr = step->attr;
    const Tensor *x = &step->in[0];
    const uint64_t key = rng_key(step->seed, RNG_DROPOUT, step->run_step * 4096 + (uint64_t)step->node);
    if (attr->per_sample) {
        float *mask = step->workspace;
        draw_row(mask, x->shape.dim[0], key, 0, attr->p);
        apply_samples(from, mask, to, x, add);
    } else if (attr->per_channel) {
        float *mask = step->workspace;
        draw_row(mask, x->shape.dim[0] * channels_of(x), key, 0, attr->p);
        apply_mask(from, mask, to, x, add);
    } else {
        apply_elements(from, to, x, key, attr->p, add);
    }
}

static Err prepare(Step *step)
{
    const DropoutAttr *attr = step->attr;
    if (step->training && (attr->per_channel || attr->per_sample))
        step->workspace_bytes = (size_t)(step->in[0].shape.dim[0] * channels_of(&step->in[0])) * sizeof(float);
    return ERR_NONE;
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

static const Kernel kernel_plain = { .name = "plain", .prepare = prepare, .forward = forward, .backward = backward };
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
