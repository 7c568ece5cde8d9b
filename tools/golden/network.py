# SPDX-License-Identifier: Apache-2.0
"""Writes tests/golden/network.safetensors: the whole network with random parameters, forward,
every gradient, three AdamW steps, in float64. Formats and rules: tools/twin/README.md."""

import math

import numpy as np
import torch

import common
import model as twin

BATCH, SIZE, ZONES, LENGTH, CLASSES = 2, 256, 3, 12, 17
PROMPT_LENGTHS = ((12, 7, 9), (5, 12, 0))  # the last zone of the second image is absent
BEFORE_RELU6 = ("_bn0.bias", "_bn1.bias", ".1.bias")
ADAMW = {"lr": 1e-4, "beta1": 0.9, "beta2": 0.999, "eps": 1e-8, "weight_decay": 0.01}


def parameter_rule(name, shape):
    """(mean, std); the table in tools/twin/README.md.

    What a ReLU6 follows is centred on 3 and stays mostly between its kinks: with a standard normal there, a random
    network of this depth is chaotic: float32 differs from float64 by 1e-3 in the logits, 0.1 in the gradients."""
    if len(shape) == 4:
        return 0.0, 1.0 / math.sqrt(shape[1] * shape[2] * shape[3])
    if name == "text.null" or name.endswith("relative_position_bias_table"):
        return 0.0, 0.5
    if name.endswith("image_out.weight") or name.endswith("mlp.fc2.weight"):
        return 0.0, 0.02
    if len(shape) == 2:
        return 0.0, 1.0 / math.sqrt(shape[1])
    if name.endswith(".weights"):
        return 1.0, 0.2
    if name.endswith(".weight"):
        return 0.8, 0.1
    if name.endswith(BEFORE_RELU6) or (name.startswith("decoder.") and name.endswith(".fc1.bias")):
        return 3.0, 0.1
    return 0.0, 0.1  # biases and running means


def fill(net):
    """Parameters and running statistics as float32 values."""
    for name, t in net.state_dict().items():
        shape = tuple(t.shape)
        if name.endswith("num_batches_tracked"):
            continue
        if name.endswith("running_var"):
            value = 0.5 + common.uniform(name, shape).astype(np.float64)
        else:
            mean, std = parameter_rule(name, shape)
            value = mean + std * common.normal(name, shape).astype(np.float64)
        t.copy_(torch.from_numpy(value.astype(np.float32)))


