/* SPDX-License-Identifier: Apache-2.0
 * Confusion matrix and metrics; the formulas are in the header. */
#include "eval/confusion.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

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

void confusion_clear(Confusion *confusion)
{
    memset(confusion->n, 0, (size_t)confusion->classes * (size_t)confusion->classes * sizeof *confusion->n);
}

void confusion_add(Confusion *confusion, const uint8_t *truth, const uint8_t *prediction, int64_t count)
{
    const int32_t classes = confusion->classes;
    for (int64_t i = 0; i < count; i++) {
        if (truth[i] < classes && prediction[i] < classes) confusion->n[truth[i] * classes + prediction[i]]++;
    }
}

void confusion_merge(Confusion *sum, const Confusion *other)
{
    ASSERT(sum->classes == other->classes);
    for (int64_t i = 0; i < (int64_t)sum->classes * sum->classes; i++) sum->n[i] += other->n[i];
}

static double ratio(int64_t part, int64_t whole) { return whole > 0 ? (double)part / (double)whole : (double)NAN; }

/* Totals of one class over the rows (truth) that are not excluded. */
static ClassMetrics class_metrics(const Confusion *confusion, const bool *excluded, int32_t c)
{
    const int32_t classes = confusion->classes;
    ClassMetrics m = { .correct = confusion->n[c * classes + c] };
    for (int32_t j = 0; j < classes; j++) {
        m.truth += confusion->n[c * classes + j];
        if (excluded == NULL || !excluded[j]) m.predicted += confusion->n[j * classes + c];
    }
    m.iou = ratio(m.correct, m.truth + m.predicted - m.correct);
    m.f1 = ratio(2 * m.correct, m.truth + m.predicted);
    m.precision = ratio(m.correct, m.predicted);
    m.recall = ratio(m.correct, m.truth);
    return m;
}

void confusion_metrics(const Confusion *confusion, double minimum_share, const bool *excluded, Metrics *ret_metrics)
{
    Metrics m = { .miou = (double)NAN, .mf1 = (double)NAN };
    int64_t correct = 0;
    for (int32_t c = 0; c < confusion->classes; c++) {
        m.per_class[c] = class_metrics(confusion, excluded, c);
        if (excluded != NULL && excluded[c]) {
            ClassMetrics *pc = &m.per_class[c];
            pc->iou = pc->f1 = pc->precision = pc->recall = (double)NAN;
            continue;
        }
        m.pixels += m.per_class[c].truth;
        correct += m.per_class[c].correct;
    }
    double iou = 0.0;
    double f1 = 0.0;
    double chance = 0.0;
    for (int32_t c = 0; c < confusion->classes; c++) {
        ClassMetrics *pc = &m.per_class[c];
        if (excluded != NULL && excluded[c]) continue;
        chance += (double)pc->truth * (double)pc->predicted;
        pc->counted = pc->truth > 0 && (double)pc->truth >= minimum_share * (double)m.pixels;
        if (!pc->counted) continue;
        iou += pc->iou;
        f1 += pc->f1;
        m.counted_classes++;
    }
    if (m.counted_classes > 0) {
        m.miou = iou / m.counted_classes;
        m.mf1 = f1 / m.counted_classes;
    }
    m.overall_accuracy = ratio(correct, m.pixels);
    chance /= (double)m.pixels * (double)m.pixels;
    m.kappa = chance < 1.0 ? (m.overall_accuracy - chance) / (1.0 - chance) : (double)NAN;
    *ret_metrics = m;
}
