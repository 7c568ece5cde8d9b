#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The experiment of docs/results/globe.md: the globe model with and without text, several seeds, on continents it never saw.
# Run it from anywhere after `make data`; it takes hours. It may be stopped at any time and started again: finished parts are kept,
# a training that was stopped goes on. Variables, with their defaults:
#
#   PROGRAM=build/metaseg        CONFIG=configs/globe.yaml     OUT=runs/globe: one folder per training, ARM-SEED-STEPS
#   ARMS="text none"             text: the configuration as it is; none: the same network without text (model.fusion=none)
#   SEEDS="1 2 3"                STEPS=the configuration's     THREADS=0: all processors
#   RESULTS=docs/results/globe.csv: one line per training and kind of prompts   PAGES="docs/results/globe.md README.md" get the tables
#   SET="train.batch=2 ...": further overrides, for a trial   IMAGE=.cache/data/blue_marble.tif   TRUTH=.cache/data/igbp_2019.tif
#
# Parts may run side by side (ARMS=text SEEDS=1, ARMS=none SEEDS=1, ...): folders are separate, RESULTS is only appended to.
set -eu
cd "$(dirname "$0")/../.."
data=${METASEG_CACHE:-$PWD/.cache}/data
PROGRAM=${PROGRAM:-build/metaseg}
CONFIG=${CONFIG:-configs/globe.yaml}
OUT=${OUT:-runs/globe}
RESULTS=${RESULTS:-docs/results/globe.csv}
PAGES=${PAGES:-docs/results/globe.md README.md}
IMAGE=${IMAGE:-$data/blue_marble.tif}
TRUTH=${TRUTH:-$data/igbp_2019.tif}
STEPS=${STEPS:-$(sed -n 's/^  steps: *\([0-9]*\).*/\1/p' "$CONFIG")}
table="python3 tools/experiments/globe_table.py"

say() { echo "globe: $*"; }

steps_done() { # folder: the last step that is logged
    [ -s "$1/metrics.csv" ] && tail -n 1 "$1/metrics.csv" | cut -d, -f1 || echo 0
}

train() { # folder arm seed
    if [ -s "$1/best.safetensors" ] && [ "$(steps_done "$1")" = "$STEPS" ]; then return 0; fi
    folder=$(mkdir -p "$1" && cd "$1" && pwd)
    set -- "$2" "$3" --set train.seed="$3" --set train.steps="$STEPS" --set train.output="$folder"
    case $1 in
    text) ;;
    none) set -- "$@" --set model.fusion=none ;;
    *) say "arm '$1': text or none"; exit 2 ;;
    esac
    for word in ${SET:-}; do set -- "$@" --set "$word"; done
    if [ -s "$folder/last.safetensors" ]; then set -- "$@" --resume; else set -- "$@" -f; fi # stopped before a checkpoint
    say "training: $1, seed $2, $STEPS steps"
    shift 2
    "$PROGRAM" train "$CONFIG" --threads "${THREADS:-0}" "$@"
}

evaluate() { # folder prompts: predicts the Earth and compares it on the continents that were held out
    if [ "$1/$2.json" -nt "$1/best.safetensors" ]; then return 0; fi
    say "predicting and comparing: $1, prompts $2"
    "$PROGRAM" predict "$IMAGE" -q -f -m "$1/best.safetensors" -o "$1/$2.tif" --prompts "$2" --threads "${THREADS:-0}"
    "$PROGRAM" eval "$1/$2.tif" "$TRUTH" -q -f --truth-crs EPSG:4326 --exclude 0 --minimum-share 0.001 \
        --bbox -82,-56,-34,12 --bbox 110,-45,155,-10 --json "$1/$2.part.json" >"$1/$2.txt"
    mv "$1/$2.part.json" "$1/$2.json"
}

mkdir -p "$OUT" "$(dirname "$RESULTS")"
for seed in ${SEEDS:-1 2 3}; do
    for arm in ${ARMS:-text none}; do
        run=$OUT/$arm-$seed-$STEPS
        train "$run" "$arm" "$seed"
        modes=null # what a network without text reads
        if [ "$arm" = text ]; then modes="grounded null tile-mixed shuffled"; fi
        for mode in $modes; do
            evaluate "$run" "$mode"
            $table add "$RESULTS" "$run" "$arm" "$seed" "$STEPS" "$mode"
        done
    done
done
$table show "$RESULTS" "$STEPS" $PAGES
