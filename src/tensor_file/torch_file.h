/* SPDX-License-Identifier: Apache-2.0
 *
 * State dictionaries saved by PyTorch, in both of its formats. Structure: torch/serialization.py (BSD-3-Clause), read
 * as a description. Nothing of the file is executed (tensor_file/pickle.h).
 *
 * Legacy (before PyTorch 1.6): pickles of a magic number, of the protocol version 1001, of system facts and of the
 * object, then a pickled list of storage keys, then for each key its element count (8 bytes) and its elements.
 * Zip: NAME/data.pkl, NAME/data/KEY for each storage, stored without compression.
 *
 * The object must be a dictionary of tensors, or hold one under "state_dict", "model_state_dict" or "model", which are
 * looked for first: beside them training scripts put tensors of their own; or a single one under any other name. Entries that are no
 * tensors are passed over; quantised, sparse and complex tensors are an error. Tensors may be strided views of their storages, but not
 * expanded ones.
 */
#ifndef METASEG_TENSOR_FILE_TORCH_FILE_H
#define METASEG_TENSOR_FILE_TORCH_FILE_H

#include "tensor_file/tensor_file.h"

/* ERR_INPUT: missing or unreadable; ERR_MODEL: damaged, hostile, big-endian, or with element types that we do not have;
 * ERR_MEMORY. tensor_file_close(). */
Err torch_legacy_read(TensorFile *file); /* TensorFileRead, for tensor_file_load() */
Err torch_zip_read(TensorFile *file);

/* The legacy format in memory, which must outlive the result; name stands in messages. */
Err torch_legacy_parse(const void *bytes, size_t n_bytes, const char *name, TensorFile **ret_file);

#endif
