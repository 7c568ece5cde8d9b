/* SPDX-License-Identifier: Apache-2.0
 * Prompt features and zone shares as program inputs. */
#include "data/text_inputs.h"

#include "base/climate_zones.h"

#include <math.h>
#include <string.h>

/* The smallest share a logarithm is taken of: docs/model.md section 1. */
static const float smallest_share = 1e-4F;
static const float padding_bias = -1e9F;

void text_inputs_entries(const PromptTable *table, int32_t n, const int32_t *zones, int32_t *ret_entries)
{
    for (int32_t k = 0; k < n; k++) {
        ret_entries[k] = zones[k] == CLIMATE_NONE ? -1 : prompt_table_find(table, climate_zone_name(zones[k]));
        ASSERT(zones[k] == CLIMATE_NONE || ret_entries[k] >= 0);
    }
}

static void fill_tokens(const PromptTable *table, const int32_t *entries, const int32_t *wordings,
                        const NetworkInputs *image)
{
    const NetworkShape *s = &image->shape;
    for (int64_t k = 0; k < s->slots; k++) {
        float *rows = image->tokens + k * s->tokens * s->text_width;
        int32_t length = 0;
        memset(rows, 0, (size_t)(s->tokens * s->text_width) * sizeof(float));
        if (entries[k] >= 0) {
            length = prompt_table_length(table, entries[k], wordings[k]);
            ASSERT(length <= s->tokens && table->width == s->text_width);
            memcpy(rows, prompt_table_features(table, entries[k], wordings[k]),
                   (size_t)(length * s->text_width) * sizeof(float));
        }
        for (int64_t t = 0; t < s->tokens; t++) image->token_mask[k * s->tokens + t] = t < length ? 0.0F : padding_bias;
    }
    for (int64_t t = 0; t < s->null_tokens; t++) image->token_mask[s->slots * s->tokens + t] = 0.0F;
}

static float log_share(float share) { return logf(fmaxf(share, smallest_share)); }

void text_inputs_fill(const PromptTable *table, const int32_t *entries, const int32_t *wordings, const float *shares,
                      const NetworkInputs *image)
{
    ASSERT(image->shape.batch == 1 && image->tokens != NULL);
    fill_tokens(table, entries, wordings, image);
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
