/* SPDX-License-Identifier: Apache-2.0
 * metrics.csv, metrics.jsonl and the event file: one row or record per logged step, validation figures where there are
 * some; classes.csv: one row per class and validation. */
#include "train/trainer.h"

#include "base/clock.h"
#include "base/csv.h"
#include "base/file.h"
#include "base/json.h"
#include "base/output.h"
#include "base/report.h"
#include "base/str.h"
#include "train/event_file.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char csv_header[] =
    "step,loss,cross_entropy,dice,auxiliary,gradient_norm,learning_rate,seconds,validation_miou,validation_accuracy";

static const char classes_header[] = "step,value,pixels,iou,f1,precision,recall,class\n";

/* The head of metrics.csv; with sets of bands also the figures of each. */
static Err header(const Trainer *t, char **ret_text)
{
    Str text = { 0 };
    str_add(&text, csv_header);
    const int64_t sets = dataset_band_sets(t->dataset);
    for (int64_t i = 0; sets > 0 && i <= sets; i++) {
        const char *bands = trainer_shown_bands(t, i);
        str_addf(&text, ",miou_%s,accuracy_%s", bands, bands);
    }
    str_add(&text, "\n");
    return str_take(&text, ret_text);
}

/* Step of a row: the first number of a CSV row, or behind {"step": of a JSON line; -1 for the header. */
static long long row_step(const char *row)
{
    static const char key[] = "{\"step\":";
    if (strncmp(row, key, sizeof key - 1) == 0) return strtoll(row + sizeof key - 1, NULL, 10);
    return row[0] >= '0' && row[0] <= '9' ? strtoll(row, NULL, 10) : -1;
}

/* Keeps the rows up to a step, so that a continued run does not repeat what came after its checkpoint. */
static Err cut(const char *path, int64_t step, const char *header)
{
    char *bytes = NULL;
    size_t length = 0;
    Str kept = { 0 };
    if (step > 0 && file_exists(path)) {
        TRY(file_read(path, (size_t)1 << 30, &bytes, &length));
        for (const char *row = bytes; *row != '\0';) {
            const char *end = strchr(row, '\n');
            if (end == NULL) break; /* torn by a crash */
            if (row_step(row) <= (long long)step) str_add_bytes(&kept, row, (size_t)(end - row) + 1);
            row = end + 1;
        }
        free(bytes);
    } else {
        str_add(&kept, header);
    }
    char *text = NULL;
    TRY(str_take(&kept, &text));
    const Err err = file_write(path, text, strlen(text), true);
    free(text);
    return err;
}

static Err append(const Trainer *t, const char *name, const char *bytes, size_t length)
{
    char *path = NULL;
    TRY(trainer_path(t, name, &path));
    const Err err = output_append(path, bytes, length);
    free(path);
    return err;
}

Err trainer_save_config(const Trainer *t, const char *config, const char *const *overrides, int64_t n_overrides)
{
    char *bytes = NULL;
    size_t length = 0;
    TRY(file_read(config, (size_t)1 << 24, &bytes, &length));
    Str text = { 0 };
    for (int64_t i = 0; i < n_overrides; i++) str_addf(&text, "# --set %s\n", overrides[i]);
    str_add_bytes(&text, bytes, length);
    free(bytes);
    char *whole = NULL;
    char *path = NULL;
    Err err = str_take(&text, &whole);
    if (err == ERR_NONE) err = trainer_path(t, "config.yaml", &path);
    if (err == ERR_NONE) err = file_write(path, whole, strlen(whole), true);
    free(whole);
    free(path);
    return err;
}

/* The same for the records of the event file. */
static Err cut_events(const char *path, int64_t step)
{
    char *bytes = NULL;
    size_t length = 0;
    Str kept = { 0 };
    if (step > 0 && file_exists(path)) {
        TRY(file_read(path, (size_t)1 << 30, &bytes, &length));
        str_add_bytes(&kept, bytes, event_keep(bytes, length, step));
        free(bytes);
    }
    if (kept.length == 0) event_version(&kept, clock_unix());
    length = kept.length;
    TRY(str_take(&kept, &bytes));
    const Err err = file_write(path, bytes, length, true);
    free(bytes);
    return err;
}

Err trainer_log_open(const Trainer *t, int64_t last)
{
    char *head = NULL;
    TRY(header(t, &head));
    const struct {
        const char *name, *head;
    } logs[] = { { "metrics.csv", head }, { "metrics.jsonl", "" }, { "classes.csv", classes_header } };
    Err err = ERR_NONE;
    char *path = NULL;
    for (int64_t i = 0; i < ARRAY_LEN(logs) && err == ERR_NONE; i++) {
        err = trainer_path(t, logs[i].name, &path);
        if (err == ERR_NONE) err = cut(path, last, logs[i].head);
        free(path);
        path = NULL;
    }
    if (err == ERR_NONE) err = trainer_path(t, TRAINER_EVENTS, &path);
    if (err == ERR_NONE) err = cut_events(path, last);
    free(path);
    free(head);
    return err;
}

