#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# metaseg train --image --labels: a model of own classes from polygons alone, its configuration, corrections, refusals.
# few_labels.sh PROGRAM FIXTURES
program=$1 fixtures=$2
. "$(dirname "$0")/few.sh"

labels --image "$fixtures/fields.tif" --labels "$fixtures/fields.gpkg" --field class -o "$work/own"
[ $got = 0 ] || fail "training from polygons: exit code $got"
told '300 x 300 pixels of 10 m, bands red, green, blue'
told '36 of 38 features of layer .fields. lie on the image'
told '1 of 38 features lie beside the image'
told '1 feature without a class'
told 'classes: bare (12 features, 33.3 % of the labels), water (12 features, .*), wood (12 features'
told 'validation: [0-9]* of 36 features in [0-9]* boxes'
told '0.01 minutes: [0-9]* steps of'
for class in bare water wood; do
    told "$class: IoU [0-9.-]*\( %\)\{0,1\}, F1 .*, precision .*, recall"
    grep -q "^[0-9]*,[0-9]*,[0-9]*,.*,\"$class\"\$" "$work/own/classes.csv" || fail "classes.csv lacks $class"
done
grep -q '^validation mIoU' "$log.out" || fail "no validation"
grep -q '^map .*own/map.tif$' "$log.out" || fail "no map is named"
for file in train.yaml config.yaml best.safetensors last.safetensors map.tif map.png map.qml; do
    [ -s "$work/own/$file" ] || fail "'$file' is missing"
