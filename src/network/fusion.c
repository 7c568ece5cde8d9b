/* SPDX-License-Identifier: Apache-2.0
 * Crossmodal attention fusion: text tokens read the image, then image tokens read the text; docs/model.md section 3. */
#include "network/network_parts.h"

#include "nn/modules.h"

static const float layernorm_eps = 1e-5F;
static const double weight_std = 0.02;

Var fusion_memory(Graph *g, Var tokens, int64_t null_tokens)
{
    const Shape shape = graph_value(g, tokens).shape;
    const int64_t channels = shape.rank == 4 ? shape.dim[3] : 0;
    graph_push(g, "text");
    const Var null =
        graph_param_nodecay(g, "null", shape2(null_tokens, channels), (ParamInit){ INIT_NORMAL, weight_std });
    graph_pop(g);
    return op_concat_tokens(g, tokens, null);
}

/* t1 = t0 + text_out(attention of the tokens over the image); zn [B, h, w, D] -> [B, M, D]. */
static Var tokens_read_image(Graph *g, Var zn, const FusionText *text, Var log_share)
{
    const AttentionAttr attr = { .heads = text->heads,
                                 .slots = ATTENTION_QUERY_SLOTS,
                                 .slot_length = (int32_t)text->prompt_length,
                                 .has_mask = false };
    const Var t0 = nn_linear(g, "text_in", text->memory, text->width, weight_std);
    const Var q = nn_linear(g, "text_q", nn_layernorm(g, "norm_t0", t0, layernorm_eps), text->width, weight_std);
    const Var k = nn_linear(g, "text_k", zn, text->width, weight_std);
    const Var v = nn_linear(g, "text_v", zn, text->width, weight_std);
    const Var read = op_attention(g, q, k, v, log_share, VAR_NONE, &attr);
    return op_add(g, t0, nn_linear(g, "text_out", read, text->width, weight_std));
}

/* Attention of the image over the tokens; zn [B, h, w, D], t1 [B, M, D] -> [B, h, w, D]. */
static Var image_reads_tokens(Graph *g, Var zn, Var t1, const FusionText *text, Var log_share)
{
    const AttentionAttr attr = { .heads = text->heads,
                                 .slots = ATTENTION_KEY_SLOTS,
                                 .slot_length = (int32_t)text->prompt_length,
                                 .has_mask = true };
    const Var tn = nn_layernorm(g, "norm_t1", t1, layernorm_eps);
    const Var q = nn_linear(g, "image_q", zn, text->width, weight_std);
    const Var k = nn_linear(g, "image_k", tn, text->width, weight_std);
    const Var v = nn_linear(g, "image_v", tn, text->width, weight_std);
    return op_attention(g, q, k, v, log_share, text->token_mask, &attr);
}

Var fusion_level(Graph *g, Var x, const FusionText *text, Var log_share)
{
    const Shape shape = graph_value(g, x).shape;
    const int64_t channels = shape.rank == 4 ? shape.dim[3] : 0;
    const Var z = nn_linear(g, "image_in", x, text->width, weight_std);
    const Var zn = nn_layernorm(g, "norm_z", z, layernorm_eps);
    const Var t1 = tokens_read_image(g, zn, text, log_share);
    const Var read = image_reads_tokens(g, zn, t1, text, log_share);
    const Var x1 = op_add(g, x, nn_linear(g, "image_out", read, channels, 0.0));
    Var h = nn_layernorm(g, "norm_mlp", x1, layernorm_eps);
    graph_push(g, "mlp");
    h = op_gelu(g, nn_linear(g, "fc1", h, 4 * channels, weight_std));
    h = nn_linear(g, "fc2", h, channels, 0.0);
    graph_pop(g);
    return op_add(g, x1, h);
}
