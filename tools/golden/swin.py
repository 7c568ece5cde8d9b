# SPDX-License-Identifier: Apache-2.0
"""Writes tests/golden/published/encoder_swin_*.safetensors: Swin Transformers of timm, torchvision and GeoSeg at reduced depth
and odd sizes.

    python tools/golden/swin.py GEOSEG      GEOSEG: a checkout of github.com/WangLibo1995/GeoSeg (needs einops)
"""

import re
import sys

import timm
import torchvision

import published

CHANNELS, DEPTHS, HEADS = 16, (2, 2, 2, 1), (1, 2, 2, 4)
REDUCED = {"embed_dim": CHANNELS, "depths": list(DEPTHS), "num_heads": list(HEADS)}


def from_authors(name):
    """Patch merging at the end of a stage (the authors) to the beginning of the next (timm)."""
    return re.sub(r"layers\.(\d+)\.downsample", lambda m: f"layers.{int(m[1]) + 1}.downsample", name)


def from_torchvision(name):
    """features.0: patches; 1, 3, 5, 7: stages; 2, 4, 6: merging."""
    if not name.startswith("features."):
        return None
    name = re.sub(r"^features\.0\.0\.", "patch_embed.proj.", name)
    name = re.sub(r"^features\.0\.2\.", "patch_embed.norm.", name)
    name = re.sub(r"^features\.([246])\.", lambda m: f"layers.{int(m[1]) // 2}.downsample.", name)
    name = re.sub(r"^features\.([1357])\.(\d+)\.", lambda m: f"layers.{int(m[1]) // 2}.blocks.{m[2]}.", name)
    return name.replace("mlp.0.", "mlp.fc1.").replace("mlp.3.", "mlp.fc2.")


def torchvision_maps(net, x):
    maps = []
    for layer in net.features:
        x = layer(x)
        maps.append(x.permute(0, 3, 1, 2))
    return maps[1::2]


def geoseg_swin(path, **arguments):
    sys.path.insert(0, path)
    from geoseg.models.FTUNetFormer import SwinTransformer

    class Swin(SwinTransformer):  # its train() gives nothing back
        def train(self, mode=True):
            super().train(mode)
            return self

    return Swin(**arguments)


def main():
    # the size tells timm where windows are shifted
    net = timm.create_model("swin_tiny_patch4_window7_224", features_only=True, img_size=(228, 260), drop_path_rate=0.0, **REDUCED)
    published.write("encoder_swin_timm", net, (1, 228, 260, 3), lambda net, x: [y.permute(0, 3, 1, 2) for y in net(x)],
                    lambda name: name.replace("layers_", "layers."))
    net = torchvision.models.SwinTransformer([4, 4], window_size=[7, 7], stochastic_depth_prob=0.0, **REDUCED)
    published.write("encoder_swin_torchvision", net, (1, 102, 135, 3), torchvision_maps, from_torchvision)
    net = geoseg_swin(sys.argv[1], drop_path_rate=0.0, **REDUCED)
    published.write("encoder_swin_segmentation", net, (1, 102, 135, 3), lambda net, x: list(net(x)), from_authors)


if __name__ == "__main__":
    main()
