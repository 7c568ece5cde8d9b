/* SPDX-License-Identifier: Apache-2.0
 * The network by its configuration: what it is trained against, where its scores lie, which inputs it has. */
#include "network/segmenter.h"

#include "base/rng.h"
#include "harness/unit.h"
#include "model/model_file.h"

#include <math.h>

enum { SIDE = 256, CLASSES = 4 };

static Model *new_model(const ModelConfig *config)
{
    Model *model = NULL;
    ASSERT_OK(model_new(config, true, &model));
    model_initialize(model, 5);
    return model;
}

static ModelConfig text_free(void)
{
    ModelConfig config;
    ASSERT_OK(model_config_init(&config));
    ASSERT_OK(model_config_set_classes(&config, CLASSES));
    config.network.fusion = NETWORK_FUSION_NONE;
    return config;
}

static SegmenterTraining training_options(void)
{
    SegmenterTraining training = segmenter_training_defaults();
    training.dropout = 0.0F;
    training.freeze_encoder = training.freeze_decoder = true;
    return training;
}

static void fill(NetworkInputs *batch)
{
    const Tensor image = network_inputs_part(batch, NETWORK_IMAGE), labels = network_inputs_part(batch, NETWORK_LABELS);
    for (int64_t i = 0; i < shape_count(&image.shape); i++) batch->image[i] = rng_normal(3, RNG_TEST, 1, (uint64_t)i);
    for (int64_t i = 0; i < shape_count(&labels.shape); i++)
        batch->labels[i] = i % 11 == 0 ? 255 : (uint8_t)(i / 7 % CLASSES);
}

static double loss_of(const Program *program, const char *name)
{
    return (double)*(const float *)program_tensor(program, name).data;
}

/* ---- labels that are probabilities ---- */

/* Compiles and runs one step; program_free(). */
static Program *run_training(Model *model, const NetworkInputs *batch, const SegmenterTraining *training)
{
    const ProgramOptions options = program_options_defaults();
    Program *program = NULL;
    ASSERT_OK(segmenter_compile(model->params, &model->config.network, &batch->shape, training, &options, &program));
    ASSERT_OK(segmenter_write(program, batch));
    ASSERT_OK(program_forward(program, 0));
    ASSERT_OK(program_backward(program, false));
    return program;
}

static double largest_difference(const float *a, const float *b, int64_t n, double *ret_largest)
{
    double difference = 0.0, largest = 0.0;
    for (int64_t i = 0; i < n; i++) {
        difference = fmax(difference, fabs((double)a[i] - (double)b[i]));
        largest = fmax(largest, fabs((double)b[i]));
    }
    *ret_largest = largest;
    return difference;
}

static float *copy_gradients(ParamSet *params)
{
    const size_t bytes = (size_t)params_trainable_length(params) * sizeof(float);
    float *copy = malloc(bytes);
    if (copy == NULL) abort();
    memcpy(copy, params_gradients(params), bytes);
    return copy;
}

/* A sure distribution is a class index; one between two classes is not, and its ignored pixels do not count. */
static void probabilities_and_class_indexes(void **state)
{
    (void)state;
    ModelConfig config = text_free();
    Model *model = new_model(&config);
    NetworkShape shape = segmenter_shape(&config.network, 1, SIDE);
    SegmenterTraining training = training_options();
    shape.label_classes = CLASSES;
    NetworkInputs batch;
    ASSERT_OK(network_inputs_init(&shape, &batch));
    fill(&batch);
    Program *program = run_training(model, &batch, &training);
    const double entropy = loss_of(program, "loss_cross_entropy"), auxiliary = loss_of(program, "loss_auxiliary");
    float *gradients = copy_gradients(model->params);
    program_free(program);

    training.probabilities = true;
    for (int64_t i = 0; i < (int64_t)SIDE * SIDE; i++)
        if (batch.labels[i] != 255) batch.label_probabilities[i * CLASSES + batch.labels[i]] = 200;
    program = run_training(model, &batch, &training);
    assert_true(fabs(loss_of(program, "loss_cross_entropy") - entropy) < 1e-5 * entropy);
    assert_true(fabs(loss_of(program, "loss_auxiliary") - auxiliary) < 1e-5 * auxiliary);
    double largest = 0.0;
    const double difference = largest_difference(params_gradients(model->params), gradients,
                                                 params_trainable_length(model->params), &largest);
    assert_true(largest > 0.0 && difference < 1e-4 * largest);

    for (int64_t i = 0; i < (int64_t)SIDE * SIDE; i++)
        if (batch.labels[i] != 255) batch.label_probabilities[i * CLASSES + (batch.labels[i] + 1) % CLASSES] = 199;
    ASSERT_OK(segmenter_write(program, &batch));
    ASSERT_OK(program_forward(program, 0));
    assert_true(fabs(loss_of(program, "loss_cross_entropy") - entropy) > 1e-3 * entropy);
    free(gradients);
    program_free(program);
    network_inputs_done(&batch);
    model_free(model);
    model_config_done(&config);
}

