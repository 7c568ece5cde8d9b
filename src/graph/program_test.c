/* SPDX-License-Identifier: Apache-2.0
 * Compiling and running: gradients of hand-made and random graphs against differences of a double interpreter,
 * planned memory against one buffer per value, lifetimes, packing, errors. */
#include "graph/graph_internal.h"
#include "graph/program_internal.h"

#include "base/rng.h"
#include "harness/graph_ops.h"
#include "harness/unit.h"

#include <string.h>

enum { N = 5, PARAMS_MAX = 8 };

static const ParamInit normal = { INIT_NORMAL, 0.7 };

typedef struct Fixture {
    ParamSet *params;
    Graph *g;
    Program *program;
} Fixture;

static Fixture fixture_new(bool training)
{
    Fixture f = { NULL, NULL, NULL };
    assert_int_equal(params_new(&f.params), ERR_NONE);
    assert_int_equal(graph_new(f.params, training, &f.g), ERR_NONE);
    return f;
}

static void fixture_done(Fixture *f)
{
    program_free(f->program);
    graph_free(f->g);
    params_free(f->params);
}

static Var param(Fixture *f, const char *name) { return graph_param(f->g, name, shape1(N), normal); }

static void fill(Tensor tensor, uint64_t stream)
{
    float *data = tensor.data;
    for (int64_t k = 0; k < shape_count(&tensor.shape); k++) data[k] = rng_normal(5, RNG_TEST, stream, (uint64_t)k);
}

/* Compiles, draws parameters, runs forward and backward. */
static void run(Fixture *f, Var loss, bool keep_all)
{
    ProgramOptions options = program_options_defaults();
    options.loss = loss;
    options.keep_all = keep_all;
    options.poison = true;
    assert_int_equal(program_compile(f->g, f->params, &options, &f->program), ERR_NONE);
    params_initialize(f->params, 3);
    for (int32_t i = 0; i < f->g->inputs.count; i++) fill(program_tensor(f->program, f->g->inputs.item[i].name), 1);
    assert_int_equal(program_forward(f->program, 0), ERR_NONE);
    if (var_exists(loss)) assert_int_equal(program_backward(f->program, false), ERR_NONE);
}

/* ---- the double interpreter ---- */

static double *interpret_node(const GraphNode *node, int32_t output, double *const *values, int64_t n)
{
    const double *a = values[node->in[0]], *b = values[node->in[node->n_in > 1 ? 1 : 0]]; /* one input: b is not read */
    double *y = calloc((size_t)n, sizeof *y);
    if (y == NULL) abort();
    for (int64_t k = 0; k < n; k++) {
        if (node->op == &op_add_ || node->op == &op_shift_) y[k] = a[k] + b[k];
        if (node->op == &op_multiply_) y[k] = a[k] * b[k];
        if (node->op == &op_sine_) y[k] = sin(a[k]);
        if (node->op == &op_tanh_) y[k] = tanh(a[k]);
        if (node->op == &op_scale_) y[k] = a[k] * b[0];
        if (node->op == &op_split_) y[k] = output == 0 ? a[k] / 2 : output == 1 ? a[k] * a[k] : 2 * a[k];
    }
    for (int64_t k = 0; k < N && node->op == &op_sum_; k++) y[0] += a[k] * 0.1;
    return y;
}

/* The loss with `step` added to element k of parameter `moved` (index in the set). */
static double interpret(const Fixture *f, Var loss, int32_t moved, int64_t element, double step)
{
    const Graph *g = f->g;
    double **values = calloc((size_t)g->n_values, sizeof *values);
    if (values == NULL) abort();
    for (int32_t v = 0; v < g->n_values; v++) {
        const GraphValue *value = &g->values[v];
        const int64_t n = shape_count(&value->tensor.shape);
        if (value->node >= 0) {
            const GraphNode *node = &g->nodes[value->node];
            values[v] = interpret_node(node, v - node->first_out, values, n);
            continue;
        }
        values[v] = calloc((size_t)n, sizeof **values);
        if (values[v] == NULL) abort();
        const float *data = f->program->values[v].tensor.data;
        for (int64_t k = 0; k < n; k++) values[v][k] = (double)data[k];
        if (value->param == moved && moved >= 0) values[v][element] += step;
    }
    const double result = values[loss.id][0];
    for (int32_t v = 0; v < g->n_values; v++) free(values[v]);
    free(values);
    return result;
}

