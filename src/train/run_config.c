/* SPDX-License-Identifier: Apache-2.0
 * The tables of the run configuration, and the checks that tables cannot express. */
#include "train/run_config.h"

#include "base/str.h"
#include "data/class_table.h"
#include "network/decoder.h"
#include "train/run_preset.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const YamlField box_fields[] = {
    { "name", YAML_STRING, YAML_AT(DatasetBox, name), .resume = YAML_SAME },
    { "west", YAML_NUMBER, YAML_AT(DatasetBox, west), .minimum = -180, .maximum = 360, .resume = YAML_SAME },
    { "south", YAML_NUMBER, YAML_AT(DatasetBox, south), .minimum = -90, .maximum = 90, .resume = YAML_SAME },
    { "east", YAML_NUMBER, YAML_AT(DatasetBox, east), .minimum = -180, .maximum = 360, .resume = YAML_SAME },
    { "north", YAML_NUMBER, YAML_AT(DatasetBox, north), .minimum = -90, .maximum = 90, .resume = YAML_SAME },
};
static const YamlTable box_table = { "box", sizeof(DatasetBox), box_fields, ARRAY_LEN(box_fields) };

enum { IGNORE_ABSENT = -1 };

static const YamlField remap_fields[] = {
    { "from", YAML_INTEGER, YAML_AT(DatasetRemap, from), .minimum = 0, .maximum = 255, .resume = YAML_SAME },
    { "to", YAML_INTEGER, YAML_AT(DatasetRemap, to), .minimum = 0, .maximum = 255, .resume = YAML_SAME },
};
static const YamlTable remap_table = { "remap", sizeof(DatasetRemap), remap_fields, ARRAY_LEN(remap_fields) };

static const char *const scene_split_names[SCENE_SPLIT_COUNT] = { "train", "validation", "holdout" };

static const YamlField scene_fields[] = {
    { "name", YAML_STRING, YAML_AT(DatasetScene, name), .resume = YAML_SAME },
    { "split", YAML_CHOICE, YAML_AT(DatasetScene, split), .choices = scene_split_names, .n_choices = SCENE_SPLIT_COUNT,
      .default_value = "train", .resume = YAML_SAME },
    { "image", YAML_PATH, YAML_AT(DatasetScene, image), .resume = YAML_SAME },
    { "labels", YAML_PATH, YAML_AT(DatasetScene, labels), .resume = YAML_SAME },
    { "mask", YAML_PATH, YAML_AT(DatasetScene, mask), .optional = true, .resume = YAML_SAME },
    { "mask_values", YAML_STRING, YAML_AT(DatasetScene, mask_values), .optional = true, .resume = YAML_SAME },
    { "level", YAML_CHOICE, YAML_AT(DatasetScene, level), .choices = processing_level_names,
      .n_choices = PROCESSING_COUNT, .default_value = "auto", .resume = YAML_SAME },
    { "crs", YAML_STRING, YAML_AT(DatasetScene, crs), .optional = true, .resume = YAML_SAME },
    { "labels_crs", YAML_STRING, YAML_AT(DatasetScene, labels_crs), .optional = true, .resume = YAML_SAME },
    { "labels_layer", YAML_STRING, YAML_AT(DatasetScene, labels_layer), .optional = true, .resume = YAML_SAME },
    { "labels_field", YAML_STRING, YAML_AT(DatasetScene, labels_field), .optional = true, .resume = YAML_SAME },
    { "labels_buffer", YAML_NUMBER, YAML_AT(DatasetScene, labels_buffer), .minimum = 0, .maximum = 1000,
      .default_value = "1", .resume = YAML_SAME },
    { "labels_by_pixel", YAML_BOOLEAN, YAML_AT(DatasetScene, labels_by_pixel), .default_value = "false",
      .resume = YAML_SAME },
    { "lonlat", YAML_LIST, YAML_LIST_AT(DatasetScene, lonlat, n_lonlat), .element = YAML_NUMBER, .min_count = 2,
      .max_count = 2, .minimum = -180, .maximum = 360, .optional = true, .resume = YAML_SAME },
    { "bands", YAML_LIST, YAML_LIST_AT(DatasetScene, bands, n_bands), .element = YAML_INTEGER, .min_count = 1,
      .minimum = 1, .maximum = 65535, .default_value = "1,2,3", .resume = YAML_SAME },
};
static const YamlTable scene_table = { "scene", sizeof(DatasetScene), scene_fields, ARRAY_LEN(scene_fields) };