def make_shares():
    """Zone shares [B, H/16, W/16, K + 1]: softmax of random numbers, some cells of one slot only, absent zones 0."""
    s = np.exp(2.0 * common.normal("input.share", (BATCH, SIZE // 16, SIZE // 16, ZONES + 1)).astype(np.float64))
    s[1, ..., ZONES - 1] = 0.0
    s[0, :4, :4, 1:] = 0.0
    s[1, :, :3, :ZONES] = 0.0
    return s / s.sum(-1, keepdims=True)


def log_share(shares):
    b, h, w, k = shares.shape
    return np.log(np.maximum(shares, 1e-4)).reshape(b, h * w, k).astype(np.float32)


def make_inputs():
    image = common.normal("input.image", (BATCH, SIZE, SIZE, 3))
    tokens = 0.5 * common.normal("input.tokens", (BATCH, ZONES, LENGTH, twin.TEXT_WIDTH))
    mask = np.zeros((BATCH, ZONES * LENGTH + twin.NULL_TOKENS), np.float32)
    for b, lengths in enumerate(PROMPT_LENGTHS):
        for k, n in enumerate(lengths):
            tokens[b, k, n:] = 0.0
            mask[b, k * LENGTH + n : (k + 1) * LENGTH] = -1e9
    shares = make_shares()
    half = shares.reshape(BATCH, SIZE // 32, 2, SIZE // 32, 2, ZONES + 1).mean((2, 4))
    blocks = common.below("input.labels", (BATCH, SIZE // 16, SIZE // 16), 18)
    blocks[(blocks == 17) | (blocks == 13)] = 255  # one class is absent
    labels = np.repeat(np.repeat(blocks, 16, 1), 16, 2).astype(np.uint8)
    return image, tokens.astype(np.float32), mask, log_share(shares), log_share(half), labels


def run_maps(net, inputs):
    """The forward pass with the maps before and after fusion; the same modules as MetaSegNet.forward."""
    image, tokens, mask, share16, share32 = inputs
    f4, f8, f16, f32 = net.encoder(image.permute(0, 3, 1, 2))
    memory, slot = net.text_memory(tokens, mask)
    g16 = net.fusion["s16"](f16, memory, share16[:, :, slot], mask)
    g32 = net.fusion["s32"](f32, memory, share32[:, :, slot], mask)
    logits, aux = net.decoder(f4, f8, g16, g32, True)
    return common.nhwc(logits), common.nhwc(aux), {"f16": f16, "f32": f32, "fused16": g16, "fused32": g32}


def text_free(net):
    """The network of `fusion: none` with the encoder and decoder of net."""
    free = twin.MetaSegNet(CLASSES, fusion="none", dropout=0.0).to(net.text.null.dtype)
    free.load_state_dict({k: v for k, v in net.state_dict().items() if not k.startswith(("text.", "fusion."))})
    return free.eval()


def null_inputs(inputs):
    """The same batch with the whole share on the null prompt."""
    image, tokens, mask, share16, share32 = inputs
    nothing = [torch.full_like(s, float(np.float32(math.log(1e-4)))) for s in (share16, share32)]
    for s in nothing:
        s[..., -1] = 0.0
    return image, tokens, mask, *nothing


def evaluate(dtype):
    """All results as a dictionary of tensors, and the network for the AdamW steps."""
    net = twin.MetaSegNet(CLASSES, dropout=0.0)
    fill(net)
    net = net.to(dtype)
    *arrays, labels = make_inputs()
    inputs = tuple(torch.from_numpy(a).to(dtype) for a in arrays)
    labels = torch.from_numpy(labels)
    out = {}
    net.eval()
    with torch.no_grad():
        out["inference_logits"] = net(*inputs)[0]
        out["null_logits"] = net(*null_inputs(inputs))[0]
        out["text_free_logits"] = text_free(net)(inputs[0])[0]
    net.train()
    inputs[0].requires_grad_(True)
    out["logits"], out["aux"], maps = run_maps(net, inputs)
    out.update({k: common.nhwc(v) for k, v in maps.items()})
    parts = (
        twin.cross_entropy(out["logits"], labels),
        twin.dice(out["logits"], labels),
        twin.cross_entropy(out["aux"], labels),
    )
    total = parts[0] + parts[1] + 0.4 * parts[2]
    total.backward()
    out["loss"] = torch.stack([total, *parts])
    out = {k: v.detach() for k, v in out.items()}
    grad = {name: p.grad.clone() for name, p in net.named_parameters()}
    grad["input.image"] = inputs[0].grad.clone()
    state = {k: v.clone() for k, v in net.state_dict().items() if "running_" in k}
    inputs[0].requires_grad_(False)
    return net, inputs, labels, out, grad, state


def adamw_losses(net, inputs, labels):
    """Loss before each of three steps, and after the third; from the state after evaluate()."""
    fill(net)
    decay = [p for p in net.parameters() if p.dim() >= 2]
    plain = [p for p in net.parameters() if p.dim() < 2]
    groups = [{"params": decay, "weight_decay": ADAMW["weight_decay"]}, {"params": plain, "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, lr=ADAMW["lr"], betas=(ADAMW["beta1"], ADAMW["beta2"]), eps=ADAMW["eps"])
    losses = []
    for step in range(4):
        logits, aux = net(*inputs)
        value = twin.loss(logits, aux, labels)
        losses.append(float(value.detach()))
        if step < 3:
            optimizer.zero_grad()
            value.backward()
            optimizer.step()
    return np.array(losses)


def deviations(a, b, skip=()):
    """max|a - b| / max|b| of each tensor."""
    return {
        k: ((a[k].double() - b[k]).abs().max() / b[k].abs().max().clamp(min=1e-300)).item() for k in b if k not in skip
    }


def one_step(name, net, loss):
    """Writes results and gradients of a network without text, as in network.safetensors. net(image) -> results, the scores first;
    loss(results, labels) -> what is minimised, and tensors to write with it."""
    fill(net)
    net = net.double()
    arrays = make_inputs()
    image, labels = torch.from_numpy(arrays[0]).double(), torch.from_numpy(arrays[-1])
    net.eval()
    with torch.no_grad():
        inference = net(image)[0]
    net.train()
    results = net(image)
    total, tensors = loss(results, labels)
    total.backward()
    grad = {name: p.grad for name, p in net.named_parameters() if name.startswith("decoder.")}
    largest = max(float(g.abs().max()) for g in grad.values())
    for k, v in (*zip(("logits", "aux"), results), ("inference_logits", inference)):
        tensors[f"output.{k}.summary"] = common.summary(f"output.{k}", v.contiguous(), 8)
    for k, v in grad.items():
        if float(v.abs().max()) > 1e-10 * largest:
            tensors[f"grad.{k}.summary"] = common.summary(k, v, 4)
    common.write(f"{name}.safetensors", tensors, {"config": {"largest_gradient": largest}})


def fine(stride, detail_width=0):
    """The text-free network with scores at stride 2 or 1."""

    def loss(results, labels):
        logits, aux = results
        parts = (twin.cross_entropy(logits, labels), twin.dice(logits, labels), twin.cross_entropy(aux, labels))
        total = parts[0] + parts[1] + 0.4 * parts[2]
        return total, {"output.loss": torch.stack([total, *parts])}

    net = twin.MetaSegNet(CLASSES, fusion="none", dropout=0.0, output_stride=stride, detail_width=detail_width)
    one_step("network_detail" if detail_width > 0 else f"network_stride_{stride}", net, loss)


def detail_alone():
    """The network without an encoder, all of which is a decoder."""

    def loss(results, labels):
        return twin.cross_entropy(results[0], labels) + twin.dice(results[0], labels), {}

    one_step("network_detail_alone", twin.DetailNet(CLASSES, 32), loss)


def main():
    common.start()
    detail_alone()
    fine(2)
    fine(1)
    fine(2, detail_width=32)
    net, inputs, labels, out, grad, state = evaluate(torch.float64)
    losses = adamw_losses(net, inputs, labels)
    single_net, single_inputs, _, out32, grad32, _ = evaluate(torch.float32)
    losses32 = adamw_losses(single_net, single_inputs, labels)

    largest = max(float(g.abs().max()) for g in grad.values())
    zero = sorted(k for k, g in grad.items() if float(g.abs().max()) < 1e-10 * largest)
    out_dev, grad_dev = deviations(out32, out), deviations(grad32, grad, zero)
    deviation = {
        "outputs": max(out_dev.values()),
        "gradients": max(grad_dev.values()),
        "median_gradient": float(np.median(list(grad_dev.values()))),
        "zero_gradients": max([float(grad32[k].abs().max()) / largest for k in zero], default=0.0),
        "adamw_losses": float(np.abs(losses32 / losses - 1).max()),
    }
    config = {
        "batch": BATCH, "height": SIZE, "width": SIZE, "zones": ZONES, "prompt_length": LENGTH, "classes": CLASSES,
        "fusion": "caf", "smoothing": 0.05, "dice_smooth": 0.05, "ignore": 255, "dropout": 0, "adamw": ADAMW,
        "zero_gradients": zero, "largest_gradient": largest,
        "float32_deviation": {k: float(f"{v:.1e}") for k, v in deviation.items()},
    }  # fmt: skip

    image, tokens, mask, share16, share32, label_array = make_inputs()
    tensors = {"input.image.summary": common.summary("input.image", image, 8)}
    tensors |= {"input.tokens": tokens, "input.token_mask": mask, "input.log_share_16": share16}
    tensors |= {"input.log_share_32": share32, "input.labels": label_array}
    tensors |= {"output.loss": out.pop("loss"), "output.adamw_losses": losses}
    for k, v in out.items():
        tensors[f"output.{k}.summary"] = common.summary(f"output.{k}", v, 8)
    for k, v in state.items():
        tensors[f"state.{k}.summary"] = common.summary(k, v, 4)
    for k, v in grad.items():
        tensors[f"grad.{k}.summary"] = common.summary(k, v, 4)
    common.write("network.safetensors", tensors, {"config": config})

    print("loss", tensors["output.loss"].tolist(), "AdamW", losses.tolist())
    print("float32 against float64:", deviation)
    for k, v in sorted(grad_dev.items(), key=lambda kv: -kv[1])[:8]:
        print(f"  {k} {v:.1e} (max {float(grad[k].abs().max()):.1e})")
    print("largest gradient", largest, "zero:", zero)
    print({k: [round(float(v.min()), 3), round(float(v.max()), 3), round(float(v.std()), 3)] for k, v in out.items()})


if __name__ == "__main__":
    main()
