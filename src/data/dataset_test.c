/* SPDX-License-Identifier: Apache-2.0
 * Windows of a made scene whose image tells its labels: whatever is drawn, turned or flipped, image and labels agree,
 * holdout places are never seen, and validation labels are never learned. */
#include "data/dataset.h"

#include "data/label_values.h"
#include "geo/raster_write.h"
#include "harness/unit.h"

#include <math.h>

enum { WIDTH = 900, HEIGHT = 600, FINER = 2, SIDE = 256, CLASSES = 3 };

/* Class of an image pixel: stripes 7 and 11 pixels wide; 0.1 degree per pixel from (-45, 30). */
static int class_at(int64_t x, int64_t y) { return (int)((x / 7 + y / 11) % CLASSES); }

/* Red tells the class, green the column, blue the row (coarsely). */
static void write_scene(void)
{
    char path[256];
    const double bounds[4] = { -45, -30, 45, 30 };
    const RasterWriteOptions image = { .path = unit_at("image.tif", path),
                                       .kind = RASTER_COLORS,
                                       .width = WIDTH,
                                       .height = HEIGHT,
                                       .bounds = bounds,
                                       .epsg = 4326,
                                       .overwrite = true };
    RasterWriter *writer = NULL;
    assert_int_equal(raster_writer_open(&image, &writer), ERR_NONE);
    uint8_t red[WIDTH];
    uint8_t green[WIDTH];
    uint8_t blue[WIDTH];
    for (int64_t y = 0; y < HEIGHT; y++) {
        for (int64_t x = 0; x < WIDTH; x++) {
            red[x] = (uint8_t)(40 + 80 * class_at(x, y));
            green[x] = (uint8_t)(x / 4);
            blue[x] = (uint8_t)(y / 4);
        }
        assert_int_equal(raster_writer_rows(writer, 1, (const uint8_t *const[]){ red, green, blue }, WIDTH), ERR_NONE);
    }
    assert_int_equal(raster_writer_finish(writer), ERR_NONE);
    unit_at("labels.tif", path);
    const RasterClass classes[CLASSES] = { { 10, "a", { 255, 0, 0 } },
                                           { 20, "b", { 0, 255, 0 } },
                                           { 30, "c", { 0, 0, 255 } } };
    const RasterWriteOptions labels = { .path = path,
                                        .kind = RASTER_CLASSES,
                                        .width = WIDTH * FINER,
                                        .height = HEIGHT * FINER,
                                        .bounds = bounds,
                                        .epsg = 4326,
                                        .classes = classes,
                                        .n_classes = CLASSES,
                                        .overwrite = true };
    assert_int_equal(raster_writer_open(&labels, &writer), ERR_NONE);
    static uint8_t row[WIDTH * FINER];
    for (int64_t y = 0; y < (int64_t)HEIGHT * FINER; y++) {
        for (int64_t x = 0; x < (int64_t)WIDTH * FINER; x++)
            row[x] = (uint8_t)(10 + 10 * class_at(x / FINER, y / FINER));
        assert_int_equal(raster_writer_rows(writer, 1, (const uint8_t *const[]){ row }, sizeof row), ERR_NONE);
    }
    assert_int_equal(raster_writer_finish(writer), ERR_NONE);
}

