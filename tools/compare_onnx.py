#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs exported files in ONNX Runtime and compares with what metaseg computed (docs/export.md).

    METASEG_ONNX_CASES=FOLDER build/tests/onnx_ops_test       writes every op's cases, and
    METASEG_ONNX_CASES=FOLDER build/tests/onnx_encoders_test  encoders at reduced depth,
    METASEG_ONNX_CASES=FOLDER build/tests/onnx_models_test    whole networks: NAME.onnx, NAME.INPUT.f64 and NAME.RESULT.f64
    compare_onnx.py FOLDER                                    compares; exit code 1 where one differs by more than 1e-4

Needs the packages onnx, onnxruntime and numpy.
"""
import pathlib
import sys

import numpy
import onnx
import onnxruntime

LARGEST = 1e-4  # of the difference, relative to the largest value
LEAST = 1e-2  # ONNX Runtime's erf is right to 1e-7, not to so many digits: smaller values are compared like this one


def compare(path):
    """The difference of one file."""
    model = onnx.load(path)
    onnx.checker.check_model(model, full_check=True)
    assert model.ir_version == 9 and [(o.domain, o.version) for o in model.opset_import] == [("", 17)], path
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])

    def numbers(name, shape):
        return numpy.fromfile(path.with_suffix(f".{name}.f64")).reshape(shape)

    feeds = {i.name: numbers(i.name, i.shape).astype(numpy.float32) for i in session.get_inputs()}
    largest = 0.0
    for result, theirs in zip(session.get_outputs(), session.run(None, feeds), strict=True):
        ours = numbers(result.name, result.shape)
        largest = max(largest, float(numpy.abs(ours - theirs).max() / max(numpy.abs(ours).max(), LEAST)))
    return largest


def main():
    worst = {}
    failed = 0
    for path in sorted(pathlib.Path(sys.argv[1]).glob("*.onnx")):
        try:
            error = compare(path)
        except Exception as reason:  # a file that cannot be run is a failure like a difference
            print(f"{path.name}: {str(reason)[:300]}")
            failed += 1
            continue
        name = path.stem.rsplit("_", 1)[0] if path.stem[-2:].isdigit() else path.stem
        count, largest = worst.get(name, (0, 0.0))
        worst[name] = (count + 1, max(largest, error))
        if not error <= LARGEST:
            print(f"{path.name}: differs by {error:.2e}")
            failed += 1
    print("| file | cases | largest difference |\n| --- | --- | --- |")
    for name, (count, largest) in worst.items():
        print(f"| {name} | {count} | {largest:.1e} |")
    print(f"onnxruntime {onnxruntime.__version__}, onnx {onnx.__version__}: {failed} failed")
    return 1 if failed or not worst else 0


if __name__ == "__main__":
    sys.exit(main())
