/* SPDX-License-Identifier: Apache-2.0
 * What is told of vector files that label several images: each feature once, by the best that became of it. */
#include "data/vector_census.h"

#include "data/data_test.h"
#include "geo/raster.h"

enum { SIDE = 100, SHIFT = 80, FEATURES = 12 };

static const DatasetClass classes[] = { { 1, (char *)"wood", (char *)"#008000" },
                                        { 5, (char *)"Arable", (char *)"#ffff00" } };

static float grey(int64_t x, int64_t y, int64_t band) { return (float)((x + y + band) % 200); }

/* A ring of pixel positions of image "a" as a feature. */
static void add_ring(Str *text, const char *value, const double (*places)[2], int n)
{
    str_addf(text, "%s{\"type\":\"Feature\",\"properties\":{\"class\":%s},\"geometry\":", text->length > 0 ? ",\n" : "",
             value);
    str_add(text, n > 1 ? "{\"type\":\"Polygon\",\"coordinates\":[[" : "{\"type\":\"Point\",\"coordinates\":");
    for (int i = 0; i < n; i++)
        str_addf(text, "%s[%.1f,%.1f]", i > 0 ? "," : "", 500000 + 10 * places[i][0], 5300000 - 10 * places[i][1]);
    str_add(text, n > 1 ? "]]}}" : "}}");
}

static void add_box(Str *text, const char *value, double x0, double y0, double x1, double y1)
{
    const double places[5][2] = { { x0, y0 }, { x1, y0 }, { x1, y1 }, { x0, y1 }, { x0, y0 } };
    add_ring(text, value, places, 5);
}

/* Two images that share 20 columns, and features of every kind; their FIDs are their order here, from 0. */
static void write_files(void)
{
    static const double crossed[5][2] = { { 85, 60 }, { 95, 70 }, { 95, 60 }, { 85, 70 }, { 85, 60 } };
    static const double point[1][2] = { { 90.5, 80.5 } };
    char path[256];
    Str features = { 0 };
    test_raster((TestRaster){ "a", SIDE, SIDE, 1, TEST_BYTE, 33, 500000, 5300000, 10, 10, NULL, grey });
    test_raster((TestRaster){ "b", SIDE, SIDE, 1, TEST_BYTE, 33, 500000 + 10 * SHIFT, 5300000, 10, 10, NULL, grey });
    add_box(&features, "\"wood\"", 10, 10, 20, 20);     /* on a */
    add_box(&features, "\"wood\"", 85, 10, 95, 20);     /* on both */
    add_box(&features, "\"moor\"", 75, 40, 90, 50);     /* on both, cut by b */
    add_box(&features, "\"wood\"", 150, 10, 160, 20);   /* on b */
    add_box(&features, "\"arable\"", 500, 10, 510, 20); /* on none */
    add_box(&features, "null", 10, 10, 20, 20);
    add_box(&features, "\"wood\"", -5, 60, 5, 70);          /* cut by a */
    add_box(&features, "\"wood\"", 30.1, 30.1, 30.3, 30.3); /* no pixel of a */
    add_box(&features, "\"arable\"", 85, 12, 95, 16);       /* on both, over the second */
    add_ring(&features, "\"wood\"", crossed, 5);            /* on both */
    add_ring(&features, "\"wood\"", point, 1);              /* on both */
    add_box(&features, "\"Wood\"", 30, 80, 40, 90);         /* on a */
    (void)test_features("labels.geojson", &features, path);
    add_box(&features, "\"wood\"", 10, 10, 20, 20);
    (void)test_features("others.geojson", &features, path);
}

/* Adds a file as it lies over an image. */
static void add(VectorCensus *census, const char *image, const char *labels)
{
    char path[256];
    Raster *raster = NULL;
    Georeference *place = NULL;
    VectorLabels *v = NULL;
    const VectorOptions vector = { .buffer = 1.0 };
    ASSERT_OK(raster_open(unit_at(image, path), NULL, &raster));
    ASSERT_OK(georeference_open(raster, NULL, &place));
    ASSERT_OK(vector_labels_open(unit_at(labels, path), &vector, place, SIDE, SIDE, NULL, &v));
    ASSERT_OK(vector_census_add(census, v));
    vector_labels_close(v);
    georeference_free(place);
    raster_close(raster);
}

