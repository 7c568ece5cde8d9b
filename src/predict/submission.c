/* SPDX-License-Identifier: Apache-2.0
 * Submission files: what the server of a published data set evaluates. */
#include "base/clock.h"
#include "base/file.h"
#include "base/file_set.h"
#include "base/str.h"
#include "geo/png.h"
#include "predict/preset_maps.h"
#include "tensor_file/zip_writer.h"

#include <stdlib.h>
#include <string.h>

enum { NO_DATA = 255 };

typedef struct Submission {
    MetasegModel *model;
    const Preset *preset;
    const PresetSubmission *wanted;
    PresetMaps maps;
    uint32_t color_of[256]; /* SUBMISSION_COLORS: 0xRRGGBB of a class's value; black of no data */
    int64_t images;
    ZipWriter *zip;
} Submission;

static bool is_hidden(const PresetItem *item) { return item->part == PRESET_TEST && item->labels == NULL; }

/* All images of the part, or nothing is worth to be made. */
static Err check_images(Submission *s)
{
    const Preset *p = s->preset;
    const PresetFinding *missing = preset_wrong_in(p, PRESET_TEST);
    for (int64_t i = 0; i < p->n_items; i++) s->images += is_hidden(&p->items[i]) ? 1 : 0;
    if (missing != NULL)
        return err_set(ERR_INPUT, "'%s': %s; a submission needs all images of the test part", missing->path,
                       missing->text);
    if (s->images == 0)
        return err_set(ERR_INPUT, "'%s': no image of the test part whose labels are hidden; expected those of %s",
                       p->folder, p->def->title);
    const int64_t published = p->def->published[PRESET_TEST];
    if (published > 0 && published != s->images)
        predictor_tell(s->model, 1, "'%s': %lld images of the test part, %lld were published; the server wants all",
                       p->folder, (long long)s->images, (long long)published);
    return ERR_NONE;
}

/* The archive is none of the images, nor the model. */
static Err check_files(const Submission *s, const char *out)
{
    FileSet set = { .stop = s->model->run.stop };
    TRY(file_check_kind(out, "the submission", "zip archive", "zip"));
    Err err = file_set_input(&set, tensor_file_path(s->model->file), "the model");
    for (int64_t i = 0; i < s->preset->n_items && err == ERR_NONE; i++)
        if (is_hidden(&s->preset->items[i])) err = file_set_input(&set, s->preset->items[i].image, "an image");
    if (err == ERR_NONE) err = file_set_output(&set, out, "the submission");
    file_set_done(&set);
    return err;
}

/* "…/images_png/4191.png" -> "4191.png". */
static Err member_name(const Submission *s, const char *image, char **ret_name)
{
    const char *name = path_name(image), *suffix = s->wanted->image_suffix;
    const int length = (int)(strlen(name) - (str_ends_with(name, suffix) ? strlen(suffix) : 0));
    return str_format(ret_name, "%.*s%s", length, name, s->wanted->suffix);
}

static Err check_data(const Submission *s, const char *image, const MetasegPredictReport *r)
{
    const int64_t none = r->width * r->height - r->valid_pixels;
    if (none == 0 || s->wanted->coding != SUBMISSION_VALUES || s->wanted->unknown >= 0) return ERR_NONE;
    return err_set(ERR_INPUT,
                   "'%s': %lld of its pixels are no data ('metaseg info' tells why), and the server wants a class of "
                   "each",
                   image, (long long)none);
}

/* The map as the server wants it, in place or, of colours, in *ret_colors. */
static Err encode(const Submission *s, uint8_t *codes, int64_t pixels, uint8_t **ret_colors)
{
    const PresetSubmission *wanted = s->wanted;
    for (int64_t i = 0; i < pixels && wanted->coding == SUBMISSION_VALUES; i++)
        codes[i] = (uint8_t)(codes[i] == NO_DATA ? wanted->unknown : codes[i] + wanted->shift);
    if (wanted->coding == SUBMISSION_VALUES) return ERR_NONE;
    uint8_t *colors = malloc((size_t)pixels * 3);
    if (colors == NULL) return err_memory((size_t)pixels * 3, "a map in colours");
    for (int64_t i = 0; i < pixels; i++) {
        const uint32_t color = s->color_of[codes[i]];
        colors[3 * i] = (uint8_t)(color >> 16);
        colors[3 * i + 1] = (uint8_t)(color >> 8);
        colors[3 * i + 2] = (uint8_t)color;
    }
    *ret_colors = colors;
    return ERR_NONE;
}

