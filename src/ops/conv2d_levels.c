/* SPDX-License-Identifier: Apache-2.0
 *
 * A 3x3 convolution of maps of several sizes side by side, with BatchNorm and ReLU, for inference (see ops.h). Here: shapes, the
 * plain kernel, which brings all maps to one size and convolves them, descriptor.
 */
#include "ops/conv2d_levels_kernels.h"

#include <math.h>
#include <stdlib.h>

void conv2d_levels_done(const Conv2dLevels *levels)
{
    for (int32_t i = 0; i < levels->n; i++) {
        resize_axis_done(&levels->level[i].rows);
        resize_axis_done(&levels->level[i].columns);
    }
}

Err conv2d_levels_init(const Step *step, Conv2dLevels *levels)
{
    const int64_t *out = step->out[0].shape.dim;
    *levels = (Conv2dLevels){ .batch = out[0], .height = out[1], .width = out[2], .channels = out[3] };
    for (int32_t i = 0; i < step->n_in - LEVELS_FIRST; i++) {
        const int64_t *dim = step->in[LEVELS_FIRST + i].shape.dim;
        Conv2dLevel *level = &levels->level[i];
        *level = (Conv2dLevel){ .height = dim[1], .width = dim[2], .channels = dim[3], .first = levels->joined };
        level->whole = level->height == levels->height && level->width == levels->width;
        levels->joined += dim[3];
        levels->n++;
        TRY(resize_axis_init(dim[1], levels->height, false, &level->rows));
        TRY(resize_axis_init(dim[2], levels->width, false, &level->columns));
    }
    return ERR_NONE;
}

void conv2d_levels_norm(const Step *step, int64_t channels, float *ret_factor, float *ret_bias)
{
    const Conv2dLevelsAttr *attr = step->attr;
    const float *weight = step->in[1].data, *bias = step->in[2].data, *mean = step->in[3].data, *var = step->in[4].data;
    for (int64_t c = 0; c < channels; c++) {
        const double factor = (double)weight[c] / sqrt((double)var[c] + (double)attr->batchnorm_eps);
        ret_factor[c] = (float)factor;
        ret_bias[c] = (float)((double)bias[c] - factor * (double)mean[c]);
    }
}

/* ---- plain kernel ---- */

static void release(Step *step)
{
    Conv2dLevels *levels = step->state;
    if (levels == NULL) return;
    conv2d_levels_done(levels);
    free(levels);
    step->state = NULL;
}

/* Workspace: the maps side by side at the result's size, factors and biases. */
static Err prepare(Step *step)
{
    Conv2dLevels *levels = calloc(1, sizeof *levels);
    if (levels == NULL) return err_memory(sizeof *levels, "a convolution of several maps");
    step->state = levels;
    const Err err = conv2d_levels_init(step, levels);
    if (err != ERR_NONE) {
        release(step);
        return err;
    }
    step->workspace_bytes =
        (size_t)(levels->batch * levels->height * levels->width * levels->joined + 2 * levels->channels) *
        sizeof(float);
    return ERR_NONE;
}

/* Writes one map's channels of a pixel of the joined map. */
static void join_pixel(const Conv2dLevel *level, const float *image, int64_t y, int64_t x, float *to)
{
    const ResizeSource v = level->rows.source[y], h = level->columns.source[x];
    const float *top = image + v.first * level->width * level->channels;
    const float *bottom = image + v.second * level->width * level->channels;
    for (int64_t c = 0; c < level->channels; c++) {
        const int64_t a = h.first * level->channels + c, b = h.second * level->channels + c;
        const float left = top[a] + v.weight * (bottom[a] - top[a]), right = top[b] + v.weight * (bottom[b] - top[b]);
        to[c] = left + h.weight * (right - left);
    }
}

static void join(const Step *step, const Conv2dLevels *levels, float *joined)
{
#pragma omp parallel for schedule(static) num_threads(step->device.threads)
    for (int64_t row = 0; row < levels->batch * levels->height; row++) {
        for (int32_t i = 0; i < levels->n; i++) {
            const Conv2dLevel *level = &levels->level[i];
            const float *image = (const float *)step->in[LEVELS_FIRST + i].data +
                                 row / levels->height * level->height * level->width * level->channels;
            for (int64_t x = 0; x < levels->width; x++)
                join_pixel(level, image, row % levels->height, x,
                           joined + (row * levels->width + x) * levels->joined + level->first);
        }
    }
}

