/* SPDX-License-Identifier: Apache-2.0
 * Model files: round trips of weights, configuration and prompts, and files that must be refused. */
#include "model/model_file.h"

#include "base/file.h"
#include "harness/unit.h"
#include "model/convert.h"

#include <math.h>
#include <string.h>

typedef struct Scratch {
    char folder[64], path[128], other[128];
} Scratch;

static Scratch scratch_new(void)
{
    Scratch s;
    unit_folder(s.folder);
    (void)snprintf(s.path, sizeof s.path, "%s/a.safetensors", s.folder);
    (void)snprintf(s.other, sizeof s.other, "%s/b.safetensors", s.folder);
    return s;
}

static void scratch_done(const Scratch *s)
{
    (void)file_remove(s->path);
    (void)file_remove(s->other);
    assert_int_equal(rmdir(s->folder), 0);
}

enum { TEXT_WIDTH = 384 }; /* of network_config_defaults() */

static void configure(ModelConfig *config)
{
    assert_int_equal(model_config_init(config), ERR_NONE);
    assert_int_equal(model_config_set_classes(config, 3), ERR_NONE);
    assert_int_equal(model_config_set_text(&config->classes[2].name, "For\xC3\xAAt \"dense\""), ERR_NONE);
    assert_int_equal(model_config_set_text(&config->name, "test"), ERR_NONE);
    assert_int_equal(model_config_set_text(&config->provenance, "{\"steps\":50,\"places\":[\"A\",{\"b\":null}]}"),
                     ERR_NONE);
    config->classes[0].color = 0x1F77B4;
    config->classes[1].code = 17;
    config->gsd_minimum = 0.025;
    config->gsd_maximum = 0.1;
    config->gsd_unit = MODEL_DEGREE;
    config->transform = MODEL_TRANSFORM_LOG;
    config->bands[1].mean = 0.1 + 0.2; /* needs all digits */
}

static Model *initialized(bool auxiliary)
{
    ModelConfig config;
    Model *model = NULL;
    configure(&config);
    ASSERT_OK(model_new(&config, auxiliary, &model));
    model_config_done(&config);
    model_initialize(model, 5);
    return model;
}

static void assert_same_config(const ModelConfig *a, const ModelConfig *b)
{
    char *x = NULL, *y = NULL;
    assert_int_equal(model_config_write(a, &x), ERR_NONE);
    assert_int_equal(model_config_write(b, &y), ERR_NONE);
    assert_string_equal(x, y);
    free(x);
    free(y);
}

static void add_prompts(Model *model)
{
    float features[5 * TEXT_WIDTH];
    PromptTable *zones = &model->prompts;
    ASSERT_OK(prompt_table_init(zones, 2, 2, 6, TEXT_WIDTH));
    for (int i = 0; i < 5 * TEXT_WIDTH; i++) features[i] = 0.25F * (float)(i % 17) - 1.0F;
    ASSERT_OK(prompt_table_set(zones, 0, 0, "Af", "Rainforest.", features, 5));
    ASSERT_OK(prompt_table_set(zones, 0, 1, "Af", "Jungle.", features + 9, 2));
    ASSERT_OK(prompt_table_set(zones, 1, 0, "BWh", "Sand.", features + 7, 3));
    ASSERT_OK(prompt_table_set(zones, 1, 1, "BWh", "Dunes.", features + 11, 4));
}

