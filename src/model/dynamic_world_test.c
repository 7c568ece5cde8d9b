/* SPDX-License-Identifier: Apache-2.0
 * Dynamic World: random variables, converted and run as a model, against the network written plainly in double. */
#include "base/hash.h"
#include "base/rng.h"
#include "model/convert.h"
#include "model/model_file.h"
#include "network/segmenter.h"
#include "tensor_file/safetensors.h"

#include "harness/unit.h"

#include <math.h>
#include <string.h>

enum { SIDE = 16, BANDS = 9, CLASSES = 9, STEM = 64, MOST_VARIABLES = 160 };

/* ---- variables, made from their names ---- */

typedef struct Layer {
    const char *word;
    int number, norm; /* norm -1: none */
    int in, out, kernel;
} Layer;

static const Layer layers[] = {
    { "conv2d", 0, 0, BANDS, STEM, 3 },       { "conv2d", 1, 1, STEM, 48, 1 },
    { "depthwise_conv2d", 0, 2, 48, 1, 3 },   { "conv2d", 2, 3, STEM, 96, 1 },
    { "depthwise_conv2d", 1, 4, 96, 1, 3 },   { "conv2d", 3, 5, 96, 96, 1 },
    { "depthwise_conv2d", 2, 6, 96, 1, 3 },   { "conv2d", 4, 7, 96, 96, 1 },
    { "depthwise_conv2d", 3, 8, 96, 1, 3 },   { "conv2d", 5, 9, STEM, 96, 1 },
    { "conv2d", 6, 10, 96, 144, 1 },          { "depthwise_conv2d", 4, 11, 144, 1, 3 },
    { "conv2d", 7, 12, 144, 144, 1 },         { "depthwise_conv2d", 5, 13, 144, 1, 3 },
    { "conv2d", 8, 14, 144, 144, 1 },         { "depthwise_conv2d", 6, 15, 144, 1, 3 },
    { "conv2d", 9, 16, 96, 144, 1 },          { "conv2d", 10, 17, 192, 144, 1 },
    { "depthwise_conv2d", 7, 18, 144, 1, 3 }, { "conv2d", 11, 19, 144, 144, 1 },
    { "depthwise_conv2d", 8, 20, 144, 1, 3 }, { "conv2d", 12, 21, 144, 144, 1 },
    { "depthwise_conv2d", 9, 22, 144, 1, 3 }, { "conv2d", 13, 23, 192, 144, 1 },
    { "conv2d", 14, -1, 144, CLASSES, 1 },
};

static bool is_depthwise(const Layer *l) { return strcmp(l->word, "depthwise_conv2d") == 0; }

static void variable_name(const char *word, int number, const char *leaf, char ret_name[96])
{
    if (number == 0)
        (void)snprintf(ret_name, 96, "%s/%s", word, leaf);
    else
        (void)snprintf(ret_name, 96, "%s_%d/%s", word, number, leaf);
}

/* n values around `middle`; the same for the same name. */
static float *variable(const char *name, int64_t n, float middle, float spread)
{
    float *values = malloc((size_t)n * sizeof *values);
    assert_non_null(values);
    const uint64_t key = hash_xxh64(name, strlen(name));
    for (int64_t i = 0; i < n; i++) values[i] = middle + spread * rng_normal(7, RNG_TEST, key, (uint64_t)i);
    return values;
}

static float *filter(const Layer *l)
{
    char name[96];
    const int64_t per_output = (int64_t)l->kernel * l->kernel * (is_depthwise(l) ? 1 : l->in);
    variable_name(l->word, l->number, is_depthwise(l) ? "depthwise_kernel" : "kernel", name);
    return variable(name, (int64_t)l->kernel * l->kernel * l->in * l->out, 0.0F, sqrtf(2.0F / (float)per_output));
}

static int channels_out(const Layer *l) { return is_depthwise(l) ? l->in : l->out; }

static float *vector(const char *word, int number, const char *leaf, int n, float middle, float spread)
{
    char name[96];
    variable_name(word, number, leaf, name);
    return variable(name, n, middle, spread);
}

typedef struct Norm {
    float *gamma, *beta, *mean, *variance;
} Norm;

