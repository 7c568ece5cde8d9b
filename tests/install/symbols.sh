#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What the libraries export and need, and that no layer has global mutable state: symbols.sh BUILD
set -u
build=$1
failed=0
fail() { echo "FAILED: $*"; failed=1; }

for library in "$build"/libmetaseg.so "$build"/libmetaseg_core.so; do
    others=$(nm -D --defined-only "$library" | awk '$2 != "A" && $3 !~ /^metaseg_/ { print $3 }')
    [ -z "$others" ] || fail "$library exports more than metaseg_ names: $others"
done
for library in "$build"/libmetaseg.a "$build"/libmetaseg_core.a; do
    others=$(nm -g --defined-only "$library" 2>/dev/null | awk 'NF == 3 && $3 !~ /^metaseg_/ { print $3 }')
    [ -z "$others" ] || fail "$library has global names beside metaseg_: $others"
done
nm -D --defined-only "$build/libmetaseg.so" | grep -q ' T metaseg_error_message$' || fail "libmetaseg.so lacks metaseg_error_message"
for heavy in gdal mpi yaml curl cairo; do
    readelf -d "$build/libmetaseg_core.so" | grep -q "NEEDED.*lib$heavy" && fail "libmetaseg_core.so needs lib$heavy"
done

# Objects in writable sections (.data.rel.ro holds constant tables of pointers, .tbss thread-local ones). Allowed are:
allowed='stop_requested|once\..*' # the signal handler's flag, pthread_once
for archive in "$build"/src/libmetaseg_*.a "$build"/src/CMakeFiles/metaseg.dir/cli/*.o; do
    found=$(objdump -t "$archive" | awk '/ O (\.data|\.bss|\*COM\*)\t/ { print $NF }' | grep -v -x -E "$allowed" | sort -u)
    [ -z "$found" ] || fail "$archive has global mutable state: $(echo $found)"
done
exit $failed
