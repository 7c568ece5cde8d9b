/* SPDX-License-Identifier: Apache-2.0
 * What a new model takes over from a trained one: rows of classes and filters of bands by their names, all else as it is. */
#include "train/trainer.h"

#include "model/model_test.h"

/* Of the models that are made. */
static NetworkEncoder encoder = NETWORK_ENCODER_efficientnet_lite0;
static int32_t detail_width;

static Model *make_model(int32_t n_classes, const char *const *classes, int32_t n_bands, const char *const *bands,
                         uint64_t seed)
{
    ModelConfig c;
    Model *model = NULL;
    test_model_config(n_classes, n_bands, bands, &c);
    ASSERT_OK(model_config_set_text(&c.name, "made"));
    c.network.fusion = NETWORK_FUSION_NONE;
    c.network.encoder = encoder;
    c.network.decoder = NETWORK_DECODER_none;
    network_config_resolve(&c.network);
    c.network.detail_width = detail_width;
    c.network.output_stride = detail_width > 0 ? 2 : 4;
    c.tile = 256;
    for (int32_t i = 0; i < n_classes; i++) ASSERT_OK(model_config_set_text(&c.classes[i].name, classes[i]));
    for (int32_t b = 0; b < n_bands; b++) {
        c.bands[b].mean = seed == 1 ? 100.0 : 120.0;
        c.bands[b].std = seed == 1 ? 40.0 : 30.0;
    }
    ASSERT_OK(model_new(&c, true, &model));
    model_config_done(&c);
    model_initialize(model, seed);
    return model;
}

static const float *values_of(const Model *model, const char *name, int64_t *ret_count)
{
    const int32_t i = params_find(model->params, name);
    assert_true(i >= 0);
    const Tensor t = params_tensor(model->params, i);
    *ret_count = shape_count(&t.shape);
    return t.data;
}

static void start(Model *to, const char *path, RunConfig *config, Trainer *ret_trainer)
{
    config->network = to->config.network;
    config->train.from = (char *)path;
    *ret_trainer = (Trainer){ .config = config, .model = to };
    ASSERT_OK(trainer_start_from(ret_trainer));
}

static void by_names(void **state)
{
    (void)state;
    static const char *const old_classes[] = { "water", "forest", "urban" };
    static const char *const new_classes[] = { "Forest", "moor", "water" };
    static const char *const old_bands[] = { "red", "green", "blue" };
    static const char *const new_bands[] = { "blue", "nir", "red", "green" };
    char path[256];
    RunConfig config = { 0 };
    Trainer t;
    int64_t n = 0;
    int64_t m = 0;
    Model *old = make_model(3, old_classes, 3, old_bands, 1);
    Model *new = make_model(3, new_classes, 4, new_bands, 2);
    Model *random = make_model(3, new_classes, 4, new_bands, 2);
    ModelSave save = model_save_defaults();
    save.weights = DTYPE_F32;
    save.auxiliary = true;
    ASSERT_OK(model_save(old, unit_at("old.safetensors", path), &save));
    start(new, path, &config, &t);
    assert_false(t.continues_classes);
    static const char *const heads[] = { "decoder.segmentation_head.2.0.weight", "decoder.aux_head.conv_out.0.weight" };
    for (int h = 0; h < 2; h++) {
        const float *a = values_of(old, heads[h], &n);
        const float *b = values_of(new, heads[h], &m);
        const float *r = values_of(random, heads[h], &m);
        const size_t row = (size_t)n / 3 * sizeof(float);
        assert_int_equal(n, m);
        assert_memory_equal(b, a + n / 3, row);
        assert_memory_equal(b + n / 3, r + n / 3, row);
        assert_memory_equal(b + 2 * (n / 3), a, row);
    }
    const float *a = values_of(old, "encoder._conv_stem.weight", &n);
    const float *b = values_of(new, "encoder._conv_stem.weight", &m);
    static const int from[] = { 2, -1, 0, 1 };
    for (int64_t f = 0; f < 32; f++)
        for (int64_t c = 0; c < 4; c++)
            for (int64_t k = 0; k < 9; k++)
                assert_true(b[(f * 4 + c) * 9 + k] == (from[c] < 0 ? 0.0F : a[(f * 3 + from[c]) * 9 + k]));
    a = values_of(old, "decoder.b4.attn.qkv.0.weight", &n);
    b = values_of(new, "decoder.b4.attn.qkv.0.weight", &m);
    assert_memory_equal(a, b, (size_t)n * sizeof(float));
    assert_true(new->config.bands[0].mean == 100.0 && new->config.bands[0].std == 40.0);
    assert_true(new->config.bands[1].mean == 120.0 && new->config.bands[1].std == 30.0);
    model_free(old);
    model_free(new);
    model_free(random);
}

