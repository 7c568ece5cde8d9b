# SPDX-License-Identifier: Apache-2.0
"""How far maps agree with labels that the Dynamic World network never made.

    python3 independent.py MODEL... --chips CHIPS --belfast BELFAST --landsat LANDSAT [--program build/metaseg] [--json OUT]

CHIPS: chips.csv, and tm_*.tif with tm_*_lulc.tif (Esri 10 m labels; rangeland counts where the map has grass, or shrub and scrub). BELFAST:
s2_DATE.png, pictures of 8 bits of ten dates, and 2020_ESA_WorldCover_Map.png, in the colours of WorldCover (herbaceous wetland is
flooded vegetation). LANDSAT: maryland_landsat-leaf-on.tif, surface reflectance of 30 m, and maryland_lc.tif (low vegetation counts
where the map has grass, crops, or shrub and scrub; impervious and road are built).
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

WATER, TREES, GRASS, FLOODED, CROPS, SHRUB, BUILT, BARE, SNOW = range(9)
ESRI = {1: {WATER}, 2: {TREES}, 4: {CROPS}, 5: {BUILT}, 6: {BARE}, 7: {SNOW}, 9: {GRASS, SHRUB}}
WORLDCOVER = {(0, 100, 0): {TREES}, (255, 255, 76): {GRASS}, (240, 150, 255): {CROPS}, (250, 0, 0): {BUILT},
              (180, 180, 180): {BARE}, (0, 100, 200): {WATER}, (0, 150, 160): {FLOODED}}
CHESAPEAKE = {1: {WATER}, 2: {TREES}, 3: {GRASS, CROPS, SHRUB}, 4: {BARE}, 5: {BUILT}, 6: {BUILT}}
NAMES = ["B02", "B03", "B04", "B05", "B06", "B07", "B08", "B11", "B12"]


def read(path):
    with rasterio.open(path) as file:
        return file.read()


class Program:
    def __init__(self, program, model):
        self.command = [program, "predict", "-q", "-f", "-m", model]

    def __call__(self, values, names, profile, *options):
        with tempfile.TemporaryDirectory() as folder:
            source, target = os.path.join(folder, "scene.tif"), os.path.join(folder, "map.tif")
            profile = dict(driver="GTiff", count=len(values), dtype=values.dtype, height=values.shape[1], width=values.shape[2],
                           crs=profile.get("crs"), transform=profile.get("transform"))
            with rasterio.open(source, "w", **profile) as file:
                file.write(values)
                file.descriptions = names
            run = subprocess.run([*self.command, *options, source, "-o", target], capture_output=True, text=True)
            if run.returncode != 0:
                raise SystemExit(f"{' '.join(self.command)}: {run.stderr}")
            return read(target)[0]


def compare(got, labels, table):
    """Right and counted pixels of each label: {name: [right, all]}."""
    counts = {}
    for value, allowed in table.items():
        of = (labels == value).all(axis=-1) if isinstance(value, tuple) else labels == value
        of &= got < 9
        if of.any():
            counts[str(value)] = [int(np.isin(got[of], sorted(allowed)).sum()), int(of.sum())]
    return counts


def per_cent(counts):
    return round(100 * sum(r for r, _ in counts.values()) / max(sum(n for _, n in counts.values()), 1), 1)


def esri(program, chips):
    result = {}
    with open(os.path.join(chips, "chips.csv"), encoding="utf-8") as file:
        levels = {row["name"]: row["level"] for row in csv.DictReader(file)}
    for path in sorted(glob.glob(os.path.join(chips, "tm_*_lulc.tif"))):
        image = path.replace("_lulc.tif", ".tif")
        with rasterio.open(image) as file:
            values, profile = file.read(), file.profile
        name = os.path.basename(image)[:-4]
        got = program(values, NAMES, profile, "--level", levels[name])
        result[name] = compare(got, read(path)[0], ESRI)
    return result


def belfast(program, folder):
    labels = np.moveaxis(read(os.path.join(folder, "2020_ESA_WorldCover_Map.png"))[:3], 0, -1)
    place = {"crs": "EPSG:32630", "transform": rasterio.transform.from_origin(305000, 6060000, 10, 10)}
    result = {}
    for path in sorted(glob.glob(os.path.join(folder, "s2_????????.png"))):
        got = program(read(path)[:3], ["red", "green", "blue"], place)
        result[os.path.basename(path)[3:-4]] = compare(got, labels, WORLDCOVER)
    return result


def maryland(program, folder):
    with rasterio.open(os.path.join(folder, "maryland_landsat-leaf-on.tif")) as file:
        values, profile = file.read(), file.profile
    labels = read(os.path.join(folder, "maryland_lc.tif"))[0]
    got = program(values[[1, 2, 3, 4, 5, 6]], ["blue", "green", "red", "nir", "swir16", "swir22"], profile, "--level", "L2A")
    return {"leaf on": compare(got, labels, CHESAPEAKE)}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("models", nargs="+")
    for name in ("chips", "belfast", "landsat", "json"):
        parser.add_argument(f"--{name}")
    parser.add_argument("--program", default="build/metaseg")
    o = parser.parse_args()
    result = {}
    for model in o.models:
        program = Program(o.program, model)
        parts = {"esri": (esri, o.chips), "belfast": (belfast, o.belfast), "maryland": (maryland, o.landsat)}
        for name, (measure, folder) in parts.items():
            if folder is None:
                continue
            try:
                found = measure(program, folder)
            except SystemExit as problem:
                print(f"{model}, {name}: {str(problem).strip().splitlines()[-1]}")
                continue
            whole = {}
            for counts in found.values():
                for key, (right, n) in counts.items():
                    whole[key] = [a + b for a, b in zip(whole.get(key, [0, 0]), (right, n))]
            result.setdefault(model, {})[name] = {"whole": per_cent(whole), "each": {k: per_cent(v) for k, v in found.items()},
                                                  "found": {k: round(100 * r / n, 1) for k, (r, n) in whole.items()}}
            print(model, name, result[model][name], flush=True)
    if o.json:
        with open(o.json, "w") as file:
            json.dump(result, file, indent=1)


if __name__ == "__main__":
    main()
