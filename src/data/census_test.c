/* SPDX-License-Identifier: Apache-2.0
 * What a data set tells before any work, what it refuses, that it stops when asked, and that there may be more scenes
 * than file handles. */
#include "data/dataset.h"

#include "data/data_test.h"
#include "data/label_values.h"

#include <sys/resource.h>

enum { SIDE = 256, IMAGE = 300 };

static float grey(int64_t x, int64_t y, int64_t band) { return (float)((3 * x + y + 40 * band) % 200); }
static float three_classes(int64_t x, int64_t y, int64_t band) { return (float)((x / 10 + y / 10 + band) % 3); }
static float two_classes(int64_t x, int64_t y, int64_t band) { return 1.0F + (float)((x / 10 + y / 10 + band) % 2); }
static float odd_values(int64_t x, int64_t y, int64_t band)
{
    if (y == 0 && x < 7) return (const float[]){ -5, 300, 1.5F, 7, 7, 254, 255 }[x];
    return three_classes(x, y, band);
}
static float south_only(int64_t x, int64_t y, int64_t band)
{
    return y < IMAGE / 2 ? 255.0F : three_classes(x, y, band);
}
static float north_zero(int64_t x, int64_t y, int64_t band) { return y < IMAGE / 2 ? 0.0F : 1.0F + grey(x, y, band); }
static float south_zero(int64_t x, int64_t y, int64_t band) { return y < IMAGE / 2 ? 1.0F + grey(x, y, band) : 0.0F; }
static float slit(int64_t x, int64_t y, int64_t band) { return x / 2 == 8 ? 1.0F + grey(x, y, band) : 0.0F; }
static float zero(int64_t x, int64_t y, int64_t band) { return (float)(0 * (x + y + band)); }
static float nothing(int64_t x, int64_t y, int64_t band) { return (float)(200 + (x + y + band) % 2); }

/* One scene of 0.01 degrees from (10, 50), without boxes, that fits its model; each test changes what it is about. */
typedef struct Case {
    DatasetScene scenes[2];
    DatasetClass classes[3];
    DatasetBox holdout, validation[2];
    int32_t bands[3], unsampled[3];
    double mean[3], std[3];
    char image[256], labels[256];
    DatasetOptions o;
} Case;

static void make_case(Case *c)
{
    *c = (Case){ .classes = { { 0, "Water", "#0000ff" }, { 1, "Forest", "#00ff00" }, { 2, "Sand", "#ffff00" } },
                 .holdout = { "h", 0, 0, 1, 1 },
                 .validation = { { "north", 10, 48.5, 11.5, 50 }, { "far", 20, 0, 21, 1 } },
                 .bands = { 1, 2, 3 },
                 .unsampled = { 0, 1, 2 },
                 .std = { 1, 1, 1 } };
    unit_at("image", c->image);
    unit_at("labels", c->labels);
    c->scenes[0] =
        (DatasetScene){ .name = "s", .image = c->image, .labels = c->labels, .bands = c->bands, .n_bands = 3 };
    c->scenes[1] = c->scenes[0];
    c->scenes[1].name = "again";
    c->o = (DatasetOptions){ .scenes = c->scenes,
                             .n_scenes = 1,
                             .classes = c->classes,
                             .n_classes = 3,
                             .ignore = 255,
                             .holdout = &c->holdout,
                             .validation = c->validation,
                             .gsd_min = 0.009,
                             .gsd_max = 0.011,
                             .gsd_unit = MODEL_DEGREE,
                             .window = SIDE,
                             .upsample = 1,
                             .mean = c->mean,
                             .std = c->std,
                             .n_mean = 3,
                             .n_std = 3,
                             .seed = 1,
                             .balance = 0.5,
                             .unsampled = c->unsampled };
}

static void write_image(int64_t bands, const char *more)
{
    test_raster((TestRaster){ "image", IMAGE, IMAGE, bands, TEST_BYTE, 0, 10, 50, 0.01, 0.01, more, grey });
}

