#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Speed and memory beside PyTorch and OpenVINO: run.sh BUILD [--rounds N] [--threads N] [--write]. Called by `make bench`.
# The peers come from PyPI (bench/requirements.txt, about 3 GB) into a virtual environment in the cache; a Python that has
# them already is named by METASEG_BENCH_PYTHON.
set -eu
top=$(cd "$(dirname "$0")/.." && pwd)
cache=${METASEG_CACHE:-$top/.cache}/bench
build=$(cd "$1" && pwd)
shift
python=${METASEG_BENCH_PYTHON:-$cache/venv/bin/python}

fail() { echo "bench: $*" >&2; exit 1; }

if [ -z "${METASEG_BENCH_PYTHON:-}" ] && ! cmp -s "$top/bench/requirements.txt" "$cache/installed.txt"; then
    sh "$top/tools/setup/setup.sh" packages bench
    echo "bench: installing PyTorch and OpenVINO from PyPI into $cache/venv (about 3 GB, once)"
    mkdir -p "$cache"
    rm -rf "$cache/venv"
    python3 -m venv "$cache/venv" || fail "no virtual environment; install python3-venv"
    "$python" -m pip install -q --no-deps --only-binary :all: --require-hashes --disable-pip-version-check \
        -r "$top/bench/requirements.txt" </dev/null >"$cache/pip.log" 2>&1 || {
        tail -n 1 "$cache/pip.log" >&2
        fail "the download failed (no network?); METASEG_BENCH_PYTHON may name a Python that has torch, openvino, onnx, safetensors"
    }
    cp "$top/bench/requirements.txt" "$cache/installed.txt"
fi
"$python" -c "import numpy, onnx, openvino, safetensors, torch, xxhash" || fail "'$python' lacks one of the peers"

MAKEFLAGS='' cmake --build "$build" --target bench -j "$(nproc)" >/dev/null || fail "the build failed"
exec python3 "$top/bench/report.py" "$build" "$python" "$cache/work" "$@"
