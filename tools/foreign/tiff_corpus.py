# SPDX-License-Identifier: Apache-2.0
"""tiff_corpus.py METASEG MODEL FOLDER...: every picture of a folder through `metaseg info` and `metaseg predict`.

An independent reader (rasterio, whose wheel brings a GDAL of its own) reads the same bands and masks and writes them as a plain
Float32 GeoTIFF, NaN where a chosen band is invalid. The map of that file must have the bytes of the map of the picture itself; where
either reader refuses, both must, and metaseg with exit code 4 and one line. No run may take more than 1 s of processor time plus
2.5 s per megapixel of network, nor 256 MiB. MODEL is a model of three bands, for example fixtures/model.safetensors of the tests. Needs rasterio and numpy.

Prints a line for each file that differs (file, what, message), then counts. Exit 1 after a crash or a limit passed."""
import multiprocessing
import os
import resource
import subprocess
import sys
import tempfile
import warnings

import numpy as np
import rasterio

LIMIT_MIB, LIMIT_S, PIXELS_PER_S, TILE, LARGEST = 256, 1.0, 4e5, 256, 4e6
NO_PICTURES = ("rs", "md", "txt", "c", "json", "xml", "wld", "ovr", "msk", "py", "csv", "geojson")
warnings.filterwarnings("ignore")


class Run:
    """One run of metaseg: its exit code (negative: signal), last line of stderr, processor seconds, peak MiB."""

    def __init__(self, *words):
        with tempfile.TemporaryFile() as out:
            process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=out,
                                       preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CPU, (120, 120)))
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = 0
            out.seek(0)
            lines = out.read().decode("utf-8", "replace").strip().splitlines()
        self.words = words
        self.code = os.waitstatus_to_exitcode(status)
        self.errors = [line for line in lines if "warning:" not in line]
        self.seconds = usage.ru_utime + usage.ru_stime
        self.mib = usage.ru_maxrss / 1024

    def fault(self, pixels):
        if self.code not in (0, 4) and not (self.code == 5 and self.words[1] == "info"):  # a zip file may be a model
            return f"exit code {self.code}"
        if self.code == 4 and len(self.errors) != 1:
            return f"{len(self.errors)} lines"
        if self.seconds > LIMIT_S + pixels / PIXELS_PER_S:
            return f"{self.seconds:.1f} s"
        if self.mib > LIMIT_MIB:
            return f"{self.mib:.0f} MiB"
        return None


def plain_copy(path, to):
    """Writes the plain copy; returns the bands for -b (None: too large) and the pixels that the network sees."""
    with rasterio.open(path) as source:
        names = [1, 2, 3] if source.count >= 3 else [1, 1, 1]
        if source.width * source.height > LARGEST:
            return None, 0
        values = source.read(sorted(set(names))).astype(np.float64)
        if np.iscomplexobj(source.read(1)):
            raise ValueError("complex")
        masks = np.all(source.read_masks(sorted(set(names))) != 0, axis=0)
        for i, band in enumerate(sorted(set(names))):
            values[i] += source.offsets[band - 1] / source.scales[band - 1]  # docs/rasters.md: in stored units
        values[:, ~masks] = np.nan
        profile = {"driver": "GTiff", "width": source.width, "height": source.height, "count": 3, "dtype": "float32",
                   "crs": source.crs, "transform": source.transform}
        with np.errstate(over="ignore"), rasterio.open(to, "w", **profile) as target:
            for i, band in enumerate(names):
                target.write(values[sorted(set(names)).index(band)].astype(np.float32), i + 1)
        return names, max(source.width, TILE) * max(source.height, TILE)


def map_difference(path_a, path_b):
    """What differs between two maps, "" if nothing does."""
    with rasterio.open(path_a) as source_a, rasterio.open(path_b) as source_b:
        a, b = source_a.read(1), source_b.read(1)
    if a.shape != b.shape:
        return f"shape {a.shape}, {b.shape}"
    if np.array_equal(a, b):
        return ""
    return (f"{np.mean(a != b):.2%} of the map, {np.mean((a == 255) != (b == 255)):.2%} of the validity "
            f"({np.mean(a == 255):.2%} invalid, rasterio {np.mean(b == 255):.2%})")


def compare(metaseg, model, path, folder):
    """(kind, what): kind is agree, refused, differ, fault, or large (beyond 4 megapixels: info alone)."""
    plain, map_a, map_b = (os.path.join(folder, name) for name in ("plain.tif", "a.tif", "b.tif"))
    try:
        # in a process of its own: the peak memory of what this one starts counts its own at that moment
        with multiprocessing.Pool(1) as pool:
            bands, pixels = pool.apply(plain_copy, (path, plain))
        refusal = None
    except Exception as error:  # whatever the reader raises is its refusal
        bands, pixels, refusal = [1, 2, 3], 0, str(error) or type(error).__name__
    if bands is None:
        info = Run(metaseg, "info", path)
        return ("fault", info.fault(0)) if info.fault(0) else ("large", "")
    words = [metaseg, "predict", "-q", "-f", "--prompts", "null", "-m", model, "-b", ",".join(map(str, bands))]
    info = Run(metaseg, "info", path)
    run = Run(*words, path, "-o", map_a)
    for r in (info, run):
        if r.fault(pixels):
            return "fault", f"{r.fault(pixels)}: {' | '.join(r.errors)}"
    if refusal is not None:
        return ("refused", run.errors[-1]) if run.code == 4 else ("differ", f"read, rasterio says: {refusal}")
    if run.code == 4:
        by_design = "format that is read here" in run.errors[-1]
        return "refused" if by_design else "differ", f"refused: {run.errors[-1]}"
    if Run(*words[:-1], "1,2,3", plain, "-o", map_b).code != 0:
        return "differ", "the plain copy is refused"
    with multiprocessing.Pool(1) as pool:
        difference = pool.apply(map_difference, (map_a, map_b))
    return ("differ", difference) if difference else ("agree", "")


def main():
    metaseg, model, *folders = sys.argv[1:]
    counts = {"agree": 0, "refused": 0, "differ": 0, "fault": 0, "large": 0}
    with tempfile.TemporaryDirectory() as scratch:
        for folder in folders:
            for root, _, names in sorted(os.walk(folder)):
                if ".zarr" in root or root.endswith("CVS"):
                    continue
                for name in sorted(names):
                    if name.rsplit(".", 1)[-1].lower() in NO_PICTURES:
                        continue
                    path = os.path.join(root, name)
                    kind, what = compare(metaseg, model, path, scratch)
                    counts[kind] += 1
                    if kind not in ("agree", "large"):
                        print(f"{kind:8} {os.path.relpath(path, folder)}: {what.replace(path, name)}", flush=True)
    print(" ".join(f"{kind} {n}" for kind, n in counts.items()))
    return 1 if counts["fault"] else 0


if __name__ == "__main__":
    sys.exit(main())
