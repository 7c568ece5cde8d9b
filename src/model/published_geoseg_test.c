/* SPDX-License-Identifier: Apache-2.0
 * Checkpoints as GeoSeg's training saves them: recognised, read under their names, and what is wrong with one is told. */
#include "model/convert.h"
#include "model/model_file.h"

#include "base/file.h"
#include "base/str.h"
#include "harness/unit.h"
#include "tensor_file/safetensors.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { CLASSES = 6 };

typedef struct Case {
    const char *title;
    NetworkEncoder encoder;
    NetworkDecoder decoder;
    int32_t width, heads, stride;
} Case;

static const Case cases[] = {
    { "UNetFormer of GeoSeg, ResNet-18", NETWORK_ENCODER_resnet18, NETWORK_DECODER_unetformer, 64, 8, 4 },
    { "FT-UNetFormer of GeoSeg, Swin Transformer", NETWORK_ENCODER_swin_t_seg, NETWORK_DECODER_ft_unetformer, 32, 16,
      4 },
    { "DC-Swin of GeoSeg", NETWORK_ENCODER_swin_t_seg, NETWORK_DECODER_dcswin, 64, 8, 1 },
};

static Model *network_of(const Case *c)
{
    ModelConfig config = { 0 };
    Model *model = NULL;
    assert_int_equal(model_config_init(&config), ERR_NONE);
    config.network.encoder = c->encoder;
    config.network.decoder = c->decoder;
    config.network.fusion = NETWORK_FUSION_NONE;
    config.network.decoder_width = c->width;
    config.network.decoder_heads = c->heads;
    config.network.output_stride = c->stride;
    assert_int_equal(model_config_set_classes(&config, CLASSES), ERR_NONE);
    ASSERT_OK(model_new(&config, false, &model));
    model_config_done(&config);
    model_initialize(model, 3);
    return model;
}

/* The parameters as GeoSeg names them, without the one called `without`, with one more called `more` (NULL: all, none). */
static void write_checkpoint(const Model *model, const char *path, const char *without, const char *more)
{
    SafetensorsWriter *writer = NULL;
    assert_int_equal(safetensors_writer_new(&writer), ERR_NONE);
    for (int32_t i = 0; i < params_count(model->params); i++) {
        const char *name = params_info(model->params, i)->name;
        const bool encoder = str_starts_with(name, "encoder.");
        const Tensor tensor = params_tensor(model->params, i);
        char *published = NULL;
        assert_int_equal(
            str_format(&published, "net.%s%s", encoder ? "backbone." : "", encoder ? name + strlen("encoder.") : name),
            ERR_NONE);
        if (without == NULL || strcmp(published, without) != 0)
            assert_int_equal(safetensors_writer_add(writer, published, &tensor, DTYPE_F16), ERR_NONE);
        free(published);
    }
    const Tensor first = params_tensor(model->params, 0);
    if (more != NULL) assert_int_equal(safetensors_writer_add(writer, more, &first, DTYPE_F32), ERR_NONE);
    ASSERT_OK(safetensors_writer_write(writer, path, true));
    safetensors_writer_free(writer);
}

static void check_case(const Case *c, const char *in, const char *out)
{
    ConvertOptions options = convert_options_defaults();
    ConvertReport report = { 0 };
    Model *published = network_of(c), *converted = NULL;
    options.overwrite = true;
    options.weights = DTYPE_F16;
    write_checkpoint(published, in, NULL, "net.decoder.aux_head.conv.0.weight");
    ASSERT_OK(convert_file(in, out, &options, &report));
    assert_string_equal(report.title, c->title);
    ASSERT_OK(model_load(out, false, &converted));
    const NetworkConfig *network = &converted->config.network;
    assert_true(network->encoder == c->encoder && network->decoder == c->decoder);
    assert_int_equal(network->output_stride, c->stride);
    assert_int_equal(network->n_classes, CLASSES);
    assert_int_equal(params_count(converted->params), params_count(published->params));
    for (int32_t i = 0; i < params_count(published->params); i++) {
        const ParamInfo *info = params_info(published->params, i);
        const int32_t index = params_find(converted->params, info->name);
        assert_true(index >= 0);
        const Tensor a = params_tensor(published->params, i), b = params_tensor(converted->params, index);
        const float *x = a.data, *y = b.data;
        for (int64_t j = 0; j < shape_count(&a.shape); j++)
            assert_true(fabsf(x[j] - y[j]) <= fabsf(x[j]) / 2048.0F + 3e-8F); /* stored in half precision */
    }
    model_free(converted);
    model_free(published);
}

static void converted(void **state)
{
    (void)state;
    char folder[64], in[128], out[128];
    unit_folder(folder);
    (void)snprintf(in, sizeof in, "%s/in.safetensors", folder);
    (void)snprintf(out, sizeof out, "%s/out.safetensors", folder);
    for (int64_t i = 0; i < ARRAY_LEN(cases); i++) check_case(&cases[i], in, out);
    (void)file_remove(in);
    (void)file_remove(out);
    (void)rmdir(folder);
}

/* The message names the parameter that is missing and the nearest that is left over. */
static void refused(void **state)
{
    (void)state;
    static const char lost[] = "net.decoder.p3.post_conv.0.weight";
    char folder[64], in[128], out[128];
    ConvertOptions options = convert_options_defaults();
    ConvertReport report = { 0 };
    Model *model = network_of(&cases[0]);
    unit_folder(folder);
    (void)snprintf(in, sizeof in, "%s/in.safetensors", folder);
    (void)snprintf(out, sizeof out, "%s/out.safetensors", folder);
    write_checkpoint(model, in, lost, "net.decoder.p3.post_conv.0.weigth");
    assert_int_equal(convert_file(in, out, &options, &report), ERR_MODEL);
    assert_non_null(strstr(err_message(), "'decoder.p3.post_conv.0.weight'"));
    assert_non_null(strstr(err_message(), "p3.post_conv.0.weigth'"));
    write_checkpoint(model, in, NULL, "net.decoder.p5.post_conv.0.weight");
    assert_int_equal(convert_file(in, out, &options, &report), ERR_MODEL);
    assert_non_null(strstr(err_message(), "p5.post_conv.0.weight' "));
    write_checkpoint(model, in, "net.backbone.layer1.0.bn1.weight", "net.backbone.layer1.0.bn1.weight");
    assert_int_equal(convert_file(in, out, &options, &report), ERR_MODEL);
    assert_non_null(strstr(err_message(), "layer1.0.bn1.weight' is [64, 3, 7, 7]"));
    model_free(model);
    (void)file_remove(in);
    (void)rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(converted), cmocka_unit_test(refused) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