/* Every parameter's gradient against central differences. */
static void check_gradients(const Fixture *f, Var loss)
{
    const double h = 1e-5;
    for (int32_t p = 0; p < params_count(f->params); p++) {
        const ParamInfo *info = params_info(f->params, p);
        if (!info->trainable) continue;
        const float *gradient = params_gradients(f->params) + info->offset;
        for (int64_t k = 0; k < shape_count(&info->shape); k++) {
            const double difference = interpret(f, loss, p, k, h) - interpret(f, loss, p, k, -h);
            const double expected = difference / (2 * h), tolerance = 2e-5 * (1 + fabs(expected));
            if (!(fabs((double)gradient[k] - expected) <= tolerance))
                fail_msg("gradient of %s[%d] is %g, should be %g", info->name, (int)k, (double)gradient[k], expected);
        }
    }
    const float *loss_data = f->program->values[loss.id].tensor.data;
    const double value = interpret(f, loss, -1, 0, 0);
    assert_true(fabs((double)loss_data[0] - value) <= 1e-5 * (1 + fabs(value)));
}

static void check_and_done(Fixture *f, Var loss)
{
    assert_int_equal(graph_finish(f->g), ERR_NONE);
    run(f, loss, false);
    check_gradients(f, loss);
    fixture_done(f);
}

/* ---- backward scheduling ---- */

static void value_twice_in_one_node(void **state)
{
    Fixture f = fixture_new(true);
    (void)state;
    const Var a = param(&f, "a");
    const Var x = node1(f.g, &op_tanh_, a);
    const Var square = node2(f.g, &op_multiply_, x, x);
    const Var twice = node2(f.g, &op_add_, square, square);
    check_and_done(&f, node1(f.g, &op_sum_, node2(f.g, &op_multiply_, twice, a)));
}

static void parameter_twice_in_one_node(void **state)
{
    Fixture f = fixture_new(true);
    (void)state;
    const Var a = param(&f, "a");
    const Var loss = node1(f.g, &op_sum_, node2(f.g, &op_multiply_, a, a));
    run(&f, loss, false);
    check_gradients(&f, loss);
    float first[N];
    memcpy(first, params_gradients(f.params), sizeof first);
    assert_int_equal(program_forward(f.program, 0), ERR_NONE);
    assert_int_equal(program_backward(f.program, true), ERR_NONE);
    for (int64_t k = 0; k < N; k++) assert_true(fabsf(params_gradients(f.params)[k] - 2 * first[k]) < 1e-6F);
    fixture_done(&f);
}

static void parameter_in_several_nodes(void **state)
{
    Fixture f = fixture_new(true);
    (void)state;
    Var x = param(&f, "x");
    for (int32_t i = 0; i < 4; i++) x = node1(f.g, &op_sine_, node2(f.g, &op_multiply_, x, param(&f, "shared")));
    check_and_done(&f, node1(f.g, &op_sum_, x));
}

static void only_one_of_two_results_is_used(void **state)
{
    (void)state;
    for (int32_t used = 0; used < 3; used++) {
        Fixture f = fixture_new(true);
        const Var half = node1(f.g, &op_split_, node1(f.g, &op_sine_, param(&f, "a")));
        const Var square = graph_result(f.g, half, 1);
        Var y = used == 0 ? half : square;
        if (used == 2) y = node2(f.g, &op_multiply_, half, square);
        (void)node1(f.g, &op_tanh_, half); /* its result is never used */
        check_and_done(&f, node1(f.g, &op_sum_, y));
    }
}

