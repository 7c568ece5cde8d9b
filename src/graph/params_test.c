/* SPDX-License-Identifier: Apache-2.0 */
#include "graph/params.h"

#include "base/hash.h"
#include "base/rng.h"
#include "harness/unit.h"

#include <string.h>

static const Shape vector3 = { 1, { 3 } }, matrix = { 2, { 5, 4 } }, vector17 = { 1, { 17 } };
static const ParamInit zero = { INIT_ZERO, 0 }, one = { INIT_ONE, 0 }, normal = { INIT_NORMAL, 0.5 };

static ParamSet *new_set(void)
{
    ParamSet *params = NULL;
    int32_t index = -1;
    assert_int_equal(params_new(&params), ERR_NONE);
    assert_int_equal(params_declare(params, "a.mean", &vector3, zero, false, true, &index), ERR_NONE);
    assert_int_equal(index, 0);
    assert_int_equal(params_declare(params, "a.weight", &matrix, normal, true, true, &index), ERR_NONE);
    assert_int_equal(index, 1);
    assert_int_equal(params_declare(params, "a.bias", &vector17, one, true, false, &index), ERR_NONE);
    assert_int_equal(index, 2);
    return params;
}

static void layout_is_trainable_first_and_aligned(void **state)
{
    ParamSet *params = new_set();
    (void)state;
    assert_false(params_allocated(params));
    assert_int_equal(params_allocate(params), ERR_NONE);
    assert_true(params_allocated(params));
    assert_int_equal(params_info(params, 1)->offset, 0);
    assert_int_equal(params_info(params, 2)->offset, 32); /* 20 floats rounded up to 16s */
    assert_int_equal(params_trainable_length(params), 64);
    assert_int_equal(params_info(params, 0)->offset, 64);
    assert_int_equal(params_length(params), 80);
    assert_int_equal((uintptr_t)params_values(params) % 64, 0);
    assert_null(params_gradients(params));
    assert_int_equal(params_want_gradients(params), ERR_NONE);
    assert_int_equal((uintptr_t)params_gradients(params) % 64, 0);
    for (int64_t i = 0; i < 64; i++) assert_true(params_gradients(params)[i] == 0.0F);
    float *before = params_gradients(params);
    assert_int_equal(params_want_gradients(params), ERR_NONE);
    assert_ptr_equal(params_gradients(params), before);
    assert_true(params_info(params, 1)->decay);
    assert_false(params_info(params, 2)->decay);
    assert_false(params_info(params, 0)->decay); /* state never decays */
    assert_ptr_equal(params_tensor(params, 2).data, params_values(params) + 32);
    params_free(params);
}

static void known_names_must_agree(void **state)
{
    ParamSet *params = new_set();
    int32_t index = -1;
    (void)state;
    assert_int_equal(params_declare(params, "a.weight", &matrix, normal, true, true, &index), ERR_NONE);
    assert_int_equal(index, 1);
    assert_int_equal(params_count(params), 3);
    index = 77;
    assert_int_equal(params_declare(params, "a.weight", &vector3, normal, true, true, &index), ERR_SHAPE);
    assert_string_equal(err_message(), "parameter 'a.weight': declared with shape [5, 4] before, now with [3]");
    assert_int_equal(params_declare(params, "a.weight", &matrix, normal, false, true, &index), ERR_SHAPE);
    assert_int_equal(params_allocate(params), ERR_NONE);
    assert_int_equal(params_declare(params, "new", &matrix, normal, true, true, &index), ERR_SHAPE);
    assert_int_equal(index, 77); /* untouched on failure */
    assert_int_equal(params_declare(params, "a.bias", &vector17, one, true, false, &index), ERR_NONE);
    assert_int_equal(index, 2);
    assert_int_equal(params_find(params, "a.mean"), 0);
    assert_int_equal(params_find(params, "a.me"), -1);
    params_free(params);
    params_free(NULL);
}

static void a_constant_fills_the_parameter(void **state)
{
    ParamSet *params = NULL;
    int32_t index = -1;
    (void)state;
    assert_int_equal(params_new(&params), ERR_NONE);
    assert_int_equal(params_declare(params, "gamma", &vector3, (ParamInit){ INIT_CONSTANT, 0.25 }, true, false, &index),
                     ERR_NONE);
    assert_int_equal(params_allocate(params), ERR_NONE);
    params_initialize(params, 42);
    for (int64_t k = 0; k < 3; k++) assert_true(params_values(params)[k] == 0.25F);
    params_free(params);
}

static void initial_values_follow_the_formula(void **state)
{
    ParamSet *params = new_set();
    (void)state;
    assert_int_equal(params_allocate(params), ERR_NONE);
    params_values(params)[3] = 9.0F;
    params_initialize(params, 42);
    const float *weight = params_tensor(params, 1).data;
    const uint64_t stream = hash_xxh64("a.weight", strlen("a.weight"));
    for (uint64_t k = 0; k < 20; k++)
        assert_true(weight[k] == (float)((double)rng_normal(42, RNG_WEIGHTS, stream, k) * 0.5));
    for (int64_t k = 20; k < 32; k++) assert_true(params_values(params)[k] == 0.0F); /* padding */
    for (int64_t k = 32; k < 49; k++) assert_true(params_values(params)[k] == 1.0F);
    for (int64_t k = 64; k < 67; k++) assert_true(params_values(params)[k] == 0.0F);
    params_free(params);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(layout_is_trainable_first_and_aligned),
        cmocka_unit_test(known_names_must_agree),
        cmocka_unit_test(initial_values_follow_the_formula),
        cmocka_unit_test(a_constant_fills_the_parameter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
