#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A map says how it was made: the command in it gives the same map, and nothing in it depends on when, where and how fast.
# provenance.sh PROGRAM FIXTURES
program=$1 fixtures=$2
. "$(dirname "$0")/expect.sh"
unset METASEG_DATA
work=$(mktemp -d "$PWD/provenance.XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT
top=$PWD
cd "$work" || exit 1
log=$top/$log
cp "$fixtures/good.tif" "$fixtures/four_bands.tif" "$fixtures/no_place.tif" .
mkdir there
cp good.tif "there/it's a b.tif"

predict() { run predict "$@" -q --threads 1 -m "$fixtures/model.safetensors" --data-folder "$fixtures/share"; }
item() { "$program" info --json "$2" | python3 -c 'import json, sys; print(json.load(sys.stdin).get(sys.argv[1], ""))' "METASEG_$1"; }

# says COMMAND ARGUMENTS...: the map has that command in it, and the command gives the same map
says() {
    command=$1
    shift
    predict "$@" -o map.tif -f
    [ $got = 0 ] || fail "exit code $got of $*"
    [ "$(item COMMAND map.tif)" = "$command" ] || fail "$* says $(item COMMAND map.tif)"
    cp there/* . 2>/dev/null
    # the words of the command as a shell reads them, with the file of the model and of the map
    eval "set -- ${command#metaseg }"
    shift
    predict "$@" -m "$fixtures/model.safetensors" -o again.tif -f
    [ $got = 0 ] && cmp -s map.tif again.tif || fail "'$command' gives another map: $(cat "$log.err")"
    rm -f "it's a b.tif"
}

says 'metaseg predict good.tif -m fixture' good.tif
says 'metaseg predict good.tif -m fixture' ./good.tif -b 1,2,3 --threads 2 --confidence sure.tif --areas areas.csv
says "metaseg predict 'it'\\''s a b.tif' -m fixture" "$work/there/it's a b.tif"
says 'metaseg predict good.tif -m fixture -b 3,2,1 --prompts null --tile 256 --overlap 64 --tta lr' good.tif -b blue,green,red --prompts null --tile 256 --overlap 64 --tta lr
says 'metaseg predict four_bands.tif -m fixture -b 1,2,3' four_bands.tif -b 1,2,3
says 'metaseg predict no_place.tif -m fixture --lonlat -170,44.5 --gsd 5000' no_place.tif --lonlat -170,44.5 --gsd 5000
predict good.tif -o mask.tif
says 'metaseg predict good.tif -m fixture --mask mask.tif --mask-values 2,9' good.tif --mask "$work/mask.tif" --mask-values 2,9
cat >area.geojson <<'END'
{ "type": "FeatureCollection", "features": [{ "type": "Feature", "properties": {}, "geometry": { "type": "Polygon",
"coordinates": [[[-169.6, 44.1], [-168.7, 44.1], [-168.7, 44.8], [-169.6, 44.1]]] } }] }
END
says 'metaseg predict good.tif -m fixture -te -169.5 44 -168.5 44.75 --te_srs EPSG:4326' good.tif -projwin -169.5 44.75 -168.5 44 -projwin_srs EPSG:4326
says 'metaseg predict good.tif -m fixture --cutline area.geojson --cl area --cutline_srs EPSG:4326' good.tif -cutline "$work/area.geojson" -cl area -cutline_srs EPSG:4326
says 'metaseg predict good.tif -m fixture --crs EPSG:4326 --resolution 0.1 --stored' good.tif --resolution 0.1 --crs EPSG:4326 --stored

# the same bytes a second later, from another folder, under another name; as a COG too
predict good.tif -o map.tif -f
predict good.tif -o cog.tif --of COG --confidence sure.tif -f
sleep 1.1
mkdir other
cp good.tif other
predict "$work/other/good.tif" -o other/later.tif
predict other/good.tif -o other/cog.tif --of COG
cmp -s map.tif other/later.tif || fail "a map depends on when and where it was made"
cmp -s cog.tif other/cog.tif || fail "a COG depends on when and where it was made"

# the model's hash, the zones with their shares, all in the confidence too; in words for people
hash=$("$program" info --json "$fixtures/model.safetensors" | grep -o 'xxh64:[0-9a-f]*' | head -n 1)
for file in map.tif cog.tif sure.tif; do
    [ -n "$hash" ] && [ "$(item MODEL_HASH $file)" = "$hash" ] || fail "$file: hash $(item MODEL_HASH $file) of a model with $hash"
    [ "$(item PROMPTS $file)" = grounded ] && [ "$(item MODEL $file)" = fixture ] || fail "$file: prompts and model"
    item ZONES $file | grep -q '^[A-Z][A-Za-z]* [0-9.]* %\(, [A-Za-z]* [0-9.]* %\)*$' || fail "$file: zones '$(item ZONES $file)'"
done
"$program" info map.tif >words.txt
for words in 'command *metaseg predict good.tif -m fixture$' 'made by metaseg *[0-9]' 'model *fixture$' "hash of the model *$hash\$" \
    "prompts *the words of each place's climate zone\$" 'climate zones *[A-Z]' 'holds *classes$'; do
    grep -q "^  $words" words.txt || fail "info does not say '$words': $(cat words.txt)"
done
# zones that are not read are not told
predict good.tif -o map.tif -f --prompts null
[ -z "$(item ZONES map.tif)" ] || fail "zones that were not read are told"
exit $failed
