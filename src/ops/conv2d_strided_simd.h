/* SPDX-License-Identifier: Apache-2.0
 *
 * Body of the vector kernels of convolution with a stride; include after simd_avx2.h or simd_avx512.h.
 *
 * All three passes are products of parts of the maps as they lie in memory:
 *   forward         rows: neighbouring results; sum: the taps of a row and their channels, neighbours in x
 *   data gradient   rows: each stride-th pixel of dx; sum: the channels of dy, for one tap
 *   weight gradient rows: channels of x; sum: the results of a row of dy, for one tap
 * oneDNN 2.6 runs 3x3 convolutions with stride 2 on channels-last maps at 30 to 50 GFLOP/s on a core of an AMD EPYC with AVX2
 * and their gradients at 5 to 15; these at 60 to 80.
 */
#ifndef METASEG_OPS_CONV2D_STRIDED_SIMD_H
#define METASEG_OPS_CONV2D_STRIDED_SIMD_H

#include "ops/conv2d_kernels.h"
#include "ops/simd_product.h"

#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

enum {
    BAND = 64,          /* results whose rows are computed together */
    GRADIENT_BAND = 256 /* for the weight gradient */
};

static bool suits(const Step *step)
{
    const Conv2dShape s = conv2d_shape(step);
    return s.groups == 1 && s.dilation == 1 && s.stride > 1 && s.activation != ACTIVATION_SIGMOID;
}

static int64_t taps_of(const Conv2dShape *s) { return s->kernel_height * s->kernel_width; }
static int64_t panels_of(int64_t channels) { return ceil_divide(channels, PANEL); }

/* Rows of results that make up about so many results. */
static int64_t band_rows(const Conv2dShape *s, int64_t results)
{
    return min_int64(s->batch * s->out_height, max_int64(1, results / s->out_width));
}

/* Floats of the parts of the workspace, one after the other; the weight gradient has all of it. */
typedef struct Scratch {
    int64_t packed, plain, bias; /* of weights that are not constant */
    int64_t m;                   /* per thread */
    int64_t sums, w;             /* weight gradient: from the beginning */
    int64_t floats;
} Scratch;

static int64_t packed_floats(const Conv2dShape *s, int64_t to, int64_t from)
{
    return taps_of(s) * from * panels_of(to) * PANEL;
}

static Scratch scratch_of(const Step *step, const Conv2dShape *s)
{
    Scratch scratch = { 0 };
    const int64_t forward = packed_floats(s, s->out_channels, s->in_channels);
    if (!conv2d_is_constant(step, s)) {
        scratch.packed = forward;
        scratch.plain = s->batchnorm >= 0 ? round_up(conv2d_weight_count(s), 16) : 0;
        scratch.bias = round_up(s->out_channels, 16);
    }
    scratch.m = band_rows(s, BAND) * s->out_width * PANEL;
    if (step->training) {
        scratch.packed = max_int64(forward, packed_floats(s, s->in_channels, s->out_channels));
        scratch.m = max_int64(scratch.m, ceil_divide(s->in_width, s->stride) * PANEL);
        scratch.sums = forward;
        scratch.w = band_rows(s, GRADIENT_BAND) * s->out_width * panels_of(s->out_channels) * PANEL;
    }
    scratch.floats = max_int64(scratch.sums + scratch.w,
                               scratch.packed + scratch.plain + scratch.bias + scratch.m * step->device.threads);
    return scratch;
}

static Err prepare(Step *step)
{
    const Conv2dShape s = conv2d_shape(step);
    step->workspace_bytes = (size_t)scratch_of(step, &s).floats * sizeof(float);
    return conv2d_packed_new(step, &s, (size_t)packed_floats(&s, s.out_channels, s.in_channels) * sizeof(float));
}

/* weights [Cout, Cin, taps] -> [panel of Cout][taps][Cin][PANEL], transposed: [panel of Cin][taps][Cout][PANEL]. */
static void pack_weights(const Step *step, const Conv2dShape *s, const float *weights, bool transposed, float *packed)
{
    const int64_t taps = taps_of(s), out_step = s->in_channels * taps;
    const int64_t columns = transposed ? s->in_channels : s->out_channels, column_step = transposed ? taps : out_step;
    const int64_t rows = transposed ? s->out_channels : s->in_channels, row_step = transposed ? out_step : taps;
#pragma omp parallel for collapse(2) schedule(static) num_threads(step->device.threads)
    for (int64_t panel = 0; panel < panels_of(columns); panel++) {
        for (int64_t row = 0; row < rows; row++) {
            for (int64_t lane = 0; lane < PANEL; lane++) {
                const int64_t column = panel * PANEL + lane;
                const float *from = weights + column * column_step + row * row_step;
                for (int64_t t = 0; t < taps; t++)
                    packed[((panel * taps + t) * rows + row) * PANEL + lane] = column < columns ? from[t] : 0.0F;
            }
        }
    }
}

