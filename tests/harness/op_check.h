/* SPDX-License-Identifier: Apache-2.0
 *
 * Checks of one op. An op's test file holds a naive double reference and a table of cases; op_check runs, for every
 * kernel of the op that this CPU can run: forward against the reference, backward against central differences of the double
 * reference under a random-projection loss sum(w * y), accumulation on and off, guard bytes, run twice and compare bits.
 *
 *     static const OpCase cases[] = {
 *         { .in = { OP_F32(3, 2, 7, 33), OP_F32(1, 33), OP_F32(1, 33) }, .attr = &eps5, .tolerance = 1e-5 },
 *     };
 *     const OpTest op_test_layernorm = { &op_def_layernorm, reference, cases, ARRAY_LEN(cases) };
 */
#ifndef METASEG_TESTS_OP_CHECK_H
#define METASEG_TESTS_OP_CHECK_H

#include "ops/ops.h"

/* Values of an input: RANGE draws uniformly from [low, high); NORMAL is standard normal; INTEGER draws whole numbers
 * low..high-1; CUSTOM calls the case's fill. KINK keeps away from the given points by 0.05 (ReLU at 0, ReLU6 at 6). */
typedef enum OpFill { FILL_NORMAL = 0, FILL_RANGE, FILL_INTEGER, FILL_AWAY_FROM_KINKS } OpFill;

typedef struct OpInput {
    Dtype dtype;
    Shape shape;      /* rank 0: no further inputs */
    OpFill fill;
    double low, high;
} OpInput;
#define OP_F32(rank, ...) { .dtype = DTYPE_F32, .shape = { rank, { __VA_ARGS__ } } }
#define OP_RANGE(low_, high_, rank, ...) \
    { .dtype = DTYPE_F32, .shape = { rank, { __VA_ARGS__ } }, .fill = FILL_RANGE, .low = (low_), .high = (high_) }
#define OP_KINKS(rank, ...) { .dtype = DTYPE_F32, .shape = { rank, { __VA_ARGS__ } }, .fill = FILL_AWAY_FROM_KINKS }
#define OP_U8(low_, high_, rank, ...) \
    { .dtype = DTYPE_U8, .shape = { rank, { __VA_ARGS__ } }, .fill = FILL_INTEGER, .low = (low_), .high = (high_) }
#define OP_I32(low_, high_, rank, ...) \
    { .dtype = DTYPE_I32, .shape = { rank, { __VA_ARGS__ } }, .fill = FILL_INTEGER, .low = (low_), .high = (high_) }

typedef struct OpCase {
    OpInput in[STEP_MAX_IN];
    const void *attr;
    double tolerance;        /* of max|a - b| / max|reference|; from the dtype (1e-5) and sqrt of the reduction length */
    double gradient_tolerance; /* 0: same as tolerance */
    bool training;           /* Step.training; backward is only checked when the op has one */
    bool inference_only;     /* no backward check */
} OpCase;

/* Naive forward in double: in[i] are doubles whatever the input's dtype, out[r] one buffer per result. */
typedef void (*OpReference)(const OpCase *op_case, const double *const *in, const Tensor *in_shapes, double *const *out,
                            const Tensor *out_shapes);

typedef struct OpTest {
    const OpDef *op;
    OpReference reference;
    const OpCase *cases;
    int64_t n_cases;
} OpTest;

#define OP(name) extern const OpTest op_test_##name;
#include "ops/ops.def"
#undef OP

#endif
