/* SPDX-License-Identifier: Apache-2.0
 * A network of FLAIR-HUB as its own code makes it (tools/golden/convert_flair_hub.py), with random weights: converted, its scores are
 * the public ones, and so is the map of a GeoTIFF. */
#include "data/class_table.h"
#include "geo/geo_test.h"
#include "harness/golden_checkpoint.h"
#include "metaseg/predict.h"
#include "model/convert.h"
#include "model/model_file.h"
#include "network/segmenter.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SIDE = 512, BANDS = 4, CLASSES = 19, SCORE_STEP = 32, CLASS_STEP = 8, UNSURE = 255 };
static const double tolerance = 1e-4;

/* ---- scores and map ---- */

static void check_scores(const TensorFile *golden, const Model *model, const float *image)
{
    static const int from[] = { 3, 0, 1 }; /* nir, red, green */
    const NetworkShape shape = segmenter_shape(&model->config.network, 1, SIDE);
    const ProgramOptions options = program_options_defaults();
    const StoredTensor *stored = NULL;
    Program *program = NULL;
    ASSERT_OK(segmenter_compile(model->params, &model->config.network, &shape, NULL, &options, &program));
    float *x = program_tensor(program, "image").data;
    for (int64_t p = 0; p < (int64_t)SIDE * SIDE; p++)
        for (int b = 0; b < 3; b++)
            x[p * 3 + b] = (float)(((double)image[p * BANDS + from[b]] - model->config.bands[b].mean) /
                                   model->config.bands[b].std);
    ASSERT_OK(program_forward(program, 0));
    const Tensor scores = program_tensor(program, "logits");
    const Shape some = shape3(SIDE / SCORE_STEP, SIDE / SCORE_STEP, CLASSES);
    assert_int_equal(shape_count(&scores.shape), (int64_t)SIDE * SIDE * CLASSES);
    float *want = malloc((size_t)shape_count(&some) * sizeof *want);
    assert_non_null(want);
    ASSERT_OK(tensor_file_require(golden, "scores", &some, &stored));
    ASSERT_OK(stored_tensor_read_f32(stored, want));
    double largest = 0.0, difference = 0.0;
    for (int64_t i = 0; i < shape_count(&some); i++) {
        const int64_t y = i / CLASSES / some.dim[1] * SCORE_STEP + SCORE_STEP / 2;
        const int64_t at = (y * SIDE + i / CLASSES % some.dim[1] * SCORE_STEP + SCORE_STEP / 2) * CLASSES + i % CLASSES;
        largest = fmax(largest, fabs((double)want[i]));
        difference = fmax(difference, fabs((double)want[i] - (double)((const float *)scores.data)[at]));
    }
    free(want);
    const double used =
        golden_compare(golden, "scores.summary", "scores", scores.data, shape_count(&scores.shape), 8, tolerance);
    print_message(
        "largest difference to the public scores: %.2g of the largest; all of them: %.1f %% of the tolerance\n",
        difference / largest, 100.0 * used);
    assert_true(difference <= tolerance * largest && used <= 1.0);
    program_free(program);
}

static void check_map(const TensorFile *golden, const char *model_path, const float *image)
{
    static const double transform[6] = { 650000.0, 0.2, 0.0, 6860000.0, 0.0, -0.2 };
    MetasegPredictOptions options = metaseg_predict_options_defaults();
    MetasegModel *model = NULL;
    const StoredTensor *stored = NULL;
    char in[256], out[256];
    static uint8_t map[SIDE * SIDE], want[SIDE / CLASS_STEP * SIDE / CLASS_STEP];
    test_raster(
        unit_at("image.tif", in),
        (TestRaster){
            .width = SIDE, .height = SIDE, .bands = BANDS, .geotransform = transform, .epsg = 2154, .values = image });
    options.bands = "4,1,2";
    ASSERT_OK((Err)metaseg_model_load(model_path, NULL, &model));
    ASSERT_OK((Err)metaseg_predict_raster(model, in, unit_at("map.tif", out), &options, NULL));
    metaseg_model_free(model);
    const GDALDatasetH d = GDALOpen(out, GA_ReadOnly);
    assert_non_null(d);
    assert_int_equal(GDALRasterIO(GDALGetRasterBand(d, 1), GF_Read, 0, 0, SIDE, SIDE, map, SIDE, SIDE, GDT_Byte, 0, 0),
                     CE_None);
    GDALClose(d);
    const Shape some = shape2(SIDE / CLASS_STEP, SIDE / CLASS_STEP);
    ASSERT_OK(tensor_file_require(golden, "classes", &some, &stored));
    ASSERT_OK(stored_tensor_copy(stored, want));
    int64_t sure = 0;
    for (int64_t i = 0; i < shape_count(&some); i++) {
        if (want[i] == UNSURE) continue;
        sure++;
        assert_int_equal(map[i / some.dim[1] * CLASS_STEP * SIDE + i % some.dim[1] * CLASS_STEP], want[i]);
    }
    assert_true(sure > 4000);
}

/* Converts the network of a golden file, and loads it; ret_path: of the model. */
static TensorFile *convert(const char *name, const ConvertOptions *options, ConvertReport *ret_report,
                           char ret_path[256], Model **ret_model)
{
    char in[256], golden_name[64];
    (void)snprintf(golden_name, sizeof golden_name, "published/%s.safetensors", name);
    TensorFile *golden = golden_open(golden_name);
    golden_checkpoint_write(golden, unit_at("published.safetensors", in));
    ASSERT_OK(convert_file(in, unit_at("model.safetensors", ret_path), options, ret_report));
    ASSERT_OK(model_load(ret_path, false, ret_model));
    return golden;
}

