#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# "rio cogeo validate" ends with status 0 for a file that it calls invalid, with --strict too.
#
# Seen with rio-cogeo 7.0.4 (rasterio 1.4.4) on Python 3.11: for an untiled GeoTIFF of 1024x1024 pixels it prints "is NOT a valid
# cloud optimized GeoTIFF" and the error "not tiled", and the shell's $? is 0; for a valid file it is 0 as well.
# Why one would guess otherwise: a command called validate is what one writes into a build script, and GDAL's own
# validate_cloud_optimized_geotiff.py, whose checks it took over, ends with 1. "rio cogeo validate x.tif || exit 1" never fails.
# Cure: call rio_cogeo.cogeo.cog_validate() from Python, or search the printed text.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
cat >"$work/requirements.txt" <<'END'
rio-cogeo==7.0.4 --hash=sha256:ea23c1a1aedb9a98b18f9efebaefc21d89eb6bbc4457179c14352007e1c8cae9
rasterio==1.4.4 --hash=sha256:e24b7b8c2df801dde2a1dffb44c58902bd76b5cab740dc11de4ff9963992a71a
numpy==2.4.6 --hash=sha256:89cd468399cfd2504718f0ba50e410dca55a170b61a02ad92bb18c8a65186e93
pyproj==3.7.2 --hash=sha256:281cb92847814e8018010c48b4069ff858a30236638631c1a91dd7bfa68f8a8a
click==8.5.1 --hash=sha256:8bb5376d2006950386f8c6427613334a2acadc5f559cb80e638d00b4df957e37
cligj==0.7.2 --hash=sha256:c1ca117dbce1fe20a5809dc96f01e1c2840f6dcc939b3ddbb1111bf330ba82df
morecantile==7.1.0 --hash=sha256:1a6fd28a22467a6ec3fef1dfc4659d892a48a3c7e5e4acdceff68c6cc7956b0b
pydantic==2.14.4 --hash=sha256:653a2ad9f6d8858529c77c72717d0ea991d6c6837fe683246b2f4b2bbfc3fadc
pydantic_core==2.50.5 --hash=sha256:488319076ec92908b91fc6265ce761f1d78748f69f85518564fd16bf333e1b70
affine==3.0.1 --hash=sha256:cda3b303325e7bf2bf34817e68753a0d1c4cacbdd451fe67c4878dc2ecbaa540
attrs==26.1.0 --hash=sha256:c647aa4a12dfbad9333ca4e71fe62ddc36f4e63b2d260a37a8b83d2f043ac309
certifi==2026.10.19.post1 --hash=sha256:1324c476b4811eff41a8bc2122cd0bbd4d9c7234c725446d99ab1612b3a7fdd2
click-plugins==1.1.1.2 --hash=sha256:008d65743833ffc1f5417bf0e78e8d2c23aab04d9745ba817bd3e71b0feb6aa6
pyparsing==3.3.3 --hash=sha256:ece8c00a69cf01b45d0b1dedabb469c90d8caf996d4fda40f147627a122849a4
annotated-types==0.8.0 --hash=sha256:f072f4d804ea359e4eaf198b1af7a8b0943881a87f31bb764f8bf219bb9419e0
typing_extensions==4.16.0 --hash=sha256:481caa481374e813c1b176ada14e97f1f67a4539ce9cfeb3f350d78d6370c2e8
typing-inspection==0.4.5 --hash=sha256:bc210535442b39e1bf2805e0c7a17dfd6a4ace760c84c7f7d16245d23a6b1c39
END
"$work/venv/bin/pip" install -q --disable-pip-version-check --only-binary :all: --require-hashes -r "$work/requirements.txt"
cd "$work"
venv/bin/python - <<'END'
import numpy as np
import rasterio

for name, driver, options in (("strips.tif", "GTiff", {}), ("cloud.tif", "COG", {"blocksize": 256})):
    with rasterio.open(name, "w", driver=driver, width=1024, height=1024, count=1, dtype="uint8", crs="EPSG:3857",
                       transform=rasterio.transform.from_origin(0, 0, 10, 10), **options) as raster:
        raster.write(np.zeros((1, 1024, 1024), np.uint8))
END
check() { # FILE WORDS OPTIONS...
    file=$1 words=$2
    shift 2
    status=0
    venv/bin/rio cogeo validate "$@" "$file" >told 2>&1 || status=$?
    cat told
    echo "status $status"
    [ $status = 0 ] && grep -q "$words" told || { echo "the behaviour has changed"; exit 1; }
}
check cloud.tif 'is a valid cloud optimized GeoTIFF'
check strips.tif 'is NOT a valid cloud optimized GeoTIFF'
check strips.tif 'is NOT a valid cloud optimized GeoTIFF' --strict
