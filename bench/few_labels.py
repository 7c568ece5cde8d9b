#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A model from a few polygons beside a random forest: the same polygons, the same images, the same held-out places.

    python3 bench/few_labels.py DATA --metaseg build/metaseg [--case belfast] [--minutes 10] [--seed 1] [--from MODEL]
                                [--threads 2] [--results .cache/few_labels.jsonl] [--keep FOLDER] [--no-network]
    python3 bench/few_labels.py --table [--results .cache/few_labels.jsonl]

DATA has the research data: belfast/, dubai/, rasters/, landsat/. Cases, all without --case; --seed draws the polygons, too:

- belfast: Sentinel-2 colours at 10 m, 25 April 2020. 20 polygons a class out of WorldCover in the western half. Held out: columns 544 to
  1023 (the eastern half but for 32 columns) of that date, of 20 September 2019 and of 30 May 2023.
- dubai: aerial pictures. 10 polygons a class out of the 18 pictures of tiles 4 and 8. Held out: picture 5 of the tiles 1, 2, 3, 5 and 6.
- naip: share/examples/naip_polygons.gpkg over rasters/m_4709963_se_14_1_20200831.tif. Every second polygon of a class learns, the others
  are held out.
- raleigh: Landsat 7, six bands, 28.5 m. 15 polygons a class in the western half. Held out: columns 260 to 488 (the eastern half but for 16).

Polygons are squares whose sides are drawn from half the largest side to that (10 pixels in belfast, 24 in dubai, 8 in raleigh), at places
drawn among the pixels of the class, one after the other: one is taken when at least 95 % of it are of the class and it lies on no other.

