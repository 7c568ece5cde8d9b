/* SPDX-License-Identifier: Apache-2.0
 * Swin Transformer against timm, torchvision and GeoSeg at reduced depth and odd sizes (tools/golden/swin.py). */
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

static void segmentation(void **state)
{
    (void)state;
    check("encoder_swin_segmentation.safetensors", &(const SwinVariant){ REDUCED, .kind = SWIN_SEGMENTATION });
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(timm), cmocka_unit_test(torchvision),
                                        cmocka_unit_test(segmentation) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
