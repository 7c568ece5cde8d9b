/* SPDX-License-Identifier: Apache-2.0 */
#include "tensor/tensor.h"

#include "harness/unit.h"

#include <math.h>
#include <string.h>

/* Value of a half by its definition (IEEE 754-2008, binary16). */
static double half_value(uint16_t half)
{
    const int exponent = (half >> 10) & 31, mantissa = half & 1023;
    const double sign = (half & 0x8000) != 0 ? -1 : 1;
    if (exponent == 31) return mantissa == 0 ? sign * (double)INFINITY : (double)NAN;
    if (exponent == 0) return sign * ldexp(mantissa, -24);
    return sign * ldexp(1024 + mantissa, exponent - 25);
}

static uint16_t to_half(float value)
{
    uint16_t half = 0;
    convert_f32_to_f16(&value, &half, 1);
    return half;
}

static uint16_t to_bf16(float value)
{
    uint16_t bits = 0;
    convert_f32_to_bf16(&value, &bits, 1);
    return bits;
}

static uint32_t bits_of(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static float float_of(uint32_t bits)
{
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static void every_half_is_read_and_written(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 65536; i++) {
        const uint16_t half = (uint16_t)i;
        float value = 0;
        convert_f16_to_f32(&half, &value, 1);
        if (isnan(half_value(half))) {
            assert_true(isnan(value));
            assert_true(isnan(half_value(to_half(value))));
        } else {
            assert_true((double)value == half_value(half) && (signbit(value) != 0) == ((half & 0x8000) != 0));
            assert_int_equal(to_half(value), half);
        }
    }
}

/* Rounding is monotonic, so the floats around each midpoint of two neighbours show all of it. */
static void halves_round_to_nearest_even(void **state)
{
    (void)state;
    for (uint16_t half = 0; half < 0x7c00; half++) {
        const double low = half_value(half);
        const double high = half + 1 == 0x7c00 ? 65536.0 : half_value((uint16_t)(half + 1));
        const float middle = (float)((low + high) / 2); /* exact */
        const uint16_t even = (half & 1) == 0 ? half : (uint16_t)(half + 1);
        assert_int_equal(to_half(middle), even);
        assert_int_equal(to_half(-middle), even | 0x8000);
        assert_int_equal(to_half(nextafterf(middle, 0.0F)), half);
        assert_int_equal(to_half(nextafterf(middle, 1e30F)), half + 1);
    }
    assert_int_equal(to_half(1e30F), 0x7c00);
    assert_int_equal(to_half(-INFINITY), 0xfc00);
    assert_int_equal(to_half(1e-30F), 0);
    assert_int_equal(to_half(-0.0F), 0x8000);
}

static void every_bf16_is_read_and_rounded(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 65536; i++) {
        const uint16_t bits = (uint16_t)i;
        float value = 0;
        convert_bf16_to_f32(&bits, &value, 1);
        assert_int_equal(bits_of(value), i << 16);
        if (isnan(value)) {
            assert_int_equal(to_bf16(value), bits | 0x40);
            continue;
        }
        assert_int_equal(to_bf16(value), bits);
        if (isinf(value)) continue;
        const uint16_t even = (uint16_t)(bits + (bits & 1U));
        assert_int_equal(to_bf16(float_of((i << 16) | 0x8000U)), even);
        assert_int_equal(to_bf16(float_of((i << 16) | 0x7fffU)), bits);
        assert_int_equal(to_bf16(float_of((i << 16) | 0x8001U)), bits + 1);
    }
    assert_true((to_bf16(float_of(0x7f800001U)) & 0x7f) != 0); /* a NaN whose upper half looks like infinity */
}

static void shapes(void **state)
{
    char text[96], cut[8];
    const Shape a = { 3, { 2, 3, 4 } }, b = { 3, { 2, 3, 5 } }, c = { 2, { 2, 3 } }, scalar = { 0, { 0 } };
    (void)state;
    assert_int_equal(shape_count(&a), 24);
    assert_int_equal(shape_count(&scalar), 1);
    assert_true(shape_equal(&a, &a));
    assert_false(shape_equal(&a, &b));
    assert_false(shape_equal(&a, &c));
    assert_string_equal(shape_text(&a, text, sizeof text), "[2, 3, 4]");
    assert_string_equal(shape_text(&scalar, text, sizeof text), "[]");
    assert_string_equal(shape_text(&a, cut, sizeof cut), "[2, 3, ");
    const Tensor tensor = { DTYPE_F64, a, NULL };
    assert_int_equal(tensor_bytes(&tensor), 192);
    assert_string_equal(dtype_name(DTYPE_BF16), "bf16");
    for (int i = 0; i < DTYPE_COUNT; i++) assert_true(dtype_name((Dtype)i) != NULL && dtype_bytes((Dtype)i) > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_half_is_read_and_written),
        cmocka_unit_test(halves_round_to_nearest_even),
        cmocka_unit_test(every_bf16_is_read_and_rounded),
        cmocka_unit_test(shapes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
