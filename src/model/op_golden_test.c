/* SPDX-License-Identifier: Apache-2.0
 * Ops against PyTorch (tests/golden/ops, written by tools/golden/ops.py): each case is built by the op's builder into a
 * program with the loss sum(w * out), at every instruction set this processor has; results, gradients and updated
 * statistics are compared. */
#include "tensor_file/safetensors.h"

#include "base/json.h"
#include "graph/program.h"
#include "harness/unit.h"
#include "ops/ops.h"

#include <dirent.h>
#include <math.h>
#include <string.h>

#define FOLDER METASEG_SOURCE_DIR "/tests/golden/ops"

enum { CASES_MAX = 128, NAME_BYTES = 64 };

/* ---- attributes ---- */

static int32_t integer(const Json *attributes, const char *key)
{
    int64_t value = 0;
    ASSERT_OK(json_get_int(attributes, key, 0, 1000000, &value));
    return (int32_t)value;
}

static float number(const Json *attributes, const char *key)
{
    double value = 0;
    ASSERT_OK(json_get_double(attributes, key, &value));
    return (float)value;
}

static bool truth(const Json *attributes, const char *key)
{
    bool value = false;
    ASSERT_OK(json_get_bool(attributes, key, &value));
    return value;
}

/* Index of the text in a list of enumerators. */
static int enumerator(const Json *attributes, const char *key, const char *const *names, int n)
{
    const char *text = NULL;
    ASSERT_OK(json_get_string(attributes, key, &text));
    for (int i = 0; i < n; i++)
        if (strcmp(names[i], text) == 0) return i;
    fail_msg("'%s' is no value of %s", text, key);
    return -1;
}

static Activation activation_of(const Json *attributes)
{
    static const char *const names[] = { "none", "relu", "relu6", "sigmoid", "gelu" };
    return (Activation)enumerator(attributes, "activation", names, 5);
}

/* ---- builders ---- */

