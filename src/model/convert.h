/* SPDX-License-Identifier: Apache-2.0
 *
 * Published checkpoints to our files: what `metaseg convert` does. In: safetensors, PyTorch zip or legacy .pth, told
 * apart by content. What it holds is told apart by the names of its tensors.
 */
#ifndef METASEG_MODEL_CONVERT_H
#define METASEG_MODEL_CONVERT_H

#include "base/err.h"
#include "model/left_out.h"
#include "model/model_config.h"
#include "tensor_file/tensor_file.h"

#include <stdbool.h>
#include <stdint.h>

typedef enum ConvertKind {
    CONVERT_ENCODER = 0,  /* an image encoder: written under "encoder.", what follows it dropped */
    CONVERT_TEXT_ENCODER, /* of BERT or CLIP (model/text_encoder_file.h): heads, projections and image encoder dropped */
    CONVERT_DYNAMIC_WORLD, /* the published variables: a whole model, for prediction */
    CONVERT_NETWORK,       /* a whole network of published_networks.def: a whole model */
    CONVERT_TENSORS,       /* a network that does not run here: its tensors as they are (convert_tensors.h) */
    CONVERT_MODEL          /* a model of ours, or a checkpoint: training state and auxiliary head dropped */
} ConvertKind;

/* What is known of a published network besides its tensors. Zeroed: what its family says. */
typedef struct ConvertOptions {
    Dtype weights; /* DTYPE_F32, or DTYPE_F16 for matrices and filters in half precision */
    bool overwrite;
    const char *
        state_dict; /* the dictionary of a PyTorch checkpoint that is read (tensor_file_open_member); NULL: the usual one */
    const char *name;          /* of the model; NULL: the family's title */
    const ModelClass *classes; /* n_classes of the network, in the order of its outputs; NULL: as the family says */
    int32_t n_classes;
    const char *const *bands; /* names of the network's bands; NULL: as the family says */
    int32_t n_bands;
    const double *means, *stds; /* of the network's bands, in the units of images; NULL: as the family says */
    int32_t n_means, n_stds;
    double gsd; /* metres of a pixel that the network was made for; 0: as the family says */
} ConvertOptions;
ConvertOptions convert_options_defaults(void); /* f32, nothing known */

enum { CONVERT_TITLE = 96, CONVERT_BESIDE = 64 };

typedef struct ConvertReport {
    ConvertKind kind;
    char title[CONVERT_TITLE];    /* for people: "image encoder ResNet-18" */
    const char *format;           /* of the input, "PyTorch legacy" */
    int64_t read, written;        /* tensors in the input, tensors in the output */
    char beside[CONVERT_BESIDE];  /* another dictionary of the checkpoint that may be meant (tensor_file_beside), "" */
    char left_out[LEFT_OUT_TEXT]; /* modules of an encoder's or a network's file that are not in the output; "" */
} ConvertReport;

/* What a file holds, for people; "not recognised" where it cannot be converted. ERR_INPUT, ERR_MEMORY. */
Err convert_title(const TensorFile *file, char ret_title[CONVERT_TITLE]);

/* Converts. ERR_INPUT: missing; ERR_MODEL: damaged, hostile, not one of the kinds above, or with other tensors than its network
 * has; ERR_OUTPUT; ERR_MEMORY; ERR_ARGUMENT: other weights, classes or bands that do not fit the network or are given for what has
 * its own. */
Err convert_file(const char *in, const char *out, const ConvertOptions *options, ConvertReport *ret_report);

#endif
