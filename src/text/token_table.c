/* SPDX-License-Identifier: Apache-2.0
 * Tokens and ids. */
#include "text/token_table.h"

#include <stdlib.h>
#include <string.h>

/* The last bits are mixed because the table takes the low ones. */
static uint32_t hash_finish(uint32_t hash) { return hash ^ hash >> 15; }

static uint32_t hash_bytes(const char *bytes, size_t length)
{
    uint32_t hash = token_hash_start();
    for (size_t i = 0; i < length; i++) hash = token_hash_next(hash, bytes[i]);
    return hash;
}

Err token_table_init(TokenTable *table, int64_t capacity, size_t text_bytes)
{
    uint32_t slots = 64;
    while ((int64_t)slots < capacity * 2) slots *= 2;
    *table = (TokenTable){ .capacity = capacity, .text_capacity = text_bytes, .slot_mask = slots - 1 };
    table->text = malloc(text_bytes + 1);
    table->starts = malloc((size_t)capacity * sizeof *table->starts);
    table->lengths = malloc((size_t)capacity * sizeof *table->lengths);
    table->slots = malloc(slots * sizeof *table->slots);
    if (table->text == NULL || table->starts == NULL || table->lengths == NULL || table->slots == NULL)
        return err_memory((unsigned long long)capacity * 12 + slots * 4ull + text_bytes, "a vocabulary");
    memset(table->slots, 0xFF, slots * sizeof *table->slots);
    return ERR_NONE;
}

void token_table_done(TokenTable *table)
{
    free(table->text);
    free(table->starts);
    free(table->lengths);
    free(table->slots);
    *table = (TokenTable){ .count = 0 };
}

void token_table_add(TokenTable *table, const char *bytes, size_t length)
{
    ASSERT(table->count < table->capacity && table->text_bytes + length + 1 <= table->text_capacity);
    uint32_t slot = hash_finish(hash_bytes(bytes, length)) & table->slot_mask;
    while (table->slots[slot] >= 0) slot = (slot + 1) & table->slot_mask;
    table->slots[slot] = (int32_t)table->count;
    table->starts[table->count] = table->text_bytes;
    table->lengths[table->count] = (uint32_t)length;
    memcpy(table->text + table->text_bytes, bytes, length);
    table->text[table->text_bytes + length] = '\0';
    table->text_bytes += length + 1;
    table->count++;
}

const char *token_table_token(const TokenTable *table, int32_t id)
{
    ASSERT(id >= 0 && id < table->count);
    return table->text + table->starts[id];
}

int32_t token_table_find_hashed(const TokenTable *table, uint32_t hash, const char *prefix, size_t skip,
                                const char *bytes, size_t length)
{
    for (uint32_t slot = hash_finish(hash) & table->slot_mask;; slot = (slot + 1) & table->slot_mask) {
        const int32_t id = table->slots[slot];
        if (id < 0) return -1;
        const char *token = table->text + table->starts[id];
        if (table->lengths[id] == length + skip && memcmp(token + skip, bytes, length) == 0 &&
            memcmp(token, prefix, skip) == 0)
            return id;
    }
}

int32_t token_table_find(const TokenTable *table, const char *bytes, size_t length)
{
    return token_table_find_hashed(table, hash_bytes(bytes, length), "", 0, bytes, length);
}