static Var build_activation(Graph *g, const Json *a, const Var *in)
{
    return op_activation(g, in[0], activation_of(a));
}
static Var build_adaptive_average_pool(Graph *g, const Json *a, const Var *in)
{
    return op_adaptive_average_pool(g, in[0], integer(a, "height"), integer(a, "width"));
}
static Var build_add(Graph *g, const Json *a, const Var *in)
{
    (void)a;
    return op_add(g, in[0], in[1]);
}
static Var build_multiply(Graph *g, const Json *a, const Var *in)
{
    (void)a;
    return op_multiply(g, in[0], in[1]);
}
static Var build_attention(Graph *g, const Json *a, const Var *in)
{
    static const char *const names[] = { "plain", "key_slots", "query_slots" };
    const AttentionAttr attr = { .heads = integer(a, "heads"),
                                 .slots = (AttentionSlots)enumerator(a, "slots", names, 3),
                                 .slot_length = integer(a, "slot_length"),
                                 .has_mask = truth(a, "has_mask") };
    const Var share = attr.slots == ATTENTION_PLAIN ? VAR_NONE : in[3];
    const Var mask = attr.has_mask ? in[attr.slots == ATTENTION_PLAIN ? 3 : 4] : VAR_NONE;
    return op_attention(g, in[0], in[1], in[2], share, mask, &attr);
}
static Var build_batchnorm(Graph *g, const Json *a, const Var *in)
{
    const BatchnormAttr attr = { number(a, "eps"), number(a, "momentum"), activation_of(a), false };
    return op_batchnorm(g, in[0], in[1], in[2], in[3], in[4], &attr);
}
static Var build_channel_scale(Graph *g, const Json *a, const Var *in)
{
    (void)a;
    return op_channel_scale(g, in[0], in[1]);
}
static Var build_conv2d(Graph *g, const Json *a, const Var *in)
{
    const bool bias = truth(a, "has_bias"), batchnorm = truth(a, "has_batchnorm"), residual = truth(a, "has_residual");
    Conv2dAttr attr = { .stride = integer(a, "stride"),
                        .groups = integer(a, "groups"),
                        .top = integer(a, "top"),
                        .left = integer(a, "left"),
                        .bottom = integer(a, "bottom"),
                        .right = integer(a, "right"),
                        .activation = activation_of(a) };
    Conv2dFold fold = CONV2D_FOLD_NONE;
    const Var *next = in + 2;
    const Var bias_var = bias ? *next++ : VAR_NONE;
    if (batchnorm) {
        attr.batchnorm_eps = number(a, "batchnorm_eps");
        fold = (Conv2dFold){ next[0], next[1], next[2], next[3], VAR_NONE };
        next += 4;
    }
    if (residual) fold.residual = *next;
    return op_conv2d(g, in[0], in[1], bias_var, fold, attr);
}
static Var build_conv2d_levels(Graph *g, const Json *a, const Var *in)
{
    const Conv2dLevelsAttr attr = { .height = integer(a, "height"),
                                    .width = integer(a, "width"),
                                    .batchnorm_eps = number(a, "batchnorm_eps") };
    return op_conv2d_levels(g, 3, in + 5, in[0], (Conv2dFold){ in[1], in[2], in[3], in[4], VAR_NONE }, &attr);
}
static Var build_cross_entropy(Graph *g, const Json *a, const Var *in)
{
    const CrossEntropyAttr attr = { number(a, "smoothing"), integer(a, "ignore") };
    return op_cross_entropy(g, in[0], in[1], &attr);
}
static Var build_cross_window_pool(Graph *g, const Json *a, const Var *in)
{
    return op_cross_window_pool(g, in[0], integer(a, "window"));
}
static Var build_dice(Graph *g, const Json *a, const Var *in)
{
    const DiceAttr attr = { number(a, "smooth"), integer(a, "ignore") };
    return op_dice(g, in[0], in[1], &attr);
}
static Var build_embedding(Graph *g, const Json *a, const Var *in)
{
    (void)a;
    return op_embedding(g, in[0], in[1]);
}
static Var build_gelu(Graph *g, const Json *a, const Var *in)
{
    (void)a;
    return op_gelu(g, in[0]);
}
static Var build_mish(Graph *g, const Json *a, const Var *in)
{
    (void)a;
    return op_mish(g, in[0]);
}
static Var build_concat_channels(Graph *g, const Json *a, const Var *in)
{
    (void)a;
    return op_concat_channels(g, 2, in);
}
static Var build_concat_tokens(Graph *g, const Json *a, const Var *in)
{
    (void)a;
    return op_concat_tokens(g, in[0], in[1]);
}
static Var build_conv_transpose2d(Graph *g, const Json *a, const Var *in)
{
    (void)a;
    return op_conv_transpose2d(g, in[0], in[1], in[2]);
}
static Var build_reshape(Graph *g, const Json *a, const Var *in)
{
    (void)a;
    return op_reshape(g, in[0], shape4(2, 3, 5, 7)); /* the shape of the only case */
}
static Var build_rotary(Graph *g, const Json *a, const Var *in)
{
    const RotaryAttr attr = { integer(a, "heads"), integer(a, "first"), integer(a, "height"), integer(a, "width"),
                              number(a, "base") };
    return op_rotary(g, in[0], &attr);
}
static Var build_cosine_qkv(Graph *g, const Json *a, const Var *in)
{
    (void)a;
    return op_cosine_qkv(g, in[0], in[1], in[2]);
}
static Var build_relative_bias(Graph *g, const Json *a, const Var *in)
{
    return op_relative_bias(g, in[0], in[1], in[2], integer(a, "window"));
}
static Var build_crop(Graph *g, const Json *a, const Var *in)
{
    return op_crop(g, in[0], integer(a, "height"), integer(a, "width"));
}
static Var build_max_pool(Graph *g, const Json *a, const Var *in)
{
    return op_max_pool(g, in[0], integer(a, "kernel"), integer(a, "stride"), integer(a, "padding"));
}
static Var build_quick_gelu(Graph *g, const Json *a, const Var *in)
{
    (void)a;
    return op_quick_gelu(g, in[0]);
}
static Var build_resize_nearest(Graph *g, const Json *a, const Var *in)
{
    return op_resize_nearest(g, in[0], integer(a, "scale"));
}
static Var build_space_to_depth(Graph *g, const Json *a, const Var *in)
{
    return op_space_to_depth(g, in[0], integer(a, "block"), truth(a, "columns_first"));
}
static Var build_slice(Graph *g, const Json *a, const Var *in)
{
    return op_slice(g, in[0], integer(a, "axis"), integer(a, "first"), integer(a, "count"));
}
static Var build_resize_bicubic(Graph *g, const Json *a, const Var *in)
{
    const ResizeBicubicAttr attr = { integer(a, "height"), integer(a, "width"), truth(a, "antialias"),
                                     number(a, "offset") };
    return op_resize_bicubic(g, in[0], &attr);
}
static Var build_halve_antialiased(Graph *g, const Json *a, const Var *in)
{
    (void)a;
    return op_halve_antialiased(g, in[0]);
}
static Var build_l2_normalise(Graph *g, const Json *a, const Var *in)
{
    return op_l2_normalise(g, in[0], number(a, "eps"));
}
static Var build_grn(Graph *g, const Json *a, const Var *in)
{
    return op_grn(g, in[0], in[1], in[2], number(a, "eps"));
}
static Var build_layer_scale(Graph *g, const Json *a, const Var *in)
{
    (void)a;
    return op_layer_scale(g, in[0], in[1], in[2]);
}
static Var build_layernorm(Graph *g, const Json *a, const Var *in)
{
    return op_layernorm(g, in[0], in[1], in[2], number(a, "eps"));
}
static Var build_linear(Graph *g, const Json *a, const Var *in)
{
    return op_linear(g, in[0], in[1], truth(a, "has_bias") ? in[2] : VAR_NONE);
}
static Var build_linear_attention(Graph *g, const Json *a, const Var *in)
{
    const LinearAttentionAttr attr = { truth(a, "over_channels"), number(a, "eps") };
    return op_linear_attention(g, in[0], in[1], in[2], &attr);
}
static Var build_pad_reflect(Graph *g, const Json *a, const Var *in)
{
    return op_pad_reflect(g, in[0], integer(a, "bottom"), integer(a, "right"));
}
static Var build_resize_bilinear(Graph *g, const Json *a, const Var *in)
{
    const ResizeBilinearAttr attr = { .height = integer(a, "height"),
                                      .width = integer(a, "width"),
                                      .align_corners = truth(a, "align_corners") };
    return op_resize_bilinear_to(g, in[0], &attr);
}
static Var build_soft_cross_entropy(Graph *g, const Json *a, const Var *in)
{
    const CrossEntropyAttr attr = { number(a, "smoothing"), integer(a, "ignore") };
    return op_soft_cross_entropy(g, in[0], in[1], in[2], &attr);
}
static Var build_weighted_sum(Graph *g, const Json *a, const Var *in)
{
    return op_weighted_sum(g, in[0], in[1], in[2], number(a, "eps"));
}
static Var build_window_attention(Graph *g, const Json *a, const Var *in)
{
    const WindowAttentionAttr attr = { .heads = integer(a, "heads"), .window = integer(a, "window") };
    return op_window_attention(g, in[0], in[1], VAR_NONE, &attr);
}

