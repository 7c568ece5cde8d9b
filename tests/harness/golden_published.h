/* SPDX-License-Identifier: Apache-2.0
 *
 * A network of ours against the public package's, with the parameters of tools/golden/published.py: outputs as an inference
 * program and gradients as a training program, on every instruction set.
 *
 *     static int32_t build(Graph *g, Var image, const void *context, Var ret_outputs[GOLDEN_OUTPUTS]);
 *     golden_published("encoder_x.safetensors", build, &variant);
 */
#ifndef METASEG_TESTS_GOLDEN_PUBLISHED_H
#define METASEG_TESTS_GOLDEN_PUBLISHED_H

#include "base/json.h"
#include "base/str.h"
#include "graph/program.h"
#include "ops/ops.h"

#include "harness/golden.h"

enum { GOLDEN_OUTPUTS = 8, GOLDEN_LABELS = 200, GOLDEN_VALUES = 64 };

/* Adds the network to an empty graph; image [1, H, W, bands]. Returns the number of outputs. Parameters get the names that the
 * script's rename() gives. */
typedef int32_t (*GoldenBuild)(Graph *g, Var image, const void *context, Var ret_outputs[GOLDEN_OUTPUTS]);

typedef struct GoldenPublished {
    TensorFile *file;
    int64_t height, width, bands, outputs;
    double largest_gradient, tolerance, gradient_tolerance;
    char image[32]; /* name of its random numbers */
    bool fastest;   /* only the highest instruction set, else each from plain C */
} GoldenPublished;

/* The script's rule; `special` tells of parameters that it makes otherwise, true: it has filled them. */
typedef bool (*GoldenSpecial)(const ParamInfo *info, float *values);

static inline void golden_published_fill(ParamSet *params, GoldenSpecial special)
{
    for (int32_t i = 0; i < params_count(params); i++) {
        const ParamInfo *info = params_info(params, i);
        float *values = params_values(params) + info->offset;
        const int64_t n = shape_count(&info->shape);
        if (special != NULL && special(info, values)) continue;
        const bool variance = str_ends_with(info->name, "running_var");
        const bool norm = info->shape.rank == 1 && str_ends_with(info->name, ".weight");
        double std = 0.1;
        if (info->shape.rank >= 2) std = 1.0 / sqrt((double)(n / info->shape.dim[0]));
        if (!variance) {
            golden_normals(info->name, norm ? 1.0 : 0.0, std, values, n);
            continue;
        }
        golden_normals(info->name, 0.0, 1.0, values, n);
        for (int64_t j = 0; j < n; j++) values[j] = (float)(1.0 + 0.2 * fabs((double)values[j]));
    }
}

static inline double golden_published_number(const Json *config, const char *key)
{
    double value = 0.0;
    ASSERT_OK(json_get_double(config, key, &value));
    return value;
}

/* path: of tests/golden/published, or absolute. */
static inline GoldenPublished golden_published_open(const char *path)
{
    GoldenPublished p = { 0 };
    char name[256];
    Json *config = NULL;
    if (path[0] == '/')
        ASSERT_OK(tensor_file_open(path, &p.file));
    else {
        (void)snprintf(name, sizeof name, "published/%s", path);
        p.file = golden_open(name);
    }
    const char *text = tensor_file_metadata(p.file, "config");
    assert_non_null(text);
    ASSERT_OK(json_parse(text, strlen(text), 1 << 16, &config));
    p.height = (int64_t)golden_published_number(config, "height");
    p.width = (int64_t)golden_published_number(config, "width");
    p.bands = (int64_t)golden_published_number(config, "bands");
    p.outputs = (int64_t)golden_published_number(config, "outputs");
    p.largest_gradient = golden_published_number(config, "largest_gradient");
    /* relative 1e-4; what the reference itself loses in single precision is allowed four times */
    p.tolerance = fmax(1e-4, 4.0 * golden_published_number(config, "float32_deviation"));
    p.gradient_tolerance = fmax(1e-4, 4.0 * golden_published_number(config, "float32_gradient_deviation"));
    const char *image = "input.image";
    if (json_find(config, "image") != NULL) ASSERT_OK(json_get_string(config, "image", &image));
    (void)snprintf(p.image, sizeof p.image, "%s", image);
    p.fastest = json_find(config, "fastest") != NULL;
    json_free(config);
    return p;
}

