# SPDX-License-Identifier: Apache-2.0
"""Writes tests/golden/published/flair_hub*.safetensors: the network of FLAIR-HUB's aerial land cover (github.com/IGNF/FLAIR-HUB, with
segmentation_models_pytorch 0.4) with the smallest ConvNeXt V2 and with Swin-T: names and shapes of its state, made by the random
numbers, and its scores of an image of bytes. Run with the folder src of FLAIR-HUB and that version of the package in PYTHONPATH."""

import functools

import numpy as np
import segmentation_models_pytorch as smp
import torch
from flair_hub.models.flair_model import FLAIR_HUB_Model

import common
import published

SIDE, STEP = 512, 32
ARCHITECTURES = {"flair_hub": "convnextv2_atto-upernet", "flair_hub_swin": "swin_tiny_patch4_window7_224-upernet"}
# configs/train/config_modalities.yaml
CHANNELS, MEANS, STDS = [4, 1, 2], [106.59, 105.66, 111.35], [39.78, 52.23, 45.62]
TASK, CLASSES = "AERIAL_LABEL-COSIA", 19


def network(architecture):
    others = ["AERIAL-RLT_PAN", "DEM_ELEV", "SPOT_RGBI", "SENTINEL2_TS", "SENTINEL1-ASC_TS", "SENTINEL1-DESC_TS"]
    config = {
        "modalities": {
            "inputs": {"AERIAL_RGBI": True} | dict.fromkeys(others, False),
            "inputs_channels": {"AERIAL_RGBI": CHANNELS},
            "aux_loss": {"AERIAL_RGBI": False},
            "pre_processings": {"calc_elevation": True, "calc_elevation_stack_dsm": True},
        },
        "models": {
            "monotemp_model": {"arch": architecture},
            "multitemp_model": {"encoder_widths": [64, 64, 64, 128], "decoder_widths": [32, 32, 64, 128], "out_conv": [32]},
        },
        "labels": [TASK],
        "labels_configs": {TASK: {"value_name": {i: str(i) for i in range(CLASSES)}}},
    }
    return FLAIR_HUB_Model(config, {"AERIAL_RGBI": SIDE}).eval()


def write(name, architecture):
    net = network(architecture)
    published.fill(net, lambda name: f"model.{name}")  # as the Lightning module and the published files name it
    image = common.below("flair_hub.image", (SIDE, SIDE, 4), 256).astype(np.uint8)
    x = (image[..., [c - 1 for c in CHANNELS]].astype(np.float64) - MEANS) / STDS
    x = torch.from_numpy(x).permute(2, 0, 1)[None]
    with torch.no_grad():
        batch = {"AERIAL_RGBI": x.float(), TASK: torch.zeros(1, SIDE, SIDE)}
        single = net(batch)[0][TASK]
        scores = net.double()(batch | {"AERIAL_RGBI": x})[0][TASK]
    print("float32", published.deviation(scores, single))
    top = scores.topk(2, 1).values
    sure = (top[:, 0] - top[:, 1] > 1e-3 * scores.abs().max())[0]
    classes = torch.where(sure, scores.argmax(1)[0], 255)
    print("sure", sure.double().mean().item(), "classes", classes.unique().tolist())
    names = [[f"model.{k}", list(v.shape), v.dtype.is_floating_point] for k, v in net.state_dict().items()]
    nhwc = common.nhwc(scores)
    tensors = {
        "scores.summary": common.summary("scores", nhwc, 8),
        "scores": nhwc[0, STEP // 2 :: STEP, STEP // 2 :: STEP].float(),
        "classes": classes[::8, ::8].to(torch.uint8),
    }
    common.write(f"published/{name}.safetensors", tensors, {"state": names, "architecture": architecture})


def main():
    common.start()
    smp.create_model = functools.partial(smp.create_model, encoder_weights=None)  # no downloads
    for name, architecture in ARCHITECTURES.items():
        write(name, architecture)


if __name__ == "__main__":
    main()