/* Labels of 10, 20, 30 are the classes 1, 2, 3. */
static DatasetOptions options(void)
{
    static char image[256], labels[256];
    static int32_t bands[] = { 1, 2, 3 };
    static double mean[] = { 0, 0, 0 }, std[] = { 1, 1, 1 };
    static DatasetScene scene = { .name = "s", .image = image, .labels = labels, .bands = bands, .n_bands = 3 };
    static DatasetClass classes[] = { { 1, "one", "#ff0000" }, { 2, "two", "#00ff00" }, { 3, "three", "#0000ff" } };
    static DatasetRemap remap[] = { { 10, 1 }, { 20, 2 }, { 30, 3 } };
    static DatasetBox holdout = { "h", -45, -30, -25, 30 }, validation = { "v", 10, -10, 30, 10 };
    unit_at("image.tif", image);
    unit_at("labels.tif", labels);
    return (DatasetOptions){ .scenes = &scene,
                             .n_scenes = 1,
                             .classes = classes,
                             .n_classes = CLASSES,
                             .remap = remap,
                             .n_remap = 3,
                             .ignore = 255,
                             .holdout = &holdout,
                             .n_holdout = 1,
                             .validation = &validation,
                             .n_validation = 1,
                             .gsd_min = 1,
                             .gsd_max = 2,
                             .window = SIDE,
                             .upsample = 1,
                             .mean = mean,
                             .std = std,
                             .n_mean = 3,
                             .n_std = 3,
                             .seed = 1,
                             .balance = 0.5,
                             .text_dropout = 0.15,
                             .flips = true,
                             .rotations = true };
}

static const NetworkShape shape = { .batch = 3, .height = SIDE, .width = SIDE, .bands = 3 };

static void check_window(const NetworkInputs *w, bool validation, int64_t *ret_ignored)
{
    for (int64_t i = 0; i < SIDE * SIDE; i++) {
        const float *p = &w->image[3 * i];
        const int expected = (int)lrintf((p[0] - 40.0F) / 80.0F);
        const double lon = -45.0 + 0.4 * (double)p[1]; /* west edge of the group of 4 columns */
        const double lat = 30.0 - 0.4 * (double)p[2];
        if (!validation) assert_true(lon > -25.5);
        if (w->labels[i] == CLASS_IGNORE) {
            (*ret_ignored)++;
            if (!validation) assert_true(lon >= 9.5 && lon <= 30.5 && lat >= -10.5 && lat <= 10.5);
            continue;
        }
        assert_int_equal(w->labels[i], expected);
        if (validation) assert_true(lon >= 9.5 && lon <= 30.5 && lat >= -10.5 && lat <= 10.5);
    }
}

static void test_windows(void **state)
{
    (void)state;
    const DatasetOptions config = options();
    Dataset *d = NULL;
    DatasetReader *r = NULL;
    ASSERT_OK(dataset_open(&config, NULL, NULL, &d));
    ASSERT_OK(dataset_reader_new(d, &r));
    double mean[3];
    double std[3];
    assert_int_equal(dataset_statistics(r, mean, std), ERR_NONE);
    dataset_set_statistics(d, mean, std);
    NetworkInputs batch;
    ASSERT_OK(network_inputs_init(&shape, &batch));
    const NetworkInputs w = network_inputs_at(&batch, 0);
    int64_t ignored = 0;
    for (uint64_t step = 0; step < 30; step++) {
        assert_int_equal(dataset_training_window(r, step, step % 3, NULL, w), ERR_NONE);
        check_window(&w, false, &ignored);
    }
    assert_true(ignored > 0); /* some windows reach into the validation box */
    assert_true(dataset_validation_count(d) >= 1);
    int64_t kept = 0;
    for (int64_t i = 0; i < dataset_validation_count(d); i++) {
        ignored = 0;
        assert_int_equal(dataset_validation_window(r, i, -1, NULL, w), ERR_NONE);
        check_window(&w, true, &ignored);
        kept += SIDE * SIDE - ignored;
    }
    assert_int_equal(kept, 200 * 200); /* every pixel of the box once */
    network_inputs_done(&batch);
    dataset_reader_free(r);
    dataset_close(d);
}

