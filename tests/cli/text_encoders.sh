#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A text encoder from training to prediction: its width becomes the network's, a model tells which it was trained with, and --prompt is
# read with no other. text_encoders.sh PROGRAM FIXTURES
program=$1 fixtures=$2
. "$(dirname "$0")/expect.sh"
unset METASEG_DATA
METASEG_DOWNLOADS=/nowhere
export METASEG_DOWNLOADS
work=$(mktemp -d "$PWD/text_encoders.XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT
share="--data-folder $fixtures/share --threads 1"

make_run clipped "climate: '$fixtures/share/koppen_geiger.bin', prompts: '$fixtures/share/prompts/koppen.yaml', text_encoder: '$fixtures/clip'" \
    'steps: 1, output: run'
model=$work/run/best.safetensors

# shellcheck disable=SC2086
{
    expect 0 '^steps 1$' 'no training pixel' train "$work/run.yaml" -q $share
    expect 0 '^ *text encoder *CLIP text with QuickGELU, 2 layers, 128 features$' '' info "$model"
    # the model carries what it reads
    run predict "$fixtures/good.tif" -q -o "$work/map.tif" -m "$model" $share
    [ $got = 0 ] || fail "prediction without the text encoder: exit code $got"
    # own words: with the encoder of the training alone, in whichever precision
    run predict "$fixtures/good.tif" -q -o "$work/own.tif" -m "$model" $share --prompt 'hot desert' --text-encoder "$fixtures/clip"
    [ $got = 0 ] || fail "own words: exit code $got"
    mkdir "$work/half"
    cp "$fixtures/clip/merges.txt" "$work/half"
    expect 0 'text encoder CLIP text with QuickGELU, 2 layers, 128 features' '' \
        convert "$fixtures/clip/model.safetensors" "$work/half/model.safetensors" --half
    run predict "$fixtures/good.tif" -q -o "$work/half.tif" -m "$model" $share --prompt 'hot desert' --text-encoder "$work/half"
    [ $got = 0 ] || fail "own words in half precision: exit code $got"
    expect 5 '' "bert': BERT of 2 layers and 128 features is there; the model 'clipped' was trained with CLIP text with QuickGELU of 2" \
        predict "$fixtures/good.tif" -q -o "$work/x.tif" -m "$model" $share --prompt desert --text-encoder "$fixtures/bert"
    expect 5 '' 'reads text of 384 features' \
        predict "$fixtures/good.tif" -q -o "$work/x.tif" -m "$fixtures/model.safetensors" $share --prompt desert --text-encoder "$fixtures/clip"
    expect 4 '' 'merges.txt' predict "$fixtures/good.tif" -q -o "$work/x.tif" -m "$model" $share --prompt desert
    expect 2 '' '--text-encoder reads the words of --prompt' \
        predict "$fixtures/good.tif" -q -o "$work/x.tif" -m "$model" $share --text-encoder "$fixtures/clip"
    [ ! -e "$work/x.tif" ] || fail "a map without its words"
    # tokens are those of the encoder in use
    expect 0 '^prompt of Af, ' '' prompt --lonlat -150,10 $share -m "$model" --text-encoder "$fixtures/clip"
    grep -q 'tokens  *<|startoftext|> tropical</w>' "$log.out" || fail "no tokens of CLIP"
    expect 0 '^prompt of Af$' 'trained with CLIP text with QuickGELU; name its folder by --text-encoder' \
        prompt --lonlat -150,10 $share -m "$model"
    # a run goes on with its own text encoder, and another model takes it over with the prompts
    expect 2 '' 'model.text_encoder' train "$work/run.yaml" -q $share --resume --set train.steps=2 --set model.text_encoder="$fixtures/bert"
    run train "$work/run.yaml" -q $share --resume --set train.steps=2
    [ $got = 0 ] || fail "--resume: exit code $got"
    sed "s|, text_encoder: '[^']*'||; s|prompts: '[^']*'|text: zones|; s|output: run|output: next, from: run/best.safetensors|" \
        "$work/run.yaml" >"$work/next.yaml"
    run train "$work/next.yaml" -q $share
    [ $got = 0 ] || fail "train.from with prompts of CLIP: exit code $got"
    expect 0 '^ *text encoder *CLIP text with QuickGELU, 2 layers, 128 features$' '' info "$work/next/best.safetensors"
}
exit $failed
