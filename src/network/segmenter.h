/* SPDX-License-Identifier: Apache-2.0
 *
 * The whole network as a graph: image encoder, crossmodal fusion, decoder, and for training the loss (docs/model.md).
 *
 * Inputs by name: those of NetworkInputs (tensor/network_inputs.h), text with fusion alone, labels in training alone,
 * label_probabilities with SegmenterTraining.probabilities;
 * in training also dice_weight [1] and auxiliary_weight [1].
 * Outputs by name: logits [B, H/s, W/s, classes] with the configuration's output stride s; in training also the scalars
 * loss, loss_cross_entropy, loss_dice, loss_auxiliary (without its weight).
 */
#ifndef METASEG_NETWORK_SEGMENTER_H
#define METASEG_NETWORK_SEGMENTER_H

#include "graph/program.h"
#include "network/network_config.h"
#include "tensor/network_inputs.h"

/* What a model reads of `batch` square images; side: a multiple of network_side_multiple(). Without fusion no text (tokens 0). Labels are
 * class indexes alone (label_classes 0); who trains against probabilities sets that to the number of classes. */
NetworkShape segmenter_shape(const NetworkConfig *config, int64_t batch, int64_t side);

/* Used by training graphs. */
typedef struct SegmenterTraining {
    float smoothing;   /* of the labels, 0.05 */
    float dice_smooth; /* 0.05 */
    float dropout;     /* of the decoder, 0.1 */
    float drop_path;   /* of the encoder's last block (EncoderDef); negative: its own choice, which is the default */
    float dice_weight; /* 1 */
    float auxiliary_weight; /* 0.4; 0 leaves the auxiliary head out */
    bool
        probabilities; /* cross-entropy, the auxiliary head's too, against label_probabilities; Dice against the labels */
    int32_t ignore;    /* label without a class, 255 */
    bool freeze_encoder, freeze_decoder; /* their BatchNorm uses the running statistics and leaves them (graph.h) */
} SegmenterTraining;
SegmenterTraining segmenter_training_defaults(void);

/* What was built; VAR_NONE where absent. The feature maps are for tests. */
typedef struct Segmenter {
    Var logits, full, auxiliary, loss; /* full: the logits at the image's size, in training */
    Var f16, f32, fused16, fused32;
} Segmenter;

/* Adds the network to an empty graph; graph_training(g) chooses. training may be NULL for the defaults. Errors stick to
 * the graph: ERR_SHAPE for sizes that do not fit the network or the configuration. */
void segmenter_build(Graph *g, const NetworkConfig *config, const NetworkShape *shape,
                     const SegmenterTraining *training, Segmenter *ret_segmenter);

/* Declares all parameters of a configuration in an empty set; with the auxiliary head's on request.
 * ERR_SHAPE, ERR_MEMORY. */
Err segmenter_declare(ParamSet *params, const NetworkConfig *config, bool auxiliary);

/* Builds and compiles in one go. training NULL: an inference program. With training: options->loss is set here, and the
 * two weights are written into their inputs. ERR_SHAPE, ERR_UNSUPPORTED, ERR_MEMORY. */
Err segmenter_compile(ParamSet *params, const NetworkConfig *config, const NetworkShape *shape,
                      const SegmenterTraining *training, const ProgramOptions *options, Program **ret_program);

/* Copies into a program of segmenter_compile what it reads of a batch. ERR_SHAPE: it reads a part that the batch lacks
 * or has in another size; then nothing is copied. */
Err segmenter_write(const Program *program, const NetworkInputs *inputs);

#endif