static void add_csv(Str *row, const Trainer *t, const Validation *v)
{
    const int64_t sets = dataset_band_sets(t->dataset);
    if (v != NULL)
        str_addf(row, "%.6f,%.6f", v->miou, v->accuracy);
    else
        str_add(row, ",");
    for (int64_t i = 0; sets > 0 && i <= sets; i++) {
        if (v != NULL)
            str_addf(row, ",%.6f,%.6f", v->shown[i].miou, v->shown[i].overall_accuracy);
        else
            str_add(row, ",,");
    }
    str_add(row, "\n");
}

static void put_classes(JsonWriter *w, const Trainer *t, const Validation *v)
{
    json_begin_array(w, "validation_classes");
    for (uint32_t c = 0; c < t->config->data.n_classes; c++) {
        const ClassMetrics *m = &v->shown[0].per_class[c];
        json_begin_object(w, NULL);
        json_put_int(w, "value", t->config->data.classes[c].value);
        json_put_string(w, "class", t->config->data.classes[c].name);
        json_put_int(w, "pixels", m->truth);
        json_put_double(w, "iou", m->iou);
        json_put_double(w, "f1", m->f1);
        json_put_double(w, "precision", m->precision);
        json_put_double(w, "recall", m->recall);
        json_end(w);
    }
    json_end(w);
}

static void put_validation(JsonWriter *w, const Trainer *t, const Validation *v)
{
    json_put_double(w, "validation_miou", v->miou);
    json_put_double(w, "validation_accuracy", v->accuracy);
    json_begin_array(w, "validation_iou");
    for (uint32_t c = 0; c < t->config->data.n_classes; c++) json_put_double(w, NULL, v->shown[0].per_class[c].iou);
    json_end(w);
    put_classes(w, t, v);
    if (v->n == 1) return;
    json_begin_array(w, "validation_sets");
    for (int64_t i = 0; i < v->n; i++) {
        json_begin_object(w, NULL);
        json_put_string(w, "bands", trainer_shown_bands(t, i));
        json_put_double(w, "miou", v->shown[i].miou);
        json_put_double(w, "accuracy", v->shown[i].overall_accuracy);
        json_end(w);
    }
    json_end(w);
}

static Err log_row(const Trainer *t, const Validation *validation)
{
    const double rate = optimizer_rate(t->optimizer, t->step - 1);
    Str row = { 0 };
    str_addf(&row, "%lld,%.6g,%.6g,%.6g,%.6g,%.6g,%.6g,%.1f,", (long long)t->step, t->loss, t->cross_entropy, t->dice,
             t->auxiliary, t->norm, rate, t->seconds);
    add_csv(&row, t, validation);
    JsonWriter w = { 0 };
    json_begin_object(&w, NULL);
    json_put_int(&w, "step", t->step);
    json_put_double(&w, "loss", t->loss);
    json_put_double(&w, "cross_entropy", t->cross_entropy);
    json_put_double(&w, "dice", t->dice);
    json_put_double(&w, "auxiliary", t->auxiliary);
    json_put_double(&w, "gradient_norm", t->norm);
    json_put_double(&w, "learning_rate", rate);
    json_put_double(&w, "seconds", t->seconds);
    if (validation != NULL) put_validation(&w, t, validation);
    json_end(&w);
    char *csv = NULL;
    char *line = NULL;
    Err err = str_take(&row, &csv);
    if (err == ERR_NONE) err = json_take(&w, &line);
    Str json = { 0 };
    if (err == ERR_NONE) str_addf(&json, "%s\n", line);
    if (err == ERR_NONE) err = append(t, "metrics.csv", csv, strlen(csv));
    if (err == ERR_NONE) err = append(t, "metrics.jsonl", str_text(&json), json.length);
    str_done(&json);
    json_writer_done(&w);
    free(csv);
    free(line);
    return err;
}

/* ",0.812345", or an empty cell where a figure is undefined. */
static void add_cell(Str *row, double figure)
{
    str_add_char(row, ',');
    if (isfinite(figure)) str_addf(row, "%.6f", figure);
}