static void input_without_gradient(void **state)
{
    Fixture f = fixture_new(true);
    (void)state;
    const Var a = param(&f, "a"), b = param(&f, "b");
    /* b only comes through the input that `shift` does not differentiate: its gradient is 0, not d/db of the sum */
    const Var shifted = node2(f.g, &op_shift_, a, node1(f.g, &op_sine_, b));
    const Var loss = node1(f.g, &op_sum_, node1(f.g, &op_sine_, shifted));
    run(&f, loss, false);
    const float *gradient = params_gradients(f.params) + params_info(f.params, 1)->offset;
    for (int64_t k = 0; k < N; k++) assert_true(gradient[k] == 0.0F);
    const float *other = params_gradients(f.params);
    for (int64_t k = 0; k < N; k++) {
        const double expected = (interpret(&f, loss, 0, k, 1e-5) - interpret(&f, loss, 0, k, -1e-5)) / 2e-5;
        assert_true(fabs((double)other[k] - expected) < 1e-5);
    }
    assert_int_equal(program_stats(f.program).backward_steps, 3); /* not the sine of b */
    fixture_done(&f);
}

static void unreached_parameters_and_accumulation(void **state)
{
    Fixture f = fixture_new(true);
    (void)state;
    const Var a = param(&f, "a"), unused = param(&f, "unused");
    (void)graph_state(f.g, "frozen", shape1(N), normal);
    (void)node1(f.g, &op_sine_, unused);
    const Var frozen = graph_state(f.g, "frozen", shape1(N), normal);
    const Var y = node2(f.g, &op_add_, node2(f.g, &op_multiply_, a, frozen), node1(f.g, &op_tanh_, a));
    const Var loss = node1(f.g, &op_sum_, y);
    run(&f, loss, false);
    check_gradients(&f, loss);
    float *gradients = params_gradients(f.params), first[N];
    memcpy(first, gradients, sizeof first);
    float *unused_gradient = gradients + params_info(f.params, 1)->offset;
    unused_gradient[0] = 7.0F;
    assert_int_equal(program_forward(f.program, 0), ERR_NONE);
    assert_int_equal(program_backward(f.program, true), ERR_NONE);
    for (int64_t k = 0; k < N; k++) assert_true(fabsf(gradients[k] - 2 * first[k]) < 1e-6F);
    assert_true(unused_gradient[0] == 7.0F); /* accumulation leaves it */
    assert_int_equal(program_forward(f.program, 0), ERR_NONE);
    assert_int_equal(program_backward(f.program, false), ERR_NONE);
    assert_memory_equal(gradients, first, sizeof first);
    assert_true(unused_gradient[0] == 0.0F);
    fixture_done(&f);
}

/* ---- random graphs ---- */

static int64_t below(uint64_t seed, uint64_t *counter, int64_t n)
{
    return rng_below(seed, RNG_TEST, 99, (*counter)++, n);
}

/* A graph of 5 to 40 nodes over a few parameters, a state and an input; returns the loss. The pool of values that may
 * be used again favours late ones. Named outputs (values of the middle) must survive. */
