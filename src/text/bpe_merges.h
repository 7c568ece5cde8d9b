/* SPDX-License-Identifier: Apache-2.0
 *
 * The list of merges of a byte-level BPE, and what it makes of one word (text/bpe.h). */
#ifndef METASEG_TEXT_BPE_MERGES_H
#define METASEG_TEXT_BPE_MERGES_H

#include "text/tokenizer.h"

/* "<|startoftext|>", "<|endoftext|>": the last two tokens. */
extern const char bpe_start_token[], bpe_end_token[];

/* Pairs of symbols (ids) and what they become, in a hash table; the symbol that a pair becomes tells its place in the list, as ids
 * follow it. Zero it to start; bpe_merges_done(). */
typedef struct BpeMerges {
    uint64_t *pairs; /* [slot_mask + 1] left << 32 | right, UINT64_MAX where empty */
    int32_t *merged; /* [slot_mask + 1] */
    uint32_t slot_mask;
    int32_t byte_ids[256]; /* symbol of a byte; the same + 256 where it ends a word */
} BpeMerges;

/* Reads the file into the tokens and the merges, as bpe_new says. Both must be freed also after a failure. */
Err bpe_merges_read(const char *path, TokenTable *tokens, BpeMerges *merges);
void bpe_merges_done(BpeMerges *merges);

/* Adds the ids of one word of n bytes, n >= 1. Time n log n. ERR_MEMORY. */
Err bpe_put_word(const BpeMerges *merges, const char *bytes, size_t n, TokenizerOutput *output);

#endif
