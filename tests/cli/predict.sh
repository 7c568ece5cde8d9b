#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Odd but usable inputs give a map on their own grid; options of predict. predict.sh PROGRAM FIXTURES
program=$1 fixtures=$2
. "$(dirname "$0")/expect.sh"
unset METASEG_DATA
work=$(mktemp -d "$PWD/predict.XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT
valid='"valid_pixels":'

grid() { # FILE: size, coordinate reference system and geotransform
    "$program" info --json "$1" | grep -o '"width":[0-9]*,"height":[0-9]*,"crs":"[^"]*"\(,"geotransform":[^]]*\]\)\?'
}

# accept INPUT VALID WARNING OPTIONS...: exit code 0, the input's grid, that many pixels with a class; a warning that holds the
# words, or no word on stderr when WARNING is ''
accept() {
    input=$1 count=$2 warning=$3
    shift 3
    run predict "$fixtures/$input" -o "$work/map.tif" -f -q --data-folder "$fixtures/share" --threads 1 -m "$fixtures/model.safetensors" "$@"
    verdict=
    [ $got = 0 ] || verdict="exit code $got"
    [ "$(cat "$log.out")" = "$work/map.tif" ] || verdict="$verdict; stdout does not name the map"
    if [ -n "$warning" ]; then grep -q "^metaseg: warning: .*$warning" "$log.err" || verdict="$verdict; no warning of '$warning'"
    else [ ! -s "$log.err" ] || verdict="$verdict; stderr is not empty"; fi
    grep -q 'error' "$log.err" && verdict="$verdict; an error"
    [ "$(grid "$work/map.tif")" = "$(grid "$fixtures/$input")" ] || verdict="$verdict; the grid is not the input's"
    "$program" info --json --shares "$work/map.tif" >"$work/info"
    grep -q "$valid$count," "$work/info" || verdict="$verdict; $(grep -o "$valid[0-9]*" "$work/info") instead of $count"
    [ -z "$verdict" ] || fail "predict $input $*: $verdict"
}

classes() { grep -o '"classes":.*' "$work/info"; } # of the last map, with their shares

accept good.tif 1200 ''
cp "$work/map.tif" "$work/good.tif"
grounded=$(classes)
grep -q '"METASEG_PROMPTS":"grounded"' "$work/info" || fail "the map does not say how it was made"
accept no_crs.tif 1200 'ground sampling distance is unknown'
grep -q 'place is unknown.*null prompt' predict.err || fail "no warning of the unknown place"
# a CRS told by hand: as if the file had it, and the map has it
run predict "$fixtures/no_crs.tif" -o "$work/map.tif" -f -q --data-folder "$fixtures/share" --threads 1 -m "$fixtures/model.safetensors" --crs EPSG:4326
[ $got = 0 ] && [ ! -s "$log.err" ] || fail "predict --crs: exit code $got"
[ "$(grid "$work/map.tif")" = "$(grid "$fixtures/good.tif")" ] || fail "predict --crs: the map does not carry it"
"$program" info --json --shares "$work/map.tif" >"$work/info"
[ "$(classes)" = "$grounded" ] || fail "predict --crs: another map than with the file's own CRS"
run predict "$fixtures/no_crs.tif" -o "$work/map.tif" -f -q --data-folder "$fixtures/share" -m "$fixtures/model.safetensors" --crs EPSG:nonsense
[ $got = 2 ] || fail "predict --crs EPSG:nonsense: exit code $got"
# the network sees square ground: each row stored three times at a third of its height gives the same map
cp "$fixtures/good.tif" "$work/square.tif"
cat >"$work/tall.vrt" <<END
<VRTDataset rasterXSize="40" rasterYSize="90"><SRS>EPSG:4326</SRS><GeoTransform>-170, 0.05, 0, 45, 0, -0.016666666666666666</GeoTransform>
$(for band in 1 2 3; do echo "<VRTRasterBand dataType=\"Byte\" band=\"$band\"><SimpleSource><SourceFilename relativeToVRT=\"1\">square.tif</SourceFilename><SourceBand>$band</SourceBand><SrcRect xOff=\"0\" yOff=\"0\" xSize=\"40\" ySize=\"30\"/><DstRect xOff=\"0\" yOff=\"0\" xSize=\"40\" ySize=\"90\"/></SimpleSource></VRTRasterBand>"; done)
</VRTDataset>
END
run predict "$work/tall.vrt" -o "$work/tall_map.tif" -f -q --data-folder "$fixtures/share" --threads 1 -m "$fixtures/model.safetensors"
[ $got = 0 ] || fail "predict of tall pixels: exit code $got"
[ "$(grid "$work/tall_map.tif")" = "$(grid "$work/tall.vrt")" ] || fail "predict of tall pixels: the grid is not the input's"
run eval "$work/tall_map.tif" "$work/good.tif" -q
grep -q '^OA \(100.00\|99\.[0-9]*\) %' "$log.out" || fail "tall pixels: $(grep '^OA' "$log.out") of the map with square ones"
# sides too far apart are the image's fault, not the command line's, unless --resolution asks for what is too far away
sed 's/-0.016666666666666666/-0.0005/' "$work/tall.vrt" >"$work/flat.vrt"
for resolution in 4: 2:--resolution=0.05; do
    run predict "$work/flat.vrt" -o "$work/flat_map.tif" -f -q --data-folder "$fixtures/share" -m "$fixtures/model.safetensors" ${resolution#*:}
    [ $got = "${resolution%%:*}" ] || fail "predict of flat pixels ${resolution#*:}: exit code $got"
    grep -q 'square pixels of 0.05 cannot be made' "$log.err" || fail "predict of flat pixels: $(tail -n 1 "$log.err")"
done
accept no_place.tif 1200 'place is unknown'
accept no_place.tif 1200 'ground sampling distance is unknown' --lonlat -170,44
grep -q 'place is unknown' predict.err && fail "a place was given by hand"
accept local.tif 1200 'place is unknown'
accept no_datum.tif 1200 ''
cmp -s "$work/map.tif" "$work/good.tif" && fail "the maps of two coordinate reference systems are the same file"
accept south_up.tif 1200 ''
accept rotated.tif 1200 ''
accept one_pixel.tif 1 ''
accept all_nodata.tif 0 'no pixel is valid, so the map is 255 everywhere'
accept nan.tif 870 ''
accept four_bands.tif 1200 '' -b 1,2,3
accept good.tif 1200 '' -b blue,green,red
[ "$(classes)" != "$grounded" ] || fail "bands in another order give the same map"
accept good.tif 1200 '' -b 1,2,3
cmp -s "$work/map.tif" "$work/good.tif" || fail "the same bands by name and by number give different maps"
accept good.tif 1200 '' --threads 2
cmp -s "$work/map.tif" "$work/good.tif" || fail "two threads give another map"
limit=${OMP_THREAD_LIMIT-}
export OMP_THREAD_LIMIT=1 # OpenMP refuses the second thread
accept good.tif 1200 '' --threads 2
cmp -s "$work/map.tif" "$work/good.tif" || fail "two threads of which one is refused give another map"
if [ -n "$limit" ]; then OMP_THREAD_LIMIT=$limit; else unset OMP_THREAD_LIMIT; fi
accept good.tif 1200 '' --confidence "$work/c.tif" --probabilities "$work/p.tif" --quicklook "$work/q.png"
for file in c.tif p.tif q.png; do [ -s "$work/$file" ] || fail "no $file"; done
accept good.tif 1200 '' --prompts null
[ "$(classes)" != "$grounded" ] || fail "the null prompt gives the same map"
accept good.tif 1200 '' --prompts shuffled
[ "$(classes)" != "$grounded" ] || fail "exchanged zones give the same map"
accept good.tif 1200 '' --prompts tile-mixed
[ "$(classes)" = "$grounded" ] || fail "a tile in one zone differs from its mix"

# several inputs into a folder: a bad one is told and passed over
run predict "$fixtures/good.tif" "$fixtures/text.tif" "$fixtures/nan.tif" -o "$work/maps" -q --data-folder "$fixtures/share" \
    -m "$fixtures/model.safetensors"
[ $got = 3 ] || fail "exit code $got after one bad input of three"
[ "$(cd "$work/maps" && echo *.tif)" = 'good_classes.tif nan_classes.tif' ] || fail "maps of a folder: $(ls "$work/maps")"
grep -q "text.tif': not a raster" predict.err || fail "the bad input is not named"

# the same batch once more: what is there stays, the rest is made; other outputs in folders of their own
before=$(stat -c %i "$work/maps/good_classes.tif")
run predict "$fixtures/good.tif" "$fixtures/text.tif" "$fixtures/nan.tif" "$fixtures/south_up.tif" -o "$work/maps" --skip-existing \
    --data-folder "$fixtures/share" -m "$fixtures/model.safetensors"
[ $got = 3 ] || fail "exit code $got of a batch that goes on"
[ "$(stat -c %i "$work/maps/good_classes.tif")" = "$before" ] || fail "a map that was there was made again"
[ -s "$work/maps/south_up_classes.tif" ] || fail "the map that was missing was not made"
grep -q 'good_classes.tif.: is there already' "$log.err" || fail "what was left is not told"
grep -q '1 of 4 maps made in .* s, 2 were there already, 1 failed' "$log.err" || fail "the sum of a batch: $(tail -n 2 "$log.err")"
grep -q 'image 4 of 4' "$log.err" || fail "the batch does not show how far it is"
# an output or a side-car that is there without its map is passed over as well, and does not end the batch
for older in sure/good_confidence.tif maps/good_classes.qml maps/good_classes.tif.aux.xml; do
    for skip in '' --skip-existing; do
        rm -rf "$work/maps" "$work/sure"
        mkdir "$work/maps" "$work/sure"
        : >"$work/$older"
        run predict "$fixtures/good.tif" "$fixtures/south_up.tif" -o "$work/maps" --confidence "$work/sure" $skip -q \
            --data-folder "$fixtures/share" -m "$fixtures/model.safetensors"
        case $older in
        *.qml) [ $got = 0 ] || fail "a style of somebody's own: exit code $got" ;;
        *) [ $got = 3 ] && grep -q "${older#*/}.*exists already" "$log.err" || fail "$older alone: exit code $got" ;;
        esac
        [ -s "$work/maps/south_up_classes.tif" ] || fail "$older alone ends the batch"
    done
