/* SPDX-License-Identifier: Apache-2.0
 *
 * Body of the vector kernels of depthwise convolution; include after simd_avx2.h or simd_avx512.h.
 *
 * A vector holds neighbouring channels; weights are kept as taps [kh * kw, C]. Forward and backward data are the same
 * sweep: output (row, column) reads the inputs at (row step + dy_t, column step + dx_t) for a list of taps t.
 *   forward:        step = stride, (dy, dx) = (ky - top, kx - left)
 *   backward data:  the inputs i = stride row + phase form stride x stride phases; each reads only the taps with
 *                   (phase + pad - k) divisible by the stride, step = 1, d = (phase + pad - k) / stride
 * The weight gradient keeps one accumulator per tap while it runs along a row. oneDNN 2.6 runs it at 12 to 16 GFLOP/s
 * on two Zen 5 cores.
 */
#ifndef METASEG_OPS_CONV2D_DEPTHWISE_SIMD_H
#define METASEG_OPS_CONV2D_DEPTHWISE_SIMD_H

#include "ops/conv2d_kernels.h"
#include "ops/simd_math.h"

#include <stdlib.h>
#include <string.h>

enum {
    TAPS_MAX = 64, /* kh * kw */
    TILE = 8,      /* neighbouring output pixels that share a weight vector */
    GRADIENT_TILE = 16,
    CHUNKS_MAX = 16 /* of rows, for the weight gradient; by shape alone, so threads do not change the bytes */
};

typedef struct DepthwiseState {
    float *taps, *bias; /* folded, constant weights only */
} DepthwiseState;

static bool suits(const Step *step)
{
    const Conv2dShape s = conv2d_shape(step);
    return conv2d_is_depthwise(&s) && s.kernel_height * s.kernel_width <= TAPS_MAX;
}

/* ---- taps ---- */

static int64_t tap_count(const Conv2dShape *s) { return s->kernel_height * s->kernel_width; }
static int64_t padded_channels(const Conv2dShape *s) { return round_up(s->out_channels, 16); }
static int64_t gradient_chunks(const Conv2dShape *s) { return min_int64(CHUNKS_MAX, s->batch * s->out_height); }

static size_t taps_bytes(const Conv2dShape *s) { return (size_t)(tap_count(s) * padded_channels(s)) * sizeof(float); }

/* Workspace: folded weights in PyTorch's order, taps, bias; backward: taps, then partial gradients per chunk. */
static size_t workspace_bytes(const Conv2dShape *s, bool training)
{
    const size_t forward = 2 * taps_bytes(s) + (size_t)padded_channels(s) * sizeof(float);
    const size_t backward = taps_bytes(s) * (size_t)(1 + gradient_chunks(s));
    return training && backward > forward ? backward : forward;
}

/* [C, taps] -> [taps, C]. */
static void to_taps(const Conv2dShape *s, const float *weights, float *ret_taps)
{
    const int64_t n = tap_count(s), C = s->out_channels;
    for (int64_t c = 0; c < C; c++)
        for (int64_t t = 0; t < n; t++) ret_taps[t * C + c] = weights[c * n + t];
}

static void release(Step *step)
{
    DepthwiseState *state = step->state;
    if (state == NULL) return;
    free(state->taps);
    free(state->bias);
    free(state);
}

static Err prepare(Step *step)
{
    const Conv2dShape s = conv2d_shape(step);
    step->workspace_bytes = workspace_bytes(&s, step->training);
    if (!conv2d_is_constant(step, &s)) return ERR_NONE;
    DepthwiseState *state = calloc(1, sizeof *state);
    if (state == NULL) return err_memory(sizeof *state, "a depthwise convolution");
    step->state = state;
    state->taps = aligned_alloc(64, taps_bytes(&s));
    state->bias = aligned_alloc(64, (size_t)padded_channels(&s) * sizeof(float));
    if (state->taps != NULL && state->bias != NULL) return ERR_NONE;
    release(step);
    step->state = NULL;
    return err_memory(taps_bytes(&s), "depthwise convolution weights");
}

static Err pack(Step *step)
{
    const Conv2dShape s = conv2d_shape(step);
    const DepthwiseState *state = step->state;
    if (state == NULL) return ERR_NONE;
    float *folded = malloc(taps_bytes(&s));
    if (folded == NULL) return err_memory(taps_bytes(&s), "depthwise convolution weights");
    conv2d_fold(step, &s, folded, state->bias);
    to_taps(&s, folded, state->taps);
    free(folded);
    return ERR_NONE;
}

