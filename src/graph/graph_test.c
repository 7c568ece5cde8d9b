/* SPDX-License-Identifier: Apache-2.0
 * Building: names, shapes, the first error. */
#include "harness/graph_ops.h"
#include "harness/unit.h"

static const ParamInit zero = { INIT_ZERO, 0 };

typedef struct Fixture {
    ParamSet *params;
    Graph *g;
} Fixture;

static int set_up(void **state)
{
    Fixture *fixture = calloc(1, sizeof *fixture);
    if (fixture == NULL || params_new(&fixture->params) != ERR_NONE) return -1;
    if (graph_new(fixture->params, true, &fixture->g) != ERR_NONE) return -1;
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    Fixture *fixture = *state;
    graph_free(fixture->g);
    params_free(fixture->params);
    free(fixture);
    return 0;
}

static void assert_graph_error(const Graph *g, const char *message)
{
    assert_int_equal(graph_finish(g), ERR_SHAPE);
    assert_string_equal(err_message(), message);
}

static void scopes_make_parameter_names(void **state)
{
    Fixture *f = *state;
    graph_push(f->g, "decoder");
    graph_push(f->g, "");
    graph_push(f->g, "b4");
    const Var weight = graph_param(f->g, "norm1.weight", shape2(2, 3), zero);
    graph_pop(f->g);
    const Var bias = graph_param_nodecay(f->g, "table", shape2(2, 3), zero);
    graph_pop(f->g);
    graph_pop(f->g);
    const Var mean = graph_state(f->g, "mean", shape1(4), zero);
    assert_int_equal(graph_finish(f->g), ERR_NONE);
    assert_int_equal(params_find(f->params, "decoder.b4.norm1.weight"), 0);
    assert_int_equal(params_find(f->params, "decoder.table"), 1);
    assert_int_equal(params_find(f->params, "mean"), 2);
    assert_true(params_info(f->params, 0)->decay);
    assert_false(params_info(f->params, 1)->decay);
    assert_false(params_info(f->params, 2)->trainable);
    assert_true(var_exists(weight) && var_exists(bias) && var_exists(mean));
    assert_int_equal(graph_param(f->g, "decoder.table", shape2(2, 3), zero).id, bias.id); /* the same parameter again */
    assert_int_equal(graph_value(f->g, weight).shape.dim[1], 3);
    assert_int_equal(graph_value(f->g, VAR_NONE).shape.rank, 0);
    assert_true(graph_training(f->g));
}

static void shape_error_names_the_module_and_sticks(void **state)
{
    Fixture *f = *state;
    const Var x = graph_input(f->g, "x", DTYPE_F32, shape1(3));
    const Var y = graph_input(f->g, "y", DTYPE_F32, shape1(4));
    graph_push(f->g, "encoder");
    graph_push(f->g, "_blocks.3");
    const Var bad = node2(f->g, &op_add_, x, y);
    assert_false(var_exists(bad));
    graph_pop(f->g);
    graph_pop(f->g);
    assert_false(var_exists(node1(f->g, &op_sine_, x))); /* nothing happens any more */
    graph_fail(f->g, "a later error");
    graph_output(f->g, "y", bad);
    assert_graph_error(f->g, "module 'encoder._blocks.3': shapes [3] and [4] differ");
}

static void missing_inputs_and_wrong_counts(void **state)
{
    Fixture *f = *state;
    const Var x = graph_input(f->g, "x", DTYPE_F32, shape1(3));
    graph_push(f->g, "p1");
    (void)node2(f->g, &op_add_, x, VAR_NONE);
    assert_graph_error(f->g, "module 'p1': add: input 1 is missing");
}

static void wrong_number_of_inputs(void **state)
{
    Fixture *f = *state;
    (void)node1(f->g, &op_add_, graph_input(f->g, "x", DTYPE_F32, shape1(3)));
    assert_graph_error(f->g, "add: has 1 inputs, takes 2 to 2");
}

static void names_are_unique(void **state)
{
    Fixture *f = *state;
    const Var x = graph_input(f->g, "x", DTYPE_F32, shape1(3));
    graph_output(f->g, "x", x);
    assert_graph_error(f->g, "'x': two inputs or outputs have this name");
}

static void empty_dimensions_are_refused(void **state)
{
    Fixture *f = *state;
    assert_false(var_exists(graph_input(f->g, "image", DTYPE_F32, shape2(3, 0))));
    assert_graph_error(f->g, "'image': shape [3, 0] has an empty dimension");
}

static void parameter_shapes_must_agree(void **state)
{
    Fixture *f = *state;
    graph_push(f->g, "head");
    (void)graph_param(f->g, "weight", shape1(3), zero);
    (void)graph_param(f->g, "weight", shape1(4), zero);
    assert_graph_error(f->g, "module 'head': parameter 'head.weight': declared with shape [3] before, now with [4]");
}

static void unbalanced_scopes(void **state)
{
    Fixture *f = *state;
    graph_push(f->g, "head");
    assert_graph_error(f->g, "module 'head': graph_push without graph_pop");
    graph_pop(f->g);
    assert_int_equal(graph_finish(f->g), ERR_NONE);
    graph_pop(f->g);
    assert_graph_error(f->g, "graph_pop without graph_push");
}

static void results_of_a_node(void **state)
{
    Fixture *f = *state;
    const Var half = node1(f->g, &op_split_, graph_input(f->g, "x", DTYPE_F32, shape1(3)));
    assert_int_equal(graph_result(f->g, half, 0).id, half.id);
    assert_int_equal(graph_result(f->g, half, 1).id, half.id + 1);
    assert_int_equal(graph_result(f->g, VAR_NONE, 1).id, -1);
    assert_int_equal(graph_finish(f->g), ERR_NONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(scopes_make_parameter_names, set_up, tear_down),
        cmocka_unit_test_setup_teardown(shape_error_names_the_module_and_sticks, set_up, tear_down),
        cmocka_unit_test_setup_teardown(missing_inputs_and_wrong_counts, set_up, tear_down),
        cmocka_unit_test_setup_teardown(wrong_number_of_inputs, set_up, tear_down),
        cmocka_unit_test_setup_teardown(names_are_unique, set_up, tear_down),
        cmocka_unit_test_setup_teardown(empty_dimensions_are_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(parameter_shapes_must_agree, set_up, tear_down),
        cmocka_unit_test_setup_teardown(unbalanced_scopes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(results_of_a_node, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
