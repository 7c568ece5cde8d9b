/* SPDX-License-Identifier: Apache-2.0
 * Metrics on the validation area during training. */
#include "train/trainer.h"

#include "geo/mosaic.h"
#include "model/segmenter.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Scores of one window -> classes -> matrix. */
static Err count_window(Trainer *t, uint8_t *classes, Confusion *confusion)
{
    const int64_t side = t->window.shape.height;
    const int64_t cells = side / t->model->config.network.output_stride;
    const Tensor scores = program_tensor(t->validation, "logits");
    Mosaic *mosaic = NULL;
    const MosaicSize size = { (double)cells, (double)cells, confusion->classes, cells, side, side, t->device.threads };
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
        for (int64_t row = 0; row < side; row++) mosaic_read(mosaic, row, classes + row * side, NULL, NULL, 0, scratch);
        confusion_add(confusion, t->window.labels, classes, side * side);
    }
    free(ones);
    free(scratch);
    mosaic_free(mosaic);
    return err;
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
static Err validate_set(Trainer *t, int64_t set, uint8_t *classes, Metrics *ret_metrics)
{
    const int64_t windows = dataset_validation_count(t->dataset), sets = 1 + dataset_band_sets(t->dataset);
    Confusion confusion;
    TRY(confusion_init(&confusion, (int32_t)t->config->data.n_classes));
    Err err = ERR_NONE;
    for (int64_t i = 0; err == ERR_NONE && i < windows; i++) {
        tell_progress(t, (set + 1) * windows + i, sets * windows);
        if (trainer_asked_to_stop(t))
            err = err_set(ERR_INTERRUPTED, "stopped in the validation of step %lld", (long long)t->step);
        if (err == ERR_NONE)
            err = dataset_validation_window(t->dataset, i, set, &t->model->prompts, network_inputs_at(&t->window, 0));
        if (err == ERR_NONE) err = segmenter_write(t->validation, &t->window);
        if (err == ERR_NONE) err = program_forward(t->validation, 0);
        if (err == ERR_NONE) err = count_window(t, classes, &confusion);
    }
    if (err == ERR_NONE) confusion_metrics(&confusion, 0.0, NULL, ret_metrics);
    confusion_done(&confusion);
    return err;
}

Err trainer_validate(Trainer *t, Validation *ret_validation)
{
    const int64_t side = t->window.shape.height;
    Validation v = { .n = 1 + dataset_band_sets(t->dataset) };
    v.shown = calloc((size_t)v.n, sizeof *v.shown);
    uint8_t *classes = malloc((size_t)(side * side));
    Err err = v.shown != NULL && classes != NULL ? ERR_NONE : err_memory((size_t)(side * side), "a validation window");
    optimizer_swap_average(t->optimizer);
    program_params_changed(t->validation);
    for (int64_t i = 0; i < v.n && err == ERR_NONE; i++) {
        err = validate_set(t, i - 1, classes, &v.shown[i]);
        v.miou += v.shown[i].miou / (double)v.n;
        v.accuracy += v.shown[i].overall_accuracy / (double)v.n;
    }
    optimizer_swap_average(t->optimizer);
    free(classes);
    if (err == ERR_NONE)
        *ret_validation = v;
    else
        free(v.shown);
    return err;
}
