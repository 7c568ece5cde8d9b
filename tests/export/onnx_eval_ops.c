/* SPDX-License-Identifier: Apache-2.0
 * The operators, by their definitions (onnx.ai/onnx/operators, opset 17). */
#include "export/onnx_eval.h"

#include <math.h>
#include <string.h>

static const EvalAttribute *find(const EvalNode *node, const char *name)
{
    for (int64_t i = 0; i < node->n_attributes; i++)
        if (strcmp(node->attributes[i].name, name) == 0) return &node->attributes[i];
    return NULL;
}

/* The text of an attribute that a node must have. */
static const char *attribute_text(const EvalNode *node, const char *name)
{
    const EvalAttribute *attribute = find(node, name);
    assert_non_null(attribute);
    return attribute != NULL ? attribute->text : "";
}

static int64_t attribute_int(const EvalNode *node, const char *name, int64_t otherwise)
{
    const EvalAttribute *attribute = find(node, name);
    return attribute != NULL ? attribute->i : otherwise;
}

static int64_t attribute_ints(const EvalNode *node, const char *name, int64_t index, int64_t otherwise)
{
    const EvalAttribute *attribute = find(node, name);
    return attribute != NULL ? attribute->ints[index] : otherwise;
}

static int64_t axis_of(const EvalTensor *x, int64_t axis) { return axis < 0 ? axis + x->rank : axis; }

static int64_t stride_of(const EvalTensor *x, int64_t axis) { return x->stride[axis]; }

/* Position of element `at` of y along an axis. */
static int64_t position(const EvalTensor *y, int64_t at, int64_t axis)
{
    return at / stride_of(y, axis) % y->dim[axis];
}

static void like(const EvalTensor *x, EvalTensor *y)
{
    y->rank = x->rank;
    memcpy(y->dim, x->dim, sizeof y->dim);
    eval_allocate(y);
}

/* Element of x that element `at` of y reads when x is broadcast to y. */
static double broadcast(const EvalTensor *x, const EvalTensor *y, int64_t at)
{
    int64_t from = 0;
    for (int64_t i = 0; i < x->rank; i++) {
        const int64_t along = position(y, at, y->rank - x->rank + i);
        if (x->dim[i] != 1) assert_int_equal(x->dim[i], y->dim[y->rank - x->rank + i]);
        if (x->dim[i] != 1) from += along * stride_of(x, i);
    }
    return x->v[from];
}

static double apply_two(const char *op, double a, double b)
{
    if (strcmp(op, "Add") == 0) return a + b;
    if (strcmp(op, "Mul") == 0) return a * b;
    if (strcmp(op, "Div") == 0) return a / b;
    if (strcmp(op, "Max") == 0) return fmax(a, b);
    fail_msg("the evaluator has no '%s'", op);
    return 0;
}

static void binary(const EvalNode *node, EvalTensor *y)
{
    const EvalTensor *a = node->in[0], *b = node->in[1];
    y->rank = a->rank > b->rank ? a->rank : b->rank;
    for (int64_t i = 0; i < y->rank; i++) {
        const int64_t ia = i - (y->rank - a->rank), ib = i - (y->rank - b->rank);
        const int64_t da = ia >= 0 ? a->dim[ia] : 1, db = ib >= 0 ? b->dim[ib] : 1;
        y->dim[i] = da > db ? da : db;
    }
    eval_allocate(y);
    for (int64_t at = 0; at < y->count; at++) y->v[at] = apply_two(node->op, broadcast(a, y, at), broadcast(b, y, at));
}

static bool apply_one(const char *op, double x, double *ret_y)
{
    const struct {
        const char *name;
        double y;
    } known[] = { { "Relu", fmax(x, 0) },
                  { "Sigmoid", 1 / (1 + exp(-x)) },
                  { "Erf", erf(x) },
                  { "Tanh", tanh(x) },
                  { "Softplus", x > 30 ? x : log1p(exp(x)) },
                  { "Neg", -x },
                  { "Sqrt", sqrt(x) },
                  { "Log", log(x) },
                  { "Identity", x } };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (strcmp(known[i].name, op) != 0) continue;
        *ret_y = known[i].y;
        return true;
    }
    return false;
}

