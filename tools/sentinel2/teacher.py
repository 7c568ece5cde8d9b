# SPDX-License-Identifier: Apache-2.0
"""The Dynamic World network (Brown et al., 2022; Google with National Geographic and WRI; Apache-2.0) in ONNX Runtime, from a
safetensors file of its published variables. It makes the soft labels that the Sentinel-2 model learns from; the weights stay outside
the project. Input: Sentinel-2 L1C, digital numbers (reflectance x 10000, offset taken off), bands B2 B3 B4 B5 B6 B7 B8 B11 B12 at 10 m.

    teacher = Teacher("dw_forward.safetensors")
    probabilities = teacher(chip)          # [9, H, W] float32 or uint16 -> [9, H, W], H and W even
"""
import json
import struct

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

CLASSES = ["water", "trees", "grass", "flooded vegetation", "crops", "shrub and scrub", "built", "bare", "snow and ice"]
BANDS = ["B02", "B03", "B04", "B05", "B06", "B07", "B08", "B11", "B12"]
# per band: offset and divisor of ln(0.005 x + 1), as published with the network
PERCENTILES = np.array([[1.7417268007636313, 2.023298706048351], [1.7261204997060209, 2.038905204308012],
                        [1.6798346251414997, 2.179592821212937], [1.7734969472909623, 2.2890068333026603],
                        [2.289154079164943, 2.6171674549378166], [2.382939712192371, 2.773418590375327],
                        [2.3828939530384052, 2.7578332604178284], [2.1952484264967844, 2.789092484314204],
                        [1.554812948247501, 2.4140534947492487]])


def read_safetensors(path):
    with open(path, "rb") as file:
        size, = struct.unpack("<Q", file.read(8))
        header = json.loads(file.read(size))
        data = file.read()
    header.pop("__metadata__", None)
    return {name: np.frombuffer(data[e["data_offsets"][0]:e["data_offsets"][1]], np.float32).reshape(e["shape"])
            for name, e in header.items()}


def normalise(chip):
    """Digital numbers [9, H, W] -> what the network reads, 0..1."""
    x = np.log(np.maximum(chip.astype(np.float32), 0) * np.float32(0.005) + 1)
    x = (x - PERCENTILES[:, 0, None, None].astype(np.float32)) / PERCENTILES[:, 1, None, None].astype(np.float32)
    x = np.exp(x * 5 - 1)
    return x / (x + 1)


class Graph:
    """The nodes, in order; each method adds a layer and returns the name of its result."""

    def __init__(self, variables):
        self.variables, self.nodes, self.constants, self.n = variables, [], [], 0

    def constant(self, array):
        name = f"c{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(array), name))
        return name

    def add(self, op, inputs, **attributes):
        self.n += 1
        self.nodes.append(helper.make_node(op, inputs, [f"v{self.n}"], **attributes))
        return f"v{self.n}"

    def folded(self, x, kernel, bias, norm, groups=1):
        """Convolution with the BatchNorm after it folded in; kernel [out, in, h, w]."""
        v = self.variables
        factor = v[norm + "/gamma"] / np.sqrt(v[norm + "/moving_variance"] + 1e-3)
        shift = v[norm + "/beta"] + (bias - v[norm + "/moving_mean"]) * factor
        side = kernel.shape[2] // 2
        return self.add("Conv", [x, self.constant(kernel * factor[:, None, None, None]), self.constant(shift)],
                        group=groups, pads=[side] * 4)

    def conv(self, x, number, norm):
        name = f"conv2d_{number}" if number else "conv2d"
        kernel = self.variables[name + "/kernel"].transpose(3, 2, 0, 1)
        return self.folded(x, kernel, self.variables[name + "/bias"], norm_name(norm))

    def depthwise(self, x, number, norm):
        name = f"depthwise_conv2d_{number}" if number else "depthwise_conv2d"
        kernel = self.variables[name + "/depthwise_kernel"].transpose(2, 3, 0, 1)
        return self.folded(x, kernel, self.variables[name + "/bias"], norm_name(norm), groups=kernel.shape[0])

    def mish(self, x):
        return self.add("Mul", [x, self.add("Tanh", [self.add("Softplus", [x])])])

    def half(self, x, channels):
        """Antialiased bilinear halving: the triangle of width 2, 1 3 3 1, renormalised at the edges."""
        line = np.array([1, 3, 3, 1], np.float32) / 8
        kernel = self.constant(np.broadcast_to(np.outer(line, line), (channels, 1, 4, 4)).astype(np.float32))
        options = dict(group=channels, strides=[2, 2], pads=[1, 1, 1, 1])
        one = self.add("Add", [self.add("Mul", [x, self.constant(np.float32(0))]), self.constant(np.float32(1))])
        return self.add("Div", [self.add("Conv", [x, kernel], **options), self.add("Conv", [one, kernel], **options)])

    def block(self, x, conv, depthwise, norm):
        y = x
        for i in range(3):
            y = self.mish(self.conv(y, conv + i, norm + 2 * i))
            y = self.mish(self.depthwise(y, depthwise + i, norm + 2 * i + 1))
        return self.add("Add", [y, self.mish(self.conv(x, conv + 3, norm + 6))])


def norm_name(number):
    return f"batch_normalization_{number}" if number else "batch_normalization"


def build(variables):
    g = Graph(variables)
    stem = g.half(g.mish(g.conv("x", 0, 0)), 64)
    x = g.block(stem, 2, 1, 3)
    x = g.block(x, 6, 4, 10)
    skip = g.mish(g.depthwise(g.mish(g.conv(stem, 1, 1)), 0, 2))
    x = g.block(g.add("Concat", [x, skip], axis=1), 10, 7, 17)
    x = g.add("Resize", [x, "", g.constant(np.array([1, 1, 2, 2], np.float32))], mode="linear",
              coordinate_transformation_mode="half_pixel")
    square = g.add("ReduceSum", [g.add("Mul", [x, x]), g.constant(np.array([1], np.int64))], keepdims=1)
    x = g.add("Div", [x, g.add("Sqrt", [g.add("Max", [square, g.constant(np.float32(1e-12))])])])
    kernel = variables["conv2d_14/kernel"].transpose(3, 2, 0, 1)
    logits = g.add("Conv", [x, g.constant(kernel), g.constant(variables["conv2d_14/bias"])])
    shape = ["n", 9, "h", "w"]
    graph = helper.make_graph(g.nodes, "dynamic_world", [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
                              [helper.make_tensor_value_info(logits, TensorProto.FLOAT, shape)], g.constants)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)


class Teacher:
    def __init__(self, path, threads=1):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        self.session = onnxruntime.InferenceSession(build(read_safetensors(path)).SerializeToString(), options,
                                                    providers=["CPUExecutionProvider"])

    def logits(self, normalised):
        return self.session.run(None, {"x": normalised[None]})[0][0]

    def __call__(self, chip):
        z = self.logits(normalise(chip))
        z = np.exp(z - z.max(axis=0))
        return z / z.sum(axis=0)
