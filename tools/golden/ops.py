# SPDX-License-Identifier: Apache-2.0
"""Writes tests/golden/ops/*.safetensors: small cases of the ops that PyTorch also has, with gradients, in float64.
Formats: tools/twin/README.md."""

import numpy as np
import torch
import torch.nn.functional as F

import common
import model as twin


def f32(case, index, shape, scale=1.0, shift=0.0):
    return (common.normal(f"ops/{case}/in.{index}", shape) * np.float32(scale) + np.float32(shift)).astype(np.float32)


def write_case(case, op, attributes, inputs, function, gradients=None, extra=None):
    """inputs: arrays; function: float64 tensors -> result; gradients: indexes of the inputs that get one (None: all F32
    ones); extra: called after the forward for further tensors."""
    if gradients is None:
        gradients = [i for i, a in enumerate(inputs) if a.dtype == np.float32]
    args = [torch.from_numpy(a.copy()) for a in inputs]
    args = [t.double() if t.is_floating_point() else t for t in args]
    for i in gradients:
        args[i].requires_grad_(True)
    out = function(*args)
    w = common.normal(f"ops/{case}/w", tuple(out.shape))
    tensors = {f"in.{i}": a for i, a in enumerate(inputs)} | {"out.0": out, "w": w}
    if gradients:
        (out * torch.from_numpy(w).double()).sum().backward()
        tensors |= {f"d_in.{i}": args[i].grad for i in gradients}
    if extra is not None:
        tensors |= extra(args)
    common.write(f"ops/{case}.safetensors", tensors, {"op": op, "attributes": attributes})


def nchw(x):
    return x.permute(0, 3, 1, 2)


ACTIVATIONS = {
    "none": lambda x: x,
    "relu": F.relu,
    "relu6": F.relu6,
    "sigmoid": torch.sigmoid,
    "gelu": F.gelu,
}


def elementwise():
    for name, function in ACTIVATIONS.items():
        if name != "none":
            x = f32(f"activation_{name}", 0, (2, 3, 5, 7), 3.0, 3.0 if name == "relu6" else 0.0)
            write_case(f"activation_{name}", "activation", {"activation": name}, [x], function)
    write_case("gelu", "gelu", {}, [f32("gelu", 0, (3, 5, 33), 2.0)], F.gelu)
    write_case("quick_gelu", "quick_gelu", {}, [f32("quick_gelu", 0, (3, 5, 33), 3.0)], lambda x: x * torch.sigmoid(1.702 * x))
    write_case("mish", "mish", {}, [f32("mish", 0, (3, 5, 33), 4.0)], F.mish)
    shape = (2, 3, 5, 7)
    write_case("add", "add", {}, [f32("add", i, shape) for i in (0, 1)], torch.add)
    write_case("multiply", "multiply", {}, [f32("multiply", i, shape) for i in (0, 1)], torch.mul)
    inputs = [f32("channel_scale", 0, (2, 4, 5, 19)), f32("channel_scale", 1, (2, 19))]
    write_case("channel_scale", "channel_scale", {}, inputs, lambda x, s: x * s[:, None, None])
    inputs = [f32("layer_scale", 0, (2, 4, 5, 19)), f32("layer_scale", 1, (19,)), f32("layer_scale", 2, (2, 4, 5, 19))]
    write_case("layer_scale", "layer_scale", {}, inputs, lambda x, gamma, residual: residual + gamma * x)
    for case, scale in (("weighted_sum", (0.3, 1.0)), ("weighted_sum_negative", (0.0, -0.5))):
        inputs = [f32(case, 0, shape), f32(case, 1, shape), np.array([scale[1], 0.7 + scale[0]], np.float32)]
        write_case(case, "weighted_sum", {"eps": 1e-8}, inputs, lambda a, b, w: twin.weighted_sum(a, b, w, 1e-8))


