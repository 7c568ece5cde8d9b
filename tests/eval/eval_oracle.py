#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""metaseg eval against another implementation: exact fractions, sets of pixels, projections from their formulas.

    python3 eval_oracle.py METASEG [CASES [SEED]]

Makes random pairs of rasters (types, nodata values, grids, coordinate reference systems), compares the JSON and CSV of
`metaseg eval` with what is computed here, and stops at the first difference. Only the standard library is used: rasters
are written as raw ENVI files, virtual rasters (VRT) give them their places.
"""
import array
import csv
import json
import math
import os
import random
import subprocess
import sys
import tempfile
from collections import Counter
from fractions import Fraction

TYPES = {  # GDAL's name: ENVI's number, array's letter, least and largest value drawn
    "Byte": (1, "B", 0, 255), "Int16": (2, "h", -300, 3000), "UInt16": (12, "H", 0, 65535),
    "Int32": (3, "i", -70000, 70000), "Float32": (4, "f", -500, 100000),
}


# ---- projections: longitude, latitude in degrees <-> metres, WGS 84 -------------------------------------------------

A, F = 6378137.0, 1 / 298.257223563
N = F / (2 - F)
# Krueger's series to the fourth order (Karney 2011, equations 35 and 36)
ALPHA = [N / 2 - 2 * N**2 / 3 + 5 * N**3 / 16 + 41 * N**4 / 180, 13 * N**2 / 48 - 3 * N**3 / 5 + 557 * N**4 / 1440,
         61 * N**3 / 240 - 103 * N**4 / 140, 49561 * N**4 / 161280]
BETA = [N / 2 - 2 * N**2 / 3 + 37 * N**3 / 96 - N**4 / 360, N**2 / 48 + N**3 / 15 - 437 * N**4 / 1440,
        17 * N**3 / 480 - 37 * N**4 / 840, 4397 * N**4 / 161280]
RADIUS = A / (1 + N) * (1 + N**2 / 4 + N**4 / 64)
E = math.sqrt(F * (2 - F))


def utm_forward(lon, lat, meridian):
    phi, lam = math.radians(lat), math.radians(lon - meridian)
    t = math.sinh(math.atanh(math.sin(phi)) - E * math.atanh(E * math.sin(phi)))
    xi, eta = math.atan2(t, math.cos(lam)), math.asinh(math.sin(lam) / math.hypot(t, math.cos(lam)))
    x, y = eta, xi
    for k, a in enumerate(ALPHA, 1):
        x += a * math.cos(2 * k * xi) * math.sinh(2 * k * eta)
        y += a * math.sin(2 * k * xi) * math.cosh(2 * k * eta)
    return 500000 + 0.9996 * RADIUS * x, 0.9996 * RADIUS * y


def utm_inverse(x, y, meridian):
    eta, xi = (x - 500000) / (0.9996 * RADIUS), y / (0.9996 * RADIUS)
    u, v = xi, eta
    for k, b in enumerate(BETA, 1):
        u -= b * math.sin(2 * k * xi) * math.cosh(2 * k * eta)
        v -= b * math.cos(2 * k * xi) * math.sinh(2 * k * eta)
    sphere = math.asin(math.sin(u) / math.cosh(v))
    phi = sphere
    for _ in range(8):  # from the conformal latitude
        phi = math.asin(math.tanh(math.atanh(math.sin(sphere)) + E * math.atanh(E * math.sin(phi))))
    return meridian + math.degrees(math.atan2(math.sinh(v), math.cos(u))), math.degrees(phi)


def web_forward(lon, lat):
    return A * math.radians(lon), A * math.log(math.tan(math.pi / 4 + math.radians(lat) / 2))


def web_inverse(x, y):
    return math.degrees(x / A), math.degrees(2 * math.atan(math.exp(y / A)) - math.pi / 2)


SYSTEMS = {  # to and from longitude and latitude; a pixel size that gives about 100 m
    "EPSG:4326": (lambda x, y: (x, y), lambda lon, lat: (lon, lat), 0.001),
    "EPSG:32633": (lambda x, y: utm_inverse(x, y, 15), lambda lon, lat: utm_forward(lon, lat, 15), 100.0),
    "EPSG:32632": (lambda x, y: utm_inverse(x, y, 9), lambda lon, lat: utm_forward(lon, lat, 9), 100.0),
    "EPSG:3857": (web_inverse, web_forward, 150.0),
}


# ---- rasters ------------------------------------------------------------------------------------------------------

class Raster:
    def __init__(self, kind, width, height, values, nodata, system, transform):
        self.kind, self.width, self.height, self.values = kind, width, height, values
        self.nodata, self.system, self.transform = nodata, system, transform

    def write(self, stem):
        number, letter, _, _ = TYPES[self.kind]
        with open(stem + ".bin", "wb") as f:
            array.array(letter, self.values).tofile(f)
        with open(stem + ".hdr", "w", encoding="ascii") as f:
            f.write(f"ENVI\nsamples = {self.width}\nlines = {self.height}\nbands = 1\nheader offset = 0\n"
                    f"data type = {number}\ninterleave = bsq\nbyte order = 0\n")
        srs = f"<SRS>{self.system}</SRS>" if self.system else ""
        place = "<GeoTransform>" + ", ".join(repr(float(t)) for t in self.transform) + "</GeoTransform>" \
            if self.transform else ""
        nodata = f"<NoDataValue>{self.nodata}</NoDataValue>" if self.nodata is not None else ""
        with open(stem + ".vrt", "w", encoding="ascii") as f:
            f.write(f'<VRTDataset rasterXSize="{self.width}" rasterYSize="{self.height}">{srs}{place}'
                    f'<VRTRasterBand dataType="{self.kind}" band="1">{nodata}<SimpleSource><SourceFilename '
                    f'relativeToVRT="1">{os.path.basename(stem)}.bin</SourceFilename><SourceBand>1</SourceBand>'
                    f"</SimpleSource></VRTRasterBand></VRTDataset>\n")
        return stem + ".vrt"

    def at(self, column, row):
        value = int(self.values[row * self.width + column])
        return None if value == self.nodata else value

    def place(self, column, row):
        t = [Fraction(v) for v in self.transform]
        x, y = Fraction(2 * column + 1, 2), Fraction(2 * row + 1, 2)
        return t[0] + t[1] * x + t[2] * y, t[3] + t[4] * x + t[5] * y

    def pixel(self, x, y):
        """Column and row of a place, None outside, "tie" too near to a border to tell."""
        t = [Fraction(v) for v in self.transform]
        d = t[1] * t[5] - t[2] * t[4]
        u, v = Fraction(x) - t[0], Fraction(y) - t[3]
        column, row = (t[5] * u - t[2] * v) / d, (t[1] * v - t[4] * u) / d
        for c in (column, row):
            if abs(c - round(c)) < Fraction(1, 10**5):
                return "tie"
        if not (0 <= column < self.width and 0 <= row < self.height):
            return None
        return math.floor(column), math.floor(row)


def random_values(rng, kind, width, height, palette):
    values, value = [], rng.choice(palette)
    for _ in range(width * height):
        if rng.random() < 0.3:
            value = rng.choice(palette)
        values.append(value)
    return values


def random_raster(rng, system, about, palette):
    kinds = [k for k, t in TYPES.items() if all(t[2] <= v <= t[3] for v in palette)]
    width, height = rng.randint(1, 70), rng.randint(1, 60)
    kind = rng.choice(kinds)
    transform = None
    if about is not None:
        step = SYSTEMS[system][2] * rng.uniform(0.3, 3.0) if system else rng.uniform(0.5, 4.0)
        x, y = SYSTEMS[system][1](*about) if system else about
        shear = rng.choice([0.0, 0.0, 0.2]) * step
        up = rng.choice([-1, -1, 1])
        transform = [x - width / 2 * step, step, shear, y - up * height / 2 * step, shear, up * step * rng.choice([1, 0.5])]
    nodata = rng.choice([None, palette[0], 9])
    return Raster(kind, width, height, random_values(rng, kind, width, height, palette), nodata, system, transform)


def random_pair(rng):
    palettes = [[0, 1, 2, 3], [1, 2, 7, 255, 254], [0, 5, 111, 311, 512, 999], [-5, 0, 3, 70], list(range(0, 600, 7)),
                [100, 30000, 65535, 256]]
    palette = rng.choice(palettes)
    mode = rng.choice(["same grid", "same system", "no system", "pixels", "two systems", "two systems"])
    where = (12 + rng.uniform(-1, 1), 48 + rng.uniform(-5, 5))
    first = rng.choice(list(SYSTEMS))
    if mode == "pixels":
        truth = random_raster(rng, "", None, palette)
    elif mode == "no system":
        truth = random_raster(rng, "", (1000.0, 2000.0), palette)
    else:
        truth = random_raster(rng, first, where, palette)
    about = None if mode == "pixels" else (1003.3, 1998.7) if mode == "no system" else \
        (where[0] + rng.uniform(-0.004, 0.004), where[1] + rng.uniform(-0.004, 0.004))
    system = rng.choice([s for s in SYSTEMS if s != first]) if mode == "two systems" else truth.system
    chart = random_raster(rng, system, about, palette)
    if mode in ("same grid", "pixels"):
        chart.width, chart.height, chart.transform = truth.width, truth.height, truth.transform
        chart.values = random_values(rng, chart.kind, chart.width, chart.height, palette)
    if rng.random() < 0.7:  # mostly right, as maps are
        for i in range(len(chart.values)):
            spot = truth.at(i % chart.width, i // chart.width) \
                if mode in ("same grid", "pixels") and rng.random() < 0.8 else None
            if spot is not None:
                chart.values[i] = spot
    return chart, truth


# ---- the figures --------------------------------------------------------------------------------------------------

def compare(chart, truth, ignore):
    """Pairs (truth, prediction) of each labelled pixel, None without a value; how many are ignored; None for a tie."""
    pairs, ignored = [], 0
    for row in range(truth.height):
        for column in range(truth.width):
            label = truth.at(column, row)
            if label is None:
                continue
            if label == ignore:
                ignored += 1
                continue
            spot = (column, row)
            if truth.transform is not None and (chart.transform, chart.system) != (truth.transform, truth.system):
                x, y = truth.place(column, row)
                if chart.system != truth.system:
                    x, y = SYSTEMS[chart.system][1](*SYSTEMS[truth.system][0](float(x), float(y)))
                spot = chart.pixel(x, y)
                if spot == "tie":
                    return None
            pairs.append((label, chart.at(*spot) if spot is not None else None))
    return pairs, ignored


def mean(figures):
    figures = [f for f in figures if f is not None]
    return sum(figures) / len(figures) if figures else None


def means_by_protocol(classes):
    """mIoU and mF1 from (truth, predicted, right) of each class that takes part, as three evaluators have them."""
    def geoseg_f1(t, p, hit):  # nan where 0 is divided by 0: nothing predicted, nothing there, nothing right
        precision, recall = (Fraction(hit, p) if p else None), (Fraction(hit, t) if t else None)
        if precision is None or recall is None or precision + recall == 0:
            return None
        return 2 * precision * recall / (precision + recall)

    def iou(t, p, hit):
        return Fraction(hit, t + p - hit) if t + p - hit else None

    def f1(t, p, hit):
        return Fraction(2 * hit, t + p) if t + p else None

    there = [c for c in classes if c[0] > 0]
    return {
        "metaseg": (mean([iou(*c) for c in there]), mean([f1(*c) for c in there])),
        "geoseg": (mean([iou(*c) for c in classes]), mean([geoseg_f1(*c) for c in classes])),
        "torchmetrics": (mean([iou(*c) for c in classes]), mean([f1(*c) for c in classes])),
    }


def figures(pairs, excluded, minimum_share, beside=()):
    """beside: classes that count in everything but the means."""
    truths, predictions = {}, {}  # class -> set of pixels
    for i, (t, p) in enumerate(pairs):
        if p is not None and t not in excluded:
            truths.setdefault(t, set()).add(i)
            predictions.setdefault(p, set()).add(i)
    total = sum(len(s) for s in truths.values())
    classes, parts = {}, []
    for c in set(truths) | set(predictions):
        t, p = truths.get(c, set()), predictions.get(c, set())
        hit = len(t & p)
        iou = Fraction(hit, len(t | p))
        precision = Fraction(hit, len(p)) if p else None
        recall = Fraction(hit, len(t)) if t else None
        f1 = Fraction(0) if hit == 0 else 2 * precision * recall / (precision + recall)
        shown = c not in excluded and c not in beside and len(t) >= minimum_share * total
        counted = shown and len(t) > 0
        classes[c] = (len(t), len(p), iou, f1, precision, recall, counted)
        if shown:
            parts.append((len(t), len(p), hit))
    right = sum(len(s & predictions.get(c, set())) for c, s in truths.items())
    chance = sum(Fraction(len(truths[c]) * len(predictions.get(c, set())), total**2) for c in truths) if total else 0
    accuracy = Fraction(right, total) if total else None
    return {
        "pixels": total, "classes": classes, "overall_accuracy": accuracy,
        "means": means_by_protocol(parts),
        "kappa": (accuracy - chance) / (1 - chance) if total and chance < 1 else None,
        "uncovered": sum(1 for t, p in pairs if p is None and t not in excluded),
    }


def same(ours, theirs, what):
    if theirs is None:
        assert ours is None, f"{what}: {ours}, expected none"
    elif isinstance(theirs, Fraction):
        assert ours is not None and abs(ours - float(theirs)) < 1e-12, f"{what}: {ours}, expected {float(theirs)}"
    else:
        assert ours == theirs, f"{what}: {ours}, expected {theirs}"


def check_json(path, pairs, ignored, excluded, minimum_share, beside=(), protocol="metaseg"):
    with open(path, encoding="utf-8") as f:
        got = json.load(f)
    want = figures(pairs, excluded, minimum_share, beside)
    same(got["protocol"], protocol, "protocol")
    for name, (miou, mf1) in want["means"].items():
        same(got["means"][name]["miou"], miou, f"mIoU by {name}")
        same(got["means"][name]["mf1"], mf1, f"mF1 by {name}")
    same(got["miou_macro"], want["means"][protocol][0], "miou_macro")
    same(got["mf1_macro"], want["means"][protocol][1], "mf1_macro")
    for key in ("pixels", "uncovered", "overall_accuracy", "kappa"):
        same(got[key], want[key], key)
    same(got["ignored"], ignored, "ignored")
    same(got["labelled"], want["pixels"] + want["uncovered"], "labelled")
    lines = {line["value"]: line for line in got["classes"]}
    for c, (t, p, iou, f1, precision, recall, counted) in want["classes"].items():
        line = lines[c]
        same(line["predicted"], p, f"predicted of {c}")
        same(line["counted"], counted, f"counted of {c}")
        if c in excluded:
            continue
        if protocol == "geoseg" and line["f1"] is None:
            same(f1, Fraction(0), f"f1 of {c}, of which nothing is right")
            f1 = None
        for key, value in (("truth", t), ("iou", iou), ("f1", f1), ("precision", precision), ("recall", recall)):
            same(line[key], value, f"{key} of {c}")
    missing = Counter(t for t, p in pairs if p is None)
    for c, line in lines.items():
        same(line["uncovered"], missing[c], f"uncovered of {c}")


def check_csv(path, pairs):
    want = Counter((str(t), "no value" if p is None else str(p)) for t, p in pairs)
    with open(path, encoding="utf-8", newline="") as f:
        rows = list(csv.reader(f))
    got = Counter()
    for row in rows[1:]:
        for column, n in zip(rows[0][1:], row[1:]):
            got[(row[0], column)] += int(n)
    assert +got == +want, f"confusion matrix: {+got}, expected {+want}"


def run_case(metaseg, folder, seed):
    rng = random.Random(seed)
    chart, truth = random_pair(rng)
    ignore = rng.choice([255, 0, -1, 311])
    compared = compare(chart, truth, ignore)
    if compared is None:
        return False
    pairs, ignored = compared
    labels = sorted({t for t, _ in pairs})
    excluded = set(rng.sample(labels, 1)) if len(labels) > 2 and rng.random() < 0.3 else set()
    beside = set(rng.sample(labels, 1)) if len(labels) > 2 and rng.random() < 0.3 else set()
    protocol = rng.choice(["metaseg", "geoseg", "torchmetrics"])
    share = rng.choice([0, 0, 0.1])
    arguments = [metaseg, "eval", chart.write(os.path.join(folder, "map")), truth.write(os.path.join(folder, "truth")),
                 "-q", "-f", "--ignore", str(ignore), "--json", os.path.join(folder, "f.json"), "--csv",
                 os.path.join(folder, "f.csv"), "--minimum-share", str(share), "--protocol", protocol]
    for value in excluded:
        arguments.append(f"--exclude={value}")
    for value in beside:
        arguments.append(f"--not-in-means={value}")
    done = subprocess.run(arguments, capture_output=True, text=True, check=False)
    if figures(pairs, excluded, share)["pixels"] == 0:
        assert done.returncode == 4, f"exit code {done.returncode} with nothing to compare: {done.stderr}"
        return True
    assert done.returncode == 0, done.stderr
    check_json(os.path.join(folder, "f.json"), pairs, ignored, excluded, Fraction(share), beside, protocol)
    check_csv(os.path.join(folder, "f.csv"), pairs)
    return True


def main():
    metaseg = os.path.abspath(sys.argv[1])
    cases = int(sys.argv[2]) if len(sys.argv) > 2 else 60
    seed = int(sys.argv[3]) if len(sys.argv) > 3 else 1
    done = 0
    with tempfile.TemporaryDirectory() as folder:
        while done < cases:
            try:
                done += run_case(metaseg, folder, seed)
            except AssertionError as failure:
                print(f"case {seed}: {failure}")
                return 1
            seed += 1
    print(f"{done} random comparisons agree")
    return 0


if __name__ == "__main__":
    sys.exit(main())
