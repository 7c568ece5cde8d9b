/* SPDX-License-Identifier: Apache-2.0
 *
 * Global response normalisation (Woo et al., "ConvNeXt V2", CVPR 2023), over the positions p of an image:
 *   G_c = sqrt(sum over p of x[p, c]^2),  N_c = G_c / (mean over c of G + eps),  y = x + weight (x N) + bias
 * Backward, with s_c = 1 + weight_c N_c, P_c = sum over p of dy x, M = mean of G + eps:
 *   dweight_c = N_c P_c,  dbias_c = sum over p of dy
 *   dG_c = weight_c P_c / M - sum over k of (weight_k P_k G_k) / (C M^2)
 *   dx = dy s + x dG_c / G_c, the second part 0 where G_c is 0 (x is 0 there)
 * The sums are made in chunks of positions that depend on the shape alone; chunks are added in double.
 */
#include "ops/kernel_util.h"
#include "ops/ops.h"

#include <math.h>

typedef struct GrnShape {
    int64_t batch, positions, channels;
    int64_t chunks; /* of the positions of an image */
} GrnShape;

static GrnShape shape_of(const Step *step)
{
    const Shape *shape = &step->in[0].shape;
    GrnShape s = { .batch = shape->dim[0], .channels = shape->dim[shape->rank - 1] };
    s.positions = shape_count(shape) / (s.batch * s.channels);
    s.chunks = min_int64(ceil_divide(s.positions, 64), 64);
    return s;
}

/* Workspace: scales of x or dy and factors of x, both [batch, channels]; two partial sums of each chunk. */
typedef struct Scratch {
    float *scale, *factor;
    float *sums; /* sum i of a chunk begins at (chunk * 2 + i) * channels */
} Scratch;

static Scratch scratch_of(const Step *step)
{
    const GrnShape s = shape_of(step);
    float *base = step->workspace;
    return (Scratch){ .scale = base, .factor = base + s.batch * s.channels, .sums = base + 2 * s.batch * s.channels };
}

static Err prepare(Step *step)
{
    const GrnShape s = shape_of(step);
    step->workspace_bytes = (size_t)(2 * s.batch * s.channels * (1 + s.chunks)) * sizeof(float);
    return ERR_NONE;
}

/* Sum i over the chunks of image b, channel c. */
static double total(const GrnShape *s, const float *sums, int64_t b, int64_t c, int64_t i)
{
    double sum = 0;
    for (int64_t k = 0; k < s->chunks; k++) sum += (double)sums[((b * s->chunks + k) * 2 + i) * s->channels + c];
    return sum;
}

/* A chunk of the whole batch: its image, and where in x it begins. */
typedef struct Chunk {
    int64_t image, offset, positions;
} Chunk;
static Chunk chunk_of(const GrnShape *s, int64_t k)
{
    const int64_t begin = chunk_begin(k % s->chunks, s->chunks, s->positions);
    const int64_t end = chunk_begin(k % s->chunks + 1, s->chunks, s->positions);
    return (Chunk){ .image = k / s->chunks,
                    .offset = (k / s->chunks * s->positions + begin) * s->channels,
                    .positions = end - begin };
}

static double mean_norm(const GrnShape *s, const float *norms, float eps)
{
    double sum = 0;
    for (int64_t c = 0; c < s->channels; c++) sum += (double)norms[c];
    return sum / (double)s->channels + (double)eps;
}

/* ---- loops over a chunk of n positions; they read memory in order and are bound by it ---- */

/* sum = sum of x^2. */
static void sum_squares(const float *x, int64_t n, int64_t C, float *sum)
{
    for (int64_t c = 0; c < C; c++) sum[c] = 0.0F;
    for (int64_t p = 0; p < n; p++)
        for (int64_t c = 0; c < C; c++) sum[c] += x[p * C + c] * x[p * C + c];
}

