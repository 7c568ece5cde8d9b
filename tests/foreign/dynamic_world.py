# SPDX-License-Identifier: Apache-2.0
"""dynamic_world.py METASEG: `metaseg eval` on a map and labels that others made.

A tile of the Dynamic World test set (southern Peru, 9 June 2019; 128x128 windows of 40 m): nine class probabilities of the published
product and the class an expert gave, -1 where none. The package that carries it states an overall accuracy of 0.8072 on 15,813
windows. Map and labels are written as ENVI rasters on UTM zone 19S; the confusion matrix must be the one counted here, and
the figures those that follow from it. Exit 77 where set-up has not brought the tile."""
import array
import ast
import csv
import json
import os
import struct
import subprocess
import sys
import tempfile
import zipfile

SIDE, CLASSES, NO_LABEL = 128, 9, 255
STATED_PIXELS, STATED_ACCURACY = 15813, 0.8072
HEADER = """ENVI
samples = 128
lines = 128
bands = 1
header offset = 0
file type = ENVI Standard
data type = 1
interleave = bsq
byte order = 0
map info = {UTM, 1, 1, 194000, 8184000, 40, 40, 19, South, WGS-84}
"""


def read_array(archive, name):
    """Values of an .npy file (format version 1, C order) as a flat sequence."""
    raw = archive.read(name + ".npy")
    length, = struct.unpack_from("<H", raw, 8)
    head = ast.literal_eval(raw[10:10 + length].decode("latin-1"))
    assert raw[:8] == b"\x93NUMPY\x01\x00" and not head["fortran_order"], head
    body = raw[10 + length:]
    if head["descr"] == "|i1":
        return array.array("b", body)
    assert head["descr"] == "<f2", head
    return struct.unpack(f"<{len(body) // 2}e", body)


def write_raster(path, values, nodata=None):
    with open(path, "wb") as out:
        out.write(bytes(values))
    with open(path + ".hdr", "w", encoding="ascii") as out:
        out.write(HEADER + ("" if nodata is None else f"data ignore value = {nodata}\n"))


def figures(matrix):
    """Overall accuracy, kappa and IoU of each class with pixels; matrix[label][map]."""
    total = sum(map(sum, matrix))
    columns = [sum(row[k] for row in matrix) for k in range(CLASSES)]
    agreement = sum(matrix[k][k] for k in range(CLASSES)) / total
    chance = sum(sum(matrix[k]) * columns[k] for k in range(CLASSES)) / total**2
    iou = {k: matrix[k][k] / (sum(matrix[k]) + columns[k] - matrix[k][k]) for k in range(CLASSES) if sum(matrix[k])}
    return agreement, (agreement - chance) / (1 - chance), iou


def main(program):
    top = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    downloads = os.environ.get("METASEG_DOWNLOADS") or os.path.join(top, ".cache", "data")
    tile = os.path.join(downloads, "tests", "dynamic_world_tile.npz")
    if not os.path.exists(tile):
        print(f"skipped: '{tile}' is missing; set-up downloads it")
        return 77
    with zipfile.ZipFile(tile) as archive:
        probabilities, expert = read_array(archive, "probs"), read_array(archive, "expert")
    pixels = SIDE * SIDE
    chosen = [max(range(CLASSES), key=lambda k: probabilities[k * pixels + i]) for i in range(pixels)]
    matrix = [[0] * CLASSES for _ in range(CLASSES)]
    for label, value in zip(expert, chosen):
        if label >= 0:
            matrix[label][value] += 1
    accuracy, kappa, iou = figures(matrix)
    assert sum(map(sum, matrix)) == STATED_PIXELS and round(accuracy, 4) == STATED_ACCURACY, (matrix, accuracy)

    with tempfile.TemporaryDirectory() as folder:
        names = [os.path.join(folder, name) for name in ("map", "expert", "figures.json", "matrix.csv")]
        write_raster(names[0], chosen)
        write_raster(names[1], (NO_LABEL if label < 0 else label for label in expert), NO_LABEL)
        run = subprocess.run([program, "eval", *names[:2], "--json", names[2], "--csv", names[3]], capture_output=True, text=True)
        assert run.returncode == 0, run.stderr
        with open(names[2], encoding="utf-8") as source:
            found = json.load(source)
        with open(names[3], encoding="utf-8", newline="") as source:
            rows = list(csv.reader(source))
    counts = [[0] * CLASSES for _ in range(CLASSES)]
    for row in rows[1:]:
        for column, count in zip(rows[0][1:], row[1:]):
            if column.isdigit():
                counts[int(row[0])][int(column)] = int(count)
            else:  # "no value": reference without a map
                assert int(count) == 0, (row, column)
    assert counts == matrix, counts
    assert found["pixels"] == STATED_PIXELS, found
    found_iou = {c["value"]: c["iou"] for c in found["classes"] if c["counted"]}
    assert found_iou.keys() == iou.keys(), found
    pairs = [(found["overall_accuracy"], accuracy), (found["kappa"], kappa), (found["miou_macro"], sum(iou.values()) / len(iou))]
    for got, want in pairs + [(found_iou[k], iou[k]) for k in iou]:
        assert abs(got - want) < 1e-12, (got, want)
    print(f"overall accuracy {found['overall_accuracy']:.4f} on {found['pixels']} windows, kappa {found['kappa']:.4f}")
    return 0


sys.exit(main(*sys.argv[1:]))
