#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Style, layers and clang-tidy: lint.sh JOBS [FILE...]. Run by `make lint`. A file that has passed clang-tidy is checked again only
# when it, a header or the settings have changed (stamps in build-lint).
set -eu
cd "$(dirname "$0")/.."
jobs=${1:-2}
[ $# = 0 ] || shift
status=0

for check in layers size unused; do
    python3 tools/check_$check.py --self-test || status=1
    python3 tools/check_$check.py || status=1
done

echo "clang-format"
git ls-files '*.c' '*.h' | xargs clang-format --dry-run -Werror || status=1

# GDAL's and other headers are system headers and not reported
mkdir -p build-lint/passed
cmake -S . -B build-lint -G "Unix Makefiles" -DMETASEG_CACHE="${METASEG_CACHE:-$PWD/.cache}" >build-lint/cmake.log || {
    cat build-lint/cmake.log
    exit 1
}
headers=$(git ls-files -- '*.h' '*.def' .clang-tidy tools/lint.sh CMakeLists.txt cmake | xargs cat | sha256sum)
if [ $# = 0 ]; then
    set -- $(python3 -c "
import json, os
for entry in json.load(open('build-lint/compile_commands.json')):
    if os.path.exists(entry['file']) and '/generated/' not in entry['file']:
        print(os.path.relpath(entry['file']))" | sort -u)
fi

# One line per file that was not checked before in this state.
todo=$(mktemp build-lint/todo.XXXXXX)
trap 'rm -f "$todo"' EXIT
for file; do
    stamp=build-lint/passed/$(echo "$file" | tr / _)
    [ "$(cat "$stamp" 2>/dev/null)" = "$headers $(sha256sum "$file")" ] || echo "$file" >>"$todo"
done
echo "clang-tidy: $# files, $(wc -l <"$todo") to check"
export headers
# shellcheck disable=SC2016
xargs -r -P "$jobs" -n 1 sh -c '
    if clang-tidy --quiet -p build-lint --extra-arg=-Wno-unknown-warning-option "$0" \
        >"build-lint/tidy.$$" 2>/dev/null; then
        echo "$headers $(sha256sum "$0")" >"build-lint/passed/$(echo "$0" | tr / _)"
        rm -f "build-lint/tidy.$$"
    else
        cat "build-lint/tidy.$$"
        rm -f "build-lint/tidy.$$"
        exit 1
    fi' <"$todo" || status=1

if [ $status = 0 ]; then echo "lint: fine"; else echo "lint: failed"; fi
exit $status
