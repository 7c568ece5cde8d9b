/* SPDX-License-Identifier: Apache-2.0
 * Checkpoints of published networks as their own trainings save them, converted and run: scores against those of the public code
 * (tools/golden/checkpoints.py), and the map of a GeoTIFF. */
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

static int set_up(void **state)
{
    if (unit_set_up(state) != 0) return -1;
    (void)unit_at("image.tif", image_path);
    (void)unit_at("model.safetensors", model_path);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(converts_and_maps) };
    return cmocka_run_group_tests(tests, set_up, unit_tear_down);
}
