/* SPDX-License-Identifier: Apache-2.0
 *
 * All ops: their attributes and builders. A builder adds one node to a graph and returns its result; its formula and
 * shapes stand here, its kernels in the file of the same name. Every op has forward and backward on the CPU.
 */
#ifndef METASEG_OPS_OPS_H
#define METASEG_OPS_OPS_H

#include "graph/graph.h"

#define OP(name) extern const OpDef op_def_##name;
#include "ops/ops.def"
#undef OP

/* All descriptors in the order of ops.def. */
extern const OpDef *const op_registry[];
extern const int32_t op_registry_count;

typedef enum Activation {
    ACTIVATION_NONE = 0,
    ACTIVATION_RELU,
    ACTIVATION_RELU6,
    ACTIVATION_SIGMOID,
    ACTIVATION_GELU,
    ACTIVATION_MISH,
    ACTIVATION_QUICK_GELU
} Activation;

/* True for those that are ops of their own everywhere, never part of another op. */
static inline bool activation_stands_apart(Activation activation)
{
    return activation == ACTIVATION_GELU || activation == ACTIVATION_MISH || activation == ACTIVATION_QUICK_GELU;
}

/* y = f(x), elementwise: ReLU max(x,0), ReLU6 min(max(x,0),6), sigmoid 1/(1+exp(-x)). Gradient of ReLU6 is 1 on 0 < x
 * < 6. */
Var op_activation(Graph *g, Var x, Activation activation);

/* Mean over the bins of a grid, PyTorch's adaptive_avg_pool2d: [B, H, W, C] -> [B, height, width, C]; bin i of n along
 * a length L is [floor(i L / n), ceil((i + 1) L / n)). op_global_average_pool: one bin, [B, 1, 1, C]. */
typedef struct AdaptiveAveragePoolAttr {
    int32_t height, width;
} AdaptiveAveragePoolAttr;
Var op_adaptive_average_pool(Graph *g, Var x, int32_t height, int32_t width);
Var op_global_average_pool(Graph *g, Var x);

/* y = a + b. b has the shape of a or its last dimensions: positions [1, H, W, C] for each image, a bias [C] for each token. */
Var op_add(Graph *g, Var a, Var b);

/* y = a * b, same shapes. */
Var op_multiply(Graph *g, Var a, Var b);

/* Scaled dot-product attention over heads with a slot bias (docs/model.md section 3).
 * q [B, N, D], k, v [B, M, D] (any spatial rank); D = heads * size; out [B, N, D].
 * logit(i, j) = q_i . k_j / sqrt(D / heads) + slot bias + mask[b, j]
 * Slot bias, with slot(t) = min(t / slot_length, S - 1):
 *   ATTENTION_PLAIN        none, log_share is absent
 *   ATTENTION_KEY_SLOTS    queries are image tokens, keys text: log_share [B, N, S], bias log_share[b, i, slot(j)]
 *   ATTENTION_QUERY_SLOTS  queries are text tokens, keys image: log_share [B, M, S], bias log_share[b, j, slot(i)]
 * mask [B, M] is optional, additive. causal (N = M): query i reads the keys 0 to i alone. log_share and mask get no gradient. Saves the log-sum-exp [B, heads, N] for
 * backward by recomputation. */
typedef enum AttentionSlots { ATTENTION_PLAIN = 0, ATTENTION_KEY_SLOTS, ATTENTION_QUERY_SLOTS } AttentionSlots;
typedef struct AttentionAttr {
    int32_t heads;
    AttentionSlots slots;
    int32_t slot_length;
    bool has_mask, causal;
} AttentionAttr;
Var op_attention(Graph *g, Var q, Var k, Var v, Var log_share, Var mask, const AttentionAttr *attr);

/* Training-mode BatchNorm over all but the last dimension, with optional activation (NONE, RELU or RELU6) fused:
 * y = act((x - mean) / sqrt(var + eps) * weight + bias), biased variance; running = (1 - momentum) running + momentum
 * batch (unbiased variance), updated in forward. In an inference program uses the running statistics. weight, bias,
 * mean, var: [C]. Saves mean and 1/std [2, C]. Sums go through Step.reduce. Frozen: in training too it uses the running
 * statistics, which are not updated. */