static void write_labels(float (*value)(int64_t, int64_t, int64_t), const char *more)
{
    test_raster((TestRaster){ "labels", IMAGE, IMAGE, 1, TEST_FLOAT, 0, 10, 50, 0.01, 0.01, more, value });
}

/* Opens the data set; what it told must hold `text` (NULL: nothing may be told), or it is refused with `err` and text. */
static void check(const Case *c, Err err, const char *text)
{
    Told told = { 0 };
    Dataset *d = NULL;
    const MetasegRun run = test_run(&told);
    if (err != ERR_NONE) {
        ASSERT_ERR(dataset_open(&c->o, NULL, &run, &d), err, text);
        assert_null(d);
    } else {
        ASSERT_OK(dataset_open(&c->o, NULL, &run, &d));
        if (text == NULL && told.warnings > 0) fail_msg("told: %s", str_text(&told.text));
        if (text != NULL && strstr(str_text(&told.text), text) == NULL)
            fail_msg("'%s' is not in: %s", text, str_text(&told.text));
        dataset_close(d);
    }
    str_done(&told.text);
}

static void nothing_to_tell(void **state)
{
    (void)state;
    Case c;
    make_case(&c);
    write_image(3, NULL);
    write_labels(three_classes, NULL);
    check(&c, ERR_NONE, NULL);
    c.o.n_validation = 1;
    check(&c, ERR_NONE, NULL);
}

static void values_without_meaning(void **state)
{
    (void)state;
    Case c;
    make_case(&c);
    write_labels(odd_values, NULL);
    check(&c, ERR_NONE, "no class has the value 7 (2 pixels), 254 (1);");
    check(&c, ERR_NONE,
          "below 0 (1 pixels, down to -5), above 255 (1 pixels, up to 300), not whole (1 pixels, such as 1.5)");
    c.o.ignore = 7;
    check(&c, ERR_NONE, "no class has the value 254 (1 pixels), 255 (1);");
}

static float red_or_grey(int64_t x, int64_t y, int64_t band)
{
    if (y == 0 && x < 3) return 128.0F;
    return three_classes(x, y, 0) == (float)band ? 255.0F : 0.0F;
}

/* Colours that no class has are told by number. */
static void colors_without_a_class(void **state)
{
    (void)state;
    Case c;
    char path[256];
    make_case(&c);
    c.o.labels_kind = LABELS_COLORS;
    c.classes[2].color = (char *)(uintptr_t) "#ff0000";
    test_raster((TestRaster){ "colors", IMAGE, IMAGE, 3, TEST_BYTE, 0, 10, 50, 0.01, 0.01, NULL, red_or_grey });
    c.scenes[0].labels = (char *)(uintptr_t)unit_at("colors", path);
    check(&c, ERR_NONE, "labels: no class has the colour #808080 (3 pixels); such pixels are not learned\n");
    c.classes[2].color = (char *)(uintptr_t) "#ff0001";
    check(&c, ERR_NONE, "#ff0000 (29"); /* a third of 90000 */
    check(&c, ERR_NONE, "class 'Sand' (2): no training pixel, no label inside an image has their value");
}

static void classes_never_learned(void **state)
{
    (void)state;
    Case c;
    DatasetRemap remap[] = { { 0, 1 } };
    make_case(&c);
    write_labels(two_classes, NULL);
    check(&c, ERR_NONE, "class 'Water' (0): no training pixel, no label inside an image has their value");
    write_labels(three_classes, "data ignore value = 0\n");
    check(&c, ERR_NONE, "class 'Water' (0): no training pixel, their value is the nodata value of the labels");
    write_labels(three_classes, NULL);
    c.o.ignore = 0;
    check(&c, ERR_NONE, "class 'Water' (0): no training pixel, their value is data.ignore");
    c.o.ignore = 255;
    c.o.remap = remap;
    c.o.n_remap = 1;
    check(&c, ERR_NONE, "class 'Water' (0): no training pixel, data.remap makes another class of their value");
}

