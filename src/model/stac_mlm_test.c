/* SPDX-License-Identifier: Apache-2.0
 * The STAC Item of a model: what the schemas of STAC 1.1, of mlm 1.5.2 and of the classification and file extensions ask for. */
#include "model/stac_mlm.h"

#include "base/file.h"
#include "base/hash.h"
#include "base/json.h"
#include "model/model_test.h"

#include <string.h>
#include <sys/stat.h>

enum { LIMIT = 1 << 20 };

static void make_model(const char *path, NetworkFusion fusion, ModelTransform transform, ModelUnit unit,
                       const char *name)
{
    ModelConfig config;
    test_model_config(3, 3, NULL, &config);
    ASSERT_OK(model_config_set_text(&config.classes[2].name, "For\xC3\xAAt \"dense\""));
    ASSERT_OK(model_config_set_text(&config.name, name));
    ASSERT_OK(model_config_set_text(&config.provenance, "{\"software\":\"metaseg 0.1.0\"}"));
    config.network.fusion = fusion;
    config.classes[1].code = 17;
    config.classes[1].color = 0x1fb40a;
    config.transform = transform;
    if (transform == MODEL_TRANSFORM_LOG_SIGMOID) { /* a detail branch that reads level 1 */
        config.network.encoder = NETWORK_ENCODER_none;
        config.network.decoder = NETWORK_DECODER_detail;
        config.network.detail_width = 16;
        config.network.output_stride = 2;
        config.reflectance = 10000.0;
        for (int32_t b = 0; b < config.network.n_bands; b++) {
            config.bands[b].surface_scale = 0.5 + b;
            config.bands[b].surface_offset = -20.0;
        }
    }
    config.bands[1].scale = 2.0;
    config.bands[1].mean = 100.0;
    config.bands[1].std = 50.0;
    config.gsd_minimum = 0.5;
    config.gsd_maximum = 2.0;
    config.gsd_unit = unit;
    test_model_save(&config, 0, path);
}

static Json *describe(const char *model_path, const char *path)
{
    Model *model = NULL;
    Json *root = NULL;
    ASSERT_OK(model_load(model_path, false, &model));
    ASSERT_OK(stac_mlm_write(model, model_path, path, true));
    model_free(model);
    ASSERT_OK(json_read_file(path, LIMIT, &root));
    return root;
}

static const char *text_of(const Json *object, const char *key)
{
    const char *text = NULL;
    ASSERT_OK(json_get_string(object, key, &text));
    return text;
}

static const Json *object_of(const Json *object, const char *key)
{
    const Json *member = json_find(object, key);
    if (member == NULL) fail_msg("'%s' is missing", key);
    return member;
}

static const Json *at(const Json *array, int64_t index)
{
    assert_int_equal(json_kind(array), JSON_ARRAY);
    const Json *node = json_first(array);
    while (index-- > 0 && node != NULL) node = json_next(node);
    assert_non_null(node);
    return node;
}

static int64_t int_of(const Json *object, const char *key)
{
    int64_t value = 0;
    ASSERT_OK(json_get_int(object, key, -1, INT64_C(1) << 50, &value));
    return value;
}

/* shape and dim_order are of one length; words of letters and - _ */
static void check_structure(const Json *structure, int64_t dimensions)
{
    const Json *shape = object_of(structure, "shape");
    const Json *order = object_of(structure, "dim_order");
    assert_int_equal(json_count(shape), dimensions);
    assert_int_equal(json_count(order), dimensions);
    for (const Json *word = json_first(order); word != NULL; word = json_next(word)) {
        const char *text = NULL;
        ASSERT_OK(json_as_string(word, "dim_order", &text));
        assert_int_equal(strspn(text, "abcdefghijklmnopqrstuvwxyz-_"), strlen(text));
    }
    assert_string_equal(text_of(structure, "data_type"), "float32");
}

