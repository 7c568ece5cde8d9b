/* SPDX-License-Identifier: Apache-2.0
 *
 * GELU with the error function (Hendrycks and Gimpel 2016): y = x Phi(x), Phi(x) = (1 + erf(x / sqrt 2)) / 2.
 * Backward: dx = dy (Phi(x) + x phi(x)), phi the density of the standard normal.
 */
#include "ops/gelu_kernels.h"

#include "ops/ops.h"

#include <math.h>

static float normal_phi(float x) { return 0.5F * erfcf(-0.707106781F * x); }

static float function(float x) { return x * normal_phi(x); }

static float derivative(float x)
{
    const float density = 0.398942280F * expf(-0.5F * x * x);
    return normal_phi(x) + x * density;
}

#include "ops/elementwise_plain.h"

static Err infer(const void *attr, int32_t n_in, const Tensor *in, Tensor *ret_out)
{
    (void)attr;
    (void)n_in;
    if (in[0].dtype != DTYPE_F32) return err_set(ERR_SHAPE, "gelu: input is %s, not f32", dtype_name(in[0].dtype));
    ret_out[0] = in[0];
    return ERR_NONE;
}

static const Kernel kernel_plain = { .name = "plain", .forward = forward, .backward = backward };
static const Kernel *const kernels[] = { KERNEL_AVX512(gelu_avx512) KERNEL_AVX2(gelu_avx2) & kernel_plain, NULL };

const OpDef op_def_gelu = {
    .name = "gelu",
    .min_in = 1,
    .max_in = 1,
    .n_out = 1,
    .n_results = 1,
    .bwd_reads = READS_IN(0),
    .flags = OP_INPLACE,
    .infer = infer,
    .kernels = kernels,
};

Var op_gelu(Graph *g, Var x) { return graph_node(g, &op_def_gelu, NULL, 1, &x); }
