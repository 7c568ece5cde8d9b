/* SPDX-License-Identifier: Apache-2.0
 *
 * Our ops against ONNX's operator vectors: inputs, weights and results that others computed, at every instruction set
 * this processor has, to 1e-5 of the largest value. Where ONNX has an operator that we have only as a part of another
 * op, or in channels-last form, the case says how it is put together. Skipped where set-up has not brought the
 * vectors; docs/foreign-tests.md tells which of them no op of ours covers. */
#include "foreign/onnx_case.h"

#include "graph/program.h"
#include "harness/data_file.h"
#include "ops/ops.h"

#include <math.h>

enum { MAX_BYTES = 1 << 24, MAX_OPERANDS = 8 };

static char *vectors;
static size_t vectors_length;

/* ---- running ops ---- */

typedef Var (*Build)(Graph *g, const Var *in, const OnnxCase *c);

typedef struct Operands {
    Tensor tensor[MAX_OPERANDS];
    int32_t n;
} Operands;

static float *floats(int64_t n)
{
    float *values = calloc((size_t)n + 1, sizeof *values);
    assert_non_null(values);
    return values;
}

static void operand(Operands *operands, Shape shape, float *values)
{
    operands->tensor[operands->n++] = (Tensor){ DTYPE_F32, shape, values };
}

/* The first operand is an input of the program, f32 ones after it are parameters. Returns a copy of the n values of the
 * result: free(). */
static float *compute(CpuIsa isa, const OnnxCase *c, Build build, const Operands *operands, int64_t n)
{
    ParamSet *params = NULL;
    Graph *g = NULL;
    Program *program = NULL;
    Var in[MAX_OPERANDS];
    char name[MAX_OPERANDS][8];
    ASSERT_OK(params_new(&params));
    ASSERT_OK(graph_new(params, false, &g));
    for (int32_t i = 0; i < operands->n; i++) {
        const Tensor *t = &operands->tensor[i];
        (void)snprintf(name[i], sizeof name[i], "in%d", (int)i);
        in[i] = i == 0 || t->dtype != DTYPE_F32 ? graph_input(g, name[i], t->dtype, t->shape)
                                                : graph_param(g, name[i], t->shape, (ParamInit){ INIT_ZERO, 0 });
    }
    graph_output(g, "out", build(g, in, c));
    ProgramOptions options = program_options_defaults();
    options.device.isa = isa;
    options.poison = true;
    ASSERT_OK(program_compile(g, params, &options, &program));
    for (int32_t i = 0; i < operands->n; i++) {
        const int32_t param = params_find(params, name[i]);
        const Tensor to = param >= 0 ? params_tensor(params, param) : program_tensor(program, name[i]);
        memcpy(to.data, operands->tensor[i].data, tensor_bytes(&to));
    }
    ASSERT_OK(program_forward(program, 0));
    const Tensor out = program_tensor(program, "out");
    assert_int_equal(shape_count(&out.shape), n);
    float *values = floats(n);
    memcpy(values, out.data, tensor_bytes(&out));
    program_free(program);
    graph_free(g);
    params_free(params);
    return values;
}

/* ---- layouts ---- */

/* [outer, a, b] to [outer, b, a]; free(). */
static float *exchanged(const float *from, int64_t outer, int64_t a, int64_t b)
{
    float *to = floats(outer * a * b);
    for (int64_t o = 0; o < outer; o++)
        for (int64_t i = 0; i < a; i++)
            for (int64_t k = 0; k < b; k++) to[(o * b + k) * a + i] = from[(o * a + i) * b + k];
    return to;
}

/* [N, C, ...] to [N, ..., C] and back. */
static float *channels_last(const OnnxTensor *t)
{
    return exchanged(t->values, t->dim[0], t->dim[1], t->count / (t->dim[0] * t->dim[1]));
}
static float *channels_first(float *from, const OnnxTensor *like)
{
    float *to = exchanged(from, like->dim[0], like->count / (like->dim[0] * like->dim[1]), like->dim[1]);
    free(from);
    return to;
}

/* Height and width; what has one dimension is one row. */
static int64_t height(const OnnxTensor *t) { return t->rank == 4 ? t->dim[2] : 1; }
static int64_t width(const OnnxTensor *t) { return t->dim[t->rank - 1]; }

/* ---- convolution, normalisation, matrix products ---- */

