/* SPDX-License-Identifier: Apache-2.0
 *
 * Body of the vector kernels of dice; include after simd_avx2.h or simd_avx512.h.
 * Blocks of VEC_LANES pixels are turned around, so that lanes are pixels and sums over classes are plain additions.
 */
#ifndef METASEG_OPS_DICE_SIMD_H
#define METASEG_OPS_DICE_SIMD_H

#include "ops/dice_kernels.h"
#include "ops/simd_labels.h"
#include "ops/simd_math.h"
#include "ops/simd_transpose.h"

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
static Vec valid_pixels(Vec labels) { return vec_select_less(labels, vec_zero(), vec_zero(), vec_set(1.0F)); }

/* Adds the probabilities of a block to sums over blocks: P, I and T, each [C, VEC_LANES]. */
static void add_block(const float *p, Vec labels, int64_t C, float *total, float *common, float *count)
{
    for (int64_t c = 0; c < C; c++) {
        const int64_t i = c * VEC_LANES;
        const Vec value = vec_load(p + i), number = vec_set((float)c);
        vec_store(total + i, vec_add(vec_load(total + i), value));
        vec_store(common + i, vec_add(vec_load(common + i), vec_select_equal(labels, number, value, vec_zero())));
        vec_store(count + i, vec_add(vec_load(count + i), vec_select_equal(labels, number, vec_set(1.0F), vec_zero())));
    }
}

static void forward_chunk(const Step *step, int64_t begin, int64_t end, double *sums)
{
    const DiceAttr *attr = step->attr;
    const int64_t C = channels_of(&step->in[0]);
    const float *logits = step->in[0].data;
    float *p = dice_blocks(step), *total = p + C * 16, *common = total + C * 16, *count = common + C * 16;
    Vec largest = vec_set(-1.0F);
    for (int64_t i = 0; i < 3 * C * 16; i++) total[i] = 0.0F;
    for (int64_t pixel = begin; pixel < end; pixel += VEC_LANES) {
        const int64_t n = min_int64(VEC_LANES, end - pixel);
        const Vec labels = vec_labels((const uint8_t *)step->in[1].data + pixel, n, attr->ignore);
        transpose_strip(logits + pixel * C, C, n, C, p, VEC_LANES);
        block_softmax(p, C, valid_pixels(labels));
        add_block(p, labels, C, total, common, count);
        largest = vec_max(largest, labels);
    }
    for (int64_t c = 0; c < C; c++) {
        sums[c] = (double)vec_sum_lanes(vec_load(common + c * VEC_LANES));
        sums[C + c] = (double)vec_sum_lanes(vec_load(total + c * VEC_LANES));
        sums[2 * C + c] = (double)vec_sum_lanes(vec_load(count + c * VEC_LANES));
    }
    const double label = (double)vec_max_lanes(largest);
    sums[3 * C] = label >= (double)C ? label : -1.0;
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

/* d loss / d p of class c. */
static Vec class_gradient(const float *a, const float *b, int64_t c, Vec labels)
{
    const Vec base = vec_set(a[c]);
    return vec_select_equal(labels, vec_set((float)c), vec_add(base, vec_set(b[c])), base);
}

/* Gradients of n pixels (at most VEC_LANES) from logits x, into dx [n, C]. */
static void backward_block(const Step *step, const float *x, const uint8_t *label, int64_t n, float scale, float *dx)
{
    const DiceAttr *attr = step->attr;
    const int64_t C = channels_of(&step->in[0]);
    const float *a = dice_factors(step), *b = a + C;
    const Vec labels = vec_labels(label, n, attr->ignore);
    float *p = dice_blocks(step);
    Vec mean = vec_zero();
    transpose_strip(x, C, n, C, p, VEC_LANES);
    block_softmax(p, C, valid_pixels(labels));
    for (int64_t c = 0; c < C; c++) mean = vec_fma(vec_load(p + c * VEC_LANES), class_gradient(a, b, c, labels), mean);
    for (int64_t c = 0; c < C; c++) {
        const Vec gradient = vec_sub(class_gradient(a, b, c, labels), mean);
        vec_store(p + c * VEC_LANES, vec_mul(vec_load(p + c * VEC_LANES), gradient));
    }
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
