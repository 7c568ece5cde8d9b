/* SPDX-License-Identifier: Apache-2.0
 *
 * The operator vectors of ONNX (onnx/backend/test/data): one tar file in memory, and of each folder in it the inputs,
 * weights, attributes and expected outputs. A folder holds model.onnx, a graph of one or two nodes, and
 * test_data_set_0/input_N.pb and output_N.pb, each a tensor; all are protobuf (onnx.proto), read here to the few
 * fields that are needed. */
#ifndef METASEG_TESTS_ONNX_CASE_H
#define METASEG_TESTS_ONNX_CASE_H

#include <stddef.h>
#include <stdint.h>

enum { ONNX_TENSORS = 8, ONNX_RANK = 6, ONNX_ATTRIBUTES = 16, ONNX_INTS = 8 };

/* Values of any element type as float; ids and small numbers keep their values. */
typedef struct OnnxTensor {
    int64_t rank, dim[ONNX_RANK], count;
    float *values;
} OnnxTensor;

typedef struct OnnxAttribute {
    char name[32];
    float number;
    int64_t n_ints, ints[ONNX_INTS];
} OnnxAttribute;

typedef struct OnnxCase {
    OnnxTensor in[ONNX_TENSORS]; /* input files in order, then the weights that the model carries */
    int64_t n_in;
    OnnxTensor out[ONNX_TENSORS];
    int64_t n_out;
    OnnxAttribute attributes[ONNX_ATTRIBUTES]; /* of all nodes */
    int64_t n_attributes;
} OnnxCase;

/* Reads a folder of the tar file ("pytorch-converted/test_Conv2d"); fails the test if it is not there or of another
 * form. onnx_case_done(). */
void onnx_case_read(const char *tar, size_t length, const char *folder, OnnxCase *ret_case);
void onnx_case_done(OnnxCase *onnx_case);

/* An attribute; fails the test if it is missing. */
const OnnxAttribute *onnx_attribute(const OnnxCase *onnx_case, const char *name);

#endif
