#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Presets on small copies of the published data sets: check, what it finds, training, submissions, evaluation, the keys
# that override. presets.sh PROGRAM
# FIXTURES SOURCE
program=$1 fixtures=$2 source=$3
. "$(dirname "$0")/expect.sh"
unset METASEG_DATA
export METASEG_DOWNLOADS=/nonexistent
work=$(mktemp -d "$PWD/presets.XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT
python3 "$source/tests/cli/make_presets.py" "$work" || exit 1
mkdir "$work/share"
for name in classes places prompts; do ln -s "$source/share/$name" "$work/share/$name"; done
ln -s "$fixtures/share/koppen_geiger.bin" "$work/share/koppen_geiger.bin"
share="--data-folder $work/share --threads 1"

expect 0 '^loveda  *LoveDA; classes loveda.yaml, pixels of 0.3 m$' '' dataset list
[ "$(grep -c '^[a-z]' "$log.out")" = 6 ] || fail "six presets were expected"
grep -q '^  split 12/4 ' "$log.out" || fail "the small split is not listed"
[ "$(grep -c "^  submissions to: " "$log.out")" = 3 ] || fail "three presets have submissions"
expect 0 '"name":"flair"' '' dataset list --log-format json

check() { # CODE PRESET FOLDER OPTIONS...
    code=$1 preset=$2 folder=$3
    shift 3
    # shellcheck disable=SC2086
    run dataset check "$preset" "$work/$folder" $share -q "$@"
    [ $got = "$code" ] || fail "dataset check $preset $folder: exit code $got, expected $code"
}
told() { grep -q -e "$1" "$log.out" || fail "'$1' is not told"; }

# clean copies: nothing is wrong, every image is read, classes are what was written
for entry in openearthmap:9 loveda:12 potsdam:37 vaihingen:33 flair:6 deepglobe:7; do
    check 0 ${entry%:*} ${entry%:*}
    told "^${entry#*:} images read, 0 findings"
done
check 0 openearthmap openearthmap
told 'split official: 5 images to learn, 2 to validate, 2 to test$'
told "^note, unknown place: .*nowhere_1.tif.: region 'nowhere' is not in the table of places$"
told '^    8  Building  *12.50 %  *12.50 %  *-$'
check 0 openearthmap openearthmap --split regions
told 'split regions: 3 images to learn, 1 to validate, 5 to test$'
check 0 potsdam potsdam --split 18/6
told 'split 18/6: 18 images to learn, 0 to validate, 6 to test$'
check 0 vaihingen vaihingen --split 12/4
told 'split 12/4: 12 images to learn, 0 to validate, 4 to test$'
# other folders of the same tiles: GeoSeg's, and labels where the archive lies; heights (dsm) are nobody's business
mkdir -p "$work/arranged/train_images" "$work/arranged/test_images" "$work/arranged/test_masks_eroded" "$work/arranged/dsm"
for tile in 1 3 5 7 11 13 15 17 21 23 26 28 30 32 34 37; do
    cp "$work/vaihingen/top/top_mosaic_09cm_area$tile.tif" "$work/arranged/train_images"
done
for tile in 2 4 6 8 10 12 14 16 20 22 24 27 29 31 33 35 38; do
    cp "$work/vaihingen/top/top_mosaic_09cm_area$tile.tif" "$work/arranged/test_images"
    cp "$work"/vaihingen/*eroded_COMPLETE/*_area${tile}_noBoundary.tif "$work/arranged/test_masks_eroded"
done
cp "$work"/vaihingen/*ground_truth_COMPLETE/*.tif "$work/arranged"
cp "$work/vaihingen/top/top_mosaic_09cm_area1.tif" "$work/arranged/dsm/dsm_09cm_matching_area1.tif"
check 0 vaihingen arranged
told 'split official: 15 images to learn, 1 to validate, 17 to test$'
told '^33 images read, 0 findings'
rm "$work/arranged/test_images/top_mosaic_09cm_area38.tif" "$work/arranged/top_mosaic_09cm_area37.tif"
check 4 vaihingen arranged
told "^missing image: .*/arranged/train_images/top_mosaic_09cm_area38.tif.: "
told "^missing labels: .*area37.tif.: an image without its labels '.*_COMPLETE/top_mosaic_09cm_area37.tif'"
check 0 flair flair
told ': 2 images to learn, 2 to validate, 2 to test$'
told '^   13  Other '
check 0 deepglobe deepglobe --log-format json
[ "$(wc -l <"$log.out")" = 1 ] || fail "the JSON is not one line"
told '"wrong":0'

# what is wrong, file by file
check 4 loveda broken/loveda
told '^missing image: .*/Train/Urban/masks_png/91.png.: labels without their image '
told '^missing labels: .*/Train/Urban/images_png/90.png.: an image without its labels '
told '^corrupt: .*/Train/Urban/images_png/0.png.: .*truncated'
told '^different sizes: .*/Train/Rural/masks_png/2.png.: 64 x 64 pixels; its image has 128 x 128$'
told '^unexpected values: .*/Train/Rural/masks_png/3.png.: no class has the value 8 ([0-9]* pixels), 9 '
told ', 5 findings, '
grep -q "^metaseg: error: '$work/broken/loveda': 5 findings; the first is " "$log.err" || fail "the findings are no error"
check 4 loveda broken/loveda --log-format json
told '"problem":"corrupt","note":false,"path":"'
check 4 openearthmap broken/openearthmap
told "^missing split: .*/val.txt.: the list of split validation is missing$"
told '^missing image: .*/lima/images/lima_1.tif'
told '^in no split: .*/koeln/images/koeln_3.tif'
check 4 potsdam broken/potsdam
told '^missing labels: .*top_potsdam_2_10_RGB.tif'
told '^unexpected values: .*top_potsdam_2_11_label.tif.: no class has the colour #'
check 4 vaihingen loveda
grep -q "nothing of ISPRS 2D Semantic Labeling, Vaihingen is in this folder" "$log.err" || fail "a folder of another data set is taken"
check 4 loveda nowhere
mkdir -p "$work/odd/places"
ln -s "$source/share/classes" "$work/odd/classes"
for line in 'koeln,6.9' 'koeln,6.9,95' 'koeln,east,50.9' ',6.9,50.9'; do
    printf 'name,longitude,latitude\n# a table\n%s\n' "$line" >"$work/odd/places/openearthmap.csv"
    expect 2 '' "openearthmap.csv', line 3: '$line' is not NAME,LONGITUDE,LATITUDE" dataset check openearthmap "$work/openearthmap" -q --data-folder "$work/odd"
done
check 2 potsdam potsdam --split 19/5
grep -q "potsdam has no split '19/5'; expected one of official, 18/6" "$log.err" || fail "the splits are not told"
check 2 postdam potsdam
grep -q "did you mean 'potsdam'" "$log.err" || fail "the nearest preset is not told"
expect 2 '' 'check needs a preset and a folder' dataset check loveda
expect 2 '' '--split goes with check' dataset --split official some.yaml

# training
config() { # PRESET MORE-OF-DATA
    echo 'name: made'
    echo 'model: { encoder: none, fusion: none, decoder_width: 16, detail_width: 16, output_stride: 2, gsd_min: 0.01, gsd_max: 1 }'
    echo "data: { preset: $1, folder: $1$2 }"
    echo "train: { window: 64, batch: 1, steps: 2, warmup_steps: 0, output: run_$1 }"
}
train() { # PRESET OPTIONS...
    name=$1
    shift
    # shellcheck disable=SC2086
    run train "$work/$name.yaml" -q -f $share "$@"
}
for preset in openearthmap loveda potsdam vaihingen flair deepglobe; do
    config $preset >"$work/$preset.yaml"
    train $preset
    [ $got = 0 ] || fail "training on $preset: exit code $got"
    told '^steps 2$'
    case $preset in
    deepglobe) ;;
    *) told '^validation mIoU ' ;;
    esac
    [ -s "$work/run_$preset/best.safetensors" ] || fail "training on $preset leaves no model"
