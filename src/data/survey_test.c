/* SPDX-License-Identifier: Apache-2.0
 * Which scenes and boxes cover the same ground, and how much of it, also across the date line and around the poles. */
#include "data/survey.h"

#include "harness/unit.h"

#include <math.h>

enum { SIDE = FOOTPRINT_POINTS / 4 };

static const double degree = 0.017453292519943295769;

static Footprint box(double west, double south, double east, double north)
{
    Footprint f = { .west = west, .south = south, .east = east, .north = north };
    for (int i = 0; i < FOOTPRINT_POINTS; i++) {
        const double t = (double)(i % SIDE) / SIDE;
        const double across[] = { t, 1.0, 1.0 - t, 0.0 }, down[] = { 0.0, t, 1.0, 1.0 - t };
        f.lon[i] = west + across[i / SIDE] * (east - west);
        f.lat[i] = north - down[i / SIDE] * (north - south);
    }
    return f;
}

/* The same outline as it may come: a turn further than its box. */
static Footprint turned(Footprint f)
{
    for (int i = 0; i < FOOTPRINT_POINTS; i++) f.lon[i] += 360.0;
    return f;
}

/* Everything within `away` degrees of the pole. */
static Footprint cap(double pole, double away)
{
    Footprint f = { .west = -180.0, .east = 180.0, .contains_pole = true };
    for (int i = 0; i < FOOTPRINT_POINTS; i++) {
        f.lon[i] = -180.0 + 360.0 * i / FOOTPRINT_POINTS;
        f.lat[i] = pole * (90.0 - away);
    }
    f.south = pole > 0.0 ? 90.0 - away : -90.0;
    f.north = pole > 0.0 ? 90.0 : away - 90.0;
    return f;
}

/* A square around the north pole in a polar projection, its corners at 75 degrees north on the meridians 0, 90, 180, -90. */
static Footprint square(void)
{
    Footprint f = cap(1.0, 15.0);
    for (int i = 0; i < FOOTPRINT_POINTS; i++) {
        const double t = (double)(i % SIDE) / SIDE, start = (double)(i / SIDE) * 90.0;
        const double x = 15.0 * ((1.0 - t) * cos(start * degree) + t * cos((start + 90.0) * degree));
        const double y = 15.0 * ((1.0 - t) * sin(start * degree) + t * sin((start + 90.0) * degree));
        f.lon[i] = atan2(y, x) / degree;
        if (i > 0 && f.lon[i] < f.lon[i - 1]) f.lon[i] += 360.0;
        f.lat[i] = 90.0 - hypot(x, y);
    }
    return f;
}

/* What two scenes share of the smaller one; 0: they are not told. */
static double shared(Footprint a, Footprint b)
{
    DatasetScene scenes[2] = { { .name = "a" }, { .name = "b", .split = SCENE_VALIDATION } };
    const DatasetOptions o = { .scenes = scenes, .n_scenes = 2 };
    Survey v;
    ASSERT_OK(survey_init(&o, &v));
    v.scenes[0].placed = v.scenes[1].placed = true;
    v.scenes[0].footprint = a;
    v.scenes[1].footprint = b;
    ASSERT_OK(survey_overlaps(&v));
    const double share = v.n_overlaps > 0 ? v.overlaps[0].share : 0.0;
    if (v.n_overlaps > 0) assert_true(v.overlaps[0].leaks);
    survey_done(&v);
    return share;
}

static void near(double value, double wanted)
{
    if (fabs(value - wanted) > 0.02) fail_msg("%g instead of %g", value, wanted);
}

static void both_ways(Footprint a, Footprint b, double wanted)
{
    near(shared(a, b), wanted);
    near(shared(b, a), wanted);
    near(shared(turned(a), b), wanted);
    near(shared(a, turned(b)), wanted);
}

static void date_line(void **state)
{
    (void)state;
    const Footprint across = box(170, -10, 190, 10);
    both_ways(across, box(-175, -10, -165, 10), 0.5);
    both_ways(across, box(175, -5, 178, 5), 1.0);
    both_ways(across, box(-178, -5, -172, 5), 1.0);
    both_ways(across, box(-169, -5, -160, 5), 0.0);
    both_ways(across, box(-180, -60, 180, 60), 1.0); /* the whole turn holds both halves */
    both_ways(across, box(0, -60, 360, 60), 1.0);
    both_ways(box(-180, -90, 180, 90), box(0, -90, 360, 90), 1.0);
}

static void poles(void **state)
{
    (void)state;
    both_ways(cap(1, 10), box(0, 70, 30, 78), 0.0);
    both_ways(cap(1, 10), box(0, 75, 30, 85),
              (sin(85 * degree) - sin(80 * degree)) / (sin(85 * degree) - sin(75 * degree)));
    both_ways(cap(1, 10), box(170, 82, 190, 85), 1.0);
    both_ways(cap(1, 10), cap(1, 5), 1.0);
    both_ways(cap(1, 10), cap(-1, 10), 0.0);
    both_ways(cap(-1, 10), box(-30, -85, 0, -82), 1.0);
    both_ways(square(), box(-1.5, 75.6, 1.5, 77), 1.0); /* in a corner */
    both_ways(square(), box(40, 75.5, 50, 77), 0.0);    /* beyond a side, though not south of the corners */
    both_ways(square(), box(-180, -90, 180, 90), 1.0);
}

static void boxes(void **state)
{
    (void)state;
    static const struct {
        DatasetBox validation, holdout;
        double share;
    } list[] = {
        { { "v", 170, -10, 190, 10 }, { "h", -180, -60, 180, 60 }, 1.0 },
        { { "v", 170, -10, 190, 10 }, { "h", -175, -10, -165, 10 }, 0.5 },
        { { "v", 350, 0, 360, 10 }, { "h", -5, 0, 5, 10 }, 0.5 },
        { { "v", 0, 60, 10, 90 }, { "h", 0, 75, 10, 90 }, 1.0 },
        { { "v", 0, 0, 10, 10 }, { "h", 10, 0, 20, 10 }, 0.0 },
    };
    for (int64_t i = 0; i < ARRAY_LEN(list); i++) {
        DatasetScene scene = { .name = "a" };
        DatasetBox validation = list[i].validation, holdout = list[i].holdout;
        const DatasetOptions o = { .scenes = &scene,
                                   .n_scenes = 1,
                                   .validation = &validation,
                                   .n_validation = 1,
                                   .holdout = &holdout,
                                   .n_holdout = 1 };
        Survey v;
        ASSERT_OK(survey_init(&o, &v));
        ASSERT_OK(survey_overlaps(&v));
        near(v.n_overlaps > 0 ? v.overlaps[0].share : 0.0, list[i].share);
        survey_done(&v);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(date_line), cmocka_unit_test(poles), cmocka_unit_test(boxes) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
