#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# metaseg train, killed with SIGKILL at any moment: a plain start or --resume goes on, and the end is that of an unbroken run.
# train_killed.sh PROGRAM FIXTURES
program=$1 fixtures=$2
. "$(dirname "$0")/expect.sh"
unset METASEG_DATA
work=$(mktemp -d "$PWD/killed.XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT
share="--data-folder $fixtures/share --threads 1"
make_run made 'fusion: none' 'steps: 6, validate_every: 2, checkpoint_every: 3, output: whole'
# shellcheck disable=SC2086
"$program" train "$work/run.yaml" -q $share >/dev/null 2>&1 || fail "the unbroken run failed"

# kills after these times (seconds), the last start runs to its end
train="$work/run.yaml -q $share --set train.output=parts"
for wait in 0.02 0.1 0.2 0.3 0.4 0.6 0.8 1.1 0.15 0.5 0.7 0.9 60; do
    how=''
    [ -e "$work/parts/last.safetensors" ] && how=--resume
    # shellcheck disable=SC2086
    "$program" train $train $how >"$log.out" 2>"$log.err" </dev/null &
    process=$!
    for _ in $(seq "$(echo "$wait" | awk '{ print int($1 * 50) }')"); do
        kill -0 $process 2>/dev/null || break
        sleep 0.02
    done
    kill -KILL $process 2>/dev/null
    wait $process 2>/dev/null
    code=$?
    [ $code = 137 ] || [ $code = 0 ] || fail "start after a kill ($how): $code, $(cat "$log.err")"
    [ $code = 0 ] && break
done
[ $code = 0 ] || fail "the run never ended"
for file in last.safetensors best.safetensors; do
    cmp -s "$work/whole/$file" "$work/parts/$file" || fail "$file differs from that of an unbroken run"
done
cut -d, -f1-7,9- "$work/whole/metrics.csv" >"$work/whole.csv"
cut -d, -f1-7,9- "$work/parts/metrics.csv" | cmp -s - "$work/whole.csv" || fail "metrics.csv differs from that of an unbroken run"
exit $failed
