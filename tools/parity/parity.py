# SPDX-License-Identifier: Apache-2.0
"""Every encoder at its full size against the public package: parity.py PROGRAM [--write] [NAME...]. Called by `make parity`.

Weights and images come from the random numbers on both sides; the package runs in double precision. Plain C runs at the first size
(ReLU networks: and where gradients are), the machine's best instruction set at all. Each line tells the largest
difference of a map, and of a gradient at the first size (ReLU networks: at 128x96), relative to the largest value (the limit is 1e-4). --write: into
docs/results/parity.md. Packages: tools/parity/requirements.txt."""

import os
import re
import subprocess
import sys
import tempfile

import numpy as np
import segmentation_models_pytorch as smp
import timm
import torch
import torchvision
import transformers

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tools", "golden"))

import convnext  # noqa: E402
import published  # noqa: E402
import resnet  # noqa: E402
import segformer  # noqa: E402
import swin  # noqa: E402
import vit  # noqa: E402

ANY = ((224, 224), (301, 415), (768, 512))
OF_4 = ((224, 224), (300, 412), (768, 512))  # timm drops what is over, the authors and torchvision pad
OF_32 = ((224, 224), (288, 416), (768, 512))
LITE = {0: (1, 2, 2, 3, 3, 4, 1), 1: (1, 3, 3, 4, 4, 5, 1), 2: (1, 3, 3, 4, 4, 5, 1), 3: (1, 3, 3, 5, 5, 6, 1), 4: (1, 4, 4, 6, 6, 8, 1)}  # blocks of a stage


def same(name):
    return name


def channels_last(net, x):
    return [y.permute(0, 3, 1, 2) for y in net(x)]


def lite_name(number, name):
    """timm's names to those of the published checkpoint."""
    if name.startswith(("conv_head", "bn2.")):
        return None
    block = re.match(r"blocks\.(\d)\.(\d)\.(.*)", name)
    if not block:
        return name.replace("conv_stem", "_conv_stem").replace("bn1.", "_bn0.")
    stage, repeat, rest = int(block[1]), int(block[2]), block[3]
    first = {"conv_dw": "_depthwise_conv", "conv_pw": "_project_conv", "bn1": "_bn1", "bn2": "_bn2"}
    others = {"conv_pw": "_expand_conv", "bn1": "_bn0", "conv_dw": "_depthwise_conv", "bn2": "_bn1", "conv_pwl": "_project_conv", "bn3": "_bn2"}
    layer, rest = rest.split(".", 1)
    return f"_blocks.{sum(LITE[number][:stage]) + repeat}.{(first if stage == 0 else others)[layer]}.{rest}"


def of_resnet(name):
    net = timm.create_model(name, num_classes=0)
    return "timm", net, resnet.maps, same, ANY


def of_lite(name):
    number = int(re.search(r"lite(\d)", name)[1])
    rename = lambda key: lite_name(number, key)
    if name.endswith("_smp"):
        net = smp.encoders.get_encoder(f"timm-tf_efficientnet_lite{number}", weights=None)
        return "segmentation_models_pytorch", net, lambda n, x: n(x)[2:], rename, OF_32
    net = timm.create_model(f"tf_efficientnet_lite{number}", features_only=True, out_indices=(1, 2, 3, 4))
    return "timm", net, lambda n, x: n(x), rename, OF_32


def of_swin(name):
    models = {
        "swin_t": "swin_tiny_patch4_window7_224",
        "swin_s": "swin_small_patch4_window7_224",
        "swin_b": "swin_base_patch4_window7_224",
        "swin_b_w12": "swin_base_patch4_window12_384",
    }
    if name.startswith("swin_v2"):
        net = getattr(torchvision.models, name)()
        for module in net.modules():
            if isinstance(module, torchvision.ops.StochasticDepth):
                module.p = 0.0
        return "torchvision", net, swin.torchvision_maps, lambda key: swin.without_tables(key) if key.startswith("features.") else None, ANY
    if name.endswith("_torchvision"):
        net = getattr(torchvision.models, name.removesuffix("_torchvision"))()
        for module in net.modules():
            if isinstance(module, torchvision.ops.StochasticDepth):
                module.p = 0.0
        return "torchvision", net, swin.torchvision_maps, TORCHVISION_NAME, ANY
    if name not in models:
        return None
    size = lambda h, w: timm.create_model(models[name], features_only=True, img_size=(h, w), drop_path_rate=0.0)
    return "timm", size, channels_last, lambda key: key.replace("layers_", "layers."), OF_4


# Each kind of Swin may keep the names of its package (src/network/encoder_swin.c).
TORCHVISION_NAME = lambda name: name if name.startswith("features.") else None


def of_convnext(name):
    net = timm.create_model(name, num_classes=0, drop_path_rate=0.0)
    return "timm", net, convnext.maps, convnext.without_head, ANY