/* Bands without names: in their order, scaled so that the sum of the filters stays. */
static void without_names(void **state)
{
    (void)state;
    static const char *const classes[] = { "water", "forest" };
    static const char *const old_bands[] = { "red", "green", "blue" };
    static const char *const new_bands[] = { "band 1", "band 2", "band 3", "band 4" };
    char path[256];
    RunConfig config = { 0 };
    Trainer t;
    int64_t n = 0;
    int64_t m = 0;
    Model *old = make_model(2, classes, 3, old_bands, 1);
    Model *new = make_model(2, classes, 4, new_bands, 2);
    ModelSave save = model_save_defaults();
    save.weights = DTYPE_F32;
    ASSERT_OK(model_save(old, unit_at("names.safetensors", path), &save));
    start(new, path, &config, &t);
    const float *a = values_of(old, "encoder._conv_stem.weight", &n);
    const float *b = values_of(new, "encoder._conv_stem.weight", &m);
    for (int64_t f = 0; f < 32; f++)
        for (int64_t c = 0; c < 4; c++)
            for (int64_t k = 0; k < 9; k++) assert_true(b[(f * 4 + c) * 9 + k] == 0.75F * a[(f * 3 + c % 3) * 9 + k]);
    model_free(old);
    model_free(new);
}

static void same_classes(void **state)
{
    (void)state;
    static const char *const classes[] = { "water", "forest" };
    static const char *const bands[] = { "red", "green", "blue" };
    char path[256];
    RunConfig config = { 0 };
    Trainer t;
    uint64_t before = 0;
    uint64_t after = 0;
    Model *old = make_model(2, classes, 3, bands, 1);
    Model *new = make_model(2, classes, 3, bands, 2);
    new->config.bands[2].mean = 5000.0;
    ModelSave save = model_save_defaults();
    save.weights = DTYPE_F32;
    save.auxiliary = true;
    ASSERT_OK(model_save(old, unit_at("same.safetensors", path), &save));
    start(new, path, &config, &t);
    assert_true(t.continues_classes);
    ASSERT_OK(model_hash(old, &before));
    ASSERT_OK(model_hash(new, &after));
    assert_true(before == after);
    assert_true(new->config.bands[0].mean == 100.0);
    assert_true(new->config.bands[2].mean == 5000.0); /* other values than those it learned from */
    config.network.decoder_width = 32;
    ASSERT_ERR(trainer_start_from(&t), ERR_CONFIG, "its decoder is 16 wide");
    model_free(old);
    model_free(new);
}

/* The whole network from the detail branch alone: the same scores to begin with, as long as the rest is silent. */
static void from_detail(void **state)
{
    (void)state;
    static const char *const classes[] = { "water", "forest" };
    static const char *const bands[] = { "red", "green", "blue" };
    enum { OUT = 32, BRANCH = 32, MAP = 16 }; /* twice the detail width; the decoder's width */
    char path[256];
    RunConfig config = { 0 };
    Trainer t;
    int64_t n = 0;
    int64_t m = 0;
    detail_width = 16;
    encoder = NETWORK_ENCODER_none;
    Model *old = make_model(2, classes, 3, bands, 1);
    encoder = NETWORK_ENCODER_efficientnet_lite0;
    Model *new = make_model(2, classes, 3, bands, 2);
    detail_width = 0;
    ModelSave save = model_save_defaults();
    save.weights = DTYPE_F32;
    ASSERT_OK(model_save(old, unit_at("detail.safetensors", path), &save));
    start(new, path, &config, &t);
    assert_true(t.continues_classes);
    static const char *const same[] = { "decoder.detail.stem.0.weight", "decoder.detail.block2.depthwise3.0.weight",
                                        "decoder.detail.block3.pointwise2.0.weight",
                                        "decoder.segmentation_head.2.0.weight" };
    for (int64_t i = 0; i < ARRAY_LEN(same); i++) {
        const float *a = values_of(old, same[i], &n), *b = values_of(new, same[i], &m);
        assert_int_equal(n, m);
        assert_memory_equal(a, b, (size_t)n * sizeof(float));
    }
    static const char *const joined[] = { "decoder.detail.block3.side.0.weight",
                                          "decoder.detail.block3.pointwise1.0.weight" };
    for (int64_t i = 0; i < ARRAY_LEN(joined); i++) {
        const float *a = values_of(old, joined[i], &n), *b = values_of(new, joined[i], &m);
        assert_int_equal(n, OUT * BRANCH);
        assert_int_equal(m, OUT * (BRANCH + MAP));
        for (int64_t o = 0; o < OUT; o++)
            for (int64_t c = 0; c < BRANCH + MAP; c++)
                assert_true(b[o * (BRANCH + MAP) + c] == (c < BRANCH ? a[o * BRANCH + c] : 0.0F));
    }
    model_free(old);
    model_free(new);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(by_names), cmocka_unit_test(without_names),
                                        cmocka_unit_test(same_classes), cmocka_unit_test(from_detail) };
    return cmocka_run_group_tests(tests, unit_set_up, unit_tear_down);
}
