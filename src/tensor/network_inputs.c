/* SPDX-License-Identifier: Apache-2.0
 * The buffers of a batch; the layout of each part stands in network_part_shape alone. */
#include "tensor/network_inputs.h"

#include <stdlib.h>

enum { COARSEST_STRIDE = 32 };

/* What a part needs to be there. */
typedef enum Condition { ALWAYS = 0, WITH_TEXT, WITH_PROBABILITIES } Condition;

static const struct {
    const char *name;
    Dtype dtype;
    Condition condition;
} parts[NETWORK_PARTS] = {
    [NETWORK_IMAGE] = { "image", DTYPE_F32, ALWAYS },
    [NETWORK_LABELS] = { "labels", DTYPE_U8, ALWAYS },
    [NETWORK_PROBABILITIES] = { "label_probabilities", DTYPE_U8, WITH_PROBABILITIES },
    [NETWORK_TOKENS] = { "tokens", DTYPE_F32, WITH_TEXT },
    [NETWORK_TOKEN_MASK] = { "token_mask", DTYPE_F32, WITH_TEXT },
    [NETWORK_LOG_SHARE_16] = { "log_share_16", DTYPE_F32, WITH_TEXT },
    [NETWORK_LOG_SHARE_32] = { "log_share_32", DTYPE_F32, WITH_TEXT },
};

const char *network_part_name(NetworkPart part) { return parts[part].name; }
Dtype network_part_dtype(NetworkPart part) { return parts[part].dtype; }

static Shape share_shape(const NetworkShape *s, int64_t stride)
{
    return (Shape){ 3, { s->batch, s->height / stride * (s->width / stride), s->slots + 1 } };
}

Shape network_part_shape(const NetworkShape *s, NetworkPart part)
{
    switch (part) {
    case NETWORK_IMAGE:
        return (Shape){ 4, { s->batch, s->height, s->width, s->presence ? 2 * s->bands : s->bands } };
    case NETWORK_LABELS:
        return (Shape){ 3, { s->batch, s->height, s->width } };
    case NETWORK_PROBABILITIES:
        return (Shape){ 4, { s->batch, s->height, s->width, s->label_classes } };
    case NETWORK_TOKENS:
        return (Shape){ 4, { s->batch, s->slots, s->tokens, s->text_width } };
    case NETWORK_TOKEN_MASK:
        return (Shape){ 2, { s->batch, s->slots * s->tokens + s->null_tokens } };
    case NETWORK_LOG_SHARE_16:
        return share_shape(s, 16);
    case NETWORK_LOG_SHARE_32:
        return share_shape(s, 32);
    default:
        ASSERT(part < NETWORK_PARTS);
        return (Shape){ 0 };
    }
}

static void *data_of(const NetworkInputs *inputs, NetworkPart part)
{
    switch (part) {
    case NETWORK_IMAGE:
        return inputs->image;
    case NETWORK_LABELS:
        return inputs->labels;
    case NETWORK_PROBABILITIES:
        return inputs->label_probabilities;
    case NETWORK_TOKENS:
        return inputs->tokens;
    case NETWORK_TOKEN_MASK:
        return inputs->token_mask;
    case NETWORK_LOG_SHARE_16:
        return inputs->log_share_16;
    case NETWORK_LOG_SHARE_32:
        return inputs->log_share_32;
    default:
        ASSERT(part < NETWORK_PARTS);
        return NULL;
    }
}

static void set_data(NetworkInputs *inputs, NetworkPart part, void *data)
{
    switch (part) {
    case NETWORK_IMAGE:
        inputs->image = data;
        break;
    case NETWORK_LABELS:
        inputs->labels = data;
        break;
    case NETWORK_PROBABILITIES:
        inputs->label_probabilities = data;
        break;
    case NETWORK_TOKENS:
        inputs->tokens = data;
        break;
    case NETWORK_TOKEN_MASK:
        inputs->token_mask = data;
        break;
    case NETWORK_LOG_SHARE_16:
        inputs->log_share_16 = data;
        break;
    case NETWORK_LOG_SHARE_32:
        inputs->log_share_32 = data;
        break;
    default:
        ASSERT(part < NETWORK_PARTS);
    }
}

