/* SPDX-License-Identifier: Apache-2.0
 * Figures from counts; the formulas are in the header. */
#include "eval/metrics.h"

#include <math.h>

static double ratio(int64_t part, int64_t whole) { return whole > 0 ? (double)part / (double)whole : (double)NAN; }

static void class_figures(ClassMetrics *m)
{
    m->counted = false;
    if (m->excluded) {
        m->iou = m->f1 = m->precision = m->recall = (double)NAN;
        return;
    }
    m->iou = ratio(m->correct, m->truth + m->predicted - m->correct);
    m->f1 = ratio(2 * m->correct, m->truth + m->predicted);
    m->precision = ratio(m->correct, m->predicted);
    m->recall = ratio(m->correct, m->truth);
}

void metrics_from_counts(ClassMetrics *classes, int64_t n, double minimum_share, TotalMetrics *ret_total)
{
    TotalMetrics total = { .miou = (double)NAN, .mf1 = (double)NAN };
    int64_t correct = 0;
    double iou = 0.0, f1 = 0.0, chance = 0.0;
    for (int64_t c = 0; c < n; c++) {
        class_figures(&classes[c]);
        if (classes[c].excluded) continue;
        total.pixels += classes[c].truth;
        correct += classes[c].correct;
    }
    for (int64_t c = 0; c < n; c++) {
        ClassMetrics *m = &classes[c];
        if (m->excluded) continue;
        chance += (double)m->truth * (double)m->predicted;
        m->counted = m->truth > 0 && (double)m->truth >= minimum_share * (double)total.pixels;
        if (!m->counted) continue;
        iou += m->iou;
        f1 += m->f1;
        total.counted_classes++;
    }
    if (total.counted_classes > 0) {
        total.miou = iou / (double)total.counted_classes;
        total.mf1 = f1 / (double)total.counted_classes;
    }
    total.overall_accuracy = ratio(correct, total.pixels);
    chance /= (double)total.pixels * (double)total.pixels;
    total.kappa = chance < 1.0 ? (total.overall_accuracy - chance) / (1.0 - chance) : (double)NAN;
    *ret_total = total;
}
