/* SPDX-License-Identifier: Apache-2.0
 * Where the classes of a run come from: its configuration or a class table, exactly one; and the tables of
 * share/classes. */
#include "train/run_config.h"

#include "base/str.h"
#include "harness/unit.h"
#include "metaseg/train.h"

static const char head[] =
    "name: made\n"
    "model: { fusion: none, gsd_min: 1, gsd_max: 2 }\n"
    "train: { output: out }\n"
    "data:\n"
    "  scenes: [{ name: s, image: i.tif, labels: l.tif }, { name: t, image: j.tif, labels: m.tif }]\n";

/* Writes run.yaml with these lines in `data` and loads it. */
static Err load(const char *lines, const char *const *overrides, int64_t n_overrides, RunConfig **ret_config)
{
    char path[256], text[1024];
    (void)snprintf(text, sizeof text, "%s%s", head, lines);
    unit_write_text(unit_at("run.yaml", path), text);
    return run_config_load(path, overrides, n_overrides, NULL, ret_config);
}

static void write_table(const char *text)
{
    char path[256];
    unit_write_text(unit_at("table.yaml", path), text);
}

static const char good_table[] = "name: made\n"
                                 "ignore: 0\n"
                                 "classes:\n"
                                 "  - { value: 3, name: Forest, color: \"#00ff00\" }\n"
                                 "  - { value: 9, name: Water, color: \"#0000ff\" }\n";

static const char two_classes[] = "  classes:\n"
                                  "    - { value: 1, name: a, color: \"#00ff00\" }\n"
                                  "    - { value: 2, name: b, color: \"#0000ff\" }\n";

static void check_good(const RunConfig *config, int ignore)
{
    assert_int_equal(config->data.n_classes, 2);
    assert_int_equal(config->data.classes[0].value, 3);
    assert_string_equal(config->data.classes[0].name, "Forest");
    assert_string_equal(config->data.classes[0].color, "#00ff00");
    assert_int_equal(config->data.classes[1].value, 9);
    assert_int_equal(config->data.ignore, ignore);
}

static void from_a_table(void **state)
{
    (void)state;
    RunConfig *config = NULL;
    write_table(good_table); /* beside the configuration, not in the working folder */
    ASSERT_OK(load("  class_table: table.yaml\n  remap: [{ from: 1, to: 9 }, { from: 2, to: 0 }]\n", NULL, 0, &config));
    check_good(config, 0);
    run_config_free(config);
    ASSERT_OK(load("  class_table: table.yaml\n  ignore: 7\n", NULL, 0, &config));
    check_good(config, 7);
    run_config_free(config);
    static const char *const set[] = { "data.class_table=table.yaml" };
    ASSERT_OK(load("", set, 1, &config));
    check_good(config, 0);
    run_config_free(config);
    ASSERT_OK(load("  class_table: other.yaml\n", set, 1, &config));
    check_good(config, 0);
    run_config_free(config);
    write_table(good_table + strlen("name: made\nignore: 0\n"));
    ASSERT_ERR(load("  class_table: table.yaml\n", NULL, 0, &config), ERR_CONFIG, "table.yaml': key 'name' is missing");
}

/* The library's own check, before any file is looked for. */
static void nothing_announced(void **state)
{
    (void)state;
    ASSERT_ERR(metaseg_train(NULL, NULL, 0, METASEG_TRAIN_NEW, NULL, NULL), ERR_ARGUMENT, "a configuration file");
    ASSERT_ERR(metaseg_train("none.yaml", NULL, 1, METASEG_TRAIN_NEW, NULL, NULL), ERR_ARGUMENT, "overrides");
}

