/* SPDX-License-Identifier: Apache-2.0
 * Noise and pictures of bytes. */
#include "data/augment.h"

#include "harness/unit.h"

#include <math.h>

enum { PIXELS = 5000, BANDS = 4 };

static float values[PIXELS * BANDS], before[PIXELS * BANDS];
static uint8_t valid[PIXELS];
static const ImageBand made_for[BANDS] = { { .scale = 1, .mean = 1000, .std = 500 },
                                           { .scale = 1, .mean = 900, .std = 400 },
                                           { .scale = 1, .mean = 800, .std = 600 },
                                           { .scale = 1, .mean = 2500, .std = 900 } };
static const bool colours[BANDS] = { true, true, true, false };
static const double byte_scale = 13.7;

/* A ramp of reflectances from 0 to 5000 in each band; every seventh pixel is invalid. */
static void fill(void)
{
    for (int64_t i = 0; i < PIXELS; i++) {
        valid[i] = i % 7 != 0;
        for (int64_t b = 0; b < BANDS; b++)
            values[i * BANDS + b] = valid[i] ? (float)(((double)i - made_for[b].mean) / made_for[b].std) : 0.0F;
    }
    memcpy(before, values, sizeof values);
}

static void noise(void **state)
{
    (void)state;
    double largest = 0.0;
    for (uint64_t step = 0; step < 30; step++) {
        fill();
        augment_noise(values, valid, PIXELS, BANDS, 0.2, 1, step, 3);
        double sum = 0.0, squares = 0.0, n = 0.0, product = 0.0;
        for (int64_t i = 0; i < PIXELS * BANDS; i++) {
            const double d = (double)values[i] - (double)before[i];
            if (valid[i / BANDS] == 0) assert_true(values[i] == 0.0F);
            if (valid[i / BANDS] == 0) continue;
            sum += d;
            squares += d * d;
            n += 1.0;
            if (i > 0) product += d * ((double)values[i - 1] - (double)before[i - 1]);
        }
        const double deviation = sqrt(squares / n);
        assert_true(fabs(sum / n) < 0.05 * deviation && fabs(product / n) < 0.05 * deviation * deviation);
        assert_true(deviation <= 0.2 * 1.03);
        largest = fmax(largest, deviation);
    }
    assert_true(largest > 0.15);
    fill();
    augment_noise(values, valid, PIXELS, BANDS, 0.0, 1, 0, 3);
    assert_memory_equal(values, before, sizeof values);
}

static double unit(int64_t i, int64_t b) { return (double)values[i * BANDS + b] * made_for[b].std + made_for[b].mean; }

static void plain_picture(void **state)
{
    (void)state;
    const Picture picture = { .there = colours, .bands = made_for, .byte_scale = byte_scale, .plain = true };
    fill();
    augment_picture(&picture, values, valid, PIXELS, BANDS, 1, 2, 3);
    for (int64_t i = 0; i < PIXELS; i++) {
        for (int64_t b = 0; b < BANDS; b++) {
            if (valid[i] == 0 || !colours[b]) {
                assert_true(values[i * BANDS + b] == before[i * BANDS + b]);
                continue;
            }
            const double byte = fmin(255.0, round((double)i / byte_scale));
            /* the value of a byte; one that lies between two may go to either */
            assert_true(fabs(unit(i, b) - byte_scale * byte) < 0.02 ||
                        fabs(fabs((double)i / byte_scale - floor((double)i / byte_scale)) - 0.5) < 1e-3);
        }
    }
}

/* With a transform of the pixels the bytes are still those of the pixels themselves. */
static void transformed_picture(void **state)
{
    (void)state;
    for (ModelTransform t = MODEL_TRANSFORM_LOG; t < MODEL_TRANSFORM_COUNT; t++) {
        ImageBand bands[BANDS];
        for (int64_t b = 0; b < BANDS; b++)
            bands[b] = (ImageBand){ .scale = 1.0, .mean = 2.0, .std = 1.0 + 0.2 * (double)b, .transform = t };
        const Picture picture = { .there = colours, .bands = bands, .byte_scale = byte_scale, .plain = true };
        fill();
        for (int64_t i = 0; i < PIXELS; i++)
            for (int64_t b = 0; b < BANDS; b++) values[i * BANDS + b] = (float)i;
        image_normalise(bands, BANDS, PIXELS, valid, values);
        augment_picture(&picture, values, valid, PIXELS, BANDS, 1, 2, 3);
        for (int64_t i = 0; i < PIXELS; i++) {
            const double byte = fmin(255.0, (double)i / byte_scale);
            const double value = image_denormalised(&bands[0], (double)values[i * BANDS]) / byte_scale;
            if (valid[i] == 0) continue;
            assert_true(fabs(value - byte) < 0.51 && fabs(value - round(value)) < 0.01);
        }
    }
}

/* Drawn pictures: of 256 values, in the order of what they are made of, dark and bright, never all the same. */
static void drawn_pictures(void **state)
{
    (void)state;
    const Picture picture = { .there = colours, .bands = made_for, .byte_scale = byte_scale };
    int64_t different = 0, bent = 0;
    float first[PIXELS * BANDS];
    for (uint64_t step = 0; step < 60; step++) {
        fill();
        augment_picture(&picture, values, valid, PIXELS, BANDS, 1, step, 3);
        for (int64_t b = 0; b < 3; b++) {
            double last = -1.0, middle = 0.0;
            int64_t levels = 0;
            for (int64_t i = 1; i < PIXELS; i++) {
                if (valid[i] == 0) continue;
                const double value = unit(i, b), byte = value / byte_scale;
                assert_true(fabs(byte - round(byte)) < 0.01 && byte > -0.01 && byte < 255.01);
                assert_true(value >= last - 0.01);
                levels += value > last + 0.01;
                last = value;
                if (i == PIXELS / 2) middle = byte;
            }
            assert_true(levels > 60 && levels <= 256);
            bent += middle < 100.0;
        }
        if (step == 0) memcpy(first, values, sizeof first);
        for (int64_t i = 0, same = 1; same != 0 && i < PIXELS * BANDS; i++) {
            same = first[i] == values[i];
            different += same == 0;
        }
        for (int64_t i = 0; i < PIXELS; i++) assert_true(values[i * BANDS + 3] == before[i * BANDS + 3]);
    }
    assert_int_equal(different, 59);
    assert_true(bent > 0 && bent < 180);
    fill();
    augment_picture(&picture, values, valid, PIXELS, BANDS, 1, 0, 3);
    assert_memory_equal(first, values, sizeof first);
    memset(valid, 0, sizeof valid); /* nothing is there to look at */
    augment_picture(&picture, values, valid, PIXELS, BANDS, 1, 1, 3);
    assert_memory_equal(first, values, sizeof first);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(noise),
        cmocka_unit_test(plain_picture),
        cmocka_unit_test(transformed_picture),
        cmocka_unit_test(drawn_pictures),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
