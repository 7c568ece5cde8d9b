# SPDX-License-Identifier: Apache-2.0
"""Writes tests/golden/published/encoder_vit_*.safetensors: timm's vision transformers of DINOv2 and DINOv3 at reduced depth, on
maps of another size than their positions', under a simple feature pyramid written from its paper (Li et al. 2022) with the
names of detectron2. And names_vit_*: small checkpoints as timm, Meta and transformers write them (*.weights.*), with the maps
that their code makes of them.

    python tools/golden/vit.py DINOV3 DINOV2      checkouts of github.com/facebookresearch/dinov3 and dinov2

vit_positions.safetensors: learned positions of small DINOv2s for maps of 4 x 4 as each package brings them to other maps.
"""

import math
import os
import shutil
import sys
import tempfile

import numpy as np
import timm
import torch
import torch.nn.functional as F
from torch import nn

import common
import published

WIDTH, MAPS = 32, 16
SMALL, DEPTH = 8, 2  # of the checkpoints
REDUCED = {"embed_dim": WIDTH, "depth": 2, "num_heads": 2, "num_classes": 0, "dynamic_img_size": True}
IMAGE = (1, 96, 160, 3)


class ChannelNorm(nn.LayerNorm):
    def __init__(self, channels):
        super().__init__(channels, eps=1e-6)

    def forward(self, x):
        return super().forward(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


class ConvNorm(nn.Conv2d):
    def __init__(self, channels, kernel):
        super().__init__(channels, MAPS, kernel, padding=kernel // 2, bias=False)
        self.norm = ChannelNorm(MAPS)

    def forward(self, x):
        return self.norm(super().forward(x))


def level(scale, width):
    if scale == 4:
        parts = [nn.ConvTranspose2d(width, width // 2, 2, 2), ChannelNorm(width // 2), nn.GELU()]
        parts.append(nn.ConvTranspose2d(width // 2, width // 4, 2, 2))
        channels = width // 4
    elif scale == 2:
        parts, channels = [nn.ConvTranspose2d(width, width // 2, 2, 2)], width // 2
    else:
        parts, channels = [] if scale == 1 else [nn.MaxPool2d(2, 2)], width
    return nn.Sequential(*parts, ConvNorm(channels, 1), ConvNorm(MAPS, 3))


def timm_tokens(net, x):
    return net.forward_features(x)[:, net.num_prefix_tokens :]


def our_name(key):
    return key.split(".", 1)[1]


class Encoder(nn.Module):
    """patch_tokens(backbone, image) gives [1, h w, width]."""

    def __init__(self, backbone, patch, width=WIDTH, patch_tokens=None):
        super().__init__()
        self.backbone, self.patch, self.patch_tokens = backbone, patch, patch_tokens or timm_tokens
        self.pyramid = nn.ModuleDict({f"simfp_{int(math.log2(16 / s))}": level(s, width) for s in (4, 2, 1, 0.5)})

    def forward(self, x):
        h, w = x.shape[2] // 16, x.shape[3] // 16
        if self.patch != 16:
            x = F.interpolate(x, (h * self.patch, w * self.patch), mode="bilinear")
        tokens = self.patch_tokens(self.backbone, x)
        x = tokens.transpose(1, 2).reshape(len(tokens), -1, h, w)
        return [net(x) for net in self.pyramid.values()]


def draw(state):
    """Values by name, as they stand in half precision."""
    for key, value in state.items():
        made = published.value(key, tuple(value.shape), published.is_norm(key, tuple(value.shape)))
        yield key, torch.from_numpy(made.astype(np.float16).astype(np.float32)).reshape(value.shape)


def write_checkpoint(name, state, folder=None):
    """folder: of a model saved by transformers, whose file is the checkpoint."""
    path = os.path.join(common.OUT, "published", f"names_vit_{name}.weights." + ("safetensors" if folder else "pth"))
    if folder:
        shutil.copy(os.path.join(folder, "model.safetensors"), path)
    else:
        torch.save({key: value.half() for key, value in state.items()}, path)
    print(os.path.basename(path), os.path.getsize(path), "bytes")


def write_names(name, backbone, patch, patch_tokens=timm_tokens):
    """The maps of a network that has its values, on the map that its positions are for."""
    net = Encoder(backbone, patch, SMALL, patch_tokens)
    published.write(
        f"names_vit_{name}", net, (1, 64, 64, 3), lambda net, x: net(x),
        lambda key: our_name(key) if key.startswith("pyramid") else None, gradients=False,
    )  # fmt: skip


def timm_names():
    small = {"embed_dim": SMALL, "depth": DEPTH, "num_heads": 2, "num_classes": 0, "dynamic_img_size": True}
    net = timm.create_model("vit_small_patch16_dinov3", img_size=64, **small)
    state = dict(draw(net.state_dict()))
    net.load_state_dict(state)
    write_checkpoint("timm_dinov3", state)
    write_names("timm_dinov3", net, 16)
    # Meta's DINOv2 with registers, read by timm's own conversion
    from timm.models.vision_transformer import _convert_dinov2

    net = timm.create_model("vit_small_patch14_reg4_dinov2", img_size=56, **small)
    shapes = net.state_dict()
    shapes["register_tokens"] = shapes.pop("reg_token")
    shapes["pos_embed"] = torch.zeros(1, 17, SMALL)
    shapes["mask_token"] = torch.zeros(1, SMALL)
    state = dict(draw(shapes))
    net.load_state_dict(_convert_dinov2(dict(state), net))
    write_checkpoint("meta_dinov2_reg4", state)
    write_names("meta_dinov2_reg4", net, 14)


def transformers_names():
    import transformers

    small = {"hidden_size": SMALL, "num_hidden_layers": DEPTH, "num_attention_heads": 2}
    v2, v3 = {**small, "patch_size": 14, "image_size": 56}, {**small, "intermediate_size": 4 * SMALL, "num_register_tokens": 4}
    for name, kind, arguments, patch, others in (
        ("dinov2", "Dinov2", v2, 14, 1),
        ("dinov2_reg4", "Dinov2WithRegisters", v2, 14, 5),
        ("dinov3", "DINOv3ViT", v3, 16, 5),
    ):
        net = getattr(transformers, f"{kind}Model")(getattr(transformers, f"{kind}Config")(**arguments))
        state = dict(draw(net.state_dict()))
        net.load_state_dict(state)
        with tempfile.TemporaryDirectory() as folder:
            net.half().save_pretrained(folder)
            write_checkpoint(f"transformers_{name}", None, folder)
        net.float()
        if name != "dinov2_reg4":
            write_checkpoint(f"modules_{name}", state)
        write_names(
            f"transformers_{name}", net, patch, lambda net, x, others=others: net(x).last_hidden_state[:, others:]
        )


def meta_names(path):
    sys.path.insert(0, path)
    from dinov3.models.vision_transformer import DinoVisionTransformer

    net = DinoVisionTransformer(
        patch_size=16, embed_dim=SMALL, depth=DEPTH, num_heads=2, n_storage_tokens=4, layerscale_init=1.0, mask_k_bias=True,
        norm_layer="layernormbf16", pos_embed_rope_dtype="fp32",
    )  # fmt: skip
    net.init_weights()
    fixed = {k: v for k, v in net.state_dict().items() if k.endswith("bias_mask") or k.endswith("periods")}
    state = {**dict(draw(net.state_dict())), **fixed}
    net.load_state_dict(state)
    write_checkpoint("meta_dinov3", state)
    write_names("meta_dinov3", net, 16, lambda net, x: net.forward_features(x)["x_norm_patchtokens"])


def positions(path):
    """The positions that each package would give patches of another map, with the class token's where it has one."""
    import transformers

    sys.path.insert(0, path)
    from dinov2.models.vision_transformer import DinoVisionTransformer
    from timm.layers import resample_abs_pos_embed

    tensors = {}
    small = {"embed_dim": SMALL, "depth": DEPTH, "num_heads": 2, "num_classes": 0, "dynamic_img_size": True}
    published_small = {"hidden_size": SMALL, "num_hidden_layers": DEPTH, "num_attention_heads": 2, "patch_size": 14, "image_size": 56}
    timm_net = timm.create_model("vit_small_patch14_dinov2", img_size=56, **small)
    timm_state = dict(draw(timm_net.state_dict()))
    write_checkpoint("timm_dinov2", timm_state)
    write_checkpoint("meta_dinov2", {**timm_state, "mask_token": torch.zeros(1, SMALL)})
    for side in (7, 3, 4):
        tokens, image = torch.zeros(1, 1 + side * side, SMALL), (14 * side, 14 * side)
        tensors[f"timm.{side}"] = resample_abs_pos_embed(timm_state["pos_embed"], [side, side])
        for name, offset, antialias in (("meta", 0.1, False), ("meta_reg4", 0.0, True)):  # dinov2/hub/backbones.py
            net = DinoVisionTransformer(img_size=56, patch_size=14, embed_dim=SMALL, depth=DEPTH, num_heads=2, init_values=1.0,
                                        interpolate_offset=offset, interpolate_antialias=antialias)
            with torch.no_grad():
                net.pos_embed.copy_(timm_state["pos_embed"] if name == "meta" else torch.zeros(1, 17, SMALL))
            if name == "meta_reg4":
                state = dict(draw({"pos_embed": net.pos_embed}))
                with torch.no_grad():
                    net.pos_embed.copy_(state["pos_embed"])
            made = net.interpolate_pos_encoding(tokens, *image)
            tensors[f"{name}.{side}"] = made if name == "meta" else made[:, 1:]
        for name, kind in (("transformers", "Dinov2"), ("transformers_reg4", "Dinov2WithRegisters")):
            net = getattr(transformers, f"{kind}Model")(getattr(transformers, f"{kind}Config")(**published_small))
            net.load_state_dict(dict(draw(net.state_dict())))
            made = net.embeddings.interpolate_pos_encoding(tokens, *image)
            tensors[f"{name}.{side}"] = made if name == "transformers" else made[:, 1:]
    common.write("published/vit_positions.safetensors", {k: v.detach().float().contiguous() for k, v in tensors.items()}, {})


def main():
    if len(sys.argv) > 2:
        positions(sys.argv[2])
    for name, model, patch in (
        ("dinov2", "vit_small_patch14_dinov2", 14),
        ("dinov2_reg4", "vit_small_patch14_reg4_dinov2", 14),
        ("dinov3", "vit_small_patch16_dinov3_qkvb", 16),  # with the bias that Meta's and transformers' files have
    ):
        net = Encoder(timm.create_model(model, img_size=5 * patch, **REDUCED), patch)
        published.write(f"encoder_vit_{name}", net, IMAGE, lambda net, x: net(x), our_name)
    timm_names()
    transformers_names()
    meta_names(sys.argv[1])


if __name__ == "__main__":
    main()
