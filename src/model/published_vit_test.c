/* SPDX-License-Identifier: Apache-2.0
 * Checkpoints of vision transformers as timm, Meta and transformers write them (tools/golden/vit.py): read into our network they
 * give the maps of the package's own. And what does not fit is told. */
#include "model/published_vit.h"
#include "model/vit_positions.h"

#include "network/encoder_vit.h"

#include "network/encoder.h"
#include "tensor_file/safetensors.h"

#include "harness/golden_published.h"

#define SMALL .width = 8, .depth = 2, .heads = 2, .pyramid = 16
static const VitVariant dinov2 = { SMALL, .patch = 14, .positions = 4, .class_position = true, .eps = 1e-6F };
static const VitVariant dinov2_reg4 = { SMALL, .patch = 14, .positions = 4, .registers = 4, .eps = 1e-6F };
static const VitVariant dinov3 = { SMALL, .patch = 16, .registers = 4, .eps = 1e-5F };

static ParamSet *read_params; /* of the case that runs */

static ParamSet *declare(const VitVariant *variant, int64_t bands)
{
    ParamSet *params = NULL;
    Graph *g = NULL;
    ASSERT_OK(params_new(&params));
    ASSERT_OK(graph_new(params, false, &g));
    const Var image = graph_input(g, "image", DTYPE_F32, shape4(1, 64, 64, bands));
    (void)encoder_def_vit_small_patch16_dinov3.build(g, image, variant, 0.0F);
    ASSERT_OK(graph_finish(g));
    graph_free(g);
    ASSERT_OK(params_allocate(params));
    return params;
}

static TensorFile *open_weights(const char *name)
{
    char path[128];
    (void)snprintf(path, sizeof path, "published/names_vit_%s", name);
    return golden_open(path);
}

static bool as_read(const ParamInfo *info, float *values)
{
    if (published_vit_lacks(info->name)) return false;
    const int32_t index = params_find(read_params, info->name);
    assert_true(index >= 0);
    const Tensor tensor = params_tensor(read_params, index);
    memcpy(values, tensor.data, tensor_bytes(&tensor));
    return true;
}

typedef struct Case {
    const char *weights, *maps;
    const VitVariant *variant;
} Case;
static const Case cases[] = {
    { "timm_dinov3.weights.pth", "timm_dinov3", &dinov3 },
    { "meta_dinov3.weights.pth", "meta_dinov3", &dinov3 },
    { "meta_dinov2_reg4.weights.pth", "meta_dinov2_reg4", &dinov2_reg4 },
    { "transformers_dinov2.weights.safetensors", "transformers_dinov2", &dinov2 },
    { "transformers_dinov2_reg4.weights.safetensors", "transformers_dinov2_reg4", &dinov2_reg4 },
    { "transformers_dinov3.weights.safetensors", "transformers_dinov3", &dinov3 },
    { "modules_dinov2.weights.pth", "transformers_dinov2", &dinov2 },
    { "modules_dinov3.weights.pth", "transformers_dinov3", &dinov3 },
};

static void names(void **state)
{
    (void)state;
    for (int64_t i = 0; i < ARRAY_LEN(cases); i++) {
        char path[128];
        TensorFile *file = open_weights(cases[i].weights);
        read_params = declare(cases[i].variant, 3);
        ASSERT_OK(published_vit_read(file, read_params, "", 3, NULL));
        tensor_file_close(file);
        const GoldenEncoder encoder = { &encoder_def_vit_small_patch16_dinov3, cases[i].variant };
        (void)snprintf(path, sizeof path, "names_vit_%s.safetensors", cases[i].maps);
        golden_published_special(path, golden_encoder_maps, &encoder, as_read, false);
        params_free(read_params);
    }
}

/* Red, green, blue and red again, each times 3/4. */
static void four_bands(void **state)
{
    (void)state;
    TensorFile *file = open_weights(cases[3].weights);
    ParamSet *three = declare(&dinov2, 3), *four = declare(&dinov2, 4);
    ASSERT_OK(published_vit_read(file, three, "", 3, NULL));
    ASSERT_OK(published_vit_read(file, four, "", 4, NULL));
    const char *name = "patch_embed.proj.weight";
    const float *a = params_tensor(three, params_find(three, name)).data;
    const float *b = params_tensor(four, params_find(four, name)).data;
    const int64_t taps = 14 * 14;
    for (int64_t f = 0; f < 8; f++)
        for (int64_t c = 0; c < 4; c++)
            for (int64_t t = 0; t < taps; t++)
                assert_true(b[(f * 4 + c) * taps + t] == a[(f * 3 + c % 3) * taps + t] * 0.75F);
    params_free(three);
    params_free(four);
    tensor_file_close(file);
}

