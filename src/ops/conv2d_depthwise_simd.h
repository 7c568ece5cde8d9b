/* SPDX-License-Identifier: Apache-2.0
 *
 * Body of the vector kernels of depthwise convolution; include after simd_avx2.h or simd_avx512.h.
 *
 * A vector holds neighbouring channels. Forward and backward data are the same sweep: output (row, column) reads the
 * inputs (row step + dy, column step + dx) for dy in [first_dy, + rows), dx in [first_dx, + width).
 *   forward:        step = stride, dy = ky - top, dx = kx - left
 *   backward data:  the inputs i = stride o + phase form stride x stride phases; each reads, with step 1, the taps k
 *                   for which (phase + pad - k) is divisible by the stride; that quotient is dy or dx
 * A tile of outputs in a row keeps its sums and one row of taps in registers and loads each input once.
 *
 * The weight gradient keeps one accumulator per tap while it runs along a row. oneDNN 2.6 runs 5x5 and larger ones at
 * 12 to 16 GFLOP/s on two cores.
 */
#ifndef METASEG_OPS_CONV2D_DEPTHWISE_SIMD_H
#define METASEG_OPS_CONV2D_DEPTHWISE_SIMD_H

#include "ops/conv2d_kernels.h"
#include "ops/simd_math.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    TAPS_MAX = 64, /* kh * kw */
    STRIDE_MAX = 4,
    GRADIENT_TILE = 16,
    CHUNKS_MAX = 16 /* of rows, for the weight gradient; by shape alone, so threads do not change the bytes */
};

typedef struct DepthwiseState {
    float *taps, *bias; /* folded, constant weights only */
} DepthwiseState;

static bool suits(const Step *step)
{
    const Conv2dShape s = conv2d_shape(step);
    return conv2d_is_depthwise(&s) && s.dilation == 1 && !s.activate_sum &&
           s.kernel_height * s.kernel_width <= TAPS_MAX && s.stride <= STRIDE_MAX;
}

/* ---- taps ---- */

static int64_t tap_count(const Conv2dShape *s) { return s->kernel_height * s->kernel_width; }
static int64_t padded_channels(const Conv2dShape *s) { return round_up(s->out_channels, 16); }
static int64_t gradient_chunks(const Conv2dShape *s)
{
    return min_int64(CHUNKS_MAX, ceil_divide(s->batch * s->out_height, 4));
}

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

/* From a map [from_height, from_width, C] to rows of another; see the top of the file. */
typedef struct Sweep {
    int64_t channels, from_height, from_width;
    int64_t step, out_step; /* of the map that is read, and of the pixels that are written */
    int64_t first_dy, rows, first_dx, width;
    const float *taps; /* [rows, width, C] */
    const float *bias; /* [C], NULL: none */
    float low, high;   /* the result is cut to these */
} Sweep;

/* One or several neighbouring output pixels. */
typedef struct Outputs {
    const float *from; /* input under the first tap of the first pixel; may lie outside the map where taps are cut */
    int64_t row, rows; /* rows of taps that are inside: [row, rows) */
    int64_t column, width; /* likewise columns; whole tiles have all */
    float *y;
    const float *residual; /* NULL: none; may be y itself */
} Outputs;

static Vec cut(const Sweep *sweep, Vec value) /* a value that is not a number stays so */
{
    return vec_min(vec_set(sweep->high), vec_max(vec_set(sweep->low), value));
}

/* `pixels` neighbouring outputs, whole vectors of channels; returns the first channel that is left. pixels is a
 * constant where it is called, so that the sums stay in registers. */
static INLINE_ALWAYS int64_t sweep_tile(const Sweep *sweep, const Outputs *out, int pixels)
{
    const int64_t C = sweep->channels, read_step = sweep->step * C, write_step = sweep->out_step * C;
    int64_t c = 0;
    for (; c + VEC_LANES <= C; c += VEC_LANES) {
        Vec sum[8];
        const Vec start = sweep->bias != NULL ? vec_load(sweep->bias + c) : vec_zero();
        for (int p = 0; p < pixels; p++) sum[p] = start;
        for (int64_t row = out->row; row < out->rows; row++) {
            const float *from = out->from + row * sweep->from_width * C + c;
            const float *tap = sweep->taps + row * sweep->width * C + c;
            for (int64_t k = 0; k < sweep->width; k++, from += C, tap += C) {
                const Vec weight = vec_load(tap);
                for (int p = 0; p < pixels; p++) sum[p] = vec_fma(weight, vec_load(from + p * read_step), sum[p]);
            }
        }
        for (int p = 0; p < pixels; p++) {
            Vec value = cut(sweep, sum[p]);
            if (out->residual != NULL) value = vec_add(value, vec_load(out->residual + p * write_step + c));
            vec_store(out->y + p * write_step + c, value);
        }
    }
    return c;
}