The forest: scikit-learn's, 200 trees, on the bands and the mean and deviation of 3x3 and 9x9 pixels, at most 50,000 pixels a class.
Figures: pixels of the held-out places whose class is learned, one matrix of all images. Each result is a line of the file --results, and what
stands there is not done again, so that a run that was cut off goes on. --table makes the table of docs/results/few-labels.md of it. --from: a
second run of metaseg that starts from this model. Needs bench/few_labels.txt.
"""
import argparse
import json
import os
import pathlib
import sqlite3
import struct
import subprocess
import sys
import tempfile
import time
import warnings

import numpy as np
import rasterio
import rasterio.features
from rasterio.transform import from_origin
from scipy import ndimage
from sklearn.ensemble import RandomForestClassifier
from threadpoolctl import threadpool_limits

TOP = pathlib.Path(__file__).resolve().parent.parent
PAGE = TOP / "docs/results/few-labels.md"
TREES = 200
MOST_PIXELS = 50000  # of a class that the forest learns from


class Case:
    """train: [(image path, polygons)], polygons = [(class name, [(x, y), ...])] in the image's CRS. test: [(image path, truth)],
    truth = class indexes, -1: not judged."""

    def __init__(self, name, classes, train, test, what):
        self.name, self.classes, self.train, self.test, self.what = name, classes, train, test, what


def write_image(path, pixels, epsg, x, y, size):
    with rasterio.open(path, "w", driver="GTiff", width=pixels.shape[2], height=pixels.shape[1], count=len(pixels), dtype=pixels.dtype,
                       crs=f"EPSG:{epsg}", transform=from_origin(x, y, size, size)) as file:
        file.write(pixels)
    return path


def squares(labels, classes, transform, wanted, side, columns, rng):
    """Squares as told above, in columns [0, columns); wanted[i]: of classes[i]. [(class name, corners)]"""
    taken = np.zeros(labels.shape, bool)
    polygons = []
    for index, name in enumerate(classes):
        found = 0
        rows, cols = np.nonzero(labels[:, :columns] == index)
        for pick in rng.permutation(len(rows))[:20000]:
            if found == wanted[index]:
                break
            size = int(rng.integers(side // 2, side + 1))
            top, left = rows[pick] - size // 2, cols[pick] - size // 2
            part = (slice(top, top + size), slice(left, left + size))
            if top < 0 or left < 0 or top + size > labels.shape[0] or left + size > columns or taken[part].any():
                continue
            if (labels[part] == index).mean() < 0.95:
                continue
            taken[part] = True
            corners = [(left, top), (left + size, top), (left + size, top + size), (left, top + size)]
            polygons.append((name, [transform * corner for corner in corners]))
            found += 1
    return polygons


def by_color(path, colors):
    """Class indexes of a picture of classes, of three bands or with a palette; -1: none of the colours."""
    with rasterio.open(path) as file:
        picture = file.read()
        if file.count == 1:
            table = np.zeros((256, 3), np.uint8)
            for value, color in file.colormap(1).items():
                table[value] = color[:3]
            picture = table[picture[0]].transpose(2, 0, 1)
    labels = np.full(picture.shape[1:], -1, np.int8)
    for index, color in enumerate(colors):
        labels[(np.abs(picture[:3].astype(int) - np.array(color)[:, None, None]).sum(0) <= 12)] = index
    return labels


def belfast(data, work, rng):
    classes = {"built": (250, 0, 0), "tree": (0, 100, 0), "grass": (255, 255, 76), "water": (0, 100, 200), "bare": (180, 180, 180)}
    labels = by_color(data / "belfast/2020_ESA_WorldCover_Map.png", classes.values())
    half = labels.shape[1] // 2
    paths = {}
    for date in ["20200425", "20190920", "20230530"]:
        pixels = rasterio.open(data / f"belfast/s2_{date}.png").read()[:3]
        paths[date] = write_image(work / f"s2_{date}.tif", pixels, 32629, 690000, 6060000, 10)
    with rasterio.open(paths["20200425"]) as file:
        polygons = squares(labels, list(classes), file.transform, [20] * len(classes), 10, half, rng)
    truth = labels.copy()
    truth[:, :half + 32] = -1
    return Case("belfast", list(classes), [(paths["20200425"], polygons)], [(path, truth) for path in paths.values()],
                "Sentinel-2 colours, 20 polygons a class; the other half, three dates")


def dubai(data, work, rng):
    classes = {"building": (0x3C, 0x10, 0x98), "land": (0x84, 0x29, 0xF6), "road": (0x6E, 0xC1, 0xE4), "vegetation": (0xFE, 0xDD, 0x3A),
               "water": (0xE2, 0xA9, 0x29)}

    def read(tile, part):
        stem = data / f"dubai/tile_{tile}/image_part_{part:03d}"
        with rasterio.open(f"{stem}.jpg") as file:  # places of their own, for polygons need one; the pixels' size is not known
            path = write_image(work / f"dubai_{tile}_{part}.tif", file.read(), 32640, 300000 + 5000 * part, 2700000 + 5000 * tile, 1)
        return path, by_color(f"{stem}.png", classes.values())

    missing = {name: 10 for name in classes}
    drawn = {}
    pictures = [(tile, part) for tile in (4, 8) for part in range(1, 10)]
    for each in (1, 10):  # one of each class and picture, as far as that goes
        for index in rng.permutation(len(pictures)):
            path, labels = read(*pictures[index])
            wanted = [min(each, missing[name]) for name in classes]
            if each > 1 and path in drawn:
                continue
            with rasterio.open(path) as file:
                polygons = squares(labels, list(classes), file.transform, wanted, 24, labels.shape[1], rng)
            for name, _ in polygons:
                missing[name] -= 1
            if polygons:
                drawn[path] = polygons
    test = [read(tile, 5) for tile in (1, 2, 3, 5, 6)]
    return Case("dubai", list(classes), list(drawn.items()), test, "aerial, 10 polygons a class of two tiles; pictures of five other tiles")


def read_geopackage(path, table, field):
    """[(value of the field, outer ring)] of single polygons: GeoPackage's header and WKB, little-endian."""
    found = []
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as file:
        for value, blob in file.execute(f"SELECT {field}, geom FROM {table} ORDER BY fid"):
            wkb = blob[8 + [0, 32, 48, 48, 64][blob[3] >> 1 & 7]:]
            kind, rings, points = struct.unpack("<IIi", wkb[1:13])
            assert wkb[0] == 1 and kind == 3 and rings == 1
            xy = struct.unpack(f"<{2 * points}d", wkb[13:13 + 16 * points])
            found.append((value, list(zip(xy[::2], xy[1::2]))[:-1]))
    return found