static Var build_conv(Graph *g, const Var *in, const OnnxCase *c)
{
    const OnnxAttribute *pads = onnx_attribute(c, "pads"), *strides = onnx_attribute(c, "strides");
    const int64_t axes = c->in[0].rank - 2;
    const bool depthwise = c->in[1].dim[1] != c->in[0].dim[1];
    assert_int_equal(pads->n_ints, 2 * axes);
    assert_int_equal(strides->ints[0], strides->ints[axes - 1]);
    const Conv2dAttr attr = { .stride = (int32_t)strides->ints[0],
                              .groups = depthwise ? (int32_t)c->in[0].dim[1] : 1,
                              .top = axes == 2 ? (int32_t)pads->ints[0] : 0,
                              .left = (int32_t)pads->ints[axes - 1],
                              .bottom = axes == 2 ? (int32_t)pads->ints[2] : 0,
                              .right = (int32_t)pads->ints[2 * axes - 1] };
    return op_conv2d(g, in[0], in[1], c->n_in > 2 ? in[2] : VAR_NONE, CONV2D_FOLD_NONE, attr);
}

static float *conv(const OnnxCase *c, CpuIsa isa)
{
    const OnnxTensor *x = &c->in[0], *w = &c->in[1];
    Operands operands = { .n = 0 };
    operand(&operands, shape4(x->dim[0], height(x), width(x), x->dim[1]), channels_last(x));
    operand(&operands, shape4(w->dim[0], w->dim[1], height(w), width(w)), w->values);
    if (c->n_in > 2) operand(&operands, shape1(w->dim[0]), c->in[2].values);
    float *out = compute(isa, c, build_conv, &operands, c->out[0].count);
    free(operands.tensor[0].data);
    return channels_first(out, &c->out[0]);
}

static Var build_batchnorm(Graph *g, const Var *in, const OnnxCase *c)
{
    const BatchnormAttr attr = { .eps = onnx_attribute(c, "epsilon")->number };
    return op_batchnorm(g, in[0], in[1], in[2], in[3], in[4], &attr);
}

static float *batchnorm(const OnnxCase *c, CpuIsa isa)
{
    const OnnxTensor *x = &c->in[0];
    const int64_t channels = x->dim[1];
    Operands operands = { .n = 0 };
    operand(&operands, shape4(x->dim[0], 1, x->count / (x->dim[0] * channels), channels), channels_last(x));
    for (int64_t i = 1; i < 5; i++) operand(&operands, shape1(channels), c->in[i].values);
    float *out = compute(isa, c, build_batchnorm, &operands, x->count);
    free(operands.tensor[0].data);
    return channels_first(out, &c->out[0]);
}

static Var build_linear(Graph *g, const Var *in, const OnnxCase *c)
{
    return op_linear(g, in[0], in[1], c->n_in > 2 ? in[2] : VAR_NONE);
}

static float *linear(const OnnxCase *c, CpuIsa isa)
{
    Operands operands = { .n = 0 };
    operand(&operands, shape2(c->in[0].dim[0], c->in[0].dim[1]), c->in[0].values);
    operand(&operands, shape2(c->in[1].dim[0], c->in[1].dim[1]), c->in[1].values);
    if (c->n_in > 2) operand(&operands, shape1(c->in[2].count), c->in[2].values);
    return compute(isa, c, build_linear, &operands, c->out[0].count);
}

/* mm: A B; addmm: A B + (A B + c). Ours has B transposed. */
static Var build_matrix_product(Graph *g, const Var *in, const OnnxCase *c)
{
    if (c->n_in < 3) return op_linear(g, in[0], in[1], VAR_NONE);
    return op_add(g, op_linear(g, in[0], in[1], in[2]), op_linear(g, in[0], in[1], VAR_NONE));
}

static float *matrix_product(const OnnxCase *c, CpuIsa isa)
{
    Operands operands = { .n = 0 };
    float *transposed = exchanged(c->in[1].values, 1, c->in[1].dim[0], c->in[1].dim[1]);
    operand(&operands, shape2(c->in[0].dim[0], c->in[0].dim[1]), c->in[0].values);
    operand(&operands, shape2(c->in[1].dim[1], c->in[1].dim[0]), transposed);
    if (c->n_in > 2) operand(&operands, shape1(c->in[2].count), c->in[2].values);
    float *out = compute(isa, c, build_matrix_product, &operands, c->out[0].count);
    free(transposed);
    return out;
}

