# SPDX-License-Identifier: Apache-2.0
"""What the Sentinel-2 model learns from: chips of Sentinel-2 scenes and canvases mixed from them, with the class probabilities that
the Dynamic World network gives for exactly these pixels. Since that network can be asked about any nine bands, changed pixels get
labels of their own: brightness, haze, noise, pixel sizes of 8 to 20 m, colours of other places, pieces of several places side by side.
Canvases are L1C, which that network reads; chips stay L1C or L2A, and say which.

    python3 make_data.py CHIPS TEACHER.safetensors OUT --canvases 300 [--seed 1] [--split places.csv] [--threads 1]

CHIPS: folder with NAME.tif (nine bands, reflectance x 10000), NAME_prob.tif and chips.csv (name, level, lat, lon). OUT gets
train_NNNN.tif, train_NNNN_prob.tif and, as they are, the chips of all splits but the one kept apart; nine_bands.yaml and sentinel2.yaml are the
configurations for `metaseg train`, one after the other.
"""
import argparse
import csv
import os

import numpy as np
import rasterio
from rasterio.transform import from_origin
from rasterio.warp import transform
from scipy import ndimage

import teacher as dynamic_world

SIDE = 512
BANDS = "bands: [1, 2, 3, 4, 5, 6, 7, 8, 9]"
TIMES = 4  # that a chip stands among the scenes of the second part
DEPTH = 5  # times that a canvas may be cut
# L1C = slope x L2A + intercept, measured over four pairs of one acquisition in both levels
SLOPE = np.array([.638, .682, .787, .766, .805, .853, .806, .905, .836], np.float32)[:, None, None]
INTERCEPT = np.array([843, 527, 327, 299, 313, 292, 246, 37, 21], np.float32)[:, None, None]


def read_chips(folder, splits):
    """name -> (values as L1C, level, lon, lat, split)."""
    chips = {}
    for row in csv.DictReader(open(os.path.join(folder, "chips.csv"))):
        split = next(s for prefix, s in splits if row["name"].startswith(prefix))
        with rasterio.open(os.path.join(folder, row["name"] + ".tif")) as file:
            stored = file.read()
        with rasterio.open(os.path.join(folder, row["name"] + "_prob.tif")) as file:
            shares = np.bincount(file.read().argmax(axis=0).ravel(), minlength=9) / stored[0].size
        values = stored.astype(np.float32)
        if row["level"] == "L2A":
            values = values * SLOPE + INTERCEPT
        chips[row["name"]] = dict(values=values, stored=stored, level=row["level"], lon=float(row["lon"]),
                                  lat=float(row["lat"]), split=split, name=row["name"],
                                  entropy=-float(np.sum(shares * np.log(shares + 1e-9))))
    return chips


