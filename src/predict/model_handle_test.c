/* SPDX-License-Identifier: Apache-2.0
 * Weights are packed for one size of tile and freed: another size reads them again, and the same size gives the same
 * map. */
#include "predict/predictor.h"

#include "base/file.h"
#include "base/rng.h"
#include "harness/unit.h"

#include <string.h>

enum { SIDE = 512, PIXELS = SIDE * SIDE };

static float pixels[PIXELS * 3];
static uint8_t first[PIXELS], again[PIXELS];

static void save_model(const char *path, uint64_t seed)
{
    ModelConfig config;
    Model *model = NULL;
    ModelSave save = model_save_defaults();
    save.overwrite = true;
    assert_int_equal(model_config_init(&config), ERR_NONE);
    assert_int_equal(model_config_set_classes(&config, 5), ERR_NONE);
    assert_int_equal(model_new(&config, false, &model), ERR_NONE);
    model_initialize(model, seed);
    assert_int_equal(model_save(model, path, &save), ERR_NONE);
    model_free(model);
    model_config_done(&config);
}

static Err predict(MetasegModel *model, int32_t tile, uint8_t *classes)
{
    MetasegPredictOptions options = metaseg_predict_options_defaults();
    options.tile = tile;
    return metaseg_predict_pixels(model, pixels, NULL, SIDE, SIDE, &options, classes, NULL);
}

static void other_sizes_read_the_weights_again(void **state)
{
    char folder[64], path[96];
    MetasegModel *model = NULL;
    (void)state;
    unit_folder(folder);
    (void)snprintf(path, sizeof path, "%s/model.safetensors", folder);
    save_model(path, 1);
    for (int64_t i = 0; i < PIXELS * 3; i++)
        pixels[i] = 128.0F + 60.0F * rng_normal(2, RNG_TEST, 1, (uint64_t)(i / 3 / 16));
    assert_int_equal(metaseg_model_load(path, NULL, &model), ERR_NONE);
    const char *name = metaseg_model_class(model, 2, NULL, NULL);
    assert_int_equal(predict(model, 512, first), ERR_NONE);
    const int64_t kept = params_length(model->model->params);
    assert_int_equal(predict(model, 256, again), ERR_NONE);
    assert_int_equal(predict(model, 512, again), ERR_NONE);
    assert_memory_equal(first, again, sizeof first);
    int64_t differing = 0; /* a map of one class would prove nothing */
    for (int64_t i = 0; i < PIXELS; i++) differing += first[i] != first[0];
    assert_true(differing > PIXELS / 100);
    assert_ptr_equal(metaseg_model_class(model, 2, NULL, NULL), name);
#if METASEG_WITH_ONEDNN
    assert_true(kept < 1000000); /* of more than 6 million */
#else
    assert_true(kept > 1000000);
#endif

    save_model(path, 2); /* other weights under the same name */
    assert_int_equal(predict(model, 256, again), ERR_MODEL);
    assert_non_null(strstr(err_message(), "has changed since it was loaded"));
    save_model(path, 1);
    assert_int_equal(predict(model, 512, again), ERR_NONE); /* recovers */
    assert_memory_equal(first, again, sizeof first);
    metaseg_model_free(model);
    assert_int_equal(file_remove(path), ERR_NONE);
    assert_int_equal(rmdir(folder), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(other_sizes_read_the_weights_again) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
