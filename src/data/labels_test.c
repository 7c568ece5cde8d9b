/* SPDX-License-Identifier: Apache-2.0
 * Labels looked up at the pixels of an image: whatever the grids are, each pixel's class is that of the one label pixel
 * that holds its centre, and the buffers stay small. */
#include "data/labels.h"

#include "data/data_test.h"

#include <math.h>

/* No two neighbours alike, and every value of 0..9 (7 and 8 are no class, 9 is never learned). */
static float stripes(int64_t x, int64_t y, int64_t band)
{
    (void)band;
    return (float)((x * 3 + y * 7 + (x / 5) * (y / 3)) % 10);
}

static float grey(int64_t x, int64_t y, int64_t band) { return (float)((x + y + band) % 200); }

static DatasetOptions options(void)
{
    static DatasetClass classes[] = { { 0, "a", "#000000" }, { 1, "b", "#000000" }, { 2, "c", "#000000" },
                                      { 3, "d", "#000000" }, { 4, "e", "#000000" }, { 5, "f", "#000000" } };
    static DatasetRemap remap[] = { { 6, 2 } };
    return (DatasetOptions){ .classes = classes, .n_classes = 6, .remap = remap, .n_remap = 1, .ignore = 9 };
}

typedef struct Pair {
    Raster *image, *labels;
    Georeference *image_place, *label_place;
    Labels *opened;
} Pair;

static Pair open_pair_as(TestRaster image, TestRaster labels, const DatasetOptions *o)
{
    char image_path[256];
    char label_path[256];
    Pair p = { 0 };
    test_raster(image);
    test_raster(labels);
    ASSERT_OK(raster_open(unit_at(image.name, image_path), NULL, &p.image));
    ASSERT_OK(georeference_open(p.image, NULL, &p.image_place));
    ASSERT_OK(raster_open(unit_at(labels.name, label_path), NULL, &p.labels));
    ASSERT_OK(georeference_open(p.labels, NULL, &p.label_place));
    ASSERT_OK(labels_open(label_path, o, &(LabelsPlace){ 0 }, NULL, p.image, p.image_place, &p.opened));
    return p;
}

static Pair open_pair(TestRaster image, TestRaster labels)
{
    static DatasetOptions o;
    o = options();
    return open_pair_as(image, labels, &o);
}

static void close_pair(Pair *p)
{
    labels_close(p->opened);
    georeference_free(p->image_place);
    georeference_free(p->label_place);
    raster_close(p->image);
    raster_close(p->labels);
}

/* Class at one place of the image, by its own transformation and a read of one pixel; the judge. */
static uint8_t class_at(const Pair *p, const LabelTable *table, double x, double y)
{
    georeference_to_lonlat(p->image_place, 1, &x, &y);
    georeference_to_pixel(p->label_place, 1, &x, &y);
    const double column = floor(x + 1e-6);
    const double row = floor(y + 1e-6);
    const RasterInfo *info = raster_info(p->labels);
    if (!(column >= 0.0 && row >= 0.0 && column < (double)info->width && row < (double)info->height))
        return CLASS_IGNORE;
    float value = 0.0F;
    uint8_t valid = 0;
    ASSERT_OK(raster_read(p->labels, (RasterWindow){ (int64_t)column, (int64_t)row, 1, 1 }, &value, &valid));
    return valid != 0 ? label_class(table, value) : CLASS_IGNORE;
}

