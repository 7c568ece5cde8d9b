/* SPDX-License-Identifier: Apache-2.0
 * metaseg_dataset_check, metaseg_dataset_list: what presets are, and what a folder lacks. */
#include "metaseg/train.h"

#include "base/json.h"
#include "base/line_sink.h"
#include "base/report.h"
#include "base/str.h"
#include "data/preset_check.h"

#include <stdio.h>
#include <stdlib.h>

enum { NOTES_TOLD = 3 };

typedef void (*TakeLine)(void *context, const char *text);

static LineSink sink_of(const MetasegRun *run, TakeLine line)
{
    return (LineSink){ line, run != NULL ? run->context : NULL };
}

static Err put_json(LineSink out, JsonWriter *w)
{
    char *text = NULL;
    const Err err = json_take(w, &text);
    if (err == ERR_NONE && out.line != NULL) out.line(out.context, text);
    free(text);
    json_writer_done(w);
    return err;
}

/* ---- list ---- */

static void json_preset(JsonWriter *w, const PresetDef *def)
{
    json_begin_object(w, NULL);
    json_put_string(w, "name", def->name);
    json_put_string(w, "title", def->title);
    json_put_string(w, "classes", def->classes);
    if (def->gsd > 0.0) json_put_double(w, "pixel_metres", def->gsd);
    json_put_string(w, "place", def->place);
    json_put_string(w, "source", def->source);
    json_put_bool(w, "submissions", def->submission.coding != SUBMISSION_NONE);
    json_begin_array(w, "splits");
    for (int64_t i = 0; i < def->n_splits; i++) {
        json_begin_object(w, NULL);
        json_put_string(w, "name", def->splits[i].name);
        json_put_string(w, "title", def->splits[i].title);
        json_end(w);
    }
    json_end(w);
    json_end(w);
}

static Err tell_preset(LineSink out, const PresetDef *def)
{
    Str text = { 0 };
    str_addf(&text, "%-13s %s; classes %s.yaml", def->name, def->title, def->classes);
    if (def->gsd > 0.0) str_addf(&text, ", pixels of %g m", def->gsd);
    TRY(line_put_text(out, &text));
    for (int64_t i = 0; i < def->n_splits; i++) {
        str_addf(&text, "  split %-10s %s", def->splits[i].name, def->splits[i].title);
        TRY(line_put_text(out, &text));
    }
    str_addf(&text, "  place: %s", def->place);
    TRY(line_put_text(out, &text));
    const bool submits = def->submission.coding != SUBMISSION_NONE;
    str_addf(&text, "  %s: %s", submits ? "submissions to" : "no submissions", def->submission.server);
    TRY(line_put_text(out, &text));
    str_addf(&text, "  known from: %s", def->source);
    return line_put_text(out, &text);
}

MetasegStatus metaseg_dataset_list(bool json_line, const MetasegRun *run, TakeLine line)
{
    const LineSink out = sink_of(run, line);
    JsonWriter w = { 0 };
    for (int64_t i = 0; i < preset_count() && !json_line; i++) TRY(tell_preset(out, preset_at(i)));
    if (!json_line) return ERR_NONE;
    json_begin_object(&w, NULL);
    json_begin_array(&w, "presets");
    for (int64_t i = 0; i < preset_count(); i++) json_preset(&w, preset_at(i));
    json_end(&w);
    json_end(&w);
    return put_json(out, &w);
}

/* ---- check ---- */

static double all_pixels(const PresetCheck *c, int32_t part)
{
    double sum = 0.0;
    for (int64_t v = 0; v < 256; v++) sum += (double)c->pixels[part][v];
    return sum;
}

static Err tell_classes(LineSink out, const ClassTable *classes, const PresetCheck *c)
{
    Str text = { 0 };
    str_addf(&text, "label pixels%30s%12s%12s", "train", "validation", "test");
    TRY(line_put_text(out, &text));
    for (uint32_t i = 0; i < classes->n_classes; i++) {
        str_addf(&text, "  %3d  %-24s", (int)classes->classes[i].value, classes->classes[i].name);
        for (int32_t part = 0; part < PRESET_PARTS; part++) {
            const double all = all_pixels(c, part);
            if (all > 0.0)
                str_addf(&text, "%10.2f %%", 100.0 * (double)c->pixels[part][classes->classes[i].value] / all);
            else
                str_addf(&text, "%12s", "-");
        }
        TRY(line_put_text(out, &text));
    }
    return ERR_NONE;
}

