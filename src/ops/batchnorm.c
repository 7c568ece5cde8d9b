/* SPDX-License-Identifier: Apache-2.0
 *
 * BatchNorm over all dimensions but the last, with an optional ReLU6 (Ioffe and Szegedy 2015, as in PyTorch):
 *   y = act((x - mean) rstd weight + bias),  rstd = 1 / sqrt(var + eps), biased variance of the batch;
 *   running = (1 - momentum) running + momentum batch, with the unbiased variance.
 * Backward, with n = (x - mean) rstd, g = dy act', N values per channel:
 *   dx = rstd weight (g - sum(g) / N - n sum(g n) / N),  dweight = sum(g n),  dbias = sum(g).
 * Whether the activation passed a value is found again from x. Saved [2, C]: mean, then rstd.
 * Frozen: mean and var are the running ones in training too and stay as they are, so dx = rstd weight g.
 *
 * Statistics are sums over fixed chunks of rows, added in double in the order of the chunks: x, x^2 and the number of
 * rows, forward, and g, g n and the number of rows, backward, go through Step.reduce, so several ranks normalise as
 * one. dweight and dbias are the rank's own sums, as all gradients are.
 */
#include "ops/batchnorm_kernels.h"

#include <math.h>
#include <string.h>

enum { CHUNKS_MAX = 32, CHUNK_ROWS = 64 };

static int64_t chunk_count(int64_t rows) { return min_int64(max_int64(rows / CHUNK_ROWS, 1), CHUNKS_MAX); }

/* The workspace: sums of each chunk, their total with the count behind it, per-channel factors. */
typedef struct Scratch {
    double *partial;  /* [chunks, 2, C] */
    double *total;    /* [2 C + 1] */
    float *a, *b, *c; /* [C] each */
} Scratch;

static Scratch scratch_of(const Step *step)
{
    const int64_t C = channels_of(&step->in[0]), chunks = chunk_count(rows_of(&step->in[0]));
    Scratch scratch = { .partial = step->workspace };
    scratch.total = scratch.partial + chunks * 2 * C;
    scratch.a = (float *)(void *)(scratch.total + 2 * C + 1);
    scratch.b = scratch.a + C;
    scratch.c = scratch.b + C;
    return scratch;
}

Err batchnorm_prepare(Step *step)
{
    const int64_t C = channels_of(&step->in[0]), chunks = chunk_count(rows_of(&step->in[0]));
    step->workspace_bytes = (size_t)((chunks + 1) * 2 * C + 1) * sizeof(double) + (size_t)(3 * C) * sizeof(float);
    return ERR_NONE;
}

/* Adds up the sums of all chunks into total [2, C] and sets the number of rows behind them. */
static void total_sums(const Step *step, const BatchnormView *view, const Scratch *scratch,
                       void (*sums)(const BatchnormView *, int64_t, int64_t, double *))
{
    const int64_t C = view->channels, rows = rows_of(&step->in[0]), chunks = chunk_count(rows);
#pragma omp parallel for schedule(static) num_threads(step->device.threads)
    for (int64_t chunk = 0; chunk < chunks; chunk++) {
        double *partial = scratch->partial + chunk * 2 * C;
        memset(partial, 0, (size_t)(2 * C) * sizeof *partial);
        sums(view, chunk_begin(chunk, chunks, rows), chunk_begin(chunk + 1, chunks, rows), partial);
    }
    for (int64_t i = 0; i < 2 * C; i++) {
        scratch->total[i] = 0.0;
        for (int64_t chunk = 0; chunk < chunks; chunk++) scratch->total[i] += scratch->partial[chunk * 2 * C + i];
    }
    scratch->total[2 * C] = (double)rows;
}

static Err reduce(const Step *step, const Scratch *scratch)
{
    if (step->reduce == NULL) return ERR_NONE;
    return step->reduce(step->reduce_context, scratch->total, 2 * channels_of(&step->in[0]) + 1);
}

static void each_chunk(const Step *step, const BatchnormView *view,
                       void (*loop)(const BatchnormView *, int64_t, int64_t))
{
    const int64_t rows = rows_of(&step->in[0]), chunks = chunk_count(rows);
#pragma omp parallel for schedule(static) num_threads(step->device.threads)
    for (int64_t chunk = 0; chunk < chunks; chunk++)
        loop(view, chunk_begin(chunk, chunks, rows), chunk_begin(chunk + 1, chunks, rows));
}

static void save(const Step *step, int64_t c, double mean, double rstd)
{
    float *saved = step->out[1].data;
    if (saved == NULL) return;
    saved[c] = (float)mean;
    saved[channels_of(&step->in[0]) + c] = (float)rstd;
}

