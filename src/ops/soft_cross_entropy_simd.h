/* SPDX-License-Identifier: Apache-2.0
 *
 * Body of the vector kernels of soft_cross_entropy; include after simd_avx2.h or simd_avx512.h. As in
 * cross_entropy_simd.h, lanes are pixels in forward, and backward runs over the logits as one flat array.
 */
#ifndef METASEG_OPS_SOFT_CROSS_ENTROPY_SIMD_H
#define METASEG_OPS_SOFT_CROSS_ENTROPY_SIMD_H

#include "ops/simd_labels.h"
#include "ops/simd_math.h"
#include "ops/simd_transpose.h"
#include "ops/soft_cross_entropy_kernels.h"

/* n bytes (at most VEC_LANES) as floats, 0 in the other lanes. */
static inline Vec load_bytes(const uint8_t *from, int64_t n)
{
    float value[VEC_LANES];
    if (n == VEC_LANES) return vec_load_u8(from);
    for (int64_t i = 0; i < VEC_LANES; i++) value[i] = i < n ? (float)from[i] : 0.0F;
    return vec_load(value);
}

/* Probabilities of n pixels as floats, turned around to [C, VEC_LANES]. */
static void load_probabilities(const uint8_t *from, int64_t n, int64_t C, float *flat, float *block)
{
    for (int64_t i = 0; i < n * C; i += VEC_LANES)
        vec_store(flat + i, load_bytes(from + i, min_int64(VEC_LANES, n * C - i)));
    transpose_strip(flat, C, n, C, block, VEC_LANES);
}

/* Of a block [C, VEC_LANES]: lse; ret_sum sum_c x_c, ret_total sum_c t_c, ret_picked sum_c t_c x_c. */
static Vec block_lse(const float *x, const float *t, int64_t C, Vec *ret_sum, Vec *ret_total, Vec *ret_picked)
{
    Vec max = vec_load(x), sum = vec_zero(), total = vec_zero(), picked = vec_zero(), exponentials = vec_zero();
    for (int64_t c = 0; c < C; c++) {
        const Vec value = vec_load(x + c * VEC_LANES), probability = vec_load(t + c * VEC_LANES);
        max = vec_max(max, value);
        sum = vec_add(sum, value);
        total = vec_add(total, probability);
        picked = vec_fma(probability, value, picked);
    }
    for (int64_t c = 0; c < C; c++)
        exponentials = vec_add(exponentials, vec_exp(vec_sub(vec_load(x + c * VEC_LANES), max)));
    *ret_sum = sum;
    *ret_total = total;
    *ret_picked = picked;
    return vec_add(max, vec_log(exponentials));
}

static CrossEntropySums forward_chunk(const Step *step, int64_t begin, int64_t end)
{
    const CrossEntropyAttr *attr = step->attr;
    const int64_t C = channels_of(&step->in[0]);
    const float *logits = step->in[0].data;
    const uint8_t *probabilities = step->in[2].data;
    float *saved = step->out[1].data, *block = cross_entropy_block(step), *flat = soft_cross_entropy_blocks(step);
    const Vec weight = vec_set(1.0F - attr->smoothing), uniform = vec_set(attr->smoothing / (float)C);
    Vec loss = vec_zero(), count = vec_zero(), largest = vec_set(-1.0F), empty = vec_zero();
    for (int64_t p = begin; p < end; p += VEC_LANES) {
        const int64_t n = min_int64(VEC_LANES, end - p);
        const Vec labels = vec_labels((const uint8_t *)step->in[1].data + p, n, attr->ignore);
        Vec sum, total, picked;
        transpose_strip(logits + p * C, C, n, C, block, VEC_LANES);
        load_probabilities(probabilities + p * C, n, C, flat, flat + C * 16);
        const Vec lse = block_lse(block, flat + C * 16, C, &sum, &total, &picked);
        if (saved != NULL) vec_store_first(saved + p, lse, n);
        const Vec share = vec_mul(weight, vec_reciprocal(vec_max(total, vec_set(1.0F))));
        const Vec value = vec_fnma(uniform, sum, vec_fnma(share, picked, lse));
        loss = vec_add(loss, vec_select_less(labels, vec_zero(), vec_zero(), value));
        count = vec_add(count, vec_select_less(labels, vec_zero(), vec_zero(), vec_set(1.0F)));
        largest = vec_max(largest, labels);
        const Vec none = vec_select_equal(total, vec_zero(), vec_set(1.0F), vec_zero());
        empty = vec_max(empty, vec_select_less(labels, vec_zero(), vec_zero(), none));
    }
    const double label = (double)vec_max_lanes(largest);
    const double bad = label >= (double)C ? label : -1.0;
    return (CrossEntropySums){ .loss = (double)vec_sum_lanes(loss),
                               .count = (double)vec_sum_lanes(count),
                               .bad_label = vec_max_lanes(empty) > 0.0F ? (double)SOFT_CROSS_ENTROPY_EMPTY : bad };
}

