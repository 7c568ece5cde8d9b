#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# metaseg train --image --labels with pictures that do not say where they lie: what the model states, how it is used, refusals.
# train_pictures.sh PROGRAM FIXTURES
program=$1 fixtures=$2
. "$(dirname "$0")/few.sh"
states() { "$program" info "$1" >"$log.out" 2>"$log.err" && grep -q -e "$2" "$log.out" || fail "info of $1 lacks '$2'"; }

# nobody knows the size of a pixel: the model is one for such pictures
labels --image "$fixtures/photo.png" --labels "$fixtures/photo_mask.png" -o "$work/own"
[ $got = 0 ] || fail "training from a picture and its mask: exit code $got"
told "photo.png': 300 x 300 pixels of unknown size, no georeference, bands red, green, blue"
told 'pixels of unknown size: the model will be for pictures like this one'
told 'match pixel by pixel'
told 'validation: [0-9]* of [0-9]* blocks with labels'
untold 'data.gsd'
untold 'ground sampling distance is unknown'
grep -q '^validation mIoU' "$log.out" || fail "no validation"
for file in train.yaml best.safetensors map.tif map.png; do
    [ -s "$work/own/$file" ] || fail "'$file' is missing"
done
grep -q 'gsd_unit: pixel' "$work/own/train.yaml" || fail "train.yaml does not say pixels"
grep -q 'validation_fraction: 0.2' "$work/own/train.yaml" || fail "train.yaml has no validation"
states "$work/own/best.safetensors" 'unit of distances  *pixel'
states "$work/own/map.tif" 'width  *300'

# of an image with a place it says what it does; --resolution counts in pixels
run predict "$fixtures/fields.tif" -m "$work/own/best.safetensors" -o "$work/fields.tif" --data-folder "$fixtures/share" --log-format json
[ $got = 0 ] || fail "a model of pictures does not map an image with a place: $got"
told 'read pixel by pixel'
grep -q '"resolution":1\b' "$log.out" || fail "it is not read pixel by pixel"
run predict "$fixtures/photo.png" -m "$work/own/best.safetensors" -o "$work/half.tif" --data-folder "$fixtures/share" --resolution 0.5 --log-format json
[ $got = 0 ] && grep -q '"resolution":0.5' "$log.out" || fail "--resolution 0.5 of a picture: $got"

# the size of a pixel is known: a model as any other
labels --image "$fixtures/photo.png" --labels "$fixtures/photo_mask.png" --gsd 0.3 -o "$work/sized"
[ $got = 0 ] || fail "training from a picture with --gsd: exit code $got"
told 'pixels of 0.3 m, no georeference'
untold 'ground sampling distance is unknown'
states "$work/sized/best.safetensors" 'unit of distances  *metre'
states "$work/sized/best.safetensors" 'ground sampling distances 0.225, 0.3999'
run predict "$fixtures/photo.png" -m "$work/sized/best.safetensors" -o "$work/far.tif" --data-folder "$fixtures/share" --gsd 0.6 --log-format json
[ $got = 0 ] && grep -q '"resolution":0.\(4\|3999\)' "$log.out" || fail "--gsd 0.6 is not resampled: $got"
run predict "$fixtures/photo.png" -m "$work/sized/best.safetensors" -o "$work/plain.tif" --data-folder "$fixtures/share" -q
told 'ground sampling distance is unknown'

# colours; and labels from which nothing can be spared
{
    echo 'name: three'
    echo 'classes:'
    echo '  - { value: 3, name: water, color: "#0000ff" }'
    echo '  - { value: 7, name: wood, color: "#008000" }'
    echo '  - { value: 9, name: bare, color: "#b0a080" }'
} >"$work/table.yaml"
labels --image "$fixtures/photo.png" --labels "$fixtures/photo_colors.png" --classes "$work/table.yaml" -o "$work/colors" --no-map
[ $got = 0 ] || fail "training from a picture of classes: exit code $got"
told 'classes: .*bare (33.3 % of the labels)'
labels --image "$fixtures/photo.png" --labels "$fixtures/photo_corner.png" -o "$work/corner" --no-map
[ $got = 0 ] || fail "training from one corner: exit code $got"
told 'no validation (.*none of the 1 blocks'

# refusals: one line, and nothing is left
refused() { # CODE PATTERN ARGUMENTS...
    code=$1 pattern=$2
    shift 2
    labels -o "$work/none" -q "$@"
    [ $got = "$code" ] || fail "$*: exit code $got, expected $code"
    grep -q -e "$pattern" "$log.err" || fail "$*: '$pattern' is not told"
    [ ! -e "$work/none/train.yaml" ] || fail "$*: train.yaml is left"
}
refused 4 'no georeference .*, so the features of .*fields.gpkg. cannot be placed' --image "$fixtures/photo.png" --labels "$fixtures/fields.gpkg"
refused 4 'the only class on the image.*the value 255 is no label' --image "$fixtures/photo.png" --labels "$fixtures/photo_binary.png"
refused 4 'differ in size' --image "$fixtures/photo.png" --labels "$fixtures/share/../world.png"
refused 4 'fields_truth.tif' --image "$fixtures/photo.png" --labels "$fixtures/fields_truth.tif"
refused 2 '--gsd is the pixel size of images without a georeference' --image "$fixtures/fields.tif" --labels "$fixtures/fields_truth.tif" --gsd 1
sed 's/^  validation_fraction.*/&\n  gsd: 0.3/' "$work/own/train.yaml" >"$work/both.yaml"
expect 2 '' 'both.yaml.*gsd.*model.gsd_unit is pixel' train "$work/both.yaml" --data-folder "$fixtures/share" -q
exit $failed