/* ---- embedding, padding, means ---- */

static Var build_embedding(Graph *g, const Var *in, const OnnxCase *c)
{
    (void)c;
    return op_embedding(g, in[0], in[1]);
}

static float *embedding(const OnnxCase *c, CpuIsa isa)
{
    int32_t ids[64];
    Operands operands = { .n = 1 };
    assert_true(c->in[0].count <= ARRAY_LEN(ids));
    for (int64_t i = 0; i < c->in[0].count; i++) ids[i] = (int32_t)c->in[0].values[i];
    operands.tensor[0] = (Tensor){ DTYPE_I32, shape2(c->in[0].dim[0], c->in[0].dim[1]), ids };
    operand(&operands, shape2(c->in[1].dim[0], c->in[1].dim[1]), c->in[1].values);
    return compute(isa, c, build_embedding, &operands, c->out[0].count);
}

static Var build_pad_before(Graph *g, const Var *in, const OnnxCase *c)
{
    const int64_t *pads = onnx_attribute(c, "pads")->ints;
    return op_pad_reflect(g, in[0], (int32_t)pads[2], (int32_t)pads[3]);
}
static Var build_pad_after(Graph *g, const Var *in, const OnnxCase *c)
{
    const int64_t *pads = onnx_attribute(c, "pads")->ints;
    return op_pad_reflect(g, in[0], (int32_t)pads[6], (int32_t)pads[7]);
}

/* Turns images by 180 degrees. */
static void turn(float *values, int64_t images, int64_t pixels)
{
    for (int64_t i = 0; i < images; i++)
        for (int64_t k = 0; k < pixels / 2; k++) {
            float *a = values + i * pixels + k, *b = values + (i + 1) * pixels - 1 - k;
            const float kept = *a;
            *a = *b;
            *b = kept;
        }
}

/* Ours pads below and to the right alone: first the other two sides, turned. Every channel is an image of its own. */
static float *pad_reflect(const OnnxCase *c, CpuIsa isa)
{
    const OnnxTensor *x = &c->in[0];
    const int64_t *pads = onnx_attribute(c, "pads")->ints;
    const int64_t images = x->dim[0] * x->dim[1], rows = x->dim[2] + pads[2], columns = x->dim[3] + pads[3];
    Operands operands = { .n = 0 };
    turn(x->values, images, x->dim[2] * x->dim[3]);
    operand(&operands, shape4(images, x->dim[2], x->dim[3], 1), x->values);
    float *half = compute(isa, c, build_pad_before, &operands, images * rows * columns);
    turn(x->values, images, x->dim[2] * x->dim[3]);
    turn(half, images, rows * columns);
    operands.n = 0;
    operand(&operands, shape4(images, rows, columns, 1), half);
    float *out = compute(isa, c, build_pad_after, &operands, c->out[0].count);
    free(half);
    return out;
}

static Var build_mean(Graph *g, const Var *in, const OnnxCase *c)
{
    (void)c;
    return op_global_average_pool(g, in[0]);
}

/* Blocks of 2 (2x2) without overlap: each block is an image. */
static float *average_pool(const OnnxCase *c, CpuIsa isa)
{
    const OnnxTensor *x = &c->in[0], *y = &c->out[0];
    const int64_t rows = height(x) / height(y), outer = x->dim[0] * x->dim[1] * height(y);
    Operands operands = { .n = 0 };
    assert_int_equal(width(x), 2 * width(y));
    operand(&operands, shape4(outer * width(y), rows, 2, 1), exchanged(x->values, outer, rows, width(x)));
    float *columns = operands.tensor[0].data; /* of each row of blocks: columns, then rows, as the mean does not mind */
    float *out = compute(isa, c, build_mean, &operands, y->count);
    free(columns);
    return out;
}

/* Mean over dimension 2 of 4. */
static float *reduced_mean(const OnnxCase *c, CpuIsa isa)
{
    const OnnxTensor *x = &c->in[0];
    Operands operands = { .n = 0 };
    operand(&operands, shape4(x->dim[0] * x->dim[1], x->dim[2], 1, x->dim[3]), x->values);
    return compute(isa, c, build_mean, &operands, c->out[0].count);
}

