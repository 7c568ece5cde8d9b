# SPDX-License-Identifier: Apache-2.0
"""Writes tests/golden/published/unet.safetensors: the U-Net of segmentation_models_pytorch behind a ResNet with one block a stage.
(Whole networks of their full size: checkpoints.py.)"""

import segmentation_models_pytorch as smp
from segmentation_models_pytorch.encoders.resnet import ResNetEncoder
from torchvision.models.resnet import BasicBlock

import published

SHAPE = (1, 96, 160, 3)


def rename(name):
    return "decoder." + name if name.startswith("segmentation_head.") else name


def main():
    net = smp.Unet("resnet18", encoder_weights=None, classes=5, decoder_channels=(64, 32, 16, 8, 4))
    net.encoder = ResNetEncoder((3, 64, 64, 128, 256, 512), block=BasicBlock, layers=[1, 1, 1, 1])
    published.write("unet", net, SHAPE, lambda n, x: [n(x)], rename)


if __name__ == "__main__":
    main()
