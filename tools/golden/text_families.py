# SPDX-License-Identifier: Apache-2.0
"""Writes tests/golden/published/text_FAMILY.safetensors: last hidden states of small text encoders by `transformers` in float64,
with parameters made by the random numbers as in published.py (an embedding as any matrix), at several lengths (pip install
transformers open_clip_torch). CLIP's are compared with open_clip's own text encoder first, under the same weights.

Keys: ids.I (I32 [n]), output.I.summary with the name output.I, output.I.first (64 values). Metadata: config, the sizes."""

import numpy as np
import torch
from open_clip.transformer import TextTransformer
from transformers import BertConfig, BertModel, CLIPTextConfig, CLIPTextModel

import common
import published

LENGTHS = {"bert": [1, 2, 17, 33, 64], "clip": [1, 2, 16, 33, 77]}
VOCABULARY = 600


def fill(net):
    for name, tensor in net.state_dict().items():
        if torch.is_floating_point(tensor):
            norm = name.endswith(".weight") and tensor.ndim == 1
            tensor.copy_(torch.from_numpy(published.value(name, tuple(tensor.shape), norm).astype(np.float32)))


def bert():
    config = BertConfig(vocab_size=VOCABULARY, hidden_size=128, num_hidden_layers=2, num_attention_heads=2, intermediate_size=320,
                        max_position_embeddings=80, type_vocab_size=2, layer_norm_eps=1e-12, hidden_act="gelu")  # fmt: skip
    return BertModel(config, add_pooling_layer=False), config


def clip(activation):
    config = CLIPTextConfig(vocab_size=VOCABULARY, hidden_size=128, num_hidden_layers=2, num_attention_heads=2,
                            intermediate_size=512, max_position_embeddings=77, layer_norm_eps=1e-5, hidden_act=activation,
                            bos_token_id=VOCABULARY - 2, eos_token_id=VOCABULARY - 1)  # fmt: skip
    return CLIPTextModel(config), config


def open_clip_state(state):
    """The weights under the names of OpenAI and open_clip."""
    out = {"token_embedding.weight": state["embeddings.token_embedding.weight"],
           "positional_embedding": state["embeddings.position_embedding.weight"],
           "ln_final.weight": state["final_layer_norm.weight"], "ln_final.bias": state["final_layer_norm.bias"]}
    for i in range(2):
        ours, theirs = f"encoder.layers.{i}.", f"transformer.resblocks.{i}."
        for kind in ("weight", "bias"):
            for a, b in (("layer_norm1", "ln_1"), ("layer_norm2", "ln_2"), ("mlp.fc1", "mlp.c_fc"), ("mlp.fc2", "mlp.c_proj"),
                         ("self_attn.out_proj", "attn.out_proj")):
                out[f"{theirs}{b}.{kind}"] = state[f"{ours}{a}.{kind}"]
            out[f"{theirs}attn.in_proj_{kind}"] = torch.cat([state[f"{ours}self_attn.{p}_proj.{kind}"] for p in "qkv"])
    return out


def open_clip_hidden(state, ids, quick):
    """Hidden states behind ln_final of open_clip's text encoder."""
    from open_clip.transformer import QuickGELU

    net = TextTransformer(context_length=77, vocab_size=VOCABULARY, width=128, heads=2, layers=2, output_dim=None,
                          act_layer=QuickGELU if quick else torch.nn.GELU, output_tokens=True, pool_type="last")
    missing, unexpected = net.load_state_dict(open_clip_state(state), strict=False)
    assert not unexpected and set(missing) <= {"attn_mask", "text_projection"}, (missing, unexpected)
    net = net.double().eval()
    with torch.no_grad():
        x = net.token_embedding(ids) + net.positional_embedding[: ids.shape[1]]
        mask = net.attn_mask[: ids.shape[1], : ids.shape[1]].double()
        return net.ln_final(net.transformer(x, attn_mask=mask))[0]


def write(family, net, config, lengths):
    fill(net)
    state = net.state_dict()
    net = net.double().eval()
    tensors = {}
    for i, n in enumerate(lengths):
        ids = common.below(f"input.ids.{i}", (1, n), VOCABULARY - 2)
        if family != "bert":
            ids[0, n - 1] = VOCABULARY - 1
        with torch.no_grad():
            features = net(input_ids=torch.from_numpy(ids.astype(np.int64))).last_hidden_state[0]
        if family != "bert":
            other = open_clip_hidden(state, torch.from_numpy(ids.astype(np.int64)), config.hidden_act == "quick_gelu")
            worst = ((other - features).abs().max() / features.abs().max()).item()
            print(f"{family}, {n} tokens: open_clip differs by {worst:.1e}")
            assert worst < 1e-6
        tensors[f"ids.{i}"] = ids[0].astype(np.int32)
        tensors[f"output.{i}.summary"] = common.summary(f"output.{i}", features, 8)
        tensors[f"output.{i}.first"] = features.double().numpy().ravel()[:64].copy()
    sizes = {"vocabulary": VOCABULARY, "width": config.hidden_size, "layers": config.num_hidden_layers,
             "heads": config.num_attention_heads, "hidden": config.intermediate_size, "positions": config.max_position_embeddings}
    common.write(f"published/text_{family}.safetensors", tensors, {"config": sizes})


def main():
    common.start()
    write("bert", *bert(), LENGTHS["bert"])
    write("clip", *clip("gelu"), LENGTHS["clip"])
    write("clip_quickgelu", *clip("quick_gelu"), LENGTHS["clip"])


if __name__ == "__main__":
    main()