static Var random_graph(Fixture *f, uint64_t seed)
{
    static const OpDef *const ops[] = { &op_add_,  &op_multiply_, &op_sine_,  &op_tanh_,
                                        &op_sine_, &op_split_,    &op_scale_, &op_shift_ };
    Var pool[128];
    uint64_t counter = 0;
    int32_t n = 0;
    char name[16];
    for (int32_t p = 0; p < 4; p++) {
        (void)snprintf(name, sizeof name, "p%d", p);
        pool[n++] = param(f, name);
    }
    pool[n++] = graph_state(f->g, "state", shape1(N), normal);
    pool[n++] = graph_input(f->g, "x", DTYPE_F32, shape1(N));
    const Var factor = graph_param(f->g, "factor", shape1(1), normal);
    const Var state = pool[4];
    const int64_t nodes = 5 + below(seed, &counter, 36);
    for (int64_t i = 0; i < nodes; i++) {
        const OpDef *op = ops[below(seed, &counter, ARRAY_LEN(ops))];
        const int64_t recent = below(seed, &counter, 2) == 0 && n > 4 ? 4 : n;
        const Var a = pool[n - 1 - below(seed, &counter, recent)], b = pool[below(seed, &counter, n)];
        Var y;
        if (op == &op_scale_)
            y = node2(f->g, op, a, factor);
        else if (op == &op_shift_)
            y = node2(f->g, op, a, state);
        else if (op->min_in == 2)
            y = node2(f->g, op, a, b);
        else
            y = node1(f->g, op, a);
        if (op == &op_multiply_) y = node1(f->g, &op_sine_, y); /* keeps values bounded */
        pool[n++] = y;
        if (op == &op_split_) pool[n++] = node1(f->g, &op_tanh_, graph_result(f->g, y, 1));
        (void)snprintf(name, sizeof name, "out%d", (int)i);
        if (below(seed, &counter, 8) == 0) graph_output(f->g, name, y);
    }
    Var sum = pool[n - 1];
    for (int32_t i = 0; i < 3; i++) sum = node2(f->g, &op_add_, sum, pool[below(seed, &counter, n)]);
    return node1(f->g, &op_sum_, sum);
}

static void random_graphs_have_right_gradients(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 150; seed++) {
        Fixture f = fixture_new(true);
        check_and_done(&f, random_graph(&f, seed));
    }
}

static void assert_same_tensor(Tensor a, Tensor b)
{
    assert_non_null(a.data);
    assert_non_null(b.data);
    assert_int_equal(tensor_bytes(&a), tensor_bytes(&b));
    assert_memory_equal(a.data, b.data, tensor_bytes(&a));
}

/* Two values or gradients alive at the same time never share memory, unless they are one buffer by in-place. */
static void check_plan(const Program *program)
{
    for (int32_t i = 0; i < program->n_buffers; i++) {
        const PlanBuffer *a = &program->buffers[i];
        assert_true(a->offset + a->bytes <= program->arena_bytes);
        for (int32_t k = 0; k < i; k++) {
            const PlanBuffer *b = &program->buffers[k];
            const bool same_time = a->first <= b->last && b->first <= a->last;
            assert_false(same_time && a->offset < b->offset + b->bytes && b->offset < a->offset + a->bytes);
        }
    }
}

static void planned_equals_unplanned(bool training)
{
    size_t planned_bytes = 0, all_bytes = 0;
    for (uint64_t seed = 0; seed < 150; seed++) {
        Fixture f = fixture_new(training), all = fixture_new(training);
        const Var loss = random_graph(&f, seed), loss_all = random_graph(&all, seed);
        graph_output(f.g, "loss", loss);
        graph_output(all.g, "loss", loss_all);
        run(&f, training ? loss : VAR_NONE, false);
        run(&all, training ? loss_all : VAR_NONE, true);
        check_plan(f.program);
        for (int32_t i = 0; i < f.g->outputs.count; i++) {
            const char *name = f.g->outputs.item[i].name;
            assert_same_tensor(program_tensor(f.program, name), program_tensor(all.program, name));
        }
        if (training)
            assert_memory_equal(params_gradients(f.params), params_gradients(all.params),
                                (size_t)params_trainable_length(f.params) * sizeof(float));
        planned_bytes += program_stats(f.program).arena_bytes;
        all_bytes += program_stats(all.program).arena_bytes;
        fixture_done(&f);
        fixture_done(&all);
    }
    print_message("planned %zu bytes, one buffer per value %zu\n", planned_bytes, all_bytes);
    assert_true(planned_bytes < all_bytes);
}

static void planned_training_equals_unplanned(void **state)
{
    (void)state;
    planned_equals_unplanned(true);
}

static void planned_inference_equals_unplanned(void **state)
{
    (void)state;
    planned_equals_unplanned(false);
}

