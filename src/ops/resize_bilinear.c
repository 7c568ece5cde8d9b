/* SPDX-License-Identifier: Apache-2.0
 *
 * Bilinear resize to 2, 4 or 8 times the size, as PyTorch with align_corners false: x [B, H, W, C], y [B, sH, sW, C].
 *   y[oy, ox] = sum over the two rows and two columns around ((oy + 1/2) / s - 1/2, (ox + 1/2) / s - 1/2), positions
 *   outside clamped to the edge.
 * Both directions are separable: forward blends two rows, then neighbours in the row; backward is the exact transpose
 * in gather form: each row of dx sums the rows of dy that read it, then the columns. No position is written twice, so
 * the result does not depend on the number of threads.
 */
#include "ops/resize_bilinear_kernels.h"

#include <omp.h>

ResizeSizes resize_sizes(const Step *step)
{
    const ResizeBilinearAttr *attr = step->attr;
    const int64_t *dim = step->in[0].shape.dim;
    return (ResizeSizes){ .B = dim[0], .H = dim[1], .W = dim[2], .C = dim[3], .scale = attr->scale };
}

ResizeSource resize_source(int64_t output, int64_t size, int64_t scale)
{
    const int64_t twice = 2 * output + 1 - scale; /* source * 2 * scale */
    if (twice < 0) return (ResizeSource){ .first = 0, .second = 0, .weight = 0.0F };
    const int64_t first = twice / (2 * scale);
    return (ResizeSource){ .first = first,
                           .second = min_int64(first + 1, size - 1),
                           .weight = (float)(twice % (2 * scale)) / (float)(2 * scale) };
}

ResizeUses resize_uses(int64_t input, int64_t size, int64_t scale)
{
    const int64_t begin = input == 0 ? 0 : scale * (input - 1) + scale / 2;
    const int64_t end = input == size - 1 ? scale * size : scale * input + scale / 2 + scale;
    ResizeUses uses = { .first = begin, .n = end - begin };
    for (int64_t i = 0; i < uses.n; i++) {
        const ResizeSource source = resize_source(begin + i, size, scale);
        uses.weight[i] =
            (source.first == input ? 1.0F - source.weight : 0.0F) + (source.second == input ? source.weight : 0.0F);
    }
    return uses;
}

int64_t resize_row_floats(const Step *step)
{
    const ResizeSizes n = resize_sizes(step);
    return round_up(n.W * n.scale * n.C, 16);
}

Err resize_prepare(Step *step)
{
    step->workspace_bytes = (size_t)(resize_row_floats(step) * step->device.threads) * sizeof(float);
    return ERR_NONE;
}

static Err forward(const Step *step)
{
    const ResizeSizes n = resize_sizes(step);
    const float *x = step->in[0].data;
    float *y = step->out[0].data;
    const int64_t out_h = n.H * n.scale, out_w = n.W * n.scale;
#pragma omp parallel for schedule(static) num_threads(step->device.threads)
    for (int64_t row = 0; row < n.B * out_h; row++) {
        const ResizeSource v = resize_source(row % out_h, n.H, n.scale);
        const float *image = x + row / out_h * n.H * n.W * n.C;
        const float *top = image + v.first * n.W * n.C, *bottom = image + v.second * n.W * n.C;
        for (int64_t ox = 0; ox < out_w; ox++) {
            const ResizeSource h = resize_source(ox, n.W, n.scale);
            float *to = y + (row * out_w + ox) * n.C;
            for (int64_t c = 0; c < n.C; c++) {
                const int64_t a = h.first * n.C + c, b = h.second * n.C + c;
                const float left = top[a] + v.weight * (bottom[a] - top[a]);
                const float right = top[b] + v.weight * (bottom[b] - top[b]);
                to[c] = left + h.weight * (right - left);
            }
        }
    }
    return ERR_NONE;
}

/* sums [sW, C] = weighted rows of dy that read row y of image b. */
static void gather_rows(const ResizeSizes *n, const float *dy, int64_t b, int64_t y, float *sums)
{
    const ResizeUses v = resize_uses(y, n->H, n->scale);
    const int64_t row = n->W * n->scale * n->C;
    const float *from = dy + (b * n->H * n->scale + v.first) * row;
    for (int64_t i = 0; i < row; i++) sums[i] = v.weight[0] * from[i];
    for (int64_t k = 1; k < v.n; k++)
        for (int64_t i = 0; i < row; i++) sums[i] += v.weight[k] * from[k * row + i];
}

static Err backward(const Step *step)
{
    const ResizeSizes n = resize_sizes(step);
    const float *dy = step->d_out[0].data;
    float *dx = step->d_in[0].data;
    if (dx == NULL) return ERR_NONE;
#pragma omp parallel for schedule(static) num_threads(step->device.threads)
    for (int64_t row = 0; row < n.B * n.H; row++) {
        float *sums = (float *)step->workspace + omp_get_thread_num() * resize_row_floats(step);
        gather_rows(&n, dy, row / n.H, row % n.H, sums);
        for (int64_t column = 0; column < n.W; column++) {
            const ResizeUses h = resize_uses(column, n.W, n.scale);
            float *to = dx + (row * n.W + column) * n.C;
            for (int64_t c = 0; c < n.C; c++) {
                float sum = step->accumulate[0] ? to[c] : 0.0F;
                for (int64_t k = 0; k < h.n; k++) sum += h.weight[k] * sums[(h.first + k) * n.C + c];
                to[c] = sum;
            }
        }
    }
    return ERR_NONE;
}

static Err infer(const void *attr, int32_t n_in, const Tensor *in, Tensor *ret_out)
{
    const ResizeBilinearAttr *resize = attr;
    char text[64];
    (void)n_in;
    if (in[0].dtype != DTYPE_F32 || in[0].shape.rank != 4)
        return err_set(ERR_SHAPE, "resize_bilinear: x is %s %s; expected f32 [B, H, W, C]", dtype_name(in[0].dtype),
                       shape_text(&in[0].shape, text, sizeof text));
    if (resize->scale != 2 && resize->scale != 4 && resize->scale != 8)
        return err_set(ERR_SHAPE, "resize_bilinear: scale is %d; expected 2, 4 or 8", (int)resize->scale);
    ret_out[0] = in[0];
    ret_out[0].shape.dim[1] *= resize->scale;
    ret_out[0].shape.dim[2] *= resize->scale;
    return ERR_NONE;
}

static const Kernel kernel_plain = {
    .name = "plain", .prepare = resize_prepare, .forward = forward, .backward = backward
};
static const Kernel *const kernels[] = {
    KERNEL_AVX512(resize_bilinear_avx512) KERNEL_AVX2(resize_bilinear_avx2) & kernel_plain, NULL
};

const OpDef op_def_resize_bilinear = {
    .name = "resize_bilinear",
    .min_in = 1,
    .max_in = 1,
    .n_out = 1,
    .n_results = 1,
    .attr_size = sizeof(ResizeBilinearAttr),
    .infer = infer,
    .kernels = kernels,
};

Var op_resize_bilinear(Graph *g, Var x, int32_t scale)
{
    const ResizeBilinearAttr attr = { .scale = scale };
    return graph_node(g, &op_def_resize_bilinear, &attr, 1, &x);
}