def utm(lon, lat, pixel):
    """CRS and geotransform of a picture whose corner lies at this place."""
    epsg = (32601 if lat >= 0 else 32701) + int((lon + 180) // 6) % 60
    x, y = transform("EPSG:4326", f"EPSG:{epsg}", [lon], [lat])
    return f"EPSG:{epsg}", from_origin(round(x[0], -1), round(y[0], -1), pixel, pixel)


def write(path, values, names, place, level=None, **options):
    crs, geotransform = place
    with rasterio.open(path, "w", driver="GTiff", width=values.shape[2], height=values.shape[1], count=values.shape[0],
                       dtype=values.dtype, crs=crs, transform=geotransform, tiled=True, blockxsize=256, blockysize=256,
                       compress="zstd" if values.dtype == np.uint8 else None, **options) as file:
        file.write(values)
        file.descriptions = names
        if level is not None:
            file.update_tags(PROCESSING_LEVEL=level)


def bytes_of(probabilities):
    return np.maximum(np.rint(probabilities * 255), 0).astype(np.uint8)


class Mixer:
    def __init__(self, chips, rng):
        self.rng = rng
        self.places = {}
        for chip in chips:
            self.places.setdefault((chip["lon"], chip["lat"]), []).append(chip)
        self.keys = list(self.places)
        weights = np.array([0.25 + max(chip["entropy"] for chip in self.places[key]) for key in self.keys])
        self.weights = weights / weights.sum()

    def chip(self):
        """A place, likelier the more its classes differ, and one of its chips."""
        key = self.keys[self.rng.choice(len(self.keys), p=self.weights)]
        return self.places[key][self.rng.integers(len(self.places[key]))]

    def piece(self, chip, rows, columns):
        """A part of a chip, at another pixel size, turned, mirrored beyond its border."""
        rng, x = self.rng, chip["values"]
        zoom = 10 / np.exp(rng.uniform(np.log(8), np.log(20))) if rng.random() < 0.6 else 1.0
        if zoom != 1.0:
            if zoom < 1.0:
                x = ndimage.gaussian_filter(x, (0, 0.4 / zoom, 0.4 / zoom))
            x = ndimage.zoom(x, (1, zoom, zoom), order=1, mode="mirror", grid_mode=True)
        x = np.rot90(x, rng.integers(4), (1, 2))
        if rng.random() < 0.5:
            x = x[:, ::-1]
        grow = [max(0, n - size) for n, size in zip((rows, columns), x.shape[1:])]
        if max(grow) > 0:
            x = np.pad(x, [(0, 0), (0, grow[0]), (0, grow[1])], mode="symmetric")
        r, c = rng.integers(x.shape[1] - rows + 1), rng.integers(x.shape[2] - columns + 1)
        return x[:, r:r + rows, c:c + columns]

    def spectrum(self):
        """[9, 1, 1]: one pixel of any place."""
        x = self.chip()["values"]
        return x[:, self.rng.integers(x.shape[1]), self.rng.integers(x.shape[2])][:, None, None]

    def recoloured(self, x):
        """Moves logarithms towards the mean and spread that another place has, then changes brightness and each band a little."""
        rng = self.rng
        logs = np.log(np.maximum(x, 1))
        if rng.random() < 0.5:
            other = np.log(np.maximum(self.chip()["values"], 1))
            amount = rng.uniform(0.1, 0.9)
            mean, std = logs.mean((1, 2), keepdims=True), logs.std((1, 2), keepdims=True) + 0.02
            to_mean, to_std = other.mean((1, 2), keepdims=True), other.std((1, 2), keepdims=True)
            factor = np.clip(1 + amount * (to_std / std - 1), 0.5, 1.6)
            logs = (logs - mean) * factor + mean + amount * (to_mean - mean)
        logs = logs + rng.normal(0, 0.12) + rng.normal(0, rng.choice([0.02, 0.05, 0.1]), (9, 1, 1))
        return np.exp(logs).astype(np.float32)

    def region(self, rows, columns, main):
        rng = self.rng
        x = self.piece(main if rng.random() < 0.55 else self.chip(), rows, columns)
        if rng.random() < 0.15:
            part = rng.uniform(0.2, 0.5)
            x = (1 - part) * x + part * self.piece(self.chip(), rows, columns)
        if rng.random() < 0.25:  # everything a little like one pixel of another place: what lies between classes
            part = rng.uniform(0.1, 0.6)
            x = (1 - part) * x + part * self.spectrum()
        return self.recoloured(x) if rng.random() < 0.75 else x.astype(np.float32)

    def fill(self, canvas, r, c, rows, columns, depth, main):
        """Halves a rectangle at random until it is small or left whole."""
        rng = self.rng
        if depth > 0 and max(rows, columns) >= 96 and (depth == DEPTH or rng.random() < 0.75):
            cut = rng.uniform(0.3, 0.7)
            if rows >= columns:
                at = int(rows * cut)
                self.fill(canvas, r, c, at, columns, depth - 1, main)
                self.fill(canvas, r + at, c, rows - at, columns, depth - 1, main)
            else:
                at = int(columns * cut)
                self.fill(canvas, r, c, rows, at, depth - 1, main)
                self.fill(canvas, r, c + at, rows, columns - at, depth - 1, main)
            return
        canvas[:, r:r + rows, c:c + columns] = self.region(rows, columns, main)

    def canvas(self):
        """[9, SIDE, SIDE] as L1C, and the chip whose place it stands for."""
        rng, main = self.rng, self.chip()
        x = np.empty((9, SIDE, SIDE), np.float32)
        self.fill(x, 0, 0, SIDE, SIDE, DEPTH, main)
        if rng.random() < 0.4:  # haze: part of the way from surface to top of atmosphere, or back
            part = rng.uniform(-0.4, 0.6)
            x = x + part * ((x * SLOPE + INTERCEPT) - x)
        if rng.random() < 0.3:
            sigma = rng.uniform(0.2, 0.9, 9) * (rng.random(9) < 0.6)
            x = np.stack([ndimage.gaussian_filter(b, s) if s > 0 else b for b, s in zip(x, sigma)])
        if rng.random() < 0.5:
            x = x * (1 + rng.normal(0, rng.uniform(0, 0.02), x.shape)) + rng.normal(0, rng.uniform(0, 25), x.shape)
        return np.clip(x, 1, 20000).astype(np.float32), main


def scene_line(name, split=None, times=1):
    again = "" if times == 1 else f"again{times}_"
    return (f"    - {{ name: {again}{name}, image: {name}.tif, labels: {name}_prob.tif, {BANDS}" + (f", split: {split}" if split else "") + " }")


def main():
    parser = argparse.ArgumentParser()
    for name in ("chips", "teacher", "out"):
        parser.add_argument(name)
    parser.add_argument("--canvases", type=int, default=300)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--split", default=os.path.join(os.path.dirname(os.path.abspath(__file__)), "places.csv"))
    options = parser.parse_args()
    rows = csv.reader(line for line in open(options.split) if not line.startswith("#"))
    chips = read_chips(options.chips, [(row[0], row[1]) for row in rows][1:])
    ask = dynamic_world.Teacher(options.teacher, options.threads)
    os.makedirs(options.out, exist_ok=True)
    for chip in chips.values() if options.first == 0 else []:
        place = utm(chip["lon"], chip["lat"], 10)
        write(os.path.join(options.out, chip["name"] + ".tif"), chip["stored"], dynamic_world.BANDS, place, chip["level"], nodata=0)
        with rasterio.open(os.path.join(options.chips, chip["name"] + "_prob.tif")) as file:
            write(os.path.join(options.out, chip["name"] + "_prob.tif"), file.read(), dynamic_world.CLASSES, place)
    for i in range(options.first, options.first + options.canvases):
        mixer = Mixer([c for c in chips.values() if c["split"] == "train"], np.random.default_rng([1, i]))
        x, chip = mixer.canvas()
        place = utm(chip["lon"], chip["lat"], 10)
        name = os.path.join(options.out, f"train_{i:04d}")
        write(name + ".tif", np.rint(x).astype(np.uint16), dynamic_world.BANDS, place, "L1C", nodata=0)
        write(name + "_prob.tif", bytes_of(ask(x)), dynamic_world.CLASSES, place)
        print(f"\r{i + 1 - options.first}/{options.canvases} canvases", end="", flush=True)
    print()
    canvases = [scene_line(f"train_{i:04d}") for i in range(options.first + options.canvases)]
    whole = [(chip["name"], chip["split"]) for chip in chips.values() if chip["split"] != "apart"]
    lines = {"nine_bands.yaml": canvases + [scene_line(n, split) for n, split in whole]}
    again = [scene_line(n, split, times) for times in range(2, TIMES + 1) for n, split in whole if split == "train"]
    lines["sentinel2.yaml"] = lines["nine_bands.yaml"] + again  # few bands are learned from true colours above all
    here = os.path.dirname(os.path.abspath(__file__))
    for name in ("nine_bands.yaml", "sentinel2.yaml"):
        with open(os.path.join(here, name)) as file:
            text = file.read().replace("PROJECT", os.path.dirname(os.path.dirname(here))).replace("SCENES", "\n".join(lines[name]))
        with open(os.path.join(options.out, name), "w") as file:
            file.write(text)


if __name__ == "__main__":
    main()
