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

static void tell_progress(const Trainer *t, int64_t window)
{
    if (t->run == NULL || t->run->progress == NULL) return;
    char text[64];
    (void)snprintf(text, sizeof text, "validation, window %lld of %lld", (long long)window + 1,
                   (long long)dataset_validation_count(t->dataset));
    t->run->progress(t->run->context, t->step, t->config->train.steps, text);
}

Err trainer_validate(Trainer *t, Metrics *ret_metrics)
{
    const int64_t side = t->window.shape.height;
    Confusion confusion;
    TRY(confusion_init(&confusion, (int32_t)t->config->data.n_classes));
    uint8_t *classes = malloc((size_t)(side * side));
    Err err = classes == NULL ? err_memory((size_t)(side * side), "a validation window") : ERR_NONE;
    optimizer_swap_average(t->optimizer);
    program_params_changed(t->validation);
    for (int64_t i = 0; err == ERR_NONE && i < dataset_validation_count(t->dataset); i++) {
        tell_progress(t, i);
        if (trainer_asked_to_stop(t))
            err = err_set(ERR_INTERRUPTED, "stopped in the validation of step %lld", (long long)t->step);
        if (err == ERR_NONE)
            err = dataset_validation_window(t->dataset, i, &t->model->prompts, network_inputs_at(&t->window, 0));
        if (err == ERR_NONE) err = segmenter_write(t->validation, &t->window);
        if (err == ERR_NONE) err = program_forward(t->validation, 0);
        if (err == ERR_NONE) err = count_window(t, classes, &confusion);
    }
    optimizer_swap_average(t->optimizer);
    if (err == ERR_NONE) confusion_metrics(&confusion, 0.0, NULL, ret_metrics);
    free(classes);
    confusion_done(&confusion);
    return err;
}