/* ---- sweep: forward and backward data ---- */

/* Taps of one phase; sorted by nothing in particular. */
typedef struct TapList {
    int64_t n, dy[TAPS_MAX], dx[TAPS_MAX], tap[TAPS_MAX];
} TapList;

/* From a map [from_height, from_width, C] to rows of a map of width to_width; see the top of the file. */
typedef struct Sweep {
    int64_t channels, from_height, from_width, to_width;
    int64_t step;      /* of the map that is read */
    int64_t out_step;  /* phases: columns phase, phase + out_step, ... are written */
    const float *taps; /* [kh * kw, C] */
    const float *bias; /* [C], NULL: none */
    Activation activation;
} Sweep;

/* Addresses for one pixel (or a tile of them) after the taps outside the map have been left out. */
typedef struct Reads {
    int64_t n;
    const float *from[TAPS_MAX], *tap[TAPS_MAX];
} Reads;

static Vec activate(Vec value, Activation activation)
{
    switch (activation) {
    case ACTIVATION_RELU:
        return vec_max(value, vec_zero());
    case ACTIVATION_RELU6:
        return vec_min(vec_max(value, vec_zero()), vec_set(6.0F));
    case ACTIVATION_SIGMOID:
        return vec_reciprocal(vec_add(vec_set(1.0F), vec_exp(vec_sub(vec_zero(), value))));
    case ACTIVATION_NONE:
    case ACTIVATION_GELU:
        break;
    }
    return value;
}

/* Channels c.. of TILE pixels, whole vectors. residual (may be y itself) has the same pixel distance as y. */
static void tile_vector(const Sweep *sweep, const Reads *reads, int64_t c, int64_t read_step, int64_t write_step,
                        const float *residual, float *y)
{
    Vec sum[TILE];
    const Vec bias = sweep->bias != NULL ? vec_load(sweep->bias + c) : vec_zero();
    for (int64_t p = 0; p < TILE; p++) sum[p] = bias;
    for (int64_t t = 0; t < reads->n; t++) {
        const Vec weight = vec_load(reads->tap[t] + c);
        const float *from = reads->from[t] + c;
        for (int64_t p = 0; p < TILE; p++) sum[p] = vec_fma(weight, vec_load(from + p * read_step), sum[p]);
    }
    for (int64_t p = 0; p < TILE; p++) {
        Vec value = activate(sum[p], sweep->activation);
        if (residual != NULL) value = vec_add(value, vec_load(residual + p * write_step + c));
        vec_store(y + p * write_step + c, value);
    }
}

/* The first n channels from c on of one pixel. */
static void pixel_vector(const Sweep *sweep, const Reads *reads, int64_t c, int64_t n, const float *residual, float *y)
{
    Vec sum = sweep->bias != NULL ? vec_load_first(sweep->bias + c, n) : vec_zero();
    for (int64_t t = 0; t < reads->n; t++)
        sum = vec_fma(vec_load_first(reads->tap[t] + c, n), vec_load_first(reads->from[t] + c, n), sum);
    sum = activate(sum, sweep->activation);
    if (residual != NULL) sum = vec_add(sum, vec_load_first(residual + c, n));
    vec_store_first(y + c, sum, n);
}

static void sweep_pixel(const Sweep *sweep, const Reads *reads, int64_t c, const float *residual, float *y)
{
    for (; c < sweep->channels; c += VEC_LANES)
        pixel_vector(sweep, reads, c, min_int64(VEC_LANES, sweep->channels - c), residual, y);
}

static void sweep_tile(const Sweep *sweep, const Reads *reads, const float *residual, float *y)
{
    const int64_t read_step = sweep->step * sweep->channels, write_step = sweep->out_step * sweep->channels;
    int64_t c = 0;
    for (; c + VEC_LANES <= sweep->channels; c += VEC_LANES)
        tile_vector(sweep, reads, c, read_step, write_step, residual, y);
    if (c == sweep->channels) return;
    Reads moved = *reads;
    for (int64_t p = 0; p < TILE; p++) {
        sweep_pixel(sweep, &moved, c, residual == NULL ? NULL : residual + p * write_step, y + p * write_step);
        for (int64_t t = 0; t < moved.n; t++) moved.from[t] += read_step;
    }
}

