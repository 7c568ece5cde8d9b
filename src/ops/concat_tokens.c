/* SPDX-License-Identifier: Apache-2.0
 *
 * The tokens of a, then those of b: a [B, ..., C], b [B, ..., C] -> [B, Na + Nb, C]. Tokens that stand once, [N, C] or
 * [1, ..., C], are the same for each image (class and register tokens, null tokens of the text memory): their gradient
 * is the sum over the images, in their order.
 */
#include "ops/kernel_util.h"
#include "ops/ops.h"

#include <string.h>

static int64_t images_of(const Tensor *tensor) { return tensor->shape.rank > 2 ? tensor->shape.dim[0] : 1; }

/* Floats of the tokens of one image. */
static int64_t block_of(const Tensor *tensor) { return shape_count(&tensor->shape) / images_of(tensor); }

static Err forward(const Step *step)
{
    const int64_t batch = step->out[0].shape.dim[0], all = block_of(&step->out[0]);
    int64_t first = 0;
    for (int32_t i = 0; i < 2; i++) {
        const float *from = step->in[i].data;
        const int64_t n = block_of(&step->in[i]);
        const bool own = images_of(&step->in[i]) > 1;
        for (int64_t b = 0; b < batch; b++)
            memcpy((float *)step->out[0].data + b * all + first, own ? from + b * n : from, (size_t)n * sizeof *from);
        first += n;
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
    const int64_t batch = step->out[0].shape.dim[0], all = block_of(&step->out[0]);
    const float *dy = step->d_out[0].data;
    int64_t first = 0;
    for (int32_t i = 0; i < 2; i++) {
        float *dx = step->d_in[i].data;
        const int64_t n = block_of(&step->in[i]);
        const bool own = images_of(&step->in[i]) > 1;
        for (int64_t b = 0; b < batch && dx != NULL; b++)
            pass(dy + b * all + first, own ? dx + b * n : dx, n, step->accumulate[i] || (!own && b > 0));
        first += n;
    }
    return ERR_NONE;
}

static Err infer(const void *attr, int32_t n_in, const Tensor *in, Tensor *ret_out)
{
    char a[96], b[96];
    const int64_t images[] = { images_of(&in[0]), images_of(&in[1]) }, batch = max_int64(images[0], images[1]);
    (void)attr, (void)n_in;
    if (in[0].dtype != DTYPE_F32 || in[1].dtype != DTYPE_F32 || in[0].shape.rank < 2 || in[1].shape.rank < 2 ||
        channels_of(&in[0]) != channels_of(&in[1]) || images[0] < 1 || images[1] < 1 ||
        (images[0] != batch && images[0] != 1) || (images[1] != batch && images[1] != 1))
        return err_set(ERR_SHAPE,
                       "concat_tokens: needs f32 tokens [B, ..., C], or [N, C] for all images, not %s and %s",
                       shape_text(&in[0].shape, a, sizeof a), shape_text(&in[1].shape, b, sizeof b));
    const int64_t rows = rows_of(&in[0]) / images[0] + rows_of(&in[1]) / images[1];
    ret_out[0] = (Tensor){ DTYPE_F32, shape3(batch, rows, channels_of(&in[0])), NULL };
    return ERR_NONE;
}

static const Kernel kernel_plain = { .name = "plain", .forward = forward, .backward = backward };
static const Kernel *const kernels[] = { &kernel_plain, NULL };

const OpDef op_def_concat_tokens = {
    .name = "concat_tokens",
    .min_in = 2,
    .max_in = 2,
    .n_out = 1,
    .n_results = 1,
    .infer = infer,
    .kernels = kernels,
};

Var op_concat_tokens(Graph *g, Var a, Var b)
{
    return graph_node(g, &op_def_concat_tokens, NULL, 2, (const Var[]){ a, b });
}
