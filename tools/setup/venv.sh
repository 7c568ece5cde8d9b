#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A virtual environment with packages of PyPI: venv.sh NAME REQUIREMENTS SIZE. Prints its Python, $METASEG_CACHE/NAME/venv/bin/python;
# installs what the file asks for (with hashes, some SIZE) only where that was not done yet. What it does is told on stderr.
set -eu
top=$(cd "$(dirname "$0")/../.." && pwd)
name=$1 requirements=$2 size=$3
cache=${METASEG_CACHE:-$top/.cache}/$name
python=$cache/venv/bin/python

fail() { echo "$name: $*" >&2; exit 1; }

if ! cmp -s "$requirements" "$cache/installed.txt"; then
    sh "$top/tools/setup/setup.sh" packages bench >&2
    echo "$name: installing the packages of ${requirements#"$top/"} from PyPI into $cache/venv (about $size, once)" >&2
    mkdir -p "$cache"
    rm -rf "$cache/venv"
    python3 -m venv "$cache/venv" || fail "no virtual environment; install python3-venv"
    "$python" -m pip install -q --no-deps --only-binary :all: --require-hashes --disable-pip-version-check \
        -r "$requirements" </dev/null >"$cache/pip.log" 2>&1 || {
        tail -n 1 "$cache/pip.log" >&2
        fail "the download failed (no network?); METASEG_$(echo "$name" | tr '[:lower:]' '[:upper:]')_PYTHON may name a Python that has the packages of ${requirements#"$top/"}"
    }
    cp "$requirements" "$cache/installed.txt"
fi
echo "$python"
