/* SPDX-License-Identifier: Apache-2.0
 * Rows of a table by id. Backward adds each row's gradient to its id's row, in the order of the tokens. */
#include "ops/ops.h"

#include <string.h>

static Err forward(const Step *step)
{
    const int32_t *ids = step->in[0].data;
    const float *table = step->in[1].data;
    const int64_t n = shape_count(&step->in[0].shape), rows = step->in[1].shape.dim[0],
                  width = step->in[1].shape.dim[1];
    float *y = step->out[0].data;
#pragma omp parallel for schedule(static)
    for (int64_t t = 0; t < n; t++) {
        ASSERT(ids[t] >= 0 && ids[t] < rows);
        memcpy(y + t * width, table + ids[t] * width, (size_t)width * sizeof *y);
    }
    return ERR_NONE;
}

static Err backward(const Step *step)
{
    const int32_t *ids = step->in[0].data;
    const float *dy = step->d_out[0].data;
    float *dtable = step->d_in[1].data;
    const int64_t n = shape_count(&step->in[0].shape), width = step->in[1].shape.dim[1];
    if (dtable == NULL) return ERR_NONE;
    if (!step->accumulate[1]) memset(dtable, 0, tensor_bytes(&step->in[1]));
    for (int64_t t = 0; t < n; t++) {
        float *row = dtable + ids[t] * width;
#pragma omp simd
        for (int64_t c = 0; c < width; c++) row[c] += dy[t * width + c];
    }
    return ERR_NONE;
}

static Err infer(const void *attr, int32_t n_in, const Tensor *in, Tensor *ret_out)
{
    char a[96], b[96];
    (void)attr, (void)n_in;
    if (in[0].dtype != DTYPE_I32 || in[1].dtype != DTYPE_F32 || in[0].shape.rank != 2 || in[1].shape.rank != 2)
        return err_set(ERR_SHAPE, "embedding: needs ids [B, T] i32 and a table [V, C] f32, not %s %s and %s %s",
                       shape_text(&in[0].shape, a, sizeof a), dtype_name(in[0].dtype),
                       shape_text(&in[1].shape, b, sizeof b), dtype_name(in[1].dtype));
    ret_out[0] = (Tensor){ DTYPE_F32, shape3(in[0].shape.dim[0], in[0].shape.dim[1], in[1].shape.dim[1]), NULL };
    return ERR_NONE;
}

static const Kernel kernel_plain = { .name = "plain", .forward = forward, .backward = backward };
static const Kernel *const kernels[] = { &kernel_plain, NULL };

const OpDef op_def_embedding = {
    .name = "embedding",
    .min_in = 2,
    .max_in = 2,
    .n_out = 1,
    .n_results = 1,
    .bwd_reads = READS_IN(0),
    .no_grad_in = 1U << 0,
    .infer = infer,
    .kernels = kernels,
};

Var op_embedding(Graph *g, Var ids, Var table)
{
    return graph_node(g, &op_def_embedding, NULL, 2, (const Var[]){ ids, table });
}