static const char *const labels_kind_names[LABELS_KIND_COUNT] = { "classes", "probabilities", "colors" };
static const char *const text_names[TRAIN_TEXT_COUNT] = { "zones", "null" };

static const YamlField band_set_fields[] = {
    { "bands", YAML_LIST, YAML_LIST_AT(DatasetBandSet, bands, n_bands), .element = YAML_STRING, .min_count = 1,
      .resume = YAML_SAME },
    { "probability", YAML_NUMBER, YAML_AT(DatasetBandSet, probability), .minimum = 0, .maximum = 1,
      .resume = YAML_SAME },
};
static const YamlTable band_set_table = { "band set", sizeof(DatasetBandSet), band_set_fields,
                                          ARRAY_LEN(band_set_fields) };

/* The sections' keys go to where their values are used; their tables describe the whole structure. */
static const YamlField model_fields[] = {
    { "encoder", YAML_CHOICE, YAML_AT(RunConfig, network.encoder), .choices = network_encoder_names,
      .n_choices = NETWORK_ENCODER_COUNT, .default_value = "efficientnet_lite0", .resume = YAML_SAME },
    { "encoder_weights", YAML_PATH, YAML_AT(RunConfig, train.encoder_weights), .optional = true,
      .resume = YAML_MAY_CHANGE },
    { "fusion", YAML_CHOICE, YAML_AT(RunConfig, network.fusion), .choices = network_fusion_names,
      .n_choices = NETWORK_FUSION_COUNT, .default_value = "caf", .resume = YAML_SAME },
    { "text", YAML_CHOICE, YAML_AT(RunConfig, train.text), .choices = text_names, .n_choices = TRAIN_TEXT_COUNT,
      .default_value = "zones", .resume = YAML_SAME },
    { "prompts", YAML_PATH, YAML_AT(RunConfig, train.prompts), .optional = true, .resume = YAML_MAY_CHANGE },
    { "text_encoder", YAML_PATH, YAML_AT(RunConfig, train.text_encoder), .optional = true, .resume = YAML_MAY_CHANGE },
    { "climate", YAML_PATH, YAML_AT(RunConfig, train.climate), .optional = true, .resume = YAML_MAY_CHANGE },
    { "decoder", YAML_CHOICE, YAML_AT(RunConfig, network.decoder), .choices = network_decoder_names,
      .n_choices = NETWORK_DECODER_COUNT, .optional = true, .resume = YAML_SAME },
    { "decoder_heads", YAML_INTEGER, YAML_AT(RunConfig, network.decoder_heads), .minimum = 1, .maximum = 64,
      .optional = true, .resume = YAML_SAME },
    { "decoder_width", YAML_INTEGER, YAML_AT(RunConfig, network.decoder_width), .minimum = 16, .maximum = 512,
      .multiple = 16, .default_value = "64", .resume = YAML_SAME },
    { "output_stride", YAML_INTEGER, YAML_AT(RunConfig, network.output_stride), .minimum = 1, .maximum = 4,
      .optional = true, .resume = YAML_SAME },
    { "detail_width", YAML_INTEGER, YAML_AT(RunConfig, network.detail_width), .minimum = 0, .maximum = 256,
      .multiple = 16, .default_value = "0", .resume = YAML_SAME },
    { "missing_bands", YAML_BOOLEAN, YAML_AT(RunConfig, network.missing_bands), .default_value = "false",
      .resume = YAML_SAME },
    { "byte_scale", YAML_NUMBER, YAML_AT(RunConfig, data.byte_scale), .minimum = 1e-9, .maximum = 1e9,
      .default_value = "0", .resume = YAML_SAME },
    { "reflectance", YAML_NUMBER, YAML_AT(RunConfig, data.reflectance), .minimum = 1e-9, .maximum = 1e9,
      .default_value = "0", .resume = YAML_SAME },
    { "surface_scale", YAML_LIST, YAML_LIST_AT(RunConfig, data.surface_scale, data.n_surface_scale),
      .element = YAML_NUMBER, .minimum = 1e-9, .maximum = 1e9, .optional = true, .resume = YAML_SAME },
    { "surface_offset", YAML_LIST, YAML_LIST_AT(RunConfig, data.surface_offset, data.n_surface_offset),
      .element = YAML_NUMBER, .optional = true, .resume = YAML_SAME },
    { "transform", YAML_CHOICE, YAML_AT(RunConfig, data.transform), .choices = model_transform_names,
      .n_choices = MODEL_TRANSFORM_COUNT, .default_value = "none", .resume = YAML_SAME },
    { "mean", YAML_LIST, YAML_LIST_AT(RunConfig, data.mean, data.n_mean), .element = YAML_NUMBER, .optional = true,
      .resume = YAML_SAME },
    { "std", YAML_LIST, YAML_LIST_AT(RunConfig, data.std, data.n_std), .element = YAML_NUMBER, .optional = true,
      .resume = YAML_SAME },
    { "gsd_min", YAML_NUMBER, YAML_AT(RunConfig, data.gsd_min), .minimum = 1e-9, .maximum = 1e9, .resume = YAML_SAME },
    { "gsd_max", YAML_NUMBER, YAML_AT(RunConfig, data.gsd_max), .minimum = 1e-9, .maximum = 1e9, .resume = YAML_SAME },
    { "gsd_unit", YAML_CHOICE, YAML_AT(RunConfig, data.gsd_unit), .choices = model_unit_names,
      .n_choices = MODEL_UNIT_COUNT, .default_value = "metre", .resume = YAML_SAME },
};
static const YamlTable model_table = { "model", sizeof(RunConfig), model_fields, ARRAY_LEN(model_fields) };

