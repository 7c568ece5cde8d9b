#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Figures of tools/experiments/globe.sh.

    globe_table.py add RESULTS.csv FOLDER ARM SEED STEPS PROMPTS   appends the line of one evaluation, once
    globe_table.py show RESULTS.csv STEPS [PAGE.md ...]            prints the tables; also puts them between the
                                                                   markers of pages
    globe_table.py --self-test

RESULTS.csv keeps one line per training and kind of prompts: what the folder's metrics.csv and PROMPTS.json say. A line
is recognised by arm, seed, steps, prompts and the checksum of the model; of several models for the same seed the last
line counts.
"""
import csv
import fcntl
import hashlib
import json
import os
import statistics
import sys
import tempfile

COLUMNS = ["arm", "seed", "steps", "prompts", "miou", "oa", "mf1", "kappa", "classes", "pixels", "validation_miou",
           "validation_step", "minutes", "model", "class_iou"]
ROWS = [  # arm, prompts, words of the table
    ("none", "null", "no text: the same network without fusion"),
    ("text", "grounded", "**text: each place reads the prompt of its own climate zone**"),
    ("text", "tile-mixed", "the same models, one mixed prompt per tile"),
    ("text", "null", "the same models, null prompt everywhere"),
    ("text", "shuffled", "the same models, prompts of zones exchanged"),
]
TRAINED = (("none", "null"), ("text", "grounded"))  # what each arm is trained for
BEGIN, END = "<!-- tables: tools/experiments/globe.sh -->", "<!-- end of tables -->"
BEGIN_SHORT = "<!-- short table: tools/experiments/globe.sh -->"


def read_results(path):
    if not os.path.exists(path):
        return []
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def key_of(row):
    return tuple(str(row[name]) for name in ("arm", "seed", "steps", "prompts", "model"))


def collect(folder, arm, seed, steps, prompts):
    """One line from the files of a finished run."""
    with open(os.path.join(folder, "best.safetensors"), "rb") as file:
        model = hashlib.sha256(file.read()).hexdigest()[:12]
    with open(os.path.join(folder, prompts + ".json"), encoding="utf-8") as file:
        figures = json.load(file)
    with open(os.path.join(folder, "metrics.csv"), newline="", encoding="utf-8") as file:
        log = list(csv.DictReader(file))
    validations = [row for row in log if row["validation_miou"]]
    best = max(validations, key=lambda row: float(row["validation_miou"]), default=None)
    counted = [c for c in figures["classes"] if c["counted"]]
    return {
        "arm": arm, "seed": seed, "steps": steps, "prompts": prompts,
        "miou": f"{figures['miou_macro']:.6f}", "oa": f"{figures['overall_accuracy']:.6f}",
        "mf1": f"{figures['mf1_macro']:.6f}", "kappa": f"{figures['kappa']:.6f}", "classes": len(counted),
        "pixels": figures["pixels"], "validation_miou": best["validation_miou"] if best else "",
        "validation_step": best["step"] if best else "", "minutes": f"{float(log[-1]['seconds']) / 60:.1f}",
        "model": model, "class_iou": ";".join(f"{c['name'] or c['value']}={c['iou']:.4f}" for c in counted),
    }


def add(path, row):
    """Appends a line unless it is there; safe beside other processes."""
    with open(path, "a+", newline="", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(0)
        known = {key_of(old) for old in csv.DictReader(file)}
        if key_of(row) in known:
            return False
        file.seek(0, os.SEEK_END)
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        if file.tell() == 0:
            writer.writeheader()
        writer.writerow(row)
    return True


def per_cent(values):
    """Mean and, with several seeds, the standard deviation (n - 1)."""
    mean = f"{100 * statistics.mean(values):.1f}"
    return mean if len(values) < 2 else f"{mean} ± {100 * statistics.stdev(values):.1f}"


def seeds_of(rows, arm, prompts):
    """{seed: line} of one row of the table; the last model of a seed counts."""
    return {row["seed"]: row for row in rows if (row["arm"], row["prompts"]) == (arm, prompts)}


def main_table(rows):
    lines = ["| | mIoU | OA | kappa | seeds | validation mIoU | minutes of training |",
             "| --- | --- | --- | --- | --- | --- | --- |"]
    for arm, prompts, words in ROWS:
        found = seeds_of(rows, arm, prompts)
        if not found:
            continue
        values = {name: [float(row[name]) for row in found.values()] for name in ("miou", "oa", "kappa", "minutes")}
        checks = [float(row["validation_miou"]) for row in found.values() if row["validation_miou"]]
        row = [words, per_cent(values["miou"]), per_cent(values["oa"]), f"{statistics.mean(values['kappa']):.3f}",
               ", ".join(sorted(found)), "", ""]
        if (arm, prompts) in TRAINED:  # the others are the same trainings again
            row[5:] = [per_cent(checks) if checks else "", f"{statistics.mean(values['minutes']):.0f}"]
        lines.append("| " + " | ".join(row) + " |")
    return lines


def difference(rows):
    """What text is worth, seed by seed."""
    none, text = (seeds_of(rows, *row) for row in TRAINED)
    both = sorted(set(text) & set(none))
    if not both:
        return []
    parts = []
    for name, words in (("miou", "mIoU"), ("oa", "OA")):
        gains = [100 * (float(text[s][name]) - float(none[s][name])) for s in both]
        parts.append(f"{words} {statistics.mean(gains):+.1f} (seeds {', '.join(both)}: "
                     f"{', '.join(f'{g:+.1f}' for g in gains)})")
    return ["", "Text minus no text, in per cent: " + "; ".join(parts) + "."]


def class_table(rows):
    def means(arm, prompts):
        sums = {}
        for row in seeds_of(rows, arm, prompts).values():
            for part in row["class_iou"].split(";"):
                name, value = part.rsplit("=", 1)
                sums.setdefault(name, []).append(float(value))
        return {name: statistics.mean(values) for name, values in sums.items()}

    none, text = (means(*row) for row in TRAINED)
    if not text and not none:
        return []
    lines = ["", "| IoU of each class (mean of the seeds) | no text | text |", "| --- | --- | --- |"]
    for name in text or none:
        cells = [f"{100 * table[name]:.1f}" if name in table else "" for table in (none, text)]
        lines.append(f"| {name} | {cells[0]} | {cells[1]} |")
    return lines


def tables(rows):
    return "\n".join(main_table(rows) + difference(rows) + class_table(rows)) + "\n"


def put_into(page, rows):
    """All tables, or the main one alone where the page has the lines of the short table."""
    with open(page, encoding="utf-8") as file:
        old = file.read()
    begin = BEGIN_SHORT if BEGIN_SHORT in old else BEGIN
    text = "\n".join(main_table(rows) + difference(rows)) + "\n" if begin == BEGIN_SHORT else tables(rows)
    if begin not in old or END not in old:
        sys.exit(f"globe_table.py: error: '{page}' has no lines '{BEGIN}' and '{END}' for the tables")
    new = old.split(begin)[0] + begin + "\n\n" + text + "\n" + END + old.split(begin)[1].split(END, 1)[1]
    with open(page + ".part", "w", encoding="utf-8") as file:
        file.write(new)
    os.replace(page + ".part", page)


def self_test():
    with tempfile.TemporaryDirectory() as folder:
        results = os.path.join(folder, "results.csv")
        for (arm, prompts), gain in zip(TRAINED, (0.0, 0.06)):
            for seed, miou in (("1", 0.20), ("2", 0.22)):
                row = dict.fromkeys(COLUMNS, "0")
                row.update(arm=arm, seed=seed, steps="10", prompts=prompts, miou=str(miou + gain), oa="0.5",
                           validation_miou="0.3", model=arm + seed, class_iou=f"Savanna={miou};Cropland={gain}")
                assert add(results, row) and not add(results, row)
        rows = read_results(results)
        text = tables(rows)
        assert len(rows) == 4 and "| 21.0 ± 1.4 | 50.0 ± 0.0 |" in text and "| 27.0 ± 1.4 |" in text, text
        assert "mIoU +6.0 (seeds 1, 2: +6.0, +6.0)" in text and "| Cropland | 0.0 | 6.0 |" in text, text
        page = os.path.join(folder, "page.md")
        with open(page, "w", encoding="utf-8") as file:
            file.write(f"above\n{BEGIN}\nold\n{END}\nbelow\n")
        put_into(page, rows)
        put_into(page, rows)
        with open(page, encoding="utf-8") as file:
            assert file.read() == f"above\n{BEGIN}\n\n{text}\n{END}\nbelow\n"
        with open(page, "w", encoding="utf-8") as file:
            file.write(f"above\n{BEGIN_SHORT}\n{END}\nbelow\n")
        put_into(page, rows)
        with open(page, encoding="utf-8") as file:
            short = file.read()
        assert "27.0 ± 1.4" in short and "Cropland" not in short and short.endswith(f"\n{END}\nbelow\n"), short
    print("globe_table.py: self-test: fine")


def main(words):
    if words == ["--self-test"]:
        self_test()
    elif len(words) == 7 and words[0] == "add":
        row = collect(*words[2:])
        new = add(words[1], row)
        print(f"globe: {row['arm']}, seed {row['seed']}, prompts {row['prompts']}: mIoU {100 * float(row['miou']):.2f} %, "
              f"OA {100 * float(row['oa']):.2f} %{'' if new else ' (known)'}")
    elif len(words) >= 3 and words[0] == "show":
        rows = [row for row in read_results(words[1]) if row["steps"] == words[2]]
        print(tables(rows), end="")
        for page in words[3:]:
            put_into(page, rows)
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main(sys.argv[1:])