static void refuse(const char *weights, const VitVariant *variant, const char *message)
{
    TensorFile *file = open_weights(weights);
    ParamSet *params = declare(variant, 3);
    ASSERT_ERR(published_vit_read(file, params, "", 3, NULL), ERR_MODEL, message);
    params_free(params);
    tensor_file_close(file);
}

static void refusals(void **state)
{
    (void)state;
    VitVariant other = dinov3;
    other.depth = 3;
    refuse("meta_dinov3.weights.pth", &other, "has no tensor 'blocks.2.norm1.weight'");
    refuse("transformers_dinov3.weights.safetensors", &other, "has no tensor 'layer.2.norm1.weight'");
    other.depth = 1;
    refuse("meta_dinov3.weights.pth", &other, "tensor 'blocks.1.norm1.weight' is left over");
    other.depth = 2;
    other.patch = 8;
    refuse("timm_dinov3.weights.pth", &other, "'patch_embed.proj.weight' is [8, 3, 16, 16]; [8, 3, 8, 8] was expected");
    other = dinov2;
    other.width = 16;
    refuse("transformers_dinov2.weights.safetensors", &other, "[16, 3, 14, 14] was expected");
    /* a network of another width is no S, B or L */
    int32_t bands = 0;
    NetworkEncoder encoder = NETWORK_ENCODER_none;
    TensorFile *file = open_weights("transformers_dinov2.weights.safetensors");
    ASSERT_ERR(published_vit_find(file, &encoder, &bands), ERR_MODEL, "has patches [8, 3, 14, 14]; 384, 768 or 1024");
    tensor_file_close(file);
    file = golden_open("published/names_vit_timm_dinov3.safetensors"); /* nothing of the kind */
    ASSERT_OK(published_vit_find(file, &encoder, &bands));
    assert_int_equal(encoder, NETWORK_ENCODER_none);
    tensor_file_close(file);
}

static void sides_of_maps(void **state)
{
    static const struct {
        int64_t n, side;
        bool class_row;
    } counts[] = { { 17, 4, true },   { 16, 4, false }, { 2, 1, true },  { 1370, 37, true },     { 1369, 37, false },
                   { 257, 16, true }, { 18, 0, false }, { 0, 0, false }, { INT64_MAX, 0, false } };
    (void)state;
    for (int64_t i = 0; i < ARRAY_LEN(counts); i++) {
        bool class_row = false;
        assert_int_equal(vit_positions_side(counts[i].n, &class_row), counts[i].side);
        assert_int_equal(class_row, counts[i].class_row);
    }
}

/* Positions of maps of 4 x 4 in a network for 7 x 7 and 3 x 3, as each package brings them there (tools/golden/vit.py). */
static void other_maps(void **state)
{
    static const struct {
        const char *weights, *golden;
        const VitVariant *variant;
    } files[] = {
        { "transformers_dinov2.weights.safetensors", "transformers", &dinov2 },
        { "modules_dinov2.weights.pth", "transformers", &dinov2 },
        { "transformers_dinov2_reg4.weights.safetensors", "transformers_reg4", &dinov2_reg4 },
        { "meta_dinov2_reg4.weights.pth", "meta_reg4", &dinov2_reg4 },
        { "timm_dinov2.weights.pth", "timm", &dinov2 },
        { "meta_dinov2.weights.pth", "meta", &dinov2 },
    };
    static const int64_t sides[] = { 7, 3, 4 };
    TensorFile *golden = golden_open("published/vit_positions.safetensors");
    (void)state;
    for (int64_t i = 0; i < ARRAY_LEN(files) * ARRAY_LEN(sides); i++) {
        const int64_t which = i / ARRAY_LEN(sides), side = sides[i % ARRAY_LEN(sides)];
        VitVariant variant = *files[which].variant;
        char name[64];
        const StoredTensor *stored = NULL;
        float want[50 * 8];
        variant.positions = side;
        TensorFile *file = open_weights(files[which].weights);
        ParamSet *params = declare(&variant, 3);
        ASSERT_OK(published_vit_read(file, params, "", 3, NULL));
        (void)snprintf(name, sizeof name, "%s.%d", files[which].golden, (int)side);
        const Tensor got = params_tensor(params, params_find(params, "pos_embed"));
        ASSERT_OK(tensor_file_require(golden, name, &got.shape, &stored));
        ASSERT_OK(stored_tensor_read_f32(stored, want));
        for (int64_t k = 0; k < shape_count(&got.shape); k++)
            if (!(fabs((double)(((const float *)got.data)[k] - want[k])) < 2e-5))
                fail_msg("%s, value %d is %g; %g was expected", name, (int)k, (double)((const float *)got.data)[k],
                         (double)want[k]);
        params_free(params);
        tensor_file_close(file);
    }
    tensor_file_close(golden);
}

