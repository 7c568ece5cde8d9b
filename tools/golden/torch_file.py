# SPDX-License-Identifier: Apache-2.0
"""Writes tests/golden/torch_zip.pth and torch_legacy.pth: one small state dictionary in both formats of torch.save; and
torch_script.pt: a program of torch.jit.save with some of these tensors in its modules. torch_lightning.ckpt is a checkpoint of
Lightning's Trainer, torch_strangers.pth and torch_strangers_legacy.pth are dictionaries with objects of many classes beside the
tensors; torch_module.pth, torch_quantised.pth, torch_optimizer.pth and torch_two.pth are what people give by mistake.

Element i of each tensor, in row-major order of its shape, is i plus the tensor's offset below. The legacy format names
storages by address: its bytes change from run to run, its content does not."""

import argparse
import collections
import datetime
import decimal
import enum
import functools
import io
import os
import pathlib
import tempfile
import zipfile

import lightning
import numpy
import omegaconf
import torch

import common


def count(shape, offset, dtype=torch.float32):
    n = int(torch.tensor(shape).prod()) if shape else 1
    return (torch.arange(n) + offset).reshape(shape).to(dtype)


def state():
    strided = torch.empty_strided((4, 2, 3), (1, 12, 4)).copy_(count((4, 2, 3), 10))
    shared = count((4, 4), 0)
    out = collections.OrderedDict()
    out["contiguous"] = count((2, 3), 1)
    out["strided"] = strided
    out["half"] = count((5,), -2, torch.float16)
    out["brain"] = count((4,), 3, torch.bfloat16)
    out["double"] = count((3,), 7, torch.float64)
    out["long"] = count((2,), 40, torch.int64)
    out["scalar"] = count((), 9)
    out["empty"] = torch.zeros(0, 3)
    out["slice"] = shared[2:]  # offset 8 in its storage
    out["parameter"] = torch.nn.Parameter(count((2, 2), 5))
    out._metadata = collections.OrderedDict({"": {"version": 1}})
    return out


class Inner(torch.nn.Module):
    def __init__(self):
        super().__init__()
        for name, key in (("contiguous", "contiguous"), ("f16", "half"), ("long", "long")):
            self.register_buffer(name, state()[key])

    def forward(self, x):
        return x


class Outer(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.inner, self.rate = Inner(), 0.5
        self.parameter = torch.nn.Parameter(count((2, 2), 5))

    def forward(self, x):
        return self.inner(x) * self.rate


def write_script(path):
    """Without the members that name source files of this machine."""
    program = io.BytesIO()
    torch.jit.save(torch.jit.script(Outer()), program)
    with zipfile.ZipFile(program) as whole, zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as out:
        for name in whole.namelist():
            if not name.endswith(".debug_pkl"):
                out.writestr(zipfile.ZipInfo(name), whole.read(name))


class Network(torch.nn.Module):
    """What the files below hold: net.weight 1 to 6, net.bias, a mask, a parameter with attributes."""

    def __init__(self):
        super().__init__()
        self.net = torch.nn.Linear(3, 2)
        self.net.weight.data = count((2, 3), 1)
        self.net.weight.is_shared = True
        self.net.bias.data = count((2,), 7)
        self.net.register_buffer("mask", torch.tensor([True, False]))
        self.net.scale = torch.nn.Parameter(count((1,), 9))

    def forward(self, x):
        return self.net(x) * self.net.scale


class Choice(enum.Enum):
    FIRST = "first"


class Settings(dict):
    """A class of the training code, with attributes and items."""

    def __init__(self):
        super().__init__(rate=0.1)
        self.note = ("of its own", Choice.FIRST)


class Task(lightning.LightningModule):
    def __init__(self, arch, options, config, folder, build, settings):
        super().__init__()
        self.save_hyperparameters()
        self.net = Network().net

    def forward(self, x):
        return self.net(x) * self.net.scale

    def training_step(self, batch, index):
        return self(batch).sum() * 0

    def configure_optimizers(self):
        return torch.optim.AdamW(self.parameters(), lr=0.0, weight_decay=0.0)


def strangers():
    recursive = ([],)
    recursive[0].append(recursive)
    many = collections.defaultdict(list, {"a": [1]})
    config = omegaconf.OmegaConf.create({"model": {"width": 64, "layers": [1, 2]}})
    return {"args": argparse.Namespace(arch="unet", layers=[1, 2]), "config": config, "path": pathlib.PurePosixPath("runs/1"),
            "build": functools.partial(Inner), "settings": Settings(), "choice": Choice.FIRST,
            "set": {1, 2}, "frozen": frozenset((3,)), "bytes": b"a\0b", "when": datetime.datetime(2026, 1, 2), "many": many,
            "scalar": numpy.float64(0.5), "array": numpy.arange(3), "device": torch.device("cpu"), "dtype": torch.float16,
            "size": torch.Size((1, 2)), "decimal": decimal.Decimal("0.1"), "complex": 1 + 2j, "range": range(3), "recursive": recursive,
            "class": Settings, "long": 1 << 70, "nul": "a\0b"}


def write_lightning(path):
    task = Task("unet", argparse.Namespace(arch="unet"), omegaconf.OmegaConf.create({"width": 64}), pathlib.PurePosixPath("x"),
                functools.partial(Inner), Settings())
    with tempfile.TemporaryDirectory() as folder:
        trainer = lightning.Trainer(max_steps=1, accelerator="cpu", logger=False, enable_checkpointing=False, enable_progress_bar=False,
                                    enable_model_summary=False, default_root_dir=folder)
        trainer.fit(task, torch.utils.data.DataLoader(torch.zeros(2, 3)))
        trainer.save_checkpoint(path)


def write_legacy(value, path):
    """The format has the source of each class of modules; without where it lies on this machine."""
    content = io.BytesIO()
    torch.save(value, content, _use_new_zipfile_serialization=False)
    root = common.ROOT.encode()
    pathlib.Path(path).write_bytes(content.getvalue().replace(root, b"/" + b"x" * (len(root) - 1)))


def write_mistakes(folder):
    network = Network()
    torch.save(network, os.path.join(folder, "torch_module.pth"))
    layer = torch.quantize_per_tensor(count((2, 2), 1), 0.5, 0, torch.qint8)
    torch.save({"layer.weight": layer, "layer.scale": torch.tensor(0.5)}, os.path.join(folder, "torch_quantised.pth"))
    optimizer = torch.optim.AdamW(network.parameters())
    network(torch.zeros(1, 3)).sum().backward()
    optimizer.step()
    torch.save(optimizer.state_dict(), os.path.join(folder, "torch_optimizer.pth"))
    two = {"generator": {"a": torch.ones(1)}, "critic": {"b": torch.ones(1)}}
    torch.save(two, os.path.join(folder, "torch_two.pth"))


def main():
    common.start()
    write_lightning(os.path.join(common.OUT, "torch_lightning.ckpt"))
    beside = {"state_dict": Network().state_dict(keep_vars=True), **strangers()}
    torch.save(beside, os.path.join(common.OUT, "torch_strangers.pth"))
    write_legacy(beside, os.path.join(common.OUT, "torch_strangers_legacy.pth"))
    write_mistakes(common.OUT)
    nested = {"epoch": 3, "state_dict": state(), "note": "nested", "rate": 0.5}
    torch.save(nested, os.path.join(common.OUT, "torch_zip.pth"))
    torch.save(state(), os.path.join(common.OUT, "torch_legacy.pth"), _use_new_zipfile_serialization=False)
    write_script(os.path.join(common.OUT, "torch_script.pt"))


if __name__ == "__main__":
    main()
