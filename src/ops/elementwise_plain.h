/* SPDX-License-Identifier: Apache-2.0
 * Plain kernels of a function of single elements; include after `function` and `derivative`, both float -> float, which they
 * apply: y = function(x), dx = dy derivative(x). */
#ifndef METASEG_OPS_ELEMENTWISE_PLAIN_H
#define METASEG_OPS_ELEMENTWISE_PLAIN_H

#include "ops/kernel_util.h"

static Err forward(const Step *step)
{
    const int64_t n = shape_count(&step->in[0].shape);
    const float *x = step->in[0].data;
    float *y = step->out[0].data;
#pragma omp parallel for schedule(static) num_threads(step->device.threads)
    for (int64_t i = 0; i < n; i++) y[i] = function(x[i]);
    return ERR_NONE;
}

static Err backward(const Step *step)
{
    const int64_t n = shape_count(&step->in[0].shape);
    const float *x = step->in[0].data, *dy = step->d_out[0].data;
    float *dx = step->d_in[0].data;
    const bool add = step->accumulate[0];
    if (dx == NULL) return ERR_NONE;
#pragma omp parallel for schedule(static) num_threads(step->device.threads)
    for (int64_t i = 0; i < n; i++) {
        const float gradient = dy[i] * derivative(x[i]);
        dx[i] = add ? dx[i] + gradient : gradient;
    }
    return ERR_NONE;
}

#endif
