/* SPDX-License-Identifier: Apache-2.0
 * op_check: runs the case tables of all ops. See op_check.h. */
#include "harness/op_gradient.h"
#include "harness/op_instance.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#define OP(name) &op_test_##name,
static const OpTest *const op_tests[] = {
#include "ops/ops.def"
};
#undef OP

static const InstanceMode TRAINING = { .training = true, .saved = true, .threads = 2 };

/* What one cmocka test checks. */
typedef struct CaseId {
    const OpTest *test;
    int64_t index;
    bool *reached; /* per kernel of the op */
} CaseId;

/* max|a - b| / max|b|; NaN in a gives NaN or infinity, which no tolerance lets pass. */
static double error_against(const float *a, const double *b, int64_t n)
{
    double largest = 0, error = 0;
    for (int64_t i = 0; i < n; i++) {
        largest = fmax(largest, fabs(b[i]));
        const double difference = fabs((double)a[i] - b[i]);
        if (!(difference <= error)) error = difference;
    }
    return largest > 0 ? error / largest : error;
}

static double float_error(const float *a, const float *b, int64_t n)
{
    double *copy = test_allocate((size_t)n * sizeof *copy);
    for (int64_t i = 0; i < n; i++) copy[i] = (double)b[i];
    const double error = error_against(a, copy, n);
    free(copy);
    return error;
}

/* Fails unless error <= tolerance; notes the used fraction. */
static void check_error(const OpInstance *instance, const char *what, int32_t index, double error, double tolerance,
                        double *worst)
{
    if (!(error <= tolerance))
        fail_msg("%s case %d, %s, %d threads: %s %d is off by %.3g, tolerance %.3g; repeat with: op_check %s %d",
                 instance->data->test->op->name, (int)instance->data->case_index, instance->kernel->name,
                 instance->mode.threads, what, index, error, tolerance, instance->data->test->op->name,
                 (int)instance->data->case_index);
    *worst = fmax(*worst, error / tolerance);
}

static const float *floats(const Tensor *tensor) { return tensor->data; }

static void check_results(const OpInstance *instance, double *worst)
{
    const CaseData *data = instance->data;
    for (int32_t i = 0; i < data->test->op->n_results; i++) {
        const int64_t n = shape_count(&data->out_shapes[i].shape);
        check_error(instance, "result", i, error_against(floats(&instance->step.out[i]), data->reference[i], n),
                    case_tolerance(data), worst);
    }
}

/* Inputs must be untouched, but for running statistics and the one an in-place result replaces. */
static void check_inputs(const OpInstance *instance, double *worst)
{
    const CaseData *data = instance->data;
    for (int32_t i = 0; i < data->n_in; i++) {
        if (i == 0 && instance->mode.forward_in_place) continue;
        if (instance->mode.training && data->updated[i] != NULL) {
            const int64_t n = shape_count(&data->in_shapes[i].shape);
            check_error(instance, "updated input", i, error_against(floats(&instance->step.in[i]), data->updated[i], n),
                        case_tolerance(data), worst);
        } else if (memcmp(instance->in[i].data, data->in[i], instance->in[i].bytes) != 0) {
            fail_msg("%s case %d, %s: forward changed input %d", data->test->op->name, (int)data->case_index,
                     instance->kernel->name, i);
        }
    }
}

static void check_same_bits(const OpInstance *instance, const char *what, int32_t index, const void *a, const void *b,
                            size_t bytes)
{
    if (bytes > 0 && memcmp(a, b, bytes) != 0)
        fail_msg("%s case %d, %s: %s %d differs between two equal runs", instance->data->test->op->name,
                 (int)instance->data->case_index, instance->kernel->name, what, index);
}

static void *copy_of(const Guarded *guarded)
{
    void *copy = test_allocate(guarded->bytes);
    if (guarded->data != NULL) memcpy(copy, guarded->data, guarded->bytes);
    return copy;
}

static void check_forward(OpInstance *instance, double *worst)
{
    const OpDef *op = instance->data->test->op;
    void *first[STEP_MAX_OUT] = { NULL };
    instance_forward(instance);
    check_results(instance, worst);
    check_inputs(instance, worst);
    for (int32_t i = 0; i < op->n_out; i++) first[i] = copy_of(&instance->out[i]);
    instance_forward(instance);
    for (int32_t i = 0; i < op->n_out; i++) {
        check_same_bits(instance, "output", i, first[i], instance->out[i].data, instance->out[i].bytes);
        free(first[i]);
    }
}

static uint32_t differentiable_inputs(const CaseData *data)
{
    uint32_t inputs = 0;
    for (int32_t i = 0; i < data->n_in; i++)
        if (case_differentiable(data, i)) inputs |= 1U << i;
    return inputs;
}