static void round_trip(void **state)
{
    (void)state;
    const Scratch s = scratch_new();
    Model *model = initialized(true), *back = NULL;
    ModelSave save = model_save_defaults();
    save.weights = DTYPE_F32;
    save.auxiliary = true;
    add_prompts(model);
    model->config.reflectance = 10000.0;
    for (int32_t b = 0; b < 3; b++) {
        model->config.bands[b].surface_scale = 0.7 + 0.1 * b;
        model->config.bands[b].surface_offset = -3.5 * b;
    }
    ASSERT_OK(model_save(model, s.path, &save));
    assert_int_equal(model_save(model, s.path, &save), ERR_OUTPUT);
    ASSERT_OK(model_load(s.path, true, &back));
    assert_same_config(&model->config, &back->config);
    assert_int_equal(params_length(model->params), params_length(back->params));
    assert_memory_equal(params_values(model->params), params_values(back->params),
                        (size_t)params_length(model->params) * sizeof(float));
    uint64_t a = 0, b = 0;
    assert_int_equal(model_hash(model, &a), ERR_NONE);
    assert_int_equal(model_hash(back, &b), ERR_NONE);
    assert_true(a == b);
    params_values(back->params)[0] += 1.0F;
    assert_int_equal(model_hash(back, &b), ERR_NONE);
    assert_true(a != b);

    const PromptTable *zones = &back->prompts; /* the first wordings alone are stored */
    assert_int_equal(zones->count, 2);
    assert_int_equal(zones->wordings, 1);
    assert_int_equal(prompt_table_find(zones, "BWh"), 1);
    assert_int_equal(prompt_table_find(zones, "Cfb"), -1);
    assert_string_equal(zones->sentences[0], "Rainforest.");
    assert_int_equal(prompt_table_length(zones, 1, 0), 3);
    assert_memory_equal(zones->features, model->prompts.features,
                        2 * 6 * TEXT_WIDTH * sizeof(float)); /* quarters are exact in half precision */
    model_free(model);
    model_free(back);
    scratch_done(&s);
}

static void refuses_prompts_that_are_too_long(void **state)
{
    (void)state;
    const Scratch s = scratch_new();
    Model *model = initialized(false), *back = NULL;
    const ModelSave save = model_save_defaults();
    add_prompts(model); /* of up to 5 tokens */
    model->config.network.prompt_tokens = 4;
    ASSERT_OK(model_save(model, s.path, &save));
    ASSERT_ERR(model_load(s.path, false, &back), ERR_MODEL, "a prompt of 5 tokens; its network reads at most 4");
    assert_null(back);
    model_free(model);
    scratch_done(&s);
}

/* Half precision: matrices rounded, vectors exact, no auxiliary head; loading for training starts that head afresh. */
static void half_precision(void **state)
{
    (void)state;
    const Scratch s = scratch_new();
    Model *model = initialized(true), *back = NULL, *training = NULL;
    const ModelSave save = model_save_defaults();
    assert_int_equal(model_save(model, s.path, &save), ERR_NONE);
    assert_int_equal(model_load(s.path, false, &back), ERR_NONE);
    for (int32_t i = 0; i < params_count(back->params); i++) {
        const ParamInfo *info = params_info(back->params, i);
        const int32_t source = params_find(model->params, info->name);
        assert_true(source >= 0 && !model_is_auxiliary(info->name));
        const float *x = params_tensor(model->params, source).data, *y = params_tensor(back->params, i).data;
        for (int64_t j = 0; j < shape_count(&info->shape); j++) {
            if (info->shape.rank < 2)
                assert_true(x[j] == y[j]);
            else
                assert_true(fabsf(x[j] - y[j]) <= fabsf(x[j]) / 2048.0F + 3e-8F);
        }
    }
    assert_int_equal(model_load(s.path, true, &training), ERR_NONE);
    const int32_t head = params_find(training->params, "decoder.aux_head.conv_out.0.weight");
    assert_true(head >= 0);
    assert_true(((const float *)params_tensor(training->params, head).data)[0] != 0.0F);
    model_free(model);
    model_free(back);
    model_free(training);
    scratch_done(&s);
}

/* A checkpoint: further tensors and notes come back; other values than the set's; conversion drops the training state.
 */