static bool unary(const EvalNode *node, EvalTensor *y)
{
    double value = 0;
    if (!apply_one(node->op, 1, &value)) return false;
    like(node->in[0], y);
    for (int64_t i = 0; i < y->count; i++) (void)apply_one(node->op, node->in[0]->v[i], &y->v[i]);
    return true;
}

static void clip(const EvalNode *node, EvalTensor *y)
{
    like(node->in[0], y);
    for (int64_t i = 0; i < y->count; i++) y->v[i] = fmin(fmax(node->in[0]->v[i], *node->in[1]->v), *node->in[2]->v);
}

/* ---- shapes ---- */

static void reshape(const EvalNode *node, EvalTensor *y)
{
    y->rank = node->in[1]->count;
    for (int64_t i = 0; i < y->rank; i++) y->dim[i] = (int64_t)node->in[1]->v[i];
    eval_allocate(y);
    assert_int_equal(y->count, node->in[0]->count);
    memcpy(y->v, node->in[0]->v, (size_t)y->count * sizeof *y->v);
}

static void expand(const EvalNode *node, EvalTensor *y)
{
    y->rank = node->in[1]->count;
    for (int64_t i = 0; i < y->rank; i++) y->dim[i] = (int64_t)node->in[1]->v[i];
    eval_allocate(y);
    for (int64_t at = 0; at < y->count; at++) y->v[at] = broadcast(node->in[0], y, at);
}

static void transpose(const EvalNode *node, EvalTensor *y)
{
    const EvalTensor *x = node->in[0];
    y->rank = x->rank;
    for (int64_t i = 0; i < x->rank; i++) y->dim[i] = x->dim[attribute_ints(node, "perm", i, 0)];
    eval_allocate(y);
    for (int64_t at = 0; at < y->count; at++) {
        int64_t from = 0;
        for (int64_t i = 0; i < y->rank; i++)
            from += position(y, at, i) * stride_of(x, attribute_ints(node, "perm", i, 0));
        y->v[at] = x->v[from];
    }
}

static void slice(const EvalNode *node, EvalTensor *y)
{
    const EvalTensor *x = node->in[0];
    int64_t first[EVAL_RANK] = { 0 };
    y->rank = x->rank;
    memcpy(y->dim, x->dim, sizeof y->dim);
    for (int64_t i = 0; i < node->in[3]->count; i++) {
        const int64_t axis = (int64_t)node->in[3]->v[i];
        first[axis] = (int64_t)node->in[1]->v[i];
        y->dim[axis] = (int64_t)node->in[2]->v[i] - first[axis];
    }
    eval_allocate(y);
    for (int64_t at = 0; at < y->count; at++) {
        int64_t from = 0;
        for (int64_t i = 0; i < y->rank; i++) from += (position(y, at, i) + first[i]) * stride_of(x, i);
        y->v[at] = x->v[from];
    }
}

static void gather(const EvalNode *node, EvalTensor *y)
{
    const EvalTensor *x = node->in[0], *positions = node->in[1];
    const int64_t axis = attribute_int(node, "axis", 0), inner = stride_of(x, axis);
    assert_int_equal(positions->rank, 1);
    y->rank = x->rank;
    memcpy(y->dim, x->dim, sizeof y->dim);
    y->dim[axis] = positions->count;
    eval_allocate(y);
    for (int64_t at = 0; at < y->count; at++) {
        const int64_t p = (int64_t)positions->v[position(y, at, axis)], outer = at / inner / y->dim[axis];
        assert_true(p >= 0 && p < x->dim[axis]);
        y->v[at] = x->v[(outer * x->dim[axis] + p) * inner + at % inner];
    }
}