def naip(data, work, rng):
    path = data / "rasters/m_4709963_se_14_1_20200831.tif"
    drawn = read_geopackage(TOP / "share/examples/naip_polygons.gpkg", "polygons", "class")
    classes = sorted({name for name, _ in drawn})
    with rasterio.open(path) as file:
        size, transform = (file.height, file.width), file.transform
    drawn.sort(key=lambda item: item[0])
    judges = drawn[1::2]
    held = [({"type": "Polygon", "coordinates": [ring + ring[:1]]}, classes.index(name)) for name, ring in judges]
    truth = rasterio.features.rasterize(held, size, fill=-1, transform=transform, dtype="int16")
    return Case("naip", classes, [(path, drawn[::2])], [(path, truth)], "aerial, 5 m, four bands, half of 40 drawn polygons; the other half")


def raleigh(data, work, rng):
    classes = ["developed", "agriculture", "herbaceous", "shrub", "forest", "water"]
    with rasterio.open(data / "landsat/raleigh_landclass96.tif") as file:
        labels = file.read(1).astype(np.int8) - 1
    labels[labels >= len(classes)] = -1
    path = data / "landsat/raleigh_lsat7_2000.tif"
    with rasterio.open(path) as file:
        labels[file.read_masks().min(0) == 0] = -1  # a part of the image is nodata
    half = labels.shape[1] // 2
    with rasterio.open(path) as file:
        polygons = squares(labels, classes, file.transform, [15] * len(classes), 8, half, rng)
    truth = labels.copy()
    truth[:, :half + 16] = -1
    return Case("raleigh", classes, [(path, polygons)], [(path, truth)], "Landsat 7, 28.5 m, six bands, 15 polygons a class; eastern half")


CASES = {"belfast": belfast, "dubai": dubai, "naip": naip, "raleigh": raleigh}


def features(path):
    """[rows, columns, features] in float32."""
    with rasterio.open(path) as file:
        pixels = file.read().astype(np.float32)
    planes = []
    for band in pixels:
        planes.append(band)
        for side in (3, 9):
            mean = ndimage.uniform_filter(band, side)
            planes += [mean, np.sqrt(np.maximum(ndimage.uniform_filter(band * band, side) - mean * mean, 0))]
    return np.stack(planes, -1)


def forest(case, threads, seed):
    start = time.time()
    xs, ys = [], []
    for path, polygons in case.train:
        with rasterio.open(path) as file:
            shapes = [({"type": "Polygon", "coordinates": [ring + ring[:1]]}, case.classes.index(name)) for name, ring in polygons]
            labels = rasterio.features.rasterize(shapes, (file.height, file.width), fill=-1, transform=file.transform, dtype="int16")
        xs.append(features(path)[labels >= 0])
        ys.append(labels[labels >= 0])
    x, y = np.concatenate(xs), np.concatenate(ys)
    rng = np.random.default_rng(seed)
    keep = np.concatenate([rng.permutation(np.nonzero(y == c)[0])[:MOST_PIXELS] for c in np.unique(y)])
    model = RandomForestClassifier(TREES, n_jobs=threads, random_state=seed, class_weight="balanced").fit(x[keep], y[keep])
    maps = []
    for path, truth in case.test:
        f = features(path)
        maps.append(model.predict(f.reshape(-1, f.shape[-1])).reshape(truth.shape))
    return maps, time.time() - start


