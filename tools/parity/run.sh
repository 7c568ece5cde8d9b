#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Every encoder at its full size against the public packages: run.sh BUILD [--write] [NAME...]. Called by `make parity`. The
# packages come from PyPI (requirements.txt, about 4 GB) into a virtual environment in the cache; a Python that has them already
# is named by METASEG_PARITY_PYTHON.
set -eu
top=$(cd "$(dirname "$0")/../.." && pwd)
build=$(cd "$1" && pwd)
shift
python=${METASEG_PARITY_PYTHON:-$(sh "$top/tools/setup/venv.sh" parity "$top/tools/parity/requirements.txt" '4 GB')}
exec "$python" "$top/tools/parity/parity.py" "$build/tests/parity" "$@"
