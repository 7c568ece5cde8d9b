/* SPDX-License-Identifier: Apache-2.0
 * AdamW on the whole network against PyTorch's (tools/golden/network.py): the loss before each of three steps on one
 * batch, and after the third. */
#include "train/optimizer.h"

#include "base/json.h"
#include "harness/golden_network.h"

enum { STEPS = 3 };

static Json *golden_config(const TensorFile *golden)
{
    const char *text = tensor_file_metadata(golden, "config");
    Json *root = NULL;
    assert_non_null(text);
    assert_int_equal(json_parse(text, strlen(text), 1 << 20, &root), ERR_NONE);
    return root;
}

/* The recorded rates, without schedule, clipping, average or a rate of the encoder's own. */
static OptimizerOptions recorded_options(const TensorFile *golden)
{
    Json *root = golden_config(golden);
    const Json *adamw = json_find(root, "adamw");
    OptimizerOptions options = { .encoder_multiplier = 1, .steps = STEPS, .final_fraction = 1, .threads = 2 };
    assert_non_null(adamw);
    assert_int_equal(json_get_double(adamw, "lr", &options.learning_rate), ERR_NONE);
    assert_int_equal(json_get_double(adamw, "beta1", &options.beta1), ERR_NONE);
    assert_int_equal(json_get_double(adamw, "beta2", &options.beta2), ERR_NONE);
    assert_int_equal(json_get_double(adamw, "eps", &options.eps), ERR_NONE);
    assert_int_equal(json_get_double(adamw, "weight_decay", &options.weight_decay), ERR_NONE);
    json_free(root);
    return options;
}

/* What PyTorch's own losses in single precision deviate by, relative. */
static double float32_deviation(const TensorFile *golden)
{
    Json *root = golden_config(golden);
    double deviation = 0.0;
    assert_int_equal(json_get_double(json_find(root, "float32_deviation"), "adamw_losses", &deviation), ERR_NONE);
    json_free(root);
    return deviation;
}

static void recorded_steps(void **state)
{
    (void)state;
    TensorFile *golden = golden_open("network.safetensors");
    double *want = golden_doubles(golden, "output.adamw_losses", STEPS + 1);
    Model *model = golden_network_model(NETWORK_FUSION_CAF);
    Program *program = golden_network_compile(model, true, cpu_isa_detect());
    const OptimizerOptions options = recorded_options(golden);
    const double tolerance = 2.0 * float32_deviation(golden); /* 6e-7; a step lowers the loss by 1e-2 */
    Optimizer *optimizer = NULL;
    assert_int_equal(optimizer_new(model->params, &options, &optimizer), ERR_NONE);
    golden_fill_inputs(golden, program);
    bool good = true;
    for (int64_t step = 0; step <= STEPS; step++) {
        assert_int_equal(program_forward(program, (uint64_t)step), ERR_NONE);
        const double loss = (double)*(const float *)program_tensor(program, "loss").data;
        print_message("  loss after %d steps: %.7f, reference %.7f\n", (int)step, loss, want[step]);
        good = fabs(loss - want[step]) <= tolerance * want[step] && good;
        if (step == STEPS) break;
        assert_int_equal(program_backward(program, false), ERR_NONE);
        assert_int_equal(optimizer_step(optimizer, step, NULL), ERR_NONE);
    }
    assert_true(good);
    optimizer_free(optimizer);
    program_free(program);
    model_free(model);
    free(want);
    tensor_file_close(golden);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(recorded_steps) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