def write_polygons(case, work):
    crs = rasterio.open(case.train[0][0]).crs
    found = [{"type": "Feature", "properties": {"class": name}, "geometry": {"type": "Polygon", "coordinates": [[list(p) for p in ring + ring[:1]]]}}
             for _, polygons in case.train for name, ring in polygons]
    path = work / f"{case.name}.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": found}))
    return path, crs.to_wkt() if crs.to_epsg() is None else f"EPSG:{crs.to_epsg()}"


def network(case, work, args, start_from):
    start = time.time()
    polygons, crs = write_polygons(case, work)
    folder = work / f"{case.name}_{'from' if start_from else 'new'}"
    threads = ["--threads", str(args.threads)]
    command = [args.metaseg, "train", "--labels", polygons, "--labels-crs", crs, "--field", "class", "-o", folder, "-f", "--no-map",
               "--minutes", str(args.minutes), "--seed", str(args.seed), *threads]
    for path, _ in case.train:
        command += ["--image", path]
    if start_from:
        command += ["--from", start_from]
    subprocess.run([str(part) for part in command], check=True)
    seconds = time.time() - start
    maps = []
    for index, (path, truth) in enumerate(case.test):
        out = folder / f"test_{index}.tif"
        subprocess.run([args.metaseg, "predict", str(path), "-m", str(folder / "best.safetensors"), "-o", str(out), "-f", "-q", "--tta", "lr", *threads], check=True)
        codes = {}
        with rasterio.open(out) as file:
            for key, name in file.tags().items():
                if key.startswith("METASEG_CLASS_"):
                    codes[int(key.removeprefix("METASEG_CLASS_"))] = name
            values = file.read(1)
        found = np.full(truth.shape, -1, np.int16)
        for code, name in codes.items():
            if name in case.classes:
                found[values == code] = case.classes.index(name)
        maps.append(found)
    return maps, seconds


def figures(case, maps):
    """mIoU over the classes learned and held out, OA, IoU of each."""
    n = len(case.classes)
    learned = {case.classes.index(name) for _, polygons in case.train for name, _ in polygons}
    matrix = np.zeros((n, n + 1), np.int64)
    for (_, truth), found in zip(case.test, maps):
        judged = np.isin(truth, list(learned))
        np.add.at(matrix, (truth[judged].astype(int), np.where(found[judged] < 0, n, found[judged]).astype(int)), 1)
    iou = {}
    for c in sorted(learned):
        union = matrix[c].sum() + matrix[:, c].sum() - matrix[c, c]
        if matrix[c].sum() > 0:
            iou[case.classes[c]] = matrix[c, c] / union
    return np.mean(list(iou.values())), np.trace(matrix[:, :n]) / matrix.sum(), iou


def read_results(path):
    """Whole lines of the file; the last one may have been cut off."""
    found = []
    for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else []:
        try:
            found.append(json.loads(line))
        except json.JSONDecodeError:
            print(f"{path}: passes over '{line[:60]}', which is no whole line", file=sys.stderr)
    return found


def add_result(path, result):
    path.parent.mkdir(parents=True, exist_ok=True)
    cut = path.exists() and path.stat().st_size > 0 and not path.read_bytes().endswith(b"\n")
    with open(path, "a", encoding="utf-8") as file:
        file.write(("\n" if cut else "") + json.dumps(result) + "\n")
        file.flush()
        os.fsync(file.fileno())


def mean(values, factor=100):
    values = factor * np.array(values)
    return f"{values.mean():.1f}" + (f" ± {values.std(ddof=1):.1f}" if len(values) > 1 else "")