static void checkpoint(void **state)
{
    (void)state;
    const Scratch s = scratch_new();
    Model *model = initialized(true), *back = NULL;
    const size_t n = (size_t)params_length(model->params);
    float moments[3] = { 1.0F, 2.0F, 3.0F }, stored[3], *average = calloc(n, sizeof *average);
    assert_non_null(average);
    ModelExtra extras[] = { { "train.moment1", { DTYPE_F32, { 1, { 3 } }, moments } } };
    const ModelNote notes[] = { { "metaseg.train.state", "{\"step\":7}" } };
    ModelSave save = { .weights = DTYPE_F32,
                       .auxiliary = true,
                       .values = average,
                       .extras = extras,
                       .n_extras = 1,
                       .notes = notes,
                       .n_notes = 1 };
    assert_int_equal(model_save(model, s.path, &save), ERR_NONE);
    TensorFile *file = NULL;
    assert_int_equal(tensor_file_open(s.path, &file), ERR_NONE);
    assert_string_equal(tensor_file_metadata(file, "metaseg.train.state"), "{\"step\":7}");
    ASSERT_OK(stored_tensor_copy(tensor_file_find(file, "train.moment1"), stored));
    assert_memory_equal(stored, moments, sizeof moments);
    assert_int_equal(model_load_file(file, true, &back), ERR_NONE);
    assert_memory_equal(params_values(back->params), average, n * sizeof *average);
    tensor_file_close(file);
    ConvertReport report;
    assert_int_equal(
        convert_file(s.path, s.other, &(ConvertOptions){ .weights = DTYPE_F16, .overwrite = false }, &report),
        ERR_NONE);
    assert_int_equal(report.kind, CONVERT_MODEL);
    assert_int_equal(tensor_file_open(s.other, &file), ERR_NONE);
    assert_int_equal(tensor_file_count(file), report.written);
    assert_null(tensor_file_find(file, "train.moment1"));
    tensor_file_close(file);
    extras[0].name = "moment1";
    save.overwrite = true;
    assert_int_equal(model_save(model, s.path, &save), ERR_ARGUMENT);
    free(average);
    model_free(model);
    model_free(back);
    scratch_done(&s);
}

/* Writes the tensors of a model but with changes, as a file that is well-formed and yet no model. */
typedef struct Change {
    const char *drop, *add; /* a tensor left out, one more */
    const char *from, *to;  /* text replaced in the configuration */
    bool poison;            /* a NaN among the weights */
    bool no_config;
    const char *message;
} Change;

static char *replaced(const char *text, const char *from, const char *to)
{
    const char *at = strstr(text, from);
    if (at == NULL) fail_msg("'%s' is not in '%s'", from, text);
    const size_t n = strlen(text) + strlen(to) + 1;
    char *out = malloc(n);
    assert_non_null(out);
    (void)snprintf(out, n, "%.*s%s%s", (int)(at - text), text, to, at + strlen(from));
    return out;
}

static void write_changed(const Model *model, const Change *change, const char *path)
{
    SafetensorsWriter *writer = NULL;
    char *json = NULL;
    assert_int_equal(safetensors_writer_new(&writer), ERR_NONE);
    assert_int_equal(model_config_write(&model->config, &json), ERR_NONE);
    if (change->from != NULL) {
        char *other = replaced(json, change->from, change->to);
        free(json);
        json = other;
    }
    if (!change->no_config) assert_int_equal(safetensors_writer_metadata(writer, "metaseg", json), ERR_NONE);
    for (int32_t i = 0; i < params_count(model->params); i++) {
        const ParamInfo *info = params_info(model->params, i);
        if (change->drop != NULL && strcmp(info->name, change->drop) == 0) continue;
        const Tensor tensor = params_tensor(model->params, i);
        assert_int_equal(safetensors_writer_add(writer, info->name, &tensor, DTYPE_F32), ERR_NONE);
    }
    float one = 1.0F;
    const Tensor extra = { .dtype = DTYPE_F32, .shape = { 1, { 1 } }, .data = &one };
    if (change->add != NULL) assert_int_equal(safetensors_writer_add(writer, change->add, &extra, DTYPE_F32), ERR_NONE);
    float *first = params_values(model->params);
    const float kept = *first;
    if (change->poison) *first = NAN;
    assert_int_equal(safetensors_writer_write(writer, path, true), ERR_NONE);
    *first = kept;
    safetensors_writer_free(writer);
    free(json);
}