static void refuses_bad_probabilities(void **state)
{
    (void)state;
    ModelConfig config = text_free();
    Model *model = new_model(&config);
    NetworkShape shape = segmenter_shape(&config.network, 1, SIDE);
    SegmenterTraining training = training_options();
    const ProgramOptions options = program_options_defaults();
    Program *program = NULL;
    NetworkInputs batch;
    training.probabilities = true;
    shape.label_classes = CLASSES + 1;
    ASSERT_ERR(segmenter_compile(model->params, &config.network, &shape, &training, &options, &program), ERR_SHAPE,
               "probabilities of 5 classes for a model of 4");
    shape.label_classes = CLASSES;
    ASSERT_OK(network_inputs_init(&shape, &batch));
    fill(&batch);
    ASSERT_OK(segmenter_compile(model->params, &config.network, &shape, &training, &options, &program));
    ASSERT_OK(segmenter_write(program, &batch));
    ASSERT_ERR(program_forward(program, 0), ERR_INPUT, "probability 0 for all classes");
    memset(batch.label_probabilities, 1, (size_t)SIDE * SIDE * CLASSES);
    batch.labels[1] = CLASSES;
    ASSERT_OK(segmenter_write(program, &batch));
    ASSERT_ERR(program_forward(program, 0), ERR_INPUT, "a label is 4");
    batch.shape.label_classes = 0;
    ASSERT_ERR(segmenter_write(program, &batch), ERR_SHAPE, "label_probabilities");
    batch.shape.label_classes = CLASSES;
    program_free(program);
    network_inputs_done(&batch);
    model_free(model);
    model_config_done(&config);
}

/* ---- output stride ---- */

static void scores_at_their_stride(void **state)
{
    (void)state;
    static const int32_t strides[] = { 4, 2, 1 };
    static const char *const shapes[] = { "[1, 64, 64, 4]", "[1, 128, 128, 4]", "[1, 256, 256, 4]" };
    for (int64_t i = 0; i < ARRAY_LEN(strides); i++) {
        ModelConfig config = text_free();
        config.network.output_stride = strides[i];
        Model *model = new_model(&config);
        const NetworkShape shape = segmenter_shape(&config.network, 1, SIDE);
        const ProgramOptions options = program_options_defaults();
        Program *program = NULL;
        NetworkInputs batch;
        char text[80];
        ASSERT_OK(network_inputs_init(&shape, &batch));
        fill(&batch);
        ASSERT_OK(segmenter_compile(model->params, &config.network, &shape, NULL, &options, &program));
        const Tensor logits = program_tensor(program, "logits");
        assert_string_equal(shape_text(&logits.shape, text, sizeof text), shapes[i]);
        ASSERT_OK(segmenter_write(program, &batch));
        ASSERT_OK(program_forward(program, 0));
        for (int64_t k = 0; k < shape_count(&logits.shape); k++) assert_true(isfinite(((const float *)logits.data)[k]));
        assert_int_equal(params_find(model->params, "decoder.segmentation_head.0.0.weight") >= 0, strides[i] == 4);
        assert_int_equal(params_find(model->params, "decoder.fine2.block1.depthwise.0.weight") >= 0, strides[i] <= 2);
        assert_int_equal(params_find(model->params, "decoder.fine1.pre_conv.0.weight") >= 0, strides[i] == 1);
        program_free(program);
        network_inputs_done(&batch);
        model_free(model);
        model_config_done(&config);
    }
}

static double loss_at(Program *program, ParamSet *params, const float *values, const float *direction, double step)
{
    for (int64_t i = 0; i < params_trainable_length(params); i++)
        params_values(params)[i] = (float)((double)values[i] + step * (double)direction[i]);
    ASSERT_OK(program_forward(program, 0));
    return loss_of(program, "loss");
}

