/* SPDX-License-Identifier: Apache-2.0
 * Plain vision transformers against timm's (tools/golden/vit.py), at reduced depth and width, with other maps than their
 * positions are for. */
#include "network/encoder_vit.h"

#include "network/encoder.h"

#include "harness/golden_published.h"

#define REDUCED .width = 32, .depth = 2, .heads = 2, .pyramid = 16
static const VitVariant dinov2_variant = { REDUCED, .patch = 14, .positions = 5, .class_position = true, .eps = 1e-6F };
static const VitVariant dinov2_reg4_variant = { REDUCED, .patch = 14, .positions = 5, .registers = 4, .eps = 1e-6F };
static const VitVariant dinov3_variant = { REDUCED, .patch = 16, .registers = 4, .eps = 1e-5F };

static void dinov2(void **state)
{
    (void)state;
    const GoldenEncoder encoder = { &encoder_def_vit_small_patch14_dinov2, &dinov2_variant };
    golden_published("encoder_vit_dinov2.safetensors", golden_encoder_maps, &encoder);
}

static void dinov2_reg4(void **state)
{
    (void)state;
    const GoldenEncoder encoder = { &encoder_def_vit_small_patch14_reg4_dinov2, &dinov2_reg4_variant };
    golden_published("encoder_vit_dinov2_reg4.safetensors", golden_encoder_maps, &encoder);
}

static void dinov3(void **state)
{
    (void)state;
    const GoldenEncoder encoder = { &encoder_def_vit_small_patch16_dinov3, &dinov3_variant };
    golden_published("encoder_vit_dinov3.safetensors", golden_encoder_maps, &encoder);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(dinov2), cmocka_unit_test(dinov2_reg4),
                                        cmocka_unit_test(dinov3) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
