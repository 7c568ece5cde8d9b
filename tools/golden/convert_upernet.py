# SPDX-License-Identifier: Apache-2.0
"""Writes tests/golden/published/transformers_upernet.safetensors and smp_upernet*.safetensors: UPerNet behind ConvNeXt as transformers
and segmentation_models_pytorch have it: names and shapes of its state, made by the random numbers, and scores of every fourth pixel. The
form of the latter is that of the version that is installed, so run it with 0.4 (--smp alone is written then) and with a later one."""

import sys

import segmentation_models_pytorch as smp
import torch
import common
import published


CLASSES = 7


def write(name, net, scores):
    """scores(net, x): every fourth pixel."""
    published.fill(net)
    x = torch.from_numpy(published.image((1, 64, 96, 3))).permute(0, 3, 1, 2).contiguous()
    with torch.no_grad():
        single = scores(net, x)
        out = scores(net.double(), x.double())
    print("float32", published.deviation(out, single))
    names = [[k, list(v.shape), v.dtype.is_floating_point] for k, v in net.state_dict().items()]
    common.write(f"published/{name}.safetensors", {"scores": common.nhwc(out).float()}, {"state": names})


def transformers_upernet():
    from transformers import ConvNextConfig, UperNetConfig, UperNetForSemanticSegmentation

    stages = ["stage1", "stage2", "stage3", "stage4"]
    backbone = ConvNextConfig(out_features=stages, hidden_sizes=[96, 192, 384, 768], depths=[3, 3, 9, 3])
    config = UperNetConfig(backbone_config=backbone, hidden_size=48, num_labels=CLASSES, auxiliary_channels=16)
    return UperNetForSemanticSegmentation(config).eval()


def smp_upernet():
    return smp.create_model(
        "upernet", encoder_name="tu-convnextv2_atto", encoder_weights=None, in_channels=3, classes=CLASSES
    ).eval()


def main():
    common.start()
    old = smp.__version__.startswith("0.4")
    write("smp04_upernet" if old else "smp_upernet", smp_upernet(), lambda net, x: net(x)[:, :, ::4, ::4])
    if "--smp" not in sys.argv:
        write("transformers_upernet", transformers_upernet(), lambda net, x: net.decode_head(net.backbone(x).feature_maps))


if __name__ == "__main__":
    main()