static float largest_of(const float *values, int64_t n)
{
    float largest = 0;
    for (int64_t k = 0; k < n; k++) largest = fmaxf(largest, fabsf(values[k]));
    return largest;
}

/* Compares gradients of `wanted` with expected[i]; accumulated ones started as the largest expected value. */
static void check_gradients(OpInstance *instance, uint32_t wanted, float *const *expected, bool accumulated,
                            double *worst)
{
    const CaseData *data = instance->data;
    for (int32_t i = 0; i < data->n_in; i++) {
        if (((wanted >> i) & 1U) == 0) continue;
        const int64_t n = shape_count(&data->in_shapes[i].shape);
        const float start = accumulated ? largest_of(expected[i], n) : 0.0F;
        float *gradient = test_allocate((size_t)n * sizeof *gradient);
        for (int64_t k = 0; k < n; k++) gradient[k] = floats(&instance->step.d_in[i])[k] - start;
        check_error(instance, accumulated ? "accumulated gradient" : "gradient", i,
                    float_error(gradient, expected[i], n), case_gradient_tolerance(data), worst);
        free(gradient);
    }
}

/* Starts accumulation at the size of the gradient, so that rounding of the sum stays far below the tolerance. */
static void fill_gradients(OpInstance *instance, float *const *expected)
{
    for (int32_t i = 0; i < instance->data->n_in; i++) {
        if (!case_differentiable(instance->data, i) || instance->d_in[i].data == NULL) continue;
        const int64_t n = shape_count(&instance->data->in_shapes[i].shape);
        float *gradient = (float *)(void *)instance->d_in[i].data;
        const float start = largest_of(expected[i], n);
        for (int64_t k = 0; k < n; k++) gradient[k] = start;
    }
}

/* All gradients against differences, twice; accumulated; each alone; all but one. Leaves expected[] for other modes. */
static void check_backward(OpInstance *instance, const InputProbes *probes, float **expected, double *worst)
{
    const CaseData *data = instance->data;
    const uint32_t all = differentiable_inputs(data);
    instance_forward(instance);
    instance_backward(instance, all, 0);
    for (int32_t i = 0; i < data->n_in; i++) {
        if (((all >> i) & 1U) == 0) continue;
        const int64_t n = shape_count(&data->in_shapes[i].shape);
        check_error(instance, "gradient", i, probes_error(&probes[i], floats(&instance->step.d_in[i]), n),
                    case_gradient_tolerance(data), worst);
        expected[i] = copy_of(&instance->d_in[i]);
    }
    instance_forward(instance);
    instance_backward(instance, all, 0);
    for (int32_t i = 0; i < data->n_in; i++)
        if (((all >> i) & 1U) != 0)
            check_same_bits(instance, "gradient", i, expected[i], instance->d_in[i].data, instance->d_in[i].bytes);
    instance_forward(instance);
    fill_gradients(instance, expected);
    instance_backward(instance, all, all);
    check_gradients(instance, all, expected, true, worst);
    for (int32_t i = 0; i < data->n_in && (all & (all - 1)) != 0; i++) {
        if (((all >> i) & 1U) == 0) continue;
        instance_forward(instance);
        instance_backward(instance, 1U << i, 0);
        check_gradients(instance, 1U << i, expected, false, worst);
        instance_forward(instance);
        instance_backward(instance, all & ~(1U << i), 0);
        check_gradients(instance, all & ~(1U << i), expected, false, worst);
    }
}

/* Another way to run the same kernel must give the same values: other thread counts, in place. */
static void check_variant(const CaseData *data, const Kernel *kernel, InstanceMode mode, float *const *expected,
                          double *worst)
{
    OpInstance instance;
    if (!instance_init(&instance, data, kernel, mode)) return;
    instance_forward(&instance);
    check_results(&instance, worst);
    check_inputs(&instance, worst);
    if (expected != NULL && mode.training && !mode.forward_in_place) {
        const uint32_t all = differentiable_inputs(data);
        instance_backward(&instance, all, 0);
        check_gradients(&instance, all, expected, false, worst);
    }
    instance_done(&instance);
}

