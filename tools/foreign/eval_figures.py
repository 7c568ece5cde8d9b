# SPDX-License-Identifier: Apache-2.0
"""eval_figures.py METASEG: the figures of `metaseg eval` on random label maps against torchmetrics.

Maps and references of random size, classes and agreement, with values without a label, classes that only one of the two has, and
--exclude; equal grids, as the lookup is tested elsewhere. Overall accuracy, kappa, and each class's IoU, F1, precision and
recall must agree to 1e-6 (torchmetrics computes in float32 in places); mIoU and mF1 are compared with torchmetrics'
macro means over the classes that the reference has. Needs torch, torchmetrics, numpy, rasterio."""
import json
import os
import subprocess
import sys
import tempfile

import numpy as np
import rasterio
import torch
from torchmetrics.functional import classification as metrics

ROUNDS, IGNORE = 60, 255


def write(path, values):
    with rasterio.open(path, "w", driver="GTiff", width=values.shape[1], height=values.shape[0], count=1, dtype="uint8", crs="EPSG:32633",
                       transform=rasterio.transform.from_origin(500000, 5800000, 10, 10)) as raster:
        raster.write(values, 1)


def check(metaseg, rng, folder):
    """Lines of what differs."""
    classes = int(rng.integers(2, 20))
    shape = rng.integers(8, 200, 2)
    truth = rng.integers(0, classes, shape).astype(np.uint8)
    guess = np.where(rng.random(shape) < rng.random(), truth, rng.integers(0, classes, shape)).astype(np.uint8)
    if rng.random() < 0.5:
        truth[truth == rng.integers(classes)] = (truth.flat[0] + 1) % classes  # a class that only the map has
    if rng.random() < 0.5:
        guess[guess == rng.integers(classes)] = guess.flat[0]  # or only the reference
    truth[rng.random(shape) < 0.2] = IGNORE
    excluded = int(rng.integers(classes)) if rng.random() < 0.3 else None
    names = [os.path.join(folder, name) for name in ("map.tif", "truth.tif", "figures.json")]
    write(names[0], guess)
    write(names[1], truth)
    words = ["--exclude", str(excluded)] if excluded is not None else []
    run = subprocess.run([metaseg, "eval", "-q", "-f", *names[:2], "--json", names[2], *words], capture_output=True, text=True)
    if run.returncode != 0:
        return [run.stderr]
    with open(names[2], encoding="utf-8") as source:
        found = json.load(source)
    label = truth.astype(np.int64)
    if excluded is not None:
        label[truth == excluded] = IGNORE
    a, b = torch.from_numpy(guess.astype(np.int64)).flatten(), torch.from_numpy(label).flatten()
    options = {"num_classes": classes, "ignore_index": IGNORE}
    present = sorted(set(np.unique(label)) - {IGNORE})
    per_class = {"iou": metrics.multiclass_jaccard_index(a, b, average="none", **options),
                 "f1": metrics.multiclass_f1_score(a, b, average="none", **options),
                 "precision": metrics.multiclass_precision(a, b, average="none", **options),
                 "recall": metrics.multiclass_recall(a, b, average="none", **options)}
    pairs = [("pixels", found["pixels"], int((label != IGNORE).sum())),
             ("overall accuracy", found["overall_accuracy"], float(metrics.multiclass_accuracy(a, b, average="micro", **options))),
             ("kappa", found["kappa"], float(metrics.multiclass_cohen_kappa(a, b, **options))),
             ("miou", found["miou_macro"], float(per_class["iou"][present].mean())),
             ("mf1", found["mf1_macro"], float(per_class["f1"][present].mean()))]
    for entry in found["classes"]:
        if entry["value"] not in present:
            continue
        for name, values in per_class.items():
            pairs.append((f"{name} of {entry['value']}", entry[name], float(values[entry["value"]])))
    # null: undefined, which is NaN there, or 0 for the precision of a class that the map never has
    return [f"{name}: {got}, torchmetrics {want}" for name, got, want in pairs
            if (want != 0.0 and want == want if got is None else not abs(got - want) <= 1e-6)]


def main(metaseg):
    rng, agree = np.random.default_rng(1), 0
    with tempfile.TemporaryDirectory() as folder:
        for i in range(ROUNDS):
            found = check(metaseg, rng, folder)
            agree += not found
            for line in found:
                print(f"round {i}: {line}")
    print(f"{ROUNDS} rounds, {agree} agree")


main(*sys.argv[1:])
