#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# metaseg train: a run that exists is not overwritten by accident; Ctrl-C stops, saves and is no error. train.sh PROGRAM FIXTURES
program=$1 fixtures=$2
. "$(dirname "$0")/expect.sh"
unset METASEG_DATA
work=$(mktemp -d "$PWD/train.XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT
share="--data-folder $fixtures/share --threads 1"

make_run made 'fusion: none' 'steps: 1, output: run'

train() { # CODE STDOUT STDERR OPTIONS...
    code=$1 out=$2 err=$3
    shift 3
    # shellcheck disable=SC2086
    expect "$code" "$out" "$err" train "$work/run.yaml" -q $share "$@"
}
train 0 '^steps 1$' 'no training pixel'
sum=$(cksum <"$work/run/last.safetensors")
train 6 '' "^metaseg: error: '$work/run': holds a training run.*--resume.*-f" --set train.steps=2
[ "$(cksum <"$work/run/last.safetensors")" = "$sum" ] || fail "a refused training changed the run"
train 2 '' '--resume continues.*-f replaces' --resume -f
train 0 '^steps 2$' 'no training pixel' --resume --set train.steps=2
train 0 '^steps 1$' 'no training pixel' -f
[ "$(cksum <"$work/run/last.safetensors")" = "$sum" ] || fail "a run made anew differs from the first"

# a scene's CRS: without it an image has no place, with it training is that of the image which says it itself
first=$(tail -n 1 "$work/run/metrics.csv" | cut -d, -f 1-7)
scene="data.scenes.1.image=$fixtures/no_crs.tif"
train 4 '' 'no_crs.tif.: no georeference.*crs' -f --set "$scene"
train 0 '^steps 1$' 'no training pixel' -f --set "$scene" --set data.scenes.1.crs=EPSG:4326
[ "$(tail -n 1 "$work/run/metrics.csv" | cut -d, -f 1-7)" = "$first" ] || fail "training with a named CRS: $(cat "$work/run/metrics.csv") is not $first"

# what becomes of pixels is kept in the model
train 0 '^steps 1$' 'no training pixel' -f --set model.transform=log --set train.output=log
expect 0 '^ *transform *log$' '' info "$work/log/best.safetensors"
expect 0 'red *.ln(1 + 0.005 \* 1 x) - ' '' info "$work/log/best.safetensors"
train 2 '' 'model.transform is "log" there and "none" here' --resume --set train.output=log

# Ctrl-C, a closed terminal, a closed pipe, limits of time and of files
for signal in INT HUP PIPE XCPU XFSZ; do
    # shellcheck disable=SC2086
    "$program" train "$work/run.yaml" $share -f --set train.steps=100000 --set train.output=long >"$log.out" 2>"$log.err" </dev/null &
    process=$!
    for _ in $(seq 600); do # the table of metrics is made just before the first step
        [ -s "$work/long/metrics.csv" ] && break
        sleep 0.1
    done
    kill -$signal $process
    wait $process
    [ $? = 8 ] || fail "stopped by SIG$signal with another exit code than 8"
    tail -n 1 "$log.err" | grep -q '^stopped after step [0-9]* of 100000; continue with --resume$' || fail "the stop by SIG$signal is not told"
    grep -q 'error' "$log.err" && fail "a stop is told as an error"
    [ -s "$work/long/last.safetensors" ] || fail "a run stopped by SIG$signal was not saved"
    rm -rf "$work/long"
done
[ -z "$(find "$work" -name '*partial*')" ] || fail "partial files remain"
exit $failed
