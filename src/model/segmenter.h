/* SPDX-License-Identifier: Apache-2.0
 *
 * The whole network as a graph: image encoder, crossmodal fusion, decoder, and for training the loss (docs/model.md).
 *
 * Inputs by name: image [B, H, W, bands]; with fusion also tokens [B, K, L, 384], token_mask [B, K*L + 4],
 * log_share_16, log_share_32 [B, cells, K + 1]; in training labels [B, H, W] u8, dice_weight [1], auxiliary_weight [1].
 * Outputs by name: logits4 [B, H/4, W/4, classes]; in training also logits [B, H, W, classes] and the scalars loss,
 * loss_cross_entropy, loss_dice, loss_auxiliary (without its weight).
 */
#ifndef METASEG_MODEL_SEGMENTER_H
#define METASEG_MODEL_SEGMENTER_H

#include "graph/program.h"
#include "model/model_config.h"

/* Sizes a program is compiled for. height, width: multiples of 256; zones: K, tokens: L (read only with fusion). */
typedef struct SegmenterShape {
    int64_t batch, height, width, zones, tokens;
} SegmenterShape;

/* Used by training graphs. */
typedef struct SegmenterTraining {
    float smoothing;                     /* of the labels, 0.05 */
    float dice_smooth;                   /* 0.05 */
    float dropout;                       /* 0.1 */
    float dice_weight;                   /* 1 */
    float auxiliary_weight;              /* 0.4; 0 leaves the auxiliary head out */
    int32_t ignore;                      /* label without a class, 255 */
    bool freeze_encoder, freeze_decoder; /* their BatchNorm uses the running statistics and leaves them (graph.h) */
} SegmenterTraining;
SegmenterTraining segmenter_training_defaults(void);

/* What was built; VAR_NONE where absent. The feature maps are for tests. */
typedef struct Segmenter {
    Var logits4, logits, auxiliary, loss;
    Var f16, f32, fused16, fused32;
} Segmenter;

/* Adds the network to an empty graph; graph_training(g) chooses. training may be NULL for the defaults. Errors stick to
 * the graph: ERR_SHAPE for sizes that do not fit. */
void segmenter_build(Graph *g, const ModelConfig *config, const SegmenterShape *shape,
                     const SegmenterTraining *training, Segmenter *ret_segmenter);

/* Declares all parameters of a configuration in an empty set and allocates it; with the auxiliary head's on request.
 * ERR_SHAPE, ERR_MEMORY. */
Err segmenter_declare(ParamSet *params, const ModelConfig *config, bool auxiliary);

/* Builds and compiles in one go. training NULL: an inference program. With training: options->loss is set here, and the
 * two weights are written into their inputs. ERR_SHAPE, ERR_UNSUPPORTED, ERR_MEMORY. */
Err segmenter_compile(ParamSet *params, const ModelConfig *config, const SegmenterShape *shape,
                      const SegmenterTraining *training, const ProgramOptions *options, Program **ret_program);

/* What a run reads, laid out as the inputs above; NULL: not read (text without fusion, labels in inference). */
typedef struct SegmenterInputs {
    const float *image;
    const uint8_t *labels;
    const float *tokens, *token_mask, *log_share_16, *log_share_32;
} SegmenterInputs;

/* Copies all that is not NULL into a program of segmenter_compile, which must have those inputs (ASSERT). */
void segmenter_write(const Program *program, const SegmenterInputs *inputs);

#endif
