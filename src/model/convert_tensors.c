/* SPDX-License-Identifier: Apache-2.0
 * Tensors as they are, from one format to another. */
#include "model/convert_tensors.h"

#include "tensor_file/safetensors.h"

#include <stdlib.h>

static const ForeignNetwork networks[] = {
    { "Galileo, encoder", "galileo_encoder", { "s_t_channel_embed", "space_time_embed.S1.proj.weight" } },
    { "Galileo, decoder", "galileo_decoder", { "s_t_channel_embed", "to_output_embed.weight" } },
    { "Presto", "presto", { "encoder.eo_patch_embed.S2_RGB.weight", "encoder.latlon_embed.weight" } },
};

const ForeignNetwork *foreign_network(const TensorFile *file)
{
    for (int64_t i = 0; i < ARRAY_LEN(networks); i++) {
        const ForeignNetwork *n = &networks[i];
        if (tensor_file_find(file, n->marks[0]) != NULL && tensor_file_find(file, n->marks[1]) != NULL) return n;
    }
    return NULL;
}

/* Adds a tensor; ret_elements is what the writer borrows. */
static Err add(SafetensorsWriter *writer, const StoredTensor *stored, Dtype weights, void **ret_elements)
{
    Tensor tensor = { .dtype = stored->dtype, .shape = stored->shape };
    const bool shorten = weights == DTYPE_F16 && stored->dtype == DTYPE_F32 && stored->shape.rank >= 2;
    tensor.data = malloc(tensor_bytes(&tensor) + 1);
    if (tensor.data == NULL) return err_memory(tensor_bytes(&tensor), "a tensor to convert");
    Err err = stored_tensor_copy(stored, tensor.data);
    if (err == ERR_NONE)
        err = safetensors_writer_add(writer, stored->name, &tensor, shorten ? DTYPE_F16 : stored->dtype);
    if (err == ERR_NONE)
        *ret_elements = tensor.data;
    else
        free(tensor.data);
    return err;
}

Err convert_tensors(const TensorFile *file, const ForeignNetwork *network, const char *out, Dtype weights,
                    bool overwrite)
{
    const int64_t n = tensor_file_count(file);
    SafetensorsWriter *writer = NULL;
    void **elements = calloc((size_t)n + 1, sizeof *elements);
    if (elements == NULL) return err_memory((size_t)n * sizeof *elements, "tensors to convert");
    Err err = safetensors_writer_new(&writer);
    if (err == ERR_NONE) err = safetensors_writer_metadata(writer, "format", "pt");
    if (err == ERR_NONE) err = safetensors_writer_metadata(writer, "metaseg.kind", network->kind);
    for (int64_t i = 0; i < n && err == ERR_NONE; i++)
        err = add(writer, tensor_file_at(file, i), weights, &elements[i]);
    if (err == ERR_NONE) err = safetensors_writer_write(writer, out, overwrite);
    safetensors_writer_free(writer);
    for (int64_t i = 0; i < n; i++) free(elements[i]);
    free(elements);
    return err;
}
