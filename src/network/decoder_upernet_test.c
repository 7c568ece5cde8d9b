/* SPDX-License-Identifier: Apache-2.0
 * Both forms of UPerNet behind a small ConvNeXt V2 against segmentation_models_pytorch (tools/golden/convnext.py): scores at
 * stride 4 and at the image's size. BatchNorm uses its stored statistics, as one pooled value has none. */
#include "network/decoder.h"
#include "network/encoder_convnext.h"

#include "harness/golden_published.h"

static int32_t build(Graph *g, Var image, const void *context, Var ret_outputs[GOLDEN_OUTPUTS])
{
    static const ConvnextVariant variant = { { 1, 1, 1, 1 }, { 16, 32, 64, 128 }, true };
    const DecoderDef *def = context;
    graph_freeze_statistics(g, true);
    graph_push(g, "encoder");
    const FeatureMaps maps = encoder_def_convnextv2_tiny.build(g, image, &variant, 0.0F);
    graph_pop(g);
    for (int32_t i = 0; i < 2; i++) {
        const DecoderOptions options = { .width = 32, .classes = 5, .output_stride = i == 0 ? 4 : 1 };
        graph_push(g, "decoder");
        ret_outputs[i] = def->build(g, image, &maps, &options).logits;
        graph_pop(g);
    }
    return 2;
}

static void scores(void **state)
{
    (void)state;
    golden_published("upernet.safetensors", build, &decoder_def_upernet);
    golden_published("upernet_smp04.safetensors", build, &decoder_def_upernet_smp04);
}

/* With the auxiliary head of transformers, whose scores have the image's size. */
static int32_t build_auxiliary(Graph *g, Var image, const void *context, Var ret_outputs[GOLDEN_OUTPUTS])
{
    static const ConvnextVariant variant = { { 1, 1, 1, 1 }, { 16, 32, 64, 128 }, false };
    const DecoderOptions options = { .width = 32, .classes = 5, .output_stride = 4, .auxiliary = true };
    (void)context;
    graph_freeze_statistics(g, true);
    graph_push(g, "encoder");
    const FeatureMaps maps = encoder_def_convnext_tiny.build(g, image, &variant, 0.0F);
    graph_pop(g);
    graph_push(g, "decoder");
    const DecoderResult result = decoder_def_upernet.build(g, image, &maps, &options);
    graph_pop(g);
    ret_outputs[0] = result.logits;
    ret_outputs[1] = result.auxiliary;
    return 2;
}

static void auxiliary(void **state)
{
    (void)state;
    golden_published("upernet_auxiliary.safetensors", build_auxiliary, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(scores), cmocka_unit_test(auxiliary) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
