/* SPDX-License-Identifier: Apache-2.0
 * Element types, shapes, half-precision conversions. */
#include "tensor/tensor.h"

#include <stdio.h>
#include <string.h>

static const struct {
    const char *name;
    size_t bytes;
} dtypes[DTYPE_COUNT] = {
    [DTYPE_F32] = { "f32", 4 }, [DTYPE_U8] = { "u8", 1 },   [DTYPE_I32] = { "i32", 4 }, [DTYPE_BF16] = { "bf16", 2 },
    [DTYPE_F16] = { "f16", 2 }, [DTYPE_F64] = { "f64", 8 }, [DTYPE_I64] = { "i64", 8 },
};

size_t dtype_bytes(Dtype dtype) { return dtypes[dtype].bytes; }

const char *dtype_name(Dtype dtype) { return dtypes[dtype].name; }

int64_t shape_count(const Shape *shape)
{
    int64_t count = 1;
    for (int32_t i = 0; i < shape->rank; i++) count *= shape->dim[i];
    return count;
}

bool shape_equal(const Shape *a, const Shape *b)
{
    if (a->rank != b->rank) return false;
    for (int32_t i = 0; i < a->rank; i++)
        if (a->dim[i] != b->dim[i]) return false;
    return true;
}

const char *shape_text(const Shape *shape, char *text, size_t bytes)
{
    size_t used = 0;
    if (bytes == 0) return text;
    text[0] = '\0';
    for (int32_t i = 0; i <= shape->rank && used < bytes; i++) {
        const int n = i < shape->rank
                          ? snprintf(text + used, bytes - used, "%s%lld", i == 0 ? "[" : ", ", (long long)shape->dim[i])
                          : snprintf(text + used, bytes - used, "%s", shape->rank == 0 ? "[]" : "]");
        if (n < 0) break;
        used += (size_t)n;
    }
    return text;
}

size_t tensor_bytes(const Tensor *tensor) { return (size_t)shape_count(&tensor->shape) * dtype_bytes(tensor->dtype); }

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

/* Round to nearest even by letting the float adder round: for normal halves 13 mantissa bits are dropped by hand, for
 * subnormal ones adding 0.5 puts the last kept bit (2^-24) at the end of the float's mantissa. */
static uint16_t f16_from_f32(float value)
{
    const uint32_t bits = bits_of(value);
    const uint32_t sign = (bits >> 16) & 0x8000U;
    const uint32_t magnitude = bits & 0x7fffffffU;
    uint32_t half;
    if (magnitude > 0x7f800000U) /* NaN stays NaN, made quiet */
        half = 0x7e00U | ((magnitude >> 13) & 0x3ffU);
    else if (magnitude >= 0x47800000U) /* 65536 and more */
        half = 0x7c00U;
    else if (magnitude < 0x38800000U) /* below 2^-14 */
        half = bits_of(float_of(magnitude) + 0.5F) - 0x3f000000U;
    else
        half = (magnitude - 0x38000000U + 0xfffU + ((magnitude >> 13) & 1U)) >> 13;
    return (uint16_t)(sign | half);
}

static float f16_to_f32(uint16_t half)
{
    const uint32_t sign = (uint32_t)(half & 0x8000U) << 16;
    const uint32_t magnitude = half & 0x7fffU;
    const uint32_t special =
        magnitude >= 0x7c00U ? 0x7f800000U : 0; /* infinity, NaN; no branch, so that loops vectorise */
    /* The exponent is rebased by an exact multiplication, which also makes subnormal halves normal floats. */
    return float_of(sign | special | bits_of(float_of(magnitude << 13) * 0x1p112F));
}

void convert_f32_to_f16(const float *from, uint16_t *to, int64_t n)
{
    for (int64_t i = 0; i < n; i++) to[i] = f16_from_f32(from[i]);
}

void convert_f16_to_f32(const uint16_t *from, float *to, int64_t n)
{
    for (int64_t i = 0; i < n; i++) to[i] = f16_to_f32(from[i]);
}

void convert_f32_to_bf16(const float *from, uint16_t *to, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        const uint32_t bits = bits_of(from[i]);
        const bool is_nan = (bits & 0x7fffffffU) > 0x7f800000U;
        to[i] = (uint16_t)(is_nan ? (bits >> 16) | 0x40U : (bits + 0x7fffU + ((bits >> 16) & 1U)) >> 16);
    }
}

void convert_bf16_to_f32(const uint16_t *from, float *to, int64_t n)
{
    for (int64_t i = 0; i < n; i++) to[i] = float_of((uint32_t)from[i] << 16);
}
