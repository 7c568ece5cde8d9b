#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The network of tools/twin in PyTorch and OpenVINO, timed like bench_network: one JSON object on stdout per call.

    peers.py torch-tile      a 512x512 tile, batch 1, eager, channels last, f32
    peers.py torch-train     a training step, batch 2, 512x512: forward, backward, AdamW
    peers.py export          writes the inference network as ONNX
    peers.py openvino-tile   the tile from that ONNX file, f32

--model FILE (safetensors of ours), --inputs FILE (bench_network --save: inputs, and scores to compare with),
--onnx FILE, --threads N, --samples N. All of them end at the scores of stride 4, as our program does.
"""

import argparse
import json
import os
import resource
import sys
import time

WARM_UP = 3
INPUTS = ("image", "tokens", "token_mask", "log_share_16", "log_share_32")


def report(arguments, program, seconds, **more):
    seconds = sorted(seconds)
    print(
        json.dumps(
            {
                "what": arguments.what,
                "program": program,
                "threads": arguments.threads,
                "samples": len(seconds),
                "median_seconds": seconds[len(seconds) // 2],
                "minimum_seconds": seconds[0],
                "peak_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
                **more,
            }
        )
    )


def sample(arguments, run):
    for _ in range(WARM_UP):
        run()
    seconds = []
    for _ in range(arguments.samples):
        start = time.perf_counter()
        run()
        seconds.append(time.perf_counter() - start)
    return seconds


def difference(scores, reference):
    """max |a - b| relative to max |reference|; both [B, H, W, classes]."""
    return float(abs(scores - reference).max() / abs(reference).max())


def read(path):
    from safetensors.numpy import load_file

    return load_file(path)


# ---------------------------------------------------------------- PyTorch


def network(arguments, training):
    """The twin with our weights; returns it and PyTorch itself."""
    sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tools", "twin"))
    import torch
    from safetensors.torch import load_file

    import model as twin

    torch.set_num_threads(arguments.threads)
    state = {k: v.float() for k, v in load_file(arguments.model).items()}
    classes = state["decoder.segmentation_head.2.0.weight"].shape[0]
    net = twin.MetaSegNet(classes, "caf" if "text.null" in state else "none")
    ours = {k: v for k, v in state.items() if not k.startswith(("prompts.", "train."))}
    missing, unexpected = net.load_state_dict(ours, strict=False)
    skipped = ("num_batches_tracked", "decoder.aux_head")
    missing = [name for name in missing if not any(word in name for word in skipped)]
    if missing or unexpected:
        sys.exit(f"peers: the weights do not fit: {missing} {unexpected}")
    return net.to(memory_format=torch.channels_last).train(training), twin, torch


def scores_only(net, torch):
    """Inference that ends at stride 4, [B, classes, H/4, W/4]."""

    class Scores(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.net = net

        def forward(self, image, tokens, token_mask, log_share_16, log_share_32):
            n, d = self.net, self.net.decoder
            f4, f8, f16, f32 = n.encoder(image.permute(0, 3, 1, 2))
            if n.fusion is not None:
                memory, slot = n.text_memory(tokens, token_mask)
                f16 = n.fusion["s16"](f16, memory, log_share_16[:, :, slot], token_mask)
                f32 = n.fusion["s32"](f32, memory, log_share_32[:, :, slot], token_mask)
            x = d.p1(d.b2(d.p2(d.b3(d.p3(d.b4(d.pre_conv(f32)), f16)), f8)), f4)
            return d.segmentation_head(x)

    return Scores().eval()


def torch_tile(arguments):
    net, _, torch = network(arguments, False)
    tensors = read(arguments.inputs)
    inputs = [torch.from_numpy(tensors[name]) for name in INPUTS]
    scores = scores_only(net, torch)
    with torch.inference_mode():
        seconds = sample(arguments, lambda: scores(*inputs))
        result = scores(*inputs).permute(0, 2, 3, 1).numpy()
    report(arguments, f"torch {torch.__version__}", seconds, difference=difference(result, tensors["logits"]))


def torch_train(arguments):
    net, twin, torch = network(arguments, True)
    tensors = read(arguments.inputs)
    inputs = [torch.from_numpy(tensors[name]).repeat_interleave(2, 0) for name in INPUTS]
    side = inputs[0].shape[1]
    classes = net.decoder.aux_head.conv_out[0].out_channels
    labels = torch.randint(0, classes, (2, side, side // 64), generator=torch.Generator().manual_seed(1))
    labels = labels.repeat_interleave(64, 2)
    optimizer = torch.optim.AdamW(net.parameters(), lr=1e-5, weight_decay=0.01, fused=True)

    def step():
        optimizer.zero_grad(set_to_none=True)
        logits, auxiliary = net(*inputs)
        twin.loss(logits, auxiliary, labels).backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimizer.step()

    report(arguments, f"torch {torch.__version__}", sample(arguments, step))


def export(arguments):
    net, _, torch = network(arguments, False)
    tensors = read(arguments.inputs)
    inputs = tuple(torch.from_numpy(tensors[name]) for name in INPUTS)
    with torch.inference_mode():
        torch.onnx.export(
            scores_only(net.to(memory_format=torch.contiguous_format), torch),
            inputs,
            arguments.onnx,
            input_names=list(INPUTS),
            output_names=["logits"],
            opset_version=18,
            dynamo=False,
        )


# ---------------------------------------------------------------- OpenVINO


def openvino_tile(arguments):
    import openvino

    settings = {
        "PERFORMANCE_HINT": "LATENCY",
        "INFERENCE_NUM_THREADS": arguments.threads,
        "INFERENCE_PRECISION_HINT": "f32",
        "ENABLE_CPU_PINNING": True,
        "NUM_STREAMS": 1,
    }
    compiled = openvino.Core().compile_model(arguments.onnx, "CPU", settings)
    tensors = read(arguments.inputs)
    request = compiled.create_infer_request()
    for port in compiled.inputs:
        request.set_tensor(port, openvino.Tensor(tensors[port.get_any_name()], shared_memory=True))
    seconds = sample(arguments, request.infer)
    result = request.get_output_tensor(0).data.transpose(0, 2, 3, 1)
    version = openvino.get_version().split("-")[0]
    report(arguments, f"openvino {version}", seconds, difference=difference(result, tensors["logits"]))


def main():
    runs = {
        "torch-tile": torch_tile,
        "torch-train": torch_train,
        "export": export,
        "openvino-tile": openvino_tile,
    }
    parser = argparse.ArgumentParser()
    parser.add_argument("what", choices=runs)
    parser.add_argument("--model")
    parser.add_argument("--inputs")
    parser.add_argument("--onnx")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--samples", type=int, default=15)
    arguments = parser.parse_args()
    runs[arguments.what](arguments)


if __name__ == "__main__":
    main()
