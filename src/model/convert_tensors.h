/* SPDX-License-Identifier: Apache-2.0
 *
 * Published networks that do not run here, but whose files are known: their tensors become a safetensors file as they are, under
 * their own names. Galileo (Tseng et al. 2025) and Presto (Tseng et al. 2023) of NASA Harvest.
 */
#ifndef METASEG_MODEL_CONVERT_TENSORS_H
#define METASEG_MODEL_CONVERT_TENSORS_H

#include "tensor_file/tensor_file.h"

typedef struct ForeignNetwork {
    const char *title;    /* for people */
    const char *kind;     /* metadata "metaseg.kind" */
    const char *marks[2]; /* tensors that only such a file has, by their whole names */
} ForeignNetwork;

/* The network that a file holds; NULL: none of these. */
const ForeignNetwork *foreign_network(const TensorFile *file);

/* Writes all tensors; weights DTYPE_F16: f32 of rank 2 and more in half precision. ERR_INPUT, ERR_OUTPUT, ERR_MEMORY. */
Err convert_tensors(const TensorFile *file, const ForeignNetwork *network, const char *out, Dtype weights,
                    bool overwrite);

#endif