def rows_of(results):
    groups = {}
    for result in results:
        groups.setdefault((result["case"], result["how"], result["minutes"]), []).append(result)
    for (case, how, minutes), group in sorted(groups.items(), key=lambda item: (item[0][0], "forest" not in item[0][1], item[0][1], item[0][2] or 0)):
        names = [name for name in group[0]["iou"] if all(name in result["iou"] for result in group)]
        each = ", ".join(f"{name} {100 * np.mean([result['iou'][name] for result in group]):.0f}" for name in names)
        seeds = ", ".join(str(seed) for seed in sorted(result["seed"] for result in group))
        yield (f"| {case} | {how}{f', {minutes:g} minutes' if minutes else ''} | {seeds} | {mean([result['miou'] for result in group])} | "
               f"{mean([result['oa'] for result in group])} | {each} | {np.mean([result['seconds'] for result in group]) / 60:.1f} |")


def write_table(results):
    """Cases that have results take the place of their old rows."""
    head = ["| case | how | seeds | mIoU | OA | IoU of each class | minutes |", "| --- | --- | --- | --- | --- | --- | --- |"]
    begin, end = "<!-- table: bench/few_labels.py --table -->", "<!-- end of table -->"
    text = PAGE.read_text(encoding="utf-8")
    before, rest = text.split(begin)
    table, after = rest.split(end)
    cases = {result["case"] for result in results}
    kept = [line for line in table.strip().splitlines()[2:] if line.split("|")[1].strip() not in cases]
    rows = sorted(kept + list(rows_of(results)), key=lambda line: line.split("|")[1])
    PAGE.write_text(before + begin + "\n" + "\n".join(head + rows) + "\n" + end + after, encoding="utf-8")


def run_case(name, args, work):
    results = read_results(args.results)
    starts = [] if args.no_network else [None] + ([args.start_from] if args.start_from else [])
    ways = [(f"random forest, {TREES} trees", None, None)]
    ways += [("metaseg" + (f" --from {pathlib.Path(start).stem}" if start else ""), args.minutes, start) for start in starts]
    done = {(result["case"], result["how"], result["minutes"], result["seed"]) for result in results}
    ways = [way for way in ways if (name, way[0], way[1], args.seed) not in done]
    if not ways:
        print(f"{name}, seed {args.seed}: stands in {args.results}", flush=True)
        return
    case = CASES[name](args.data, work, np.random.default_rng(args.seed))
    polygons = {c: sum(n == c for _, p in case.train for n, _ in p) for c in case.classes}
    print(f"{name}, seed {args.seed}: {case.what}; {polygons}", flush=True)
    for how, minutes, start in ways:
        maps, seconds = network(case, work, args, start) if minutes else forest(case, args.threads, args.seed)
        miou, accuracy, iou = figures(case, maps)
        result = {"case": name, "how": how, "minutes": minutes, "seed": args.seed, "threads": args.threads, "polygons": polygons,
                  "miou": float(miou), "oa": float(accuracy), "iou": {c: float(v) for c, v in iou.items()}, "seconds": seconds}
        add_result(args.results, result)
        print(next(rows_of([result])), flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=pathlib.Path, nargs="?", help="folder of the research data")
    parser.add_argument("--metaseg", default=str(TOP / "build/metaseg"))
    parser.add_argument("--case", action="append", choices=sorted(CASES))
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--from", dest="start_from")
    parser.add_argument("--results", type=pathlib.Path, default=TOP / ".cache/few_labels.jsonl")
    parser.add_argument("--keep", type=pathlib.Path, help="folder for what is made, instead of a temporary one")
    parser.add_argument("--no-network", action="store_true", help="the forest alone")
    parser.add_argument("--table", action="store_true", help="write the table of the results and end")
    args = parser.parse_args()
    if args.table:
        write_table(read_results(args.results))
        return 0
    if args.data is None:
        parser.error("name the folder of the research data")
    warnings.filterwarnings("ignore", category=rasterio.errors.NotGeoreferencedWarning)
    with tempfile.TemporaryDirectory() as temporary, threadpool_limits(args.threads):
        work = args.keep or pathlib.Path(temporary)
        work.mkdir(parents=True, exist_ok=True)
        for name in args.case or sorted(CASES):
            run_case(name, args, work)
    return 0


if __name__ == "__main__":
    sys.exit(main())