static const struct {
    const char *op;
    Var (*build)(Graph *g, const Json *attributes, const Var *in);
} builders[] = {
    { "activation", build_activation },
    { "adaptive_average_pool", build_adaptive_average_pool },
    { "add", build_add },
    { "attention", build_attention },
    { "batchnorm", build_batchnorm },
    { "channel_scale", build_channel_scale },
    { "concat_channels", build_concat_channels },
    { "concat_tokens", build_concat_tokens },
    { "conv2d", build_conv2d },
    { "conv2d_levels", build_conv2d_levels },
    { "conv_transpose2d", build_conv_transpose2d },
    { "cosine_qkv", build_cosine_qkv },
    { "crop", build_crop },
    { "cross_entropy", build_cross_entropy },
    { "cross_window_pool", build_cross_window_pool },
    { "dice", build_dice },
    { "embedding", build_embedding },
    { "gelu", build_gelu },
    { "grn", build_grn },
    { "halve_antialiased", build_halve_antialiased },
    { "l2_normalise", build_l2_normalise },
    { "layer_scale", build_layer_scale },
    { "layernorm", build_layernorm },
    { "linear", build_linear },
    { "linear_attention", build_linear_attention },
    { "max_pool", build_max_pool },
    { "mish", build_mish },
    { "multiply", build_multiply },
    { "pad_reflect", build_pad_reflect },
    { "quick_gelu", build_quick_gelu },
    { "relative_bias", build_relative_bias },
    { "reshape", build_reshape },
    { "resize_bicubic", build_resize_bicubic },
    { "resize_bilinear", build_resize_bilinear },
    { "resize_nearest", build_resize_nearest },
    { "rotary", build_rotary },
    { "slice", build_slice },
    { "soft_cross_entropy", build_soft_cross_entropy },
    { "space_to_depth", build_space_to_depth },
    { "weighted_sum", build_weighted_sum },
    { "window_attention", build_window_attention },
};

