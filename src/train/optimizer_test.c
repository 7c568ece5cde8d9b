/* SPDX-License-Identifier: Apache-2.0
 * AdamW on the whole network against PyTorch's (tools/golden/network.py): the loss before each of three steps on one
 * batch, and after the third. */
#include "train/optimizer.h"

#include "base/json.h"
#include "harness/golden_network.h"

#include <math.h>

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

/* 30 epochs of 10 steps, the rate of an epoch by PyTorch's CosineAnnealingLR; and restarts after 15 and 30 epochs more, by
 * CosineAnnealingWarmRestarts with T_0 15 and T_mult 2. */
static void schedules(void **state)
{
    (void)state;
    const double pi = 3.14159265358979323846;
    const OptimizerOptions epochs = { .steps = 300, .epoch_steps = 10, .final_fraction = 1e-6 / 6e-4 };
    const OptimizerOptions restarts = { .steps = 450, .epoch_steps = 10, .restart_steps = 150 };
    for (int64_t step = 0; step < 450; step++) {
        const double epoch = (double)(step / 10);
        const double low = epochs.final_fraction, cosine = 0.5 * (1.0 + cos(pi * fmin(epoch, 30.0) / 30.0));
        assert_true(fabs(optimizer_schedule(&epochs, step) - (low + (1.0 - low) * cosine)) < 1e-12);
        const double within = epoch < 15.0 ? epoch / 15.0 : (epoch - 15.0) / 30.0;
        assert_true(fabs(optimizer_schedule(&restarts, step) - 0.5 * (1.0 + cos(pi * within))) < 1e-12);
    }
}

/* Beside the same steps without: after step 1 and every third one from there the weights go back half way. */
static void lookahead(void **state)
{
    (void)state;
    enum { N = 4, RUN = 9, K = 3 };
    const OptimizerOptions plain = { .learning_rate = 0.1,
                                     .encoder_multiplier = 1,
                                     .beta1 = 0.9,
                                     .beta2 = 0.99,
                                     .eps = 1e-8,
                                     .steps = RUN,
                                     .final_fraction = 1,
                                     .threads = 1 };
    OptimizerOptions ahead = plain;
    ahead.lookahead_steps = K;
    ahead.lookahead_alpha = 0.5;
    ParamSet *sets[2];
    Optimizer *optimizers[2];
    double slow[N] = { 0.0 }, w[N];
    for (int64_t i = 0; i < 2; i++) {
        int32_t index = 0;
        assert_int_equal(params_new(&sets[i]), ERR_NONE);
        const Shape shape = { 1, { N } };
        const ParamInit zero = { .kind = INIT_ZERO };
        assert_int_equal(params_declare(sets[i], "w", &shape, zero, true, false, &index), ERR_NONE);
        assert_int_equal(params_allocate(sets[i]), ERR_NONE);
        assert_int_equal(params_want_gradients(sets[i]), ERR_NONE);
        assert_int_equal(optimizer_new(sets[i], i == 0 ? &plain : &ahead, &optimizers[i]), ERR_NONE);
    }
    assert_null(optimizer_slow_weights(optimizers[0]));
    for (int64_t k = 0; k < N; k++) params_values(sets[1])[k] = (float)k;
    for (int64_t step = 0; step < RUN; step++) {
        for (int64_t k = 0; k < N; k++) {
            const float gradient = (float)((step + k) % 3) - 0.75F;
            params_gradients(sets[0])[k] = params_gradients(sets[1])[k] = gradient;
            params_values(sets[0])[k] = params_values(sets[1])[k]; /* the plain step from the same place */
        }
        assert_int_equal(optimizer_step(optimizers[0], step, NULL), ERR_NONE);
        assert_int_equal(optimizer_step(optimizers[1], step, NULL), ERR_NONE);
        for (int64_t k = 0; k < N; k++) {
            w[k] = (double)params_values(sets[0])[k];
            if (step == 0) slow[k] = w[k];
            if (step % K == 0) w[k] = slow[k] = slow[k] + 0.5 * (w[k] - slow[k]);
            assert_true(fabs((double)params_values(sets[1])[k] - w[k]) < 1e-6);
            if (step % K == 0 && step > 0) assert_true(params_values(sets[1])[k] != params_values(sets[0])[k]);
        }
    }
    for (int64_t i = 0; i < 2; i++) {
        optimizer_free(optimizers[i]);
        params_free(sets[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(recorded_steps), cmocka_unit_test(schedules),
                                        cmocka_unit_test(lookahead) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
