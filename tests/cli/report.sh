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
EOF
exit $failed
