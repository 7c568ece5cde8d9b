# SPDX-License-Identifier: Apache-2.0
"""Writes tests/golden/published/unet_*.safetensors: U-Nets of segmentation_models_pytorch with ResNet-18 and EfficientNet-Lite0."""

import segmentation_models_pytorch as smp

import published

SHAPE = (1, 64, 96, 3)


def main():
    net = smp.Unet("resnet18", encoder_weights=None, classes=5, decoder_channels=(64, 32, 16, 8, 4))
    published.write("unet_resnet18", net, SHAPE, lambda n, x: [n(x)], gradients=False)
    net = smp.Unet("timm-tf_efficientnet_lite0", encoder_weights=None, classes=5, decoder_channels=(64, 32, 16, 8, 4))
    published.write("unet_lite0", net, SHAPE, lambda n, x: [n(x)], gradients=False)


if __name__ == "__main__":
    main()
