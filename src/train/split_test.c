/* SPDX-License-Identifier: Apache-2.0
 * The validation split: whole items, every class on both sides, boxes that hold what they say and nothing else. */
#include "train/split.h"

#include "base/rng.h"
#include "harness/unit.h"

enum { MOST = 400 };

static double random_at(uint64_t seed, int64_t i, int k)
{
    return (double)rng_uniform(seed, RNG_TEST, (uint64_t)i, (uint64_t)k);
}

/* Items of `classes` classes; those of a class lie together, as fields do. */
static int64_t make(SplitItem *items, int64_t n, int32_t classes, uint64_t seed, double lon)
{
    for (int64_t i = 0; i < n; i++) {
        const int32_t c = (int32_t)(i % classes);
        const double x = 100.0 * random_at(seed, c, 0) + 60.0 * random_at(seed, i, 1);
        const double y = 100.0 * random_at(seed, c, 2) + 60.0 * random_at(seed, i, 3);
        const double size = 1.0 + 3.0 * random_at(seed, i, 4);
        items[i] = (SplitItem){ .class_index = c,
                                .x = x,
                                .y = y,
                                .west = lon + x * 0.001,
                                .east = lon + (x + size) * 0.001,
                                .south = 50.0 - (y + size) * 0.001,
                                .north = 50.0 - y * 0.001,
                                .pixels = size * size };
    }
    return n;
}

static bool meets(const DatasetBox *b, const SplitItem *i)
{
    for (int turn = -1; turn <= 1; turn++)
        if (i->west + 360.0 * turn <= b->east && i->east + 360.0 * turn >= b->west && i->south <= b->north &&
            i->north >= b->south)
            return true;
    return false;
}

static bool holds(const DatasetBox *b, const SplitItem *i)
{
    for (int turn = -1; turn <= 1; turn++)
        if (i->west + 360.0 * turn >= b->west && i->east + 360.0 * turn <= b->east && i->south >= b->south &&
            i->north <= b->north)
            return true;
    return false;
}

static void check(const SplitItem *items, int64_t n, int32_t classes, const Split *split)
{
    int64_t counts[16][2] = { { 0 } };
    for (int64_t i = 0; i < n; i++) {
        bool any = false;
        bool whole = false;
        for (uint32_t b = 0; b < split->n_boxes; b++) {
            any = any || meets(&split->boxes[b], &items[i]);
            whole = whole || holds(&split->boxes[b], &items[i]);
        }
        assert_int_equal(any, split->validation[i]);
        assert_int_equal(whole, split->validation[i]);
        counts[items[i].class_index][split->validation[i]]++;
    }
    for (int32_t c = 0; c < classes; c++) assert_true(counts[c][0] > 0 && counts[c][1] > 0);
    for (uint32_t b = 0; b < split->n_boxes; b++)
        assert_true(split->boxes[b].west >= -180.0 && split->boxes[b].east <= 360.0 &&
                    split->boxes[b].west < split->boxes[b].east && split->boxes[b].south < split->boxes[b].north);
}

static void both_sides(void **state)
{
    (void)state;
    static SplitItem items[MOST];
    for (uint64_t seed = 0; seed < 12; seed++) {
        const int64_t n = make(items, seed % 2 == 0 ? 40 : MOST, 4, seed, seed % 3 == 0 ? 179.95 : 10.0);
        Split split = { 0 };
        Split again = { 0 };
        ASSERT_OK(split_items(items, n, 4, 7, &split));
        assert_int_equal(split.missing, 0);
        assert_true(split.fraction > 0.05 && split.fraction < 0.6);
        check(items, n, 4, &split);
        ASSERT_OK(split_items(items, n, 4, 7, &again));
        assert_memory_equal(split.validation, again.validation, (size_t)n);
        split_done(&again);
        split_done(&split);
    }
}

/* A class of one item is learned; where all classes are so there is nothing to validate with. */
static void few(void **state)
{
    (void)state;
    static SplitItem items[MOST];
    Split split = { 0 };
    int64_t n = make(items, 21, 3, 5, 10.0);
    items[n] = items[0];
    items[n].class_index = 3;
    items[n].west += 1.0;
    items[n].east += 1.0;
    items[n].x += 1000.0;
    ASSERT_OK(split_items(items, n + 1, 4, 1, &split));
    assert_int_equal(split.missing, 0);
    assert_false(split.validation[n]);
    split_done(&split);
    n = make(items, 3, 3, 5, 10.0);
    ASSERT_OK(split_items(items, n, 3, 1, &split));
    assert_int_equal(split.n_boxes, 0);
    split_done(&split);
    /* two items of a class within each other's box cannot be parted */
    n = make(items, 2, 1, 5, 10.0);
    items[1] = items[0];
    ASSERT_OK(split_items(items, n, 1, 1, &split));
    assert_int_equal(split.n_boxes, 0);
    split_done(&split);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(both_sides), cmocka_unit_test(few) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
