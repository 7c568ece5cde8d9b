/* SPDX-License-Identifier: Apache-2.0
 *
 * Mish (Misra, BMVC 2020): y = x tanh(ln(1 + e^x)). With w = e^x (e^x + 2), tanh(ln(1 + e^x)) = w / (w + 2), and
 * dx = dy (w / (w + 2) + 4 x e^x (e^x + 1) / (w + 2)^2). Above 20 all of it is x and dy to the last bit.
 */
#include "ops/mish_kernels.h"

#include "ops/ops.h"

#include <math.h>

static const float linear = 20.0F;

static float function(float x)
{
    const float e = expf(fminf(x, linear)), w = e * (e + 2.0F);
    return x * (w / (w + 2.0F));
}

static float derivative(float x)
{
    const float e = expf(fminf(x, linear)), w = e * (e + 2.0F), r = 1.0F / (w + 2.0F);
    return w * r + 4.0F * x * (e * r) * ((e + 1.0F) * r);
}

#include "ops/elementwise_plain.h"

static Err infer(const void *attr, int32_t n_in, const Tensor *in, Tensor *ret_out)
{
    (void)attr;
    (void)n_in;
    if (in[0].dtype != DTYPE_F32) return err_set(ERR_SHAPE, "mish: input is %s, not f32", dtype_name(in[0].dtype));
    ret_out[0] = in[0];
    return ERR_NONE;
}

static const Kernel kernel_plain = { .name = "plain", .forward = forward, .backward = backward };
static const Kernel *const kernels[] = { KERNEL_AVX512(mish_avx512) KERNEL_AVX2(mish_avx2) & kernel_plain, NULL };

const OpDef op_def_mish = {
    .name = "mish",
    .min_in = 1,
    .max_in = 1,
    .n_out = 1,
    .n_results = 1,
    .bwd_reads = READS_IN(0),
    .flags = OP_INPLACE,
    .infer = infer,
    .kernels = kernels,
};

Var op_mish(Graph *g, Var x) { return graph_node(g, &op_def_mish, NULL, 1, &x); }
