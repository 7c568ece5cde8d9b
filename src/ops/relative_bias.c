/* SPDX-License-Identifier: Apache-2.0
 *
 * Continuous relative position bias (Swin Transformer V2, Liu et al., CVPR 2022): a table for windows of w x w as a function of
 * the distance, for row r = (dy + w - 1)(2w - 1) + dx + w - 1,
 *   t(d) = sign(d) log2(1 + 8 |d| / (w - 1)) / 3,  h = max(W1 (t(dy), t(dx)) + b1, 0),  z = W2 h,  table[r] = 16 sigmoid(z).
 * Backward: dz = dtable table (1 - table / 16), dW2 = dz^T h, dh = W2^T dz where h > 0, dW1 = dh^T t, db1 = sums of dh.
 */
#include "ops/ops.h"

#include <math.h>

static float coordinate(int64_t d, int64_t window)
{
    const float far = window > 1 ? 8.0F * fabsf((float)d) / (float)(window - 1) : 0.0F;
    return copysignf(log2f(1.0F + far) / 3.0F, (float)d);
}

typedef struct Sizes {
    int64_t window, side, hidden, heads;
} Sizes;

static Sizes sizes_of(const Step *step)
{
    const RelativeBiasAttr *attr = step->attr;
    return (Sizes){ attr->window, 2 * (int64_t)attr->window - 1, step->in[0].shape.dim[0], step->in[2].shape.dim[0] };
}

/* Workspace: h [hidden]; backward: dh [hidden], then sums in double for W1 and b1 [hidden, 3] and W2 [heads, hidden]. */
static Err prepare(Step *step)
{
    const Sizes s = sizes_of(step);
    const int64_t doubles = step->training ? s.hidden * 3 + s.heads * s.hidden : 0;
    step->workspace_bytes = (size_t)doubles * sizeof(double) + (size_t)(2 * s.hidden) * sizeof(float);
    return ERR_NONE;
}

static float *hidden_of(const Step *step, const Sizes *s)
{
    const int64_t doubles = step->training ? s->hidden * 3 + s->heads * s->hidden : 0;
    return (float *)(void *)((double *)step->workspace + doubles);
}

static void make_hidden(const Step *step, const Sizes *s, int64_t row, float *h)
{
    const float y = coordinate(row / s->side - s->window + 1, s->window);
    const float x = coordinate(row % s->side - s->window + 1, s->window);
    const float *weight = step->in[0].data, *bias = step->in[1].data;
    for (int64_t i = 0; i < s->hidden; i++) h[i] = fmaxf(weight[2 * i] * y + weight[2 * i + 1] * x + bias[i], 0.0F);
}

static Err forward(const Step *step)
{
    const Sizes s = sizes_of(step);
    const float *weight = step->in[2].data;
    float *h = hidden_of(step, &s), *table = step->out[0].data;
    for (int64_t row = 0; row < s.side * s.side; row++) {
        make_hidden(step, &s, row, h);
        for (int64_t head = 0; head < s.heads; head++) {
            float z = 0.0F;
            for (int64_t i = 0; i < s.hidden; i++) z += weight[head * s.hidden + i] * h[i];
            table[row * s.heads + head] = 16.0F / (1.0F + expf(-z));
        }
    }
    return ERR_NONE;
}

/* Adds what one row of the table gives to the sums. */
static void backward_row(const Step *step, const Sizes *s, int64_t row, double *first, double *second)
{
    const float *weight = step->in[2].data, *table = (const float *)step->out[0].data + row * s->heads;
    const float *d_table = (const float *)step->d_out[0].data + row * s->heads;
    float *h = hidden_of(step, s), *dh = h + s->hidden;
    const double y = (double)coordinate(row / s->side - s->window + 1, s->window);
    const double x = (double)coordinate(row % s->side - s->window + 1, s->window);
    make_hidden(step, s, row, h);
    for (int64_t i = 0; i < s->hidden; i++) dh[i] = 0.0F;
    for (int64_t head = 0; head < s->heads; head++) {
        const float dz = d_table[head] * table[head] * (1.0F - table[head] / 16.0F);
        for (int64_t i = 0; i < s->hidden; i++) {
            second[head * s->hidden + i] += (double)(dz * h[i]);
            if (h[i] > 0.0F) dh[i] += dz * weight[head * s->hidden + i];
        }
    }
    for (int64_t i = 0; i < s->hidden; i++) {
        first[3 * i] += (double)dh[i] * y;
        first[3 * i + 1] += (double)dh[i] * x;
        first[3 * i + 2] += (double)dh[i];
    }
}

