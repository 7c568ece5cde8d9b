/* SPDX-License-Identifier: Apache-2.0
 * The whole network. */
#include "network/segmenter.h"

#include "network/network_parts.h"

#include <string.h>

SegmenterTraining segmenter_training_defaults(void)
{
    return (SegmenterTraining){ .smoothing = 0.05F,
                                .dice_smooth = 0.05F,
                                .dropout = 0.1F,
                                .drop_path = -1.0F,
                                .dice_weight = 1.0F,
                                .auxiliary_weight = 0.4F,
                                .ignore = 255 };
}

static FeatureMaps encode(Graph *g, const EncoderDef *encoder, Var image, float drop_path)
{
    FeatureMaps maps = { VAR_NONE, VAR_NONE, VAR_NONE, VAR_NONE, VAR_NONE };
    if (encoder->build == NULL) return maps;
    graph_push(g, "encoder");
    maps = encoder->build(g, image, encoder->variant, drop_path < 0.0F ? (float)encoder->drop_path : drop_path);
    graph_pop(g);
    return maps;
}

NetworkShape segmenter_shape(const NetworkConfig *config, int64_t batch, int64_t side)
{
    const bool text = config->fusion != NETWORK_FUSION_NONE;
    return (NetworkShape){ .batch = batch,
                           .height = side,
                           .width = side,
                           .bands = config->n_bands,
                           .presence = config->missing_bands,
                           .slots = text ? config->zone_slots : 0,
                           .tokens = text ? config->prompt_tokens : 0,
                           .text_width = config->text_width,
                           .null_tokens = config->null_tokens };
}

static Var input(Graph *g, const NetworkShape *shape, NetworkPart part)
{
    return graph_input(g, network_part_name(part), network_part_dtype(part), network_part_shape(shape, part));
}

/* Both levels of the fusion, on the maps at strides 16 and 32. */
static void fuse(Graph *g, const NetworkConfig *config, const NetworkShape *shape, FeatureMaps *maps)
{
    const Var tokens = input(g, shape, NETWORK_TOKENS);
    const Var mask = input(g, shape, NETWORK_TOKEN_MASK);
    const Var share16 = input(g, shape, NETWORK_LOG_SHARE_16);
    const Var share32 = input(g, shape, NETWORK_LOG_SHARE_32);
    const FusionText text = { .memory = fusion_memory(g, tokens, config->null_tokens),
                              .token_mask = mask,
                              .prompt_length = shape->tokens,
                              .width = config->fusion_width,
                              .heads = config->fusion_heads };
    graph_push(g, "fusion.s16");
    maps->f16 = fusion_level(g, maps->f16, &text, share16);
    graph_pop(g);
    graph_push(g, "fusion.s32");
    maps->f32 = fusion_level(g, maps->f32, &text, share32);
    graph_pop(g);
}

/* What cross-entropy compares with. */
typedef struct Targets {
    Var labels, probabilities; /* probabilities VAR_NONE: the labels alone */
} Targets;

static Var cross_entropy(Graph *g, Var logits, const Targets *targets, const CrossEntropyAttr *attr)
{
    if (!var_exists(targets->probabilities)) return op_cross_entropy(g, logits, targets->labels, attr);
    return op_soft_cross_entropy(g, logits, targets->labels, targets->probabilities, attr);
}

/* CE(full) + dice_weight Dice(full) + auxiliary_weight CE(auxiliary); the weights are inputs so that the engine
 * needs no op for a constant. */