/* A file in memory of the patches [width, 3, patch, patch] in half precision and of three tensors without elements. */
static TensorFile *file_of(const char *patches, int64_t width, int64_t patch, const char *const marks[3],
                           char **ret_bytes)
{
    const int64_t data = width * 3 * patch * patch * 2;
    char header[1024];
    int n = snprintf(header, sizeof header,
                     "{\"%s\":{\"dtype\":\"F16\",\"shape\":[%lld,3,%lld,%lld],\"data_offsets\":[0,%lld]}", patches,
                     (long long)width, (long long)patch, (long long)patch, (long long)data);
    for (int i = 0; i < 3; i++)
        if (marks[i] != NULL)
            n += snprintf(header + n, sizeof header - (size_t)n,
                          ",\"%s\":{\"dtype\":\"F16\",\"shape\":[0],\"data_offsets\":[%lld,%lld]}", marks[i],
                          (long long)data, (long long)data);
    header[n++] = '}';
    char *bytes = calloc(1, 8 + (size_t)n + (size_t)data);
    assert_non_null(bytes);
    bytes[0] = (char)(n & 255);
    bytes[1] = (char)(n >> 8);
    memcpy(bytes + 8, header, (size_t)n);
    TensorFile *file = NULL;
    ASSERT_OK(safetensors_parse(bytes, 8 + (size_t)n + (size_t)data, "made", &file));
    *ret_bytes = bytes;
    return file;
}

static const struct {
    const char *patches;
    int64_t width, patch;
    const char *marks[3];
    NetworkEncoder encoder; /* none: refused */
} files[] = {
    { "patch_embed.proj.weight",
      384,
      14,
      { "blocks.0.ls1.gamma", "pos_embed" },
      NETWORK_ENCODER_vit_small_patch14_dinov2 },
    { "net.patch_embed.proj.weight",
      768,
      14,
      { "net.blocks.0.ls1.gamma", "net.register_tokens" },
      NETWORK_ENCODER_vit_base_patch14_reg4_dinov2 },
    { "patch_embed.proj.weight",
      768,
      14,
      { "blocks.0.ls1.gamma", "pos_embed", "reg_token" },
      NETWORK_ENCODER_vit_base_patch14_reg4_dinov2 },
    { "patch_embed.proj.weight",
      1024,
      16,
      { "blocks.0.ls1.gamma", "storage_tokens" },
      NETWORK_ENCODER_vit_large_patch16_dinov3 },
    { "patch_embed.proj.weight",
      768,
      16,
      { "blocks.0.gamma_1", "reg_token" },
      NETWORK_ENCODER_vit_base_patch16_dinov3 },
    { "embeddings.patch_embeddings.projection.weight",
      1024,
      14,
      { "encoder.layer.0.layer_scale1.lambda1", "encoder.layer.0.attention.attention.query.weight" },
      NETWORK_ENCODER_vit_large_patch14_dinov2 },
    { "embeddings.patch_embeddings.weight",
      384,
      16,
      { "layer.0.layer_scale1.lambda1", "embeddings.register_tokens" },
      NETWORK_ENCODER_vit_small_patch16_dinov3 },
    { "patch_embed.proj.weight", 384, 16, { "blocks.0.ls1.gamma", "pos_embed" }, NETWORK_ENCODER_none },
    { "patch_embed.proj.weight", 1536, 14, { "blocks.0.ls1.gamma", "pos_embed" }, NETWORK_ENCODER_none },
    { "embeddings.patch_embeddings.weight", 384, 14, { "layer.0.layer_scale1.lambda1" }, NETWORK_ENCODER_none },
};

static void sizes(void **state)
{
    (void)state;
    for (int64_t i = 0; i < ARRAY_LEN(files); i++) {
        char *bytes = NULL;
        int32_t bands = 0;
        NetworkEncoder encoder = NETWORK_ENCODER_none;
        TensorFile *file = file_of(files[i].patches, files[i].width, files[i].patch, files[i].marks, &bytes);
        if (files[i].encoder == NETWORK_ENCODER_none)
            ASSERT_ERR(published_vit_find(file, &encoder, &bands), ERR_MODEL, "384, 768 or 1024 filters");
        else
            ASSERT_OK(published_vit_find(file, &encoder, &bands));
        assert_int_equal(encoder, files[i].encoder);
        tensor_file_close(file);
        free(bytes);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(names),         cmocka_unit_test(four_bands),
                                        cmocka_unit_test(refusals),      cmocka_unit_test(other_maps),
                                        cmocka_unit_test(sides_of_maps), cmocka_unit_test(sizes) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
