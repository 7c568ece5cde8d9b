/* SPDX-License-Identifier: Apache-2.0
 *
 * Body of the vector kernels of dice; include after simd_avx2.h or simd_avx512.h.
 * Blocks of VEC_LANES pixels are turned around, so that lanes are pixels and sums over classes are plain additions.
 */
#ifndef METASEG_OPS_DICE_SIMD_H
#define METASEG_OPS_DICE_SIMD_H

#include "ops/dice_kernels.h"
#include "ops/simd_math.h"
#include "ops/simd_transpose.h"

#include <math.h>

/* x [C, VEC_LANES] becomes softmax over C times weight. */
static void block_softmax(float *x, int64_t C, Vec weight)
{
    Vec max = vec_load(x), total = vec_zero();
    for (int64_t c = 1; c < C; c++) max = vec_max(max, vec_load(x + c * VEC_LANES));
    for (int64_t c = 0; c < C; c++) {
        const Vec e = vec_exp(vec_sub(vec_load(x + c * VEC_LANES), max));
        vec_store(x + c * VEC_LANES, e);
        total = vec_add(total, e);
    }
    const Vec factor = vec_mul(weight, vec_reciprocal(total));
    for (int64_t c = 0; c < C; c++) vec_store(x + c * VEC_LANES, vec_mul(vec_load(x + c * VEC_LANES), factor));
}

/* 1 for valid pixels, else 0. */
static Vec valid_pixels(const DiceAttr *attr, const uint8_t *labels, int64_t n, int64_t C)
{
    float valid[VEC_LANES];
    for (int64_t p = 0; p < VEC_LANES; p++)
        valid[p] = p < n && labels[p] != attr->ignore && labels[p] < C ? 1.0F : 0.0F;
    return vec_load(valid);
}

/* I, T and bad labels of a block of probabilities. */
static void count_labels(const DiceAttr *attr, const uint8_t *labels, const float *p, int64_t n, int64_t C,
                         double *sums)
{
    for (int64_t i = 0; i < n; i++) {
        const int64_t label = labels[i];
        if (label == attr->ignore) continue;
        if (label >= C) {
            sums[3 * C] = fmax(sums[3 * C], (double)label);
            continue;
        }
        sums[label] += (double)p[label * VEC_LANES + i];
        sums[2 * C + label] += 1.0;
    }
}

static void forward_chunk(const Step *step, int64_t begin, int64_t end, double *sums)
{
    const DiceAttr *attr = step->attr;
    const int64_t C = channels_of(&step->in[0]);
    const float *logits = step->in[0].data;
    const uint8_t *labels = step->in[1].data;
    float *p = dice_blocks(step), *total = p + C * 16;
    for (int64_t i = 0; i < 3 * C; i++) sums[i] = 0.0;
    sums[3 * C] = -1.0;
    for (int64_t i = 0; i < C * VEC_LANES; i++) total[i] = 0.0F;
    for (int64_t pixel = begin; pixel < end; pixel += VEC_LANES) {
        const int64_t n = min_int64(VEC_LANES, end - pixel);
        transpose_strip(logits + pixel * C, C, n, C, p, VEC_LANES);
        block_softmax(p, C, valid_pixels(attr, labels + pixel, n, C));
        for (int64_t i = 0; i < C * VEC_LANES; i += VEC_LANES)
            vec_store(total + i, vec_add(vec_load(total + i), vec_load(p + i)));
        count_labels(attr, labels + pixel, p, n, C, sums);
    }
    for (int64_t c = 0; c < C; c++) sums[C + c] = (double)vec_sum_lanes(vec_load(total + c * VEC_LANES));
}

static Err forward(const Step *step)
{
    const int64_t pixels = shape_count(&step->in[1].shape);
#pragma omp parallel for schedule(static) num_threads(step->device.threads)
    for (int64_t chunk = 0; chunk < dice_chunks(step); chunk++)
        forward_chunk(step, chunk * DICE_CHUNK_PIXELS, min_int64((chunk + 1) * DICE_CHUNK_PIXELS, pixels),
                      dice_partial(step, chunk));
    return dice_finish(step);
}

/* Gradients of n pixels (at most VEC_LANES) from logits x, into dx [n, C]. */
static void backward_block(const Step *step, const float *x, const uint8_t *labels, int64_t n, float scale, float *dx)
{
    const DiceAttr *attr = step->attr;
    const int64_t C = channels_of(&step->in[0]);
    const float *a = dice_factors(step), *b = a + C;
    float *p = dice_blocks(step), own[VEC_LANES] = { 0.0F }; /* own: p b of the label */
    transpose_strip(x, C, n, C, p, VEC_LANES);
    block_softmax(p, C, valid_pixels(attr, labels, n, C));
    for (int64_t i = 0; i < n; i++)
        if (labels[i] != attr->ignore) own[i] = p[labels[i] * VEC_LANES + i] * b[labels[i]];
    Vec mean = vec_load(own);
    for (int64_t c = 0; c < C; c++) mean = vec_fma(vec_load(p + c * VEC_LANES), vec_set(a[c]), mean);
    for (int64_t c = 0; c < C; c++)
        vec_store(p + c * VEC_LANES, vec_mul(vec_load(p + c * VEC_LANES), vec_sub(vec_set(a[c]), mean)));
    for (int64_t i = 0; i < n; i++)
        if (labels[i] != attr->ignore) p[labels[i] * VEC_LANES + i] += own[i];
    untranspose_strip(p, VEC_LANES, n, C, scale, dx, C, step->accumulate[0]);
}

static Err backward(const Step *step)
{
    const int64_t pixels = shape_count(&step->in[1].shape), C = channels_of(&step->in[0]);
    const float *logits = step->in[0].data, scale = *(const float *)step->d_out[0].data;
    const uint8_t *labels = step->in[1].data;
    float *dx = step->d_in[0].data;
    if (dx == NULL) return ERR_NONE;
    dice_prepare_factors(step);
#pragma omp parallel for schedule(static) num_threads(step->device.threads)
    for (int64_t block = 0; block < ceil_divide(pixels, VEC_LANES); block++) {
        const int64_t p = block * VEC_LANES;
        backward_block(step, logits + p * C, labels + p, min_int64(VEC_LANES, pixels - p), scale, dx + p * C);
    }
    return ERR_NONE;
}

#endif
