#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The bad-input table: each case has its documented exit code, one line of error, and nothing under the final name.
# bad_input.sh PROGRAM FIXTURES
program=$1 fixtures=$2
. "$(dirname "$0")/expect.sh"
unset METASEG_DATA
work=$(mktemp -d "$PWD/bad-input.XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT
out=$work/out
mkdir "$out"

# refuse CODE PATTERN ARGUMENTS...: that exit code, one line of error, no result, nothing left in $out
refuse() {
    code=$1 pattern=$2
    shift 2
    run "$@"
    verdict=
    [ $got = "$code" ] || verdict="exit code $got, expected $code"
    [ "$(grep -c '^metaseg: error: ' "$log.err")" = 1 ] || verdict="$verdict; not one line of error"
    grep -q -v -e '^metaseg: ' "$log.err" && verdict="$verdict; stderr holds something else"
    grep '^metaseg: error: ' "$log.err" | grep -q -e "$pattern" || verdict="$verdict; the error lacks '$pattern'"
    [ ! -s "$log.out" ] || verdict="$verdict; stdout is not empty"
    [ -z "$(ls -A "$out")" ] || { verdict="$verdict; '$(ls -A "$out")' remains"; rm -rf "$out"; mkdir "$out"; }
    [ -z "$verdict" ] || fail "metaseg $*: $verdict"
}
predict() { # CODE PATTERN INPUT OPTIONS...
    code=$1 pattern=$2 input=$3
    shift 3
    refuse "$code" "$pattern" predict "$fixtures/$input" -o "$out/map.tif" --data-folder "$fixtures/share" --threads 1 -q \
        -m "$fixtures/model.safetensors" "$@"
}
model() { # CODE PATTERN MODEL
    refuse "$1" "$2" predict "$fixtures/good.tif" -o "$out/map.tif" --data-folder "$fixtures/share" -q -m "$fixtures/$3"
    refuse "$1" "$2" info "$fixtures/$3"
}

# rasters
predict 4 "missing.tif': no such file" missing.tif
predict 4 'not a raster' text.tif
predict 4 'not a raster' empty.tif
predict 4 'a folder' share
predict 4 'no raster bands' no_bands.vrt
predict 4 'cannot be read at row' truncated.tif
predict 4 "truncated_early.tif'" truncated_early.tif
predict 4 '2 bands .* but 3 are wanted' two_bands.tif
predict 4 '4 bands .* but 3 are wanted; choose with -b' four_bands.tif
predict 4 'band 9 was asked for; the file has 3' good.tif -b 1,2,9
predict 4 "no band is called 'purple'" good.tif -b red,green,purple
predict 4 'complex' complex.tif
predict 4 'at most 2^40 pixels' huge.vrt
for command in info prompt; do
    refuse 4 "missing.tif': no such file" $command "$fixtures/missing.tif" --data-folder "$fixtures/share"
    refuse 4 'not a raster' $command "$fixtures/text.tif" --data-folder "$fixtures/share"
done

# outputs
predict 6 "nowhere'.*no such folder\|nowhere.*does not exist\|no folder" good.tif -o "$work/nowhere/map.tif"
predict 6 'good.tif' good.tif -o "$fixtures/good.tif/map.tif"
echo old >"$work/old.tif"
predict 6 "old.tif': exists.*-f" good.tif -o "$work/old.tif"
predict 6 "old.tif': exists.*-f" good.tif --confidence "$work/old.tif"
echo old >"$work/old.png"
predict 6 "old.png': exists.*-f" good.tif --quicklook "$work/old.png"
[ "$(cat "$work/old.tif" "$work/old.png" | uniq)" = old ] || fail "an existing file was changed"

# A disk that fills up: a file system of one page where we may mount one, and a limit on the size of files.
mkdir "$work/full"
whole=$program
full_disk() {
    predict 6 'map.tif' larger.tif -o "$work/full/map.tif"
    predict 6 'p.tif\|map.tif' larger.tif -o "$work/full/map.tif" --probabilities "$work/full/p.tif"
    predict 6 'c.tif\|map.tif' larger.tif -o "$work/full/map.tif" --confidence "$work/full/c.tif"
    [ -z "$(ls -A "$work/full")" ] || fail "a full disk keeps '$(ls -A "$work/full")'"
}
limited_program() { (
    trap '' XFSZ
    ulimit -f 2 && exec "$whole" "$@"
); }
if mount -t tmpfs -o size=4k none "$work/full" 2>/dev/null; then
    full_disk
    umount "$work/full"
else
    echo "SKIPPED: a full file system (it takes the right to mount one)"
fi
program=limited_program
full_disk
program=$whole

# folders and files that may not be used: needs another user when we are root
as_nobody() { "$@"; }
if [ "$(id -u)" = 0 ]; then
    as_nobody() { setpriv --reuid=65534 --regid=65534 --clear-groups "$@"; }
    chmod 755 "$work"
fi
if as_nobody "$program" --version >/dev/null 2>&1 && as_nobody test -r "$fixtures/model.safetensors"; then
    mkdir "$work/closed"
    chmod 555 "$work/closed"
    cp "$fixtures/good.tif" "$work/closed.tif"
    chmod 0 "$work/closed.tif"
    nobody_program() { as_nobody "$whole" "$@"; }
    program=nobody_program
    predict 6 "closed'.*not writable\|closed.*Permission denied\|cannot be written" good.tif -o "$work/closed/map.tif"
    refuse 4 "closed.tif'.*[Pp]ermission" info "$work/closed.tif"
    program=$whole
else
    echo "SKIPPED: unwritable folder, unreadable file (this user may do everything, and no other can run the program)"
fi

# models
model 5 'header' header.safetensors
model 5 'header' header_beyond_file.safetensors
model 5 'header\|too short\|empty' empty.safetensors
model 5 'overlap' overlap.safetensors
model 5 'hole\|gap\|belong to no tensor' hole.safetensors
model 5 'F8_E4M3' dtype.safetensors
model 5 'no metaseg model' other.safetensors
model 5 'bytes' truncated.safetensors
model 5 'header' truncated_header.safetensors
model 5 'efficientnet_lite9' architecture.safetensors
model 5 'cat' fusion.safetensors
model 5 'integer\|i32\|I32' integers.safetensors
model 5 'encoder._conv_stem' renamed.safetensors
model 5 'no number\|not finite' nan.safetensors
refuse 4 "missing.safetensors': No such file" predict "$fixtures/good.tif" -o "$out/map.tif" -m "$fixtures/missing.safetensors"
refuse 5 "good.tif'" predict "$fixtures/good.tif" -o "$out/map.tif" -m "$fixtures/good.tif"
refuse 5 'hostile.pth' convert "$fixtures/hostile.pth" "$out/x.safetensors"
# checkpoints to convert or to look at: CODE PATTERN FILE
checkpoint() {
    refuse "$1" "$2" convert "$3" -o "$out/x.safetensors"
    refuse "$1" "$2" convert "$3" --list
}
checkpoint 5 'header' "$fixtures/header.safetensors"
checkpoint 5 'header' "$fixtures/header_beyond_file.safetensors"
checkpoint 5 'header\|too short\|empty' "$fixtures/empty.safetensors"
checkpoint 5 'overlap' "$fixtures/overlap.safetensors"
checkpoint 5 'hole\|gap\|belong to no tensor' "$fixtures/hole.safetensors"
checkpoint 5 'F8_E4M3' "$fixtures/dtype.safetensors"
checkpoint 5 'bytes' "$fixtures/truncated.safetensors"
checkpoint 5 "hostile.pth'" "$fixtures/hostile.pth"
checkpoint 5 'is text, not a checkpoint\|of no format that is read' "$fixtures/text.tif"
checkpoint 5 "good.tif'" "$fixtures/good.tif"
checkpoint 4 'not a plain file' "$fixtures/share"
checkpoint 4 'no such file\|No such file' "$fixtures/missing.pth"
printf 'version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 90\n' >"$work/pointer.pth"
checkpoint 5 'a pointer of Git LFS.*git lfs pull' "$work/pointer.pth"
echo '<!DOCTYPE html><title>404</title>' >"$work/page.pth"
checkpoint 5 'a web page' "$work/page.pth"
printf '\010\007\022\007pytorch' >"$work/model.onnx"
checkpoint 5 'an ONNX model' "$work/model.onnx"
refuse 5 'belong to no network' convert "$fixtures/other.safetensors" -o "$out/x.safetensors"
refuse 2 'writes no file' convert "$fixtures/other.safetensors" --list -o "$out/x.safetensors"
refuse 2 'needs one file to write' convert "$fixtures/other.safetensors"
[ ! -e pwned ] && [ ! -e "$fixtures/pwned" ] || fail "the pickle was executed"
refuse 4 'no model is there to choose from' predict "$fixtures/good.tif" -o "$out/map.tif" --data-folder "$fixtures/share"

# climate map
mkdir "$work/share"
ln -s "$fixtures/share/prompts" "$work/share/prompts"
head -c 100 "$fixtures/share/koppen_geiger.bin" >"$work/share/koppen_geiger.bin"
predict 4 'koppen_geiger.bin' good.tif --data-folder "$work/share"
refuse 4 'koppen_geiger.bin' prompt --lonlat 1,2 --data-folder "$work/share"
rm "$work/share/koppen_geiger.bin"
refuse 4 "koppen_geiger.bin': missing; 'make install'" prompt --lonlat 1,2 --data-folder "$work/share"

# usage
predict 2 "unknown option '--confidance'; did you mean '--confidence'" good.tif --confidance x
predict 2 "did you mean 'shuffled'" good.tif --prompts shufled
predict 2 'multiple of 32' good.tif --tile 100
predict 2 'from 64 to' good.tif --tile 32
predict 2 'multiple of 32' good.tif --overlap 100
predict 2 'not on the Earth' good.tif --lonlat 10,100
predict 2 '-b: the value is empty; give BAND' good.tif -b ''
predict 2 'mask: the value is empty' good.tif --mask=
predict 2 'prompt is empty' good.tif --prompt ' '
refuse 2 'both the map of .* and the map of' predict "$fixtures/good.tif" "$work/good.tif" -o "$out" -m "$fixtures/model.safetensors"
refuse 2 'output' predict "$fixtures/good.tif"
refuse 2 'no place was given' prompt --data-folder "$fixtures/share"
refuse 2 'expected longitude' prompt --lonlat 400,2 --data-folder "$fixtures/share"
refuse 2 'west < east' prompt --bbox 3,2,1,4 --data-folder "$fixtures/share"
refuse 2 'is no date' prompt --lonlat 1,2 --date soon --data-folder "$fixtures/share"

# configurations
config() { # CODE PATTERN LINE
    cat >"$work/run.yaml" <<END
name: x
model: { fusion: none, gsd_min: 1, gsd_max: 2, gsd_unit: metre }
data: { scenes: [{ name: x, image: a.tif, labels: b.tif }], classes: [{ value: 0, name: a, color: "#000000" }, { value: 1, name: b, color: "#ffffff" }] }
$3
END
    refuse "$1" "$2" train "$work/run.yaml"
}
config 2 "tain.*did you mean 'train'" 'tain: { steps: 5 }'
config 2 "stepps.*did you mean 'steps'" 'train: { stepps: 5 }'
config 2 'run.yaml' 'train: [unclosed'
refuse 4 "missing.yaml': No such file" train "$work/missing.yaml"
exit $failed
