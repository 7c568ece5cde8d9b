/* SPDX-License-Identifier: Apache-2.0 */
#include "harness/op_check.h"

#include <math.h>

static void reference(const OpCase *op_case, const double *const *in, const Tensor *in_shapes, double *const *out,
                      const Tensor *out_shapes)
{
    const RotaryAttr *attr = op_case->attr;
    const int64_t B = in_shapes[0].shape.dim[0], N = in_shapes[0].shape.dim[1], D = in_shapes[0].shape.dim[2];
    const int64_t size = D / attr->heads, half = size / 2, quarter = size / 4;
    (void)out_shapes;
    for (int64_t i = 0; i < B * N * D; i++) {
        const int64_t patch = i / D % N - attr->first, d = i % size;
        out[0][i] = in[0][i];
        if (patch < 0 || patch >= attr->height * attr->width) continue;
        const double y = ((double)(patch / attr->width) + 0.5) / (double)attr->height * 2 - 1;
        const double x = ((double)(patch % attr->width) + 0.5) / (double)attr->width * 2 - 1;
        const double period = pow((double)attr->base, 4.0 * (double)(d % quarter) / (double)size);
        const double angle = 2 * acos(-1.0) * (d % half < quarter ? y : x) / period;
        const double other = d < half ? -in[0][i + half] : in[0][i - half];
        out[0][i] = in[0][i] * cos(angle) + other * sin(angle);
    }
}

static const RotaryAttr one = { 1, 0, 1, 1, 100.0F }, two = { 2, 2, 3, 2, 100.0F }, behind = { 3, 0, 2, 5, 10000.0F },
                        large = { 6, 5, 32, 32, 100.0F };

static const OpCase cases[] = {
    { .in = { OP_F32(3, 1, 1, 4) }, .attr = &one },
    { .in = { OP_F32(3, 2, 9, 24) }, .attr = &two },
    { .in = { OP_F32(3, 2, 11, 36) }, .attr = &behind },
    { .in = { OP_F32(3, 1, 1029, 384) }, .attr = &large, .perf_only = true },
};

const OpTest op_test_rotary = {
    .op = &op_def_rotary, .reference = reference, .cases = cases, .n_cases = ARRAY_LEN(cases)
};