def normalisation():
    inputs = [f32("l2_normalise", 0, (2, 3, 5, 21), 2.0)]
    write_case(
        "l2_normalise", "l2_normalise", {"eps": 1e-12}, inputs,
        lambda x: x / x.square().sum(-1, keepdim=True).clamp_min(1e-12).sqrt(),
    )  # fmt: skip
    inputs = [f32("layernorm", 0, (2, 9, 40), 2.0, 0.5), f32("layernorm", 1, (40,), 0.3, 1.0)]
    inputs.append(f32("layernorm", 2, (40,)))
    write_case(
        "layernorm", "layernorm", {"eps": 1e-5}, inputs, lambda x, w, b: F.layer_norm(x, (x.shape[-1],), w, b, 1e-5)
    )
    inputs = [f32("grn", 0, (2, 5, 4, 21), 2.0), f32("grn", 1, (21,)), f32("grn", 2, (21,))]

    def grn(x, w, b):
        norm = x.norm(p=2, dim=(1, 2), keepdim=True)
        return x + w * (x * (norm / (norm.mean(-1, keepdim=True) + 1e-6))) + b

    write_case("grn", "grn", {"eps": 1e-6}, inputs, grn)
    for case, eps, momentum, activation, training in (
        ("batchnorm_train", 1e-5, 0.1, "none", True),
        ("batchnorm_train_relu6", 1e-3, 0.01, "relu6", True),
        ("batchnorm_inference", 1e-3, 0.01, "relu6", False),
    ):
        c = 19
        inputs = [f32(case, 0, (2, 6, 5, c), 2.0, 1.0), f32(case, 1, (c,), 0.3, 1.5), f32(case, 2, (c,), 1.0, 2.0)]
        inputs += [f32(case, 3, (c,), 0.1), common.uniform(f"ops/{case}/in.4", (c,)) + np.float32(0.5)]

        def function(x, w, b, mean, var):
            y = F.batch_norm(nchw(x), mean, var, w, b, training, momentum, eps)
            return ACTIVATIONS[activation](common.nhwc(y))

        attributes = {"eps": eps, "momentum": momentum, "activation": activation, "training": training}
        write_case(
            case, "batchnorm", attributes, inputs, function, [0, 1, 2] if training else [],
            (lambda a: {"after.3": a[3], "after.4": a[4]}) if training else None,
        )  # fmt: skip


# case, H, W, Cin, Cout, kernel, stride, groups, (top, left, bottom, right), bias
CONVOLUTIONS = [
    ("conv2d_stem", 10, 12, 3, 16, 3, 2, 1, (0, 0, 1, 1), False),
    ("conv2d_1x1", 5, 7, 24, 17, 1, 1, 1, (0, 0, 0, 0), False),
    ("conv2d_1x1_bias", 5, 7, 24, 17, 1, 1, 1, (0, 0, 0, 0), True),
    ("conv2d_3x3", 7, 6, 16, 19, 3, 1, 1, (1, 1, 1, 1), True),
    ("conv2d_asymmetric", 9, 8, 5, 6, 5, 2, 1, (1, 2, 2, 1), False),
    ("conv2d_depthwise_3x3", 8, 7, 21, 21, 3, 1, 21, (1, 1, 1, 1), True),
    ("conv2d_depthwise_3x3_stride_2", 10, 8, 32, 32, 3, 2, 32, (0, 0, 1, 1), False),
    ("conv2d_depthwise_5x5_stride_2", 10, 8, 21, 21, 5, 2, 21, (1, 1, 2, 2), False),
    ("conv2d_depthwise_5x5", 6, 7, 16, 16, 5, 1, 16, (2, 2, 2, 2), False),
    ("conv2d_depthwise_7x7", 9, 11, 24, 24, 7, 1, 24, (3, 3, 3, 3), True),
    ("conv2d_depthwise_8x8", 9, 9, 16, 16, 8, 1, 16, (3, 3, 3, 3), False),
]


