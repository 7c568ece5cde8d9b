#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The models of a data folder by their names. model.sh PROGRAM FIXTURES
program=$1 fixtures=$2
. "$(dirname "$0")/expect.sh"
unset METASEG_DATA
work=$(mktemp -d "$PWD/model.XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/share/models" "$work/empty"
cp "$fixtures/model.safetensors" "$work/share/models/small.safetensors"
share="--data-folder $work/share"

# shellcheck disable=SC2086
{
    expect 0 '^small  .*3 bands, 17 classes, reads text$' '' model list $share
    expect 0 '"name":"small".*"classes":17' '' model list --json $share
    expect 0 '^  kind  *model$' '' model show small $share
    expect 0 '"kind":"model"' '' model show small --json $share
    expect 0 '^  kind  *model$' '' model show "$fixtures/model.safetensors" $share
    expect 4 '' "no model that came with metaseg is called so (small)" model show large $share
    expect 2 '' "'list', or 'show' and one model" model show $share
    expect 2 '' "'list', or 'show' and one model" model list small $share
    expect 2 '' "'list', or 'show' and one model" model drop small $share
}
exit $failed
