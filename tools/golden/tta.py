# SPDX-License-Identifier: Apache-2.0
"""Writes tests/golden/published/tta_smp_resnet18.safetensors: the mean of the 40 readings of GeoSeg's vaihingen_test.py (ttach) of an
image of bytes, by the network of checkpoint_smp_resnet18.safetensors under the same weights.

    python tools/golden/tta.py      (needs ttach 0.0.3)"""

import numpy as np
import segmentation_models_pytorch as smp
import torch
import ttach

import checkpoints
import common
import published

STEP = 12


def main():
    common.start()
    net = smp.Unet("resnet18", encoder_weights=None, classes=5).eval()
    published.fill(net, lambda name: name, checkpoints.special)
    mean, std = checkpoints.IMAGENET
    y, x, band = np.ogrid[:checkpoints.SIDE, :checkpoints.SIDE, :3]
    image = (x // 40 * 97 + y // 28 * 61 + band * 83 + x * y // 512) % 256  # noise is the same for every class on the mean
    x = torch.from_numpy((image.astype(np.float64) - mean) / std).permute(2, 0, 1)[None]
    readings = ttach.Compose([ttach.HorizontalFlip(), ttach.VerticalFlip(), ttach.Rotate90(angles=[90]),
                              ttach.Scale(scales=[0.5, 0.75, 1.0, 1.25, 1.5], interpolation="bicubic", align_corners=False)])
    assert len(readings) == 40
    with torch.no_grad():
        scores = ttach.SegmentationTTAWrapper(net.double(), readings)(x)[0]
    probabilities = common.nhwc(scores.softmax(0)[None])[0]
    print("range of each class", probabilities.amin((0, 1)).tolist(), probabilities.amax((0, 1)).tolist())
    tensors = {"probabilities": probabilities[STEP // 2::STEP, STEP // 2::STEP].float().contiguous()}
    common.write("published/tta_smp_resnet18.safetensors", tensors, {})


if __name__ == "__main__":
    main()