static const char *const preset_choices[] = {
    "none",
#define PRESET(name) #name,
#include "data/presets.def"
#undef PRESET
};
static const char *const missing_choices[] = { "refuse", "skip" };

static const YamlField data_fields[] = {
    { "preset", YAML_CHOICE, YAML_AT(RunConfig, preset.preset), .choices = preset_choices,
      .n_choices = ARRAY_LEN(preset_choices), .default_value = "none", .resume = YAML_SAME },
    { "folder", YAML_PATH, YAML_AT(RunConfig, preset.folder), .optional = true, .resume = YAML_MAY_CHANGE },
    { "split", YAML_STRING, YAML_AT(RunConfig, preset.split), .optional = true, .resume = YAML_SAME },
    { "missing", YAML_CHOICE, YAML_AT(RunConfig, preset.missing), .choices = missing_choices,
      .n_choices = ARRAY_LEN(missing_choices), .default_value = "refuse", .resume = YAML_MAY_CHANGE },
    { "bands", YAML_LIST, YAML_LIST_AT(RunConfig, preset.bands, preset.n_bands), .element = YAML_INTEGER, .minimum = 1,
      .maximum = 65535, .optional = true, .resume = YAML_SAME },
    { "scenes", YAML_LIST, YAML_LIST_AT(RunConfig, data.scenes, data.n_scenes), .element = YAML_TABLE,
      .table = &scene_table, .min_count = 1, .unless = "preset", .resume = YAML_SAME },
    { "classes", YAML_LIST, YAML_LIST_AT(RunConfig, data.classes, data.n_classes), .element = YAML_TABLE,
      .table = &class_entry_table, .min_count = CLASSES_MIN, .max_count = CLASSES_MAX, .optional = true,
      .resume = YAML_SAME },
    { "class_table", YAML_PATH, YAML_AT(RunConfig, class_table), .optional = true, .alternative = "classes",
      .unless = "preset", .resume = YAML_MAY_CHANGE },
    { "labels_kind", YAML_CHOICE, YAML_AT(RunConfig, data.labels_kind), .choices = labels_kind_names,
      .n_choices = LABELS_KIND_COUNT, .default_value = "classes", .resume = YAML_SAME },
    { "colors_threshold", YAML_INTEGER, YAML_AT(RunConfig, data.colors_threshold), .minimum = 0, .maximum = 255,
      .default_value = "0", .resume = YAML_SAME },
    { "ignore_colors", YAML_LIST, YAML_LIST_AT(RunConfig, data.ignore_colors, data.n_ignore_colors),
      .element = YAML_STRING, .optional = true, .resume = YAML_SAME },
    { "temperature", YAML_NUMBER, YAML_AT(RunConfig, data.temperature), .minimum = 0.01, .maximum = 100,
      .default_value = "1", .resume = YAML_SAME },
    { "remap", YAML_LIST, YAML_LIST_AT(RunConfig, data.remap, data.n_remap), .element = YAML_TABLE,
      .table = &remap_table, .optional = true, .resume = YAML_SAME },
    { "ignore", YAML_INTEGER, YAML_AT(RunConfig, data.ignore), .minimum = 0, .maximum = 255, .default_value = "-1",
      .resume = YAML_SAME },
    { "holdout", YAML_LIST, YAML_LIST_AT(RunConfig, data.holdout, data.n_holdout), .element = YAML_TABLE,
      .table = &box_table, .optional = true, .resume = YAML_SAME },
    { "validation", YAML_LIST, YAML_LIST_AT(RunConfig, data.validation, data.n_validation), .element = YAML_TABLE,
      .table = &box_table, .optional = true, .resume = YAML_SAME },
    { "gsd", YAML_NUMBER, YAML_AT(RunConfig, data.gsd), .minimum = 1e-9, .maximum = 1e9, .optional = true,
      .resume = YAML_SAME },
    { "validation_fraction", YAML_NUMBER, YAML_AT(RunConfig, data.validation_fraction), .minimum = 0, .maximum = 0.9,
      .default_value = "0", .resume = YAML_SAME },
};
static const YamlTable data_table = { "data", sizeof(RunConfig), data_fields, ARRAY_LEN(data_fields) };

