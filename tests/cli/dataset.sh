#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# metaseg dataset: scenes, areas of classes, bands that look wrong, overlaps; what training refuses is told and refused.
# dataset.sh PROGRAM FIXTURES
program=$1 fixtures=$2
. "$(dirname "$0")/expect.sh"
unset METASEG_DATA
export METASEG_DOWNLOADS=/nonexistent
work=$(mktemp -d "$PWD/dataset.XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT

band() { # NUMBER SOURCE-BAND MORE...: a band of a virtual raster
    echo "<VRTRasterBand dataType=\"Byte\" band=\"$1\">$4<ComplexSource><SourceFilename>$fixtures/fields.tif</SourceFilename>"
    echo "<SourceBand>$2</SourceBand>$3</ComplexSource></VRTRasterBand>"
}
vrt() { # LEFT: its head; 300 x 300 pixels of 10 m in UTM zone 33
    echo '<VRTDataset rasterXSize="300" rasterYSize="300"><SRS>EPSG:32633</SRS>'
    echo "<GeoTransform>$1, 10, 0, 5303000, 0, -10</GeoTransform>"
}
{
    vrt 500000
    band 1 1
    band 2 1
    band 3 3 '<ScaleOffset>7</ScaleOffset><ScaleRatio>0</ScaleRatio>'
    band 4 1 '<LUT>0:0,100:100,101:255,255:255</LUT>'
    echo '</VRTDataset>'
} >"$work/odd.vrt"
{
    vrt 500000
    band 1 1
    band 2 3 '<ScaleOffset>7</ScaleOffset><ScaleRatio>0</ScaleRatio>' '<NoDataValue>7</NoDataValue>'
    echo '</VRTDataset>'
} >"$work/invalid.vrt"
{
    vrt 501500
    band 1 1
    band 2 2
    band 3 3
    echo '</VRTDataset>'
} >"$work/shifted.vrt"

config() { # SCENES MORE-OF-DATA MORE-OF-MODEL
    echo 'name: told'
    echo "model: { fusion: none, decoder_width: 16, gsd_min: 5, gsd_max: 20, gsd_unit: metre$3 }"
    echo "data:"
    echo "  scenes: [$1]"
    echo '  classes: [{ value: 1, name: water, color: "#0000ff" }, { value: 2, name: wood, color: "#008000" },'
    echo '            { value: 3, name: bare, color: "#b0a080" }]'
    echo "$2"
    echo 'train: { window: 256, batch: 1, steps: 1, output: run }'
}
dataset() { # CONFIG OPTIONS...
    name=$1
    shift
    "$program" dataset "$work/$name" --data-folder "$fixtures/share" --threads 1 "$@" >"$log.out" 2>"$log.err" </dev/null
    got=$?
}
told() { grep -q -e "$1" "$log.out" || fail "'$1' is not told"; }

truth="labels: '$fixtures/fields_truth.tif'"
fields="image: '$fixtures/fields.tif', $truth"
config "{ name: a, $fields }, { name: v, image: shifted.vrt, $truth, split: validation }, { name: h, $fields, split: holdout }" >"$work/three.yaml"
dataset three.yaml
[ $got = 0 ] || fail "three scenes: exit code $got"
told "^scene 'a', training: 300 x 300 pixels of 10 m, 900.0 ha; bands red, green, blue (Byte)"
told "^scene 'v', validation: 300 x 300 pixels of 10 m"
told "^scene 'h', holdout: 300 x 300 pixels of 10 m"
told '^    1  water  *300.0 ha   33.3 %  *1[0-9][0-9].[0-9] ha  *[0-9.]* %  *300.0 ha   33.3 %$'
told '^       all  *900.0 ha  100.0 %  *450.0 ha  100.0 %  *900.0 ha  100.0 %$'
told "^scenes 'a' (training) and 'v' (validation) cover the same ground, \(49\|50\).[0-9] % of the smaller one: what is kept apart with one is learned with the other$"
told "^scenes 'a' (training) and 'h' (holdout) cover the same ground, 100.0 %"
told "^scenes 'v' (validation) and 'h' (holdout) cover.*: what chooses the best weights is in the holdout, too$"
told '^ none  .*100.0 %$'
[ ! -e "$work/run" ] || fail "something was written"
dataset three.yaml --set data.scenes.3.image="$work/missing.tif"
[ $got = 0 ] || fail "a holdout scene that is not there: exit code $got"
told "^scene 'h', holdout: not opened$"
grep -q "warning: scene 'h' of split holdout: .*missing.tif" "$log.err" || fail "nothing is said of the missing holdout scene"
dataset three.yaml -q --log-format json
[ $got = 0 ] || fail "JSON: exit code $got"
[ "$(wc -l <"$log.out")" = 1 ] || fail "the JSON is not one line"
python3 - "$log.out" <<'END' || fail "the JSON is not what it should be"
import json, sys
told = json.load(open(sys.argv[1]))
assert [s["name"] for s in told["scenes"]] == ["a", "v", "h"]
assert [s["split"] for s in told["scenes"]] == ["training", "validation", "holdout"]
assert all(s["pixel_metres"] == 10 and s["square_metres"] == 9e6 and s["valid"] == 1 for s in told["scenes"])
assert all(b["suspicions"] == [] for s in told["scenes"] for b in s["bands"])
for part, square_metres in (("training", 9e6), ("validation", 4.5e6), ("holdout", 9e6)):
    assert abs(sum(c[part]["square_metres"] for c in told["classes"]) - square_metres) < 1, part
    assert abs(sum(c[part]["share"] for c in told["classes"]) - 1) < 1e-9, part
assert [(o["first"], o["second"], o["leaks"]) for o in told["overlaps"]] == [("a", "v", True), ("a", "h", True), ("v", "h", True)]
END

# bands
config "{ name: odd, image: odd.vrt, $truth, bands: [1, 2, 3, 4] }" '' ', mean: [100, 100, 7, 100], std: [50, 50, 1, 0.5]' >"$work/odd.yaml"
dataset odd.yaml
[ $got = 0 ] || fail "odd bands: exit code $got"
told "^band 2 ([^)]*) of scene 'odd': the same numbers as band 1 "
told "^band 3 ([^)]*) of scene 'odd': 7 everywhere$"
told "^band 4 ([^)]*) of scene 'odd': 33.[0-9] % of the pixels have the highest value, 255"
told "^band 4 ([^)]*) of scene 'odd': values of .*, far from the mean 100 and standard deviation 0.5 "
[ "$(grep -c '^band ' "$log.out")" = 4 ] || fail "other bands look wrong, too"

# what training refuses: told as far as it was read
config "{ name: bad, image: invalid.vrt, $truth, bands: [1, 2] }" >"$work/invalid.yaml"
dataset invalid.yaml
[ $got = 4 ] || fail "an image without a valid pixel: exit code $got"
told "^band 2 ([^)]*) of scene 'bad': no valid pixel"
[ "$(grep -c '^band ' "$log.out")" = 1 ] || fail "the valid band is called invalid, too"
grep -q 'error: no image to learn from has a valid pixel' "$log.err" || fail "it is not refused"
config "{ name: a, $fields }" '  validation: [{ name: far, west: 1, south: 1, east: 2, north: 2 }]' >"$work/far.yaml"
dataset far.yaml
[ $got = 2 ] || fail "a box beside all scenes: exit code $got"
told '^    1  water  *300.0 ha'
grep -q 'no box meets a scene' "$log.err" || fail "the box is not refused"

# boxes; scenes that are as good as one
config "{ name: a, $fields }, { name: b, image: shifted.vrt, $truth }" "  validation: [{ name: v, west: 15, south: 47, east: 15.01, north: 48 }]
  holdout: [{ name: h, west: 15.005, south: 47, east: 15.02, north: 48 }]" >"$work/boxes.yaml"
dataset boxes.yaml
[ $got = 0 ] || fail "boxes: exit code $got"
told "^validation box 'v' and holdout box 'h' overlap, 50.0 %"
told "^scenes 'a' (training) and 'b' (training) cover the same ground, .*; it is drawn once for each$"
sed -i '/validation:/,$d' "$work/boxes.yaml"
{
    echo '  validation_fraction: 0.2'
    echo 'train: { window: 256, batch: 1, steps: 1, output: run }'
} >>"$work/boxes.yaml"
dataset boxes.yaml
[ $got = 0 ] || fail "a fraction: exit code $got"
told "^scenes 'a' (training) and 'b' (training) .*: what is validated of one can be learned with the other$"
told '^       all  .* ha  100.0 %  .* ha  100.0 %$'

# labels that lie off their image by 5 pixels
sed 's/>501500,/>499950,/' "$work/shifted.vrt" >"$work/west.vrt"
config "{ name: right, $fields }, { name: off, image: west.vrt, $truth }" >"$work/off.yaml"
dataset off.yaml
[ $got = 0 ] || fail "labels that lie off: exit code $got"
told "^labels of scene 'off' seem to lie 5 pixels to the right (50 m to the E) of where the image has them"
[ "$(grep -c '^labels of scene' "$log.out")" = 1 ] || fail "labels that lie right are told, too"
dataset off.yaml --log-format json
told '"label_shift":{"right":5,"down":0,"metres":50.*,"direction":"E",'

# polygons; pictures without a place: pixels
"$program" dataset --image "$fixtures/fields.tif" --labels "$fixtures/fields.gpkg" --field class --data-folder "$fixtures/share" >"$log.out" 2>"$log.err" || fail "polygons"
told "^scene '1', training: 300 x 300 pixels of 10 m"
told '^    1  bare  *[0-9.]* ha  *[0-9.]* %  *[0-9.]* ha '
[ "$(sed -n 's/^       all  *\([0-9.]*\) ha .*%  *\([0-9.]*\) ha .*/\1 \2/p' "$log.out" | awk '{ print $1 + $2 }')" = 144 ] || fail "the polygons do not have 36 times 4 ha"
told '; 36 features on it$'
"$program" dataset --image "$fixtures/fields.tif" --labels "$fixtures/fields_truth.tif" --data-folder "$fixtures/share" >"$log.out" 2>"$log.err" || fail "a label raster"
missing="'/nonexistent/efficientnet-lite0.pth' (ImageNet weights): missing; 'make [a-z]*' .*brings it"
grep -q "it starts from random weights: .*; $missing" "$log.err" || fail "nothing is said of the ImageNet weights"
mkdir -p "$work/share/models" "$work/downloads"
: >"$work/share/models/globe.safetensors"
"$program" dataset --image "$fixtures/fields.tif" --labels "$fixtures/fields_truth.tif" --data-folder "$work/share" >"$log.out" 2>"$log.err" || fail "the encoder of the globe model"
grep -q "it starts from $work/share/models/globe.safetensors; $missing" "$log.err" || fail "the encoder of the globe model is not told"
: >"$work/downloads/efficientnet-lite0.pth"
METASEG_DOWNLOADS="$work/downloads" "$program" dataset --image "$fixtures/fields.tif" --labels "$fixtures/fields_truth.tif" --data-folder "$work/share" >"$log.out" 2>"$log.err" || fail "the ImageNet weights"
grep -q "it starts from $work/downloads/efficientnet-lite0.pth$" "$log.err" || fail "the ImageNet weights are not told"

# one file of polygons over two images: what lies on either is told once, and a feature on both is one
heard() { [ "$(grep -c -e "$1" "$log.err")" = 1 ] || fail "'$1' is told $(grep -c -e "$1" "$log.err") times"; }
told_once() {
    heard '36 of 38 features of layer .fields. lie on the 2 images'
    heard '1 of 38 features lie on none of the 2 images: not learned (FID 37)'
    heard 'features\{0,1\} without a class'
    [ "$(grep -c 'fields.gpkg' "$log.err")" = 3 ] || fail "more is told of the polygons"
}
"$program" dataset --image "$fixtures/fields.tif" "$work/shifted.vrt" --labels "$fixtures/fields.gpkg" --field class --data-folder "$fixtures/share" >"$log.out" 2>"$log.err" || fail "two images"
told_once
heard 'classes: bare (12 features, .*), water (12 features, .*), wood (12 features'
told "^scene '1', .*; 36 features on it$"
told "^scene '2', .*; 18 features on it$"
config "{ name: a, image: '$fixtures/fields.tif', labels: '$fixtures/fields.gpkg' }, { name: b, image: shifted.vrt, labels: '$fixtures/fields.gpkg' }" >"$work/two.yaml"
dataset two.yaml --set data.scenes.1.labels_field=class --set data.scenes.2.labels_field=class
[ $got = 0 ] || fail "polygons over two scenes: exit code $got"
told_once
sed '/GeoTransform/d; s/<SRS>.*SRS>//' "$work/shifted.vrt" >"$work/picture.vrt"
sed "/band=\"[23]/,\$d; s/fields.tif/fields_truth.tif/" "$work/picture.vrt" >"$work/classes.vrt"
echo '</VRTDataset>' >>"$work/classes.vrt"
config "{ name: p, image: picture.vrt, labels: classes.vrt }" >"$work/unplaced.yaml"
dataset unplaced.yaml
[ $got = 0 ] || fail "a picture without a place: exit code $got"
told "^scene 'p', training: 300 x 300 pixels, without a place on the Earth; bands"
told '^    1  water  *30000 pixels   33.3 %$'
dataset unplaced.yaml --set data.gsd=2
told "^scene 'p', training: 300 x 300 pixels of 2 m, 36.0 ha, without a place on the Earth; bands"
told '^    1  water  *12.0 ha   33.3 %$'
cp "$fixtures/scene/scene_SCL.tif" "$work/elsewhere.tif"
run dataset --image "$fixtures/fields.tif" --labels "$fixtures/fields.gpkg" --set "data.scenes.1.mask=$work/elsewhere.tif" --data-folder "$fixtures/share" -q
[ $got = 0 ] || fail "a mask of elsewhere: exit code $got"
grep -q "scene '1': its cloud mask has no value anywhere on the image" "$log.err" || fail "a mask of elsewhere is not told"
dataset none.yaml
[ $got = 4 ] || fail "a configuration that is not there: exit code $got"
expect 2 '' 'needs one configuration, or --image and --labels' dataset
expect 2 '' 'needs --image and --labels' dataset --image "$fixtures/fields.tif"
expect 2 '' "no field 'clas'" dataset --image "$fixtures/fields.tif" --labels "$fixtures/fields.gpkg" --field clas -q
exit $failed
