/* SPDX-License-Identifier: Apache-2.0
 * What all tokenizers share: start and end, truncation, tokens by id. */
#include "text/tokenizer.h"

#include <string.h>

void tokenizer_put(TokenizerOutput *output, int32_t id)
{
    if (output->count < output->capacity) output->ids[output->count++] = id;
    output->full++;
}

Err tokenizer_encode(const Tokenizer *tokenizer, const char *text, size_t bytes, int64_t capacity, int32_t *ret_ids,
                     int64_t *ret_count, int64_t *ret_full)
{
    if (bytes > TOKENIZER_TEXT_BYTES_MAX)
        return err_set(ERR_ARGUMENT, "the text has %zu bytes; at most %d are taken", bytes, TOKENIZER_TEXT_BYTES_MAX);
    ASSERT(capacity >= 2);
    TokenizerOutput output = { .ids = ret_ids, .capacity = capacity - 1 };
    tokenizer_put(&output, tokenizer->start_id);
    TRY(tokenizer->put_text(tokenizer, text, bytes, &output));
    ret_ids[output.count] = tokenizer->end_id;
    *ret_count = output.count + 1;
    if (ret_full != NULL) *ret_full = output.full + 1;
    return ERR_NONE;
}

void tokenizer_free(Tokenizer *tokenizer)
{
    if (tokenizer == NULL) return;
    token_table_done(&tokenizer->tokens);
    tokenizer->free_kind(tokenizer);
}

int64_t tokenizer_count(const Tokenizer *tokenizer) { return tokenizer->tokens.count; }

const char *tokenizer_token(const Tokenizer *tokenizer, int32_t id)
{
    return id >= 0 && id < tokenizer->tokens.count ? token_table_token(&tokenizer->tokens, id) : NULL;
}

int32_t tokenizer_id(const Tokenizer *tokenizer, const char *token)
{
    return token_table_find(&tokenizer->tokens, token, strlen(token));
}

bool tokenizer_is_special(const Tokenizer *tokenizer, int32_t id)
{
    for (int32_t i = 0; i < tokenizer->n_special; i++)
        if (tokenizer->special_ids[i] == id) return true;
    return false;
}