typedef struct BatchnormAttr {
    float eps, momentum;
    Activation activation;
    bool frozen;
} BatchnormAttr;
Var op_batchnorm(Graph *g, Var x, Var weight, Var bias, Var running_mean, Var running_var, const BatchnormAttr *attr);

/* y[b, ..., c] = x[b, ..., c] * s[b, c]; s is [B, C] or [B, 1, 1, C]. */
Var op_channel_scale(Graph *g, Var x, Var s);

/* The channels of n inputs (2 to STEP_MAX_IN), one after the other: [..., Ca], [..., Cb], ... -> [..., Ca + Cb + ...]. */
Var op_concat_channels(Graph *g, int32_t n, const Var *in);

/* The tokens of a, then those of b: [B, ..., C], [B, ..., C] -> [B, Na + Nb, C]. Either may be [N, C] or [1, ..., C], the
 * same for each image. */
Var op_concat_tokens(Graph *g, Var a, Var b);

/* 2-D convolution. x [B, H, W, Cin], weight [Cout, Cin/groups, kh, kw] (PyTorch order), out [B, Ho, Wo, Cout],
 * Ho = (H + top + bottom - (kh - 1) dilation - 1) / stride + 1. groups is 1 or Cin == Cout (depthwise). Optional bias
 * [Cout]. dilation: pixels from one tap to the next; 0 is 1.
 * Inference only: a folded BatchNorm (weight, bias, mean, var given), an activation (NONE, RELU, RELU6, SIGMOID) and a
 * residual: y = act(bn(conv(x) + bias)) + residual, or with activate_sum act(bn(conv(x) + bias) + residual). Training graphs use op_batchnorm, op_activation, op_add. Inputs in
 * order: x, weight, [bias], [bn weight, bn bias, bn mean, bn var], [residual]. */
typedef struct Conv2dAttr {
    int32_t stride, groups, dilation;
    int32_t top, left, bottom, right;
    bool has_bias, has_batchnorm, has_residual; /* set by the builder */
    bool activate_sum;
    float batchnorm_eps;
    Activation activation;
} Conv2dAttr;
typedef struct Conv2dFold {
    Var batchnorm_weight, batchnorm_bias, batchnorm_mean, batchnorm_var; /* all VAR_NONE: none */
    Var residual;                                                        /* VAR_NONE: none */
} Conv2dFold;
#define CONV2D_FOLD_NONE ((Conv2dFold){ VAR_NONE, VAR_NONE, VAR_NONE, VAR_NONE, VAR_NONE })
Var op_conv2d(Graph *g, Var x, Var weight, Var bias, Conv2dFold fold, Conv2dAttr attr);

/* Inference only: a 3x3 convolution (stride 1, zero padding 1) of maps of several sizes side by side, with BatchNorm and
 * ReLU: y = relu(bn(conv(concat(resize(x_0), resize(x_1), ...)))), resize bilinear to height x width, align_corners
 * false. x_i [B, h_i, w_i, C_i], 1 to 5 of them, weight [Cout, sum of C_i, 3, 3], out [B, height, width, Cout]. Of norm
 * the BatchNorm is used. Training graphs use op_resize_bilinear_to, op_concat_channels and the rest apart. */
typedef struct Conv2dLevelsAttr {
    int32_t height, width;
    float batchnorm_eps;
} Conv2dLevelsAttr;
Var op_conv2d_levels(Graph *g, int32_t n, const Var *levels, Var weight, Conv2dFold norm, const Conv2dLevelsAttr *attr);

/* Queries, keys and values of the cosine attention of Swin Transformer V2, for op_window_attention: qkv [..., 3 D], channel order
 * (3, heads, size), bias [3 D], logit_scale one per head. Queries with their bias and keys without become unit vectors, queries
 * times sqrt(size) exp(min(logit_scale, ln 100)); values get their bias. graph_result(g, result, 1) is what zeros become, [3 D]:
 * its padding. */
Var op_cosine_qkv(Graph *g, Var qkv, Var bias, Var logit_scale);

