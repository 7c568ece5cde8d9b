/* SPDX-License-Identifier: Apache-2.0
 * Metrics on the validation area during training. */
#include "train/trainer.h"

#include "geo/mosaic.h"
#include "network/segmenter.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Scores of the window that was run -> classes [side][side]. */
static Err choose_classes(Trainer *t, uint8_t *ret_classes)
{
    const int64_t side = t->window.shape.height;
    const int64_t cells = side / t->model->config.network.output_stride;
    const Tensor scores = program_tensor(t->validation, "logits");
    Mosaic *mosaic = NULL;
    const MosaicSize size = { .span_y = (double)cells,
                              .span_x = (double)cells,
                              .classes = (int64_t)t->config->data.n_classes,
                              .ring_rows = cells,
                              .out_height = side,
                              .out_width = side,
                              .threads = t->device.threads };
    TRY(mosaic_new(&size, &mosaic));
    float *ones = malloc((size_t)cells * sizeof *ones);
    float *scratch = malloc((size_t)mosaic_scratch(mosaic) * sizeof *scratch);
    Err err = ERR_NONE;
    if (ones == NULL || scratch == NULL) {
        err = err_memory((size_t)mosaic_scratch(mosaic) * sizeof *scratch, "a validation window");
    } else {
        for (int64_t i = 0; i < cells; i++) ones[i] = 1.0F;
        mosaic_add(mosaic, scores.data, 0, 0, cells, cells, ones, ones);
        (void)mosaic_complete(mosaic, cells);
        for (int64_t row = 0; row < side; row++)
            mosaic_read(mosaic, row, ret_classes + row * side, NULL, NULL, 0, scratch);
    }
    free(ones);
    free(scratch);
    mosaic_free(mosaic);
    return err;
}

/* A validation window, with all bands (set -1) or those of a set, through the network. */
static Err classify(Trainer *t, int64_t index, int64_t set, uint8_t *ret_classes)
{
    TRY(dataset_validation_window(t->reader, index, set, &t->model->prompts, network_inputs_at(&t->window, 0)));
    TRY(segmenter_write(t->validation, &t->window));
    TRY(program_forward(t->validation, 0));
    return choose_classes(t, ret_classes);
}

void trainer_use_average(Trainer *t)
{
    optimizer_swap_average(t->optimizer);
    program_params_changed(t->validation);
}

void trainer_use_latest(Trainer *t) { optimizer_swap_average(t->optimizer); }

Err trainer_classify_window(Trainer *t, int64_t index, uint8_t *ret_classes)
{
    return classify(t, index, -1, ret_classes);
}

/* What confusion_add counts, of one window. */
static void count_window(const uint8_t *truth, const uint8_t *classes, int64_t pixels, int32_t n,
                         ClassCounts *ret_counts)
{
    for (int64_t i = 0; i < pixels; i++) {
        if (truth[i] >= n || classes[i] >= n) continue;
        ret_counts[truth[i]].truth++;
        ret_counts[classes[i]].predicted++;
        ret_counts[classes[i]].correct += truth[i] == classes[i];
    }
}

static void tell_progress(const Trainer *t, int64_t done, int64_t all)
{
    if (t->run == NULL || t->run->progress == NULL) return;
    char text[64];
    (void)snprintf(text, sizeof text, "validation, window %lld of %lld", (long long)done + 1, (long long)all);
    t->run->progress(t->run->context, t->step, t->config->train.steps, text);
}

const char *trainer_shown_bands(const Trainer *t, int64_t i)
{
    return i == 0 ? "all" : dataset_band_set_name(t->dataset, i - 1);
}

/* All windows with all bands (set -1) or those of a set. */
static Err validate_set(Trainer *t, int64_t set, uint8_t *classes, Validation *v)
{
    const int64_t windows = v->windows, sets = v->n, pixels = t->window.shape.height * t->window.shape.width;
    const int32_t n = (int32_t)t->config->data.n_classes;
    Confusion confusion;
    TRY(confusion_init(&confusion, n));
    Err err = ERR_NONE;
    for (int64_t i = 0; err == ERR_NONE && i < windows; i++) {
        tell_progress(t, (set + 1) * windows + i, sets * windows);
        if (trainer_asked_to_stop(t))
            err = err_set(ERR_INTERRUPTED, "stopped in the validation of step %lld", (long long)t->step);
        if (err == ERR_NONE) err = classify(t, i, set, classes);
        if (err != ERR_NONE) break;
        confusion_add(&confusion, t->window.labels, classes, pixels);
        if (set < 0) count_window(t->window.labels, classes, pixels, n, v->window + i * n);
    }
    if (err == ERR_NONE) confusion_metrics(&confusion, 0.0, NULL, &v->shown[set + 1]);
    if (err == ERR_NONE && set < 0)
        v->confusion = confusion;
    else
        confusion_done(&confusion);
    return err;
}

Err trainer_validate(Trainer *t, Validation *ret_validation)
{
    const int64_t side = t->window.shape.height;
    Validation v = { .n = 1 + dataset_band_sets(t->dataset), .windows = dataset_validation_count(t->dataset) };
    v.shown = calloc((size_t)v.n, sizeof *v.shown);
    v.window = calloc((size_t)(v.windows * t->config->data.n_classes), sizeof *v.window);
    uint8_t *classes = calloc((size_t)(side * side), 1);
    Err err = v.shown != NULL && v.window != NULL && classes != NULL
                  ? ERR_NONE
                  : err_memory((size_t)(side * side), "a validation window");
    trainer_use_average(t);
    for (int64_t i = 0; i < v.n && err == ERR_NONE; i++) {
        err = validate_set(t, i - 1, classes, &v);
        v.miou += v.shown[i].miou / (double)v.n;
        v.accuracy += v.shown[i].overall_accuracy / (double)v.n;
    }
    trainer_use_latest(t);
    free(classes);
    if (err == ERR_NONE)
        *ret_validation = v;
    else
        validation_done(&v);
    return err;
}

void validation_done(Validation *v)
{
    confusion_done(&v->confusion);
    free(v->shown);
    free(v->window);
    *v = (Validation){ 0 };
}
