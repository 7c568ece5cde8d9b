/* SPDX-License-Identifier: Apache-2.0
 * Names, order of dimensions and configuration of the Dynamic World network. */
#include "model/convert_dynamic_world.h"

#include "base/str.h"
#include "graph/graph.h"

#include <stdlib.h>
#include <string.h>

/* As published: the network reads sigmoid(5 z - 1) of z = (ln(1 + 0.005 x) - mean) / std, x in ten thousandths. */
/* (surface_scale, surface_offset): level 1 from level 2, fitted to four pairs of one acquisition in both levels (TerraMesh). */
static const ModelBand bands[] = {
    { "B02", 1.0, 1.7417268007636313, 2.023298706048351, 0.638, 843.0 },
    { "B03", 1.0, 1.7261204997060209, 2.038905204308012, 0.682, 527.0 },
    { "B04", 1.0, 1.6798346251414997, 2.179592821212937, 0.787, 327.0 },
    { "B05", 1.0, 1.7734969472909623, 2.2890068333026603, 0.766, 299.0 },
    { "B06", 1.0, 2.289154079164943, 2.6171674549378166, 0.805, 313.0 },
    { "B07", 1.0, 2.382939712192371, 2.773418590375327, 0.853, 292.0 },
    { "B08", 1.0, 2.3828939530384052, 2.7578332604178284, 0.806, 246.0 },
    { "B11", 1.0, 2.1952484264967844, 2.789092484314204, 0.905, 37.0 },
    { "B12", 1.0, 1.554812948247501, 2.4140534947492487, 0.836, 21.0 },
};

/* Codes and colours of the published product. */
static const ModelClass classes[] = {
    { 0, "water", 0x419BDF },        { 1, "trees", 0x397D49 },
    { 2, "grass", 0x88B053 },        { 3, "flooded vegetation", 0x7A87C6 },
    { 4, "crops", 0xE49635 },        { 5, "shrub and scrub", 0xDFC35A },
    { 6, "built", 0xC4281B },        { 7, "bare", 0xA59B8F },
    { 8, "snow and ice", 0xB39FE1 },
};

static const char provenance[] =
    "{\"software\":\"metaseg " METASEG_VERSION "\",\"weights\":\"Dynamic World, converted from the published "
    "variables\",\"credit\":\"Dynamic World Project by Google in partnership with National Geographic and the World "
    "Resources Institute\",\"licence\":\"Apache-2.0\",\"paper\":\"Brown et al. (2022), Scientific Data 9, 251, "
    "doi:10.1038/s41597-022-01307-4\"}";

static Err fill_config(ModelConfig *config)
{
    config->network.encoder = NETWORK_ENCODER_dynamic_world;
    config->network.decoder = NETWORK_DECODER_none;
    config->network.fusion = NETWORK_FUSION_NONE;
    config->network.output_stride = 1;
    config->transform = MODEL_TRANSFORM_LOG_SIGMOID;
    config->reflectance = 10000.0;
    config->gsd_minimum = 9.0;
    config->gsd_maximum = 11.0;
    TRY(model_config_set_text(&config->name, "Dynamic World"));
    TRY(model_config_set_text(&config->provenance, provenance));
    TRY(model_config_set_bands(config, ARRAY_LEN(bands)));
    for (int32_t b = 0; b < config->network.n_bands; b++) {
        ModelBand *band = &config->bands[b];
        TRY(model_config_set_text(&band->name, bands[b].name));
        band->mean = bands[b].mean;
        band->std = bands[b].std;
        band->surface_scale = bands[b].surface_scale;
        band->surface_offset = bands[b].surface_offset;
    }
    TRY(model_config_set_classes(config, ARRAY_LEN(classes)));
    return model_config_name_classes(config, classes, ARRAY_LEN(classes));
}

/* "encoder.conv2d_2.weight" -> "conv2d_2/kernel". */
static Err published_name(const char *name, char **ret_name)
{
    static const char *const words[][2] = {
        { "bias", "bias" },
        { "running_mean", "moving_mean" },
        { "running_var", "moving_variance" },
    };
    const char *layer = name + strlen("encoder."), *word = strrchr(name, '.') + 1, *published = NULL;
    const int length = (int)(word - 1 - layer);
    const bool is_norm = str_starts_with(layer, "batch_normalization");
    if (strcmp(word, "weight") == 0)
        published = is_norm ? "gamma" : str_starts_with(layer, "depthwise") ? "depthwise_kernel" : "kernel";
    if (is_norm && strcmp(word, "bias") == 0) published = "beta";
    for (int64_t i = 0; i < ARRAY_LEN(words) && published == NULL; i++)
        if (strcmp(word, words[i][0]) == 0) published = words[i][1];
    return str_format(ret_name, "%.*s/%s", length, layer, published);
}

/* Filters [out, in, h, w] are published as [h, w, in, out], those of single channels [c, 1, h, w] as [h, w, c, 1]. */
static void reorder(const float *from, const Shape *shape, bool depthwise, float *to)
{
    const int64_t out = shape->dim[0], in = shape->dim[1], taps = shape->dim[2] * shape->dim[3];
    for (int64_t o = 0; o < out; o++)
        for (int64_t i = 0; i < in; i++)
            for (int64_t t = 0; t < taps; t++)
                to[(o * in + i) * taps + t] = depthwise ? from[t * out + o] : from[(t * in + i) * out + o];
}

static Err read_filter(const TensorFile *file, const char *name, const Tensor *to)
{
    const Shape *shape = &to->shape;
    const bool depthwise = str_starts_with(name, "depthwise");
    const Shape stored = depthwise ? shape4(shape->dim[2], shape->dim[3], shape->dim[0], 1)
                                   : shape4(shape->dim[2], shape->dim[3], shape->dim[1], shape->dim[0]);
    const StoredTensor *tensor = NULL;
    TRY(tensor_file_require(file, name, &stored, &tensor));
    const size_t bytes = (size_t)shape_count(shape) * sizeof(float);
    float *values = malloc(bytes);
    if (values == NULL) return err_memory(bytes, "a filter");
    const Err err = stored_tensor_read_f32(tensor, values);
    if (err == ERR_NONE) reorder(values, shape, depthwise, to->data);
    free(values);
    return err;
}

static Err read_variable(const TensorFile *file, const char *name, const Tensor *to)
{
    const StoredTensor *tensor = NULL;
    if (to->shape.rank == 4) return read_filter(file, name, to);
    TRY(tensor_file_require(file, name, &to->shape, &tensor));
    return stored_tensor_read_f32(tensor, to->data);
}

static Err read_variables(const TensorFile *file, Model *model)
{
    for (int32_t i = 0; i < params_count(model->params); i++) {
        const Tensor to = params_tensor(model->params, i);
        char *name = NULL;
        TRY(published_name(params_info(model->params, i)->name, &name));
        const Err err = read_variable(file, name, &to);
        free(name);
        TRY(err);
    }
    return ERR_NONE;
}

Err dynamic_world_model(const TensorFile *file, Model **ret_model)
{
    ModelConfig config = { 0 };
    Model *model = NULL;
    TRY(model_config_init(&config));
    Err err = fill_config(&config);
    if (err == ERR_NONE) err = model_new(&config, false, &model);
    model_config_done(&config);
    if (err == ERR_NONE) err = read_variables(file, model);
    if (err == ERR_NONE)
        *ret_model = model;
    else
        model_free(model);
    return err;
}