static int64_t tile_8(const Sweep *sweep, const Outputs *out) { return sweep_tile(sweep, out, 8); }
static int64_t tile_4(const Sweep *sweep, const Outputs *out) { return sweep_tile(sweep, out, 4); }

/* Channels [c, c + n) of one pixel, n up to a vector. */
static void pixel_vector(const Sweep *sweep, const Outputs *out, int64_t c, int64_t n)
{
    const int64_t C = sweep->channels;
    Vec sum = sweep->bias != NULL ? vec_load_first(sweep->bias + c, n) : vec_zero();
    for (int64_t row = out->row; row < out->rows; row++) {
        const float *from = out->from + row * sweep->from_width * C + c,
                    *taps = sweep->taps + row * sweep->width * C + c;
        for (int64_t k = out->column; k < out->width; k++)
            sum = vec_fma(vec_load_first(taps + k * C, n), vec_load_first(from + k * C, n), sum);
    }
    sum = cut(sweep, sum);
    if (out->residual != NULL) sum = vec_add(sum, vec_load_first(out->residual + c, n));
    vec_store_first(out->y + c, sum, n);
}

/* Four whole vectors of channels from c on: four independent sums. */
static void pixel_vectors(const Sweep *sweep, const Outputs *out, int64_t c)
{
    const int64_t C = sweep->channels;
    Vec sum[4];
    for (int v = 0; v < 4; v++) sum[v] = sweep->bias != NULL ? vec_load(sweep->bias + c + v * VEC_LANES) : vec_zero();
    for (int64_t row = out->row; row < out->rows; row++) {
        const float *from = out->from + row * sweep->from_width * C + c,
                    *taps = sweep->taps + row * sweep->width * C + c;
        for (int64_t k = out->column; k < out->width; k++)
            for (int v = 0; v < 4; v++)
                sum[v] =
                    vec_fma(vec_load(taps + k * C + v * VEC_LANES), vec_load(from + k * C + v * VEC_LANES), sum[v]);
    }
    for (int v = 0; v < 4; v++) {
        Vec value = cut(sweep, sum[v]);
        if (out->residual != NULL) value = vec_add(value, vec_load(out->residual + c + v * VEC_LANES));
        vec_store(out->y + c + v * VEC_LANES, value);
    }
}

static void sweep_pixel(const Sweep *sweep, const Outputs *out, int64_t c)
{
    const int64_t C = sweep->channels;
    for (; c + 4 * VEC_LANES <= C; c += 4 * VEC_LANES) pixel_vectors(sweep, out, c);
    for (; c < C; c += VEC_LANES) pixel_vector(sweep, out, c, min_int64(VEC_LANES, C - c));
}

/* The `columns` outputs of a row (of one phase) from y on; residual likewise, or NULL. */
static void sweep_row(const Sweep *sweep, const float *from, int64_t row, int64_t columns, const float *residual,
                      float *y)
{
    const int64_t C = sweep->channels, top = row * sweep->step + sweep->first_dy, write_step = sweep->out_step * C;
    const int64_t row_begin = max_int64(0, -top), row_end = min_int64(sweep->rows, sweep->from_height - top);
    for (int64_t column = 0; column < columns;) {
        const int64_t left = column * sweep->step + sweep->first_dx;
        const int64_t inside = (sweep->from_width - sweep->width - left) / sweep->step + 1; /* outputs with all taps */
        Outputs out = { .from = from + (top * sweep->from_width + left) * C, .row = row_begin, .rows = row_end };
        const bool whole = left >= 0 && left + sweep->width <= sweep->from_width;
        out.column = max_int64(0, -left);
        out.width = min_int64(sweep->width, sweep->from_width - left);
        out.y = y + column * write_step;
        out.residual = residual == NULL ? NULL : residual + column * write_step;
        const int64_t free = whole ? min_int64(inside, columns - column) : 1, pixels = free >= 8   ? 8
                                                                                       : free >= 4 ? 4
                                                                                                   : 1;
        const int64_t done = pixels == 8 ? tile_8(sweep, &out) : pixels == 4 ? tile_4(sweep, &out) : 0;
        for (int64_t p = 0; p < pixels && done < C; p++) {
            sweep_pixel(sweep, &out, done);
            out.from += sweep->step * C;
            out.y += write_step;
            out.residual = out.residual == NULL ? NULL : out.residual + write_step;
        }
        column += pixels;
    }
}

/* y = sigmoid(y) + residual for n values. */
static void sigmoid_row(const float *residual, float *y, int64_t n)
{
    for (int64_t i = 0; i < n; i += VEC_LANES) {
        const int64_t lanes = min_int64(VEC_LANES, n - i);
        const Vec e = vec_exp(vec_sub(vec_zero(), vec_load_first(y + i, lanes)));
        Vec value = vec_reciprocal(vec_add(vec_set(1.0F), e));
        if (residual != NULL) value = vec_add(value, vec_load_first(residual + i, lanes));
        vec_store_first(y + i, value, lanes);
    }
}

