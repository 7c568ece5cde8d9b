/* SPDX-License-Identifier: Apache-2.0
 * The tables of the run configuration, and the checks that tables cannot express. */
#include "data/config.h"

#include "base/file.h"
#include "base/str.h"
#include "data/yaml_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const YamlField box_fields[] = {
    { "name", YAML_STRING, YAML_AT(ConfigBox, name) },
    { "west", YAML_NUMBER, YAML_AT(ConfigBox, west), .minimum = -180, .maximum = 360 },
    { "south", YAML_NUMBER, YAML_AT(ConfigBox, south), .minimum = -90, .maximum = 90 },
    { "east", YAML_NUMBER, YAML_AT(ConfigBox, east), .minimum = -180, .maximum = 360 },
    { "north", YAML_NUMBER, YAML_AT(ConfigBox, north), .minimum = -90, .maximum = 90 },
};
static const YamlTable box_table = { "box", sizeof(ConfigBox), box_fields, ARRAY_LEN(box_fields) };

static const YamlField class_fields[] = {
    { "value", YAML_INTEGER, YAML_AT(ConfigClass, value), .minimum = 0, .maximum = 254 },
    { "name", YAML_STRING, YAML_AT(ConfigClass, name) },
    { "color", YAML_STRING, YAML_AT(ConfigClass, color) },
};
static const YamlTable class_table = { "class", sizeof(ConfigClass), class_fields, ARRAY_LEN(class_fields) };

enum { CLASSES_MIN = 2, CLASSES_MAX = 254, IGNORE_ABSENT = -1 };

/* A file of share/classes. */
typedef struct ClassFile {
    char *name;
    int32_t ignore;
    ConfigClass *classes;
    uint32_t n_classes;
} ClassFile;

static const YamlField class_file_fields[] = {
    { "name", YAML_STRING, YAML_AT(ClassFile, name) },
    { "ignore", YAML_INTEGER, YAML_AT(ClassFile, ignore), .minimum = 0, .maximum = 255, .default_value = "255" },
    { "classes", YAML_LIST, YAML_LIST_AT(ClassFile, classes, n_classes), .element = YAML_TABLE, .table = &class_table,
      .min_count = CLASSES_MIN, .max_count = CLASSES_MAX },
};
static const YamlTable class_file_table = { "class table", sizeof(ClassFile), class_file_fields,
                                            ARRAY_LEN(class_file_fields) };

static const YamlField remap_fields[] = {
    { "from", YAML_INTEGER, YAML_AT(ConfigRemap, from), .minimum = 0, .maximum = 255 },
    { "to", YAML_INTEGER, YAML_AT(ConfigRemap, to), .minimum = 0, .maximum = 255 },
};
static const YamlTable remap_table = { "remap", sizeof(ConfigRemap), remap_fields, ARRAY_LEN(remap_fields) };

static const YamlField scene_fields[] = {
    { "name", YAML_STRING, YAML_AT(ConfigScene, name) },
    { "image", YAML_STRING, YAML_AT(ConfigScene, image) },
    { "labels", YAML_STRING, YAML_AT(ConfigScene, labels) },
    { "labels_crs", YAML_STRING, YAML_AT(ConfigScene, labels_crs), .optional = true },
    { "bands", YAML_LIST, YAML_LIST_AT(ConfigScene, bands, n_bands), .element = YAML_INTEGER, .minimum = 1,
      .maximum = 65535, .default_value = "1,2,3" },
};
static const YamlTable scene_table = { "scene", sizeof(ConfigScene), scene_fields, ARRAY_LEN(scene_fields) };

static const char *const encoder_names[] = { "efficientnet_lite0" };
static const char *const fusion_names[] = { "caf", "none" };
static const char *const text_names[] = { "zones", "null" };
static const char *const unit_names[] = { "metre", "degree" };