static void concat(const EvalNode *node, EvalTensor *y)
{
    const int64_t axis = axis_of(node->in[0], attribute_int(node, "axis", 0));
    y->rank = node->in[0]->rank;
    memcpy(y->dim, node->in[0]->dim, sizeof y->dim);
    for (int64_t i = 1; i < node->n_in; i++) y->dim[axis] += node->in[i]->dim[axis];
    eval_allocate(y);
    const int64_t inner = stride_of(y, axis);
    for (int64_t at = 0; at < y->count; at++) {
        int64_t p = position(y, at, axis), i = 0;
        const int64_t outer = at / inner / y->dim[axis];
        while (p >= node->in[i]->dim[axis]) p -= node->in[i++]->dim[axis];
        y->v[at] = node->in[i]->v[(outer * node->in[i]->dim[axis] + p) * inner + at % inner];
    }
}

static void pad(const EvalNode *node, EvalTensor *y)
{
    const EvalTensor *x = node->in[0];
    const EvalAttribute *mode = find(node, "mode");
    const bool reflects = mode != NULL && strcmp(mode->text, "reflect") == 0;
    y->rank = x->rank;
    for (int64_t i = 0; i < x->rank; i++)
        y->dim[i] = x->dim[i] + (int64_t)(node->in[1]->v[i] + node->in[1]->v[x->rank + i]);
    eval_allocate(y);
    for (int64_t at = 0; at < y->count; at++) {
        int64_t from = 0;
        bool inside = true;
        for (int64_t i = 0; i < y->rank; i++) {
            int64_t p = position(y, at, i) - (int64_t)node->in[1]->v[i];
            if (reflects && p < 0) p = -p;
            if (reflects && p >= x->dim[i]) p = 2 * x->dim[i] - 2 - p;
            inside = inside && p >= 0 && p < x->dim[i];
            from += p * stride_of(x, i);
        }
        y->v[at] = inside ? x->v[from] : 0;
    }
}

/* ---- sums ---- */

static bool reduces(const EvalNode *node, const EvalTensor *x, int64_t axis)
{
    const EvalAttribute *axes = find(node, "axes");
    for (int64_t i = 0; axes != NULL && i < axes->n_ints; i++)
        if (axis_of(x, axes->ints[i]) == axis) return true;
    for (int64_t i = 0; node->n_in > 1 && i < node->in[1]->count; i++)
        if (axis_of(x, (int64_t)node->in[1]->v[i]) == axis) return true;
    return false;
}

static void reduce(const EvalNode *node, EvalTensor *y)
{
    const EvalTensor *x = node->in[0];
    const bool squares = strcmp(node->op, "ReduceL2") == 0 || strcmp(node->op, "ReduceSumSquare") == 0;
    y->rank = x->rank;
    for (int64_t i = 0; i < x->rank; i++) y->dim[i] = reduces(node, x, i) ? 1 : x->dim[i];
    eval_allocate(y);
    for (int64_t at = 0; at < x->count; at++) {
        int64_t to = 0;
        for (int64_t i = 0; i < x->rank; i++)
            if (y->dim[i] == x->dim[i]) to += position(x, at, i) * stride_of(y, i);
        y->v[to] += squares ? x->v[at] * x->v[at] : x->v[at];
    }
    for (int64_t i = 0; i < y->count; i++) {
        if (strcmp(node->op, "ReduceMean") == 0) y->v[i] /= (double)(x->count / y->count);
        if (strcmp(node->op, "ReduceL2") == 0) y->v[i] = sqrt(y->v[i]);
    }
}

static void softmax(const EvalNode *node, EvalTensor *y)
{
    const EvalTensor *x = node->in[0];
    const int64_t axis = axis_of(x, attribute_int(node, "axis", -1)), n = x->dim[axis], inner = stride_of(x, axis);
    like(x, y);
    for (int64_t row = 0; row < x->count / n; row++) {
        const int64_t first = row / inner * n * inner + row % inner;
        double most = -INFINITY, sum = 0;
        for (int64_t i = 0; i < n; i++) most = fmax(most, x->v[first + i * inner]);
        for (int64_t i = 0; i < n; i++) sum += exp(x->v[first + i * inner] - most);
        for (int64_t i = 0; i < n; i++) y->v[first + i * inner] = exp(x->v[first + i * inner] - most) / sum;
    }
}

