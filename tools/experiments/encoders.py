#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The comparison of docs/results/encoders.md: encoders under one decoder and one text part, from random weights, on the globe, the
same time each on one core.

    encoders.py [--minutes 20] [--core 0] [--out runs/encoders] [--write docs/results/encoders.md] [ENCODER ...]

After `make data`. Each training has as many steps as fit into the minutes at the speed of its first steps; then the Earth is
predicted and the continents that were held out are compared (tools/experiments/globe.sh has the protocol), and a tile of
512 x 512 is timed with all processors. Finished parts are kept: to do one again, remove its folder.
"""
import argparse
import csv
import json
import os
import statistics
import subprocess
import sys

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
ENCODERS = ["efficientnet_lite0", "resnet18", "swin_t", "convnextv2_tiny"]
SETTINGS = ["model.encoder_weights=", "train.upsample=1", "train.batch=4", "train.freeze_encoder=0.5", "train.validate_every=0"]
TIMED_STEPS, TILE_SAMPLES = 20, 15
BEGIN, END = "<!-- table: tools/experiments/encoders.py -->", "<!-- end of table -->"


def run(command, core=None, **how):
    bind = None if core is None else (lambda: os.sched_setaffinity(0, {core}))
    subprocess.run(command, check=True, preexec_fn=bind, **how)


def rows_of(folder):
    with open(os.path.join(folder, "metrics.csv"), newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def train(a, encoder, steps, folder):
    """Peak KiB of the training process, as GNU time gives it."""
    words = [a.program, "train", os.path.join(TOP, "configs/globe.yaml"), "-f", "--threads", "1"]
    for setting in SETTINGS + [f"model.encoder={encoder}", f"train.steps={steps}", f"train.output={folder}"]:
        words += ["--set", setting]
    peak = os.path.join(folder, "peak.txt")
    os.makedirs(folder, exist_ok=True)
    run(["/usr/bin/time", "-f", "%M", "-o", peak, *words], a.core)
    with open(peak, encoding="utf-8") as file:
        return int(file.read().split()[-1])


def train_for_minutes(a, encoder, folder):
    done = os.path.join(folder, "done.json")
    if os.path.exists(done):
        return
    trial = folder + "-trial"
    train(a, encoder, TIMED_STEPS, trial)
    log = rows_of(trial)
    per_step = (float(log[-1]["seconds"]) - float(log[0]["seconds"])) / (int(log[-1]["step"]) - int(log[0]["step"]))
    steps = max(TIMED_STEPS, int(60 * a.minutes / per_step) // 10 * 10)
    peak = train(a, encoder, steps, folder)
    with open(done, "w", encoding="utf-8") as file:
        json.dump({"steps": steps, "peak_kib": peak}, file)


def evaluate(a, folder):
    figures = os.path.join(folder, "grounded.json")
    if os.path.exists(figures):
        return
    data = os.path.join(os.environ.get("METASEG_CACHE", os.path.join(TOP, ".cache")), "data")
    map_ = os.path.join(folder, "grounded.tif")
    run([a.program, "predict", os.path.join(data, "blue_marble.tif"), "-f", "-m", os.path.join(folder, "best.safetensors"), "-o", map_])
    run([a.program, "eval", map_, os.path.join(data, "igbp_2019.tif"), "-q", "-f", "--truth-crs", "EPSG:4326", "--exclude", "0",
         "--minimum-share", "0.001", "--bbox", "-82,-56,-34,12", "--bbox", "110,-45,155,-10", "--json", figures],
        stdout=subprocess.DEVNULL)


def tile(a, encoder):
    words = [a.bench, "tile", "--encoder", encoder, "--decoder", "unetformer", "--decoder-width", "64", "--samples",
             str(TILE_SAMPLES)]
    return json.loads(subprocess.run(words, check=True, capture_output=True, text=True).stdout)


def line(a, encoder):
    folder = os.path.join(a.out, encoder)
    with open(os.path.join(folder, "done.json"), encoding="utf-8") as file:
        done = json.load(file)
    with open(os.path.join(folder, "grounded.json"), encoding="utf-8") as file:
        held_out = json.load(file)
    log = rows_of(folder)
    losses = [float(row["loss"]) for row in log[-10:]]
    timed = tile(a, encoder)
    return (f"| `{encoder}` | {timed['parameters'] / 1e6:.1f} M | {timed['multiply_adds'] / 1e9:.1f} G | "
            f"{1e3 * timed['median_seconds']:.0f} | {timed['peak_bytes'] / 2**20:.0f} | {done['steps']} | "
            f"{float(log[-1]['seconds']) / 60:.0f} | {done['peak_kib'] / 1024:.0f} | {statistics.mean(losses):.2f} | "
            f"{100 * float(log[-1]['validation_miou']):.1f} | {100 * held_out['miou_macro']:.1f} | {100 * held_out['overall_accuracy']:.1f} |")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("encoders", nargs="*", default=ENCODERS)
    parser.add_argument("--minutes", type=float, default=20)
    parser.add_argument("--core", type=int, default=0)
    parser.add_argument("--out", default=os.path.join(TOP, "runs/encoders"))
    parser.add_argument("--program", default=os.path.join(TOP, "build/metaseg"))
    parser.add_argument("--bench", default=os.path.join(TOP, "build/bench_network"))
    parser.add_argument("--write", help="page whose table is replaced")
    a = parser.parse_args()
    for encoder in a.encoders:
        folder = os.path.join(a.out, encoder)
        train_for_minutes(a, encoder, folder)
        evaluate(a, folder)
    table = ["| encoder | parameters | multiply-adds | ms per tile | MiB, tile | steps | minutes | MiB, training | loss at the end | "
             "validation mIoU | held-out mIoU | held-out OA |", "|" + " --- |" * 12]
    table += [line(a, encoder) for encoder in a.encoders]
    print("\n".join(table))
    if a.write:
        with open(a.write, encoding="utf-8") as file:
            before, _, rest = file.read().partition(BEGIN)
        with open(a.write, "w", encoding="utf-8") as file:
            file.write(before + BEGIN + "\n\n" + "\n".join(table) + "\n\n" + END + rest.partition(END)[2])
    return 0


if __name__ == "__main__":
    sys.exit(main())