static void check_item(const Json *item)
{
    const Json *p = object_of(item, "properties");
    static const char *const extensions[] = { "/mlm/v1.5.2/", "/classification/v1.1.0/", "/file/v2.1.0/" };
    assert_string_equal(text_of(item, "type"), "Feature");
    assert_string_equal(text_of(item, "stac_version"), "1.1.0");
    for (int64_t i = 0; i < ARRAY_LEN(extensions); i++) {
        const char *text = NULL;
        ASSERT_OK(json_as_string(at(object_of(item, "stac_extensions"), i), "extension", &text));
        assert_non_null(strstr(text, extensions[i]));
    }
    assert_true(json_kind(object_of(item, "geometry")) == JSON_NULL);
    assert_null(json_find(item, "bbox")); /* not beside a geometry that is null */
    assert_int_equal(json_kind(object_of(item, "links")), JSON_ARRAY);
    assert_true(json_kind(object_of(p, "datetime")) == JSON_NULL);
    (void)text_of(p, "start_datetime");
    (void)text_of(p, "end_datetime");
    (void)text_of(p, "mlm:architecture");
    const char *task = NULL;
    ASSERT_OK(json_as_string(at(object_of(p, "mlm:tasks"), 0), "task", &task));
    assert_string_equal(task, "semantic-segmentation");
    const Json *output = at(object_of(p, "mlm:output"), 0);
    assert_int_equal(json_count(object_of(output, "tasks")), 1);
    check_structure(object_of(output, "result"), 4);
}

static void a_model(void **state)
{
    (void)state;
    char model[256], path[256], hex[17];
    uint64_t hash = 0;
    struct stat file;
    make_model(unit_at("a model.safetensors", model), NETWORK_FUSION_CAF, MODEL_TRANSFORM_NONE, MODEL_METRE,
               "Gr\xC3\xBCn 7!");
    Json *item = describe(model, unit_at("model.json", path));
    const Json *p = object_of(item, "properties");
    check_item(item);
    assert_string_equal(text_of(item, "id"), "a model");
    assert_string_equal(text_of(p, "title"), "Gr\xC3\xBCn 7!");
    assert_string_equal(text_of(p, "mlm:name"), "Gr--n 7");
    assert_string_equal(text_of(p, "mlm:framework"), "metaseg");
    assert_string_equal(text_of(p, "mlm:framework_version"), "0.1.0");
    assert_true(int_of(p, "mlm:total_parameters") > 1000000);
    double gsd = 0.0;
    ASSERT_OK(json_get_double(p, "gsd", &gsd));
    assert_true(gsd == 0.5);
    const Json *input = at(object_of(p, "mlm:input"), 0);
    check_structure(object_of(input, "input"), 4);
    assert_int_equal(json_count(object_of(p, "bands")), 3);
    assert_int_equal(json_count(object_of(input, "bands")), 3);
    const Json *green = at(object_of(input, "value_scaling"), 1);
    double mean = 0.0, stddev = 0.0;
    assert_string_equal(text_of(green, "type"), "z-score");
    ASSERT_OK(json_get_double(green, "mean", &mean));
    ASSERT_OK(json_get_double(green, "stddev", &stddev));
    assert_true(mean == 50.0 && stddev == 25.0); /* (2 x - 100) / 50 = (x - 50) / 25 */
    check_structure(object_of(at(object_of(p, "mlm:input"), 1), "input"), 4);
    const Json *classes = object_of(at(object_of(p, "mlm:output"), 0), "classification:classes");
    assert_int_equal(json_count(classes), 3);
    assert_int_equal(int_of(at(classes, 1), "value"), 17);
    assert_string_equal(text_of(at(classes, 1), "color_hint"), "1FB40A");
    assert_string_equal(text_of(at(classes, 2), "description"), "For\xC3\xAAt \"dense\"");
    const Json *asset = object_of(object_of(item, "assets"), "model");
    assert_string_equal(text_of(asset, "href"), "./a%20model.safetensors");
    assert_string_equal(text_of(asset, "mlm:artifact_type"), "safetensors.torch.save_file");
    assert_int_equal(json_count(object_of(asset, "bands")), 3);
    const char *role = NULL;
    ASSERT_OK(json_as_string(at(object_of(asset, "roles"), 0), "role", &role));
    assert_string_equal(role, "mlm:model");
    assert_int_equal(stat(model, &file), 0);
    assert_int_equal(int_of(asset, "file:size"), (int64_t)file.st_size);
    ASSERT_OK(hash_file(model, &hash));
    hash_hex(hash, hex);
    assert_int_equal(strncmp(text_of(asset, "file:checksum"), "e2e70208", 8), 0);
    assert_string_equal(text_of(asset, "file:checksum") + 8, hex);
    json_free(item);
}

