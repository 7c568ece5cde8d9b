#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs our programs and the peers in turn and prints each figure beside its goal. Called by bench/run.sh.

    report.py BUILD PEERS_PYTHON WORK_FOLDER [--rounds N] [--write]

Each round starts every program anew, one after the other. A program's figure is the median over rounds of its medians;
a ratio's range is that of its rounds. --write puts the table into docs/benchmark.md and README.md.
"""

import argparse
import json
import os
import platform
import re
import statistics
import subprocess
import sys

TOP = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")
MIB = 1 << 20
BEGIN, END = "<!-- table: bench/run.sh --write -->", "<!-- end of table -->"


def run(command, environment=None):
    """stdout of a command that must succeed."""
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if done.returncode != 0:
        sys.exit(f"bench: {' '.join(command)}\n{done.stdout}{done.stderr}")
    return done.stdout


def peak_bytes_of(command, environment):
    """Largest resident set of a command, and its time."""
    code = (
        "import resource, subprocess, sys, time; s = time.time(); c = subprocess.call(sys.argv[1:], stdout=2);"
        "print(c, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024, time.time() - s)"
    )
    code, peak, seconds = run([sys.executable, "-c", code, *command], environment).split()
    if code != "0":
        sys.exit(f"bench: {' '.join(command)} failed")
    return int(peak), float(seconds)


def write_window(path, source):
    """A VRT of 256x256 pixels of Blue Marble, somewhere in Europe: one tile for the globe model."""
    band = (
        '<VRTRasterBand dataType="Byte" band="{0}"><SimpleSource><SourceFilename>{1}</SourceFilename>'
        '<SourceBand>{0}</SourceBand><SrcRect xOff="2880" yOff="570" xSize="256" ySize="256"/>'
        '<DstRect xOff="0" yOff="0" xSize="256" ySize="256"/></SimpleSource></VRTRasterBand>'
    )
    with open(path, "w", encoding="utf-8") as file:
        file.write(
            '<VRTDataset rasterXSize="256" rasterYSize="256"><SRS>EPSG:4326</SRS>'
            f"<GeoTransform>12, {360 / 5400}, 0, 52, 0, {-180 / 2700}</GeoTransform>"
            + "".join(band.format(b, os.path.abspath(source)) for b in (1, 2, 3))
            + "</VRTDataset>\n"
        )


class Bench:
    def __init__(self, arguments):
        self.a = arguments
        self.threads = ["--threads", str(arguments.threads)]
        self.bound = dict(os.environ, OMP_NUM_THREADS=str(arguments.threads), OMP_PROC_BIND="true")
        self.ours = [os.path.join(arguments.build, "bench_network")]
        self.peers = [arguments.python, os.path.join(TOP, "bench", "peers.py")]
        self.results = {}

    def path(self, name):
        return os.path.join(self.a.work, name)

    def prepare(self):
        """Weights, inputs and the ONNX file that all programs read."""
        shipped = os.path.join(TOP, "share", "models", "globe.safetensors")
        self.model = shipped if os.path.exists(shipped) else self.path("model.safetensors")
        given = ["--model", shipped] if os.path.exists(shipped) else []
        self.weights, self.inputs, self.onnx = map(self.path, ("weights.safetensors", "inputs.safetensors", "net.onnx"))
        save = ["--save", self.inputs, "--save-model", self.weights, "--samples", "1"]
        run([*self.ours, "tile", *given, *save, *self.threads], self.bound)
        if not given:
            os.replace(self.weights, self.model)
            self.weights = self.model
        run([*self.peers, "export", "--model", self.weights, "--inputs", self.inputs, "--onnx", self.onnx])
        source = os.path.join(os.environ.get("METASEG_CACHE", os.path.join(TOP, ".cache")), "data", "blue_marble.tif")
        self.earth = source if os.path.exists(source) else None
        if self.earth:
            write_window(self.path("window.vrt"), source)

    def measure(self, name, command, environment):
        print(f"  {name}", file=sys.stderr, flush=True)
        result = json.loads(run([*command, *self.threads], environment))
        if result.get("difference", 0.0) > 1e-3:
            sys.exit(f"bench: {name}: its scores differ from ours by {result['difference']:.1e}; not the same network")
        self.results.setdefault(name, []).append(result)

    def round(self):
        ours, peers, inputs = self.ours, self.peers, ["--inputs", self.inputs]
        weights, few = ["--model", self.weights], ["--samples", "5"]
        folder = ["--data-folder", os.path.join(self.a.build, "share", "metaseg")]
        self.measure("tile", [*ours, "tile", *weights], self.bound)
        self.measure("tile openvino", [*peers, "openvino-tile", "--onnx", self.onnx, *inputs], self.bound)
        self.measure("tile torch", [*peers, "torch-tile", *weights, *inputs], self.bound)
        self.measure("train", [*ours, "train", *weights, *few], self.bound)
        self.measure("train torch", [*peers, "torch-train", *weights, *inputs, *few], self.bound)
        if self.earth:
            raster = ["--raster", self.path("window.vrt"), "--out", self.path("window.tif")]
            self.measure("start", [*ours, "start", "--model", self.model, *folder, *raster, *few], os.environ)

    def earth_peak(self):
        """Peak memory and time of the whole Earth through the program itself."""
        if not self.earth:
            return None, None
        out = ["-o", self.path("earth.tif"), "-f", "-m", self.model]
        program = os.path.join(self.a.build, "metaseg")
        return peak_bytes_of([program, "predict", self.earth, *out, *self.threads], os.environ)

    def median(self, name, key="median_seconds"):
        return statistics.median(r[key] for r in self.results[name])

    def ratio(self, name, peer):
        """Peer's time over ours: of the medians, and its range over the rounds."""
        each = [p["median_seconds"] / o["median_seconds"] for p, o in zip(self.results[peer], self.results[name])]
        return self.median(peer) / self.median(name), min(each), max(each)

    def program(self, name):
        return self.results[name][0]["program"]


