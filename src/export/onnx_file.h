/* SPDX-License-Identifier: Apache-2.0
 *
 * An ONNX model being built, and its file (IR version 9, opset 17); the only home of protobuf-c. It knows messages, not
 * networks: onnx_graph.h says what is in them. The first error sticks, later calls do nothing, onnx_file_write() returns it. All that is
 * made here lives until onnx_file_free(); names are its own text.
 *
 *     OnnxFile *file = NULL;
 *     TRY(onnx_file_new(&file));
 *     onnx_input(file, "x", 2, (const int64_t[]){ 1, 3 }, NULL);
 *     const char *y = onnx_node(file, "Relu", "y", 1, (const char *const[]){ "x" });
 *     onnx_output(file, y, 2, (const int64_t[]){ 1, 3 });
 *     Err err = onnx_file_write(file, stream, "model.onnx");
 *     onnx_file_free(file);
 */
#ifndef METASEG_EXPORT_ONNX_FILE_H
#define METASEG_EXPORT_ONNX_FILE_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum { ONNX_IR_VERSION = 9, ONNX_OPSET = 17, ONNX_MOST_IN = 8, ONNX_MOST_RANK = 8 };

typedef struct OnnxFile OnnxFile;

Err onnx_file_new(OnnxFile **ret_file);
void onnx_file_free(OnnxFile *file);

/* Records an error, once. */
void onnx_fail(OnnxFile *file, Err err, const char *format, ...) PRINTF_LIKE(3, 4);
bool onnx_failed(const OnnxFile *file);

/* Memory and text of the file's life; after an error NULL and "". */
void *onnx_room(OnnxFile *file, int64_t count, size_t bytes);
const char *onnx_text(OnnxFile *file, const char *format, ...) PRINTF_LIKE(2, 3);

/* Inputs and outputs of the model, all of floats. note: what it is, NULL: none. */
void onnx_input(OnnxFile *file, const char *name, int32_t rank, const int64_t *dims, const char *note);
void onnx_output(OnnxFile *file, const char *name, int32_t rank, const int64_t *dims, const char *note);

/* Constants; return the name. A name that is there already stands for the same values and is not added again. values of floats are
 * borrowed until the file is written. */
const char *onnx_floats(OnnxFile *file, const char *name, int32_t rank, const int64_t *dims, const float *values);
const char *onnx_float(OnnxFile *file, float value);                     /* a scalar, named by its value */
const char *onnx_ints(OnnxFile *file, int64_t n, const int64_t *values); /* [n], named by its values */
bool onnx_has_constant(const OnnxFile *file, const char *name);

/* Adds a node with one result; returns the result's name. n_in inputs ("" for one that is left out). */
const char *onnx_node(OnnxFile *file, const char *op, const char *result, int32_t n_in, const char *const *in);
/* Attributes of the node that was added last. */
void onnx_set_int(OnnxFile *file, const char *name, int64_t value);
void onnx_set_float(OnnxFile *file, const char *name, float value);
void onnx_set_ints(OnnxFile *file, const char *name, int64_t n, const int64_t *values);
void onnx_set_string(OnnxFile *file, const char *name, const char *value);

/* An entry of the model's metadata. */
void onnx_metadata(OnnxFile *file, const char *key, const char *value);

/* Writes the model. The first error; ERR_OUTPUT with path; ERR_UNSUPPORTED: more than 2 GB, which protobuf cannot hold. */
Err onnx_file_write(OnnxFile *file, FILE *stream, const char *path);

#endif