/* ---- elementwise ---- */

static Var build_relu(Graph *g, const Var *in, const OnnxCase *c)
{
    (void)c;
    return op_activation(g, in[0], ACTIVATION_RELU);
}
static Var build_sigmoid(Graph *g, const Var *in, const OnnxCase *c)
{
    (void)c;
    return op_activation(g, in[0], ACTIVATION_SIGMOID);
}
static Var build_glu(Graph *g, const Var *in, const OnnxCase *c)
{
    (void)c;
    return op_multiply(g, in[1], op_activation(g, in[0], ACTIVATION_SIGMOID));
}

static float *elementwise(const OnnxCase *c, CpuIsa isa, Build build)
{
    Operands operands = { .n = 0 };
    operand(&operands, shape1(c->in[0].count), c->in[0].values);
    return compute(isa, c, build, &operands, c->out[0].count);
}
static float *relu(const OnnxCase *c, CpuIsa isa) { return elementwise(c, isa, build_relu); }
static float *sigmoid(const OnnxCase *c, CpuIsa isa) { return elementwise(c, isa, build_sigmoid); }

/* GLU: the first half of the dimension that shrinks times the sigmoid of the second. */
static float *glu(const OnnxCase *c, CpuIsa isa)
{
    const OnnxTensor *x = &c->in[0], *y = &c->out[0];
    int64_t axis = 0, inner = 1;
    while (x->dim[axis] == y->dim[axis]) axis++;
    for (int64_t i = axis; i < y->rank; i++) inner *= y->dim[i];
    float *halves[2] = { floats(y->count), floats(y->count) };
    for (int64_t i = 0; i < x->count; i++) halves[i / inner % 2][i / (2 * inner) * inner + i % inner] = x->values[i];
    Operands operands = { .n = 0 };
    operand(&operands, shape1(y->count), halves[1]);
    operand(&operands, shape1(y->count), halves[0]);
    float *out = compute(isa, c, build_glu, &operands, y->count);
    free(halves[0]);
    free(halves[1]);
    return out;
}

/* ---- softmax and its logarithm, layer normalisation ---- */

static Var build_attention(Graph *g, const Var *in, const OnnxCase *c)
{
    const AttentionAttr attr = { .heads = 1, .slots = ATTENTION_PLAIN };
    (void)c;
    return op_attention(g, in[0], in[1], in[2], VAR_NONE, VAR_NONE, &attr);
}

/* Softmax over the last dimension is attention with queries x, keys sqrt(D) I and values I. sign -1: of -x. */
static float *softmax_of(const OnnxCase *c, CpuIsa isa, float sign)
{
    const OnnxTensor *x = &c->in[0];
    const int64_t size = width(x), rows = x->count / size;
    float *query = floats(x->count), *key = floats(size * size), *value = floats(size * size);
    for (int64_t i = 0; i < x->count; i++) query[i] = sign * x->values[i];
    for (int64_t i = 0; i < size; i++) {
        key[i * size + i] = (float)sqrt((double)size);
        value[i * size + i] = 1.0F;
    }
    Operands operands = { .n = 0 };
    operand(&operands, (Shape){ 3, { 1, rows, size } }, query);
    operand(&operands, (Shape){ 3, { 1, size, size } }, key);
    operand(&operands, (Shape){ 3, { 1, size, size } }, value);
    float *out = compute(isa, c, build_attention, &operands, x->count);
    free(query);
    free(key);
    free(value);
    return out;
}
static float *softmax(const OnnxCase *c, CpuIsa isa) { return softmax_of(c, isa, 1.0F); }
static float *softmin(const OnnxCase *c, CpuIsa isa) { return softmax_of(c, isa, -1.0F); }

static Var build_cross_entropy(Graph *g, const Var *in, const OnnxCase *c)
{
    const CrossEntropyAttr attr = { .smoothing = 0.0F, .ignore = 255 };
    (void)c;
    return op_cross_entropy(g, in[0], in[1], &attr);
}