/* A line of each; of notes, which may be of every file, the first. */
static Err tell_findings(LineSink out, const Preset *p, PresetProblem problem)
{
    Str text = { 0 };
    int64_t n = 0;
    for (int64_t i = 0; i < p->n_findings; i++) {
        const PresetFinding *f = &p->findings[i];
        if (f->problem != problem || (n++ >= NOTES_TOLD && problem >= PRESET_NOTES)) continue;
        str_addf(&text, "%s%s: '%s': %s", problem >= PRESET_NOTES ? "note, " : "", preset_problem_names[problem],
                 f->path, f->text);
        TRY(line_put_text(out, &text));
    }
    if (problem < PRESET_NOTES || n <= NOTES_TOLD) return ERR_NONE;
    str_addf(&text, "note, %s: %lld more", preset_problem_names[problem], (long long)(n - NOTES_TOLD));
    return line_put_text(out, &text);
}

static Err tell_check(LineSink out, const Preset *p, const ClassTable *classes, const PresetCheck *c)
{
    const PresetFinding *first = NULL;
    const int64_t wrong = preset_wrong(p, &first);
    Str text = { 0 };
    str_addf(&text, "%s in '%s', split %s: %lld images to learn, %lld to validate, %lld to test", p->def->title,
             p->folder, p->split, (long long)preset_items_of(p, PRESET_TRAIN),
             (long long)preset_items_of(p, PRESET_VALIDATION), (long long)preset_items_of(p, PRESET_TEST));
    TRY(line_put_text(out, &text));
    str_addf(&text, "place: %s", p->def->place);
    TRY(line_put_text(out, &text));
    for (int32_t problem = 0; problem < PRESET_PROBLEMS; problem++) TRY(tell_findings(out, p, (PresetProblem)problem));
    TRY(tell_classes(out, classes, c));
    str_addf(&text, "%lld images read, %lld findings, %lld notes", (long long)c->read, (long long)wrong,
             (long long)(p->n_findings - wrong));
    return line_put_text(out, &text);
}

static void json_parts(JsonWriter *w, const Preset *p)
{
    json_begin_object(w, "images");
    for (int32_t part = 0; part < PRESET_PARTS; part++)
        json_put_int(w, preset_part_names[part], preset_items_of(p, (PresetPart)part));
    json_end(w);
}

static Err json_check(LineSink out, const Preset *p, const ClassTable *classes, const PresetCheck *c)
{
    const PresetFinding *first = NULL;
    JsonWriter w = { 0 };
    json_begin_object(&w, NULL);
    json_put_string(&w, "preset", p->def->name);
    json_put_string(&w, "folder", p->folder);
    json_put_string(&w, "split", p->split);
    json_put_string(&w, "place", p->def->place);
    json_parts(&w, p);
    json_put_int(&w, "read", c->read);
    json_put_int(&w, "wrong", preset_wrong(p, &first));
    json_begin_array(&w, "findings");
    for (int64_t i = 0; i < p->n_findings; i++) {
        json_begin_object(&w, NULL);
        json_put_string(&w, "problem", preset_problem_names[p->findings[i].problem]);
        json_put_bool(&w, "note", p->findings[i].problem >= PRESET_NOTES);
        json_put_string(&w, "path", p->findings[i].path);
        json_put_string(&w, "text", p->findings[i].text);
        json_end(&w);
    }
    json_end(&w);
    json_begin_array(&w, "classes");
    for (uint32_t i = 0; i < classes->n_classes; i++) {
        json_begin_object(&w, NULL);
        json_put_int(&w, "value", classes->classes[i].value);
        json_put_string(&w, "name", classes->classes[i].name);
        for (int32_t part = 0; part < PRESET_PARTS; part++)
            json_put_int(&w, preset_part_names[part], c->pixels[part][classes->classes[i].value]);
        json_end(&w);
    }
    json_end(&w);
    json_end(&w);
    return put_json(out, &w);
}

/* The findings are told first, then they are the error. */
static Err check(Preset *p, const ClassTable *classes, bool json_line, const MetasegRun *run, TakeLine line)
{
    PresetCheck counted;
    const PresetFinding *first = NULL;
    const LineSink out = sink_of(run, line);
    TRY(preset_check(p, classes, run, &counted));
    TRY(json_line ? json_check(out, p, classes, &counted) : tell_check(out, p, classes, &counted));
    const int64_t wrong = preset_wrong(p, &first);
    if (wrong == 0) return ERR_NONE;
    return err_set(ERR_INPUT, "'%s': %lld findings; the first is '%s': %s", p->folder, (long long)wrong, first->path,
                   first->text);
}

MetasegStatus metaseg_dataset_check(const char *preset, const char *folder, const char *split, bool json_line,
                                    const MetasegRun *run, TakeLine line)
{
    const PresetDef *def = NULL;
    Preset opened = { 0 };
    ClassTable classes;
    const char *share = run != NULL ? run->data_folder : NULL;
    if (preset == NULL || folder == NULL) return err_set(ERR_ARGUMENT, "a preset and a folder are needed");
    TRY(preset_get(preset, &def));
    TRY(preset_classes(def, share, &classes));
    Err err = preset_open(def, folder, split, share, &opened);
    if (err == ERR_NONE) err = check(&opened, &classes, json_line, run, line);
    preset_close(&opened);
    class_table_done(&classes);
    return err;
}