/* What is told when `n_scenes` scenes have the labels. */
static Told tell(const VectorCensus *census, uint32_t n_scenes)
{
    static char path[256];
    DatasetScene scenes[3] = { 0 };
    const DatasetOptions options = {
        .scenes = scenes, .n_scenes = n_scenes, .classes = (DatasetClass *)classes, .n_classes = 2
    };
    Told told = { 0 };
    const MetasegRun run = test_run(&told);
    unit_at("labels.geojson", path);
    for (int i = 0; i < 3; i++) scenes[i].labels = path;
    vector_census_tell(census, &options, &run);
    return told;
}

static int64_t lines_with(const Told *told, const char *words)
{
    int64_t n = 0;
    for (const char *at = str_text(&told->text); (at = strstr(at, words)) != NULL; at++) n++;
    return n;
}

static void assert_told(const Told *told, const char *const *lines, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        if (lines_with(told, lines[i]) != 1)
            fail_msg("'%s' is told %lld times: %s", lines[i], (long long)lines_with(told, lines[i]),
                     str_text(&told->text));
}

static void one_image(void **state)
{
    (void)state;
    static const char *const lines[] = {
        "9 of 12 features of layer 'labels' lie on the image, their class is in field 'class'\n",
        "2 of 12 features lie beside the image: not learned\n",
        "1 features lie partly beside the image; what lies on it is learned\n",
        "1 feature on the image without the centre of any pixel: not learned (FID 7)\n",
        "40 pixels have more than one feature, 40 of them with different classes",
        "no class is called 'moor'; its 1 features (150 pixels) are not learned\n",
    };
    VectorCensus census = { 0 };
    write_files();
    add(&census, "a", "labels.geojson");
    Told told = tell(&census, 1);
    assert_told(&told, lines, ARRAY_LEN(lines));
    str_done(&told.text);
    vector_census_done(&census);
}

static void several_images(void **state)
{
    (void)state;
    static const char *const lines[] = {
        "10 of 12 features of layer 'labels' lie on the 2 images, their class is in field 'class'\n",
        "1 of 12 features lie on none of the 2 images: not learned (FID 4)\n",
        "1 feature without a class (the field is empty): not learned (FID 5)\n",
        "1 features lie partly beside each image that they meet; what lies on it is learned\n",
        "1 feature on the images without the centre of any pixel: not learned (FID 7)\n",
        "1 feature crossed itself and was made valid (FID 9)\n",
        "80 pixels have more than one feature, 80 of them with different classes",
        "1 lines and points were widened",
        "no class is called 'moor'; its 1 features (250 pixels) are not learned\n",
        "'Wood' and 'wood' differ in case alone",
    };
    VectorCensus census = { 0 };
    VectorCensus other = { 0 };
    write_files();
    add(&census, "a", "labels.geojson");
    add(&census, "b", "labels.geojson");
    Told told = tell(&census, 2);
    assert_told(&told, lines, ARRAY_LEN(lines));
    assert_int_equal(lines_with(&told, "\n"), ARRAY_LEN(lines));
    assert_int_equal(told.warnings, 7);
    add(&other, "b", "labels.geojson");
    add(&other, "a", "labels.geojson");
    Told turned = tell(&other, 2);
    assert_true(strstr(str_text(&turned.text), lines[0]) != NULL);
    assert_int_equal(turned.text.length, told.text.length);
    str_done(&turned.text);
    str_done(&told.text);
    vector_census_done(&census);
    vector_census_done(&other);
}

/* Features may lie on a scene of holdout that nobody opens; another file is told by itself. */
static void holdout_and_files(void **state)
{
    (void)state;
    static const char *const lines[] = {
        "labels.geojson': 1 of 12 features lie on none of the 2 images: not learned (FID 4); 1 image of split holdout "
        "is "
        "not looked at\n",
        "others.geojson': 1 of 1 features of layer 'others' lie on the image",
    };
    VectorCensus census = { 0 };
    write_files();
    add(&census, "a", "labels.geojson");
    add(&census, "a", "others.geojson");
    add(&census, "b", "labels.geojson");
    assert_int_equal(census.n_layers, 2);
    Told told = tell(&census, 3);
    assert_told(&told, lines, ARRAY_LEN(lines));
    assert_int_equal(told.warnings, 6);
    str_done(&told.text);
    vector_census_done(&census);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(one_image), cmocka_unit_test(several_images),
                                        cmocka_unit_test(holdout_and_files) };
    return cmocka_run_group_tests(tests, unit_set_up, unit_tear_down);
}