static inline void golden_published_name(const char *kind, int32_t k, char ret_name[32])
{
    (void)snprintf(ret_name, 32, "%s.%d", kind, (int)k);
}

/* The graph of the network; with a loss for training. */
static inline Program *golden_published_compile(const GoldenPublished *p, ParamSet *params, GoldenBuild build,
                                                const void *context, bool training, CpuIsa isa)
{
    Graph *g = NULL;
    Program *program = NULL;
    Var outputs[GOLDEN_OUTPUTS], loss = VAR_NONE;
    ASSERT_OK(graph_new(params, training, &g));
    const Var image = graph_input(g, "image", DTYPE_F32, shape4(1, p->height, p->width, p->bands));
    const int32_t n = build(g, image, context, outputs);
    if (graph_finish(g) != ERR_NONE) fail_msg("%s", err_message());
    assert_int_equal(n, p->outputs);
    for (int32_t k = 0; k < n; k++) {
        char name[32];
        golden_published_name("output", k, name);
        graph_output(g, name, outputs[k]);
        if (!training) continue;
        const Shape s = graph_value(g, outputs[k]).shape;
        golden_published_name("labels", k, name);
        const Var labels = graph_input(g, name, DTYPE_U8, (Shape){ 3, { s.dim[0], s.dim[1], s.dim[2] } });
        const CrossEntropyAttr attr = { .smoothing = 0.0F, .ignore = 255 };
        const Var one = op_cross_entropy(g, outputs[k], labels, &attr);
        loss = var_exists(loss) ? op_add(g, loss, one) : one;
    }
    ProgramOptions options = program_options_defaults();
    options.device.isa = isa;
    options.loss = loss;
    options.poison = true;
    if (graph_finish(g) != ERR_NONE || program_compile(g, params, &options, &program) != ERR_NONE)
        fail_msg("%s", err_message());
    graph_free(g);
    return program;
}

static inline void golden_published_inputs(const GoldenPublished *p, const Program *program)
{
    const Tensor image = program_tensor(program, "image");
    golden_normals(p->image, 0.0, 1.0, image.data, shape_count(&image.shape));
    for (int32_t k = 0; k < p->outputs; k++) {
        char name[32], drawn[48];
        golden_published_name("labels", k, name);
        const Tensor labels = program_tensor(program, name);
        if (labels.data == NULL) continue;
        golden_published_name("output", k, name);
        const Tensor output = program_tensor(program, name);
        const int64_t classes = output.shape.dim[3] < GOLDEN_LABELS ? output.shape.dim[3] : GOLDEN_LABELS;
        (void)snprintf(drawn, sizeof drawn, "input.labels.%d", (int)k);
        const uint64_t step = hash_xxh64(drawn, strlen(drawn));
        for (int64_t i = 0; i < shape_count(&labels.shape); i++)
            ((uint8_t *)labels.data)[i] = (uint8_t)rng_below(GOLDEN_SEED, RNG_TEST, step, (uint64_t)i, classes);
    }
}

static inline double golden_published_outputs(const GoldenPublished *p, const Program *program)
{
    double worst = 0.0;
    for (int32_t k = 0; k < p->outputs; k++) {
        char name[32], key[64];
        golden_published_name("output", k, name);
        const Tensor output = program_tensor(program, name);
        const int64_t n = shape_count(&output.shape);
        const StoredTensor *shape = NULL;
        int32_t dims[4] = { 0 };
        (void)snprintf(key, sizeof key, "%s.shape", name);
        ASSERT_OK(tensor_file_require(p->file, key, &(Shape){ 1, { 4 } }, &shape));
        ASSERT_OK(stored_tensor_copy(shape, dims));
        for (int i = 0; i < 4; i++) assert_int_equal(output.shape.dim[i], dims[i]);
        (void)snprintf(key, sizeof key, "%s.summary", name);
        const double used = golden_compare(p->file, key, name, output.data, n, 8, p->tolerance);
        double *summary = golden_doubles(p->file, key, -1), *first = NULL;
        (void)snprintf(key, sizeof key, "%s.first", name);
        const int64_t values = n < GOLDEN_VALUES ? n : GOLDEN_VALUES;
        first = golden_doubles(p->file, key, values);
        double most = used;
        for (int64_t i = 0; i < values; i++)
            golden_note(&most, fabs((double)((const float *)output.data)[i] - first[i]), p->tolerance * summary[2]);
        free(first);
        free(summary);
        if (!(most <= worst)) worst = most;
    }
    return worst;
}