/* y = x scale + bias. */
static void scale_chunk(const float *x, const float *scale, const float *bias, int64_t n, int64_t C, float *y)
{
    for (int64_t p = 0; p < n; p++)
        for (int64_t c = 0; c < C; c++) y[p * C + c] = x[p * C + c] * scale[c] + bias[c];
}

/* product = sum of dy x, sum = sum of dy. */
static void sum_products(const float *x, const float *dy, int64_t n, int64_t C, float *product, float *sum)
{
    for (int64_t c = 0; c < C; c++) product[c] = sum[c] = 0.0F;
    for (int64_t p = 0; p < n; p++) {
        for (int64_t c = 0; c < C; c++) {
            product[c] += dy[p * C + c] * x[p * C + c];
            sum[c] += dy[p * C + c];
        }
    }
}

/* dx = (or +=) dy scale + x factor; dx may be dy. */
static void gradient_chunk(const float *x, const float *dy, const float *scale, const float *factor, int64_t n,
                           int64_t C, bool add, float *dx)
{
    for (int64_t p = 0; p < n; p++) {
        for (int64_t c = 0; c < C; c++) {
            const float d = dy[p * C + c] * scale[c] + x[p * C + c] * factor[c];
            dx[p * C + c] = add ? dx[p * C + c] + d : d;
        }
    }
}

static Err forward(const Step *step)
{
    const GrnShape s = shape_of(step);
    const Scratch scratch = scratch_of(step);
    const GrnAttr *attr = step->attr;
    const float *x = step->in[0].data, *weight = step->in[1].data, *bias = step->in[2].data;
    float *y = step->out[0].data, *saved = step->out[1].data;
#pragma omp parallel for schedule(static) num_threads(step->device.threads)
    for (int64_t k = 0; k < s.batch * s.chunks; k++) {
        const Chunk chunk = chunk_of(&s, k);
        sum_squares(x + chunk.offset, chunk.positions, s.channels, scratch.sums + k * 2 * s.channels);
    }
    for (int64_t b = 0; b < s.batch; b++) {
        float *scale = scratch.scale + b * s.channels;
        for (int64_t c = 0; c < s.channels; c++) scale[c] = (float)sqrt(total(&s, scratch.sums, b, c, 0));
        for (int64_t c = 0; c < s.channels && saved != NULL; c++) saved[b * s.channels + c] = scale[c];
        const double mean = mean_norm(&s, scale, attr->eps);
        for (int64_t c = 0; c < s.channels; c++) scale[c] = (float)(1.0 + (double)weight[c] * (double)scale[c] / mean);
    }
#pragma omp parallel for schedule(static) num_threads(step->device.threads)
    for (int64_t k = 0; k < s.batch * s.chunks; k++) {
        const Chunk chunk = chunk_of(&s, k);
        scale_chunk(x + chunk.offset, scratch.scale + chunk.image * s.channels, bias, chunk.positions, s.channels,
                    y + chunk.offset);
    }
    return ERR_NONE;
}

/* Scales of dy and factors of x of image b from the sums; adds the image's part of dweight and dbias. */
static void backward_image(const Step *step, const GrnShape *s, const Scratch *scratch, int64_t b, bool first)
{
    const float *weight = step->in[1].data, *norms = (const float *)step->out[1].data + b * s->channels;
    float *d_weight = step->d_in[1].data, *d_bias = step->d_in[2].data;
    float *scale = scratch->scale + b * s->channels, *factor = scratch->factor + b * s->channels;
    const double mean = mean_norm(s, norms, ((const GrnAttr *)step->attr)->eps);
    double shared = 0;
    for (int64_t c = 0; c < s->channels; c++) {
        const double product = total(s, scratch->sums, b, c, 0), n = (double)norms[c] / mean;
        shared += (double)weight[c] * product * (double)norms[c];
        scale[c] = (float)(1.0 + (double)weight[c] * n);
        factor[c] = (float)product;
        if (d_weight != NULL) d_weight[c] = (float)(n * product) + (first && !step->accumulate[1] ? 0.0F : d_weight[c]);
        if (d_bias != NULL)
            d_bias[c] = (float)total(s, scratch->sums, b, c, 1) + (first && !step->accumulate[2] ? 0.0F : d_bias[c]);
    }
    shared /= (double)s->channels * mean * mean;
    for (int64_t c = 0; c < s->channels; c++) {
        const double d_norm = (double)weight[c] * (double)factor[c] / mean - shared;
        factor[c] = norms[c] > 0.0F ? (float)(d_norm / (double)norms[c]) : 0.0F;
    }
}