static Err log_classes(const Trainer *t, const Validation *v)
{
    Str rows = { 0 };
    for (uint32_t c = 0; c < t->config->data.n_classes; c++) {
        const ClassMetrics *m = &v->shown[0].per_class[c];
        str_addf(&rows, "%lld,%d,%lld", (long long)t->step, (int)t->config->data.classes[c].value, (long long)m->truth);
        add_cell(&rows, m->iou);
        add_cell(&rows, m->f1);
        add_cell(&rows, m->precision);
        add_cell(&rows, m->recall);
        str_add_char(&rows, ',');
        csv_add_name(&rows, t->config->data.classes[c].name);
        str_add_char(&rows, '\n');
    }
    const size_t length = rows.length;
    char *text = NULL;
    TRY(str_take(&rows, &text));
    const Err err = append(t, "classes.csv", text, length);
    free(text);
    return err;
}

static void add_tagged(Str *summary, const char *what, const char *name, double figure)
{
    Str tag = { 0 };
    str_addf(&tag, "%s/%s", what, name);
    event_scalar(summary, str_text(&tag), figure);
    summary->failed = summary->failed || tag.failed;
    str_done(&tag);
}

static void add_validation_events(Str *summary, const Trainer *t, const Validation *v)
{
    event_scalar(summary, "validation/mIoU", v->miou);
    event_scalar(summary, "validation/OA", v->accuracy);
    for (int64_t i = 0; v->n > 1 && i < v->n; i++) {
        add_tagged(summary, "validation/mIoU", trainer_shown_bands(t, i), v->shown[i].miou);
        add_tagged(summary, "validation/OA", trainer_shown_bands(t, i), v->shown[i].overall_accuracy);
    }
    for (uint32_t c = 0; c < t->config->data.n_classes; c++)
        add_tagged(summary, "validation IoU", t->config->data.classes[c].name, v->shown[0].per_class[c].iou);
}

static Err log_event(const Trainer *t, const Validation *validation)
{
    Str summary = { 0 }, record = { 0 };
    if (t->step > 0) {
        event_scalar(&summary, "loss/total", t->loss);
        event_scalar(&summary, "loss/cross_entropy", t->cross_entropy);
        event_scalar(&summary, "loss/dice", t->dice);
        event_scalar(&summary, "loss/auxiliary", t->auxiliary);
        event_scalar(&summary, "gradient_norm", t->norm);
        event_scalar(&summary, "learning_rate", optimizer_rate(t->optimizer, t->step - 1));
    }
    if (validation != NULL) add_validation_events(&summary, t, validation);
    event_record(&record, clock_unix(), t->step, &summary);
    str_done(&summary);
    const size_t length = record.length;
    char *bytes = NULL;
    TRY(str_take(&record, &bytes));
    const Err err = append(t, TRAINER_EVENTS, bytes, length);
    free(bytes);
    return err;
}

Err trainer_log_step(const Trainer *trainer)
{
    TRY(log_row(trainer, NULL));
    return log_event(trainer, NULL);
}

Err trainer_log_validation(const Trainer *trainer, const Validation *validation)
{
    TRY(log_row(trainer, validation));
    TRY(log_classes(trainer, validation));
    return log_event(trainer, validation);
}

/* "81.2 %", or "-" where the figure is undefined; `cell` moves behind it. */
static void tell_cell(Str *text, const char *what, const char **cell)
{
    char *end = NULL;
    const double figure = strtod(*cell, &end);
    if (end == *cell)
        str_addf(text, "%s -", what);
    else
        str_addf(text, "%s %.1f %%", what, 100.0 * figure);
    *cell = end + (*end == ',');
}

Err trainer_tell_classes(const Trainer *t)
{
    char *path = NULL, *rows = NULL;
    size_t length = 0;
    if (!isfinite(t->best_miou)) return ERR_NONE;
    TRY(trainer_path(t, "classes.csv", &path));
    Err err = file_exists(path) ? file_read(path, (size_t)1 << 30, &rows, &length) : ERR_NONE;
    free(path);
    uint32_t c = 0;
    for (const char *row = rows; err == ERR_NONE && row != NULL && c < t->config->data.n_classes;) {
        const char *end = strchr(row, '\n');
        if (end == NULL) break;
        if (row_step(row) == t->best_step) {
            static const char *const names[] = { "IoU", ", F1", ", precision", ", recall" };
            Str text = { 0 };
            const char *cell = row;
            for (int64_t i = 0; i < 3; i++) cell = strchr(cell, ',') + 1;
            for (int64_t i = 0; i < ARRAY_LEN(names); i++) tell_cell(&text, names[i], &cell);
            report_message(t->run, 0, "%s: %s", t->config->data.classes[c].name, str_text(&text));
            str_done(&text);
            c++;
        }
        row = end + 1;
    }
    free(rows);
    return err;
}
