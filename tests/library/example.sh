#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The example program gives the map that the program gives, and its exit codes. example.sh EXAMPLE PROGRAM FIXTURES
example=$1 program=$2 fixtures=$3
failed=0
fail() {
    echo "FAILED: $*"
    cat example.out example.err
    failed=1
}
"$example" "$fixtures/model.safetensors" "$fixtures/share" "$fixtures/good.tif" example.tif >example.out 2>example.err ||
    fail "exit code $?"
grep -q '^40 x 30 pixels, 17 classes, ' example.out || fail "the report"
[ ! -s example.err ] || fail "stderr is not empty"
"$program" predict "$fixtures/good.tif" -o program.tif -f -q -m "$fixtures/model.safetensors" --data-folder "$fixtures/share" >program.out
cmp example.tif program.tif || fail "library and program differ"
"$example" "$fixtures/other.safetensors" "$fixtures/share" "$fixtures/good.tif" other.tif >example.out 2>example.err
[ $? = 5 ] && grep -q 'error: .*no metaseg model' example.err || fail "a bad model"
"$example" "$fixtures/model.safetensors" "$fixtures/share" "$fixtures/text.tif" other.tif >example.out 2>example.err
[ $? = 4 ] && grep -q 'error: .*not a raster' example.err || fail "a bad input"
[ ! -e other.tif ] || fail "a map of nothing"
rm -f example.* program.*
exit $failed