/* The first rows and columns: [B, H, W, C] -> [B, height, width, C]. */
typedef struct CropAttr {
    int64_t height, width;
} CropAttr;
Var op_crop(Graph *g, Var x, int64_t height, int64_t width);

/* Transposed convolution whose stride is its kernel, so that patches do not overlap (PyTorch: ConvTranspose2d with
 * kernel_size = stride). x [B, H, W, Cin], weight [Cin, Cout, k, k], bias [Cout] -> [B, k H, k W, Cout]:
 * y[b, k i + di, k j + dj, o] = bias[o] + sum_c x[b, i, j, c] weight[c, o, di, dj]. */
Var op_conv_transpose2d(Graph *g, Var x, Var weight, Var bias);

/* Label-smoothed cross-entropy, scalar [1]: mean over pixels with label != ignore of -sum_c q_c log softmax(logits)_c,
 * q = (1 - smoothing) onehot + smoothing / C; 0 without valid pixels. logits [B, H, W, C], labels [B, H, W] u8. */
typedef struct CrossEntropyAttr {
    float smoothing;
    int32_t ignore;
} CrossEntropyAttr;
Var op_cross_entropy(Graph *g, Var logits, Var labels, const CrossEntropyAttr *attr);

/* Cross-window pooling of UNetFormer (docs/model.md section 4): avg over rows + avg over columns, window taps. x [B, H,
 * W, C]. */
typedef struct CrossWindowPoolAttr {
    int32_t window;
} CrossWindowPoolAttr;
Var op_cross_window_pool(Graph *g, Var x, int32_t window);

/* Soft Dice loss over the batch, scalar [1] (docs/model.md section 5). logits [B, H, W, C], labels [B, H, W] u8. */
typedef struct DiceAttr {
    float smooth;
    int32_t ignore;
} DiceAttr;
Var op_dice(Graph *g, Var logits, Var labels, const DiceAttr *attr);

/* Dropout: y = x * mask / (1 - p); identity in inference programs. per_channel: one draw per (b, c) (Dropout2d);
 * per_sample: one per b (stochastic depth, timm's DropPath); else one per element. Kept when rng_uniform(seed,
 * RNG_DROPOUT, run_step * 4096 + node, index) >= p, index b * C + c, b or the flat element. */
typedef struct DropoutAttr {
    float p;
    bool per_channel, per_sample;
} DropoutAttr;
Var op_dropout(Graph *g, Var x, const DropoutAttr *attr);

/* Rows of a table: ids [B, T] i32, table [V, C] -> [B, T, C]. Ids are checked at the border, not here. */
Var op_embedding(Graph *g, Var ids, Var table);

/* GELU with erf: x/2 (1 + erf(x / sqrt 2)). */
Var op_gelu(Graph *g, Var x);

/* Global response normalisation (ConvNeXt V2) over the positions of an image: G_c = sqrt(sum x[., c]^2),
 * y = x + weight (x G / (mean over c of G + eps)) + bias. x [B, ..., C], weight, bias [C]. Saves G [B, C]. */
typedef struct GrnAttr {
    float eps;
} GrnAttr;
Var op_grn(Graph *g, Var x, Var weight, Var bias, float eps);

/* Bilinear resize to half the size with antialiasing: [B, H, W, C] -> [B, H/2, W/2, C], H and W even. Weights 1 3 3 1
 * along each axis, divided by the sum of those inside the map (PyTorch: interpolate with antialias). */
Var op_halve_antialiased(Graph *g, Var x);

/* x / sqrt(max(sum of x^2, eps)) over the last dimension. */
typedef struct L2NormaliseAttr {
    float eps;
} L2NormaliseAttr;
Var op_l2_normalise(Graph *g, Var x, float eps);

/* LayerScale: y = residual + gamma x, one factor per channel: x [..., C], gamma [C], or [1] for all channels, residual of x's shape or VAR_NONE
 * for none. */
Var op_layer_scale(Graph *g, Var x, Var gamma, Var residual);

/* Over the last dimension: (x - mean) / sqrt(var + eps) * weight + bias. Saves mean and 1/std. weight, bias [C]. */
typedef struct LayernormAttr {
    float eps;
} LayernormAttr;
Var op_layernorm(Graph *g, Var x, Var weight, Var bias, float eps);