/* ---- memory ---- */

static size_t chain_bytes(const OpDef *op, bool training, int32_t length)
{
    Fixture f = fixture_new(training);
    Var x = graph_param(f.g, "p", shape1(1600), normal); /* 6,400 bytes, a multiple of 64 */
    x = node1(f.g, &op_sine_, x);
    for (int32_t i = 0; i < length; i++) x = op->min_in == 2 ? node2(f.g, op, x, x) : node1(f.g, op, x);
    const Var loss = node1(f.g, &op_sum_, x);
    run(&f, training ? loss : VAR_NONE, false);
    const size_t bytes = program_stats(f.program).arena_bytes;
    fixture_done(&f);
    return bytes;
}

static void memory_is_reused(void **state)
{
    (void)state;
    /* inference, in place all along: one buffer, and the sum */
    assert_int_equal(chain_bytes(&op_tanh_, false, 20), 6400 + 64);
    /* in and out at the same time: two, and the sum in the one that is free by then */
    assert_int_equal(chain_bytes(&op_sine_, false, 20), 2 * 6400);
    /* a value that comes twice is not overwritten in place */
    assert_int_equal(chain_bytes(&op_add_, false, 20), 2 * 6400);
    /* training: 20 inputs that sine's backward reads, two gradients (in and out), the loss to the end */
    assert_int_equal(chain_bytes(&op_sine_, true, 20), 22 * 6400 + 64);
    /* tanh reads its 20 results; one gradient, in place all along; the loss and its gradient */
    assert_int_equal(chain_bytes(&op_tanh_, true, 20), 21 * 6400 + 2 * 64);
    /* x + x reads nothing in backward: a gradient, the one before it and the second half of that */
    assert_int_equal(chain_bytes(&op_add_, true, 20), 3 * 6400 + 64);
}

static void saved_outputs_and_scratch(void **state)
{
    (void)state;
    for (int32_t training = 0; training < 2; training++) {
        Fixture f = fixture_new(training != 0);
        const Var half = node1(f.g, &op_split_, param(&f, "a"));
        const Var loss = node1(f.g, &op_sum_, half);
        run(&f, training != 0 ? loss : VAR_NONE, false);
        const Step *step = &f.program->steps[0].step;
        assert_non_null(step->workspace);
        assert_int_equal(step->out[2].data != NULL, training != 0);
        assert_int_equal((uintptr_t)step->workspace % 64, 0);
        assert_int_equal((uintptr_t)step->out[0].data % 64, 0);
        assert_int_equal(program_stats(f.program).workspace_bytes, N * sizeof(float));
        fixture_done(&f);
    }
}

static void inputs_survive_runs(void **state)
{
    Fixture f = fixture_new(false);
    (void)state;
    const Var x = graph_input(f.g, "x", DTYPE_F32, shape1(N));
    graph_output(f.g, "y", node1(f.g, &op_tanh_, x));
    run(&f, VAR_NONE, false);
    const Tensor in = program_tensor(f.program, "x"), out = program_tensor(f.program, "y");
    float first[N];
    memcpy(first, out.data, sizeof first);
    ((float *)out.data)[0] = 12.0F;
    assert_int_equal(program_forward(f.program, 1), ERR_NONE);
    assert_memory_equal(out.data, first, sizeof first);
    assert_true(((const float *)in.data)[0] == rng_normal(5, RNG_TEST, 1, 0));
    assert_null(program_tensor(f.program, "z").data);
    assert_int_equal(program_tensor(f.program, "z").shape.rank, 0);
    fixture_done(&f);
}

/* ---- packing, threads, errors, printing ---- */