done
train deepglobe --set data.validation_fraction=0.3
told '^validation mIoU '

# the recipe's options: a continued run is the unbroken one
recipe="--set train.restart_steps=2 --set train.epoch_steps=1 --set train.lookahead_steps=2 --set train.accumulate=3 --set train.ema_decay=0.9 \
    --set train.scales=0.75,1,1.25,1.5 --set train.redraw_above=0.75 --set train.mosaic=0.5 --set train.mosaic_side=96"
# shellcheck disable=SC2086
train vaihingen $recipe --set train.steps=5
sum=$(cksum <"$work/run_vaihingen/last.safetensors")
# shellcheck disable=SC2086
train vaihingen $recipe
# shellcheck disable=SC2086
run train "$work/vaihingen.yaml" -q --resume $share $recipe --set train.steps=5
[ $got = 0 ] || fail "continuing with the recipe's options: exit code $got"
[ "$(cksum <"$work/run_vaihingen/last.safetensors")" = "$sum" ] || fail "a continued run differs from an unbroken one"
# one window alone, drawn twice for a step, is that window drawn once: gradients are averaged
same="--set train.flips=false --set train.rotations=false --set train.color_jitter=0 --set train.dropout=0"
config loveda ", scenes: [{ name: one, image: one/image.png, labels: one/mask.png }]" | sed 's/output: run_loveda/output: run_one/' >"$work/one.yaml"
for batches in 1 2; do
    # shellcheck disable=SC2086
    train one $same --set train.accumulate=$batches
    [ $got = 0 ] || fail "training on one window: exit code $got"
    tail -n 1 "$work/run_one/metrics.csv" | cut -d, -f 1-6 >"$work/one.$batches"
