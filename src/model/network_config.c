/* SPDX-License-Identifier: Apache-2.0
 * Words, defaults and limits of a network's configuration. */
#include "model/network_config.h"

const char *const network_encoder_names[NETWORK_ENCODER_COUNT] = { "efficientnet_lite0", "none", "dynamic_world" };
const char *const network_fusion_names[NETWORK_FUSION_COUNT] = { "caf", "none" };

NetworkConfig network_config_defaults(void)
{
    return (NetworkConfig){ .decoder_width = 64, .decoder_heads = 8, .output_stride = 4 };
}

Err network_config_check(const NetworkConfig *config)
{
    enum { WIDTH_MIN = 16, WIDTH_MAX = 1024, WIDTH_STEP = 16, HEADS_MAX = 64, DETAIL_MAX = 256 };
    const int32_t width = config->decoder_width, heads = config->decoder_heads;
    if (heads < 1 || heads > HEADS_MAX)
        return err_set(ERR_MODEL, "the decoder's number of heads is %d; 1 to %d was expected", (int)heads,
                       (int)HEADS_MAX);
    if (width < WIDTH_MIN || width > WIDTH_MAX || width % WIDTH_STEP != 0 || width % heads != 0)
        return err_set(ERR_MODEL,
                       "the decoder's width is %d; a multiple of %d and of its %d heads from %d to %d was expected",
                       (int)width, (int)WIDTH_STEP, (int)heads, (int)WIDTH_MIN, (int)WIDTH_MAX);
    const int32_t stride = config->output_stride;
    if (stride != 4 && stride != 2 && stride != 1)
        return err_set(ERR_MODEL, "the output stride is %d; 4, 2 or 1 was expected", (int)stride);
    const int32_t detail = config->detail_width;
    if (detail != 0 && (detail < WIDTH_MIN || detail > DETAIL_MAX || detail % WIDTH_STEP != 0 || stride != 2))
        return err_set(ERR_MODEL,
                       "the width of the detail branch is %d at output stride %d; 0, or a multiple of %d up to %d at "
                       "output stride 2 was expected",
                       (int)detail, (int)stride, (int)WIDTH_STEP, (int)DETAIL_MAX);
    if (config->encoder == NETWORK_ENCODER_NONE && (config->fusion != NETWORK_FUSION_NONE || detail == 0))
        return err_set(ERR_MODEL, "a network without an encoder has fusion none and a detail branch");
    if (config->encoder == NETWORK_DYNAMIC_WORLD &&
        (config->fusion != NETWORK_FUSION_NONE || stride != 1 || config->missing_bands))
        return err_set(ERR_MODEL, "the network dynamic_world has fusion none, output stride 1 and all its bands");
    return ERR_NONE;
}
