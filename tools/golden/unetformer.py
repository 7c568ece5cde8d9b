# SPDX-License-Identifier: Apache-2.0
"""Writes tests/golden/published/unetformer.safetensors: GeoSeg's UNetFormer behind a ResNet with one block a stage, at a size whose
maps are no multiples of the windows.

    python tools/golden/unetformer.py GEOSEG      GEOSEG: a checkout of github.com/WangLibo1995/GeoSeg (needs einops)
"""

import sys

import torch
import torch.nn.functional as F
from timm.models.resnet import BasicBlock, ResNet

import common
import published

SHAPE = (1, 160, 352, 3)  # 5 x 11 at stride 32; reflection needs more than half a window
WIDTH, CLASSES = 48, 5


class Network(torch.nn.Module):
    def __init__(self, decoder):
        super().__init__()
        self.encoder = ResNet(BasicBlock, (1, 1, 1, 1), num_classes=0)
        del decoder.aux_head  # published with other interpolation than ours
        self.decoder = decoder


def scores(net, x):
    """At stride 4."""
    e, d = net.encoder, net.decoder
    x = e.maxpool(e.act1(e.bn1(e.conv1(x))))
    maps = []
    for layer in (e.layer1, e.layer2, e.layer3, e.layer4):
        x = layer(x)
        maps.append(x)
    x = d.b4(d.pre_conv(maps[3]))
    x = d.b3(d.p3(x, maps[2]))
    x = d.b2(d.p2(x, maps[1]))
    return [d.segmentation_head(d.p1(x, maps[0]))]


def pad(self, x, size):
    """What the published one means: it stops in PyTorch where the width is no multiple of the window."""
    return F.pad(x, (0, -x.shape[3] % size, 0, -x.shape[2] % size), mode="reflect")


def special(name, shape):
    """The shares of weighted sums."""
    return 1 + 0.2 * common.normal(name, shape) if name.endswith(".weights") else None


def main():
    sys.path.insert(0, sys.argv[1])
    from geoseg.models.UNetFormer import Decoder, GlobalLocalAttention

    GlobalLocalAttention.pad = pad
    net = Network(Decoder(decode_channels=WIDTH, dropout=0.0, num_classes=CLASSES))
    published.write("unetformer", net, SHAPE, scores, special=special)


if __name__ == "__main__":
    main()
