# SPDX-License-Identifier: Apache-2.0
"""Writes tests/golden/published/upernet_auxiliary.safetensors: UPerNet of transformers behind a small ConvNeXt, scores and those of
its auxiliary head at the image's size, and the gradients that both give together. Needs transformers."""

import re

import torch.nn.functional as F
import transformers
from transformers import ConvNextConfig, UperNetConfig, UperNetForSemanticSegmentation

import published

WORDS = [  # theirs, ours; in this order
    (r"^backbone\.hidden_states_norms\.stage(\d)\.", lambda m: f"decoder.feature_norms.{int(m[1]) - 1}."),
    (r"^backbone\.embeddings\.patch_embeddings\.", "encoder.stem.0."),
    (r"^backbone\.embeddings\.layernorm\.", "encoder.stem.1."),
    (r"^backbone\.encoder\.stages\.", "encoder.stages."),
    (r"\.downsampling_layer\.", ".downsample."),
    (r"\.layers\.", ".blocks."),
    (r"\.dwconv\.", ".conv_dw."),
    (r"\.layernorm\.", ".norm."),
    (r"\.pwconv(\d)\.", r".mlp.fc\1."),
    (r"\.layer_scale_parameter$", ".gamma"),
    (r"^decode_head\.psp_modules\.", "decoder.psp.blocks."),
    (r"^decode_head\.bottleneck\.", "decoder.psp.out_conv."),
    (r"^decode_head\.lateral_convs\.(\d)\.", lambda m: f"decoder.fpn_lateral_blocks.{2 - int(m[1])}.conv_norm_relu."),
    (r"^decode_head\.fpn_convs\.(\d)\.", lambda m: f"decoder.fpn_conv_blocks.{2 - int(m[1])}."),
    (r"^decode_head\.fpn_bottleneck\.", "decoder.fusion_block."),
    (r"^decode_head\.classifier\.", "decoder.segmentation_head.0."),
    (r"^auxiliary_head\.", "decoder.aux_head."),
    (r"\.conv\.", ".0."),
    (r"\.batch_norm\.", ".1."),
]


def rename(name):
    for pattern, ours in WORDS:
        name = re.sub(pattern, ours, name)
    return name


class Network(UperNetForSemanticSegmentation):
    def train(self, mode=True):
        """BatchNorm of one pooled value needs its stored statistics."""
        return super().train(False)


def scores(net, x):
    maps = net.backbone(x).feature_maps
    auxiliary = F.interpolate(net.auxiliary_head(maps), size=x.shape[2:], mode="bilinear", align_corners=False)
    return [net.decode_head(maps), auxiliary]


def main():
    stages = ["stage1", "stage2", "stage3", "stage4"]
    backbone = ConvNextConfig(out_features=stages, hidden_sizes=[16, 32, 64, 128], depths=[1, 1, 1, 1], drop_path_rate=0.0)
    config = UperNetConfig(backbone_config=backbone, hidden_size=32, auxiliary_channels=16, num_labels=5)
    published.write("upernet_auxiliary", Network(config), (1, 64, 96, 3), scores, rename, transformers=transformers.__version__)


if __name__ == "__main__":
    main()