/* What the golden networks read: bytes. */
static float *golden_image(void)
{
    float *image = malloc(sizeof(float) * SIDE * SIDE * BANDS);
    assert_non_null(image);
    golden_checkpoint_bytes("flair_hub.image", image, (int64_t)SIDE * SIDE * BANDS);
    return image;
}

static ConvertOptions overwriting(void)
{
    ConvertOptions options = convert_options_defaults();
    options.overwrite = true;
    return options;
}

/* As in the class table for training. */
static void check_classes(const Model *model)
{
    ClassTable table = { 0 };
    ASSERT_OK(class_table_load(METASEG_SOURCE_DIR "/share/classes/flair_hub.yaml", &table));
    assert_int_equal(table.n_classes, CLASSES);
    for (int32_t i = 0; i < CLASSES; i++) {
        char color[16];
        (void)snprintf(color, sizeof color, "#%06x", (unsigned)model->config.classes[i].color);
        assert_int_equal(model->config.classes[i].code, table.classes[i].value);
        assert_string_equal(model->config.classes[i].name, table.classes[i].name);
        assert_string_equal(color, table.classes[i].color);
    }
    class_table_done(&table);
}

static void same_as_the_public_network(void **state)
{
    (void)state;
    char out[256];
    Model *model = NULL;
    ConvertReport report = { 0 };
    const ConvertOptions options = overwriting();
    TensorFile *golden = convert("flair_hub", &options, &report, out, &model);
    float *image = golden_image();
    assert_int_equal(report.kind, CONVERT_NETWORK);
    assert_string_equal(report.title, "FLAIR-HUB, aerial land cover");
    assert_int_equal(model->config.network.encoder, NETWORK_ENCODER_convnextv2_atto);
    assert_int_equal(model->config.network.n_classes, CLASSES);
    check_classes(model);
    assert_string_equal(model->config.bands[0].name, "nir");
    check_scores(golden, model, image);
    model_free(model);
    check_map(golden, out, image);
    free(image);
    tensor_file_close(golden);
}

/* With a Swin encoder, whose sides of 128 to 16 are no multiples of its window. */
static void swin(void **state)
{
    (void)state;
    char out[256];
    Model *model = NULL;
    ConvertReport report = { 0 };
    const ConvertOptions options = overwriting();
    TensorFile *golden = convert("flair_hub_swin", &options, &report, out, &model);
    float *image = golden_image();
    assert_int_equal(model->config.network.encoder, NETWORK_ENCODER_swin_t);
    check_scores(golden, model, image);
    model_free(model);
    free(image);
    tensor_file_close(golden);
}

/* Bands that the user names have their own statistics. */
static void bands_by_name(void **state)
{
    (void)state;
    static const char *const names[] = { "red", "green", "blue" };
    char out[256];
    Model *model = NULL;
    ConvertReport report = { 0 };
    ConvertOptions options = overwriting();
    options.bands = names;
    options.n_bands = 3;
    TensorFile *golden = convert("flair_hub", &options, &report, out, &model);
    assert_string_equal(model->config.bands[0].name, "red");
    assert_true(model->config.bands[0].mean == 105.66 && model->config.bands[0].std == 52.23);
    model_free(model);
    tensor_file_close(golden);
}

static void other_tensors(void **state)
{
    (void)state;
#define ENCODER_TENSOR(name) "model.encoders.AERIAL_RGBI.seg_model.model." name
#define DECODER_TENSOR(name) "model.main_decoders.AERIAL_LABEL-COSIA.seg_model.decoder." name
    static const struct {
        GoldenChange change;
        const char *message;
    } cases[] = {
        { { .name = ENCODER_TENSOR("stages_2.blocks.3.norm.weight") }, "stages.2.blocks.3.norm.weight" },
        { { .name = DECODER_TENSOR("fpn_stages.1.skip_conv.1.bias") }, "fpn_stages.1.skip_conv.1.bias" },
        { { .name = DECODER_TENSOR("psp.blocks.2.1.0.weight"), .rows = 81 }, "psp.blocks.2.1.0.weight" },
        { { .name = ENCODER_TENSOR("stem_1.bias"), .renamed = "model.encoders.SENTINEL2_TS.in_conv.conv.conv.0.bias" },
          "SENTINEL2_TS" },
        { { .name = "model.fusion_handler.conv_f.0.bias", .renamed = DECODER_TENSOR("psp.blocks.4.1.0.weight") },
          "psp.blocks.4.1.0.weight" },
    };
    char in[256], out[256];
    TensorFile *golden = golden_open("published/flair_hub.safetensors");
    const ConvertOptions options = convert_options_defaults();
    ConvertReport report = { 0 };
    for (int64_t i = 0; i < ARRAY_LEN(cases); i++) {
        golden_checkpoint_write_changed(golden, &cases[i].change, unit_at("spoilt.safetensors", in));
        ASSERT_ERR(convert_file(in, unit_at("none.safetensors", out), &options, &report), ERR_MODEL, cases[i].message);
    }
    tensor_file_close(golden);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(same_as_the_public_network), cmocka_unit_test(swin),
                                        cmocka_unit_test(bands_by_name), cmocka_unit_test(other_tensors) };
    return cmocka_run_group_tests(tests, unit_set_up, unit_tear_down);
}
