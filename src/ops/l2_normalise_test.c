/* SPDX-License-Identifier: Apache-2.0 */
#include "harness/op_check.h"

#include <math.h>

static void reference(const OpCase *op_case, const double *const *in, const Tensor *in_shapes, double *const *out,
                      const Tensor *out_shapes)
{
    const L2NormaliseAttr *attr = op_case->attr;
    const Shape *shape = &in_shapes[0].shape;
    const int64_t channels = shape->dim[shape->rank - 1];
    (void)out_shapes;
    for (int64_t row = 0; row < shape_count(shape) / channels; row++) {
        double sum = 0;
        for (int64_t c = 0; c < channels; c++) sum += in[0][row * channels + c] * in[0][row * channels + c];
        for (int64_t c = 0; c < channels; c++)
            out[0][row * channels + c] = in[0][row * channels + c] / sqrt(fmax(sum, (double)attr->eps));
    }
}

static const L2NormaliseAttr small = { 1e-12F }, large = { 1000.0F };

static const OpCase cases[] = {
    { .in = { OP_F32(2, 3, 2) }, .attr = &small },
    { .in = { OP_F32(4, 2, 3, 5, 17) }, .attr = &small },
    { .in = { OP_F32(3, 2, 3, 7) }, .attr = &large },
    { .in = { OP_F32(4, 1, 19, 33, 144) }, .attr = &small },
    { .in = { OP_F32(4, 1, 256, 256, 144) }, .attr = &small, .perf_only = true },
};

const OpTest op_test_l2_normalise = {
    .op = &op_def_l2_normalise, .reference = reference, .cases = cases, .n_cases = ARRAY_LEN(cases)
};
