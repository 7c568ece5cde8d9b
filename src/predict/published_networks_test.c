/* SPDX-License-Identifier: Apache-2.0
 * Checkpoints of published networks as their own trainings save them, converted and run: scores against those of the public code
 * (tools/golden/checkpoints.py), and the map of a GeoTIFF; fixed crops against those of the public program (tools/golden/crops.py), forty
 * readings of a tile against ttach (tools/golden/tta.py). */
#include "geo/geo_test.h"
#include "geo/raster.h"
#include "metaseg/predict.h"
#include "model/convert.h"
#include "model/model_file.h"
#include "network/segmenter.h"
#include "ops/ops.h"
#include "tensor_file/safetensors.h"

#include "harness/golden_checkpoint.h"

enum { SIDE = 256, UNSURE = 255, CLASS_STEP = 4 };

/* A published checkpoint and what our model says of it. */
typedef struct Case {
    const char *name, *encoder, *decoder;
    int32_t bands, classes;
    double mean, std; /* of the second band */
    bool plain;       /* bytes divided by 255, which its file does not say */
} Case;

static const Case cases[] = {
    { "geoseg_unetformer", "resnet18", "unetformer", 3, 7, 116.28, 57.12, false },
    { "smp_resnet18", "resnet18", "unet", 3, 5, 116.28, 57.12, false },
    { "smp_lite0", "efficientnet_lite0_smp", "unet", 3, 5, 116.28, 57.12, false },
    { "smp_lite3", "efficientnet_lite3_smp", "unet", 3, 5, 116.28, 57.12, false },
    { "smp_timm_resnet18", "resnet18", "unet", 3, 5, 116.28, 57.12, false },
    { "torchgeo_resnet50", "resnet50", "unet", 4, 6, 0.0, 255.0, true },
    { "flair1_resnet34", "resnet34", "unet", 5, 19, 110.87, 45.38, false },
};

static char image_path[256], model_path[256];

/* The image of bytes, [SIDE][SIDE][bands], and a raster of it. */
static float *make_image(const Case *c)
{
    static const char *const options[] = { "PHOTOMETRIC=MINISBLACK", "ALPHA=NO", NULL };
    char name[96];
    const int64_t n = (int64_t)SIDE * SIDE * c->bands;
    float *values = malloc((size_t)n * sizeof *values);
    assert_non_null(values);
    (void)snprintf(name, sizeof name, "%s.image", c->name);
    golden_checkpoint_bytes(name, values, n);
    test_raster(image_path,
                (TestRaster){ .width = SIDE, .height = SIDE, .bands = c->bands, .values = values, .options = options });
    return values;
}

/* The largest difference of the network's scores at full size, relative to the largest score. */
static double scores_difference(const TensorFile *golden, const Model *model, const float *image)
{
    const NetworkShape shape = segmenter_shape(&model->config.network, 1, SIDE);
    ProgramOptions options = program_options_defaults();
    Program *program = NULL;
    Graph *g = NULL;
    Segmenter net;
    ASSERT_OK(graph_new(model->params, false, &g));
    segmenter_build(g, &model->config.network, &shape, NULL, &net);
    const int32_t stride = model->config.network.output_stride;
    graph_output(g, "scores", stride > 1 ? op_resize_bilinear(g, net.logits, stride) : net.logits);
    ASSERT_OK(graph_finish(g));
    ASSERT_OK(program_compile(g, model->params, &options, &program));
    graph_free(g);
    const Tensor to = program_tensor(program, "image");
    for (int64_t i = 0; i < shape_count(&to.shape); i++) {
        const ModelBand *band = &model->config.bands[i % shape.bands];
        ((float *)to.data)[i] = (float)(((double)image[i] * band->scale - band->mean) / band->std);
    }
    ASSERT_OK(program_forward(program, 0));
    const double difference = golden_checkpoint_difference(golden, program_tensor(program, "scores"));
    program_free(program);
    return difference;
}

