# SPDX-License-Identifier: Apache-2.0
"""Writes tests/golden/torch_zip.pth and torch_legacy.pth: one small state dictionary in both formats of torch.save; and
torch_script.pt: a program of torch.jit.save with some of these tensors in its modules.

Element i of each tensor, in row-major order of its shape, is i plus the tensor's offset below. The legacy format names
storages by address: its bytes change from run to run, its content does not."""

import collections
import io
import os
import zipfile

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


def main():
    common.start()
    nested = {"epoch": 3, "state_dict": state(), "note": "nested", "rate": 0.5}
    torch.save(nested, os.path.join(common.OUT, "torch_zip.pth"))
    torch.save(state(), os.path.join(common.OUT, "torch_legacy.pth"), _use_new_zipfile_serialization=False)
    write_script(os.path.join(common.OUT, "torch_script.pt"))


if __name__ == "__main__":
    main()
