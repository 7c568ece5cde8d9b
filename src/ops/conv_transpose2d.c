/* SPDX-License-Identifier: Apache-2.0
 *
 * y[b, k i + di, k j + dj, o] = bias[o] + sum_c x[b, i, j, c] weight[c, o, di, dj].
 * With columns [rows, Cout k k] = x [rows, Cin] weight [Cin, Cout k k]; backward, with the columns of dy:
 * dx = columns weight^T, dweight = x^T columns, dbias = sum of dy.
 */
#include "ops/column_sum.h"
#include "ops/conv_transpose2d_kernels.h"
#include "ops/kernel_util.h"

typedef struct Sizes {
    int64_t rows, W, in_channels, out_channels, k, columns; /* columns = Cout k k */
} Sizes;

static Sizes sizes_of(const Step *step)
{
    const Shape *weight = &step->in[1].shape;
    return (Sizes){ .rows = rows_of(&step->in[0]),
                    .W = step->in[0].shape.dim[2],
                    .in_channels = weight->dim[0],
                    .out_channels = weight->dim[1],
                    .k = weight->dim[2],
                    .columns = weight->dim[1] * weight->dim[2] * weight->dim[3] };
}

Err conv_transpose2d_prepare(Step *step)
{
    const Sizes n = sizes_of(step);
    step->workspace_bytes = (size_t)(n.rows * n.columns) * sizeof(float);
    return ERR_NONE;
}

/* The channels of pixel (di, dj) of the patch of a row of x. */
static int64_t place(const Sizes *n, int64_t row, int64_t di, int64_t dj)
{
    return ((row / n->W * n->k + di) * n->W * n->k + row % n->W * n->k + dj) * n->out_channels;
}

Err conv_transpose2d_forward(const Step *step, MatrixProduct product)
{
    const Sizes n = sizes_of(step);
    const float *bias = step->in[2].data;
    float *columns = step->workspace, *y = step->out[0].data;
    TRY(product(&step->device, false, false, n.rows, n.columns, n.in_channels, step->in[0].data, step->in[1].data,
                false, columns));
#pragma omp parallel for schedule(static) num_threads(step->device.threads)
    for (int64_t row = 0; row < n.rows; row++)
        for (int64_t i = 0; i < n.k * n.k; i++) {
            const float *from = columns + row * n.columns + i;
            float *to = y + place(&n, row, i / n.k, i % n.k);
            for (int64_t o = 0; o < n.out_channels; o++) to[o] = from[o * n.k * n.k] + bias[o];
        }
    return ERR_NONE;
}

Err conv_transpose2d_backward(const Step *step, MatrixProduct product)
{
    const Sizes n = sizes_of(step);
    const float *dy = step->d_out[0].data;
    float *columns = step->workspace;
#pragma omp parallel for schedule(static) num_threads(step->device.threads)
    for (int64_t row = 0; row < n.rows; row++)
        for (int64_t i = 0; i < n.k * n.k; i++) {
            const float *from = dy + place(&n, row, i / n.k, i % n.k);
            float *to = columns + row * n.columns + i;
            for (int64_t o = 0; o < n.out_channels; o++) to[o * n.k * n.k] = from[o];
        }
    if (step->d_in[2].data != NULL)
        column_sum(&step->device, dy, n.rows * n.k * n.k, n.out_channels, step->accumulate[2], step->d_in[2].data);
    if (step->d_in[1].data != NULL)
        TRY(product(&step->device, true, false, n.in_channels, n.columns, n.rows, step->in[0].data, columns,
                    step->accumulate[1], step->d_in[1].data));
    if (step->d_in[0].data != NULL)
        TRY(product(&step->device, false, true, n.rows, n.in_channels, n.columns, columns, step->in[1].data,
                    step->accumulate[0], step->d_in[0].data));
    return ERR_NONE;
}

static Err plain_product(const Device *device, bool transpose_a, bool transpose_b, int64_t m, int64_t n, int64_t k,
                         const float *a, const float *b, bool accumulate, float *c)
{
    const int64_t a_row = transpose_a ? 1 : k, a_column = transpose_a ? m : 1;
    const int64_t b_row = transpose_b ? 1 : n, b_column = transpose_b ? k : 1;
#pragma omp parallel for schedule(static) num_threads(device->threads)
    for (int64_t i = 0; i < m; i++) {
        float *to = c + i * n;
        for (int64_t j = 0; j < n && !accumulate; j++) to[j] = 0.0F;
        for (int64_t l = 0; l < k; l++) {
            const float factor = a[i * a_row + l * a_column];
            for (int64_t j = 0; j < n; j++) to[j] += factor * b[l * b_row + j * b_column];
        }
    }
    return ERR_NONE;
}

static Err forward(const Step *step) { return conv_transpose2d_forward(step, plain_product); }
static Err backward(const Step *step) { return conv_transpose2d_backward(step, plain_product); }

static Err infer(const void *attr, int32_t n_in, const Tensor *in, Tensor *ret_out)
{
    char text[3][64];
    const Shape *x = &in[0].shape, *weight = &in[1].shape, *bias = &in[2].shape;
    (void)attr;
    (void)n_in;
    for (int32_t i = 0; i < 3; i++) (void)shape_text(&in[i].shape, text[i], sizeof text[i]);
    if (in[0].dtype != DTYPE_F32 || in[1].dtype != DTYPE_F32 || in[2].dtype != DTYPE_F32 || x->rank != 4 ||
        weight->rank != 4 || bias->rank != 1 || weight->dim[0] != x->dim[3] || weight->dim[2] != weight->dim[3] ||
        weight->dim[2] < 1 || bias->dim[0] != weight->dim[1])
        return err_set(ERR_SHAPE,
                       "conv_transpose2d: x is %s, weight %s, bias %s; expected f32 [B, H, W, Cin], [Cin, Cout, k, k], "
                       "[Cout]",
                       text[0], text[1], text[2]);
    const int64_t k = weight->dim[2];
    ret_out[0] = (Tensor){ DTYPE_F32, shape4(x->dim[0], x->dim[1] * k, x->dim[2] * k, weight->dim[1]), NULL };
    return ERR_NONE;
}

static const Kernel kernel_plain = {
    .name = "plain", .prepare = conv_transpose2d_prepare, .forward = forward, .backward = backward
};
static const Kernel *const kernels[] = { KERNEL_DNNL(conv_transpose2d_dnnl) & kernel_plain, NULL };

static int64_t multiply_adds(const Step *step)
{
    const Shape *weight = &step->in[1].shape;
    return rows_of(&step->in[0]) * shape_count(weight);
}

const OpDef op_def_conv_transpose2d = {
    .name = "conv_transpose2d",
    .min_in = 3,
    .max_in = 3,
    .n_out = 1,
    .n_results = 1,
    .bwd_reads = READS_IN(0) | READS_IN(1),
    .infer = infer,
    .kernels = kernels,
    .multiply_adds = multiply_adds,
};

Var op_conv_transpose2d(Graph *g, Var x, Var weight, Var bias)
{
    return graph_node(g, &op_def_conv_transpose2d, NULL, 3, (const Var[]){ x, weight, bias });
}
