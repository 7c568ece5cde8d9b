#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What the built program and libraries have of the protections that cmake/MetasegHardening.cmake asks for, and that no folder of
# this machine stands in them: hardening.sh BUILD SOURCE
set -u
build=$1 source=$2
failed=0
fail() { echo "FAILED: $*"; failed=1; }

for file in "$build/metaseg" "$build/libmetaseg.so" "$build/libmetaseg_core.so"; do
    readelf -W -h "$file" | grep -q 'Type: *DYN' || fail "$file is not position independent"
    readelf -W -l "$file" | grep -q GNU_RELRO || fail "$file has no part that is read-only after relocation"
    readelf -W -d "$file" | grep -q 'FLAGS.*NOW' || fail "$file binds its symbols late"
    readelf -W -l "$file" | grep 'GNU_STACK' | grep -q 'RWE' && fail "$file has an executable stack"
    readelf -W -d "$file" | grep -q -E 'RPATH|RUNPATH' && [ "$file" != "$build/metaseg" ] && fail "$file names folders for libraries"
    symbols=$(readelf -W --dyn-syms "$file")
    for name in __stack_chk_fail __snprintf_chk __vsnprintf_chk; do
        case $symbols in *$name*) ;; *) fail "$file does not use $name" ;; esac
    done
    if [ "$(uname -m)" = x86_64 ]; then
        objdump -d --no-show-raw-insn "$file" >hardening.text
        [ "$(grep -c endbr64 hardening.text)" -gt 100 ] || fail "$file has no marks of indirect branch targets"
        # a large frame is entered page by page
        grep -q -E 'orq? +\$0x0,.*\(%rsp\)' hardening.text || fail "$file has no stack probes"
        rm -f hardening.text
    fi
    # debugging information is not the program's; strings of its own sections are
    # (./src/base/err.c is what -ffile-prefix-map makes of a path; a source folder called /src must not find itself in it)
    found=$(objcopy --strip-debug "$file" hardening.stripped && strings -a hardening.stripped |
        awk -v source="$source/" -v build="$build/" 'index(" " $0, " " source) || index(" " $0, " " build)' | head -3)
    rm -f hardening.stripped
    [ -z "$found" ] || fail "$file holds folders of this machine: $found"
done
exit $failed
