/* SPDX-License-Identifier: Apache-2.0
 *
 * Mean over the bins of a grid: x [B, H, W, C] -> [B, h, w, C], bin i of n along an axis of length L is
 * [floor(i L / n), ceil((i + 1) L / n)) (PyTorch: adaptive_avg_pool2d; bins may overlap by one position). The rows of a
 * bin are summed in blocks whose number does not depend on the threads; the blocks are added in double.
 */
#include "ops/kernel_util.h"
#include "ops/ops.h"

enum { BLOCK = 256 }; /* positions of one partial sum, about */

typedef struct Pool {
    int64_t batch, H, W, C, h, w;
    int64_t blocks; /* of rows, in each bin */
} Pool;

/* One bin: rows [top, bottom), columns [left, right). */
typedef struct Bin {
    int64_t top, bottom, left, right;
} Bin;

static int64_t bin_begin(int64_t i, int64_t n, int64_t length) { return i * length / n; }
static int64_t bin_end(int64_t i, int64_t n, int64_t length) { return ceil_divide((i + 1) * length, n); }

static Pool pool_of(const Step *step)
{
    const int64_t *in = step->in[0].shape.dim, *out = step->out[0].shape.dim;
    Pool pool = { .batch = in[0], .H = in[1], .W = in[2], .C = in[3], .h = out[1], .w = out[2] };
    const int64_t rows = ceil_divide(pool.H, pool.h), columns = ceil_divide(pool.W, pool.w);
    pool.blocks = min_int64(rows, ceil_divide(rows * columns, BLOCK));
    return pool;
}

static Bin bin_of(const Pool *pool, int64_t oy, int64_t ox)
{
    return (Bin){ .top = bin_begin(oy, pool->h, pool->H),
                  .bottom = bin_end(oy, pool->h, pool->H),
                  .left = bin_begin(ox, pool->w, pool->W),
                  .right = bin_end(ox, pool->w, pool->W) };
}

static Err prepare(Step *step)
{
    const Pool pool = pool_of(step);
    step->workspace_bytes = (size_t)(pool.batch * pool.h * pool.w * pool.blocks * pool.C) * sizeof(float);
    return ERR_NONE;
}

/* Block `block` of the bin; sum [C]. */
static void sum_block(const Pool *pool, const float *image, Bin bin, int64_t block, float *sum)
{
    const int64_t rows = bin.bottom - bin.top;
    for (int64_t c = 0; c < pool->C; c++) sum[c] = 0.0F;
    for (int64_t y = bin.top + chunk_begin(block, pool->blocks, rows);
         y < bin.top + chunk_begin(block + 1, pool->blocks, rows); y++) {
        for (int64_t x = bin.left; x < bin.right; x++) {
            const float *from = image + (y * pool->W + x) * pool->C;
#pragma omp simd
            for (int64_t c = 0; c < pool->C; c++) sum[c] += from[c];
        }
    }
}

static Err forward(const Step *step)
{
    const Pool pool = pool_of(step);
    const int64_t bins = pool.h * pool.w, image = pool.H * pool.W * pool.C;
    const float *x = step->in[0].data;
    float *partial = step->workspace, *y = step->out[0].data;
#pragma omp parallel for schedule(static) num_threads(step->device.threads)
    for (int64_t k = 0; k < pool.batch * bins * pool.blocks; k++) {
        const int64_t bin = k / pool.blocks % bins;
        sum_block(&pool, x + k / pool.blocks / bins * image, bin_of(&pool, bin / pool.w, bin % pool.w), k % pool.blocks,
                  partial + k * pool.C);
    }
    for (int64_t i = 0; i < pool.batch * bins; i++) {
        const Bin bin = bin_of(&pool, i % bins / pool.w, i % pool.w);
        const double area = (double)((bin.bottom - bin.top) * (bin.right - bin.left));
        for (int64_t c = 0; c < pool.C; c++) {
            double sum = 0;
            for (int64_t k = 0; k < pool.blocks; k++) sum += (double)partial[(i * pool.blocks + k) * pool.C + c];
            y[i * pool.C + c] = (float)(sum / area);
        }
    }
    return ERR_NONE;
}

