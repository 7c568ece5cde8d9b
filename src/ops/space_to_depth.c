/* SPDX-License-Identifier: Apache-2.0
 *
 * Blocks of pixels to channels (patch merging of Swin Transformer): part p of the channels of result (y, x) is pixel
 * (y n + dy, x n + dx), p = dy n + dx, or dx n + dy where columns come first; zeros outside the map.
 */
#include "ops/kernel_util.h"
#include "ops/ops.h"

#include <string.h>

/* One row of results. */
typedef struct BlockRow {
    int64_t n, height, width, channels, columns; /* columns: of the result */
    bool columns_first;
    int64_t image, y; /* of the result */
} BlockRow;

static BlockRow block_row(const Step *step, int64_t row)
{
    const SpaceToDepthAttr *attr = step->attr;
    const int64_t *in = step->in[0].shape.dim, *out = step->out[0].shape.dim;
    return (BlockRow){ .n = attr->block,
                       .height = in[1],
                       .width = in[2],
                       .channels = in[3],
                       .columns = out[2],
                       .columns_first = attr->columns_first,
                       .image = row / out[1],
                       .y = row % out[1] };
}

/* Offset of part p of result x in the input, or -1 outside the map. */
static int64_t source(const BlockRow *r, int64_t x, int64_t p)
{
    const int64_t dy = r->columns_first ? p % r->n : p / r->n, dx = r->columns_first ? p / r->n : p % r->n;
    const int64_t row = r->y * r->n + dy, column = x * r->n + dx;
    if (row >= r->height || column >= r->width) return -1;
    return ((r->image * r->height + row) * r->width + column) * r->channels;
}

static Err forward(const Step *step)
{
    const int64_t *out = step->out[0].shape.dim;
    const float *from = step->in[0].data;
    float *y = step->out[0].data;
#pragma omp parallel for schedule(static) num_threads(step->device.threads)
    for (int64_t row = 0; row < out[0] * out[1]; row++) {
        const BlockRow r = block_row(step, row);
        const size_t bytes = (size_t)r.channels * sizeof *y;
        float *to = y + row * out[2] * out[3];
        for (int64_t x = 0; x < r.columns; x++)
            for (int64_t p = 0; p < r.n * r.n; p++, to += r.channels) {
                const int64_t at = source(&r, x, p);
                if (at < 0)
                    memset(to, 0, bytes);
                else
                    memcpy(to, from + at, bytes);
            }
    }
    return ERR_NONE;
}

static Err backward(const Step *step)
{
    const int64_t *out = step->out[0].shape.dim;
    const float *dy = step->d_out[0].data;
    const bool add = step->accumulate[0];
    float *dx = step->d_in[0].data;
    if (dx == NULL) return ERR_NONE;
#pragma omp parallel for schedule(static) num_threads(step->device.threads)
    for (int64_t row = 0; row < out[0] * out[1]; row++) {
        const BlockRow r = block_row(step, row);
        const float *from = dy + row * out[2] * out[3];
        for (int64_t x = 0; x < r.columns; x++)
            for (int64_t p = 0; p < r.n * r.n; p++, from += r.channels) {
                const int64_t at = source(&r, x, p);
                float *to = dx + at;
                for (int64_t c = 0; c < r.channels && at >= 0; c++) to[c] = add ? to[c] + from[c] : from[c];
            }
    }
    return ERR_NONE;
}

static Err infer(const void *attr, int32_t n_in, const Tensor *in, Tensor *ret_out)
{
    char text[96];
    const SpaceToDepthAttr *a = attr;
    (void)n_in;
    if (in[0].dtype != DTYPE_F32 || in[0].shape.rank != 4 || a->block < 1)
        return err_set(ERR_SHAPE,
                       "space_to_depth: %s in blocks of %d; expected f32 [B, H, W, C] and a block of 1 or more",
                       shape_text(&in[0].shape, text, sizeof text), (int)a->block);
    ret_out[0] = in[0];
    int64_t *dim = ret_out[0].shape.dim;
    dim[1] = ceil_divide(dim[1], a->block);
    dim[2] = ceil_divide(dim[2], a->block);
    dim[3] *= (int64_t)a->block * a->block;
    return ERR_NONE;
}

static const Kernel kernel_plain = { .name = "plain", .forward = forward, .backward = backward };
static const Kernel *const kernels[] = { &kernel_plain, NULL };

const OpDef op_def_space_to_depth = {
    .name = "space_to_depth",
    .min_in = 1,
    .max_in = 1,
    .n_out = 1,
    .n_results = 1,
    .attr_size = sizeof(SpaceToDepthAttr),
    .infer = infer,
    .kernels = kernels,
};

Var op_space_to_depth(Graph *g, Var x, int32_t block, bool columns_first)
{
    const SpaceToDepthAttr attr = { block, columns_first };
    return graph_node(g, &op_def_space_to_depth, &attr, 1, &x);
}