/* ---- the loss sum(w * out) ---- */

static Err project_infer(const void *attr, int32_t n_in, const Tensor *in, Tensor *ret_out)
{
    (void)attr, (void)n_in;
    if (!shape_equal(&in[0].shape, &in[1].shape)) return err_set(ERR_SHAPE, "w does not have the shape of the result");
    ret_out[0] = (Tensor){ DTYPE_F32, shape1(1), NULL };
    return ERR_NONE;
}
static Err project_forward(const Step *step)
{
    const float *y = step->in[0].data, *w = step->in[1].data;
    double sum = 0;
    for (int64_t i = 0; i < shape_count(&step->in[0].shape); i++) sum += (double)y[i] * (double)w[i];
    *(float *)step->out[0].data = (float)sum;
    return ERR_NONE;
}
static Err project_backward(const Step *step)
{
    const float *w = step->in[1].data, *dy = step->d_out[0].data;
    float *dx = step->d_in[0].data;
    for (int64_t i = 0; i < shape_count(&step->in[0].shape); i++) dx[i] = dy[0] * w[i];
    return ERR_NONE;
}
static const Kernel project_kernel = { .name = "plain", .forward = project_forward, .backward = project_backward };
static const Kernel *const project_kernels[] = { &project_kernel, NULL };
static const OpDef project = { .name = "project",
                               .min_in = 2,
                               .max_in = 2,
                               .n_out = 1,
                               .n_results = 1,
                               .bwd_reads = READS_IN(1),
                               .no_grad_in = 1U << 1,
                               .infer = project_infer,
                               .kernels = project_kernels };

/* ---- one case ---- */

typedef struct Case {
    char name[NAME_BYTES];
} Case;

typedef struct Run {
    TensorFile *file;
    Json *attributes;
    ParamSet *params;
    Graph *g;
    Program *program;
    Var in[STEP_MAX_IN];
    int32_t param[STEP_MAX_IN]; /* index in the set, -1: an input of the program */
    int32_t n_in;
    bool has_gradient;
} Run;

static const StoredTensor *find(const Run *run, const char *kind, int32_t i)
{
    char name[NAME_BYTES];
    (void)snprintf(name, sizeof name, "%s.%d", kind, i);
    return tensor_file_find(run->file, name);
}

