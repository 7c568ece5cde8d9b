/* SPDX-License-Identifier: Apache-2.0
 *
 * The parts of the network that segmenter.c joins (docs/model.md sections 2 to 4). Private to src/model.
 */
#ifndef METASEG_MODEL_NETWORK_PARTS_H
#define METASEG_MODEL_NETWORK_PARTS_H

#include "ops/ops.h"

/* Feature maps at strides 2, 4, 8, 16 and 32. */
typedef struct FeatureMaps {
    Var f2, f4, f8, f16, f32;
} FeatureMaps;

/* Image encoders, in the current scope. image [B, H, W, bands]; H and W multiples of 32. */
FeatureMaps encoder_efficientnet_lite0(Graph *g, Var image);

/* The whole Dynamic World network in the current scope, for inference graphs: image [B, H, W, bands], H and W even ->
 * scores [B, H, W, classes]. */
Var network_dynamic_world(Graph *g, Var image, int64_t classes);

/* Crossmodal attention fusion of one level in the current scope.
 * x [B, h, w, C]; memory [B, M, 384] (text memory); log_share [B, h*w, K + 1]; token_mask [B, M]; prompt_length is L.
 */
typedef struct FusionText {
    Var memory, token_mask;
    int64_t prompt_length;
} FusionText;
Var fusion_level(Graph *g, Var x, const FusionText *text, Var log_share);

/* Learned null prompt joined to the tokens: "text.null"; tokens [B, K, L, 384] -> [B, K*L + 4, 384]. */
enum { FUSION_NULL_TOKENS = 4 };
Var fusion_memory(Graph *g, Var tokens);

/* Features at half resolution, 2 width of them, from the image [B, H, W, C] and a map at stride 4 (VAR_NONE: the image alone), in
 * "detail" of the current scope. width: a multiple of 16. */
Var detail_branch(Graph *g, Var image, Var x, int64_t width);

/* UNetFormer decoder in the current scope, with stages for output strides 2 and 1; the last reads the image itself. */
typedef struct DecoderOptions {
    int64_t width, classes;
    int32_t heads;
    int32_t output_stride; /* 4, 2, 1 */
    int64_t detail_width;  /* 0: no detail branch */
    float dropout;         /* training graphs */
    bool auxiliary;        /* also build the auxiliary head (training graphs) */
} DecoderOptions;
typedef struct DecoderResult {
    Var logits;    /* [B, H/stride, W/stride, classes] */
    Var auxiliary; /* [B, H, W, classes] or VAR_NONE */
} DecoderResult;
/* Scores at stride 2 from the detail branch alone, in the current scope. */
Var decoder_detail(Graph *g, Var image, const DecoderOptions *options);
DecoderResult decoder_unetformer(Graph *g, Var image, const FeatureMaps *maps, const DecoderOptions *options);

#endif
