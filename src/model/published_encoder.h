/* SPDX-License-Identifier: Apache-2.0
 *
 * Image encoders in files of others: which of the list one is, and its weights. Families whose names are read in a way of their own have
 * a file (published_vit.h); of all others EncoderDef.rename says what is called how.
 */
#ifndef METASEG_MODEL_PUBLISHED_ENCODER_H
#define METASEG_MODEL_PUBLISHED_ENCODER_H

#include "model/model_config.h"
#include "network/encoder.h"
#include "tensor_file/tensor_file.h"

/* The encoder of the list that fits a file best, whatever wraps it, and how many bands it reads. ERR_MODEL: none fits, with what the
 * nearest lacks; ERR_MEMORY. */
Err published_encoder_find(const TensorFile *file, NetworkEncoder *ret_encoder, int32_t *ret_bands);

/* The same of tensors behind prefix and `inner`, of which rename gives our names; bands are config's. Sets its encoder. */
Err published_encoder_fit(const TensorFile *file, const char *prefix, const char *inner, NetworkRename rename,
                          ModelConfig *config);

/* Fills the parameters "encoder." of a network from a file that holds its encoder. used: by tensor of the file, those that were read
 * become true; NULL. ERR_MODEL: it holds another, a tensor is missing, left over, of a wrong shape or no number; ERR_INPUT,
 * ERR_MEMORY. */
Err published_encoder_read(const TensorFile *file, const NetworkConfig *network, ParamSet *params, bool *used);

#endif
