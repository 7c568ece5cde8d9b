/* SPDX-License-Identifier: Apache-2.0
 *
 * What of a file is not in the converted one, for people: modules, by the shortest name that no tensor in use has.
 */
#ifndef METASEG_MODEL_LEFT_OUT_H
#define METASEG_MODEL_LEFT_OUT_H

#include "tensor_file/tensor_file.h"

enum { LEFT_OUT_TEXT = 256 };

/* "head (2 tensors), intermediates (24 tensors)"; "" where nothing that is learned is left out (counters, masks and tables of positions
 * are not). used: by tensor of the file. */
void left_out_text(const TensorFile *file, const bool *used, char ret_text[LEFT_OUT_TEXT]);

#endif
