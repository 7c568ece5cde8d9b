#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Parts of an image by -te, -projwin and -cutline. extent.sh PROGRAM FIXTURES
program=$1 fixtures=$2
. "$(dirname "$0")/expect.sh"
unset METASEG_DATA
work=$(mktemp -d "$PWD/extent.XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT

predict() { # ARGUMENTS...
    run predict "$@" -f -q --data-folder "$fixtures/share" --threads 1 -m "$fixtures/model.safetensors"
}
grid() { # FILE: size, coordinate reference system and geotransform
    "$program" info --json "$1" | grep -o '"width":[0-9]*,"height":[0-9]*,"crs":"[^"]*"\(,"geotransform":[^]]*\]\)\?'
}
same() { # WHAT FILE: the map of the file that holds nothing but the part
    [ "$(grid "$2")" = "$(grid "$work/crop.tif")" ] || fail "$1: another grid"
    run eval "$2" "$work/crop.tif" -q
    grep -q '^OA 100.00 %' "$log.out" || fail "$1: another map than that of a file with the same pixels"
}

# good.tif: 40 x 30 pixels of 0.05 degrees from (-170, 45) on
cp "$fixtures/good.tif" "$work/good.tif"
cat >"$work/crop.vrt" <<END
<VRTDataset rasterXSize="20" rasterYSize="15"><SRS>EPSG:4326</SRS><GeoTransform>-169.5, 0.05, 0, 44.75, 0, -0.05</GeoTransform>
$(for band in 1 2 3; do echo "<VRTRasterBand dataType=\"Byte\" band=\"$band\"><SimpleSource><SourceFilename relativeToVRT=\"1\">good.tif</SourceFilename><SourceBand>$band</SourceBand><SrcRect xOff=\"10\" yOff=\"5\" xSize=\"20\" ySize=\"15\"/><DstRect xOff=\"0\" yOff=\"0\" xSize=\"20\" ySize=\"15\"/></SimpleSource></VRTRasterBand>"; done)
</VRTDataset>
END
predict "$work/crop.vrt" -o "$work/crop.tif"
[ $got = 0 ] || fail "predict of a part in a file of its own: exit code $got"

predict "$work/good.tif" -o "$work/te.tif" -te -169.5 44 -168.5 44.75 --confidence "$work/sure.tif" --quicklook "$work/q.png"
[ $got = 0 ] && [ ! -s "$log.err" ] || fail "predict -te: exit code $got"
same '-te' "$work/te.tif"
[ "$(grid "$work/sure.tif")" = "$(grid "$work/crop.tif")" ] || fail '-te: the confidence has another grid'
predict "$work/good.tif" -o "$work/te.tif" --te=-169.49,44.01,-168.51,44.74 -te_srs EPSG:4326
[ $got = 0 ] || fail "predict --te with commas: exit code $got"
same '-te inside of pixels' "$work/te.tif"
predict "$work/good.tif" -o "$work/te.tif" -projwin -169.5 44.75 -168.5 44
[ $got = 0 ] || fail "predict -projwin: exit code $got"
same '-projwin' "$work/te.tif"
# Web Mercator of the middle of the corner pixels
predict "$work/good.tif" -o "$work/te.tif" -projwin -18865851.98 5577671.27 -18760099.43 5465881.46 -projwin_srs EPSG:3857
[ $got = 0 ] || fail "predict -projwin_srs: exit code $got"
same '-projwin_srs' "$work/te.tif"

# a part that is not all on the image is told; one that is nowhere is refused, as is what is no box
predict "$work/good.tif" -o "$work/te.tif" -te -171 44 -168.5 50
[ $got = 0 ] && grep -q 'some of the wanted extent lies beside the image' "$log.err" || fail "predict -te over the border: exit code $got"
grid "$work/te.tif" | grep -q '"width":30,"height":20' || fail "predict -te over the border: $(grid "$work/te.tif")"
rm "$work/te.tif"
predict "$work/good.tif" -o "$work/te.tif" -te 10 50 11 51
[ $got = 4 ] && grep -q 'the box lies beside the image' "$log.err" || fail "predict -te elsewhere: exit code $got"
predict "$work/good.tif" -o "$work/te.tif" -te 11 50 10 51
[ $got = 2 ] && grep -q -e '-te: x from 11 to 10' "$log.err" || fail "predict -te of no box: exit code $got"
predict "$work/good.tif" -o "$work/te.tif" -te 0 0 0 0
[ $got = 2 ] || fail "predict -te 0 0 0 0: exit code $got"
predict "$work/good.tif" -o "$work/te.tif" -te_srs EPSG:4326
[ $got = 2 ] && grep -q 'no -te was given' "$log.err" || fail "predict -te_srs alone: exit code $got"
[ ! -e "$work/te.tif" ] || fail 'a map of nowhere'

# a cutline, in another CRS: 255 outside of its polygons, inside the map of the whole image
predict "$work/good.tif" -o "$work/whole.tif"
cat >"$work/cut.geojson" <<END
{"type":"FeatureCollection","crs":{"type":"name","properties":{"name":"urn:ogc:def:crs:EPSG::3857"}},"features":[{"type":"Feature","properties":{},
"geometry":{"type":"Polygon","coordinates":[[[-18868653,5582000],[-18757334,5582000],[-18757334,5470000],[-18868653,5470000],[-18868653,5582000]]]}}]}
END
predict "$work/good.tif" -o "$work/cut.tif" -cutline "$work/cut.geojson" --confidence "$work/sure.tif"
[ $got = 0 ] && [ ! -s "$log.err" ] || fail "predict -cutline: exit code $got"
[ "$(grid "$work/cut.tif")" = "$(grid "$work/good.tif")" ] || fail '-cutline: the grid is not the image'\''s'
run eval "$work/cut.tif" "$work/whole.tif" -q
grep -q '^OA 100.00 %' "$log.out" || fail '-cutline: another map than without, inside'
# columns 10 to 29; rows by latitude: asinh and back of the two northings
for file in cut sure; do
    "$program" info --json --shares "$work/$file.tif" >"$work/info"
    grep -q '"valid_pixels":'"$(python3 -c "
import math
lat = lambda y: math.degrees(math.atan(math.sinh(y / 6378137)))
row = lambda y: (45 - lat(y)) / 0.05
print(20 * sum(row(5582000) < r + 0.5 < row(5470000) for r in range(30)))")," "$work/info" ||
        fail "-cutline: $(grep -o '"valid_pixels":[0-9]*' "$work/info") in $file.tif"
done
predict "$work/good.tif" -o "$work/cut.tif" -cutline "$work/cut.geojson" -te -169.5 44 -168.5 44.75
[ $got = 0 ] || fail "predict -cutline -te: exit code $got"
[ "$(grid "$work/cut.tif")" = "$(grid "$work/crop.tif")" ] || fail '-cutline with -te: another grid'
cp "$work/cut.geojson" "$work/kept.geojson"
predict "$work/good.tif" -o "$work/cut" -cutline "$work/cut.geojson" --quicklook "$work/cut.geojson"
[ $got != 0 ] && cmp -s "$work/cut.geojson" "$work/kept.geojson" || fail "a quicklook in the place of the cutline: exit code $got"
predict "$work/good.tif" -o "$work/x.tif" -cl districts
[ $got = 2 ] && grep -q 'no cutline was given' "$log.err" || fail "predict -cl alone: exit code $got"
exit $failed
