/* SPDX-License-Identifier: Apache-2.0
 * Every encoder with every decoder, over the two lists: what goes together is built for training and for prediction with the sizes
 * that it promises, what does not is refused in one sentence; and the smallest encoder of each family trains a step and predicts
 * with each decoder. */
#include "network/decoder.h"
#include "network/segmenter.h"

#include "harness/unit.h"

#include <math.h>
#include <string.h>

enum { CLASSES = 3, BANDS = 3, BATCH = 2, WIDTH = 64, HEADS = 4 };

/* The pair; stride 0: the decoder's own. */
static NetworkConfig pair(NetworkEncoder e, NetworkDecoder d, int32_t stride, NetworkFusion fusion)
{
    NetworkConfig config = network_config_defaults();
    config.encoder = e;
    config.decoder = d;
    config.decoder_width = WIDTH;
    config.decoder_heads = HEADS;
    config.output_stride = stride == 0 ? decoder_def(d)->output_stride : stride;
    config.detail_width = d == NETWORK_DECODER_detail ? 16 : 0;
    config.fusion = fusion;
    config.text_width = 16;
    config.prompt_tokens = 2;
    config.n_bands = BANDS;
    config.n_classes = CLASSES;
    return config;
}

static bool goes_together(NetworkEncoder e, NetworkDecoder d)
{
    const EncoderDef *encoder = encoder_def(e);
    const DecoderDef *decoder = decoder_def(d);
    if (encoder->whole != NULL) return d == NETWORK_DECODER_none;
    return decoder->build != NULL && decoder->reads_maps == (encoder->build != NULL);
}

static int64_t sizes[NETWORK_ENCODER_COUNT]; /* numbers of parameters of the encoders */

static int measure(void **state)
{
    (void)state;
    for (NetworkEncoder e = 0; e < NETWORK_ENCODER_COUNT; e++) {
        const NetworkConfig config = pair(e, encoder_def(e)->decoder, 0, NETWORK_FUSION_NONE);
        ParamSet *params = NULL;
        ASSERT_OK(params_new(&params));
        ASSERT_OK(segmenter_declare(params, &config, false));
        for (int32_t i = 0; i < params_count(params); i++) sizes[e] += shape_count(&params_info(params, i)->shape);
        params_free(params);
    }
    return 0;
}

/* The smallest of its family. */
static bool leads_family(NetworkEncoder e)
{
    for (NetworkEncoder other = 0; other < NETWORK_ENCODER_COUNT; other++) {
        if (encoder_def(other)->build != encoder_def(e)->build) continue;
        if (sizes[other] < sizes[e] || (sizes[other] == sizes[e] && other < e)) return false;
    }
    return encoder_def(e)->whole == NULL;
}

static void tell(const NetworkConfig *config, int64_t side, const char *what)
{
    fail_msg("%s, %s, stride %d, side %lld: %s", network_encoder_names[config->encoder],
             network_decoder_names[config->decoder], (int)config->output_stride, (long long)side, what);
}

/* The graph alone, with its sizes. */
static void build(const NetworkConfig *config, int64_t side, bool training)
{
    ParamSet *params = NULL;
    Graph *g = NULL;
    Segmenter net;
    const NetworkShape shape = segmenter_shape(config, BATCH, side);
    const int64_t rows = side / config->output_stride;
    ASSERT_OK(params_new(&params));
    ASSERT_OK(graph_new(params, training, &g));
    segmenter_build(g, config, &shape, NULL, &net);
    if (graph_finish(g) != ERR_NONE) tell(config, side, err_message());
    const Shape logits = graph_value(g, net.logits).shape, wanted = shape4(BATCH, rows, rows, CLASSES);
    if (!shape_equal(&logits, &wanted)) tell(config, side, "scores have another size");
    const Var full[] = { net.full, net.auxiliary };
    for (int i = 0; i < ARRAY_LEN(full); i++) {
        const Shape whole = shape4(BATCH, side, side, CLASSES);
        if (!var_exists(full[i])) continue;
        const Shape has = graph_value(g, full[i]).shape;
        if (!shape_equal(&has, &whole)) tell(config, side, "training has scores of another size than its labels");
    }
    if (training != var_exists(net.loss)) tell(config, side, "no loss");
    graph_free(g);
    params_free(params);
}