/* The slope of the loss along a direction in all parameters of the finer stages, by differences and by gradients. */
static void gradients_of_the_finer_stages(void **state)
{
    (void)state;
    ModelConfig config = text_free();
    config.network.output_stride = 1;
    Model *model = new_model(&config);
    ParamSet *params = model->params;
    const NetworkShape shape = segmenter_shape(&config.network, 1, SIDE);
    const SegmenterTraining training = training_options();
    NetworkInputs batch;
    ASSERT_OK(network_inputs_init(&shape, &batch));
    fill(&batch);
    Program *program = run_training(model, &batch, &training);
    const int64_t n = params_trainable_length(params);
    float *values = malloc((size_t)n * sizeof *values), *direction = calloc((size_t)n, sizeof *direction);
    if (values == NULL || direction == NULL) abort();
    memcpy(values, params_values(params), (size_t)n * sizeof *values);
    int64_t stages = 0;
    double slope = 0.0;
    for (int32_t p = 0; p < params_count(params); p++) {
        const ParamInfo *info = params_info(params, p);
        if (!info->trainable || strncmp(info->name, "decoder.fine", 12) != 0) continue;
        stages++;
        double square = 0.0;
        for (int64_t i = info->offset; i < info->offset + shape_count(&info->shape); i++) {
            direction[i] = params_gradients(params)[i]; /* along the gradient the slope is its length */
            square += (double)direction[i] * (double)direction[i];
        }
        if (!(square > 0.0)) fail_msg("no gradient arrives at %s", info->name);
        slope += square;
    }
    assert_int_equal(stages, 2 * (3 + 1 + 1 + 3 * 6));
    const double length = sqrt(slope), step = 2e-3 / length;
    const double difference =
        (loss_at(program, params, values, direction, step) - loss_at(program, params, values, direction, -step)) /
        (2.0 * step);
    print_message("slope %g by gradients, %g by differences\n", slope, difference);
    assert_true(fabs(difference - slope) < 0.02 * slope);
    free(values);
    free(direction);
    program_free(program);
    network_inputs_done(&batch);
    model_free(model);
    model_config_done(&config);
}

/* ---- missing bands ---- */

static void run_with(Program *program, const NetworkInputs *batch, float *ret_logits)
{
    const Tensor logits = program_tensor(program, "logits");
    ASSERT_OK(segmenter_write(program, batch));
    ASSERT_OK(program_forward(program, 0));
    memcpy(ret_logits, logits.data, tensor_bytes(&logits));
}

/* A band that is missing is not one of value 0. */
static void presence_is_read(void **state)
{
    (void)state;
    static const int32_t without_green[] = { 0, -1, 2 };
    static float values[SIDE * SIDE * 3], logits[3][SIDE / 4 * (SIDE / 4) * CLASSES];
    ModelConfig config = text_free();
    config.network.missing_bands = true;
    Model *model = new_model(&config);
    const NetworkShape shape = segmenter_shape(&config.network, 1, SIDE);
    const ProgramOptions options = program_options_defaults();
    Program *program = NULL;
    NetworkInputs batch;
    assert_true(shape.presence);
    ASSERT_OK(network_inputs_init(&shape, &batch));
    ASSERT_OK(segmenter_compile(model->params, &config.network, &shape, NULL, &options, &program));
    for (int64_t i = 0; i < ARRAY_LEN(values); i++) values[i] = i % 3 == 1 ? 0.0F : (float)(i % 13) / 6.0F - 1.0F;
    network_inputs_fill_image(&batch, values, 3, NULL);
    run_with(program, &batch, logits[0]);
    network_inputs_fill_image(&batch, values, 3, without_green);
    run_with(program, &batch, logits[1]);
    assert_memory_not_equal(logits[0], logits[1], sizeof logits[0]);
    for (int64_t i = 1; i < ARRAY_LEN(values); i += 3) values[i] = 5.0F; /* not looked at */
    network_inputs_fill_image(&batch, values, 3, without_green);
    run_with(program, &batch, logits[2]);
    assert_memory_equal(logits[1], logits[2], sizeof logits[1]);
    program_free(program);
    network_inputs_done(&batch);
    NetworkShape plain = shape;
    plain.presence = false;
    ASSERT_ERR(segmenter_compile(model->params, &config.network, &plain, NULL, &options, &program), ERR_SHAPE,
               "images without presence of bands");
    model_free(model);
    model_config_done(&config);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(probabilities_and_class_indexes),
        cmocka_unit_test(refuses_bad_probabilities),
        cmocka_unit_test(scores_at_their_stride),
        cmocka_unit_test(gradients_of_the_finer_stages),
        cmocka_unit_test(presence_is_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