static void from_the_configuration(void **state)
{
    (void)state;
    RunConfig *config = NULL;
    ASSERT_OK(load(two_classes, NULL, 0, &config));
    assert_null(config->class_table);
    assert_int_equal(config->data.n_classes, 2);
    assert_int_equal(config->data.classes[1].value, 2);
    assert_int_equal(config->data.ignore, 255);
    run_config_free(config);
    static const char *const set[] = { "data.ignore=0" };
    ASSERT_OK(load(two_classes, set, 1, &config));
    assert_int_equal(config->data.ignore, 0);
    run_config_free(config);
    ASSERT_ERR(load("  classes:\n    - { value: 1, name: a, color: \"#00ff00\" }\n    - { value: 1, name: b, color: "
                    "\"#000000\" }\n",
                    NULL, 0, &config),
               ERR_CONFIG, "run.yaml', line 8, column 16: data.classes.2.value: 1 is used twice");
}

static void exactly_one(void **state)
{
    (void)state;
    RunConfig *config = NULL;
    char lines[512];
    write_table(good_table);
    (void)snprintf(lines, sizeof lines, "%s  class_table: table.yaml\n", two_classes);
    ASSERT_ERR(load(lines, NULL, 0, &config), ERR_CONFIG,
               "run.yaml', line 9, column 16: keys 'data.class_table' and 'data.classes' are both given; keep one");
    static const char *const set[] = { "data.class_table=table.yaml" };
    ASSERT_ERR(load(two_classes, set, 1, &config), ERR_ARGUMENT, "are both given; keep one");
    ASSERT_ERR(load("", NULL, 0, &config), ERR_CONFIG,
               "run.yaml', line 4, column 1: keys 'data.class_table' and 'data.classes' are both missing; give one");
    ASSERT_ERR(load("  class_table:\n", NULL, 0, &config), ERR_CONFIG, "are both missing; give one");
    ASSERT_ERR(load("  class_tabel: table.yaml\n", NULL, 0, &config), ERR_CONFIG,
               "line 6, column 3: unknown key 'data.class_tabel'; did you mean 'class_table'?");
    assert_null(config);
}

static void bad_tables(void **state)
{
    (void)state;
    static const struct {
        const char *table, *message;
    } cases[] = {
        { "name: x\nclasses:\n  - { value: 1, name: a, color: \"#000000\" }\n",
          "line 2, column 1: classes: has 1 entries" },
        { "name: x\nclasses:\n  - value: 1\n    name: a\n    color: \"#000000\"\n  - value: 255\n    name: b\n    "
          "color: \"#000001\"\n",
          "line 6, column 12: classes.2.value: 255 is out of range; give 0 to 254" },
        { "name: x\nclasses:\n  - value: 1\n    name: a\n    color: #000000\n"
          "  - value: 2\n    name: b\n    color: \"#000001\"\n",
          "line 3, column 5: key 'classes.1.color' is missing; expected a text" },
        { "name: x\nignore: -1\n", "line 2, column 9: ignore: -1 is out of range; give 0 to 255" },
        { "name: x\nclasses:\n  - { value: 1, name: a, color: red }\n  - { value: 2, name: b, color: \"#000001\" }\n",
          "table.yaml', line 3, column 33: classes.1.color: 'red' is not of the form \"#rrggbb\"" },
        { "name: x\nclasses:\n  - { value: 1, name: a, color: \"#000000\" }\n  - { value: 1, name: b, color: "
          "\"#000001\" }\n",
          "table.yaml', line 4, column 14: classes.2.value: 1 is used twice" },
        { "name: x\nclases: []\n", "line 2, column 1: unknown key 'clases'; did you mean 'classes'?" },
    };
    RunConfig *config = NULL;
    for (int64_t i = 0; i < ARRAY_LEN(cases); i++) {
        write_table(cases[i].table);
        ASSERT_ERR(load("  class_table: table.yaml\n", NULL, 0, &config), ERR_CONFIG, cases[i].message);
        if (strstr(err_message(), "run.yaml': data.class_table: '") == NULL ||
            strstr(err_message(), "table.yaml'") == NULL)
            fail_msg("'%s' does not name both files", err_message());
    }
    ASSERT_ERR(load("  class_table: none.yaml\n", NULL, 0, &config), ERR_INPUT, "run.yaml': data.class_table: '");
    assert_non_null(strstr(err_message(), "none.yaml'"));
    write_table(good_table);
    ASSERT_ERR(load("  class_table: table.yaml\n  remap: [{ from: 1, to: 255 }]\n", NULL, 0, &config), ERR_CONFIG,
               "line 7, column 26: data.remap.1.to: 255 is no class value and not data.ignore");
    ASSERT_ERR(load("  class_table: table.yaml\n  remap: [{ from: 1, to: 9 }, { from: 1, to: 3 }]\n", NULL, 0, &config),
               ERR_CONFIG, "line 7, column 39: data.remap.2.from: 1 is used twice");
    static const char *const unsampled[] = { "train.unsampled=3,4" };
    ASSERT_ERR(load("  class_table: table.yaml\n", unsampled, 1, &config), ERR_ARGUMENT,
               "train.unsampled.2: 4 is no class value");
    ASSERT_ERR(load("  class_table: table.yaml\n  ignore: -1\n", NULL, 0, &config), ERR_CONFIG,
               "line 7, column 11: data.ignore: -1 is out of range; give 0 to 255");
    assert_null(config);
}

