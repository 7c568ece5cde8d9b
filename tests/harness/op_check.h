/* SPDX-License-Identifier: Apache-2.0
 *
 * Checks of one op. An op's test file holds a naive double reference and a table of cases; op_check runs, for every
 * kernel of the op that this CPU can run: forward against the reference, backward against central differences of the
 * double reference under a random-projection loss sum(w * y), accumulation on and off, single gradients not wanted,
 * inputs and outputs that backward does not declare to read overwritten with NaN before it, in-place where the op
 * allows it, inference without saved outputs with changing and with constant (packed) inputs, one to three threads,
 * guard bytes, scratch full of NaN, run twice and compare bits. A kernel that no case reaches is an error.
 *
 *     op_check NAME [CASE]     checks one op (one case of it);  op_check --list;  op_check --perf NAME [THREADS]
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
 * low..high-1; AWAY_FROM_KINKS draws from [-3, 9) and stays 0.05 away from 0 and 6 (kinks of ReLU and ReLU6);
 * LABELS draws whole numbers low..high-1 and makes about one in six 255 (ignore); MASK draws 0 or, four times in ten,
 * -1e9. */
typedef enum OpFill { FILL_NORMAL = 0, FILL_RANGE, FILL_INTEGER, FILL_AWAY_FROM_KINKS, FILL_LABELS, FILL_MASK } OpFill;

typedef struct OpInput {
    Dtype dtype;
    Shape shape; /* rank 0: no further inputs */
    OpFill fill;
    double low, high;
} OpInput;
#define OP_F32(rank, ...)                                                                                              \
    {                                                                                                                  \
        .dtype = DTYPE_F32, .shape = { rank, { __VA_ARGS__ } }                                                         \
    }
#define OP_RANGE(low_, high_, rank, ...)                                                                               \
    {                                                                                                                  \
        .dtype = DTYPE_F32, .shape = { rank, { __VA_ARGS__ } }, .fill = FILL_RANGE, .low = (low_), .high = (high_)     \
    }
#define OP_KINKS(rank, ...)                                                                                            \
    {                                                                                                                  \
        .dtype = DTYPE_F32, .shape = { rank, { __VA_ARGS__ } }, .fill = FILL_AWAY_FROM_KINKS                           \
    }
#define OP_U8(low_, high_, rank, ...)                                                                                  \
    {                                                                                                                  \
        .dtype = DTYPE_U8, .shape = { rank, { __VA_ARGS__ } }, .fill = FILL_INTEGER, .low = (low_), .high = (high_)    \
    }
#define OP_LABELS(classes_, rank, ...)                                                                                 \
    {                                                                                                                  \
        .dtype = DTYPE_U8, .shape = { rank, { __VA_ARGS__ } }, .fill = FILL_LABELS, .low = 0, .high = (classes_)       \
    }
#define OP_MASK(rank, ...)                                                                                             \
    {                                                                                                                  \
        .dtype = DTYPE_F32, .shape = { rank, { __VA_ARGS__ } }, .fill = FILL_MASK                                      \
    }
#define OP_I32(low_, high_, rank, ...)                                                                                 \
    {                                                                                                                  \
        .dtype = DTYPE_I32, .shape = { rank, { __VA_ARGS__ } }, .fill = FILL_INTEGER, .low = (low_), .high = (high_)   \
    }

typedef struct OpCase {
    OpInput in[STEP_MAX_IN];
    const void *attr;
    double tolerance;          /* of max|a - b| / max|reference|; 0: 1e-5; grows with sqrt of the reduction length */
    double gradient_tolerance; /* 0: same as tolerance */
    bool training;             /* the results hold in training only (dropout, batch statistics): no inference run */
    bool inference_only;       /* Step.training is false and backward is not checked */
    bool perf_only;            /* too large for the reference: only op_check --perf uses it */
} OpCase;

/* What Step.seed, run_step and node are, for references of ops that draw random numbers. */
enum { OP_CHECK_SEED = 1234, OP_CHECK_RUN_STEP = 3, OP_CHECK_NODE = 5 };

/* Naive forward in double: in[i] are doubles whatever the input's dtype, out[r] one buffer per result. */
typedef void (*OpReference)(const OpCase *op_case, const double *const *in, const Tensor *in_shapes, double *const *out,
                            const Tensor *out_shapes);

/* For ops that update inputs in place (running statistics): fills updated[i] with the expected values after one
 * forward, for each input i whose bit stands in OpTest.updates; updated[i] holds the old values. */
typedef void (*OpUpdate)(const OpCase *op_case, const double *const *in, const Tensor *in_shapes,
                         double *const *updated);

typedef struct OpTest {
    const OpDef *op;
    OpReference reference;
    const OpCase *cases;
    int64_t n_cases;
    OpUpdate update;  /* optional */
    uint32_t updates; /* bit i: training forward changes input i */
} OpTest;

#define OP(name) extern const OpTest op_test_##name;
#include "ops/ops.def"
#undef OP

#endif