static void validation(void **state)
{
    (void)state;
    Case c;
    make_case(&c);
    write_labels(three_classes, NULL);
    c.o.n_validation = 2;
    check(&c, ERR_NONE, "validation box 'far': it lies outside all scenes");
    c.o.validation = c.validation + 1;
    c.o.n_validation = 1;
    check(&c, ERR_CONFIG, "no box meets a scene");
    write_labels(south_only, NULL);
    c.o.validation = c.validation;
    check(&c, ERR_INPUT, "no box holds a labelled pixel");
}

/* A box between the centres of the label pixels that are counted still holds labelled pixels of the network. */
static void small_box(void **state)
{
    (void)state;
    Case c;
    make_case(&c);
    test_raster((TestRaster){ "labels", 6, 6, 1, TEST_FLOAT, 0, 10, 50, 0.5, 0.5, NULL, three_classes });
    c.validation[0] = (DatasetBox){ "small", 10.51, 48.51, 10.71, 48.71 };
    c.o.n_validation = 1;
    Told told = { 0 };
    const MetasegRun run = test_run(&told);
    Dataset *d = NULL;
    ASSERT_OK(dataset_open(&c.o, NULL, &run, &d));
    assert_null(strstr(str_text(&told.text), "holds no labelled pixel"));
    dataset_close(d);
    str_done(&told.text);
}

static void nothing_to_learn(void **state)
{
    (void)state;
    Case c;
    make_case(&c);
    write_labels(nothing, NULL);
    check(&c, ERR_INPUT, "no label inside the image has the value of a class");
    test_raster((TestRaster){ "labels", 50, 50, 1, TEST_BYTE, 0, 50, 10, 0.01, 0.01, NULL, three_classes });
    check(&c, ERR_INPUT, "they do not overlap");
    write_labels(three_classes, NULL);
    c.holdout = (DatasetBox){ "all", 0, 0, 90, 90 };
    c.o.n_holdout = 1;
    check(&c, ERR_CONFIG, "all labelled pixels are kept apart: 90000 in the boxes of data.holdout, 0 for validation");
    c.holdout = (DatasetBox){ "middle", 11.4, 40, 11.6, 60 };
    check(&c, ERR_INPUT, "no window of 256 pixels fits between the holdout boxes");
    c.o.n_holdout = 0;
    c.o.n_unsampled = 3;
    check(&c, ERR_CONFIG, "train.unsampled");
}

static void write_masked(const char *name, float (*value)(int64_t, int64_t, int64_t))
{
    test_raster(
        (TestRaster){ name, IMAGE, IMAGE, 3, TEST_BYTE, 0, 10, 50, 0.01, 0.01, "data ignore value = 0\n", value });
}

/* Nothing is learned where the image is invalid: told by scene, refused where that leaves nothing. */
static void invalid_images(void **state)
{
    (void)state;
    Case c;
    char path[256];
    make_case(&c);
    write_labels(three_classes, NULL);
    write_masked("image", zero);
    check(&c, ERR_INPUT, "no image to learn from has a valid pixel (scene 's' is the first)");
    c.scenes[1].image = (char *)(uintptr_t)unit_at("other", path);
    c.o.n_scenes = 2;
    write_masked("other", zero);
    check(&c, ERR_INPUT, "no image to learn from has a valid pixel (scene 's' is the first)");
    write_masked("other", north_zero);
    check(&c, ERR_NONE, "scene 's': its image has no valid pixel");
    c.o.n_validation = 1;
    check(&c, ERR_INPUT, "no valid pixel of an image has a label in the boxes ('north' is the first)");
    c.o.n_scenes = 1;
    write_masked("image", south_zero);
    check(&c, ERR_NONE, NULL);
    c.o.n_validation = 0;
    write_labels(south_only, NULL);
    check(&c, ERR_INPUT, "no valid pixel of an image has a label in 256 windows drawn for training");
    write_image(3, NULL);
}