static Sweep forward_sweep(const Conv2dShape *s, const float *taps, const float *bias)
{
    const bool cut_low = s->activation == ACTIVATION_RELU || s->activation == ACTIVATION_RELU6;
    return (Sweep){ .channels = s->out_channels,
                    .from_height = s->in_height,
                    .from_width = s->in_width,
                    .step = s->stride,
                    .out_step = 1,
                    .first_dy = -s->top,
                    .rows = s->kernel_height,
                    .first_dx = -s->left,
                    .width = s->kernel_width,
                    .taps = taps,
                    .bias = bias,
                    .low = cut_low ? 0.0F : -INFINITY,
                    .high = s->activation == ACTIVATION_RELU6 ? 6.0F : INFINITY };
}

static Err forward(const Step *step)
{
    const Conv2dShape s = conv2d_shape(step);
    const DepthwiseState *state = step->state;
    const int64_t row_length = s.out_width * s.out_channels;
    float *folded = step->workspace;
    float *taps = state != NULL ? state->taps : folded + taps_bytes(&s) / sizeof *folded;
    float *bias = state != NULL ? state->bias : taps + taps_bytes(&s) / sizeof *folded;
    if (state == NULL) {
        conv2d_fold(step, &s, folded, bias);
        to_taps(&s, folded, taps);
    }
    const float *x = step->in[0].data, *residual = s.residual >= 0 ? step->in[s.residual].data : NULL;
    float *y = step->out[0].data;
    const Sweep sweep = forward_sweep(&s, taps, bias);
    const bool sigmoid = s.activation == ACTIVATION_SIGMOID;
#pragma omp parallel for schedule(static) num_threads(step->device.threads)
    for (int64_t r = 0; r < s.batch * s.out_height; r++) {
        const float *image = x + r / s.out_height * s.in_height * s.in_width * s.in_channels;
        const float *add = residual == NULL ? NULL : residual + r * row_length;
        sweep_row(&sweep, image, r % s.out_height, s.out_width, sigmoid ? NULL : add, y + r * row_length);
        if (sigmoid) sigmoid_row(add, y + r * row_length, row_length);
    }
    return ERR_NONE;
}

/* Taps along one axis that are read by the inputs of a phase: *ret_last is the largest of them (first in the order of
 * reading), *ret_first the offset it reads; returns their number. */
static int64_t phase_taps(int64_t kernel, int64_t stride, int64_t pad, int64_t phase, int64_t *ret_last,
                          int64_t *ret_first)
{
    int64_t n = 0;
    *ret_last = *ret_first = 0;
    for (int64_t k = 0; k < kernel; k++) {
        if ((phase + pad - k) % stride != 0) continue;
        *ret_last = k;
        *ret_first = (phase + pad - k) / stride;
        n++;
    }
    return n;
}

/* The sweep of a phase; writes its taps, [rows, width, C], to `taps`. */
static Sweep backward_sweep(const Conv2dShape *s, const float *weights, int64_t phase_y, int64_t phase_x, float *taps)
{
    const int64_t C = s->out_channels, stride = s->stride;
    int64_t last_ky, last_kx;
    Sweep sweep = { .channels = C, .from_height = s->out_height, .from_width = s->out_width, .step = 1 };
    sweep.out_step = stride;
    sweep.rows = phase_taps(s->kernel_height, stride, s->top, phase_y, &last_ky, &sweep.first_dy);
    sweep.width = phase_taps(s->kernel_width, stride, s->left, phase_x, &last_kx, &sweep.first_dx);
    sweep.taps = taps;
    sweep.low = -INFINITY, sweep.high = INFINITY;
    for (int64_t row = 0; row < sweep.rows; row++) {
        for (int64_t k = 0; k < sweep.width; k++) {
            const int64_t from = (last_ky - row * stride) * s->kernel_width + last_kx - k * stride;
            for (int64_t c = 0; c < C; c++) taps[(row * sweep.width + k) * C + c] = weights[c * tap_count(s) + from];
        }
    }
    return sweep;
}