static void layer_normalisation(const EvalNode *node, EvalTensor *y)
{
    const EvalTensor *x = node->in[0];
    const int64_t n = x->dim[x->rank - 1];
    like(x, y);
    for (int64_t row = 0; row < x->count; row += n) {
        double mean = 0, var = 0;
        for (int64_t i = 0; i < n; i++) mean += x->v[row + i] / (double)n;
        for (int64_t i = 0; i < n; i++) var += (x->v[row + i] - mean) * (x->v[row + i] - mean) / (double)n;
        const double scale = 1 / sqrt(var + (double)find(node, "epsilon")->f);
        for (int64_t i = 0; i < n; i++)
            y->v[row + i] = (x->v[row + i] - mean) * scale * node->in[1]->v[i] + node->in[2]->v[i];
    }
}

static void matrix_product(const EvalNode *node, EvalTensor *y)
{
    EvalTensor a = *node->in[0], b = *node->in[1];
    const bool vector = a.rank == 1; /* a row, whose axis is taken away again */
    if (vector) {
        a.rank = 2;
        a.dim[1] = a.dim[0];
        a.dim[0] = 1;
    }
    const int64_t m = a.dim[a.rank - 2], k = a.dim[a.rank - 1], n = b.dim[b.rank - 1];
    assert_int_equal(k, b.dim[b.rank - 2]);
    const EvalTensor *longer = a.rank >= b.rank ? &a : &b;
    y->rank = longer->rank;
    memcpy(y->dim, longer->dim, sizeof y->dim);
    y->dim[y->rank - 2] = m;
    y->dim[y->rank - 1] = n;
    eval_allocate(y);
    const int64_t batch_a = a.rank > 2 ? a.count / (m * k) : 1, batch_b = b.rank > 2 ? b.count / (k * n) : 1;
    assert_true(batch_a == 1 || batch_b == 1 || batch_a == batch_b);
    for (int64_t at = 0; at < y->count; at++) {
        const int64_t batch = at / (m * n), row = at / n % m, column = at % n;
        const double *from_a = a.v + (batch % batch_a * m + row) * k, *from_b = b.v + batch % batch_b * k * n + column;
        for (int64_t i = 0; i < k; i++) y->v[at] += from_a[i] * from_b[i * n];
    }
    if (!vector) return;
    y->rank = 1;
    y->dim[0] = n;
}

/* ---- maps ---- */

/* Kernel, stride, padding before and dilation along axes 2 and 3; sets the shape of the result. */
typedef struct Grid {
    int64_t kernel[2], stride[2], before[2], dilation[2];
} Grid;

static Grid grid_of(const EvalNode *node, EvalTensor *y)
{
    const EvalTensor *x = node->in[0];
    Grid grid;
    y->rank = 4;
    y->dim[0] = x->dim[0];
    y->dim[1] = strcmp(node->op, "Conv") == 0 ? node->in[1]->dim[0] : x->dim[1];
    for (int64_t i = 0; i < 2; i++) {
        grid.kernel[i] = attribute_ints(node, "kernel_shape", i, 1);
        grid.stride[i] = attribute_ints(node, "strides", i, 1);
        grid.before[i] = attribute_ints(node, "pads", i, 0);
        grid.dilation[i] = attribute_ints(node, "dilations", i, 1);
        const int64_t padded = x->dim[2 + i] + grid.before[i] + attribute_ints(node, "pads", 2 + i, 0);
        y->dim[2 + i] = (padded - (grid.kernel[i] - 1) * grid.dilation[i] - 1) / grid.stride[i] + 1;
    }
    eval_allocate(y);
    return grid;
}

