# SPDX-License-Identifier: Apache-2.0
"""Writes tests/golden/encoder.safetensors: the image encoder with its ImageNet weights on one image made by the random
numbers, in float64. Formats: tools/twin/README.md."""

import os

import numpy as np
import torch
import torch.nn.functional as F

import common
import model as twin
import rng

SIZE = 256
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
CHECKPOINT = os.path.join(common.ROOT, ".cache", "data", "efficientnet-lite0.pth")


def make_image():
    """[1, 256, 256, 3] in 0..1: noise of four scales, normalised."""
    y, x, c = np.meshgrid(np.arange(SIZE), np.arange(SIZE), np.arange(3), indexing="ij")
    step = rng.name_step("encoder.image")
    value = np.zeros((SIZE, SIZE, 3))
    for k in (64, 16, 4, 1):
        index = k * 2**32 + ((y // k) * 256 + x // k) * 3 + c
        value += rng.uniform(common.SEED, rng.TEST, step, index).astype(np.float64)
    return (((value / 4 - MEAN) / STD)[None]).astype(np.float32)


def maps(dtype):
    net = twin.EfficientNetLite0()
    twin.load_imagenet(net, CHECKPOINT)
    net = net.to(dtype).eval()
    x = torch.from_numpy(make_image()).to(dtype).permute(0, 3, 1, 2)
    with torch.no_grad():
        out = {"stem": F.relu6(net._bn0(net._conv_stem(x)))}
        out.update(zip(("f4", "f8", "f16", "f32"), net(x)))
    return {k: common.nhwc(v) for k, v in out.items()}


def main():
    common.start()
    out, single = maps(torch.float64), maps(torch.float32)
    deviation = {k: float(f"{((single[k] - v).abs().max() / v.abs().max()).item():.1e}") for k, v in out.items()}
    tensors = {"output.f32": out["f32"].float()}
    for k, v in out.items():
        tensors[f"output.{k}.summary"] = common.summary(f"output.{k}", v, 8)
        if k != "stem":
            tensors[f"output.{k}.first"] = v.reshape(-1)[:64].clone()
    config = {"height": SIZE, "width": SIZE, "mean": MEAN, "std": STD, "float32_deviation": deviation}
    common.write("encoder.safetensors", tensors, {"config": config})
    print(deviation, {k: round(v.std().item(), 3) for k, v in out.items()})


if __name__ == "__main__":
    main()
