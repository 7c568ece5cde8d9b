# SPDX-License-Identifier: Apache-2.0
"""Writes tests/golden/published/checkpoint_*.safetensors: whole networks as their public code builds and saves them. Each file has names and
shapes of the saved state and the scores of an image of bytes; the values of the state are made by the random numbers.

    python tools/golden/checkpoints.py GEOSEG      GEOSEG: a checkout of github.com/WangLibo1995/GeoSeg (needs einops)

The wrappers are those of the public trainings: GeoSeg's task has the network as `net`, TorchGeo's as `model`, FLAIR-1's as
`model.seg_model`."""

import sys

import numpy as np
import segmentation_models_pytorch as smp
import torch

import common
import published

SIDE = 256
IMAGENET = [123.675, 116.28, 103.53], [58.395, 57.12, 57.375]
FLAIR = [105.08, 110.87, 101.82, 106.38, 53.26], [52.17, 45.38, 44, 39.69, 79.3]  # configs/flair-1-config-detect.yaml


def special(name, shape):
    """The shares of weighted sums."""
    return 1 + 0.2 * common.normal(name, shape) if name.endswith(".weights") else None


def write(path, prefix, net, statistics, extra=()):
    """extra: other tensors that the training saves."""
    net = net.eval()
    published.fill(net, lambda name: prefix + name, special)
    mean, std = statistics
    image = common.below(f"{path}.image", (SIDE, SIDE, len(mean)), 256).astype(np.uint8)
    x = torch.from_numpy((image.astype(np.float64) - mean) / std).permute(2, 0, 1)[None]
    with torch.no_grad():
        single = net(x.float())
        scores = net.double()(x)
    print("float32", published.deviation(scores, single))
    top = scores.topk(2, 1).values
    sure = (top[:, 0] - top[:, 1] > 2e-3 * scores.abs().max())[0]
    classes = torch.where(sure, scores.argmax(1)[0], 255)
    print("sure", sure.double().mean().item(), "classes", classes.unique().tolist())
    state = [[prefix + k, list(v.shape), v.dtype.is_floating_point] for k, v in net.state_dict().items()]
    nhwc = common.nhwc(scores)
    tensors = {
        "scores.summary": common.summary("scores", nhwc, 8),
        "scores": nhwc[0, 8::16, 8::16].float(),
        "classes": classes[::4, ::4].to(torch.uint8),
    }
    common.write(f"published/checkpoint_{path}.safetensors", tensors, {"state": state + list(extra)})


def main():
    common.start()
    sys.path.insert(0, sys.argv[1])
    from geoseg.models.UNetFormer import UNetFormer

    write("geoseg_unetformer", "net.", UNetFormer(pretrained=False, num_classes=7), IMAGENET)
    write("smp_resnet18", "", smp.Unet("resnet18", encoder_weights=None, classes=5), IMAGENET)
    write("smp_lite0", "", smp.Unet("timm-tf_efficientnet_lite0", encoder_weights=None, classes=5), IMAGENET)
    write("smp_lite3", "", smp.Unet("timm-tf_efficientnet_lite3", encoder_weights=None, classes=5), IMAGENET)
    write("smp_timm_resnet18", "", smp.Unet("tu-resnet18", encoder_weights=None, classes=5), IMAGENET)
    # TorchGeo divides bytes by 255 and saves the weights of its loss beside the network
    net = smp.Unet("resnet50", encoder_weights=None, in_channels=4, classes=6)
    write("torchgeo_resnet50", "model.", net, ([0] * 4, [255] * 4), [["criterion.weight", [6], True]])
    net = smp.Unet("resnet34", encoder_weights=None, in_channels=5, classes=19)
    write("flair1_resnet34", "model.seg_model.", net, FLAIR, [["criterion.weight", [19], True]])


if __name__ == "__main__":
    main()