static Err forward(const Step *step)
{
    const int64_t pixels = shape_count(&step->in[1].shape);
#pragma omp parallel for schedule(static) num_threads(step->device.threads)
    for (int64_t chunk = 0; chunk < cross_entropy_chunks(step); chunk++)
        cross_entropy_sums(step)[chunk] =
            forward_chunk(step, chunk * LOSS_CHUNK_PIXELS, min_int64((chunk + 1) * LOSS_CHUNK_PIXELS, pixels));
    return soft_cross_entropy_finish(step);
}

/* (1 - smoothing) / sum_c t_c of one pixel. */
static float share_of(const CrossEntropyAttr *attr, const uint8_t *t, int64_t C)
{
    int32_t total = 0;
    for (int64_t c = 0; c < C; c++) total += t[c];
    return total > 0 ? (1.0F - attr->smoothing) / (float)total : 0.0F;
}

/* Gradients of n pixels (at most VEC_LANES). index[i] is the pixel of element i of the block. */
static void backward_block(const CrossEntropyAttr *attr, const float *x, const uint8_t *labels, const uint8_t *t,
                           const float *lse, const int32_t *index, int64_t n, int64_t C, float scale, float *dx,
                           bool add)
{
    float weight[VEC_LANES], share[VEC_LANES];
    for (int64_t p = 0; p < VEC_LANES; p++) {
        weight[p] = p < n && labels[p] != attr->ignore ? scale : 0.0F;
        share[p] = p < n && labels[p] != attr->ignore ? scale * share_of(attr, t + p * C, C) : 0.0F;
    }
    const Vec weights = vec_load(weight), shares = vec_load(share), lses = vec_load_first(lse, n);
    const Vec uniform = vec_set(attr->smoothing / (float)C);
    for (int64_t i = 0; i < n * C; i += VEC_LANES) {
        const int64_t count = min_int64(VEC_LANES, n * C - i);
        const VecIndex pixel = vec_index_load(index + i);
        const Vec logits = count == VEC_LANES ? vec_load(x + i) : vec_load_first(x + i, count);
        const Vec p = vec_exp(vec_sub(logits, vec_permute(lses, pixel)));
        const Vec smoothed = vec_mul(vec_sub(p, uniform), vec_permute(weights, pixel));
        const Vec gradient = vec_fnma(load_bytes(t + i, count), vec_permute(shares, pixel), smoothed);
        if (count == VEC_LANES)
            vec_store(dx + i, add ? vec_add(vec_load(dx + i), gradient) : gradient);
        else
            vec_store_first(dx + i, add ? vec_add(vec_load_first(dx + i, count), gradient) : gradient, count);
    }
}

static Err backward(const Step *step)
{
    const int64_t pixels = shape_count(&step->in[1].shape), C = channels_of(&step->in[0]);
    const float *logits = step->in[0].data, *lse = step->out[1].data;
    const uint8_t *labels = step->in[1].data, *probabilities = step->in[2].data;
    float *dx = step->d_in[0].data;
    if (dx == NULL) return ERR_NONE;
    const float scale = cross_entropy_scale(step);
    int32_t *index = cross_entropy_index(step);
    for (int64_t i = 0; i < C * VEC_LANES; i++) index[i] = (int32_t)(i / C);
#pragma omp parallel for schedule(static) num_threads(step->device.threads)
    for (int64_t block = 0; block < ceil_divide(pixels, VEC_LANES); block++) {
        const int64_t p = block * VEC_LANES;
        backward_block(step->attr, logits + p * C, labels + p, probabilities + p * C, lse + p, index,
                       min_int64(VEC_LANES, pixels - p), C, scale, dx + p * C, step->accumulate[0]);
    }
    return ERR_NONE;
}

#endif