/* A key of `train` that fills data.KEY or train.KEY; on_resume is SAME or MAY_CHANGE. */
#define INTEGER_KEY(part, key, on_resume, low, high, text)                                                             \
    {                                                                                                                  \
#key, YAML_INTEGER, YAML_AT(RunConfig, part.key), .minimum = (low), .maximum = (high),                         \
                                                          .default_value = (text), .resume = YAML_##on_resume          \
    }
#define NUMBER_KEY(part, key, on_resume, low, high, text)                                                              \
    {                                                                                                                  \
#key, YAML_NUMBER, YAML_AT(RunConfig, part.key), .minimum = (low), .maximum = (high), .default_value = (text), \
                                                         .resume = YAML_##on_resume                                    \
    }
#define SWITCH_KEY(part, key, on_resume, text)                                                                         \
    {                                                                                                                  \
#key, YAML_BOOLEAN, YAML_AT(RunConfig, part.key), .default_value = (text), .resume = YAML_##on_resume          \
    }

static const YamlField train_fields[] = {
    INTEGER_KEY(data, seed, SAME, 0, 1e15, "1"),
    INTEGER_KEY(train, steps, MAY_CHANGE, 1, 1e9, "4000"),
    INTEGER_KEY(train, batch, SAME, 1, 1024, "4"),
    INTEGER_KEY(train, accumulate, SAME, 1, 1024, "1"),
    { "window", YAML_INTEGER, YAML_AT(RunConfig, data.window), .minimum = 64, .maximum = 4096, .multiple = 64,
      .default_value = "512", .resume = YAML_SAME },
    NUMBER_KEY(data, upsample, SAME, 0.0625, 16, "1"),
    NUMBER_KEY(train, learning_rate, SAME, 0, 10, "0.001"),
    NUMBER_KEY(train, encoder_multiplier, SAME, 0, 10, "0.1"),
    NUMBER_KEY(train, encoder_start, SAME, 0, 1, "0"),
    NUMBER_KEY(train, weight_decay, SAME, 0, 10, "0.01"),
    NUMBER_KEY(train, clip_norm, SAME, 0, 1e9, "1"),
    NUMBER_KEY(train, ema_decay, SAME, 0, 0.99999, "0"),
    NUMBER_KEY(train, final_fraction, SAME, 0, 1, "0.01"),
    INTEGER_KEY(train, warmup_steps, SAME, 0, 1e9, "-1"),
    INTEGER_KEY(train, epoch_steps, SAME, 0, 1e9, "0"),
    INTEGER_KEY(train, restart_steps, SAME, 0, 1e9, "0"),
    INTEGER_KEY(train, lookahead_steps, SAME, 0, 1000, "0"),
    NUMBER_KEY(train, lookahead_alpha, SAME, 0, 1, "0.5"),
    NUMBER_KEY(data, text_dropout, SAME, 0, 1, "0.15"),
    NUMBER_KEY(data, balance, SAME, 0, 1, "0.5"),
    NUMBER_KEY(data, color_jitter, SAME, 0, 1, "0.1"),
    { "band_sets", YAML_LIST, YAML_LIST_AT(RunConfig, data.band_sets, data.n_band_sets), .element = YAML_TABLE,
      .table = &band_set_table, .optional = true, .resume = YAML_SAME },
    NUMBER_KEY(data, band_dropout, SAME, 0, 0.9, "0"),
    NUMBER_KEY(data, stretch, SAME, 0, 1, "0"),
    NUMBER_KEY(data, noise, SAME, 0, 1, "0"),
    { "scales", YAML_LIST, YAML_LIST_AT(RunConfig, data.scales, data.n_scales), .element = YAML_NUMBER, .minimum = 0.25,
      .maximum = 4, .optional = true, .resume = YAML_SAME },
    NUMBER_KEY(data, redraw_above, SAME, 0, 1, "0"),
    NUMBER_KEY(data, mosaic, SAME, 0, 1, "0"),
    INTEGER_KEY(data, mosaic_side, SAME, 64, 16384, "1024"),
    SWITCH_KEY(data, flips, SAME, "true"),
    SWITCH_KEY(data, rotations, SAME, "true"),
    NUMBER_KEY(train, freeze_encoder, SAME, 0, 1, "1"),
    NUMBER_KEY(train, freeze_decoder, SAME, 0, 1, "1"),
    NUMBER_KEY(train, label_smoothing, SAME, 0, 0.5, "0.05"),
    NUMBER_KEY(train, dice_weight, SAME, 0, 100, "1"),
    NUMBER_KEY(train, auxiliary_weight, SAME, 0, 100, "0.4"),
    NUMBER_KEY(train, dropout, SAME, 0, 0.9, "0.1"),
    NUMBER_KEY(train, drop_path, SAME, 0, 0.9, "-1"),
    INTEGER_KEY(train, validate_every, MAY_CHANGE, 0, 1e9, "500"),
    INTEGER_KEY(train, checkpoint_every, MAY_CHANGE, 0, 1e9, "500"),
    { "unsampled", YAML_LIST, YAML_LIST_AT(RunConfig, data.unsampled, data.n_unsampled), .element = YAML_INTEGER,
      .minimum = 0, .maximum = 254, .optional = true, .resume = YAML_SAME },
    { "from", YAML_PATH, YAML_AT(RunConfig, train.from), .optional = true, .resume = YAML_MAY_CHANGE },
    { "output", YAML_PATH, YAML_AT(RunConfig, train.output), .resume = YAML_MAY_CHANGE },
};
static const YamlTable train_table = { "train", sizeof(RunConfig), train_fields, ARRAY_LEN(train_fields) };

