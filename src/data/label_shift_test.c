/* SPDX-License-Identifier: Apache-2.0
 * Labels that lie off are told with how far and where to, whatever kind of labels; what cannot be known is not. */
#include "data/label_shift.h"

#include "data/data_test.h"
#include "data/dataset.h"

enum { SIDE = 320, WIDE = 22, HIGH = 18 };

static int shift_x, shift_y, inset; /* of the labels that are written */

static int field_at(int64_t column, int64_t row) { return (int)((column * 5 + row * 3 + column * row) % 3); }

static int class_at(int64_t x, int64_t y) { return field_at((x + 10 * WIDE) / WIDE, (y + 10 * HIGH) / HIGH); }

static float noise(int64_t x, int64_t y, int64_t band)
{
    const uint64_t h = ((uint64_t)x * 2654435761U ^ (uint64_t)y * 40503U ^ (uint64_t)band * 97U) * 0x9e3779b97f4a7c15U;
    return (float)(h >> 59U); /* 0..31 */
}

static float fields(int64_t x, int64_t y, int64_t band)
{
    return 20.0F + 40.0F * (float)class_at(x, y) + noise(x, y, band);
}
static float flat(int64_t x, int64_t y, int64_t band) { return (float)(70 + 0 * (x + y + band)); }

static float classes(int64_t x, int64_t y, int64_t band)
{
    (void)band;
    return (float)(1 + class_at(x - shift_x, y - shift_y));
}

static float colors(int64_t x, int64_t y, int64_t band)
{
    return class_at(x - shift_x, y - shift_y) == band ? 255.0F : 0.0F;
}

static void write_raster(const char *name, int64_t bands, float (*value)(int64_t, int64_t, int64_t))
{
    test_raster((TestRaster){ name, SIDE, SIDE, bands, TEST_BYTE, 33, 500000, 5300000, 10, 10, NULL, value });
}

/* The fields as polygons. */
static void write_polygons(const char *name)
{
    char path[256];
    Str features = { 0 };
    for (int64_t row = 0; row < SIDE / HIGH; row++)
        for (int64_t column = 0; column < SIDE / WIDE; column++) {
            char value[16];
            (void)snprintf(value, sizeof value, "%d", 1 + field_at(column + 10, row + 10));
            test_box(&features, value, (double)(column * WIDE + shift_x + inset),
                     (double)(row * HIGH + shift_y + inset), (double)((column + 1) * WIDE + shift_x - inset),
                     (double)((row + 1) * HIGH + shift_y - inset));
        }
    (void)test_features(name, &features, path);
}

/* What opening the data set tells of shifts; "" if nothing. */
static const char *told_of(const char *image, const char *labels, LabelsKind kind)
{
    static char found[512];
    char image_path[256], labels_path[256];
    int32_t bands[] = { 1, 2, 3 };
    DatasetScene scene = { .name = "s", .image = image_path, .labels = labels_path, .bands = bands, .n_bands = 3 };
    DatasetClass list[] = { { 1, "one", "#ff0000" }, { 2, "two", "#00ff00" }, { 3, "three", "#0000ff" } };
    DatasetOptions o = test_dataset_options(&scene, list, 3);
    o.labels_kind = kind;
    Told told = { 0 };
    const MetasegRun run = test_run(&told);
    Dataset *d = NULL;
    (void)unit_at(image, image_path);
    (void)unit_at(labels, labels_path);
    ASSERT_OK(dataset_open(&o, NULL, &run, &d));
    dataset_close(d);
    const char *at = strstr(str_text(&told.text), "labels seem to lie");
    (void)snprintf(found, sizeof found, "%s", at != NULL ? at : "");
    str_done(&told.text);
    return found;
}

static void expect(const char *image, const char *labels, LabelsKind kind, const char *text)
{
    const char *told = told_of(image, labels, kind);
    if (text == NULL && told[0] != '\0') fail_msg("%s over %s: '%s'", labels, image, told);
    if (text != NULL && strstr(told, text) == NULL) fail_msg("%s over %s: '%s', not '%s'", labels, image, told, text);
}