/* Mean (a) and scale (b) from the batch; updates the running statistics and fills `saved`. */
static void use_batch(const Step *step, const Scratch *scratch)
{
    const BatchnormAttr *attr = step->attr;
    const int64_t C = channels_of(&step->in[0]);
    const double n = scratch->total[2 * C], momentum = (double)attr->momentum;
    const float *weight = step->in[1].data;
    float *running_mean = step->in[3].data, *running_var = step->in[4].data;
    for (int64_t c = 0; c < C; c++) {
        const double mean = scratch->total[c] / n;
        const double var = fmax(scratch->total[C + c] / n - mean * mean, 0.0);
        const double rstd = 1.0 / sqrt(var + (double)attr->eps), unbiased = n > 1.0 ? var * n / (n - 1.0) : var;
        scratch->a[c] = (float)mean;
        scratch->b[c] = (float)(rstd * (double)weight[c]);
        save(step, c, mean, rstd);
        running_mean[c] = (float)((1.0 - momentum) * (double)running_mean[c] + momentum * mean);
        running_var[c] = (float)((1.0 - momentum) * (double)running_var[c] + momentum * unbiased);
    }
}

static void use_running(const Step *step, const Scratch *scratch)
{
    const BatchnormAttr *attr = step->attr;
    const float *weight = step->in[1].data, *mean = step->in[3].data, *var = step->in[4].data;
    for (int64_t c = 0; c < channels_of(&step->in[0]); c++) {
        const double rstd = 1.0 / sqrt((double)var[c] + (double)attr->eps);
        scratch->a[c] = mean[c];
        scratch->b[c] = (float)(rstd * (double)weight[c]);
        if (step->training) save(step, c, (double)mean[c], rstd);
    }
}

Err batchnorm_forward(const Step *step, const BatchnormLoops *loops)
{
    const BatchnormAttr *attr = step->attr;
    const Scratch scratch = scratch_of(step);
    const BatchnormView view = { .channels = channels_of(&step->in[0]),
                                 .activation = attr->activation,
                                 .x = step->in[0].data,
                                 .y = step->out[0].data,
                                 .mean = scratch.a,
                                 .scale = scratch.b,
                                 .bias = step->in[2].data };
    if (step->training && !attr->frozen) {
        total_sums(step, &view, &scratch, loops->sums);
        TRY(reduce(step, &scratch));
        use_batch(step, &scratch);
    } else {
        use_running(step, &scratch);
    }
    each_chunk(step, &view, loops->normalize);
    return ERR_NONE;
}

static void store_gradient(const Step *step, int32_t input, int64_t c, double value)
{
    float *gradient = step->d_in[input].data;
    if (gradient == NULL) return;
    gradient[c] = (float)(value + (step->accumulate[input] ? (double)gradient[c] : 0.0));
}

Err batchnorm_backward(const Step *step, const BatchnormLoops *loops)
{
    const BatchnormAttr *attr = step->attr;
    const Scratch scratch = scratch_of(step);
    const int64_t C = channels_of(&step->in[0]);
    const float *weight = step->in[1].data, *mean = step->out[1].data, *rstd = mean + C;
    const BatchnormView view = { .channels = C,
                                 .activation = attr->activation,
                                 .x = step->in[0].data,
                                 .dy = step->d_out[0].data,
                                 .dx = step->d_in[0].data,
                                 .add = step->accumulate[0],
                                 .mean = mean,
                                 .scale = scratch.a,
                                 .bias = step->in[2].data,
                                 .mean_g = scratch.b,
                                 .slope = scratch.c };
    for (int64_t c = 0; c < C; c++) scratch.a[c] = (float)((double)rstd[c] * (double)weight[c]);
    total_sums(step, &view, &scratch, loops->gradient_sums);
    for (int64_t c = 0; c < C; c++) {
        scratch.total[C + c] *= (double)rstd[c]; /* g (x - mean) -> g n */
        store_gradient(step, 1, c, scratch.total[C + c]);
        store_gradient(step, 2, c, scratch.total[c]);
    }
    if (step->d_in[0].data == NULL) return ERR_NONE;
    if (!attr->frozen) TRY(reduce(step, &scratch));
    const double n = scratch.total[2 * C];
    for (int64_t c = 0; c < C; c++) {
        scratch.b[c] = attr->frozen ? 0.0F : (float)(scratch.total[c] / n);
        scratch.c[c] = attr->frozen ? 0.0F : (float)(scratch.total[C + c] / n * (double)rstd[c]);
    }
    each_chunk(step, &view, loops->gradient);
    return ERR_NONE;
}

/* ---- plain loops ---- */

static void plain_sums(const BatchnormView *view, int64_t begin, int64_t end, double *sums)
{
    const int64_t C = view->channels;
    for (int64_t r = begin; r < end; r++) {
        for (int64_t c = 0; c < C; c++) {
            const double x = (double)view->x[r * C + c];
            sums[c] += x;
            sums[C + c] += x * x;
        }
    }
}

