# SPDX-License-Identifier: Apache-2.0
# For the tests of metaseg train --image --labels; sourced with $program and $fixtures set.
. "$(dirname "$0")/expect.sh"
unset METASEG_DATA
export METASEG_DOWNLOADS=/nonexistent
work=$(mktemp -d "$PWD/$log.XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT

# labels ARGUMENTS...: a few steps; what is told in $log.err, the exit code in $got
labels() {
    "$program" train --data-folder "$fixtures/share" --threads 1 --minutes 0.01 "$@" >"$log.out" 2>"$log.err" </dev/null
    got=$?
}
told() { grep -q -e "$1" "$log.err" || fail "'$1' is not told"; }
untold() { if grep -q -e "$1" "$log.err"; then fail "'$1' is told"; fi; }