/* A network that reads which bands are there gets the same values, and that all are. */
static void test_presence(void **state)
{
    (void)state;
    const DatasetOptions config = options();
    NetworkShape with = shape;
    with.batch = 1;
    with.presence = true;
    Dataset *d = NULL;
    DatasetReader *r = NULL;
    NetworkInputs plain, both;
    ASSERT_OK(dataset_open(&config, NULL, NULL, &d));
    ASSERT_OK(dataset_reader_new(d, &r));
    ASSERT_OK(network_inputs_init(&with, &both));
    with.presence = false;
    ASSERT_OK(network_inputs_init(&with, &plain));
    for (uint64_t step = 0; step < 4; step++) {
        ASSERT_OK(dataset_training_window(r, step, 0, NULL, plain));
        ASSERT_OK(dataset_training_window(r, step, 0, NULL, both));
        for (int64_t i = 0; i < (int64_t)SIDE * SIDE; i++) {
            assert_memory_equal(both.image + 6 * i, plain.image + 3 * i, 3 * sizeof(float));
            for (int64_t b = 3; b < 6; b++) assert_true(both.image[6 * i + b] == 1.0F);
        }
        assert_memory_equal(plain.labels, both.labels, SIDE * SIDE);
    }
    network_inputs_done(&plain);
    network_inputs_done(&both);
    dataset_reader_free(r);
    dataset_close(d);
}

/* Values of missing bands are 0, others what they were; the reader's labels are the same whatever is drawn. */
static void check_missing(const NetworkInputs *image, const bool *there)
{
    for (int64_t i = 0; i < (int64_t)SIDE * SIDE; i++)
        for (int64_t b = 0; b < 3; b++) {
            assert_true(image->image[6 * i + 3 + b] == (there[b] ? 1.0F : 0.0F));
            if (!there[b]) assert_true(image->image[6 * i + b] == 0.0F);
        }
}

static void test_band_sets(void **state)
{
    (void)state;
    static char *names[] = { "green", "red" };
    DatasetBandSet set = { .bands = names, .n_bands = 2, .probability = 0.5 };
    DatasetOptions config = options();
    config.band_sets = &set;
    config.n_band_sets = 1;
    config.byte_scale = 2.0;
    config.stretch = 1.0;
    NetworkShape with = shape;
    with.batch = 1;
    with.presence = true;
    Dataset *d = NULL;
    DatasetReader *r = NULL;
    NetworkInputs image;
    ASSERT_OK(network_inputs_init(&with, &image));
    ASSERT_OK(dataset_open(&config, NULL, NULL, &d));
    ASSERT_OK(dataset_reader_new(d, &r));
    assert_int_equal(dataset_band_sets(d), 1);
    assert_string_equal(dataset_band_set_name(d, 0), "green+red");
    static const bool all[] = { true, true, true }, two[] = { true, true, false };
    int64_t missing = 0;
    for (uint64_t step = 0; step < 12; step++) {
        ASSERT_OK(dataset_training_window(r, step, 0, NULL, image));
        const bool drawn = image.image[5] == 0.0F;
        check_missing(&image, drawn ? two : all);
        missing += drawn;
        /* a picture of bytes, read back at 2 for each */
        for (int64_t i = 0; i < 6 * (int64_t)SIDE * SIDE; i++)
            if (i % 6 < 3) assert_true(fmodf(image.image[i], 2.0F) == 0.0F && image.image[i] <= 510.0F);
    }
    assert_true(missing > 0 && missing < 12);
    ASSERT_OK(dataset_validation_window(r, 0, -1, NULL, image));
    check_missing(&image, all);
    const float green = image.image[1];
    ASSERT_OK(dataset_validation_window(r, 0, 0, NULL, image));
    check_missing(&image, two);
    assert_true(image.image[1] == green); /* bytes twice 0..255 are their own plain picture */
    network_inputs_done(&image);
    dataset_reader_free(r);
    dataset_close(d);
    names[0] = "infrared";
    ASSERT_ERR(dataset_open(&config, NULL, NULL, &d), ERR_CONFIG, "is called 'infrared'");
    names[0] = "green";
}

