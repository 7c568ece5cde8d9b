/* SPDX-License-Identifier: Apache-2.0
 * The list of presets, and what they have in common. */
#include "data/preset.h"

#include "base/file.h"
#include "base/str.h"
#include "data/preset_files.h"

#include <stdlib.h>
#include <string.h>

#define PRESET(name) extern const PresetDef preset_##name;
#include "data/presets.def"
#undef PRESET

static const PresetDef *const presets[] = {
#define PRESET(name) &preset_##name,
#include "data/presets.def"
#undef PRESET
};

const char *const preset_part_names[PRESET_PARTS] = { "train", "validation", "test" };
const char *const preset_problem_names[PRESET_PROBLEMS] = {
    [PRESET_NO_FOLDER] = "missing folder", [PRESET_NO_LIST] = "missing split",    [PRESET_NO_IMAGE] = "missing image",
    [PRESET_NO_LABELS] = "missing labels", [PRESET_UNLISTED] = "in no split",     [PRESET_CORRUPT] = "corrupt",
    [PRESET_SIZES] = "different sizes",    [PRESET_VALUES] = "unexpected values", [PRESET_OTHER_SIZE] = "other size",
    [PRESET_OTHER_COUNT] = "other number", [PRESET_NO_PLACE] = "unknown place",
};

int64_t preset_count(void) { return ARRAY_LEN(presets); }
const PresetDef *preset_at(int64_t i) { return presets[i]; }

const PresetDef *preset_find(const char *name)
{
    for (int64_t i = 0; i < preset_count(); i++)
        if (strcmp(presets[i]->name, name) == 0) return presets[i];
    return NULL;
}

Err preset_get(const char *name, const PresetDef **ret_def)
{
    const char *names[ARRAY_LEN(presets)];
    const PresetDef *def = preset_find(name);
    if (def != NULL) {
        *ret_def = def;
        return ERR_NONE;
    }
    for (int64_t i = 0; i < preset_count(); i++) names[i] = presets[i]->name;
    const char *nearest = str_nearest(name, names, preset_count());
    if (nearest != NULL) return err_set(ERR_ARGUMENT, "no preset is called '%s'; did you mean '%s'?", name, nearest);
    return err_set(ERR_ARGUMENT, "no preset is called '%s'; 'metaseg dataset list' lists them", name);
}

static Err choose_split(const PresetDef *def, const char *split, const char **ret_split)
{
    Str known = { 0 };
    for (int64_t i = 0; i < def->n_splits; i++) {
        if (split == NULL || strcmp(def->splits[i].name, split) == 0) {
            str_done(&known);
            *ret_split = def->splits[i].name;
            return ERR_NONE;
        }
        str_addf(&known, "%s%s", i > 0 ? ", " : "", def->splits[i].name);
    }
    const Err err =
        err_set(ERR_ARGUMENT, "%s has no split '%s'; expected one of %s", def->name, split, str_text(&known));
    str_done(&known);
    return err;
}

static int by_part(const void *a, const void *b)
{
    const PresetItem *x = a, *y = b;
    if (x->part != y->part) return x->part < y->part ? -1 : 1;
    return strcmp(x->name, y->name);
}

static Err compare_counts(Preset *p)
{
    const bool official = p->split == p->def->splits[0].name;
    for (int32_t part = 0; part < PRESET_PARTS && official; part++) {
        const int64_t n = preset_items_of(p, (PresetPart)part), published = p->def->published[part];
        if (published > 0 && n != published)
            TRY(preset_found(p, PRESET_OTHER_COUNT, p->folder, "%lld images of part %s; %lld were published",
                             (long long)n, preset_part_names[part], (long long)published));
    }
    return ERR_NONE;
}

static Err list(Preset *p)
{
    if (!file_is_folder(p->folder))
        return err_set(ERR_INPUT, "'%s': no such folder; expected that of %s", p->folder, p->def->title);
    TRY(p->def->list(p));
    if (p->n_items == 0) {
        const PresetFinding *first = NULL;
        (void)preset_wrong(p, &first);
        return err_set(ERR_INPUT, "'%s': nothing of %s is in this folder%s%s%s%s", p->folder, p->def->title,
                       first != NULL ? ": '" : "", first != NULL ? first->path : "", first != NULL ? "': " : "",
                       first != NULL ? first->text : "");
    }
    qsort(p->items, (size_t)p->n_items, sizeof *p->items, by_part);
    return compare_counts(p);
}

