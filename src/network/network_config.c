/* SPDX-License-Identifier: Apache-2.0
 * Words, defaults and limits of a network's configuration. */
#include "network/network_config.h"

#include "network/decoder.h"

#include <string.h>

#define ENCODER(name, title) #name,
const char *const network_encoder_names[NETWORK_ENCODER_COUNT] = {
#include "network/encoders.def"
};
#undef ENCODER
#define ENCODER(name, title) title,
const char *const network_encoder_titles[NETWORK_ENCODER_COUNT] = {
#include "network/encoders.def"
};
#undef ENCODER
#define DECODER(name, title) #name,
const char *const network_decoder_names[NETWORK_DECODER_COUNT] = {
#include "network/decoders.def"
};
#undef DECODER
#define DECODER(name, title) title,
const char *const network_decoder_titles[NETWORK_DECODER_COUNT] = {
#include "network/decoders.def"
};
#undef DECODER
#define TEXT_ENCODER(name, title) #name,
const char *const network_text_encoder_names[NETWORK_TEXT_ENCODER_COUNT] = {
#include "network/text_encoders.def"
};
#undef TEXT_ENCODER
#define TEXT_ENCODER(name, title) title,
const char *const network_text_encoder_titles[NETWORK_TEXT_ENCODER_COUNT] = {
#include "network/text_encoders.def"
};
#undef TEXT_ENCODER
const char *const network_fusion_names[NETWORK_FUSION_COUNT] = { "caf", "none" };

const EncoderDef *encoder_def(NetworkEncoder encoder)
{
    static const EncoderDef *const all[NETWORK_ENCODER_COUNT] = {
#define ENCODER(name, title) &encoder_def_##name,
#include "network/encoders.def"
#undef ENCODER
    };
    return all[encoder];
}

const DecoderDef *decoder_def(NetworkDecoder decoder)
{
    static const DecoderDef *const all[NETWORK_DECODER_COUNT] = {
#define DECODER(name, title) &decoder_def_##name,
#include "network/decoders.def"
#undef DECODER
    };
    return all[decoder];
}

/* The two members of the lists that are nothing. */
const EncoderDef encoder_def_none = { .decoder = NETWORK_DECODER_detail, .size_multiple = 1 };
const DecoderDef decoder_def_none = { .size_multiple = 1, .output_stride = 1, .strides = "1" };

NetworkConfig network_config_defaults(void)
{
    return (NetworkConfig){ .decoder = NETWORK_DECODER_unetformer,
                            .decoder_width = 64,
                            .decoder_heads = 8,
                            .output_stride = 4,
                            .prompt_tokens = 64,
                            .text_width = 384,
                            .zone_slots = 4,
                            .null_tokens = 4,
                            .fusion_width = 256,
                            .fusion_heads = 8 };
}

void network_config_resolve(NetworkConfig *config)
{
    if (config->decoder == NETWORK_DECODER_none) config->decoder = encoder_def(config->encoder)->decoder;
    if (config->output_stride == 0) config->output_stride = decoder_def(config->decoder)->output_stride;
}

static Err check_range(const char *what, int32_t value, int32_t minimum, int32_t maximum, int32_t multiple)
{
    if (value >= minimum && value <= maximum && value % multiple == 0) return ERR_NONE;
    return err_set(ERR_MODEL, "%s is %d; %d to %d in steps of %d was expected", what, (int)value, (int)minimum,
                   (int)maximum, (int)multiple);
}

static Err check_width(int32_t width, int32_t heads)
{
    enum { WIDTH_MIN = 16, WIDTH_MAX = 1024, WIDTH_STEP = 16, HEADS_MAX = 64 };
    if (heads < 1 || heads > HEADS_MAX)
        return err_set(ERR_MODEL, "the decoder's number of heads is %d; 1 to %d was expected", (int)heads,
                       (int)HEADS_MAX);
    if (width < WIDTH_MIN || width > WIDTH_MAX || width % WIDTH_STEP != 0 || width % heads != 0)
        return err_set(ERR_MODEL,
                       "the decoder's width is %d; a multiple of %d and of its %d heads from %d to %d was expected",
                       (int)width, (int)WIDTH_STEP, (int)heads, (int)WIDTH_MIN, (int)WIDTH_MAX);
    return ERR_NONE;
}

