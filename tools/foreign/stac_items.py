# SPDX-License-Identifier: Apache-2.0
"""stac_items.py METASEG FOLDER...: products of Sentinel-2 and Landsat with the STAC items that others made of them.

FOLDER holds test data of stactools' packages sentinel2 and landsat. For each STAC item a raster is written where the product's own
file would lie, with the item's grid, and `metaseg info --json` is asked three times:

  name   the raster alone: date, platform and sensor from the names of file and folders
  item   with the item beside it as NAME.json: date, platform, cloud cover, sun elevation
  mtl    Landsat: with the product's _MTL.txt, or one written from its _MTL.xml, beside it

Dates must be the item's (day), numbers equal, what the item leaves out unknown; middle and footprint those that another PROJ (rasterio's
wheel) gives for the raster's outline, densified, with footprints across 180 degrees told as such (west > east). Prints a line
for each disagreement, then counts. Needs rasterio."""
import json
import math
import os
import re
import subprocess
import sys
import tempfile
import xml.etree.ElementTree

import numpy as np
import rasterio
import rasterio.warp


def grid_of(item):
    """EPSG code and bounds (left, bottom, right, top) of the item's finest raster; None where it tells none."""
    sources = [item["properties"]] + [item["properties"] | asset for asset in item.get("assets", {}).values()]
    for p in sources:
        code = p.get("proj:code") or p.get("proj:epsg")
        if code and p.get("proj:shape") and p.get("proj:transform"):
            a, _, left, _, e, top = p["proj:transform"][:6]
            rows, columns = p["proj:shape"]
            return int(str(code).split(":")[-1]), (left, top + e * rows, left + a * columns, top)
    return None


def write_raster(path, grid):
    epsg, bounds = grid
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with rasterio.open(path, "w", driver="GTiff", width=64, height=64, count=1, dtype="uint16", crs=rasterio.CRS.from_epsg(epsg),
                       transform=rasterio.transform.from_bounds(*bounds, 64, 64)) as target:
        target.write(np.ones((1, 64, 64), np.uint16))


def expected_footprint(grid):
    """(west, south, east, north) and the middle, west > east across 180 degrees."""
    epsg, (left, bottom, right, top) = grid
    t = np.linspace(0, 1, 201)
    xs = np.concatenate([left + t * (right - left), np.full(201, right), right + t * (left - right), np.full(201, left)])
    ys = np.concatenate([np.full(201, top), top + t * (bottom - top), np.full(201, bottom), bottom + t * (top - bottom)])
    crs = rasterio.CRS.from_epsg(epsg)
    lon, lat = (np.array(v) for v in rasterio.warp.transform(crs, "EPSG:4326", xs, ys))
    middle = [v[0] for v in rasterio.warp.transform(crs, "EPSG:4326", [(left + right) / 2], [(bottom + top) / 2])]
    lon = (lon - middle[0] + 180) % 360 - 180 + middle[0]  # continuous around the middle
    wrap = lambda x: (x + 180) % 360 - 180
    return (wrap(lon.min()), lat.min(), wrap(lon.max()), lat.max()), middle


class Told:
    """What metaseg tells of a raster."""

    def __init__(self, metaseg, path):
        run = subprocess.run([metaseg, "info", "--json", path], capture_output=True, text=True)
        self.code, self.errors = run.returncode, run.stderr
        self.json = json.loads(run.stdout) if run.returncode == 0 else {"facts": []}
        self.facts = {f["name"]: (f["value"], f["source"]) for f in self.json["facts"]}

    def number(self, name):
        match = re.match(r"-?[\d.]+", self.facts.get(name, ("",))[0])
        return float(match[0]) if match else None


def same_platform(told, wanted):
    letters = lambda text: re.sub(r"[^a-z0-9]", "", text.lower()) if text else None
    return letters(told) == letters(wanted)


def differences(told, wanted, grid):
    """Lines: what is told otherwise than wanted (a dict of date, platform, cloud cover, sun elevation)."""
    if told.code != 0:
        return [f"exit code {told.code}: {told.errors}"]
    found = []
    for name in ("date", "platform", "cloud cover", "sun elevation"):
        if name not in wanted:
            continue
        value, want = told.facts.get(name, (None,))[0], wanted[name]
        if name == "platform":
            good = same_platform(value, want)
        elif name == "date":
            good = value == want
        else:
            value = told.number(name)
            good = (value is None) == (want is None) and (want is None or math.isclose(value, want, rel_tol=1e-5))
        if not good:
            found.append(f"{name} {value}, the item: {want}")
    box, middle = expected_footprint(grid)
    lonlat = [float(v) for v in told.facts["longitude, latitude"][0].split(",")]
    if max(abs((lonlat[0] - middle[0] + 180) % 360 - 180), abs(lonlat[1] - middle[1])) > 1e-5:
        found.append(f"middle {lonlat}, PROJ {middle}")
    got = told.json.get("bbox")
    if got is None or max(abs((g - b + 180) % 360 - 180) for g, b in zip(got, box)) > 2e-3:
        found.append(f"footprint {got}, PROJ {box}")
    return found