def convolutions():
    for case, h, w, cin, cout, kernel, stride, groups, pad, bias in CONVOLUTIONS:
        top, left, bottom, right = pad
        attributes = {"stride": stride, "groups": groups, "top": top, "left": left, "bottom": bottom, "right": right}
        attributes |= {"has_bias": bias, "has_batchnorm": False, "has_residual": False, "activation": "none"}
        inputs = [f32(case, 0, (2, h, w, cin)), f32(case, 1, (cout, cin // groups, kernel, kernel), 0.3)]
        if bias:
            inputs.append(f32(case, 2, (cout,)))

        def function(x, weight, b=None):
            x = F.pad(nchw(x), (left, right, top, bottom))
            return common.nhwc(F.conv2d(x, weight, b, stride, 0, 1, groups))

        write_case(case, "conv2d", attributes, inputs, function)
    folded_convolution()
    convolution_of_levels()


def convolution_of_levels():
    """Inference: maps of three sizes side by side, BatchNorm and ReLU."""
    case, c, size = "conv2d_levels", 13, (8, 12)
    inputs = [f32(case, 0, (c, 19, 3, 3), 0.3), f32(case, 1, (c,), 0.3, 1.0), f32(case, 2, (c,)), f32(case, 3, (c,), 0.3)]
    inputs += [common.uniform(f"ops/{case}/in.4", (c,)) + np.float32(0.5)]
    inputs += [f32(case, 5, (2, 2, 3, 8)), f32(case, 6, (2, 4, 6, 6)), f32(case, 7, (2, *size, 5))]

    def function(weight, bn_weight, bn_bias, mean, var, *levels):
        levels = [F.interpolate(nchw(x), size, mode="bilinear", align_corners=False) for x in levels]
        y = F.conv2d(torch.cat(levels, 1), weight, padding=1)
        return common.nhwc(F.relu(F.batch_norm(y, mean, var, bn_weight, bn_bias, False, 0.0, 1e-5)))

    attributes = {"height": size[0], "width": size[1], "batchnorm_eps": 1e-5}
    write_case(case, "conv2d_levels", attributes, inputs, function, [])


def folded_convolution():
    """Inference: bias, BatchNorm, ReLU6 and a residual in one op."""
    case, c = "conv2d_folded", 18
    attributes = {"stride": 1, "groups": 1, "top": 1, "left": 1, "bottom": 1, "right": 1, "has_bias": True}
    attributes |= {"has_batchnorm": True, "has_residual": True, "batchnorm_eps": 1e-3, "activation": "relu6"}
    inputs = [f32(case, 0, (2, 6, 7, 12)), f32(case, 1, (c, 12, 3, 3), 0.3), f32(case, 2, (c,))]
    inputs += [f32(case, 3, (c,), 0.3, 1.0), f32(case, 4, (c,)), f32(case, 5, (c,), 0.3)]
    inputs += [common.uniform(f"ops/{case}/in.6", (c,)) + np.float32(0.5), f32(case, 7, (2, 6, 7, c))]

    def function(x, weight, bias, bn_weight, bn_bias, mean, var, residual):
        y = F.conv2d(nchw(x), weight, bias, padding=1)
        y = F.relu6(F.batch_norm(y, mean, var, bn_weight, bn_bias, False, 0.0, 1e-3))
        return common.nhwc(y) + residual

    write_case(case, "conv2d", attributes, inputs, function, [])


def attentions():
    heads, length, slots, size = 4, 3, 3, 8
    b, image, text, d = 2, 12, 2 * length + 4, heads * size
    logits = common.normal("ops/attention/share", (b, image, slots)).astype(np.float64) * 2
    share = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
    share[1, :5, 0] = 0.0
    log_share = np.log(np.maximum(share, 1e-4)).astype(np.float32)
    mask = np.zeros((b, text), np.float32)
    mask[0, 2] = mask[1, 4:6] = -1e9
    slot = torch.arange(text).div(length, rounding_mode="floor").clamp(max=slots - 1)
    base = {"heads": heads, "slot_length": length}

    def qkv(case, n, m):
        return [f32(case, 0, (b, n, d)), f32(case, 1, (b, m, d)), f32(case, 2, (b, m, d))]

    case = "attention_plain"
    write_case(
        case, "attention", base | {"slots": "plain", "has_mask": False}, qkv(case, 7, 9),
        lambda q, k, v: twin.attention(q, k, v, torch.zeros(b, 7, 9, dtype=q.dtype), heads),
    )  # fmt: skip
    case = "attention_key_slots"
    write_case(
        case, "attention", base | {"slots": "key_slots", "has_mask": True}, [*qkv(case, image, text), log_share, mask],
        lambda q, k, v, s, m: twin.attention(q, k, v, s[:, :, slot] + m[:, None], heads), [0, 1, 2],
    )  # fmt: skip
    case = "attention_query_slots"
    write_case(
        case, "attention", base | {"slots": "query_slots", "has_mask": False}, [*qkv(case, text, image), log_share],
        lambda q, k, v, s: twin.attention(q, k, v, s[:, :, slot].transpose(1, 2), heads), [0, 1, 2],
    )  # fmt: skip
    windows = [("window_attention", 8, 16, 2, 8, 8), ("window_attention_4", 8, 12, 3, 4, 5)]
    for case, h, w, heads_, window, size_ in windows:
        inputs = [f32(case, 0, (2, h, w, 3 * heads_ * size_)), f32(case, 1, ((2 * window - 1) ** 2, heads_))]

        def function(x, table):
            return common.nhwc(twin.window_attention(nchw(x), table, heads_, window))

        write_case(case, "window_attention", {"heads": heads_, "window": window}, inputs, function)


def losses():
    cases = [("mixed", (2, 5, 7), 17, 0.2), ("two_classes", (1, 4, 4), 2, 0.0), ("ignored", (1, 3, 4), 6, 1.1)]
    for case, shape, classes, ignored in cases:
        labels = common.below(f"ops/{case}/labels", shape, classes)
        labels[labels == 3] = 4  # one class is absent
        labels[common.uniform(f"ops/{case}/ignored", shape) < ignored] = 255
        labels = labels.astype(np.uint8)
        logits = f32(case, 0, (*shape, classes), 2.0)
        attributes = {"smoothing": 0.05, "ignore": 255}
        write_case(
            f"cross_entropy_{case}", "cross_entropy", attributes, [logits, labels],
            lambda x, t: twin.cross_entropy(x, t, 0.05).reshape(1),
        )  # fmt: skip
        if (labels != 255).any():  # PyTorch's mean over no pixel is not a number
            sure = common.uniform(f"ops/{case}/sure", (*shape, classes)) ** 4
            probabilities = np.maximum((255 * sure).astype(np.uint8), labels[..., None] == np.arange(classes))
            write_case(
                f"soft_cross_entropy_{case}", "soft_cross_entropy", attributes, [logits, labels, probabilities],
                lambda x, t, p: twin.soft_cross_entropy(x, t, p, 0.05).reshape(1),
            )  # fmt: skip
        write_case(
            f"dice_{case}", "dice", {"smooth": 0.05, "ignore": 255}, [logits, labels],
            lambda x, t: twin.dice(x, t, 0.05).reshape(1),
        )  # fmt: skip


def rotary(x):
    """timm's positions of DINOv3, 4 x 3 patches behind 3 other tokens, 2 heads."""
    from timm.layers import apply_rot_embed_cat
    from timm.layers.pos_embed_sincos import RotaryEmbeddingDinoV3

    angles = RotaryEmbeddingDinoV3(16, temperature=100.0, rotate_half=True).get_embed([4, 3])
    heads = x.reshape(2, 16, 2, 16).transpose(1, 2)
    patches = apply_rot_embed_cat(heads[:, :, 3:15], angles, half=True)
    return torch.cat((heads[:, :, :3], patches, heads[:, :, 15:]), 2).transpose(1, 2).reshape(2, 16, 32)


def space_to_depth(x, block, columns_first):
    x = F.pad(x, (0, 0, 0, -x.shape[2] % block, 0, -x.shape[1] % block))
    y = F.pixel_unshuffle(nchw(x), block)  # [B, C dy dx, h, w]
    y = y.unflatten(1, (x.shape[3], block, block))
    y = y.permute(0, 4, 5, 3, 2, 1) if columns_first else y.permute(0, 4, 5, 2, 3, 1)
    return y.flatten(3)


def linear_attention(q, k, v, over_channels, eps):
    """The published formula, tokens [B, N, C]."""
    n = q.shape[1]
    product = torch.einsum("bnd,bdc->bnc", q, torch.einsum("bmd,bmc->bdc", k, v))
    if over_channels:
        return (v.sum(2, keepdim=True) + product) / (n + torch.einsum("bmc,bm->bc", k, q.sum(2) + eps))[:, None]
    return (v.sum(1, keepdim=True) + product) / (n + torch.einsum("bnd,bd->bn", q, k.sum(1) + eps))[..., None]


def cosine_qkv(x, bias, scale, heads):
    """As torchvision's ShiftedWindowAttentionV2 computes them, queries times sqrt(size) of the attention that follows."""
    d = x.shape[-1] // 3
    y = x + torch.cat((bias[:d], torch.zeros_like(bias[:d]), bias[2 * d :]))
    q, k, v = (y[..., i * d : (i + 1) * d].unflatten(-1, (heads, d // heads)) for i in range(3))
    q = F.normalize(q, dim=-1) * torch.clamp(scale, max=np.log(100.0)).exp()[:, None] * (d // heads) ** 0.5
    return torch.cat((q.flatten(-2), F.normalize(k, dim=-1).flatten(-2), v.flatten(-2)), -1)


def relative_bias(weight1, bias1, weight2, window):
    d = torch.arange(1 - window, window, dtype=torch.float64)
    t = torch.stack(torch.meshgrid(d, d, indexing="ij"), -1).reshape(-1, 2) / (window - 1) * 8
    t = torch.sign(t) * torch.log2(t.abs() + 1.0) / 3.0
    return 16 * torch.sigmoid(F.linear(F.relu(F.linear(t, weight1, bias1)), weight2))


def layout():
    for case, window, h, w in (("cross_window_pool", 8, 16, 8), ("cross_window_pool_4", 4, 5, 9)):
        write_case(
            case, "cross_window_pool", {"window": window}, [f32(case, 0, (2, h, w, 6))],
            lambda x: common.nhwc(twin.cross_window_pool(nchw(x), window)),
        )  # fmt: skip
    write_case(
        "pad_reflect", "pad_reflect", {"bottom": 1, "right": 1}, [f32("pad_reflect", 0, (2, 5, 4, 7))],
        lambda x: common.nhwc(F.pad(nchw(x), (0, 1, 0, 1), mode="reflect")),
    )  # fmt: skip
    resizes = [(f"resize_bilinear_{scale}", 3 * scale, 4 * scale, False) for scale in (2, 4, 8)]
    resizes += [("resize_bilinear_smaller", 2, 3, False), ("resize_bilinear_larger", 8, 5, False)]
    resizes += [("resize_bilinear_aligned", 12, 16, True), ("resize_bilinear_aligned_smaller", 2, 1, True)]
    for case, height, width, align in resizes:
        attributes = {"height": height, "width": width, "align_corners": align}
        write_case(
            case, "resize_bilinear", attributes, [f32(case, 0, (2, 3, 4, 5))],
            lambda x: common.nhwc(F.interpolate(nchw(x), (height, width), mode="bilinear", align_corners=align)),
        )  # fmt: skip
    for case, size in (("global_average_pool", (1, 1)), ("adaptive_average_pool", (3, 4))):
        write_case(
            case, "adaptive_average_pool", {"height": size[0], "width": size[1]}, [f32(case, 0, (2, 5, 6, 19))],
            lambda x: common.nhwc(F.adaptive_avg_pool2d(nchw(x), size)),
        )  # fmt: skip
    inputs = [f32("concat_channels", 0, (2, 3, 4, 5)), f32("concat_channels", 1, (2, 3, 4, 7))]
    write_case("concat_channels", "concat_channels", {}, inputs, lambda a, b: torch.cat((a, b), -1))
    write_case(
        "halve_antialiased", "halve_antialiased", {}, [f32("halve_antialiased", 0, (2, 6, 10, 5))],
        lambda x: common.nhwc(F.interpolate(nchw(x), scale_factor=0.5, mode="bilinear", antialias=True)),
    )  # fmt: skip
    inputs = [f32("concat_tokens", 0, (2, 3, 5, 8)), f32("concat_tokens", 1, (4, 8))]
    write_case(
        "concat_tokens", "concat_tokens", {}, inputs,
        lambda t, rows: torch.cat([t.flatten(1, 2), rows.expand(len(t), *rows.shape)], 1),
    )  # fmt: skip
    inputs = [
        f32("conv_transpose2d", 0, (2, 3, 5, 7)),
        f32("conv_transpose2d", 1, (7, 6, 2, 2), 0.3),
        f32("conv_transpose2d", 2, (6,)),
    ]
    write_case(
        "conv_transpose2d", "conv_transpose2d", {}, inputs,
        lambda x, w, b: common.nhwc(F.conv_transpose2d(nchw(x), w, b, stride=2)),
    )  # fmt: skip
    for case, antialias, offset in (("", True, 0.0), ("_plain", False, 0.0), ("_offset", False, 0.1)):
        # Meta's DINOv2 gives the scale instead of the size where it has an offset
        size = {"scale_factor": ((9 + offset) / 7, (4 + offset) / 7)} if offset else {"size": (9, 4)}
        attributes = {"height": 9, "width": 4, "antialias": antialias, "offset": offset}
        write_case(
            f"resize_bicubic{case}", "resize_bicubic", attributes, [f32(f"resize_bicubic{case}", 0, (2, 7, 7, 5))],
            lambda x, size=size, antialias=antialias: common.nhwc(
                F.interpolate(nchw(x), **size, mode="bicubic", antialias=antialias)
            ),
        )  # fmt: skip
    write_case("reshape", "reshape", {}, [f32("reshape", 0, (2, 15, 7))],
               lambda x: x.reshape(2, 3, 5, 7))  # fmt: skip
    write_case("slice", "slice", {"axis": 1, "first": 2, "count": 3}, [f32("slice", 0, (2, 7, 5))],
               lambda x: x[:, 2:5])  # fmt: skip
    attributes = {"heads": 2, "first": 3, "height": 4, "width": 3, "base": 100}
    write_case("rotary", "rotary", attributes, [f32("rotary", 0, (2, 16, 32))], rotary)
    for case, kernel, stride, padding in (("max_pool", 3, 2, 1), ("max_pool_halves", 2, 2, 0)):
        attributes = {"kernel": kernel, "stride": stride, "padding": padding}
        write_case(
            case, "max_pool", attributes, [f32(case, 0, (2, 7, 9, 5))],
            lambda x: common.nhwc(F.max_pool2d(nchw(x), kernel, stride, padding)),
        )  # fmt: skip
    write_case(
        "resize_nearest", "resize_nearest", {"scale": 3}, [f32("resize_nearest", 0, (2, 3, 4, 5))],
        lambda x: common.nhwc(F.interpolate(nchw(x), scale_factor=3.0, mode="nearest")),
    )  # fmt: skip
    write_case("crop", "crop", {"height": 3, "width": 5}, [f32("crop", 0, (2, 4, 6, 5))], lambda x: x[:, :3, :5])
    for case, block, columns_first in (("space_to_depth", 4, False), ("space_to_depth_columns", 2, True)):
        write_case(
            case, "space_to_depth", {"block": block, "columns_first": columns_first}, [f32(case, 0, (2, 5, 7, 3))],
            lambda x: space_to_depth(x, block, columns_first),
        )  # fmt: skip
    for case, over_channels, width in (("linear_attention", False, 6), ("linear_attention_channels", True, 5)):
        shapes = ((2, 9, 5), (2, 9, 5), (2, 9, width))
        inputs = [f32(case, i, shape) for i, shape in enumerate(shapes)]
        for i in (0, 1):
            inputs[i] /= np.linalg.norm(inputs[i], axis=2, keepdims=True)
        write_case(
            case, "linear_attention", {"over_channels": over_channels, "eps": 1e-6}, inputs,
            lambda q, k, v: linear_attention(q, k, v, over_channels, 1e-6),
        )  # fmt: skip
    inputs = [f32("cosine_qkv", 0, (2, 3, 5, 36)), f32("cosine_qkv", 1, (36,)), f32("cosine_qkv", 2, (3,), 0.5, 2.0)]
    write_case("cosine_qkv", "cosine_qkv", {}, inputs, lambda x, bias, scale: cosine_qkv(x, bias, scale, 3))
    inputs = [f32("relative_bias", 0, (6, 2)), f32("relative_bias", 1, (6,)), f32("relative_bias", 2, (3, 6))]
    write_case("relative_bias", "relative_bias", {"window": 4}, inputs, lambda *a: relative_bias(*a, 4))
    ids = common.below("ops/embedding/ids", (2, 9), 11).astype(np.int32)
    write_case(
        "embedding", "embedding", {}, [ids, f32("embedding", 1, (11, 6))], lambda i, table: F.embedding(i, table)
    )
    for case, bias in (("linear", True), ("linear_no_bias", False)):
        inputs = [f32(case, 0, (2, 9, 20)), f32(case, 1, (33, 20), 0.3)] + ([f32(case, 2, (33,))] if bias else [])
        write_case(case, "linear", {"has_bias": bias}, inputs, lambda *a: F.linear(*a))


def main():
    common.start()
    elementwise()
    normalisation()
    convolutions()
    attentions()
    losses()
    layout()


if __name__ == "__main__":
    main()