static Err backward(const Step *step)
{
    const GrnShape s = shape_of(step);
    const Scratch scratch = scratch_of(step);
    const float *x = step->in[0].data, *dy = step->d_out[0].data;
    float *dx = step->d_in[0].data;
#pragma omp parallel for schedule(static) num_threads(step->device.threads)
    for (int64_t k = 0; k < s.batch * s.chunks; k++) {
        const Chunk chunk = chunk_of(&s, k);
        float *sums = scratch.sums + k * 2 * s.channels;
        sum_products(x + chunk.offset, dy + chunk.offset, chunk.positions, s.channels, sums, sums + s.channels);
    }
    for (int64_t b = 0; b < s.batch; b++) backward_image(step, &s, &scratch, b, b == 0);
    if (dx == NULL) return ERR_NONE;
#pragma omp parallel for schedule(static) num_threads(step->device.threads)
    for (int64_t k = 0; k < s.batch * s.chunks; k++) {
        const Chunk chunk = chunk_of(&s, k);
        const int64_t at = chunk.image * s.channels;
        gradient_chunk(x + chunk.offset, dy + chunk.offset, scratch.scale + at, scratch.factor + at, chunk.positions,
                       s.channels, step->accumulate[0], dx + chunk.offset);
    }
    return ERR_NONE;
}

/* ---- descriptor ---- */

static Err infer(const void *attr, int32_t n_in, const Tensor *in, Tensor *ret_out)
{
    char text[3][96];
    (void)attr, (void)n_in;
    bool fits = in[0].shape.rank >= 2;
    for (int32_t i = 0; i < 3; i++) fits = fits && in[i].dtype == DTYPE_F32;
    for (int32_t i = 1; i < 3; i++) fits = fits && in[i].shape.rank == 1 && in[i].shape.dim[0] == channels_of(&in[0]);
    if (!fits)
        return err_set(ERR_SHAPE, "grn: x %s, weight %s, bias %s; expected f32 [B, ..., C], [C], [C]",
                       shape_text(&in[0].shape, text[0], sizeof text[0]),
                       shape_text(&in[1].shape, text[1], sizeof text[1]),
                       shape_text(&in[2].shape, text[2], sizeof text[2]));
    ret_out[0] = in[0];
    ret_out[1] = (Tensor){ DTYPE_F32, shape2(in[0].shape.dim[0], channels_of(&in[0])), NULL };
    return ERR_NONE;
}

static const Kernel kernel_plain = { .name = "plain", .prepare = prepare, .forward = forward, .backward = backward };
static const Kernel *const kernels[] = { &kernel_plain, NULL };

const OpDef op_def_grn = {
    .name = "grn",
    .min_in = 3,
    .max_in = 3,
    .n_out = 2,
    .n_results = 1,
    .bwd_reads = READS_IN(0) | READS_IN(1) | READS_OUT(1),
    .flags = OP_INPLACE,
    .attr_size = sizeof(GrnAttr),
    .infer = infer,
    .kernels = kernels,
};

Var op_grn(Graph *g, Var x, Var weight, Var bias, float eps)
{
    const GrnAttr attr = { .eps = eps };
    return graph_node(g, &op_def_grn, &attr, 3, (const Var[]){ x, weight, bias });
}
