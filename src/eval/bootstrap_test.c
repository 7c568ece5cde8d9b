/* SPDX-License-Identifier: Apache-2.0
 * Intervals: none where all places are alike, around the figure where they are not, and with many places those of groups. */
#include "eval/bootstrap.h"

#include "harness/unit.h"

#include <math.h>

enum { CLASSES = 3, PLACES = 5000 };

static ClassCounts counts[PLACES * CLASSES];

/* Class 0 is always half right; class 1 right in even places alone; class 2 is nowhere. */
static BootstrapInput made(int64_t places)
{
    for (int64_t p = 0; p < places; p++) {
        counts[p * CLASSES] = (ClassCounts){ 100, 50, 50 };
        counts[p * CLASSES + 1] = p % 2 == 0 ? (ClassCounts){ 100, 100, 100 } : (ClassCounts){ 100, 0, 0 };
        counts[p * CLASSES + 2] = (ClassCounts){ 0, 0, 0 };
    }
    return (BootstrapInput){ .counts = counts, .places = places, .classes = CLASSES, .seed = 7 };
}

static void around_the_figure(void **state)
{
    (void)state;
    Interval of_class[CLASSES];
    Interval mean;
    Interval again;
    const BootstrapInput in = made(100);
    ASSERT_OK(bootstrap_iou(&in, of_class, &mean));
    assert_true(of_class[0].low == 0.5 && of_class[0].high == 0.5);
    /* 100 draws of a coin: 0.5 +- 1.96 x 0.05 */
    assert_true(of_class[1].low > 0.36 && of_class[1].low < 0.44 && of_class[1].high > 0.56 && of_class[1].high < 0.64);
    assert_true(isnan(of_class[2].low) && isnan(of_class[2].high));
    assert_true(fabs(mean.low - (0.5 + of_class[1].low) / 2.0) < 1e-12);
    ASSERT_OK(bootstrap_iou(&in, of_class, &again));
    assert_true(again.low == mean.low && again.high == mean.high);
}

static void excluded_and_rare(void **state)
{
    (void)state;
    Interval of_class[CLASSES];
    Interval mean;
    const bool excluded[CLASSES] = { false, true, false };
    BootstrapInput in = made(100);
    in.excluded = excluded;
    ASSERT_OK(bootstrap_iou(&in, of_class, &mean));
    assert_true(mean.low == 0.5 && mean.high == 0.5 && isnan(of_class[1].low));
}

static void many_places(void **state)
{
    (void)state;
    Interval of_class[CLASSES];
    Interval mean;
    assert_int_equal(bootstrap_group(0), 1);
    assert_int_equal(bootstrap_group(BOOTSTRAP_GROUPS), 1);
    assert_int_equal(bootstrap_group(BOOTSTRAP_GROUPS + 1), 2);
    assert_int_equal(bootstrap_group(4000), 4);
    const BootstrapInput in = made(4000);
    /* groups of four neighbours are alike, so nothing is uncertain any more */
    ASSERT_OK(bootstrap_iou(&in, of_class, &mean));
    assert_true(of_class[1].low == 0.5 && of_class[1].high == 0.5);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(around_the_figure), cmocka_unit_test(excluded_and_rare),
                                        cmocka_unit_test(many_places) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
