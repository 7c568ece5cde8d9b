/* SPDX-License-Identifier: Apache-2.0 */
#include "harness/op_check.h"

#include <math.h>

/* The triangle of width 2 around the centre of output o, at the centre of input i. */
static double triangle(int64_t o, int64_t i)
{
    const double distance = fabs(((double)i + 0.5) - 2.0 * ((double)o + 0.5));
    return fmax(0.0, 1.0 - distance / 2.0);
}

static void reference(const OpCase *op_case, const double *const *in, const Tensor *in_shapes, double *const *out,
                      const Tensor *out_shapes)
{
    const int64_t *dim = in_shapes[0].shape.dim, *half = out_shapes[0].shape.dim;
    (void)op_case;
    for (int64_t i = 0; i < shape_count(&out_shapes[0].shape); i++) {
        const int64_t c = i % dim[3], ox = i / dim[3] % half[2], oy = i / dim[3] / half[2] % half[1];
        const double *image = in[0] + i / dim[3] / half[2] / half[1] * dim[1] * dim[2] * dim[3];
        double sum = 0, weights = 0;
        for (int64_t y = 0; y < dim[1]; y++)
            for (int64_t x = 0; x < dim[2]; x++) {
                const double weight = triangle(oy, y) * triangle(ox, x);
                sum += weight * image[(y * dim[2] + x) * dim[3] + c];
                weights += weight;
            }
        out[0][i] = sum / weights;
    }
}

static const OpCase cases[] = {
    { .in = { OP_F32(4, 1, 2, 2, 1) } },
    { .in = { OP_F32(4, 2, 4, 2, 3) } },
    { .in = { OP_F32(4, 1, 6, 10, 17) } },
    { .in = { OP_F32(4, 2, 14, 8, 5) } },
    { .in = { OP_F32(4, 1, 512, 512, 64) }, .perf_only = true },
};

const OpTest op_test_halve_antialiased = {
    .op = &op_def_halve_antialiased, .reference = reference, .cases = cases, .n_cases = ARRAY_LEN(cases)
};