static Err pack(Step *step)
{
    const Conv2dShape s = conv2d_shape(step);
    const Conv2dPacked *state = step->state;
    if (state == NULL) return ERR_NONE;
    const size_t bytes = (size_t)conv2d_weight_count(&s) * sizeof(float);
    float *plain = malloc(bytes);
    if (plain == NULL) return err_memory(bytes, "packing convolution weights");
    conv2d_fold(step, &s, plain, state->bias);
    pack_weights(step, &s, plain, false, state->weights);
    free(plain);
    return ERR_NONE;
}

/* ---- forward ---- */

typedef struct Pass {
    const Step *step;
    Conv2dShape shape;
    const float *packed, *bias; /* bias NULL: none */
} Pass;

/* Results [ret_first, ret_end) of a row whose tap at `column` lies inside x. */
static void inside_of(const Conv2dShape *s, int64_t column, int64_t *ret_first, int64_t *ret_end)
{
    const int64_t left = s->left - column, right = s->in_width + left - 1;
    *ret_first = left > 0 ? min_int64(s->out_width, ceil_divide(left, s->stride)) : 0;
    *ret_end = right < 0 ? 0 : min_int64(s->out_width, right / s->stride + 1);
    *ret_end = max_int64(*ret_first, *ret_end);
}

/* m[out_width, PANEL] += one row of taps, u, over a row of x; values [k, k + depth) of all its taps and channels. */
static void add_row(const Conv2dShape *s, const float *line, const float *u, int64_t k, int64_t depth, float *m)
{
    const int64_t C = s->in_channels, pixel = s->stride * C;
    int64_t first = 0, end = 0, unused = 0;
    inside_of(s, 0, &first, &unused);
    inside_of(s, s->kernel_width - 1, &unused, &end);
    end = max_int64(first, end);
    product(line + first * pixel - s->left * C + k, pixel, u + k * PANEL, depth, end - first, true, m + first * PANEL,
            PANEL);
    for (int64_t x = 0; x < s->out_width; x++) {
        if (x == first) x = end; /* done above */
        if (x >= s->out_width) break;
        const int64_t from = max_int64(k, (s->left - x * s->stride) * C);
        const int64_t to = min_int64(k + depth, (s->in_width + s->left - x * s->stride) * C);
        if (from < to)
            product(line + (x * s->stride - s->left) * C + from, pixel, u + from * PANEL, to - from, 1, true,
                    m + x * PANEL, PANEL);
    }
}

/* Row `row` of all results' rows in the batch: where its tap row ky reads x, NULL: outside. */
static const float *line_of(const Pass *pass, int64_t row, int64_t ky)
{
    const Conv2dShape *s = &pass->shape;
    const int64_t y = row % s->out_height * s->stride + ky - s->top;
    if (y < 0 || y >= s->in_height) return NULL;
    return (const float *)pass->step->in[0].data +
           (row / s->out_height * s->in_height + y) * s->in_width * s->in_channels;
}

/* The results of a row, of n channels from c on: bias, activation, residual. */
static void finish_row(const Pass *pass, int64_t row, int64_t c, int64_t n, const float *m)
{
    const Conv2dShape *s = &pass->shape;
    const Vec low = vec_set(s->activation == ACTIVATION_NONE ? -INFINITY : 0.0F);
    const Vec high = vec_set(s->activation == ACTIVATION_RELU6 ? 6.0F : INFINITY);
    const float *residual = s->residual >= 0 ? pass->step->in[s->residual].data : NULL;
    float *y = pass->step->out[0].data;
    const Vec bias = pass->bias != NULL ? vec_load_first(pass->bias + c, n) : vec_zero();
    for (int64_t x = 0; x < s->out_width; x++) {
        const int64_t at = (row * s->out_width + x) * s->out_channels + c;
        const Vec other = residual != NULL ? vec_load_first(residual + at, n) : vec_zero();
        Vec value = vec_add(vec_load(m + x * PANEL), bias); /* a value that is not a number stays so */
        if (s->activate_sum)
            value = vec_min(high, vec_max(low, vec_add(value, other)));
        else
            value = vec_add(vec_min(high, vec_max(low, value)), other);
        vec_store_first(y + at, value, n);
    }
}

