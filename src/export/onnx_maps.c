/* SPDX-License-Identifier: Apache-2.0
 * Translators of ops over maps, which ONNX has with their channels first. */
#include "export/onnx_translate.h"

#include <math.h>

static const char *map_of(OnnxGraph *g, const GraphNodeView *node) { return onnx_get(g, node->in[0], true); }

/* ---- convolutions ---- */

/* The weights of a convolution with its normalisation in them. */
typedef struct Filters {
    const float *weight, *bias; /* bias NULL: none */
} Filters;

/* bias NULL: none; norm: weight, bias, mean and variance of the normalisation. */
static Filters fold(OnnxGraph *g, Var weights, const float *bias_values, const Var *norm, float eps)
{
    const Shape shape = onnx_shape(g, weights);
    const int64_t channels = shape.dim[0], taps = shape_count(&shape) / channels;
    Filters f = { .weight = onnx_needs_values(g, weights), .bias = bias_values };
    const float *scale = onnx_needs_values(g, norm[0]), *shift = onnx_needs_values(g, norm[1]);
    const float *mean = onnx_needs_values(g, norm[2]), *var = onnx_needs_values(g, norm[3]);
    float *weight = onnx_room(onnx_file_of(g), channels * taps, sizeof *weight);
    float *bias = onnx_room(onnx_file_of(g), channels, sizeof *bias);
    if (f.weight == NULL || scale == NULL || shift == NULL || mean == NULL || var == NULL || bias == NULL ||
        weight == NULL)
        return f;
    for (int64_t o = 0; o < channels; o++) {
        const double factor = (double)scale[o] / sqrt((double)var[o] + (double)eps);
        const double own = f.bias != NULL ? (double)f.bias[o] : 0.0;
        for (int64_t i = 0; i < taps; i++) weight[o * taps + i] = (float)((double)f.weight[o * taps + i] * factor);
        bias[o] = (float)((own - (double)mean[o]) * factor + (double)shift[o]);
    }
    return (Filters){ .weight = weight, .bias = bias };
}

static Filters fold_batchnorm(OnnxGraph *g, const GraphNodeView *node, const Conv2dAttr *attr)
{
    const float *bias = attr->has_bias ? onnx_needs_values(g, node->in[2]) : NULL;
    if (!attr->has_batchnorm) return (Filters){ .weight = onnx_needs_values(g, node->in[1]), .bias = bias };
    return fold(g, node->in[1], bias, &node->in[attr->has_bias ? 3 : 2], attr->batchnorm_eps);
}

void onnx_translate_conv2d(OnnxGraph *g, const GraphNodeView *node)
{
    const Conv2dAttr *attr = node->attr;
    OnnxFile *file = onnx_file_of(g);
    const Shape shape = onnx_shape(g, node->in[1]);
    const Filters filters = fold_batchnorm(g, node, attr);
    const int64_t dilation = attr->dilation > 0 ? attr->dilation : 1;
    const char *in[3] = { map_of(g, node), NULL, NULL };
    const bool borrowed = filters.weight == onnx_values(g, node->in[1]);
    in[1] = borrowed ? onnx_get(g, node->in[1], false) : onnx_constant(g, "weight", 4, shape.dim, filters.weight);
    if (filters.bias != NULL) in[2] = onnx_constant(g, "bias", 1, shape.dim, filters.bias);
    const char *y = onnx_add(g, "Conv", filters.bias != NULL ? 3 : 2, in);
    onnx_set_int(file, "group", attr->groups);
    onnx_set_ints(file, "kernel_shape", 2, shape.dim + 2);
    onnx_set_ints(file, "strides", 2, ONNX_DIMS(attr->stride, attr->stride));
    onnx_set_ints(file, "dilations", 2, ONNX_DIMS(dilation, dilation));
    onnx_set_ints(file, "pads", 4, ONNX_DIMS(attr->top, attr->left, attr->bottom, attr->right));
    if (!attr->activate_sum) y = onnx_activate(g, attr->activation, y);
    if (attr->has_residual) y = ONNX_OP(g, "Add", y, onnx_get(g, node->in[node->n_in - 1], true));
    if (attr->activate_sum) y = onnx_activate(g, attr->activation, y);
    onnx_put(g, node->out, true, y);
}