static void store(float *to, double sum, bool add) { *to = (float)(sum + (add ? (double)*to : 0.0)); }

static Err backward(const Step *step)
{
    const Sizes s = sizes_of(step);
    double *first = step->workspace, *second = first + s.hidden * 3;
    float *d_weight = step->d_in[0].data, *d_bias = step->d_in[1].data, *d_out = step->d_in[2].data;
    for (int64_t i = 0; i < s.hidden * (3 + s.heads); i++) first[i] = 0.0;
    for (int64_t row = 0; row < s.side * s.side; row++) backward_row(step, &s, row, first, second);
    for (int64_t i = 0; i < s.hidden; i++) {
        if (d_weight != NULL) store(d_weight + 2 * i, first[3 * i], step->accumulate[0]);
        if (d_weight != NULL) store(d_weight + 2 * i + 1, first[3 * i + 1], step->accumulate[0]);
        if (d_bias != NULL) store(d_bias + i, first[3 * i + 2], step->accumulate[1]);
    }
    for (int64_t i = 0; i < s.heads * s.hidden && d_out != NULL; i++) store(d_out + i, second[i], step->accumulate[2]);
    return ERR_NONE;
}

static Err infer(const void *attribute, int32_t n_in, const Tensor *in, Tensor *ret_out)
{
    const RelativeBiasAttr *attr = attribute;
    char text[3][64];
    bool fits = attr->window >= 1 && in[0].shape.rank == 2 && in[0].shape.dim[1] == 2 && in[1].shape.rank == 1 &&
                in[1].shape.dim[0] == in[0].shape.dim[0] && in[2].shape.rank == 2 &&
                in[2].shape.dim[1] == in[0].shape.dim[0];
    for (int32_t i = 0; i < n_in; i++) fits = fits && in[i].dtype == DTYPE_F32;
    if (!fits)
        return err_set(ERR_SHAPE, "relative_bias: weights %s, %s, %s; expected f32 [n, 2], [n], [heads, n]",
                       shape_text(&in[0].shape, text[0], sizeof text[0]),
                       shape_text(&in[1].shape, text[1], sizeof text[1]),
                       shape_text(&in[2].shape, text[2], sizeof text[2]));
    const int64_t side = 2 * (int64_t)attr->window - 1;
    ret_out[0] = (Tensor){ .dtype = DTYPE_F32, .shape = shape2(side * side, in[2].shape.dim[0]) };
    return ERR_NONE;
}

static const Kernel kernel_plain = { .name = "plain", .prepare = prepare, .forward = forward, .backward = backward };
static const Kernel *const kernels[] = { &kernel_plain, NULL };

const OpDef op_def_relative_bias = {
    .name = "relative_bias",
    .min_in = 3,
    .max_in = 3,
    .n_out = 1,
    .n_results = 1,
    .bwd_reads = READS_IN(0) | READS_IN(1) | READS_IN(2) | READS_OUT(0),
    .attr_size = sizeof(RelativeBiasAttr),
    .infer = infer,
    .kernels = kernels,
};

Var op_relative_bias(Graph *g, Var weight1, Var bias1, Var weight2, int32_t window)
{
    const RelativeBiasAttr attr = { window };
    return graph_node(g, &op_def_relative_bias, &attr, 3, (const Var[]){ weight1, bias1, weight2 });
}