/* Few windows of a large image are looked at; where they miss what is valid, it is told and not refused. */
static void valid_beside_the_grid(void **state)
{
    (void)state;
    Case c;
    make_case(&c);
    write_image(3, NULL);
    write_labels(three_classes, NULL);
    c.o.window = 16;
    write_masked("image", slit); /* columns 16 and 17; the windows' begin at 0, 18, 37 ... */
    check(&c, ERR_NONE, "scene 's': no window of a grid over its image holds a valid pixel");
    write_masked("image", zero);
    check(&c, ERR_INPUT, "no valid pixel of an image has a label in 256 windows drawn for training");
    write_image(3, NULL);
}

static void scenes_that_do_not_fit(void **state)
{
    (void)state;
    Case c;
    char path[256];
    make_case(&c);
    write_labels(three_classes, NULL);
    c.o.upsample = 2;
    check(&c, ERR_NONE, "pixels of the network of 0.005 degrees, outside model.gsd_min..gsd_max (0.009 to 0.011)");
    c.o.upsample = 1;
    c.o.gsd_unit = MODEL_METRE;
    check(&c, ERR_NONE, "outside model.gsd_min..gsd_max");
    c.o.gsd_unit = MODEL_DEGREE;
    c.o.n_scenes = 2;
    check(&c, ERR_NONE, "scenes 's' and 'again' have one image");
    test_raster((TestRaster){ "other", IMAGE, IMAGE, 3, TEST_INT16, 0, 10, 50, 0.01, 0.01, NULL, grey });
    c.scenes[1].image = (char *)(uintptr_t)unit_at("other", path);
    check(&c, ERR_NONE,
          "scene 'again': bands of type Int16, Int16, Int16, those of the first scene are Byte, Byte, Byte");
    c.o.n_scenes = 1;
    c.scenes[0].labels = c.image;
    check(&c, ERR_CONFIG, "image and labels are one file");
    c.scenes[0].labels = c.labels;
    test_raster((TestRaster){ "labels", IMAGE, IMAGE, 2, TEST_BYTE, 0, 10, 50, 0.01, 0.01, NULL, three_classes });
    check(&c, ERR_NONE, "more than one band");
}

/* Scale, offset and unit of the bands are compared with the first scene's. */
static void tags_that_differ(void **state)
{
    (void)state;
    Case c;
    char path[256];
    make_case(&c);
    write_labels(three_classes, NULL);
    write_image(3, "data gain values = {0.1, 0.1, 0.1}\n");
    c.o.n_scenes = 2;
    test_raster((TestRaster){ "other", IMAGE, IMAGE, 3, TEST_BYTE, 0, 10, 50, 0.01, 0.01,
                              "data gain values = {0.1, 0.1, 0.1}\ndata offset values = {0, -2, 0}\n", grey });
    c.scenes[1].image = (char *)(uintptr_t)unit_at("other", path);
    check(&c, ERR_NONE, "scene 'again': scale 0.1, offset -2 of band 2");
    check(&c, ERR_NONE, "in the first scene 's' scale 0.1, offset 0 of band 2");
    test_raster((TestRaster){ "other", IMAGE, IMAGE, 3, TEST_BYTE, 0, 10, 50, 0.01, 0.01,
                              "data gain values = {0.1, 0.1, 0.1}\n", grey });
    check(&c, ERR_NONE, NULL);
    write_image(3, "data gain values = {0.1, 0.1, 0.1}\ndata offset values = {0, 0, -30}\n"); /* 300 of 256 */
    c.o.n_scenes = 1;
    check(&c, ERR_NONE, "scene 's': scale 0.1, offset -30 of band 3");
    check(&c, ERR_NONE, "moves the numbers further than the type of the band reaches");
    write_image(3, NULL);
}

/* Labelled pixels of all validation windows. */
static int64_t validated_pixels(const DatasetOptions *o)
{
    const NetworkShape shape = { .batch = 1, .height = SIDE, .width = SIDE, .bands = 3 };
    NetworkInputs batch;
    Dataset *d = NULL;
    DatasetReader *r = NULL;
    int64_t pixels = 0;
    ASSERT_OK(network_inputs_init(&shape, &batch));
    ASSERT_OK(dataset_open(o, NULL, NULL, &d));
    ASSERT_OK(dataset_reader_new(d, &r));
    for (int64_t w = 0; w < dataset_validation_count(d); w++) {
        ASSERT_OK(dataset_validation_window(r, w, -1, NULL, network_inputs_at(&batch, 0)));
        for (int64_t i = 0; i < (int64_t)SIDE * SIDE; i++) pixels += batch.labels[i] != CLASS_IGNORE;
    }
    dataset_reader_free(r);
    dataset_close(d);
    network_inputs_done(&batch);
    return pixels;
}

