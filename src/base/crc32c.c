/* SPDX-License-Identifier: Apache-2.0
 * Four bits at a time: the table is as small as the files it is for. */
#include "base/crc32c.h"

/* Remainders of the 16 values of four bits, polynomial 0x1EDC6F41 with its bits reversed. */
static const uint32_t table[16] = {
    0x00000000U, 0x105ec76fU, 0x20bd8edeU, 0x30e349b1U, 0x417b1dbcU, 0x5125dad3U, 0x61c69362U, 0x7198540dU,
    0x82f63b78U, 0x92a8fc17U, 0xa24bb5a6U, 0xb21572c9U, 0xc38d26c4U, 0xd3d3e1abU, 0xe330a81aU, 0xf36e6f75U,
};

uint32_t crc32c(const void *bytes, size_t length)
{
    const uint8_t *at = bytes;
    uint32_t crc = 0xffffffffU;
    for (size_t i = 0; i < length; i++) {
        crc ^= at[i];
        crc = crc >> 4U ^ table[crc & 15U];
        crc = crc >> 4U ^ table[crc & 15U];
    }
    return ~crc;
}