/* Linear attention of MANet and DC-Swin (Li et al. 2021, doi:10.1109/TGRS.2021.3093977; Wang et al. 2022,
 * doi:10.1109/LGRS.2022.3143368), the softmax replaced by 1 + q . k: q, k [B, N, D], of unit length each, v [B, N, C] ->
 * [B, N, C] (any spatial rank). With M = k^T v [D, C]:
 *   over positions:  y_nc = (sum_m v_mc + (q M)_nc) / (N + q_n . (sum_m k_m + eps))
 *   over channels:   y_nc = (sum_e v_ne + (q M)_nc) / (N + sum_m k_mc (sum_d q_md + eps)), where D is C */
typedef struct LinearAttentionAttr {
    bool over_channels;
    float eps;
} LinearAttentionAttr;
Var op_linear_attention(Graph *g, Var q, Var k, Var v, const LinearAttentionAttr *attr);

/* y = x W^T + b. x [..., Cin], weight [Cout, Cin], bias [Cout] or VAR_NONE. */
typedef struct LinearAttr {
    bool has_bias, has_residual; /* set by the builders */
    Activation activation;
} LinearAttr;
Var op_linear(Graph *g, Var x, Var weight, Var bias);

/* Inference only: y = act(x W^T + b) + residual, activation NONE, RELU or GELU. Training graphs use op_linear,
 * op_activation or op_gelu, and op_add. Inputs in order: x, weight, [bias], [residual]. */
Var op_linear_folded(Graph *g, Var x, Var weight, Var bias, Activation activation, Var residual);

/* Maximum over windows: [B, H, W, C] -> [B, (H + 2 padding - kernel) / stride + 1, ...] (PyTorch: MaxPool2d). Pixels outside the
 * map never win; ties go to the first, whose gradient it is. padding <= kernel / 2. */
typedef struct MaxPoolAttr {
    int32_t kernel, stride, padding;
} MaxPoolAttr;
Var op_max_pool(Graph *g, Var x, int32_t kernel, int32_t stride, int32_t padding);

/* Mish: x tanh(ln(1 + e^x)). */
Var op_mish(Graph *g, Var x);

/* The approximation of GELU in OpenAI's CLIP (Hendrycks and Gimpel 2016, section 2): x sigmoid(1.702 x). */
Var op_quick_gelu(Graph *g, Var x);

/* Adds rows below and columns right by reflection without repeating the edge (PyTorch reflect; NumPy's where it is more
 * than the map has): out [B, H+bottom, W+right, C]. */
typedef struct PadReflectAttr {
    int32_t bottom, right;
} PadReflectAttr;
Var op_pad_reflect(Graph *g, Var x, int32_t bottom, int32_t right);

/* Continuous relative position bias of Swin Transformer V2: the table [(2w-1)^2, heads] of op_window_attention as a function of
 * distances: 16 sigmoid(weight2 relu(weight1 t + bias1)), t the logarithmic distances along y and x; weight1 [n, 2], bias1 [n],
 * weight2 [heads, n]. */
typedef struct RelativeBiasAttr {
    int32_t window;
} RelativeBiasAttr;
Var op_relative_bias(Graph *g, Var weight1, Var bias1, Var weight2, int32_t window);

/* The same elements, in their order, under another shape (PyTorch: reshape). */
typedef struct ReshapeAttr {
    Shape shape;
} ReshapeAttr;
Var op_reshape(Graph *g, Var x, Shape shape);

/* Bicubic resize (Keys 1981) to height x width, align_corners false, as PyTorch's interpolate: [B, H, W, C] -> [B, height,
 * width, C]. antialias: a = -0.5, and where the result is smaller the filter is as wide as its pixels; without: a = -0.75, four
 * taps, edges repeated. offset: the scale is H / (height + offset), not H / height (Meta's DINOv2 has 0.1). */
typedef struct ResizeBicubicAttr {
    int64_t height, width;
    bool antialias;
    float offset;
} ResizeBicubicAttr;
Var op_resize_bicubic(Graph *g, Var x, const ResizeBicubicAttr *attr);