/* log softmax(x)_c is minus the cross-entropy of one pixel with the label c. */
static float *log_softmax(const OnnxCase *c, CpuIsa isa)
{
    const OnnxTensor *x = &c->in[0];
    const int64_t size = width(x);
    float *out = floats(x->count);
    for (int64_t i = 0; i < x->count; i++) {
        uint8_t label = (uint8_t)(i % size);
        Operands operands = { .n = 0 };
        operand(&operands, shape4(1, 1, 1, size), x->values + i / size * size);
        operands.tensor[operands.n++] = (Tensor){ DTYPE_U8, { 3, { 1, 1, 1 } }, &label };
        float *loss = compute(isa, c, build_cross_entropy, &operands, 1);
        out[i] = -loss[0];
        free(loss);
    }
    return out;
}

static Var build_layernorm(Graph *g, const Var *in, const OnnxCase *c)
{
    return op_layernorm(g, in[0], in[1], in[2], onnx_attribute(c, "epsilon")->number);
}

/* Instance normalisation of a channel is layer normalisation over its pixels with one weight and bias for all. */
static float *instance_norm(const OnnxCase *c, CpuIsa isa)
{
    const OnnxTensor *x = &c->in[0];
    const int64_t channels = x->dim[1], pixels = x->count / (x->dim[0] * channels);
    float *out = floats(x->count), *weight = floats(pixels), *bias = floats(pixels);
    for (int64_t i = 0; i < x->dim[0] * channels; i++) {
        Operands operands = { .n = 0 };
        for (int64_t k = 0; k < pixels; k++) {
            weight[k] = c->in[1].values[i % channels];
            bias[k] = c->in[2].values[i % channels];
        }
        operand(&operands, shape2(1, pixels), x->values + i * pixels);
        operand(&operands, shape1(pixels), weight);
        operand(&operands, shape1(pixels), bias);
        float *normed = compute(isa, c, build_layernorm, &operands, pixels);
        memcpy(out + i * pixels, normed, (size_t)pixels * sizeof *normed);
        free(normed);
    }
    free(weight);
    free(bias);
    return out;
}

/* ---- gradients ---- */

/* y and its gradients by a and b: y = a + b, or (a + b) a. */
static float *gradients(CpuIsa isa, const OnnxCase *c, bool product)
{
    ParamSet *params = NULL;
    Graph *g = NULL;
    Program *program = NULL;
    float *out = floats(3);
    ASSERT_OK(params_new(&params));
    ASSERT_OK(graph_new(params, true, &g));
    const Var a = graph_param(g, "a", shape1(1), (ParamInit){ INIT_ZERO, 0 });
    const Var b = graph_param(g, "b", shape1(1), (ParamInit){ INIT_ZERO, 0 });
    const Var sum = op_add(g, a, b), y = product ? op_multiply(g, sum, a) : sum;
    ProgramOptions options = program_options_defaults();
    options.device.isa = isa;
    options.loss = y;
    graph_output(g, "y", y);
    ASSERT_OK(program_compile(g, params, &options, &program));
    for (int32_t i = 0; i < 2; i++)
        *(float *)params_tensor(params, params_find(params, i == 0 ? "a" : "b")).data = c->in[i].values[0];
    ASSERT_OK(program_forward(program, 0));
    ASSERT_OK(program_backward(program, false));
    out[0] = *(const float *)program_tensor(program, "y").data;
    for (int32_t i = 0; i < 2; i++)
        out[i + 1] = params_gradients(params)[params_info(params, params_find(params, i == 0 ? "a" : "b"))->offset];
    program_free(program);
    graph_free(g);
    params_free(params);
    return out;
}
static float *gradient_of_add(const OnnxCase *c, CpuIsa isa) { return gradients(isa, c, false); }
static float *gradient_of_add_and_mul(const OnnxCase *c, CpuIsa isa) { return gradients(isa, c, true); }

/* ---- the cases ---- */

typedef struct Case {
    const char *folder;
    float *(*result)(const OnnxCase *c, CpuIsa isa); /* free() */
} Case;

#define CONVERTED(name, result)                                                                                        \
    {                                                                                                                  \
        "pytorch-converted/test_" name, result                                                                         \
    }
#define OPERATOR(name, result)                                                                                         \
    {                                                                                                                  \
        "pytorch-operator/test_operator_" name, result                                                                 \
    }

