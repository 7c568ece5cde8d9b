#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Installs into a scratch folder and uses what lies there: the program, its share folder, man page, completion, and the library
# through pkg-config, shared and static. install.sh BUILD SOURCE
set -u
build=$1 source=$2
prefix=$(mktemp -d "${TMPDIR:-/tmp}/metaseg-install.XXXXXX") || exit 1
trap 'rm -rf "$prefix"' EXIT
failed=0
fail() { echo "FAILED: $*"; failed=1; }

cmake --install "$build" --prefix "$prefix" >"$prefix/log" 2>&1 || { cat "$prefix/log"; exit 1; }
for file in share/doc/metaseg/README.md share/doc/metaseg/docs/configuration.md share/doc/metaseg/docs/example/predict.c \
    share/metaseg/configs/globe.yaml share/metaseg/classes/igbp.yaml share/metaseg/models/globe.safetensors bin/metaseg share/metaseg/prompts/koppen.yaml share/metaseg/koppen_geiger.bin share/man/man1/metaseg.1 \
    share/bash-completion/completions/metaseg include/metaseg/metaseg.h share/doc/metaseg/LICENSE share/doc/metaseg/NOTICE; do
    [ -s "$prefix/$file" ] || fail "'$file' is not installed"
done
unset METASEG_DATA METASEG_DOWNLOADS METASEG_CACHE
version=$("$prefix/bin/metaseg" --version)
"$prefix/bin/metaseg" doctor >"$prefix/log" 2>&1
grep -q "^data folder .*/share/metaseg$" "$prefix/log" || { cat "$prefix/log"; fail "the data folder was not found"; }
grep -q "^found .*$(basename "$prefix")/.*koppen_geiger.bin" "$prefix/log" || fail "the climate map was not found beside the program"
grep -q 'source tree' "$prefix/log" && fail "the installed doctor points at a source tree: $(grep 'source tree' "$prefix/log")"
configuration=$prefix/share/metaseg/configs/globe.yaml
for key in prompts climate class_table; do # downloads may not be there
    path=$(sed -n "s/^ *$key: //p" "$configuration")
    [ -e "$prefix/share/metaseg/configs/$path" ] || fail "the installed configuration names '$path', which is not there"
done
grep -q '\.cache\|share/' "$configuration" && fail "the installed configuration has paths of a source tree"
mv "$prefix/share/metaseg/koppen_geiger.bin" "$prefix/share/metaseg/elsewhere"
"$prefix/bin/metaseg" doctor >"$prefix/log" 2>&1
grep -q "MISSING .*koppen_geiger.bin .*'make install' brings it" "$prefix/log" || fail "the installed doctor does not tell what brings a file"
mv "$prefix/share/metaseg/elsewhere" "$prefix/share/metaseg/koppen_geiger.bin"
grep -q '^\.SS "metaseg doctor' "$prefix/share/man/man1/metaseg.1" || fail "the man page lacks the commands"
grep -q '@[A-Z_]*@' "$prefix/share/man/man1/metaseg.1" && fail "the man page has an unfilled place"

PKG_CONFIG_PATH=$(dirname "$(find "$prefix" -name metaseg.pc)")
export PKG_CONFIG_PATH
cat >"$prefix/use.c" <<'C'
#include <metaseg/metaseg.h>
#include <stdio.h>

int main(void)
{
    MetasegModel *model = NULL;
    const MetasegStatus status = metaseg_model_load("/nowhere/model.safetensors", NULL, &model);
    printf("metaseg %s\n", metaseg_version());
    return status == METASEG_ERROR_INPUT && model == NULL && metaseg_error_message()[0] != '\0' ? 0 : 1;
}
C
for link in "" --static; do
    # --static resolves to our archive, whose own libraries are then named too; they themselves stay shared
    libs=$(pkg-config --libs $link metaseg) || { fail "pkg-config $link"; continue; }
    [ -z "$link" ] || libs=$(echo "$libs" | sed 's/-lmetaseg /-l:libmetaseg.a /')
    # shellcheck disable=SC2046,SC2086
    cc -o "$prefix/use" "$prefix/use.c" $(pkg-config --cflags metaseg) $libs || { fail "linking $link"; continue; }
    output=$(LD_LIBRARY_PATH=$(pkg-config --variable=libdir metaseg) "$prefix/use") || fail "the program linked with '$link' failed"
    [ "$output" = "$version" ] || fail "library and program disagree: '$output', '$version'"
done
exit $failed