/* Offset in a channel's map of the pixel that tap (dy, dx) of result (oy, ox) reads; -1: outside. */
static int64_t tap(const Grid *grid, const EvalTensor *x, int64_t oy, int64_t ox, int64_t dy, int64_t dx)
{
    const int64_t row = oy * grid->stride[0] - grid->before[0] + dy * grid->dilation[0];
    const int64_t column = ox * grid->stride[1] - grid->before[1] + dx * grid->dilation[1];
    if (row < 0 || column < 0 || row >= x->dim[2] || column >= x->dim[3]) return -1;
    return row * x->dim[3] + column;
}

static void convolution(const EvalNode *node, EvalTensor *y)
{
    const EvalTensor *x = node->in[0], *w = node->in[1];
    const Grid grid = grid_of(node, y);
    const int64_t groups = attribute_int(node, "group", 1), area = x->dim[2] * x->dim[3], per_group = w->dim[1];
    assert_int_equal(per_group * groups, x->dim[1]);
    for (int64_t at = 0; at < y->count; at++) {
        const int64_t b = position(y, at, 0), o = position(y, at, 1), group = o / (y->dim[1] / groups);
        double sum = node->n_in > 2 ? node->in[2]->v[o] : 0;
        for (int64_t t = 0; t < grid.kernel[0] * grid.kernel[1]; t++) {
            const int64_t from =
                tap(&grid, x, position(y, at, 2), position(y, at, 3), t / grid.kernel[1], t % grid.kernel[1]);
            for (int64_t c = 0; c < per_group && from >= 0; c++)
                sum += x->v[(b * x->dim[1] + group * per_group + c) * area + from] *
                       w->v[(o * per_group + c) * grid.kernel[0] * grid.kernel[1] + t];
        }
        y->v[at] = sum;
    }
}

static void pool(const EvalNode *node, EvalTensor *y)
{
    const EvalTensor *x = node->in[0];
    const Grid grid = grid_of(node, y);
    const bool most = strcmp(node->op, "MaxPool") == 0;
    if (!most) assert_int_equal(attribute_int(node, "count_include_pad", 0), 1);
    for (int64_t at = 0; at < y->count; at++) {
        const double *map = x->v + (position(y, at, 0) * x->dim[1] + position(y, at, 1)) * x->dim[2] * x->dim[3];
        double result = most ? -INFINITY : 0;
        for (int64_t t = 0; t < grid.kernel[0] * grid.kernel[1]; t++) {
            const int64_t from =
                tap(&grid, x, position(y, at, 2), position(y, at, 3), t / grid.kernel[1], t % grid.kernel[1]);
            if (from >= 0) result = most ? fmax(result, map[from]) : result + map[from];
        }
        y->v[at] = most ? result : result / (double)(grid.kernel[0] * grid.kernel[1]);
    }
}

static void global_average(const EvalNode *node, EvalTensor *y)
{
    const EvalTensor *x = node->in[0];
    const int64_t area = x->dim[2] * x->dim[3];
    y->rank = 4;
    y->dim[0] = x->dim[0];
    y->dim[1] = x->dim[1];
    y->dim[2] = y->dim[3] = 1;
    eval_allocate(y);
    for (int64_t i = 0; i < x->count; i++) y->v[i / area] += x->v[i] / (double)area;
}

/* Kernel as large as its stride: each result is of one pixel. */
static void transposed_convolution(const EvalNode *node, EvalTensor *y)
{
    const EvalTensor *x = node->in[0], *w = node->in[1];
    const int64_t k = attribute_ints(node, "strides", 0, 1), channels = w->dim[1];
    assert_int_equal(k, attribute_ints(node, "kernel_shape", 0, 1));
    y->rank = 4;
    y->dim[0] = x->dim[0];
    y->dim[1] = channels;
    y->dim[2] = k * x->dim[2];
    y->dim[3] = k * x->dim[3];
    eval_allocate(y);
    for (int64_t at = 0; at < y->count; at++) {
        const int64_t o = position(y, at, 1), oy = position(y, at, 2), ox = position(y, at, 3);
        double sum = node->in[2]->v[o];
        for (int64_t c = 0; c < x->dim[1]; c++)
            sum += x->v[((position(y, at, 0) * x->dim[1] + c) * x->dim[2] + oy / k) * x->dim[3] + ox / k] *
                   w->v[((c * channels + o) * k + oy % k) * k + ox % k];
        y->v[at] = sum;
    }
}

