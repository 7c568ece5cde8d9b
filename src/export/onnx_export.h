/* SPDX-License-Identifier: Apache-2.0
 *
 * A model as an ONNX file for others (docs/export.md), with the metadata that the QGIS plugin Deepness and GeoDeep read, and beside it
 * FILE.json as geoai writes it.
 */
#ifndef METASEG_EXPORT_ONNX_EXPORT_H
#define METASEG_EXPORT_ONNX_EXPORT_H

#include "model/model_file.h"
#include "tensor/network_inputs.h"

typedef struct OnnxExport {
    int64_t side; /* of the square image, in pixels; 0: the model's tile */
    const NetworkInputs
        *text; /* text that becomes part of the file, of that side; NULL: tokens, token_mask, log_share_16 and
                                * log_share_32 are inputs, where the model reads text */
    bool bare; /* the network alone: normalised image, scores at the network's own stride; else pixels / 255 and
                                * probabilities at the image's size, as the programs above have them */
    bool overwrite;
} OnnxExport;

/* Writes path (a .onnx) and path.json. The model's parameters stay as they are. ERR_ARGUMENT: another suffix, or a side that the
 * network cannot read; ERR_UNSUPPORTED: an op without translation, or more than 2 GB; ERR_OUTPUT, ERR_MEMORY. */
Err onnx_export(const Model *model, const char *path, const OnnxExport *o);

#endif