def read_mtl(path):
    """A _MTL.txt, or lines of the same keys from a _MTL.xml."""
    if path.endswith(".txt"):
        with open(path, encoding="utf-8") as source:
            return source.read()
    lines = [f'    {e.tag} = "{e.text}"' for e in xml.etree.ElementTree.parse(path).iter() if e.text and e.text.strip()]
    return "GROUP = LANDSAT_METADATA_FILE\n" + "\n".join(lines) + "\nEND\n"


def wanted_of(item):
    p = item["properties"]
    return {"date": (p.get("datetime") or p.get("start_datetime"))[:10], "platform": p.get("platform"),
            "cloud cover": p.get("eo:cloud_cover"), "sun elevation": p.get("view:sun_elevation")}


def check_sentinel(metaseg, path, item, scratch):
    grid, wanted = grid_of(item), wanted_of(item)
    product = os.path.basename(os.path.dirname(path))
    raster = os.path.join(scratch, product, "GRANULE", "tile", "IMG_DATA", "B04.tif")
    write_raster(raster, grid)
    yield "name", differences(Told(metaseg, raster), {k: wanted[k] for k in ("date", "platform")}, grid)
    raster = os.path.join(scratch, "item", "image.tif")
    write_raster(raster, grid)
    with open(raster[:-4] + ".json", "w", encoding="utf-8") as out:
        json.dump(item, out)
    yield "item", differences(Told(metaseg, raster), wanted, grid)


def check_landsat(metaseg, path, item, scratch):
    grid, wanted = grid_of(item), wanted_of(item)
    product = re.sub(r"(_SR|_ST)?_stac\.json$", "", os.path.basename(path))
    if grid is None:  # items of the older kind tell no grid: the product's own files below
        return
    raster = os.path.join(scratch, product, product + "_SR_B3.TIF")
    write_raster(raster, grid)
    number = int(product[2:4])
    yield "name", differences(Told(metaseg, raster), {"date": wanted["date"], "platform": f"LANDSAT_{number}"}, grid)
    for suffix in ("_MTL.txt", "_MTL.xml"):
        mtl = os.path.join(os.path.dirname(path), product + suffix)
        if os.path.exists(mtl):
            with open(raster.replace("_SR_B3.TIF", "_MTL.txt"), "w", encoding="utf-8") as out:
                out.write(read_mtl(mtl))
            yield "mtl", differences(Told(metaseg, raster), wanted, grid)
            break
    raster = os.path.join(scratch, "item", "image.tif")
    write_raster(raster, grid)
    with open(raster[:-4] + ".json", "w", encoding="utf-8") as out:
        json.dump(item, out)
    yield "item", differences(Told(metaseg, raster), wanted, grid)


def check_landsat_files(metaseg, path, item):
    """The product's own reduced rasters with its own _MTL.txt."""
    folder, p = os.path.dirname(path), item["properties"]
    for name in sorted(os.listdir(folder)):
        if not name.endswith("_SR_B3.TIF"):
            continue
        with rasterio.open(os.path.join(folder, name)) as source:
            x, y = source.transform * (source.width / 2, source.height / 2)
            lon, lat = rasterio.warp.transform(source.crs, "EPSG:4326", [x], [y])
        told = Told(metaseg, os.path.join(folder, name))
        found = []
        if told.facts.get("date", (None,))[0] != p["datetime"][:10]:
            found.append(f"date {told.facts.get('date')}, the item {p['datetime']}")
        if told.number("cloud cover") is None or not math.isclose(told.number("cloud cover"), p["eo:cloud_cover"], rel_tol=1e-5):
            found.append(f"cloud cover {told.facts.get('cloud cover')}, the item {p['eo:cloud_cover']}")
        west, south, east, north = item["bbox"]
        if not (west <= lon[0] <= east and south <= lat[0] <= north):
            found.append(f"the middle {lon[0]}, {lat[0]} lies outside {item['bbox']}")
        lonlat = [float(v) for v in told.facts["longitude, latitude"][0].split(",")]
        if abs(lonlat[0] - lon[0]) > 1e-5 or abs(lonlat[1] - lat[0]) > 1e-5:
            found.append(f"middle {lonlat}, PROJ {lon[0]}, {lat[0]}")
        yield "own files", found


def main():
    metaseg, *folders = sys.argv[1:]
    counts = {}
    for folder in folders:
        for root, _, names in sorted(os.walk(folder)):
            for name in sorted(names):
                if name != "expected_output.json" and not name.endswith("_stac.json"):
                    continue
                path = os.path.join(root, name)
                with open(path, encoding="utf-8") as source:
                    item = json.load(source)
                with tempfile.TemporaryDirectory() as scratch:
                    sentinel = name == "expected_output.json"
                    checks = list((check_sentinel if sentinel else check_landsat)(metaseg, path, item, scratch))
                    if not sentinel and not checks:
                        checks = list(check_landsat_files(metaseg, path, item))
                for kind, found in checks:
                    tried, agree = counts.get(kind, (0, 0))
                    counts[kind] = (tried + 1, agree + (not found))
                    for line in found:
                        print(f"{kind:9} {os.path.relpath(path, folder)}: {line}")
    print("; ".join(f"{kind}: {tried} tried, {agree} agree" for kind, (tried, agree) in counts.items()))


main()
