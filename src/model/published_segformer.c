/* SPDX-License-Identifier: Apache-2.0
 * SegFormer (Xie et al., NeurIPS 2021) in the files of transformers: SegformerForSemanticSegmentation. What its classes are called
 * stands in the config.json beside the weights, where there is one. The image is normalised as ImageNet's. */
#include "model/published_network.h"

#include "base/file.h"
#include "base/json.h"
#include "base/str.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ENCODER "segformer.encoder."
#define HEAD "decode_head."
enum { CONFIG_BYTES = 1 << 20 };

/* The members differ in the width of their first map, b0's is 32, and in the number of blocks of the third stage. */
static Err find_encoder(const TensorFile *file, const char *prefix, NetworkEncoder *ret_encoder)
{
    static const struct {
        int32_t blocks; /* of the third stage */
        NetworkEncoder encoder;
    } members[] = { { 6, NETWORK_ENCODER_mit_b2 },
                    { 18, NETWORK_ENCODER_mit_b3 },
                    { 27, NETWORK_ENCODER_mit_b4 },
                    { 40, NETWORK_ENCODER_mit_b5 } };
    enum { SMALLEST = 32 };
    char name[64];
    int32_t width = 0;
    bool has = false;
    TRY(published_dimension(file, prefix, ENCODER "patch_embeddings.0.proj.weight", 4, 0, &width));
    *ret_encoder = width == SMALLEST ? NETWORK_ENCODER_mit_b0 : NETWORK_ENCODER_mit_b1;
    for (size_t i = 0; i < sizeof members / sizeof *members && width != SMALLEST; i++) {
        (void)snprintf(name, sizeof name, ENCODER "block.2.%d.layer_norm_1.weight", (int)members[i].blocks - 1);
        TRY(published_has(file, prefix, name, &has));
        if (has) *ret_encoder = members[i].encoder;
    }
    return ERR_NONE;
}

/* Names of classes by id2label: {"0": "road", ...}. */
static Err read_names(const Json *root, ModelConfig *config)
{
    const Json *names = json_find(root, "id2label"), *type = json_find(root, "model_type");
    const char *name = NULL;
    if (type != NULL) {
        TRY(json_as_string(type, "model_type", &name));
        if (strcmp(name, "segformer") != 0)
            return err_set(ERR_MODEL, "model_type is '%.40s', the weights beside it are SegFormer's", name);
    }
    if (names == NULL) return ERR_NONE;
    if (json_count(names) != config->network.n_classes)
        return err_set(ERR_MODEL, "id2label has %lld names, the weights beside it %d classes",
                       (long long)json_count(names), (int)config->network.n_classes);
    for (int32_t i = 0; i < config->network.n_classes; i++) {
        char key[16];
        (void)snprintf(key, sizeof key, "%d", (int)i);
        TRY(json_get_string(names, key, &name));
        TRY(model_config_set_text(&config->classes[i].name, name));
    }
    return ERR_NONE;
}

static Err name_classes(const TensorFile *file, ModelConfig *config)
{
    char *folder = NULL, *path = NULL;
    Json *root = NULL;
    TRY(path_folder(tensor_file_path(file), &folder));
    Err err = path_join(folder, "config.json", &path);
    if (err == ERR_NONE && file_exists(path)) {
        err = json_read_file(path, CONFIG_BYTES, &root);
        if (err == ERR_NONE) {
            err = read_names(root, config);
            if (err == ERR_INPUT || err == ERR_MODEL) err = err_prefix(ERR_MODEL, "'%s'", path);
        }
        if (err == ERR_INPUT) err = ERR_MODEL;
    }
    json_free(root);
    free(path);
    free(folder);
    return err;
}

static Err configure(const TensorFile *file, const char *prefix, ModelConfig *config)
{
    int32_t width = 0, classes = 0, bands = 0;
    TRY(find_encoder(file, prefix, &config->network.encoder));
    TRY(published_dimension(file, prefix, HEAD "linear_fuse.weight", 4, 0, &width));
    TRY(published_dimension(file, prefix, HEAD "classifier.weight", 4, 0, &classes));
    TRY(published_dimension(file, prefix, ENCODER "patch_embeddings.0.proj.weight", 4, 1, &bands));
    config->network.decoder = NETWORK_DECODER_segformer;
    config->network.decoder_width = width;
    TRY(published_ends(config, classes, bands));
    return name_classes(file, config);
}

static bool rename_tensor(const char *published, char ret_name[NETWORK_NAME_BYTES])
{
    return network_rename_start(published, ENCODER, "encoder.", ret_name) ||
           network_rename_start(published, HEAD, "decoder.", ret_name);
}

const PublishedNetwork published_segformer = {
    .title = "SegFormer of transformers",
    .marks = { ENCODER "patch_embeddings.0.proj.weight", HEAD "linear_fuse.weight", HEAD "classifier.weight" },
    .configure = configure,
    .rename = rename_tensor,
};