/* A validation scene is validated, each pixel once but for holdout boxes, and never drawn; a holdout scene is not opened. */
static void splits(void **state)
{
    (void)state;
    Case c;
    char path[3][256];
    make_case(&c);
    write_image(3, NULL);
    write_labels(three_classes, NULL);
    test_raster((TestRaster){ "other", IMAGE, IMAGE, 3, TEST_BYTE, 0, 20, 50, 0.01, 0.01, NULL, south_zero });
    test_raster((TestRaster){ "labels2", IMAGE, IMAGE, 1, TEST_BYTE, 0, 20, 50, 0.01, 0.01, NULL, three_classes });
    c.scenes[1].image = (char *)(uintptr_t)unit_at("other", path[0]);
    c.scenes[1].labels = (char *)(uintptr_t)unit_at("labels2", path[1]);
    c.scenes[1].split = SCENE_VALIDATION;
    c.o.n_scenes = 2;
    check(&c, ERR_NONE, NULL);
    assert_int_equal(validated_pixels(&c.o), IMAGE * IMAGE);
    c.holdout = (DatasetBox){ "corner", 22, 47, 23, 48 };
    c.o.n_holdout = 1;
    assert_int_equal(validated_pixels(&c.o), IMAGE * IMAGE - 100 * 100);
    c.o.n_holdout = 0;
    c.scenes[1].split = SCENE_HOLDOUT;
    c.scenes[1].labels = c.scenes[1].image = (char *)(uintptr_t)unit_at("missing", path[2]);
    check(&c, ERR_NONE, NULL);
    assert_int_equal(validated_pixels(&c.o), 0);
    const DatasetScene last = c.scenes[1]; /* the first scene that is opened is the second one */
    c.scenes[1] = c.scenes[0];
    c.scenes[0] = last;
    check(&c, ERR_NONE, NULL);
}

static float place_of(int64_t x, int64_t y, int64_t band) { return (float)(y * IMAGE + x + 0 * band); }

/* Marks the places of a window's labelled pixels: its image tells where they are. */
static void mark_places(const NetworkInputs *w, bool *marked)
{
    for (int64_t i = 0; i < (int64_t)SIDE * SIDE; i++)
        if (w->labels[i] != CLASS_IGNORE) marked[(int64_t)w->image[3 * i]] = true;
}

/* A fraction in blocks: what is validated is never learned, and the rest is. */
static void fraction(void **state)
{
    (void)state;
    static bool learned[IMAGE * IMAGE], validated[IMAGE * IMAGE];
    Case c;
    char path[256];
    Dataset *d = NULL;
    DatasetReader *r = NULL;
    int64_t n[2] = { 0 };
    make_case(&c);
    write_labels(three_classes, NULL);
    test_raster((TestRaster){ "places", IMAGE, IMAGE, 3, TEST_FLOAT, 0, 10, 50, 0.01, 0.01, NULL, place_of });
    c.scenes[0].image = (char *)(uintptr_t)unit_at("places", path);
    c.o.validation_fraction = 0.2;
    check(&c, ERR_NONE, "of 25 blocks with labels, ");
    const NetworkShape shape = { .batch = 1, .height = SIDE, .width = SIDE, .bands = 3 };
    NetworkInputs batch;
    ASSERT_OK(network_inputs_init(&shape, &batch));
    ASSERT_OK(dataset_open(&c.o, NULL, NULL, &d));
    ASSERT_OK(dataset_reader_new(d, &r));
    for (uint64_t i = 0; i < 40; i++) {
        ASSERT_OK(dataset_training_window(r, i, 0, NULL, network_inputs_at(&batch, 0)));
        mark_places(&batch, learned);
    }
    for (int64_t w = 0; w < dataset_validation_count(d); w++) {
        ASSERT_OK(dataset_validation_window(r, w, -1, NULL, network_inputs_at(&batch, 0)));
        mark_places(&batch, validated);
    }
    for (int64_t i = 0; i < IMAGE * IMAGE; i++) {
        assert_false(learned[i] && validated[i]);
        n[0] += learned[i];
        n[1] += validated[i];
    }
    assert_true(n[1] > IMAGE * IMAGE * 15 / 100 && n[1] < IMAGE * IMAGE * 25 / 100);
    assert_true(n[0] + n[1] > IMAGE * IMAGE * 99 / 100);
    assert_int_equal(validated_pixels(&c.o), n[1]);
    dataset_reader_free(r);
    dataset_close(d);
    network_inputs_done(&batch);
}