def of_mit(name):
    depths = {"b0": (2, 2, 2, 2), "b1": (2, 2, 2, 2), "b2": (3, 4, 6, 3), "b3": (3, 4, 18, 3), "b4": (3, 8, 27, 3), "b5": (3, 6, 40, 3)}[name[4:]]
    widths = (32, 64, 160, 256) if name == "mit_b0" else (64, 128, 320, 512)
    config = transformers.SegformerConfig(depths=list(depths), hidden_sizes=list(widths), drop_path_rate=0.0)
    return "transformers", transformers.SegformerModel(config), segformer.maps, segformer.rename, ANY


def of_vit(name):
    patch = int(re.search(r"patch(\d+)", name)[1])
    model = name + "_qkvb" if name.endswith("dinov3") else name
    backbone = timm.create_model(model, num_classes=0, dynamic_img_size=True)
    vit.MAPS = 256
    return "timm", vit.Encoder(backbone, patch, backbone.embed_dim), lambda n, x: n(x), vit.our_name, OF_32[:2]


# In ReLU networks gradients jump where rounding takes a value to the other side of 0 (or 6): torch's own single precision is then off
# by 10 %. So gradients of these are compared with biases of the norms that keep values away from there: channels that are below 0
# everywhere, between the bends, and above 6; and of a small image, some draw of which keeps the farthest away.
BENT, BENT_SIZE = ("efficientnet", "resnet"), (128, 96)
FAMILIES = (("efficientnet", of_lite), ("mit", of_mit), ("resnet", of_resnet), ("swin", of_swin), ("convnext", of_convnext), ("vit", of_vit))


def away_from_bends(name, shape):
    """The same in tests/parity/parity.c."""
    return 8.0 * (np.arange(shape[0]) % 3) - 5.0 if name.endswith(".bias") and len(shape) == 1 else None


def compare(program, name, case, size, gradients, plain, folder):
    """(outputs, gradients) as parts of the largest value; None where a check failed."""
    package, net, run, rename, _ = case
    if not isinstance(net, torch.nn.Module):
        net = net(*size)
    path = os.path.join(folder, "case")
    levels = {} if plain else {"fastest": True}
    special = lambda key, shape: None
    if gradients and name.startswith(BENT):
        levels["away_from_bends"] = True
        special = away_from_bends
    config = published.write(path, net, (1, *size, 3), run, rename, special, gradients=gradients, **levels)
    done = subprocess.run([program, "encoder", name, path + ".safetensors"], capture_output=True, text=True)
    found = re.findall(r"outputs ([\d.e+-]+) %, gradients ([\d.e+-]+) %", done.stdout + done.stderr)
    if done.returncode != 0 or not found:
        print(done.stdout, done.stderr, file=sys.stderr)
        return None
    lost = (config["float32_deviation"], config["float32_gradient_deviation"])
    return tuple(max(float(f[i]) for f in found) / 100 * max(1e-4, 4 * lost[i]) for i in (0, 1))


def line(program, name, folder):
    make = next((make for start, make in FAMILIES if name.startswith(start)), None)
    case = make(name) if make else None
    if case is None:
        return f"| {name} | - | no package to compare with here | | |", True
    worst, slope, fine = 0.0, 0.0, True
    cases = [[size, False, i == 0] for i, size in enumerate(case[4])]
    if name.startswith(BENT):
        cases.append([BENT_SIZE, True, True])
    else:
        cases[0][1] = True
    for size, gradients, plain in cases:
        found = compare(program, name, case, size, gradients, plain, folder)
        fine = fine and found is not None
        if found:
            worst, slope = max(worst, found[0]), max(slope, found[1])
    sizes = ", ".join(f"{h}x{w}" for h, w in case[4])
    version = sys.modules[case[0]].__version__
    return f"| {name} | {case[0]} {version} | {sizes} | {worst:.1e} | {slope:.1e} |" + ("" if fine else " FAILED"), fine


HEAD = "| encoder | package | sizes | maps | gradients |\n| --- | --- | --- | --- | --- |\n"


def put_row(row, names):
    """Into the page's table, in the order of the list; the rows of others stay."""
    path = os.path.join(ROOT, "docs", "results", "parity.md")
    with open(path, encoding="utf-8") as file:
        before, rest = file.read().split(HEAD)
    table, _, after = rest.partition("\n\n")
    rows = {r.split("|")[1].strip(): r for r in table.splitlines() + [row]}
    with open(path, "w", encoding="utf-8") as file:
        file.write(before + HEAD + "\n".join(rows[name] for name in names if name in rows) + "\n\n" + after)


def main():
    program, *words = sys.argv[1:]
    write = "--write" in words
    wanted = [w for w in words if not w.startswith("--")]
    names = subprocess.run([program, "list"], capture_output=True, text=True, check=True).stdout.split()
    good = True
    with tempfile.TemporaryDirectory() as folder:
        for name in wanted or names:
            text, fine = line(program, name, folder)
            print(text, flush=True)
            if write:
                put_row(text, names)
            good = good and fine
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
