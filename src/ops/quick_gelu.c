/* SPDX-License-Identifier: Apache-2.0
 *
 * QuickGELU, the approximation of GELU in OpenAI's CLIP (Hendrycks and Gimpel 2016, section 2): y = x s, s = 1 / (1 + e^(-1.702 x)).
 * dx = dy s (1 + 1.702 x (1 - s)).
 */
#include "ops/quick_gelu_kernels.h"

#include "ops/ops.h"

#include <math.h>

static const float steepness = 1.702F;

static float sigmoid(float x) { return 1.0F / (1.0F + expf(-x)); }

static float function(float x) { return x * sigmoid(steepness * x); }

static float derivative(float x)
{
    const float s = sigmoid(steepness * x), rest = sigmoid(-steepness * x);
    return s * (1.0F + steepness * x * rest);
}

#include "ops/elementwise_plain.h"

static Err infer(const void *attr, int32_t n_in, const Tensor *in, Tensor *ret_out)
{
    (void)attr;
    (void)n_in;
    if (in[0].dtype != DTYPE_F32)
        return err_set(ERR_SHAPE, "quick_gelu: input is %s, not f32", dtype_name(in[0].dtype));
    ret_out[0] = in[0];
    return ERR_NONE;
}

static const Kernel kernel_plain = { .name = "plain", .forward = forward, .backward = backward };
static const Kernel *const kernels[] = { KERNEL_AVX512(quick_gelu_avx512) KERNEL_AVX2(quick_gelu_avx2) & kernel_plain,
                                         NULL };

const OpDef op_def_quick_gelu = {
    .name = "quick_gelu",
    .min_in = 1,
    .max_in = 1,
    .n_out = 1,
    .n_results = 1,
    .bwd_reads = READS_IN(0),
    .flags = OP_INPLACE,
    .infer = infer,
    .kernels = kernels,
};

Var op_quick_gelu(Graph *g, Var x) { return graph_node(g, &op_def_quick_gelu, NULL, 1, &x); }