Tensor network_inputs_part(const NetworkInputs *inputs, NetworkPart part)
{
    return (Tensor){ .dtype = parts[part].dtype,
                     .shape = network_part_shape(&inputs->shape, part),
                     .data = data_of(inputs, part) };
}

static bool is_there(const NetworkShape *s, NetworkPart part)
{
    switch (parts[part].condition) {
    case WITH_TEXT:
        return s->tokens > 0;
    case WITH_PROBABILITIES:
        return s->label_classes > 0;
    default:
        return true;
    }
}

static Err check_shape(const NetworkShape *s)
{
    const bool good = s->batch > 0 && s->height > 0 && s->width > 0 && s->height % COARSEST_STRIDE == 0 &&
                      s->width % COARSEST_STRIDE == 0 && s->bands > 0 && s->tokens >= 0 && s->label_classes >= 0;
    if (good && (s->tokens == 0 || (s->slots > 0 && s->text_width > 0 && s->null_tokens > 0))) return ERR_NONE;
    return err_set(ERR_SHAPE,
                   "inputs of %lld images of %lld x %lld pixels with %lld bands and %lld x %lld tokens cannot be; "
                   "sides must be multiples of %d",
                   (long long)s->batch, (long long)s->height, (long long)s->width, (long long)s->bands,
                   (long long)s->slots, (long long)s->tokens, (int)COARSEST_STRIDE);
}

Err network_inputs_init(const NetworkShape *shape, NetworkInputs *ret_inputs)
{
    TRY(check_shape(shape));
    NetworkInputs inputs = { .shape = *shape };
    for (NetworkPart part = 0; part < NETWORK_PARTS; part++) {
        if (!is_there(shape, part)) continue;
        const Tensor tensor = network_inputs_part(&inputs, part);
        void *data = calloc(1, tensor_bytes(&tensor));
        if (data == NULL) {
            network_inputs_done(&inputs);
            return err_memory(tensor_bytes(&tensor), "a batch of images");
        }
        set_data(&inputs, part, data);
    }
    *ret_inputs = inputs;
    return ERR_NONE;
}

void network_inputs_done(NetworkInputs *inputs)
{
    for (NetworkPart part = 0; part < NETWORK_PARTS; part++) free(data_of(inputs, part));
    *inputs = (NetworkInputs){ 0 };
}

NetworkInputs network_inputs_at(const NetworkInputs *inputs, int64_t i)
{
    ASSERT(i >= 0 && i < inputs->shape.batch);
    NetworkInputs one = { .shape = inputs->shape };
    one.shape.batch = 1;
    for (NetworkPart part = 0; part < NETWORK_PARTS; part++) {
        uint8_t *data = data_of(inputs, part);
        const Tensor image = network_inputs_part(&one, part);
        if (data != NULL) set_data(&one, part, data + (size_t)i * tensor_bytes(&image));
    }
    return one;
}

void network_inputs_fill_image(const NetworkInputs *image, const float *values, int64_t n, const int32_t *source)
{
    const NetworkShape *s = &image->shape;
    const int64_t pixels = s->height * s->width, channels = s->presence ? 2 * s->bands : s->bands;
    ASSERT(s->batch == 1 && (source != NULL || n == s->bands));
    for (int64_t b = 0; b < s->bands; b++) {
        const int64_t column = source != NULL ? source[b] : b;
        float *to = image->image + b;
        ASSERT(column < n && (column >= 0 || s->presence));
        for (int64_t i = 0; i < pixels; i++) to[i * channels] = column >= 0 ? values[i * n + column] : 0.0F;
        for (int64_t i = 0; s->presence && i < pixels; i++) to[i * channels + s->bands] = column >= 0 ? 1.0F : 0.0F;
    }
}