static void check_pair(TestRaster image, TestRaster labels, int64_t at_least, int64_t most_pixels)
{
    enum { SIDE = 96 };
    static uint8_t classes[SIDE * SIDE];
    const DatasetOptions o = options();
    const LabelTable table = label_table(&o);
    Pair p = open_pair(image, labels);
    int64_t labelled = 0;
    for (int64_t corner = 0; corner < 2; corner++) {
        const PlaceWindow window = { .x = 0.5 + (double)corner * ((double)image.width - SIDE),
                                     .y = 0.5 + (double)corner * ((double)image.height - SIDE),
                                     .step_x = 1.0,
                                     .step_y = 1.0,
                                     .columns = SIDE,
                                     .rows = SIDE };
        ASSERT_OK(labels_read(p.opened, &table, &window, classes, NULL));
        for (int64_t i = 0; i < (int64_t)SIDE * SIDE; i++) {
            const double x = window.x + (double)(i % SIDE);
            const double y = window.y + (double)(i / SIDE);
            const uint8_t expected = class_at(&p, &table, x, y);
            if (classes[i] != expected)
                fail_msg("%s, pixel %g, %g: class %d, expected %d", labels.name, x, y, classes[i], expected);
            labelled += expected != CLASS_IGNORE;
        }
    }
    assert_true(labelled >= at_least);
    if (p.opened->lookup->pixels > most_pixels)
        fail_msg("%s: %lld label pixels were held at a time", labels.name, (long long)p.opened->lookup->pixels);
    close_pair(&p);
}

static const TestRaster utm_image = { "image", 200, 200, 3, TEST_BYTE, 33, 500000, 5300000, 30, 30, NULL, grey };
static const TestRaster degree_image = { "image", 200, 200, 3, TEST_BYTE, 0, 170, 10, 0.1, 0.1, NULL, grey };

static void any_grid(void **state)
{
    (void)state;
    /* the same grid; half a pixel off and twice as fine; coarser; of another CRS; of another zone, turned against it */
    check_pair(utm_image, (TestRaster){ "same", 200, 200, 1, TEST_BYTE, 33, 500000, 5300000, 30, 30, NULL, stripes },
               9000, 1 << 15);
    check_pair(utm_image, (TestRaster){ "off", 500, 500, 1, TEST_BYTE, 33, 499985, 5300015, 15, 15, NULL, stripes },
               9000, 1 << 17);
    check_pair(utm_image, (TestRaster){ "coarse", 20, 20, 1, TEST_BYTE, 33, 499000, 5301000, 400, 400, NULL, stripes },
               9000, 1 << 15);
    check_pair(utm_image,
               (TestRaster){ "degrees", 400, 300, 1, TEST_BYTE, 0, 14.99, 47.86, 0.0003, 0.0002, NULL, stripes }, 9000,
               1 << 17);
    check_pair(utm_image, (TestRaster){ "zone", 400, 400, 1, TEST_BYTE, 32, 944000, 5317000, 30, 30, NULL, stripes },
               9000, 1 << 17);
}

/* Labels much finer than the image: what is held at a time does not follow the label pixels between those wanted. */
static void much_finer(void **state)
{
    (void)state;
    check_pair(utm_image,
               (TestRaster){ "finer", 4000, 4000, 1, TEST_BYTE, 33, 500000, 5300000, 1.5, 1.5, NULL, stripes }, 9000,
               1 << 15);
    check_pair(utm_image,
               (TestRaster){ "finer", 4600, 3100, 1, TEST_BYTE, 0, 14.9995, 47.8525, 0.00002, 0.00002, NULL, stripes },
               4000, 1 << 17);
}

/* An image over longitude 180; label files cut there and elsewhere. */
static void date_line(void **state)
{
    (void)state;
    check_pair(degree_image, (TestRaster){ "cut180", 3600, 200, 1, TEST_BYTE, 0, -180, 10, 0.1, 0.1, NULL, stripes },
               9000, 1 << 15);
    check_pair(degree_image, (TestRaster){ "cut0", 3600, 200, 1, TEST_BYTE, 0, 0, 10, 0.1, 0.1, NULL, stripes }, 9000,
               1 << 15);
    check_pair(degree_image, (TestRaster){ "east", 300, 300, 1, TEST_BYTE, 0, 165.03, 10.05, 0.1, 0.1, NULL, stripes },
               9000, 1 << 17);
}

/* Values that are no class, and pixels without a value. */
static void values(void **state)
{
    (void)state;
    check_pair(utm_image,
               (TestRaster){ "nodata", 200, 200, 1, TEST_INT16, 33, 500000, 5300000, 30, 30, "data ignore value = 3\n",
                             stripes },
               7000, 1 << 15);
}

