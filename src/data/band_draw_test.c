/* SPDX-License-Identifier: Apache-2.0
 * Which bands are drawn, how often; names of sets. */
#include "data/band_draw.h"

#include "harness/unit.h"

#include <math.h>

enum { DRAWS = 20000 };

static char *names[] = { "blue", "green", "red", "B05", "nir" };
static char *rgb[] = { "B04", "Green", "blue" }, *rgbn[] = { "red", "green", "blue", "nir" };

static DatasetOptions options(void)
{
    static DatasetBandSet sets[2];
    sets[0] = (DatasetBandSet){ .bands = rgb, .n_bands = 3, .probability = 0.3 };
    sets[1] = (DatasetBandSet){ .bands = rgbn, .n_bands = 4, .probability = 0.2 };
    return (DatasetOptions){ .band_sets = sets, .n_band_sets = 2, .band_dropout = 0.25 };
}

static void frequencies(void **state)
{
    (void)state;
    const DatasetOptions config = options();
    BandSets sets;
    ASSERT_OK(band_sets_init(&config, 5, names, &sets));
    assert_string_equal(sets.sets[0].name, "red+green+blue");
    assert_string_equal(sets.sets[1].name, "red+green+blue+nir");
    assert_true(sets.sets[0].colours && !sets.sets[1].colours && !sets.all.colours);
    double colours = 0, all = 0, b05 = 0, none = 0;
    for (uint64_t i = 0; i < DRAWS; i++) {
        bool there[MODEL_MAX_BANDS] = { false };
        colours += band_sets_draw(&sets, 1, i / 4, i % 4, there);
        int count = 0;
        for (int b = 0; b < 5; b++) count += there[b];
        none += count == 0;
        all += count == 5;
        b05 += there[3];
    }
    assert_true(none == 0);
    assert_true(fabs(colours / DRAWS - 0.3) < 0.02);
    assert_true(fabs(b05 / DRAWS - 0.5 * 0.75) < 0.02); /* of full draws alone */
    assert_true(fabs(all / DRAWS - 0.5 * pow(0.75, 5)) < 0.02);
    band_sets_done(&sets);
}

/* However often bands are left out, one is there; without sets and dropout all are, and nothing is drawn. */
static void never_nothing(void **state)
{
    (void)state;
    DatasetOptions config = { .band_dropout = 0.9 };
    BandSets sets;
    int64_t kept[2] = { 0, 0 };
    ASSERT_OK(band_sets_init(&config, 2, names, &sets));
    assert_true(sets.all.colours);
    for (uint64_t i = 0; i < DRAWS; i++) {
        bool there[MODEL_MAX_BANDS] = { false };
        assert_true(band_sets_draw(&sets, 1, i, 0, there));
        assert_true(there[0] || there[1]);
        kept[0] += there[0];
        kept[1] += there[1];
    }
    assert_true(kept[0] > DRAWS / 3 && kept[1] > DRAWS / 3);
    band_sets_done(&sets);
    config.band_dropout = 0.0;
    ASSERT_OK(band_sets_init(&config, 2, names, &sets));
    for (uint64_t i = 0; i < 1000; i++) {
        bool there[MODEL_MAX_BANDS] = { false };
        (void)band_sets_draw(&sets, 1, i, 0, there);
        assert_true(there[0] && there[1]);
    }
    band_sets_done(&sets);
}

static void refusals(void **state)
{
    (void)state;
    static char *unknown[] = { "red", "thermal" }, *twice[] = { "red", "green", "B4" };
    DatasetBandSet set = { .bands = unknown, .n_bands = 2, .probability = 1 };
    const DatasetOptions config = { .band_sets = &set, .n_band_sets = 1 };
    BandSets sets;
    ASSERT_ERR(
        band_sets_init(&config, 5, names, &sets), ERR_CONFIG,
        "train.band_sets.1: no band, or more than one, is called 'thermal'; the images have blue, green, red, B05, "
        "nir");
    set.bands = twice;
    set.n_bands = 3;
    ASSERT_ERR(band_sets_init(&config, 5, names, &sets), ERR_CONFIG, "names twice the band 'B4'");
    ASSERT_ERR(band_sets_init(&config, 17, names, &sets), ERR_CONFIG, "17 bands; a model reads at most 16");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frequencies),
        cmocka_unit_test(never_nothing),
        cmocka_unit_test(refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