/* Bilinear resize, PyTorch semantics: [B, H, W, C] -> [B, height, width, C]; x itself where it has this size.
 * align_corners: the centres of the corner pixels keep their place, else the corners do. op_resize_bilinear: to an
 * integer multiple, corners not aligned; 2, 4 and 8 have the fastest kernels (by either builder). */
typedef struct ResizeBilinearAttr {
    int32_t height, width;
    bool align_corners;
} ResizeBilinearAttr;
Var op_resize_bilinear_to(Graph *g, Var x, const ResizeBilinearAttr *attr);
Var op_resize_bilinear(Graph *g, Var x, int32_t scale);

/* Every pixel repeated scale x scale times: [B, H, W, C] -> [B, scale H, scale W, C] (PyTorch: interpolate, mode nearest). */
typedef struct ResizeNearestAttr {
    int32_t scale;
} ResizeNearestAttr;
Var op_resize_nearest(Graph *g, Var x, int32_t scale);
/* Rotary positions of the patches of a map, axial, with coordinates from -1 to 1 (formula: rotary.c), for queries and keys
 * [B, N, D]: tokens first .. first + height * width - 1 are turned, class and register tokens are not. D is a multiple of 4
 * heads. */
typedef struct RotaryAttr {
    int32_t heads;
    int64_t first, height, width;
    float base; /* DINOv3: 100 */
} RotaryAttr;
Var op_rotary(Graph *g, Var x, const RotaryAttr *attr);

/* Positions first .. first + count - 1 along one axis (PyTorch: narrow). */
typedef struct SliceAttr {
    int32_t axis;
    int64_t first, count;
} SliceAttr;
Var op_slice(Graph *g, Var x, int32_t axis, int64_t first, int64_t count);

/* Cross-entropy against a distribution (PyTorch: cross_entropy with class probabilities), scalar [1]: as
 * op_cross_entropy, with q = (1 - smoothing) t / sum_c t_c + smoothing / C. logits [B, H, W, C], labels [B, H, W] u8,
 * probabilities t [B, H, W, C] u8, in any unit (255 for 1, say), not all 0 where a label counts. The label only tells
 * whether its pixel is ignored. */
Var op_soft_cross_entropy(Graph *g, Var logits, Var labels, Var probabilities, const CrossEntropyAttr *attr);

/* Blocks of block x block pixels to channels: [B, H, W, C] -> [B, ceil(H / block), ceil(W / block), block^2 C], zeros
 * outside the map. Parts of the channels: pixels by rows (dy block + dx), or columns first (dx block + dy), which is the
 * order of Swin Transformer's patch merging. */
typedef struct SpaceToDepthAttr {
    int32_t block;
    bool columns_first;
} SpaceToDepthAttr;
Var op_space_to_depth(Graph *g, Var x, int32_t block, bool columns_first);

/* UNetFormer's fused skip: w = relu(weights), y = (w0 a + w1 b) / (w0 + w1 + eps); a, b same shape, weights [2]. */
typedef struct WeightedSumAttr {
    float eps;
} WeightedSumAttr;
Var op_weighted_sum(Graph *g, Var a, Var b, Var weights, float eps);

/* Attention inside windows of window x window pixels with relative position bias (docs/model.md section 4), shifted and
 * masked as Swin Transformer has them. qkv [B, H, W, 3*D], channel order (3, heads, size), any H and W; table
 * [(2w-1)^2, heads]; out [B, H, W, D]. Where H or W are no multiples of the window, the windows at the bottom and the
 * right hold padding, whose queries, keys and values are `padding` [3*D] (VAR_NONE: zeros): with the bias of the layer
 * that made qkv, what padding its input with zeros gives. shift_y, shift_x: below the window; the map is rolled by so
 * much up and left, attention between parts that do not touch in the map is masked with -100. roll_first: rolled before
 * it is padded (timm), else padded first (Swin's authors, torchvision); only sizes that are no multiples differ. Saves
 * the log-sum-exp. */
typedef struct WindowAttentionAttr {
    int32_t heads, window;
    int32_t shift_y, shift_x;
    bool roll_first;
} WindowAttentionAttr;
Var op_window_attention(Graph *g, Var qkv, Var table, Var padding, const WindowAttentionAttr *attr);

#endif