static RunConfig *shipped(const char *name)
{
    char lines[512];
    (void)snprintf(lines, sizeof lines, "  class_table: %s/share/classes/%s.yaml\n", METASEG_SOURCE_DIR, name);
    RunConfig *config = NULL;
    ASSERT_OK(load(lines, NULL, 0, &config));
    return config;
}

/* Counts, ranges and one colour of each, as published (sources in the files). */
static void shipped_tables(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        uint32_t classes;
        int32_t ignore, first;
        uint32_t index;
        const char *class_name, *color;
    } cases[] = {
        { "igbp", 17, 255, 0, 12, "Cropland", "#c24f44" },     { "openearthmap", 8, 0, 1, 7, "Building", "#de1f07" },
        { "dynamic_world", 9, 255, 0, 4, "Crops", "#e49635" }, { "loveda", 7, 0, 1, 6, "Agricultural", "#ffc380" },
        { "isprs", 6, 0, 1, 2, "Low vegetation", "#00ffff" },
    };
    for (int64_t i = 0; i < ARRAY_LEN(cases); i++) {
        RunConfig *config = shipped(cases[i].name);
        assert_int_equal(config->data.n_classes, cases[i].classes);
        assert_int_equal(config->data.ignore, cases[i].ignore);
        for (uint32_t c = 0; c < config->data.n_classes; c++)
            assert_int_equal(config->data.classes[c].value, cases[i].first + (int32_t)c);
        assert_string_equal(config->data.classes[cases[i].index].name, cases[i].class_name);
        assert_string_equal(config->data.classes[cases[i].index].color, cases[i].color);
        run_config_free(config);
    }
}

/* Loads the configuration with one override. */
static Err load_with(const char *set, RunConfig **ret_config) { return load(two_classes, &set, 1, ret_config); }

/* Loads a configuration with these sets of bands. */
static Err load_sets(const char *missing, const char *sets, RunConfig **ret_config)
{
    char path[256], text[1024];
    (void)snprintf(text, sizeof text,
                   "name: made\nmodel: { fusion: none, gsd_min: 1, gsd_max: 2, missing_bands: %s }\n"
                   "train: { output: out, band_sets: %s }\n"
                   "data:\n  scenes: [{ name: s, image: i.tif, labels: l.tif }]\n%s",
                   missing, sets, two_classes);
    unit_write_text(unit_at("run.yaml", path), text);
    return run_config_load(path, NULL, 0, NULL, ret_config);
}

