/* SPDX-License-Identifier: Apache-2.0
 *
 * Loops of the vector kernels of batchnorm; include after simd_avx2.h or simd_avx512.h. Sums run over blocks of rows in
 * float, for x relative to the block's first row, so that a mean far from 0 costs no digits; blocks are added in
 * double.
 */
#ifndef METASEG_OPS_BATCHNORM_SIMD_H
#define METASEG_OPS_BATCHNORM_SIMD_H

#include "ops/batchnorm_kernels.h"

/* Rows of a block, and channels whose sums are kept at once. Within a block memory is read in order: going down one
 * vector of channels at a time with the sums in registers reads large maps at two thirds of the speed. */
enum { BLOCK_ROWS = 64, BLOCK_CHANNELS = 256 };

typedef struct BlockSums {
    float first[BLOCK_CHANNELS], second[BLOCK_CHANNELS];
} BlockSums;

static void clear(BlockSums *block, int64_t n)
{
    for (int64_t c = 0; c < n; c++) block->first[c] = block->second[c] = 0.0F;
}

/* Channels c.. of a block: first += a, second += b factor. */
static void accumulate(BlockSums *block, int64_t c, Vec a, Vec b, Vec factor)
{
    vec_store(block->first + c, vec_add(vec_load(block->first + c), a));
    vec_store(block->second + c, vec_fma(b, factor, vec_load(block->second + c)));
}

/* Sums over n channels of a block of x - first and (x - first)^2, added to `total` as those of x and x^2. */
static void add_block_sums(const float *x, int64_t rows, int64_t C, int64_t n, double *total)
{
    BlockSums block;
    clear(&block, round_up(n, VEC_LANES));
    for (int64_t r = 1; r < rows; r++) {
        for (int64_t c = 0; c < n; c += VEC_LANES) {
            const int64_t lanes = min_int64(VEC_LANES, n - c);
            const Vec d = vec_sub(vec_load_first(x + r * C + c, lanes), vec_load_first(x + c, lanes));
            accumulate(&block, c, d, d, d);
        }
    }
    for (int64_t c = 0; c < n; c++) {
        const double base = (double)x[c], d = (double)block.first[c];
        total[c] += d + (double)rows * base;
        total[C + c] += (double)block.second[c] + base * (2.0 * d + (double)rows * base);
    }
}

static void sums(const BatchnormView *view, int64_t begin, int64_t end, double *total)
{
    const int64_t C = view->channels;
    for (int64_t r = begin; r < end; r += BLOCK_ROWS)
        for (int64_t c = 0; c < C; c += BLOCK_CHANNELS)
            add_block_sums(view->x + r * C + c, min_int64(BLOCK_ROWS, end - r), C, min_int64(BLOCK_CHANNELS, C - c),
                           total + c);
}

static void normalize(const BatchnormView *view, int64_t begin, int64_t end)
{
    const int64_t C = view->channels;
    const bool cut = view->activation != ACTIVATION_NONE;
    const Vec zero = vec_zero(), high = vec_set(batchnorm_high(view->activation));
    for (int64_t r = begin; r < end; r++) {
        const float *x = view->x + r * C;
        float *y = view->y + r * C;
        for (int64_t c = 0; c < C; c += VEC_LANES) {
            const int64_t n = C - c;
            if (n >= VEC_LANES) {
                const Vec centred = vec_sub(vec_load(x + c), vec_load(view->mean + c));
                Vec value = vec_fma(centred, vec_load(view->scale + c), vec_load(view->bias + c));
                if (cut) value = vec_min(vec_max(value, zero), high);
                vec_store(y + c, value);
            } else {
                const Vec centred = vec_sub(vec_load_first(x + c, n), vec_load_first(view->mean + c, n));
                Vec value = vec_fma(centred, vec_load_first(view->scale + c, n), vec_load_first(view->bias + c, n));
                if (cut) value = vec_min(vec_max(value, zero), high);
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

/* dy where the activation passes the value, else 0; centred is x - mean. */
static Vec passed(const ChannelVectors *channel, Vec centred, Vec dy, Activation activation)
{
    if (activation == ACTIVATION_NONE) return dy;
    const Vec value = vec_fma(centred, channel->scale, channel->bias);
    const Vec below = vec_select_less(value, vec_set(batchnorm_high(activation)), dy, vec_zero());
    return vec_select_less(vec_zero(), value, below, vec_zero());
}

/* n channels from `first` on of rows [begin, end). */
static void add_block_gradients(const BatchnormView *view, int64_t begin, int64_t end, int64_t first, int64_t n,
                                double *total)
{
    const int64_t C = view->channels;
    BlockSums block;
    clear(&block, round_up(n, VEC_LANES));
    for (int64_t r = begin; r < end; r++) {
        for (int64_t c = 0; c < n; c += VEC_LANES) {
            const int64_t lanes = min_int64(VEC_LANES, n - c), i = r * C + first + c;
            const ChannelVectors channel = channel_vectors(view, first + c, lanes);
            const Vec centred = vec_sub(vec_load_first(view->x + i, lanes), channel.mean);
            const Vec g = passed(&channel, centred, vec_load_first(view->dy + i, lanes), view->activation);
            accumulate(&block, c, g, g, centred);
        }
    }
    for (int64_t c = 0; c < n; c++) {
        total[first + c] += (double)block.first[c];
        total[C + first + c] += (double)block.second[c];
    }
}

static void gradient_sums(const BatchnormView *view, int64_t begin, int64_t end, double *total)
{
    const int64_t C = view->channels;
    for (int64_t r = begin; r < end; r += BLOCK_ROWS)
        for (int64_t c = 0; c < C; c += BLOCK_CHANNELS)
            add_block_gradients(view, r, min_int64(r + BLOCK_ROWS, end), c, min_int64(BLOCK_CHANNELS, C - c), total);
}

static Vec gradient_vector(const BatchnormView *view, int64_t r, int64_t c, int64_t n)
{
    const ChannelVectors channel = channel_vectors(view, c, n);
    const int64_t i = r * view->channels + c;
    const Vec centred = vec_sub(vec_load_first(view->x + i, n), channel.mean);
    Vec g = passed(&channel, centred, vec_load_first(view->dy + i, n), view->activation);
    g = vec_fnma(centred, vec_load_first(view->slope + c, n), vec_sub(g, vec_load_first(view->mean_g + c, n)));
    const Vec dx = vec_mul(g, channel.scale);
    return view->add ? vec_add(vec_load_first(view->dx + i, n), dx) : dx;
}

static void gradient(const BatchnormView *view, int64_t begin, int64_t end)
{
    const int64_t C = view->channels;
    for (int64_t r = begin; r < end; r++) {
        for (int64_t c = 0; c < C; c += VEC_LANES) {
            const int64_t n = min_int64(VEC_LANES, C - c);
            vec_store_first(view->dx + r * C + c, gradient_vector(view, r, c, n), n);
        }
    }
}

static const BatchnormLoops loops = { sums, normalize, gradient_sums, gradient };

static Err forward(const Step *step) { return batchnorm_forward(step, &loops); }
static Err backward(const Step *step) { return batchnorm_backward(step, &loops); }

#endif
