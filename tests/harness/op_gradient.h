/* SPDX-License-Identifier: Apache-2.0
 *
 * Gradients of the double reference by central differences, f'(x) = (f(x + h) - f(x - h)) / 2h, of the loss sum(w * y).
 */
#ifndef METASEG_TESTS_OP_GRADIENT_H
#define METASEG_TESTS_OP_GRADIENT_H

#include "harness/op_instance.h"

/* One derivative: along one element of the input, or along a random unit vector (element < 0). */
typedef struct Probe {
    int64_t element;
    uint64_t direction; /* random stream */
    double derivative;
} Probe;

enum { PROBES_MAX = 256 };

typedef struct InputProbes {
    int64_t n;
    Probe probe[PROBES_MAX];
} InputProbes;

/* Every element of inputs up to PROBES_MAX elements; of larger ones some elements and some random directions. */
void probes_measure(const CaseData *data, int32_t input, InputProbes *ret_probes);

/* Largest |measured - gradient| over the probes, where gradient is the kernel's, divided by max|derivative|; along
 * random directions the kernel's gradient is projected in double. */
double probes_error(const InputProbes *probes, const float *gradient, int64_t n);

#endif
