/* SPDX-License-Identifier: Apache-2.0
 * ResNet against timm's and torchvision's, with one block a stage (tools/golden/resnet.py). */
#include "network/encoder_resnet.h"

#include "harness/golden_published.h"

static void basic_blocks(void **state)
{
    static const ResnetVariant variant = { { 1, 1, 1, 1 }, false };
    const GoldenEncoder e = { &encoder_def_resnet18, &variant };
    (void)state;
    golden_published("encoder_resnet_basic.safetensors", golden_encoder_maps, &e);
}

static void bottlenecks(void **state)
{
    static const ResnetVariant variant = { { 1, 1, 1, 1 }, true };
    const GoldenEncoder e = { &encoder_def_resnet50, &variant };
    (void)state;
    golden_published("encoder_resnet_bottleneck.safetensors", golden_encoder_maps, &e);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(basic_blocks), cmocka_unit_test(bottlenecks) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