/* Encoder and decoder against each other. */
static Err check_pair(const NetworkConfig *config)
{
    const EncoderDef *encoder = encoder_def(config->encoder);
    const DecoderDef *decoder = decoder_def(config->decoder);
    const char *encoder_name = network_encoder_names[config->encoder];
    const char *decoder_name = network_decoder_names[config->decoder];
    if (encoder->whole != NULL && (config->decoder != NETWORK_DECODER_none || config->missing_bands))
        return err_set(ERR_MODEL, "the network %s has no decoder and all its bands", encoder_name);
    if (encoder->whole == NULL && (decoder->build == NULL || decoder->reads_maps != (encoder->build != NULL)))
        return err_set(ERR_MODEL, "the encoder %s does not go with the decoder %s; %s was expected", encoder_name,
                       decoder_name, network_decoder_names[encoder->decoder]);
    if (encoder->build == NULL && config->fusion != NETWORK_FUSION_NONE)
        return err_set(ERR_MODEL, "a network without an encoder has fusion none");
    const int32_t stride = config->output_stride;
    const char digit[] = { (char)('0' + (stride > 0 && stride < 10 ? stride : 0)), '\0' };
    if (strstr(decoder->strides, digit) == NULL)
        return err_set(ERR_MODEL, "the output stride is %d; the decoder %s has %s", (int)stride, decoder_name,
                       decoder->strides);
    if (decoder->reads_f2 && !encoder->has_f2 && config->detail_width == 0 && stride < 4)
        return err_set(
            ERR_MODEL,
            "the output stride is %d; the decoder %s behind the encoder %s, which has no map at stride 2, has "
            "4, or 2 with a detail branch",
            (int)stride, decoder_name, encoder_name);
    return ERR_NONE;
}

static Err check_detail(const NetworkConfig *config)
{
    enum { DETAIL_STEP = 16, DETAIL_MAX = 256 };
    const int32_t detail = config->detail_width;
    const bool other = config->decoder != NETWORK_DECODER_unetformer && config->decoder != NETWORK_DECODER_detail;
    if (config->decoder == NETWORK_DECODER_detail && detail == 0)
        return err_set(ERR_MODEL, "a network without an encoder has a detail branch; its width is 0");
    if (detail == 0) return ERR_NONE;
    if (detail < DETAIL_STEP || detail > DETAIL_MAX || detail % DETAIL_STEP != 0 || config->output_stride != 2 || other)
        return err_set(
            ERR_MODEL,
            "the width of the detail branch is %d at output stride %d of the decoder %s; 0, or a multiple of %d "
            "up to %d at output stride 2 of unetformer was expected",
            (int)detail, (int)config->output_stride, network_decoder_names[config->decoder], (int)DETAIL_STEP,
            (int)DETAIL_MAX);
    return ERR_NONE;
}

static Err check_text(const NetworkConfig *config)
{
    enum { TOKENS_MAX = 128, WIDTH_MAX = 4096, SLOTS_MAX = 16, HEADS_MAX = 64 };
    TRY(check_range("the number of prompt tokens", config->prompt_tokens, 1, TOKENS_MAX, 1));
    TRY(check_range("the width of text", config->text_width, 8, WIDTH_MAX, 8));
    TRY(check_range("the number of prompts of an image", config->zone_slots, 1, SLOTS_MAX, 1));
    TRY(check_range("the number of null tokens", config->null_tokens, 1, TOKENS_MAX, 1));
    TRY(check_range("the fusion's number of heads", config->fusion_heads, 1, HEADS_MAX, 1));
    return check_range("the fusion's width", config->fusion_width, config->fusion_heads, WIDTH_MAX,
                       config->fusion_heads);
}

Err network_config_check(const NetworkConfig *config)
{
    TRY(check_width(config->decoder_width, config->decoder_heads));
    TRY(check_pair(config));
    TRY(check_detail(config));
    return check_text(config);
}

static int64_t least_multiple(int64_t a, int64_t b)
{
    const int64_t product = a * b;
    while (b != 0) {
        const int64_t rest = a % b;
        a = b;
        b = rest;
    }
    return product / a;
}

int64_t network_side_multiple(const NetworkConfig *config)
{
    enum { FUSION_MULTIPLE = 32 }; /* shares of zones at strides 16 and 32 */
    const int64_t a = encoder_def(config->encoder)->size_multiple;
    int64_t b = decoder_def(config->decoder)->size_multiple;
    if (config->fusion != NETWORK_FUSION_NONE) b = least_multiple(b, FUSION_MULTIPLE);
    return least_multiple(a, b);
}