static void set_shift(int x, int y)
{
    shift_x = x;
    shift_y = y;
    write_raster("labels", 1, classes);
    write_raster("mask", 3, colors);
    write_polygons("polygons.geojson");
}

static void shifts(void **state)
{
    (void)state;
    write_raster("image", 3, fields);
    write_raster("flat", 3, flat);
    write_raster("noise", 3, noise);
    set_shift(0, 0);
    expect("image", "labels", LABELS_CLASSES, NULL);
    expect("image", "mask", LABELS_COLORS, NULL);
    expect("image", "polygons.geojson", LABELS_CLASSES, NULL);
    inset = 2; /* as people draw them: either way would fit better */
    write_polygons("polygons.geojson");
    inset = 0;
    expect("image", "polygons.geojson", LABELS_CLASSES, NULL);
    set_shift(5, 0);
    expect("image", "labels", LABELS_CLASSES, "seem to lie 5 pixels to the right (50 m to the E) of");
    expect("flat", "labels", LABELS_CLASSES, NULL);
    expect("noise", "labels", LABELS_CLASSES, NULL);
    set_shift(-3, 4);
    expect("image", "mask", LABELS_COLORS, "seem to lie 3 pixels to the left and 4 down (50 m to the S");
    set_shift(0, -5);
    expect("image", "polygons.geojson", LABELS_CLASSES, "seem to lie 5 pixels up (50 m to the N) of");
}

/* The same of given scores: what would be the best, and why it is not believed. */
static void decisions(void **state)
{
    (void)state;
    static const struct {
        int x, y;
        double best, none, opposite, disagreeing; /* above a background of 1 */
        int64_t n;
        bool told;
    } list[] = {
        { 3, -2, 0.5, 0.0, 0.0, 0.0, 1000, true },  { 3, -2, 0.5, 0.4, 0.0, 0.0, 1000, false },
        { 3, -2, 0.5, 0.0, 0.3, 0.0, 1000, false }, { 3, -2, 0.04, 0.0, 0.0, 0.0, 1000, false },
        { 8, 0, 0.5, 0.0, 0.0, 0.0, 1000, false },  { 0, 0, 0.5, 0.5, 0.0, 0.0, 1000, false },
        { 3, -2, 0.5, 0.0, 0.0, 0.0, 90, false },   { 3, -2, 0.5, 0.0, 0.0, 1.0, 1000, false },
    };
    for (int64_t i = 0; i < ARRAY_LEN(list); i++) {
        LabelShiftScores s;
        int32_t x = 0, y = 0;
        double better = 0.0;
        for (int64_t p = 0; p < LABEL_SHIFT_PARTS; p++)
            for (int64_t k = 0; k < (int64_t)LABEL_SHIFT_SIDE * LABEL_SHIFT_SIDE; k++) {
                const int64_t u = k % LABEL_SHIFT_SIDE - LABEL_SHIFT_REACH,
                              v = k / LABEL_SHIFT_SIDE - LABEL_SHIFT_REACH;
                double value = 1.0 + 0.001 * (double)((u + 20) * (v + 20) % 7);
                if (u == 0 && v == 0) value = 1.0 + list[i].none + (p < 2 ? list[i].disagreeing : -list[i].disagreeing);
                if (u == -list[i].x && v == -list[i].y) value = 1.0 + list[i].opposite;
                if (u == list[i].x && v == list[i].y) value = 1.0 + list[i].best;
                s.n[p][k] = list[i].n;
                s.sum[p][k] = value * (double)list[i].n;
            }
        const bool told = label_shift_decide(&s, &x, &y, &better);
        if (told != list[i].told) fail_msg("case %d: %d", (int)i, (int)told);
        if (told && (x != list[i].x || y != list[i].y || better < 1.49))
            fail_msg("case %d: %d, %d", (int)i, (int)x, (int)y);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(shifts), cmocka_unit_test(decisions) };
    return cmocka_run_group_tests(tests, unit_set_up, unit_tear_down);
}