/* Writes an image whose values are places, and labels, both without a georeference. */
static void write_unplaced(int64_t label_rows)
{
    test_raster((TestRaster){ "places", IMAGE, IMAGE, 3, TEST_FLOAT, -1, 0, 0, 1, 1, NULL, place_of });
    test_raster((TestRaster){ "plain", IMAGE, label_rows, 1, TEST_BYTE, -1, 0, 0, 1, 1, NULL, three_classes });
}

/* Image and labels of one size match pixel by pixel where neither says where it lies. */
static void no_georeference(void **state)
{
    (void)state;
    Case c;
    char path[2][256];
    Dataset *d = NULL;
    DatasetReader *r = NULL;
    int64_t labelled = 0;
    make_case(&c);
    c.scenes[0].image = (char *)(uintptr_t)unit_at("places", path[0]);
    c.scenes[0].labels = (char *)(uintptr_t)unit_at("plain", path[1]);
    write_unplaced(IMAGE);
    check(&c, ERR_NONE, NULL);
    check(&c, ERR_NONE, "scene 's': neither image nor labels say where they lie, so they match pixel by pixel");
    const NetworkShape shape = { .batch = 1, .height = SIDE, .width = SIDE, .bands = 3 };
    NetworkInputs batch;
    ASSERT_OK(network_inputs_init(&shape, &batch));
    ASSERT_OK(dataset_open(&c.o, NULL, NULL, &d));
    ASSERT_OK(dataset_reader_new(d, &r));
    for (uint64_t step = 0; step < 4; step++) {
        ASSERT_OK(dataset_training_window(r, step, 0, NULL, network_inputs_at(&batch, 0)));
        for (int64_t i = 0; i < (int64_t)SIDE * SIDE; i++, labelled++) {
            const int64_t place = (int64_t)batch.image[3 * i];
            assert_int_equal(batch.labels[i], (int)three_classes(place % IMAGE, place / IMAGE, 0));
        }
    }
    assert_int_equal(labelled, 4 * SIDE * SIDE);
    dataset_reader_free(r);
    dataset_close(d);
    network_inputs_done(&batch);
    c.o.gsd = 0.02;
    check(&c, ERR_NONE, "pixels of the network of 0.02 degrees, outside model.gsd_min..gsd_max");
    c.o.gsd = 0.01;
    check(&c, ERR_NONE, NULL);
    c.o.n_holdout = 1;
    check(&c, ERR_NONE, "scene 's': without a place, so no box of data.holdout reaches them");
    c.holdout = (DatasetBox){ "everything", -180, -90, 180, 90 };
    check(&c, ERR_NONE, "without a place");
    c.o.n_holdout = 0;
    c.o.validation_fraction = 0.2;
    check(&c, ERR_NONE, NULL);
    write_unplaced(IMAGE - 1);
    check(&c, ERR_INPUT, "plain' (300 x 299) have no georeference and differ in size");
    c.scenes[0].labels = c.labels;
    write_labels(three_classes, NULL);
    check(&c, ERR_INPUT, "places': no georeference");
    c.scenes[0].labels = path[1];
    c.scenes[0].image = c.image;
    write_image(3, NULL);
    check(&c, ERR_INPUT, "plain': its labels cannot be placed");
}

