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

double metrics_f1(const ClassMetrics *m, MeansRule rule)
{
    return rule == MEANS_GEOSEG && m->correct == 0 ? (double)NAN : m->f1;
}

static bool takes_part(const ClassMetrics *m, MeansRule rule)
{
    return rule == MEANS_OF_TRUTH ? m->truth > 0 : m->truth + m->predicted > 0;
}

static void add_mean(double figure, double *sum, int64_t *n)
{
    if (isnan(figure)) return;
    *sum += figure;
    *n += 1;
}

static Means means_of(const ClassMetrics *classes, int64_t n, double least, MeansRule rule)
{
    Means means = { 0 };
    for (int64_t c = 0; c < n; c++) {
        const ClassMetrics *m = &classes[c];
        if (m->excluded || m->not_in_means || (double)m->truth < least || !takes_part(m, rule)) continue;
        add_mean(m->iou, &means.miou, &means.iou_classes);
        add_mean(metrics_f1(m, rule), &means.mf1, &means.f1_classes);
    }
    means.miou = means.iou_classes > 0 ? means.miou / (double)means.iou_classes : (double)NAN;
    means.mf1 = means.f1_classes > 0 ? means.mf1 / (double)means.f1_classes : (double)NAN;
    return means;
}

void metrics_from_counts(ClassMetrics *classes, int64_t n, double minimum_share, TotalMetrics *ret_total)
{
    TotalMetrics total = { 0 };
    int64_t correct = 0;
    double chance = 0.0;
    for (int64_t c = 0; c < n; c++) {
        class_figures(&classes[c]);
        if (classes[c].excluded) continue;
        total.pixels += classes[c].truth;
        correct += classes[c].correct;
    }
    const double least = minimum_share * (double)total.pixels;
    for (int64_t c = 0; c < n; c++) {
        ClassMetrics *m = &classes[c];
        if (m->excluded) continue;
        chance += (double)m->truth * (double)m->predicted;
        m->counted = !m->not_in_means && m->truth > 0 && (double)m->truth >= least;
        total.counted_classes += m->counted ? 1 : 0;
    }
    for (int rule = 0; rule < MEANS_RULES; rule++) total.means[rule] = means_of(classes, n, least, (MeansRule)rule);
    total.miou = total.means[MEANS_OF_TRUTH].miou;
    total.mf1 = total.means[MEANS_OF_TRUTH].mf1;
    total.overall_accuracy = ratio(correct, total.pixels);
    chance /= (double)total.pixels * (double)total.pixels;
    total.kappa = chance < 1.0 ? (total.overall_accuracy - chance) / (1.0 - chance) : (double)NAN;
    *ret_total = total;
}