static const Change changes[] = {
    { .no_config = true, .message = "no model configuration" },
    { .drop = "decoder.p1.weights", .message = "'decoder.p1.weights'" },
    { .add = "decoder.surprise", .message = "has no place in the network" },
    { .add = "prompts.zone", .message = "unsuitable shape" },
    { .add = "prompts.season", .message = "has no place in the network" },
    { .poison = true, .message = "no finite number" },
    { .from = "efficientnet_lite0", .to = "resnet99", .message = "image encoder 'resnet99' is unknown" },
    { .from = "unetformer", .to = "mask2former", .message = "decoder 'mask2former' is unknown" },
    { .from = "\"caf\"", .to = "\"concat\"", .message = "the fusion 'concat' is unknown; this program has caf, none" },
    { .from = "\"schema\":1", .to = "\"schema\":2", .message = "schema 2" },
    { .from = "\"schema\":1", .to = "\"schema\":1,\"extra\":1", .message = "'extra' is unknown" },
    { .from = "\"tile\":512", .to = "\"tile\":500", .message = "tile side is 500" },
    { .from = "\"tile\":512,", .to = "", .message = "'tile' is missing" },
    { .from = "\"decoder_width\":64", .to = "\"decoder_width\":32", .message = "was expected" }, /* other shapes */
    { .from = "\"decoder_width\":64", .to = "\"decoder_width\":64000", .message = "decoder's width is 64000" },
    { .from = "\"decoder_heads\":8", .to = "\"decoder_heads\":7", .message = "of its 7 heads" },
    { .from = "\"decoder_heads\":8", .to = "\"decoder_heads\":8,\"output_stride\":3", .message = "output stride is 3" },
    { .from = "\"decoder_heads\":8",
      .to = "\"decoder_heads\":8,\"output_stride\":2",
      .message = "of the network of its configuration is missing" },
    { .from = "\"decoder_heads\":8", .to = "\"decoder_heads\":8,\"missing_bands\":1", .message = "missing_bands" },
    { .from = "\"decoder_heads\":8", .to = "\"decoder_heads\":8,\"missing_bands\":true", .message = "_conv_stem" },
    { .from = "\"decoder_heads\":8", .to = "\"decoder_heads\":8,\"byte_scale\":-2", .message = "byte_scale is -2" },
    { .from = "\"decoder_heads\":8", .to = "\"decoder_heads\":8,\"reflectance\":-1", .message = "reflectance is -1" },
    { .from = "\"decoder_heads\":8",
      .to = "\"decoder_heads\":8,\"detail_width\":24",
      .message = "detail branch is 24" },
    { .from = "\"decoder_heads\":8", .to = "\"decoder_heads\":8,\"detail_width\":32", .message = "at output stride 4" },
    { .from = "\"std\":57.12",
      .to = "\"std\":57.12,\"surface_scale\":2,\"surface_offset\":0",
      .message = "for every band, or none" },
    { .from = "\"transform\":\"log\"", .to = "\"transform\":\"root\"", .message = "has none, log, log_sigmoid" },
    { .from = "\"code\":17", .to = "\"code\":0", .message = "which another class has" },
    { .from = "\"code\":17", .to = "\"code\":255", .message = "class code is 255" },
    { .from = "\"tile\":512", .to = "\"tile\":512,\"nodata\":0", .message = "'nodata' is 0; this program has 255" },
    { .from = "\"tile\":512", .to = "\"tile\":512,\"zone_slots\":1", .message = "'zone_slots' is 1" },
    { .from = "\"code\":17", .to = "\"code\":1000", .message = "class code is 1000" },
    { .from = "#1f77b4", .to = "blue", .message = "#rrggbb" },
    { .from = "\"std\":57.12", .to = "\"std\":0", .message = "positive std" },
    { .from = "\"minimum\":0.025", .to = "\"minimum\":0.2", .message = "ground sampling distances" },
    { .from = "\"unit\":\"degree\"", .to = "\"unit\":\"foot\"", .message = "'foot'" },
    { .from = "{", .to = "[", .message = "not well-formed" },
};

