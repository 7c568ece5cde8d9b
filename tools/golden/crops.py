# SPDX-License-Identifier: Apache-2.0
"""Writes tests/golden/published/crops_geoseg_unetformer.safetensors: an image of bytes that is no multiple of the crop, as GeoSeg's
inference_huge_image.py cuts it, maps each crop and puts them together.

    python tools/golden/crops.py GEOSEG      GEOSEG: a checkout of github.com/WangLibo1995/GeoSeg (needs einops, albumentations 1, opencv)

The values of the network's state are those of checkpoint_geoseg_unetformer.safetensors. PadIfNeeded's position says where the image
is to be, so "bottom_right" pads above and to the left, which the program takes off again with [-height:, -width:]."""

import os
import sys
import tempfile
import unittest.mock

import numpy as np
import torch

import checkpoints
import common
import published

HEIGHT, WIDTH, CROP, STEP = 260, 420, 256, 3


def main():
    common.start()
    sys.path.insert(0, sys.argv[1])
    for name in ("catalyst", "catalyst.dl", "ttach", "tools", "tools.cfg", "train_supervision"):
        sys.modules[name] = unittest.mock.MagicMock(__all__=[])  # imported there, not used by what is called here
    import cv2
    import inference_huge_image as geoseg
    from geoseg.models.UNetFormer import UNetFormer

    net = UNetFormer(pretrained=False, num_classes=7).eval()
    published.fill(net, lambda name: "net." + name, checkpoints.special)
    net = net.double()
    image = common.below("crops.image", (HEIGHT, WIDTH, 3), 256).astype(np.uint8)
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "image.png")
        cv2.imwrite(path, image[:, :, ::-1])
        dataset, _, _, width, height, _, _ = geoseg.make_dataset_for_one_huge_image(path, (CROP, CROP))
    scores, k = torch.zeros(7, height, width, dtype=torch.float64), 0
    with torch.no_grad():
        for y in range(0, height, CROP):
            for x in range(0, width, CROP):
                scores[:, y:y + CROP, x:x + CROP] = net(dataset[k]["img"].double()[None])[0]
                k += 1
    scores = scores[:, -HEIGHT:, -WIDTH:]
    top = scores.topk(2, 0).values
    sure = top[0] - top[1] > 2e-3 * scores.abs().max()
    classes = torch.where(sure, scores.argmax(0), 255)
    print("crops", k, "sure", sure.double().mean().item(), "classes", classes.unique().tolist())
    tensors = {
        "classes": classes[::STEP, ::STEP].to(torch.uint8),
        "confidence": scores.softmax(0).amax(0)[::STEP, ::STEP].float()[::4, ::4].contiguous(),
    }
    common.write("published/crops_geoseg_unetformer.safetensors", tensors, {"height": HEIGHT, "width": WIDTH, "crop": CROP})


if __name__ == "__main__":
    main()
