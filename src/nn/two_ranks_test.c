/* SPDX-License-Identifier: Apache-2.0
 * Two ranks with half a batch each, joined by Step.reduce, against one rank with the whole batch: BatchNorm's
 * statistics, both losses, and all gradients. The ranks are threads. */
#include "graph/program.h"
#include "ops/ops.h"

#include "base/rng.h"
#include "harness/unit.h"

#include <math.h>
#include <pthread.h>
#include <string.h>

enum { BATCH = 4, SIDE = 6, WIDTH = 24, CLASSES = 5, RANKS = 2, MOST_SUMS = 64 };

/* Sums over the ranks: each adds its values in the order of the ranks, so that all get the same bits. */
typedef struct Meeting {
    pthread_barrier_t barrier;
    double values[RANKS][MOST_SUMS];
} Meeting;

typedef struct Rank {
    Meeting *meeting; /* NULL: alone */
    int index;
    int64_t first, images; /* of the batch */
    ParamSet *params;
    Program *program;
    int64_t sums; /* calls of reduce */
    Err err;
} Rank;

static Err add_up(void *context, double *values, int64_t n)
{
    Rank *rank = context;
    Meeting *meeting = rank->meeting;
    if (n > MOST_SUMS) return err_set(ERR_INTERNAL, "%d sums", (int)n);
    memcpy(meeting->values[rank->index], values, (size_t)n * sizeof *values);
    (void)pthread_barrier_wait(&meeting->barrier);
    for (int64_t i = 0; i < n; i++) values[i] = meeting->values[0][i] + meeting->values[1][i];
    (void)pthread_barrier_wait(&meeting->barrier);
    rank->sums++;
    return ERR_NONE;
}

/* linear, BatchNorm with ReLU6, linear, cross-entropy + Dice. The gradient of the first weights passes BatchNorm. */
static void build(Graph *g, int64_t images, Var *ret_loss)
{
    const ParamInit normal = { INIT_NORMAL, 0.5F }, zero = { INIT_ZERO, 0 }, one = { INIT_ONE, 0 };
    const BatchnormAttr norm = { .eps = 1e-3F, .momentum = 0.1F, .activation = ACTIVATION_RELU6 };
    const CrossEntropyAttr cross_entropy = { .smoothing = 0.05F, .ignore = 255 };
    const DiceAttr dice = { .smooth = 0.05F, .ignore = 255 };
    Var x = graph_input(g, "x", DTYPE_F32, shape4(images, SIDE, SIDE, WIDTH));
    const Var labels = graph_input(g, "labels", DTYPE_U8, shape3(images, SIDE, SIDE));
    x = op_linear(g, x, graph_param(g, "first", shape2(WIDTH, WIDTH), normal), VAR_NONE);
    x = op_batchnorm(g, x, graph_param(g, "weight", shape1(WIDTH), one), graph_param(g, "bias", shape1(WIDTH), normal),
                     graph_state(g, "mean", shape1(WIDTH), zero), graph_state(g, "var", shape1(WIDTH), one), &norm);
    graph_output(g, "normalised", x);
    x = op_linear(g, x, graph_param(g, "last", shape2(CLASSES, WIDTH), normal), VAR_NONE);
    *ret_loss = op_add(g, op_cross_entropy(g, x, labels, &cross_entropy), op_dice(g, x, labels, &dice));
    graph_output(g, "loss", *ret_loss);
}

static void make(Rank *rank)
{
    Graph *g = NULL;
    ProgramOptions options = program_options_defaults();
    options.device.threads = 1;
    if (rank->meeting != NULL) {
        options.reduce = add_up;
        options.reduce_context = rank;
    }
    assert_int_equal(params_new(&rank->params), ERR_NONE);
    assert_int_equal(graph_new(rank->params, true, &g), ERR_NONE);
    build(g, rank->images, &options.loss);
    assert_int_equal(graph_finish(g), ERR_NONE);
    assert_int_equal(params_allocate(rank->params), ERR_NONE);
    params_initialize(rank->params, 5);
    assert_int_equal(program_compile(g, rank->params, &options, &rank->program), ERR_NONE);
    graph_free(g);
    const Tensor x = program_tensor(rank->program, "x"), labels = program_tensor(rank->program, "labels");
    const int64_t values = (int64_t)SIDE * SIDE * WIDTH, pixels = (int64_t)SIDE * SIDE;
    for (int64_t i = 0; i < rank->images * values; i++) /* the images differ, so half a batch has other statistics */
        ((float *)x.data)[i] =
            rng_normal(1, RNG_TEST, 0, (uint64_t)(rank->first * values + i)) + (float)(rank->first + i / values);
    for (int64_t i = 0; i < rank->images * pixels; i++) {
        const uint64_t at = (uint64_t)(rank->first * pixels + i);
        const int64_t label = (int64_t)rng_below(2, RNG_TEST, 0, at, CLASSES + 1);
        ((uint8_t *)labels.data)[i] = label == CLASSES || (rank->first == 0 && i < 20) ? 255 : (uint8_t)label;
    }
}