/* A scene's cloud mask: its pixels are not valid, and nothing is learned there. */
static void test_mask(void **state)
{
    (void)state;
    char labels[256], values[] = "10";
    DatasetOptions config = options();
    config.scenes[0].mask = (char *)(uintptr_t)unit_at("labels.tif", labels); /* its value 10 is the first class */
    config.scenes[0].mask_values = values;
    Dataset *d = NULL;
    DatasetReader *r = NULL;
    NetworkInputs batch;
    ASSERT_OK(dataset_open(&config, NULL, NULL, &d));
    ASSERT_OK(dataset_reader_new(d, &r));
    ASSERT_OK(network_inputs_init(&shape, &batch));
    const NetworkInputs w = network_inputs_at(&batch, 0);
    int64_t learned = 0;
    for (uint64_t step = 0; step < 4; step++) {
        ASSERT_OK(dataset_training_window(r, step, 0, NULL, w));
        for (int64_t i = 0; i < (int64_t)SIDE * SIDE; i++) {
            assert_int_not_equal(w.labels[i], 0);
            learned += w.labels[i] != CLASS_IGNORE;
        }
    }
    assert_true(learned > 0);
    config.scenes[0].mask = config.scenes[0].mask_values = NULL;
    network_inputs_done(&batch);
    dataset_reader_free(r);
    dataset_close(d);
}

static void test_repeatable(void **state)
{
    (void)state;
    const DatasetOptions config = options();
    NetworkInputs batch;
    ASSERT_OK(network_inputs_init(&shape, &batch));
    const NetworkInputs first = network_inputs_at(&batch, 0), second = network_inputs_at(&batch, 1);
    const NetworkInputs other = network_inputs_at(&batch, 2);
    for (int64_t run = 0; run < 2; run++) {
        Dataset *d = NULL;
        DatasetReader *r = NULL;
        assert_int_equal(dataset_open(&config, NULL, NULL, &d), ERR_NONE);
        ASSERT_OK(dataset_reader_new(d, &r));
        if (run == 1) ASSERT_OK(dataset_training_window(r, 1, 0, NULL, other));
        ASSERT_OK(dataset_training_window(r, 17, 2, NULL, run == 0 ? first : second));
        if (run == 1) ASSERT_OK(dataset_training_window(r, 17, 2, NULL, other));
        dataset_reader_free(r);
        dataset_close(d);
    }
    assert_memory_equal(first.image, second.image, SIDE * SIDE * 3 * sizeof(float));
    assert_memory_equal(first.labels, second.labels, SIDE * SIDE);
    assert_memory_equal(other.image, first.image, SIDE * SIDE * 3 * sizeof(float));
    network_inputs_done(&batch);
}

/* Buffers of another size are an error, never written beyond. */
static void test_other_sizes(void **state)
{
    (void)state;
    const DatasetOptions config = options();
    Dataset *d = NULL;
    DatasetReader *r = NULL;
    ASSERT_OK(dataset_open(&config, NULL, NULL, &d));
    ASSERT_OK(dataset_reader_new(d, &r));
    const NetworkShape wrong[] = { { .batch = 1, .height = SIDE, .width = SIDE, .bands = 2 },
                                   { .batch = 1, .height = SIDE / 2, .width = SIDE, .bands = 3 },
                                   { .batch = 1, .height = SIDE, .width = 2 * SIDE, .bands = 3 },
                                   { .batch = 2, .height = SIDE, .width = SIDE, .bands = 3 },
                                   { 1, SIDE, SIDE, 3, .slots = 1, .tokens = 8, .text_width = 384, .null_tokens = 4 } };
    for (int64_t i = 0; i < ARRAY_LEN(wrong); i++) {
        NetworkInputs image;
        ASSERT_OK(network_inputs_init(&wrong[i], &image));
        ASSERT_ERR(dataset_training_window(r, 0, 0, NULL, image), ERR_SHAPE, "256");
        ASSERT_ERR(dataset_validation_window(r, 0, -1, NULL, image), ERR_SHAPE, "256");
        network_inputs_done(&image);
    }
    dataset_reader_free(r);
    dataset_close(d);
}

