/* SPDX-License-Identifier: Apache-2.0
 *
 * CRC-32C (Castagnoli), the checksum of iSCSI (RFC 3720, appendix B.4) and of TFRecord files.
 */
#ifndef METASEG_BASE_CRC32C_H
#define METASEG_BASE_CRC32C_H

#include <stddef.h>
#include <stdint.h>

/* Checksum of `length` bytes; bytes may be NULL when length is 0. */
uint32_t crc32c(const void *bytes, size_t length);

#endif
