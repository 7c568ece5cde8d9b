/* SPDX-License-Identifier: Apache-2.0
 * Prompt features and zone shares as program inputs. */
#include "data/text_inputs.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The smallest share a logarithm is taken of: docs/model.md section 1. */
static const float smallest_share = 1e-4F;
static const float padding_bias = -1e9F;

Err text_table_init(TextTable *table, int32_t zones, int32_t variants)
{
    const size_t prompts = (size_t)zones * (size_t)variants;
    const size_t floats = prompts * TEXT_MAX_TOKENS * TEXT_WIDTH;
    int32_t *lengths = calloc(prompts, sizeof *lengths);
    float *features = calloc(floats, sizeof *features);
    if (lengths == NULL || features == NULL) {
        free(lengths);
        free(features);
        return err_memory(floats * sizeof *features, "the features of the prompts");
    }
    *table = (TextTable){ .zones = zones, .variants = variants, .lengths = lengths, .features = features };
    return ERR_NONE;
}

void text_table_done(TextTable *table)
{
    free(table->lengths);
    free(table->features);
    *table = (TextTable){ 0 };
}

static int64_t prompt_index(const TextTable *table, int32_t zone, int32_t variant)
{
    ASSERT(zone >= 1 && zone <= table->zones && variant >= 0 && variant < table->variants);
    return (int64_t)(zone - 1) * table->variants + variant;
}

float *text_table_features(const TextTable *table, int32_t zone, int32_t variant)
{
    return table->features + prompt_index(table, zone, variant) * TEXT_MAX_TOKENS * TEXT_WIDTH;
}

void text_table_mean(const TextTable *table, float *ret_mean)
{
    double sum[TEXT_WIDTH] = { 0.0 };
    int64_t rows = 0;
    for (int32_t p = 0; p < table->zones * table->variants; p++) {
        const float *features = text_table_features(table, 1 + p / table->variants, p % table->variants);
        for (int64_t i = 0; i < (int64_t)table->lengths[p] * TEXT_WIDTH; i++)
            sum[i % TEXT_WIDTH] += (double)features[i];
        rows += table->lengths[p];
    }
    for (int32_t c = 0; c < TEXT_WIDTH; c++) ret_mean[c] = rows > 0 ? (float)(sum[c] / (double)rows) : 0.0F;
}

Err text_table_append(TextTable *table, int32_t zone, int32_t variant, const float *rows, int32_t count)
{
    int32_t *length = &table->lengths[prompt_index(table, zone, variant)];
    if (*length + count > TEXT_MAX_TOKENS)
        return err_set(ERR_INPUT, "the prompt of zone %d has %d tokens; at most %d fit", (int)zone,
                       (int)(*length + count), (int)TEXT_MAX_TOKENS);
    memcpy(text_table_features(table, zone, variant) + (int64_t)*length * TEXT_WIDTH, rows,
           (size_t)count * TEXT_WIDTH * sizeof(float));
    *length += count;
    return ERR_NONE;
}

static void fill_tokens(const TextTable *table, const int32_t *slot_zones, const int32_t *variants,
                        const NetworkInputs *image)
{
    const NetworkShape *s = &image->shape;
    const size_t slot_floats = (size_t)(s->tokens * TEXT_WIDTH);
    for (int64_t k = 0; k < s->slots; k++) {
        int32_t length = 0;
        float *rows = image->tokens + (size_t)k * slot_floats;
        memset(rows, 0, slot_floats * sizeof(float));
        if (slot_zones[k] > 0) {
            length = table->lengths[prompt_index(table, slot_zones[k], variants[k])];
            ASSERT(length <= s->tokens);
            memcpy(rows, text_table_features(table, slot_zones[k], variants[k]),
                   (size_t)length * TEXT_WIDTH * sizeof(float));
        }
        for (int64_t t = 0; t < s->tokens; t++) image->token_mask[k * s->tokens + t] = t < length ? 0.0F : padding_bias;
    }
    for (int64_t t = 0; t < s->null_tokens; t++) image->token_mask[s->slots * s->tokens + t] = 0.0F;
}

static float log_share(float share) { return logf(fmaxf(share, smallest_share)); }

void text_inputs_fill(const TextTable *table, const int32_t *slot_zones, const int32_t *variants, const float *shares,
                      const NetworkInputs *image)
{
    ASSERT(image->shape.batch == 1 && image->tokens != NULL && image->shape.text_width == TEXT_WIDTH);
    fill_tokens(table, slot_zones, variants, image);
    const int64_t rows = image->shape.height / 16;
    const int64_t columns = image->shape.width / 16;
    const int64_t n = image->shape.slots + 1;
    if (shares == NULL) {
        for (int64_t i = 0; i < rows * columns * n; i++)
            image->log_share_16[i] = log_share(i % n == n - 1 ? 1.0F : 0.0F);
        for (int64_t i = 0; i < rows * columns / 4 * n; i++)
            image->log_share_32[i] = log_share(i % n == n - 1 ? 1.0F : 0.0F);
        return;
    }
    for (int64_t i = 0; i < rows * columns * n; i++) image->log_share_16[i] = log_share(shares[i]);
    for (int64_t r = 0; r < rows / 2; r++) {
        for (int64_t c = 0; c < columns / 2; c++) {
            const float *a = shares + (2 * r * columns + 2 * c) * n;
            const float *b = a + columns * n;
            float *to = image->log_share_32 + (r * (columns / 2) + c) * n;
            for (int64_t k = 0; k < n; k++) to[k] = log_share(0.25F * (a[k] + a[n + k] + b[k] + b[n + k]));
        }
    }
}