static const YamlField run_fields[] = {
    { "name", YAML_STRING, YAML_AT(RunConfig, name), .resume = YAML_SAME },
    { "model", YAML_TABLE, .offset = 0, .table = &model_table, .resume = YAML_SAME },
    { "data", YAML_TABLE, .offset = 0, .table = &data_table, .resume = YAML_SAME },
    { "train", YAML_TABLE, .offset = 0, .table = &train_table, .resume = YAML_SAME },
};
const YamlTable run_config_table = { "configuration", sizeof(RunConfig), run_fields, ARRAY_LEN(run_fields) };

static Err check_boxes(const YamlFile *file, const char *list, const DatasetBox *boxes, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        if (boxes[i].west < boxes[i].east && boxes[i].south < boxes[i].north) continue;
        char place[64];
        (void)snprintf(place, sizeof place, "data.%s.%u", list, (unsigned)(i + 1));
        return yaml_file_wrong(file, place, "'%s': west must be below east and south below north", boxes[i].name);
    }
    return ERR_NONE;
}

/* data.remap: each value once, to something that is learned or ignored; train.unsampled: classes. */
typedef struct NamedScene {
    const char *name;
    uint32_t index;
} NamedScene;

static int by_name(const void *a, const void *b)
{
    const NamedScene *x = a, *y = b;
    const int order = strcmp(x->name, y->name);
    return order != 0 ? order : (x->index > y->index) - (x->index < y->index);
}