void onnx_translate_conv_transpose2d(OnnxGraph *g, const GraphNodeView *node)
{
    const Shape shape = onnx_shape(g, node->in[1]);
    const char *y =
        ONNX_OP(g, "ConvTranspose", map_of(g, node), onnx_get(g, node->in[1], false), onnx_get(g, node->in[2], false));
    onnx_set_ints(onnx_file_of(g), "kernel_shape", 2, shape.dim + 2);
    onnx_set_ints(onnx_file_of(g), "strides", 2, shape.dim + 2);
    onnx_put(g, node->out, true, y);
}

/* ---- pooling ---- */

void onnx_translate_max_pool(OnnxGraph *g, const GraphNodeView *node)
{
    const MaxPoolAttr *attr = node->attr;
    const int64_t padding = attr->padding;
    const char *y = ONNX_OP(g, "MaxPool", map_of(g, node));
    onnx_set_ints(onnx_file_of(g), "kernel_shape", 2, ONNX_DIMS(attr->kernel, attr->kernel));
    onnx_set_ints(onnx_file_of(g), "strides", 2, ONNX_DIMS(attr->stride, attr->stride));
    onnx_set_ints(onnx_file_of(g), "pads", 4, ONNX_DIMS(padding, padding, padding, padding));
    onnx_put(g, node->out, true, y);
}

/* A pool over rows or over columns of a map that is continued by one reflected one: window places from window / 2 - 1 before. */
static const char *pool_along(OnnxGraph *g, const char *x, int64_t window, bool rows)
{
    OnnxFile *file = onnx_file_of(g);
    const int64_t before = window / 2 - 1, down = rows ? 1 : 0, right = rows ? 0 : 1;
    const char *y = ONNX_OP(g, "Pad", x, ONNX_INTS(g, 0, 0, 0, 0, 0, 0, down, right));
    onnx_set_string(file, "mode", "reflect");
    y = ONNX_OP(g, "AveragePool", y);
    onnx_set_ints(file, "kernel_shape", 2, ONNX_DIMS(rows ? window : 1, rows ? 1 : window));
    onnx_set_ints(file, "strides", 2, ONNX_DIMS(1, 1));
    onnx_set_ints(file, "pads", 4, ONNX_DIMS(before * down, before * right, before * down, before * right));
    onnx_set_int(file, "count_include_pad", 1);
    return y;
}

void onnx_translate_cross_window_pool(OnnxGraph *g, const GraphNodeView *node)
{
    const CrossWindowPoolAttr *attr = node->attr;
    const char *x = map_of(g, node), *rows = pool_along(g, x, attr->window, true);
    onnx_put(g, node->out, true, ONNX_OP(g, "Add", rows, pool_along(g, x, attr->window, false)));
}

/* Filters 1 3 3 1 along each axis; what zeros outside took away at the edges is put back by a factor per pixel. */
void onnx_translate_halve_antialiased(OnnxGraph *g, const GraphNodeView *node)
{
    enum { TAPS = 4 };
    static const float triangle[TAPS] = { 1.0F, 3.0F, 3.0F, 1.0F };
    OnnxFile *file = onnx_file_of(g);
    const Shape shape = onnx_shape(g, node->in[0]);
    const int64_t C = shape.dim[3], height = shape.dim[1] / 2, width = shape.dim[2] / 2;
    float *weight = onnx_room(file, C * TAPS * TAPS, sizeof *weight);
    float *factor = onnx_room(file, height * width, sizeof *factor);
    if (weight == NULL || factor == NULL) return;
    for (int64_t i = 0; i < C * TAPS * TAPS; i++) weight[i] = triangle[i / TAPS % TAPS] * triangle[i % TAPS] / 64.0F;
    for (int64_t i = 0; i < height * width; i++) {
        const int64_t row = i / width, column = i % width;
        const float down = 8.0F - (row == 0 ? 1.0F : 0.0F) - (row == height - 1 ? 1.0F : 0.0F);
        const float right = 8.0F - (column == 0 ? 1.0F : 0.0F) - (column == width - 1 ? 1.0F : 0.0F);
        factor[i] = 64.0F / (down * right);
    }
    const char *y =
        ONNX_OP(g, "Conv", map_of(g, node), onnx_constant(g, "triangle", 4, ONNX_DIMS(C, 1, TAPS, TAPS), weight));
    onnx_set_int(file, "group", C);
    onnx_set_ints(file, "kernel_shape", 2, ONNX_DIMS(TAPS, TAPS));
    onnx_set_ints(file, "strides", 2, ONNX_DIMS(2, 2));
    onnx_set_ints(file, "pads", 4, ONNX_DIMS(1, 1, 1, 1));
    y = ONNX_OP(g, "Mul", y, onnx_constant(g, "edges", 4, ONNX_DIMS(1, 1, height, width), factor));
    onnx_put(g, node->out, true, y);
}