static void constants_are_packed_when_told(void **state)
{
    Fixture f = fixture_new(false);
    (void)state;
    const Var x = graph_input(f.g, "x", DTYPE_F32, shape1(N));
    const Var factor = graph_param(f.g, "factor", shape1(1), normal);
    graph_output(f.g, "y", node2(f.g, &op_scale_, x, factor));
    run(&f, VAR_NONE, false);
    const float *y = program_tensor(f.program, "y").data, *in = program_tensor(f.program, "x").data;
    float *value = params_tensor(f.params, 0).data;
    const float old = value[0];
    assert_true(f.program->steps[0].step.constant[1] && !f.program->steps[0].step.constant[0]);
    assert_true(y[1] == in[1] * old);
    value[0] = 3.0F;
    assert_int_equal(program_forward(f.program, 0), ERR_NONE);
    assert_true(y[1] == in[1] * old); /* not told yet */
    program_params_changed(f.program);
    assert_int_equal(program_forward(f.program, 0), ERR_NONE);
    assert_true(y[1] == in[1] * 3.0F);
    fixture_done(&f);
}

/* A parameter that forward reads as well as pack stays; results and hidden neighbours are the same afterwards. */
static void packed_parameters_are_discarded(void **state)
{
    Fixture f = fixture_new(false);
    float before[N];
    (void)state;
    const Var x = graph_input(f.g, "x", DTYPE_F32, shape1(N));
    const Var factor = graph_param(f.g, "factor", shape1(1), normal), both = param(&f, "both"), a = param(&f, "a");
    const Var y = node2(f.g, &op_scale_, node2(f.g, &op_scale_, x, factor), both);
    graph_output(f.g, "y", node2(f.g, &op_add_, node2(f.g, &op_multiply_, y, both), a));
    run(&f, VAR_NONE, false);
    const float *y_data = program_tensor(f.program, "y").data;
    memcpy(before, y_data, sizeof before);
    const float a_value = ((const float *)params_tensor(f.params, params_find(f.params, "a")).data)[2];
    assert_int_equal(program_discard_packed(f.program), ERR_NONE);
    assert_int_equal(params_info(f.params, params_find(f.params, "factor"))->offset, -1);
    assert_true(params_info(f.params, params_find(f.params, "both"))->offset >= 0);
    assert_true(((const float *)params_tensor(f.params, params_find(f.params, "a")).data)[2] == a_value);
    assert_int_equal(params_length(f.params), 32); /* two of the three, padded to 16 floats */
    assert_null(f.program->steps[0].step.in[1].data);
    assert_int_equal(program_forward(f.program, 0), ERR_NONE);
    assert_memory_equal(before, y_data, sizeof before);
    assert_int_equal(program_discard_packed(f.program), ERR_NONE); /* again: nothing to do */
    fixture_done(&f);
}

static void training_programs_keep_their_parameters(void **state)
{
    Fixture f = fixture_new(true);
    (void)state;
    run(&f, node1(f.g, &op_sum_, param(&f, "a")), false);
    assert_int_equal(program_discard_packed(f.program), ERR_ARGUMENT);
    fixture_done(&f);
}

static void training_reads_parameters_as_they_are(void **state)
{
    Fixture f = fixture_new(true);
    (void)state;
    const Var factor = graph_param(f.g, "factor", shape1(1), normal);
    const Var loss = node1(f.g, &op_sum_, node2(f.g, &op_scale_, param(&f, "a"), factor));
    run(&f, loss, false);
    assert_false(f.program->steps[0].step.constant[1]);
    ((float *)params_tensor(f.params, 0).data)[0] = 3.0F;
    assert_int_equal(program_forward(f.program, 0), ERR_NONE);
    assert_int_equal(program_backward(f.program, false), ERR_NONE);
    check_gradients(&f, loss);
    fixture_done(&f);
}

static void expect_compile_error(Fixture *f, Var loss, Err err, const char *message)
{
    ProgramOptions options = program_options_defaults();
    Program *program = NULL;
    options.loss = loss;
    assert_int_equal(program_compile(f->g, f->params, &options, &program), err);
    assert_string_equal(err_message(), message);
    assert_null(program);
    fixture_done(f);
}

static bool never(const Step *step)
{
    (void)step;
    return false;
}

