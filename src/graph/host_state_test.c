/* SPDX-License-Identifier: Apache-2.0
 * Programs and the process around them: kernels run without signals, with full teams and without denormal numbers, and
 * afterwards every thread has the state that it had before. */
#include "graph/program.h"

#include "harness/graph_ops.h"
#include "harness/unit.h"

#include <omp.h>
#include <signal.h>
#include <sys/time.h>
#include <time.h>

enum { TEAM = 3, STEPS = 8, N = 4 };

static _Thread_local volatile sig_atomic_t in_kernel;
static volatile sig_atomic_t handled, handled_in_kernel;
static int team_size, team_dynamic;

static void on_alarm(int number)
{
    (void)number;
    handled++;
    handled_in_kernel += in_kernel;
}

static int expected_team(void) { return omp_get_thread_limit() < TEAM ? omp_get_thread_limit() : TEAM; }

static void busy(double seconds)
{
    struct timespec start, now;
    (void)clock_gettime(CLOCK_MONOTONIC, &start);
    do {
        (void)clock_gettime(CLOCK_MONOTONIC, &now);
    } while ((double)(now.tv_sec - start.tv_sec) + 1e-9 * (double)(now.tv_nsec - start.tv_nsec) < seconds);
}

/* y = x. Its team works first with the number of threads that the caller's setting gives, as a library's would, then
 * with fewer and with more. */
static Err probe_forward(const Step *step)
{
    team_dynamic = omp_get_dynamic();
    for (int round = 0; round < 3; round++) {
        const int threads = round == 0 ? omp_get_max_threads() : round == 1 ? 1 : TEAM;
        (void)threads; /* clang's analyzer does not look into the clause */
#pragma omp parallel num_threads(threads)
        {
            in_kernel = 1;
            busy(0.004);
            in_kernel = 0;
#pragma omp single
            if (round == 0) team_size = omp_get_num_threads();
        }
    }
    memcpy(step->out[0].data, step->in[0].data, (size_t)in_count(step) * sizeof(float));
    return ERR_NONE;
}

static Err probe_backward(const Step *step)
{
    for (int64_t k = 0; k < in_count(step); k++) put_gradient(step, 0, k, d_out_data(step, 0)[k]);
    return probe_forward(step);
}

static const Kernel probe_kernel = { .name = "plain", .forward = probe_forward, .backward = probe_backward };
static const Kernel *const probe_kernels[] = { &probe_kernel, NULL };
static const OpDef op_probe_ = { .name = "probe",
                                 .min_in = 1,
                                 .max_in = 1,
                                 .n_out = 1,
                                 .n_results = 1,
                                 .bwd_reads = READS_IN(0),
                                 .infer = same_shape,
                                 .kernels = probe_kernels };

typedef struct ThreadState {
    sigset_t signals;
    unsigned floats;
} ThreadState;

static ThreadState thread_state(void)
{
    ThreadState state = { .floats = 0 };
    (void)pthread_sigmask(SIG_SETMASK, NULL, &state.signals);
#if METASEG_WITH_X86
    state.floats = __builtin_ia32_stmxcsr();
#endif
    return state;
}

static void assert_same(const ThreadState *a, const ThreadState *b)
{
    for (int number = 1; number < 32; number++)
        assert_int_equal(sigismember(&a->signals, number), sigismember(&b->signals, number));
    assert_int_equal(a->floats & ~0x3fU, b->floats & ~0x3fU); /* without the flags of what has happened */
}

/* A chain of probes with their gradients. */
static void run_program(bool timer)
{
    const struct itimerval every_ms = { { 0, 1000 }, { 0, 1000 } }, never = { { 0, 0 }, { 0, 0 } };
    ParamSet *params = NULL;
    Graph *g = NULL;
    Program *program = NULL;
    ProgramOptions options = program_options_defaults();
    ASSERT_OK(params_new(&params));
    ASSERT_OK(graph_new(params, true, &g));
    Var x = graph_param(g, "x", shape1(N), (ParamInit){ INIT_NORMAL, 0.7 });
    for (int i = 0; i < STEPS; i++) x = node1(g, &op_probe_, x);
    options.loss = node1(g, &op_sum_, x);
    options.device.threads = TEAM;
    ASSERT_OK(program_compile(g, params, &options, &program));
    params_initialize(params, 1);
    if (timer) assert_int_equal(setitimer(ITIMER_REAL, &every_ms, NULL), 0);
    ASSERT_OK(program_forward(program, 0));
    ASSERT_OK(program_backward(program, false));
    if (timer) assert_int_equal(setitimer(ITIMER_REAL, &never, NULL), 0);
    program_free(program);
    graph_free(g);
    params_free(params);
}

static void kernels_run_without_signals(void **state)
{
    struct sigaction action = { 0 }, before;
    (void)state;
    action.sa_handler = on_alarm;
    assert_int_equal(sigaction(SIGALRM, &action, &before), 0);
    handled = handled_in_kernel = 0;
    run_program(true);
    assert_int_equal(sigaction(SIGALRM, &before, NULL), 0);
    assert_int_equal(handled_in_kernel, 0);
    assert_true(handled > STEPS); /* they come in between, not only at the end */
}

static void teams_are_full(void **state)
{
    (void)state;
    omp_set_num_threads(1);
    omp_set_dynamic(1);
    run_program(false);
    assert_int_equal(team_size, expected_team());
    assert_false(team_dynamic);
    assert_int_equal(omp_get_max_threads(), 1);
    assert_true(omp_get_dynamic());
    omp_set_dynamic(0);
}

/* The host has a pool of threads with masks of their own, of the size that the program uses, and of others. */
static void every_thread_is_left_as_it_was(void **state)
{
    (void)state;
    for (int threads = 1; threads <= TEAM + 1; threads++) {
        ThreadState before[TEAM + 1], after[TEAM + 1];
        const ThreadState here = thread_state();
        memset(before, 0, sizeof before);
        memset(after, 0, sizeof after);
#pragma omp parallel num_threads(threads)
        {
            sigset_t own;
            (void)sigemptyset(&own);
            (void)sigaddset(&own, omp_get_thread_num() == 1 ? SIGUSR1 : SIGUSR2);
            if (omp_get_thread_num() > 0) (void)pthread_sigmask(SIG_SETMASK, &own, NULL);
            before[omp_get_thread_num()] = thread_state();
        }
        run_program(false);
#pragma omp parallel num_threads(threads)
        after[omp_get_thread_num()] = thread_state();
        const ThreadState now = thread_state();
        assert_same(&here, &now);
        for (int i = 1; i < threads; i++)
            if (omp_get_thread_limit() > i && sigismember(&after[i].signals, i == 1 ? SIGUSR1 : SIGUSR2) == 1)
                assert_same(&before[i], &after[i]);
            else
                for (int number = 1; number < 32; number++) assert_false(sigismember(&after[i].signals, number) == 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kernels_run_without_signals),
        cmocka_unit_test(teams_are_full),
        cmocka_unit_test(every_thread_is_left_as_it_was),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