/* The same land as probabilities of 255 for the class that is there. */
static void write_probabilities(void)
{
    char path[256];
    const double bounds[4] = { -45, -30, 45, 30 };
    const RasterWriteOptions options = { .path = unit_at("probabilities.tif", path),
                                         .kind = RASTER_COLORS,
                                         .width = WIDTH,
                                         .height = HEIGHT,
                                         .bounds = bounds,
                                         .epsg = 4326,
                                         .overwrite = true };
    RasterWriter *writer = NULL;
    ASSERT_OK(raster_writer_open(&options, &writer));
    uint8_t row[CLASSES][WIDTH];
    for (int64_t y = 0; y < HEIGHT; y++) {
        for (int64_t c = 0; c < CLASSES; c++)
            for (int64_t x = 0; x < WIDTH; x++) row[c][x] = class_at(x, y) == c ? 255 : 0;
        ASSERT_OK(raster_writer_rows(writer, 1, (const uint8_t *const[]){ row[0], row[1], row[2] }, WIDTH));
    }
    ASSERT_OK(raster_writer_finish(writer));
}

/* Labels and their probabilities are turned and mirrored with the image. */
static void test_probabilities(void **state)
{
    (void)state;
    DatasetOptions config = options();
    char path[256];
    DatasetScene scene = config.scenes[0];
    write_probabilities();
    (void)unit_at("probabilities.tif", path);
    scene.labels = path;
    config.scenes = &scene;
    config.n_remap = 0;
    config.labels_kind = LABELS_PROBABILITIES;
    NetworkShape with = shape;
    with.label_classes = dataset_label_classes(&config);
    assert_int_equal(with.label_classes, CLASSES);
    NetworkInputs batch;
    Dataset *d = NULL;
    DatasetReader *r = NULL;
    ASSERT_OK(network_inputs_init(&with, &batch));
    ASSERT_OK(dataset_open(&config, NULL, NULL, &d));
    ASSERT_OK(dataset_reader_new(d, &r));
    int64_t labelled = 0;
    for (int64_t i = 0; i < with.batch; i++) {
        const NetworkInputs w = network_inputs_at(&batch, i);
        ASSERT_OK(dataset_training_window(r, 5, (uint64_t)i, NULL, w));
        for (int64_t p = 0; p < SIDE * SIDE; p++) {
            const int expected = (int)lrintf((w.image[3 * p] - 40.0F) / 80.0F);
            for (int c = 0; c < CLASSES; c++)
                assert_int_equal(w.label_probabilities[p * CLASSES + c], c == expected ? 255 : 0);
            if (w.labels[p] == CLASS_IGNORE) continue;
            assert_int_equal(w.labels[p], expected);
            labelled++;
        }
    }
    assert_true(labelled > SIDE * SIDE);
    dataset_reader_free(r);
    dataset_close(d);
    network_inputs_done(&batch);
}

/* The list of a surface relation is one number per band. (Bytes have no level: predict_inputs_test.c has the other types.) */
static void test_surface(void **state)
{
    (void)state;
    DatasetOptions config = options();
    Dataset *d = NULL;
    double two[] = { 0.5, 0.5 }, three[] = { 0.5, 0.5, 0.5 };
    config.surface_scale = two;
    config.n_surface_scale = 2;
    config.surface_offset = three;
    config.n_surface_offset = 3;
    ASSERT_ERR(dataset_open(&config, NULL, NULL, &d), ERR_CONFIG, "need 3 values each, one per band");
}

