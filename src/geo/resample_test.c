/* SPDX-License-Identifier: Apache-2.0
 * Resampling weights. */
#include "geo/resample.h"

#include "geo/geo_test.h"

#include <math.h>

static const int64_t axes[][2] = { { 1, 1 },    { 1, 4 },    { 4, 1 },    { 7, 3 },      { 3, 7 }, { 100, 25 },
                                   { 25, 100 }, { 101, 97 }, { 97, 101 }, { 1000, 333 }, { 64, 1 } };

static void weights_sum_to_one(void **state)
{
    (void)state;
    for (int64_t k = 0; k < ARRAY_LEN(axes); k++) {
        const int64_t from = axes[k][0], to = axes[k][1];
        for (int64_t o = 0; o < to; o++) {
            int64_t first = 0, last = 0;
            resample_span(from, to, o, 1, &first, &last);
            assert_true(first >= 0 && last < from && first <= last);
            double sum = 0.0, all = 0.0;
            for (int64_t i = first; i <= last; i++) sum += resample_weight(from, to, o, i);
            for (int64_t i = 0; i < from; i++) all += resample_weight(from, to, o, i);
            assert_true(fabs(sum - 1.0) < 1e-12 && fabs(all - sum) < 1e-15); /* nothing outside the span */
            assert_true(resample_weight(from, to, o, first) > 0.0 && resample_weight(from, to, o, last) > 0.0);
        }
    }
}

static void known_values(void **state)
{
    (void)state;
    assert_true(resample_weight(4, 2, 0, 1) == 0.5 && resample_weight(4, 2, 0, 2) == 0.0);
    assert_true(fabs(resample_weight(3, 2, 0, 1) - 1.0 / 3.0) < 1e-15); /* pixel 0 whole, half of pixel 1, of 1.5 */
    assert_true(resample_weight(2, 4, 1, 0) == 0.75 && resample_weight(2, 4, 1, 1) == 0.25);
    assert_true(resample_weight(2, 4, 0, 0) == 1.0); /* the border is repeated */
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(weights_sum_to_one), cmocka_unit_test(known_values) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
