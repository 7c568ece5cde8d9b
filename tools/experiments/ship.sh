#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Makes a training of globe.sh the model that comes with the program: ship.sh runs/globe/text-1-2400
# Beside the model go its configuration, its log and its evaluation on the continents that were held out.
set -eu
cd "$(dirname "$0")/../.."
run=$1
to=share/models
for file in best.safetensors metrics.csv config.yaml grounded.json; do
    [ -s "$run/$file" ] || { echo "ship: '$run/$file' is missing; globe.sh makes it" >&2; exit 2; }
done
cp "$run/best.safetensors" $to/globe.safetensors.part
cp "$run/metrics.csv" $to/globe.training.csv
sed "s#\"$PWD/#\"#; s#\"[^\"]*/grounded.tif\"#\"earth_landcover.tif\"#" "$run/grounded.json" >$to/globe.evaluation.json
{
    echo "# The record of the training that made globe.safetensors; paths are relative to configs/."
    sed "s#^\(. --set train.output=\).*/#\1#" "$run/config.yaml"
} >$to/globe.yaml
mv $to/globe.safetensors.part $to/globe.safetensors
