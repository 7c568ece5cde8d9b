/* SPDX-License-Identifier: Apache-2.0
 *
 * The tokens of a vocabulary with their ids: a list and a hash table over it. */
#ifndef METASEG_TEXT_TOKEN_TABLE_H
#define METASEG_TEXT_TOKEN_TABLE_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct TokenTable {
    char *text; /* all tokens one after the other, each ended by NUL */
    size_t text_bytes, text_capacity;
    int64_t count, capacity;
    size_t *starts;    /* [capacity] in text */
    uint32_t *lengths; /* [capacity] bytes */
    int32_t *slots;    /* [slot_mask + 1] ids, -1 where empty; open addressing, linear probing */
    uint32_t slot_mask;
} TokenTable;

/* An empty table for up to `capacity` tokens of `text_bytes` in all, NULs included. Free with token_table_done, also after a
 * failure. ERR_MEMORY. */
Err token_table_init(TokenTable *table, int64_t capacity, size_t text_bytes);
void token_table_done(TokenTable *table);

/* Adds a token that is not there yet (ASSERT: and fits); its id is the count before. */
void token_table_add(TokenTable *table, const char *bytes, size_t length);

/* The token of an id in range (ASSERT). */
const char *token_table_token(const TokenTable *table, int32_t id);

/* The id of a token, -1 if there is none. */
int32_t token_table_find(const TokenTable *table, const char *bytes, size_t length);

/* FNV-1a (Fowler, Noll, Vo), 32 bits: the hash of a prefix continues to that of the longer one, so that all prefixes of
 * a word cost one pass. */
static inline uint32_t token_hash_start(void) { return 2166136261u; }
static inline uint32_t token_hash_next(uint32_t hash, char byte) { return (hash ^ (unsigned char)byte) * 16777619u; }

/* The id of prefix + bytes[0..length) with the hash of both; the prefix has skip bytes. */
int32_t token_table_find_hashed(const TokenTable *table, uint32_t hash, const char *prefix, size_t skip,
                                const char *bytes, size_t length);

#endif
