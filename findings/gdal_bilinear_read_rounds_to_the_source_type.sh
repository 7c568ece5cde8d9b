#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# GDAL's bilinear reads of a whole-number raster give whole numbers, also into Float32: the fractions are rounded away before.
#
# Seen with Debian 12's gdal-bin 3.6.2 (the same with GDAL 3.10.3): a UInt16 raster of 2 x 2 pixels (10 11 / 12 14) read at 4 x 4 with
# -r bilinear -ot Float32, and a VRT band of type Float32 with resampling="bilinear" over it, hold only whole numbers (10 10 11 11 in the
# first row); the same numbers stored as Float32 give 10 10.25 10.75 11, and so does gdalwarp from the UInt16 file.
# Why one would guess otherwise: the caller asked for floats, gdalwarp keeps the fractions, and a mean of 10 and 11 is 10.5 in any
# float. Bands of 20 m brought to 10 m this way move in steps of a whole digital number; of 8-bit pictures in steps of 1 of 255.
set -eu
if ! dpkg -s gdal-bin >/dev/null 2>&1; then
    DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends gdal-bin >/dev/null
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
printf 'ncols 2\nnrows 2\nxllcorner 0\nyllcorner 0\ncellsize 2\n10 11\n12 14\n' >two.asc
gdal_translate -q -ot UInt16 two.asc whole.tif
gdal_translate -q -ot Float32 two.asc float.tif
cat >whole.vrt <<'END'
<VRTDataset rasterXSize="4" rasterYSize="4"><GeoTransform>0,1,0,4,0,-1</GeoTransform>
<VRTRasterBand dataType="Float32" band="1"><SimpleSource resampling="bilinear"><SourceFilename relativeToVRT="1">whole.tif</SourceFilename>
<SourceBand>1</SourceBand><SrcRect xOff="0" yOff="0" xSize="2" ySize="2"/><DstRect xOff="0" yOff="0" xSize="4" ySize="4"/></SimpleSource>
</VRTRasterBand></VRTDataset>
END
first_row() { gdal_translate -q -of AAIGrid "$@" row.asc && sed -n '/^cellsize/{n;p;}' row.asc | xargs -n 1 printf '%g ' | sed 's/ $//'; }
whole=$(first_row -r bilinear -outsize 4 4 -ot Float32 whole.tif)
virtual=$(first_row whole.vrt)
float=$(first_row -r bilinear -outsize 4 4 float.tif)
gdalwarp -q -r bilinear -ts 4 4 -ot Float32 whole.tif warped.tif
warped=$(first_row warped.tif)
echo "first row: UInt16 read as Float32 '$whole', by a Float32 VRT '$virtual'; from Float32 '$float'; gdalwarp '$warped'"
[ "$whole" = "10 10 11 11" ] && [ "$virtual" = "$whole" ] && [ "$float" = "10 10.25 10.75 11" ] && [ "$warped" = "$float" ] ||
    { echo "the behaviour has changed"; exit 1; }
