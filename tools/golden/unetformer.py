# SPDX-License-Identifier: Apache-2.0
"""Writes tests/golden/published/unetformer.safetensors: GeoSeg's UNetFormer behind a small ConvNeXt V2, at a size whose maps are no
multiples of the windows. No ReLU in the encoder: of a ResNet's million of values some always lies so near 0 that rounding decides
over its gradient.

    python tools/golden/unetformer.py GEOSEG      GEOSEG: a checkout of github.com/WangLibo1995/GeoSeg (needs einops)
"""

import sys

import torch
import torch.nn.functional as F
from timm.models.convnext import ConvNeXt

import common
import published

SHAPE = (1, 160, 192, 3)  # 5 x 6 at stride 32; reflection needs more than half a window
WIDTH, CLASSES = 24, 5
DEPTHS, CHANNELS = (1, 1, 1, 1), (16, 32, 64, 128)


class Network(torch.nn.Module):
    def __init__(self, decoder):
        super().__init__()
        self.encoder = ConvNeXt(depths=DEPTHS, dims=CHANNELS, ls_init_value=None, use_grn=True, num_classes=0)
        del decoder.aux_head  # published with other interpolation than ours
        self.decoder = decoder


def scores(net, x):
    """At stride 4."""
    maps, d = net.encoder.forward_intermediates(x, intermediates_only=True), net.decoder
    x = d.b4(d.pre_conv(maps[3]))
    x = d.b3(d.p3(x, maps[2]))
    x = d.b2(d.p2(x, maps[1]))
    return [d.segmentation_head(d.p1(x, maps[0]))]


def pad(self, x, size):
    """What the published one means: it stops in PyTorch where the width is no multiple of the window."""
    return F.pad(x, (0, -x.shape[3] % size, 0, -x.shape[2] % size), mode="reflect")


def without_head(name):
    return None if name.startswith("encoder.head.") else name


def special(name, shape):
    """The shares of weighted sums."""
    return 1 + 0.2 * common.normal(name, shape) if name.endswith(".weights") else None


def main():
    sys.path.insert(0, sys.argv[1])
    from geoseg.models.UNetFormer import Decoder, GlobalLocalAttention

    GlobalLocalAttention.pad = pad
    net = Network(Decoder(CHANNELS, decode_channels=WIDTH, dropout=0.0, num_classes=CLASSES))
    published.write("unetformer", net, SHAPE, scores, without_head, special)


if __name__ == "__main__":
    main()
