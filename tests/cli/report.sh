#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# metaseg train's report.html: well-formed, alone, its figures those of metrics.jsonl, names shown as they are. report.sh PROGRAM FIXTURES
program=$1 fixtures=$2
. "$(dirname "$0")/expect.sh"
unset METASEG_DATA
work=$(mktemp -d "$PWD/report.XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT
share="--data-folder $fixtures/share --threads 1"

# shellcheck disable=SC2086
"$program" predict "$fixtures/good.tif" -q $share -m "$fixtures/model.safetensors" -o "$work/labels.tif" >/dev/null || exit 1
{
    echo 'name: "<b>&name"'
    echo 'model: { fusion: none, decoder_width: 16, gsd_min: 0.001, gsd_max: 0.01, gsd_unit: degree }'
    echo 'data:'
    echo "  scenes: [{ name: s, image: '$fixtures/good.tif', labels: labels.tif },"
    echo "           { name: t, image: '$fixtures/good.tif', labels: labels.tif, split: validation }]"
    echo '  classes:'
    for value in 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16; do
        echo "    - { value: $value, name: \"<i>'$value\", color: \"#1020$((value + 10))\" }"
    done
    echo 'train: { window: 256, batch: 1, upsample: 16, steps: 2, validate_every: 1, warmup_steps: 0, output: run }'
} >"$work/run.yaml"
# shellcheck disable=SC2086
"$program" train "$work/run.yaml" -q $share >"$work/out" 2>"$work/err" || fail "training: $(cat "$work/err")"
python3 - "$work/run" <<'EOF' || fail "the report is not what it should be"
import json, sys, xml.dom.minidom
folder = sys.argv[1]
text = open(folder + "/report.html", encoding="utf-8").read()
page = xml.dom.minidom.parseString(text.removeprefix("<!DOCTYPE html>\n"))
def content(node):
    return "".join(content(n) if n.childNodes else n.nodeValue or "" for n in node.childNodes)
assert "<b>&name" in content(page.getElementsByTagName("h1")[0])
for tag, attribute in (("img", "src"), ("link", "href"), ("script", "src"), ("a", "href")):
    for node in page.getElementsByTagName(tag):
        assert node.getAttribute(attribute).startswith("data:image/png;base64,"), (tag, node.getAttribute(attribute)[:40])
assert len(page.getElementsByTagName("img")) >= 3 and len(page.getElementsByTagName("svg")) == 2
last = [row for row in map(json.loads, open(folder + "/metrics.jsonl")) if "validation_iou" in row][-1]
table = page.getElementsByTagName("tbody")[0].getElementsByTagName("tr")
assert len(table) == len(last["validation_iou"]) == 17
for i, (row, iou) in enumerate(zip(table, last["validation_iou"])):
    assert content(row.getElementsByTagName("th")[0]) == f"<i>'{i}"
    shown = content(row.getElementsByTagName("td")[1]).split()[0]
    assert shown == ("-" if iou is None else f"{100 * iou:.1f}"), (i, shown, iou)
assert f"mean IoU {100 * last['validation_miou']:.1f} %" in content(page.documentElement)
matrix = page.getElementsByTagName("tbody")[1].getElementsByTagName("tr")
for row, counted in zip(matrix, table):
    cells = [content(c) for c in row.getElementsByTagName("td")]
    if content(counted.getElementsByTagName("td")[0]) != "0":
        assert abs(sum(map(float, cells)) - 100) < 1, cells
areas = [b for b in page.getElementsByTagName("tbody") if b.getAttribute("class") == "areas"][0].getElementsByTagName("tr")
assert len(areas) == 18 and content(areas[17].getElementsByTagName("th")[0]) == "all"
whole = [content(c) for c in areas[17].getElementsByTagName("td")]
assert whole[0] == whole[2] != "-" and whole[0].endswith(" km2") and whole[1] == whole[3] == "100.0", whole
shares = [float(content(row.getElementsByTagName("td")[1]).replace("-", "0")) for row in areas[:17]]
assert abs(sum(shares) - 100) < 1, shares
resolved, written = page.getElementsByTagName("details")
assert resolved.getAttribute("open") == written.getAttribute("open") == ""
config = json.loads(content(resolved.getElementsByTagName("pre")[0]))
assert config["train"]["steps"] == 2 and config["train"]["label_smoothing"] == 0.05 and config["train"]["warmup_steps"] == 0
assert len(config["model"]["mean"]) == 3 and config["name"] == "<b>&name"
assert "warmup_steps: 0" in content(written.getElementsByTagName("pre")[0])
assert "prefers-color-scheme:dark" in text and "max-width:40rem" in text and "What it read" not in text
EOF

# a run that reads the prompts of its zones, from a model with the same classes: validated before its first step, then stopped
sed -e "s|fusion: none|fusion: caf, climate: '$fixtures/share/koppen_geiger.bin'|" -e "s|steps: 2, validate_every: 1,|steps: 100000, validate_every: 0, from: '$fixtures/model.safetensors',|" \
    -e 's|output: run|output: text|' "$work/run.yaml" >"$work/text.yaml"
# shellcheck disable=SC2086
"$program" train "$work/text.yaml" -q $share --set train.steps=1 --set train.validate_every=1 >"$work/out" 2>"$work/err" || fail "training with text: $(cat "$work/err")"
grep -q '<tr><th scope="row">Af</th><td>100.0</td><td>random rows</td></tr>' "$work/text/report.html" || fail "the report lacks the prompt of the zone"
sed -e "s|from: '[^']*'|from: text/best.safetensors|" -e 's|output: text|output: stopped|' "$work/text.yaml" >"$work/stopped.yaml"
# shellcheck disable=SC2086
"$program" train "$work/stopped.yaml" $share >"$work/out" 2>"$work/err" </dev/null &
process=$!
for _ in $(seq 600); do # validated at step 0, and some steps after it
    grep -q '^10,' "$work/stopped/metrics.csv" 2>/dev/null && break
    sleep 0.1
done
kill -INT $process
wait $process
[ $? = 8 ] || fail "the run was not stopped: $(cat "$work/err")"
step=$(sed -n 's/^stopped after step \([0-9]*\) of.*/\1/p' "$work/err")
grep -q "Step $step of 100000;" "$work/stopped/report.html" || fail "the report of a stopped run is not of step $step"
grep -q 'that were not learned, at step 0\.' "$work/stopped/report.html" || fail "it lacks what was measured at step 0"
[ "$(grep -o '<img ' "$work/stopped/report.html" | wc -l)" -ge 3 ] || fail "it lacks the pictures"
python3 -c 'import sys, xml.dom.minidom; xml.dom.minidom.parseString(open(sys.argv[1]).read().removeprefix("<!DOCTYPE html>\n"))' "$work/stopped/report.html" || fail "it is not well-formed"

# without validation: what there is to tell; of a run that is replaced nothing stays
sed -e 's|, split: validation|, split: holdout|' -e 's|validate_every: 1, ||' "$work/run.yaml" >"$work/alone.yaml"
# shellcheck disable=SC2086
"$program" train "$work/alone.yaml" -q -f $share >"$work/out" 2>"$work/err" || fail "training without validation: $(cat "$work/err")"
grep -q 'nothing is kept apart for validation' "$work/run/report.html" || fail "the report does not say that nothing was validated"
grep -q 'How good it is' "$work/run/report.html" && fail "the report has figures of the run before it"
exit $failed
