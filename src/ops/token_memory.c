/* SPDX-License-Identifier: Apache-2.0
 * Text memory: the prompts' tokens [B, K, L, C] followed by the null rows [N, C], the same for each image. */
#include "ops/ops.h"

#include <string.h>

static Err forward(const Step *step)
{
    const int64_t batch = step->in[0].shape.dim[0], null_count = shape_count(&step->in[1].shape);
    const int64_t token_count = shape_count(&step->in[0].shape) / batch;
    const float *tokens = step->in[0].data, *null = step->in[1].data;
    for (int64_t b = 0; b < batch; b++) {
        float *to = (float *)step->out[0].data + b * (token_count + null_count);
        memcpy(to, tokens + b * token_count, (size_t)token_count * sizeof *to);
        memcpy(to + token_count, null, (size_t)null_count * sizeof *to);
    }
    return ERR_NONE;
}

static void pass(const float *from, float *to, int64_t n, bool add)
{
#pragma omp simd
    for (int64_t i = 0; i < n; i++) to[i] = add ? to[i] + from[i] : from[i];
}

static Err backward(const Step *step)
{
    const int64_t batch = step->in[0].shape.dim[0], null_count = shape_count(&step->in[1].shape);
    const int64_t token_count = shape_count(&step->in[0].shape) / batch;
    const float *dy = step->d_out[0].data;
    float *d_tokens = step->d_in[0].data, *d_null = step->d_in[1].data;
    for (int64_t b = 0; b < batch; b++) {
        const float *from = dy + b * (token_count + null_count);
        if (d_tokens != NULL) pass(from, d_tokens + b * token_count, token_count, step->accumulate[0]);
        if (d_null != NULL) pass(from + token_count, d_null, null_count, step->accumulate[1] || b > 0);
    }
    return ERR_NONE;
}

static Err infer(const void *attr, int32_t n_in, const Tensor *in, Tensor *ret_out)
{
    char a[96], b[96];
    const Shape *tokens = &in[0].shape, *null = &in[1].shape;
    (void)attr, (void)n_in;
    if (in[0].dtype != DTYPE_F32 || in[1].dtype != DTYPE_F32 || tokens->rank != 4 || null->rank != 2 ||
        tokens->dim[3] != null->dim[1])
        return err_set(ERR_SHAPE, "token_memory: needs tokens [B, K, L, C] and null [N, C] in f32, not %s and %s",
                       shape_text(tokens, a, sizeof a), shape_text(null, b, sizeof b));
    const int64_t rows = tokens->dim[1] * tokens->dim[2] + null->dim[0];
    ret_out[0] = (Tensor){ DTYPE_F32, shape3(tokens->dim[0], rows, null->dim[1]), NULL };
    return ERR_NONE;
}

static const Kernel kernel_plain = { .name = "plain", .forward = forward, .backward = backward };
static const Kernel *const kernels[] = { &kernel_plain, NULL };

const OpDef op_def_token_memory = {
    .name = "token_memory",
    .min_in = 2,
    .max_in = 2,
    .n_out = 1,
    .n_results = 1,
    .infer = infer,
    .kernels = kernels,
};

Var op_token_memory(Graph *g, Var tokens, Var null)
{
    return graph_node(g, &op_def_token_memory, NULL, 2, (const Var[]){ tokens, null });
}
