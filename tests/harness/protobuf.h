/* SPDX-License-Identifier: Apache-2.0
 *
 * Fields of a protobuf message, one after the other; what is no message fails the test. */
#ifndef METASEG_TESTS_PROTOBUF_H
#define METASEG_TESTS_PROTOBUF_H

#include "harness/unit.h"

typedef struct ProtobufBytes {
    const unsigned char *at;
    size_t length;
} ProtobufBytes;

/* One field of a message: its number, and its content or its value. */
typedef struct ProtobufField {
    uint64_t number, value;
    ProtobufBytes content;
} ProtobufField;

static inline uint64_t protobuf_varint(ProtobufBytes *bytes)
{
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
        assert_true(bytes->length > 0);
        const unsigned char byte = *bytes->at;
        bytes->at++;
        bytes->length--;
        value |= (uint64_t)(byte & 0x7fU) << shift;
        if (byte < 0x80U) return value;
    }
    fail_msg("a number has no end");
    return 0;
}

static inline ProtobufBytes protobuf_take(ProtobufBytes *bytes, uint64_t length)
{
    assert_true(length <= bytes->length);
    const ProtobufBytes taken = { bytes->at, (size_t)length };
    bytes->at += length;
    bytes->length -= (size_t)length;
    return taken;
}

static inline bool protobuf_next(ProtobufBytes *message, ProtobufField *ret_field)
{
    if (message->length == 0) return false;
    const uint64_t key = protobuf_varint(message);
    *ret_field = (ProtobufField){ .number = key >> 3 };
    switch (key & 7U) {
    case 0:
        ret_field->value = protobuf_varint(message);
        break;
    case 1:
        ret_field->content = protobuf_take(message, 8);
        break;
    case 2:
        ret_field->content = protobuf_take(message, protobuf_varint(message));
        break;
    case 5:
        ret_field->content = protobuf_take(message, 4);
        break;
    default:
        fail_msg("wire type %d is not known", (int)(key & 7U));
    }
    return true;
}

/* A repeated number, packed or one by one. */
static inline void protobuf_append(const ProtobufField *field, int64_t most, int64_t *values, int64_t *n)
{
    ProtobufBytes packed = field->content;
    do {
        assert_true(*n < most);
        values[(*n)++] = (int64_t)(packed.at != NULL ? protobuf_varint(&packed) : field->value);
    } while (packed.length > 0);
}

#endif
