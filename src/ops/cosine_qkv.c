/* SPDX-License-Identifier: Apache-2.0
 *
 * Queries, keys and values of cosine attention (Swin Transformer V2, Liu et al., CVPR 2022): per head, with size = D / heads,
 *   q' = s (q + b_q) / |q + b_q|,  k' = k / |k|,  v' = v + b_v,  s = sqrt(size) exp(min(logit_scale, ln 100)),
 * so that q' . k' / sqrt(size) is the scaled cosine; lengths at least 1e-12. Keys have no bias: b_k is not read.
 * Backward, with u = (q + b_q) / |q + b_q|:
 *   dq = s (dq' - u (u . dq')) / |q + b_q|, dk alike with 1 for s, dv = dv', db = sums over rows,
 *   dlogit_scale = s sum of u . dq', 0 where it is held at ln 100.
 * The second result is what a row of zeros gives: padding.
 */
#include "ops/kernel_util.h"
#include "ops/ops.h"

#include <math.h>

enum { MAX_CHUNKS = 32 };
static const float SHORTEST = 1e-12F, LARGEST_LOG = 4.605170186F; /* ln 100 */

typedef struct Row {
    int64_t D, heads, size;
    const float *bias, *scales; /* scales [heads]: s */
} Row;

static Row row_of(const Step *step, const float *scales)
{
    const int64_t D = channels_of(&step->in[0]) / 3, heads = shape_count(&step->in[2].shape);
    return (Row){ .D = D, .heads = heads, .size = D / heads, .bias = step->in[1].data, .scales = scales };
}

/* Workspace: s [heads], then per chunk the sums for bias [3 D] and scales [heads]. */
static int64_t sums(const Row *r) { return 3 * r->D + r->heads; }
static int64_t chunks_of(int64_t rows) { return min_int64(ceil_divide(rows, 64), MAX_CHUNKS); }

static Err prepare(Step *step)
{
    const Row r = row_of(step, NULL);
    const int64_t chunks = step->training ? chunks_of(rows_of(&step->in[0])) + 1 : 0;
    step->workspace_bytes = (size_t)(r.heads + chunks * sums(&r)) * sizeof(float);
    return ERR_NONE;
}

static const float *make_scales(const Step *step)
{
    const int64_t D = channels_of(&step->in[0]) / 3, heads = shape_count(&step->in[2].shape);
    const float *log_scale = step->in[2].data;
    float *scales = step->workspace;
    for (int64_t h = 0; h < heads; h++)
        scales[h] = sqrtf((float)(D / heads)) * expf(log_scale[h] < LARGEST_LOG ? log_scale[h] : LARGEST_LOG);
    return scales;
}

/* Value c of part 0, 1 or 2 of a row, with its bias; x NULL: zeros. */
static float value(const Row *r, const float *x, int64_t part, int64_t c)
{
    const int64_t at = part * r->D + c;
    return (x != NULL ? x[at] : 0.0F) + (part != 1 ? r->bias[at] : 0.0F);
}

static float length(const Row *r, const float *x, int64_t part, int64_t head)
{
    float sum = 0.0F;
    for (int64_t c = head * r->size; c < (head + 1) * r->size; c++) {
        const float v = value(r, x, part, c);
        sum += v * v;
    }
    return fmaxf(sqrtf(sum), SHORTEST);
}

static void forward_row(const Row *r, const float *x, float *y)
{
    for (int64_t part = 0; part < 2; part++)
        for (int64_t h = 0; h < r->heads; h++) {
            const float factor = (part == 0 ? r->scales[h] : 1.0F) / length(r, x, part, h);
            for (int64_t c = h * r->size; c < (h + 1) * r->size; c++)
                y[part * r->D + c] = factor * value(r, x, part, c);
        }
    for (int64_t c = 0; c < r->D; c++) y[2 * r->D + c] = value(r, x, 2, c);
}

static Err forward(const Step *step)
{
    const Row r = row_of(step, make_scales(step));
    const int64_t rows = rows_of(&step->in[0]);
    const float *x = step->in[0].data;
    float *y = step->out[0].data;
#pragma omp parallel for schedule(static) num_threads(step->device.threads)
    for (int64_t i = 0; i < rows; i++) forward_row(&r, x + i * 3 * r.D, y + i * 3 * r.D);
    if (step->out[1].data != NULL) forward_row(&r, NULL, step->out[1].data);
    return ERR_NONE;
}

/* One head's queries or keys: adds to the sums, writes or adds to dx (may be NULL). */
static void backward_head(const Row *r, const float *x, int64_t part, int64_t head, const float *dy, float *dx,
                          bool add, float *sum)
{
    const float inverse = 1.0F / length(r, x, part, head), s = part == 0 ? r->scales[head] : 1.0F;
    const int64_t begin = head * r->size, end = begin + r->size;
    float along = 0.0F;
    for (int64_t c = begin; c < end; c++) along += value(r, x, part, c) * inverse * dy[part * r->D + c];
    for (int64_t c = begin; c < end; c++) {
        const int64_t at = part * r->D + c;
        const float d = s * inverse * (dy[at] - value(r, x, part, c) * inverse * along);
        if (part == 0) sum[at] += d;
        if (dx != NULL) dx[at] = add ? dx[at] + d : d;
    }
    if (part == 0) sum[3 * r->D + head] += s * along;
}