done
cmp "$work/one.1" "$work/one.2" || fail "$(cat "$work/one.1") is not $(cat "$work/one.2")"

# a map of it, compared with published labels
run predict "$work/loveda/Val/Urban/images_png/4.png" -m "$work/run_loveda/best.safetensors" -o "$work/map.tif" -q --threads 1
[ $got = 0 ] || fail "predicting a tile: exit code $got"
run eval "$work/map.tif" "$work/loveda/Val/Urban/masks_png/4.png" --by-pixel --ignore 0
[ $got = 0 ] || fail "evaluating it: exit code $got"
told 'mIoU'

# published labels that are pictures are read by the preset's colours: eroded black is no label, JPEG's colours are cut at 128
run predict "$work/potsdam/2_Ortho_RGB/top_potsdam_2_13_RGB.tif" -m "$work/run_potsdam/best.safetensors" -o "$work/2_13.tif" -q --threads 1 --prompts null
# shellcheck disable=SC2086
run eval "$work/2_13.tif" "$work/potsdam/5_Labels_all_noBoundary/top_potsdam_2_13_label_noBoundary.tif" --preset potsdam --by-pixel $share
[ $got = 0 ] || fail "labels in colours: exit code $got"
told ' pixels of the reference with the ignored value'
# shellcheck disable=SC2086
expect 4 '' "label.tif': no class has the colour #fcfc03 (1536 pixels), .*, first at column 0, row 0; " eval -q "$work/2_13.tif" "$work/broken/potsdam/5_Labels_all/top_potsdam_2_11_label.tif" \
    --preset potsdam --by-pixel $share
run predict "$work/deepglobe/train/119_sat.jpg" -m "$work/run_deepglobe/best.safetensors" -o "$work/119.tif" -q --threads 1 --prompts null
# shellcheck disable=SC2086
run eval "$work/119.tif" "$work/deepglobe/train/119_mask.png" --preset deepglobe --by-pixel $share
[ $got = 0 ] || fail "masks in blurred colours: exit code $got"