static Err add_map(const Submission *s, const PresetItem *item, uint8_t *codes, const MetasegPredictReport *r)
{
    uint8_t *colors = NULL, *bytes = NULL;
    size_t length = 0;
    char *name = NULL;
    TRY(check_data(s, item->image, r));
    Err err = encode(s, codes, r->width * r->height, &colors);
    if (err == ERR_NONE)
        err = png_encode(colors != NULL ? colors : codes, colors != NULL ? 3 : 1, r->width, r->height, &bytes, &length);
    if (err == ERR_NONE) err = member_name(s, item->image, &name);
    if (err == ERR_NONE) err = zip_writer_add(s->zip, name, bytes, length);
    free(name);
    free(bytes);
    free(colors);
    return err;
}

static Err add_all(const Submission *s, MetasegSubmissionReport *report)
{
    int64_t done = 0;
    preset_maps_progress(&s->maps, 0, s->images);
    for (int64_t i = 0; i < s->preset->n_items; i++) {
        const PresetItem *item = &s->preset->items[i];
        uint8_t *codes = NULL;
        MetasegPredictReport r = { 0 };
        if (!is_hidden(item)) continue;
        Err err = preset_maps_item(&s->maps, item, NULL, &codes, &r);
        if (err == ERR_NONE) err = add_map(s, item, codes, &r);
        free(codes);
        if (err == ERR_INTERRUPTED)
            return err_set(ERR_INTERRUPTED, "stopped after %lld of %lld images; nothing was written", (long long)done,
                           (long long)s->images);
        TRY(err_prefix(err, "no submission was written"));
        report->pixels += r.width * r.height;
        report->peak_memory = r.peak_memory;
        preset_maps_progress(&s->maps, ++done, s->images);
    }
    return ERR_NONE;
}

static Err write_archive(Submission *s, const char *out, MetasegSubmissionReport *report)
{
    Output *output = NULL;
    TRY(output_open(out, s->maps.options->overwrite, &output));
    Err err = zip_writer_new(output_partial(output), out, &s->zip);
    if (err == ERR_NONE) err = add_all(s, report);
    if (err == ERR_NONE) err = zip_writer_finish(s->zip);
    if (err == ERR_NONE) err = output_publish(output);
    zip_writer_free(s->zip);
    output_close(output);
    return err;
}

static void take_colors(const ClassTable *classes, uint32_t *color_of)
{
    for (uint32_t i = 0; i < classes->n_classes; i++)
        color_of[classes->classes[i].value] = (uint32_t)strtoul(classes->classes[i].color + 1, NULL, 16);
}

static Err submit(MetasegModel *model, const Preset *preset, const ClassTable *classes, const char *out,
                  const MetasegPredictOptions *options, MetasegSubmissionReport *report)
{
    Submission s = { .model = model, .preset = preset, .wanted = &preset->def->submission };
    TRY(preset_maps_begin(model, preset, classes, options, &s.maps));
    take_colors(classes, s.color_of);
    Err err = check_files(&s, out);
    if (err == ERR_NONE) err = check_images(&s);
    if (err == ERR_NONE) err = write_archive(&s, out, report);
    preset_maps_end(&s.maps);
    report->images = s.images;
    report->server = s.wanted->server;
    return err;
}

MetasegStatus metaseg_predict_submission(MetasegModel *model, const char *preset, const char *folder, const char *out,
                                         const MetasegPredictOptions *options, MetasegSubmissionReport *report)
{
    const double start = clock_seconds();
    const PresetDef *def = NULL;
    Preset opened = { 0 };
    ClassTable classes;
    MetasegSubmissionReport told = { 0 };
    if (model == NULL || preset == NULL || folder == NULL || out == NULL || options == NULL)
        return err_set(ERR_ARGUMENT, "model, preset, folder, output and options are needed");
    TRY(preset_get(preset, &def));
    if (def->submission.coding == SUBMISSION_NONE)
        return err_set(ERR_ARGUMENT, "there is no submission file of %s: %s", def->title, def->submission.server);
    TRY(preset_classes(def, model->run.data_folder, &classes));
    Err err = preset_open(def, folder, NULL, model->run.data_folder, &opened);
    if (err == ERR_NONE) err = predictor_enter(model);
    if (err == ERR_NONE) {
        err = submit(model, &opened, &classes, out, options, &told);
        predictor_leave(model);
    }
    preset_close(&opened);
    class_table_done(&classes);
    told.seconds = clock_seconds() - start;
    if (report != NULL) *report = told;
    return err;
}