/* ---- resizing ---- */

/* The matrix [to, from] by which an op that resizes maps works along one axis: what it makes of the unit vectors, one a channel. */
static const float *axis_matrix(OnnxGraph *g, const OpDef *op, const void *attr, int64_t from)
{
    float *unit = onnx_room(onnx_file_of(g), from * from, sizeof *unit);
    const Tensor in = { DTYPE_F32, shape4(1, from, 1, from), unit };
    Shape shape;
    if (unit == NULL) return NULL;
    for (int64_t i = 0; i < from; i++) unit[i * from + i] = 1.0F;
    return onnx_run(g, op, attr, 1, &in, &shape);
}

/* rows [h, H] x map x columns [w, W] transposed */
static void multiply_axes(OnnxGraph *g, const GraphNodeView *node, const float *rows, const float *columns)
{
    const Shape in = onnx_shape(g, node->in[0]), out = onnx_shape(g, node->out);
    const int64_t W = in.dim[2], w = out.dim[2];
    float *turned = onnx_room(onnx_file_of(g), W * w, sizeof *turned);
    if (rows == NULL || columns == NULL || turned == NULL) return;
    for (int64_t i = 0; i < W * w; i++) turned[i] = columns[i % w * W + i / w];
    const char *y =
        ONNX_OP(g, "MatMul", onnx_constant(g, "rows", 2, ONNX_DIMS(out.dim[1], in.dim[1]), rows), map_of(g, node));
    y = ONNX_OP(g, "MatMul", y, onnx_constant(g, "columns", 2, ONNX_DIMS(W, w), turned));
    onnx_put(g, node->out, true, y);
}

void onnx_translate_adaptive_average_pool(OnnxGraph *g, const GraphNodeView *node)
{
    const AdaptiveAveragePoolAttr *attr = node->attr;
    const Shape in = onnx_shape(g, node->in[0]);
    if (attr->height == 1 && attr->width == 1) {
        onnx_put(g, node->out, true, ONNX_OP(g, "GlobalAveragePool", map_of(g, node)));
        return;
    }
    const AdaptiveAveragePoolAttr rows = { attr->height, 1 }, columns = { attr->width, 1 };
    multiply_axes(g, node, axis_matrix(g, node->op, &rows, in.dim[1]), axis_matrix(g, node->op, &columns, in.dim[2]));
}

void onnx_translate_resize_bicubic(OnnxGraph *g, const GraphNodeView *node)
{
    const Shape in = onnx_shape(g, node->in[0]);
    ResizeBicubicAttr rows = *(const ResizeBicubicAttr *)node->attr, columns = rows;
    rows.width = 1;
    columns.height = columns.width;
    columns.width = 1;
    multiply_axes(g, node, axis_matrix(g, node->op, &rows, in.dim[1]), axis_matrix(g, node->op, &columns, in.dim[2]));
}

static const char *resize(OnnxGraph *g, const GraphNodeView *node, const char *mode, const char *coordinates)
{
    const Shape out = onnx_shape(g, node->out);
    const char *sizes = ONNX_INTS(g, out.dim[0], out.dim[3], out.dim[1], out.dim[2]);
    const char *y = ONNX_OP(g, "Resize", map_of(g, node), "", "", sizes);
    onnx_set_string(onnx_file_of(g), "mode", mode);
    onnx_set_string(onnx_file_of(g), "coordinate_transformation_mode", coordinates);
    return y;
}

void onnx_translate_resize_bilinear(OnnxGraph *g, const GraphNodeView *node)
{
    const ResizeBilinearAttr *attr = node->attr;
    onnx_put(g, node->out, true, resize(g, node, "linear", attr->align_corners ? "align_corners" : "half_pixel"));
}

void onnx_translate_resize_nearest(OnnxGraph *g, const GraphNodeView *node)
{
    const char *y = resize(g, node, "nearest", "asymmetric");
    onnx_set_string(onnx_file_of(g), "nearest_mode", "floor");
    onnx_put(g, node->out, true, y);
}

