#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Lets the program meet every fault that a machine can have, one at a time, and looks at what is left.

    faults.py PROGRAM INJECT.so FIXTURES [--all] [--commands predict,train,...] [--kinds alloc,...] [--points N]

For each command (predict, train, dataset, convert, eval, export, info, model) and each kind of call (inject.c) the calls of an undisturbed run are
counted; then the run is repeated with the n-th call failing, for N values of n spread evenly (--all: every n). What must hold:

1. The exit code is a documented one: 0 (the fault did not matter), 3, 4, 5 or 6; never 1, never a signal, never a hang.
2. A run that failed says why on one line of standard error; one that did not prints the undisturbed run's output.
3. All or nothing under the final names: after a success every output is the undisturbed run's, byte for byte; after a failure
   nothing half-written is left, under no name.
4. Older files under these names are untouched by a failure.
"""
import argparse
import json
import os
import pathlib
import shutil
import struct
import subprocess
import sys
import tempfile

KINDS = ("alloc", "thread", "write", "sync", "rename", "open")
ALLOWED = {0, 3, 4, 5, 6}
OLD = b"an older file, worth keeping\n"


class Command:
    """One call of the program in a folder of its own: `old` are outputs that stand there before it."""

    def __init__(self, name, words, outputs, setup=None, old=True):
        self.name, self.words, self.outputs, self.setup, self.old = name, words, outputs, setup, old


def commands(fixtures):
    data = ["--data-folder", str(fixtures / "share"), "--threads", "1", "-q"]
    model = str(fixtures / "model.safetensors")
    image = str(fixtures / "good.tif")
    run = ["name: made", "model: { fusion: none, decoder_width: 16, gsd_min: 0.001, gsd_max: 0.01, gsd_unit: degree }", "data:",
           f"  scenes: [{{ name: s, image: '{image}', labels: labels.tif }}]", "  classes:",
           *(f'    - {{ value: {i}, name: class {i}, color: "#102030" }}' for i in range(17)),
           "train: { window: 256, batch: 1, upsample: 16, steps: 2, warmup_steps: 0, output: run }"]

    def labelled(folder, program):
        shutil.copy(folder.parent / "labels.tif", folder / "labels.tif")
        (folder / "run.yaml").write_text("\n".join(run) + "\n", encoding="utf-8")

    def map_there(folder, program):
        shutil.copy(folder.parent / "labels.tif", folder / "map.tif")

    def encoder_there(folder, program):
        """The encoder of the model alone, as a file of others."""
        content = pathlib.Path(model).read_bytes()
        (length,) = struct.unpack("<Q", content[:8])
        header, data, kept = json.loads(content[8 : 8 + length]), content[8 + length :], b""
        tensors = {}
        for name, entry in header.items():
            if not name.startswith("encoder."):
                continue
            begin, end = entry["data_offsets"]
            tensors[name] = {**entry, "data_offsets": [len(kept), len(kept) + end - begin]}
            kept += data[begin:end]
        text = json.dumps(tensors).encode()
        (folder / "encoder.safetensors").write_bytes(struct.pack("<Q", len(text)) + text + kept)

    def models_there(folder, program):
        (folder / "share" / "models").mkdir(parents=True)
        (folder / "share" / "models" / "made.safetensors").symlink_to(model)

    golden = pathlib.Path(__file__).resolve().parents[1] / "golden"
    clip = str(fixtures / "clip" / "model.safetensors")
    return [
        Command("predict", ["predict", image, "-o", "map.tif", "--confidence", "sure.tif", "--quicklook", "map.png", "--areas", "map.csv",
                            "-f", "-m", model, *data], ["map.tif", "sure.tif", "map.png", "map.csv"]),
        Command("predict_cog", ["predict", str(fixtures / "larger.tif"), "-o", "map.tif", "--of", "COG", "--co", "BLOCKSIZE=128", "-f", "-m",
                                model, *data], ["map.tif"]),
        Command("convert", ["convert", model, "out.safetensors", "-f", "-q"], ["out.safetensors"]),
        Command("convert_encoder", ["convert", "encoder.safetensors", "out.safetensors", "-f", "-q"], ["out.safetensors"], encoder_there),
        Command("convert_text", ["convert", clip, "out.safetensors", "--half", "-f", "-q"], ["out.safetensors"]),
        Command("convert_list", ["convert", "--list", str(golden / "torch_strangers.pth")], []),
        Command("convert_legacy", ["convert", "--list", str(golden / "torch_strangers_legacy.pth")], []),
        Command("export", ["export", model, "--onnx", "out.onnx", "--tile", "64", "--zone", "null", "-f", *data],
                ["out.onnx", "out.onnx.json"]),
        Command("model_list", ["model", "list", "--data-folder", "share", "-q"], [], models_there),
        Command("model_show", ["model", "show", "made", "--json", "--data-folder", "share", "-q"], [], models_there),
        Command("eval", ["eval", "map.tif", "../labels.tif", "--json", "figures.json", "--csv", "matrix.csv", "--html", "page.html",
                         "-f", "--by-zone", *data], ["figures.json", "matrix.csv", "page.html"], map_there),
        Command("info", ["info", "--shares", image, "-q"], []),
        Command("info_model", ["info", model, "-q"], []),
        Command("dataset", ["dataset", "run.yaml", *data], [], labelled),
        Command("train", ["train", "run.yaml", *data], [], labelled, old=False),
    ]


class Runner:
    def __init__(self, arguments):
        self.program = str(pathlib.Path(arguments.program).resolve())
        self.inject = str(pathlib.Path(arguments.inject).resolve())
        self.fixtures = pathlib.Path(arguments.fixtures).resolve()
        self.work = pathlib.Path(tempfile.mkdtemp(prefix="faults-", dir=os.getcwd()))
        self.faults = []
        self.runs = 0

    def call(self, command, folder, kind=None, number=0):
        environment = {**os.environ, "GOMP_SPINCOUNT": "1000", "LC_ALL": "C.UTF-8"}
        if kind is not None:
            environment.update(LD_PRELOAD=self.inject, FAULT_KIND=kind, FAULT_AT=str(number), FAULT_COUNT=str(self.work / "count"))
        try:
            done = subprocess.run([self.program, *command.words], cwd=folder, env=environment, stdin=subprocess.DEVNULL,
                                  capture_output=True, timeout=120)
        except subprocess.TimeoutExpired:
            return 124, b"", b""
        return done.returncode, done.stdout, done.stderr

    def fresh(self, command):
        folder = self.work / "run"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        if command.setup is not None:
            command.setup(folder, self.program)
        if command.old:
            for name in command.outputs:
                (folder / name).write_bytes(OLD)
        return folder

    @staticmethod
    def comparable(stdout):
        """Without the line that tells how long a training took."""
        return b"".join(line for line in stdout.splitlines(keepends=True) if not line.startswith(b"seconds "))

    @staticmethod
    def contents(folder):
        return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}

    def wrong(self, command, kind, number, what, stderr=b""):
        self.faults.append(f"{command.name}, {kind} {number}: {what}")
        print("WRONG:", self.faults[-1], stderr.decode("utf-8", "replace").strip()[:300], flush=True)

    def check(self, command, kind, number, before, expected):
        folder = self.work / "run"
        code, stdout, stderr = self.call(command, folder, kind, number)
        stdout = self.comparable(stdout)
        self.runs += 1
        after = self.contents(folder)
        if code not in ALLOWED:
            return self.wrong(command, kind, number, f"exit code {code}", stderr)
        if code == 0:
            if stdout != expected[1]:
                self.wrong(command, kind, number, "exit code 0 with another standard output", stderr)
            changed = [n for n in sorted(set(after) | set(expected[2])) if after.get(n) != expected[2].get(n)]
            if changed and command.old:
                self.wrong(command, kind, number, f"exit code 0, but not the undisturbed run's: {', '.join(changed)}", stderr)
            return None
        lines = [line for line in stderr.decode("utf-8", "replace").splitlines() if not line.startswith("metaseg: warning: ")]
        if len(lines) != 1 or not lines[0].startswith("metaseg: error: ") or "internal" in lines[0]:
            self.wrong(command, kind, number, f"exit code {code} with {len(lines)} lines of error", stderr)
        if command.old:
            changed = [n for n in sorted(set(after) | set(before)) if after.get(n) != before.get(n)]
            if changed:
                self.wrong(command, kind, number, f"exit code {code} left its traces in {', '.join(changed)}", stderr)
        else:
            self.check_run(command, kind, number, folder)
        return None

    def check_run(self, command, kind, number, folder):
        """A training that failed leaves whole checkpoints or none, and can be started again."""
        for checkpoint in (folder / "run").glob("*.safetensors"):
            if subprocess.run([self.program, "info", "-q", checkpoint], capture_output=True).returncode != 0:
                self.wrong(command, kind, number, f"{checkpoint.name} is damaged")
        hidden = [p.name for p in (folder / "run").glob(".*")]
        if hidden:
            self.wrong(command, kind, number, f"left behind: {', '.join(hidden)}")

    def points(self, total, arguments):
        if arguments.all or total <= arguments.points:
            return range(1, total + 1)
        return sorted({1 + i * (total - 1) // (arguments.points - 1) for i in range(arguments.points)})

    def run_command(self, command, arguments):
        folder = self.fresh(command)
        code, stdout, stderr = self.call(command, folder)
        if code != 0:
            return self.wrong(command, "none", 0, f"the undisturbed run ended with {code}", stderr)
        expected = (code, self.comparable(stdout), self.contents(folder))
        for kind in arguments.kinds.split(","):
            self.call(command, self.fresh(command), kind, 0)
            total = int((self.work / "count").read_text())
            chosen = self.points(total, arguments)
            for number in chosen:
                self.check(command, kind, number, self.contents(self.fresh(command)), expected)
            print(f"{command.name}: {kind}: {len(chosen)} of {total} calls tried", flush=True)
        return None

    def run(self, arguments):
        first = [self.program, "predict", str(self.fixtures / "good.tif"), "-o", str(self.work / "labels.tif"), "-q", "--threads", "1",
                 "--data-folder", str(self.fixtures / "share"), "-m", str(self.fixtures / "model.safetensors")]
        subprocess.run(first, check=True, capture_output=True)
        for command in commands(self.fixtures):
            if command.name.split("_")[0] in arguments.commands.split(","):
                self.run_command(command, arguments)
        shutil.rmtree(self.work, ignore_errors=True)
        print(f"{self.runs - len(self.faults)} passed, {len(self.faults)} failed")
        return 1 if self.faults else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("inject")
    parser.add_argument("fixtures")
    parser.add_argument("--all", action="store_true")
    parser.add_argument("--points", type=int, default=6)
    parser.add_argument("--kinds", default=",".join(KINDS))
    parser.add_argument("--commands", default="predict,convert,eval,export,info,model,dataset,train")
    arguments = parser.parse_args()
    return Runner(arguments).run(arguments)


if __name__ == "__main__":
    sys.exit(main())
