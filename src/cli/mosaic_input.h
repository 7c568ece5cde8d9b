/* SPDX-License-Identifier: Apache-2.0
 *
 * The inputs of a command as one image: a virtual raster in a folder of its own below $TMPDIR, as long as it is read. */
#ifndef METASEG_CLI_MOSAIC_INPUT_H
#define METASEG_CLI_MOSAIC_INPUT_H

#include "geo/input_list.h"

/* *ret_path: of the virtual raster, which mosaic_input_remove() removes and frees. Errors of image_mosaic_write; ERR_OUTPUT: no folder can
 * be made. */
Err mosaic_input_make(const InputList *inputs, char **ret_path);
void mosaic_input_remove(char *path);

#endif