static void compile_errors(void **state)
{
    static const Kernel picky_kernel = { .name = "picky", .suits = never, .forward = sine_forward };
    static const Kernel *const picky_kernels[] = { &picky_kernel, NULL };
    static const OpDef picky = { .name = "picky",
                                 .min_in = 1,
                                 .max_in = 1,
                                 .n_out = 1,
                                 .n_results = 1,
                                 .infer = same_shape,
                                 .kernels = picky_kernels };
    char message[256];
    (void)state;
    Fixture f = fixture_new(true);
    expect_compile_error(&f, param(&f, "a"), ERR_ARGUMENT, "the loss is not the result of an op");
    f = fixture_new(true);
    expect_compile_error(&f, node1(f.g, &op_sine_, param(&f, "a")), ERR_SHAPE,
                         "the loss is f32 [5]; it must be one f32 number");
    f = fixture_new(false);
    expect_compile_error(&f, node1(f.g, &op_sum_, param(&f, "a")), ERR_ARGUMENT,
                         "a program with a loss needs a graph built for training");
    f = fixture_new(true);
    graph_push(f.g, "encoder");
    (void)node1(f.g, &op_add_, param(&f, "a"));
    expect_compile_error(&f, VAR_NONE, ERR_SHAPE, "module 'encoder': add: has 1 inputs, takes 2 to 2");
    f = fixture_new(false);
    graph_push(f.g, "stem");
    (void)node1(f.g, &picky, param(&f, "a"));
    graph_pop(f.g);
    (void)snprintf(message, sizeof message,
                   "module 'stem': op 'picky': no kernel for these shapes and attributes on this device (level '%s')",
                   cpu_isa_name(cpu_isa_detect()));
    expect_compile_error(&f, VAR_NONE, ERR_UNSUPPORTED, message);
}

static void backward_needs_a_loss(void **state)
{
    Fixture f = fixture_new(false);
    (void)state;
    (void)node1(f.g, &op_sine_, param(&f, "a"));
    run(&f, VAR_NONE, false);
    assert_int_equal(program_backward(f.program, false), ERR_ARGUMENT);
    fixture_done(&f);
}

static void kernel_without_backward_is_for_inference(void **state)
{
    static const Kernel fast = { .name = "fast", .forward = sine_forward };
    static const Kernel *const both[] = { &fast, &sine_kernel, NULL };
    static const OpDef op = { .name = "sine",
                              .min_in = 1,
                              .max_in = 1,
                              .n_out = 1,
                              .n_results = 1,
                              .bwd_reads = READS_IN(0),
                              .infer = same_shape,
                              .kernels = both };
    (void)state;
    for (int32_t training = 0; training < 2; training++) {
        Fixture f = fixture_new(training != 0);
        const Var y = node1(f.g, &op, param(&f, "a"));
        run(&f, training != 0 ? node1(f.g, &op_sum_, y) : VAR_NONE, false);
        assert_string_equal(f.program->steps[0].kernel->name, training != 0 ? "plain" : "fast");
        fixture_done(&f);
    }
}

static Err failing_forward(const Step *step)
{
    (void)step;
    return err_set(ERR_INTERNAL, "it broke");
}

static void runtime_errors_name_the_module(void **state)
{
    static const Kernel broken = { .name = "plain", .forward = failing_forward };
    static const Kernel *const kernels[] = { &broken, NULL };
    static const OpDef op = {
        .name = "broken", .min_in = 1, .max_in = 1, .n_out = 1, .n_results = 1, .infer = same_shape, .kernels = kernels
    };
    Fixture f = fixture_new(false);
    ProgramOptions options = program_options_defaults();
    (void)state;
    graph_push(f.g, "head");
    (void)node1(f.g, &op, param(&f, "a"));
    graph_pop(f.g);
    assert_int_equal(program_compile(f.g, f.params, &options, &f.program), ERR_NONE);
    assert_int_equal(program_forward(f.program, 0), ERR_INTERNAL);
    assert_string_equal(err_message(), "module 'head': it broke");
    fixture_done(&f);
}