Err preset_open(const PresetDef *def, const char *folder, const char *split, const char *share, Preset *ret_preset)
{
    Preset p = { .def = def };
    TRY(choose_split(def, split, &p.split));
    Err err = str_copy(folder, &p.folder);
    if (err == ERR_NONE && share != NULL) err = str_copy(share, &p.share);
    for (size_t n = err == ERR_NONE ? strlen(p.folder) : 0; n > 1 && p.folder[n - 1] == '/'; n--)
        p.folder[n - 1] = '\0';
    if (err == ERR_NONE) err = list(&p);
    if (err == ERR_NONE)
        *ret_preset = p;
    else
        preset_close(&p);
    return err;
}

void preset_close(Preset *p)
{
    for (int64_t i = 0; i < p->n_items; i++) {
        free(p->items[i].name);
        free(p->items[i].image);
        free(p->items[i].labels);
        free(p->items[i].eroded);
    }
    for (int64_t i = 0; i < p->n_findings; i++) {
        free(p->findings[i].path);
        free(p->findings[i].text);
    }
    free(p->items);
    free(p->findings);
    free(p->folder);
    free(p->share);
    *p = (Preset){ 0 };
}

int64_t preset_items_of(const Preset *p, PresetPart part)
{
    int64_t n = 0;
    for (int64_t i = 0; i < p->n_items; i++) n += p->items[i].part == part;
    return n;
}

int64_t preset_wrong(const Preset *p, const PresetFinding **ret_first)
{
    int64_t n = 0;
    *ret_first = NULL;
    for (int64_t i = 0; i < p->n_findings; i++) {
        if (p->findings[i].problem >= PRESET_NOTES) continue;
        if (n++ == 0) *ret_first = &p->findings[i];
    }
    return n;
}

const PresetFinding *preset_wrong_in(const Preset *p, PresetPart part)
{
    for (int64_t i = 0; i < p->n_findings; i++)
        if (p->findings[i].problem < PRESET_NOTES && p->findings[i].part == (int32_t)part) return &p->findings[i];
    return NULL;
}

Err preset_classes(const PresetDef *def, const char *share, ClassTable *ret_table)
{
    char *path = NULL;
    if (share == NULL)
        return err_set(ERR_INPUT,
                       "the class table of %s is in the data folder, which was not found; name it with "
                       "--data-folder",
                       def->name);
    TRY(class_table_path(share, def->classes, &path));
    const Err err = class_table_load(path, ret_table);
    free(path);
    return err;
}

/* ---- scenes ---- */

static Err copy_list(const void *from, size_t bytes, void *ret_pointer)
{
    void *copy = malloc(bytes);
    if (copy == NULL) return err_memory(bytes, "the scenes of a data set");
    memcpy(copy, from, bytes);
    memcpy(ret_pointer, &copy, sizeof copy);
    return ERR_NONE;
}

static Err fill_scene(const PresetDef *def, const PresetItem *item, DatasetScene *s)
{
    static const SceneSplit splits[PRESET_PARTS] = { SCENE_TRAIN, SCENE_VALIDATION, SCENE_HOLDOUT };
    const bool eroded = item->part != PRESET_TRAIN && item->eroded != NULL;
    uint32_t n = 0;
    while (n < ARRAY_LEN(def->bands) && def->bands[n] > 0) n++;
    *s = (DatasetScene){ .split = splits[item->part], .labels_buffer = 1.0, .labels_by_pixel = true };
    TRY(str_copy(item->name, &s->name));
    TRY(str_copy(item->image, &s->image));
    TRY(str_copy(eroded ? item->eroded : item->labels, &s->labels));
    if (def->crs != NULL) TRY(str_copy(def->crs, &s->crs));
    TRY(copy_list(def->bands, n * sizeof *s->bands, &s->bands));
    s->n_bands = n;
    if (!item->placed) return ERR_NONE;
    TRY(copy_list(item->lonlat, sizeof item->lonlat, &s->lonlat));
    s->n_lonlat = 2;
    return ERR_NONE;
}

Err preset_scenes(const Preset *p, DatasetScene **ret_scenes, uint32_t *ret_n)
{
    uint32_t n = 0;
    Err err = ERR_NONE;
    DatasetScene *scenes = calloc((size_t)p->n_items + 1, sizeof *scenes);
    if (scenes == NULL) return err_memory((size_t)p->n_items * sizeof *scenes, "the scenes of a data set");
    for (int64_t i = 0; i < p->n_items && err == ERR_NONE; i++)
        if (p->items[i].labels != NULL) err = fill_scene(p->def, &p->items[i], &scenes[n++]);
    if (err != ERR_NONE) {
        preset_scenes_free(scenes, n);
        return err;
    }
    *ret_scenes = scenes;
    *ret_n = n;
    return ERR_NONE;
}

void preset_scenes_free(DatasetScene *scenes, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        free(scenes[i].name);
        free(scenes[i].image);
        free(scenes[i].labels);
        free(scenes[i].crs);
        free(scenes[i].bands);
        free(scenes[i].lonlat);
    }
    free(scenes);
}
