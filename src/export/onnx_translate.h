/* SPDX-License-Identifier: Apache-2.0
 *
 * What the translators of ops share. A translator adds nodes for one node of our graph and says what its result is called:
 *
 *     void onnx_translate_mish(OnnxGraph *g, const GraphNodeView *node)
 *     {
 *         const bool map = onnx_computes_as_map(g, 1, node->in);
 *         const char *x = onnx_get(g, node->in[0], map);
 *         onnx_put(g, node->out, map, ONNX_OP(g, "Mul", x, ONNX_OP(g, "Tanh", ONNX_OP(g, "Softplus", x))));
 *     }
 *
 * Private to src/export.
 */
#ifndef METASEG_EXPORT_ONNX_TRANSLATE_H
#define METASEG_EXPORT_ONNX_TRANSLATE_H

#include "export/onnx_graph.h"
#include "ops/ops.h"

#define ONNX_OP_TRANSLATED(op) void onnx_translate_##op(OnnxGraph *g, const GraphNodeView *node);
#define ONNX_OP_FOLDED(op)
#include "export/onnx_ops.def"
#undef ONNX_OP_TRANSLATED
#undef ONNX_OP_FOLDED

OnnxFile *onnx_file_of(const OnnxGraph *g);

/* ---- values ---- */

Shape onnx_shape(const OnnxGraph *g, Var var); /* ours, channels last */
/* A value's name: as a map [B, C, H, W] (rank 4 alone), or in our own shape. */
const char *onnx_get(OnnxGraph *g, Var var, bool map);
void onnx_put(OnnxGraph *g, Var var, bool map, const char *name);
/* Whether a node on these values, in whatever form, is better done on maps: the form that most of them have. */
bool onnx_computes_as_map(const OnnxGraph *g, int32_t n, const Var *in);
/* The axis of ours that axis i is in that form, for rank 4; of other ranks i itself. */
int64_t onnx_axis(const OnnxGraph *g, Var var, bool map, int32_t axis);

/* Values of a constant, NULL of others. */
const float *onnx_values(const OnnxGraph *g, Var var);
/* A constant as what onnx_run() reads. */
Tensor onnx_weights(const OnnxGraph *g, Var var);
/* Values of a constant; where it is none an error of the file, and NULL. */
const float *onnx_needs_values(OnnxGraph *g, Var var);
/* Result `result` of a node is a constant; the values live as long as the file. */
void onnx_put_values(OnnxGraph *g, const GraphNodeView *node, int32_t result, const float *values);
/* A constant [C] as it is multiplied with a value in that form. */
const char *onnx_per_channel(OnnxGraph *g, Var constant, bool map);

/* ---- nodes ---- */

/* A new name that begins with the module's path. */
const char *onnx_name(OnnxGraph *g, const char *what);
const char *onnx_add(OnnxGraph *g, const char *op, int32_t n_in, const char *const *in);
#define ONNX_OP(g, op, ...)                                                                                            \
    onnx_add(g, op, (int32_t)(sizeof((const char *const[]){ __VA_ARGS__ }) / sizeof(const char *)),                    \
             (const char *const[]){ __VA_ARGS__ })
/* Constants: borrowed values of the file's life under a new name, a scalar, whole numbers. */
const char *onnx_constant(OnnxGraph *g, const char *what, int32_t rank, const int64_t *dims, const float *values);
#define ONNX_DIMS(...) ((const int64_t[]){ __VA_ARGS__ })
#define ONNX_INTS(g, ...)                                                                                              \
    onnx_ints(onnx_file_of(g), (int64_t)(sizeof(ONNX_DIMS(__VA_ARGS__)) / sizeof(int64_t)), ONNX_DIMS(__VA_ARGS__))
#define ONNX_RESHAPE(g, x, ...) ONNX_OP(g, "Reshape", x, ONNX_INTS(g, __VA_ARGS__))
const char *onnx_reshape(OnnxGraph *g, const char *x, const Shape *shape);
#define ONNX_TRANSPOSE(g, x, ...)                                                                                      \
    onnx_transpose(g, x, (int32_t)(sizeof(ONNX_DIMS(__VA_ARGS__)) / sizeof(int64_t)), ONNX_DIMS(__VA_ARGS__))
const char *onnx_transpose(OnnxGraph *g, const char *x, int32_t rank, const int64_t *order);
/* Elements first .. end - 1 along an axis; or those of a list of positions. */
const char *onnx_slice(OnnxGraph *g, const char *x, int64_t axis, int64_t first, int64_t end);
const char *onnx_gather(OnnxGraph *g, const char *x, int64_t axis, int64_t n, const int64_t *positions);
/* ReduceMean, ReduceL2 and their like, which leave dimensions of 1. */
const char *onnx_reduce(OnnxGraph *g, const char *op, const char *x, int64_t n, const int64_t *axes);
/* f(x), whatever its form. */
const char *onnx_activate(OnnxGraph *g, Activation activation, const char *x);

/* Runs an op of ours on constants; NULL after an error. The values live as long as the file. */
const float *onnx_run(OnnxGraph *g, const OpDef *op, const void *attr, int32_t n_in, const Tensor *in,
                      Shape *ret_shape);

#endif
