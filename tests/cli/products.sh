#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Scenes of several files: the map is that of one file with the same pixels. products.sh PROGRAM FIXTURES
program=$1 fixtures=$2
. "$(dirname "$0")/expect.sh"
unset METASEG_DATA
work=$(mktemp -d "$PWD/products.XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT

predict() { # ARGUMENTS...
    run predict "$@" -f -q --data-folder "$fixtures/share" --threads 1 -m "$fixtures/model.safetensors"
}
cp -r "$fixtures/scene" "$work/scene"
predict "$fixtures/good.tif" -o "$work/good.tif"
[ $got = 0 ] || fail "predict good.tif: exit code $got"
same() { # WHAT FILE
    run eval "$2" "$work/good.tif" -q
    grep -q '^OA 100.00 %' "$log.out" || fail "$1: another map than that of one file with the same pixels"
}

# a folder, its files, a list of names
predict "$work/scene" -o "$work/folder.tif"
[ $got = 0 ] && [ ! -s "$log.err" ] || fail "predict of a folder: exit code $got"
same 'a folder of band files' "$work/folder.tif"
predict "$work/scene/scene_B02.tif" "$work/scene/scene_B04.tif" "$work/scene/scene_B03.tif" -o "$work/files.tif"
[ $got = 0 ] || fail "predict of band files: exit code $got"
same 'band files' "$work/files.tif"
cd "$work/scene" || exit 1
case $program in /*) ;; *) program=$OLDPWD/$program ;; esac
log=$work/products
predict 'green=scene_B03.tif,red=scene_B04.tif,blue=scene_B02.tif' -o "$work/list.tif"
[ $got = 0 ] || fail "predict of a list: exit code $got"
same 'a list of band files' "$work/list.tif"
cd "$OLDPWD" || exit 1
run info "$work/scene" --json
grep -q '"format":"band files","width":40,"height":30' "$log.out" || fail "info of a folder of band files"
run prompt "$work/scene" --data-folder "$fixtures/share"
[ $got = 0 ] && grep -q '^  Af ' "$log.out" || fail "prompt of a folder of band files: exit code $got"

# a STAC item beside the files
cat >"$work/item.json" <<END
{"type":"Feature","stac_version":"1.1.0","id":"scene","geometry":null,"links":[],"properties":{"datetime":"2023-08-20T09:45:49Z"},"assets":{
"b":{"href":"scene/scene_B02.tif","bands":[{"name":"x","eo:common_name":"blue"}]},
"g":{"href":"./scene/scene_B03.tif","bands":[{"name":"y","eo:common_name":"green"}]},
"r":{"href":"file://$work/scene/scene_B04.tif","bands":[{"name":"z","eo:common_name":"red"}]},
"swir":{"href":"https://example.com/swir.tif","bands":[{"name":"w","eo:common_name":"swir16"}]}}}
END
predict "$work/item.json" -o "$work/stac.tif"
[ $got = 0 ] && grep -q 'files of bands are missing: w' "$log.err" || fail "predict of a STAC item: exit code $got"
same 'a STAC item' "$work/stac.tif"
run info "$work/item.json" --json
grep -q '"format":"STAC item","width":40,"height":30' "$log.out" || fail 'info of a STAC item'
predict "$work/item.json" -o "$work/scene/scene_B02.tif"
[ $got = 2 ] && grep -q "a file of the image" "$log.err" || fail "an output among the assets: exit code $got"
sed "s|\"href\":\"[^\"]*/|\"href\":\"https://example.com/|" "$work/item.json" >"$work/remote.json"
predict "$work/remote.json" -o "$work/x.tif"
[ $got = 4 ] && grep -q "assets of this STAC item lie elsewhere ('https://example.com/scene_B02.tif' for one)" "$log.err" || fail "assets on the network: exit code $got"

# clouds: the scene's own classification, a file of it, values of it; what is masked is 255 in all outputs
masked() { # VALID-PIXELS WORDS ARGUMENTS...
    count=$1 words=$2
    shift 2
    predict "$@" -o "$work/masked.tif" --confidence "$work/sure.tif" --probabilities "$work/all.tif"
    [ $got = 0 ] || fail "predict $*: exit code $got"
    run info "$work/masked.tif" --shares --json
    grep -q "\"valid_pixels\":$count," "$log.out" || fail "predict $*: not $count pixels"
    grep -q "\"METASEG_MASK\":\"$words" "$log.out" || fail "predict $*: the map does not say what was masked"
    for output in sure all; do
        run info "$work/$output.tif" --shares --json
        grep -q "\"valid_pixels\":$count," "$log.out" || fail "predict $*: not $count pixels in $output.tif"
    done
}
masked 600 'scene classification (SCL)' "$work/scene" --mask scl
masked 600 'scene classification (SCL)' "$fixtures/good.tif" --mask "$work/scene/scene_SCL.tif"
masked 600 'the given values 4' "$fixtures/good.tif" --mask "$work/scene/scene_SCL.tif" --mask-values 4
cp "$work/scene/scene_SCL.tif" "$work/clouds.tif"
masked 0 'all values but 0' "$fixtures/good.tif" --mask "$work/clouds.tif"
# what is masked is told, and so is a mask of elsewhere, and a map of nothing
predict "$fixtures/good.tif" --mask "$work/clouds.tif" -o "$work/x.tif"
[ $got = 0 ] && grep -q "good.tif': no pixel is valid, so the map is 255 everywhere" "$log.err" || fail "a map of nothing is not told"
predict "$fixtures/good.tif" --mask "$fixtures/fields_truth.tif" -o "$work/x.tif"
[ $got = 0 ] && grep -q "fields_truth.tif': the cloud mask has no value anywhere on the image" "$log.err" || fail "a mask of elsewhere: $got"
run predict "$fixtures/good.tif" --mask "$work/scene/scene_SCL.tif" -o "$work/x.tif" -f --data-folder "$fixtures/share" -m "$fixtures/model.safetensors"
grep -q "scene_SCL.tif': masks 50.0 % of the image" "$log.err" || fail "how much is masked is not told"
predict "$fixtures/good.tif" --lonlat 10,50 -o "$work/x.tif"
[ $got = 0 ] && grep -q 'counts instead of --lonlat' "$log.err" || fail "a place that does not count is not told: $got"
rm -f "$work"/x.*
predict "$fixtures/good.tif" --mask "$work/clouds.tif" -o "$work/clouds.tif"
[ $got = 2 ] && grep -q 'the cloud mask' "$log.err" || fail "the cloud mask as output: exit code $got"
predict "$fixtures/good.tif" --mask scl -o "$work/x.tif"
[ $got = 4 ] && grep -q 'it has no scl of its own' "$log.err" || fail "scl of a file: exit code $got"
predict "$fixtures/good.tif" --mask-values 4 -o "$work/x.tif"
[ $got = 2 ] || fail "values without a mask: exit code $got"
predict "$fixtures/good.tif" --mask "$work/clouds.tif" --mask-values many -o "$work/x.tif"
[ $got = 2 ] || fail "values that are no numbers: exit code $got"

# into a folder: by the folder's name, with a slash behind it or not
predict "$work/scene/" -o "$work/maps/" "$fixtures/good.tif"
[ $got = 0 ] || fail "predict into a folder: exit code $got"
[ "$(cd "$work/maps" && echo *.tif)" = 'good_classes.tif scene_classes.tif' ] || fail "maps: $(ls "$work/maps")"

# no output is a file of the scene
predict "$work/scene" -o "$work/scene/scene_B03.tif"
[ $got = 2 ] && grep -q "a file of the image" "$log.err" || fail "an output among the band files: exit code $got"
cmp -s "$work/scene/scene_B03.tif" "$fixtures/scene/scene_B03.tif" || fail "a band file was overwritten"

# several files that are no bands of one scene; a band that is not there
predict "$fixtures/good.tif" "$fixtures/nan.tif" -o "$work/x.tif"
[ $got = 2 ] && grep -q 'several inputs need a folder.*band files of one scene.*no band code' "$log.err" || fail "two images: $got"
rm "$work/scene/scene_B02.tif"
predict "$work/scene" -o "$work/x.tif"
[ $got = 4 ] || fail "a scene without blue: exit code $got"
mkdir "$work/none"
predict "$work/none" -o "$work/x.tif"
[ $got = 4 ] && grep -q 'this is a folder, and no image and no product is in it; expected' "$log.err" || fail "an empty folder: exit code $got"
[ ! -e "$work/x.tif" ] || fail "a map of what cannot be read"
exit $failed
