#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Maps the land cover of a Sentinel-2 scene; learns two classes of it from 30 polygons and maps those; maps the Earth from Blue Marble and
# shows how good that map is: demo.sh PROGRAM [MODEL]
# Called by `make demo`, which brings the data first. All outputs go to $METASEG_OUT (out/); a step whose outputs are newer than
# what they are made from is not done again.
set -eu
program=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")
model=${2:-}
cd "$(dirname "$0")/.."
top=$(pwd)
[ -n "$model" ] || model=$top/share/models/globe.safetensors
data=${METASEG_CACHE:-$top/.cache}/data
out=${METASEG_OUT:-out}
picture=$(dirname "$program")/side_by_side
holdout="-82,-56,-34,12 110,-45,155,-10" # South America and Australia: no training, no choosing
model_name=$(basename "$model" .safetensors)

say() { echo "demo: $*"; }
fail() { echo "demo: $*" >&2; exit 1; }

older() { # outputs... -- sources...: whether an output is missing or older than a source
    made=
    while [ "$1" != -- ]; do made="$made $1"; shift; done
    shift
    for file in $made; do
        [ -s "$file" ] || return 0
        for source; do [ "$file" -nt "$source" ] || return 0; done
    done
    return 1
}

logged() { # LOG COMMAND...: shows what a command says and keeps it; fails if the command does
    log=$1
    shift
    rm -f "$log" "$log.done"
    { "$@" 2>&1 && : >"$log.done"; } | tee "$log.part"
    [ -e "$log.done" ] || { rm -f "$log.part"; return 1; }
    rm -f "$log.done"
    mv "$log.part" "$log"
}

scene=$data/sentinel2
polygons=$scene/s2l1c_ref.gpkg
for file in "$model" "$top/share/models/sentinel2.safetensors" "$data/blue_marble.tif" "$data/igbp_2019.tif" "$polygons"; do
    [ -s "$file" ] || fail "'$file' is missing; 'make data' brings the data, share/models belongs to the source tree"
done
mkdir -p "$out"

cover=$out/brandenburg_landcover
if older "$cover.tif" "$cover.png" "$cover.log" -- "$scene" "$top/share/models/sentinel2.safetensors" "$program"; then
    say "1 of 6: mapping a Sentinel-2 scene (Brandenburg an der Havel) into the nine classes of Dynamic World"
    logged "$cover.log" "$program" predict "$scene" -o "$cover.tif" --quicklook "$cover.png" -f || fail "the scene was not mapped"
else
    say "1 of 6: the map of the Sentinel-2 scene is there already"
fi

own=$out/brandenburg
if older "$own/map.tif" "$own/report.html" "$own/best.safetensors" "$own.log" -- "$polygons" "$program"; then
    say "2 of 6: learning two classes of a Sentinel-2 scene (Brandenburg an der Havel) from 30 polygons, in two minutes"
    logged "$own.log" "$program" train --image "$scene" --labels "$polygons" --field cid -o "$own" --minutes 2 -f ||
        fail "no model came of the polygons"
else
    say "2 of 6: the model of two classes and its map are there already"
fi

map=$out/earth_landcover.tif
if older "$map" "$out/earth_confidence.tif" "$out/earth_quicklook.png" "$out/earth_predict.log" -- \
    "$data/blue_marble.tif" "$model" "$program"; then
    say "3 of 6: mapping the Earth from Blue Marble, the model '$model_name' reading the climate zone of every place"
    logged "$out/earth_predict.log" "$program" predict "$data/blue_marble.tif" -m "$model" -o "$map" \
        --confidence "$out/earth_confidence.tif" --quicklook "$out/earth_quicklook.png" -f || fail "no map was made"
else
    say "3 of 6: the map is there already (remove '$out' to see it made)"
fi

boxes=
for box in $holdout; do boxes="$boxes --bbox $box"; done
table=$out/earth_evaluation.txt
if older "$table" "$out/earth_evaluation.json" -- "$map" "$data/igbp_2019.tif"; then
    say "4 of 6: comparing it with MODIS land cover on South America and Australia, which training never saw"
    # shellcheck disable=SC2086
    "$program" eval "$map" "$data/igbp_2019.tif" -q -f --truth-crs EPSG:4326 --exclude 0 --minimum-share 0.001 $boxes --by-zone \
        --json "$out/earth_evaluation.json" >"$table.part" || fail "the map could not be compared"
    mv "$table.part" "$table"
else
    say "4 of 6: it is compared with MODIS land cover already"
fi

if older "$out/earth_side_by_side.png" -- "$map" "$data/igbp_2019.tif" "$picture"; then
    say "5 of 6: drawing image, map and MODIS land cover side by side"
    set --
    for box in $holdout; do set -- "$@" "box=$box"; done
    "$picture" "$data/blue_marble.tif" "$map" "$data/igbp_2019.tif" "$out/earth_side_by_side.png" crs=EPSG:4326 \
        "image=Blue Marble (NASA)" "map=Map made by metaseg" "labels=MODIS land cover 2019 (MCD12C1, IGBP)" \
        "note=Outlined: never seen in training" "$@" || fail "the picture could not be drawn"
else
    say "5 of 6: the picture is there already"
fi

say "6 of 6: what the network reads at three places"
for place in "Potsdam 13.06,52.40" "Cairo 31.2,30.0" "Singapore 103.8,1.35"; do
    "$program" prompt -m "$model" --lonlat "${place#* }" >"$out/prompt.txt" || fail "no prompt for $place"
    echo "  ${place% *}: $(sed -n '/^zones$/{n;s/^ *\([^ ]*\) .*/\1/p;}' "$out/prompt.txt"):" \
        "$(sed -n 's/^  zone  *//p' "$out/prompt.txt")"
done
rm -f "$out/prompt.txt"

echo
echo "speed: $(grep 'megapixels per second' "$out/earth_predict.log")"
echo "quality on South America and Australia (land, MODIS as the reference; all figures: $table):"
sed -n '/^mIoU/s/^/  /p; /^OA/s/^/  /p' "$table"
echo "quality of the two classes learned from polygons: $(grep '^validation mIoU' "$own.log") (blocks of polygons that were not learned)"
echo "written:"
for file in tif png; do echo "  $cover.$file"; done
for file in report.html map.tif map.png best.safetensors; do echo "  $own/$file"; done
for file in landcover.tif confidence.tif quicklook.png side_by_side.png; do echo "  $out/earth_$file"; done
