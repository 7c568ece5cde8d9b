/* SPDX-License-Identifier: Apache-2.0
 * Counts of any class values, against figures worked out by hand. */
#include "eval/value_counts.h"

#include "harness/unit.h"

#include <math.h>

static void near(double a, double b) { assert_true(fabs(a - b) < 1e-12); }

/* CORINE codes beside small and negative ones: the same figures as for 0, 1, 2. */
static void any_values(void **state)
{
    (void)state;
    static const int32_t tables[][3] = { { 0, 1, 2 }, { 111, 312, 999 }, { -7, 3, 70000 }, { 255, 256, 16777215 } };
    for (int64_t k = 0; k < ARRAY_LEN(tables); k++) {
        const int32_t *v = tables[k];
        ValueCounts *counts = NULL;
        Figures f;
        ASSERT_OK(value_counts_new(NULL, 0, true, &counts));
        ASSERT_OK(value_counts_add(counts, v[0], v[0], 5));
        ASSERT_OK(value_counts_add(counts, v[0], v[1], 1));
        ASSERT_OK(value_counts_add(counts, v[1], v[0], 2));
        ASSERT_OK(value_counts_add(counts, v[1], v[1], 3));
        ASSERT_OK(value_counts_add(counts, v[1], v[1], 1));
        ASSERT_OK(value_counts_add(counts, v[2], v[0], 1));
        ASSERT_OK(value_counts_add(counts, v[2], v[2], 2));
        ASSERT_OK(value_counts_add(counts, v[2], v[1], 0)); /* nothing */
        ASSERT_OK(value_counts_add_uncovered(counts, v[1], 4));
        ASSERT_OK(value_counts_figures(counts, NULL, &f));
        assert_int_equal(f.n_values, 3);
        assert_int_equal(f.values[1].value, v[1]);
        assert_int_equal(f.total.pixels, 15);
        assert_int_equal(f.uncovered, 4);
        assert_int_equal(f.values[1].uncovered, 4);
        near(f.values[0].metrics.iou, 5.0 / 9.0);
        near(f.values[1].metrics.iou, 4.0 / 7.0);
        near(f.values[2].metrics.f1, 4.0 / 5.0);
        near(f.total.overall_accuracy, 11.0 / 15.0);
        value_figures_done(&f);
        ValuePair *pairs = NULL;
        int64_t n = 0;
        ASSERT_OK(value_counts_pairs(counts, &pairs, &n));
        assert_int_equal(n, 6);
        assert_true(pairs[0].truth == v[0] && pairs[0].prediction == v[0] && pairs[0].n == 5);
        assert_true(pairs[3].truth == v[1] && pairs[3].prediction == v[1] && pairs[3].n == 4);
        assert_true(pairs[5].truth == v[2] && pairs[5].prediction == v[2] && pairs[5].n == 2);
        free(pairs);
        value_counts_free(counts);
    }
}

/* An excluded truth has no part in anything, as a prediction it is wrong. */
static void excluded(void **state)
{
    (void)state;
    for (int32_t base = 0; base <= 1000; base += 1000) {
        ValueCounts *counts = NULL;
        Figures f;
        ASSERT_OK(value_counts_new((const int32_t[]){ base }, 1, false, &counts));
        ASSERT_OK(value_counts_add(counts, base, base + 1, 50));
        ASSERT_OK(value_counts_add(counts, base + 1, base + 1, 6));
        ASSERT_OK(value_counts_add(counts, base + 1, base, 2));
        ASSERT_OK(value_counts_add_uncovered(counts, base, 9));
        ASSERT_OK(value_counts_figures(counts, NULL, &f));
        assert_int_equal(f.total.pixels, 8);
        assert_int_equal(f.uncovered, 0);
        assert_int_equal(f.values[0].uncovered, 9);
        assert_int_equal(f.values[0].metrics.truth, 50);
        assert_int_equal(f.values[1].metrics.predicted, 6);
        assert_true(f.values[0].metrics.excluded && isnan(f.values[0].metrics.iou));
        near(f.total.overall_accuracy, 6.0 / 8.0);
        value_figures_done(&f);
        value_counts_free(counts);
    }
}

/* Memory follows what occurs: all values of 16 bits, each once right and once wrong. */
static void many_values(void **state)
{
    (void)state;
    ValueCounts *counts = NULL;
    Figures f;
    ASSERT_OK(value_counts_new(NULL, 0, true, &counts));
    for (int32_t v = 0; v < 65536; v++) {
        ASSERT_OK(value_counts_add(counts, v, v, 1));
        ASSERT_OK(value_counts_add(counts, v, 65535 - v, 1));
    }
    ASSERT_OK(value_counts_figures(counts, NULL, &f));
    assert_int_equal(f.n_values, 65536);
    assert_int_equal(f.total.counted_classes, 65536);
    near(f.total.miou, 1.0 / 3.0);
    near(f.total.overall_accuracy, 0.5);
    value_figures_done(&f);
    value_counts_free(counts);
}

static void too_many(void **state)
{
    (void)state;
    ValueCounts *counts = NULL;
    Err err = ERR_NONE;
    ASSERT_OK(value_counts_new(NULL, 0, false, &counts));
    int32_t v = 1000;
    for (; v < 2000000 && err == ERR_NONE; v++) err = value_counts_add(counts, v, 0, 1);
    ASSERT_ERR(err, ERR_INPUT, "1048576 different values");
    assert_int_equal(v, 1000 + VALUE_COUNTS_MAX_VALUES + 1);
    value_counts_free(counts);
    ASSERT_OK(value_counts_new(NULL, 0, true, &counts));
    err = ERR_NONE;
    for (int32_t i = 0; i < 3000 && err == ERR_NONE; i++)
        for (int32_t k = 0; k < 3000 && err == ERR_NONE; k++) err = value_counts_add(counts, 1000 + i, k, 1);
    ASSERT_ERR(err, ERR_INPUT, "pairs of values");
    value_counts_free(counts);
}

static void nothing(void **state)
{
    (void)state;
    ValueCounts *counts = NULL;
    Figures f;
    ValuePair *pairs = NULL;
    int64_t n = -1;
    ASSERT_OK(value_counts_new(NULL, 0, true, &counts));
    ASSERT_OK(value_counts_figures(counts, NULL, &f));
    assert_true(f.n_values == 0 && f.total.pixels == 0 && isnan(f.total.miou) && isnan(f.total.kappa));
    value_figures_done(&f);
    ASSERT_OK(value_counts_pairs(counts, &pairs, &n));
    assert_int_equal(n, 0);
    free(pairs);
    value_counts_free(counts);
    value_counts_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_values), cmocka_unit_test(excluded), cmocka_unit_test(many_values),
        cmocka_unit_test(too_many),   cmocka_unit_test(nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
