/* SPDX-License-Identifier: Apache-2.0
 * Metrics against figures worked out by hand. */
#include "eval/confusion.h"

#include "harness/unit.h"

#include <math.h>

static void near(double a, double b) { assert_true(fabs(a - b) < 1e-12); }

/* truth 0: 5 as 0, 1 as 1; truth 1: 2 as 0, 4 as 1; truth 2: 1 as 0, 2 as 2. */
static void fill(Confusion *confusion)
{
    const uint8_t truth[] = { 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 2, 2, 2, 255, 0 };
    const uint8_t prediction[] = { 0, 0, 0, 0, 0, 1, 0, 0, 1, 1, 1, 1, 0, 2, 2, 1, 255 };
    assert_int_equal(confusion_init(confusion, 3), ERR_NONE);
    confusion_add(confusion, truth, prediction, ARRAY_LEN(truth));
}

static void test_all_classes(void **state)
{
    (void)state;
    Confusion confusion;
    fill(&confusion);
    Metrics m;
    confusion_metrics(&confusion, 0.0, NULL, &m);
    assert_int_equal(m.pixels, 15);
    near(m.per_class[0].iou, 5.0 / 9.0);
    near(m.per_class[1].iou, 4.0 / 7.0);
    near(m.per_class[2].iou, 2.0 / 3.0);
    near(m.per_class[0].f1, 10.0 / 14.0);
    near(m.miou, (5.0 / 9.0 + 4.0 / 7.0 + 2.0 / 3.0) / 3.0);
    near(m.overall_accuracy, 11.0 / 15.0);
    const double chance = (6.0 * 8 + 6.0 * 5 + 3.0 * 2) / 225.0;
    near(m.kappa, (11.0 / 15.0 - chance) / (1.0 - chance));
    confusion_done(&confusion);
}

static void test_excluded_and_share(void **state)
{
    (void)state;
    Confusion confusion;
    fill(&confusion);
    Metrics m;
    const bool excluded[] = { true, false, false };
    confusion_metrics(&confusion, 0.0, excluded, &m);
    assert_int_equal(m.pixels, 9);
    assert_int_equal(m.counted_classes, 2);
    /* class 1: truth 6, predicted 4 among the truth rows 1 and 2 */
    near(m.per_class[1].iou, 4.0 / 6.0);
    assert_true(isnan(m.per_class[0].iou) && isnan(m.per_class[0].f1));
    near(m.overall_accuracy, 6.0 / 9.0);
    confusion_metrics(&confusion, 0.35, NULL, &m);
    assert_int_equal(m.counted_classes, 2); /* class 2 has 3 of 15 pixels */
    assert_false(m.per_class[2].counted);
    confusion_done(&confusion);
}

static void test_empty_and_bad(void **state)
{
    (void)state;
    Confusion confusion = { 0 };
    assert_int_equal(confusion_init(&confusion, 0), ERR_ARGUMENT);
    assert_int_equal(confusion_init(&confusion, 256), ERR_ARGUMENT);
    assert_int_equal(confusion_init(&confusion, 2), ERR_NONE);
    Metrics m;
    confusion_metrics(&confusion, 0.0, NULL, &m);
    assert_true(isnan(m.miou) && isnan(m.overall_accuracy));
    confusion_add(&confusion, (const uint8_t[]){ 0, 1 }, (const uint8_t[]){ 0, 0 }, 2);
    confusion_add(&confusion, (const uint8_t[]){ 0, 1 }, (const uint8_t[]){ 0, 0 }, 2);
    assert_int_equal(confusion.n[2], 2);
    confusion_done(&confusion);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_classes),
        cmocka_unit_test(test_excluded_and_share),
        cmocka_unit_test(test_empty_and_bad),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
