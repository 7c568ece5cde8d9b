/* SPDX-License-Identifier: Apache-2.0
 *
 * Cross-window pooling of UNetFormer (Wang et al., ISPRS 2022; docs/model.md section 4). x, y [B, H, W, C], H, W >= 2:
 *   y[i, j] = 1/w sum_{k = 0 .. w-1} P[i - (w/2 - 1) + k, j] + the same along j,
 * P the map continued by one reflected row (column), P[H] = x[H - 2], and zeros elsewhere outside. Always divided by w.
 * All sums are direct (at most w + 1 terms): nothing drifts. Backward has the same form with the taps transposed.
 */
#include "ops/cross_window_pool_kernels.h"

PoolTaps pool_forward_taps(int64_t position, int64_t size, int64_t window)
{
    const int64_t first = position - (window / 2 - 1), last = position + window / 2;
    return (PoolTaps){ .first = max_int64(first, 0),
                       .last = min_int64(last, size - 1),
                       .more_first = size - 2,
                       .more_last = last >= size ? size - 2 : size - 3 };
}

PoolTaps pool_backward_taps(int64_t position, int64_t size, int64_t window)
{
    const int64_t first = position - window / 2, last = position + (window / 2 - 1);
    return (PoolTaps){ .first = max_int64(first, 0),
                       .last = min_int64(last, size - 1),
                       .more_first = max_int64(size - window / 2, 0),
                       .more_last = position == size - 2 ? size - 1 : -1 };
}

/* sum over the taps of from[tap * stride]. */
static float sum_taps(const PoolTaps *taps, const float *from, int64_t stride)
{
    float sum = 0.0F;
    for (int64_t i = taps->first; i <= taps->last; i++) sum += from[i * stride];
    for (int64_t i = taps->more_first; i <= taps->more_last; i++) sum += from[i * stride];
    return sum;
}

/* One pixel: to (+)= 1/window (sum of rows + sum of columns). */
static void pool_pixel(const float *image, const PoolTaps *rows, const PoolTaps *columns, int64_t y, int64_t x,
                       int64_t W, int64_t C, float factor, float *to, bool add)
{
    for (int64_t c = 0; c < C; c++) {
        const float sum = sum_taps(rows, image + x * C + c, W * C) + sum_taps(columns, image + y * W * C + c, C);
        to[c] = add ? to[c] + factor * sum : factor * sum;
    }
}

static void pool(const Step *step, const float *from, float *to, bool backward, bool add)
{
    const CrossWindowPoolAttr *attr = step->attr;
    const int64_t *dim = step->in[0].shape.dim;
    const int64_t B = dim[0], H = dim[1], W = dim[2], C = dim[3], window = attr->window;
    const float factor = 1.0F / (float)window;
#pragma omp parallel for schedule(static) num_threads(step->device.threads)
    for (int64_t row = 0; row < B * H; row++) {
        const int64_t y = row % H;
        const PoolTaps rows = backward ? pool_backward_taps(y, H, window) : pool_forward_taps(y, H, window);
        for (int64_t x = 0; x < W; x++) {
            const PoolTaps columns = backward ? pool_backward_taps(x, W, window) : pool_forward_taps(x, W, window);
            pool_pixel(from + row / H * H * W * C, &rows, &columns, y, x, W, C, factor, to + (row * W + x) * C, add);
        }
    }
}

static Err forward(const Step *step)
{
    pool(step, step->in[0].data, step->out[0].data, false, false);
    return ERR_NONE;
}

static Err backward(const Step *step)
{
    if (step->d_in[0].data != NULL) pool(step, step->d_out[0].data, step->d_in[0].data, true, step->accumulate[0]);
    return ERR_NONE;
}

static Err infer(const void *attr, int32_t n_in, const Tensor *in, Tensor *ret_out)
{
    const CrossWindowPoolAttr *pool_attr = attr;
    char text[64];
    (void)n_in;
    if (in[0].dtype != DTYPE_F32 || in[0].shape.rank != 4 || in[0].shape.dim[1] < 2 || in[0].shape.dim[2] < 2)
        return err_set(ERR_SHAPE, "cross_window_pool: x is %s %s; expected f32 [B, H, W, C] with H and W at least 2",
                       dtype_name(in[0].dtype), shape_text(&in[0].shape, text, sizeof text));
    if (pool_attr->window < 2 || pool_attr->window > POOL_MAX_WINDOW || pool_attr->window % 2 != 0)
        return err_set(ERR_SHAPE, "cross_window_pool: window is %d; expected an even number from 2 to %d",
                       (int)pool_attr->window, (int)POOL_MAX_WINDOW);
    ret_out[0] = in[0];
    return ERR_NONE;
}

static const Kernel kernel_plain = { .name = "plain", .forward = forward, .backward = backward };
static const Kernel *const kernels[] = {
    KERNEL_AVX512(cross_window_pool_avx512) KERNEL_AVX2(cross_window_pool_avx2) & kernel_plain, NULL
};

const OpDef op_def_cross_window_pool = {
    .name = "cross_window_pool",
    .min_in = 1,
    .max_in = 1,
    .n_out = 1,
    .n_results = 1,
    .attr_size = sizeof(CrossWindowPoolAttr),
    .infer = infer,
    .kernels = kernels,
};

Var op_cross_window_pool(Graph *g, Var x, int32_t window)
{
    const CrossWindowPoolAttr attr = { .window = window };
    return graph_node(g, &op_def_cross_window_pool, &attr, 1, &x);
}