static void splits_that_do_not_fit(void **state)
{
    (void)state;
    Case c;
    char path[2][256];
    make_case(&c);
    write_labels(three_classes, NULL);
    c.o.n_scenes = 2;
    c.scenes[1].split = SCENE_HOLDOUT;
    check(&c, ERR_NONE, "scenes 's' and 'again' have one image, though their split differs");
    c.scenes[1].split = SCENE_VALIDATION;
    c.scenes[1].image = (char *)(uintptr_t)unit_at("other", path[0]);
    c.scenes[1].labels = (char *)(uintptr_t)unit_at("labels2", path[1]);
    write_masked("other", zero);
    test_raster((TestRaster){ "labels2", IMAGE, IMAGE, 1, TEST_BYTE, 0, 10, 50, 0.01, 0.01, NULL, three_classes });
    check(&c, ERR_INPUT,
          "no valid pixel of an image has a label in the scenes of split validation ('again' is the first)");
    test_raster((TestRaster){ "labels2", IMAGE, IMAGE, 1, TEST_BYTE, 0, 10, 50, 0.01, 0.01, NULL, nothing });
    check(&c, ERR_INPUT, "no scene of split validation has a labelled pixel ('again' is the first)");
    test_raster((TestRaster){ "other", IMAGE, IMAGE, 3, TEST_BYTE, 0, 10, 50, 0.01, 0.01, NULL, grey });
    test_raster((TestRaster){ "labels2", IMAGE, IMAGE, 1, TEST_BYTE, 0, 10, 50, 0.01, 0.01, NULL, three_classes });
    write_labels(two_classes, NULL);
    check(&c, ERR_NONE, "class 'Water' (0): no training pixel, all their pixels are kept apart");
    write_labels(nothing, NULL);
    check(&c, ERR_CONFIG, "all labelled pixels are kept apart: 0 in the boxes of data.holdout, 90000 for validation");
    write_labels(three_classes, NULL);
    write_masked("image", zero);
    check(&c, ERR_INPUT, "no image to learn from has a valid pixel (scene 's' is the first)");
    write_image(3, NULL);
}

static void stops_when_asked(void **state)
{
    (void)state;
    Case c;
    const int stop = 1;
    Dataset *d = NULL;
    make_case(&c);
    write_labels(three_classes, NULL);
    const MetasegRun run = { .stop = &stop };
    ASSERT_ERR(dataset_open(&c.o, NULL, &run, &d), ERR_INTERRUPTED, "stopped while the labels were read");
}

/* FNV-1a of all that a window holds. */
static uint64_t hash_window(const NetworkInputs *w, int64_t side)
{
    uint64_t hash = 0xcbf29ce484222325U;
    const uint8_t *image = (const uint8_t *)w->image;
    for (size_t i = 0; i < (size_t)(side * side) * 12; i++) hash = (hash ^ image[i]) * 0x100000001b3U;
    for (size_t i = 0; i < (size_t)(side * side); i++) hash = (hash ^ w->labels[i]) * 0x100000001b3U;
    return hash;
}

/* 100 scenes with handles for a few: the same windows as with handles for more. */
static void more_scenes_than_handles(void **state)
{
    (void)state;
    enum { SCENES = 100, DRAWN = 20 };
    static DatasetScene scenes[SCENES];
    uint64_t hash[2][DRAWN];
    Case c;
    struct rlimit before;
    make_case(&c);
    write_labels(three_classes, NULL);
    for (int64_t i = 0; i < SCENES; i++) scenes[i] = c.scenes[0];
    c.o.scenes = scenes;
    c.o.n_scenes = SCENES;
    const NetworkShape shape = { .batch = 1, .height = SIDE, .width = SIDE, .bands = 3 };
    NetworkInputs batch;
    ASSERT_OK(network_inputs_init(&shape, &batch));
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    for (int64_t k = 0; k < 2; k++) {
        struct rlimit few = before;
        Dataset *d = NULL;
        DatasetReader *r = NULL;
        if (k == 1) few.rlim_cur = 160;
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
        ASSERT_OK(dataset_open(&c.o, NULL, NULL, &d));
        ASSERT_OK(dataset_reader_new(d, &r));
        for (uint64_t i = 0; i < DRAWN; i++) {
            const NetworkInputs w = network_inputs_at(&batch, 0);
            ASSERT_OK(dataset_training_window(r, i, 0, NULL, w));
            hash[k][i] = hash_window(&w, SIDE);
        }
        dataset_reader_free(r);
        dataset_close(d);
    }
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    assert_memory_equal(hash[0], hash[1], sizeof hash[0]);
    network_inputs_done(&batch);
}

