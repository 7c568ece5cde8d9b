/* SPDX-License-Identifier: Apache-2.0
 *
 * Parts that the segmenter and several decoders use (docs/model.md sections 3 and 4). Private to src/network.
 */
#ifndef METASEG_NETWORK_NETWORK_PARTS_H
#define METASEG_NETWORK_NETWORK_PARTS_H

#include "network/decoder.h"

/* Crossmodal attention fusion of one level in the current scope.
 * x [B, h, w, C]; memory [B, M, text width] (text memory); log_share [B, h*w, K + 1]; token_mask [B, M]; prompt_length is L.
 */
typedef struct FusionText {
    Var memory, token_mask;
    int64_t prompt_length;
    int64_t width; /* of the fusion */
    int32_t heads;
} FusionText;
Var fusion_level(Graph *g, Var x, const FusionText *text, Var log_share);

/* Learned null prompt joined to the tokens: "text.null" [null_tokens, C]; tokens [B, K, L, C] -> [B, K*L + null_tokens, C]. */
Var fusion_memory(Graph *g, Var tokens, int64_t null_tokens);

/* Features at half resolution, 2 width of them, from the image [B, H, W, C] and a map at stride 4 (VAR_NONE: the image alone), in
 * "detail" of the current scope. width: a multiple of 16. */
Var detail_branch(Graph *g, Var image, Var x, int64_t width);

#endif