/* Statistics and windows are those of the transformed pixels. */
static void test_transform(void **state)
{
    (void)state;
    DatasetOptions config = options();
    Dataset *plain = NULL, *d = NULL;
    DatasetReader *plain_reader = NULL, *r = NULL;
    ASSERT_OK(dataset_open(&config, NULL, NULL, &plain));
    ASSERT_OK(dataset_reader_new(plain, &plain_reader));
    config.transform = MODEL_TRANSFORM_LOG;
    config.n_mean = config.n_std = 0;
    ASSERT_OK(dataset_open(&config, NULL, NULL, &d));
    ASSERT_OK(dataset_reader_new(d, &r));
    double mean[3], std[3];
    ASSERT_OK(dataset_statistics(r, mean, std));
    for (int b = 0; b < 3; b++) assert_true(mean[b] > 0.0 && mean[b] < log(1.0 + 0.005 * 255.0) && std[b] < 0.5);
    dataset_set_statistics(d, mean, std);
    NetworkInputs before, after;
    ASSERT_OK(network_inputs_init(&shape, &before));
    ASSERT_OK(network_inputs_init(&shape, &after));
    ASSERT_OK(dataset_training_window(plain_reader, 3, 0, NULL, network_inputs_at(&before, 0)));
    ASSERT_OK(dataset_training_window(r, 3, 0, NULL, network_inputs_at(&after, 0)));
    for (int64_t i = 0; i < SIDE * SIDE * 3; i++) {
        const double wanted = (log(1.0 + 0.005 * (double)before.image[i]) - mean[i % 3]) / std[i % 3];
        assert_true(fabs((double)after.image[i] - wanted) < 1e-5);
    }
    network_inputs_done(&before);
    network_inputs_done(&after);
    dataset_reader_free(plain_reader);
    dataset_reader_free(r);
    dataset_close(plain);
    dataset_close(d);
}

static void nothing_else_is_left(void **state)
{
    (void)state;
    unit_check_files((const char *const[]){ "image.tif", "labels.tif", "labels.tif.aux.xml", "labels.qml",
                                            "probabilities.tif", "half.tif", "half.tif.aux.xml", "half.qml" },
                     8);
}

/* The windows of `steps` steps, by what is asked for. */
typedef struct Drawn {
    int64_t jumps;     /* neighbours in a row that are far from each other in the scene */
    int64_t dominated; /* windows of one class to 0.9 */
    double columns;    /* of the scene that a row of 200 pixels in the middle of the first window crosses */
    int64_t ignored;
} Drawn;

static Drawn draw_windows(const DatasetOptions *config, uint64_t steps, bool exact)
{
    Dataset *d = NULL;
    DatasetReader *r = NULL;
    NetworkInputs batch;
    Drawn drawn = { 0 };
    ASSERT_OK(dataset_open(config, NULL, NULL, &d));
    ASSERT_OK(dataset_reader_new(d, &r));
    ASSERT_OK(network_inputs_init(&shape, &batch));
    const NetworkInputs w = network_inputs_at(&batch, 0);
    for (uint64_t step = 0; step < steps; step++) {
        int64_t counts[256] = { 0 };
        ASSERT_OK(dataset_training_window(r, step, 1, NULL, w));
        if (exact) check_window(&w, false, &drawn.ignored);
        for (int64_t i = 0; i < SIDE * SIDE; i++) {
            counts[w.labels[i]]++;
            if (i % SIDE > 0) drawn.jumps += fabsf(w.image[3 * i + 1] - w.image[3 * (i - 1) + 1]) > 3.0F;
        }
        for (int64_t c = 0; c < CLASSES; c++) drawn.dominated += (double)counts[c] > 0.9 * SIDE * SIDE;
        const float *middle = &w.image[3 * (SIDE / 2 * SIDE)];
        if (step == 0) drawn.columns = 4.0 * (double)(middle[3 * 228 + 1] - middle[3 * 28 + 1]);
    }
    network_inputs_done(&batch);
    dataset_reader_free(r);
    dataset_close(d);
    return drawn;
}

/* What is promised of windows holds of those that are put together of four, too. */
static void test_mosaics(void **state)
{
    (void)state;
    DatasetOptions config = options();
    config.flips = config.rotations = false;
    assert_true(draw_windows(&config, 6, true).jumps == 0);
    config.mosaic = 1.0;
    config.mosaic_side = SIDE;
    assert_true(draw_windows(&config, 6, true).jumps > 6 * SIDE / 2);
    config.mosaic_side = 100 * SIDE; /* windows far from where the four meet */
    assert_true(draw_windows(&config, 6, true).jumps == 0);
}

