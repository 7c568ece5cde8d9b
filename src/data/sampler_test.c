/* SPDX-License-Identifier: Apache-2.0
 * Frequencies of drawn classes and places, and symmetries of windows. */
#include "data/augment.h"
#include "data/sampler.h"

#include "harness/unit.h"

#include <math.h>

enum { DRAWS = 20000 };

static Sampler *offered(double balance)
{
    Sampler *s = NULL;
    assert_int_equal(sampler_new(4, 1000, 5, balance, &s), ERR_NONE);
    for (int i = 0; i < 9000; i++) /* class 0: area 9000; places beyond the capacity are sampled */
        assert_int_equal(sampler_add(s, 0, (SamplerPlace){ .column = i, .block = i % 3 }, 1.0F), ERR_NONE);
    for (int i = 0; i < 500; i++) /* class 2: area 1000, half of the places three times as large */
        assert_int_equal(
            sampler_add(s, 2, (SamplerPlace){ .scene = 2, .column = i, .block = 4 }, i % 2 == 0 ? 1.0F : 3.0F),
            ERR_NONE);
    return s;
}

static Sampler *make(double balance)
{
    Sampler *s = offered(balance);
    ASSERT_OK(sampler_finish(s));
    return s;
}

static double share_of_second(const Sampler *s)
{
    int64_t n = 0;
    for (uint64_t i = 0; i < DRAWS; i++) n += sampler_draw(s, 3, i).scene == 2;
    return (double)n / DRAWS;
}

static void test_balance(void **state)
{
    (void)state;
    const double balances[] = { 0.0, 0.5, 1.0 };
    for (int64_t b = 0; b < 3; b++) {
        Sampler *s = make(balances[b]);
        const double small = pow(1000.0, 1.0 - balances[b]);
        const double large = pow(9000.0, 1.0 - balances[b]);
        assert_true(fabs(share_of_second(s) - small / (small + large)) < 0.02);
        sampler_free(s);
    }
}

static void test_area_and_reservoir(void **state)
{
    (void)state;
    Sampler *s = make(1.0);
    int64_t second = 0;
    int64_t wide = 0;
    int64_t first = 0;
    int64_t late = 0;
    for (uint64_t i = 0; i < DRAWS; i++) {
        const SamplerPlace place = sampler_draw(s, 9, i);
        if (place.scene == 2) {
            second++;
            wide += place.column % 2;
        } else {
            first++;
            late += place.column >= 4500;
        }
    }
    assert_true(fabs((double)wide / (double)second - 0.75) < 0.03);
    assert_true(fabs((double)late / (double)first - 0.5) < 0.06);
    sampler_free(s);
}

static void test_repeatable_and_empty(void **state)
{
    (void)state;
    Sampler *a = make(0.5);
    Sampler *b = make(0.5);
    for (uint64_t i = 0; i < 100; i++) {
        const SamplerPlace p = sampler_draw(a, i, 1);
        const SamplerPlace q = sampler_draw(b, i, 1);
        assert_true(p.scene == q.scene && p.column == q.column && p.row == q.row);
    }
    sampler_free(a);
    sampler_free(b);
    Sampler *empty = NULL;
    assert_int_equal(sampler_new(2, 10, 1, 0.5, &empty), ERR_NONE);
    assert_int_equal(sampler_finish(empty), ERR_CONFIG);
    sampler_free(empty);
}

static void test_symmetries(void **state)
{
    (void)state;
    const uint8_t square[9] = { 1, 2, 3, 4, 5, 6, 7, 8, 9 };
    bool seen[10][10] = { { false } };
    int distinct = 0;
    for (uint64_t i = 0; i < 200; i++) {
        uint8_t out[9];
        augment_square(augment_symmetry(1, 0, i, true, true), square, out, 3, 1);
        assert_int_equal(out[4], 5);
        assert_int_equal(out[0] + out[8], 10); /* opposite corners stay opposite */
        assert_int_equal(out[1] + out[7], 10);
        if (!seen[out[0]][out[1]]) distinct++;
        seen[out[0]][out[1]] = true;
    }
    assert_int_equal(distinct, 8);
    for (uint64_t i = 0; i < 50; i++) { /* rotations alone keep the sense of turning: 1, 3, 9, 7 clockwise */
        uint8_t out[9];
        augment_square(augment_symmetry(1, 0, i, false, true), square, out, 3, 1);
        const uint8_t next = out[0] == 1 ? 3 : (out[0] == 3 ? 9 : (out[0] == 9 ? 7 : 1));
        assert_int_equal(out[2], next);
    }
    const uint8_t pairs[8] = { 1, 2, 3, 4, 5, 6, 7, 8 };
    uint8_t out[8];
    augment_square((Symmetry){ .transpose = true }, pairs, out, 2, 2);
    assert_memory_equal(out, ((uint8_t[]){ 1, 2, 5, 6, 3, 4, 7, 8 }), 8);
}

static void test_color(void **state)
{
    (void)state;
    float pixels[] = { 1.0F, 2.0F, 1.0F, 2.0F };
    const uint8_t valid[] = { 1, 0 };
    augment_color(pixels, valid, 2, 2, 0.1, 1, 2, 3);
    assert_true(pixels[0] != 1.0F && pixels[1] != 2.0F);
    assert_true(fabsf(pixels[0] - 1.0F) <= 0.31F && fabsf(pixels[1] - 2.0F) <= 0.46F);
    assert_true(pixels[2] == 1.0F && pixels[3] == 2.0F);
}

/* Places of blocks that are apart are never drawn, and their area does not count. */
static void test_take_out(void **state)
{
    (void)state;
    static const bool apart[] = { true, false, true, false, false };
    static const double areas[] = { 6000.0, 0.0, 0.0, 0.0 };
    Sampler *s = offered(0.0);
    sampler_take_out(s, apart, areas);
    ASSERT_OK(sampler_finish(s));
    for (uint64_t i = 0; i < DRAWS; i++) assert_false(apart[sampler_draw(s, 3, i).block]);
    assert_true(fabs(share_of_second(s) - 0.25) < 0.015);
    sampler_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_balance),
        cmocka_unit_test(test_take_out),
        cmocka_unit_test(test_area_and_reservoir),
        cmocka_unit_test(test_repeatable_and_empty),
        cmocka_unit_test(test_symmetries),
        cmocka_unit_test(test_color),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
