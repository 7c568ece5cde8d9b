/* SPDX-License-Identifier: Apache-2.0
 *
 * Body of the vector kernels of cross_entropy; include after simd_avx2.h or simd_avx512.h. Forward turns a block of
 * VEC_LANES pixels around, so that lanes are pixels. Backward needs no sums over classes thanks to the saved lse: it
 * runs over the logits as one flat array and spreads the lse of a block with a permutation.
 */
#ifndef METASEG_OPS_CROSS_ENTROPY_SIMD_H
#define METASEG_OPS_CROSS_ENTROPY_SIMD_H

#include "ops/cross_entropy_kernels.h"
#include "ops/simd_labels.h"
#include "ops/simd_math.h"
#include "ops/simd_transpose.h"

/* Of a block [C, VEC_LANES]: lse, sum over classes and logit of the label. */
static Vec block_lse(const float *x, int64_t C, Vec labels, Vec *ret_sum, Vec *ret_picked)
{
    Vec max = vec_load(x), sum = vec_zero(), total = vec_zero(), picked = vec_zero();
    for (int64_t c = 0; c < C; c++) {
        const Vec value = vec_load(x + c * VEC_LANES);
        max = vec_max(max, value);
        sum = vec_add(sum, value);
        picked = vec_select_equal(labels, vec_set((float)c), value, picked);
    }
    for (int64_t c = 0; c < C; c++) total = vec_add(total, vec_exp(vec_sub(vec_load(x + c * VEC_LANES), max)));
    *ret_sum = sum;
    *ret_picked = picked;
    return vec_add(max, vec_log(total));
}

static CrossEntropySums forward_chunk(const Step *step, int64_t begin, int64_t end)
{
    const CrossEntropyAttr *attr = step->attr;
    const int64_t C = channels_of(&step->in[0]);
    const float *logits = step->in[0].data;
    float *saved = step->out[1].data, *block = cross_entropy_block(step);
    const Vec weight = vec_set(1.0F - attr->smoothing), uniform = vec_set(attr->smoothing / (float)C);
    Vec loss = vec_zero(), count = vec_zero(), largest = vec_set(-1.0F);
    for (int64_t p = begin; p < end; p += VEC_LANES) {
        const int64_t n = min_int64(VEC_LANES, end - p);
        const Vec labels = vec_labels((const uint8_t *)step->in[1].data + p, n, attr->ignore);
        Vec sum, picked;
        transpose_strip(logits + p * C, C, n, C, block, VEC_LANES);
        const Vec lse = block_lse(block, C, labels, &sum, &picked);
        if (saved != NULL) vec_store_first(saved + p, lse, n);
        const Vec value = vec_fnma(uniform, sum, vec_fnma(weight, picked, lse));
        loss = vec_add(loss, vec_select_less(labels, vec_zero(), vec_zero(), value));
        count = vec_add(count, vec_select_less(labels, vec_zero(), vec_zero(), vec_set(1.0F)));
        largest = vec_max(largest, labels);
    }
    const double label = (double)vec_max_lanes(largest);
    return (CrossEntropySums){ .loss = (double)vec_sum_lanes(loss),
                               .count = (double)vec_sum_lanes(count),
                               .bad_label = label >= (double)C ? label : -1.0 };
}

static Err forward(const Step *step)
{
    const int64_t pixels = shape_count(&step->in[1].shape);
#pragma omp parallel for schedule(static) num_threads(step->device.threads)
    for (int64_t chunk = 0; chunk < cross_entropy_chunks(step); chunk++)
        cross_entropy_sums(step)[chunk] =
            forward_chunk(step, chunk * LOSS_CHUNK_PIXELS, min_int64((chunk + 1) * LOSS_CHUNK_PIXELS, pixels));
    return cross_entropy_finish(step);
}

/* Gradients of n pixels (at most VEC_LANES). index[i] is the pixel of element i of the block. */
static void backward_block(const CrossEntropyAttr *attr, const float *x, const uint8_t *labels, const float *lse,
                           const int32_t *index, int64_t n, int64_t C, float scale, float *dx, bool add)
{
    float weight[VEC_LANES];
    for (int64_t p = 0; p < VEC_LANES; p++) weight[p] = p < n && labels[p] != attr->ignore ? scale : 0.0F;
    const Vec weights = vec_load(weight), lses = vec_load_first(lse, n), uniform = vec_set(attr->smoothing / (float)C);
    for (int64_t i = 0; i < n * C; i += VEC_LANES) {
        const int64_t count = min_int64(VEC_LANES, n * C - i);
        const VecIndex pixel = vec_index_load(index + i);
        const Vec logits = count == VEC_LANES ? vec_load(x + i) : vec_load_first(x + i, count);
        const Vec p = vec_exp(vec_sub(logits, vec_permute(lses, pixel)));
        const Vec gradient = vec_mul(vec_sub(p, uniform), vec_permute(weights, pixel));
        if (count == VEC_LANES)
            vec_store(dx + i, add ? vec_add(vec_load(dx + i), gradient) : gradient);
        else
            vec_store_first(dx + i, add ? vec_add(vec_load_first(dx + i, count), gradient) : gradient, count);
    }
    for (int64_t p = 0; p < n; p++)
        if (labels[p] != attr->ignore) dx[p * C + labels[p]] -= (1.0F - attr->smoothing) * scale;
}

static Err backward(const Step *step)
{
    const int64_t pixels = shape_count(&step->in[1].shape), C = channels_of(&step->in[0]);
    const float *logits = step->in[0].data, *lse = step->out[1].data;
    const uint8_t *labels = step->in[1].data;
    float *dx = step->d_in[0].data;
    if (dx == NULL) return ERR_NONE;
    const float scale = cross_entropy_scale(step);
    int32_t *index = cross_entropy_index(step);
    for (int64_t i = 0; i < C * VEC_LANES; i++) index[i] = (int32_t)(i / C);
#pragma omp parallel for schedule(static) num_threads(step->device.threads)
    for (int64_t block = 0; block < ceil_divide(pixels, VEC_LANES); block++) {
        const int64_t p = block * VEC_LANES;
        backward_block(step->attr, logits + p * C, labels + p, lse + p, index, min_int64(VEC_LANES, pixels - p), C,
                       scale, dx + p * C, step->accumulate[0]);
    }
    return ERR_NONE;
}

#endif
