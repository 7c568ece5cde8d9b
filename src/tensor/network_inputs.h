/* SPDX-License-Identifier: Apache-2.0
 *
 * What the network reads for one batch of images, as plain buffers (docs/model.md section 1): readers of rasters fill
 * it, segmenter_write() copies it into a program. Plain memory in a stated layout, so it lies beside Tensor: who fills it
 * needs nothing of the network.
 *
 *     NetworkInputs batch;
 *     TRY(network_inputs_init(&shape, &batch));
 *     for (int64_t i = 0; i < shape.batch; i++) fill(network_inputs_at(&batch, i));
 *     Err err = segmenter_write(program, &batch);
 *     ...
 *     network_inputs_done(&batch);
 */
#ifndef METASEG_TENSOR_NETWORK_INPUTS_H
#define METASEG_TENSOR_NETWORK_INPUTS_H

#include "base/err.h"
#include "tensor/tensor.h"

#include <stdbool.h>
#include <stdint.h>

/* Sizes that buffers are made and a program is compiled for; segmenter_shape() gives those of a model. */
typedef struct NetworkShape {
    int64_t batch;         /* B images */
    int64_t height, width; /* H, W: multiples of 32 */
    int64_t bands;
    bool presence;         /* the image tells of each band whether it is there: 2 * bands channels */
    int64_t label_classes; /* classes that labels give probabilities of; 0: labels are class indexes alone */
    int64_t slots;         /* K: prompts that an image can read at once */
    int64_t tokens;        /* L: rows of a prompt; 0: the network reads no text */
    int64_t text_width;    /* features of a row */
    int64_t null_tokens;   /* rows of the learned null prompt */
} NetworkShape;

/* The parts, by the names of the program's inputs. */
typedef enum NetworkPart {
    NETWORK_IMAGE =
        0,          /* f32 [B, H, W, bands], normalised, 0 where there is no data; with presence [B, H, W, 2 * bands]:
                            * the values, 0 of a missing band, then 1 of each band that is there and 0 of one that is not */
    NETWORK_LABELS, /* u8 [B, H, W], class indexes; read in training alone */
    NETWORK_PROBABILITIES, /* u8 [B, H, W, label_classes], probability x 255; training alone, with label_classes > 0.
                            * Labels are there too: the most probable class, or the ignored value */
    NETWORK_TOKENS,        /* f32 [B, K, L, text_width], rows beyond a prompt's length 0 */
    NETWORK_TOKEN_MASK,    /* f32 [B, K*L + null_tokens], 0 where a row is read, -1e9 where not */
    NETWORK_LOG_SHARE_16,  /* f32 [B, H/16 * W/16, K + 1], natural logarithm of the shares, the null prompt's last */
    NETWORK_LOG_SHARE_32,  /* f32 [B, H/32 * W/32, K + 1] */
    NETWORK_PARTS
} NetworkPart;

/* "image", "labels", "label_probabilities", "tokens", "token_mask", "log_share_16", "log_share_32". */
const char *network_part_name(NetworkPart part);
Dtype network_part_dtype(NetworkPart part);
Shape network_part_shape(const NetworkShape *shape, NetworkPart part);

/* The buffers of a batch, or of one image of it (network_inputs_at), which then borrows. Text NULL where the network
 * reads none, probabilities where labels have none. One buffer set belongs to one thread at a time. */
typedef struct NetworkInputs {
    NetworkShape shape;
    float *image;
    uint8_t *labels, *label_probabilities;
    float *tokens, *token_mask, *log_share_16, *log_share_32;
} NetworkInputs;

/* Zeroed buffers of this shape; network_inputs_done() frees them. ERR_SHAPE: a size that cannot be; ERR_MEMORY. */
Err network_inputs_init(const NetworkShape *shape, NetworkInputs *ret_inputs);
void network_inputs_done(NetworkInputs *inputs);

/* Image i of a batch as a batch of one, borrowed; 0 <= i < shape.batch (ASSERT). */
NetworkInputs network_inputs_at(const NetworkInputs *inputs, int64_t i);

/* Fills the image of a batch of one from values [H, W, n]: band b of the network is column source[b] of them, or missing
 * where that is -1; source NULL: all bands in order, n is bands. Bands are missing with presence alone (ASSERT). */
void network_inputs_fill_image(const NetworkInputs *image, const float *values, int64_t n, const int32_t *source);

/* One part as a tensor, borrowed; data NULL where the network reads no text, labels have no probabilities. */
Tensor network_inputs_part(const NetworkInputs *inputs, NetworkPart part);

#endif