/* The map is the public code's wherever that was sure. */
static void check_map(const TensorFile *golden)
{
    MetasegModel *model = NULL;
    MetasegPredictOptions options = metaseg_predict_options_defaults();
    const MetasegRun run = { 0 };
    const StoredTensor *classes = NULL;
    Raster *raster = NULL;
    char out[256];
    uint8_t want[SIDE / CLASS_STEP][SIDE / CLASS_STEP];
    float *got = malloc(sizeof(float[SIDE][SIDE]));
    uint8_t *valid = malloc(sizeof(uint8_t[SIDE][SIDE]));
    assert_true(got != NULL && valid != NULL);
    options.tile = SIDE;
    options.overwrite = true;
    ASSERT_OK((Err)metaseg_model_load(model_path, &run, &model));
    ASSERT_OK((Err)metaseg_predict_raster(model, image_path, unit_at("map.tif", out), &options, NULL));
    metaseg_model_free(model);
    ASSERT_OK(raster_open(out, NULL, &raster));
    ASSERT_OK(raster_read(raster, (RasterWindow){ .columns = SIDE, .rows = SIDE }, got, valid));
    raster_close(raster);
    ASSERT_OK(
        tensor_file_require(golden, "classes", &(Shape){ 2, { SIDE / CLASS_STEP, SIDE / CLASS_STEP } }, &classes));
    ASSERT_OK(stored_tensor_copy(classes, want));
    int64_t sure = 0;
    for (int y = 0; y < SIDE; y += CLASS_STEP) {
        for (int x = 0; x < SIDE; x += CLASS_STEP) {
            const uint8_t code = want[y / CLASS_STEP][x / CLASS_STEP];
            if (code == UNSURE) continue;
            if (got[y * SIDE + x] != (float)code)
                fail_msg("pixel %d, %d is %g instead of %d", x, y, (double)got[y * SIDE + x], code);
            sure++;
        }
    }
    assert_true(sure > SIDE * SIDE / CLASS_STEP / CLASS_STEP * 9 / 10);
    free(got);
    free(valid);
}

static void check_case(const Case *c)
{
    static const double zero[] = { 0.0, 0.0, 0.0, 0.0 }, whole[] = { 255.0, 255.0, 255.0, 255.0 };
    char path[256], name[96];
    ConvertReport report = { 0 };
    ConvertOptions options = convert_options_defaults();
    Model *model = NULL;
    (void)snprintf(name, sizeof name, "published/checkpoint_%s.safetensors", c->name);
    TensorFile *golden = golden_open(name);
    golden_checkpoint_write(golden, unit_at("state.safetensors", path));
    float *image = make_image(c);
    options.overwrite = true;
    if (c->plain) {
        options.means = zero;
        options.stds = whole;
        options.n_means = options.n_stds = c->bands;
    }
    ASSERT_OK(convert_file(path, model_path, &options, &report));
    assert_int_equal(report.kind, CONVERT_NETWORK);
    ASSERT_OK(model_load(model_path, false, &model));
    const ModelConfig *config = &model->config;
    assert_string_equal(network_encoder_names[config->network.encoder], c->encoder);
    assert_string_equal(network_decoder_names[config->network.decoder], c->decoder);
    assert_int_equal(config->network.n_bands, c->bands);
    assert_int_equal(config->network.n_classes, c->classes);
    assert_true(config->bands[1].mean == c->mean && config->bands[1].std == c->std);
    const double difference = scores_difference(golden, model, image);
    print_message("%s (%s): scores differ by %.1e of the largest\n", c->name, report.title, difference);
    assert_true(difference <= 1e-4);
    model_free(model);
    free(image);
    check_map(golden);
    tensor_file_close(golden);
}

static void converts_and_maps(void **state)
{
    (void)state;
    for (int64_t i = 0; i < ARRAY_LEN(cases); i++) check_case(&cases[i]);
}

/* ---- crops ---- */

enum { CROPS_HEIGHT = 260, CROPS_WIDTH = 420, CROP = 256, CROPS_STEP = 3, SURE_STEP = 4 };
enum { CROPS_PIXELS = CROPS_HEIGHT * CROPS_WIDTH };

static void read_band(const char *path, float *values)
{
    Raster *raster = NULL;
    uint8_t *valid = malloc(CROPS_PIXELS);
    assert_non_null(valid);
    ASSERT_OK(raster_open(path, NULL, &raster));
    ASSERT_OK(raster_read(raster, (RasterWindow){ .columns = CROPS_WIDTH, .rows = CROPS_HEIGHT }, values, valid));
    raster_close(raster);
    free(valid);
}