static void formulas_and_units(void **state)
{
    (void)state;
    char model[256], path[256], folder[256];
    make_model(unit_at("m.safetensors", model), NETWORK_FUSION_NONE, MODEL_TRANSFORM_LOG, MODEL_PIXEL, "1");
    ASSERT_OK(file_make_folders(unit_at("apart", folder)));
    Json *item = describe(model, unit_at("apart/m.json", path));
    const Json *p = object_of(item, "properties");
    check_item(item);
    assert_string_equal(text_of(p, "mlm:name"), "model 1");
    assert_string_equal(text_of(p, "mlm:architecture"), "UNetFormer, EfficientNet-Lite0");
    assert_null(json_find(p, "metaseg:surface_scale"));
    assert_null(json_find(p, "gsd"));
    assert_string_equal(text_of(object_of(p, "metaseg:pixel_sizes"), "unit"), "pixel");
    assert_int_equal(json_count(object_of(p, "mlm:input")), 1);
    const Json *green = at(object_of(at(object_of(p, "mlm:input"), 0), "value_scaling"), 1);
    assert_string_equal(text_of(green, "type"), "processing");
    assert_string_equal(text_of(green, "expression"), "(log1p(0.005*maximum(2*A,0))-100)/50");
    assert_int_equal(text_of(object_of(object_of(item, "assets"), "model"), "href")[0], '/');
    json_free(item);
    assert_int_equal(remove(path), 0);
    assert_int_equal(rmdir(folder), 0);
    make_model(model, NETWORK_FUSION_NONE, MODEL_TRANSFORM_LOG_SIGMOID, MODEL_DEGREE, "--");
    item = describe(model, unit_at("m.json", path));
    p = object_of(item, "properties");
    green = at(object_of(at(object_of(p, "mlm:input"), 0), "value_scaling"), 1);
    assert_string_equal(text_of(green, "expression"), "1/(1+exp(1-5*(log1p(0.005*maximum(2*A,0))-100)/50))");
    assert_string_equal(text_of(p, "mlm:name"), "model");
    assert_string_equal(text_of(p, "mlm:architecture"), "detail branch of metaseg");
    double reflectance = 0.0, scale = 0.0, offset = 0.0;
    ASSERT_OK(json_get_double(p, "metaseg:reflectance", &reflectance));
    ASSERT_OK(json_as_double(at(object_of(p, "metaseg:surface_scale"), 2), "scale", &scale));
    ASSERT_OK(json_as_double(at(object_of(p, "metaseg:surface_offset"), 1), "offset", &offset));
    assert_true(reflectance == 10000.0 && scale == 2.5 && offset == -20.0);
    double gsd = 0.0;
    ASSERT_OK(json_get_double(p, "gsd", &gsd));
    assert_true(gsd > 55000.0 && gsd < 56000.0);
    json_free(item);
}

static void refused(void **state)
{
    (void)state;
    char path[256], other[256];
    Model *model = NULL;
    make_model(unit_at("m.safetensors", path), NETWORK_FUSION_NONE, MODEL_TRANSFORM_NONE, MODEL_METRE, "abc");
    ASSERT_OK(model_load(path, false, &model));
    ASSERT_ERR(stac_mlm_write(model, path, unit_at("m.tif", other), false), ERR_ARGUMENT, "JSON");
    assert_int_equal(link(path, unit_at("same.json", other)), 0);
    ASSERT_ERR(stac_mlm_write(model, path, other, true), ERR_ARGUMENT, "the model");
    unit_write_text(unit_at("there.json", other), "mine");
    ASSERT_ERR(stac_mlm_write(model, path, other, false), ERR_OUTPUT, "there.json");
    model_free(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(a_model), cmocka_unit_test(formulas_and_units),
                                        cmocka_unit_test(refused) };
    return cmocka_run_group_tests(tests, unit_set_up, unit_tear_down);
}
