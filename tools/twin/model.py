# SPDX-License-Identifier: Apache-2.0
"""PyTorch twin of the network in docs/model.md: the same parameters under the same names, the same inputs.

Public tensors are channels last like in C ([B, H, W, C]); inside, PyTorch's [B, C, H, W] is used.
"""

import math

import torch
import torch.nn.functional as F
from torch import nn

import rng

NULL_TOKENS = 4
TEXT_WIDTH = 384
FUSION_WIDTH = 256
DECODER_WIDTH = 64
HEADS = 8
WINDOW = 8

# repeats, kernel, stride of the first, expansion, output channels
ENCODER_STAGES = [
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
]
ENCODER_TAPS = (2, 4, 10, 15)
ENCODER_CHANNELS = (24, 40, 112, 320)


# ---------------------------------------------------------------- encoder


class SameConv2d(nn.Conv2d):
    """Convolution without bias, TensorFlow's "same" padding: the smaller half first."""

    def __init__(self, cin, cout, kernel, stride=1, groups=1):
        super().__init__(cin, cout, kernel, stride=stride, groups=groups, bias=False)

    def forward(self, x):
        k, s = self.kernel_size[0], self.stride[0]
        h, w = x.shape[-2:]
        pad_h = max((-(-h // s) - 1) * s + k - h, 0)
        pad_w = max((-(-w // s) - 1) * s + k - w, 0)
        top, left = pad_h // 2, pad_w // 2
        bottom, right = pad_h - top, pad_w - left
        if top == bottom and left == right:
            return F.conv2d(x, self.weight, None, self.stride, (top, left), 1, self.groups)
        return F.conv2d(F.pad(x, (left, right, top, bottom)), self.weight, None, self.stride, 0, 1, self.groups)


def encoder_norm(channels):
    return nn.BatchNorm2d(channels, eps=1e-3, momentum=0.01)


class MBConv(nn.Module):
    """Inverted residual block of EfficientNet-Lite."""

    def __init__(self, cin, cout, kernel, stride, expansion):
        super().__init__()
        mid = cin * expansion
        if expansion != 1:
            self._expand_conv = SameConv2d(cin, mid, 1)
            self._bn0 = encoder_norm(mid)
        self._depthwise_conv = SameConv2d(mid, mid, kernel, stride, groups=mid)
        self._bn1 = encoder_norm(mid)
        self._project_conv = SameConv2d(mid, cout, 1)
        self._bn2 = encoder_norm(cout)
        self.expands = expansion != 1
        self.residual = stride == 1 and cin == cout

    def forward(self, x):
        y = F.relu6(self._bn0(self._expand_conv(x))) if self.expands else x
        y = F.relu6(self._bn1(self._depthwise_conv(y)))
        y = self._bn2(self._project_conv(y))
        return x + y if self.residual else y


class EfficientNetLite0(nn.Module):
    """Four feature maps: 24 @ stride 4, 40 @ 8, 112 @ 16, 320 @ 32; with finest also the stem, 32 @ 2, before them."""

    def __init__(self):
        super().__init__()
        self._conv_stem = SameConv2d(3, 32, 3, 2)
        self._bn0 = encoder_norm(32)
        blocks, cin = [], 32
        for repeats, kernel, stride, expansion, cout in ENCODER_STAGES:
            for i in range(repeats):
                blocks.append(MBConv(cin, cout, kernel, stride if i == 0 else 1, expansion))
                cin = cout
        self._blocks = nn.ModuleList(blocks)

    def forward(self, x, finest=False):
        x = F.relu6(self._bn0(self._conv_stem(x)))
        maps = [x] if finest else []
        for i, block in enumerate(self._blocks):
            x = block(x)
            if i in ENCODER_TAPS:
                maps.append(x)
        return maps


def load_imagenet(encoder, path):
    """Fills an encoder from the published checkpoint; the classifier tail is dropped."""
    published = torch.load(path, map_location="cpu", weights_only=True)
    tail = ("_conv_head.", "_bn1.", "_fc.")
    encoder.load_state_dict({k: v for k, v in published.items() if not k.startswith(tail)}, strict=True)


# ---------------------------------------------------------------- fusion


def attention(q, k, v, bias, heads=HEADS):
    """Multi-head attention; q [B, N, D], k and v [B, M, D], bias [B, N, M] (additive, the same for all heads)."""
    b, n, d = q.shape
    q, k, v = (t.reshape(b, -1, heads, d // heads).transpose(1, 2) for t in (q, k, v))
    logits = q @ k.transpose(-1, -2) / math.sqrt(d // heads) + bias[:, None]
    return (logits.softmax(-1) @ v).transpose(1, 2).reshape(b, n, d)


class MLP(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.fc1 = nn.Linear(width, 4 * width)
        self.fc2 = nn.Linear(4 * width, width)

    def forward(self, x):
        return self.fc2(F.gelu(self.fc1(x)))


class CrossmodalFusion(nn.Module):
    """Text tokens read the image, then image tokens read the text (docs/model.md section 3)."""

    def __init__(self, channels):
        super().__init__()
        d = FUSION_WIDTH
        self.image_in = nn.Linear(channels, d)
        self.text_in = nn.Linear(TEXT_WIDTH, d)
        self.norm_z = nn.LayerNorm(d)
        self.norm_t0 = nn.LayerNorm(d)
        self.text_q = nn.Linear(d, d)
        self.text_k = nn.Linear(d, d)
        self.text_v = nn.Linear(d, d)
        self.text_out = nn.Linear(d, d)
        self.norm_t1 = nn.LayerNorm(d)
        self.image_q = nn.Linear(d, d)
        self.image_k = nn.Linear(d, d)
        self.image_v = nn.Linear(d, d)
        self.image_out = nn.Linear(d, channels)
        self.norm_mlp = nn.LayerNorm(channels)
        self.mlp = MLP(channels)

    def forward(self, x, memory, slot_share, token_mask):
        """x [B, C, h, w]; memory [B, M, 384]; slot_share [B, N, M]: log share of a token's slot; token_mask [B, M]."""
        b, c, h, w = x.shape
        x = x.flatten(2).transpose(1, 2)
        zn = self.norm_z(self.image_in(x))
        t0 = self.text_in(memory)
        read = attention(self.text_q(self.norm_t0(t0)), self.text_k(zn), self.text_v(zn), slot_share.transpose(1, 2))
        t1 = t0 + self.text_out(read)
        tn = self.norm_t1(t1)
        a = attention(self.image_q(zn), self.image_k(tn), self.image_v(tn), slot_share + token_mask[:, None])
        x = x + self.image_out(a)
        x = x + self.mlp(self.norm_mlp(x))
        return x.transpose(1, 2).reshape(b, c, h, w)


# ---------------------------------------------------------------- decoder


def conv_bn(cin, cout, kernel):
    return nn.Sequential(nn.Conv2d(cin, cout, kernel, padding=kernel // 2, bias=False), nn.BatchNorm2d(cout))


def conv_bn_relu6(cin, cout, kernel):
    return nn.Sequential(*conv_bn(cin, cout, kernel), nn.ReLU6())


def conv(cin, cout, kernel=1):
    return nn.Sequential(nn.Conv2d(cin, cout, kernel, padding=kernel // 2, bias=False))


def resize(x, scale):
    return F.interpolate(x, scale_factor=scale, mode="bilinear", align_corners=False)


def relative_position_index(window):
    """[window^2, window^2]: row of the bias table for (query, key)."""
    y, x = torch.meshgrid(torch.arange(window), torch.arange(window), indexing="ij")
    y, x = y.flatten(), x.flatten()
    dy, dx = y[:, None] - y[None], x[:, None] - x[None]
    return (dy + window - 1) * (2 * window - 1) + dx + window - 1


def window_attention(qkv, table, heads=HEADS, window=WINDOW):
    """qkv [B, 3*D, H, W] in channel order (3, heads, size); attention inside non-overlapping windows; [B, D, H, W]."""
    b, d3, h, w = qkv.shape
    d, ws = d3 // 3, window
    t = qkv.reshape(b, 3, heads, d // heads, h // ws, ws, w // ws, ws)
    q, k, v = t.permute(1, 0, 4, 6, 2, 5, 7, 3).reshape(3, b * (h // ws) * (w // ws), heads, ws * ws, d // heads)
    index = relative_position_index(ws).to(table.device)
    bias = table[index.flatten()].reshape(ws * ws, ws * ws, heads).permute(2, 0, 1)
    logits = q @ k.transpose(-1, -2) * (d // heads) ** -0.5 + bias
    out = (logits.softmax(-1) @ v).reshape(b, h // ws, w // ws, heads, ws, ws, d // heads)
    return out.permute(0, 3, 6, 1, 4, 2, 5).reshape(b, d, h, w)


def cross_window_pool(x, window=WINDOW):
    """Average over rows plus average over columns, each of `window` taps, one reflected at the far side."""
    pad = window // 2 - 1
    rows = F.avg_pool2d(F.pad(x, (0, 0, 0, 1), mode="reflect"), (window, 1), stride=1, padding=(pad, 0))
    columns = F.avg_pool2d(F.pad(x, (0, 1, 0, 0), mode="reflect"), (1, window), stride=1, padding=(0, pad))
    return rows + columns


class GlobalLocalAttention(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.qkv = conv(width, 3 * width)
        self.local1 = conv_bn(width, width, 3)
        self.local2 = conv_bn(width, width, 1)
        self.proj = nn.Sequential(
            nn.Conv2d(width, width, WINDOW, padding=WINDOW // 2 - 1, groups=width, bias=False),
            nn.BatchNorm2d(width),
            nn.Conv2d(width, width, 1, bias=False),
        )
        self.relative_position_bias_table = nn.Parameter(torch.zeros((2 * WINDOW - 1) ** 2, HEADS))

    def forward(self, x):
        local = self.local1(x) + self.local2(x)
        out = cross_window_pool(window_attention(self.qkv(x), self.relative_position_bias_table)) + local
        return self.proj(F.pad(out, (0, 1, 0, 1), mode="reflect"))


class ConvMLP(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.fc1 = nn.Conv2d(width, 4 * width, 1)
        self.fc2 = nn.Conv2d(4 * width, width, 1)

    def forward(self, x):
        return self.fc2(F.relu6(self.fc1(x)))


class Block(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.norm1 = nn.BatchNorm2d(width)
        self.attn = GlobalLocalAttention(width)
        self.norm2 = nn.BatchNorm2d(width)
        self.mlp = ConvMLP(width)

    def forward(self, x):
        x = x + self.attn(self.norm1(x))
        return x + self.mlp(self.norm2(x))


def weighted_sum(a, b, weights, eps=1e-8):
    w = F.relu(weights)
    w = w / (w.sum() + eps)
    return w[0] * a + w[1] * b


class WeightedSkip(nn.Module):
    """Upsampled x joined with a skip map."""

    def __init__(self, skip_channels, width):
        super().__init__()
        self.pre_conv = conv(skip_channels, width)
        self.weights = nn.Parameter(torch.ones(2))
        self.post_conv = conv_bn_relu6(width, width, 3)

    def forward(self, x, res):
        return self.post_conv(weighted_sum(self.pre_conv(res), resize(x, 2), self.weights))


class FeatureRefinement(WeightedSkip):
    def __init__(self, skip_channels, width):
        super().__init__(skip_channels, width)
        self.pa = nn.Sequential(nn.Conv2d(width, width, 3, padding=1, groups=width), nn.Sigmoid())
        self.ca = nn.Sequential(
            nn.AdaptiveAvgPool2d(1), conv(width, width // 16), nn.ReLU6(), conv(width // 16, width), nn.Sigmoid()
        )
        self.shortcut = conv_bn(width, width, 1)
        self.proj = nn.Sequential(
            nn.Conv2d(width, width, 3, padding=1, groups=width, bias=False),
            nn.BatchNorm2d(width),
            nn.Conv2d(width, width, 1, bias=False),
        )

    def forward(self, x, res):
        x = super().forward(x, res)
        return F.relu6(self.proj(self.pa(x) * x + self.ca(x) * x) + self.shortcut(x))


class FineBlock(nn.Module):
    def __init__(self, width):
        super().__init__()
        depthwise = nn.Conv2d(width, width, 3, padding=1, groups=width, bias=False)
        self.depthwise = nn.Sequential(depthwise, nn.BatchNorm2d(width), nn.ReLU6())
        self.pointwise = conv_bn(width, width, 1)

    def forward(self, x):
        return x + self.pointwise(self.depthwise(x))


class FineStage(nn.Module):
    """Output strides 2 and 1: twice the resolution, joined with what a skip map shows there."""

    def __init__(self, cin, skip_channels, kernel, width):
        super().__init__()
        self.reduce = conv_bn(cin, width, 1)
        self.pre_conv = nn.Sequential(nn.Conv2d(skip_channels, width, kernel, padding=kernel // 2, bias=False))
        self.weights = nn.Parameter(torch.ones(2))
        self.block1 = FineBlock(width)
        self.block2 = FineBlock(width)
        self.block3 = FineBlock(width)

    def forward(self, x, skip):
        x = weighted_sum(self.pre_conv(skip), resize(self.reduce(x), 2), self.weights)
        return self.block3(self.block2(self.block1(x)))


def conv_bn_mish(cin, cout, kernel, groups=1):
    convolution = nn.Conv2d(cin, cout, kernel, padding=kernel // 2, groups=groups, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm2d(cout), nn.Mish())


class DetailBlock(nn.Module):
    """Three times a pointwise and a depthwise convolution, plus a pointwise one of the block's input."""

    def __init__(self, cin, width):
        super().__init__()
        self.side = conv_bn_mish(cin, width, 1)
        for i in (1, 2, 3):
            setattr(self, f"pointwise{i}", conv_bn_mish(cin if i == 1 else width, width, 1))
            setattr(self, f"depthwise{i}", conv_bn_mish(width, width, 3, groups=width))

    def forward(self, x):
        y = self.depthwise1(self.pointwise1(x))
        y = self.depthwise2(self.pointwise2(y))
        return self.depthwise3(self.pointwise3(y)) + self.side(x)


class DetailBranch(nn.Module):
    """Reads each pixel of the image, and joins the decoder at half resolution."""

    def __init__(self, bands, decoder_width, width):
        super().__init__()
        self.stem = conv_bn_mish(bands, width, 3)
        self.block1 = DetailBlock(width, width + width // 2)
        self.block2 = DetailBlock(width + width // 2, 2 * width)
        self.block3 = DetailBlock(2 * width + decoder_width, 2 * width)

    def forward(self, x, image):
        half = F.interpolate(self.stem(image), scale_factor=0.5, mode="bilinear", antialias=True)
        half = self.block2(self.block1(half))
        return self.block3(half if x is None else torch.cat([half, resize(x, 2)], 1))


class AuxiliaryHead(nn.Module):
    def __init__(self, width, classes, dropout):
        super().__init__()
        self.conv = conv_bn_relu6(width, width, 3)
        self.drop = nn.Dropout(dropout)
        self.conv_out = conv(width, classes)

    def forward(self, x):
        return resize(self.conv_out(self.drop(self.conv(x))), 8)


class Decoder(nn.Module):
    def __init__(self, classes, dropout, output_stride=4, detail_width=0):
        super().__init__()
        self.detail_width = detail_width
        self.output_stride = output_stride
        c4, c8, c16, c32 = ENCODER_CHANNELS
        d = DECODER_WIDTH
        self.pre_conv = conv_bn(c32, d, 1)
        self.b4 = Block(d)
        self.p3 = WeightedSkip(c16, d)
        self.b3 = Block(d)
        self.p2 = WeightedSkip(c8, d)
        self.b2 = Block(d)
        self.p1 = FeatureRefinement(c4, d)
        last = d // 4 if output_stride == 1 else d
        if detail_width > 0:
            self.detail = DetailBranch(3, d, detail_width)
            last = 2 * detail_width
        elif output_stride <= 2:
            self.fine2 = FineStage(d, 32, 1, d)
        if output_stride == 1:
            self.fine1 = FineStage(d, 3, 3, d // 4)
        first = conv_bn_relu6(d, d, 3) if output_stride == 4 else nn.Identity()
        self.segmentation_head = nn.Sequential(first, nn.Dropout2d(dropout), conv(last, classes))
        self.aux_head = AuxiliaryHead(d, classes, dropout)

    def forward(self, f4, f8, f16, f32, with_aux, f2=None, image=None):
        h4 = self.b4(self.pre_conv(f32))
        h3 = self.b3(self.p3(h4, f16))
        h2 = self.b2(self.p2(h3, f8))
        x = self.p1(h2, f4)
        if self.detail_width > 0:
            x = self.detail(x, image)
        elif self.output_stride <= 2:
            x = self.fine2(x, f2)
        if self.output_stride == 1:
            x = self.fine1(x, image)
        logits = self.segmentation_head(x)
        if self.output_stride > 1:
            logits = resize(logits, self.output_stride)
        aux = self.aux_head(resize(h4, 4) + resize(h3, 2) + h2) if with_aux else None
        return logits, aux


# ---------------------------------------------------------------- the whole network


class TextNull(nn.Module):
    def __init__(self):
        super().__init__()
        self.null = nn.Parameter(torch.zeros(NULL_TOKENS, TEXT_WIDTH))


class MetaSegNet(nn.Module):
    """fusion: "caf" or "none" (the text-free network)."""

    def __init__(self, classes=17, fusion="caf", dropout=0.1, output_stride=4, detail_width=0):
        super().__init__()
        self.encoder = EfficientNetLite0()
        if fusion == "caf":
            self.text = TextNull()
            self.fusion = nn.ModuleDict({"s16": CrossmodalFusion(112), "s32": CrossmodalFusion(320)})
        else:
            self.fusion = None
        self.decoder = Decoder(classes, dropout, output_stride, detail_width)

    def text_memory(self, tokens, token_mask):
        """Memory [B, M, 384] and the slot of each of its rows [M]."""
        b, k, length, width = tokens.shape
        null = self.text.null.expand(b, NULL_TOKENS, width)
        memory = torch.cat([tokens.reshape(b, k * length, width), null], 1)
        slot = torch.arange(k * length + NULL_TOKENS, device=tokens.device) // length
        return memory, slot.clamp(max=k)

    def forward(self, image, tokens=None, token_mask=None, log_share_16=None, log_share_32=None):
        """Inputs of docs/model.md section 1; returns logits [B, H, W, classes] and, training, the auxiliary ones."""
        image = image.permute(0, 3, 1, 2)
        f2, f4, f8, f16, f32 = self.encoder(image, finest=True)
        if self.fusion is not None:
            memory, slot = self.text_memory(tokens, token_mask)
            f16 = self.fusion["s16"](f16, memory, log_share_16[:, :, slot], token_mask)
            f32 = self.fusion["s32"](f32, memory, log_share_32[:, :, slot], token_mask)
        logits, aux = self.decoder(f4, f8, f16, f32, self.training, f2, image)
        return logits.permute(0, 2, 3, 1), None if aux is None else aux.permute(0, 2, 3, 1)


class DetailNet(nn.Module):
    """The network without an encoder: the detail branch alone."""

    def __init__(self, classes, width):
        super().__init__()
        head = nn.Sequential(nn.Identity(), nn.Identity(), conv(2 * width, classes))
        self.decoder = nn.ModuleDict({"detail": DetailBranch(3, 0, width), "segmentation_head": head})

    def forward(self, image):
        x = self.decoder["segmentation_head"](self.decoder["detail"](None, image.permute(0, 3, 1, 2)))
        return (resize(x, 2).permute(0, 2, 3, 1),)


# ---------------------------------------------------------------- loss


def cross_entropy(logits, labels, smoothing=0.05, ignore=255):
    """logits [B, H, W, C], labels [B, H, W] integer; mean over valid pixels, 0 without any."""
    valid = labels != ignore
    logp = logits.log_softmax(-1)[valid]
    if logp.shape[0] == 0:
        return logits.sum() * 0
    picked = logp.gather(1, labels[valid].long()[:, None])[:, 0]
    return (-(1 - smoothing) * picked - smoothing * logp.mean(1)).mean()


def soft_cross_entropy(logits, labels, probabilities, smoothing=0.05, ignore=255):
    """Against a distribution [B, H, W, C] in any unit; PyTorch averages over the pixels it is given."""
    valid = labels != ignore
    t = probabilities[valid].to(logits.dtype)
    return F.cross_entropy(logits[valid], t / t.sum(-1, keepdim=True), label_smoothing=smoothing)


def dice(logits, labels, smooth=0.05, ignore=255):
    """Soft Dice over the batch; classes absent from the batch count 0, divided by the number of classes."""
    valid = labels != ignore
    p = logits.softmax(-1)[valid]
    t = F.one_hot(labels[valid].long(), logits.shape[-1]).to(p.dtype)
    i, psum, tsum = (p * t).sum(0), p.sum(0), t.sum(0)
    return ((1 - (2 * i + smooth) / (psum + tsum + smooth)) * (tsum > 0)).mean()


def loss(logits, aux, labels):
    return cross_entropy(logits, labels) + dice(logits, labels) + 0.4 * cross_entropy(aux, labels)


# ---------------------------------------------------------------- initial weights


def initial_value(name, parameter):
    """(mean, std) of a parameter's initial normal distribution outside the encoder; docs/model.md section 6."""
    if name == "text.null":
        return 0.0, 0.02
    if name.endswith("relative_position_bias_table"):
        return 0.0, 0.02
    if name.endswith(".weights"):
        return 1.0, 0.0
    if name.endswith(".bias"):
        return 0.0, 0.0
    if parameter.dim() == 4:
        return 0.0, math.sqrt(2.0 / parameter[0].numel())
    if parameter.dim() == 2:
        zero = name.endswith("image_out.weight") or name.endswith("mlp.fc2.weight")
        return 0.0, 0.0 if zero else 0.02
    return 1.0, 0.0  # BatchNorm and LayerNorm weights


def init_parameters(model, seed, imagenet=None):
    """Initial weights as the C program makes them; `imagenet`: path of the encoder's checkpoint, or None."""
    if imagenet is not None:
        load_imagenet(model.encoder, imagenet)
    with torch.no_grad():
        for name, p in model.named_parameters():
            if name.startswith("encoder."):
                continue
            mean, std = initial_value(name, p)
            if std == 0.0:
                p.fill_(mean)
            else:
                draw = torch.from_numpy(rng.normal_tensor(seed, rng.WEIGHTS, name, tuple(p.shape)))
                p.copy_(draw * torch.tensor(std, dtype=torch.float32))
