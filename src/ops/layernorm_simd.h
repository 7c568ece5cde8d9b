/* SPDX-License-Identifier: Apache-2.0
 * Body of the vector kernels of layernorm; include after simd_avx2.h or simd_avx512.h. */
#ifndef METASEG_OPS_LAYERNORM_SIMD_H
#define METASEG_OPS_LAYERNORM_SIMD_H

#include "ops/layernorm_kernels.h"
#include "ops/ops.h"

#include <math.h>

/* Two passes over a row that stays in the first-level cache: sums relative to its first value, so that a large common
 * offset does not cost digits, then the result. */
static void row_statistics(const float *x, int64_t C, float eps, float *ret_mean, float *ret_rstd)
{
    const int64_t whole = C - C % VEC_LANES;
    const Vec offset = vec_set(x[0]);
    Vec sum[2] = { vec_zero(), vec_zero() };
    int64_t c = 0;
    for (; c + 2 * VEC_LANES <= C; c += 2 * VEC_LANES) {
        sum[0] = vec_add(sum[0], vec_sub(vec_load(x + c), offset));
        sum[1] = vec_add(sum[1], vec_sub(vec_load(x + c + VEC_LANES), offset));
    }
    for (; c < whole; c += VEC_LANES) sum[0] = vec_add(sum[0], vec_sub(vec_load(x + c), offset));
    float total = vec_sum_lanes(vec_add(sum[0], sum[1]));
    for (c = whole; c < C; c++) total += x[c] - x[0];
    const float mean = x[0] + total / (float)C;
    Vec square[2] = { vec_zero(), vec_zero() };
    for (c = 0; c + 2 * VEC_LANES <= C; c += 2 * VEC_LANES) {
        const Vec a = vec_sub(vec_load(x + c), vec_set(mean)), b = vec_sub(vec_load(x + c + VEC_LANES), vec_set(mean));
        square[0] = vec_fma(a, a, square[0]);
        square[1] = vec_fma(b, b, square[1]);
    }
    for (; c < whole; c += VEC_LANES) {
        const Vec a = vec_sub(vec_load(x + c), vec_set(mean));
        square[0] = vec_fma(a, a, square[0]);
    }
    float squares = vec_sum_lanes(vec_add(square[0], square[1]));
    for (c = whole; c < C; c++) squares += (x[c] - mean) * (x[c] - mean);
    *ret_mean = mean;
    *ret_rstd = 1.0F / sqrtf(squares / (float)C + eps);
}

static void forward_row(const float *x, const float *weight, const float *bias, int64_t C, float mean, float rstd,
                        float *y)
{
    const Vec means = vec_set(mean), rstds = vec_set(rstd);
    int64_t c = 0;
    for (; c + VEC_LANES <= C; c += VEC_LANES) {
        const Vec normal = vec_mul(vec_sub(vec_load(x + c), means), rstds);
        vec_store(y + c, vec_fma(normal, vec_load(weight + c), vec_load(bias + c)));
    }
    if (c == C) return;
    const int64_t n = C - c;
    const Vec normal = vec_mul(vec_sub(vec_load_first(x + c, n), means), rstds);
    vec_store_first(y + c, vec_fma(normal, vec_load_first(weight + c, n), vec_load_first(bias + c, n)), n);
}

static Err forward(const Step *step)
{
    const LayernormAttr *attr = step->attr;
    const int64_t rows = rows_of(&step->in[0]), C = channels_of(&step->in[0]);
    const float *x = step->in[0].data, *weight = step->in[1].data, *bias = step->in[2].data;
    float *y = step->out[0].data, *saved = step->out[1].data;
#pragma omp parallel for schedule(static) num_threads(step->device.threads)
    for (int64_t r = 0; r < rows; r++) {
        float mean, rstd;
        row_statistics(x + r * C, C, attr->eps, &mean, &rstd);
        forward_row(x + r * C, weight, bias, C, mean, rstd, y + r * C);
        if (saved != NULL) {
            saved[r] = mean;
            saved[rows + r] = rstd;
        }
    }
    return ERR_NONE;
}