done
run predict "$fixtures/good.tif" -o "$work/maps" --skip-existing -f --data-folder "$fixtures/share" -m "$fixtures/model.safetensors"
[ $got = 2 ] || fail "--skip-existing with -f: exit code $got"
run predict "$fixtures/good.tif" "$fixtures/south_up.tif" -o "$work/all" --confidence "$work/all/sure" --quicklook "$work/pictures" \
    --probabilities "$work/all" --data-folder "$fixtures/share" -m "$fixtures/model.safetensors" --log-format json
[ $got = 0 ] || fail "exit code $got of a batch with all outputs"
grep -q 'image 2 of 2, [0-9]* s left in all' "$log.err" || fail "the batch does not say how long it still takes"
for file in all/good_classes.tif all/sure/good_confidence.tif pictures/south_up_quicklook.png all/south_up_probabilities.tif; do
    [ -s "$work/$file" ] || fail "no $file"
done
[ "$(wc -l <"$log.out")" = 2 ] && [ "$(grep -c '^{"input":"[^"]*","map":"[^"]*_classes.tif","confidence":.*"valid_pixels":1200,' "$log.out")" = 2 ] ||
    fail "results as JSON: $(cat "$log.out")"
run predict "$fixtures/good.tif" "$fixtures/south_up.tif" -o "$work/all" --confidence "$work/sure.tif" -q --data-folder "$fixtures/share" \
    -m "$fixtures/model.safetensors"
