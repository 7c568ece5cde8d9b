#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Models as ONNX files: what lies there afterwards, and what is refused. export.sh PROGRAM FIXTURES
program=$1 fixtures=$2
. "$(dirname "$0")/expect.sh"
unset METASEG_DATA
work=$(mktemp -d "$PWD/export.XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT
model=$fixtures/model.safetensors
cd "$work" || exit 1

# refuse CODE WORDS ARGUMENTS...
refuse() {
    expect "$1" '' "$2" export "$3" $4 $5 $6 $7 $8 $9
}

expect 0 'as ONNX, written to text.onnx' '' export "$model" --onnx text.onnx --tile 256
expect 0 'as ONNX, written to zone.onnx' '' export "$model" --onnx zone.onnx --tile 256 --zone null
expect 0 'as ONNX, written to bare.onnx' '' export "$model" --onnx bare.onnx --tile 256 --bare
for name in text zone bare; do
    grep -q '"task": "semantic-segmentation"' $name.onnx.json || fail "$name.onnx.json tells no task"
    grep -q 'class_names' $name.onnx || fail "$name.onnx has no names of classes"
done
grep -q 'probabilities' zone.onnx.json || fail 'the output is not called probabilities'
grep -q 'logits' bare.onnx.json || fail 'the output of the network alone is not called logits'

refuse 2 'export needs a file to write: --onnx' "$model"
refuse 2 'no name for a ONNX file\|no name for an ONNX file' "$model" --onnx x.pt
refuse 2 'reads multiples of' "$model" --onnx x.onnx --tile 100
refuse 2 'no prompt of that name' "$model" --onnx x.onnx --tile 256 --zone Xyz
refuse 6 'exists already' "$model" --onnx text.onnx --tile 256
refuse 5 'other.safetensors' "$fixtures/other.safetensors" --onnx x.onnx
expect 0 'written to text.onnx' '' export "$model" --onnx text.onnx --tile 256 -f
[ "$(ls -A | sort | tr '\n' ' ')" = 'bare.onnx bare.onnx.json export.err export.out text.onnx text.onnx.json zone.onnx zone.onnx.json ' ] ||
    fail "other files lie there: $(ls -A)"
exit $failed