/* Inputs with a gradient are parameters; first inputs and labels are inputs of the program; the rest is state. */
static void add_inputs(Run *run)
{
    for (const StoredTensor *t = NULL; (t = find(run, "in", run->n_in)) != NULL; run->n_in++) {
        const int32_t i = run->n_in;
        char name[NAME_BYTES];
        (void)snprintf(name, sizeof name, "in.%d", i);
        const bool gradient = find(run, "d_in", i) != NULL;
        run->has_gradient = run->has_gradient || gradient;
        run->param[i] = -1;
        if (gradient)
            run->in[i] = graph_param(run->g, name, t->shape, (ParamInit){ INIT_ZERO, 0 });
        else if (i == 0 || t->dtype != DTYPE_F32)
            run->in[i] = graph_input(run->g, name, t->dtype, t->shape);
        else
            run->in[i] = graph_state(run->g, name, t->shape, (ParamInit){ INIT_ZERO, 0 });
    }
}

static void fill_inputs(Run *run)
{
    for (int32_t i = 0; i < run->n_in; i++) {
        char name[NAME_BYTES];
        (void)snprintf(name, sizeof name, "in.%d", i);
        run->param[i] = params_find(run->params, name);
        const Tensor to =
            run->param[i] >= 0 ? params_tensor(run->params, run->param[i]) : program_tensor(run->program, name);
        ASSERT_OK(stored_tensor_copy(find(run, "in", i), to.data));
    }
    const Tensor w = program_tensor(run->program, "w");
    if (w.data != NULL) ASSERT_OK(stored_tensor_copy(tensor_file_find(run->file, "w"), w.data));
}

static Var build_op(const Run *run)
{
    const char *op = tensor_file_metadata(run->file, "op");
    for (int64_t i = 0; i < ARRAY_LEN(builders); i++)
        if (strcmp(builders[i].op, op) == 0) return builders[i].build(run->g, run->attributes, run->in);
    fail_msg("no builder for op '%s'", op);
    return VAR_NONE;
}

static void compile(Run *run, bool training, CpuIsa isa)
{
    ProgramOptions options = program_options_defaults();
    assert_int_equal(params_new(&run->params), ERR_NONE);
    assert_int_equal(graph_new(run->params, training, &run->g), ERR_NONE);
    run->n_in = 0;
    run->has_gradient = false;
    add_inputs(run);
    const Var out = build_op(run);
    graph_output(run->g, "out", out);
    if (training) {
        const StoredTensor *w = tensor_file_find(run->file, "w");
        const Var weights = graph_input(run->g, "w", DTYPE_F32, w->shape);
        options.loss = graph_node(run->g, &project, NULL, 2, (const Var[]){ out, weights });
    }
    options.device.isa = isa;
    options.poison = true;
    ASSERT_OK(program_compile(run->g, run->params, &options, &run->program));
    fill_inputs(run);
}

/* max|a - b| / max|b|. */
static void compare(const char *what, CpuIsa isa, const float *a, const StoredTensor *expected, double tolerance)
{
    int64_t n = shape_count(&expected->shape);
    double *b = calloc((size_t)n, sizeof *b), largest = 0, error = 0;
    assert_non_null(b);
    assert_int_equal(expected->dtype, DTYPE_F64);
    ASSERT_OK(stored_tensor_copy(expected, b));
    for (int64_t i = 0; i < n; i++) {
        largest = fmax(largest, fabs(b[i]));
        const double difference = fabs((double)a[i] - b[i]);
        if (!(difference <= error)) error = difference;
    }
    free(b);
    if (largest > 0) error /= largest;
    if (!(error <= tolerance))
        fail_msg("%s with %s: off by %.3g of the largest value, tolerance %.3g", what, cpu_isa_name(isa), error,
                 tolerance);
}

