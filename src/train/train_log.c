/* SPDX-License-Identifier: Apache-2.0
 * metrics.csv and metrics.jsonl: one row per logged step, validation figures where there are some. */
#include "train/trainer.h"

#include "base/file.h"
#include "base/json.h"
#include "base/output.h"
#include "base/str.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char csv_header[] =
    "step,loss,cross_entropy,dice,auxiliary,gradient_norm,learning_rate,seconds,validation_miou,validation_accuracy";

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

static Err append(const Trainer *t, const char *name, const char *text)
{
    char *path = NULL;
    TRY(trainer_path(t, name, &path));
    const Err err = output_append(path, text, strlen(text));
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

Err trainer_log_open(const Trainer *t, int64_t last)
{
    static const char *const names[] = { "metrics.csv", "metrics.jsonl" };
    char *head = NULL;
    TRY(header(t, &head));
    Err err = ERR_NONE;
    for (int64_t i = 0; i < ARRAY_LEN(names) && err == ERR_NONE; i++) {
        char *path = NULL;
        err = trainer_path(t, names[i], &path);
        if (err == ERR_NONE) err = cut(path, last, i == 0 ? head : "");
        free(path);
    }
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

static void put_validation(JsonWriter *w, const Trainer *t, const Validation *v)
{
    json_put_double(w, "validation_miou", v->miou);
    json_put_double(w, "validation_accuracy", v->accuracy);
    json_begin_array(w, "validation_iou");
    for (uint32_t c = 0; c < t->config->data.n_classes; c++) json_put_double(w, NULL, v->shown[0].per_class[c].iou);
    json_end(w);
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
    if (err == ERR_NONE) err = append(t, "metrics.csv", csv);
    if (err == ERR_NONE) err = append(t, "metrics.jsonl", str_text(&json));
    str_done(&json);
    json_writer_done(&w);
    free(csv);
    free(line);
    return err;
}

Err trainer_log_step(const Trainer *t) { return log_row(t, NULL); }
Err trainer_log_validation(const Trainer *t, const Validation *validation) { return log_row(t, validation); }