static float before_activation(const BatchnormView *view, int64_t i, int64_t c)
{
    return (view->x[i] - view->mean[c]) * view->scale[c] + view->bias[c];
}

static void plain_normalize(const BatchnormView *view, int64_t begin, int64_t end)
{
    const int64_t C = view->channels;
    for (int64_t r = begin; r < end; r++) {
        for (int64_t c = 0; c < C; c++) {
            float value = before_activation(view, r * C + c, c);
            if (view->activation != ACTIVATION_NONE)
                value = value > 0.0F ? fminf(value, batchnorm_high(view->activation)) : 0.0F;
            view->y[r * C + c] = value;
        }
    }
}

/* dy where the activation passed the value. */
static float passed(const BatchnormView *view, int64_t i, int64_t c)
{
    const float value = before_activation(view, i, c), dy = view->dy[i];
    return view->activation == ACTIVATION_NONE || (value > 0.0F && value < batchnorm_high(view->activation)) ? dy
                                                                                                             : 0.0F;
}

static void plain_gradient_sums(const BatchnormView *view, int64_t begin, int64_t end, double *sums)
{
    const int64_t C = view->channels;
    for (int64_t r = begin; r < end; r++) {
        for (int64_t c = 0; c < C; c++) {
            const double g = (double)passed(view, r * C + c, c);
            sums[c] += g;
            sums[C + c] += g * (double)(view->x[r * C + c] - view->mean[c]);
        }
    }
}

static void plain_gradient(const BatchnormView *view, int64_t begin, int64_t end)
{
    const int64_t C = view->channels;
    for (int64_t r = begin; r < end; r++) {
        for (int64_t c = 0; c < C; c++) {
            const int64_t i = r * C + c;
            const float gradient =
                view->scale[c] * (passed(view, i, c) - view->mean_g[c] - (view->x[i] - view->mean[c]) * view->slope[c]);
            view->dx[i] = view->add ? view->dx[i] + gradient : gradient;
        }
    }
}

static const BatchnormLoops plain_loops = { plain_sums, plain_normalize, plain_gradient_sums, plain_gradient };

static Err plain_forward(const Step *step) { return batchnorm_forward(step, &plain_loops); }
static Err plain_backward(const Step *step) { return batchnorm_backward(step, &plain_loops); }

/* ---- descriptor ---- */

static Err infer(const void *attribute, int32_t n_in, const Tensor *in, Tensor *ret_out)
{
    const BatchnormAttr *attr = attribute;
    char text[2][96];
    const int64_t C = channels_of(&in[0]);
    if (attr->activation > ACTIVATION_RELU6) return err_set(ERR_SHAPE, "batchnorm: only ReLU and ReLU6 can be fused");
    if (in[0].dtype != DTYPE_F32 || in[0].shape.rank < 2)
        return err_set(ERR_SHAPE, "batchnorm: x is %s; expected f32 [..., C]",
                       shape_text(&in[0].shape, text[0], sizeof text[0]));
    for (int32_t i = 1; i < n_in; i++)
        if (in[i].dtype != DTYPE_F32 || in[i].shape.rank != 1 || in[i].shape.dim[0] != C)
            return err_set(ERR_SHAPE, "batchnorm: x %s with parameter %d of shape %s; expected f32 [%d]",
                           shape_text(&in[0].shape, text[0], sizeof text[0]), i,
                           shape_text(&in[i].shape, text[1], sizeof text[1]), (int)C);
    ret_out[0] = (Tensor){ .dtype = DTYPE_F32, .shape = in[0].shape };
    ret_out[1] = (Tensor){ .dtype = DTYPE_F32, .shape = { 2, { 2, C } } };
    return ERR_NONE;
}

static const Kernel kernel_plain = {
    .name = "plain", .prepare = batchnorm_prepare, .forward = plain_forward, .backward = plain_backward
};
static const Kernel *const kernels[] = { KERNEL_AVX512(batchnorm_avx512) KERNEL_AVX2(batchnorm_avx2) & kernel_plain,
                                         NULL };

const OpDef op_def_batchnorm = {
    .name = "batchnorm",
    .min_in = 5,
    .max_in = 5,
    .n_out = 2,
    .n_results = 1,
    .bwd_reads = READS_IN(0) | READS_IN(1) | READS_IN(2) | READS_OUT(1),
    .flags = OP_INPLACE,
    .no_grad_in = 1U << 3 | 1U << 4,
    .attr_size = sizeof(BatchnormAttr),
    .infer = infer,
    .kernels = kernels,
};

Var op_batchnorm(Graph *g, Var x, Var weight, Var bias, Var running_mean, Var running_var, const BatchnormAttr *attr)
{
    return graph_node(g, &op_def_batchnorm, attr, 5, (const Var[]){ x, weight, bias, running_mean, running_var });
}
