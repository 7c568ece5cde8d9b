/* SPDX-License-Identifier: Apache-2.0
 *
 * Safetensors files (format description: github.com/huggingface/safetensors): 8 bytes header length, little-endian; a
 * JSON header {"name": {"dtype", "shape", "data_offsets"}, ..., "__metadata__": {string: string}} padded with spaces;
 * the tensors' bytes, without hole or overlap.
 *
 * Reading is as strict as the format's reference reader, with limits: header at most 16 MiB, at most 65,536 tensors,
 * rank at most 5, element types F64 F32 F16 BF16 I64 I32 U8. Checking takes O(n log n) for n tensors.
 */
#ifndef METASEG_TENSOR_FILE_SAFETENSORS_H
#define METASEG_TENSOR_FILE_SAFETENSORS_H

#include "tensor_file/tensor_file.h"

enum { SAFETENSORS_MAX_HEADER = 16 << 20 };

/* Opens and checks a file. ERR_INPUT: missing or unreadable; ERR_MODEL: not a valid one, with what and where;
 * ERR_MEMORY. tensor_file_close(). */
Err safetensors_open(const char *path, TensorFile **ret_file);

Err safetensors_read(TensorFile *file); /* TensorFileRead */

/* The same for bytes in memory, which must outlive the result; name stands in messages. */
Err safetensors_parse(const void *bytes, size_t n_bytes, const char *name, TensorFile **ret_file);

/* Collects what a file will hold; writes it in one go.
 *
 *     SafetensorsWriter *w = NULL;
 *     TRY(safetensors_writer_new(&w));
 *     Err err = safetensors_writer_metadata(w, "format", "pt");
 *     if (err == ERR_NONE) err = safetensors_writer_add(w, "weight", &tensor, DTYPE_F16);
 *     if (err == ERR_NONE) err = safetensors_writer_write(w, "out.safetensors", true);
 *     safetensors_writer_free(w);
 */
typedef struct SafetensorsWriter SafetensorsWriter;
Err safetensors_writer_new(SafetensorsWriter **ret_writer);
void safetensors_writer_free(SafetensorsWriter *writer);

/* Key and value are copied. ERR_MEMORY. */
Err safetensors_writer_metadata(SafetensorsWriter *writer, const char *key, const char *value);

/* The name is copied, the data borrowed until the write. stored: the tensor's own type, or f16/bf16 for f32 data.
 * ERR_MEMORY, ERR_UNSUPPORTED (another conversion). */
Err safetensors_writer_add(SafetensorsWriter *writer, const char *name, const Tensor *tensor, Dtype stored);

/* Writes under a hidden name in the same folder, syncs, renames. Wider element types come first, so that all data are
 * aligned; otherwise in the order of adding: the same content gives the same bytes. ERR_OUTPUT: cannot be written,
 * exists (without overwrite), or a finite value does not fit f16; ERR_INTERNAL: a name twice; ERR_MEMORY. */
Err safetensors_writer_write(SafetensorsWriter *writer, const char *path, bool overwrite);

#endif
