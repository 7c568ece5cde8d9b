/* SPDX-License-Identifier: Apache-2.0
 * Confusion matrix of a fixed number of classes. */
#include "eval/confusion.h"

#include <stdlib.h>

Err confusion_init(Confusion *confusion, int32_t classes)
{
    if (classes < 1 || classes > CONFUSION_MAX_CLASSES)
        return err_set(ERR_ARGUMENT, "%d classes: a confusion matrix holds 1 to %d", (int)classes,
                       (int)CONFUSION_MAX_CLASSES);
    const size_t cells = (size_t)classes * (size_t)classes;
    int64_t *n = calloc(cells, sizeof *n);
    if (n == NULL) return err_memory(cells * sizeof *n, "a confusion matrix");
    *confusion = (Confusion){ .classes = classes, .n = n };
    return ERR_NONE;
}

void confusion_done(Confusion *confusion)
{
    free(confusion->n);
    *confusion = (Confusion){ 0 };
}

void confusion_add(Confusion *confusion, const uint8_t *truth, const uint8_t *prediction, int64_t count)
{
    const int32_t classes = confusion->classes;
    for (int64_t i = 0; i < count; i++) {
        if (truth[i] < classes && prediction[i] < classes) confusion->n[truth[i] * classes + prediction[i]]++;
    }
}

void confusion_metrics(const Confusion *confusion, double minimum_share, const bool *excluded, Metrics *ret_metrics)
{
    const int32_t classes = confusion->classes;
    Metrics m = { 0 };
    TotalMetrics total;
    for (int32_t c = 0; c < classes; c++) {
        ClassMetrics *pc = &m.per_class[c];
        *pc = (ClassMetrics){ .correct = confusion->n[c * classes + c], .excluded = excluded != NULL && excluded[c] };
        for (int32_t j = 0; j < classes; j++) {
            pc->truth += confusion->n[c * classes + j];
            if (excluded == NULL || !excluded[j]) pc->predicted += confusion->n[j * classes + c];
        }
    }
    metrics_from_counts(m.per_class, classes, minimum_share, &total);
    m.pixels = total.pixels;
    m.counted_classes = (int32_t)total.counted_classes;
    m.miou = total.miou;
    m.mf1 = total.mf1;
    m.overall_accuracy = total.overall_accuracy;
    m.kappa = total.kappa;
    *ret_metrics = m;
}
