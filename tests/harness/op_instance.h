/* SPDX-License-Identifier: Apache-2.0
 *
 * One case of an op made concrete for one kernel: filled, guarded buffers and a prepared step. Used by op_check only;
 * all failures are reported by cmocka's fail_msg with the op, case and kernel.
 */
#ifndef METASEG_TESTS_OP_INSTANCE_H
#define METASEG_TESTS_OP_INSTANCE_H

#include "harness/op_check.h"

/* Memory between two zones of guard bytes; data is 64-byte aligned. */
typedef struct Guarded {
    uint8_t *base, *data;
    size_t bytes;
} Guarded;

/* Pristine inputs, reference results and loss weights of a case; the same for every kernel. */
typedef struct CaseData {
    const OpTest *test;
    const OpCase *op_case;
    int64_t case_index;
    int32_t n_in;
    Tensor in_shapes[STEP_MAX_IN], out_shapes[STEP_MAX_OUT]; /* data NULL */
    void *in[STEP_MAX_IN];                                   /* as the kernel reads them */
    double *in_double[STEP_MAX_IN];
    double *updated[STEP_MAX_IN];    /* expected values after forward, NULL: unchanged */
    double *reference[STEP_MAX_OUT]; /* results */
    float *weights[STEP_MAX_OUT];    /* of the loss sum(w * y); the gradient that arrives */
} CaseData;

/* How a step is run. */
typedef struct InstanceMode {
    bool training;
    bool saved;    /* saved outputs have memory */
    bool constant; /* inputs but the first are constant and packed */
    bool forward_in_place, backward_in_place;
    int32_t threads;
} InstanceMode;

typedef struct OpInstance {
    const CaseData *data;
    const Kernel *kernel;
    InstanceMode mode;
    Step step;
    Guarded in[STEP_MAX_IN], out[STEP_MAX_OUT], d_in[STEP_MAX_IN], d_out[STEP_MAX_OUT], workspace;
} OpInstance;

/* Zeroed memory that is never NULL; ends the process when there is none. Freed with free. */
void *test_allocate(size_t bytes);

/* Values of the case; with_reference also runs the reference. Freed by case_data_free. */
CaseData *case_data_new(const OpTest *test, int64_t case_index, bool with_reference);
void case_data_free(CaseData *data);

/* True for inputs that a gradient exists for. */
bool case_differentiable(const CaseData *data, int32_t input);
double case_tolerance(const CaseData *data);
double case_gradient_tolerance(const CaseData *data);

/* Allocates, fills and prepares. Returns false where the kernel does not suit the case in this mode. */
bool instance_init(OpInstance *instance, const CaseData *data, const Kernel *kernel, InstanceMode mode);
void instance_done(OpInstance *instance);

/* Restores inputs, poisons results and scratch, runs forward, checks guards. */
void instance_forward(OpInstance *instance);

/* Runs backward after instance_forward: poisons what backward does not read, and gradients that are not accumulated.
 * wanted and accumulate are bit sets over the inputs. Accumulated gradients must have been filled by the caller. */
void instance_backward(OpInstance *instance, uint32_t wanted, uint32_t accumulate);

#endif
