#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The published networks beside PyTorch, OpenVINO and ONNX Runtime:
published.py predict|train BUILD [--rounds N] [--threads N] [--peers P,...] [--write] [NAME...].

predict: same weights (ours, random, BatchNorm with the statistics of the image), same 512x512 image, batch 1, f32, bound threads,
interleaved rounds; OpenVINO and ONNX Runtime read what `metaseg export --bare` writes, PyTorch runs the public package (timm and
segmentation_models_pytorch; the UNetFormer decoder is tools/twin). Each peer's scores are compared with ours first. train: a step of
batch 2, forward, backward and AdamW, beside PyTorch as it is and compiled. --write: into docs/results/published-speed.md. Packages:
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
DROP_PATHS = {"swin_t": 0.1, "convnextv2_tiny": 0.2}  # as in docs/configuration.md
PEERS = {"predict": ("torch", "openvino", "onnxruntime"), "train": ("torch", "torch-compile")}
DROPOUT = 0.1
SIDE, CLASSES, WARM_UP, SAMPLES = 512, 17, 2, 5


# ---- in the peer's process ----


def torch_network(name, training):
    """The public package's encoder and a decoder, with our names; in training it gives scores at the image's size and the auxiliary head's."""
    import timm
    import torch
    import torch.nn.functional as F

    sys.path.insert(0, os.path.join(TOP, "tools", "twin"))
    import model as twin

    def grown(x, factor):
        return F.interpolate(x, scale_factor=factor, mode="bilinear", align_corners=False)

    class UPerNet(torch.nn.Module):
        def __init__(self, channels):
            from segmentation_models_pytorch.decoders.upernet.decoder import UPerNetDecoder

            super().__init__()
            width = NETWORKS[name][2]
            self.decoder = UPerNetDecoder((3, 0, *channels), decoder_channels=width)
            self.decoder.segmentation_head = torch.nn.Sequential(torch.nn.Conv2d(width, CLASSES, 1))
            self.drop = torch.nn.Dropout2d(DROPOUT)
            if training:
                first = torch.nn.Sequential(torch.nn.Conv2d(channels[2], width // 2, 3, padding=1, bias=False), torch.nn.BatchNorm2d(width // 2))
                self.decoder.aux_head = torch.nn.ModuleDict({"convs": torch.nn.Sequential(first), "classifier": torch.nn.Conv2d(width // 2, CLASSES, 1)})

        def forward(self, x, maps):
            empty = x.new_zeros(x.shape[0], 0, x.shape[2] // 2, x.shape[3] // 2)
            scores = self.decoder.segmentation_head(self.drop(self.decoder([x, empty, *maps])))
            if not training:
                return scores
            head, normalised = self.decoder.aux_head, self.decoder.feature_norms[2](maps[2])
            return grown(scores, 4), grown(head["classifier"](self.drop(F.relu(head["convs"](normalised)))), 16)

    class UNetFormer(torch.nn.Module):
        def __init__(self, channels):
            super().__init__()
            twin.ENCODER_CHANNELS = channels
            self.decoder = twin.Decoder(CLASSES, DROPOUT)

        def forward(self, x, maps):
            if training:
                return self.decoder(*maps, True)
            d = self.decoder
            h4 = d.b4(d.pre_conv(maps[3]))
            h3 = d.b3(d.p3(h4, maps[2]))
            return d.segmentation_head(d.p1(d.b2(d.p2(h3, maps[1])), maps[0]))

    class Network(torch.nn.Module):
        def __init__(self):
            super().__init__()
            rate = DROP_PATHS.get(name, 0.0) if training else 0.0
            if name == "swin_t":
                self.encoder = timm.create_model("swin_tiny_patch4_window7_224", features_only=True, img_size=SIDE, drop_path_rate=rate)
            else:
                self.encoder = timm.create_model(name, features_only=True, drop_path_rate=rate)
            channels = self.encoder.feature_info.channels()[-4:]
            self.inner = (UPerNet if name == "convnextv2_tiny" else UNetFormer)(channels)

        def forward(self, x):
            maps = self.encoder(x)[-4:]
            if name == "swin_t":
                maps = [m.permute(0, 3, 1, 2) for m in maps]
            return self.inner(x, maps)

    return Network().train(training)


def load_weights(net, path, name):
    """Ours into it, by names; the auxiliary head, which is none of a model for prediction, keeps its own."""
    from safetensors.torch import load_file

    state, own, renamed = load_file(path), net.state_dict(), {}
    for key in own:
        ours = re.sub(r"layers_(\d)", r"layers.\1", key.removeprefix("inner."))
        ours = re.sub(r"stages_(\d)", r"stages.\1", ours).replace("stem_", "stem.")
        if ours in state:
            renamed[key] = state[ours].float().reshape(own[key].shape)
    made = ("num_batches", "index", "aux_head", "attn_mask")
    missing = [k for k in own if k not in renamed and not any(word in k for word in made)]
    unused = len(state) - len(renamed)
    if missing or unused:
        sys.exit(f"published: {name}: {len(missing)} parameters have no value ({missing[:3]}), {unused} values no parameter")
    net.load_state_dict(renamed, strict=False)


def seconds_of(step):
    seconds = []
    for i in range(WARM_UP + SAMPLES):
        start = time.perf_counter()
        step()
        seconds.append(time.perf_counter() - start)
    return statistics.median(seconds[WARM_UP:])


def train_peer(arguments):
    """The step of bench_network train: batch 2, cross-entropy with smoothing, Dice and the auxiliary head, norm cut, AdamW."""
    import numpy as np
    import torch
    import torch.nn.functional as F
    from safetensors.numpy import load_file

    torch.manual_seed(1)
    torch.set_num_threads(arguments.threads)
    net = torch_network(arguments.names[0], True)
    load_weights(net, arguments.weights, arguments.names[0])
    net = net.to(memory_format=torch.channels_last)
    image = torch.from_numpy(np.ascontiguousarray(load_file(arguments.inputs)["image"].transpose(0, 3, 1, 2)))
    x = image.repeat(2, 1, 1, 1).to(memory_format=torch.channels_last)
    labels = torch.randint(0, CLASSES, (2, SIDE, SIDE // 64)).repeat_interleave(64, 2)
    truth = F.one_hot(labels, CLASSES).permute(0, 3, 1, 2).float().contiguous(memory_format=torch.channels_last)
    counts = truth.sum((0, 2, 3))
    optimizer = torch.optim.AdamW(net.parameters(), lr=1e-5, weight_decay=0.01, fused=True)

    def loss_of(x):
        scores, auxiliary = net(x)
        shares = scores.softmax(1)
        dice = 1 - (2 * (shares * truth).sum((0, 2, 3)) + 0.05) / (shares.sum((0, 2, 3)) + counts + 0.05)
        entropy = [F.cross_entropy(s, labels, label_smoothing=0.05, ignore_index=255) for s in (scores, auxiliary)]
        return entropy[0] + dice.mean() + 0.4 * entropy[1]

    if arguments.peer == "torch-compile":
        loss_of = torch.compile(loss_of)

    def step():
        optimizer.zero_grad(set_to_none=True)
        loss_of(x).backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimizer.step()

    print(json.dumps({"median_seconds": seconds_of(step)}))


def peer(arguments):
    import numpy as np
    from safetensors.numpy import load_file

    given = load_file(arguments.inputs)
    image = np.ascontiguousarray(given["image"].transpose(0, 3, 1, 2))
    if arguments.peer == "torch":
        import torch

        torch.set_num_threads(arguments.threads)
        net = torch_network(arguments.names[0], False)
        load_weights(net, arguments.weights, arguments.names[0])
        net = net.to(memory_format=torch.channels_last)
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
    print(json.dumps({"median_seconds": seconds_of(run), "difference": difference}))


# ---- here ----


def run(command, environment=None):
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"published: {' '.join(command)}\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return done.stdout


def timed(command, environment):
    """What a program tells in JSON, in its last line."""
    return json.loads(run(command, environment).strip().split("\n")[-1])


def measure(name, a, folder):
    encoder, decoder, width = NETWORKS[name]
    bound = dict(os.environ, OMP_NUM_THREADS=str(a.threads), OMP_PROC_BIND="true")
    weights, inputs, onnx = (os.path.join(folder, f) for f in ("weights.safetensors", "inputs.safetensors", "net.onnx"))
    network = ["--encoder", encoder, "--decoder", decoder, "--decoder-width", str(width), "--threads", str(a.threads)]
    bench = os.path.join(a.build, "bench_network")
    run([bench, "tile", *network, "--samples", "1", "--save-model", weights, "--save", inputs], bound)
    if a.what == "predict":
        run([os.path.join(a.build, "metaseg"), "export", weights, "--onnx", onnx, "--bare", "-t", str(SIDE), "-f", "-q"])
        ours = [bench, "tile", "--model", weights, "--threads", str(a.threads)]
    else:
        ours = [bench, "train", *network]
    theirs = [sys.executable, os.path.abspath(__file__), a.what, a.build, name, "--weights", weights, "--inputs", inputs, "--onnx", onnx, "--threads", str(a.threads), "--peer"]
    times, differences = {"metaseg": []}, {}
    for _ in range(a.rounds):
        times["metaseg"].append(timed([*ours, "--samples", str(SAMPLES)], bound)["median_seconds"])
        for p in a.peers.split(",") if a.peers else PEERS[a.what]:
            found = timed([*theirs, p], bound)
            times.setdefault(p, []).append(found["median_seconds"])
            differences[p] = found.get("difference")
    rows = []
    for p in differences:
        ratios = [t / m for t, m in zip(times[p], times["metaseg"])]
        mine, its = (1e3 * statistics.median(times[k]) for k in ("metaseg", p))
        row = f"| {name} + {decoder} | {mine:.1f} ms | {p} | {its:.1f} ms | {statistics.median(ratios):.2f}x ({min(ratios):.2f} to {max(ratios):.2f}) |"
        rows.append(row + (f" {differences[p]:.1e} |" if differences[p] is not None else ""))
        print(rows[-1], flush=True)
    return rows


def write(a, rows):
    """The table of this kind, in its section; the rest stays."""
    cpu = next((line.split(": ")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), platform.processor())
    path = os.path.join(TOP, "docs", "results", "published-speed.md")
    head = "| network | metaseg | peer | | ratio |" + (" largest difference of scores |" if a.what == "predict" else "")
    table = f"{head}\n{'| --- ' * (head.count('|') - 1)}|\n" + "\n".join(rows) + f"\n\n{cpu}, {a.threads} threads, medians of {a.rounds} interleaved rounds.\n"
    parts = open(path).read().split("\n## A training step\n")
    part = 0 if a.what == "predict" else 1
    parts[part] = parts[part].split("| network |")[0].rstrip() + "\n\n" + table
    with open(path, "w") as f:
        f.write("\n## A training step\n".join(parts))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("what", choices=list(PEERS))
    parser.add_argument("build")
    parser.add_argument("names", nargs="*", default=list(NETWORKS))
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--write", action="store_true")
    for word in ("--peers", "--peer", "--weights", "--inputs", "--onnx"):
        parser.add_argument(word)
    a = parser.parse_intermixed_args()
    if a.peer:
        return (peer if a.what == "predict" else train_peer)(a)
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for name in a.names or NETWORKS:
            rows += measure(name, a, folder)
    if a.write:
        write(a, rows)


if __name__ == "__main__":
    main()