/* One sentence with the side that is wrong. */
static void refuse_side(const NetworkConfig *config, int64_t side)
{
    ParamSet *params = NULL;
    Graph *g = NULL;
    Segmenter net;
    const NetworkShape shape = segmenter_shape(config, BATCH, side);
    ASSERT_OK(params_new(&params));
    ASSERT_OK(graph_new(params, false, &g));
    segmenter_build(g, config, &shape, NULL, &net);
    if (graph_finish(g) != ERR_SHAPE || strstr(err_message(), "must be multiples of") == NULL)
        tell(config, side, "not refused");
    graph_free(g);
    params_free(params);
}

/* BatchNorm of one value has no statistics, but for that of other images. */
static void batch_of_one(const NetworkConfig *config)
{
    ParamSet *params = NULL;
    Graph *g = NULL;
    Segmenter net;
    const NetworkShape shape = segmenter_shape(config, 1, 2 * network_side_multiple(config));
    ASSERT_OK(params_new(&params));
    ASSERT_OK(graph_new(params, true, &g));
    segmenter_build(g, config, &shape, NULL, &net);
    const Err err = graph_finish(g);
    if ((err != ERR_NONE) != decoder_def(config->decoder)->pools_image)
        tell(config, shape.height, err == ERR_NONE ? "trains on one value" : err_message());
    graph_free(g);
    params_free(params);
}

static void fits(NetworkEncoder e, NetworkDecoder d)
{
    static const int32_t strides[] = { 1, 2, 4, 8 };
    const bool maps = encoder_def(e)->build != NULL;
    for (int i = 0; i < ARRAY_LEN(strides); i++) {
        const char digit[] = { (char)('0' + strides[i]), '\0' };
        const NetworkConfig config = pair(e, d, strides[i], NETWORK_FUSION_NONE);
        const int64_t multiple = network_side_multiple(&config);
        if (strstr(decoder_def(d)->strides, digit) == NULL) {
            ASSERT_ERR(network_config_check(&config), ERR_MODEL, "the output stride is ");
            continue;
        }
        if (decoder_def(d)->reads_f2 && !encoder_def(e)->has_f2 && strides[i] < 4) {
            ASSERT_ERR(network_config_check(&config), ERR_MODEL, network_encoder_names[e]);
            assert_non_null(strstr(err_message(), "no map at stride 2"));
            continue;
        }
        ASSERT_OK(network_config_check(&config));
        build(&config, 3 * multiple, false);
        if (encoder_def(e)->whole == NULL && (leads_family(e) || strides[i] == decoder_def(d)->output_stride))
            build(&config, 2 * multiple, true);
        if (multiple > 1) refuse_side(&config, 2 * multiple + 1);
    }
    const NetworkConfig text = pair(e, d, 0, NETWORK_FUSION_CAF);
    if (!maps || !leads_family(e)) return;
    const NetworkConfig free_of_text = pair(e, d, 0, NETWORK_FUSION_NONE);
    batch_of_one(&free_of_text);
    ASSERT_OK(network_config_check(&text));
    build(&text, 2 * network_side_multiple(&text), true);
    build(&text, 2 * network_side_multiple(&text), false);
}

static void every_pair(void **state)
{
    int32_t fitting = 0, misfits = 0;
    (void)state;
    for (NetworkEncoder e = 0; e < NETWORK_ENCODER_COUNT; e++) {
        for (NetworkDecoder d = 0; d < NETWORK_DECODER_COUNT; d++) {
            if (goes_together(e, d)) {
                fits(e, d);
                fitting++;
                continue;
            }
            const NetworkConfig config = pair(e, d, 0, NETWORK_FUSION_NONE);
            ASSERT_ERR(network_config_check(&config), ERR_MODEL, network_encoder_names[e]);
            assert_null(strchr(err_message(), '\n'));
            misfits++;
        }
        NetworkConfig own = pair(e, NETWORK_DECODER_none, 0, NETWORK_FUSION_NONE);
        own.output_stride = 0;
        network_config_resolve(&own);
        if (own.decoder == NETWORK_DECODER_detail) own.detail_width = 16;
        ASSERT_OK(network_config_check(&own)); /* its own choice goes with it */
    }
    print_message("%d pairs, %d refused\n", (int)fitting, (int)misfits);
    assert_true(fitting > misfits && misfits > 0);
}

