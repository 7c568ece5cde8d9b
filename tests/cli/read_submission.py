#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What a submission archive holds, read without libzip and GDAL: read_submission.py ARCHIVE [FOLDER]

A line for each member: its name, size, bands, and values or colours. FOLDER: members are unpacked there.
"""
import os
import struct
import sys
import zipfile
import zlib


def png(data):
    """(width, height, bands, rows of bytes) of a PNG of 8 bits without palette, transparency and interlace."""
    assert data[:8] == b"\x89PNG\r\n\x1a\n", "no PNG"
    at, packed, kinds = 8, b"", []
    while at < len(data):
        length, kind = struct.unpack(">I4s", data[at:at + 8])
        body = data[at + 8:at + 8 + length]
        assert zlib.crc32(kind + body) == struct.unpack(">I", data[at + 8 + length:at + 12 + length])[0], "wrong checksum"
        if kind == b"IHDR":
            width, height, depth, color, _, _, interlace = struct.unpack(">IIBBBBB", body)
        elif kind == b"IDAT":
            packed += body
        kinds.append(kind)
        at += 12 + length
    assert depth == 8 and color in (0, 2) and interlace == 0, "palette, alpha or not 8 bits"
    assert set(kinds) <= {b"IHDR", b"IDAT", b"IEND"}, f"further chunks: {kinds}"
    bands = 3 if color == 2 else 1
    raw, rows, before = zlib.decompress(packed), [], bytes(width * bands)
    for y in range(height):
        line = raw[y * (width * bands + 1):(y + 1) * (width * bands + 1)]
        kind, row = line[0], bytearray(line[1:])
        for i in range(len(row)):
            a = row[i - bands] if i >= bands else 0
            b, c = before[i], before[i - bands] if i >= bands else 0
            p = a + b - c
            near = a if abs(p - a) <= abs(p - b) and abs(p - a) <= abs(p - c) else b if abs(p - b) <= abs(p - c) else c
            row[i] = (row[i] + (0, a, b, (a + b) // 2, near)[kind]) & 255
        before = bytes(row)
        rows.append(before)
    return width, height, bands, rows


archive = zipfile.ZipFile(sys.argv[1])
assert archive.testzip() is None
for member in archive.infolist():
    assert member.date_time == (1980, 1, 1, 0, 0, 0) and member.compress_type == zipfile.ZIP_STORED
    data = archive.read(member)
    width, height, bands, rows = png(data)
    values = sorted({row[i:i + bands] for row in rows for i in range(0, len(row), bands)})
    print(member.filename, f"{width}x{height}", "colours" if bands == 3 else "values", *(v.hex() if bands == 3 else v[0] for v in values))
    if len(sys.argv) > 2:
        with open(os.path.join(sys.argv[2], member.filename), "wb") as file:
            file.write(data)