static void *run(void *context)
{
    Rank *rank = context;
    rank->err = program_forward(rank->program, 0);
    if (rank->err == ERR_NONE) rank->err = program_backward(rank->program, false);
    return NULL;
}

static double difference(const float *a, const float *b, const float *added, int64_t n)
{
    double most = 0.0, largest = 0.0;
    for (int64_t i = 0; i < n; i++) {
        most = fmax(most, fabs((double)a[i] + (added != NULL ? (double)added[i] : 0.0) - (double)b[i]));
        largest = fmax(largest, fabs((double)b[i]));
    }
    assert_true(largest > 0.0 && isfinite(most));
    return most / largest;
}

static void check_parameters(const Rank *half, const Rank *whole)
{
    static const char *const learned[] = { "first", "weight", "bias", "last" }, *const states[] = { "mean", "var" };
    const ParamSet *const sets[] = { half[0].params, half[1].params, whole->params };
    for (int i = 0; i < 4; i++) {
        const int32_t p = params_find(whole->params, learned[i]);
        const ParamInfo *info = params_info(whole->params, p);
        const float *gradient = params_gradients(whole->params) + info->offset;
        const double used = difference(params_gradients(half[0].params) + info->offset, gradient,
                                       params_gradients(half[1].params) + info->offset, shape_count(&info->shape));
        const double alone =
            difference(params_gradients(half[0].params) + info->offset, gradient, NULL, shape_count(&info->shape));
        print_message("gradient of %s: %.1e; one half alone %.1e\n", learned[i], used, alone);
        assert_true(used < 1e-5 && alone > 1e-2);
    }
    for (int i = 0; i < 2; i++) {
        const int32_t p = params_find(whole->params, states[i]);
        const Tensor a = params_tensor(sets[0], p), b = params_tensor(sets[1], p), want = params_tensor(sets[2], p);
        assert_memory_equal(a.data, b.data, tensor_bytes(&a));
        assert_true(difference(a.data, want.data, NULL, WIDTH) < 1e-6);
    }
}

static void halves_are_the_whole(void **state)
{
    (void)state;
    Meeting meeting;
    pthread_t threads[RANKS];
    assert_int_equal(pthread_barrier_init(&meeting.barrier, NULL, RANKS), 0);
    Rank whole = { .images = BATCH };
    Rank half[RANKS] = { { .meeting = &meeting, .index = 0, .images = BATCH / 2 },
                         { .meeting = &meeting, .index = 1, .first = BATCH / 2, .images = BATCH / 2 } };
    make(&whole);
    (void)run(&whole);
    assert_int_equal(whole.err, ERR_NONE);
    for (int r = 0; r < RANKS; r++) make(&half[r]);
    for (int r = 0; r < RANKS; r++) assert_int_equal(pthread_create(&threads[r], NULL, run, &half[r]), 0);
    for (int r = 0; r < RANKS; r++) assert_int_equal(pthread_join(threads[r], NULL), 0);
    const Tensor want = program_tensor(whole.program, "normalised"), loss = program_tensor(whole.program, "loss");
    const int64_t n = shape_count(&want.shape) / RANKS;
    for (int r = 0; r < RANKS; r++) {
        assert_int_equal(half[r].err, ERR_NONE);
        assert_int_equal(half[r].sums, 4); /* BatchNorm twice, cross-entropy, Dice */
        assert_true(difference(program_tensor(half[r].program, "normalised").data, (const float *)want.data + r * n,
                               NULL, n) < 1e-5);
        assert_true(difference(program_tensor(half[r].program, "loss").data, loss.data, NULL, 1) < 1e-6);
    }
    check_parameters(half, &whole);
    for (int r = 0; r < RANKS; r++) {
        program_free(half[r].program);
        params_free(half[r].params);
    }
    program_free(whole.program);
    params_free(whole.params);
    assert_int_equal(pthread_barrier_destroy(&meeting.barrier), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(halves_are_the_whole) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