static void check_variants(const CaseData *data, const Kernel *kernel, float *const *expected, double *worst)
{
    const bool in_place = (data->test->op->flags & OP_INPLACE) != 0;
    if (!data->op_case->inference_only) {
        check_variant(data, kernel, (InstanceMode){ .training = true, .saved = true, .threads = 1 }, expected, worst);
        check_variant(data, kernel, (InstanceMode){ .training = true, .saved = true, .threads = 3 }, expected, worst);
        if (in_place) {
            InstanceMode mode = TRAINING;
            mode.forward_in_place = true;
            check_variant(data, kernel, mode, expected, worst);
            mode = TRAINING;
            mode.backward_in_place = true;
            check_variant(data, kernel, mode, expected, worst);
        }
    }
    if (data->op_case->training) return;
    for (int32_t threads = 1; threads <= 3; threads++) {
        check_variant(data, kernel, (InstanceMode){ .threads = threads }, NULL, worst);
        check_variant(data, kernel, (InstanceMode){ .constant = true, .threads = threads }, NULL, worst);
    }
    if (in_place) check_variant(data, kernel, (InstanceMode){ .forward_in_place = true, .threads = 2 }, NULL, worst);
}

static bool runs_here(const Kernel *kernel) { return kernel->device == DEVICE_CPU && kernel->isa <= cpu_isa_detect(); }

/* True when the kernel took the case in training or in inference. */
static bool check_kernel(const CaseData *data, const Kernel *kernel, const InputProbes *probes, bool has_gradient)
{
    OpInstance instance;
    float *expected[STEP_MAX_IN] = { NULL };
    double forward_used = 0, gradient_used = 0;
    const bool training = !data->op_case->inference_only;
    const InstanceMode mode = training ? TRAINING : (InstanceMode){ .threads = 2 };
    const bool suits = instance_init(&instance, data, kernel, mode);
    if (suits) {
        check_forward(&instance, &forward_used);
        if (has_gradient) check_backward(&instance, probes, expected, &gradient_used);
        instance_done(&instance);
    }
    check_variants(data, kernel, has_gradient && suits ? expected : NULL, &forward_used);
    for (int32_t i = 0; i < STEP_MAX_IN; i++) free(expected[i]);
    if (suits)
        print_message("%s case %d, %s: results %.2f, gradients %.2f of their tolerance\n", data->test->op->name,
                      (int)data->case_index, kernel->name, forward_used, gradient_used);
    return suits;
}

static void check_case(void **state)
{
    const CaseId *id = *state;
    const OpDef *op = id->test->op;
    CaseData *data = case_data_new(id->test, id->index, true);
    bool has_gradient = !data->op_case->inference_only && (op->flags & OP_NO_GRAD) == 0;
    InputProbes *probes = test_allocate(STEP_MAX_IN * sizeof *probes);
    for (int32_t i = 0; i < data->n_in && has_gradient; i++)
        if (case_differentiable(data, i)) probes_measure(data, i, &probes[i]);
    for (int32_t k = 0; op->kernels[k] != NULL; k++) {
        const Kernel *kernel = op->kernels[k];
        if (has_gradient && kernel->backward == NULL && op->kernels[k + 1] == NULL)
            fail_msg("%s: the last kernel, '%s', has no backward", op->name, kernel->name);
        if (!runs_here(kernel)) continue;
        if (check_kernel(data, kernel, probes, has_gradient && kernel->backward != NULL)) id->reached[k] = true;
    }
    free(probes);
    case_data_free(data);
}

/* After the cases: every kernel that this CPU runs has been reached by one of them. */
static void check_reached(void **state)
{
    const CaseId *id = *state;
    for (int32_t k = 0; id->test->op->kernels[k] != NULL; k++) {
        const Kernel *kernel = id->test->op->kernels[k];
        if (!runs_here(kernel))
            print_message("%s: kernel %s not checked, this processor cannot run it\n", id->test->op->name,
                          kernel->name);
        else if (!id->reached[k])
            fail_msg("%s: no case reaches kernel %s", id->test->op->name, kernel->name);
    }
}

enum { TESTS_MAX = 128, NAME_BYTES = 64, KERNELS_MAX = 8 };

static int run_op(const OpTest *test, int64_t only)
{
    static struct CMUnitTest tests[TESTS_MAX];
    static CaseId ids[TESTS_MAX];
    static char names[TESTS_MAX][NAME_BYTES];
    static bool reached[KERNELS_MAX];
    size_t n = 0;
    memset(reached, 0, sizeof reached);
    for (int64_t i = 0; i < test->n_cases && n + 1 < TESTS_MAX; i++) {
        if ((only >= 0 && i != only) || test->cases[i].perf_only) continue;
        (void)snprintf(names[n], NAME_BYTES, "%s case %d", test->op->name, (int)i);
        ids[n] = (CaseId){ test, i, reached };
        tests[n] = (struct CMUnitTest){ names[n], check_case, NULL, NULL, &ids[n] };
        n++;
    }
    if (n == 0) {
        print_error("%s has no such case\n", test->op->name);
        return 1;
    }
    if (only < 0) {
        (void)snprintf(names[n], NAME_BYTES, "%s kernels all reached", test->op->name);
        ids[n] = (CaseId){ test, 0, reached };
        tests[n] = (struct CMUnitTest){ names[n], check_reached, NULL, NULL, &ids[n] };
        n++;
    }
    return _cmocka_run_group_tests(test->op->name, tests, n, NULL, NULL);
}