static void output_strides(void **state)
{
    (void)state;
    RunConfig *config = NULL;
    ASSERT_OK(load(two_classes, NULL, 0, &config));
    assert_int_equal(config->network.output_stride, 4);
    run_config_free(config);
    ASSERT_OK(load_with("model.output_stride=2", &config));
    assert_int_equal(config->network.output_stride, 2);
    run_config_free(config);
    ASSERT_ERR(load_with("model.output_stride=3", &config), ERR_ARGUMENT, "is 3, not 4, 2 or 1");
}

static void prediction_alone(void **state)
{
    (void)state;
    RunConfig *config = NULL;
    ASSERT_ERR(load_with("model.encoder=dynamic_world", &config), ERR_ARGUMENT, "for prediction alone");
}

static void transforms(void **state)
{
    (void)state;
    RunConfig *config = NULL;
    ASSERT_OK(load_with("model.transform=log", &config));
    assert_int_equal(config->data.transform, MODEL_TRANSFORM_LOG);
    run_config_free(config);
    ASSERT_ERR(load_with("model.transform=root", &config), ERR_ARGUMENT, "log_sigmoid");
}

static void label_kinds(void **state)
{
    (void)state;
    RunConfig *config = NULL;
    ASSERT_OK(load_with("data.labels_kind=probabilities", &config));
    assert_int_equal(config->data.labels_kind, LABELS_PROBABILITIES);
    assert_true(config->data.temperature == 1.0);
    run_config_free(config);
    write_table(good_table);
    static const char *const set[] = { "data.labels_kind=probabilities" };
    ASSERT_ERR(load("  class_table: table.yaml\n  remap: [{ from: 1, to: 9 }]\n", set, 1, &config), ERR_CONFIG,
               "labels of probabilities have none");
    ASSERT_OK(load_with("data.labels_kind=colors", &config));
    assert_int_equal(config->data.labels_kind, LABELS_COLORS);
    run_config_free(config);
    static const char *const alike[] = { "data.labels_kind=colors", "data.classes.2.color=#00FF00" };
    ASSERT_ERR(load(two_classes, alike, 2, &config), ERR_ARGUMENT, "colors cannot tell 'a' from 'b', both are #00FF00");
}

static void bands_that_may_be_missing(void **state)
{
    (void)state;
    static const char *const good[] = { "model.missing_bands=true", "model.byte_scale=13.7", "train.stretch=0.5",
                                        "train.band_dropout=0.1", "train.noise=0.2" };
    static const struct {
        const char *set, *message;
    } bad[] = {
        { "train.band_dropout=0.1", "needs model.missing_bands: true" },
        { "train.stretch=0.5", "needs model.byte_scale" },
        { "model.byte_scale=-1", "byte_scale" },
        { "train.noise=2", "noise" },
    };
    RunConfig *config = NULL;
    ASSERT_OK(load(two_classes, good, ARRAY_LEN(good), &config));
    assert_true(config->network.missing_bands && config->data.byte_scale == 13.7 && config->data.noise == 0.2);
    run_config_free(config);
    for (int64_t i = 0; i < ARRAY_LEN(bad); i++)
        ASSERT_ERR(load_with(bad[i].set, &config), ERR_ARGUMENT, bad[i].message);
    ASSERT_OK(
        load_sets("true", "[{ bands: [red, green], probability: 0.3 }, { bands: [nir], probability: 0.7 }]", &config));
    assert_int_equal(config->data.n_band_sets, 2);
    assert_string_equal(config->data.band_sets[0].bands[1], "green");
    assert_true(config->data.band_sets[1].probability == 0.7);
    run_config_free(config);
    ASSERT_ERR(load_sets("false", "[{ bands: [red], probability: 0.3 }]", &config), ERR_CONFIG,
               "train.band_sets: needs model.missing_bands: true");
    ASSERT_ERR(load_sets("true", "[{ bands: [red], probability: 0.6 }, { bands: [nir], probability: 0.6 }]", &config),
               ERR_CONFIG, "train.band_sets: the probabilities add up to 1.2, more than 1");
    ASSERT_ERR(load_sets("true", "[{ bands: [], probability: 0.6 }]", &config), ERR_CONFIG, "bands");
}

