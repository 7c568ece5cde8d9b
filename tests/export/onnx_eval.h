/* SPDX-License-Identifier: Apache-2.0
 *
 * A slow evaluator of ONNX models in double, of the operators that our files have, written after the operators' definitions. What
 * it does not know fails the test. */
#ifndef METASEG_TESTS_ONNX_EVAL_H
#define METASEG_TESTS_ONNX_EVAL_H

#include "graph/params.h"
#include "harness/protobuf.h"

enum { EVAL_RANK = 8, EVAL_IN = 10, EVAL_ATTRIBUTES = 12, EVAL_VALUES = 4096, EVAL_INTS = 8 };

typedef struct EvalTensor {
    char name[256];
    int64_t rank, dim[EVAL_RANK], stride[EVAL_RANK], count;
    double *v;
} EvalTensor;

typedef struct EvalAttribute {
    char name[40], text[32];
    int64_t i, n_ints, ints[EVAL_INTS];
    float f;
} EvalAttribute;

typedef struct EvalNode {
    char op[40], out[256];
    int64_t n_in;
    const EvalTensor *in[EVAL_IN]; /* NULL: left out */
    int64_t n_attributes;
    EvalAttribute attributes[EVAL_ATTRIBUTES];
} EvalNode;

typedef struct EvalModel {
    int64_t ir_version, opset;
    int64_t n_values, n_nodes;
    EvalTensor *values[EVAL_VALUES];
    char output[256]; /* of the first output */
} EvalModel;

/* Reads a model and runs it; inputs by name, their values are copied. eval_done(). */
void eval_run(const void *bytes, size_t length, int64_t n_in, const EvalTensor *in, EvalModel *ret_model);
const EvalTensor *eval_find(const EvalModel *model, const char *name);
void eval_done(EvalModel *model);

/* Largest difference of a to b, relative to the largest value of b; infinite where a has no number. */
double eval_difference(const double *a, const double *b, int64_t n);
/* FOLDER/STEM.NAME.f64, as tools/compare_onnx.py reads it. */
void eval_write_numbers(const char *folder, const char *stem, const char *name, const double *v, int64_t n);
/* Random values of a parameter of a network, of a size that keeps its results near 1; values: of the whole set. */
void eval_fill(const ParamInfo *info, uint64_t key, float *values);

/* One node (onnx_eval_ops.c). */
void eval_node(const EvalNode *node, EvalTensor *ret_out);
/* Room for the values of its shape; sets count and strides. */
void eval_allocate(EvalTensor *tensor);

#endif
