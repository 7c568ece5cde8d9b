/* SPDX-License-Identifier: Apache-2.0
 * Reading all files of a data set once. */
#include "data/preset_check.h"

#include "base/report.h"
#include "base/str.h"
#include "data/labels.h"
#include "data/preset_files.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { STRIP_VALUES = 4 << 20, TEXT_BYTES = 500 };

/* One item that is being looked at. */
typedef struct Look {
    Preset *preset;
    const MetasegRun *run;
    const PresetItem *item;
    const DatasetOptions *options;
    LabelTable table;
    PresetCheck *check;
    float *values;
    uint8_t *valid;
    LabelCounts counts;
    ColorCounts colors;
} Look;

/* What the file is, as a finding; only what is not its fault is passed on. */
static Err take_error(Look *l, Err err, const char *path)
{
    char text[TEXT_BYTES];
    if (err != ERR_INPUT && err != ERR_CONFIG && err != ERR_ARGUMENT) return err;
    (void)snprintf(text, sizeof text, "%s", err_message());
    const size_t length = strlen(path);
    const bool named =
        text[0] == '\'' && strncmp(text + 1, path, length) == 0 && str_starts_with(text + 1 + length, "': ");
    return preset_found(l->preset, PRESET_CORRUPT, path, "%s", named ? text + length + 4 : text);
}

static Err stopped(const Look *l)
{
    return report_stop(l->run) ? err_set(ERR_INTERRUPTED, "stopped while the data set was read") : ERR_NONE;
}

static int64_t strip_rows(const Raster *raster, int64_t values_per_pixel)
{
    const int64_t rows = STRIP_VALUES / (raster_width(raster) * values_per_pixel + 1);
    return rows < 1 ? 1 : rows < raster_height(raster) ? rows : raster_height(raster);
}

/* Room for a strip of a raster; the buffers grow to what a wide one needs. */
static Err want_strip(Look *l, const Raster *raster, int64_t values_per_pixel, int64_t rows)
{
    const size_t pixels = (size_t)(raster_width(raster) * rows);
    free(l->values);
    free(l->valid);
    l->values = malloc(pixels * (size_t)values_per_pixel * sizeof *l->values);
    l->valid = malloc(pixels);
    if (l->values != NULL && l->valid != NULL) return ERR_NONE;
    return err_memory(pixels * ((size_t)values_per_pixel * sizeof *l->values + 1), "rows of an image");
}

static Err read_image(Look *l, Raster *raster)
{
    const int64_t bands = raster_chosen_count(raster), rows = strip_rows(raster, bands);
    TRY(want_strip(l, raster, bands, rows));
    for (int64_t y = 0; y < raster_height(raster); y += rows) {
        const int64_t left = raster_height(raster) - y;
        TRY(stopped(l));
        TRY(raster_read(raster, (RasterWindow){ 0, y, raster_width(raster), left < rows ? left : rows }, l->values,
                        l->valid));
    }
    return ERR_NONE;
}

static void count_strip(Look *l, int64_t pixels)
{
    const PresetPart part = l->item->part;
    for (int64_t i = 0; i < pixels; i++) {
        const float value = l->values[i];
        const uint8_t index = l->valid[i] != 0 ? label_class(&l->table, value) : CLASS_IGNORE;
        if (index != CLASS_IGNORE)
            l->check->pixels[part][l->options->classes[index].value]++;
        else
            l->check->ignored[part]++;
        if (l->valid[i] == 0) continue;
        if (l->options->labels_kind == LABELS_COLORS && value < 0.0F)
            color_counts_add(&l->colors, raster_color_of(value));
        else
            label_count(&l->counts, value);
    }
}

static Err tell_values(Look *l, const char *path)
{
    Str text = { 0 };
    Err err = ERR_NONE;
    const bool some = label_counts_unnamed(&l->counts, &l->table, &text) > 0;
    if (some) err = preset_found(l->preset, PRESET_VALUES, path, "no class has the value %s", str_text(&text));
    str_done(&text);
    if (err == ERR_NONE && label_counts_impossible(&l->counts, &text) > 0)
        err = preset_found(l->preset, PRESET_VALUES, path, "values that no class can have: %s", str_text(&text));
    str_done(&text);
    if (err == ERR_NONE && color_counts_text(&l->colors, &text) > 0)
        err = preset_found(l->preset, PRESET_VALUES, path, "no class has the colour %s", str_text(&text));
    str_done(&text);
    return err;
}

