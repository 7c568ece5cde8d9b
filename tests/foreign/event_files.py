# SPDX-License-Identifier: Apache-2.0
"""event_files.py METASEG FIXTURES: what TensorBoard's own reader finds in the event files of `metaseg train`.

A small run is stopped in the middle and continued; its scalars must be those of metrics.jsonl, each step once. The reader of records
(which checks both checksums) and the messages are those of the packages tensorboard and protobuf; of TensorBoard's file layer
only open() is asked for, and Python's stands in its place. Exit 77 where set-up has not brought them."""
import json
import math
import os
import subprocess
import sys
import tarfile
import tempfile
import types

TAGS = {"loss": "loss/total", "cross_entropy": "loss/cross_entropy", "dice": "loss/dice", "auxiliary": "loss/auxiliary",
        "gradient_norm": "gradient_norm", "learning_rate": "learning_rate", "validation_miou": "validation/mIoU",
        "validation_accuracy": "validation/OA"}


def find_reader(folder, downloads):
    for name in ("tensorboard_compat", "protobuf"):
        path = os.path.join(downloads, "tests", name + ".tar")
        if not os.path.exists(path):
            print(f"skipped: '{path}' is missing; `make check` brings it")
            sys.exit(77)
        with tarfile.open(path) as tar:
            tar.extractall(folder)
    sys.path.insert(0, folder)
    stub = "tensorboard.compat.tensorflow_stub"
    for name in ("tensorboard", "tensorboard.compat", stub, stub + ".io"):
        sys.modules[name] = types.ModuleType(name)
        sys.modules[name].__path__ = [os.path.join(folder, *name.split("."))]
    files = types.ModuleType(stub + ".io.gfile")
    files.exists, files.GFile = os.path.exists, open
    sys.modules[files.__name__] = sys.modules[stub + ".io"].gfile = files
    from tensorboard.compat.proto.event_pb2 import Event
    from tensorboard.compat.tensorflow_stub import errors
    from tensorboard.compat.tensorflow_stub.pywrap_tensorflow import PyRecordReader_New
    return Event, errors, PyRecordReader_New


def read_events(path, Event, errors, Reader):
    reader, events = Reader(path), []
    while True:
        try:
            reader.GetNext()
        except errors.OutOfRangeError:
            return events
        events.append(Event.FromString(reader.record()))


def train(program, fixtures, work):
    share = ["-q", "--threads", "1", "--data-folder", os.path.join(fixtures, "share")]
    image, labels = os.path.join(fixtures, "fields.tif"), os.path.join(fixtures, "fields_truth.tif")
    config = os.path.join(work, "run.yaml")
    with open(config, "w", encoding="utf-8") as file:
        file.write(f"""name: made
model: {{ fusion: none, decoder_width: 16, gsd_min: 10, gsd_max: 10 }}
data:
  scenes: [{{ name: s, image: '{image}', labels: '{labels}' }}]
  validation_fraction: 0.3
  classes:
    - {{ value: 1, name: "b\u00e4re / 1", color: "#102030" }}
    - {{ value: 2, name: water, color: "#102030" }}
    - {{ value: 3, name: wood, color: "#102030" }}
    - {{ value: 9, name: none of it, color: "#102030" }}
train: {{ window: 256, batch: 1, steps: 3, validate_every: 2, output: run }}
""")
    command = [program, "train", config, *share]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    subprocess.run(command + ["--resume", "--set", "train.steps=5"], check=True, stdout=subprocess.DEVNULL)
    return os.path.join(work, "run")


def main():
    program, fixtures = sys.argv[1:]
    top = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
    downloads = os.environ.get("METASEG_DOWNLOADS") or os.path.join(top, ".cache", "data")
    with tempfile.TemporaryDirectory(dir=".") as work:
        reader = find_reader(os.path.join(work, "reader"), downloads)
        run = train(program, fixtures, work)
        events = read_events(os.path.join(run, "events.out.tfevents.metaseg"), *reader)
        with open(os.path.join(run, "metrics.jsonl"), encoding="utf-8") as file:
            rows = [json.loads(line) for line in file]
    assert events[0].file_version == "brain.Event:2" and events[0].wall_time > 1.7e9, events[0]
    steps = [event.step for event in events[1:]]
    assert steps == [row["step"] for row in rows] == sorted(set(steps)) and steps[-1] == 5, steps
    for event, row in zip(events[1:], rows):
        shown = {value.tag: value.simple_value for value in event.summary.value}
        wanted = {tag: row[key] for key, tag in TAGS.items() if row.get(key) is not None}
        for c in row.get("validation_classes", []):
            if c["iou"] is not None:
                wanted["validation IoU/" + c["class"]] = c["iou"]
        assert shown.keys() == wanted.keys(), (shown.keys(), wanted.keys())
        for tag, value in wanted.items():
            assert math.isclose(shown[tag], value, rel_tol=1e-6), (tag, shown[tag], value)
    assert any("validation IoU/b\u00e4re / 1" == value.tag for value in events[-1].summary.value)
    print(f"{len(events)} records, {sum(len(event.summary.value) for event in events)} scalars")


if __name__ == "__main__":
    main()
