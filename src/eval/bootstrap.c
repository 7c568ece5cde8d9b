/* SPDX-License-Identifier: Apache-2.0
 * Draws of places, and the middle of what they give. */
#include "eval/bootstrap.h"

#include "base/rng.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static int ascending(const void *a, const void *b)
{
    const double x = *(const double *)a;
    const double y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Sorts the figures. */
static Interval middle(double *figures)
{
    const double last = BOOTSTRAP_DRAWS - 1;
    for (int64_t i = 0; i < BOOTSTRAP_DRAWS; i++)
        if (!isfinite(figures[i])) return (Interval){ (double)NAN, (double)NAN };
    qsort(figures, BOOTSTRAP_DRAWS, sizeof *figures, ascending);
    return (Interval){ figures[(int64_t)floor(0.025 * last)], figures[(int64_t)ceil(0.975 * last)] };
}

int64_t bootstrap_group(int64_t places)
{
    return places > BOOTSTRAP_GROUPS ? (places + BOOTSTRAP_GROUPS - 1) / BOOTSTRAP_GROUPS : 1;
}

static void sum_groups(const BootstrapInput *in, ClassCounts *ret_groups)
{
    const int64_t size = bootstrap_group(in->places);
    for (int64_t p = 0; p < in->places; p++) {
        for (int64_t c = 0; c < in->classes; c++) {
            const ClassCounts *from = &in->counts[p * in->classes + c];
            ClassCounts *to = &ret_groups[p / size * in->classes + c];
            to->truth += from->truth;
            to->predicted += from->predicted;
            to->correct += from->correct;
        }
    }
}

/* figures [classes + 1][BOOTSTRAP_DRAWS]: IoU of each class, and their mean. */
static void draw(const BootstrapInput *in, const ClassCounts *group, ClassMetrics *sum, double *figures)
{
    const int64_t n = in->classes;
    const int64_t size = bootstrap_group(in->places);
    const int64_t groups = (in->places + size - 1) / size;
    for (int64_t d = 0; d < BOOTSTRAP_DRAWS; d++) {
        TotalMetrics total;
        memset(sum, 0, (size_t)n * sizeof *sum);
        for (int64_t c = 0; c < n; c++) {
            sum[c].excluded = in->excluded != NULL && in->excluded[c];
            sum[c].not_in_means = in->not_in_means != NULL && in->not_in_means[c];
        }
        for (int64_t i = 0; i < groups; i++) {
            const int64_t g = rng_below(in->seed, RNG_TEST, (uint64_t)d, (uint64_t)i, groups);
            for (int64_t c = 0; c < n; c++) {
                sum[c].truth += group[g * n + c].truth;
                sum[c].predicted += group[g * n + c].predicted;
                sum[c].correct += group[g * n + c].correct;
            }
        }
        metrics_from_counts(sum, n, in->minimum_share, &total);
        for (int64_t c = 0; c < n; c++) figures[c * BOOTSTRAP_DRAWS + d] = sum[c].iou;
        figures[n * BOOTSTRAP_DRAWS + d] = total.means[in->rule].miou;
    }
}

Err bootstrap_iou(const BootstrapInput *in, Interval *ret_class, Interval *ret_mean)
{
    const int64_t n = in->classes;
    const int64_t size = bootstrap_group(in->places);
    const size_t values = (size_t)(n + 1) * BOOTSTRAP_DRAWS;
    const size_t groups = (size_t)((in->places + size - 1) / size * n);
    double *figures = calloc(values, sizeof *figures);
    ClassMetrics *sum = calloc((size_t)n + 1, sizeof *sum);
    ClassCounts *group = calloc(groups + 1, sizeof *group);
    Err err = figures != NULL && sum != NULL && group != NULL
                  ? ERR_NONE
                  : err_memory(values * sizeof *figures + groups * sizeof *group, "the intervals");
    if (err == ERR_NONE) {
        sum_groups(in, group);
        draw(in, group, sum, figures);
        for (int64_t c = 0; c < n; c++) ret_class[c] = middle(figures + c * BOOTSTRAP_DRAWS);
        *ret_mean = middle(figures + n * BOOTSTRAP_DRAWS);
    }
    free(figures);
    free(sum);
    free(group);
    return err;
}
