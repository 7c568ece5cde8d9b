#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Speed and memory beside PyTorch and OpenVINO: run.sh BUILD [--rounds N] [--threads N] [--write]. Called by `make bench`.
# The peers come from PyPI (bench/requirements.txt, about 3 GB) into a virtual environment in the cache; a Python that has
# them already is named by METASEG_BENCH_PYTHON.
set -eu
top=$(cd "$(dirname "$0")/.." && pwd)
build=$(cd "$1" && pwd)
shift
python=${METASEG_BENCH_PYTHON:-$(sh "$top/tools/setup/venv.sh" bench "$top/bench/requirements.txt" '3 GB')}

fail() { echo "bench: $*" >&2; exit 1; }

"$python" -c "import numpy, onnx, openvino, safetensors, torch, xxhash" || fail "'$python' lacks one of the peers"

MAKEFLAGS='' cmake --build "$build" --target bench -j "$(nproc)" >/dev/null || fail "the build failed"
exec python3 "$top/bench/report.py" "$build" "$python" "${METASEG_CACHE:-$top/.cache}/bench/work" "$@"