static const YamlField model_fields[] = {
    { "encoder", YAML_CHOICE, YAML_AT(ConfigModel, encoder), .choices = encoder_names,
      .n_choices = ARRAY_LEN(encoder_names), .default_value = "efficientnet_lite0" },
    { "encoder_weights", YAML_STRING, YAML_AT(ConfigModel, encoder_weights), .optional = true },
    { "fusion", YAML_CHOICE, YAML_AT(ConfigModel, fusion), .choices = fusion_names,
      .n_choices = ARRAY_LEN(fusion_names), .default_value = "caf" },
    { "text", YAML_CHOICE, YAML_AT(ConfigModel, text), .choices = text_names, .n_choices = ARRAY_LEN(text_names),
      .default_value = "zones" },
    { "prompts", YAML_STRING, YAML_AT(ConfigModel, prompts), .optional = true },
    { "text_encoder", YAML_STRING, YAML_AT(ConfigModel, text_encoder), .optional = true },
    { "climate", YAML_STRING, YAML_AT(ConfigModel, climate), .optional = true },
    { "decoder_width", YAML_INTEGER, YAML_AT(ConfigModel, decoder_width), .minimum = 16, .maximum = 512,
      .default_value = "64" },
    { "mean", YAML_LIST, YAML_LIST_AT(ConfigModel, mean, n_mean), .element = YAML_NUMBER, .optional = true },
    { "std", YAML_LIST, YAML_LIST_AT(ConfigModel, std, n_std), .element = YAML_NUMBER, .optional = true },
    { "gsd_min", YAML_NUMBER, YAML_AT(ConfigModel, gsd_min), .minimum = 1e-9, .maximum = 1e9 },
    { "gsd_max", YAML_NUMBER, YAML_AT(ConfigModel, gsd_max), .minimum = 1e-9, .maximum = 1e9 },
    { "gsd_unit", YAML_CHOICE, YAML_AT(ConfigModel, gsd_unit), .choices = unit_names,
      .n_choices = ARRAY_LEN(unit_names), .default_value = "metre" },
};
static const YamlTable model_table = { "model", sizeof(ConfigModel), model_fields, ARRAY_LEN(model_fields) };

static const YamlField data_fields[] = {
    { "scenes", YAML_LIST, YAML_LIST_AT(ConfigData, scenes, n_scenes), .element = YAML_TABLE, .table = &scene_table },
    { "classes", YAML_LIST, YAML_LIST_AT(ConfigData, classes, n_classes), .element = YAML_TABLE, .table = &class_table,
      .min_count = CLASSES_MIN, .max_count = CLASSES_MAX, .optional = true },
    { "class_table", YAML_STRING, YAML_AT(ConfigData, class_table), .optional = true, .alternative = "classes" },
    { "remap", YAML_LIST, YAML_LIST_AT(ConfigData, remap, n_remap), .element = YAML_TABLE, .table = &remap_table,
      .optional = true },
    { "ignore", YAML_INTEGER, YAML_AT(ConfigData, ignore), .minimum = 0, .maximum = 255, .default_value = "-1" },
    { "holdout", YAML_LIST, YAML_LIST_AT(ConfigData, holdout, n_holdout), .element = YAML_TABLE, .table = &box_table,
      .optional = true },
    { "validation", YAML_LIST, YAML_LIST_AT(ConfigData, validation, n_validation), .element = YAML_TABLE,
      .table = &box_table, .optional = true },
};
static const YamlTable data_table = { "data", sizeof(ConfigData), data_fields, ARRAY_LEN(data_fields) };

#define TRAIN_INTEGER(member, low, high, text)                                                                         \
    {                                                                                                                  \
#member, YAML_INTEGER, YAML_AT(ConfigTrain, member), .minimum = (low), .maximum = (high),                      \
                                                             .default_value = (text)                                   \
    }
#define TRAIN_NUMBER(member, low, high, text)                                                                          \
    {                                                                                                                  \
#member, YAML_NUMBER, YAML_AT(ConfigTrain, member), .minimum = (low), .maximum = (high),                       \
                                                            .default_value = (text)                                    \
    }
#define TRAIN_SWITCH(member, text)                                                                                     \
    {                                                                                                                  \
#member, YAML_BOOLEAN, YAML_AT(ConfigTrain, member), .default_value = (text)                                   \
    }