def verdict(met):
    return "met" if met else "**missed**"


def time_row(bench, title, name, peer, goal):
    ratio, low, high = bench.ratio(name, peer)
    return (
        f"| {title} | {1e3 * bench.median(name):.1f} ms | {bench.program(peer)}: {1e3 * bench.median(peer):.1f} ms "
        f"| {ratio:.2f}x ({low:.2f} to {high:.2f}) | at least {goal:.1f}x | {verdict(ratio >= goal)} |"
    )


def table(bench, earth):
    tile, step = "tile 512x512, f32, batch 1", "training step, batch 2, 512x512"
    rows = ["| what | metaseg | peer | ratio | goal | |", "| --- | --- | --- | --- | --- | --- |"]
    rows.append(time_row(bench, tile, "tile", "tile openvino", 1.0))
    rows.append(time_row(bench, tile, "tile", "tile torch", 1.5))
    rows.append(time_row(bench, step, "train", "train torch", 1.5))
    ours, torch = bench.median("train", "peak_bytes"), bench.median("train torch", "peak_bytes")
    rows.append(
        f"| peak memory, training | {ours / MIB:.0f} MiB | {bench.program('train torch')}: {torch / MIB:.0f} MiB "
        f"| {ours / torch:.2f} | under 0.50 | {verdict(ours / torch < 0.5)} |"
    )
    if earth is not None:
        openvino = bench.median("tile openvino", "peak_bytes") / MIB
        rows.append(
            f"| peak memory, `predict` of the whole Earth | {earth / MIB:.0f} MiB "
            f"| {bench.program('tile openvino')}, one tile: {openvino:.0f} MiB "
            f"| | under 200 MiB | {verdict(earth < 200 * MIB)} |"
        )
    if "start" in bench.results:
        start = bench.median("start")
        rows.append(f"| start of the process to the first tile | {start:.3f} s | | | under 0.3 s | {verdict(start < 0.3)} |")
    return rows


def cpu_name():
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            return re.search(r"model name\s*:\s*(.*)", file.read()).group(1)
    except (OSError, AttributeError):
        return platform.machine()


def write_document(path, lines):
    with open(path, encoding="utf-8") as file:
        text = file.read()
    head, rest = text.split(BEGIN)
    tail = rest.split(END)[1]
    with open(path, "w", encoding="utf-8") as file:
        file.write(head + BEGIN + "\n" + "\n".join(lines) + "\n" + END + tail)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build")
    parser.add_argument("python")
    parser.add_argument("work")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--write", action="store_true")
    bench = Bench(parser.parse_args())
    os.makedirs(bench.a.work, exist_ok=True)
    bench.prepare()
    for i in range(bench.a.rounds):
        print(f"bench: round {i + 1} of {bench.a.rounds}", file=sys.stderr, flush=True)
        bench.round()
    earth, seconds = bench.earth_peak()
    lines = table(bench, earth)
    isa = bench.results["tile"][0]["cpu"]
    note = f"{cpu_name()}, {isa}, {bench.a.threads} threads, medians of {bench.a.rounds} interleaved rounds."
    if earth is not None:
        note += f" The whole Earth (5400x2700) took {seconds:.0f} s."
    print("\n".join(lines + ["", note]))
    if bench.a.write:
        for page in ("docs/benchmark.md", "README.md"):
            write_document(os.path.join(TOP, page), lines + ["", note])


if __name__ == "__main__":
    main()
