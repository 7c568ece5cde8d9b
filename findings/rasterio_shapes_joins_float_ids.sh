#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# rasterio.features.shapes joins neighbouring pixels of different whole numbers when the raster is float32.
#
# Seen with rasterio 1.4.4 (GDAL 3.10.3 in its wheel) and numpy 2.4.6 on Python 3.11: a row of the four ids 2,000,000 to 2,000,003
# in a float32 array becomes one polygon, an 8x8 block of 64 different ids from 3,000,000 on becomes 8; as int32 they
# become 4 and 64. Around 1,000,000 both types give four.
# Why one would guess otherwise: float32 holds every whole number up to 16,777,216, the function lists float32 among its types,
# and describes itself as giving connected regions with their value. What happens: for float32 it calls GDALFPolygonize,
# whose test of "equal" allows 10 units in the last place, from pixel to pixel; from 1,048,576 (2^20) on, that is more than 1.
# Ids of parcels or buildings that were saved as Float32 thus melt together without a word. Cure: give an int32 array.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
cat >"$work/requirements.txt" <<'END'
rasterio==1.4.4 --hash=sha256:e24b7b8c2df801dde2a1dffb44c58902bd76b5cab740dc11de4ff9963992a71a
numpy==2.4.6 --hash=sha256:89cd468399cfd2504718f0ba50e410dca55a170b61a02ad92bb18c8a65186e93
click==8.5.1 --hash=sha256:8bb5376d2006950386f8c6427613334a2acadc5f559cb80e638d00b4df957e37
cligj==0.7.2 --hash=sha256:c1ca117dbce1fe20a5809dc96f01e1c2840f6dcc939b3ddbb1111bf330ba82df
affine==3.0.1 --hash=sha256:cda3b303325e7bf2bf34817e68753a0d1c4cacbdd451fe67c4878dc2ecbaa540
attrs==26.1.0 --hash=sha256:c647aa4a12dfbad9333ca4e71fe62ddc36f4e63b2d260a37a8b83d2f043ac309
certifi==2026.10.19.post1 --hash=sha256:1324c476b4811eff41a8bc2122cd0bbd4d9c7234c725446d99ab1612b3a7fdd2
click-plugins==1.1.1.2 --hash=sha256:008d65743833ffc1f5417bf0e78e8d2c23aab04d9745ba817bd3e71b0feb6aa6
pyparsing==3.3.3 --hash=sha256:ece8c00a69cf01b45d0b1dedabb469c90d8caf996d4fda40f147627a122849a4
END
"$work/venv/bin/pip" install -q --disable-pip-version-check --only-binary :all: --require-hashes -r "$work/requirements.txt"
"$work/venv/bin/python" - <<'END'
import numpy as np
from rasterio import features

def polygons(ids):
    return len(list(features.shapes(ids)))

row = np.array([[2_000_000, 2_000_001, 2_000_002, 2_000_003]])
block = np.arange(3_000_000, 3_000_064).reshape(8, 8)
small = row - 1_000_000
for ids in (row, block, small):
    assert np.array_equal(ids.astype(np.float32).astype(np.int64), ids)  # nothing is rounded
seen = {name: (polygons(ids.astype(np.float32)), polygons(ids.astype(np.int32)))
        for name, ids in (("row", row), ("block", block), ("small", small))}
print("polygons (float32, int32):", seen)
assert seen == {"row": (1, 4), "block": (8, 64), "small": (4, 4)}, "the behaviour has changed"
END
