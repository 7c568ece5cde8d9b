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
