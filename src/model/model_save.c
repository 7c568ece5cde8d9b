/* SPDX-License-Identifier: Apache-2.0
 * Saving of models and checkpoints. */
#include "model/model_file.h"

#include "base/str.h"

#include <stdlib.h>

ModelSave model_save_defaults(void) { return (ModelSave){ .weights = DTYPE_F16 }; }

static Err add_params(const Model *model, const ModelSave *save, SafetensorsWriter *writer)
{
    const float *values = save->values != NULL ? save->values : params_values(model->params);
    for (int32_t i = 0; i < params_count(model->params); i++) {
        const ParamInfo *info = params_info(model->params, i);
        if (!save->auxiliary && model_is_auxiliary(info->name)) continue;
        const Tensor tensor = { .dtype = DTYPE_F32, .shape = info->shape, .data = (void *)(values + info->offset) };
        TRY(safetensors_writer_add(writer, info->name, &tensor, info->shape.rank >= 2 ? save->weights : DTYPE_F32));
    }
    return ERR_NONE;
}

static Err add_extras(const ModelSave *save, SafetensorsWriter *writer)
{
    for (int64_t i = 0; i < save->n_extras; i++) {
        const ModelExtra *extra = &save->extras[i];
        if (!str_starts_with(extra->name, "train.")) {
            return err_set(ERR_ARGUMENT, "the further tensor '%s' must be named 'train....'", extra->name);
        }
        TRY(safetensors_writer_add(writer, extra->name, &extra->tensor, extra->tensor.dtype));
    }
    for (int64_t i = 0; i < save->n_notes; i++) {
        if (!str_starts_with(save->notes[i].key, "metaseg.train.")) {
            return err_set(ERR_ARGUMENT, "the metadata '%s' must be named 'metaseg.train....'", save->notes[i].key);
        }
        TRY(safetensors_writer_metadata(writer, save->notes[i].key, save->notes[i].value));
    }
    return ERR_NONE;
}

static Err collect(const Model *model, const ModelSave *save, SafetensorsWriter *writer)
{
    char *json = NULL;
    TRY(safetensors_writer_metadata(writer, "format", "pt")); /* other readers look for it */
    TRY(model_config_write(&model->config, &json));
    const Err err = safetensors_writer_metadata(writer, "metaseg", json);
    free(json);
    TRY(err);
    TRY(add_params(model, save, writer));
    TRY(model_prompts_store(&model->prompts, writer));
    return add_extras(save, writer);
}

Err model_save(const Model *model, const char *path, const ModelSave *save)
{
    SafetensorsWriter *writer = NULL;
    TRY(safetensors_writer_new(&writer));
    Err err = collect(model, save, writer);
    if (err == ERR_NONE) err = safetensors_writer_write(writer, path, save->overwrite);
    safetensors_writer_free(writer);
    return err;
}
