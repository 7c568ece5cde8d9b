/* SPDX-License-Identifier: Apache-2.0
 *
 * A model described for catalogues: a STAC Item (1.1.0) with the Machine Learning Model extension (mlm 1.5.2), the classes by
 * the classification extension (1.1.0), size and checksum of the file by the file extension (2.1.0). Everything in it
 * comes from the model file; docs/model-file.md tells which field is what.
 */
#ifndef METASEG_MODEL_STAC_MLM_H
#define METASEG_MODEL_STAC_MLM_H

#include "model/model_file.h"

/* Writes the Item of a model that was loaded from model_path. path: a .json; the Item names the model by its file name where both
 * lie in one folder, else by its absolute path. ERR_ARGUMENT: another suffix, or path is the model itself; ERR_INPUT: the model file
 * cannot be read; ERR_OUTPUT, ERR_MEMORY. */
Err stac_mlm_write(const Model *model, const char *model_path, const char *path, bool overwrite);

#endif