static const YamlField train_fields[] = {
    TRAIN_INTEGER(seed, 0, 1e15, "1"),
    TRAIN_INTEGER(steps, 1, 1e9, "4000"),
    TRAIN_INTEGER(batch, 1, 1024, "4"),
    TRAIN_INTEGER(window, 256, 4096, "512"),
    TRAIN_NUMBER(upsample, 0.0625, 16, "1"),
    TRAIN_NUMBER(learning_rate, 0, 10, "0.001"),
    TRAIN_NUMBER(encoder_multiplier, 0, 10, "0.1"),
    TRAIN_NUMBER(weight_decay, 0, 10, "0.01"),
    TRAIN_NUMBER(clip_norm, 0, 1e9, "1"),
    TRAIN_NUMBER(ema_decay, 0, 0.99999, "0"),
    TRAIN_NUMBER(final_fraction, 0, 1, "0.01"),
    TRAIN_INTEGER(warmup_steps, 0, 1e9, "100"),
    TRAIN_NUMBER(text_dropout, 0, 1, "0.15"),
    TRAIN_NUMBER(balance, 0, 1, "0.5"),
    TRAIN_NUMBER(color_jitter, 0, 1, "0.1"),
    TRAIN_SWITCH(flips, "true"),
    TRAIN_SWITCH(rotations, "true"),
    TRAIN_NUMBER(freeze_encoder, 0, 1, "1"),
    TRAIN_NUMBER(freeze_decoder, 0, 1, "1"),
    TRAIN_NUMBER(label_smoothing, 0, 0.5, "0.05"),
    TRAIN_NUMBER(dice_weight, 0, 100, "1"),
    TRAIN_NUMBER(auxiliary_weight, 0, 100, "0.4"),
    TRAIN_NUMBER(dropout, 0, 0.9, "0.1"),
    TRAIN_INTEGER(validate_every, 0, 1e9, "500"),
    TRAIN_INTEGER(checkpoint_every, 0, 1e9, "500"),
    { "unsampled", YAML_LIST, YAML_LIST_AT(ConfigTrain, unsampled, n_unsampled), .element = YAML_INTEGER, .minimum = 0,
      .maximum = 254, .optional = true },
    { "output", YAML_STRING, YAML_AT(ConfigTrain, output) },
};
static const YamlTable train_table = { "train", sizeof(ConfigTrain), train_fields, ARRAY_LEN(train_fields) };

static const YamlField run_fields[] = {
    { "name", YAML_STRING, YAML_AT(RunConfig, name) },
    { "model", YAML_TABLE, YAML_AT(RunConfig, model), .table = &model_table },
    { "data", YAML_TABLE, YAML_AT(RunConfig, data), .table = &data_table },
    { "train", YAML_TABLE, YAML_AT(RunConfig, train), .table = &train_table },
};
static const YamlTable run_table = { "configuration", sizeof(RunConfig), run_fields, ARRAY_LEN(run_fields) };

static Err check_boxes(const char *path, const char *list, const ConfigBox *boxes, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        if (boxes[i].west < boxes[i].east && boxes[i].south < boxes[i].north) continue;
        return err_set(ERR_CONFIG, "'%s': data.%s.%u ('%s'): west must be below east and south below north", path, list,
                       (unsigned)(i + 1), boxes[i].name);
    }
    return ERR_NONE;
}

/* The checks of classes listed in `path` under `list`. */
static Err check_classes(const char *path, const char *list, const ConfigClass *classes, uint32_t n)
{
    bool taken[256] = { false };
    for (uint32_t i = 0; i < n; i++) {
        const ConfigClass *c = &classes[i];
        if (c->color[0] != '#' || strlen(c->color) != 7 || strspn(c->color + 1, "0123456789abcdefABCDEF") != 6)
            return err_set(ERR_CONFIG, "'%s': %s.%u ('%s'): color '%s' is not of the form \"#rrggbb\"", path, list,
                           (unsigned)(i + 1), c->name, c->color);
        if (taken[c->value])
            return err_set(ERR_CONFIG, "'%s': %s.%u ('%s'): value %d is used twice", path, list, (unsigned)(i + 1),
                           c->name, (int)c->value);
        taken[c->value] = true;
    }
    return ERR_NONE;
}

