# SPDX-License-Identifier: Apache-2.0
"""Writes tests/golden/published/encoder_swin_*.safetensors, Swin Transformers of timm, torchvision and GeoSeg at reduced depth
and odd sizes, and ft_unetformer.safetensors and dcswin.safetensors, GeoSeg's whole networks.

    python tools/golden/swin.py GEOSEG      GEOSEG: a checkout of github.com/WangLibo1995/GeoSeg (needs einops)
"""

import sys

import timm
import torchvision
from torchvision.models import swin_transformer

import common
import published

CHANNELS, DEPTHS, HEADS = 16, (2, 2, 2, 1), (1, 2, 2, 4)
REDUCED = {"embed_dim": CHANNELS, "depths": list(DEPTHS), "num_heads": list(HEADS)}


def without_tables(name):
    """Coordinates stay what they are."""
    return None if name.endswith("relative_coords_table") else name


def torchvision_maps(net, x):
    maps = []
    for layer in net.features:
        x = layer(x)
        maps.append(x.permute(0, 3, 1, 2))
    return maps[1::2]


def chain(swin):
    """GeoSeg's train() gives nothing back."""
    train = swin.train

    def chained(self, mode=True):
        train(self, mode)
        return self

    swin.train = chained


def from_geoseg(name):
    """A whole network."""
    return "encoder." + name[9:] if name.startswith("backbone.") else name


def geoseg_special(name, shape):
    """The shares of weighted sums, and of attention."""
    return 1 + 0.2 * common.normal(name, shape) if name.endswith((".weights", ".gamma")) else None


def main():
    # the size tells timm where windows are shifted
    net = timm.create_model("swin_tiny_patch4_window7_224", features_only=True, img_size=(228, 260), drop_path_rate=0.0, **REDUCED)
    published.write("encoder_swin_timm", net, (1, 228, 260, 3), lambda net, x: [y.permute(0, 3, 1, 2) for y in net(x)],
                    lambda name: name.replace("layers_", "layers."))
    net = torchvision.models.SwinTransformer([4, 4], window_size=[7, 7], stochastic_depth_prob=0.0, **REDUCED)
    published.write("encoder_swin_torchvision", net, (1, 102, 135, 3), torchvision_maps)
    v2 = {"block": swin_transformer.SwinTransformerBlockV2, "downsample_layer": swin_transformer.PatchMergingV2}
    net = torchvision.models.SwinTransformer([4, 4], window_size=[8, 8], stochastic_depth_prob=0.0, **v2, **REDUCED)
    published.write("encoder_swin_v2", net, (1, 102, 135, 3), torchvision_maps, without_tables)
    sys.path.insert(0, sys.argv[1])
    from geoseg.models import DCSwin as dc
    from geoseg.models import FTUNetFormer as ft

    chain(ft.SwinTransformer)
    net = ft.SwinTransformer(drop_path_rate=0.0, **REDUCED)
    published.write("encoder_swin_segmentation", net, (1, 102, 135, 3), lambda net, x: list(net(x)))
    # 5 x 8 at stride 32: rows are filled up by reflection to windows of 8; columns, PyTorch refuses
    net = ft.FTUNetFormer(decode_channels=32, **REDUCED)
    published.write("ft_unetformer", net, (1, 160, 256, 3), lambda net, x: [net(x)], from_geoseg, geoseg_special)
    # square: its attention takes height for width
    chain(dc.SwinTransformer)
    net = dc.DCSwin(encoder_channels=[CHANNELS << i for i in range(4)], frozen_stages=-1, **REDUCED)
    published.write("dcswin", net, (1, 96, 96, 3), lambda net, x: [net(x)], from_geoseg, geoseg_special)


if __name__ == "__main__":
    main()