/* The encoder's published rate, unless the file has one; only where there is one. */
static void stochastic_depth(void **state)
{
    static const char *const own[] = { "model.encoder=convnext_small" };
    static const char *const given[] = { "model.encoder=convnext_small", "train.drop_path=0" };
    RunConfig *config = NULL;
    (void)state;
    ASSERT_OK(load(two_classes, own, 1, &config));
    assert_true(config->train.drop_path == 0.3);
    run_config_free(config);
    ASSERT_OK(load(two_classes, given, 2, &config));
    assert_true(config->train.drop_path == 0.0);
    run_config_free(config);
    ASSERT_OK(load(two_classes, NULL, 0, &config));
    assert_true(config->train.drop_path == 0.0);
    run_config_free(config);
    static const char *const none[] = { "model.encoder=resnet18", "train.drop_path=0.1" };
    ASSERT_ERR(load(two_classes, none, 2, &config), ERR_ARGUMENT,
               "train.drop_path: is 0.1; the encoder resnet18 has no stochastic depth");
    static const char *const negative[] = { "train.drop_path=-1" };
    ASSERT_ERR(load(two_classes, negative, 1, &config), ERR_ARGUMENT, "drop_path");
}

/* What encoder and decoder cannot do together is told before anything is read. */
static void pairs(void **state)
{
    static const struct {
        const char *set[3];
        Err err;
        const char *message;
    } bad[] = {
        { { "model.decoder=upernet", "train.batch=1" },
          ERR_ARGUMENT,
          "train.batch: is 1; BatchNorm of the decoder upernet, which pools each image to one value" },
        { { "model.encoder=none", "model.fusion=none", "model.decoder=unet" },
          ERR_CONFIG,
          "model: the encoder none does not go with the decoder unet; detail was expected" },
        { { "model.encoder=swin_t", "model.output_stride=2" },
          ERR_CONFIG,
          "model: the output stride is 2; the decoder unetformer behind the encoder swin_t" },
    };
    static const char *const frozen[] = { "model.decoder=upernet", "train.batch=1", "train.freeze_decoder=0" };
    RunConfig *config = NULL;
    (void)state;
    for (int64_t i = 0; i < ARRAY_LEN(bad); i++)
        ASSERT_ERR(load(two_classes, bad[i].set, bad[i].set[2] == NULL ? 2 : 3, &config), bad[i].err, bad[i].message);
    ASSERT_OK(load(two_classes, frozen, 3, &config));
    run_config_free(config);
}

/* Lists of which something is needed. */
static void empty_lists(void **state)
{
    (void)state;
    RunConfig *config = NULL;
    char path[256], text[1024];
    static const char *const scenes[] = { "[]", "[{ name: s, image: i.tif, labels: l.tif, bands: [] }]" };
    static const char *const messages[] = { "data.scenes", "data.scenes.1.bands" };
    for (int64_t i = 0; i < 2; i++) {
        (void)snprintf(text, sizeof text,
                       "name: made\nmodel: { fusion: none, gsd_min: 1, gsd_max: 2 }\ntrain: { output: out }\n"
                       "data:\n  scenes: %s\n%s",
                       scenes[i], two_classes);
        unit_write_text(unit_at("run.yaml", path), text);
        ASSERT_ERR(run_config_load(path, NULL, 0, NULL, &config), ERR_CONFIG, messages[i]);
    }
    assert_null(config);
}

