# SPDX-License-Identifier: Apache-2.0
"""How far maps of the kept-out chips agree with the Dynamic World network, from the nine bands and from fewer.

    python3 evaluate.py DATA --split holdout [--model M.safetensors --program build/metaseg] [--forest] [--table] [--json OUT]

DATA: what make_data.py wrote. --model: `metaseg predict` with it; --forest: a random forest of 200 trees on bands and the mean
and deviation of 3x3 and 9x9 pixels; --table: the most frequent class of each colour. Both learn from the same canvases.
Per variant: agreement in per cent of pixels, mean IoU over the classes that hold 0.1 % or more, both with 95 % intervals over places,
and each class, of its narrow parts (less than 5 pixels wide), too. 20 pixels along the border are left out: there the teacher sees zeros.
"""
import argparse
import csv
import glob
import json
import os
import subprocess
import tempfile

import numpy as np
import rasterio

import make_data

BORDER = 20
NARROW = 5  # pixels
CLASSES = ["water", "trees", "grass", "flooded vegetation", "crops", "shrub and scrub", "built", "bare", "snow and ice"]
VARIANTS = {"nine bands": range(9), "blue, green, red, nir": [0, 1, 2, 6], "blue, green, red": [0, 1, 2]}
EIGHT_BIT = "picture of 8 bits"  # red, green, blue, stretched as picture viewers do
NAMES = ["B02", "B03", "B04", "B05", "B06", "B07", "B08", "B11", "B12"]


def read(path):
    with rasterio.open(path) as file:
        return file.read()


def read_l1c(path):
    """Reflectance at the top of the atmosphere, as all learned from."""
    with rasterio.open(path) as file:
        values, level = file.read(), file.tags().get("PROCESSING_LEVEL")
    return values if level == "L1C" else values * make_data.SLOPE + make_data.INTERCEPT


def eight_bits(chip):
    """Red, green and blue between their percentiles 1 and 99, as bytes 1..255."""
    rgb = chip[[2, 1, 0]].astype(np.float32)
    low, high = np.percentile(rgb, 1), np.percentile(rgb, 99)
    return np.clip(1 + (rgb - low) / max(high - low, 1) * 254, 1, 255).astype(np.uint8)


def places_of(split):
    here = os.path.dirname(os.path.abspath(__file__))
    rows = csv.reader(line for line in open(os.path.join(here, "places.csv")) if not line.startswith("#"))
    return [row[0] for row in rows if row[1] == split]


