/* SPDX-License-Identifier: Apache-2.0
 *
 * Loops of the vector kernels of batchnorm; include after simd_avx2.h or simd_avx512.h. Sums run over blocks of rows in
 * float, for x relative to the block's first row, so that a mean far from 0 costs no digits; blocks are added in
 * double.
 */
#ifndef METASEG_OPS_BATCHNORM_SIMD_H
#define METASEG_OPS_BATCHNORM_SIMD_H

#include "ops/batchnorm_kernels.h"

enum { BLOCK_BYTES = 16384, BLOCK_ROWS_MAX = 64, BLOCK_ROWS_MIN = 8 };

/* Rows whose data stay in the first-level cache, or nearly. */
static int64_t block_rows(int64_t C)
{
    return min_int64(max_int64(BLOCK_BYTES / (4 * C), BLOCK_ROWS_MIN), BLOCK_ROWS_MAX);
}

/* sums[0..n) += a, sums[C..C + n) += b. */
static void add_to_sums(const Vec a, const Vec b, int64_t C, int64_t n, double *sums)
{
    float first[VEC_LANES], second[VEC_LANES];
    vec_store(first, a);
    vec_store(second, b);
    for (int64_t i = 0; i < n; i++) {
        sums[i] += (double)first[i];
        sums[C + i] += (double)second[i];
    }
}

/* Sums over a block of x - first and (x - first)^2, turned into those of x and x^2 in double. */
static void block_sums(const float *x, int64_t rows, int64_t C, int64_t n, double *sums)
{
    const Vec offset = vec_load_first(x, n);
    Vec sum[2] = { vec_zero(), vec_zero() }, square[2] = { vec_zero(), vec_zero() };
    int64_t r = 0;
    for (; r + 2 <= rows; r += 2) {
        const Vec a = vec_sub(vec_load_first(x + r * C, n), offset);
        const Vec b = vec_sub(vec_load_first(x + (r + 1) * C, n), offset);
        sum[0] = vec_add(sum[0], a);
        sum[1] = vec_add(sum[1], b);
        square[0] = vec_fma(a, a, square[0]);
        square[1] = vec_fma(b, b, square[1]);
    }
    if (r < rows) {
        const Vec a = vec_sub(vec_load_first(x + r * C, n), offset);
        sum[0] = vec_add(sum[0], a);
        square[0] = vec_fma(a, a, square[0]);
    }
    float s[VEC_LANES], q[VEC_LANES];
    vec_store(s, vec_add(sum[0], sum[1]));
    vec_store(q, vec_add(square[0], square[1]));
    for (int64_t i = 0; i < n; i++) {
        const double base = (double)x[i], d = (double)s[i];
        sums[i] += d + (double)rows * base;
        sums[C + i] += (double)q[i] + base * (2.0 * d + (double)rows * base);
    }
}

static void sums(const BatchnormView *view, int64_t begin, int64_t end, double *total)
{
    const int64_t C = view->channels, step = block_rows(C);
    for (int64_t r = begin; r < end; r += step)
        for (int64_t c = 0; c < C; c += VEC_LANES)
            block_sums(view->x + r * C + c, min_int64(step, end - r), C, min_int64(VEC_LANES, C - c), total + c);
}

static void normalize(const BatchnormView *view, int64_t begin, int64_t end)
{
    const int64_t C = view->channels;
    const bool relu6 = view->activation == ACTIVATION_RELU6;
    const Vec zero = vec_zero(), six = vec_set(6.0F);
    for (int64_t r = begin; r < end; r++) {
        const float *x = view->x + r * C;
        float *y = view->y + r * C;
        for (int64_t c = 0; c < C; c += VEC_LANES) {
            const int64_t n = C - c;
            if (n >= VEC_LANES) {
                const Vec centred = vec_sub(vec_load(x + c), vec_load(view->mean + c));
                Vec value = vec_fma(centred, vec_load(view->scale + c), vec_load(view->bias + c));
                if (relu6) value = vec_min(vec_max(value, zero), six);
                vec_store(y + c, value);
            } else {
                const Vec centred = vec_sub(vec_load_first(x + c, n), vec_load_first(view->mean + c, n));
                Vec value = vec_fma(centred, vec_load_first(view->scale + c, n), vec_load_first(view->bias + c, n));
                if (relu6) value = vec_min(vec_max(value, zero), six);
                vec_store_first(y + c, value, n);
            }
        }
    }
}

/* Per-channel values of one vector of channels. */
typedef struct ChannelVectors {
    Vec mean, scale, bias;
} ChannelVectors;

static ChannelVectors channel_vectors(const BatchnormView *view, int64_t c, int64_t n)
{
    return (ChannelVectors){ vec_load_first(view->mean + c, n), vec_load_first(view->scale + c, n),
                             vec_load_first(view->bias + c, n) };
}

/* dy where 0 < v < 6, else 0; centred is x - mean. */
static Vec passed(const ChannelVectors *channel, Vec centred, Vec dy, bool relu6)
{
    if (!relu6) return dy;
    const Vec value = vec_fma(centred, channel->scale, channel->bias);
    return vec_select_less(vec_zero(), value, vec_select_less(value, vec_set(6.0F), dy, vec_zero()), vec_zero());
}

static void gradient_sums(const BatchnormView *view, int64_t begin, int64_t end, double *total)
{
    const int64_t C = view->channels, step = block_rows(C);
    const bool relu6 = view->activation == ACTIVATION_RELU6;
    for (int64_t block = begin; block < end; block += step) {
        for (int64_t c = 0; c < C; c += VEC_LANES) {
            const int64_t n = min_int64(VEC_LANES, C - c);
            const ChannelVectors channel = channel_vectors(view, c, n);
            Vec sum = vec_zero(), product = vec_zero();
            for (int64_t r = block; r < min_int64(block + step, end); r++) {
                const Vec centred = vec_sub(vec_load_first(view->x + r * C + c, n), channel.mean);
                const Vec g = passed(&channel, centred, vec_load_first(view->dy + r * C + c, n), relu6);
                sum = vec_add(sum, g);
                product = vec_fma(g, centred, product);
            }
            add_to_sums(sum, product, C, n, total + c);
        }
    }
}

static Vec gradient_vector(const BatchnormView *view, int64_t r, int64_t c, int64_t n, bool relu6)
{
    const ChannelVectors channel = channel_vectors(view, c, n);
    const int64_t i = r * view->channels + c;
    const Vec centred = vec_sub(vec_load_first(view->x + i, n), channel.mean);
    Vec g = passed(&channel, centred, vec_load_first(view->dy + i, n), relu6);
    g = vec_fnma(centred, vec_load_first(view->slope + c, n), vec_sub(g, vec_load_first(view->mean_g + c, n)));
    const Vec dx = vec_mul(g, channel.scale);
    return view->add ? vec_add(vec_load_first(view->dx + i, n), dx) : dx;
}

static void gradient(const BatchnormView *view, int64_t begin, int64_t end)
{
    const int64_t C = view->channels;
    const bool relu6 = view->activation == ACTIVATION_RELU6;
    for (int64_t r = begin; r < end; r++) {
        for (int64_t c = 0; c < C; c += VEC_LANES) {
            const int64_t n = min_int64(VEC_LANES, C - c);
            vec_store_first(view->dx + r * C + c, gradient_vector(view, r, c, n, relu6), n);
        }
    }
}

static const BatchnormLoops loops = { sums, normalize, gradient_sums, gradient };

static Err forward(const Step *step) { return batchnorm_forward(step, &loops); }
static Err backward(const Step *step) { return batchnorm_backward(step, &loops); }

#endif