# submissions: what the server of each takes, and why there is none of the others
submit() { # PRESET FOLDER OPTIONS...
    name=$1 folder=$2
    shift 2
    # shellcheck disable=SC2086
    run predict --preset "$name" "$work/$folder" -m "$work/run_$name/best.safetensors" -o "$work/$name.zip" -q $share "$@"
}
holds() { # ARCHIVE LINES: what read_submission.py says of it
    mkdir -p "$work/unpacked"
    python3 "$source/tests/cli/read_submission.py" "$work/$1" "$work/unpacked" >"$work/members" || fail "$1 cannot be read"
    echo "$2" | grep -E -v '^$' >"$work/expected"
    [ "$(wc -l <"$work/members")" = "$(wc -l <"$work/expected")" ] || fail "$1 has $(cat "$work/members")"
    while read -r line; do grep -q -E -e "^$line\$" "$work/members" || fail "$1: no member is '$line': $(cat "$work/members")"; done <"$work/expected"
}
submit loveda loveda
[ $got = 0 ] || fail "a submission for LoveDA: exit code $got"
told "^$work/loveda.zip$"
holds loveda.zip '10.png 128x128 values( [0-6])+
11.png 192x96 values( [0-6])+
8.png 128x128 values( [0-6])+
9.png 192x96 values( [0-6])+'
submit loveda loveda
[ $got = 6 ] || fail "an archive that is there is replaced without -f: exit code $got"
sum=$(cksum <"$work/loveda.zip")
TZ=Asia/Kathmandu submit loveda loveda/ -f --log-format json
[ "$(cksum <"$work/loveda.zip")" = "$sum" ] || fail "the same submission has other bytes"
told '"preset":"loveda","server":"LoveDA .*","images":4,"pixels":69632,'
submit loveda loveda -f --tta lr --crops 256
[ $got = 0 ] || fail "a submission with --tta and --crops: exit code $got"
submit loveda loveda -f
# the values are those of a map of the same image, less one
run predict "$work/loveda/Test/Urban/images_png/9.png" -m "$work/run_loveda/best.safetensors" -o "$work/test.tif" -q --threads 1 --lonlat 118.78,32.06 \
    --data-folder "$work/share"
{
    echo 'name: less one'
    echo 'from: loveda'
    echo 'to: loveda'
    echo 'classes: [{ from: 1, to: 0 }, { from: 2, to: 1 }, { from: 3, to: 2 }, { from: 4, to: 3 }, { from: 5, to: 4 }, { from: 6, to: 5 }, { from: 7, to: 6 }]'
} >"$work/less.yaml"
run eval "$work/test.tif" "$work/unpacked/9.png" --by-pixel --mapping "$work/less.yaml"
told 'OA *100.00'
submit openearthmap openearthmap
[ $got = 0 ] || fail "a submission for OpenEarthMap: exit code $got"
holds openearthmap.zip 'koeln_4.png 224x128 values( [1-8])+
lima_2.png 160x128 values( [1-8])+'
submit deepglobe deepglobe
[ $got = 0 ] || fail "a submission for DeepGlobe: exit code $got"
holds deepglobe.zip '5_mask.png 128x128 colours( 00ffff| ffff00| ff00ff| 00ff00| 0000ff| ffffff)+
7_mask.png 128x128 colours( 00ffff| ffff00| ff00ff| 00ff00| 0000ff| ffffff)+
8_mask.png 128x128 colours( 00ffff| ffff00| ff00ff| 00ff00| 0000ff| ffffff)+'
for preset in potsdam vaihingen flair; do
    submit $preset $preset
    [ $got = 2 ] || fail "a submission for $preset: exit code $got"
    grep -q 'there is no submission file of .*published' "$log.err" || fail "why $preset has no submission is not told"
done

