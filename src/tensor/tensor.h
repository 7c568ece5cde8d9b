/* SPDX-License-Identifier: Apache-2.0
 *
 * Element types, shapes and tensor views. A Tensor never owns memory: it points into an arena, a
 * parameter set or a caller's buffer. Row-major, last dimension contiguous, no strides.
 */
#ifndef METASEG_TENSOR_TENSOR_H
#define METASEG_TENSOR_TENSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum Dtype {
    DTYPE_F32 = 0,
    DTYPE_U8,
    DTYPE_I32,
    DTYPE_BF16,
    DTYPE_F16,
    DTYPE_F64,
    DTYPE_I64,
    DTYPE_COUNT
} Dtype;

/* Bytes of one element. */
size_t dtype_bytes(Dtype dtype);

/* "f32", "u8", ... as printed in program tables. */
const char *dtype_name(Dtype dtype);

enum { SHAPE_MAX_RANK = 5 };

/* Open struct: plain data. rank 0 is a scalar with one element. */
typedef struct Shape {
    int32_t rank;
    int64_t dim[SHAPE_MAX_RANK];
} Shape;

/* Number of elements. */
int64_t shape_count(const Shape *shape);
bool shape_equal(const Shape *a, const Shape *b);

/* Writes "[2, 128, 128, 64]" (cut to bytes). Returns text. */
const char *shape_text(const Shape *shape, char *text, size_t bytes);

/* A typed view of memory owned by somebody else. data may be NULL where a caller says "not wanted". */
typedef struct Tensor {
    Dtype dtype;
    Shape shape;
    void *data;
} Tensor;

size_t tensor_bytes(const Tensor *tensor);

/* IEEE half and bfloat16 conversions, round to nearest even. n elements. */
void convert_f32_to_f16(const float *from, uint16_t *to, int64_t n);
void convert_f16_to_f32(const uint16_t *from, float *to, int64_t n);
void convert_f32_to_bf16(const float *from, uint16_t *to, int64_t n);
void convert_bf16_to_f32(const uint16_t *from, float *to, int64_t n);

#ifdef __cplusplus
}
#endif
#endif