/* A data set of many tiny pictures under a small limit of open files, with two readers at once. */
static void thousands_of_scenes(void **state)
{
    (void)state;
    enum { SCENES = 3000, TINY = 40, WINDOW = 32, DRAWN = 200 };
    static DatasetScene scenes[SCENES];
    Case c;
    struct rlimit before;
    Dataset *d = NULL;
    DatasetReader *readers[2] = { NULL };
    uint64_t hash[2][DRAWN];
    make_case(&c);
    test_raster((TestRaster){ "image", TINY, TINY, 3, TEST_BYTE, 0, 10, 50, 0.01, 0.01, NULL, grey });
    test_raster((TestRaster){ "labels", TINY, TINY, 1, TEST_BYTE, 0, 10, 50, 0.01, 0.01, NULL, three_classes });
    for (int64_t i = 0; i < SCENES; i++) {
        scenes[i] = c.scenes[0];
        if (i % 10 == 0) scenes[i].split = SCENE_VALIDATION;
    }
    c.o.scenes = scenes;
    c.o.n_scenes = SCENES;
    c.o.window = WINDOW;
    const NetworkShape shape = { .batch = 2, .height = WINDOW, .width = WINDOW, .bands = 3 };
    NetworkInputs batch;
    ASSERT_OK(network_inputs_init(&shape, &batch));
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    struct rlimit few = before;
    few.rlim_cur = 256;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
    ASSERT_OK(dataset_open(&c.o, NULL, NULL, &d));
    for (int64_t k = 0; k < 2; k++) ASSERT_OK(dataset_reader_new(d, &readers[k]));
    assert_int_equal(dataset_validation_count(d), SCENES / 10 * 4);
    for (uint64_t i = 0; i < DRAWN; i++) {
        for (int64_t k = 0; k < 2; k++) {
            const uint64_t step = k == 0 ? i : DRAWN - 1 - i;
            const NetworkInputs w = network_inputs_at(&batch, k);
            ASSERT_OK(dataset_training_window(readers[k], step, 0, NULL, w));
            hash[k][step] = hash_window(&w, WINDOW);
        }
        ASSERT_OK(dataset_validation_window(readers[1], (int64_t)i * 6, -1, NULL, network_inputs_at(&batch, 1)));
    }
    assert_memory_equal(hash[0], hash[1], sizeof hash[0]);
    for (int64_t k = 0; k < 2; k++) dataset_reader_free(readers[k]);
    dataset_close(d);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    network_inputs_done(&batch);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_to_tell),
        cmocka_unit_test(values_without_meaning),
        cmocka_unit_test(colors_without_a_class),
        cmocka_unit_test(classes_never_learned),
        cmocka_unit_test(validation),
        cmocka_unit_test(small_box),
        cmocka_unit_test(nothing_to_learn),
        cmocka_unit_test(invalid_images),
        cmocka_unit_test(valid_beside_the_grid),
        cmocka_unit_test(scenes_that_do_not_fit),
        cmocka_unit_test(tags_that_differ),
        cmocka_unit_test(splits),
        cmocka_unit_test(fraction),
        cmocka_unit_test(no_georeference),
        cmocka_unit_test(splits_that_do_not_fit),
        cmocka_unit_test(stops_when_asked),
        cmocka_unit_test(more_scenes_than_handles),
        cmocka_unit_test(thousands_of_scenes),
    };
    return cmocka_run_group_tests(tests, unit_set_up, unit_tear_down);
}