/* Source of a result along an axis, in the mode of the node. */
static double source(const EvalNode *node, int64_t axis, int64_t at, int64_t from, int64_t to)
{
    const char *mode = attribute_text(node, "coordinate_transformation_mode");
    (void)axis;
    if (strcmp(mode, "align_corners") == 0) return to > 1 ? (double)at * (double)(from - 1) / (double)(to - 1) : 0;
    if (strcmp(mode, "asymmetric") == 0) return (double)at * (double)from / (double)to;
    assert_string_equal(mode, "half_pixel");
    return fmin(fmax(((double)at + 0.5) * (double)from / (double)to - 0.5, 0), (double)(from - 1));
}

static void resize(const EvalNode *node, EvalTensor *y)
{
    const EvalTensor *x = node->in[0];
    const bool linear = strcmp(attribute_text(node, "mode"), "linear") == 0;
    y->rank = 4;
    for (int64_t i = 0; i < 4; i++) y->dim[i] = (int64_t)node->in[3]->v[i];
    eval_allocate(y);
    for (int64_t at = 0; at < y->count; at++) {
        const double *map = x->v + at / (y->dim[2] * y->dim[3]) * x->dim[2] * x->dim[3];
        double part[2];
        int64_t first[2], second[2];
        for (int64_t i = 0; i < 2; i++) {
            const double s = source(node, i, position(y, at, 2 + i), x->dim[2 + i], y->dim[2 + i]);
            first[i] = (int64_t)floor(s + 1e-9);
            second[i] = first[i] + 1 < x->dim[2 + i] ? first[i] + 1 : first[i];
            part[i] = linear ? s - (double)first[i] : 0;
        }
        const double *top = map + first[0] * x->dim[3], *bottom = map + second[0] * x->dim[3];
        y->v[at] = (1 - part[0]) * ((1 - part[1]) * top[first[1]] + part[1] * top[second[1]]) +
                   part[0] * ((1 - part[1]) * bottom[first[1]] + part[1] * bottom[second[1]]);
    }
}

void eval_node(const EvalNode *node, EvalTensor *ret_out)
{
    static const struct {
        const char *op;
        void (*run)(const EvalNode *node, EvalTensor *y);
    } operators[] = { { "Add", binary },
                      { "Mul", binary },
                      { "Div", binary },
                      { "Max", binary },
                      { "Clip", clip },
                      { "Reshape", reshape },
                      { "Expand", expand },
                      { "Transpose", transpose },
                      { "Slice", slice },
                      { "Gather", gather },
                      { "Concat", concat },
                      { "Pad", pad },
                      { "ReduceL2", reduce },
                      { "ReduceMean", reduce },
                      { "ReduceSumSquare", reduce },
                      { "ReduceSum", reduce },
                      { "Softmax", softmax },
                      { "LayerNormalization", layer_normalisation },
                      { "MatMul", matrix_product },
                      { "Conv", convolution },
                      { "MaxPool", pool },
                      { "AveragePool", pool },
                      { "GlobalAveragePool", global_average },
                      { "ConvTranspose", transposed_convolution },
                      { "Resize", resize } };
    for (size_t i = 0; i < sizeof operators / sizeof *operators; i++) {
        if (strcmp(operators[i].op, node->op) != 0) continue;
        operators[i].run(node, ret_out);
        return;
    }
    if (!unary(node, ret_out)) fail_msg("the evaluator has no '%s'", node->op);
}