static void refuses_changed_files(void **state)
{
    (void)state;
    const Scratch s = scratch_new();
    Model *model = initialized(false), *back = NULL;
    const Change none = { 0 };
    write_changed(model, &none, s.path);
    ASSERT_OK(model_load(s.path, false, &back));
    model_free(back);
    back = NULL;
    const Change older = { .from = "\"tile\":512", .to = "\"tile\":512,\"nodata\":255,\"zone_slots\":4" };
    write_changed(model, &older, s.path);
    ASSERT_OK(model_load(s.path, false, &back));
    model_free(back);
    back = NULL;
    for (int64_t i = 0; i < ARRAY_LEN(changes); i++) {
        write_changed(model, &changes[i], s.path);
        const Err err = model_load(s.path, false, &back);
        if (err != ERR_MODEL || strstr(err_message(), changes[i].message) == NULL ||
            strstr(err_message(), s.path) == NULL) {
            fail_msg("case %d: error %d, message '%s'; '%s' was expected", (int)i, (int)err, err_message(),
                     changes[i].message);
        }
        assert_null(back);
    }
    assert_int_equal(model_load("no/such/model.safetensors", false, &back), ERR_INPUT);
    model_free(model);
    scratch_done(&s);
}

/* The same seed gives the same values whatever the order; the projections that end the fusion start at 0. */
static void initial_values(void **state)
{
    (void)state;
    Model *a = initialized(true), *b = initialized(false);
    static const char *const zeros[] = { "fusion.s16.image_out.weight", "fusion.s32.mlp.fc2.weight",
                                         "fusion.s16.text_out.bias" };
    for (int32_t i = 0; i < params_count(b->params); i++) {
        const Tensor y = params_tensor(b->params, i);
        const Tensor x = params_tensor(a->params, params_find(a->params, params_info(b->params, i)->name));
        assert_memory_equal(x.data, y.data, tensor_bytes(&y));
    }
    for (int i = 0; i < 3; i++) {
        const Tensor t = params_tensor(a->params, params_find(a->params, zeros[i]));
        for (int64_t j = 0; j < shape_count(&t.shape); j++) assert_true(((const float *)t.data)[j] == 0.0F);
    }
    /* docs/model.md section 6: std sqrt(2 / fan-in), here over 64 * 64 * 9 values */
    const Tensor filter = params_tensor(a->params, params_find(a->params, "decoder.p3.post_conv.0.weight"));
    double squares = 0.0;
    const int64_t n = shape_count(&filter.shape);
    for (int64_t j = 0; j < n; j++)
        squares += (double)((const float *)filter.data)[j] * (double)((const float *)filter.data)[j];
    assert_true(fabs(sqrt(squares / (double)n) / sqrt(2.0 / (64.0 * 9.0)) - 1.0) < 0.02);
    model_free(a);
    model_free(b);
}

/* The mean token gives 0 behind text_in, and the null prompt lies around it. */
static void centred_text(void **state)
{
    (void)state;
    Model *model = initialized(false), *before = initialized(false);
    float mean[TEXT_WIDTH];
    for (int i = 0; i < TEXT_WIDTH; i++) mean[i] = 0.3F * (float)(i % 11) - 1.0F;
    model_centre_text(model, mean);
    const char *const levels[] = { "fusion.s16.text_in", "fusion.s32.text_in" };
    for (int l = 0; l < 2; l++) {
        char name[64];
        (void)snprintf(name, sizeof name, "%s.weight", levels[l]);
        const float *weight = params_tensor(model->params, params_find(model->params, name)).data;
        (void)snprintf(name, sizeof name, "%s.bias", levels[l]);
        const Tensor bias = params_tensor(model->params, params_find(model->params, name));
        double largest = 0.0;
        for (int64_t o = 0; o < bias.shape.dim[0]; o++) {
            double sum = (double)((const float *)bias.data)[o];
            largest = fmax(largest, fabs(sum));
            for (int i = 0; i < TEXT_WIDTH; i++) sum += (double)weight[o * TEXT_WIDTH + i] * (double)mean[i];
            assert_true(fabs(sum) < 1e-6);
        }
        assert_true(largest > 0.1);
    }
    const int32_t null = params_find(model->params, "text.null");
    const float *now = params_tensor(model->params, null).data, *was = params_tensor(before->params, null).data;
    for (int i = 0; i < 4 * TEXT_WIDTH; i++) assert_true(fabsf(now[i] - was[i] - mean[i % TEXT_WIDTH]) < 1e-6F);
    model_free(model);
    model_free(before);
}