static Err check_remap(const char *path, const ConfigData *data)
{
    bool known[256] = { false };
    for (uint32_t i = 0; i < data->n_classes; i++) known[data->classes[i].value] = true;
    known[data->ignore] = true;
    for (uint32_t i = 0; i < data->n_remap; i++) {
        if (!known[data->remap[i].to])
            return err_set(ERR_CONFIG, "'%s': data.remap.%u: %d is no class value and not data.ignore", path,
                           (unsigned)(i + 1), (int)data->remap[i].to);
    }
    return ERR_NONE;
}

static Err check(const char *path, const RunConfig *config)
{
    TRY(check_boxes(path, "holdout", config->data.holdout, config->data.n_holdout));
    TRY(check_boxes(path, "validation", config->data.validation, config->data.n_validation));
    TRY(check_remap(path, &config->data));
    if (config->train.window % 256 != 0)
        return err_set(ERR_CONFIG, "'%s': train.window: %lld is not a multiple of 256", path,
                       (long long)config->train.window);
    if (config->model.n_mean != config->model.n_std)
        return err_set(ERR_CONFIG, "'%s': model.mean has %u values, model.std %u", path, (unsigned)config->model.n_mean,
                       (unsigned)config->model.n_std);
    if (config->model.gsd_min > config->model.gsd_max)
        return err_set(ERR_CONFIG, "'%s': model.gsd_min is above model.gsd_max", path);
    const bool reads = config->model.fusion == CONFIG_FUSION_CAF && config->model.text == CONFIG_TEXT_ZONES;
    if (reads && (config->model.prompts == NULL || config->model.text_encoder == NULL || config->model.climate == NULL))
        return err_set(ERR_CONFIG, "'%s': model.text: zones needs model.prompts, model.text_encoder and model.climate",
                       path);
    return ERR_NONE;
}

/* Moves classes and ignored value of the class table into the configuration. */
static Err read_class_table(const char *path, ConfigData *data)
{
    ClassFile table;
    TRY(yaml_file_load(path, &class_file_table, NULL, 0, &table));
    const Err err = check_classes(path, "classes", table.classes, table.n_classes);
    if (err == ERR_NONE) {
        if (data->ignore == IGNORE_ABSENT) data->ignore = table.ignore;
        data->classes = table.classes;
        data->n_classes = table.n_classes;
        table.classes = NULL;
        table.n_classes = 0;
    }
    yaml_file_free(&class_file_table, &table);
    return err;
}

/* The classes, from wherever they are, and the ignored value. */
static Err complete_classes(const char *path, RunConfig *config)
{
    ConfigData *data = &config->data;
    if (data->class_table == NULL) {
        if (data->ignore == IGNORE_ABSENT) data->ignore = 255;
        return check_classes(path, "data.classes", data->classes, data->n_classes);
    }
    char *table = NULL;
    TRY(config_path(config, data->class_table, &table));
    const Err err = read_class_table(table, data);
    free(table);
    return err_prefix(err, "'%s': data.class_table", path);
}

Err config_load(const char *path, const char *const *overrides, int64_t n_overrides, RunConfig **ret_config)
{
    RunConfig *config = calloc(1, sizeof *config);
    if (config == NULL) return err_memory(sizeof *config, "the configuration");
    Err err = yaml_file_load(path, &run_table, overrides, n_overrides, config);
    if (err != ERR_NONE) {
        free(config);
        return err;
    }
    err = path_folder(path, &config->folder);
    if (err == ERR_NONE) err = complete_classes(path, config);
    if (err == ERR_NONE) err = check(path, config);
    if (err != ERR_NONE) {
        config_free(config);
        return err;
    }
    *ret_config = config;
    return ERR_NONE;
}

void config_free(RunConfig *config)
{
    if (config == NULL) return;
    free(config->folder);
    yaml_file_free(&run_table, config);
    free(config);
}

Err config_path(const RunConfig *config, const char *path, char **ret_path)
{
    if (path == NULL) {
        *ret_path = NULL;
        return ERR_NONE;
    }
    return path[0] == '/' ? str_copy(path, ret_path) : path_join(config->folder, path, ret_path);
}