static void ways_of_validation(void **state)
{
    (void)state;
    RunConfig *config = NULL;
    char lines[512];
    ASSERT_OK(load_with("data.scenes.2.split=validation", &config));
    assert_int_equal(config->data.scenes[0].split, SCENE_TRAIN);
    assert_int_equal(dataset_validation_places(&config->data), VALIDATION_SCENES);
    run_config_free(config);
    ASSERT_ERR(load_with("data.scenes.2.split=test", &config), ERR_ARGUMENT, "split");
    static const char *const none[] = { "data.scenes.1.split=holdout", "data.scenes.2.split=validation" };
    ASSERT_ERR(load(two_classes, none, 2, &config), ERR_CONFIG, "no scene has split train");
    (void)snprintf(lines, sizeof lines, "%s  validation: [{ name: v, west: 0, south: 0, east: 1, north: 1 }]\n",
                   two_classes);
    ASSERT_OK(load(lines, NULL, 0, &config));
    assert_int_equal(dataset_validation_places(&config->data), VALIDATION_BOXES);
    run_config_free(config);
    ASSERT_ERR(load(lines, none + 1, 1, &config), ERR_CONFIG,
               "data.validation: boxes beside scenes of split validation; keep one way of validation");
    static const char *const two[] = { "data.validation_fraction=0.2", "data.scenes.2.split=validation" };
    ASSERT_OK(load(two_classes, two, 1, &config));
    assert_int_equal(dataset_validation_places(&config->data), VALIDATION_BLOCKS);
    run_config_free(config);
    ASSERT_ERR(load(lines, two, 1, &config), ERR_ARGUMENT, "keep one way of validation");
    ASSERT_ERR(load(two_classes, two, 2, &config), ERR_ARGUMENT, "keep one way of validation");
}

/* Short runs warm up in short, and a run that is made longer by --resume stays the run it was. */
static void warm_up(void **state)
{
    (void)state;
    static const struct {
        const char *set;
        int64_t steps, warmup;
    } cases[] = { { "train.steps=4000", 4000, 100 },   { "train.steps=2000", 2000, 100 },
                  { "train.steps=400", 400, 20 },      { "train.steps=19", 19, 0 },
                  { "train.warmup_steps=7", 4000, 7 }, { "train.warmup_steps=0", 4000, 0 } };
    for (int64_t i = 0; i < ARRAY_LEN(cases); i++) {
        RunConfig *config = NULL;
        ASSERT_OK(load(two_classes, &cases[i].set, 1, &config));
        assert_int_equal(config->train.steps, cases[i].steps);
        assert_int_equal(run_config_warmup(&config->train), cases[i].warmup);
        run_config_free(config);
    }
    RunConfig *config = NULL;
    static const char *const negative[] = { "train.warmup_steps=-1" };
    ASSERT_ERR(load(two_classes, negative, 1, &config), ERR_ARGUMENT, "warmup_steps");
}

static void names_that_are_taken(void **state)
{
    (void)state;
    RunConfig *config = NULL;
    ASSERT_ERR(load_with("data.classes.2.name=a", &config), ERR_ARGUMENT, "'a' is the name of class 1, too");
    ASSERT_ERR(load_with("data.scenes.2.name=s", &config), ERR_ARGUMENT, "'s' is the name of scene 1, too");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(from_a_table),
        cmocka_unit_test(nothing_announced),
        cmocka_unit_test(from_the_configuration),
        cmocka_unit_test(exactly_one),
        cmocka_unit_test(bad_tables),
        cmocka_unit_test(shipped_tables),
        cmocka_unit_test(output_strides),
        cmocka_unit_test(bands_that_may_be_missing),
        cmocka_unit_test(stochastic_depth),
        cmocka_unit_test(pairs),
        cmocka_unit_test(label_kinds),
        cmocka_unit_test(ways_of_validation),
        cmocka_unit_test(transforms),
        cmocka_unit_test(prediction_alone),
        cmocka_unit_test(warm_up),
        cmocka_unit_test(names_that_are_taken),
        cmocka_unit_test(empty_lists),
    };
    return cmocka_run_group_tests(tests, unit_set_up, unit_tear_down);
}
