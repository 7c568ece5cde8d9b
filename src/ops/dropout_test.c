/* SPDX-License-Identifier: Apache-2.0 */
#include "harness/op_check.h"

#include "base/rng.h"

static void reference(const OpCase *op_case, const double *const *in, const Tensor *in_shapes, double *const *out,
                      const Tensor *out_shapes)
{
    const DropoutAttr *attr = op_case->attr;
    const Shape *shape = &in_shapes[0].shape;
    const int64_t n = shape_count(shape), channels = shape->dim[shape->rank - 1], per_image = n / shape->dim[0];
    (void)out_shapes;
    for (int64_t i = 0; i < n; i++) {
        const int64_t index = attr->per_channel  ? i / per_image * channels + i % channels
                              : attr->per_sample ? i / per_image
                                                 : i;
        const float uniform =
            rng_uniform(OP_CHECK_SEED, RNG_DROPOUT, OP_CHECK_RUN_STEP * 4096 + OP_CHECK_NODE, (uint64_t)index);
        const double scale = uniform >= attr->p ? 1 / (1 - (double)attr->p) : 0;
        out[0][i] = in[0][i] * (op_case->inference_only ? 1 : scale);
    }
}

static const DropoutAttr tenth = { .p = 0.1F }, channels_half = { .p = 0.5F, .per_channel = true },
                         samples_half = { .p = 0.5F, .per_sample = true }, none = { .p = 0.0F };

static const OpCase cases[] = {
    { .in = { OP_F32(2, 3, 37) }, .attr = &tenth, .training = true },
    { .in = { OP_F32(4, 3, 5, 4, 9) }, .attr = &channels_half, .training = true },
    { .in = { OP_F32(4, 2, 19, 17, 33) }, .attr = &tenth, .training = true },
    { .in = { OP_F32(4, 7, 3, 5, 9) }, .attr = &samples_half, .training = true },
    { .in = { OP_F32(2, 5, 1) }, .attr = &samples_half, .training = true },
    { .in = { OP_F32(3, 2, 5, 6) }, .attr = &none },
    { .in = { OP_F32(4, 3, 5, 4, 9) }, .attr = &channels_half, .inference_only = true },
    { .in = { OP_F32(4, 2, 64, 64, 64) }, .attr = &tenth, .training = true, .perf_only = true },
    { .in = { OP_F32(4, 2, 128, 128, 64) }, .attr = &channels_half, .training = true, .perf_only = true },
};

const OpTest op_test_dropout = {
    .op = &op_def_dropout, .reference = reference, .cases = cases, .n_cases = ARRAY_LEN(cases)
};
