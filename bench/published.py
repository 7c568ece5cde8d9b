#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The published networks beside PyTorch, OpenVINO and ONNX Runtime: published.py BUILD [--rounds N] [--threads N] [--write] [NAME...].

Same weights (ours, random), same 512x512 image, batch 1, f32, bound threads, interleaved rounds; OpenVINO and ONNX Runtime read what
`metaseg export --bare` writes, PyTorch runs the public package (timm and segmentation_models_pytorch; the UNetFormer decoder is
tools/twin). Each peer's scores are compared with ours first. --write: into docs/results/published-speed.md. Packages:
tools/parity/requirements.txt."""

import argparse
import json
import os
import platform
import re
import statistics
import subprocess
import sys
import tempfile
import time

TOP = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")
NETWORKS = {
    "resnet18": ("resnet18", "unetformer", 64),
    "swin_t": ("swin_t", "unetformer", 64),
    "convnextv2_tiny": ("convnextv2_tiny", "upernet", 256),
}
PEERS = ("torch", "openvino", "onnxruntime")
SIDE, CLASSES, WARM_UP, SAMPLES = 512, 17, 2, 5


# ---- in the peer's process ----


def torch_network(name):
    import timm
    import torch
    from safetensors.torch import load_file

    sys.path.insert(0, os.path.join(TOP, "tools", "twin"))
    import model as twin

    class Network(torch.nn.Module):
        def __init__(self):
            super().__init__()
            if name == "swin_t":
                self.encoder = timm.create_model("swin_tiny_patch4_window7_224", features_only=True, img_size=SIDE)
            else:
                self.encoder = timm.create_model(name, features_only=True)
            channels = self.encoder.feature_info.channels()[-4:]
            if name == "convnextv2_tiny":
                from segmentation_models_pytorch.decoders.upernet.decoder import UPerNetDecoder

                self.decoder = UPerNetDecoder((3, 0, *channels), decoder_channels=256)
                self.decoder.segmentation_head = torch.nn.Sequential(torch.nn.Conv2d(256, CLASSES, 1))
            else:
                twin.ENCODER_CHANNELS = channels
                self.decoder = twin.Decoder(CLASSES, 0.1)

        def forward(self, x):
            maps = self.encoder(x)[-4:]
            if name == "swin_t":
                maps = [m.permute(0, 3, 1, 2) for m in maps]
            if name != "convnextv2_tiny":
                twin_decoder = self.decoder
                h4 = twin_decoder.b4(twin_decoder.pre_conv(maps[3]))
                h3 = twin_decoder.b3(twin_decoder.p3(h4, maps[2]))
                h2 = twin_decoder.b2(twin_decoder.p2(h3, maps[1]))
                return twin_decoder.segmentation_head(twin_decoder.p1(h2, maps[0]))
            empty = x.new_zeros(x.shape[0], 0, x.shape[2] // 2, x.shape[3] // 2)
            return self.decoder.segmentation_head(self.decoder([x, empty, *maps]))

    def load(path):
        state = load_file(path)
        net = Network().eval()
        own = net.state_dict()
        renamed = {}
        for key in own:
            ours = re.sub(r"layers_(\d)", r"layers.\1", key)
            ours = re.sub(r"stages_(\d)", r"stages.\1", ours).replace("stem_", "stem.")
            if ours in state:
                renamed[key] = state[ours].float().reshape(own[key].shape)
        missing = [k for k in own if k not in renamed and "num_batches" not in k and "index" not in k and "aux_head" not in k and "attn_mask" not in k]
        unused = len(state) - len(renamed)
        if missing or unused:
            sys.exit(f"published: {name}: {len(missing)} parameters have no value ({missing[:3]}), {unused} values no parameter")
        net.load_state_dict(renamed, strict=False)
        return net

    return load


def peer(arguments):
    import numpy as np
    from safetensors.numpy import load_file

    given = load_file(arguments.inputs)
    image = np.ascontiguousarray(given["image"].transpose(0, 3, 1, 2))
    if arguments.peer == "torch":
        import torch

        torch.set_num_threads(arguments.threads)
        net = torch_network(arguments.names[0])(arguments.weights).to(memory_format=torch.channels_last)
        x = torch.from_numpy(image).to(memory_format=torch.channels_last)

        def run():
            with torch.inference_mode():
                return net(x).numpy()
    elif arguments.peer == "openvino":
        import openvino

        core = openvino.Core()
        compiled = core.compile_model(arguments.onnx, "CPU", {"INFERENCE_NUM_THREADS": arguments.threads, "INFERENCE_PRECISION_HINT": "f32", "PERFORMANCE_HINT": "LATENCY"})
        request = compiled.create_infer_request()

        def run():
            request.infer([image])
            return request.get_output_tensor(0).data
    else:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = arguments.threads
        session = onnxruntime.InferenceSession(arguments.onnx, options, providers=["CPUExecutionProvider"])
        name = session.get_inputs()[0].name

        def run():
            return session.run(None, {name: image})[0]

    scores = run()
    ours = given["logits"].transpose(0, 3, 1, 2)
    difference = float(abs(scores - ours).max() / abs(ours).max()) if scores.shape == ours.shape else float("nan")
    seconds = []
    for i in range(WARM_UP + SAMPLES):
        start = time.perf_counter()
        run()
        seconds.append(time.perf_counter() - start)
    print(json.dumps({"median_seconds": statistics.median(seconds[WARM_UP:]), "difference": difference}))


# ---- here ----


def run(command, environment):
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"published: {' '.join(command)}\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return json.loads(done.stdout.strip().split("\n")[-1]) if done.stdout.strip().startswith(("{", "[")) or "{" in done.stdout else None


def measure(name, a, folder):
    encoder, decoder, width = NETWORKS[name]
    bound = dict(os.environ, OMP_NUM_THREADS=str(a.threads), OMP_PROC_BIND="true")
    weights, inputs, onnx = (os.path.join(folder, f) for f in ("weights.safetensors", "inputs.safetensors", "net.onnx"))
    network = ["--encoder", encoder, "--decoder", decoder, "--decoder-width", str(width), "--threads", str(a.threads)]
    ours = [os.path.join(a.build, "bench_network"), "tile", *network]
    run([*ours, "--samples", "1", "--save-model", weights, "--save", inputs], bound)
    subprocess.run([os.path.join(a.build, "metaseg"), "export", weights, "--onnx", onnx, "--bare", "-t", str(SIDE), "-f", "-q"], check=True, stdout=subprocess.DEVNULL)
    theirs = [sys.executable, os.path.abspath(__file__), a.build, name, "--weights", weights, "--inputs", inputs, "--onnx", onnx, "--threads", str(a.threads), "--peer"]
    times, differences = {"metaseg": []}, {}
    for _ in range(a.rounds):
        times["metaseg"].append(run([*ours, "--samples", str(SAMPLES)], bound)["median_seconds"])
        for p in PEERS:
            found = run([*theirs, p], bound)
            times.setdefault(p, []).append(found["median_seconds"])
            differences[p] = found["difference"]
    rows = []
    for p in PEERS:
        ratios = [t / m for t, m in zip(times[p], times["metaseg"])]
        mine, its = (1e3 * statistics.median(times[k]) for k in ("metaseg", p))
        rows.append(f"| {name} + {decoder} | {mine:.1f} ms | {p} | {its:.1f} ms | {statistics.median(ratios):.2f}x ({min(ratios):.2f} to {max(ratios):.2f}) | {differences[p]:.1e} |")
        print(rows[-1], flush=True)
    return rows


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build")
    parser.add_argument("names", nargs="*", default=list(NETWORKS))
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--write", action="store_true")
    for word in ("--peer", "--weights", "--inputs", "--onnx"):
        parser.add_argument(word)
    a = parser.parse_args()
    if a.peer:
        return peer(a)
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for name in a.names or NETWORKS:
            rows += measure(name, a, folder)
    if a.write:
        cpu = next((line.split(": ")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), platform.processor())
        path = os.path.join(TOP, "docs", "results", "published-speed.md")
        head = open(path).read().split("| network |")[0]
        table = "| network | metaseg | peer | | ratio | largest difference of scores |\n| --- | --- | --- | --- | --- | --- |\n"
        with open(path, "w") as f:
            f.write(head + table + "\n".join(rows) + f"\n\n{cpu}, {a.threads} threads, medians of {a.rounds} interleaved rounds.\n")


if __name__ == "__main__":
    main()