static void pictures_are_refused(void **state)
{
    (void)state;
    char path[256];
    Pair p = open_pair(utm_image,
                       (TestRaster){ "same", 200, 200, 1, TEST_BYTE, 33, 500000, 5300000, 30, 30, NULL, stripes });
    test_raster((TestRaster){ "picture", 200, 200, 3, TEST_BYTE, 33, 500000, 5300000, 30, 30,
                              "default bands = {1, 2, 3}\n", grey });
    const DatasetOptions o = options();
    Labels *labels = NULL;
    ASSERT_ERR(labels_open(unit_at("picture", path), &o, &(LabelsPlace){ 0 }, NULL, p.image, p.image_place, &labels),
               ERR_INPUT, "a picture of classes");
    assert_null(labels);
    close_pair(&p);
}

/* A CRS alone places nothing: the advice is to georeference. */
static void labels_without_a_place(void **state)
{
    (void)state;
    char path[256];
    char header[256];
    Pair p = open_pair(utm_image,
                       (TestRaster){ "same", 200, 200, 1, TEST_BYTE, 33, 500000, 5300000, 30, 30, NULL, stripes });
    unit_write_text(unit_at("bare", path), "0123");
    unit_write_text(unit_at("bare.hdr", header), "ENVI\nsamples = 2\nlines = 2\nbands = 1\ndata type = 1\n"
                                                 "interleave = bsq\nbyte order = 0\n");
    const DatasetOptions o = options();
    for (int64_t i = 0; i < 2; i++) {
        Labels *labels = NULL;
        ASSERT_ERR(labels_open(path, &o, &(LabelsPlace){ .crs = i == 0 ? NULL : "EPSG:32633" }, NULL, p.image,
                               p.image_place, &labels),
                   ERR_INPUT, "its labels cannot be placed: no georeference; georeference it first");
        assert_null(labels);
    }
    close_pair(&p);
}

/* Three classes; by column: 10 20 70, 6 3 0 (in tenths the same unit for one pixel), none, two alike. */
static float distributions(int64_t x, int64_t y, int64_t band)
{
    static const float columns[4][3] = { { 10, 20, 70 }, { 6, 3, 0 }, { 0, 0, 0 }, { 40, 5, 40 } };
    (void)y;
    return columns[x % 4][band];
}

static float below_zero(int64_t x, int64_t y, int64_t band) { return x == 3 && y == 2 && band == 1 ? -2.0F : 1.0F; }

static DatasetOptions three_classes(double temperature)
{
    static DatasetClass classes[] = { { 7, "a", "#000000" }, { 0, "b", "#000000" }, { 9, "c", "#000000" } };
    return (DatasetOptions){ .classes = classes,
                             .n_classes = 3,
                             .ignore = 255,
                             .labels_kind = LABELS_PROBABILITIES,
                             .temperature = temperature };
}

static void probabilities(void **state)
{
    (void)state;
    const TestRaster labels = { "p", 200, 200, 3, TEST_FLOAT, 33, 500000, 5300000, 30, 30, NULL, distributions };
    const PlaceWindow window = { 8.5, 10.5, 1.0, 1.0, 4, 1 };
    const DatasetOptions plain = three_classes(1), sharp = three_classes(0.5);
    const LabelTable table = label_table(&plain);
    static const uint8_t expected[2][12] = { { 26, 51, 178, 170, 85, 0, 0, 0, 0, 120, 15, 120 },
                                             { 5, 19, 231, 204, 51, 0, 0, 0, 0, 127, 2, 127 } };
    for (int64_t t = 0; t < 2; t++) {
        uint8_t classes[4];
        uint8_t got[12];
        Pair p = open_pair_as(utm_image, labels, t == 0 ? &plain : &sharp);
        ASSERT_OK(labels_read(p.opened, &table, &window, classes, got));
        assert_memory_equal(got, expected[t], sizeof got);
        assert_memory_equal(classes, ((const uint8_t[]){ 2, 0, CLASS_IGNORE, 0 }), sizeof classes);
        float values[4];
        uint8_t valid[4];
        ASSERT_OK(labels_read_values(p.opened, (RasterWindow){ 8, 10, 4, 1 }, values, valid));
        assert_memory_equal(valid, ((const uint8_t[]){ 1, 1, 0, 1 }), sizeof valid);
        assert_true(values[0] == 9.0F && values[1] == 7.0F && values[3] == 7.0F);
        close_pair(&p);
    }
}