static Norm norm_of(const Layer *l)
{
    static const char word[] = "batch_normalization";
    const int n = channels_out(l);
    Norm norm = { vector(word, l->norm, "gamma", n, 1.0F, 0.1F), vector(word, l->norm, "beta", n, 0.0F, 0.3F),
                  vector(word, l->norm, "moving_mean", n, 0.0F, 0.2F),
                  vector(word, l->norm, "moving_variance", n, 0.0F, 0.3F) };
    for (int i = 0; i < n; i++) norm.variance[i] = 0.6F + fabsf(norm.variance[i]);
    return norm;
}

static void norm_free(Norm *norm)
{
    free(norm->gamma);
    free(norm->beta);
    free(norm->mean);
    free(norm->variance);
}

/* ---- the published file ---- */

typedef struct Published {
    SafetensorsWriter *writer;
    float *values[MOST_VARIABLES];
    int n;
} Published;

static void put(Published *p, const char *word, int number, const char *leaf, Shape shape, float *values)
{
    char name[96];
    const Tensor tensor = { .dtype = DTYPE_F32, .shape = shape, .data = values };
    variable_name(word, number, leaf, name);
    ASSERT_OK(safetensors_writer_add(p->writer, name, &tensor, DTYPE_F32));
    assert_true(p->n < MOST_VARIABLES);
    p->values[p->n++] = values;
}

/* left_out: this layer is not written; -1: all are. */
static void write_published(const char *path, int left_out)
{
    Published p = { .n = 0 };
    ASSERT_OK(safetensors_writer_new(&p.writer));
    for (int i = 0; i < ARRAY_LEN(layers); i++) {
        const Layer *l = &layers[i];
        const int n = channels_out(l);
        const char *leaf = is_depthwise(l) ? "depthwise_kernel" : "kernel";
        if (i == left_out) continue;
        put(&p, l->word, l->number, leaf, shape4(l->kernel, l->kernel, l->in, l->out), filter(l));
        put(&p, l->word, l->number, "bias", shape1(n), vector(l->word, l->number, "bias", n, 0.0F, 0.2F));
        if (l->norm < 0) continue;
        const Norm norm = norm_of(l);
        put(&p, "batch_normalization", l->norm, "gamma", shape1(n), norm.gamma);
        put(&p, "batch_normalization", l->norm, "beta", shape1(n), norm.beta);
        put(&p, "batch_normalization", l->norm, "moving_mean", shape1(n), norm.mean);
        put(&p, "batch_normalization", l->norm, "moving_variance", shape1(n), norm.variance);
    }
    ASSERT_OK(safetensors_writer_write(p.writer, path, true));
    safetensors_writer_free(p.writer);
    for (int i = 0; i < p.n; i++) free(p.values[i]);
}

/* ---- the network in double ---- */

typedef struct Map {
    int side, channels;
    double *v; /* [side][side][channels] */
} Map;

static Map map_new(int side, int channels)
{
    Map m = { side, channels, calloc((size_t)(side * side * channels), sizeof(double)) };
    assert_non_null(m.v);
    return m;
}

static double *at(const Map *m, int y, int x) { return m->v + (y * m->side + x) * m->channels; }

static double mish(double x) { return x * tanh(log1p(exp(x))); }

/* One tap of a filter at one pixel. */
static void add_tap(const Layer *l, const double *from, const float *tap, double *to)
{
    for (int o = 0; o < channels_out(l); o++) {
        if (is_depthwise(l)) {
            to[o] += (double)tap[o] * from[o];
            continue;
        }
        for (int i = 0; i < l->in; i++) to[o] += (double)tap[i * l->out + o] * from[i];
    }
}

static const Layer *find(const char *word, int number)
{
    for (int i = 0; i < ARRAY_LEN(layers); i++)
        if (strcmp(layers[i].word, word) == 0 && layers[i].number == number) return &layers[i];
    fail_msg("%s %d is no layer", word, number);
    return NULL;
}

static void normalise_map(const Layer *l, const Map *m)
{
    Norm norm = norm_of(l);
    for (int64_t i = 0; i < (int64_t)m->side * m->side * m->channels; i++) {
        const int64_t c = i % m->channels;
        const double z = (m->v[i] - (double)norm.mean[c]) / sqrt((double)norm.variance[c] + 1e-3);
        m->v[i] = mish(z * (double)norm.gamma[c] + (double)norm.beta[c]);
    }
    norm_free(&norm);
}