/* How many of the pixels that the public code was sure of have another class, and how far the confidence is off. */
static int64_t compare_crops(const TensorFile *golden, const float *classes, const float *confidence,
                             double *ret_confidence)
{
    enum {
        ROWS = (CROPS_HEIGHT + CROPS_STEP - 1) / CROPS_STEP,
        COLUMNS = (CROPS_WIDTH + CROPS_STEP - 1) / CROPS_STEP,
        SURE_ROWS = (ROWS + SURE_STEP - 1) / SURE_STEP,
        SURE_COLUMNS = (COLUMNS + SURE_STEP - 1) / SURE_STEP
    };
    static uint8_t want[ROWS][COLUMNS];
    static float sure[SURE_ROWS][SURE_COLUMNS];
    const StoredTensor *stored = NULL;
    int64_t wrong = 0;
    ASSERT_OK(tensor_file_require(golden, "classes", &(Shape){ 2, { ROWS, COLUMNS } }, &stored));
    ASSERT_OK(stored_tensor_copy(stored, want));
    ASSERT_OK(tensor_file_require(golden, "confidence", &(Shape){ 2, { SURE_ROWS, SURE_COLUMNS } }, &stored));
    ASSERT_OK(stored_tensor_copy(stored, sure));
    *ret_confidence = 0.0;
    for (int64_t y = 0; y < ROWS; y++) {
        for (int64_t x = 0; x < COLUMNS; x++) {
            const int64_t at = y * CROPS_STEP * CROPS_WIDTH + x * CROPS_STEP;
            wrong += want[y][x] != UNSURE && classes[at] != (float)want[y][x];
            if (y % SURE_STEP != 0 || x % SURE_STEP != 0) continue;
            const double off = fabs((double)confidence[at] - 254.0 * (double)sure[y / SURE_STEP][x / SURE_STEP]);
            if (!(off <= *ret_confidence)) *ret_confidence = off;
        }
    }
    return wrong;
}

static MetasegModel *load_crops(float *image)
{
    char path[256];
    ConvertReport report = { 0 };
    ConvertOptions options = convert_options_defaults();
    const MetasegRun run = { 0 };
    MetasegModel *model = NULL;
    TensorFile *checkpoint = golden_open("published/checkpoint_geoseg_unetformer.safetensors");
    golden_checkpoint_write(checkpoint, unit_at("state.safetensors", path));
    tensor_file_close(checkpoint);
    options.overwrite = true;
    ASSERT_OK(convert_file(path, model_path, &options, &report));
    golden_checkpoint_bytes("crops.image", image, CROPS_PIXELS * 3);
    test_raster(image_path, (TestRaster){ .width = CROPS_WIDTH, .height = CROPS_HEIGHT, .bands = 3, .values = image });
    ASSERT_OK((Err)metaseg_model_load(model_path, &run, &model));
    return model;
}

/* GeoSeg's own program cuts, maps and joins an image that is no multiple of the crop. */
static void crops_are_those_of_geoseg(void **state)
{
    (void)state;
    char out[256], sure[256];
    double off = 0.0;
    float *image = malloc(sizeof(float[CROPS_PIXELS * 3])), *classes = malloc(sizeof(float[CROPS_PIXELS]));
    float *confidence = malloc(sizeof(float[CROPS_PIXELS]));
    uint8_t *codes = malloc(CROPS_PIXELS);
    if (image == NULL || classes == NULL || confidence == NULL || codes == NULL) abort();
    TensorFile *golden = golden_open("published/crops_geoseg_unetformer.safetensors");
    MetasegModel *model = load_crops(image);
    MetasegPredictOptions options = metaseg_predict_options_defaults();
    MetasegPredictReport report;
    options.crops = CROP;
    options.overwrite = true;
    options.confidence = unit_at("confidence.tif", sure);
    ASSERT_OK((Err)metaseg_predict_raster(model, image_path, unit_at("map.tif", out), &options, &report));
    assert_int_equal(report.tiles, 4);
    read_band(out, classes);
    read_band(sure, confidence);
    assert_int_equal(compare_crops(golden, classes, confidence, &off), 0);
    print_message("crops: confidence differs by %.3f of 254\n", off);
    assert_true(off <= 0.53); /* rounded to whole numbers */
    ASSERT_OK((Err)metaseg_predict_pixels(model, image, NULL, CROPS_WIDTH, CROPS_HEIGHT, &options, codes, NULL, NULL));
    for (int64_t i = 0; i < CROPS_PIXELS; i++) assert_true(classes[i] == (float)codes[i]);
    /* tiles of the same size lie elsewhere and mirror the image at its border */
    options.crops = 0;
    options.tile = CROP;
    options.overlap = 0;
    ASSERT_OK((Err)metaseg_predict_raster(model, image_path, out, &options, NULL));
    read_band(out, classes);
    assert_true(compare_crops(golden, classes, confidence, &off) > CROPS_PIXELS / CROPS_STEP / CROPS_STEP / 10);
    options.crops = CROP;
    ASSERT_ERR(metaseg_predict_raster(model, image_path, out, &options, NULL), ERR_ARGUMENT, "expected no --tile");
    options.tile = 0;
    options.crops = 200;
    ASSERT_ERR(metaseg_predict_raster(model, image_path, out, &options, NULL), ERR_ARGUMENT, "crops of 200 pixels");
    options.crops = CROP;
    options.overlap = -1;
    options.resolution = 2.0;
    ASSERT_ERR(metaseg_predict_raster(model, image_path, out, &options, NULL), ERR_ARGUMENT, "go without --crops");
    metaseg_model_free(model);
    tensor_file_close(golden);
    free(image);
    free(classes);
    free(confidence);
    free(codes);
}