static void forward_band(const Pass *pass, int64_t first, int64_t rows, int64_t panel, float *m)
{
    const Conv2dShape *s = &pass->shape;
    const int64_t length = s->kernel_width * s->in_channels, m_row = s->out_width * PANEL;
    memset(m, 0, (size_t)(rows * m_row) * sizeof *m);
    for (int64_t ky = 0; ky < s->kernel_height; ky++) {
        const float *u = pass->packed + (panel * s->kernel_height + ky) * length * PANEL;
        for (int64_t k = 0; k < length; k += DEPTH) {
            for (int64_t row = 0; row < rows; row++) {
                const float *line = line_of(pass, first + row, ky);
                if (line != NULL) add_row(s, line, u, k, min_int64(DEPTH, length - k), m + row * m_row);
            }
        }
    }
    for (int64_t row = 0; row < rows; row++) {
        for (int64_t half = 0; half < PANEL; half += VEC_LANES) {
            const int64_t c = panel * PANEL + half;
            if (c < s->out_channels)
                finish_row(pass, first + row, c, min_int64(VEC_LANES, s->out_channels - c), m + row * m_row + half);
        }
    }
}

static Err forward(const Step *step)
{
    Pass pass = { .step = step, .shape = conv2d_shape(step) };
    const Conv2dShape *s = &pass.shape;
    const Conv2dPacked *state = step->state;
    const Scratch scratch = scratch_of(step, s);
    float *packed = step->workspace, *plain = packed + scratch.packed, *bias = plain + scratch.plain;
    float *m = bias + scratch.bias;
    pass.packed = state != NULL ? state->weights : packed;
    if (state != NULL) {
        pass.bias = state->bias;
    } else if (s->batchnorm >= 0) {
        conv2d_fold(step, s, plain, bias);
        pack_weights(step, s, plain, false, packed);
        pass.bias = bias;
    } else {
        pack_weights(step, s, step->in[1].data, false, packed);
        pass.bias = s->bias >= 0 ? step->in[s->bias].data : NULL;
    }
    const int64_t rows = s->batch * s->out_height, band = band_rows(s, BAND);
#pragma omp parallel for collapse(2) schedule(static) num_threads(step->device.threads)
    for (int64_t first = 0; first < rows; first += band)
        for (int64_t panel = 0; panel < panels_of(s->out_channels); panel++)
            forward_band(&pass, first, min_int64(band, rows - first), panel, m + omp_get_thread_num() * scratch.m);
    return ERR_NONE;
}

/* ---- gradients ---- */

/* m[n, PANEL] = the gradient of pixels phase, phase + stride, ... of row `row` of all rows of dx in the batch. */
static void data_row(const Pass *pass, int64_t row, int64_t phase, int64_t n, int64_t panel, float *m)
{
    const Conv2dShape *s = &pass->shape;
    const int64_t C = s->out_channels;
    const float *dy = pass->step->d_out[0].data;
    memset(m, 0, (size_t)(n * PANEL) * sizeof *m);
    for (int64_t t = 0; t < taps_of(s); t++) {
        const int64_t down = row % s->in_height + s->top - t / s->kernel_width;
        const int64_t right = phase + s->left - t % s->kernel_width + s->stride * s->kernel_width; /* not below 0 */
        if (down < 0 || down % s->stride != 0 || down / s->stride >= s->out_height || right % s->stride != 0) continue;
        const int64_t shift = right / s->stride - s->kernel_width; /* result = pixel + shift */
        const int64_t first = max_int64(0, -shift), end = min_int64(n, s->out_width - shift);
        if (first >= end) continue;
        const float *from =
            dy + ((row / s->in_height * s->out_height + down / s->stride) * s->out_width + first + shift) * C;
        const float *u = pass->packed + (panel * taps_of(s) + t) * C * PANEL;
        for (int64_t k = 0; k < C; k += DEPTH)
            product(from + k, C, u + k * PANEL, min_int64(DEPTH, C - k), end - first, true, m + first * PANEL, PANEL);
    }
}

static void backward_row(const Pass *pass, int64_t row, int64_t panel, float *m)
{
    const Conv2dShape *s = &pass->shape;
    const int64_t C = s->in_channels;
    float *dx = pass->step->d_in[0].data;
    for (int64_t phase = 0; phase < min_int64(s->stride, s->in_width); phase++) {
        const int64_t n = ceil_divide(s->in_width - phase, s->stride);
        data_row(pass, row, phase, n, panel, m);
        for (int64_t x = 0; x < n; x++) {
            for (int64_t c = panel * PANEL; c < min_int64(C, (panel + 1) * PANEL); c += VEC_LANES) {
                float *to = dx + (row * s->in_width + phase + x * s->stride) * C + c;
                const int64_t lanes = min_int64(VEC_LANES, C - c);
                Vec value = vec_load(m + x * PANEL + c % PANEL);
                if (pass->step->accumulate[0]) value = vec_add(value, vec_load_first(to, lanes));
                vec_store_first(to, value, lanes);
            }
        }
    }
}

