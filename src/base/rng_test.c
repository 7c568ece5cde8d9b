/* SPDX-License-Identifier: Apache-2.0
 * Random numbers: fixed values, ranges, moments. */
#include "base/rng.h"

#include "harness/unit.h"

#include <math.h>

static void fixed_values(void **state)
{
    (void)state;
    /* from the formulas in rng.h, computed with Python integers */
    assert_true(rng_u64(0, RNG_WEIGHTS, 0, 0) == 0xD100827AA323C935u);
    assert_true(rng_u64(42, RNG_SAMPLER, 1000, 7) == 0x399F879B917CFBE9u);
    assert_true(rng_uniform(42, RNG_SAMPLER, 1000, 7) == 0.22509044408798218F);
    assert_true(fabs((double)rng_normal(42, RNG_SAMPLER, 1000, 7) - -0.6493732378859461) < 1e-7);
}

static void moments(void **state)
{
    (void)state;
    enum { N = 200000 };
    double sum = 0.0, square = 0.0, normal = 0.0, normal_square = 0.0;
    for (uint64_t i = 0; i < N; i++) {
        const double u = (double)rng_uniform(1, RNG_TEST, 3, i), g = (double)rng_normal(1, RNG_TEST, 4, i);
        assert_true(u >= 0.0 && u < 1.0 && isfinite(g));
        sum += u;
        square += u * u;
        normal += g;
        normal_square += g * g;
    }
    /* bounds of five standard errors */
    assert_true(fabs(sum / N - 0.5) < 5 * sqrt(1.0 / 12 / N));
    assert_true(fabs(square / N - 1.0 / 3) < 5 * sqrt(4.0 / 45 / N));
    assert_true(fabs(normal / N) < 5 * sqrt(1.0 / N));
    assert_true(fabs(normal_square / N - 1.0) < 5 * sqrt(2.0 / N));
}

static void below_is_even(void **state)
{
    (void)state;
    enum { N = 70000, SIDES = 7 };
    int64_t counts[SIDES] = { 0 };
    for (uint64_t i = 0; i < N; i++) {
        const int64_t side = rng_below(5, RNG_TEST, 0, i, SIDES);
        assert_true(side >= 0 && side < SIDES);
        counts[side]++;
    }
    for (int i = 0; i < SIDES; i++)
        assert_true(fabs((double)counts[i] - N / (double)SIDES) < 5 * sqrt(N / (double)SIDES));
    assert_int_equal(rng_below(5, RNG_TEST, 0, 0, 1), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fixed_values),
        cmocka_unit_test(moments),
        cmocka_unit_test(below_is_even),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
