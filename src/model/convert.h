/* SPDX-License-Identifier: Apache-2.0
 *
 * Published checkpoints to our files: what `metaseg convert` does. In: safetensors, PyTorch zip or legacy .pth, told
 * apart by content. What it holds is told apart by the names of its tensors.
 */
#ifndef METASEG_MODEL_CONVERT_H
#define METASEG_MODEL_CONVERT_H

#include "base/err.h"
#include "tensor/tensor.h"

#include <stdbool.h>
#include <stdint.h>

typedef enum ConvertKind {
    CONVERT_ENCODER =
        0, /* ImageNet EfficientNet-Lite0: written under "encoder.", classifier tail and counters dropped */
    CONVERT_TEXT_ENCODER,  /* all-MiniLM-L6-v2: pooler and position ids dropped */
    CONVERT_DYNAMIC_WORLD, /* the published variables: a whole model, for prediction */
    CONVERT_MODEL,         /* a model of ours, or a checkpoint: training state and auxiliary head dropped */
    CONVERT_KIND_COUNT
} ConvertKind;
const char *convert_kind_name(ConvertKind kind); /* for people: "image encoder (EfficientNet-Lite0)" */

typedef struct ConvertReport {
    ConvertKind kind;
    const char *format;    /* of the input, "PyTorch legacy" */
    int64_t read, written; /* tensors in the input, tensors in the output */
} ConvertReport;

/* Converts. weights: DTYPE_F32, or DTYPE_F16 for matrices and filters in half precision. ERR_INPUT: missing; ERR_MODEL:
 * damaged, hostile, or not one of the kinds above; ERR_OUTPUT; ERR_MEMORY; ERR_ARGUMENT: other weights. */
Err convert_file(const char *in, const char *out, Dtype weights, bool overwrite, ConvertReport *ret_report);

#endif