/* ---- readings ---- */

enum { READ_STEP = 12, READ_SIDE = (SIDE - READ_STEP / 2 + READ_STEP - 1) / READ_STEP, READ_CLASSES = 5 };

/* The largest difference to ttach's mean of 40 readings, in bytes. */
static double reading_difference(MetasegModel *model, const TensorFile *golden, const float *image, MetasegTta tta)
{
    static float want[READ_SIDE][READ_SIDE][READ_CLASSES];
    static uint8_t classes[SIDE][SIDE], got[SIDE][SIDE][READ_CLASSES];
    const StoredTensor *stored = NULL;
    MetasegPredictOptions options = metaseg_predict_options_defaults();
    double worst = 0.0;
    options.tile = SIDE;
    options.tta = tta;
    ASSERT_OK(
        tensor_file_require(golden, "probabilities", &(Shape){ 3, { READ_SIDE, READ_SIDE, READ_CLASSES } }, &stored));
    ASSERT_OK(stored_tensor_copy(stored, want));
    ASSERT_OK(
        (Err)metaseg_predict_pixels(model, image, NULL, SIDE, SIDE, &options, &classes[0][0], NULL, &got[0][0][0]));
    for (int y = 0; y < READ_SIDE; y++)
        for (int x = 0; x < READ_SIDE; x++)
            for (int c = 0; c < READ_CLASSES; c++) {
                const int byte = got[READ_STEP / 2 + y * READ_STEP][READ_STEP / 2 + x * READ_STEP][c];
                worst = fmax(worst, fabs((double)byte - 254.0 * (double)want[y][x][c]));
            }
    return worst;
}

/* GeoSeg's forty readings of a Vaihingen crop, by ttach. */
static void readings_are_those_of_ttach(void **state)
{
    (void)state;
    char path[256];
    static float image[SIDE][SIDE][3];
    ConvertReport report = { 0 };
    ConvertOptions options = convert_options_defaults();
    MetasegModel *model = NULL;
    TensorFile *checkpoint = golden_open("published/checkpoint_smp_resnet18.safetensors");
    TensorFile *golden = golden_open("published/tta_smp_resnet18.safetensors");
    golden_checkpoint_write(checkpoint, unit_at("state.safetensors", path));
    options.overwrite = true;
    ASSERT_OK(convert_file(path, model_path, &options, &report));
    for (int y = 0; y < SIDE; y++)
        for (int x = 0; x < SIDE; x++)
            for (int b = 0; b < 3; b++)
                image[y][x][b] = (float)((x / 40 * 97 + y / 28 * 61 + b * 83 + x * y / 512) % 256);
    ASSERT_OK((Err)metaseg_model_load(model_path, &(MetasegRun){ 0 }, &model));
    const double worst = reading_difference(model, golden, &image[0][0][0], METASEG_TTA_D4_MS);
    print_message("40 readings: probabilities differ by %.3f of 254\n", worst);
    assert_true(worst <= 0.53); /* rounded to whole numbers */
    assert_true(reading_difference(model, golden, &image[0][0][0], METASEG_TTA_D4) > 1.0);
    assert_true(reading_difference(model, golden, &image[0][0][0], METASEG_TTA_LR_MS) > 0.6);
    metaseg_model_free(model);
    tensor_file_close(golden);
    tensor_file_close(checkpoint);
}

static int set_up(void **state)
{
    if (unit_set_up(state) != 0) return -1;
    (void)unit_at("image.tif", image_path);
    (void)unit_at("model.safetensors", model_path);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(converts_and_maps),
                                        cmocka_unit_test(crops_are_those_of_geoseg),
                                        cmocka_unit_test(readings_are_those_of_ttach) };
    return cmocka_run_group_tests(tests, set_up, unit_tear_down);
}
