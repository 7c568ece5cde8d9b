/* SPDX-License-Identifier: Apache-2.0
 *
 * XXH64 (Yann Collet, xxHash specification 0.1.1), seed 0: names to random streams, file identities, caches. Not for
 * security. The only home of xxhash.h.
 */
#ifndef METASEG_BASE_HASH_H
#define METASEG_BASE_HASH_H

#include "base/err.h"

#include <stddef.h>
#include <stdint.h>

/* Hash of `length` bytes; bytes may be NULL when length is 0. */
uint64_t hash_xxh64(const void *bytes, size_t length);

/* The same over pieces. */
typedef struct Hash Hash;
Err hash_new(Hash **ret_hash); /* ERR_MEMORY */
void hash_update(Hash *hash, const void *bytes, size_t length);
uint64_t hash_value(const Hash *hash); /* of all bytes so far; more may follow */
void hash_free(Hash *hash);

/* Hash of a whole file, read in pieces. ERR_INPUT, ERR_MEMORY. */
Err hash_file(const char *path, uint64_t *ret_value);

/* 16 lower case hexadecimal digits and NUL. */
void hash_hex(uint64_t value, char ret_text[17]);

#endif