static void no_distribution(void **state)
{
    (void)state;
    char path[256];
    uint8_t classes[36];
    const DatasetOptions o = three_classes(1);
    const LabelTable table = label_table(&o);
    const PlaceWindow window = { 0.5, 0.5, 1.0, 1.0, 6, 6 };
    Pair p = open_pair_as(
        utm_image, (TestRaster){ "n", 200, 200, 3, TEST_FLOAT, 33, 500000, 5300000, 30, 30, NULL, below_zero }, &o);
    ASSERT_ERR(labels_read(p.opened, &table, &window, classes, NULL), ERR_INPUT,
               "-2 in band 2; probabilities are 0 or more");
    test_raster((TestRaster){ "two", 200, 200, 2, TEST_BYTE, 33, 500000, 5300000, 30, 30, NULL, grey });
    Labels *labels = NULL;
    ASSERT_ERR(labels_open(unit_at("two", path), &o, &(LabelsPlace){ 0 }, NULL, p.image, p.image_place, &labels),
               ERR_INPUT, "2 bands for 3 classes");
    close_pair(&p);
}

static const uint32_t painted[5] = { 0x00ff00, 0x0000ff, 0x123456, 0xffffff, 0x000000 };

static float paint(int64_t x, int64_t y, int64_t band)
{
    return (float)(painted[(x + y) % 5] >> (16 - 8 * band) & 0xffU);
}

static float index_of_color(int64_t x, int64_t y, int64_t band) { return (float)((x + y + band) % 5); }

/* Classes by their colours, of three bands or of a palette; a colour that no class has is no label, and is told. */
static void color_masks(void **state)
{
    (void)state;
    static DatasetClass classes[] = { { 3, "a", "#00FF00" }, { 9, "b", "#ffffff" }, { 0, "c", "#0000ff" } };
    const DatasetOptions o = {
        .classes = classes, .n_classes = 3, .ignore = 255, .labels_kind = LABELS_COLORS, .temperature = 1
    };
    const LabelTable table = label_table(&o);
    const PlaceWindow window = { 10.5, 20.5, 1.0, 1.0, 5, 1 };
    char path[256];
    for (int64_t i = 0; i < 2; i++) {
        const TestRaster masks[] = {
            { "colors", 200, 200, 3, TEST_BYTE, 33, 500000, 5300000, 30, 30, NULL, paint },
            { "palette", 200, 200, 1, TEST_BYTE, 33, 500000, 5300000, 30, 30,
              "classes = 5\nclass lookup = {0,255,0, 0,0,255, 18,52,86, 255,255,255, 0,0,0}\n", index_of_color },
        };
        uint8_t got[5];
        uint8_t valid[5];
        float values[5];
        Pair p = open_pair_as(utm_image, masks[i], &o);
        assert_int_equal(p.opened->colors.by_palette, i == 1);
        ASSERT_OK(labels_read(p.opened, &table, &window, got, NULL));
        assert_memory_equal(got, ((const uint8_t[]){ 0, 2, CLASS_IGNORE, 1, CLASS_IGNORE }), sizeof got);
        ASSERT_OK(labels_read_values(p.opened, (RasterWindow){ 10, 20, 5, 1 }, values, valid));
        assert_memory_equal(valid, ((const uint8_t[]){ 1, 1, 1, 1, 1 }), sizeof valid);
        assert_true(values[0] == 3.0F && values[1] == 0.0F && values[3] == 9.0F);
        assert_int_equal(raster_color_of(values[2]), 0x123456);
        assert_int_equal(raster_color_of(values[4]), 0);
        close_pair(&p);
    }
    assert_int_equal(raster_color_of(raster_unknown_color(0xffffff)), 0xffffff);
    assert_int_equal(raster_color_of(raster_unknown_color(0xfffffe)), 0xfffffe);
    Pair p = open_pair_as(
        utm_image, (TestRaster){ "colors", 200, 200, 3, TEST_BYTE, 33, 500000, 5300000, 30, 30, NULL, paint }, &o);
    Labels *labels = NULL;
    test_raster((TestRaster){ "one", 200, 200, 1, TEST_BYTE, 33, 500000, 5300000, 30, 30, NULL, grey });
    ASSERT_ERR(labels_open(unit_at("one", path), &o, &(LabelsPlace){ 0 }, NULL, p.image, p.image_place, &labels),
               ERR_INPUT, "no red, green and blue band and no palette");
    test_raster((TestRaster){ "wide", 200, 200, 3, TEST_INT16, 33, 500000, 5300000, 30, 30, NULL, paint });
    ASSERT_ERR(labels_open(unit_at("wide", path), &o, &(LabelsPlace){ 0 }, NULL, p.image, p.image_place, &labels),
               ERR_INPUT, "bands of type Int16; colours of classes are bytes");
    close_pair(&p);
}

