/* SPDX-License-Identifier: Apache-2.0
 * Blocks of a fraction: how large, that each class has about the fraction and is in both parts, that windows are divided
 * by them and by nothing else, and what is refused. */
#include "data/validation_blocks.h"

#include "data/label_values.h"
#include "harness/unit.h"

enum { SIDE = 1000, CLASSES = 4 };

static const LabelArea pixel = { 4.0, 100.0 };

/* Class 0 everywhere but: 1 in the north, 2 in two far corners, 3 in one place. */
static int32_t class_at(int64_t x, int64_t y)
{
    if (x < 40 && y < 40) return 2;
    if (x >= 960 && y >= 960) return 2;
    if (x >= 520 && x < 540 && y >= 600 && y < 620) return 3;
    return y < 300 ? 1 : 0;
}

static ValidationBlocks *made(double fraction, uint64_t seed)
{
    ValidationBlocks *b = NULL;
    ASSERT_OK(validation_blocks_new(fraction, seed, 2, CLASSES, &b));
    ASSERT_OK(validation_blocks_add_scene(b, 1, SIDE, SIDE));
    for (int64_t y = 0; y < SIDE; y++)
        for (int64_t x = 0; x < SIDE; x++)
            ASSERT_OK(validation_blocks_count(b, validation_blocks_at(b, 1, x, y), class_at(x, y), 1.0, pixel));
    ASSERT_OK(validation_blocks_choose(b));
    return b;
}

static void sides(void **state)
{
    (void)state;
    static const struct {
        int64_t width, height, side;
    } cases[] = { { 1000, 1000, 256 }, { 1024, 1024, 256 }, { 900, 400, 128 }, { 300, 300, 64 },
                  { 100, 100, 32 },    { 20, 20, 32 },      { 5000, 100, 256 } };
    for (int64_t i = 0; i < ARRAY_LEN(cases); i++) {
        ValidationBlocks *b = NULL;
        ASSERT_OK(validation_blocks_new(0.5, 1, 1, 1, &b));
        ASSERT_OK(validation_blocks_add_scene(b, 0, cases[i].width, cases[i].height));
        int64_t first = 0;
        while (first < cases[i].width && validation_blocks_at(b, 0, first, 0) == 0) first++;
        assert_int_equal(first, cases[i].width < cases[i].side ? cases[i].width : cases[i].side);
        validation_blocks_free(b);
    }
    assert_int_equal(validation_blocks_at(NULL, 0, 7, 7), 0);
}

static void classes_in_both_parts(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        ValidationBlocks *b = made(0.2, seed);
        int64_t apart = 0;
        int64_t labelled = 0;
        for (int32_t c = 0; c < CLASSES; c++) {
            const int64_t learned = validation_blocks_pixels(b, c, false);
            const int64_t validated = validation_blocks_pixels(b, c, true);
            assert_true(learned > 0);
            assert_true((validated > 0) == (c != 3)); /* class 3 is in one block */
            if (c < 2) assert_true(validated * 10 > learned && validated * 2 < learned);
            assert_true(validation_blocks_area(b, c, true) == (double)validated);
            for (int32_t part = 0; part < 2; part++) {
                const LabelArea ground = validation_blocks_ground(b, c, part == 1);
                const double n = (double)(part == 1 ? validated : learned);
                assert_true(ground.pixels == pixel.pixels * n && ground.square_metres == pixel.square_metres * n);
            }
        }
        validation_blocks_number(b, &apart, &labelled);
        assert_int_equal(labelled, 16);
        assert_true(apart >= 2 && apart <= 5);
        validation_blocks_free(b);
    }
}

static void divides_windows(void **state)
{
    (void)state;
    static uint8_t learned[256 * 256], validated[256 * 256];
    ValidationBlocks *b = made(0.3, 1);
    ValidationBlocks *again = made(0.3, 1);
    ValidationBlocks *other = made(0.3, 2);
    int64_t pixels = 0;
    int64_t differ = 0;
    for (int64_t w = 0; w < 16; w++) {
        const int64_t x = w % 4 * 250 - (w % 4 > 0);
        const int64_t y = w / 4 * 250;
        int64_t n = 0;
        memset(learned, 1, sizeof learned);
        memset(validated, 1, sizeof validated);
        validation_blocks_keep(b, 1, x, y, 250, false, learned);
        validation_blocks_keep(b, 1, x, y, 250, true, validated);
        for (int64_t i = 0; i < 250 * 250; i++) {
            const bool apart = validation_blocks_apart(b)[validation_blocks_at(b, 1, x + i % 250, y + i / 250)];
            assert_int_equal(learned[i], apart ? CLASS_IGNORE : 1);
            assert_int_equal(validated[i], apart ? 1 : CLASS_IGNORE);
            n += apart;
        }
        pixels += n;
        assert_int_equal(validation_blocks_touch(b, 1, x, y, 250), n > 0);
    }
    assert_true(pixels > 150000 && pixels < 450000);
    for (int64_t i = 0; i < 16; i++) {
        assert_int_equal(validation_blocks_apart(b)[i], validation_blocks_apart(again)[i]);
        differ += validation_blocks_apart(b)[i] != validation_blocks_apart(other)[i];
    }
    assert_true(differ > 0);
    memset(learned, 1, sizeof learned); /* a scene that is not divided keeps all */
    validation_blocks_keep(b, 0, 0, 0, 250, false, learned);
    assert_int_equal(learned[0], 1);
    assert_false(validation_blocks_touch(b, 0, 0, 0, 250));
    validation_blocks_free(b);
    validation_blocks_free(again);
    validation_blocks_free(other);
}

static void nothing_to_spare(void **state)
{
    (void)state;
    ValidationBlocks *b = NULL;
    ASSERT_OK(validation_blocks_new(0.5, 1, 1, 2, &b));
    ASSERT_OK(validation_blocks_add_scene(b, 0, 100, 100));
    for (int32_t c = 0; c < 2; c++) ASSERT_OK(validation_blocks_count(b, c, c, 1.0, pixel));
    ASSERT_ERR(validation_blocks_choose(b), ERR_INPUT, "none of the 2 blocks with labels can be kept apart");
    validation_blocks_free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(sides), cmocka_unit_test(classes_in_both_parts),
                                        cmocka_unit_test(divides_windows), cmocka_unit_test(nothing_to_spare) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
