#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# gdal_rasterize -a burns 0 where the attribute is NULL, and 255 where it is 300, each time without a word.
#
# Seen with Debian 12's gdal-bin 3.6.2: three squares with the class 7, NULL and 300, burned into Byte pixels that were set to 254
# first. The square of class NULL becomes 0, which is a class like any other in most legends ("water" in IGBP); the one of
# class 300 becomes 255, which is most people's nodata. Status 0, no warning.
# Why one would guess otherwise: NULL is not a number, so a feature without a class would seem to burn nothing (SQL's sum and mean
# leave it out, rasterio has no way to burn None); and GDAL warns elsewhere when a value does not fit its type.
# Cure: -where "class IS NOT NULL AND class BETWEEN 0 AND 254".
set -eu
if ! dpkg -s gdal-bin >/dev/null 2>&1; then
    DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends gdal-bin >/dev/null
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
square() { # WEST CLASS
    echo "{\"type\":\"Feature\",\"properties\":{\"class\":$2},\"geometry\":{\"type\":\"Polygon\",\"coordinates\":[[[$1,0],[$(($1 + 2)),0],[$(($1 + 2)),2],[$1,2],[$1,0]]]}}"
}
echo "{\"type\":\"FeatureCollection\",\"features\":[$(square 0 7),$(square 2 null),$(square 4 300)]}" >labels.geojson
gdal_rasterize -q -a class -init 254 -ot Byte -te 0 0 8 2 -tr 1 1 labels.geojson labels.tif >told 2>&1
gdal_translate -q -of XYZ labels.tif values.txt
row=$(head -8 values.txt | cut -d ' ' -f 3 | tr '\n' ' ')
echo "classes 7, NULL, 300 and no feature: $row"
cat told
[ "$row" = "7 7 0 0 255 255 254 254 " ] && [ ! -s told ] || { echo "the behaviour has changed"; exit 1; }