/* Products too small for a normal float are 0 in a program, and its caller's arithmetic stays as it was. */
static void denormals_count_as_zero(void **state)
{
    Fixture f = fixture_new(true);
    ProgramOptions options = program_options_defaults();
    const volatile float small = 1e-30F, smaller = 1e-10F;
    (void)state;
    const Var a = graph_input(f.g, "a", DTYPE_F32, shape1(N)), b = graph_input(f.g, "b", DTYPE_F32, shape1(N));
    const Var y = node2(f.g, &op_multiply_, a, b);
    graph_output(f.g, "y", y);
    assert_int_equal(program_compile(f.g, f.params, &options, &f.program), ERR_NONE);
    for (int64_t k = 0; k < N; k++) {
        ((float *)program_tensor(f.program, "a").data)[k] = small;
        ((float *)program_tensor(f.program, "b").data)[k] = smaller;
    }
    assert_int_equal(program_forward(f.program, 0), ERR_NONE);
#if METASEG_WITH_X86
    assert_true(((const float *)program_tensor(f.program, "y").data)[0] == 0.0F);
#endif
    assert_true(small * smaller > 0.0F);
    fixture_done(&f);
}

static void collect_row(void *context, const char *line)
{
    char *text = context;
    const size_t used = strlen(text);
    (void)snprintf(text + used, 4096 - used, "%s\n", line);
}

static void table_and_profile(void **state)
{
    Fixture f = fixture_new(true);
    static char text[4096];
    (void)state;
    graph_push(f.g, "decoder");
    graph_push(f.g, "b4");
    const Var y = node1(f.g, &op_tanh_, node2(f.g, &op_multiply_, param(&f, "a"), param(&f, "b")));
    graph_pop(f.g);
    graph_pop(f.g);
    run(&f, node1(f.g, &op_sum_, y), false);
    program_profile(f.program, true);
    assert_int_equal(program_forward(f.program, 0), ERR_NONE);
    assert_int_equal(program_backward(f.program, false), ERR_NONE);
    assert_true(f.program->steps[0].forward_seconds > 0 && f.program->steps[0].backward_seconds > 0);
    text[0] = '\0';
    program_print(f.program, collect_row, text);
    assert_non_null(strstr(text, "decoder.b4"));
    assert_non_null(strstr(text, "tanh"));
    assert_non_null(strstr(text, "3 steps, 3 backward"));
    assert_int_equal(program_stats(f.program).forward_steps, 3);
    assert_int_equal(program_stats(f.program).multiply_adds, N); /* the two other ops have none */
    fixture_done(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(value_twice_in_one_node),
        cmocka_unit_test(parameter_twice_in_one_node),
        cmocka_unit_test(parameter_in_several_nodes),
        cmocka_unit_test(only_one_of_two_results_is_used),
        cmocka_unit_test(input_without_gradient),
        cmocka_unit_test(unreached_parameters_and_accumulation),
        cmocka_unit_test(random_graphs_have_right_gradients),
        cmocka_unit_test(planned_training_equals_unplanned),
        cmocka_unit_test(planned_inference_equals_unplanned),
        cmocka_unit_test(memory_is_reused),
        cmocka_unit_test(saved_outputs_and_scratch),
        cmocka_unit_test(inputs_survive_runs),
        cmocka_unit_test(constants_are_packed_when_told),
        cmocka_unit_test(packed_parameters_are_discarded),
        cmocka_unit_test(training_programs_keep_their_parameters),
        cmocka_unit_test(training_reads_parameters_as_they_are),
        cmocka_unit_test(compile_errors),
        cmocka_unit_test(backward_needs_a_loss),
        cmocka_unit_test(kernel_without_backward_is_for_inference),
        cmocka_unit_test(runtime_errors_name_the_module),
        cmocka_unit_test(denormals_count_as_zero),
        cmocka_unit_test(table_and_profile),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