static void run_case(Run *run, bool training, CpuIsa isa)
{
    const double tolerance = 1e-5;
    compile(run, training, isa);
    ASSERT_OK(program_forward(run->program, 0));
    ASSERT_OK(training && program_backward(run->program, false));
    const StoredTensor *out = find(run, "out", 0);
    const Tensor result = program_tensor(run->program, "out");
    assert_true(shape_equal(&result.shape, &out->shape));
    compare("result", isa, result.data, out, tolerance);
    for (int32_t i = 0; i < run->n_in; i++) {
        char name[NAME_BYTES];
        (void)snprintf(name, sizeof name, "gradient %d", i);
        const StoredTensor *gradient = find(run, "d_in", i), *after = find(run, "after", i);
        if (training && gradient != NULL)
            compare(name, isa, params_gradients(run->params) + params_info(run->params, run->param[i])->offset,
                    gradient, tolerance);
        if (training && after != NULL)
            compare("updated statistics", isa, params_tensor(run->params, run->param[i]).data, after, tolerance);
    }
    program_free(run->program);
    graph_free(run->g);
    params_free(run->params);
}

static void check_case(void **state)
{
    const Case *id = *state;
    char path[512];
    Run run = { .file = NULL };
    (void)snprintf(path, sizeof path, "%s/%s.safetensors", FOLDER, id->name);
    ASSERT_OK(safetensors_open(path, &run.file));
    const char *text = tensor_file_metadata(run.file, "attributes");
    assert_non_null(text);
    ASSERT_OK(json_parse(text, strlen(text), 1 << 16, &run.attributes));
    const bool statistics = strcmp(tensor_file_metadata(run.file, "op"), "batchnorm") == 0;
    for (CpuIsa isa = ISA_PLAIN; isa <= cpu_isa_detect(); isa++) {
        const bool training = find(&run, "d_in", 0) != NULL || find(&run, "d_in", 1) != NULL;
        if (training) run_case(&run, true, isa);
        /* the same as an inference program; batch statistics exist in training only */
        if (!training || !statistics) run_case(&run, false, isa);
    }
    json_free(run.attributes);
    tensor_file_close(run.file);
}

/* Every op but dropout (whose numbers are our own) has a case. */
static void every_op_is_covered(void **state)
{
    (void)state;
    assert_int_equal(ARRAY_LEN(builders), op_registry_count - 1);
    for (int32_t i = 0, k = 0; i < op_registry_count; i++) {
        if (op_registry[i] == &op_def_dropout) continue;
        assert_string_equal(builders[k++].op, op_registry[i]->name);
    }
}

static int compare_cases(const void *a, const void *b)
{
    return strcmp(((const Case *)a)->name, ((const Case *)b)->name);
}

int main(void)
{
    static Case cases[CASES_MAX];
    static struct CMUnitTest tests[CASES_MAX + 1];
    static const char suffix[] = ".safetensors";
    size_t n = 0;
    DIR *folder = opendir(FOLDER);
    if (folder == NULL) {
        print_error("'%s' cannot be read\n", FOLDER);
        return 1;
    }
    for (const struct dirent *entry = NULL; (entry = readdir(folder)) != NULL && n < CASES_MAX;) {
        const size_t length = strlen(entry->d_name), stem = length - strlen(suffix);
        if (length <= strlen(suffix) || strcmp(entry->d_name + stem, suffix) != 0 || stem >= NAME_BYTES) continue;
        (void)snprintf(cases[n].name, NAME_BYTES, "%.*s", (int)stem, entry->d_name);
        n++;
    }
    (void)closedir(folder);
    qsort(cases, n, sizeof cases[0], compare_cases);
    tests[0] = (struct CMUnitTest){ "every op is covered", every_op_is_covered, NULL, NULL, NULL };
    for (size_t i = 0; i < n; i++)
        tests[i + 1] = (struct CMUnitTest){ cases[i].name, check_case, NULL, NULL, &cases[i] };
    if (n < 47) {
        print_error("only %zu cases in '%s'\n", n, FOLDER);
        return 1;
    }
    return _cmocka_run_group_tests("ops against PyTorch", tests, n + 1, NULL, NULL);
}
