# SPDX-License-Identifier: Apache-2.0
"""Writes tests/golden/published/mit.safetensors and segformer.safetensors: the maps of transformers' Mix Transformer at reduced depth,
and the scores of the head behind one. Needs transformers 5; its names in memory are not those of its files, which are ours."""

import re

import transformers
from transformers import SegformerConfig, SegformerForSemanticSegmentation, SegformerModel

import published

SIZES = {"depths": [1, 2, 1, 1], "hidden_sizes": [16, 32, 40, 64], "drop_path_rate": 0.0, "decoder_hidden_size": 32}
FILES = [  # in memory, in files
    (r"stages\.(\d+)\.patch_embeddings\.", r"patch_embeddings.\1."),
    (r"stages\.(\d+)\.blocks\.", r"block.\1."),
    (r"stages\.(\d+)\.layer_norm\.", r"layer_norm.\1."),
    (r"attention\.q_proj", "attention.self.query"),
    (r"attention\.k_proj", "attention.self.key"),
    (r"attention\.v_proj", "attention.self.value"),
    (r"attention\.sequence_reduction\.sequence_reduction", "attention.self.sr"),
    (r"attention\.sequence_reduction\.layer_norm", "attention.self.layer_norm"),
    (r"attention\.o_proj", "attention.output.dense"),
    (r"mlp\.fc1", "mlp.dense1"),
    (r"mlp\.fc2", "mlp.dense2"),
    (r"layernorm_before", "layer_norm_1"),
    (r"layernorm_after", "layer_norm_2"),
    (r"linear_projections", "linear_c"),
    (r"^segformer\.", "encoder."),
    (r"^decode_head\.", "decoder."),
]


def rename(name):
    for pattern, ours in FILES:
        name = re.sub(pattern, ours, name)
    return name


def maps(net, x):
    return list(net(x, output_hidden_states=True).hidden_states)


def main():
    version = transformers.__version__
    published.write("mit", SegformerModel(SegformerConfig(**SIZES)), (1, 101, 75, 3), maps, rename, transformers=version)
    net = SegformerForSemanticSegmentation(SegformerConfig(**SIZES, num_labels=5))
    published.write("segformer", net, (1, 64, 96, 3), lambda net, x: [net(x).logits], rename, transformers=version)


if __name__ == "__main__":
    main()