/* Rows of dx of one phase are written by one sweep each; phases of a row follow each other, so that dy stays cached. */
static void backward_data(const Step *step, const Conv2dShape *s, float *taps)
{
    const int64_t C = s->out_channels, stride = s->stride;
    const float *dy = step->d_out[0].data;
    float *dx = step->d_in[0].data;
    const bool add = step->accumulate[0];
    Sweep sweeps[STRIDE_MAX * STRIDE_MAX];
    for (int64_t phase = 0; phase < stride * stride; phase++) {
        sweeps[phase] = backward_sweep(s, step->in[1].data, phase / stride, phase % stride, taps);
        taps += sweeps[phase].rows * sweeps[phase].width * C;
    }
#pragma omp parallel for schedule(static) num_threads(step->device.threads)
    for (int64_t r = 0; r < s->batch * s->in_height; r++) {
        const float *image = dy + r / s->in_height * s->out_height * s->out_width * C;
        const int64_t iy = r % s->in_height;
        for (int64_t phase = 0; phase < min_int64(stride, s->in_width); phase++) {
            float *row = dx + (r * s->in_width + phase) * C;
            sweep_row(&sweeps[iy % stride * stride + phase], image, iy / stride,
                      ceil_divide(s->in_width - phase, stride), add ? row : NULL, row);
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

/* rows x width taps at once, `columns` outputs; all of x is inside. rows and width are constants where it is called, so
 * that the sums stay in registers. */
static INLINE_ALWAYS void run_taps(const GradientRun *run, int rows, int width)
{
    const int64_t C = run->channels, sums_row = run->kernel_width * C;
    for (int64_t c = 0; c + VEC_LANES <= C; c += VEC_LANES) {
        Vec sum[5][8];
        for (int ky = 0; ky < rows; ky++)
            for (int kx = 0; kx < width; kx++) sum[ky][kx] = vec_load(run->sums + ky * sums_row + kx * C + c);
        const float *x = run->x + c, *dy = run->dy + c;
        for (int64_t p = 0; p < run->columns; p++, x += run->x_step, dy += C) {
            const Vec gradient = vec_load(dy);
            for (int ky = 0; ky < rows; ky++)
                for (int kx = 0; kx < width; kx++)
                    sum[ky][kx] = vec_fma(gradient, vec_load(x + ky * run->x_row + kx * C), sum[ky][kx]);
        }
        for (int ky = 0; ky < rows; ky++)
            for (int kx = 0; kx < width; kx++) vec_store(run->sums + ky * sums_row + kx * C + c, sum[ky][kx]);
    }
}

static void run_1x3(const GradientRun *run) { run_taps(run, 1, 3); }
static void run_3x3(const GradientRun *run) { run_taps(run, 3, 3); }
static void run_1x5(const GradientRun *run) { run_taps(run, 1, 5); }
static void run_2x5(const GradientRun *run) { run_taps(run, 2, 5); }
static void run_5x5(const GradientRun *run) { run_taps(run, 5, 5); }
static void run_1x7(const GradientRun *run) { run_taps(run, 1, 7); }
static void run_2x7(const GradientRun *run) { run_taps(run, 2, 7); }
static void run_3x7(const GradientRun *run) { run_taps(run, 3, 7); }
static void run_4x7(const GradientRun *run) { run_taps(run, 4, 7); }
static void run_1x8(const GradientRun *run) { run_taps(run, 1, 8); }
static void run_3x8(const GradientRun *run) { run_taps(run, 3, 8); }

/* The largest group of kernel rows that fits the registers (32 with AVX-512, 16 with AVX2). */
typedef struct TapGroup {
    int64_t width, rows;
    int min_lanes;
    void (*run)(const GradientRun *run);
} TapGroup;

static const TapGroup tap_groups[] = { { 3, 3, 8, run_3x3 },  { 3, 1, 8, run_1x3 }, { 5, 5, 16, run_5x5 },
                                       { 5, 2, 8, run_2x5 },  { 5, 1, 8, run_1x5 }, { 7, 4, 16, run_4x7 },
                                       { 7, 3, 16, run_3x7 }, { 7, 2, 8, run_2x7 }, { 7, 1, 8, run_1x7 },
                                       { 8, 3, 16, run_3x8 }, { 8, 1, 8, run_1x8 } };

static const TapGroup *tap_group(int64_t width, int64_t rows)
{
    for (int64_t i = 0; i < ARRAY_LEN(tap_groups); i++) {
        const TapGroup *group = &tap_groups[i];
        if (group->width == width && group->rows <= rows && group->min_lanes <= VEC_LANES) return group;
    }
    return NULL;
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
    GradientRun part = *run;
    const int64_t C = run->channels, width = run->kernel_width;
    int64_t row = 0;
    for (const TapGroup *group; (group = tap_group(width, rows - row)) != NULL; row += group->rows) {
        group->run(&part);
        part.x += group->rows * run->x_row;
        part.sums += group->rows * width * C;
    }
    const int64_t from = row > 0 ? C - C % VEC_LANES : 0; /* other widths, and channels after the last whole vector */
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
    if (step->d_in[0].data != NULL) backward_data(step, &s, taps);
    conv2d_bias_gradient(step, &s);
    return ERR_NONE;
}

#endif
