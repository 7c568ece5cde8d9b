/* SPDX-License-Identifier: Apache-2.0
 * The table of encoded prompts. */
#include "text/prompt_table.h"

#include "base/str.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_COUNT = 4096, MAX_WORDINGS = 256, MAX_WIDTH = 4096 };

Err prompt_table_init(PromptTable *table, int32_t count, int32_t wordings, int32_t rows, int32_t width)
{
    if (count < 1 || count > MAX_COUNT || wordings < 1 || wordings > MAX_WORDINGS || rows < 1 ||
        rows > PROMPT_TOKENS_MAX || width < 1 || width > MAX_WIDTH)
        return err_set(ERR_ARGUMENT,
                       "a table of %d prompts in %d wordings of %d tokens of %d features was wanted; at most %d, %d, "
                       "%d and %d fit",
                       (int)count, (int)wordings, (int)rows, (int)width, MAX_COUNT, MAX_WORDINGS, PROMPT_TOKENS_MAX,
                       MAX_WIDTH);
    const size_t n = (size_t)count * (size_t)wordings, values = n * (size_t)rows * (size_t)width;
    PromptTable made = { .count = count, .wordings = wordings, .rows = rows, .width = width };
    made.keys = calloc((size_t)count, sizeof *made.keys);
    made.sentences = calloc(n, sizeof *made.sentences);
    made.lengths = calloc(n, sizeof *made.lengths);
    made.features = calloc(values, sizeof *made.features);
    if (made.keys == NULL || made.sentences == NULL || made.lengths == NULL || made.features == NULL) {
        prompt_table_done(&made);
        return err_memory(values * sizeof *made.features, "the features of the prompts");
    }
    *table = made;
    return ERR_NONE;
}

void prompt_table_done(PromptTable *table)
{
    for (int32_t i = 0; table->keys != NULL && i < table->count; i++) free(table->keys[i]);
    for (int32_t i = 0; table->sentences != NULL && i < table->count * table->wordings; i++) free(table->sentences[i]);
    free(table->keys);
    free(table->sentences);
    free(table->lengths);
    free(table->features);
    *table = (PromptTable){ 0 };
}

static int32_t place_of(const PromptTable *table, int32_t index, int32_t wording)
{
    ASSERT(index >= 0 && index < table->count && wording >= 0 && wording < table->wordings);
    return wording * table->count + index;
}

static float *rows_of(const PromptTable *table, int32_t index, int32_t wording)
{
    return table->features + (int64_t)place_of(table, index, wording) * table->rows * table->width;
}

/* The key, unless another wording has brought it. */
static Err set_key(PromptTable *table, int32_t index, const char *key)
{
    if (table->keys[index] == NULL) return str_copy(key, &table->keys[index]);
    if (strcmp(table->keys[index], key) == 0) return ERR_NONE;
    return err_set(ERR_ARGUMENT, "prompt %d is of '%.60s', not of '%.60s'", (int)index, table->keys[index], key);
}

Err prompt_table_set(PromptTable *table, int32_t index, int32_t wording, const char *key, const char *sentence,
                     const float *features, int32_t length)
{
    if (index < 0 || index >= table->count || wording < 0 || wording >= table->wordings || length < 0 ||
        length > table->rows)
        return err_set(ERR_ARGUMENT,
                       "wording %d of prompt %d, '%.60s', has %d tokens; a table of %d prompts in %d wordings of %d "
                       "tokens cannot hold it",
                       (int)wording, (int)index, key, (int)length, (int)table->count, (int)table->wordings,
                       (int)table->rows);
    char *text = NULL;
    TRY(set_key(table, index, key));
    TRY(str_copy(sentence, &text));
    const int32_t place = place_of(table, index, wording);
    float *to = rows_of(table, index, wording);
    free(table->sentences[place]);
    table->sentences[place] = text;
    memset(to, 0, (size_t)table->rows * (size_t)table->width * sizeof *to);
    memcpy(to, features, (size_t)length * (size_t)table->width * sizeof *to);
    table->lengths[place] = length;
    return ERR_NONE;
}

int32_t prompt_table_find(const PromptTable *table, const char *key)
{
    for (int32_t i = 0; i < table->count; i++)
        if (table->keys[i] != NULL && strcmp(table->keys[i], key) == 0) return i;
    return -1;
}

const float *prompt_table_features(const PromptTable *table, int32_t index, int32_t wording)
{
    return rows_of(table, index, wording);
}

int32_t prompt_table_length(const PromptTable *table, int32_t index, int32_t wording)
{
    return table->lengths[place_of(table, index, wording)];
}

int32_t prompt_table_longest(const PromptTable *table)
{
    int32_t longest = 0;
    for (int32_t i = 0; i < table->count * table->wordings; i++)
        longest = table->lengths[i] > longest ? table->lengths[i] : longest;
    return longest;
}

void prompt_table_mean(const PromptTable *table, float *ret_mean)
{
    for (int32_t c = 0; c < table->width; c++) {
        double sum = 0.0;
        int64_t rows = 0;
        for (int32_t p = 0; p < table->count * table->wordings; p++) {
            const float *features = rows_of(table, p / table->wordings, p % table->wordings);
            const int32_t length = prompt_table_length(table, p / table->wordings, p % table->wordings);
            for (int32_t r = 0; r < length; r++) sum += (double)features[(int64_t)r * table->width + c];
            rows += length;
        }
        ret_mean[c] = rows > 0 ? (float)(sum / (double)rows) : 0.0F;
    }
}
