/* SPDX-License-Identifier: Apache-2.0
 * A preset's share of a configuration. */
#include "train/run_preset.h"

#include "base/str.h"
#include "data/class_table.h"
#include "data/preset.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Keys that say something of a preset alone. */
static Err refuse_without(const YamlFile *file)
{
    static const char *const keys[] = { "data.folder", "data.split", "data.bands" };
    for (int64_t i = 0; i < ARRAY_LEN(keys); i++)
        if (yaml_file_has(file, keys[i])) return yaml_file_wrong(file, keys[i], "needs data.preset");
    if (!yaml_file_has(file, "data.preset")) return ERR_NONE;
    for (int64_t i = 0; i < 2; i++) {
        const char *key = i == 0 ? "data.scenes" : "data.class_table";
        if (!yaml_file_has(file, key) && (i == 0 || !yaml_file_has(file, "data.classes")))
            return yaml_file_wrong(file, "data.preset", "is none, so %s is needed", key);
    }
    return ERR_NONE;
}

/* The class table in the data folder. */
static Err take_classes(const YamlFile *file, const PresetDef *def, const char *share, RunConfig *config)
{
    if (yaml_file_has(file, "data.classes") || yaml_file_has(file, "data.class_table")) return ERR_NONE;
    if (share == NULL)
        return yaml_file_wrong(file, "data.preset",
                               "the class table of %s is in the data folder, which was not found; name it with "
                               "--data-folder, or the table with data.class_table",
                               def->name);
    return class_table_path(share, def->classes, &config->class_table);
}

static Err take_remap(const PresetDef *def, DatasetOptions *data)
{
    if (def->n_remap == 0) return ERR_NONE;
    data->remap = malloc(def->n_remap * sizeof *data->remap);
    if (data->remap == NULL) return err_memory(def->n_remap * sizeof *data->remap, "the values of labels");
    memcpy(data->remap, def->remap, def->n_remap * sizeof *data->remap);
    data->n_remap = def->n_remap;
    return ERR_NONE;
}

static Err take_ignored(const PresetDef *def, DatasetOptions *data)
{
    if (def->ignore_color == NULL) return ERR_NONE;
    data->ignore_colors = calloc(1, sizeof *data->ignore_colors);
    if (data->ignore_colors == NULL) return err_memory(sizeof *data->ignore_colors, "a colour");
    data->n_ignore_colors = 1;
    return str_copy(def->ignore_color, &data->ignore_colors[0]);
}

/* How labels are coded: with the preset's own classes what its table needs, with others what files are alone. */
static Err take_labels(const YamlFile *file, const PresetDef *def, DatasetOptions *data)
{
    const bool own = !yaml_file_has(file, "data.classes") && !yaml_file_has(file, "data.class_table");
    if (own && !yaml_file_has(file, "data.remap")) TRY(take_remap(def, data));
    if (!yaml_file_has(file, "data.labels_kind")) data->labels_kind = def->labels_kind;
    if (data->labels_kind == LABELS_COLORS && !yaml_file_has(file, "data.ignore_colors")) TRY(take_ignored(def, data));
    if (!yaml_file_has(file, "data.colors_threshold")) data->colors_threshold = def->colors_threshold;
    if (!yaml_file_has(file, "data.gsd") && data->gsd_unit == MODEL_METRE) data->gsd = def->gsd;
    return ERR_NONE;
}

static Err choose_bands(const PresetOptions *o, DatasetScene *scenes, uint32_t n)
{
    for (uint32_t i = 0; i < n && o->n_bands > 0; i++) {
        int32_t *bands = malloc(o->n_bands * sizeof *bands);
        if (bands == NULL) return err_memory(o->n_bands * sizeof *bands, "the bands of a scene");
        memcpy(bands, o->bands, o->n_bands * sizeof *bands);
        free(scenes[i].bands);
        scenes[i].bands = bands;
        scenes[i].n_bands = o->n_bands;
    }
    return ERR_NONE;
}

static Err check_complete(const Preset *preset, const PresetOptions *o)
{
    const PresetFinding *first = NULL;
    const int64_t n = preset_wrong(preset, &first);
    if (n == 0 || o->missing != 0) return ERR_NONE;
    return err_set(
        ERR_INPUT,
        "'%s': %s (the first of %lld findings: 'metaseg dataset check %s' tells all, data.missing: skip goes "
        "without such files)",
        first->path, first->text, (long long)n, preset->def->name);
}

static Err take_scenes(const YamlFile *file, const PresetDef *def, const char *share, RunConfig *config)
{
    const PresetOptions *o = &config->preset;
    DatasetOptions *data = &config->data;
    Preset preset = { 0 };
    if (yaml_file_has(file, "data.scenes")) return ERR_NONE;
    if (o->folder == NULL)
        return yaml_file_wrong(file, "data.folder", "is missing; expected the folder of %s", def->title);
    Err err = preset_open(def, o->folder, o->split, share, &preset);
    if (err == ERR_ARGUMENT) {
        char why[ERR_MESSAGE_BYTES / 2];
        (void)snprintf(why, sizeof why, "%s", err_message());
        return yaml_file_wrong(file, "data.split", "%s", why);
    }
    TRY(err);
    err = check_complete(&preset, o);
    if (err == ERR_NONE && o->split == NULL) err = str_copy(preset.split, &config->preset.split);
    if (err == ERR_NONE) err = preset_scenes(&preset, &data->scenes, &data->n_scenes);
    if (err == ERR_NONE) err = choose_bands(o, data->scenes, data->n_scenes);
    preset_close(&preset);
    return err;
}

Err run_preset_complete(const YamlFile *file, const char *share, RunConfig *config)
{
    if (config->preset.preset == 0) return refuse_without(file);
    const PresetDef *def = preset_at(config->preset.preset - 1);
    TRY(take_classes(file, def, share, config));
    TRY(take_labels(file, def, &config->data));
    return take_scenes(file, def, share, config);
}