static Var total_loss(Graph *g, const NetworkShape *shape, const SegmenterTraining *training, const Segmenter *net)
{
    const CrossEntropyAttr entropy = { .smoothing = training->smoothing, .ignore = training->ignore };
    const DiceAttr dice_attr = { .smooth = training->dice_smooth, .ignore = training->ignore };
    const Targets targets = { .labels = input(g, shape, NETWORK_LABELS),
                              .probabilities =
                                  training->probabilities ? input(g, shape, NETWORK_PROBABILITIES) : VAR_NONE };
    const Var dice_weight = graph_input(g, "dice_weight", DTYPE_F32, shape1(1));
    const Var entropy_loss = cross_entropy(g, net->full, &targets, &entropy);
    const Var dice = op_dice(g, net->full, targets.labels, &dice_attr);
    Var loss = op_add(g, entropy_loss, op_multiply(g, dice, dice_weight));
    graph_output(g, "loss_cross_entropy", entropy_loss);
    graph_output(g, "loss_dice", dice);
    if (var_exists(net->auxiliary)) {
        const Var weight = graph_input(g, "auxiliary_weight", DTYPE_F32, shape1(1));
        const Var auxiliary = cross_entropy(g, net->auxiliary, &targets, &entropy);
        loss = op_add(g, loss, op_multiply(g, auxiliary, weight));
        graph_output(g, "loss_auxiliary", auxiliary);
    }
    graph_output(g, "loss", loss);
    return loss;
}

static bool check_shape(Graph *g, const NetworkConfig *config, const NetworkShape *shape)
{
    if (shape->bands != config->n_bands) {
        graph_fail(g, "images of %lld bands for a model that reads %d", (long long)shape->bands, (int)config->n_bands);
        return false;
    }
    if (shape->presence != config->missing_bands) {
        graph_fail(g, "images %s presence of bands for a model that reads them %s",
                   shape->presence ? "with" : "without", config->missing_bands ? "with it" : "without");
        return false;
    }
    if (config->fusion != NETWORK_FUSION_NONE &&
        (shape->slots < 1 || shape->tokens < 1 || shape->text_width != config->text_width ||
         shape->null_tokens != config->null_tokens)) {
        graph_fail(g,
                   "text of %lld prompts of %lld tokens of %lld features, and %lld of the null prompt, cannot be read",
                   (long long)shape->slots, (long long)shape->tokens, (long long)shape->text_width,
                   (long long)shape->null_tokens);
        return false;
    }
    const int64_t multiple = network_side_multiple(config);
    if (shape->batch < 1 || shape->height < 1 || shape->width < 1 || shape->height % multiple != 0 ||
        shape->width % multiple != 0) {
        graph_fail(g, "the image is [%lld, %lld, %lld]; height and width must be multiples of %lld",
                   (long long)shape->batch, (long long)shape->height, (long long)shape->width, (long long)multiple);
        return false;
    }
    return true;
}

static void build_whole(Graph *g, const NetworkConfig *config, const NetworkShape *shape, Segmenter *ret_segmenter)
{
    if (graph_training(g)) {
        graph_fail(g, "the network %s is for prediction alone", network_encoder_names[config->encoder]);
        return;
    }
    const Var image = input(g, shape, NETWORK_IMAGE);
    graph_push(g, "encoder");
    ret_segmenter->logits = encoder_def(config->encoder)->whole(g, image, config->n_classes);
    graph_pop(g);
    graph_output(g, "logits", ret_segmenter->logits);
}

static void decode(Graph *g, const DecoderDef *decoder, Var image, const FeatureMaps *maps,
                   const DecoderOptions *options, Segmenter *net)
{
    graph_push(g, "decoder");
    const DecoderResult result = decoder->build(g, image, maps, options);
    graph_pop(g);
    net->logits = result.logits;
    net->auxiliary = result.auxiliary;
}