class Forest:
    """What users of QGIS plug-ins run: a random forest on bands and simple texture."""

    def __init__(self, data, bands, eight, pixels=150000):
        from sklearn.ensemble import RandomForestClassifier
        rng = np.random.default_rng(1)
        canvases = sorted(glob.glob(os.path.join(data, "train_????.tif")))
        x, y = [], []
        self.bands, self.eight = bands, eight
        for path in canvases:
            labels = read(path.replace(".tif", "_prob.tif")).argmax(axis=0)
            at = rng.choice(labels.size, pixels // len(canvases), replace=False)
            x.append(self.features(read(path)).reshape(-1, labels.size).T[at])
            y.append(labels.ravel()[at])
        self.forest = RandomForestClassifier(200, n_jobs=2, random_state=1, min_samples_leaf=2)
        self.forest.fit(np.concatenate(x), np.concatenate(y))

    def features(self, chip):
        from scipy import ndimage
        x = (eight_bits(chip) if self.eight else chip[list(self.bands)]).astype(np.float32)
        parts = [x]
        for side in (3, 9):
            mean = ndimage.uniform_filter(x, (0, side, side))
            square = ndimage.uniform_filter(x * x, (0, side, side))
            parts += [mean, np.sqrt(np.maximum(square - mean * mean, 0))]
        return np.concatenate(parts)

    def __call__(self, path, variant):
        chip = read(path) if self.eight else read_l1c(path)
        f = self.features(chip)
        return self.forest.predict(f.reshape(len(f), -1).T).reshape(chip.shape[1:])


class Table:
    """The most frequent class of each of 24 x 24 x 24 colours, and of all where a colour never came."""

    def __init__(self, data):
        counts = np.zeros((24 ** 3, 9))
        for path in sorted(glob.glob(os.path.join(data, "train_????.tif"))):
            np.add.at(counts, (self.cells(read(path)).ravel(), read(path.replace(".tif", "_prob.tif")).argmax(axis=0).ravel()), 1)
        self.best = np.where(counts.sum(1) > 0, counts.argmax(1), counts.sum(0).argmax())

    @staticmethod
    def cells(chip):
        q = np.clip(np.log(np.maximum(chip[[2, 1, 0]], 100) / 100.0) / np.log(100) * 24, 0, 23).astype(np.int64)
        return (q[0] * 24 + q[1]) * 24 + q[2]

    def __call__(self, path, variant):
        return self.best[self.cells(read_l1c(path))]


class Program:
    def __init__(self, program, model, options):
        self.command = [program, "predict", "-q", "-f", "-m", model, *options]

    def __call__(self, path, variant):
        with tempfile.TemporaryDirectory() as folder:
            source, target = os.path.join(folder, "scene.tif"), os.path.join(folder, "map.tif")
            with rasterio.open(path) as file:
                profile, chip, tags = file.profile, file.read(), file.tags()
            if variant == EIGHT_BIT:
                values, names = eight_bits(chip), ["red", "green", "blue"]
            else:
                values, names = chip[list(VARIANTS[variant])], [NAMES[b] for b in VARIANTS[variant]]
            profile.update(count=len(values), dtype=values.dtype, nodata=0)
            with rasterio.open(source, "w", **profile) as file:
                file.write(values)
                file.descriptions = names
                file.update_tags(PROCESSING_LEVEL=tags["PROCESSING_LEVEL"])
            run = subprocess.run([*self.command, source, "-o", target], capture_output=True, text=True)
            if run.returncode != 0:
                raise SystemExit(f"{path}: {run.stderr}")
            return read(target)[0]


def interval(per_place, figure):
    rng = np.random.default_rng(1)
    draws = [figure(sum(per_place[i] for i in rng.integers(len(per_place), size=len(per_place)))) for _ in range(1000)]
    return [float(v) for v in np.percentile(draws, [2.5, 97.5])]


def agreement(m):
    return 100 * np.trace(m) / m.sum()


def ious(m):
    with np.errstate(invalid="ignore", divide="ignore"):
        return 100 * np.diag(m) / (m.sum(0) + m.sum(1) - np.diag(m))


def miou(m):
    return float(np.nanmean(ious(m)[m.sum(1) >= 0.001 * m.sum()]))


def is_narrow(labels):
    """Pixels that no square of NARROW x NARROW pixels of their class covers: streams, roads, single fields, borders' fringes."""
    from scipy import ndimage
    square = np.ones((NARROW, NARROW))
    return ~np.logical_or.reduce([ndimage.binary_opening(labels == c, square) for c in range(9)])


def figures(chips, mapper, variant):
    matrices = {}
    narrow_right, narrow = np.zeros(9), np.zeros(9)
    for prefix, paths in chips.items():
        m = np.zeros((9, 9))
        for path in paths:
            labels = read(path.replace(".tif", "_prob.tif")).argmax(axis=0)
            inner = (slice(BORDER, -BORDER),) * 2
            thin = is_narrow(labels)[inner]
            labels, got = labels[inner], mapper(path, variant)[inner]
            seen = got < 9
            m += np.bincount((labels[seen] * 9 + got[seen]).ravel(), minlength=81).reshape(9, 9)
            narrow += np.bincount(labels[thin], minlength=9)
            narrow_right += np.bincount(labels[thin & (labels == got)], minlength=9)
        matrices[prefix] = m
    per_place, whole = list(matrices.values()), sum(matrices.values())
    return dict(agreement=float(agreement(whole)), agreement_interval=interval(per_place, agreement), miou=miou(whole),
                miou_interval=interval(per_place, miou), iou=dict(zip(CLASSES, [round(float(v), 1) for v in ious(whole)])),
                share=dict(zip(CLASSES, [round(float(v), 2) for v in 100 * whole.sum(1) / whole.sum()])),
                found=dict(zip(CLASSES, [round(float(v), 1) for v in 100 * np.diag(whole) / np.maximum(whole.sum(1), 1)])),
                narrow_found=dict(zip(CLASSES, [round(float(v), 1) for v in 100 * narrow_right / np.maximum(narrow, 1)])),
                narrow_share=round(float(100 * narrow.sum() / whole.sum()), 1),
                places={p: round(float(agreement(m)), 1) for p, m in matrices.items()})


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("data")
    parser.add_argument("--split", default="holdout")
    parser.add_argument("--model")
    parser.add_argument("--program", default="build/metaseg")
    parser.add_argument("--option", action="append", default=[], help="given to metaseg predict")
    parser.add_argument("--variant", action="append")
    parser.add_argument("--forest", action="store_true")
    parser.add_argument("--table", action="store_true")
    parser.add_argument("--json")
    o = parser.parse_args()
    chips = {p: sorted(f for f in glob.glob(os.path.join(o.data, p + "*.tif")) if not f.endswith("_prob.tif"))
             for p in places_of(o.split)}
    result = {}
    for variant in o.variant or [*VARIANTS, EIGHT_BIT]:
        mappers = {}
        if o.model:
            mappers["metaseg"] = Program(o.program, o.model, o.option)
        if o.forest:
            mappers["random forest"] = Forest(o.data, VARIANTS.get(variant, []), variant == EIGHT_BIT)
        if o.table and variant == "blue, green, red":
            mappers["colour table"] = Table(o.data)
        for name, mapper in mappers.items():
            f = result.setdefault(name, {})[variant] = figures(chips, mapper, variant)
            print(f"{name}, {variant}: agreement {f['agreement']:.1f} % ({f['agreement_interval'][0]:.1f} to "
                  f"{f['agreement_interval'][1]:.1f}), mIoU {f['miou']:.1f}", f["iou"], f["places"], flush=True)
    if o.json:
        with open(o.json, "w") as file:
            json.dump(result, file, indent=1)


if __name__ == "__main__":
    main()
