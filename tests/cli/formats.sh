#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Formats of maps and their creation options: --of, --co; tables of areas: --areas. formats.sh PROGRAM FIXTURES
program=$1 fixtures=$2
. "$(dirname "$0")/expect.sh"
unset METASEG_DATA
work=$(mktemp -d "$PWD/formats.XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT
top=$PWD
cd "$work" || exit 1
log=$top/$log

# sixteen copies of an image side by side: wide enough for overviews
cp "$fixtures/good.tif" image.tif
{
    echo '<VRTDataset rasterXSize="640" rasterYSize="30"><SRS>EPSG:4326</SRS><GeoTransform>-170,0.05,0,45,0,-0.05</GeoTransform>'
    for band in 1 2 3; do
        echo "<VRTRasterBand dataType=\"Byte\" band=\"$band\">"
        for x in 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15; do
            echo "<SimpleSource><SourceFilename relativeToVRT=\"1\">image.tif</SourceFilename><SourceBand>$band</SourceBand><SrcRect xOff=\"0\" yOff=\"0\" xSize=\"40\" ySize=\"30\"/><DstRect xOff=\"$((40 * x))\" yOff=\"0\" xSize=\"40\" ySize=\"30\"/></SimpleSource>"
        done
        echo '</VRTRasterBand>'
    done
    echo '</VRTDataset>'
} >strip.vrt

predict() { run predict strip.vrt -b 1,2,3 -q --threads 1 -m "$fixtures/model.safetensors" --data-folder "$fixtures/share" "$@"; }
facts() { "$program" info --shares "$1" | sed -e 1d -e '/layout/d'; }

predict -o plain.tif --confidence plain_c.tif --probabilities plain_p.tif
[ $got = 0 ] || fail "exit code $got"
predict --of COG -o cog.tif --confidence cog_c.tif --probabilities cog_p.tif
[ $got = 0 ] && [ ! -s "$log.err" ] || fail "exit code $got with --of COG"
for name in '' _c _p; do
    "$program" info --json cog$name.tif | grep -q '"layout":"COG"' || fail "cog$name.tif is no COG"
    "$program" info --json plain$name.tif | grep -q '"layout"' && fail "plain$name.tif is a COG"
    facts plain$name.tif >plain.txt
    facts cog$name.tif >cog.txt
    cmp -s plain.txt cog.txt || fail "cog$name.tif says otherwise: $(diff plain.txt cog.txt | head -5)"
done
cmp -s plain.qml cog.qml || fail "the styles differ"
run eval cog.tif plain.tif -q
grep -q '^OA 100.00 %' "$log.out" || fail "the map is another one as a COG: $(grep '^OA' "$log.out")"
[ "$(echo cog*)" = 'cog.qml cog.tif cog.tif.aux.xml cog.txt cog_c.tif cog_p.tif' ] || fail "files of a COG: $(echo cog*)"
[ -z "$(find . -name '.metaseg*')" ] || fail "left behind: $(find . -name '.metaseg*')"

# the same command, the same bytes
predict --of COG -o again.tif
cmp -s cog.tif again.tif || fail "a second COG has other bytes"

# options reach the driver, in lists and repeated, in any case
predict --of COG --co compress=NONE,BLOCKSIZE=256 --co OVERVIEW_COMPRESS=LZW -o none.tif
[ $got = 0 ] || fail "exit code $got with --co"
[ "$(stat -c %s none.tif)" -gt $((3 * $(stat -c %s cog.tif))) ] || fail "--co did not reach the COG"
predict --co COMPRESS=NONE -o none.tif -f
[ $got = 0 ] && [ "$(stat -c %s none.tif)" -gt 190000 ] || fail "--co did not reach the GeoTIFF"

# areas: the table has every class, and as many pixels as the map; the sum is the ground that the strip covers (geodesic polygon of it,
# pyproj 3.7.2: 425976673456 m2)
predict -o areas.tif --areas areas.csv
[ $got = 0 ] && [ ! -s "$log.err" ] || fail "exit code $got with --areas"
[ "$(head -n 1 areas.csv)" = 'class,name,pixels,area_m2,share' ] && [ "$(wc -l <areas.csv)" = 18 ] || fail "areas.csv: $(cat areas.csv)"
awk -F, 'NR > 1 { n += $3; a += $4; s += $5 } END { exit !(n == 19200 && a > 425976673456 - 1e5 && a < 425976673456 + 1e5 && s > 0.999999 && s < 1.000001) }' \
    areas.csv || fail "sums of areas.csv: $(awk -F, '{ n += $3; a += $4; s += $5 } END { printf "%d %.3f %.9f", n, a, s }' areas.csv)"
predict -o areas.tif --areas areas.json -f
python3 - <<'END' || fail "areas.json: $(cat areas.json)"
import csv, json
told = json.load(open("areas.json"))
rows = list(csv.DictReader(open("areas.csv")))
assert told["map"] == "areas.tif" and told["valid_pixels"] == 19200 and told["pixels_without_area"] == 0
assert [str(c["code"]) for c in told["classes"]] == [r["class"] for r in rows]
for c, r in zip(told["classes"], rows):
    assert c["name"] == r["name"] and c["pixels"] == int(r["pixels"]) and abs(c["area_m2"] - float(r["area_m2"])) < 0.001
assert abs(sum(c["area_m2"] for c in told["classes"]) - told["valid_area_m2"]) < 1
END
grep -q '<Name>Area_m2</Name>' areas.tif.aux.xml || fail "the side-car has no attribute table with areas"

# without a place: pixels and shares, and a word about it; part of the map is no data
run predict "$fixtures/no_place.tif" -o areas.tif --areas areas.csv -f -q --threads 1 -m "$fixtures/model.safetensors" --data-folder "$fixtures/share"
[ $got = 0 ] && grep -q 'warning: .*no_place.tif.: how large its pixels are is not known' "$log.err" || fail "areas without a place: $(cat "$log.err")"
awk -F, 'NR > 1 && $4 != "" { exit 1 }' areas.csv || fail "areas of unknown pixels: $(cat areas.csv)"
run predict "$fixtures/nan.tif" -o areas.tif --areas areas.csv -f -q --threads 1 -m "$fixtures/model.safetensors" --data-folder "$fixtures/share"
[ "$(awk -F, 'NR > 1 { n += $3 } END { print n }' areas.csv)" = 870 ] || fail "pixels of a map with no data: $(cat areas.csv)"

# many inputs, and what is refused
run predict "$fixtures/good.tif" "$fixtures/nan.tif" -o maps --areas tables -q --threads 1 -m "$fixtures/model.safetensors" --data-folder "$fixtures/share"
[ "$(echo tables/*)" = 'tables/good_areas.csv tables/nan_areas.csv' ] || fail "tables of many inputs: $(echo tables/*)"
rm -r maps tables areas.*

# refused before any work, also of several inputs; nothing is written
rm -f ./*.tif ./*.qml ./*.xml ./*.txt
cp "$fixtures/good.tif" image.tif
cp image.tif second.tif
refuse() { # PATTERN ARGUMENTS...
    pattern=$1
    shift
    expect 2 '' "$pattern" predict image.tif "$@" -q -m "$fixtures/model.safetensors" --data-folder "$fixtures/share"
    [ "$(echo *)" = 'image.tif second.tif strip.vrt' ] || fail "$* left $(echo *)"
}
refuse "--of: 'cog' is not known; did you mean 'COG'" -o map.tif --of cog
refuse "--co: creation option 'COMPRES=LZW': the driver GTiff has none of this name; it has COMPRESS, " -o map.tif --co COMPRES=LZW
refuse "'ZLEVEL=9': the driver COG has none" -o map.tif --of COG --co ZLEVEL=9
refuse "'TILED=NO': cannot be chosen" -o map.tif --co COMPRESS=LZW,TILED=NO
refuse "'COMPRESS=JPEG': it changes values" second.tif -o maps --co COMPRESS=JPEG
refuse 'cannot be used together' second.tif -o maps --of COG --co BLOCKSIZE=100
refuse 'expected NAME=VALUE' -o map.tif --co COMPRESS
refuse 'no name for a CSV or JSON' -o map.tif --areas table.xlsx
refuse 'both the table of areas and' -o map.tif --areas x --quicklook ./x
refuse 'several inputs need a folder' second.tif -o maps --areas table.csv
exit $failed