/* Adds one row to the sums of weight and bias; returns mean(dy weight) and mean(dy weight n). */
static void backward_sums(const float *x, const float *weight, const float *dy, int64_t C, float mean, float rstd,
                          float *d_weight, float *d_bias, float ret_means[2])
{
    const Vec means = vec_set(mean), rstds = vec_set(rstd);
    Vec sum = vec_zero(), sum_n = vec_zero();
    int64_t c = 0;
    for (; c + VEC_LANES <= C; c += VEC_LANES) {
        const Vec d = vec_load(dy + c), n = vec_mul(vec_sub(vec_load(x + c), means), rstds);
        const Vec g = vec_mul(d, vec_load(weight + c));
        sum = vec_add(sum, g);
        sum_n = vec_fma(g, n, sum_n);
        vec_store(d_weight + c, vec_fma(d, n, vec_load(d_weight + c)));
        vec_store(d_bias + c, vec_add(vec_load(d_bias + c), d));
    }
    float total = vec_sum_lanes(sum), total_n = vec_sum_lanes(sum_n);
    for (; c < C; c++) {
        const float n = (x[c] - mean) * rstd;
        total += dy[c] * weight[c];
        total_n += dy[c] * weight[c] * n;
        d_weight[c] += dy[c] * n;
        d_bias[c] += dy[c];
    }
    ret_means[0] = total / (float)C;
    ret_means[1] = total_n / (float)C;
}

/* dx may be the memory of dy. */
static void backward_row(const float *x, const float *weight, const float *dy, int64_t C, float mean, float rstd,
                         const float sums[2], float *dx, bool add)
{
    const Vec means = vec_set(mean), rstds = vec_set(rstd), mean_g = vec_set(sums[0]), mean_gn = vec_set(sums[1]);
    int64_t c = 0;
    for (; c + VEC_LANES <= C; c += VEC_LANES) {
        const Vec n = vec_mul(vec_sub(vec_load(x + c), means), rstds);
        const Vec g = vec_sub(vec_mul(vec_load(dy + c), vec_load(weight + c)), mean_g);
        const Vec gradient = vec_mul(rstds, vec_fnma(n, mean_gn, g));
        vec_store(dx + c, add ? vec_add(vec_load(dx + c), gradient) : gradient);
    }
    for (; c < C; c++) {
        const float gradient = rstd * (dy[c] * weight[c] - sums[0] - (x[c] - mean) * rstd * sums[1]);
        dx[c] = add ? dx[c] + gradient : gradient;
    }
}

static Err backward(const Step *step)
{
    const int64_t rows = rows_of(&step->in[0]), C = channels_of(&step->in[0]), chunks = layernorm_chunks(rows);
    const float *x = step->in[0].data, *weight = step->in[1].data, *saved = step->out[1].data;
    const float *dy = step->d_out[0].data;
    float *dx = step->d_in[0].data, *partials = step->workspace;
#pragma omp parallel for schedule(static) num_threads(step->device.threads)
    for (int64_t chunk = 0; chunk < chunks; chunk++) {
        float *d_weight = partials + chunk * 2 * C, *d_bias = d_weight + C;
        for (int64_t c = 0; c < 2 * C; c++) d_weight[c] = 0.0F;
        for (int64_t r = chunk_begin(chunk, chunks, rows); r < chunk_begin(chunk + 1, chunks, rows); r++) {
            float sums[2];
            backward_sums(x + r * C, weight, dy + r * C, C, saved[r], saved[rows + r], d_weight, d_bias, sums);
            if (dx != NULL)
                backward_row(x + r * C, weight, dy + r * C, C, saved[r], saved[rows + r], sums, dx + r * C,
                             step->accumulate[0]);
        }
    }
    layernorm_reduce(step);
    return ERR_NONE;
}

#endif
