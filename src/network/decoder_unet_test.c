/* SPDX-License-Identifier: Apache-2.0
 * U-Net behind a small ResNet against segmentation_models_pytorch (tools/golden/unet.py). */
#include "network/decoder.h"
#include "network/encoder_resnet.h"

#include "harness/golden_published.h"

static int32_t build(Graph *g, Var image, const void *context, Var ret_outputs[GOLDEN_OUTPUTS])
{
    static const ResnetVariant variant = { { 1, 1, 1, 1 }, false };
    const DecoderOptions options = { .width = 64, .classes = 5, .output_stride = 1 };
    (void)context;
    graph_push(g, "encoder");
    const FeatureMaps maps = encoder_def_resnet18.build(g, image, &variant, 0.0F);
    graph_pop(g);
    graph_push(g, "decoder");
    ret_outputs[0] = decoder_def_unet.build(g, image, &maps, &options).logits;
    graph_pop(g);
    return 1;
}

static void scores(void **state)
{
    (void)state;
    golden_published("unet.safetensors", build, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(scores) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
