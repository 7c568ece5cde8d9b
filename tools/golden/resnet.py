# SPDX-License-Identifier: Apache-2.0
"""Writes tests/golden/published/encoder_resnet_*.safetensors: ResNet of timm (the values of torchvision's), one block a stage."""

from timm.models.resnet import BasicBlock, Bottleneck, ResNet

import published

SHAPE = (1, 75, 93, 3)  # no multiple of 32


def encoder(block, layers):
    return ResNet(block, layers, num_classes=0)


def maps(net, x):
    x = net.maxpool(net.act1(net.bn1(net.conv1(x))))
    out = []
    for layer in (net.layer1, net.layer2, net.layer3, net.layer4):
        x = layer(x)
        out.append(x)
    return out


def main():
    for name, block in (("basic", BasicBlock), ("bottleneck", Bottleneck)):
        published.write(f"encoder_resnet_{name}", encoder(block, (1, 1, 1, 1)), SHAPE, maps)


if __name__ == "__main__":
    main()