# refused as a whole: an image that cannot be read, one that is missing, a model of other classes, options of one image
cp -R "$work/loveda" "$work/damaged"
head -c 600 "$work/loveda/Test/Rural/images_png/10.png" >"$work/damaged/Test/Rural/images_png/10.png"
rm "$work/loveda.zip"
submit loveda damaged
[ $got = 4 ] || fail "a damaged image: exit code $got"
grep -q "^metaseg: error: no submission was written: '$work/damaged/Test/Rural/images_png/10.png': " "$log.err" || fail "the damaged image is not named"
rm -r "$work/damaged/Test/Urban"
submit loveda damaged
[ $got = 4 ] || fail "a missing folder of test images: exit code $got"
grep -q 'a submission needs all images' "$log.err" || fail "what a submission needs is not told"
rm "$work/openearthmap.zip"
cp -R "$work/openearthmap" "$work/part"
rm "$work/part/lima/images/lima_1.tif" # of train.txt: the test part is whole
submit openearthmap part
[ $got = 0 ] || fail "an image to learn from is missing: exit code $got"
rm "$work/openearthmap.zip" "$work/part/lima/images/lima_2.tif"
submit openearthmap part
[ $got = 4 ] || fail "a test image is missing: exit code $got"
grep -q "part/lima/images/lima_2.tif': this image is missing; a submission needs all" "$log.err" || fail "the missing image is not told"
refuse() { # CODE MESSAGE ARGUMENTS...
    code=$1 message=$2
    shift 2
    # shellcheck disable=SC2086
    expect "$code" '' "$message" predict -q $share -o "$work/loveda.zip" --preset loveda "$@"
}
refuse 5 'the model has a class 8 (Building), and LoveDA has none of this value' "$work/loveda" -m "$work/run_openearthmap/best.safetensors"
for options in '--lonlat 9,48' '--crs EPSG:4326' '--gsd 1' '--mask x.tif' '--confidence c.tif' '--quicklook q.png'; do
    # shellcheck disable=SC2086
    refuse 2 'is of one image' "$work/loveda" -m "$work/run_loveda/best.safetensors" $options
done
refuse 2 'needs one folder, that of the data set, and 2 inputs' "$work/loveda" "$work/loveda" -m "$work/run_loveda/best.safetensors"
refuse 2 'needs the model that is to be judged' "$work/loveda"
refuse 2 'skip-existing' "$work/loveda" -m "$work/run_loveda/best.safetensors" --skip-existing
# shellcheck disable=SC2086
expect 2 '' 'zip' predict -q $share --preset loveda "$work/loveda" -m "$work/run_loveda/best.safetensors" -o "$work/loveda.tif"
[ ! -e "$work/loveda.zip" ] || fail "an archive is there after all"
! ls -d "$work"/.metaseg-partial-* 2>/dev/null || fail "hidden folders are left"

