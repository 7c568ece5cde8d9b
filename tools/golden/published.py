# SPDX-License-Identifier: Apache-2.0
"""Golden values of networks that others publish: the public package, run with parameters made by the random numbers.

    net = timm.create_model(...)                       # reduced depth, odd size
    published.write("encoder_x", net, image_shape, run)

`run(net, image)` takes [1, C, H, W] and returns a list of outputs [1, C, h, w]. The file has for each output k its summary
(8 projections) and its first 64 values, and for each parameter the summary of its gradient (2 projections) under
loss = sum over k of cross-entropy(output k, labels k); all in float64. src side: tests/harness/golden_published.h."""

import copy
import math
import os

import numpy as np
import torch
import torch.nn.functional as F
from torch.utils._python_dispatch import TorchDispatchMode

import common

MOST_LABELS = 200  # labels are bytes
DRAWS, TRIED, MOST_LOST = 24, 8, 5e-5  # of images


def value(name, shape, norm):
    """A parameter by its name: the rule is the same in golden_published.h. norm: a vector that scales (weight of a norm)."""
    draw = common.normal(name, shape).astype(np.float64)
    if name.endswith("running_var"):
        return 1.0 + 0.2 * np.abs(draw)
    if len(shape) >= 2 and not norm:
        return draw / math.sqrt(np.prod(shape[1:]))
    return (1.0 if norm else 0.0) + 0.1 * draw


def is_norm(name, shape):
    return name.endswith(".weight") and len(shape) == 1


def fill(net, rename=lambda name: name, special=lambda name, shape: None):
    """All floating-point entries of the state; rename gives our name of an entry (None: it stays as it is); special a value
    that is not made by the rule. A linear layer's weight in another layout must be handled by special."""
    state = net.state_dict()
    for key, tensor in state.items():
        name = rename(key)
        if name is None or not torch.is_floating_point(tensor):
            continue
        shape = tuple(tensor.shape)
        made = special(name, shape)
        if made is None:
            made = value(name, shape, is_norm(name, shape))
        tensor.copy_(torch.from_numpy(np.asarray(made).astype(np.float32)).reshape(shape))


def image(shape, draw=0):
    """[1, H, W, C] normal."""
    return common.normal(image_name(draw), shape)


def image_name(draw):
    return f"input.image.{draw}" if draw else "input.image"


class Kinks(TorchDispatchMode):
    """How near the bend of an activation any value comes, as a part of the values' deviation."""

    bends = {"relu": (0.0,), "relu_": (0.0,), "hardtanh": (0.0, 6.0), "hardtanh_": (0.0, 6.0)}
    nearest = math.inf

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        for bend in self.bends.get(func.overloadpacket.__name__, ()):
            self.nearest = min(self.nearest, (args[0] - bend).abs().min().item() / args[0].std().item())
        return func(*args, **(kwargs or {}))


def kink_distance(net, x, run):
    """Where rounding takes a value to the other side of a bend gradients jump. Infinite in a network without bends."""
    net = copy.deepcopy(net).double().train()
    without_dropout(net)
    with torch.no_grad(), Kinks() as kinks:
        run(net, torch.from_numpy(x).double().permute(0, 3, 1, 2).contiguous())
    return kinks.nearest


def choose_draw(net, shape, run):
    """The draw of an image that keeps farthest from bends, of those whose gradients lose little in single precision."""
    distances = []
    for draw in range(DRAWS):
        distances.append(kink_distance(net, image(shape, draw), run))
        if math.isinf(distances[-1]):
            return draw
    best, least = 0, math.inf
    for draw in sorted(range(DRAWS), key=distances.__getitem__, reverse=True)[:TRIED]:
        x = image(shape, draw)
        lost = gradient_deviation(evaluate(net, x, run, torch.float64)[1], evaluate(net, x, run, torch.float32)[1])
        if lost < least:
            best, least = draw, lost
        if lost < MOST_LOST:
            break
    return best


def labels(k, shape, classes):
    """[1, h, w] class indexes of output k."""
    return common.below(f"input.labels.{k}", shape, min(classes, MOST_LABELS))


def without_dropout(net):
    for module in net.modules():
        if isinstance(module, (torch.nn.Dropout, torch.nn.Dropout2d)) or type(module).__name__ == "DropPath":
            module.eval()


def evaluate(net, x, run, dtype):
    """Outputs of the network in evaluation, and gradients of the loss in training, as NHWC arrays and {key: gradient}."""
    net = copy.deepcopy(net).to(dtype).eval()
    x = torch.from_numpy(x).to(dtype).permute(0, 3, 1, 2).contiguous()
    with torch.no_grad():
        outputs = [o.clone() for o in run(net, x)]
    net.train()
    without_dropout(net)
    loss = 0.0
    for k, o in enumerate(run(net, x)):
        target = labels(k, (1, o.shape[2], o.shape[3]), o.shape[1])
        loss = loss + F.cross_entropy(o, torch.from_numpy(target))
    loss.backward()
    gradients = {key: p.grad for key, p in net.named_parameters() if p.grad is not None}
    return [common.nhwc(o) for o in outputs], gradients


def largest_of(gradients):
    return max(g.abs().max().item() for g in gradients.values())


def gradient_deviation(slopes, single):
    """Gradients that are nothing but rounding are measured by the largest of all."""
    floor = 1e-3 * largest_of(slopes)
    return max((g - single[key].double()).abs().max().item() / max(g.abs().max().item(), floor) for key, g in slopes.items())


def deviation(a, b):
    return ((a.double() - b.double()).abs().max() / a.double().abs().max()).item()


def write(path, net, shape, run, rename=lambda name: name, special=lambda name, shape: None, gradients=True, **config):
    """tests/golden/published/PATH.safetensors. shape: of the image, (1, H, W, C); the best of some draws of it for gradients.
    Returns what is written of the case beside its tensors."""
    common.start()
    fill(net, rename, special)
    draw = choose_draw(net, shape, run) if gradients else 0
    if draw:
        config["image"] = image_name(draw)
    x = image(shape, draw)
    outputs, slopes = evaluate(net, x, run, torch.float64)
    single, single_slopes = evaluate(net, x, run, torch.float32)
    tensors = {}
    for k, o in enumerate(outputs):
        tensors[f"output.{k}.summary"] = common.summary(f"output.{k}", o, 8)
        tensors[f"output.{k}.first"] = o.reshape(-1)[:64].clone()
        tensors[f"output.{k}.shape"] = np.asarray(o.shape, np.int32)
    for key, g in slopes.items():
        if gradients and rename(key) is not None:
            tensors[f"gradient.{rename(key)}"] = common.summary(f"gradient.{rename(key)}", g, 2)
    config = dict(
        config,
        height=shape[1],
        width=shape[2],
        bands=shape[3],
        outputs=len(outputs),
        largest_gradient=largest_of(slopes),
        float32_deviation=max(deviation(a, b) for a, b in zip(outputs, single)),
        float32_gradient_deviation=gradient_deviation(slopes, single_slopes),
    )
    print({k: v for k, v in config.items() if k.startswith("float32")}, [tuple(o.shape) for o in outputs])
    file = f"{path}.safetensors" if os.path.isabs(path) else f"published/{path}.safetensors"
    common.write(file, tensors, {"config": config})
    return config
