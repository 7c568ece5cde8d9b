#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The library in somebody else's process: what it leaves behind, and signals at every moment under a checked heap.
# host.sh CHECK FIXTURES
set -u
check=$1 fixtures=$2
failed=0
"$check" "$fixtures" state >host.out 2>&1 || { cat host.out; failed=1; }
preload=$(ldconfig -p 2>/dev/null | awk '/libc_malloc_debug\.so/ { print $NF; exit }')
for cpu in plain avx2 avx512; do
    for threads in 1 2; do
        LD_PRELOAD=$preload MALLOC_CHECK_=3 "$check" "$fixtures" signals $cpu $threads >host.out 2>&1 ||
            { echo "FAILED: $cpu, $threads threads: exit code $?"; cat host.out; failed=1; }
    done
done
rm -f host.out
exit $failed