/* Messages tell scenes by their names. */
static Err check_scene_names(const YamlFile *file, const DatasetOptions *data)
{
    NamedScene *scenes = calloc(data->n_scenes, sizeof *scenes);
    if (scenes == NULL) return err_memory(data->n_scenes * sizeof *scenes, "the names of the scenes");
    for (uint32_t i = 0; i < data->n_scenes; i++) scenes[i] = (NamedScene){ data->scenes[i].name, i };
    qsort(scenes, data->n_scenes, sizeof *scenes, by_name);
    Err err = ERR_NONE;
    for (uint32_t i = 1; i < data->n_scenes && err == ERR_NONE; i++) {
        char place[64];
        if (strcmp(scenes[i - 1].name, scenes[i].name) != 0) continue;
        (void)snprintf(place, sizeof place, "data.scenes.%u.name", (unsigned)scenes[i].index + 1);
        err = yaml_file_wrong(file, place, "'%s' is the name of scene %u, too", scenes[i].name,
                              (unsigned)scenes[i - 1].index + 1);
    }
    free(scenes);
    return err;
}

static Err check_values(const YamlFile *file, const DatasetOptions *data)
{
    bool known[256] = { false }, from[256] = { false };
    char place[64];
    for (uint32_t i = 0; i < data->n_classes; i++) known[data->classes[i].value] = true;
    for (uint32_t i = 0; i < data->n_unsampled; i++) {
        (void)snprintf(place, sizeof place, "train.unsampled.%u", (unsigned)(i + 1));
        if (!known[data->unsampled[i]])
            return yaml_file_wrong(file, place, "%d is no class value", (int)data->unsampled[i]);
    }
    known[data->ignore] = true;
    for (uint32_t i = 0; i < data->n_remap; i++) {
        const DatasetRemap *r = &data->remap[i];
        (void)snprintf(place, sizeof place, "data.remap.%u.to", (unsigned)(i + 1));
        if (!known[r->to]) return yaml_file_wrong(file, place, "%d is no class value and not data.ignore", (int)r->to);
        (void)snprintf(place, sizeof place, "data.remap.%u.from", (unsigned)(i + 1));
        if (from[r->from]) return yaml_file_wrong(file, place, "%d is used twice", (int)r->from);
        from[r->from] = true;
    }
    return ERR_NONE;
}

/* Bands can be missing where the network reads which are there; pictures of bytes need a scale. */
static Err check_bands(const YamlFile *file, const RunConfig *config)
{
    const DatasetOptions *data = &config->data;
    double sum = 0.0;
    for (uint32_t i = 0; i < data->n_band_sets; i++) sum += data->band_sets[i].probability;
    if (sum > 1.0 + 1e-9)
        return yaml_file_wrong(file, "train.band_sets", "the probabilities add up to %g, more than 1", sum);
    if (data->n_band_sets > 0 && !config->network.missing_bands)
        return yaml_file_wrong(file, "train.band_sets", "needs model.missing_bands: true");
    if (data->band_dropout > 0.0 && !config->network.missing_bands)
        return yaml_file_wrong(file, "train.band_dropout", "needs model.missing_bands: true");
    if (data->stretch > 0.0 && data->byte_scale == 0.0)
        return yaml_file_wrong(file, "train.stretch", "needs model.byte_scale, to read its pictures of bytes back");
    return ERR_NONE;
}

/* Something to learn from, and one way of validation. */
static Err check_splits(const YamlFile *file, const DatasetOptions *data)
{
    bool train = false;
    for (uint32_t i = 0; i < data->n_scenes; i++) train = train || data->scenes[i].split == SCENE_TRAIN;
    if (data->n_scenes > 0 && !train)
        return yaml_file_wrong(file, "data.scenes", "no scene has split train: there is nothing to learn from");
    if (data->validation_fraction > 0.0 &&
        (data->n_validation > 0 || dataset_validation_places(data) != VALIDATION_BLOCKS))
        return yaml_file_wrong(file, "data.validation_fraction",
                               "a fraction beside boxes or scenes of validation; keep one way of validation");
    if (data->n_validation > 0 && dataset_validation_places(data) != VALIDATION_BOXES)
        return yaml_file_wrong(file, "data.validation",
                               "boxes beside scenes of split validation; keep one way of validation");
    return ERR_NONE;
}

