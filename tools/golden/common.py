# SPDX-License-Identifier: Apache-2.0
"""What the golden scripts share: random tensors by name, projections, summaries, files.

The formats are in tools/twin/README.md."""

import json
import os
import struct
import sys

import numpy as np
import torch

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tools", "twin"))

import rng  # noqa: E402

SEED = 7
OUT = os.path.join(ROOT, "tests", "golden")


def start():
    """One thread, deterministic kernels: the same bytes every time."""
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)


def normal(name, shape):
    return rng.normal_tensor(SEED, rng.TEST, name, shape)


def uniform(name, shape):
    return rng.uniform_tensor(SEED, rng.TEST, name, shape)


def below(name, shape, n):
    count = int(np.prod(shape, dtype=np.int64))
    return rng.below(SEED, rng.TEST, rng.name_step(name), np.arange(count), n).reshape(shape)


def summary(name, x, projections):
    """[sum, sum|x|, max|x|, first 8, projections] of a tensor, float64."""
    x = np.ascontiguousarray(x.detach().numpy() if torch.is_tensor(x) else x).astype(np.float64).ravel()
    first = np.zeros(8)
    first[: min(8, x.size)] = x[:8]
    step, index = rng.name_step(name), np.arange(x.size)
    rows = [float(x @ rng.normal(1000 + j, rng.TEST, step, index).astype(np.float64)) for j in range(projections)]
    return np.concatenate([[x.sum(), np.abs(x).sum(), np.abs(x).max()], first, rows])


def nhwc(x):
    """[B, C, H, W] -> [B, H, W, C]."""
    return x.permute(0, 2, 3, 1)


DTYPES = {"float64": "F64", "float32": "F32", "int32": "I32", "uint8": "U8"}


def write(path, tensors, metadata):
    """A safetensors file, in an order of its own: the library's writer shuffles the metadata."""
    path = os.path.join(OUT, path)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    arrays = {k: np.ascontiguousarray(v.detach().numpy() if torch.is_tensor(v) else v) for k, v in tensors.items()}
    order = sorted(arrays, key=lambda k: (-arrays[k].itemsize, k))  # keeps every tensor aligned to its size
    header, at = {"__metadata__": {}}, 0
    for k in sorted(metadata):
        v = metadata[k]
        header["__metadata__"][k] = v if isinstance(v, str) else json.dumps(v, sort_keys=True)
    for k in order:
        a = arrays[k]
        header[k] = {"dtype": DTYPES[a.dtype.name], "shape": list(a.shape), "data_offsets": [at, at + a.nbytes]}
        at += a.nbytes
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as f:
        f.write(struct.pack("<Q", len(text)) + text)
        for k in order:
            f.write(arrays[k].tobytes())
    print(f"{os.path.relpath(path, ROOT)}: {os.path.getsize(path)} bytes, {len(arrays)} tensors")