# the figure of a paper in one command: the part is mapped, then compared with the published labels
judge() { # PRESET OPTIONS...
    name=$1
    shift
    # shellcheck disable=SC2086
    run eval --preset "$name" "$work/$name" -m "$work/run_$name/best.safetensors" -q $share "$@"
}
for entry in openearthmap:validation:2 loveda:validation:4 potsdam:test:14 vaihingen:test:17 flair:validation:2 deepglobe:train:4; do
    preset=${entry%%:*} rest=${entry#*:}
    options=
    [ $preset != deepglobe ] || options='--part train'
    # shellcheck disable=SC2086
    TMPDIR=$work judge $preset $options
    [ $got = 0 ] || fail "evaluating on $preset: exit code $got"
    told "^data set: .* (split official, ${rest%:*})$"
    told "^mIoU "
    lines=$(sed -n '/ mIoU  *OA  *kappa  *map$/,$p' "$log.out" | tail -n +2 | grep -c '[0-9]')
    [ "$lines" = "${rest#*:}" ] || fail "not every image of $preset has its line"
    if grep -q "metaseg-eval" "$log.out"; then fail "maps that are gone are named"; fi
done
! ls -d "$work"/metaseg-eval-* 2>/dev/null || fail "maps are left in TMPDIR"
# kept maps are those that predict makes, and their comparison is the same
judge vaihingen --split 12/4 --maps "$work/kept" --json "$work/kept.json" --crops 64
[ $got = 0 ] || fail "keeping the maps: exit code $got"
[ "$(ls "$work/kept/"*_classes.tif | wc -l)" = 4 ] || fail "not all maps are kept"
run predict "$work/vaihingen/top/top_mosaic_09cm_area5.tif" -m "$work/run_vaihingen/best.safetensors" --crops 64 -b 1,2,3 --lonlat 8.96,48.93 \
    --data-folder "$work/share" --threads 1 -q -o "$work/area5.tif"
run eval "$work/kept/5_classes.tif" "$work/area5.tif" --by-pixel --ignore 255
told 'OA *100.00'
for tile in 5 15 21 30; do
    echo "$work/kept/${tile}_classes.tif,$(echo "$work"/vaihingen/*eroded_COMPLETE/*area${tile}_noBoundary.tif)"
done >"$work/pairs.csv"
# shellcheck disable=SC2086
run eval --list "$work/pairs.csv" --preset vaihingen --by-pixel --json "$work/listed.json" -q $share
[ $got = 0 ] || fail "the kept maps: exit code $got"
grep -o '"miou_macro": [0-9.e-]*' "$work/kept.json" | head -n 1 >"$work/kept.miou"
grep -o '"miou_macro": [0-9.e-]*' "$work/listed.json" | head -n 1 | cmp - "$work/kept.miou" || fail "the same maps have other figures"
judge vaihingen --split 12/4 --maps "$work/kept"
[ $got = 6 ] || fail "maps that are there are replaced: exit code $got"
# from a configuration: its folder, split and the model of its run
# shellcheck disable=SC2086
run eval "$work/loveda.yaml" -q $share --part validation --log-format json
[ $got = 0 ] || fail "evaluating a configuration: exit code $got"
told '"data_set":"LoveDA (split official, validation)"'
# shellcheck disable=SC2086
run eval "$work/potsdam.yaml" -q $share --set data.split=18/6 --tta lr
told 'split 18/6, test'
# zero-shot: another data set's model, and what its classes are here
# shellcheck disable=SC2086
run eval --preset loveda "$work/loveda" -m "$work/run_openearthmap/best.safetensors" -q --data-folder "$source/share" --threads 1 --prompts null \
    --mapping openearthmap_to_loveda
[ $got = 0 ] || fail "a model of other classes with a mapping: exit code $got"
refuse_eval() { # CODE MESSAGE ARGUMENTS...
    code=$1 message=$2
    shift 2
    # shellcheck disable=SC2086
    expect "$code" '' "$message" eval -q $share "$@"
}
best=$work/run_loveda/best.safetensors
refuse_eval 4 'they are hidden' --preset loveda "$work/loveda" -m "$best" --part test
refuse_eval 4 'no image with labels in part validation of split official of DeepGlobe' --preset deepglobe "$work/deepglobe" -m "$work/run_deepglobe/best.safetensors"
refuse_eval 5 'the model has a class 8' --preset loveda "$work/loveda" -m "$work/run_openearthmap/best.safetensors"
refuse_eval 2 'name it with --preset' "$work/loveda" -m "$best"
refuse_eval 2 '2 arguments were given' --preset loveda "$work/loveda" "$work/loveda" -m "$best"
refuse_eval 2 '--crops is of images that are mapped first' "$work/map.tif" "$work/map.tif" --crops 64
refuse_eval 2 'give one of both' --preset loveda "$work/loveda.yaml"
refuse_eval 2 'has no split' --preset loveda "$work/loveda" -m "$best" --split 9/9
refuse_eval 4 "part/lima/images/lima_2.tif': .*--skip-missing" --preset openearthmap "$work/part" -m "$work/run_openearthmap/best.safetensors" --part test
rm "$work/part/koeln/images/koeln_3.tif"
refuse_eval 4 "part/koeln/images/koeln_3.tif': .*--skip-missing" --preset openearthmap "$work/part" -m "$work/run_openearthmap/best.safetensors"
# shellcheck disable=SC2086
run eval --preset openearthmap "$work/part" -m "$work/run_openearthmap/best.safetensors" -q $share --skip-missing
[ $got = 0 ] || fail "going without a missing image: exit code $got"

# what the data set is: labels, places
survey() { # PRESET OPTIONS...
    name=$1
    shift
    # shellcheck disable=SC2086
    run dataset "$work/$name.yaml" $share "$@"
    [ $got = 0 ] || fail "dataset $name: exit code $got"
}
survey loveda
told "^scene 'Train/Rural/2', training: 128 x 128 pixels of 0.3 m, .*climate zones "
told "^scene 'Val/Urban/5', validation: "
if grep -q 'Test' "$log.out"; then fail "images without labels are scenes"; fi
grep -q 'match pixel by pixel and read the zone of their lonlat' "$log.err" || fail "it is not told that a place is known"
survey potsdam -q
told "^scene '2_10', validation: 96 x 64 pixels of 0.05 m"
told "^scene '7_13', holdout: "
if grep -q "warning: labels" "$log.err"; then fail "the boundaries of eroded labels are told as a colour"; fi
survey flair -q
told "^scene 'D006_2020/Z1_NN/.*bands red, green, blue, "
told '^   13  Other '

# keys that override the preset
survey flair -q --set data.bands=4,1,2 --set data.split=official
told "bands band 4, red, green"
survey potsdam -q --set data.split=18/6
told "^scene '2_11', holdout: "
if grep -q "'7_13'" "$log.out"; then fail "the other split has tiles of the official one"; fi
survey openearthmap -q --set data.split=regions
told "^scene 'koeln_3', holdout: "
survey vaihingen -q --set "data.class_table=$source/share/classes/isprs.yaml" --set data.ignore_colors=#808080
grep -q 'no class has the colour #000000' "$log.err" || fail "ignore_colors of the preset is used beside a given one"
"$program" train "$work/loveda.yaml" -q -f $share --set data.folder="$work/broken/loveda" >"$log.out" 2>"$log.err"
[ $? = 4 ] || fail "a folder with findings is learned from"
grep -q 'data.missing: skip goes without such files' "$log.err" || fail "the way out is not told"

# the configurations that come with metaseg: on their data sets, without text, and one step at a smaller window
for preset in openearthmap loveda potsdam vaihingen; do
    # shellcheck disable=SC2086
    run dataset "$source/configs/$preset.yaml" $share -q --set model.fusion=none --set data.folder="$work/$preset"
    [ $got = 0 ] || fail "configs/$preset.yaml: exit code $got"
done
# shellcheck disable=SC2086
run train "$source/configs/loveda.yaml" $share -q --set model.fusion=none --set data.folder="$work/loveda" --set train.output="$work/recipe" \
    --set train.steps=1 --set train.batch=1 --set train.window=256 --set train.mosaic_side=256
[ $got = 0 ] || fail "a step with configs/loveda.yaml: exit code $got"
told '^steps 1$'

# wrong keys
wrong() { # MESSAGE OPTIONS...
    message=$1
    shift
    # shellcheck disable=SC2086
    expect 2 '' "$message" dataset "$work/loveda.yaml" $share "$@"
}
wrong "data.preset: 'lovda' is not known.*did you mean 'loveda'" --set data.preset=lovda
wrong "data.split: loveda has no split 'x'; expected one of official, train+val" --set data.split=x
wrong 'data.folder: needs data.preset' --set data.preset=none
wrong 'data.folder: is missing; expected the folder of LoveDA' --set data.folder=
# the run's record holds what the preset made of it: another split is another run
# shellcheck disable=SC2086
expect 2 '' 'data.split is "official" there and "train+val" here; data.scenes' train "$work/loveda.yaml" -q --resume $share --set data.split=train+val
exit $failed