/* Small values of either sign; norms around 1. Quicker than drawing them. */
static void fill(ParamSet *params)
{
    uint32_t state = 1;
    for (int32_t i = 0; i < params_count(params); i++) {
        const ParamInfo *info = params_info(params, i);
        float *values = params_values(params) + info->offset;
        const int64_t n = shape_count(&info->shape);
        const float middle = info->shape.rank == 1 ? 1.0F : 0.0F;
        const float width = info->shape.rank == 1 ? 0.5F : 3.0F / sqrtf((float)(n / info->shape.dim[0]));
        for (int64_t k = 0; k < n; k++) {
            state = state * 1664525U + 1013904223U;
            values[k] = middle + width * ((float)(state >> 8) / 16777216.0F - 0.5F);
        }
    }
}

static void write_inputs(const Program *program)
{
    const Tensor image = program_tensor(program, "image"), labels = program_tensor(program, "labels");
    float *pixels = image.data;
    for (int64_t i = 0; i < shape_count(&image.shape); i++) pixels[i] = sinf((float)(i * 7 % 1013));
    for (int64_t i = 0; labels.data != NULL && i < shape_count(&labels.shape); i++)
        ((uint8_t *)labels.data)[i] = (uint8_t)(i / 5 % CLASSES);
}

/* A step: each parameter that is trained has a gradient. */
static void train(const NetworkConfig *config, ParamSet *params, const NetworkShape *shape)
{
    const ProgramOptions options = program_options_defaults();
    SegmenterTraining training = segmenter_training_defaults();
    Program *program = NULL;
    training.ignore = 255;
    training.drop_path = 0.0F;
    ASSERT_OK(segmenter_compile(params, config, shape, &training, &options, &program));
    fill(params);
    write_inputs(program);
    ASSERT_OK(program_forward(program, 0));
    ASSERT_OK(program_backward(program, false));
    const Tensor loss = program_tensor(program, "loss");
    if (!isfinite(*(const float *)loss.data)) tell(config, shape->height, "the loss is no number");
    for (int32_t i = 0; i < params_count(params); i++) {
        const ParamInfo *info = params_info(params, i);
        float *values = params_values(params) + info->offset;
        const float *slopes = params_gradients(params) + info->offset;
        bool any = false;
        for (int64_t k = 0; info->trainable && k < shape_count(&info->shape); k++) {
            if (!isfinite(slopes[k])) tell(config, shape->height, info->name);
            any = any || slopes[k] != 0.0F;
            values[k] -= 1e-4F * slopes[k];
        }
        if (info->trainable && !any) tell(config, shape->height, info->name);
    }
    program_free(program);
}

static void predict(const NetworkConfig *config, ParamSet *params, const NetworkShape *shape)
{
    const ProgramOptions options = program_options_defaults();
    Program *program = NULL;
    ASSERT_OK(segmenter_compile(params, config, shape, NULL, &options, &program));
    write_inputs(program);
    ASSERT_OK(program_forward(program, 0));
    const Tensor scores = program_tensor(program, "logits");
    const float *values = scores.data;
    bool differ = false;
    for (int64_t i = 0; i < shape_count(&scores.shape); i++) {
        if (!isfinite(values[i])) tell(config, shape->height, "a score is no number");
        differ = differ || values[i] != values[i % CLASSES];
    }
    if (!differ) tell(config, shape->height, "all pixels have the same scores");
    program_free(program);
}

static void a_step_and_a_map(void **state)
{
    enum { SIDE = 64 };
    (void)state;
    for (NetworkEncoder e = 0; e < NETWORK_ENCODER_COUNT; e++) {
        for (NetworkDecoder d = 0; leads_family(e) && d < NETWORK_DECODER_COUNT; d++) {
            if (!goes_together(e, d)) continue;
            const NetworkConfig config = pair(e, d, 0, NETWORK_FUSION_NONE);
            const NetworkShape shape = segmenter_shape(&config, BATCH, SIDE);
            ParamSet *params = NULL;
            ASSERT_OK(params_new(&params));
            train(&config, params, &shape);
            predict(&config, params, &shape);
            params_free(params);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(every_pair), cmocka_unit_test(a_step_and_a_map) };
    return cmocka_run_group_tests(tests, measure, NULL);
}