static void backward_data(const Step *step, const Conv2dShape *s)
{
    const Scratch scratch = scratch_of(step, s);
    float *packed = step->workspace, *m = packed + scratch.packed + scratch.plain + scratch.bias;
    const Pass pass = { .step = step, .shape = *s, .packed = packed };
    pack_weights(step, s, step->in[1].data, true, packed);
#pragma omp parallel for collapse(2) schedule(static) num_threads(step->device.threads)
    for (int64_t panel = 0; panel < panels_of(s->in_channels); panel++)
        for (int64_t row = 0; row < s->batch * s->in_height; row++)
            backward_row(&pass, row, panel, m + omp_get_thread_num() * scratch.m);
}

/* A pixel of dy to W [panel][pixels][PANEL]. */
static void pack_pixel(const Conv2dShape *s, const float *dy, int64_t pixels, float *w)
{
    for (int64_t panel = 0; panel < panels_of(s->out_channels); panel++) {
        const int64_t first = panel * PANEL, n = min_int64(PANEL, s->out_channels - first);
        float *to = w + panel * pixels * PANEL;
        vec_store(to, vec_load_first(dy + first, min_int64(n, VEC_LANES)));
        vec_store(to + VEC_LANES, n > VEC_LANES ? vec_load_first(dy + first + VEC_LANES, n - VEC_LANES) : vec_zero());
    }
}

/* sums[Cin, PANEL] += the gradient of a tap from the rows [first, first + rows) of results, whose W of the panel is w. */
static void add_tap_gradient(const Pass *pass, int64_t first, int64_t rows, int64_t t, const float *w, float *sums)
{
    const Conv2dShape *s = &pass->shape;
    const int64_t C = s->in_channels, column = t % s->kernel_width;
    int64_t begin = 0, end = 0;
    inside_of(s, column, &begin, &end);
    if (begin >= end) return;
    for (int64_t row = 0; row < rows; row++) {
        const float *line = line_of(pass, first + row, t / s->kernel_width);
        if (line == NULL) continue;
        product_transposed(line + (begin * s->stride + column - s->left) * C, s->stride * C,
                           w + (row * s->out_width + begin) * PANEL, end - begin, C, true, sums);
    }
}

static void write_gradient(const Step *step, const Conv2dShape *s, const float *sums)
{
    const int64_t C = s->in_channels, taps = taps_of(s);
    float *d_weight = step->d_in[1].data;
    const bool add = step->accumulate[1];
#pragma omp parallel for schedule(static) num_threads(step->device.threads)
    for (int64_t co = 0; co < s->out_channels; co++) {
        for (int64_t c = 0; c < C; c++) {
            float *to = d_weight + (co * C + c) * taps;
            for (int64_t t = 0; t < taps; t++)
                to[t] = sums[((co / PANEL * taps + t) * C + c) * PANEL + co % PANEL] + (add ? to[t] : 0.0F);
        }
    }
}

/* Threads divide the sums, not the results: each sum runs over the results in one order. */
static void backward_weights(const Step *step, const Conv2dShape *s)
{
    const Pass pass = { .step = step, .shape = *s };
    const Scratch scratch = scratch_of(step, s);
    const int64_t rows = s->batch * s->out_height, band = band_rows(s, GRADIENT_BAND), C = s->in_channels;
    const int64_t panels = panels_of(s->out_channels), taps = taps_of(s);
    float *sums = step->workspace, *w = sums + scratch.sums;
    memset(sums, 0, (size_t)scratch.sums * sizeof *sums);
    for (int64_t first = 0; first < rows; first += band) {
        const int64_t some = min_int64(band, rows - first), pixels = some * s->out_width;
        const float *dy = (const float *)step->d_out[0].data + first * s->out_width * s->out_channels;
#pragma omp parallel num_threads(step->device.threads)
        {
#pragma omp for schedule(static)
            for (int64_t i = 0; i < pixels; i++) pack_pixel(s, dy + i * s->out_channels, pixels, w + i * PANEL);
#pragma omp for collapse(2) schedule(static)
            for (int64_t panel = 0; panel < panels; panel++)
                for (int64_t t = 0; t < taps; t++)
                    add_tap_gradient(&pass, first, some, t, w + panel * pixels * PANEL,
                                     sums + (panel * taps + t) * C * PANEL);
        }
    }
    write_gradient(step, s, sums);
}

static Err backward(const Step *step)
{
    const Conv2dShape s = conv2d_shape(step);
    if (step->d_in[0].data != NULL) backward_data(step, &s);
    if (step->d_in[1].data != NULL) backward_weights(step, &s);
    conv2d_bias_gradient(step, &s);
    return ERR_NONE;
}

#endif