static const Case cases[] = {
    CONVERTED("Conv1d", conv),
    CONVERTED("Conv1d_pad1", conv),
    CONVERTED("Conv1d_pad1size1", conv),
    CONVERTED("Conv1d_pad2", conv),
    CONVERTED("Conv1d_pad2size1", conv),
    CONVERTED("Conv1d_stride", conv),
    CONVERTED("Conv2d", conv),
    CONVERTED("Conv2d_depthwise", conv),
    CONVERTED("Conv2d_depthwise_padded", conv),
    CONVERTED("Conv2d_depthwise_strided", conv),
    CONVERTED("Conv2d_no_bias", conv),
    CONVERTED("Conv2d_padding", conv),
    CONVERTED("Conv2d_strided", conv),
    OPERATOR("conv", conv),
    CONVERTED("BatchNorm1d_3d_input_eval", batchnorm),
    CONVERTED("BatchNorm2d_eval", batchnorm),
    CONVERTED("BatchNorm2d_momentum_eval", batchnorm),
    CONVERTED("BatchNorm3d_eval", batchnorm),
    CONVERTED("BatchNorm3d_momentum_eval", batchnorm),
    CONVERTED("Linear", linear),
    CONVERTED("Linear_no_bias", linear),
    OPERATOR("mm", matrix_product),
    OPERATOR("addmm", matrix_product),
    CONVERTED("Embedding", embedding),
    CONVERTED("Embedding_sparse", embedding),
    CONVERTED("ReflectionPad2d", pad_reflect),
    OPERATOR("pad", pad_reflect),
    CONVERTED("AvgPool1d", average_pool),
    CONVERTED("AvgPool1d_stride", average_pool),
    CONVERTED("AvgPool2d", average_pool),
    CONVERTED("AvgPool2d_stride", average_pool),
    OPERATOR("reduced_mean", reduced_mean),
    OPERATOR("reduced_mean_keepdim", reduced_mean),
    CONVERTED("ReLU", relu),
    { "simple/test_single_relu_model", relu },
    CONVERTED("Sigmoid", sigmoid),
    CONVERTED("GLU", glu),
    CONVERTED("GLU_dim", glu),
    CONVERTED("Softmax", softmax),
    CONVERTED("softmax_functional_dim3", softmax),
    CONVERTED("softmax_lastdim", softmax),
    CONVERTED("Softmin", softmin),
    CONVERTED("LogSoftmax", log_softmax),
    CONVERTED("log_softmax_dim3", log_softmax),
    CONVERTED("log_softmax_lastdim", log_softmax),
    OPERATOR("symbolic_override", instance_norm),
    { "simple/test_gradient_of_add", gradient_of_add },
    { "simple/test_gradient_of_add_and_mul", gradient_of_add_and_mul },
};

/* Largest difference to the outputs, one after the other, as a part of their largest value. */
static double difference(const OnnxCase *c, const float *got)
{
    double largest = 0.0, error = 0.0;
    for (int64_t k = 0; k < c->n_out; k++)
        for (int64_t i = 0; i < c->out[k].count; i++, got++) {
            const double want = (double)c->out[k].values[i], off = fabs((double)*got - want);
            largest = fmax(largest, fabs(want));
            if (!(off <= error)) error = off; /* NaN counts */
        }
    return error / largest;
}

static void check_case(void **state)
{
    const Case *id = *state;
    OnnxCase c;
    onnx_case_read(vectors, vectors_length, id->folder, &c);
    for (CpuIsa isa = ISA_PLAIN; isa <= cpu_isa_detect(); isa++) {
        float *got = id->result(&c, isa);
        const double off = difference(&c, got);
        free(got);
        if (!(off <= 1e-5))
            fail_msg("%s with %s: off by %.3g of the largest value", id->folder, cpu_isa_name(isa), off);
    }
    onnx_case_done(&c);
}

int main(void)
{
    static struct CMUnitTest tests[ARRAY_LEN(cases)];
    char path[512];
    if (!data_file_find("tests/onnx_vectors.tar", path)) return 77;
    if (file_read(path, MAX_BYTES, &vectors, &vectors_length) != ERR_NONE) {
        print_error("%s\n", err_message());
        return 1;
    }
    for (int64_t i = 0; i < ARRAY_LEN(cases); i++)
        tests[i] = (struct CMUnitTest){ cases[i].folder, check_case, NULL, NULL, (void *)(uintptr_t)&cases[i] };
    const int failed = _cmocka_run_group_tests("onnx_vectors", tests, ARRAY_LEN(tests), NULL, NULL);
    free(vectors);
    return failed;
}
