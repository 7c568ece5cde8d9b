/* SPDX-License-Identifier: Apache-2.0
 * Modules: parameter names and shapes, paddings, and that the folded inference graph computes what the training graph's
 * chain does. */
#include "nn/modules.h"

#include "graph/program.h"
#include "harness/unit.h"

#include <math.h>
#include <string.h>

static const NnBatchnorm norm = { .eps = 1e-3F, .momentum = 0.1F };

static ParamSet *empty(void)
{
    ParamSet *params = NULL;
    assert_int_equal(params_new(&params), ERR_NONE);
    return params;
}

static void check_param(const ParamSet *params, const char *name, int32_t rank, const int64_t *dims, bool trainable)
{
    const int32_t index = params_find(params, name);
    if (index < 0) fail_msg("no parameter '%s'", name);
    const ParamInfo *info = params_info(params, index);
    assert_int_equal(info->shape.rank, rank);
    for (int32_t d = 0; d < rank; d++) assert_int_equal(info->shape.dim[d], dims[d]);
    assert_int_equal(info->trainable, trainable);
}

static void names_and_shapes(void **state)
{
    (void)state;
    ParamSet *params = empty();
    Graph *g = NULL;
    assert_int_equal(graph_new(params, true, &g), ERR_NONE);
    Var x = graph_input(g, "x", DTYPE_F32, shape4(1, 8, 8, 6));
    graph_push(g, "part");
    x = nn_conv_bn(g, "0", "1", x, (NnConv){ .channels = 6, .kernel = 3, .stride = 1, .padding = 1, .depthwise = true },
                   norm, ACTIVATION_RELU6, VAR_NONE);
    x = nn_conv(g, "pw", x, (NnConv){ .channels = 10, .kernel = 1, .stride = 1, .bias = true }, ACTIVATION_NONE,
                VAR_NONE);
    x = nn_linear(g, "fc", nn_layernorm(g, "ln", x, 1e-5F), 4, 0.02);
    graph_pop(g);
    graph_output(g, "y", x);
    assert_int_equal(graph_finish(g), ERR_NONE);
    check_param(params, "part.0.weight", 4, (const int64_t[]){ 6, 1, 3, 3 }, true);
    check_param(params, "part.1.weight", 1, (const int64_t[]){ 6 }, true);
    check_param(params, "part.1.running_mean", 1, (const int64_t[]){ 6 }, false);
    check_param(params, "part.1.running_var", 1, (const int64_t[]){ 6 }, false);
    check_param(params, "part.pw.weight", 4, (const int64_t[]){ 10, 6, 1, 1 }, true);
    check_param(params, "part.pw.bias", 1, (const int64_t[]){ 10 }, true);
    check_param(params, "part.ln.bias", 1, (const int64_t[]){ 10 }, true);
    check_param(params, "part.fc.weight", 2, (const int64_t[]){ 4, 10 }, true);
    assert_int_equal(params_find(params, "part.0.bias"), -1);
    assert_int_equal(params_count(params), 1 + 4 + 2 + 2 + 2);
    graph_free(g);
    params_free(params);
}

/* Sizes of TensorFlow's "same" convolutions: ceil(n / stride). */
static void same_padding(void **state)
{
    (void)state;
    static const int64_t sizes[] = { 7, 8, 15, 16 };
    static const int32_t kernels[] = { 1, 3, 5 };
    for (int s = 0; s < 4; s++) {
        for (int k = 0; k < 3; k++) {
            for (int32_t stride = 1; stride <= 2; stride++) {
                ParamSet *params = empty();
                Graph *g = NULL;
                assert_int_equal(graph_new(params, false, &g), ERR_NONE);
                const Var x = graph_input(g, "x", DTYPE_F32, shape4(1, sizes[s], sizes[s], 2));
                const NnConv conv = {
                    .channels = 3, .kernel = kernels[k], .stride = stride, .padding = NN_PADDING_SAME
                };
                const Shape y = graph_value(g, nn_conv(g, "c", x, conv, ACTIVATION_NONE, VAR_NONE)).shape;
                assert_int_equal(y.dim[1], (sizes[s] + stride - 1) / stride);
                assert_int_equal(y.dim[2], (sizes[s] + stride - 1) / stride);
                graph_free(g);
                params_free(params);
            }
        }
    }
}

/* act(BN(conv(x))) + x, then a biased convolution with activation, then GELU(linear(x)) + x; chained: a training graph whose BatchNorm is given
 * the statistics of its own batch as running statistics, so that both must agree. */
