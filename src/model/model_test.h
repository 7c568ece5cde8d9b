/* SPDX-License-Identifier: Apache-2.0
 * For tests: small models made on the spot. */
#ifndef METASEG_MODEL_MODEL_TEST_H
#define METASEG_MODEL_MODEL_TEST_H

#include "harness/unit.h"
#include "model/model_file.h"

/* Of the smallest decoder; bands [n_bands] are names, NULL: the bands of model_config_init. */
static inline void test_model_config(int32_t n_classes, int32_t n_bands, const char *const *bands,
                                     ModelConfig *ret_config)
{
    ASSERT_OK(model_config_init(ret_config));
    ASSERT_OK(model_config_set_classes(ret_config, n_classes));
    if (bands != NULL) ASSERT_OK(model_config_set_bands(ret_config, n_bands));
    for (int32_t b = 0; bands != NULL && b < n_bands; b++)
        ASSERT_OK(model_config_set_text(&ret_config->bands[b].name, bands[b]));
    ret_config->network.decoder_width = 16;
}

/* Writes a model of this configuration with the initial weights of a seed (0: all are 0), and frees the configuration. */
static inline void test_model_save(ModelConfig *config, uint64_t seed, const char *path)
{
    Model *model = NULL;
    ModelSave save = model_save_defaults();
    save.overwrite = true;
    ASSERT_OK(model_new(config, false, &model));
    if (seed > 0) model_initialize(model, seed);
    ASSERT_OK(model_save(model, path, &save));
    model_free(model);
    model_config_done(config);
}

#endif
