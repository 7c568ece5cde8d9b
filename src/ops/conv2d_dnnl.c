/* SPDX-License-Identifier: Apache-2.0
 *
 * Convolution through oneDNN. Weights stay in PyTorch's order in the parameter set; oneDNN's order is made once by
 * pack() where they are constant (with the BatchNorm folded in), else before each run, into the workspace.
 *
 * 1x1 convolutions take their weight gradient, and gradients that are added to dx, from a plain matrix product: on two
 * cores of Sapphire Rapids it is 1.1 to 2.3 times as fast as the weight gradient of oneDNN's own 1x1 convolution.
 * Depthwise convolutions take the same two from our own kernel, if there is one for the device.
 */
#include "ops/conv2d_kernels.h"
#include "ops/dnnl_util.h"

#include <stdlib.h>

typedef struct ConvolutionState {
    OnednnOp *forward, *backward_data, *backward_weights;
    float *packed, *bias;    /* constant weights only */
    const Kernel *depthwise; /* takes over part of the backward pass; NULL: none */
    size_t depthwise_bytes;  /* its workspace */
} ConvolutionState;

/* True when gradients are added to dx without a copy of it. */
static bool adds_directly(const Conv2dShape *s, const ConvolutionState *state)
{
    return conv2d_is_pointwise(s) || state->depthwise != NULL;
}

static size_t weight_bytes(const Conv2dShape *s)
{
    return aligned_bytes((size_t)conv2d_weight_count(s) * sizeof(float));
}
static size_t bias_bytes(const Conv2dShape *s) { return aligned_bytes((size_t)s->out_channels * sizeof(float)); }
static size_t packed_bytes(const OnednnOp *op) { return op == NULL ? 0 : aligned_bytes(onednn_packed_bytes(op)); }
static size_t scratch_bytes(const OnednnOp *op) { return op == NULL ? 0 : aligned_bytes(onednn_scratch_bytes(op)); }
static size_t max_size(size_t a, size_t b) { return a > b ? a : b; }

/* Parts of the workspace; forward and backward use it in turn. */
typedef struct Scratch {
    float *packed;   /* weights in oneDNN's order, or their gradient */
    float *plain;    /* folded weights, or the gradient before it is added */
    float *bias;     /* folded bias */
    float *d_source; /* dx before it is added, unless it is added directly */
    void *library;
    size_t bytes;
} Scratch;

/* Lays the parts out from `base` on; without it only counts bytes. */
static Scratch scratch_of(const Step *step, const Conv2dShape *s, const ConvolutionState *state, char *base)
{
    const bool training = state->backward_data != NULL;
    const size_t library = max_size(max_size(scratch_bytes(state->forward), scratch_bytes(state->backward_data)),
                                    scratch_bytes(state->backward_weights));
    if (state->packed != NULL && !training) return (Scratch){ .library = base, .bytes = library };
    const size_t packed = max_size(max_size(packed_bytes(state->forward), packed_bytes(state->backward_data)),
                                   packed_bytes(state->backward_weights));
    const size_t d_source = training && !adds_directly(s, state) ? aligned_bytes(tensor_bytes(&step->in[0])) : 0;
    const size_t plain_at = library + packed, bias_at = plain_at + weight_bytes(s),
                 d_source_at = bias_at + bias_bytes(s);
    if (base == NULL) return (Scratch){ .bytes = d_source_at + d_source };
    return (Scratch){ .packed = (float *)(void *)(base + library),
                      .plain = (float *)(void *)(base + plain_at),
                      .bias = (float *)(void *)(base + bias_at),
                      .d_source = (float *)(void *)(base + d_source_at),
                      .library = base,
                      .bytes = d_source_at + d_source };
}

/* Rows or columns, with padding, that `results` of them and a kernel of so many taps read. */
static int64_t used(int64_t results, int64_t taps, const Conv2dShape *s)
{
    return (results - 1) * s->stride + (taps - 1) * s->dilation + 1;
}

static OnednnConvolution problem_of(const Conv2dShape *s)
{
    return (OnednnConvolution){ .batch = s->batch,
                                .in_height = s->in_height,
                                .in_width = s->in_width,
                                .in_channels = s->in_channels,
                                .out_height = s->out_height,
                                .out_width = s->out_width,
                                .out_channels = s->out_channels,
                                .kernel_height = s->kernel_height,
                                .kernel_width = s->kernel_width,
                                .groups = s->groups,
                                .stride = s->stride,
                                .dilation = s->dilation,
                                .top = s->top,
                                .left = s->left,
                                /* oneDNN wants the padding that is used: the rest of a division by the stride is not */
                                .bottom = used(s->out_height, s->kernel_height, s) - s->in_height - s->top,
                                .right = used(s->out_width, s->kernel_width, s) - s->in_width - s->left };
}

