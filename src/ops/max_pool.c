/* SPDX-License-Identifier: Apache-2.0
 * The largest value of a window; what lies outside the map never is (PyTorch's MaxPool2d). Ties go to the first in reading order,
 * whose gradient it is. The tap that won is saved for backward, which so is a sum over the windows that a value lies in. */
#include "ops/kernel_util.h"
#include "ops/ops.h"

#include <string.h>

typedef struct Map {
    int64_t h, w, c, ho, wo;
    int64_t kernel, stride, padding;
} Map;

static Map map_of(const Step *step)
{
    const MaxPoolAttr *attr = step->attr;
    const Shape *in = &step->in[0].shape, *out = &step->out[0].shape;
    return (Map){ in->dim[1],  in->dim[2],   in->dim[3],   out->dim[1],
                  out->dim[2], attr->kernel, attr->stride, attr->padding };
}

/* The larger of y and from, and which tap it is. Bytes may alias anything: without `restrict` the loop runs one by one. */
static void keep_larger(const float *restrict from, uint8_t tap, int64_t n, float *restrict y, uint8_t *restrict taps)
{
#pragma omp simd
    for (int64_t k = 0; k < n; k++) {
        const bool larger = from[k] > y[k] || from[k] != from[k];
        y[k] = larger ? from[k] : y[k];
        taps[k] = larger ? tap : taps[k];
    }
}

/* One window: the first tap inside the map is taken, then whatever is larger; not a number is larger than all. */
static void pool(const Map *m, const float *x, int64_t oy, int64_t ox, float *y, uint8_t *taps)
{
    bool first = true;
    for (int64_t i = 0; i < m->kernel * m->kernel; i++) {
        const int64_t row = oy * m->stride - m->padding + i / m->kernel;
        const int64_t column = ox * m->stride - m->padding + i % m->kernel;
        if (row < 0 || row >= m->h || column < 0 || column >= m->w) continue;
        const float *from = x + (row * m->w + column) * m->c;
        if (first) {
            memcpy(y, from, (size_t)m->c * sizeof *y);
            if (taps != NULL) memset(taps, (int)i, (size_t)m->c);
        } else if (taps == NULL) {
#pragma omp simd
            for (int64_t k = 0; k < m->c; k++) y[k] = from[k] > y[k] || from[k] != from[k] ? from[k] : y[k];
        } else {
            keep_larger(from, (uint8_t)i, m->c, y, taps);
        }
        first = false;
    }
}

static Err forward(const Step *step)
{
    const Map m = map_of(step);
    const float *x = step->in[0].data;
    float *y = step->out[0].data;
    uint8_t *taps = step->out[1].data;
#pragma omp parallel for schedule(static)
    for (int64_t row = 0; row < step->in[0].shape.dim[0] * m.ho; row++) {
        const float *image = x + row / m.ho * m.h * m.w * m.c;
        for (int64_t column = 0; column < m.wo; column++) {
            const int64_t at = (row * m.wo + column) * m.c;
            pool(&m, image, row % m.ho, column, y + at, taps != NULL ? taps + at : NULL);
        }
    }
    return ERR_NONE;
}

/* dx += dy where this tap was taken. */
static void add_taken(const float *restrict dy, const uint8_t *restrict taps, uint8_t tap, int64_t n,
                      float *restrict dx)
{
#pragma omp simd
    for (int64_t k = 0; k < n; k++) dx[k] += taps[k] == tap ? dy[k] : 0.0F;
}

/* Adds to one pixel's gradient what windows give it that chose it. */
static void gather(const Map *m, const float *dy, const uint8_t *taps, int64_t row, int64_t column, float *dx)
{
    for (int64_t i = 0; i < m->kernel * m->kernel; i++) {
        const int64_t down = row + m->padding - i / m->kernel, right = column + m->padding - i % m->kernel;
        if (down < 0 || right < 0 || down % m->stride != 0 || right % m->stride != 0) continue;
        const int64_t oy = down / m->stride, ox = right / m->stride;
        if (oy >= m->ho || ox >= m->wo) continue;
        const int64_t at = (oy * m->wo + ox) * m->c;
        add_taken(dy + at, taps + at, (uint8_t)i, m->c, dx);
    }
}

static Err backward(const Step *step)
{
    const Map m = map_of(step);
    const float *dy = step->d_out[0].data;
    const uint8_t *taps = step->out[1].data;
    float *dx = step->d_in[0].data;
    if (dx == NULL) return ERR_NONE;
#pragma omp parallel for schedule(static)
    for (int64_t row = 0; row < step->in[0].shape.dim[0] * m.h; row++) {
        const int64_t image = row / m.h * m.ho * m.wo * m.c;
        float *to = dx + row * m.w * m.c;
        if (!step->accumulate[0]) memset(to, 0, (size_t)(m.w * m.c) * sizeof *to);
        for (int64_t column = 0; column < m.w; column++)
            gather(&m, dy + image, taps + image, row % m.h, column, to + column * m.c);
    }
    return ERR_NONE;
}

static Err infer(const void *attr, int32_t n_in, const Tensor *in, Tensor *ret_out)
{
    enum { KERNEL_MAX = 15 }; /* the number of a tap is a byte */
    char text[96];
    const MaxPoolAttr *pool_attr = attr;
    const Shape *x = &in[0].shape;
    const int64_t kernel = pool_attr->kernel, stride = pool_attr->stride, padding = pool_attr->padding;
    (void)n_in;
    if (in[0].dtype != DTYPE_F32 || x->rank != 4)
        return err_set(ERR_SHAPE, "max_pool: needs [B, H, W, C] f32, not %s %s", shape_text(x, text, sizeof text),
                       dtype_name(in[0].dtype));
    if (kernel < 1 || kernel > KERNEL_MAX || stride < 1 || padding < 0 || padding > kernel / 2 ||
        x->dim[1] + 2 * padding < kernel || x->dim[2] + 2 * padding < kernel)
        return err_set(ERR_SHAPE, "max_pool: kernel %lld, stride %lld, padding %lld do not fit %s", (long long)kernel,
                       (long long)stride, (long long)padding, shape_text(x, text, sizeof text));
    ret_out[0] = in[0];
    for (int i = 1; i < 3; i++) ret_out[0].shape.dim[i] = (x->dim[i] + 2 * padding - kernel) / stride + 1;
    ret_out[1] = ret_out[0];
    ret_out[1].dtype = DTYPE_U8;
    return ERR_NONE;
}

static const Kernel kernel_plain = { .name = "plain", .forward = forward, .backward = backward };
static const Kernel *const kernels[] = { &kernel_plain, NULL };

const OpDef op_def_max_pool = {
    .name = "max_pool",
    .min_in = 1,
    .max_in = 1,
    .n_out = 2,
    .n_results = 1,
    .bwd_reads = READS_OUT(1),
    .attr_size = sizeof(MaxPoolAttr),
    .infer = infer,
    .kernels = kernels,
};

Var op_max_pool(Graph *g, Var x, int32_t kernel, int32_t stride, int32_t padding)
{
    const MaxPoolAttr attr = { kernel, stride, padding };
    return graph_node(g, &op_def_max_pool, &attr, 1, &x);
}
