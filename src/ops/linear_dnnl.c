/* SPDX-License-Identifier: Apache-2.0
 *
 * Linear through oneDNN: forward a matrix product, backward plain matrix products.
 *
 * Below AVX-512 oneDNN has no kernels of its own for products with packed weights and takes its sgemm, which orders the weights
 * anew each time. Its 1x1 convolution is the same sum and keeps their order: on one core of Zen 3 it takes 0.81 to 0.95 of the
 * time of a Swin Transformer's layers, and 0.46 where 256 rows meet weights [3072, 768].
 */
#include "ops/dnnl_util.h"
#include "ops/linear_kernels.h"

#include <stdlib.h>

typedef struct LinearState {
    OnednnOp *forward;
    float *packed;    /* constant weights only: in oneDNN's order */
    bool convolution; /* forward is a 1x1 convolution, which wants its weights packed */
} LinearState;

static void release(Step *step)
{
    LinearState *state = step->state;
    if (state == NULL) return;
    onednn_free(state->forward);
    free(state->packed);
    free(state);
}

/* Enough rows to pay for packing weights that change. */
static bool convolution_pays(const Step *step, const LinearShape *s)
{
    enum { ROWS = 128 };
    return step->device.isa < ISA_AVX512 && s->rows >= ROWS;
}

static Err make(const Step *step, LinearState *state)
{
    const LinearShape s = linear_shape(step);
    const OnednnFusion fusion = { .bias = s.has_bias, .activation = s.activation, .residual = s.residual >= 0 };
    const bool constant = step->constant[1];
    state->convolution = convolution_pays(step, &s);
    if (state->convolution) {
        const OnednnConvolution rows = { .batch = 1,
                                         .in_height = s.rows,
                                         .in_width = 1,
                                         .in_channels = s.in_channels,
                                         .out_height = s.rows,
                                         .out_width = 1,
                                         .out_channels = s.out_channels,
                                         .kernel_height = 1,
                                         .kernel_width = 1,
                                         .groups = 1,
                                         .stride = 1,
                                         .dilation = 1 };
        TRY(onednn_convolution_new(&step->device, &rows, ONEDNN_FORWARD, &fusion, &state->forward));
    } else {
        TRY(onednn_matmul_new(&step->device, s.rows, s.in_channels, s.out_channels, constant, &fusion,
                              &state->forward));
    }
    if (!constant) return ERR_NONE;
    const size_t bytes = aligned_bytes(onednn_packed_bytes(state->forward));
    state->packed = aligned_alloc(64, bytes);
    return state->packed == NULL ? err_memory(bytes, "packed linear weights") : ERR_NONE;
}

static Err prepare(Step *step)
{
    LinearState *state = calloc(1, sizeof *state);
    if (state == NULL) return err_memory(sizeof *state, "a linear layer");
    step->state = state;
    const Err err = make(step, state);
    if (err != ERR_NONE) {
        release(step);
        step->state = NULL;
        return err;
    }
    if (state->packed != NULL) step->packed_in = READS_IN(1);
    step->workspace_bytes = onednn_scratch_bytes(state->forward);
    if (state->convolution && state->packed == NULL) /* the packed weights, then the scratch */
        step->workspace_bytes += aligned_bytes(onednn_packed_bytes(state->forward));
    return ERR_NONE;
}

static Err pack(Step *step)
{
    const LinearState *state = step->state;
    if (state->packed == NULL) return ERR_NONE;
    const size_t bytes = (onednn_scratch_bytes(state->forward) + 64) / 64 * 64;
    void *scratch = aligned_alloc(64, bytes);
    if (scratch == NULL) return err_memory(bytes, "packing linear weights");
    const Err err = onednn_pack(state->forward, step->in[1].data, state->packed, scratch);
    free(scratch);
    return err;
}

static Err forward(const Step *step)
{
    const LinearShape s = linear_shape(step);
    const LinearState *state = step->state;
    const float *weights = state->packed != NULL ? state->packed : step->in[1].data;
    void *scratch = step->workspace;
    if (state->convolution && state->packed == NULL) {
        scratch = (char *)step->workspace + aligned_bytes(onednn_packed_bytes(state->forward));
        TRY(onednn_pack(state->forward, weights, step->workspace, scratch));
        weights = step->workspace;
    }
    return onednn_run(state->forward, &(OnednnArgs){ .source = step->in[0].data,
                                                     .weights = weights,
                                                     .bias = s.has_bias ? step->in[2].data : NULL,
                                                     .residual = s.residual >= 0 ? step->in[s.residual].data : NULL,
                                                     .target = step->out[0].data,
                                                     .scratch = scratch });
}

static Err backward(const Step *step)
{
    const LinearShape s = linear_shape(step);
    const float *x = step->in[0].data, *weight = step->in[1].data, *dy = step->d_out[0].data;
    if (step->d_in[0].data != NULL) /* dx [rows, Cin] = dy [rows, Cout] W [Cout, Cin] */
        TRY(onednn_sgemm(&step->device, false, false, s.rows, s.in_channels, s.out_channels, dy, weight,
                         step->accumulate[0], step->d_in[0].data));
    if (step->d_in[1].data != NULL) /* dW [Cout, Cin] = dy^T [Cout, rows] x [rows, Cin] */
        TRY(onednn_sgemm(&step->device, true, false, s.out_channels, s.in_channels, s.rows, dy, x, step->accumulate[1],
                         step->d_in[1].data));
    linear_bias_gradient(step);
    return ERR_NONE;
}

const Kernel linear_dnnl = {
    .name = "dnnl",
    .isa = ISA_AVX2,
    .prepare = prepare,
    .pack = pack,
    .forward = forward,
    .backward = backward,
    .release = release,
};
