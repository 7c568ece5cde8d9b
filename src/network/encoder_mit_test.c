/* SPDX-License-Identifier: Apache-2.0
 * The Mix Transformer at reduced depth against transformers (tools/golden/segformer.py), sides that are no multiple of 32, and the head
 * of SegFormer behind it. */
#include "network/decoder.h"
#include "network/encoder_mit.h"

#include "harness/golden_published.h"

static const MitVariant small = { { 1, 2, 1, 1 }, { 16, 32, 40, 64 } };

static void maps(void **state)
{
    (void)state;
    golden_published("mit.safetensors", golden_encoder_maps, &(GoldenEncoder){ &encoder_def_mit_b0, &small });
}

static int32_t build(Graph *g, Var image, const void *context, Var ret_outputs[GOLDEN_OUTPUTS])
{
    const DecoderOptions options = { .width = 32, .classes = 5, .output_stride = 4 };
    (void)context;
    graph_push(g, "encoder");
    const FeatureMaps features = encoder_def_mit_b0.build(g, image, &small, 0.0F);
    graph_pop(g);
    graph_push(g, "decoder");
    ret_outputs[0] = decoder_def_segformer.build(g, image, &features, &options).logits;
    graph_pop(g);
    return 1;
}

static void scores(void **state)
{
    (void)state;
    golden_published("segformer.safetensors", build, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(maps), cmocka_unit_test(scores) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
