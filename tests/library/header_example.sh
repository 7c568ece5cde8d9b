#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The example at the top of metaseg/predict.h, as printed: it compiles, and it maps a scene with a model that reads text.
# header_example.sh BUILD SOURCE FIXTURES
set -u
build=$1 source=$2 fixtures=$3
work=$(mktemp -d "$PWD/header.XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT
{
    printf '#include <metaseg/predict.h>\n#include <stdio.h>\n\nint main(void)\n{\n'
    sed -n '/^#ifndef/q; s/^ \*     /    /p' "$source/include/metaseg/predict.h"
    printf '    return metaseg_exit_code(status);\n}\n'
} >"$work/example.c"
cc -Wall -Wextra -Werror -o "$work/example" "$work/example.c" -I"$source/include" "$build/libmetaseg.so" || { cat "$work/example.c"; exit 1; }
ln -s "$fixtures/model.safetensors" "$work/globe.safetensors"
ln -s "$fixtures/good.tif" "$work/scene.tif"
cd "$work" || exit 1
output=$(LD_LIBRARY_PATH=$build ./example 2>&1) || { echo "FAILED: exit code $?: $output"; exit 1; }
[ -z "$output" ] || { echo "FAILED: it said: $output"; exit 1; }
[ -s map.tif ] || { echo "FAILED: no map"; exit 1; }