void segmenter_build(Graph *g, const NetworkConfig *config, const NetworkShape *shape,
                     const SegmenterTraining *training, Segmenter *ret_segmenter)
{
    const SegmenterTraining defaults = segmenter_training_defaults();
    if (training == NULL) training = &defaults;
    Segmenter net = { VAR_NONE, VAR_NONE, VAR_NONE, VAR_NONE, VAR_NONE, VAR_NONE, VAR_NONE, VAR_NONE };
    *ret_segmenter = net;
    if (!check_shape(g, config, shape)) return;
    const EncoderDef *encoder = encoder_def(config->encoder);
    if (encoder->whole != NULL) {
        build_whole(g, config, shape, ret_segmenter);
        return;
    }
    if (graph_training(g) && training->probabilities && shape->label_classes != config->n_classes) {
        graph_fail(g, "labels with probabilities of %lld classes for a model of %d", (long long)shape->label_classes,
                   (int)config->n_classes);
        return;
    }
    const Var image = input(g, shape, NETWORK_IMAGE);
    const bool trains = graph_training(g);
    const DecoderOptions options = { .width = config->decoder_width,
                                     .classes = config->n_classes,
                                     .heads = config->decoder_heads,
                                     .output_stride = config->output_stride,
                                     .detail_width = config->detail_width,
                                     .dropout = training->dropout,
                                     .auxiliary = trains && training->auxiliary_weight != 0.0F };
    graph_freeze_statistics(g, training->freeze_encoder);
    FeatureMaps maps = encode(g, encoder, image, training->drop_path);
    graph_freeze_statistics(g, training->freeze_decoder);
    net.f16 = maps.f16;
    net.f32 = maps.f32;
    if (config->fusion == NETWORK_FUSION_CAF) fuse(g, config, shape, &maps);
    net.fused16 = maps.f16;
    net.fused32 = maps.f32;
    decode(g, decoder_def(config->decoder), image, &maps, &options, &net);
    graph_output(g, "logits", net.logits);
    if (trains) {
        net.full = options.output_stride > 1 ? op_resize_bilinear(g, net.logits, options.output_stride) : net.logits;
        net.loss = total_loss(g, shape, training, &net);
    }
    *ret_segmenter = net;
}

Err segmenter_declare(ParamSet *params, const NetworkConfig *config, bool auxiliary)
{
    enum { BATCH = 2, SIDE = 256 }; /* any would do, from two images on */
    const int64_t multiple = network_side_multiple(config);
    const NetworkShape shape = segmenter_shape(config, BATCH, (SIDE + multiple - 1) / multiple * multiple);
    Graph *g = NULL;
    Segmenter net;
    TRY(graph_new(params, auxiliary, &g));
    segmenter_build(g, config, &shape, NULL, &net);
    const Err err = graph_finish(g);
    graph_free(g);
    return err;
}

static void write_scalar(Program *program, const char *name, float value)
{
    const Tensor tensor = program_tensor(program, name);
    if (tensor.data != NULL) *(float *)tensor.data = value;
}

Err segmenter_compile(ParamSet *params, const NetworkConfig *config, const NetworkShape *shape,
                      const SegmenterTraining *training, const ProgramOptions *options, Program **ret_program)
{
    Graph *g = NULL;
    Segmenter net;
    ProgramOptions with_loss = *options;
    TRY(graph_new(params, training != NULL, &g));
    segmenter_build(g, config, shape, training, &net);
    with_loss.loss = training != NULL ? net.loss : VAR_NONE;
    Err err = graph_finish(g);
    if (err == ERR_NONE) err = program_compile(g, params, &with_loss, ret_program);
    graph_free(g);
    if (err == ERR_NONE && training != NULL) {
        write_scalar(*ret_program, "dice_weight", training->dice_weight);
        write_scalar(*ret_program, "auxiliary_weight", training->auxiliary_weight);
    }
    return err;
}

Err segmenter_write(const Program *program, const NetworkInputs *inputs)
{
    for (NetworkPart part = 0; part < NETWORK_PARTS; part++) {
        const Tensor to = program_tensor(program, network_part_name(part));
        const Tensor from = network_inputs_part(inputs, part);
        if (to.data == NULL || (from.data != NULL && shape_equal(&from.shape, &to.shape))) continue;
        char has[80], reads[80];
        return err_set(ERR_SHAPE, "the batch has %s %s; the network reads %s", network_part_name(part),
                       from.data != NULL ? shape_text(&from.shape, has, sizeof has) : "not",
                       shape_text(&to.shape, reads, sizeof reads));
    }
    for (NetworkPart part = 0; part < NETWORK_PARTS; part++) {
        const Tensor to = program_tensor(program, network_part_name(part));
        if (to.data != NULL) memcpy(to.data, network_inputs_part(inputs, part).data, tensor_bytes(&to));
    }
    return ERR_NONE;
}