done
[ "$(sed -n '/<!-- maps -->/,/<!-- end of maps -->/p' "$work/own/report.html" | grep -c '<figcaption>map.png</figcaption><img .*src="data:image/png;base64,iVBOR')" = 1 ] || fail "the report lacks the map"
grep -q 'name: "bare"' "$work/own/train.yaml" || fail "train.yaml lacks a class"
"$program" eval "$work/own/map.tif" "$fixtures/fields_truth.tif" --by-pixel >"$log.out" 2>&1 || fail "the map cannot be compared"

# a model that reads no text needs no climate map
cp "$program" "$work/alone"
"$work/alone" predict "$fixtures/fields.tif" -m "$work/own/best.safetensors" -o "$work/alone.tif" -q 2>"$log.err" || fail "no map without a data folder: $(cat "$log.err")"

# the configuration trains again, and is refused over a run without -f
steps=$(sed -n 's/^  steps: \([0-9]*\).*/\1/p' "$work/own/train.yaml")
expect 6 '' "holds a training run" train "$work/own/train.yaml" --data-folder "$fixtures/share" -q
best=$(cksum <"$work/own/best.safetensors")
"$program" train "$work/own/train.yaml" --data-folder "$fixtures/share" --threads 1 -f >"$log.out" 2>"$log.err" || fail "train.yaml does not train"
grep -q "^steps $steps$" "$log.out" || fail "train.yaml trains other steps than $steps"
[ "$(cksum <"$work/own/best.safetensors")" = "$best" ] || fail "train.yaml makes another model"
labels --image "$fixtures/fields.tif" --labels "$fixtures/fields.gpkg" --field class -o "$work/own"
[ $got = 6 ] || fail "a folder with a run is not refused: $got"

# corrections: the model with its classes, validated before it learns more
labels --image "$fixtures/fields.tif" --labels "$fixtures/fields.gpkg" --field class --from "$work/own/best.safetensors" -o "$work/more" --no-map
[ $got = 0 ] || fail "training from a model: exit code $got"
told 'starts from .*: \([0-9]*\) of \1 parameters; 3 of 3 classes are its classes; 3 of 3 bands'
told '^step 0: validation mIoU'
told "^class 'bare': IoU [0-9.]* % before, [0-9.]* % now"
told '^validation mIoU [0-9.]* % before, [0-9.]* % now'
[ ! -e "$work/more/map.tif" ] || fail "--no-map maps"

# a model of reflectance: its numbers are read here as there, and level 2 is brought to level 1
sed -e "s#^model:#model:\n  reflectance: 10000\n  transform: log\n  mean: [1, 1.5, 2]\n  std: [1, 1, 1]\n  surface_scale: [0.5, 0.625, 0.75]\n  surface_offset: [5, 6, 7]#" \
    -e "s#^  output:.*#  output: $work/reflectance#" "$work/own/train.yaml" >"$work/reflectance.yaml"
"$program" train "$work/reflectance.yaml" --data-folder "$fixtures/share" --threads 1 >"$log.out" 2>"$log.err" || fail "no model of reflectance: $(cat "$log.err")"
"$program" info "$work/reflectance/best.safetensors" | grep -q 'reflectance of 1 *10000' || fail "the model does not tell its reflectance"
labels --image "$fixtures/fields.tif" --labels "$fixtures/fields.gpkg" --field class --from "$work/reflectance/best.safetensors" -o "$work/again" --no-map
[ $got = 0 ] || fail "training from a model of reflectance: exit code $got"
for line in 'reflectance: 10000' 'transform: log' 'mean: \[1, 1.5, 2\]' 'surface_scale: \[0.5, 0.625, 0.75\]' 'surface_offset: \[5, 6, 7\]'; do
    grep -q "^  $line\$" "$work/again/train.yaml" || fail "train.yaml lacks '$line'"
done

# a picture of classes by the colours of a table
{
    echo 'name: three'
    echo 'classes:'
    echo '  - { value: 3, name: water, color: "#0000ff" }'
    echo '  - { value: 7, name: wood, color: "#008000" }'
    echo '  - { value: 9, name: bare, color: "#b0a080" }'
} >"$work/table.yaml"
labels --image "$fixtures/fields.tif" --labels "$fixtures/fields_picture.tif" -o "$work/picture" --no-map
[ $got = 4 ] || fail "a picture without a table: exit code $got"
told 'name a class table with these colours by --classes'
labels --image "$fixtures/fields.tif" --labels "$fixtures/fields_picture.tif" --classes "$work/table.yaml" -o "$work/picture" --no-map
[ $got = 0 ] || fail "training from a picture: exit code $got"
told 'classes: .*bare (33.3 % of the labels)'
grep -q 'labels_kind: colors' "$work/picture/train.yaml" || fail "train.yaml does not say colors"

# refusals: one line, and nothing is left
refused() { # CODE PATTERN ARGUMENTS...
    code=$1 pattern=$2
    shift 2
    labels --image "$fixtures/fields.tif" -o "$work/none" -q "$@"
    [ $got = "$code" ] || fail "$*: exit code $got, expected $code"
    grep -q -e "$pattern" "$log.err" || fail "$*: '$pattern' is not told"
    [ ! -e "$work/none/train.yaml" ] || fail "$*: train.yaml is left"
}
refused 2 "no field 'clas'; its fields: 'class', 'code'" --labels "$fixtures/fields.gpkg" --field clas
refused 2 "no layer 'field'; its layers: 'fields'" --labels "$fixtures/fields.gpkg" --layer field
refused 2 "2 files of labels for 1 images" --labels "$fixtures/fields.gpkg" --labels "$fixtures/fields.gpkg"
refused 4 "no such file" --labels "$work/missing.gpkg"
refused 4 "not a raster" --labels "$fixtures/empty.tif"
refused 4 "'nothing': No such file" --labels "$fixtures/fields.gpkg" --from nothing
refused 2 "are for vector files" --labels "$fixtures/fields_truth.tif" --field class
refused 2 "steps: unknown key\|trian" --labels "$fixtures/fields.gpkg" --set trian.steps=5
refused 2 "name it with -o" --labels "$fixtures/fields.gpkg" --set "train.output=$work/elsewhere"
expect 2 '' 'needs one configuration, or --image, --labels and -o' train
expect 2 '' 'needs --image, --labels and -o' train --labels "$fixtures/fields.gpkg"

# names that differ in case alone are one class; metres that are taken for degrees are no place, and take no time to be none
python3 - "$work" <<'EOF'
import json, sys
def layer(name, crs):
    features = []
    for i, kind in enumerate(["Wood", "wood", "water", "WOOD", "Water", "wood"]):
        x, y = 500000 + 500 * i, 5303000 - 500 * i
        ring = [[x + 50, y - 50], [x + 450, y - 50], [x + 450, y - 450], [x + 50, y - 450], [x + 50, y - 50]]
        features.append({"type": "Feature", "properties": {"class": kind}, "geometry": {"type": "Polygon", "coordinates": [ring]}})
    whole = {"type": "FeatureCollection", "features": features}
    if crs:
        whole["crs"] = {"type": "name", "properties": {"name": crs}}
    json.dump(whole, open(sys.argv[1] + "/" + name, "w"))
layer("case.geojson", "urn:ogc:def:crs:EPSG::32633")
layer("metres.geojson", None)
EOF
run dataset --image "$fixtures/fields.tif" --labels "$work/case.geojson" --data-folder "$fixtures/share"
told 'classes: WOOD (4 features, .*), Water (2 features'
told "'WOOD' and 'wood' differ in case alone; both are one class"
[ "$(grep -ci ' wood ' "$log.out")" = 1 ] || fail "names that differ in case are more than one class"
run dataset --image "$fixtures/fields.tif" --labels "$work/metres.geojson" --data-folder "$fixtures/share" -q
[ $got = 4 ] || fail "metres as degrees: exit code $got"
told 'of 6 features 0 lie beside it, 6 where its projection has no place, .*--labels-crs'

# a configuration is UTF-8
latin=$work/$(printf 'f\344lder.tif')
if cp "$fixtures/fields.tif" "$latin" 2>/dev/null; then
    run dataset --image "$latin" --labels "$fixtures/fields.gpkg" --data-folder "$fixtures/share" -q
    [ $got = 4 ] && grep -q 'image: .*f.xe4lder.tif": this is not UTF-8' "$log.err" || fail "a name that is not UTF-8: exit code $got"
fi

# two entries of a legend with one text are two classes
sed 's/"class": "[Ww][Oo]*[Oo][Dd]"/"class": 3/g; s/"class": "[Ww]ater"/"class": 5/g' "$work/case.geojson" >"$work/legend.geojson"
cat >"$work/legend.qml" <<'EOF'
<qgis><renderer-v2 type="categorizedSymbol" attr="class"><categories><category value="3" label="Wet &amp; wild" symbol="0"/>
<category value="5" label="wet &amp; wild" symbol="0"/></categories></renderer-v2></qgis>
EOF
run dataset --image "$fixtures/fields.tif" --labels "$work/legend.geojson" --data-folder "$fixtures/share"
[ $got = 0 ] || fail "two entries of a legend with one text: exit code $got"
told 'classes: Wet & wild (4 features, .*), wet & wild (5) (2 features'

# the maps are outputs: of no file that is read, and each of one image alone; an older configuration outlives what is refused
mkdir -p "$work/b" "$work/labels"
cp "$fixtures/fields.tif" "$work/b/fields.tif"
cp "$fixtures/fields_truth.tif" "$work/labels/map.tif"
labels --image "$fixtures/fields.tif" --labels "$work/labels/map.tif" -o "$work/labels" -f -q
[ $got = 2 ] || fail "a map over its labels: exit code $got"
told "labels/map.tif': the map of .*fields.tif. is a label raster, which is read"
cmp -s "$fixtures/fields_truth.tif" "$work/labels/map.tif" || fail "the labels are overwritten"
labels --image "$fixtures/fields.tif" --image "$work/b/fields.tif" --labels "$fixtures/fields.gpkg" -o "$work/twins" -f -q
[ $got = 2 ] || fail "two maps of one name: exit code $got"
told "twins/fields_map.tif': both the map of .* and the map of "
: >"$work/b/map.png"
labels --image "$fixtures/fields.tif" --labels "$fixtures/fields.gpkg" -o "$work/b" -q
[ $got = 6 ] || fail "a picture in the way: exit code $got"
told "b/map.png': exists already; give -f to replace it, another folder, or --no-map"
[ ! -e "$work/b/train.yaml" ] || fail "a picture in the way: train.yaml is left"
yaml=$(cksum <"$work/own/train.yaml")
labels --image "$fixtures/fields.tif" --labels "$fixtures/fields.gpkg" --field class -o "$work/own" -f -q --set train.window=100
[ $got = 2 ] && [ "$(cksum <"$work/own/train.yaml")" = "$yaml" ] || fail "a refused run took the older train.yaml: $got"
: >"$work/b/train.yaml"
labels --image "$fixtures/fields.tif" --labels "$fixtures/fields.gpkg" -o "$work/b" -q
[ $got = 6 ] || fail "a configuration without a run: exit code $got"
told "of a run that did not begin"

# a raster of class values is labels, too; its numbers are no classes of a model that has others
deep=$work/a_folder_of_a_long_name/with_another_one_in_it_that_is_long_as_well/and_a_third_one_after_which_no_short_text_has_room_for_more
labels --image "$fixtures/fields.tif" --labels "$fixtures/fields_truth.tif" --from "$work/own/best.safetensors" -o "$deep/raster/" --no-map
[ $got = 0 ] || fail "training from a raster: exit code $got"
grep -q '^name: "raster"$' "$deep/raster/train.yaml" || fail "the model is not called like its folder"
told 'classes: 1 (33.3 % of the labels)'
told '0 of 3 classes are its classes; new: 1, 2, 3'
exit $failed