static Err read_labels(Look *l, Labels *labels)
{
    const int64_t width = labels->width, rows = strip_rows(labels->raster, 1);
    l->counts = (LabelCounts){ 0 };
    l->colors = (ColorCounts){ 0 };
    TRY(want_strip(l, labels->raster, 1, rows));
    for (int64_t y = 0; y < labels->height; y += rows) {
        const int64_t n = labels->height - y < rows ? labels->height - y : rows;
        TRY(stopped(l));
        TRY(labels_read_values(labels, (RasterWindow){ 0, y, width, n }, l->values, l->valid));
        count_strip(l, width * n);
    }
    return ERR_NONE;
}

/* Labels over their image, and where they do not fit: how. */
static Err look_at_labels(Look *l, const char *path, const Raster *image)
{
    const LabelsPlace place = { .by_pixel = true };
    Raster *raster = NULL;
    Labels *labels = NULL;
    Georeference *image_place = NULL;
    Err err = raster_open(path, l->run != NULL ? l->run->stop : NULL, &raster);
    if (err != ERR_NONE) return take_error(l, err, path);
    const RasterInfo *a = raster_info(image), *b = raster_info(raster);
    const bool differ = a->width != b->width || a->height != b->height;
    if (differ)
        err = preset_found(l->preset, PRESET_SIZES, path, "%lld x %lld pixels; its image has %lld x %lld",
                           (long long)b->width, (long long)b->height, (long long)a->width, (long long)a->height);
    raster_close(raster);
    if (differ || err != ERR_NONE) return err;
    err = georeference_open(image, NULL, &image_place);
    if (err == ERR_NONE)
        err = labels_open(path, l->options, &place, l->run != NULL ? l->run->stop : NULL, image, image_place, &labels);
    if (err == ERR_NONE) err = read_labels(l, labels);
    err = err == ERR_NONE ? tell_values(l, path) : take_error(l, err, path);
    labels_close(labels);
    georeference_free(image_place);
    return err;
}

static Err look_at_item(Look *l)
{
    const PresetItem *item = l->item;
    const PresetDef *def = l->preset->def;
    Raster *image = NULL;
    Err err = raster_open(item->image, l->run != NULL ? l->run->stop : NULL, &image);
    if (err != ERR_NONE) return take_error(l, err, item->image);
    const RasterInfo *info = raster_info(image);
    if (def->width > 0 && (info->width != def->width || info->height != def->height))
        err = preset_found(l->preset, PRESET_OTHER_SIZE, item->image, "%lld x %lld pixels; published were %lld x %lld",
                           (long long)info->width, (long long)info->height, (long long)def->width,
                           (long long)def->height);
    if (err == ERR_NONE) {
        err = read_image(l, image);
        if (err != ERR_NONE) err = take_error(l, err, item->image);
    }
    l->check->read++;
    if (err == ERR_NONE && item->labels != NULL) err = look_at_labels(l, item->labels, image);
    if (err == ERR_NONE && item->eroded != NULL) {
        PresetCheck kept = *l->check; /* the same pixels once more: not counted */
        err = look_at_labels(l, item->eroded, image);
        *l->check = kept;
    }
    raster_close(image);
    return err;
}

Err preset_check(Preset *p, const ClassTable *classes, const MetasegRun *run, PresetCheck *ret_check)
{
    char *ignored = (char *)p->def->ignore_color;
    DatasetRemap remap[16];
    ASSERT(p->def->n_remap <= ARRAY_LEN(remap));
    for (uint32_t i = 0; i < p->def->n_remap; i++) remap[i] = p->def->remap[i];
    const DatasetOptions options = { .classes = classes->classes,
                                     .n_classes = classes->n_classes,
                                     .ignore = classes->ignore,
                                     .remap = remap,
                                     .n_remap = p->def->n_remap,
                                     .labels_kind = p->def->labels_kind,
                                     .colors_threshold = p->def->colors_threshold,
                                     .ignore_colors = &ignored,
                                     .n_ignore_colors = ignored != NULL };
    PresetCheck check = { .read = 0 };
    Look look = { .preset = p, .run = run, .options = &options, .table = label_table(&options), .check = &check };
    Err err = ERR_NONE;
    for (int64_t i = 0; i < p->n_items && err == ERR_NONE; i++) {
        look.item = &p->items[i];
        err = look_at_item(&look);
        if (run != NULL && run->progress != NULL) run->progress(run->context, i + 1, p->n_items, NULL);
    }
    free(look.values);
    free(look.valid);
    if (err == ERR_NONE) *ret_check = check;
    return err;
}
