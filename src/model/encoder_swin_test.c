/* SPDX-License-Identifier: Apache-2.0
 * Swin Transformer against timm, torchvision and GeoSeg at reduced depth and odd sizes, and GeoSeg's networks that read
 * its maps (tools/golden/swin.py). */
#include "network/decoder.h"
#include "network/encoder_swin.h"

#include "harness/golden_published.h"

#define REDUCED .channels = 16, .depths = { 2, 2, 2, 1 }, .heads = { 1, 2, 2, 4 }, .window = 7

static void check(const char *golden, const SwinVariant *variant)
{
    const GoldenEncoder encoder = { &encoder_def_swin_t, variant };
    golden_published(golden, golden_encoder_maps, &encoder);
}

/* Maps 57 x 65 to 8 x 9: padded and shifted everywhere. */
static void timm(void **state)
{
    (void)state;
    check("encoder_swin_timm.safetensors", &(const SwinVariant){ REDUCED, .kind = SWIN_TIMM });
}

/* Maps 25 x 33 to 4 x 5: some no larger than the window, some along one side alone. */
static void torchvision(void **state)
{
    (void)state;
    check("encoder_swin_torchvision.safetensors", &(const SwinVariant){ REDUCED, .kind = SWIN_TORCHVISION });
}

/* Its window is 8. */
static void v2(void **state)
{
    (void)state;
    SwinVariant variant = { REDUCED, .kind = SWIN_V2 };
    variant.window = 8;
    check("encoder_swin_v2.safetensors", &variant);
}

static void segmentation(void **state)
{
    (void)state;
    check("encoder_swin_segmentation.safetensors", &(const SwinVariant){ REDUCED, .kind = SWIN_SEGMENTATION });
}

/* A whole network of GeoSeg, scores at the size of the image. */
static int32_t build_geoseg(Graph *g, Var image, const void *context, Var ret_outputs[GOLDEN_OUTPUTS])
{
    const DecoderDef *decoder = context;
    const SwinVariant variant = { REDUCED, .kind = SWIN_SEGMENTATION };
    const DecoderOptions options = { .width = 32, .classes = 6, .heads = 16, .output_stride = decoder->output_stride };
    graph_push(g, "encoder");
    const FeatureMaps maps = encoder_def_swin_t.build(g, image, &variant, 0.0F);
    graph_pop(g);
    graph_push(g, "decoder");
    const Var logits = decoder->build(g, image, &maps, &options).logits;
    graph_pop(g);
    ret_outputs[0] = decoder->output_stride == 1 ? logits : op_resize_bilinear(g, logits, decoder->output_stride);
    return 1;
}

/* The shares of weighted sums, and of attention. */
static bool special(const ParamInfo *info, float *values)
{
    if (!str_ends_with(info->name, ".weights") && !str_ends_with(info->name, ".gamma")) return false;
    golden_normals(info->name, 1.0, 0.2, values, shape_count(&info->shape));
    return true;
}

static void ft_unetformer(void **state)
{
    (void)state;
    golden_published_special("ft_unetformer.safetensors", build_geoseg, &decoder_def_ft_unetformer, special, true);
}

static void dcswin(void **state)
{
    (void)state;
    golden_published_special("dcswin.safetensors", build_geoseg, &decoder_def_dcswin, special, true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(timm),         cmocka_unit_test(torchvision),   cmocka_unit_test(v2),
        cmocka_unit_test(segmentation), cmocka_unit_test(ft_unetformer), cmocka_unit_test(dcswin)
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