/* Bins that hold position p: [first, end). */
static void bins_at(int64_t p, int64_t n, int64_t length, int64_t *ret_first, int64_t *ret_end)
{
    int64_t first = p * n / length, end = first + 1;
    while (first > 0 && bin_end(first - 1, n, length) > p) first--;
    while (end < n && bin_begin(end, n, length) <= p) end++;
    *ret_first = first;
    *ret_end = end;
}

static void backward_position(const Pool *pool, const float *dy, int64_t y, int64_t x, bool add, float *dx)
{
    int64_t first_row, end_row, first_column, end_column;
    bins_at(y, pool->h, pool->H, &first_row, &end_row);
    bins_at(x, pool->w, pool->W, &first_column, &end_column);
    for (int64_t oy = first_row; oy < end_row; oy++) {
        for (int64_t ox = first_column; ox < end_column; ox++) {
            const Bin bin = bin_of(pool, oy, ox);
            const float scale = 1.0F / (float)((bin.bottom - bin.top) * (bin.right - bin.left));
            const float *from = dy + (oy * pool->w + ox) * pool->C;
#pragma omp simd
            for (int64_t c = 0; c < pool->C; c++) dx[c] = add ? dx[c] + scale * from[c] : scale * from[c];
            add = true;
        }
    }
}

static Err backward(const Step *step)
{
    const Pool pool = pool_of(step);
    const float *dy = step->d_out[0].data;
    float *dx = step->d_in[0].data;
    if (dx == NULL) return ERR_NONE;
#pragma omp parallel for schedule(static) num_threads(step->device.threads)
    for (int64_t row = 0; row < pool.batch * pool.H; row++)
        for (int64_t x = 0; x < pool.W; x++)
            backward_position(&pool, dy + row / pool.H * pool.h * pool.w * pool.C, row % pool.H, x, step->accumulate[0],
                              dx + (row * pool.W + x) * pool.C);
    return ERR_NONE;
}

static Err infer(const void *attr, int32_t n_in, const Tensor *in, Tensor *ret_out)
{
    const AdaptiveAveragePoolAttr *pool = attr;
    char text[96];
    (void)n_in;
    if (in[0].dtype != DTYPE_F32 || in[0].shape.rank != 4)
        return err_set(ERR_SHAPE, "adaptive_average_pool: needs [B, H, W, C] f32, not %s %s",
                       shape_text(&in[0].shape, text, sizeof text), dtype_name(in[0].dtype));
    if (pool->height < 1 || pool->width < 1)
        return err_set(ERR_SHAPE, "adaptive_average_pool: %d x %d bins; both must be at least 1", (int)pool->height,
                       (int)pool->width);
    ret_out[0] = in[0];
    ret_out[0].shape.dim[1] = pool->height;
    ret_out[0].shape.dim[2] = pool->width;
    return ERR_NONE;
}

static const Kernel kernel_plain = { .name = "plain", .prepare = prepare, .forward = forward, .backward = backward };
static const Kernel *const kernels[] = { &kernel_plain, NULL };

const OpDef op_def_adaptive_average_pool = {
    .name = "adaptive_average_pool",
    .min_in = 1,
    .max_in = 1,
    .n_out = 1,
    .n_results = 1,
    .attr_size = sizeof(AdaptiveAveragePoolAttr),
    .infer = infer,
    .kernels = kernels,
};

Var op_adaptive_average_pool(Graph *g, Var x, int32_t height, int32_t width)
{
    const AdaptiveAveragePoolAttr attr = { .height = height, .width = width };
    return graph_node(g, &op_def_adaptive_average_pool, &attr, 1, &x);
}

Var op_global_average_pool(Graph *g, Var x) { return op_adaptive_average_pool(g, x, 1, 1); }