static double seconds(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static double case_bytes(const CaseData *data)
{
    double bytes = 0;
    for (int32_t i = 0; i < data->n_in; i++) bytes += (double)tensor_bytes(&data->in_shapes[i]);
    for (int32_t i = 0; i < data->test->op->n_results; i++) bytes += (double)tensor_bytes(&data->out_shapes[i]);
    return bytes;
}

/* Shortest of several runs within about 0.4 s. */
static double time_runs(OpInstance *instance, bool backward)
{
    const CaseData *data = instance->data;
    const double start = seconds();
    double best = 1e9;
    for (int32_t run = 0; run < 3 || (run < 1000 && seconds() - start < 0.4); run++) {
        const double before = seconds();
        const Err err = backward ? step_backward(data->test->op, instance->kernel, &instance->step)
                                 : step_forward(data->test->op, instance->kernel, &instance->step);
        best = fmin(best, seconds() - before);
        if (err != ERR_NONE) break;
    }
    return best;
}

static void print_time(OpInstance *instance, const char *what, bool backward)
{
    const double bytes = case_bytes(instance->data) * (backward ? 2 : 1);
    const double time = time_runs(instance, backward);
    char text[96];
    print_message("%-24s %-8s %-22s %9.1f us %7.1f GB/s  first input %s\n", instance->data->test->op->name,
                  instance->kernel->name, what, 1e6 * time, 1e-9 * bytes / time,
                  shape_text(&instance->data->in_shapes[0].shape, text, sizeof text));
}

/* Times the largest case: inference with packed inputs, training forward and backward. */
static int run_perf(const OpTest *test, int32_t threads)
{
    const InstanceMode training = { .training = true, .saved = true, .threads = threads };
    int64_t largest = 0;
    double most = -1;
    for (int64_t i = 0; i < test->n_cases; i++) {
        CaseData *data = case_data_new(test, i, false);
        if (case_bytes(data) > most) {
            most = case_bytes(data);
            largest = i;
        }
        case_data_free(data);
    }
    CaseData *data = case_data_new(test, largest, false);
    for (int32_t k = 0; test->op->kernels[k] != NULL; k++) {
        OpInstance instance;
        const Kernel *kernel = test->op->kernels[k];
        if (!runs_here(kernel)) continue;
        if (!data->op_case->training &&
            instance_init(&instance, data, kernel, (InstanceMode){ .constant = true, .threads = threads })) {
            instance_forward(&instance);
            print_time(&instance, "inference", false);
            instance_done(&instance);
        }
        if (data->op_case->inference_only || !instance_init(&instance, data, kernel, training)) continue;
        instance_forward(&instance);
        print_time(&instance, "training forward", false);
        if (kernel->backward != NULL) {
            instance_backward(&instance, differentiable_inputs(data), 0);
            print_time(&instance, "training backward", true);
        }
        instance_done(&instance);
    }
    case_data_free(data);
    return 0;
}

int main(int argc, char **argv)
{
    const bool perf = argc > 1 && strcmp(argv[1], "--perf") == 0;
    const bool list = argc > 1 && strcmp(argv[1], "--list") == 0;
    const char *name = perf ? (argc > 2 ? argv[2] : NULL) : (argc > 1 && !list ? argv[1] : NULL);
    const int32_t threads = perf && argc > 3 ? (int32_t)strtol(argv[3], NULL, 10) : 2;
    const int64_t only = !perf && argc > 2 ? strtoll(argv[2], NULL, 10) : -1;
    int failures = 0;
    bool found = false;
    for (int64_t i = 0; i < ARRAY_LEN(op_tests); i++) {
        const OpTest *test = op_tests[i];
        if (name != NULL && strcmp(name, test->op->name) != 0) continue;
        found = true;
        if (list) {
            print_message("%s: %d cases, kernels", test->op->name, (int)test->n_cases);
            for (int32_t k = 0; test->op->kernels[k] != NULL; k++) print_message(" %s", test->op->kernels[k]->name);
            print_message("\n");
        } else {
            failures += perf ? run_perf(test, threads > 0 ? threads : 1) : run_op(test, only);
        }
    }
    if (!found) {
        print_error("no op '%s'; op_check --list names all\n", name);
        return 2;
    }
    return failures > 0 ? 1 : 0;
}