/* Labels of colours tell classes apart by these. */
static Err check_colors(const YamlFile *file, const DatasetOptions *data)
{
    if (data->labels_kind != LABELS_COLORS) return ERR_NONE;
    for (uint32_t i = 0; i < data->n_classes; i++)
        for (uint32_t k = 0; k < i; k++)
            if (str_equal_nocase(data->classes[i].color, data->classes[k].color))
                return yaml_file_wrong(file, "data.labels_kind", "colors cannot tell '%s' from '%s', both are %s",
                                       data->classes[k].name, data->classes[i].name, data->classes[i].color);
    for (uint32_t i = 0; i < data->n_ignore_colors; i++) {
        const char *color = data->ignore_colors[i];
        if (!class_color_is_valid(color))
            return yaml_file_wrong(file, "data.ignore_colors", "'%s' is not of the form \"#rrggbb\"", color);
        for (uint32_t k = 0; k < data->n_classes; k++)
            if (str_equal_nocase(color, data->classes[k].color))
                return yaml_file_wrong(file, "data.ignore_colors", "%s is the colour of '%s'", color,
                                       data->classes[k].name);
    }
    return ERR_NONE;
}

/* What encoder and decoder can do. */
static Err check_network(const YamlFile *file, const RunConfig *config)
{
    const EncoderDef *encoder = encoder_def(config->network.encoder);
    if (encoder->whole != NULL)
        return yaml_file_wrong(file, "model.encoder", "is %s, which is for prediction alone (metaseg convert)",
                               network_encoder_names[config->network.encoder]);
    char message[ERR_MESSAGE_BYTES];
    const Err err = network_config_check(&config->network);
    (void)snprintf(message, sizeof message, "%s", err_message());
    if (err != ERR_NONE) return yaml_file_wrong(file, "model", "%s", message);
    const bool whole = encoder->build != NULL;
    const int64_t multiple = network_side_multiple(&config->network);
    if (config->data.window % multiple != 0)
        return yaml_file_wrong(file, "train.window", "is %lld; this network needs a multiple of %lld",
                               (long long)config->data.window, (long long)multiple);
    if (config->train.batch == 1 && config->train.freeze_decoder > 0.0 &&
        decoder_def(config->network.decoder)->pools_image)
        return yaml_file_wrong(
            file, "train.batch",
            "is 1; BatchNorm of the decoder %s, which pools each image to one value, needs 2 or more, or "
            "train.freeze_decoder: 0",
            network_decoder_names[config->network.decoder]);
    if (config->train.drop_path > 0.0 && !encoder->drops_paths)
        return yaml_file_wrong(file, "train.drop_path", "is %g; the encoder %s has no stochastic depth, only 0 fits it",
                               config->train.drop_path, network_encoder_names[config->network.encoder]);
    if (!whole && config->train.encoder_weights != NULL)
        return yaml_file_wrong(file, "model.encoder_weights", "are for an encoder, and model.encoder is none");
    return ERR_NONE;
}

static Err check(const YamlFile *file, const RunConfig *config)
{
    const DatasetOptions *data = &config->data;
    TRY(check_splits(file, data));
    TRY(check_boxes(file, "holdout", data->holdout, data->n_holdout));
    TRY(check_boxes(file, "validation", data->validation, data->n_validation));
    TRY(check_scene_names(file, data));
    TRY(check_values(file, data));
    TRY(check_colors(file, data));
    if (data->labels_kind == LABELS_PROBABILITIES && data->n_remap > 0)
        return yaml_file_wrong(file, "data.remap", "changes class values; labels of probabilities have none");
    if (data->n_mean != data->n_std)
        return yaml_file_wrong(file, "model.std", "has %u values, model.mean %u", (unsigned)data->n_std,
                               (unsigned)data->n_mean);
    for (uint32_t i = 0; i < data->n_std; i++)
        if (!(data->std[i] > 0.0)) return yaml_file_wrong(file, "model.std", "%g is not above 0", data->std[i]);
    if (config->network.output_stride == 3) return yaml_file_wrong(file, "model.output_stride", "is 3, not 4, 2 or 1");
    if (data->gsd_min > data->gsd_max) return yaml_file_wrong(file, "model.gsd_min", "is above model.gsd_max");
    if (data->gsd > 0.0 && data->gsd_unit == MODEL_PIXEL)
        return yaml_file_wrong(file, "data.gsd", "is a size on the ground, but model.gsd_unit is pixel; give metre");
    TRY(check_bands(file, config));
    TRY(check_network(file, config));
    const TrainOptions *t = &config->train;
    const bool zones = run_config_reads_text(config) && t->text == TRAIN_TEXT_ZONES;
    if (zones && (t->prompts == NULL) != (t->text_encoder == NULL))
        return yaml_file_wrong(file, "model.text", "model.prompts and model.text_encoder go together");
    if (zones && (t->climate == NULL || (t->text_encoder == NULL && t->from == NULL)))
        return yaml_file_wrong(file, "model.text",
                               "zones needs model.climate, and model.prompts and model.text_encoder unless train.from "
                               "has prompts");
    return ERR_NONE;
}

