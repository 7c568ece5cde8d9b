/* SPDX-License-Identifier: Apache-2.0
 * Vector labels in a data set: the values of their classes, which pixels are looked at, what is told, and what a data set
 * makes of them. */
#include "data/dataset.h"
#include "data/labels.h"

#include "data/data_test.h"

#include <math.h>

enum { SIDE = 600 };

static float grey(int64_t x, int64_t y, int64_t band) { return (float)((x + y + band) % 200 + 1); }

static const TestRaster image = { "image", SIDE, SIDE, 3, TEST_BYTE, 33, 500000, 5300000, 10, 10, NULL, grey };

static DatasetOptions options(void)
{
    static char path[256], labels[256];
    static int32_t bands[] = { 1, 2, 3 };
    static DatasetScene scene = {
        .name = "s", .image = path, .labels = labels, .bands = bands, .n_bands = 3, .labels_buffer = 1.0
    };
    static DatasetClass classes[] = { { 1, "wood", "#008000" }, { 5, "Arable", "#ffff00" } };
    unit_at("image", path);
    unit_at("labels.geojson", labels);
    return test_dataset_options(&scene, classes, 2);
}

static void values(void **state)
{
    (void)state;
    char path[256];
    Str features = { 0 };
    Raster *raster = NULL;
    Georeference *place = NULL;
    Labels *l = NULL;
    const DatasetOptions o = options();
    const LabelTable table = label_table(&o);
    test_raster(image);
    test_box(&features, "\"wood\"", 10, 10, 20, 20);
    test_box(&features, "\"arable\"", 300, 550, 310, 560);
    test_box(&features, "\"moor\"", 15, 15, 30, 30);
    test_box(&features, "null", 15, 15, 30, 30);
    test_box(&features, "\"wood\"", 700, 700, 710, 710);
    test_features("labels.geojson", &features, path);
    ASSERT_OK(raster_open(unit_at("image", path), NULL, &raster));
    ASSERT_OK(georeference_open(raster, NULL, &place));
    const VectorOptions vector = { .buffer = 1.0 };
    ASSERT_OK(labels_open_vector(unit_at("labels.geojson", path), &vector, &o, place, SIDE, SIDE, NULL, &l));
    float met[4];
    uint8_t valid[4];
    ASSERT_OK(labels_read_values(l, (RasterWindow){ 13, 14, 4, 1 }, met, valid));
    assert_true(valid[0] == 1 && met[0] == 1.0F && valid[3] == 1);
    ASSERT_OK(labels_read_values(l, (RasterWindow){ 13, 15, 4, 1 }, met, valid));
    assert_true(valid[1] == 1 && valid[2] == 0 && valid[3] == 0);
    ASSERT_OK(labels_read_values(l, (RasterWindow){ 300, 550, 1, 1 }, met, valid));
    assert_true(valid[0] == 1 && met[0] == 5.0F);
    uint8_t classes[8];
    const PlaceWindow window = { 299.25, 555.0, 0.5, 0.5, 4, 2 };
    ASSERT_OK(labels_read(l, &table, &window, classes, NULL));
    for (int i = 0; i < 8; i++) assert_int_equal(classes[i], i % 4 < 2 ? CLASS_IGNORE : 1);
    RasterWindow *parts = NULL;
    int64_t n = 0;
    ASSERT_OK(labels_parts(l, SIDE, SIDE, &parts, &n));
    assert_int_equal(n, 2);
    assert_int_equal(parts[0].x, 0);
    assert_int_equal(parts[1].x, 256);
    assert_int_equal(parts[1].y, 512);
    assert_int_equal(parts[1].rows, SIDE - 512);
    free(parts);
    labels_close(l);
    georeference_free(place);
    raster_close(raster);
}

/* Windows lie around the features, labels of validation boxes stay apart, and all labels are those of the features. */
static void windows(void **state)
{
    (void)state;
    static DatasetBox validation = { "v", 15.0, 47.5, 15.02, 47.9 };
    static const NetworkShape shape = { .batch = 1, .height = 256, .width = 256, .bands = 3 };
    char path[256];
    Str features = { 0 };
    Dataset *d = NULL;
    DatasetReader *r = NULL;
    NetworkInputs inputs = { 0 };
    Told told = { 0 };
    const MetasegRun run = test_run(&told);
    DatasetOptions o = options();
    o.validation = &validation;
    o.n_validation = 1;
    test_raster(image);
    test_box(&features, "1", 10, 10, 30, 30);
    test_box(&features, "5", 20, 300, 40, 320);
    test_box(&features, "1", 400, 10, 420, 30);
    test_box(&features, "5", 400, 300, 420, 320);
    test_box(&features, "9", 500, 500, 520, 520);
    test_features("labels.geojson", &features, path);
    ASSERT_OK(dataset_open(&o, NULL, &run, &d));
    ASSERT_OK(dataset_reader_new(d, &r));
    assert_non_null(strstr(str_text(&told.text), "no class has the value 9"));
    ASSERT_OK(network_inputs_init(&shape, &inputs));
    int64_t counts[256] = { 0 };
    for (uint64_t step = 0; step < 20; step++) {
        int64_t here = 0;
        ASSERT_OK(dataset_training_window(r, step, 0, NULL, network_inputs_at(&inputs, 0)));
        for (int64_t i = 0; i < 256 * 256; i++) here += inputs.labels[i] != CLASS_IGNORE;
        assert_true(here > 0);
        for (int64_t i = 0; i < 256 * 256; i++) counts[inputs.labels[i]]++;
    }
    assert_true(counts[0] > 0 && counts[1] > 0);
    assert_int_equal(counts[0] + counts[1] + counts[CLASS_IGNORE], 20 * 256 * 256);
    int64_t apart[256] = { 0 };
    for (int64_t w = 0; w < dataset_validation_count(d); w++) {
        ASSERT_OK(dataset_validation_window(r, w, -1, NULL, network_inputs_at(&inputs, 0)));
        for (int64_t i = 0; i < 256 * 256; i++) apart[inputs.labels[i]]++;
    }
    assert_int_equal(apart[0], 400);
    assert_int_equal(apart[1], 400);
    network_inputs_done(&inputs);
    dataset_reader_free(r);
    dataset_close(d);
    str_done(&told.text);
}

static void layer_of_a_raster(void **state)
{
    (void)state;
    DatasetOptions o = options();
    Dataset *d = NULL;
    test_raster(image);
    test_raster((TestRaster){ "labels.geojson", SIDE, SIDE, 1, TEST_BYTE, 33, 500000, 5300000, 10, 10, NULL, grey });
    o.scenes->labels_field = (char *)"class";
    ASSERT_ERR(dataset_open(&o, NULL, NULL, &d), ERR_CONFIG, "labels_field");
    o.scenes->labels_field = NULL;
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(values), cmocka_unit_test(windows),
                                        cmocka_unit_test(layer_of_a_raster) };
    return cmocka_run_group_tests(tests, unit_set_up, unit_tear_down);
}
