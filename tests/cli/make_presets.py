#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Small copies of the published data sets: real names and codings, made-up pixels. make_presets.py FOLDER

FOLDER/loveda, potsdam, ...: nothing is wrong. FOLDER/broken/NAME: one of each thing that can be.
"""
import os
import struct
import sys
import zlib

FOLDER = sys.argv[1]


def write(path, data):
    path = os.path.join(FOLDER, path)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as file:
        file.write(data)


def bands_of(width, height, bands, value):
    """Bytes, pixel by pixel; value(x, y) gives one number of each band."""
    return b"".join(bytes(value(x, y)[:bands]) for y in range(height) for x in range(width))


def png(width, height, bands, value):
    pixels = bands_of(width, height, bands, value)
    row = width * bands
    raw = b"".join(b"\0" + pixels[y * row:(y + 1) * row] for y in range(height))

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, {1: 0, 3: 2}[bands], 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(raw, 1)) + chunk(b"IEND", b"")


def tiff(width, height, bands, value, lambert=None):
    """Classic TIFF, one strip, no compression; lambert: corner in EPSG:2154, pixels of 0.2 m."""
    pixels = bands_of(width, height, bands, value)
    tags = [(256, 3, [width]), (257, 3, [height]), (258, 3, [8] * bands), (259, 3, [1]), (262, 3, [2 if bands > 2 else 1]),
            (273, 4, [0]), (277, 3, [bands]), (278, 3, [height]), (279, 4, [len(pixels)]), (284, 3, [1])]
    if bands > 3:
        tags.append((338, 3, [0] * (bands - 3)))
    if lambert is not None:
        tags += [(33550, 12, [0.2, 0.2, 0.0]), (33922, 12, [0.0, 0.0, 0.0, lambert[0], lambert[1], 0.0]),
                 (34735, 3, [1, 1, 0, 3, 1024, 0, 1, 1, 1025, 0, 1, 1, 3072, 0, 1, 2154])]
    letters = {3: "H", 4: "I", 12: "d"}
    at = 8 + 2 + 12 * len(tags) + 4
    extra, values = b"", {}
    for tag, kind, numbers in tags:
        data = struct.pack("<%d%s" % (len(numbers), letters[kind]), *numbers)
        if len(data) > 4:
            values[tag] = struct.pack("<I", at + len(extra))
            extra += data + b"\0" * (len(data) % 2)
        else:
            values[tag] = data.ljust(4, b"\0")
    values[273] = struct.pack("<I", at + len(extra))
    entries = b"".join(struct.pack("<HHI", tag, kind, len(numbers)) + values[tag] for tag, kind, numbers in tags)
    return b"II*\0" + struct.pack("<IH", 8, len(tags)) + entries + b"\0" * 4 + extra + pixels


def jpeg(width, height, value):
    """Baseline, three components, each 8 x 8 block of one colour (its DC coefficient alone)."""
    lengths = [0, 1, 5, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0]
    codes, code, symbol = {}, 0, 0
    for length in range(1, 17):
        for _ in range(lengths[length - 1]):
            codes[symbol] = (code, length)
            code, symbol = code + 1, symbol + 1
        code <<= 1
    bits, last = [], [0, 0, 0]

    def put(number, length):
        bits.extend((number >> i) & 1 for i in range(length - 1, -1, -1))

    for by in range((height + 7) // 8):
        for bx in range((width + 7) // 8):
            r, g, b = value(min(8 * bx + 4, width - 1), min(8 * by + 4, height - 1))[:3]
            ycc = (0.299 * r + 0.587 * g + 0.114 * b - 128, -0.1687 * r - 0.3313 * g + 0.5 * b, 0.5 * r - 0.4187 * g - 0.0813 * b)
            for k in range(3):
                dc = int(round(ycc[k]))  # quantised by 8: 8 times the mean over 8
                difference, last[k] = dc - last[k], dc
                size = abs(difference).bit_length()
                put(*codes[size])
                if size:
                    put(difference if difference > 0 else difference + (1 << size) - 1, size)
                put(0, 2)  # end of block
    bits.extend([1] * (-len(bits) % 8))
    scan = b"".join(bytes([byte, 0]) if byte == 255 else bytes([byte]) for byte in
                    (int("".join(map(str, bits[i:i + 8])), 2) for i in range(0, len(bits), 8)))

    def part(marker, data):
        return b"\xff" + marker + struct.pack(">H", len(data) + 2) + data

    frame = struct.pack(">BHHB", 8, height, width, 3) + b"".join(bytes([k, 0x11, 0]) for k in (1, 2, 3))
    return (b"\xff\xd8" + part(b"\xdb", b"\0" + bytes([8] + [1] * 63)) + part(b"\xc0", frame) +
            part(b"\xc4", b"\x00" + bytes(lengths) + bytes(range(12))) +
            part(b"\xc4", b"\x10" + bytes([0, 1] + [0] * 14) + b"\0") +
            part(b"\xda", b"\3" + b"\1\0\2\0\3\0" + b"\0\x3f\0") + scan + b"\xff\xd9")


def class_at(x, y, shift, classes):
    return (x // 24 + y // 16 + shift) % classes


def image_of(shift, classes):
    def value(x, y):
        c = class_at(x, y, shift, classes)
        return tuple(v % 256 for v in (30 + 25 * c, 200 + 236 * c, 40 + 60 * c, 90 + 10 * c, 10 * c))
    return value


def values_of(shift, classes, first=1, border=None):
    """Class values from `first`; border: value where classes meet."""
    def value(x, y):
        c = class_at(x, y, shift, classes)
        if border is not None and class_at(x + 1, y + 1, shift, classes) != c:
            return (border,)
        return (c + first,)
    return value


ISPRS = [(255, 255, 255), (0, 0, 255), (0, 255, 255), (0, 255, 0), (255, 255, 0), (255, 0, 0)]
DEEPGLOBE = [(0, 255, 255), (255, 255, 0), (255, 0, 255), (0, 255, 0), (0, 0, 255), (255, 255, 255), (0, 0, 0)]


def colors_of(palette, shift, eroded=False, noise=0):
    n = len(palette)

    def value(x, y):
        c = class_at(x, y, shift, n)
        if eroded and class_at(x + 1, y + 1, shift, n) != c:
            return (0, 0, 0)
        return tuple(abs(v - noise) for v in palette[c])
    return value


def loveda(base):
    at = 0
    for part, hidden in (("Train", False), ("Val", False), ("Test", True)):
        for area in ("Urban", "Rural"):
            for size in ((128, 128), (192, 96)):
                write(f"{base}/{part}/{area}/images_png/{at}.png", png(*size, 3, image_of(at, 7)))
                if not hidden:
                    write(f"{base}/{part}/{area}/masks_png/{at}.png", png(*size, 1, values_of(at, 7, border=0)))
                at += 1


def openearthmap(base):
    regions = {"koeln": ("train", "train", "val", "test"), "san_tome": ("train", "val"), "lima": ("train", "test"),
               "nowhere": ("train",)}
    lists = {"train": [], "val": [], "test": []}
    for k, (region, parts) in enumerate(regions.items()):
        for i, part in enumerate(parts):
            name, size = f"{region}_{i + 1}.tif", (128 + 32 * i, 128)
            lists[part].append(name)
            write(f"{base}/{region}/images/{name}", tiff(*size, 3, image_of(i + k, 8)))
            if part != "test":
                write(f"{base}/{region}/labels/{name}", tiff(*size, 1, values_of(i + k, 8, border=0)))
    for part, names in lists.items():
        write(f"{base}/{part}.txt", "\r\n".join(names).encode())


def potsdam(base):
    def world(tile):
        row, column = map(int, tile.split("_"))
        return "0.05\n0\n0\n-0.05\n%f\n%f\n" % (366676 + 300 * (column - 10), 5808345 - 300 * (row - 2))

    for k, tile in enumerate("2_10 2_11 2_12 3_10 3_11 3_12 4_10 4_11 4_12 5_10 5_11 5_12 6_7 6_8 6_9 6_10 6_11 6_12 7_7 7_8 7_9 7_10 "
                             "7_11 7_12 2_13 2_14 3_13 3_14 4_13 4_14 4_15 5_13 5_14 5_15 6_13 6_14 6_15 7_13".split()):
        size = (96, 64)
        write(f"{base}/2_Ortho_RGB/top_potsdam_{tile}_RGB.tif", tiff(*size, 3, image_of(k, 6)))
        write(f"{base}/2_Ortho_RGB/top_potsdam_{tile}_RGB.tfw", world(tile).encode())
        write(f"{base}/5_Labels_all/top_potsdam_{tile}_label.tif", tiff(*size, 3, colors_of(ISPRS, k)))
        write(f"{base}/5_Labels_all_noBoundary/top_potsdam_{tile}_label_noBoundary.tif", tiff(*size, 3, colors_of(ISPRS, k, eroded=True)))


def vaihingen(base):
    for k, tile in enumerate("1 2 3 4 5 6 7 8 10 11 12 13 14 15 16 17 20 21 22 23 24 26 27 28 29 30 31 32 33 34 35 37 38".split()):
        size = (80 + 8 * (k % 3), 72)
        name = f"top_mosaic_09cm_area{tile}"
        write(f"{base}/top/{name}.tif", tiff(*size, 3, image_of(k, 6)))
        write(f"{base}/ISPRS_semantic_labeling_Vaihingen_ground_truth_COMPLETE/{name}.tif", tiff(*size, 3, colors_of(ISPRS, k)))
        write(f"{base}/ISPRS_semantic_labeling_Vaihingen_ground_truth_eroded_COMPLETE/{name}_noBoundary.tif",
              tiff(*size, 3, colors_of(ISPRS, k, eroded=True)))


def flair(base):
    at = 419
    for tree, domains in (("train", ("D004_2021", "D006_2020")), ("test", ("D012_2019",))):
        prefix = {"train": "flair", "test": "flair_2"}[tree]
        for k, domain in enumerate(domains):
            for zone in ("Z1_NN", "Z2_UA"):
                place = (650000 + 1000 * at, 6860000 + 5000 * k)
                write(f"{base}/{prefix}_aerial_{tree}/{domain}/{zone}/img/IMG_{at:06d}.tif", tiff(128, 128, 5, image_of(at, 19), place))
                if tree == "train":
                    write(f"{base}/flair_labels_train/{domain}/{zone}/msk/MSK_{at:06d}.tif", tiff(128, 128, 1, values_of(at, 19), place))
                at += 1


def deepglobe(base):
    for k, tile in enumerate(("119", "855", "2334", "3387")):
        size = (128, 128) if k < 3 else (160, 96)
        write(f"{base}/train/{tile}_sat.jpg", jpeg(*size, image_of(k, 7)))
        write(f"{base}/train/{tile}_mask.png", png(*size, 3, colors_of(DEEPGLOBE, k, noise=9)))
    for tile in ("5", "8"):
        write(f"{base}/valid/{tile}_sat.jpg", jpeg(128, 128, image_of(3, 7)))
    write(f"{base}/test/7_sat.jpg", jpeg(128, 128, image_of(4, 7)))


def broken():
    loveda("broken/loveda")
    base = "broken/loveda/Train"
    path = os.path.join(FOLDER, base, "Urban/images_png/0.png")
    data = open(path, "rb").read()
    write(f"{base}/Urban/images_png/0.png", data[:len(data) // 2])
    write(f"{base}/Urban/images_png/90.png", png(64, 64, 3, image_of(0, 7)))
    write(f"{base}/Urban/masks_png/91.png", png(64, 64, 1, values_of(0, 7)))
    write(f"{base}/Rural/masks_png/2.png", png(64, 64, 1, values_of(0, 7)))
    write(f"{base}/Rural/masks_png/3.png", png(192, 96, 1, values_of(3, 7, first=3)))
    openearthmap("broken/openearthmap")
    os.remove(os.path.join(FOLDER, "broken/openearthmap/val.txt"))
    os.remove(os.path.join(FOLDER, "broken/openearthmap/lima/images/lima_1.tif"))
    potsdam("broken/potsdam")
    os.remove(os.path.join(FOLDER, "broken/potsdam/5_Labels_all/top_potsdam_2_10_label.tif"))
    write("broken/potsdam/5_Labels_all/top_potsdam_2_11_label.tif", tiff(96, 64, 3, colors_of(ISPRS, 1, noise=3)))


for make in (loveda, openearthmap, potsdam, vaihingen, flair, deepglobe):
    make(make.__name__)
broken()
write("one/image.png", png(64, 64, 3, image_of(0, 7)))  # one window, no more
write("one/mask.png", png(64, 64, 1, values_of(0, 7, border=0)))