static void release(Step *step)
{
    ConvolutionState *state = step->state;
    if (state == NULL) return;
    onednn_free(state->forward);
    onednn_free(state->backward_data);
    onednn_free(state->backward_weights);
    free(state->packed);
    free(state->bias);
    free(state);
}

/* Workspace that our own kernel wants for its backward pass; it has no state where weights are not constant. */
static Err make_depthwise(const Step *step, ConvolutionState *state)
{
    Step own = *step;
    state->depthwise = conv2d_depthwise_kernel(step);
    if (state->depthwise == NULL) return ERR_NONE;
    TRY(step_prepare(state->depthwise, &own));
    state->depthwise_bytes = own.workspace_bytes;
    step_release(state->depthwise, &own);
    return ERR_NONE;
}

static Err make_backward(const Step *step, const Conv2dShape *s, ConvolutionState *state)
{
    const OnednnConvolution problem = problem_of(s);
    const OnednnFusion none = { .activation = ACTIVATION_NONE };
    TRY(onednn_convolution_new(&step->device, &problem, ONEDNN_BACKWARD_DATA, &none, &state->backward_data));
    TRY(make_depthwise(step, state));
    if (adds_directly(s, state)) return ERR_NONE;
    return onednn_convolution_new(&step->device, &problem, ONEDNN_BACKWARD_WEIGHTS, &none, &state->backward_weights);
}

static Err make_buffers(const Conv2dShape *s, ConvolutionState *state)
{
    const size_t bytes = packed_bytes(state->forward);
    state->packed = aligned_alloc(BUFFER_ALIGNMENT, bytes);
    if (state->packed == NULL) return err_memory(bytes, "packed convolution weights");
    state->bias = aligned_alloc(BUFFER_ALIGNMENT, bias_bytes(s));
    return state->bias == NULL ? err_memory(bias_bytes(s), "a folded convolution bias") : ERR_NONE;
}

static Err prepare(Step *step)
{
    const Conv2dShape s = conv2d_shape(step);
    const OnednnConvolution problem = problem_of(&s);
    const OnednnFusion fusion = { conv2d_has_bias(&s), s.activation, s.residual >= 0, s.activate_sum };
    ConvolutionState *state = calloc(1, sizeof *state);
    if (state == NULL) return err_memory(sizeof *state, "a convolution");
    step->state = state;
    Err err = onednn_convolution_new(&step->device, &problem, ONEDNN_FORWARD, &fusion, &state->forward);
    if (err == ERR_NONE && step->training) err = make_backward(step, &s, state);
    if (err == ERR_NONE && conv2d_is_constant(step, &s)) err = make_buffers(&s, state);
    if (err != ERR_NONE) {
        release(step);
        step->state = NULL;
        return err;
    }
    for (int32_t i = 1; i < step->n_in && state->packed != NULL; i++)
        if (i != s.residual) step->packed_in |= READS_IN(i);
    step->workspace_bytes = max_size(scratch_of(step, &s, state, NULL).bytes, state->depthwise_bytes);
    return ERR_NONE;
}

/* Folded weights in oneDNN's order and folded bias. `plain` holds the folded weights in between. */
static Err make_packed(const Step *step, const Conv2dShape *s, void *library, float *plain, float *packed, float *bias)
{
    const ConvolutionState *state = step->state;
    conv2d_fold(step, s, plain, bias);
    return onednn_pack(state->forward, plain, packed, library);
}

static Err pack(Step *step)
{
    const Conv2dShape s = conv2d_shape(step);
    const ConvolutionState *state = step->state;
    if (state->packed == NULL) return ERR_NONE;
    const size_t bytes = weight_bytes(&s) + scratch_bytes(state->forward);
    char *memory = aligned_alloc(BUFFER_ALIGNMENT, bytes);
    if (memory == NULL) return err_memory(bytes, "packing convolution weights");
    const Err err =
        make_packed(step, &s, memory + weight_bytes(&s), (float *)(void *)memory, state->packed, state->bias);
    free(memory);
    return err;
}