static void backward_row(const Row *r, const float *x, const float *dy, float *dx, bool add, float *sum)
{
    for (int64_t part = 0; part < 2; part++)
        for (int64_t h = 0; h < r->heads; h++) backward_head(r, x, part, h, dy, dx, add, sum);
    for (int64_t at = 2 * r->D; at < 3 * r->D; at++) {
        sum[at] += dy[at];
        if (dx != NULL) dx[at] = add ? dx[at] + dy[at] : dy[at];
    }
}

/* The sums of all chunks, into the gradients of bias and scales. */
static void reduce(const Step *step, const Row *r, const float *partials, int64_t chunks)
{
    const float *log_scale = step->in[2].data;
    float *d_bias = step->d_in[1].data, *d_scale = step->d_in[2].data;
    for (int64_t i = 0; i < sums(r); i++) {
        const int64_t head = i - 3 * r->D;
        float *to = head < 0 ? d_bias : d_scale;
        if (to == NULL) continue;
        to += head < 0 ? i : head;
        const bool add = step->accumulate[head < 0 ? 1 : 2], held = head >= 0 && log_scale[head] >= LARGEST_LOG;
        double sum = add ? (double)*to : 0.0;
        for (int64_t chunk = 0; chunk < chunks && !held; chunk++) sum += (double)partials[chunk * sums(r) + i];
        *to = (float)sum;
    }
}

static Err backward(const Step *step)
{
    const Row r = row_of(step, make_scales(step));
    const int64_t rows = rows_of(&step->in[0]), chunks = chunks_of(rows), width = 3 * r.D;
    const float *x = step->in[0].data, *dy = step->d_out[0].data, *d_padding = step->d_out[1].data;
    float *dx = step->d_in[0].data, *partials = (float *)step->workspace + r.heads;
#pragma omp parallel for schedule(static) num_threads(step->device.threads)
    for (int64_t chunk = 0; chunk < chunks; chunk++) {
        float *sum = partials + chunk * sums(&r);
        for (int64_t i = 0; i < sums(&r); i++) sum[i] = 0.0F;
        for (int64_t i = chunk_begin(chunk, chunks, rows); i < chunk_begin(chunk + 1, chunks, rows) && dy != NULL; i++)
            backward_row(&r, x + i * width, dy + i * width, dx == NULL ? NULL : dx + i * width, step->accumulate[0],
                         sum);
    }
    float *last = partials + chunks * sums(&r);
    for (int64_t i = 0; i < sums(&r); i++) last[i] = 0.0F;
    if (d_padding != NULL) backward_row(&r, NULL, d_padding, NULL, false, last);
    reduce(step, &r, partials, chunks + 1);
    if (dy == NULL && dx != NULL && !step->accumulate[0])
        for (int64_t i = 0; i < rows * width; i++) dx[i] = 0.0F;
    return ERR_NONE;
}

static Err infer(const void *attr, int32_t n_in, const Tensor *in, Tensor *ret_out)
{
    char text[3][64];
    (void)attr;
    const int64_t width = in[0].shape.rank > 0 ? channels_of(&in[0]) : 0, heads = shape_count(&in[2].shape);
    bool fits = in[0].shape.rank >= 2 && in[1].shape.rank == 1 && in[1].shape.dim[0] == width && heads > 0 &&
                width % (3 * heads) == 0;
    for (int32_t i = 0; i < n_in; i++) fits = fits && in[i].dtype == DTYPE_F32;
    if (!fits)
        return err_set(ERR_SHAPE,
                       "cosine_qkv: qkv %s, bias %s, scales %s; expected f32 [..., 3 * heads * size], "
                       "[3 * heads * size] and one scale per head",
                       shape_text(&in[0].shape, text[0], sizeof text[0]),
                       shape_text(&in[1].shape, text[1], sizeof text[1]),
                       shape_text(&in[2].shape, text[2], sizeof text[2]));
    ret_out[0] = in[0];
    ret_out[1] = in[1];
    return ERR_NONE;
}

static const Kernel kernel_plain = { .name = "plain", .prepare = prepare, .forward = forward, .backward = backward };
static const Kernel *const kernels[] = { &kernel_plain, NULL };

const OpDef op_def_cosine_qkv = {
    .name = "cosine_qkv",
    .min_in = 3,
    .max_in = 3,
    .n_out = 2,
    .n_results = 2,
    .bwd_reads = READS_IN(0) | READS_IN(1) | READS_IN(2),
    .infer = infer,
    .kernels = kernels,
};

Var op_cosine_qkv(Graph *g, Var qkv, Var bias, Var logit_scale)
{
    return graph_node(g, &op_def_cosine_qkv, NULL, 3, (const Var[]){ qkv, bias, logit_scale });
}