/* The classes, from wherever they are, and the ignored value. */
static Err complete_classes(const char *path, const YamlFile *file, RunConfig *config)
{
    DatasetOptions *data = &config->data;
    if (config->class_table == NULL) {
        if (data->ignore == IGNORE_ABSENT) data->ignore = 255;
        return class_table_check(file, "data.classes", data->classes, data->n_classes);
    }
    ClassTable table;
    TRY(err_prefix(class_table_load(config->class_table, &table), "'%s': data.class_table", path));
    if (data->ignore == IGNORE_ABSENT) data->ignore = table.ignore;
    data->classes = table.classes;
    data->n_classes = table.n_classes;
    table.classes = NULL;
    table.n_classes = 0;
    class_table_done(&table);
    return ERR_NONE;
}

/* What the configuration does not say. */
static void complete_network(RunConfig *config)
{
    NetworkConfig *network = &config->network;
    const NetworkConfig given = *network;
    *network = network_config_defaults();
    network->encoder = given.encoder;
    network->fusion = given.fusion;
    network->decoder = given.decoder;
    network->decoder_width = given.decoder_width;
    if (given.decoder_heads != 0) network->decoder_heads = given.decoder_heads;
    network->output_stride = given.output_stride;
    network->detail_width = given.detail_width;
    network->missing_bands = given.missing_bands;
    network_config_resolve(network);
    if (config->train.drop_path < 0.0) config->train.drop_path = encoder_def(network->encoder)->drop_path;
}

/* text NULL: of the file at `path`. */
static Err load(const char *path, const char *text, const char *const *overrides, int64_t n_overrides,
                const char *share, RunConfig **ret_config)
{
    RunConfig *config = calloc(1, sizeof *config);
    if (config == NULL) return err_memory(sizeof *config, "the configuration");
    YamlFile *file = NULL;
    Err err = text == NULL
                  ? yaml_file_load(path, &run_config_table, overrides, n_overrides, config, &file)
                  : yaml_file_parse(path, text, strlen(text), &run_config_table, overrides, n_overrides, config, &file);
    if (err == ERR_NONE) complete_network(config);
    if (err == ERR_NONE) err = run_preset_complete(file, share, config);
    if (err == ERR_NONE) err = complete_classes(path, file, config);
    if (err == ERR_NONE) err = check(file, config);
    yaml_file_close(file);
    if (err == ERR_NONE)
        *ret_config = config;
    else
        run_config_free(config);
    return err;
}

Err run_config_load(const char *path, const char *const *overrides, int64_t n_overrides, const char *share,
                    RunConfig **ret_config)
{
    return load(path, NULL, overrides, n_overrides, share, ret_config);
}

Err run_config_parse(const char *name, const char *text, const char *const *overrides, int64_t n_overrides,
                     const char *share, RunConfig **ret_config)
{
    return load(name, text, overrides, n_overrides, share, ret_config);
}

void run_config_free(RunConfig *config)
{
    if (config == NULL) return;
    yaml_file_free(&run_config_table, config);
    free(config);
}

bool run_config_reads_text(const RunConfig *config) { return config->network.fusion != NETWORK_FUSION_NONE; }

int64_t run_config_warmup(const TrainOptions *train)
{
    enum { PART = 20, MOST = 100 };
    if (train->warmup_steps >= 0) return train->warmup_steps;
    return train->steps / PART < MOST ? train->steps / PART : MOST;
}