static Var chain(Graph *g, Var x, const Activation activations[2], Var *ret_conv)
{
    const NnConv conv = { .channels = 8, .kernel = 3, .stride = 1, .padding = 1 };
    NnConv biased = { .channels = 5, .kernel = 1, .stride = 1, .bias = true };
    *ret_conv = VAR_NONE;
    if (graph_training(g)) { /* the same node again, to read the statistics off */
        *ret_conv = nn_conv(g, "0", x, conv, ACTIVATION_NONE, VAR_NONE);
    }
    const Var y = nn_conv_bn(g, "0", "1", x, conv, norm, activations[0], x);
    const Var z = nn_conv(g, "2", y, biased, activations[1], VAR_NONE);
    const NnLinear linear = { .channels = 5, .std = 0.1, .bias = true };
    return nn_linear_act(g, "3", z, linear, ACTIVATION_GELU, z);
}

static Program *build(ParamSet *params, bool training, int32_t rows, const Activation activations[2])
{
    Graph *g = NULL;
    Program *program = NULL;
    Var conv = VAR_NONE;
    assert_int_equal(graph_new(params, training, &g), ERR_NONE);
    const Var x = graph_input(g, "x", DTYPE_F32, shape4(1, rows, rows, 8));
    graph_output(g, "y", chain(g, x, activations, &conv));
    if (var_exists(conv)) graph_output(g, "conv", conv);
    if (!params_allocated(params)) {
        assert_int_equal(params_allocate(params), ERR_NONE);
        params_initialize(params, 11);
    }
    const ProgramOptions options = program_options_defaults();
    if (graph_finish(g) != ERR_NONE || program_compile(g, params, &options, &program) != ERR_NONE) {
        fail_msg("%s", err_message());
    }
    graph_free(g);
    return program;
}

static void fill(Tensor tensor)
{
    for (int64_t i = 0; i < shape_count(&tensor.shape); i++) ((float *)tensor.data)[i] = sinf((float)(i * i % 1013));
}

/* Mean and biased variance of each channel of the convolution's result become the running statistics. */
static void set_statistics(ParamSet *params, Tensor conv)
{
    const int64_t channels = conv.shape.dim[3], rows = shape_count(&conv.shape) / channels;
    float *mean = params_values(params) + params_info(params, params_find(params, "1.running_mean"))->offset;
    float *var = params_values(params) + params_info(params, params_find(params, "1.running_var"))->offset;
    for (int64_t c = 0; c < channels; c++) {
        double sum = 0.0, squares = 0.0;
        for (int64_t r = 0; r < rows; r++) {
            const double v = (double)((const float *)conv.data)[r * channels + c];
            sum += v;
            squares += v * v;
        }
        mean[c] = (float)(sum / (double)rows);
        var[c] = (float)(squares / (double)rows - sum / (double)rows * (sum / (double)rows));
    }
}

static void check_folding(const Activation activations[2])
{
    enum { ROWS = 12 };
    ParamSet *params = empty();
    Program *chained = build(params, true, ROWS, activations);
    static const char *const vectors[] = { "1.weight", "1.bias", "2.bias" };
    for (int i = 0; i < 3; i++) {
        const ParamInfo *info = params_info(params, params_find(params, vectors[i]));
        for (int64_t j = 0; j < shape_count(&info->shape); j++) {
            params_values(params)[info->offset + j] = 0.6F + 0.3F * cosf((float)(5 * i + j));
        }
    }
    fill(program_tensor(chained, "x"));
    assert_int_equal(program_forward(chained, 0), ERR_NONE);
    set_statistics(params, program_tensor(chained, "conv"));
    Program *folded = build(params, false, ROWS, activations);
    fill(program_tensor(folded, "x"));
    assert_int_equal(program_forward(folded, 0), ERR_NONE);
    const Tensor a = program_tensor(chained, "y"), b = program_tensor(folded, "y");
    float lowest = 1.0F, highest = 0.0F;
    for (int64_t i = 0; i < shape_count(&a.shape); i++) {
        const float x = ((const float *)a.data)[i], y = ((const float *)b.data)[i];
        assert_true(fabsf(x - y) < 2e-6F * fmaxf(fabsf(x), 1.0F));
        lowest = fminf(lowest, x);
        highest = fmaxf(highest, x);
    }
    assert_true(highest - lowest > 0.1F);
    assert_true(program_stats(folded).forward_steps < program_stats(chained).forward_steps);
    program_free(chained);
    program_free(folded);
    params_free(params);
}

static void folding_changes_nothing(void **state)
{
    static const Activation pairs[][2] = { { ACTIVATION_RELU6, ACTIVATION_SIGMOID },
                                           { ACTIVATION_GELU, ACTIVATION_GELU },
                                           { ACTIVATION_QUICK_GELU, ACTIVATION_QUICK_GELU },
                                           { ACTIVATION_NONE, ACTIVATION_RELU } };
    (void)state;
    for (int64_t i = 0; i < ARRAY_LEN(pairs); i++) check_folding(pairs[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(names_and_shapes), cmocka_unit_test(same_padding),
                                        cmocka_unit_test(folding_changes_nothing) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