/* All maps at one size, side by side. */
static const char *join_levels(OnnxGraph *g, int32_t n, const Var *levels, const Shape *out)
{
    const char *maps[STEP_MAX_IN];
    for (int32_t i = 0; i < n; i++) {
        const Shape in = onnx_shape(g, levels[i]);
        maps[i] = onnx_get(g, levels[i], true);
        if (in.dim[1] == out->dim[1] && in.dim[2] == out->dim[2]) continue;
        const char *sizes = ONNX_INTS(g, out->dim[0], in.dim[3], out->dim[1], out->dim[2]);
        maps[i] = ONNX_OP(g, "Resize", maps[i], "", "", sizes);
        onnx_set_string(onnx_file_of(g), "mode", "linear");
        onnx_set_string(onnx_file_of(g), "coordinate_transformation_mode", "half_pixel");
    }
    const char *joined = onnx_add(g, "Concat", n, maps);
    onnx_set_int(onnx_file_of(g), "axis", 1);
    return joined;
}

void onnx_translate_conv2d_levels(OnnxGraph *g, const GraphNodeView *node)
{
    enum { FIRST = 5 }; /* of the maps; before: weight, normalisation */
    const Conv2dLevelsAttr *attr = node->attr;
    const Shape shape = onnx_shape(g, node->in[0]), out = onnx_shape(g, node->out);
    const Filters filters = fold(g, node->in[0], NULL, &node->in[1], attr->batchnorm_eps);
    if (filters.bias == NULL) return;
    const char *x = join_levels(g, node->n_in - FIRST, &node->in[FIRST], &out);
    const char *y = ONNX_OP(g, "Conv", x, onnx_constant(g, "weight", 4, shape.dim, filters.weight),
                            onnx_constant(g, "bias", 1, shape.dim, filters.bias));
    onnx_set_ints(onnx_file_of(g), "kernel_shape", 2, ONNX_DIMS(3, 3));
    onnx_set_ints(onnx_file_of(g), "pads", 4, ONNX_DIMS(1, 1, 1, 1));
    onnx_put(g, node->out, true, onnx_activate(g, ACTIVATION_RELU, y));
}

/* ---- places ---- */

void onnx_translate_crop(OnnxGraph *g, const GraphNodeView *node)
{
    const CropAttr *attr = node->attr;
    const bool map = onnx_computes_as_map(g, 1, node->in);
    const int64_t axis = map ? 2 : 1;
    const char *y = ONNX_OP(g, "Slice", onnx_get(g, node->in[0], map), ONNX_INTS(g, 0, 0),
                            ONNX_INTS(g, attr->height, attr->width), ONNX_INTS(g, axis, axis + 1));
    onnx_put(g, node->out, map, y);
}

/* Position n + i of an axis of length n that is continued by reflection, to and fro. */
static const char *reflect_along(OnnxGraph *g, const char *x, int64_t axis, int64_t n, int64_t more)
{
    const int64_t period = n > 1 ? 2 * n - 2 : 1;
    int64_t *positions = onnx_room(onnx_file_of(g), n + more, sizeof *positions);
    if (positions == NULL || more == 0) return x;
    for (int64_t i = 0; i < n + more; i++) {
        const int64_t at = i % period;
        positions[i] = i < n ? i : at < n ? at : period - at;
    }
    return onnx_gather(g, x, axis, n + more, positions);
}

void onnx_translate_pad_reflect(OnnxGraph *g, const GraphNodeView *node)
{
    const PadReflectAttr *attr = node->attr;
    const Shape in = onnx_shape(g, node->in[0]);
    const bool map = onnx_computes_as_map(g, 1, node->in);
    const char *x = onnx_get(g, node->in[0], map);
    x = reflect_along(g, x, map ? 2 : 1, in.dim[1], attr->bottom);
    onnx_put(g, node->out, map, reflect_along(g, x, map ? 3 : 2, in.dim[2], attr->right));
}

void onnx_translate_space_to_depth(OnnxGraph *g, const GraphNodeView *node)
{
    const SpaceToDepthAttr *attr = node->attr;
    const Shape in = onnx_shape(g, node->in[0]), out = onnx_shape(g, node->out);
    const int64_t n = attr->block, C = in.dim[3], bottom = out.dim[1] * n - in.dim[1],
                  right = out.dim[2] * n - in.dim[2];
    const char *x = onnx_get(g, node->in[0], false);
    if (bottom > 0 || right > 0) x = ONNX_OP(g, "Pad", x, ONNX_INTS(g, 0, 0, 0, 0, 0, bottom, right, 0));
    x = ONNX_RESHAPE(g, x, in.dim[0], out.dim[1], n, out.dim[2], n, C);
    x = attr->columns_first ? ONNX_TRANSPOSE(g, x, 0, 1, 3, 4, 2, 5) : ONNX_TRANSPOSE(g, x, 0, 1, 3, 2, 4, 5);
    onnx_put(g, node->out, false, onnx_reshape(g, x, &out));
}