[ $got = 2 ] && grep -q "sure.tif': several inputs need a folder" "$log.err" || fail "a file for the confidence of two inputs: exit code $got"

# without -m the shipped model that fits; by its name; a scene that none fits
mkdir -p "$work/share/models"
cp "$fixtures/share/koppen_geiger.bin" "$work/share/"
ln -s "$(cd "$fixtures" && pwd)/share/prompts" "$work/share/prompts"
cp "$fixtures/model.safetensors" "$work/share/models/fits.safetensors"
run predict "$fixtures/good.tif" -o "$work/chosen.tif" --data-folder "$work/share" --threads 1
[ $got = 0 ] || fail "predict without -m: exit code $got"
grep -q "good.tif': model 'fits', made for pixels of" "$log.err" || fail "predict does not say which model it chose"
cmp -s "$work/chosen.tif" "$work/good.tif" || fail "the chosen model gives another map than the named one"
run predict "$fixtures/good.tif" -o "$work/chosen.tif" --data-folder "$work/share" --threads 1 -q -f -m fits
[ $got = 0 ] && cmp -s "$work/chosen.tif" "$work/good.tif" || fail "predict -m fits: exit code $got"
expect 4 '' "'misfit': no such file, and no model that came with metaseg is called so (fits)" \
    predict "$fixtures/good.tif" -o "$work/x.tif" -q --data-folder "$work/share" -m misfit