/* Reads of column `column`; row_list holds the taps whose row is inside. */
static Reads reads_at(const Sweep *sweep, const TapList *row_list, const float *from, int64_t row, int64_t column)
{
    Reads reads = { .n = 0 };
    for (int64_t t = 0; t < row_list->n; t++) {
        const int64_t ix = column * sweep->step + row_list->dx[t], iy = row * sweep->step + row_list->dy[t];
        if (ix < 0 || ix >= sweep->from_width) continue;
        reads.from[reads.n] = from + (iy * sweep->from_width + ix) * sweep->channels;
        reads.tap[reads.n++] = sweep->taps + row_list->tap[t] * sweep->channels;
    }
    return reads;
}

/* One phase of one row: y points at its first pixel, residual likewise or NULL. */
static void sweep_row(const Sweep *sweep, const TapList *list, const float *from, int64_t row, int64_t columns,
                      const float *residual, float *y)
{
    TapList inside = { .n = 0 };
    int64_t first = 0, last = 0; /* smallest and largest dx */
    for (int64_t t = 0; t < list->n; t++) {
        const int64_t iy = row * sweep->step + list->dy[t];
        if (iy < 0 || iy >= sweep->from_height) continue;
        inside.dy[inside.n] = list->dy[t], inside.dx[inside.n] = list->dx[t], inside.tap[inside.n++] = list->tap[t];
        first = min_int64(first, list->dx[t]);
        last = max_int64(last, list->dx[t]);
    }
    const int64_t write_step = sweep->out_step * sweep->channels;
    for (int64_t column = 0; column < columns;) {
        const Reads reads = reads_at(sweep, &inside, from, row, column);
        const bool whole = column + TILE <= columns && column * sweep->step + first >= 0 &&
                           (column + TILE - 1) * sweep->step + last < sweep->from_width;
        float *to = y + column * write_step;
        const float *add = residual == NULL ? NULL : residual + column * write_step;
        if (whole)
            sweep_tile(sweep, &reads, add, to);
        else
            sweep_pixel(sweep, &reads, 0, add, to);
        column += whole ? TILE : 1;
    }
}

static Err forward(const Step *step)
{
    const Conv2dShape s = conv2d_shape(step);
    const DepthwiseState *state = step->state;
    const int64_t C = s.out_channels;
    float *folded = step->workspace;
    float *taps = state != NULL ? state->taps : folded + taps_bytes(&s) / sizeof *folded;
    float *bias = state != NULL ? state->bias : taps + taps_bytes(&s) / sizeof *folded;
    if (state == NULL) {
        conv2d_fold(step, &s, folded, bias);
        to_taps(&s, folded, taps);
    }
    const float *x = step->in[0].data, *residual = s.residual >= 0 ? step->in[s.residual].data : NULL;
    float *y = step->out[0].data;
    const Sweep sweep = { C, s.in_height, s.in_width, s.out_width, s.stride, 1, taps, bias, s.activation };
    TapList list = { .n = tap_count(&s) };
    for (int64_t t = 0; t < list.n; t++) {
        list.dy[t] = t / s.kernel_width - s.top;
        list.dx[t] = t % s.kernel_width - s.left;
        list.tap[t] = t;
    }
#pragma omp parallel for schedule(static) num_threads(step->device.threads)
    for (int64_t r = 0; r < s.batch * s.out_height; r++) {
        const float *image = x + r / s.out_height * s.in_height * s.in_width * C;
        sweep_row(&sweep, &list, image, r % s.out_height, s.out_width,
                  residual == NULL ? NULL : residual + r * s.out_width * C, y + r * s.out_width * C);
    }
    return ERR_NONE;
}

/* Taps that inputs of this phase are read through. */
static TapList phase_taps(const Conv2dShape *s, int64_t phase_y, int64_t phase_x)
{
    TapList list = { .n = 0 };
    for (int64_t t = 0; t < tap_count(s); t++) {
        const int64_t y = phase_y + s->top - t / s->kernel_width, x = phase_x + s->left - t % s->kernel_width;
        if (y % s->stride != 0 || x % s->stride != 0) continue;
        list.dy[list.n] = y / s->stride, list.dx[list.n] = x / s->stride, list.tap[list.n++] = t;
    }
    return list;
}

