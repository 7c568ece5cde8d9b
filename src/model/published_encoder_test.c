/* SPDX-License-Identifier: Apache-2.0
 * Files that hold an image encoder beside other things, as public code saves them (tools/golden/encoder_files.py), converted: what was
 * left out is told, and the maps are those of the public code. */
#include "model/convert.h"
#include "model/model_file.h"
#include "network/encoder.h"

#include "harness/golden_checkpoint.h"
#include "harness/golden_published.h"

typedef struct Case {
    const char *name, *title, *left_out;
    NetworkEncoder encoder;
    int32_t bands;
} Case;

static const Case cases[] = {
    { "torchvision_resnet18", "image encoder ResNet-18", "fc (2 tensors)", NETWORK_ENCODER_resnet18, 3 },
    { "satlas_swin", "image encoder Swin Transformer V2 T, 9 bands",
      "backbone.backbone.norm (2 tensors), backbone.backbone.head (2 tensors), intermediates (24 tensors), heads (4 "
      "tensors)",
      NETWORK_ENCODER_swin_v2_t, 9 },
    { "satlas_images", "image encoder Swin Transformer V2 T",
      "backbone.backbone.backbone.norm (2 tensors), backbone.backbone.backbone.head (2 tensors), fpn (16 tensors), "
      "upsample (8 "
      "tensors) and others",
      NETWORK_ENCODER_swin_v2_t, 3 },
    { "satlas_resnet", "image encoder ResNet-50, 9 bands",
      "backbone.resnet.fc (2 tensors), fpn (16 tensors), upsample (8 tensors)", NETWORK_ENCODER_resnet50, 9 },
};

static int32_t build(Graph *g, Var image, const void *context, Var ret_outputs[GOLDEN_OUTPUTS])
{
    const EncoderDef *def = encoder_def(((const Case *)context)->encoder);
    graph_push(g, "encoder");
    const FeatureMaps maps = def->build(g, image, def->variant, 0.0F);
    graph_pop(g);
    const Var all[] = { maps.f4, maps.f8, maps.f16, maps.f32 };
    for (int i = 0; i < 4; i++) ret_outputs[i] = all[i];
    return 4;
}

static Model *model_of(const Case *c)
{
    ModelConfig config;
    Model *model = NULL;
    ASSERT_OK(model_config_init(&config));
    config.network.encoder = c->encoder;
    config.network.decoder = NETWORK_DECODER_none;
    config.network.output_stride = 0;
    config.network.fusion = NETWORK_FUSION_NONE;
    network_config_resolve(&config.network);
    ASSERT_OK(model_config_set_bands(&config, c->bands));
    ASSERT_OK(model_config_set_classes(&config, 2));
    ASSERT_OK(model_new(&config, false, &model));
    model_config_done(&config);
    return model;
}

static void check_maps(const Case *c, const char *golden, const char *path)
{
    Model *model = model_of(c);
    ASSERT_OK(model_load_encoder(model, path));
    const GoldenPublished p = golden_published_open(golden);
    Program *program = golden_published_compile(&p, model->params, build, c, false, cpu_isa_detect());
    golden_published_inputs(&p, program);
    ASSERT_OK(program_forward(program, 0));
    const double used = golden_published_outputs(&p, program);
    print_message("%s: %.1f %% of the tolerance\n", c->name, 100.0 * used);
    assert_true(used <= 1.0);
    program_free(program);
    tensor_file_close(p.file);
    model_free(model);
}

static void encoders_of_whole_files(void **state)
{
    (void)state;
    for (int64_t i = 0; i < ARRAY_LEN(cases); i++) {
        const Case *c = &cases[i];
        char golden[96], name[128], in[256], out[256];
        ConvertOptions options = convert_options_defaults();
        ConvertReport report = { 0 };
        (void)snprintf(golden, sizeof golden, "encoder_file_%s.safetensors", c->name);
        (void)snprintf(name, sizeof name, "published/%s", golden);
        TensorFile *file = golden_open(name);
        golden_checkpoint_write(file, unit_at("state.safetensors", in));
        tensor_file_close(file);
        options.overwrite = true;
        ASSERT_OK(convert_file(in, unit_at("encoder.safetensors", out), &options, &report));
        assert_int_equal(report.kind, CONVERT_ENCODER);
        assert_string_equal(report.title, c->title);
        assert_string_equal(report.left_out, c->left_out);
        check_maps(c, golden, out);
        check_maps(c, golden, in); /* as encoder_weights of a training */
    }
}

static void refuses(const char *golden_name, const GoldenChange *change, const char *message)
{
    char in[256], out[256];
    ConvertReport report = { 0 };
    ConvertOptions options = convert_options_defaults();
    TensorFile *golden = golden_open(golden_name);
    golden_checkpoint_write_changed(golden, change, unit_at("spoilt.safetensors", in));
    tensor_file_close(golden);
    ASSERT_ERR(convert_file(in, unit_at("none.safetensors", out), &options, &report), ERR_MODEL, message);
}

/* A ResNet's first name is in each of its blocks: what is missing is told nevertheless. */
static void tells_what_is_missing(void **state)
{
    (void)state;
    refuses("published/encoder_file_torchvision_resnet18.safetensors", &(GoldenChange){ .name = "layer2.0.bn1.weight" },
            "'layer2.0.bn1.weight' [128] of the encoder resnet18 is missing");
    refuses("published/encoder_file_torchvision_resnet18.safetensors",
            &(GoldenChange){ .name = "layer2.0.bn1.weight", .renamed = "layer2.0.bn1.wieght" },
            "the nearest that is left over is 'layer2.0.bn1.wieght'");
    refuses("published/encoder_file_torchvision_resnet18.safetensors",
            &(GoldenChange){ .name = "layer2.0.bn1.weight", .rows = 7 },
            "'layer2.0.bn1.weight' is [7]; [128] was expected");
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(encoders_of_whole_files),
                                        cmocka_unit_test(tells_what_is_missing) };
    return cmocka_run_group_tests(tests, unit_set_up, unit_tear_down);
}
