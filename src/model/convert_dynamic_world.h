/* SPDX-License-Identifier: Apache-2.0
 *
 * The published variables of Dynamic World as a model of ours. Private to src/model.
 */
#ifndef METASEG_MODEL_CONVERT_DYNAMIC_WORLD_H
#define METASEG_MODEL_CONVERT_DYNAMIC_WORLD_H

#include "model/model_file.h"
#include "tensor_file/tensor_file.h"

/* A variable that no other network has, under its published name. */
#define DYNAMIC_WORLD_MARK "depthwise_conv2d_9/depthwise_kernel"

/* Reads the variables of `file` under their names in Keras ("conv2d_2/kernel", [h, w, in, out]); others are not looked
 * at. model_free(). ERR_MODEL: one is missing or has another shape; ERR_INPUT, ERR_MEMORY. */
Err dynamic_world_model(const TensorFile *file, Model **ret_model);

#endif
