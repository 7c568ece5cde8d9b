/* SPDX-License-Identifier: Apache-2.0
 * UNetFormer behind a small ConvNeXt V2 against GeoSeg (tools/golden/unetformer.py), where maps are no multiples of the windows. */
#include "network/decoder.h"
#include "network/encoder_convnext.h"

#include "harness/golden_published.h"

static int32_t build(Graph *g, Var image, const void *context, Var ret_outputs[GOLDEN_OUTPUTS])
{
    static const ConvnextVariant variant = { { 1, 1, 1, 1 }, { 16, 32, 64, 128 }, true };
    const DecoderOptions options = { .width = 24, .heads = 8, .classes = 5, .output_stride = 4 };
    (void)context;
    graph_push(g, "encoder");
    const FeatureMaps maps = encoder_def_convnextv2_tiny.build(g, image, &variant, 0.0F);
    graph_pop(g);
    graph_push(g, "decoder");
    ret_outputs[0] = decoder_def_unetformer.build(g, image, &maps, &options).logits;
    graph_pop(g);
    return 1;
}

/* The shares of weighted sums. */
static bool special(const ParamInfo *info, float *values)
{
    if (!str_ends_with(info->name, ".weights")) return false;
    golden_normals(info->name, 1.0, 0.2, values, shape_count(&info->shape));
    return true;
}

static void scores(void **state)
{
    (void)state;
    golden_published_special("unetformer.safetensors", build, NULL, special, true);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(scores) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
