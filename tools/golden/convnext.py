# SPDX-License-Identifier: Apache-2.0
"""Writes tests/golden/published/convnext*.safetensors: the maps of timm's ConvNeXt and ConvNeXt V2 at reduced depth, and UPerNet
of segmentation_models_pytorch behind a smaller one. Needs timm and segmentation_models_pytorch; the form of UPerNet is that of
the version that is installed, so run it with 0.4 and with a later one (--upernet alone is written then)."""

import sys

import segmentation_models_pytorch as smp
import torch
from segmentation_models_pytorch.base import SegmentationHead
from segmentation_models_pytorch.decoders.upernet.decoder import UPerNetDecoder
from timm.models.convnext import ConvNeXt

import published

V1 = {"depths": (1, 2, 1, 1), "dims": (24, 48, 96, 192), "ls_init_value": 1e-6}
V2 = {"depths": (1, 2, 1, 1), "dims": (24, 48, 96, 192), "ls_init_value": None, "use_grn": True}
SMALL = {"depths": (1, 1, 1, 1), "dims": (16, 32, 64, 128), "ls_init_value": None, "use_grn": True}
WIDTH, CLASSES = 32, 5


def maps(net, x):
    return net.forward_intermediates(x, intermediates_only=True)


def without_head(name):
    return None if name.startswith("head.") else name


class Network(torch.nn.Module):
    """Encoder, decoder and head as smp.UPerNet joins them."""

    def __init__(self, old):
        super().__init__()
        self.old = old
        self.encoder = ConvNeXt(**SMALL, num_classes=0)
        channels = (3, 0, *SMALL["dims"])
        if old:
            # smp.UPerNet hands on what it has: the image's channels do not count
            self.decoder = UPerNetDecoder(channels, pyramid_channels=WIDTH, segmentation_channels=WIDTH // 4)
        else:
            self.decoder = UPerNetDecoder(channels, decoder_channels=WIDTH)
        self.segmentation_head = SegmentationHead(WIDTH // 4 if old else WIDTH, CLASSES, kernel_size=1, upsampling=4)
        super().train(False)

    def train(self, mode=True):
        """BatchNorm of one pooled value needs its stored statistics."""
        return self

    def forward(self, x):
        empty = x.new_zeros(x.shape[0], 0, x.shape[2] // 2, x.shape[3] // 2)
        features = [x, empty, *maps(self.encoder, x)]
        y = self.decoder(*features) if self.old else self.decoder(features)
        return [self.segmentation_head[0](y), self.segmentation_head(y)]


def rename(name):
    if ".head." in name:
        return None
    return name if name.startswith(("encoder.", "decoder.")) else f"decoder.{name}"


def main():
    old = smp.__version__.startswith("0.4")
    name = "upernet_smp04" if old else "upernet"
    published.write(name, Network(old), (1, 64, 96, 3), lambda net, x: net(x), rename, smp=smp.__version__)
    if "--upernet" in sys.argv:
        return
    published.write("convnext", ConvNeXt(**V1), (1, 101, 75, 3), maps, without_head)
    published.write("convnextv2", ConvNeXt(**V2), (1, 75, 102, 3), maps, without_head)


if __name__ == "__main__":
    main()
