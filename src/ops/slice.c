/* SPDX-License-Identifier: Apache-2.0
 *
 * y = positions first .. first + count - 1 of x along one axis (PyTorch: narrow). Seen as x [outer, n, inner] and
 * y [outer, count, inner], so that every axis is the same code. Backward: zeros outside.
 */
#include "ops/kernel_util.h"
#include "ops/ops.h"

#include <string.h>

typedef struct SliceSizes {
    int64_t outer, from, to; /* floats of one outer index in x and in y */
    int64_t skip;            /* floats of x before the slice */
} SliceSizes;

static SliceSizes sizes_of(const Step *step)
{
    const SliceAttr *attr = step->attr;
    const Shape *x = &step->in[0].shape;
    SliceSizes n = { .outer = 1 };
    int64_t inner = 1;
    for (int32_t i = 0; i < attr->axis; i++) n.outer *= x->dim[i];
    for (int32_t i = attr->axis + 1; i < x->rank; i++) inner *= x->dim[i];
    n.from = x->dim[attr->axis] * inner;
    n.to = attr->count * inner;
    n.skip = attr->first * inner;
    return n;
}

static Err forward(const Step *step)
{
    const SliceSizes n = sizes_of(step);
    const float *x = step->in[0].data;
    float *y = step->out[0].data;
#pragma omp parallel for schedule(static) num_threads(step->device.threads)
    for (int64_t i = 0; i < n.outer; i++) memcpy(y + i * n.to, x + i * n.from + n.skip, (size_t)n.to * sizeof *y);
    return ERR_NONE;
}

static Err backward(const Step *step)
{
    const SliceSizes n = sizes_of(step);
    const float *dy = step->d_out[0].data;
    float *dx = step->d_in[0].data;
    const bool add = step->accumulate[0];
    if (dx == NULL) return ERR_NONE;
#pragma omp parallel for schedule(static) num_threads(step->device.threads)
    for (int64_t i = 0; i < n.outer; i++) {
        float *all = dx + i * n.from, *part = all + n.skip;
        if (!add) {
            memset(all, 0, (size_t)n.skip * sizeof *all);
            memcpy(part, dy + i * n.to, (size_t)n.to * sizeof *part);
            memset(part + n.to, 0, (size_t)(n.from - n.skip - n.to) * sizeof *part);
            continue;
        }
#pragma omp simd
        for (int64_t k = 0; k < n.to; k++) part[k] += dy[i * n.to + k];
    }
    return ERR_NONE;
}

static Err infer(const void *attr, int32_t n_in, const Tensor *in, Tensor *ret_out)
{
    const SliceAttr *a = attr;
    const Shape *x = &in[0].shape;
    char text[64];
    (void)n_in;
    if (in[0].dtype != DTYPE_F32 || a->axis < 0 || a->axis >= x->rank || a->first < 0 || a->count < 1 ||
        a->first > x->dim[a->axis] - a->count)
        return err_set(ERR_SHAPE, "slice: %lld from %lld on along axis %d do not lie in %s %s", (long long)a->count,
                       (long long)a->first, (int)a->axis, dtype_name(in[0].dtype), shape_text(x, text, sizeof text));
    ret_out[0] = in[0];
    ret_out[0].shape.dim[a->axis] = a->count;
    return ERR_NONE;
}

static const Kernel kernel_plain = { .name = "plain", .forward = forward, .backward = backward };
static const Kernel *const kernels[] = { &kernel_plain, NULL };

const OpDef op_def_slice = {
    .name = "slice",
    .min_in = 1,
    .max_in = 1,
    .n_out = 1,
    .n_results = 1,
    .attr_size = sizeof(SliceAttr),
    .infer = infer,
    .kernels = kernels,
};

Var op_slice(Graph *g, Var x, int32_t axis, int64_t first, int64_t count)
{
    const SliceAttr attr = { .axis = axis, .first = first, .count = count };
    return graph_node(g, &op_def_slice, &attr, 1, &x);
}
