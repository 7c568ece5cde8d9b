#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Every encoder at its full size against the public packages: run.sh BUILD [--write] [NAME...]. Called by `make parity`. The
# packages come from PyPI (requirements.txt, about 4 GB) into a virtual environment in the cache; a Python that has them already
# is named by METASEG_PARITY_PYTHON.
set -eu
top=$(cd "$(dirname "$0")/../.." && pwd)
cache=${METASEG_CACHE:-$top/.cache}/parity
build=$(cd "$1" && pwd)
shift
python=${METASEG_PARITY_PYTHON:-$cache/venv/bin/python}

fail() { echo "parity: $*" >&2; exit 1; }

if [ -z "${METASEG_PARITY_PYTHON:-}" ] && ! cmp -s "$top/tools/parity/requirements.txt" "$cache/installed.txt"; then
    sh "$top/tools/setup/setup.sh" packages bench
    echo "parity: installing PyTorch, timm and others from PyPI into $cache/venv (about 4 GB, once)"
    mkdir -p "$cache"
    rm -rf "$cache/venv"
    python3 -m venv "$cache/venv" || fail "no virtual environment; install python3-venv"
    "$python" -m pip install -q --no-deps --only-binary :all: --require-hashes --disable-pip-version-check \
        -r "$top/tools/parity/requirements.txt" </dev/null >"$cache/pip.log" 2>&1 || {
        tail -n 1 "$cache/pip.log" >&2
        fail "the download failed (no network?); METASEG_PARITY_PYTHON may name a Python that has the packages of tools/parity/requirements.txt"
    }
    cp "$top/tools/parity/requirements.txt" "$cache/installed.txt"
fi
exec "$python" "$top/tools/parity/parity.py" "$build/tests/parity" "$@"
