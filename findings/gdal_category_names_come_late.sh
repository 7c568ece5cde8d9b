#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The class names of a GeoTIFF are there only after something else has been asked.
#
# Seen with Debian 12's python3-gdal 3.6.2: the names lie in NAME.tif.aux.xml, where GDAL itself has put them. Of the file just opened,
# GetCategoryNames() gives None; after GetNoDataValue() of the same band it gives the names.
# Why one would guess otherwise: a getter answers the same whatever was asked before, gdalinfo shows the names (it asks other things
# first), and None is also the documented answer for a raster without names, so a program that asks for them alone takes the map for
# one without a legend.
set -eu
if ! dpkg -s python3-gdal >/dev/null 2>&1; then
    DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends python3-gdal >/dev/null
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
/usr/bin/python3 - <<'END'
import sys
from osgeo import gdal
dataset = gdal.GetDriverByName("GTiff").Create("map.tif", 4, 4, 1)
dataset.GetRasterBand(1).SetCategoryNames(["water", "forest", "crop"])
dataset = None
dataset = gdal.Open("map.tif")
band = dataset.GetRasterBand(1)
first = band.GetCategoryNames()
band.GetNoDataValue()
later = band.GetCategoryNames()
print("GDAL", gdal.__version__, "at first:", first, "later:", later)
if first is not None or later != ["water", "forest", "crop"]:
    sys.exit("the behaviour has changed")
END
