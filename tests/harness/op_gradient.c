/* SPDX-License-Identifier: Apache-2.0
 * Central differences of the double reference. */
#include "harness/op_gradient.h"

#include "base/rng.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double STEP_SIZE = 1e-4;

static double *direction_new(uint64_t stream, int64_t n)
{
    double *direction = test_allocate((size_t)n * sizeof *direction);
    double sum = 0;
    for (int64_t i = 0; i < n; i++) {
        direction[i] = (double)rng_normal(OP_CHECK_SEED, RNG_TEST, stream, (uint64_t)i);
        sum += direction[i] * direction[i];
    }
    for (int64_t i = 0; i < n; i++) direction[i] /= sqrt(sum);
    return direction;
}

/* x + step * direction in a fresh buffer. */
static double *moved(const double *x, int64_t n, const Probe *probe, double step)
{
    double *copy = test_allocate((size_t)n * sizeof *copy);
    memcpy(copy, x, (size_t)n * sizeof *copy);
    if (probe->element >= 0) {
        copy[probe->element] += step;
        return copy;
    }
    double *direction = direction_new(probe->direction, n);
    for (int64_t i = 0; i < n; i++) copy[i] += step * direction[i];
    free(direction);
    return copy;
}

static void run_reference(const CaseData *data, int32_t input, const double *values, double *const *out)
{
    const double *in[STEP_MAX_IN];
    for (int32_t i = 0; i < data->n_in; i++) in[i] = i == input ? values : data->in_double[i];
    data->test->reference(data->op_case, in, data->in_shapes, out, data->out_shapes);
}

static double derivative(const CaseData *data, int32_t input, const Probe *probe)
{
    const OpDef *op = data->test->op;
    const int64_t n = shape_count(&data->in_shapes[input].shape);
    double *out[2][STEP_MAX_OUT] = { { NULL } };
    for (int32_t side = 0; side < 2; side++) {
        double *values = moved(data->in_double[input], n, probe, side == 0 ? STEP_SIZE : -STEP_SIZE);
        for (int32_t i = 0; i < op->n_out; i++)
            out[side][i] = test_allocate((size_t)shape_count(&data->out_shapes[i].shape) * sizeof(double));
        run_reference(data, input, values, out[side]);
        free(values);
    }
    double sum = 0; /* differences first: the loss itself would cancel */
    for (int32_t i = 0; i < op->n_results; i++) {
        const int64_t count = shape_count(&data->out_shapes[i].shape);
        for (int64_t k = 0; k < count; k++) sum += (double)data->weights[i][k] * (out[0][i][k] - out[1][i][k]);
    }
    for (int32_t side = 0; side < 2; side++)
        for (int32_t i = 0; i < op->n_out; i++) free(out[side][i]);
    return sum / (2 * STEP_SIZE);
}

void probes_measure(const CaseData *data, int32_t input, InputProbes *ret_probes)
{
    const int64_t n = shape_count(&data->in_shapes[input].shape);
    int64_t total = 0;
    for (int32_t i = 0; i < data->n_in; i++) total += shape_count(&data->in_shapes[i].shape);
    for (int32_t i = 0; i < data->test->op->n_results; i++) total += shape_count(&data->out_shapes[i].shape);
    const bool small = n <= PROBES_MAX && total <= 65536;
    const int64_t elements = small ? n : total <= 65536 ? 24 : 4;
    const int64_t directions = small ? 0 : total <= 65536 ? 6 : 2;
    ret_probes->n = elements + directions;
    for (int64_t i = 0; i < ret_probes->n; i++) {
        Probe *probe = &ret_probes->probe[i];
        *probe = (Probe){ .element = i, .direction = 9000 + (uint64_t)i };
        if (i >= elements)
            probe->element = -1;
        else if (!small)
            probe->element = rng_below(OP_CHECK_SEED, RNG_TEST, 8000 + (uint64_t)input, (uint64_t)i, n);
        probe->derivative = derivative(data, input, probe);
    }
}

double probes_error(const InputProbes *probes, const float *gradient, int64_t n)
{
    double largest = 0, error = 0;
    for (int64_t i = 0; i < n; i++) largest = fmax(largest, fabs((double)gradient[i]));
    for (int64_t p = 0; p < probes->n; p++) {
        const Probe *probe = &probes->probe[p];
        double value = 0;
        if (probe->element >= 0) {
            value = (double)gradient[probe->element];
        } else {
            double *direction = direction_new(probe->direction, n);
            for (int64_t i = 0; i < n; i++) value += direction[i] * (double)gradient[i];
            free(direction);
        }
        largest = fmax(largest, fabs(probe->derivative));
        const double difference = fabs(value - probe->derivative);
        if (!(difference <= error)) error = difference; /* also takes NaN */
    }
    return largest > 0 ? error / largest : error;
}
