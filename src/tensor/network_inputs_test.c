/* SPDX-License-Identifier: Apache-2.0
 * Layout of a batch's buffers and of one image in it. */
#include "tensor/network_inputs.h"

#include "harness/unit.h"

static const NetworkShape shape = { .batch = 3,
                                    .height = 64,
                                    .width = 96,
                                    .bands = 2,
                                    .label_classes = 6,
                                    .slots = 2,
                                    .tokens = 5,
                                    .text_width = 7,
                                    .null_tokens = 4 };

static void sizes_of_all_parts(void **state)
{
    (void)state;
    static const struct {
        NetworkPart part;
        const char *name, *shape;
        size_t bytes;
    } expected[] = {
        { NETWORK_IMAGE, "image", "[3, 64, 96, 2]", 3 * 64 * 96 * 2 * 4 },
        { NETWORK_LABELS, "labels", "[3, 64, 96]", 3 * 64 * 96 },
        { NETWORK_PROBABILITIES, "label_probabilities", "[3, 64, 96, 6]", 3 * 64 * 96 * 6 },
        { NETWORK_TOKENS, "tokens", "[3, 2, 5, 7]", 3 * 2 * 5 * 7 * 4 },
        { NETWORK_TOKEN_MASK, "token_mask", "[3, 14]", 3 * 14 * 4 },
        { NETWORK_LOG_SHARE_16, "log_share_16", "[3, 24, 3]", 3 * 4 * 6 * 3 * 4 },
        { NETWORK_LOG_SHARE_32, "log_share_32", "[3, 6, 3]", 3 * 2 * 3 * 3 * 4 },
    };
    NetworkInputs batch;
    ASSERT_OK(network_inputs_init(&shape, &batch));
    assert_int_equal(ARRAY_LEN(expected), NETWORK_PARTS);
    for (int64_t i = 0; i < ARRAY_LEN(expected); i++) {
        char text[80];
        const Tensor part = network_inputs_part(&batch, expected[i].part);
        assert_string_equal(network_part_name(expected[i].part), expected[i].name);
        assert_string_equal(shape_text(&part.shape, text, sizeof text), expected[i].shape);
        assert_int_equal(tensor_bytes(&part), expected[i].bytes);
        assert_int_equal(part.dtype, network_part_dtype(expected[i].part));
        for (size_t b = 0; b < expected[i].bytes; b++) assert_int_equal(((const uint8_t *)part.data)[b], 0);
    }
    network_inputs_done(&batch);
    assert_null(batch.image);
}

/* The images of a batch follow each other and fill each part to its end. */
static void images_fill_the_batch(void **state)
{
    (void)state;
    NetworkInputs batch;
    ASSERT_OK(network_inputs_init(&shape, &batch));
    for (int64_t i = 0; i < shape.batch; i++) {
        const NetworkInputs image = network_inputs_at(&batch, i);
        assert_int_equal(image.shape.batch, 1);
        for (NetworkPart part = 0; part < NETWORK_PARTS; part++) {
            const Tensor one = network_inputs_part(&image, part);
            memset(one.data, (int)(1 + i), tensor_bytes(&one));
        }
    }
    for (NetworkPart part = 0; part < NETWORK_PARTS; part++) {
        const Tensor all = network_inputs_part(&batch, part);
        const size_t each = tensor_bytes(&all) / (size_t)shape.batch;
        for (size_t b = 0; b < tensor_bytes(&all); b++) assert_int_equal(((const uint8_t *)all.data)[b], 1 + b / each);
    }
    network_inputs_done(&batch);
}

static void no_text_no_buffers(void **state)
{
    (void)state;
    NetworkShape silent = shape;
    NetworkInputs batch;
    silent.tokens = silent.label_classes = 0;
    ASSERT_OK(network_inputs_init(&silent, &batch));
    const NetworkInputs image = network_inputs_at(&batch, 2);
    assert_ptr_equal(image.image, batch.image + (ptrdiff_t)2 * 64 * 96 * 2);
    assert_ptr_equal(image.labels, batch.labels + (ptrdiff_t)2 * 64 * 96);
    for (NetworkPart part = NETWORK_PROBABILITIES; part < NETWORK_PARTS; part++) {
        assert_null(network_inputs_part(&batch, part).data);
        assert_null(network_inputs_part(&image, part).data);
    }
    network_inputs_done(&batch);
}

static void refuses_impossible_sizes(void **state)
{
    (void)state;
    NetworkShape wrong[8];
    for (int64_t i = 0; i < ARRAY_LEN(wrong); i++) wrong[i] = shape;
    wrong[0].batch = 0;
    wrong[1].height = 48; /* no multiple of 32 */
    wrong[2].width = -32;
    wrong[3].bands = 0;
    wrong[4].tokens = -1;
    wrong[5].slots = 0;
    wrong[6].text_width = 0;
    wrong[7].label_classes = -1;
    for (int64_t i = 0; i < ARRAY_LEN(wrong); i++) {
        NetworkInputs batch;
        ASSERT_ERR(network_inputs_init(&wrong[i], &batch), ERR_SHAPE, "multiples of 32");
    }
}

/* Values and presence of the bands of an image, from columns of values in another order. */
static void bands_that_are_there(void **state)
{
    (void)state;
    static const int32_t source[] = { 1, -1, 0 };
    NetworkShape s = { .batch = 1, .height = 32, .width = 32, .bands = 3, .presence = true };
    NetworkInputs image;
    char text[80];
    float values[32 * 32 * 3];
    for (int i = 0; i < ARRAY_LEN(values); i++) values[i] = (float)i;
    ASSERT_OK(network_inputs_init(&s, &image));
    const Tensor part = network_inputs_part(&image, NETWORK_IMAGE);
    assert_string_equal(shape_text(&part.shape, text, sizeof text), "[1, 32, 32, 6]");
    for (int again = 0; again < 2; again++) {
        network_inputs_fill_image(&image, values, 2, source);
        for (int64_t i = 0; i < 32 * 32; i++) {
            const float want[6] = { (float)(2 * i + 1), 0, (float)(2 * i), 1, 0, 1 };
            assert_memory_equal(image.image + 6 * i, want, sizeof want);
        }
        network_inputs_fill_image(&image, values, 3, NULL); /* all of them: 0 becomes 1 and back */
        for (int64_t i = 0; i < 32 * 32; i++) {
            const float want[6] = { (float)(3 * i), (float)(3 * i + 1), (float)(3 * i + 2), 1, 1, 1 };
            assert_memory_equal(image.image + 6 * i, want, sizeof want);
        }
    }
    network_inputs_done(&image);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sizes_of_all_parts),       cmocka_unit_test(images_fill_the_batch),
        cmocka_unit_test(no_text_no_buffers),       cmocka_unit_test(bands_that_are_there),
        cmocka_unit_test(refuses_impossible_sizes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
