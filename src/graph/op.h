/* SPDX-License-Identifier: Apache-2.0
 *
 * What an op is: the contract between the engine (src/graph) and the kernels (src/ops).
 *
 * One op = one stem in src/ops: x.c (formula, attributes, shape rule, plain C kernel, descriptor, builder op_x()),
 * x_avx2.c / x_avx512.c (intrinsics, own compile flags), x_dnnl.c (oneDNN), x_test.c (double reference and cases),
 * and one line OP(x) in ops.def. A kernel gets a Step: it never allocates while running, never looks at the graph,
 * never logs. Only prepare and pack may allocate, release frees what they made.
 *
 * Shapes: ops over channels accept any leading dimensions; ops over tokens accept [B, H, W, C] as [B, H*W, C].
 */
#ifndef METASEG_GRAPH_OP_H
#define METASEG_GRAPH_OP_H

#include "base/err.h"
#include "tensor/device.h"
#include "tensor/tensor.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { STEP_MAX_IN = 10, STEP_MAX_OUT = 4 };

/* Sums `values` element by element over all ranks of a run, in place; NULL means one rank (identity).
 * BatchNorm statistics (forward and backward) and the sums of the loss go through it. */
typedef Err (*ReduceFn)(void *context, double *values, int64_t n);

/* One step of a program, as its kernel sees it. */
typedef struct Step {
    const void *attr; /* the op's attribute struct, NULL when attr_size is 0 */
    int32_t n_in, n_out;
    Tensor in[STEP_MAX_IN];
    Tensor out[STEP_MAX_OUT];     /* saved outputs (index >= n_results) have data NULL in inference */
    Tensor d_in[STEP_MAX_IN];     /* data NULL: gradient not wanted */
    Tensor d_out[STEP_MAX_OUT];   /* data NULL: no gradient arrives (always so for saved outputs) */
    bool accumulate[STEP_MAX_IN]; /* d_in[i] is added to instead of overwritten */
    bool constant[STEP_MAX_IN];   /* in[i] changes only between pack() calls (parameters of an inference program) */
    bool training;
    Device device;
    uint64_t seed; /* for RNG_DROPOUT: rng_u64(seed, RNG_DROPOUT, run_step * 4096 + node, index) */
    uint64_t run_step;
    int32_t node;
    ReduceFn reduce;
    void *reduce_context;
    void *state;            /* made by prepare, freed by release */
    uint32_t packed_in;     /* set by prepare: bit i, the constant in[i] is read by pack alone, never by forward */
    size_t workspace_bytes; /* set by prepare; forward and backward share the same scratch, 64-byte aligned */
    void *workspace;        /* contents do not survive from forward to backward */
} Step;

/* One implementation. Tables of an op list the best first; the first one the device can run is taken. */
typedef struct Kernel {
    const char *name; /* "plain", "avx2", "avx512", "dnnl", "winograd": printed in program tables */
    DeviceKind device;
    CpuIsa isa;                      /* lowest level that runs it; library kernels say ISA_AVX2 */
    bool (*suits)(const Step *step); /* optional: refuses shapes or attributes it cannot do */
    Err (*prepare)(Step *step);      /* optional: shapes, attr and flags are set, data pointers are not */
    Err (*pack)(Step *step); /* optional: called before the first forward and whenever constant inputs changed */
    Err (*forward)(const Step *step);
    Err (*backward)(const Step *step); /* NULL: inference only */
    void (*release)(Step *step);       /* optional */
} Kernel;

#define READS_IN(i) (1U << (i))
#define READS_OUT(i) (1U << (16 + (i)))

enum {
    OP_INPLACE = 1U << 0, /* out[0] may be the same memory as in[0], d_in[0] the same as d_out[0] */
    OP_NO_GRAD = 1U << 1, /* never differentiated */
};

typedef struct OpDef {
    const char *name;
    int32_t min_in, max_in;
    int32_t n_out; /* results, then tensors saved for backward */
    int32_t n_results;
    uint32_t bwd_reads; /* which inputs and outputs backward needs; the planner frees all others early */
    uint32_t flags;
    uint32_t no_grad_in; /* bit i: input i has no gradient (labels, masks, running statistics) */
    size_t attr_size;
    /* Checks in[] (dtype and shape; data NULL) and fills dtype and shape of ret_out[0..n_out). ERR_SHAPE with a
     * sentence that names the op and the shapes. */
    Err (*infer)(const void *attr, int32_t n_in, const Tensor *in, Tensor *ret_out);
    const Kernel *const *kernels; /* NULL-terminated, best first; the plain one is last and does everything */
    /* Multiplications and additions, counted in pairs, of a direct forward run with the shapes of in[] and out[]; of
     * products of matrices and convolutions alone, as the field counts them. NULL: none. */
    int64_t (*multiply_adds)(const Step *step);
} OpDef;

/* Entries of a kernel table that exist only in some builds. */
#if METASEG_WITH_ONEDNN
#define KERNEL_DNNL(kernel) &(kernel),
#else
#define KERNEL_DNNL(kernel)
#endif
#if METASEG_WITH_X86
#define KERNEL_AVX2(kernel) &(kernel),
#define KERNEL_AVX512(kernel) &(kernel),
#else
#define KERNEL_AVX2(kernel)
#define KERNEL_AVX512(kernel)
#endif

/* Picks the first kernel of the table that the step's device can run and that suits it; in training only kernels that
 * have a backward. ERR_UNSUPPORTED otherwise. */
Err step_choose(const OpDef *op, const Step *step, const Kernel **ret_kernel);

/* OpDef.multiply_adds of a step, 0 where the op has none. */
int64_t step_multiply_adds(const OpDef *op, const Step *step);

/* The only places where kernels are called: program.c and the op tests go through them. */
Err step_prepare(const Kernel *kernel, Step *step);
Err step_pack(const Kernel *kernel, Step *step);
Err step_forward(const OpDef *op, const Kernel *kernel, const Step *step);
Err step_backward(const OpDef *op, const Kernel *kernel, const Step *step);
void step_release(const Kernel *kernel, Step *step);

#ifdef __cplusplus
}
#endif
#endif