static Map apply(const char *word, int number, Map x)
{
    const Layer *l = find(word, number);
    const int half = l->kernel / 2, n = channels_out(l);
    float *weights = filter(l), *bias = vector(l->word, l->number, "bias", n, 0.0F, 0.2F);
    assert_int_equal(x.channels, l->in);
    const Map y = map_new(x.side, n);
    for (int p = 0; p < x.side * x.side; p++) {
        double *to = y.v + p * n;
        for (int c = 0; c < n; c++) to[c] = (double)bias[c];
        for (int t = 0; t < l->kernel * l->kernel; t++) {
            const int row = p / x.side + t / l->kernel - half, column = p % x.side + t % l->kernel - half;
            if (row < 0 || row >= x.side || column < 0 || column >= x.side) continue;
            add_tap(l, at(&x, row, column), weights + t * l->in * l->out, to);
        }
    }
    free(weights);
    free(bias);
    if (l->norm >= 0) normalise_map(l, &y);
    return y;
}

static Map replace(const char *word, int number, Map x)
{
    const Map y = apply(word, number, x);
    free(x.v);
    return y;
}

static Map reference_block(Map x, int convolution, int depthwise)
{
    const Map side = apply("conv2d", convolution + 3, x);
    for (int i = 0; i < 3; i++) {
        x = replace("conv2d", convolution + i, x);
        x = replace("depthwise_conv2d", depthwise + i, x);
    }
    for (int i = 0; i < x.side * x.side * x.channels; i++) x.v[i] += side.v[i];
    free(side.v);
    return x;
}

/* Weight of input i of `from` pixels for output o of `to`: a triangle, wide enough for both sizes. */
static double triangle(int o, int to, int i, int from)
{
    const double scale = (double)from / to, width = fmax(scale, 1.0);
    return fmax(0.0, 1.0 - fabs((i + 0.5 - (o + 0.5) * scale) / width));
}

static Map resize(Map x, int side)
{
    const Map y = map_new(side, x.channels);
    for (int p = 0; p < side * side; p++) {
        double sum = 0.0;
        for (int q = 0; q < x.side * x.side; q++) {
            const double weight =
                triangle(p / side, side, q / x.side, x.side) * triangle(p % side, side, q % x.side, x.side);
            sum += weight;
            for (int c = 0; weight > 0.0 && c < x.channels; c++)
                y.v[p * x.channels + c] += weight * x.v[q * x.channels + c];
        }
        for (int c = 0; c < x.channels; c++) y.v[p * x.channels + c] /= sum;
    }
    free(x.v);
    return y;
}

static Map copy(Map x)
{
    const Map y = map_new(x.side, x.channels);
    memcpy(y.v, x.v, (size_t)(x.side * x.side * x.channels) * sizeof *x.v);
    return y;
}

static Map concatenate(Map a, Map b)
{
    const Map y = map_new(a.side, a.channels + b.channels);
    for (int p = 0; p < a.side * a.side; p++) {
        memcpy(y.v + p * y.channels, a.v + p * a.channels, (size_t)a.channels * sizeof *a.v);
        memcpy(y.v + p * y.channels + a.channels, b.v + p * b.channels, (size_t)b.channels * sizeof *b.v);
    }
    free(a.v);
    free(b.v);
    return y;
}

static Map network(Map image)
{
    const Map stem = resize(apply("conv2d", 0, image), SIDE / 2);
    const Map deep = reference_block(reference_block(copy(stem), 2, 1), 6, 4);
    const Map skip = replace("depthwise_conv2d", 0, replace("conv2d", 1, stem));
    Map x = resize(reference_block(concatenate(deep, skip), 10, 7), SIDE);
    for (int p = 0; p < SIDE * SIDE; p++) {
        double *v = x.v + p * x.channels, sum = 0.0;
        for (int c = 0; c < x.channels; c++) sum += v[c] * v[c];
        for (int c = 0; c < x.channels; c++) v[c] /= sqrt(fmax(sum, 1e-12));
    }
    return replace("conv2d", 14, x);
}

/* ---- tests ---- */

