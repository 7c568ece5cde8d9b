/* SPDX-License-Identifier: Apache-2.0
 * Files of timm's ConvNeXt V2 as encoder weights: the classifier is dropped, linear layers stored as 1x1 convolutions are read, and of
 * two depths the right one is found. */
#include "base/str.h"
#include "graph/graph.h"
#include "harness/unit.h"
#include "model/convert.h"
#include "model/model_file.h"
#include "tensor_file/safetensors.h"

#include <string.h>

static Model *new_model(NetworkEncoder encoder)
{
    ModelConfig config;
    Model *model = NULL;
    ASSERT_OK(model_config_init(&config));
    ASSERT_OK(model_config_set_classes(&config, 2));
    config.network.encoder = encoder;
    config.network.fusion = NETWORK_FUSION_NONE;
    config.network.decoder = NETWORK_DECODER_none;
    config.network.output_stride = 0;
    network_config_resolve(&config.network);
    ASSERT_OK(model_new(&config, false, &model));
    model_config_done(&config);
    return model;
}

/* The encoder under timm's names; left_out: a tensor that is not written. */
static void write_timm(const Model *model, const char *left_out, const char *path)
{
    static float head[8];
    SafetensorsWriter *writer = NULL;
    ASSERT_OK(safetensors_writer_new(&writer));
    for (int32_t i = 0; i < params_count(model->params); i++) {
        const char *name = params_info(model->params, i)->name;
        Tensor tensor = params_tensor(model->params, i);
        if (!str_starts_with(name, "encoder.") || strcmp(name, left_out) == 0) continue;
        if (tensor.shape.rank == 2) tensor.shape = shape4(tensor.shape.dim[0], tensor.shape.dim[1], 1, 1);
        ASSERT_OK(safetensors_writer_add(writer, name + strlen("encoder."), &tensor, DTYPE_F32));
    }
    ASSERT_OK(safetensors_writer_add(writer, "head.fc.weight", &(Tensor){ DTYPE_F32, shape2(2, 4), head }, DTYPE_F32));
    ASSERT_OK(safetensors_writer_write(writer, path, true));
    safetensors_writer_free(writer);
}

static void timm_file(void **state)
{
    (void)state;
    char in[256], out[256];
    ConvertReport report = { 0 };
    const ConvertOptions options = convert_options_defaults();
    Model *timm = new_model(NETWORK_ENCODER_convnextv2_nano), *read = new_model(NETWORK_ENCODER_convnextv2_nano);
    model_initialize(timm, 5);
    write_timm(timm, "", unit_at("timm.safetensors", in));
    ASSERT_OK(convert_file(in, unit_at("encoder.safetensors", out), &options, &report));
    assert_int_equal(report.kind, CONVERT_ENCODER);
    assert_string_equal(report.title, "image encoder ConvNeXt V2 nano");
    ASSERT_OK(model_load_encoder(read, out));
    for (int32_t i = 0; i < params_count(read->params); i++) {
        const Tensor a = params_tensor(timm->params, i), b = params_tensor(read->params, i);
        if (!str_starts_with(params_info(read->params, i)->name, "encoder.")) continue;
        assert_memory_equal(a.data, b.data, tensor_bytes(&a));
    }
    write_timm(timm, "encoder.stages.2.blocks.7.mlp.grn.weight", in);
    ASSERT_ERR(convert_file(in, unit_at("none.safetensors", out), &options, &report), ERR_MODEL, "mlp.grn");
    model_free(timm);
    model_free(read);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(timm_file) };
    return cmocka_run_group_tests(tests, unit_set_up, unit_tear_down);
}
