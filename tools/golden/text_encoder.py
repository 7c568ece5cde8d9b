# SPDX-License-Identifier: Apache-2.0
"""Writes tests/golden/text_encoder.safetensors: last hidden states of all-MiniLM-L6-v2 for some sentences, by
transformers' BertModel in float64 (needs minilm/ in .cache/data; pip install transformers tokenizers).

Keys: ids.I (I32 [n]), output.I (F32 [n, 384]) for the short ones, output.I.summary for all, with the name output.I."""

import json
import os

import numpy as np
import torch
from safetensors.torch import load_file
from tokenizers import BertWordPieceTokenizer
from transformers import BertConfig, BertModel

import common

SENTENCES = [
    "Water.",
    "Humid continental forest with farms and lakes, seen from above.",
    "Hot desert: bare sand, gravel plains and rock; oases, wadis and irrigated circles stand out,"
    " dark green on pale soil.",
    " ".join(["Dense evergreen rainforest, brown rivers, clearings and plantations, villages along the roads;"] * 5),
]
IN_FULL = 2
MAX_TOKENS = 64


def main():
    common.start()
    folder = os.path.join(common.ROOT, ".cache", "data", "minilm")
    config = BertConfig(
        vocab_size=30522, hidden_size=384, num_hidden_layers=6, num_attention_heads=12, intermediate_size=1536,
        max_position_embeddings=512, type_vocab_size=2, layer_norm_eps=1e-12, hidden_act="gelu",
    )  # fmt: skip
    model = BertModel(config, add_pooling_layer=False)
    weights = load_file(os.path.join(folder, "model.safetensors"))
    missing, unexpected = model.load_state_dict(weights, strict=False)
    assert not missing and all("pooler" in k or "position_ids" in k for k in unexpected), (missing, unexpected)
    model = model.double().eval()
    tokenizer = BertWordPieceTokenizer(os.path.join(folder, "vocab.txt"), lowercase=True)
    tokenizer.enable_truncation(MAX_TOKENS)
    tensors = {}
    for i, sentence in enumerate(SENTENCES):
        ids = tokenizer.encode(sentence).ids
        with torch.no_grad():
            features = model(torch.tensor([ids])).last_hidden_state[0]
        tensors[f"ids.{i}"] = np.array(ids, np.int32)
        if i < IN_FULL:
            tensors[f"output.{i}"] = features.float().numpy()
        tensors[f"output.{i}.summary"] = common.summary(f"output.{i}", features, 8)
        print(len(ids), sentence[:60])
    common.write("text_encoder.safetensors", tensors, {"sentences": SENTENCES})


if __name__ == "__main__":
    main()