static void backward_data(const Step *step, const Conv2dShape *s, const float *taps)
{
    const int64_t C = s->out_channels, stride = s->stride;
    const float *dy = step->d_out[0].data;
    float *dx = step->d_in[0].data;
    const bool add = step->accumulate[0];
    const Sweep sweep = { C, s->out_height, s->out_width, s->in_width, 1, stride, taps, NULL, ACTIVATION_NONE };
#pragma omp parallel for schedule(static) num_threads(step->device.threads)
    for (int64_t r = 0; r < s->batch * s->in_height; r++) {
        const float *image = dy + r / s->in_height * s->out_height * s->out_width * C;
        const int64_t iy = r % s->in_height;
        for (int64_t phase = 0; phase < min_int64(stride, s->in_width); phase++) {
            const TapList list = phase_taps(s, iy % stride, phase);
            float *row = dx + (r * s->in_width + phase) * C;
            sweep_row(&sweep, &list, image, iy / stride, ceil_divide(s->in_width - phase, stride), add ? row : NULL,
                      row);
        }
    }
}

/* ---- weight gradient ---- */

/* One row of dy and the row of x under tap (ky, kx) = (first_row, 0) of output column `column`. */
typedef struct GradientRun {
    const float *x, *dy;
    int64_t x_row, x_step; /* distance between rows of x, and between the x of neighbouring outputs */
    int64_t channels, columns, kernel_width;
    float *sums; /* [taps, C] from tap (first_row, 0) on */
} GradientRun;

/* rows x width taps at once, `columns` outputs; all of x is inside. rows and width are constants where it is called. */
static inline void run_taps(const GradientRun *run, int64_t rows, int64_t width)
{
    const int64_t C = run->channels;
    for (int64_t c = 0; c + VEC_LANES <= C; c += VEC_LANES) {
        Vec sum[25];
        for (int64_t t = 0; t < rows * width; t++)
            sum[t] = vec_load(run->sums + (t / width * run->kernel_width + t % width) * C + c);
        const float *x = run->x + c, *dy = run->dy + c;
        for (int64_t p = 0; p < run->columns; p++, x += run->x_step, dy += C) {
            const Vec gradient = vec_load(dy);
            for (int64_t ky = 0; ky < rows; ky++)
                for (int64_t kx = 0; kx < width; kx++)
                    sum[ky * width + kx] =
                        vec_fma(gradient, vec_load(x + ky * run->x_row + kx * C), sum[ky * width + kx]);
        }
        for (int64_t t = 0; t < rows * width; t++)
            vec_store(run->sums + (t / width * run->kernel_width + t % width) * C + c, sum[t]);
    }
}

/* One tap, channels from c on. */
static void run_tap(const GradientRun *run, int64_t c)
{
    const int64_t C = run->channels;
    for (; c < C; c += VEC_LANES) {
        const int64_t n = min_int64(VEC_LANES, C - c);
        Vec sum = vec_load_first(run->sums + c, n);
        for (int64_t p = 0; p < run->columns; p++)
            sum = vec_fma(vec_load_first(run->dy + p * C + c, n), vec_load_first(run->x + p * run->x_step + c, n), sum);
        vec_store_first(run->sums + c, sum, n);
    }
}

/* All taps of `rows` kernel rows over columns where all of x is inside. */
static void run_rows(const GradientRun *run, int64_t rows)
{
    int64_t row = 0;
    GradientRun part = *run;
    const int64_t C = run->channels, width = run->kernel_width, whole = C - C % VEC_LANES;
    for (; row < rows && whole > 0 && (width == 3 || width == 5 || width == 8);) {
        int64_t taken = 1;
        if (width == 3 && rows - row >= 3)
            run_taps(&part, taken = 3, 3);
        else if (width == 3)
            run_taps(&part, 1, 3);
        else if (width == 5 && VEC_LANES == 16 && rows - row >= 5)
            run_taps(&part, taken = 5, 5);
        else if (width == 5 && rows - row >= 2)
            run_taps(&part, taken = 2, 5);
        else if (width == 5)
            run_taps(&part, 1, 5);
        else if (VEC_LANES == 16 && rows - row >= 3)
            run_taps(&part, taken = 3, 8);
        else
            run_taps(&part, 1, 8);
        row += taken;
        part.x += taken * run->x_row;
        part.sums += taken * width * C;
    }
    const int64_t from = row > 0 ? whole : 0; /* other widths, and the channels after the last whole vector */
    for (int64_t t = 0; t < rows * width && from < C; t++) {
        part = *run;
        part.x += t / width * run->x_row + t % width * C;
        part.sums += t * C;
        run_tap(&part, from);
    }
}