static void convert(const char *in, const char *out)
{
    ConvertReport report;
    ASSERT_OK(convert_file(in, out, &(ConvertOptions){ .weights = DTYPE_F32, .overwrite = true }, &report));
    assert_int_equal(report.kind, CONVERT_DYNAMIC_WORLD);
    assert_int_equal(report.read, 146);
    assert_int_equal(report.written, 146);
}

static void compare(const Model *model, CpuIsa isa, const Map *image, const Map *wanted)
{
    const NetworkShape shape = segmenter_shape(&model->config.network, 1, SIDE);
    ProgramOptions options = program_options_defaults();
    Program *program = NULL;
    options.device.isa = isa;
    options.poison = true;
    ASSERT_OK(segmenter_compile(model->params, &model->config.network, &shape, NULL, &options, &program));
    float *input = program_tensor(program, "image").data;
    for (int i = 0; i < SIDE * SIDE * BANDS; i++) input[i] = (float)image->v[i];
    ASSERT_OK(program_forward(program, 0));
    const Tensor logits = program_tensor(program, "logits");
    assert_int_equal(shape_count(&logits.shape), SIDE * SIDE * CLASSES);
    double largest = 0.0, worst = 0.0;
    for (int i = 0; i < SIDE * SIDE * CLASSES; i++) {
        worst = fmax(worst, fabs((double)((const float *)logits.data)[i] - wanted->v[i]));
        largest = fmax(largest, fabs(wanted->v[i]));
    }
    print_message("  %s: %.2g of scores up to %.2g\n", cpu_isa_name(isa), worst, largest);
    assert_true(largest > 0.1 && worst < 1e-5 * largest);
    program_free(program);
}

static void converted_and_run(void **state)
{
    (void)state;
    char in[256], out[256];
    Model *model = NULL;
    write_published(unit_at("variables.safetensors", in), -1);
    convert(in, unit_at("model.safetensors", out));
    ASSERT_OK(model_load(out, false, &model));
    const Map image = map_new(SIDE, BANDS);
    for (int i = 0; i < SIDE * SIDE * BANDS; i++) image.v[i] = (double)rng_uniform(3, RNG_TEST, 1, (uint64_t)i);
    const Map wanted = network(image);
    for (int isa = ISA_PLAIN; isa <= (int)cpu_isa_detect(); isa++) compare(model, (CpuIsa)isa, &image, &wanted);
    free(image.v);
    free(wanted.v);
    model_free(model);
}

static void what_the_model_is(void **state)
{
    (void)state;
    char out[256];
    Model *model = NULL;
    ASSERT_OK(model_load(unit_at("model.safetensors", out), false, &model));
    const ModelConfig *c = &model->config;
    assert_int_equal(c->network.encoder, NETWORK_ENCODER_dynamic_world);
    assert_int_equal(c->transform, MODEL_TRANSFORM_LOG_SIGMOID);
    assert_true(c->reflectance == 10000.0 && model_config_reads_level_1(c));
    assert_true(c->bands[1].surface_scale == 0.682 && c->bands[1].surface_offset == 527.0); /* B03 */
    assert_string_equal(c->bands[7].name, "B11");
    assert_string_equal(c->classes[6].name, "built");
    assert_int_equal(c->classes[6].color, 0xC4281B);
    assert_non_null(strstr(c->provenance, "National Geographic"));
    model_free(model);
    ASSERT_ERR(model_load(out, true, &model), ERR_SHAPE, "for prediction alone"); /* as training loads it */
}

static void a_variable_is_missing(void **state)
{
    (void)state;
    char in[256], out[256];
    ConvertReport report;
    write_published(unit_at("variables.safetensors", in), 3);
    ASSERT_ERR(convert_file(in, unit_at("none.safetensors", out),
                            &(ConvertOptions){ .weights = DTYPE_F32, .overwrite = true }, &report),
               ERR_MODEL, "conv2d_2/kernel");
}

static int tear_down(void **state)
{
    char path[256];
    (void)unlink(unit_at("variables.safetensors", path));
    (void)unlink(unit_at("model.safetensors", path));
    return unit_tear_down(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(converted_and_run), cmocka_unit_test(what_the_model_is),
                                        cmocka_unit_test(a_variable_is_missing) };
    return cmocka_run_group_tests(tests, unit_set_up, tear_down);
}
