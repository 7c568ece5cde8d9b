/* SPDX-License-Identifier: Apache-2.0
 * Files of transformers' SegFormer: the member is recognised, classes get the names of config.json, and what is wrong is told. */
#include "base/file.h"
#include "base/str.h"
#include "harness/unit.h"
#include "model/convert.h"
#include "model/model_file.h"
#include "tensor_file/safetensors.h"

#include <string.h>

enum { CLASSES = 3 };
static const char names[] =
    "{\"model_type\":\"segformer\",\"id2label\":{\"0\":\"road\",\"1\":\"roof\",\"2\":\"tree\"}}";

static Model *network_of(NetworkEncoder encoder)
{
    ModelConfig config = { 0 };
    Model *model = NULL;
    ASSERT_OK(model_config_init(&config));
    config.network.encoder = encoder;
    config.network.fusion = NETWORK_FUSION_NONE;
    config.network.decoder = NETWORK_DECODER_segformer;
    config.network.decoder_width = 256;
    ASSERT_OK(model_config_set_classes(&config, CLASSES));
    ASSERT_OK(model_new(&config, false, &model));
    model_config_done(&config);
    model_initialize(model, 3);
    return model;
}

/* The parameters as transformers names them, without the one that is left out. */
static void write_published(const Model *model, const char *left_out, const char *path)
{
    SafetensorsWriter *writer = NULL;
    ASSERT_OK(safetensors_writer_new(&writer));
    for (int32_t i = 0; i < params_count(model->params); i++) {
        const char *name = params_info(model->params, i)->name;
        const bool encoder = str_starts_with(name, "encoder.");
        const Tensor tensor = params_tensor(model->params, i);
        char published[256];
        (void)snprintf(published, sizeof published, "%s%s", encoder ? "segformer." : "decode_head.",
                       encoder ? name : name + strlen("decoder."));
        if (strcmp(published, left_out) != 0) ASSERT_OK(safetensors_writer_add(writer, published, &tensor, DTYPE_F32));
    }
    ASSERT_OK(safetensors_writer_write(writer, path, true));
    safetensors_writer_free(writer);
}

static void converted(void **state)
{
    static const NetworkEncoder encoders[] = { NETWORK_ENCODER_mit_b0, NETWORK_ENCODER_mit_b1, NETWORK_ENCODER_mit_b2 };
    char in[256], out[256], config[256];
    ConvertOptions options = convert_options_defaults();
    (void)state;
    options.overwrite = true;
    unit_write_text(unit_at("config.json", config), names);
    (void)unit_at("in.safetensors", in);
    (void)unit_at("out.safetensors", out);
    for (int64_t e = 0; e < ARRAY_LEN(encoders); e++) {
        ConvertReport report = { 0 };
        Model *published = network_of(encoders[e]), *read = NULL;
        write_published(published, "", in);
        ASSERT_OK(convert_file(in, out, &options, &report));
        assert_string_equal(report.title, "SegFormer of transformers");
        ASSERT_OK(model_load(out, false, &read));
        assert_int_equal(read->config.network.encoder, encoders[e]);
        assert_string_equal(read->config.classes[2].name, "tree");
        assert_int_equal(params_count(read->params), params_count(published->params));
        for (int32_t i = 0; i < params_count(read->params); i++) {
            const Tensor a = params_tensor(read->params, i);
            const int32_t index = params_find(published->params, params_info(read->params, i)->name);
            assert_true(index >= 0);
            const Tensor b = params_tensor(published->params, index);
            assert_memory_equal(a.data, b.data, tensor_bytes(&a));
        }
        model_free(read);
        model_free(published);
    }
}

static void refused(void **state)
{
    char in[256], out[256], config[256];
    ConvertReport report = { 0 };
    const ConvertOptions options = convert_options_defaults();
    Model *published = network_of(NETWORK_ENCODER_mit_b0);
    (void)state;
    (void)unit_at("in.safetensors", in);
    (void)unit_at("none.safetensors", out);
    (void)unit_at("config.json", config);
    write_published(published, "segformer.encoder.block.3.1.mlp.dense2.bias", in);
    ASSERT_ERR(convert_file(in, out, &options, &report), ERR_MODEL, "block.3.1.mlp.dense2.bias");
    write_published(published, "", in);
    unit_write_text(config, "{\"id2label\":{\"0\":\"road\"}}");
    ASSERT_ERR(convert_file(in, out, &options, &report), ERR_MODEL, "id2label has 1 names");
    unit_write_text(config, "{\"model_type\":\"bert\"}");
    ASSERT_ERR(convert_file(in, out, &options, &report), ERR_MODEL, "'bert'");
    unit_write_text(config, "{");
    ASSERT_ERR(convert_file(in, out, &options, &report), ERR_MODEL, "config.json");
    model_free(published);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(converted), cmocka_unit_test(refused) };
    return cmocka_run_group_tests(tests, unit_set_up, unit_tear_down);
}