/* Adds the row `oy` of an image to sums [taps, C]. */
static void gradient_row(const Conv2dShape *s, const float *x, const float *dy, int64_t oy, float *sums)
{
    const int64_t C = s->out_channels, top = oy * s->stride - s->top;
    const int64_t ky_begin = max_int64(0, -top), ky_end = min_int64(s->kernel_height, s->in_height - top);
    const int64_t whole_begin = min_int64(ceil_divide(s->left, s->stride), s->out_width);
    const int64_t reach = s->in_width - s->kernel_width + s->left;
    const int64_t whole_end = reach < 0 ? 0 : min_int64(reach / s->stride + 1, s->out_width);
    GradientRun run = {
        .x_row = s->in_width * C, .x_step = s->stride * C, .channels = C, .kernel_width = s->kernel_width
    };
    for (int64_t ox = 0; ox < s->out_width && ky_begin < ky_end;) {
        const bool whole = ox >= whole_begin && ox < whole_end;
        run.columns = whole ? min_int64(GRADIENT_TILE, whole_end - ox) : 1;
        run.dy = dy + ox * C;
        const float *row = x + (top + ky_begin) * run.x_row;
        if (whole) {
            run.x = row + (ox * s->stride - s->left) * C;
            run.sums = sums + ky_begin * s->kernel_width * C;
            run_rows(&run, ky_end - ky_begin);
        }
        for (int64_t t = ky_begin * s->kernel_width; t < ky_end * s->kernel_width && !whole; t++) {
            const int64_t ix = ox * s->stride - s->left + t % s->kernel_width;
            if (ix < 0 || ix >= s->in_width) continue;
            run.x = x + (top + t / s->kernel_width) * run.x_row + ix * C;
            run.sums = sums + t * C;
            run_tap(&run, 0);
        }
        ox += run.columns;
    }
}

static void backward_weights(const Step *step, const Conv2dShape *s, float *partials)
{
    const int64_t C = s->out_channels, n = tap_count(s), chunks = gradient_chunks(s), rows = s->batch * s->out_height;
    const int64_t length = (int64_t)(taps_bytes(s) / sizeof *partials);
    const float *x = step->in[0].data, *dy = step->d_out[0].data;
    float *d_weight = step->d_in[1].data;
#pragma omp parallel for schedule(static) num_threads(step->device.threads)
    for (int64_t chunk = 0; chunk < chunks; chunk++) {
        float *sums = partials + chunk * length;
        memset(sums, 0, (size_t)(n * C) * sizeof *sums);
        for (int64_t r = chunk_begin(chunk, chunks, rows); r < chunk_begin(chunk + 1, chunks, rows); r++)
            gradient_row(s, x + r / s->out_height * s->in_height * s->in_width * C, dy + r * s->out_width * C,
                         r % s->out_height, sums);
    }
#pragma omp parallel for schedule(static) num_threads(step->device.threads)
    for (int64_t c = 0; c < C; c++) {
        for (int64_t t = 0; t < n; t++) {
            double sum = step->accumulate[1] ? (double)d_weight[c * n + t] : 0.0;
            for (int64_t chunk = 0; chunk < chunks; chunk++) sum += (double)partials[chunk * length + t * C + c];
            d_weight[c * n + t] = (float)sum;
        }
    }
}

static Err backward(const Step *step)
{
    const Conv2dShape s = conv2d_shape(step);
    float *taps = step->workspace;
    if (step->d_in[1].data != NULL) backward_weights(step, &s, taps + taps_bytes(&s) / sizeof *taps);
    if (step->d_in[0].data != NULL) {
        to_taps(&s, step->in[1].data, taps);
        backward_data(step, &s, taps);
    }
    conv2d_bias_gradient(step, &s);
    return ERR_NONE;
}

#endif
