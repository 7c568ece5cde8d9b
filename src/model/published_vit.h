/* SPDX-License-Identifier: Apache-2.0
 *
 * Weights of image encoders under the names of those who publish them, read into our parameters. Which encoder a file holds is
 * told by names and shapes; whatever stands before the names ("backbone.", "module.") does not matter, and tensors beside
 * it are not looked at. Families whose published names are ours need nothing of this (model_load_encoder).
 *
 * Vision transformers of DINOv2 and DINOv3: timm's names (ours), Meta's and those of transformers, as its files and as its
 * modules have them.
 */
#ifndef METASEG_MODEL_PUBLISHED_VIT_H
#define METASEG_MODEL_PUBLISHED_VIT_H

#include "graph/params.h"
#include "network/network_config.h"
#include "tensor_file/tensor_file.h"

/* ret_bands: that it reads. ret_encoder: NETWORK_ENCODER_none where the file holds no encoder of these families. ERR_MODEL: of a size that is not
 * here, or twice; ERR_MEMORY. */
Err published_vit_find(const TensorFile *file, NetworkEncoder *ret_encoder, int32_t *ret_bands);

/* Fills the parameters "PREFIX..." from a file of such a family, whatever its size. bands: of the image (see
 * model_load_encoder). The feature pyramid, which nobody publishes, keeps its values unless the file has it.
 * used: by tensor of the file, those that were read become true; NULL. ERR_MODEL: a tensor is missing, left over, of a wrong shape or no number; ERR_INPUT, ERR_MEMORY. */
Err published_vit_read(const TensorFile *file, ParamSet *params, const char *prefix, int64_t bands, bool *used);

/* What the parameters that nobody publishes begin with. */
bool published_vit_lacks(const char *name);

#endif