/* Every gradient of the file, which must be all that are trained. */
static inline double golden_published_gradients(const GoldenPublished *p, ParamSet *params)
{
    double worst = 0.0;
    int32_t stored = 0, compared = 0;
    for (int64_t i = 0; i < tensor_file_count(p->file); i++)
        stored += str_starts_with(tensor_file_at(p->file, i)->name, "gradient.");
    for (int32_t i = 0; i < params_count(params); i++) {
        const ParamInfo *info = params_info(params, i);
        char key[256];
        if (!info->trainable) continue;
        (void)snprintf(key, sizeof key, "gradient.%s", info->name);
        double *summary = golden_doubles(p->file, key, -1);
        /* gradients that are nothing but rounding (a bias before a norm) are measured by the largest of all */
        const double largest = fmax(summary[2], 1e-3 * p->largest_gradient);
        const double used = golden_compare(p->file, key, key, params_gradients(params) + info->offset,
                                           shape_count(&info->shape), 2, p->gradient_tolerance * largest / summary[2]);
        if (!(used <= 1.0)) print_message("%s: %.0f %% of the tolerance\n", key, 100.0 * used);
        if (!(used <= worst)) worst = used;
        free(summary);
        compared++;
    }
    assert_int_equal(compared, stored);
    return worst;
}

static inline void golden_published_special(const char *path, GoldenBuild build, const void *context,
                                            GoldenSpecial special, bool gradients)
{
    GoldenPublished p = golden_published_open(path);
    for (int isa = p.fastest ? (int)cpu_isa_detect() : ISA_PLAIN; isa <= (int)cpu_isa_detect(); isa++) {
        ParamSet *params = NULL;
        ASSERT_OK(params_new(&params));
        Program *program = golden_published_compile(&p, params, build, context, gradients, (CpuIsa)isa);
        golden_published_fill(params, special);
        double slopes = 0.0;
        if (gradients) {
            golden_published_inputs(&p, program);
            ASSERT_OK(program_forward(program, 0));
            ASSERT_OK(program_backward(program, false));
            slopes = golden_published_gradients(&p, params);
            program_free(program);
            golden_published_fill(params, special); /* training has moved the running statistics */
            program = golden_published_compile(&p, params, build, context, false, (CpuIsa)isa);
        }
        golden_published_inputs(&p, program);
        ASSERT_OK(program_forward(program, 0));
        const double outputs = golden_published_outputs(&p, program);
        print_message("%s, %s: outputs %.3g %%, gradients %.3g %% of the tolerance\n", path, cpu_isa_name((CpuIsa)isa),
                      100.0 * outputs, 100.0 * slopes);
        assert_true(outputs <= 1.0 && slopes <= 1.0);
        program_free(program);
        params_free(params);
    }
    tensor_file_close(p.file);
}

static inline void golden_published(const char *path, GoldenBuild build, const void *context)
{
    golden_published_special(path, build, context, NULL, true);
}

/* The maps of an encoder with another variant than those of its list (a smaller one), parameters without a scope. */
#ifdef METASEG_NETWORK_ENCODER_H
typedef struct GoldenEncoder {
    const EncoderDef *def;
    const void *variant;
} GoldenEncoder;

static inline int32_t golden_encoder_maps(Graph *g, Var image, const void *context, Var ret_outputs[GOLDEN_OUTPUTS])
{
    const GoldenEncoder *e = context;
    const FeatureMaps maps = e->def->build(g, image, e->variant, 0.0F);
    const Var all[] = { maps.f4, maps.f8, maps.f16, maps.f32 };
    for (int i = 0; i < 4; i++) ret_outputs[i] = all[i];
    return 4;
}
#endif

#endif
