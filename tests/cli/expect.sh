# SPDX-License-Identifier: Apache-2.0
# For the tests of the program; sourced with $program set. They end with: exit $failed
failed=0
log=$(basename "$0" .sh)

# fail WORDS...: says what went wrong and shows what the program said
fail() {
    echo "FAILED: $*"
    cat "$log.out" "$log.err" 2>/dev/null
    failed=1
}

# run ARGUMENTS...: the program with its output in $log.out and $log.err, the exit code in $got
run() {
    "$program" "$@" >"$log.out" 2>"$log.err" </dev/null
    got=$?
}

# expect CODE STDOUT-PATTERN STDERR-PATTERN ARGUMENTS...: grep patterns; '' means that nothing may be there
expect() {
    code=$1 out=$2 err=$3
    shift 3
    run "$@"
    verdict=
    [ $got = "$code" ] || verdict="exit code $got, expected $code"
    if [ -n "$out" ]; then grep -q -e "$out" "$log.out" || verdict="$verdict; stdout lacks '$out'"
    else [ ! -s "$log.out" ] || verdict="$verdict; stdout is not empty"; fi
    if [ -n "$err" ]; then grep -q -e "$err" "$log.err" || verdict="$verdict; stderr lacks '$err'"
    else [ ! -s "$log.err" ] || verdict="$verdict; stderr is not empty"; fi
    if [ -n "$err" ] && [ "$(wc -l <"$log.err")" != 1 ]; then verdict="$verdict; stderr is not one line"; fi
    [ -z "$verdict" ] || fail "metaseg $*: $verdict"
}

# make_run NAME MODEL TRAIN: $work/run.yaml, a training of the fixtures' image on the map that their model makes of it; MODEL and
# TRAIN are the keys of these sections beside those that all have
make_run() {
    # shellcheck disable=SC2086
    "$program" predict "$fixtures/good.tif" -q $share -m "$fixtures/model.safetensors" -o "$work/labels.tif" >/dev/null || exit 1
    {
        echo "name: $1"
        echo "model: { decoder_width: 16, gsd_min: 0.001, gsd_max: 0.01, gsd_unit: degree, $2 }"
        echo 'data:'
        echo "  scenes: [{ name: s, image: '$fixtures/good.tif', labels: labels.tif }]"
        echo '  classes:'
        for value in 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16; do
            echo "    - { value: $value, name: class $value, color: \"#102030\" }"
        done
        echo "train: { window: 256, batch: 1, upsample: 16, warmup_steps: 0, $3 }"
    } >"$work/run.yaml"
}