static void test_scales(void **state)
{
    (void)state;
    static double scales[] = { 2.0, 0.5 };
    DatasetOptions config = options();
    config.flips = config.rotations = false;
    config.n_scales = 1;
    for (int64_t i = 0; i < 2; i++) {
        config.scales = &scales[i];
        const double columns = draw_windows(&config, 2, false).columns;
        assert_true(fabs(columns - 200.0 / scales[i]) <= 8.0);
    }
    /* a pixel of a window twice as large is that of the label beneath: the class tells the colour wherever all around is of one class */
    config.scales = scales;
    Dataset *d = NULL;
    DatasetReader *r = NULL;
    NetworkInputs batch;
    int64_t looked = 0;
    ASSERT_OK(dataset_open(&config, NULL, NULL, &d));
    ASSERT_OK(dataset_reader_new(d, &r));
    ASSERT_OK(network_inputs_init(&shape, &batch));
    const NetworkInputs w = network_inputs_at(&batch, 0);
    ASSERT_OK(dataset_training_window(r, 3, 0, NULL, w));
    for (int64_t y = 6; y < SIDE - 6; y++)
        for (int64_t x = 6; x < SIDE - 6; x++) {
            bool one = true;
            for (int64_t k = 0; k < 169; k++)
                one = one && w.labels[(y - 6 + k / 13) * SIDE + x - 6 + k % 13] == w.labels[y * SIDE + x];
            if (!one || w.labels[y * SIDE + x] == CLASS_IGNORE) continue;
            looked++;
            assert_true(fabsf(w.image[3 * (y * SIDE + x)] - (float)(40 + 80 * w.labels[y * SIDE + x])) < 0.5F);
        }
    assert_true(looked > 100);
    network_inputs_done(&batch);
    dataset_reader_free(r);
    dataset_close(d);
}

/* Half of the scene is of one class: windows of it are drawn again where there is more to see. */
static void test_redraw(void **state)
{
    (void)state;
    char path[256];
    const RasterClass classes[CLASSES] = { { 1, "a", { 0 } }, { 2, "b", { 0 } }, { 3, "c", { 0 } } };
    const double bounds[4] = { -45, -30, 45, 30 };
    const RasterWriteOptions half = { .path = unit_at("half.tif", path),
                                      .kind = RASTER_CLASSES,
                                      .width = WIDTH,
                                      .height = HEIGHT,
                                      .bounds = bounds,
                                      .epsg = 4326,
                                      .classes = classes,
                                      .n_classes = CLASSES,
                                      .overwrite = true };
    RasterWriter *writer = NULL;
    uint8_t row[WIDTH];
    ASSERT_OK(raster_writer_open(&half, &writer));
    for (int64_t y = 0; y < HEIGHT; y++) {
        for (int64_t x = 0; x < WIDTH; x++) row[x] = (uint8_t)(x < WIDTH / 2 ? 1 : 1 + class_at(x, y));
        ASSERT_OK(raster_writer_rows(writer, 1, (const uint8_t *const[]){ row }, WIDTH));
    }
    ASSERT_OK(raster_writer_finish(writer));
    DatasetOptions config = options();
    config.scenes[0].labels = path;
    config.n_remap = config.n_holdout = config.n_validation = 0;
    config.balance = 0.0;
    const int64_t without = draw_windows(&config, 40, false).dominated;
    config.redraw_above = 0.9;
    const int64_t with = draw_windows(&config, 40, false).dominated;
    assert_true(without >= 8);
    assert_true(with == 0);
}

static int make_scene(void **state)
{
    (void)unit_set_up(state);
    write_scene();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_windows),         cmocka_unit_test(test_repeatable), cmocka_unit_test(test_presence),
        cmocka_unit_test(test_band_sets),       cmocka_unit_test(test_mask),       cmocka_unit_test(test_other_sizes),
        cmocka_unit_test(test_probabilities),   cmocka_unit_test(test_surface),    cmocka_unit_test(test_transform),
        cmocka_unit_test(test_mosaics),         cmocka_unit_test(test_scales),     cmocka_unit_test(test_redraw),
        cmocka_unit_test(nothing_else_is_left),
    };
    return cmocka_run_group_tests(tests, make_scene, unit_tear_down);
}
