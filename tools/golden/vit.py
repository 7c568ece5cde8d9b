# SPDX-License-Identifier: Apache-2.0
"""Writes tests/golden/published/encoder_vit_*.safetensors: timm's vision transformers of DINOv2 and DINOv3 at reduced depth, on
maps of another size than their positions', under a simple feature pyramid written from its paper (Li et al. 2022) with the
names of detectron2.

    python tools/golden/vit.py
"""

import math

import timm
import torch
import torch.nn.functional as F
from torch import nn

import published

WIDTH, MAPS = 32, 16
REDUCED = {"embed_dim": WIDTH, "depth": 2, "num_heads": 2, "num_classes": 0, "dynamic_img_size": True}
IMAGE = (1, 96, 160, 3)


class ChannelNorm(nn.LayerNorm):
    def __init__(self, channels):
        super().__init__(channels, eps=1e-6)

    def forward(self, x):
        return super().forward(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


class ConvNorm(nn.Conv2d):
    def __init__(self, channels, kernel):
        super().__init__(channels, MAPS, kernel, padding=kernel // 2, bias=False)
        self.norm = ChannelNorm(MAPS)

    def forward(self, x):
        return self.norm(super().forward(x))


def level(scale):
    if scale == 4:
        parts = [nn.ConvTranspose2d(WIDTH, WIDTH // 2, 2, 2), ChannelNorm(WIDTH // 2), nn.GELU()]
        parts.append(nn.ConvTranspose2d(WIDTH // 2, WIDTH // 4, 2, 2))
        channels = WIDTH // 4
    elif scale == 2:
        parts, channels = [nn.ConvTranspose2d(WIDTH, WIDTH // 2, 2, 2)], WIDTH // 2
    else:
        parts, channels = [] if scale == 1 else [nn.MaxPool2d(2, 2)], WIDTH
    return nn.Sequential(*parts, ConvNorm(channels, 1), ConvNorm(MAPS, 3))


class Encoder(nn.Module):
    def __init__(self, backbone, patch):
        super().__init__()
        self.backbone, self.patch = backbone, patch
        self.pyramid = nn.ModuleDict({f"simfp_{int(math.log2(16 / s))}": level(s) for s in (4, 2, 1, 0.5)})

    def forward(self, x):
        h, w = x.shape[2] // 16, x.shape[3] // 16
        if self.patch != 16:
            x = F.interpolate(x, (h * self.patch, w * self.patch), mode="bilinear")
        tokens = self.backbone.forward_features(x)[:, self.backbone.num_prefix_tokens :]
        x = tokens.transpose(1, 2).reshape(len(tokens), -1, h, w)
        return [net(x) for net in self.pyramid.values()]


def main():
    for name, model, patch in (
        ("dinov2", "vit_small_patch14_dinov2", 14),
        ("dinov2_reg4", "vit_small_patch14_reg4_dinov2", 14),
        ("dinov3", "vit_small_patch16_dinov3_qkvb", 16),  # with the bias that Meta's and transformers' files have
    ):
        net = Encoder(timm.create_model(model, img_size=5 * patch, **REDUCED), patch)
        published.write(f"encoder_vit_{name}", net, IMAGE, lambda net, x: net(x), lambda key: key.split(".", 1)[1])


if __name__ == "__main__":
    main()