static void color_counts(void **state)
{
    (void)state;
    ColorCounts c = { 0 };
    Str text = { 0 };
    assert_int_equal(color_counts_text(&c, &text), 0);
    for (int64_t i = 0; i < 3; i++) color_counts_add(&c, 0xff00aa);
    color_counts_add(&c, 0);
    assert_int_equal(color_counts_text(&c, &text), 4);
    assert_string_equal(str_text(&text), "#ff00aa (3 pixels), #000000 (1)");
    str_done(&text);
    for (uint32_t i = 0; i < 100; i++) color_counts_add(&c, i);
    assert_int_equal(color_counts_text(&c, &text), 104);
    assert_non_null(strstr(str_text(&text), "#ff00aa (3 pixels), #000000 (2), #000001 (1)"));
    assert_non_null(strstr(str_text(&text), " and more than 56 more colours"));
    str_done(&text);
}

static void counts(void **state)
{
    (void)state;
    const DatasetOptions o = options();
    const LabelTable table = label_table(&o);
    const float met[] = { 0, 1, 7, 7, 8, 9, 6, -1, -9999, 300, 1.5F, 255, 254.5F };
    LabelCounts c = { 0 };
    Str text = { 0 };
    for (int64_t i = 0; i < ARRAY_LEN(met); i++) label_count(&c, met[i]);
    assert_int_equal(label_counts_unnamed(&c, &table, &text), 4);
    assert_string_equal(str_text(&text), "7 (2 pixels), 8 (1), 255 (1)");
    str_done(&text);
    assert_int_equal(label_counts_impossible(&c, &text), 5);
    assert_string_equal(str_text(&text),
                        "below 0 (2 pixels, down to -9999), above 255 (1 pixels, up to 300), not whole (2 "
                        "pixels, such as 1.5)");
    str_done(&text);
    assert_int_equal(label_class(&table, 6.0F), 2);
    assert_int_equal(label_class(&table, 9.0F), CLASS_IGNORE);
    assert_int_equal(label_class(&table, 1.5F), CLASS_IGNORE);
    assert_int_equal(label_class(&table, (float)NAN), CLASS_IGNORE);
}

/* 255 with a little loss, 0 with more: pure colours once more by the threshold. */
static float blurred(int64_t x, int64_t y, int64_t band) { return paint(x, y, band) > 127.0F ? 250.0F : 90.0F; }

