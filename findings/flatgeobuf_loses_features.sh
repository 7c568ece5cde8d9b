#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# ogr2ogr to FlatGeobuf loses every feature without geometry, with status 0 and without a word.
#
# Seen with Debian 12's gdal-bin 3.6.2: of four features, one with "geometry": null and one with an empty polygon, FlatGeobuf keeps
# two, whether it makes a spatial index or not; GeoPackage keeps four.
# Why one would guess otherwise: both are formats of features with attributes, the format's schema makes the geometry optional,
# and a conversion that drops rows is expected to say so (or to fail, as -skipfailures suggests). A table of field notes that
# has not been digitised yet comes back shorter, and a count after the conversion is the only sign.
set -eu
if ! dpkg -s gdal-bin >/dev/null 2>&1; then
    DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends gdal-bin >/dev/null
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
cat >plots.geojson <<'END'
{"type":"FeatureCollection","features":[
{"type":"Feature","properties":{"plot":1},"geometry":{"type":"Polygon","coordinates":[[[0,0],[4,0],[4,4],[0,4],[0,0]]]}},
{"type":"Feature","properties":{"plot":2},"geometry":null},
{"type":"Feature","properties":{"plot":3},"geometry":{"type":"Polygon","coordinates":[]}},
{"type":"Feature","properties":{"plot":4},"geometry":{"type":"Polygon","coordinates":[[[4,0],[8,0],[8,4],[4,4],[4,0]]]}}]}
END
ogr2ogr plots.gpkg plots.geojson >told 2>&1
ogr2ogr plots.fgb plots.geojson >>told 2>&1
ogr2ogr -lco SPATIAL_INDEX=NO plain.fgb plots.geojson >>told 2>&1
count() { ogrinfo -so -al "$1" | sed -n 's/^Feature Count: //p'; }
echo "of 4 features: GeoPackage $(count plots.gpkg), FlatGeobuf $(count plots.fgb), without index $(count plain.fgb)"
cat told
[ "$(count plots.gpkg) $(count plots.fgb) $(count plain.fgb)" = "4 2 2" ] && [ ! -s told ] || { echo "the behaviour has changed"; exit 1; }
