/* SPDX-License-Identifier: Apache-2.0
 * Body of the vector kernels of activation; include after simd_avx2.h or simd_avx512.h and simd_math.h. */
#ifndef METASEG_OPS_ACTIVATION_SIMD_H
#define METASEG_OPS_ACTIVATION_SIMD_H

#include "ops/activation_kernels.h"
#include "ops/ops.h"

/* Elements of one piece of work. */
enum { ACTIVATION_PIECE = 8192 };

static inline Vec activate(Vec x, Activation activation)
{
    if (activation == ACTIVATION_SIGMOID) {
        /* by e^-|x| in (0, 1], so that nothing overflows: 1 / (1 + e) for x >= 0, e / (1 + e) below */
        const Vec e = vec_exp(vec_sub(vec_zero(), vec_abs(x)));
        const Vec r = vec_reciprocal(vec_add(vec_set(1.0F), e));
        return vec_select_less(x, vec_zero(), vec_mul(e, r), r);
    }
    const Vec positive = vec_max(vec_zero(), x); /* not a number stays so: the second operand is returned */
    return activation == ACTIVATION_RELU6 ? vec_min(vec_set(6.0F), positive) : positive;
}

/* dy f'(y). */
static inline Vec activation_gradient(Vec y, Vec dy, Activation activation)
{
    if (activation == ACTIVATION_SIGMOID) return vec_mul(vec_mul(dy, y), vec_sub(vec_set(1.0F), y));
    const Vec gradient = vec_select_less(vec_zero(), y, dy, vec_zero());
    return activation == ACTIVATION_RELU6 ? vec_select_less(y, vec_set(6.0F), gradient, vec_zero()) : gradient;
}

static inline void forward_piece(const float *x, float *y, int64_t n, Activation activation)
{
    int64_t i = 0;
    for (; i + VEC_LANES <= n; i += VEC_LANES) vec_store(y + i, activate(vec_load(x + i), activation));
    if (i < n) vec_store_first(y + i, activate(vec_load_first(x + i, n - i), activation), n - i);
}

static Err forward(const Step *step)
{
    const Activation *activation = step->attr;
    const int64_t n = shape_count(&step->in[0].shape);
    const float *x = step->in[0].data;
    float *y = step->out[0].data;
#pragma omp parallel for schedule(static) num_threads(step->device.threads)
    for (int64_t piece = 0; piece < ceil_divide(n, ACTIVATION_PIECE); piece++) {
        const int64_t begin = piece * ACTIVATION_PIECE, count = min_int64(ACTIVATION_PIECE, n - begin);
        /* constant arguments make three loops without tests inside */
        if (*activation == ACTIVATION_SIGMOID)
            forward_piece(x + begin, y + begin, count, ACTIVATION_SIGMOID);
        else if (*activation == ACTIVATION_RELU6)
            forward_piece(x + begin, y + begin, count, ACTIVATION_RELU6);
        else
            forward_piece(x + begin, y + begin, count, ACTIVATION_RELU);
    }
    return ERR_NONE;
}

static inline void backward_piece(const float *y, const float *dy, float *dx, int64_t n, Activation activation,
                                  bool add)
{
    int64_t i = 0;
    for (; i + VEC_LANES <= n; i += VEC_LANES) {
        const Vec gradient = activation_gradient(vec_load(y + i), vec_load(dy + i), activation);
        vec_store(dx + i, add ? vec_add(vec_load(dx + i), gradient) : gradient);
    }
    if (i == n) return;
    const Vec gradient = activation_gradient(vec_load_first(y + i, n - i), vec_load_first(dy + i, n - i), activation);
    vec_store_first(dx + i, add ? vec_add(vec_load_first(dx + i, n - i), gradient) : gradient, n - i);
}

static Err backward(const Step *step)
{
    const Activation *activation = step->attr;
    const int64_t n = shape_count(&step->in[0].shape);
    const float *y = step->out[0].data, *dy = step->d_out[0].data;
    float *dx = step->d_in[0].data;
    const bool add = step->accumulate[0];
    if (dx == NULL) return ERR_NONE;
#pragma omp parallel for schedule(static) num_threads(step->device.threads)
    for (int64_t piece = 0; piece < ceil_divide(n, ACTIVATION_PIECE); piece++) {
        const int64_t b = piece * ACTIVATION_PIECE, count = min_int64(ACTIVATION_PIECE, n - b);
        if (*activation == ACTIVATION_SIGMOID)
            backward_piece(y + b, dy + b, dx + b, count, ACTIVATION_SIGMOID, add);
        else if (*activation == ACTIVATION_RELU6)
            backward_piece(y + b, dy + b, dx + b, count, ACTIVATION_RELU6, add);
        else
            backward_piece(y + b, dy + b, dx + b, count, ACTIVATION_RELU, add);
    }
    return ERR_NONE;
}

#endif
