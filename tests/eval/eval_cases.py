#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What metaseg eval counts, tells and refuses, one case after the other.

    python3 eval_cases.py METASEG
"""
import json
import os
import re
import struct
import subprocess
import sys
import tempfile
import xml.dom.minidom
import zlib

from eval_oracle import Raster

UTM = "EPSG:32633"
GRID = [400000, 10, 0, 5800000, 0, -10]
METASEG = ""


def raster(name, values, width, kind="Byte", system=UTM, transform=GRID, nodata=None, change=None):
    """A virtual raster; change: (old, new) in its text."""
    path = Raster(kind, width, len(values) // width, values, nodata, system, transform).write(name)
    if change:
        with open(path, encoding="ascii") as f:
            text = f.read()
        assert change[0] in text, f"{change[0]} is not in {text}"
        with open(path, "w", encoding="ascii") as f:
            f.write(text.replace(*change))
    return path


def run(*arguments, environment=None):
    return subprocess.run([METASEG, "eval", *arguments, "-f"], capture_output=True, text=True, check=False,
                          env={**os.environ, **(environment or {})})


def figures(*arguments):
    done = run(*arguments, "--json", "figures.json")
    assert done.returncode == 0, done.stderr
    with open("figures.json", encoding="utf-8") as f:
        return json.load(f), done


def told(done, *texts):
    for text in texts:
        assert text in done.stderr, f"'{text}' is not in: {done.stderr}"


def refused(code, texts, *arguments, environment=None):
    for output in ("figures.json", "matrix.csv"):
        if os.path.exists(output):
            os.remove(output)
    done = run(*arguments, "--json", "figures.json", "--csv", "matrix.csv", environment=environment)
    assert done.returncode == code, f"exit code {done.returncode}, expected {code}: {done.stderr}"
    told(done, *texts)
    assert done.stdout == "" and not os.path.exists("figures.json") and not os.path.exists("matrix.csv")
    errors = [line for line in done.stderr.splitlines() if "error" in line]
    assert len(errors) == 1, done.stderr


def left_out_pixels():
    """Labelled pixels that no figure holds are counted in the table, JSON and CSV."""
    truth = raster("truth", [1, 1, 2, 255, 2, 2], 3, nodata=77)
    chart = raster("map", [1, 255, 2, 1, 255, 1], 3, nodata=255)
    got, done = figures(chart, truth, "--csv", "matrix.csv")
    assert (got["pixels"], got["labelled"], got["uncovered"], got["ignored"]) == (3, 5, 2, 1), got
    assert [c["uncovered"] for c in got["classes"]] == [1, 1]
    assert "2 of 5 labelled pixels (40.00 %)" in done.stdout and "1 pixels of the reference with the ignored" in done.stdout
    with open("matrix.csv", encoding="utf-8") as f:
        assert f.read() == "truth\\prediction,1,2,no value\n1,1,0,1\n2,1,1,1\n"
    # beyond the map's border too, and 255 as a class where another value is ignored
    wide = raster("wide", [255] * 30, 10)
    got, _ = figures(raster("map", [255] * 4, 2), wide, "--ignore", "7")
    assert (got["pixels"], got["uncovered"], got["overall_accuracy"]) == (4, 26, 1.0), got
    got, _ = figures(raster("map", [1] * 4, 2, nodata=3), raster("truth", [1, 3, 3, 1], 2))
    assert (got["pixels"], got["uncovered"], got["classes"][1]["predicted"]) == (4, 0, 0), got
    refused(4, ["no value at any of the 4 labelled"], raster("map", [0] * 4, 2, nodata=0), raster("truth", [1] * 4, 2))
    refused(4, ["no pixel with a label", "4 have the ignored value 255"], chart, raster("truth", [255] * 4, 2))
    refused(4, ["1 have the ignored value 255, 3 are of excluded classes"], raster("map", [1] * 4, 2),
            raster("truth", [1, 1, 1, 255], 2), "--exclude", "1")


def values():
    """Every whole number is a class; what is none is refused with its place and value."""
    corine = [111, 112, 311, 512, 523, 999]
    got, _ = figures(raster("map", corine, 3, "UInt16"), raster("truth", corine, 3, "Int32"))
    assert got["pixels"] == 6 and [c["value"] for c in got["classes"]] == corine
    got, _ = figures(raster("map", [-3, -1, 16777215, 4], 2, "Float32"), raster("truth", [-3, -1, 16777215, 5], 2, "Int32"))
    assert got["pixels"] == 4 and got["overall_accuracy"] == 0.75
    refused(4, ["truth.vrt", "pixel (1, 2)", "0.5", "whole numbers"], raster("map", [1] * 6, 2),
            raster("truth", [1, 1, 1, 1, 1, 0.5], 2, "Float32"))
    refused(4, ["map.vrt", "pixel (1, 0)", "0.25"], raster("map", [1, 0.25], 2, "Float32"), raster("truth", [1, 1], 2))
    refused(4, ["map.vrt", "16777216"], raster("map", [1, 20000001], 2, "Int32"), raster("truth", [1, 1], 2))
    got, _ = figures(raster("map", list(range(65536)), 256, "UInt16"), raster("truth", list(range(65536)), 256, "UInt16"),
                     "--csv", "matrix.csv", "--ignore", "-1")
    assert got["pixels"] == 65536 and len(got["classes"]) == 65536 and got["miou_macro"] == 1.0
    with open("matrix.csv", encoding="utf-8") as f:
        lines = f.read().splitlines()
    assert lines[0] == "truth,prediction,pixels" and len(lines) == 65537 and lines[-1] == "65535,65535,1"


def no_class_rasters():
    """Pictures and measurements are refused, a band may be chosen."""
    band = '<VRTRasterBand dataType="Byte" band="1">'
    end = "</VRTRasterBand>"
    source = '<SimpleSource><SourceFilename relativeToVRT="1">rgb.bin</SourceFilename></SimpleSource>'
    extra = "".join(f'<VRTRasterBand dataType="Byte" band="{i}">{source}{end}' for i in (2, 3))
    rgb = raster("rgb", [1, 2, 3, 4], 2, change=(end + "</VRT", end + extra + "</VRT"))
    chart = raster("map", [1, 2, 3, 4], 2)
    refused(4, ["rgb.vrt", "3 bands", "--truth-band"], chart, rgb)
    refused(4, ["rgb.vrt", "3 bands", "--band"], rgb, chart)
    got, _ = figures(chart, rgb, "--truth-band", "2")
    assert got["overall_accuracy"] == 1.0
    got, _ = figures(rgb, chart, "--band", "3")
    assert got["overall_accuracy"] == 1.0
    sure = raster("sure", [1, 2, 3, 4], 2, change=(band, band + "<Scale>0.00393700787</Scale>"))
    refused(4, ["sure.vrt", "scale"], sure, chart)
    shifted = raster("sure", [1, 2, 3, 4], 2, change=(band, band + "<Offset>-1000</Offset>"))
    refused(4, ["sure.vrt", "offset"], chart, shifted)


def names(table):
    return "<CategoryNames>" + "".join(f"<Category>{n}</Category>" for n in table) + "</CategoryNames>"


def class_names():
    """Two class tables under the same numbers are told by number and name."""
    band = '<VRTRasterBand dataType="Byte" band="1">'
    chart = raster("map", [0, 1, 2, 2], 2, change=(band, band + names(["water", "forest", "crops"])))
    truth = raster("truth", [0, 1, 2, 2], 2, change=(band, band + names(["Water", "crops", ""])))
    got, done = figures(chart, truth)
    told(done, "class 1 is 'forest' in the map and 'crops' in the reference")
    assert "class 0" not in done.stderr and "class 2" not in done.stderr
    assert got["classes"][1]["truth_name"] == "crops" and "truth_name" not in got["classes"][0]
    many = raster("many", list(range(8)), 4, change=(band, band + names([f"a{i}" for i in range(8)])))
    other = raster("other", list(range(8)), 4, change=(band, band + names([f"b{i}" for i in range(8)])))
    _, done = figures(many, other)
    told(done, "class 4 is 'a4'", "8 classes in all")
    assert "class 5 " not in done.stderr
    got, _ = figures(raster("plain", [0, 1, 2, 2], 2), chart)
    assert got["classes"][2]["name"] == "crops"


def places():
    """How two rasters are laid on each other, and what is said when they cannot be."""
    there = [400010, 10, 0, 5800000, 0, -10]  # one column east
    # one CRS, beyond the edge of its projection
    far = [19e6, 1000, 0, 9e6, 0, -1000]
    got, _ = figures(raster("map", [1, 2, 3, 4], 2, system="+proj=moll", transform=far),
                     raster("truth", [1, 2, 3, 4], 2, system="+proj=moll +datum=WGS84", transform=far))
    assert got["pixels"] == 4 and got["overall_accuracy"] == 1.0
    # none has a CRS: coordinates as they are
    got, _ = figures(raster("map", [1, 2, 3, 4], 2, system=""), raster("truth", [2, 9, 4, 9], 2, system="", transform=there))
    assert got["pixels"] == 2 and got["uncovered"] == 2 and got["overall_accuracy"] == 1.0
    local = 'LOCAL_CS["site A",UNIT["metre",1]]'
    other = 'LOCAL_CS["site B",LOCAL_DATUM["B",0],UNIT["metre",2],AXIS["u",EAST],AXIS["v",NORTH]]'
    got, _ = figures(raster("map", [1, 2], 2, system=local), raster("truth", [2, 9], 2, system=local, transform=there))
    assert got["pixels"] == 1 and got["overall_accuracy"] == 1.0
    refused(4, ["cannot be laid on each other", "--crs"], raster("map", [1, 2], 2, system=local),
            raster("truth", [1, 2], 2, system=other))
    # one has none
    chart, truth = raster("map", [1, 2], 2, system=""), raster("truth", [1, 2], 2)
    refused(4, ["map.vrt", "no coordinate reference system", "--crs"], chart, truth)
    got, _ = figures(chart, truth, "--crs", UTM)
    assert got["pixels"] == 2
    chart, truth = raster("map", [1, 2], 2), raster("truth", [1, 2], 2, system="")
    refused(4, ["truth.vrt", "--truth-crs"], chart, truth)
    got, _ = figures(chart, truth, "--truth-crs", UTM)
    assert got["pixels"] == 2
    refused(2, ["EPSG:nonsense"], chart, truth, "--truth-crs", "EPSG:nonsense")
    # no geotransform
    bare = raster("bare", [1, 2], 2, system="", transform=None)
    refused(4, ["bare.vrt", "no georeference", "--by-pixel"], chart, bare)
    got, _ = figures(chart, bare, "--by-pixel")
    assert got["overall_accuracy"] == 1.0
    refused(4, ["sizes differ", "2 x 1", "2 x 2"], chart, raster("truth", [1] * 4, 2), "--by-pixel")
    _, done = figures(bare, raster("truth", [1, 2], 2, system="", transform=[0, 1, 0, 0, 0, 1]))
    told(done, "pixel by pixel")
    refused(4, ["neither says where it lies", "sizes differ"], bare, raster("truth", [1] * 4, 2, system="", transform=None))
    # PROJ's database is missing: this is said, nothing else
    refused(4, ["proj.db"], chart, raster("truth", [1, 2], 2),
            environment={"PROJ_LIB": os.getcwd(), "PROJ_DATA": os.getcwd()})


def control_points():
    """Two rasters on one swath: the same pixels."""
    points = "".join(f'<GCP Id="" Pixel="{p}" Line="{l}" X="{x}" Y="{y}"/>' for p, l, x, y in
                     ((0, 0, 179, 10), (20, 0, -179, 10.5), (0, 10, 179, 9), (20, 10, -179, 9.6), (10, 5, -180, 9.8)))
    gcps = f'<GCPList Projection="EPSG:4326" dataAxisToSRSAxisMapping="2,1">{points}</GCPList><VRTRasterBand'
    values = [i % 7 for i in range(200)]
    chart = raster("map", values, 20, system="", transform=None, change=("<VRTRasterBand", gcps))
    truth = raster("truth", values, 20, system="", transform=None, change=("<VRTRasterBand", gcps))
    got, done = figures(chart, truth)
    assert got["pixels"] == 200 and got["overall_accuracy"] == 1.0 and "pixel by pixel" not in done.stderr
    globe = raster("globe", [3] * (720 * 360), 720, system="EPSG:4326", transform=[-180, 0.5, 0, 90, 0, -0.5])
    got, _ = figures(globe, truth)
    assert got["pixels"] == 200, got["pixels"]


def boxes_and_zones():
    """Boxes of degrees on both sides of 180; zones need the climate map."""
    fiji = [179.0, 0.1, 0, -17.0, 0, -0.1]  # 179 to 181 E
    chart = raster("map", [1] * 400, 20, system="EPSG:4326", transform=fiji)
    truth = raster("truth", [1] * 200 + [2] * 200, 20, system="EPSG:4326", transform=fiji)
    got, _ = figures(chart, truth, "--bbox", "-180,-20,-179.5,-10")
    assert got["pixels"] == 100, got["pixels"]
    got, _ = figures(chart, truth, "--bbox", "179.5,-18,180.5,-17", "--bbox", "179,-17.5,179.2,-17")
    assert got["pixels"] == 110, got["pixels"]
    refused(4, ["in the boxes"], chart, truth, "--bbox", "0,0,1,1")
    refused(4, ["boxes and zones need"], raster("bare", [1] * 4, 2, system=""), raster("reference", [1] * 4, 2, system=""), "--bbox",
            "0,0,1,1")
    got, done = figures(chart, truth, "--by-zone")
    assert sum(z["pixels"] for z in got["zones"].values()) == 400 and "zone" in done.stdout
    utm = raster("utm", [1] * 2500, 50, system="EPSG:32760", transform=[815000, 200, 0, 8130000, 0, -200])
    got, _ = figures(raster("map", [1] * 2500, 50, system="EPSG:32760", transform=[815000, 200, 0, 8130000, 0, -200]),
                     utm, "--bbox", "-180,-17.1,-179.9,-16")
    assert 0 < got["pixels"] < 2500


def finer_map():
    """A map far finer than the reference, and turned against it: parts of it are read, not all at once."""
    chart = raster("map", [(i // 2400 // 240 + i % 2400 // 240) % 5 for i in range(2400 * 2400)], 2400,
                   transform=[400000, 1, 0, 5800000, 0, -1])
    truth = raster("truth", [(r + c) % 5 for r in range(10) for c in range(10)], 10,
                   transform=[400000, 240, 0, 5800000, 0, -240])
    got, _ = figures(chart, truth)
    assert got["pixels"] == 100 and got["overall_accuracy"] == 1.0
    turned = raster("turned", [(r + c) % 5 for c in range(10) for r in range(10)], 10,
                    transform=[400000, 0, 240, 5800000, -240, 0])
    got, _ = figures(chart, turned)
    assert got["pixels"] == 100 and got["overall_accuracy"] == 1.0


def mapped_classes():
    """Classes of one data set compared with those of another: values, names, what the mapping leaves out."""
    where = raster("oem.vrt", [8, 4, 7, 5, 2, 3], 3)
    truth = raster("loveda.vrt", [2, 3, 7, 6, 1, 4], 3)
    share = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../share")
    told_figures, _ = figures(where, truth, "--mapping", "openearthmap_to_loveda", "--data-folder", share, "--ignore", "0")
    assert told_figures["overall_accuracy"] == 5 / 6, told_figures["overall_accuracy"]
    assert told_figures["mapping"]["8"] == 2 and len(told_figures["mapping"]) == 8
    with open("some.yaml", "w", encoding="utf-8") as file:
        file.write("name: some\nfrom: a\nto: b\nclasses: [{ from: 8, to: 2 }, { from: 4, to: 3 }]\n")
    refused(4, ["holds the value 7, of which the mapping does not tell"], where, truth, "--mapping", "some.yaml")
    with open("twice.yaml", "w", encoding="utf-8") as file:
        file.write("name: some\nfrom: a\nto: b\nclasses: [{ from: 8, to: 2 }, { from: 8, to: 3 }]\n")
    refused(2, ["classes.2.from: 8 is used twice"], where, truth, "--mapping", "twice.yaml")
    refused(4, ["--mapping nothing"], where, truth, "--mapping", "nothing", "--data-folder", share)


def protocols():
    """Where a class is missing on one side the evaluators of the field differ: each is named, with its figures, wherever figures are."""
    # class 3 is never found, 4 is only in the map, 6 is the clutter of the ISPRS benchmark
    truth = raster("truth", [1, 1, 1, 2, 2, 3, 6, 6, 0, 0], 5)
    chart = raster("map", [1, 1, 4, 2, 1, 2, 6, 1, 1, 2], 5)
    got, done = figures(chart, truth, "--preset", "potsdam", "--protocol", "geoseg", "--html", "page.html")
    means = {name: (m["miou"], m["mf1"], m["iou_classes"], m["f1_classes"]) for name, m in got["means"].items()}
    iou, f1 = [2 / 5, 1 / 3, 0, 0], [4 / 7, 2 / 4]
    want = {"metaseg": (sum(iou) / 3, sum(f1) / 3, 3, 3), "geoseg": (sum(iou) / 4, sum(f1) / 2, 4, 2),
            "torchmetrics": (sum(iou) / 4, sum(f1) / 4, 4, 4)}
    for name, figure in want.items():
        assert all(abs(a - b) < 1e-12 for a, b in zip(means[name], figure)), f"{name}: {means[name]}, expected {figure}"
    assert (got["miou_macro"], got["mf1_macro"]) == means["geoseg"][:2] and got["protocol"] == "geoseg"
    assert got["data_set"] == "ISPRS 2D Semantic Labeling, Potsdam" and got["ignored"] == 2
    assert got["pixels"] == 8 and got["overall_accuracy"] == 4 / 8, "clutter stays in the matrix"
    assert [c["f1"] for c in got["classes"]][2:4] == [None, None]
    with open("page.html", encoding="utf-8") as f:
        page = f.read()
    for text in (done.stdout, page):
        for word in ("ISPRS 2D Semantic Labeling, Potsdam", "rotocol geoseg: F1 is no number", "y metaseg", "y torchmetrics"):
            assert word in text, f"{word} is not told: {text[:3000]}"
    done = run(chart, truth, "--preset", "loveda")
    assert done.returncode == 0 and "protocol metaseg" in done.stdout and "LoveDA" in done.stdout, done.stderr
    done = run(truth, truth)
    assert "by geoseg" not in done.stdout, "nothing is missing, so all agree"
    refused(2, ["potsdm"], chart, truth, "--preset", "potsdm")
    refused(2, ["--protocol"], chart, truth, "--protocol", "other")


def several_pairs():
    """The figures of several pairs are those of one pair of all their pixels; each pair is told, from the command line or a list."""
    maps = [raster(f"map{i}", values, 2, kind="UInt16", nodata=9) for i, values in enumerate(([1, 1, 2, 2], [1, 2, 2, 9], [300, 300, 1, 1]))]
    truths = [raster(f"truth{i}", values, 2, kind="UInt16") for i, values in enumerate(([1, 2, 2, 255], [1, 1, 2, 2], [300, 1, 1, 1]))]
    one, _ = figures(raster("all", [1, 1, 2, 2, 1, 2, 2, 9, 300, 300, 1, 1], 2, kind="UInt16", nodata=9),
                     raster("all_truth", [1, 2, 2, 255, 1, 1, 2, 2, 300, 1, 1, 1], 2, kind="UInt16"), "--csv", "one.csv")
    arguments = [path for pair in zip(maps, truths) for path in pair]
    got, done = figures(*arguments, "--csv", "several.csv")
    with open("one.csv", encoding="utf-8") as a, open("several.csv", encoding="utf-8") as b:
        assert a.read() == b.read()
    pairs = got.pop("pairs")
    for key in ("prediction", "truth"):
        del one[key]
    assert got == one, f"{got} instead of {one}"
    assert [p["pixels"] for p in pairs] == [3, 3, 4] and [p["ignored"] for p in pairs] == [1, 0, 0], pairs
    assert [p["prediction"] for p in pairs] == maps and abs(pairs[1]["overall_accuracy"] - 2 / 3) < 1e-9
    assert all(path in done.stdout for path in maps), done.stdout
    os.mkdir("lists")
    with open("lists/pairs.csv", "w", encoding="utf-8") as f:
        f.write("# map, reference\n\n" + "".join(f"../{m}, ../{t}\r\n" for m, t in list(zip(maps, truths))[1:]))
    listed, _ = figures(maps[0], truths[0], "--list", "lists/pairs.csv")
    assert {k: v for k, v in listed.items() if k != "pairs"} == one
    got = json.loads(run(*arguments, "--log-format", "json", "-q").stdout)
    assert got["pixels"] == 10 and len(got["pairs"]) == 3
    # a pair with nothing to compare is told; one that cannot be read ends it
    _, done = figures(maps[0], truths[0], maps[1], raster("none", [255] * 4, 2))
    told(done, "nothing in them is compared")
    refused(4, ["no such file"], maps[0], truths[0], maps[1], "missing.vrt")
    refused(2, ["3 files were given; each map needs its reference"], *arguments[:3])
    refused(2, ["no map and no reference were given"])
    with open("lists/bad.csv", "w", encoding="utf-8") as f:
        f.write("a.tif\n")
    refused(4, ["line 1 is no pair"], "--list", "lists/bad.csv")
    # as a spreadsheet writes it; no text; a pair that counts twice is told
    for encoding in ("utf-8-sig", "utf-16"):
        with open("lists/marked.csv", "w", encoding=encoding) as f:
            f.write(f"../{maps[0]},../{truths[0]}\n../{maps[1]},../{truths[1]}\n../{maps[2]},../{truths[2]}\n")
        if encoding == "utf-16":
            refused(4, ["holds a zero byte, so it is no text"], "--list", "lists/marked.csv")
        else:
            listed, done = figures("--list", "lists/marked.csv")
            assert {k: v for k, v in listed.items() if k != "pairs"} == one and "more than once" not in done.stderr
    got, done = figures(*arguments, *arguments[2:4])
    told(done, "named more than once, as pairs 2 and 4")
    done = run(*arguments, "--csv", truths[2])
    assert done.returncode == 2, done.stderr


def content(node):
    return "".join(content(n) if n.childNodes else n.nodeValue or "" for n in node.childNodes)


def page(*arguments):
    """Figures, and the tables of the page: one list of rows of texts each."""
    got, _ = figures(*arguments, "--html", "page.html")
    with open("page.html", encoding="utf-8") as f:
        text = f.read()
    tree = xml.dom.minidom.parseString(text.removeprefix("<!DOCTYPE html>\n"))
    for picture in tree.getElementsByTagName("img"):
        assert picture.getAttribute("src").startswith("data:image/png;base64,iVBOR")
    assert not any(tree.getElementsByTagName(tag) for tag in ("script", "link", "a"))
    tables = [[[content(cell) for cell in row.childNodes if cell.nodeType == cell.ELEMENT_NODE] for row in body.getElementsByTagName("tr")]
              for body in tree.getElementsByTagName("tbody")]
    return got, tables, tree


def pages():
    """The page has the figures of the JSON, the matrix and both pictures; intervals lie around the figures."""
    side = 40
    truth = "<truth>.vrt"
    written = raster("truth", [1 + (c // 10 + r // 10) % 3 for r in range(side) for c in range(side)], side)
    os.rename(written, truth)
    values = [1 + (c // 10 + r // 10) % 3 if (r * side + c) % 7 else 2 for r in range(side) for c in range(side)]
    chart = raster("map", values, side)
    got, (classes, matrix), tree = page(chart, truth)
    assert [row[0] for row in classes] == ["1", "2", "3"] and len(tree.getElementsByTagName("img")) == 2
    for row, figure in zip(classes, got["classes"]):
        iou, low, high = (float(x) for x in re.fullmatch(r"([0-9.]+) \(([0-9.]+) to ([0-9.]+)\)", row[2]).groups())
        assert row[1] == str(figure["truth"]) and abs(iou - 100 * figure["iou"]) < 0.06 and low < iou < high, row
        assert [float(x) for x in row[3:]] == [round(100 * figure[key], 1) for key in ("f1", "precision", "recall")], row
    for i, row in enumerate(matrix):
        assert abs(sum(map(float, row[1:])) - 100) < 0.2 and abs(float(row[i + 1]) - 100 * got["classes"][i]["recall"]) < 0.06, row
    assert f"mean IoU {100 * got['miou_macro']:.1f} %" in content(tree.documentElement)
    assert "of 100 blocks of the reference with labels" in content(tree.documentElement)
    assert "map.vrt and <truth>.vrt" == content(tree.getElementsByTagName("h1")[0])
    # classes beyond a byte have no intervals; several pairs are told one by one
    got, tables, tree = page(raster("a", [300, 1, 1, 300], 2, "UInt16"), raster("b", [300, 1, 300, 300], 2, "UInt16"), chart, truth)
    assert len(tables) == 3 and len(tables[2]) == 2 and len(tree.getElementsByTagName("img")) == 4
    assert [row[0] for row in tables[0]] == ["1", "2", "3", "300"] and tables[0][3][2] == "66.7", tables[0]
    # one large pair: its windows, too; not of one window alone
    side = 600
    truth = raster("large_truth", [1] * side * side, side)
    chart = raster("large", [2 if c >= 512 and r < 256 else 1 for r in range(side) for c in range(side)], side)
    _, _, tree = page(chart, truth)
    assert len(tree.getElementsByTagName("img")) == 2 + 2 * 6
    assert "6 of 9 windows with labels are shown, 3 are not." in content(tree.documentElement)
    names = [content(n) for n in tree.getElementsByTagName("figcaption")]
    assert names[2] == "large.vrt, column 512, row 0: 0.0 % right: reference, map", names
    assert all(": 100.0 % right" in n for n in names[3:]), names
    sparse = raster("sparse", [1 if r == 300 and c < 10 else 0 for r in range(side) for c in range(side)], side, nodata=0)
    _, _, tree = page(chart, sparse)
    assert len(tree.getElementsByTagName("img")) == 2
    # many pairs: the worst and the best of all, wherever they stand, and how many are not shown
    right = [37, 20, 64, 5, 50, 31, 12, 44, 58, 27]
    pairs = []
    for i, n in enumerate(right):
        pairs += [raster(f"map{i}", [1] * n + [2] * (64 - n), 8), raster(f"truth{i}", [1] * 64, 8)]
    _, _, tree = page(*pairs)
    names = [content(n) for n in tree.getElementsByTagName("figcaption")]
    ranked = sorted(right)
    assert names == [f"map{right.index(n)}.vrt, column 0, row 0: {100 * n / 64:.1f} % right: reference, map"
                     for n in ranked[:3] + ranked[-3:]], names
    assert "6 of 10 windows with labels are shown, 4 are not." in content(tree.documentElement)
    assert len(tree.getElementsByTagName("img")) == 12
    refused(2, ["page.png", "HTML"], chart, truth, "--html", "page.png")
    refused(2, ["the page"], chart, truth, "--html", truth)
    done = subprocess.run([METASEG, "eval", chart, truth, "--html", "page.html", "-q"], capture_output=True, text=True, check=False)
    assert done.returncode == 6 and "page.html" in done.stderr, done.stderr


def picture(name, colors, width):
    """A PNG of these colours."""
    raw = b"".join(b"\0" + bytes(v for c in colors[i:i + width] for v in c) for i in range(0, len(colors), width))

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, len(colors) // width, 8, 2, 0, 0, 0)
    with open(name + ".png", "wb") as f:
        f.write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(raw)) + chunk(b"IEND", b""))
    return os.path.abspath(name + ".png")


def pictures():
    """References that are pictures are read by the colours of a class table."""
    white, blue, green, black, odd = (255, 255, 255), (0, 0, 255), (0, 255, 0), (0, 0, 0), (1, 2, 3)
    with open("table.yaml", "w", encoding="utf-8") as f:
        f.write('name: made\nclasses:\n  - { value: 1, name: Road, color: "#ffffff" }\n'
                '  - { value: 2, name: Roof, color: "#0000ff" }\n  - { value: 4, name: Tree, color: "#00ff00" }\n')
    chart = raster("map", [1, 1, 2, 4, 4, 2], 3)
    table = ["--truth-classes", "./table.yaml", "--by-pixel"]
    truth = picture("truth", [white, blue, blue, green, black, blue], 3)
    got, done = figures(chart, truth, *table, "--ignore-colors", "#000000")
    same, _ = figures(chart, raster("values", [1, 2, 2, 4, 9, 2], 3), "--by-pixel", "--ignore", "9")
    assert got["pixels"] == 5 and got["ignored"] == 1 and same["ignored"] == 1, got
    for key in ("miou_macro", "mf1_macro", "overall_accuracy", "kappa"):
        assert got[key] == same[key], key
    assert [c["name"] for c in got["classes"]] == ["Road", "Roof", "Tree"], got["classes"]
    assert "Roof" in done.stdout
    # a colour that no class has: which, how often, where
    refused(4, ["truth.png': no class has the colour #000000 (1 pixels), first at column 1, row 1; expected"], chart, truth, *table)
    many = picture("many", [odd, blue, odd, green, black, odd], 3)
    refused(4, ["no class has the colour #010203 (3 pixels), #000000 (1), first at column 0, row 0"], chart, many, *table)
    refused(4, ["#010203 (3 pixels), first at column 0, row 0"], chart, many, *table, "--ignore-colors", "#000000")
    got, _ = figures(chart, many, *table, "--ignore-colors", "#000000,#010203")
    assert got["pixels"] == 2 and got["ignored"] == 4, got
    # one band holds class values all the same; a picture without a table is refused as before, and its way out is told
    got, _ = figures(chart, raster("values", [1, 1, 2, 4, 4, 2], 3), *table)
    assert got["overall_accuracy"] == 1, got
    refused(4, ["truth.png'", "one band of class values, not a picture", "--truth-classes"], chart, truth, "--by-pixel")
    refused(2, ["'black' is no colour"], chart, truth, *table, "--ignore-colors", "black")
    refused(2, ["--ignore-colors is of a picture"], chart, truth, "--by-pixel", "--ignore-colors", "#000000")
    refused(4, ["--truth-classes ./nothing.yaml: "], chart, truth, "--truth-classes", "./nothing.yaml")


def main():
    global METASEG
    METASEG = os.path.abspath(sys.argv[1])
    failed = 0
    for case in (left_out_pixels, values, no_class_rasters, class_names, places, control_points, boxes_and_zones,
                 finer_map, protocols, several_pairs, mapped_classes, pictures, pages):
        with tempfile.TemporaryDirectory() as folder:
            os.chdir(folder)
            try:
                case()
            except AssertionError as failure:
                print(f"{case.__name__}: {failure}")
                failed += 1
            os.chdir("/")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