static void blurred_and_ignored_colors(void **state)
{
    (void)state;
    static DatasetClass classes[] = { { 3, (char *)"a", (char *)"#00ff00" }, { 9, (char *)"b", (char *)"#ffffff" } };
    static char *ignored[] = { (char *)"#0000ff" };
    DatasetOptions o = { .classes = classes, .n_classes = 2, .ignore = 7, .labels_kind = LABELS_COLORS };
    const PlaceWindow window = { 10.5, 20.5, 1.0, 1.0, 5, 1 };
    const LabelTable table = label_table(&o);
    const TestRaster mask = { "blurred", 200, 200, 3, TEST_BYTE, 33, 500000, 5300000, 30, 30, NULL, blurred };
    for (int64_t i = 0; i < 2; i++) {
        uint8_t got[5], valid[5];
        float values[5];
        o.colors_threshold = i == 0 ? 0 : 128;
        o.ignore_colors = ignored;
        o.n_ignore_colors = 1;
        Pair p = open_pair_as(utm_image, mask, &o);
        ASSERT_OK(labels_read(p.opened, &table, &window, got, NULL));
        ASSERT_OK(labels_read_values(p.opened, (RasterWindow){ 10, 20, 5, 1 }, values, valid));
        assert_int_equal(got[0], i == 0 ? CLASS_IGNORE : 0);
        assert_int_equal(got[3], i == 0 ? CLASS_IGNORE : 1);
        assert_int_equal(got[1], CLASS_IGNORE);
        if (i == 0)
            assert_int_equal(raster_color_of(values[1]), 0x5a5afa);
        else
            assert_true(values[1] == 7.0F);
        close_pair(&p);
    }
}

/* A mask without a place, or with another one, on an image with one. */
static void labels_by_pixel(void **state)
{
    (void)state;
    static DatasetClass classes[] = { { 3, (char *)"a", (char *)"#00ff00" }, { 9, (char *)"b", (char *)"#ffffff" } };
    const DatasetOptions o = { .classes = classes, .n_classes = 2, .ignore = 255 };
    const LabelsPlace place = { .by_pixel = true };
    const int zones[] = { -1, 31 };
    char path[256];
    for (int64_t i = 0; i < 2; i++) {
        Pair p = open_pair_as(utm_image, utm_image, &o);
        Labels *labels = NULL;
        float values[200 * 200];
        uint8_t valid[200 * 200];
        const PlaceWindow all = { 0.5, 0.5, 1.0, 1.0, 200, 200 };
        test_raster((TestRaster){ "mask", 200, 200, 1, TEST_BYTE, zones[i], 1, 2, 3, 4, NULL, grey });
        ASSERT_OK(labels_open(unit_at("mask", path), &o, &place, NULL, p.image, p.image_place, &labels));
        ASSERT_OK(raster_lookup_window(labels->lookup, &all, values, valid));
        for (int64_t k = 0; k < 200 * 200; k++) assert_true(values[k] == grey(k % 200, k / 200, 0));
        assert_true(georeference_sampling(labels->place).metres == 30.0);
        labels_close(labels);
        test_raster((TestRaster){ "mask", 200, 199, 1, TEST_BYTE, zones[i], 1, 2, 3, 4, NULL, grey });
        ASSERT_ERR(labels_open(unit_at("mask", path), &o, &place, NULL, p.image, p.image_place, &labels), ERR_INPUT,
                   "match pixel by pixel and differ in size");
        close_pair(&p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(any_grid),
                                        cmocka_unit_test(much_finer),
                                        cmocka_unit_test(date_line),
                                        cmocka_unit_test(values),
                                        cmocka_unit_test(counts),
                                        cmocka_unit_test(labels_without_a_place),
                                        cmocka_unit_test(probabilities),
                                        cmocka_unit_test(no_distribution),
                                        cmocka_unit_test(pictures_are_refused),
                                        cmocka_unit_test(color_masks),
                                        cmocka_unit_test(color_counts),
                                        cmocka_unit_test(blurred_and_ignored_colors),
                                        cmocka_unit_test(labels_by_pixel) };
    return cmocka_run_group_tests(tests, unit_set_up, unit_tear_down);
}
