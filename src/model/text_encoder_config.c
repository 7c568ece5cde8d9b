/* SPDX-License-Identifier: Apache-2.0
 * Configurations of text encoders. */
#include "model/text_encoder_config.h"

#include "base/file.h"
#include "base/json.h"

#include <stdlib.h>
#include <string.h>

enum { CONFIG_BYTES_MAX = 1 << 20, COUNT_MAX = 1 << 16 };

static Err optional_int(const Json *object, const char *key, int64_t *value)
{
    return json_find(object, key) == NULL ? ERR_NONE : json_get_int(object, key, 1, COUNT_MAX, value);
}

static Err read_activation(const char *path, const Json *object, Activation *activation)
{
    const char *name = NULL;
    if (json_find(object, "hidden_act") == NULL) return ERR_NONE;
    TRY(json_get_string(object, "hidden_act", &name));
    if (strcmp(name, "gelu") == 0)
        *activation = ACTIVATION_GELU;
    else if (strcmp(name, "quick_gelu") == 0)
        *activation = ACTIVATION_QUICK_GELU;
    else
        return err_set(ERR_MODEL, "'%s': hidden_act is '%.40s'; gelu and quick_gelu are known", path, name);
    return ERR_NONE;
}

static Err check_type(const char *path, const Json *root, bool clip)
{
    const char *type = NULL, *position = NULL;
    if (json_find(root, "model_type") != NULL) TRY(json_get_string(root, "model_type", &type));
    const bool right = type == NULL || (clip ? strcmp(type, "clip") == 0 || strcmp(type, "clip_text_model") == 0
                                             : strcmp(type, "bert") == 0);
    if (!right)
        return err_set(ERR_MODEL,
                       "'%s': model_type is '%.40s', the weights beside it have the names of %s; expected %s", path,
                       type, clip ? "CLIP" : "BERT", clip ? "clip or clip_text_model" : "bert");
    if (json_find(root, "position_embedding_type") == NULL) return ERR_NONE;
    TRY(json_get_string(root, "position_embedding_type", &position));
    if (strcmp(position, "absolute") == 0) return ERR_NONE;
    return err_set(ERR_MODEL, "'%s': position_embedding_type is '%.40s'; absolute is known", path, position);
}

/* config.json of transformers; of a whole CLIP the part text_config counts. */
static Err read_transformers(const char *path, const Json *root, bool clip, TextEncoderConfig *config)
{
    TRY(check_type(path, root, clip));
    const Json *own = clip ? json_find(root, "text_config") : NULL;
    if (own == NULL) own = root;
    TRY(optional_int(own, "num_attention_heads", &config->heads));
    TRY(optional_int(own, "num_hidden_layers", &config->layers));
    TRY(optional_int(own, "hidden_size", &config->width));
    if (json_find(own, "layer_norm_eps") != NULL) TRY(json_get_double(own, "layer_norm_eps", &config->eps));
    config->activation =
        clip ? ACTIVATION_QUICK_GELU : ACTIVATION_GELU; /* what transformers takes where it is not told */
    return read_activation(path, own, &config->activation);
}

/* open_clip_config.json: {"model_cfg": {"quick_gelu": ..., "text_cfg": {...}}}. */
static Err read_open_clip(const Json *root, TextEncoderConfig *config)
{
    const Json *model = NULL, *text = NULL;
    bool quick = false;
    TRY(json_get_object(root, "model_cfg", &model));
    TRY(json_get_object(model, "text_cfg", &text));
    TRY(optional_int(text, "heads", &config->heads));
    TRY(optional_int(text, "layers", &config->layers));
    TRY(optional_int(text, "width", &config->width));
    if (json_find(model, "quick_gelu") != NULL) TRY(json_get_bool(model, "quick_gelu", &quick));
    config->activation = quick ? ACTIVATION_QUICK_GELU : ACTIVATION_GELU;
    return ERR_NONE;
}

Err text_encoder_config_read(const char *weights, bool clip, TextEncoderConfig *ret_config)
{
    static const char *const names[] = { "config.json", "open_clip_config.json" };
    TextEncoderConfig config = { 0 };
    char *folder = NULL, *path = NULL;
    Json *root = NULL;
    bool done = false;
    Err err = path_folder(weights, &folder);
    for (int i = 0; i < (clip ? 2 : 1) && err == ERR_NONE && !done; i++) {
        err = path_join(folder, names[i], &path);
        done = err == ERR_NONE && file_exists(path);
        if (done) err = json_read_file(path, CONFIG_BYTES_MAX, &root);
        if (done && err == ERR_NONE) {
            err = i == 0 ? read_transformers(path, root, clip, &config) : read_open_clip(root, &config);
            if (err == ERR_INPUT) err = err_prefix(ERR_MODEL, "'%s'", path);
        }
        free(path);
        path = NULL;
    }
    json_free(root);
    free(folder);
    if (err == ERR_NONE) *ret_config = config;
    return err;
}
