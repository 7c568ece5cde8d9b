/* SPDX-License-Identifier: Apache-2.0
 * ConvNeXt and ConvNeXt V2 at reduced depth against timm (tools/golden/convnext.py), sides that are no multiple of 32. */
#include "network/encoder_convnext.h"

#include "harness/golden_published.h"

static void maps(void **state)
{
    static const ConvnextVariant first = { { 1, 2, 1, 1 }, { 24, 48, 96, 192 }, false };
    static const ConvnextVariant second = { { 1, 2, 1, 1 }, { 24, 48, 96, 192 }, true };
    (void)state;
    golden_published("convnext.safetensors", golden_encoder_maps,
                     &(GoldenEncoder){ &encoder_def_convnext_tiny, &first });
    golden_published("convnextv2.safetensors", golden_encoder_maps,
                     &(GoldenEncoder){ &encoder_def_convnextv2_tiny, &second });
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(maps) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