/* Sum over the taps inside the map for channel co of the pixel (y, x) of an image. */
static float convolve(const Conv2dLevels *levels, const float *image, const float *weight, int64_t y, int64_t x)
{
    const int64_t n = levels->joined;
    float sum = 0.0F;
    for (int64_t ky = 0; ky < 3; ky++) {
        for (int64_t kx = 0; kx < 3; kx++) {
            const int64_t iy = y + ky - 1, ix = x + kx - 1;
            if (iy < 0 || iy >= levels->height || ix < 0 || ix >= levels->width) continue;
            const float *from = image + (iy * levels->width + ix) * n, *tap = weight + ky * 3 + kx;
            for (int64_t c = 0; c < n; c++) sum += from[c] * tap[c * LEVELS_TAPS];
        }
    }
    return sum;
}

static Err forward(const Step *step)
{
    const Conv2dLevels *levels = step->state;
    const int64_t pixels = levels->height * levels->width, channels = levels->channels;
    const float *weight = step->in[0].data;
    float *joined = step->workspace, *factor = joined + levels->batch * pixels * levels->joined;
    float *bias = factor + channels, *y = step->out[0].data;
    conv2d_levels_norm(step, channels, factor, bias);
    join(step, levels, joined);
#pragma omp parallel for schedule(static) num_threads(step->device.threads)
    for (int64_t p = 0; p < levels->batch * pixels; p++) {
        const float *image = joined + p / pixels * pixels * levels->joined;
        for (int64_t co = 0; co < channels; co++) {
            const float sum = convolve(levels, image, weight + co * levels->joined * LEVELS_TAPS,
                                       p % pixels / levels->width, p % levels->width);
            y[p * channels + co] = fmaxf(factor[co] * sum + bias[co], 0.0F);
        }
    }
    return ERR_NONE;
}

/* ---- descriptor ---- */

static Err infer(const void *attribute, int32_t n_in, const Tensor *in, Tensor *ret_out)
{
    const Conv2dLevelsAttr *attr = attribute;
    const Shape *weight = &in[0].shape;
    char text[96];
    int64_t joined = 0;
    bool fits = n_in > LEVELS_FIRST && weight->rank == 4 && weight->dim[2] == 3 && weight->dim[3] == 3 &&
                attr->height > 0 && attr->width > 0;
    for (int32_t i = 0; i < n_in; i++) fits = fits && in[i].dtype == DTYPE_F32;
    for (int32_t i = 1; i < LEVELS_FIRST && fits; i++)
        fits = in[i].shape.rank == 1 && in[i].shape.dim[0] == weight->dim[0];
    for (int32_t i = LEVELS_FIRST; i < n_in && fits; i++) {
        fits = in[i].shape.rank == 4 && in[i].shape.dim[0] == in[LEVELS_FIRST].shape.dim[0];
        joined += in[i].shape.dim[3];
    }
    if (!fits || joined != weight->dim[1])
        return err_set(ERR_SHAPE,
                       "conv2d_levels: weight %s, maps of %lld channels; expected f32 [Cout, channels, 3, 3], maps "
                       "[B, h, w, C] of one batch, BatchNorm [Cout]",
                       shape_text(weight, text, sizeof text), (long long)joined);
    ret_out[0] = in[LEVELS_FIRST];
    ret_out[0].shape.dim[1] = attr->height;
    ret_out[0].shape.dim[2] = attr->width;
    ret_out[0].shape.dim[3] = weight->dim[0];
    return ERR_NONE;
}

static const Kernel kernel_plain = { .name = "plain", .prepare = prepare, .forward = forward, .release = release };
static const Kernel *const kernels[] = { KERNEL_DNNL(conv2d_levels_dnnl) & kernel_plain, NULL };

static int64_t multiply_adds(const Step *step)
{
    const int64_t *weight = step->in[0].shape.dim;
    return shape_count(&step->out[0].shape) * weight[1] * weight[2] * weight[3];
}

const OpDef op_def_conv2d_levels = {
    .name = "conv2d_levels",
    .min_in = LEVELS_FIRST + 1,
    .max_in = STEP_MAX_IN,
    .n_out = 1,
    .n_results = 1,
    .flags = OP_NO_GRAD,
    .attr_size = sizeof(Conv2dLevelsAttr),
    .infer = infer,
    .kernels = kernels,
    .multiply_adds = multiply_adds,
};

Var op_conv2d_levels(Graph *g, int32_t n, const Var *levels, Var weight, Conv2dFold norm, const Conv2dLevelsAttr *attr)
{
    Var in[STEP_MAX_IN] = { weight, norm.batchnorm_weight, norm.batchnorm_bias, norm.batchnorm_mean,
                            norm.batchnorm_var };
    if (n < 1 || n > LEVELS_MAX) {
        graph_fail(g, "conv2d_levels: %d maps; 1 to %d were expected", (int)n, (int)LEVELS_MAX);
        return VAR_NONE;
    }
    for (int32_t i = 0; i < n; i++) in[LEVELS_FIRST + i] = levels[i];
    return graph_node(g, &op_def_conv2d_levels, attr, LEVELS_FIRST + n, in);
}