static Err forward(const Step *step)
{
    const Conv2dShape s = conv2d_shape(step);
    const ConvolutionState *state = step->state;
    const Scratch scratch = scratch_of(step, &s, state, step->workspace);
    OnednnArgs args = { .source = step->in[0].data,
                        .weights = scratch.packed,
                        .bias = scratch.bias,
                        .residual = s.residual >= 0 ? step->in[s.residual].data : NULL,
                        .target = step->out[0].data,
                        .scratch = scratch.library };
    if (state->packed != NULL) {
        args.weights = state->packed;
        args.bias = state->bias;
    } else if (s.batchnorm >= 0) {
        TRY(make_packed(step, &s, scratch.library, scratch.plain, scratch.packed, scratch.bias));
    } else {
        TRY(onednn_pack(state->forward, step->in[1].data, scratch.packed, scratch.library));
        args.bias = s.bias >= 0 ? step->in[s.bias].data : NULL;
    }
    return onednn_run(state->forward, &args);
}

/* to = or += from. */
static void store(const Step *step, const float *from, float *to, int64_t n, bool add)
{
#pragma omp parallel for simd schedule(static) num_threads(step->device.threads)
    for (int64_t i = 0; i < n; i++) to[i] = add ? to[i] + from[i] : from[i];
}

static Err backward_data(const Step *step, const Conv2dShape *s, const Scratch *scratch)
{
    const ConvolutionState *state = step->state;
    const int64_t pixels = s->batch * s->out_height * s->out_width;
    const float *dy = step->d_out[0].data;
    float *dx = step->d_in[0].data;
    const bool add = step->accumulate[0];
    if (add && conv2d_is_pointwise(s)) /* dx [pixels, Cin] += dy [pixels, Cout] W [Cout, Cin] */
        return onednn_sgemm(&step->device, false, false, pixels, s->in_channels, s->out_channels, dy, step->in[1].data,
                            true, dx);
    TRY(onednn_pack(state->backward_data, step->in[1].data, scratch->packed, scratch->library));
    TRY(onednn_run(state->backward_data, &(OnednnArgs){ .d_result = dy,
                                                        .weights = scratch->packed,
                                                        .target = add ? scratch->d_source : dx,
                                                        .scratch = scratch->library }));
    if (add) store(step, scratch->d_source, dx, shape_count(&step->in[0].shape), true);
    return ERR_NONE;
}

static Err backward_weights(const Step *step, const Conv2dShape *s, const Scratch *scratch)
{
    const ConvolutionState *state = step->state;
    const int64_t pixels = s->batch * s->out_height * s->out_width;
    const float *x = step->in[0].data, *dy = step->d_out[0].data;
    float *d_weight = step->d_in[1].data;
    const bool add = step->accumulate[1];
    if (conv2d_is_pointwise(s)) /* dW [Cout, Cin] = dy^T [Cout, pixels] x [pixels, Cin] */
        return onednn_sgemm(&step->device, true, false, s->out_channels, s->in_channels, pixels, dy, x, add, d_weight);
    TRY(onednn_run(
        state->backward_weights,
        &(OnednnArgs){ .source = x, .d_result = dy, .target = scratch->packed, .scratch = scratch->library }));
    TRY(onednn_unpack(state->backward_weights, scratch->packed, add ? scratch->plain : d_weight, scratch->library));
    if (add) store(step, scratch->plain, d_weight, conv2d_weight_count(s), true);
    return ERR_NONE;
}

/* Our own kernel does all but a dx that is overwritten. */
static Err backward_depthwise(const Step *step, const Conv2dShape *s, const Scratch *scratch)
{
    const ConvolutionState *state = step->state;
    Step own = *step;
    own.state = NULL;
    if (!step->accumulate[0]) own.d_in[0].data = NULL;
    TRY(state->depthwise->backward(&own));
    return step->d_in[0].data != NULL && !step->accumulate[0] ? backward_data(step, s, scratch) : ERR_NONE;
}

static Err backward(const Step *step)
{
    const Conv2dShape s = conv2d_shape(step);
    const ConvolutionState *state = step->state;
    const Scratch scratch = scratch_of(step, &s, state, step->workspace);
    if (state->depthwise != NULL) return backward_depthwise(step, &s, &scratch);
    if (step->d_in[1].data != NULL) TRY(backward_weights(step, &s, &scratch));
    if (step->d_in[0].data != NULL) TRY(backward_data(step, &s, &scratch));
    conv2d_bias_gradient(step, &s);
    return ERR_NONE;
}

static bool suits(const Step *step) { return !conv2d_own_wins(step); }

const Kernel conv2d_dnnl = {
    .name = "dnnl",
    .isa = ISA_AVX2,
    .suits = suits,
    .prepare = prepare,
    .pack = pack,
    .forward = forward,
    .backward = backward,
    .release = release,
};
