/* SPDX-License-Identifier: Apache-2.0
 * XXH64 through libxxhash. */
#include "base/hash.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

struct Hash {
    XXH64_state_t *state;
};

uint64_t hash_xxh64(const void *bytes, size_t length) { return XXH64(length == 0 ? "" : bytes, length, 0); }

Err hash_new(Hash **ret_hash)
{
    Hash *hash = calloc(1, sizeof *hash);
    if (hash != NULL) hash->state = XXH64_createState();
    if (hash == NULL || hash->state == NULL) {
        hash_free(hash);
        return err_memory(sizeof(Hash), "a hash");
    }
    (void)XXH64_reset(hash->state, 0);
    *ret_hash = hash;
    return ERR_NONE;
}

void hash_update(Hash *hash, const void *bytes, size_t length)
{
    if (length > 0) (void)XXH64_update(hash->state, bytes, length);
}

uint64_t hash_value(const Hash *hash) { return XXH64_digest(hash->state); }

void hash_free(Hash *hash)
{
    if (hash == NULL) return;
    (void)XXH64_freeState(hash->state);
    free(hash);
}

Err hash_file(const char *path, uint64_t *ret_value)
{
    enum { PIECE_BYTES = 1 << 16 };
    Err err = ERR_NONE;
    Hash *hash = NULL;
    char *piece = NULL;
    FILE *file = fopen(path, "rb");
    if (file == NULL) return err_set(ERR_INPUT, "'%s': %s; give a readable file", path, strerror(errno));
    piece = malloc(PIECE_BYTES);
    if (piece == NULL) {
        err = err_memory(PIECE_BYTES, "reading a file");
        goto done;
    }
    err = hash_new(&hash);
    if (err != ERR_NONE) goto done;
    for (size_t got = fread(piece, 1, PIECE_BYTES, file); got > 0; got = fread(piece, 1, PIECE_BYTES, file))
        hash_update(hash, piece, got);
    if (ferror(file)) {
        err = err_set(ERR_INPUT, "'%s': reading failed: %s", path, strerror(errno));
        goto done;
    }
    *ret_value = hash_value(hash);
done:
    hash_free(hash);
    free(piece);
    (void)fclose(file);
    return err;
}

void hash_hex(uint64_t value, char ret_text[17]) { (void)snprintf(ret_text, 17, "%016llx", (unsigned long long)value); }