/* The encoder of a model under other names, with a tensor of something else beside it where names have a prefix. */
static void write_encoder(const Model *model, const char *prefix, const char *second, const char *path)
{
    SafetensorsWriter *writer = NULL;
    char name[256];
    float one = 1.0F;
    const Tensor extra = { .dtype = DTYPE_F32, .shape = { 1, { 1 } }, .data = &one };
    ASSERT_OK(safetensors_writer_new(&writer));
    if (prefix[0] != '\0') ASSERT_OK(safetensors_writer_add(writer, "criterion.weight", &extra, DTYPE_F32));
    for (int32_t i = 0; i < params_count(model->params); i++) {
        const ParamInfo *info = params_info(model->params, i);
        if (strncmp(info->name, "encoder.", 8) != 0) continue;
        const Tensor tensor = params_tensor(model->params, i);
        (void)snprintf(name, sizeof name, "%s%s", prefix, info->name + 8);
        ASSERT_OK(safetensors_writer_add(writer, name, &tensor, DTYPE_F32));
        (void)snprintf(name, sizeof name, "%s%s", second, info->name + 8);
        if (second[0] != '\0') ASSERT_OK(safetensors_writer_add(writer, name, &tensor, DTYPE_F32));
    }
    ASSERT_OK(safetensors_writer_write(writer, path, true));
    safetensors_writer_free(writer);
}

/* Whatever wrapped a network when it was saved, the weights are the same. */
static void names_under_prefixes(void **state)
{
    static const char *const prefixes[] = { "",         "encoder.", "module.",           "_orig_mod.",
                                            "model.",   "net.",     "module._orig_mod.", "model.module.encoder.",
                                            "backbone." };
    (void)state;
    const Scratch s = scratch_new();
    Model *model = initialized(false);
    ConvertReport report;
    char *first = NULL, *bytes = NULL;
    size_t n_first = 0, n = 0;
    for (int64_t i = 0; i < ARRAY_LEN(prefixes); i++) {
        write_encoder(model, prefixes[i], "", s.path);
        ASSERT_OK(convert_file(s.path, s.other, &(ConvertOptions){ .weights = DTYPE_F32, .overwrite = true }, &report));
        assert_int_equal(report.kind, CONVERT_ENCODER);
        ASSERT_OK(file_read(s.other, 1 << 28, &bytes, &n));
        if (first == NULL) {
            first = bytes;
            n_first = n;
            continue;
        }
        assert_int_equal(n, n_first);
        assert_memory_equal(bytes, first, n);
        free(bytes);
    }
    free(first);
    write_encoder(model, "model.", "model_ema.", s.path);
    ASSERT_ERR(convert_file(s.path, s.other, &(ConvertOptions){ .weights = DTYPE_F32, .overwrite = true }, &report),
               ERR_MODEL, "holds the same network twice");
    model_free(model);
    scratch_done(&s);
}

/* What is decayed: matrices and filters; not biases, norms, tables, the null prompt. */
static void weight_decay(void **state)
{
    (void)state;
    Model *model = initialized(true);
    for (int32_t i = 0; i < params_count(model->params); i++) {
        const ParamInfo *info = params_info(model->params, i);
        const bool table =
            strstr(info->name, "relative_position_bias_table") != NULL || strcmp(info->name, "text.null") == 0;
        if (info->trainable) assert_true(info->decay == (info->shape.rank >= 2 && !table));
        assert_true(info->trainable == (strstr(info->name, "running_") == NULL));
    }
    model_free(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(round_trip),
        cmocka_unit_test(half_precision),
        cmocka_unit_test(refuses_prompts_that_are_too_long),
        cmocka_unit_test(checkpoint),
        cmocka_unit_test(refuses_changed_files),
        cmocka_unit_test(initial_values),
        cmocka_unit_test(weight_decay),
        cmocka_unit_test(centred_text),
        cmocka_unit_test(names_under_prefixes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
