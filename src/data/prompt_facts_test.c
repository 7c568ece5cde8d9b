/* SPDX-License-Identifier: Apache-2.0
 * Facts of places become prompts: which sentences, which zones, which shares. */
#include "data/prompt_facts.h"

#include "data/prompt_bank_file.h"
#include "harness/data_file.h"

#include <math.h>

typedef struct Fixture {
    Climate *climate;
    PromptBank bank;
} Fixture;

static int set_up(void **state)
{
    static Fixture fixture;
    char path[512];
    if (data_file_find("koppen_geiger.bin", path) && climate_open(path, &fixture.climate) != ERR_NONE) return -1;
    *state = &fixture;
    return prompt_bank_file_load(METASEG_SOURCE_DIR "/share/prompts/koppen.yaml", &fixture.bank) == ERR_NONE ? 0 : -1;
}

static int tear_down(void **state)
{
    Fixture *fixture = *state;
    climate_close(fixture->climate);
    prompt_bank_file_free(&fixture->bank);
    return 0;
}

static void facts_carry_over(void **state)
{
    (void)state;
    const Metadata known = { .has_season = true,
                             .season = SEASON_WINTER,
                             .is_south = true,
                             .sensor = SENSOR_LANDSAT,
                             .sampling = { .metres = 30.0 } };
    PromptFacts facts = prompt_facts_of(&known, 9);
    assert_int_equal(facts.zone, 9);
    assert_true(facts.has_season && facts.season == SEASON_WINTER && facts.hemisphere == PROMPT_SOUTH);
    assert_true(facts.has_sensor && facts.sensor == SENSOR_LANDSAT);
    assert_true(facts.gsd_metres == 30.0);
    const Metadata unknown = { .sensor = SENSOR_UNKNOWN, .sampling = { .metres = (double)NAN } };
    facts = prompt_facts_of(&unknown, 1);
    assert_false(facts.has_season || facts.has_sensor);
}

static void collect(Fixture *fixture, PlaceQuery query, PlacePrompts *ret_place)
{
    if (fixture->climate == NULL) skip();
    if (place_prompts_collect(&query, fixture->climate, &fixture->bank, ret_place) != ERR_NONE)
        fail_msg("%s", err_message());
}

static void points(void **state)
{
    static const struct {
        const char *lonlat, *zone;
    } cases[] = { { "13.06,52.40", "Cfb" }, { "31.2,30.0", "BWh" }, { "103.8,1.35", "Af" }, { "-30,30", NULL } };
    for (int64_t i = 0; i < ARRAY_LEN(cases); i++) {
        PlacePrompts place;
        collect(*state, (PlaceQuery){ .lonlat = cases[i].lonlat, .date = "2020-07" }, &place);
        assert_int_equal(place.n_zones, cases[i].zone != NULL ? 1 : 0);
        assert_true(place.null_share == (cases[i].zone != NULL ? 0.0 : 1.0));
        if (cases[i].zone != NULL) {
            assert_string_equal(climate_zone_name(place.zones[0].zone), cases[i].zone);
            assert_int_equal(place.zones[0].prompt.n_sentences, 2);
            assert_string_equal(place.zones[0].prompt.sentences[1].key, "north.summer");
        }
        place_prompts_done(&place);
    }
}

static void boxes(void **state)
{
    PlacePrompts place;
    collect(*state, (PlaceQuery){ .bbox = "-18,-35,52,38" }, &place); /* Africa */
    double sum = place.null_share;
    for (int32_t i = 0; i < place.n_zones; i++) {
        sum += place.zones[i].share;
        assert_true(i == 0 || place.zones[i].share <= place.zones[i - 1].share);
        assert_true(place.zones[i].prompt.n_sentences == 1);
    }
    assert_true(fabs(sum - 1.0) < 1e-9);
    assert_string_equal(climate_zone_name(place.zones[0].zone), "BWh");
    assert_true(place.n_zones >= 10 && place.null_share > 0.2);
    assert_true(place.metadata.has_footprint && place.metadata.is_south == false);
    place_prompts_done(&place);
}

/* Places are spread by area: equal steps of latitude would give the polar sea and Antarctica too much. */
static void boxes_count_area(void **state)
{
    PlacePrompts place;
    collect(*state, (PlaceQuery){ .bbox = "-180,-90,180,90" }, &place);
    assert_true(place.null_share > 0.60 && place.null_share < 0.72); /* the sea, less what lies within 25 km of land */
    place_prompts_done(&place);
}

static void refusals(void **state)
{
    Fixture *fixture = *state;
    if (fixture->climate == NULL) skip();
    const PlaceQuery bad[] = { { .lonlat = "13" },
                               { .lonlat = "1,2", .bbox = "1,2,3,4" },
                               { .bbox = "3,2,1,4" },
                               { .lonlat = "1,2", .date = "soon" },
                               { .lonlat = "1,2", .sensor = "eye" },
                               { .image = NULL } };
    for (int64_t i = 0; i < ARRAY_LEN(bad); i++) {
        PlacePrompts place;
        assert_int_equal(place_prompts_collect(&bad[i], fixture->climate, &fixture->bank, &place), ERR_ARGUMENT);
    }
    PlacePrompts place;
    assert_int_equal(
        place_prompts_collect(&(PlaceQuery){ .image = "/nowhere.tif" }, fixture->climate, &fixture->bank, &place),
        ERR_INPUT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(facts_carry_over), cmocka_unit_test(points),   cmocka_unit_test(boxes),
        cmocka_unit_test(boxes_count_area), cmocka_unit_test(refusals),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