run doctor --data-folder "$work/share"
grep -q '^model .*fits: 3 bands, pixels of' "$log.out" || fail "doctor does not list the models"
run doctor --data-folder "$fixtures/share"
[ $got = 4 ] && grep -q '^MISSING .*models (for prediction without -m)' "$log.out" || fail "doctor without models: exit code $got"
sed 's/-170, 0.05, 0, 45, 0, -0.016666666666666666/-170, 0.0005, 0, 45, 0, -0.00016666666666666666/' "$work/tall.vrt" >"$work/fine.vrt"
expect 4 '' "fine.vrt': none of the models .* fits this scene; 'fits' is for pixels of .* these are of .*name a model with -m" \
    predict "$work/fine.vrt" -o "$work/x.tif" -q --data-folder "$work/share"
run predict "$work/fine.vrt" -o "$work/fine.tif" -q --data-folder "$work/share" -m fits
[ $got = 0 ] && grep -q 'warning: .*expect a poor map' "$log.err" || fail "a named model for finer pixels: exit code $got"
[ ! -e "$work/x.tif" ] || fail "a map without a model"

# own words
data=${METASEG_DOWNLOADS:-${METASEG_CACHE:-$(dirname "$0")/../../.cache}/data}
if [ -s "$data/minilm/model.safetensors" ] && [ -s "$data/minilm/vocab.txt" ]; then
    METASEG_DOWNLOADS=$data
    export METASEG_DOWNLOADS
    accept no_place.tif 1200 'ground sampling distance is unknown' --prompt 'hot desert with dunes'
    desert=$(classes)
    grep -q '"METASEG_PROMPT":"hot desert with dunes"' "$work/info" || fail "the map does not carry the words"
    accept no_place.tif 1200 'ground sampling distance is unknown' --prompt 'permanent ice and snow on mountains'
    [ "$(classes)" != "$desert" ] || fail "other words give the same map"
else
    echo "SKIPPED: own words (no text encoder in '$data': make data)"
fi
METASEG_DOWNLOADS=/nowhere
export METASEG_DOWNLOADS
expect 4 '' "'/nowhere/minilm': a free prompt needs" predict "$fixtures/good.tif" -o "$work/x.tif" -q --data-folder "$fixtures/share" \
    -m "$fixtures/model.safetensors" --prompt desert
[ ! -e "$work/x.tif" ] || fail "a map without its words"
exit $failed
