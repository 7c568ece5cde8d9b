# SPDX-License-Identifier: Apache-2.0
"""Writes tests/golden/published/encoder_file_*.safetensors: files that hold an image encoder, as public code saves them, with whatever
else they hold. Each has names and shapes of the saved state and the encoder's maps of an image; the values of the state are made by the
random numbers.

    python tools/golden/encoder_files.py SATLAS      SATLAS: a checkout of github.com/allenai/satlaspretrain_models

SatlasPretrain's published files have the feature pyramid as `intermediates.0`, the layers that enlarge its finest map as
`intermediates.1` and heads as `heads`; those that its package saves call them `fpn`, `upsample` and `head`. Networks that read several
images of a place have the same backbone one level further in."""

import sys
import types

import torch
import torchvision

import common
import published


def rename_satlas(name):
    for package, files in (("fpn.", "intermediates.0."), ("upsample.", "intermediates.1."), ("head.", "heads.0.")):
        if name.startswith(package):
            return files + name[len(package) :]
    return name


def write(path, net, run, shape, rename=lambda name: name):
    net = net.eval()
    # a table of distances is no parameter: the network reads it as it is
    published.fill(net, lambda name: None if name.endswith("relative_coords_table") else rename(name))
    x = torch.from_numpy(published.image(shape)).permute(0, 3, 1, 2)
    with torch.no_grad():
        single = run(net, x.float())
        maps = run(net.double(), x.double())
    tensors = {}
    for k, o in enumerate(maps):
        nhwc = common.nhwc(o)
        tensors[f"output.{k}.summary"] = common.summary(f"output.{k}", nhwc, 8)
        tensors[f"output.{k}.first"] = nhwc.reshape(-1)[:64].clone()
        tensors[f"output.{k}.shape"] = torch.tensor(nhwc.shape, dtype=torch.int32)
    config = {"height": shape[1], "width": shape[2], "bands": shape[3], "outputs": len(maps), "largest_gradient": 1,
              "float32_gradient_deviation": 0, "float32_deviation": max(published.deviation(a, b) for a, b in zip(maps, single))}
    print(path, config["float32_deviation"], [tuple(o.shape) for o in maps])
    state = [[rename(k), list(v.shape), v.dtype.is_floating_point] for k, v in net.state_dict().items()]
    common.write(f"published/encoder_file_{path}.safetensors", tensors, {"config": config, "state": state})


def run_resnet(net, x):
    x = net.maxpool(net.relu(net.bn1(net.conv1(x))))
    maps = []
    for layer in (net.layer1, net.layer2, net.layer3, net.layer4):
        x = layer(x)
        maps.append(x)
    return maps


def main():
    common.start()
    sys.path.insert(0, sys.argv[1])
    sys.modules.setdefault("requests", types.ModuleType("requests"))  # for downloads alone
    from satlaspretrain_models.model import Model
    from satlaspretrain_models.utils import Backbone, Head

    write("torchvision_resnet18", torchvision.models.resnet18(weights=None), run_resnet, (1, 64, 96, 3))
    net = Model(9, False, Backbone.SWINT, fpn=True, head=Head.SEGMENT, num_categories=4)
    write("satlas_swin", net, lambda net, x: net.backbone(x), (1, 72, 96, 9), rename_satlas)
    net = Model(3, True, Backbone.SWINT, fpn=True, head=Head.REGRESS, num_categories=1)
    write("satlas_images", net, lambda net, x: net.backbone(x), (1, 64, 80, 3))
    net = Model(9, False, Backbone.RESNET50, fpn=True)
    write("satlas_resnet", net, lambda net, x: net.backbone(x), (1, 64, 64, 9))


if __name__ == "__main__":
    main()
