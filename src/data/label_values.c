/* SPDX-License-Identifier: Apache-2.0
 * The table of values, and what of it did not occur as expected. */
#include "data/label_values.h"

#include <string.h>

enum { SHOWN = 8 };

LabelTable label_table(const DatasetOptions *options)
{
    LabelTable table = { .named = { false } };
    uint8_t index[LABEL_VALUES];
    memset(index, CLASS_IGNORE, sizeof index);
    for (uint32_t i = 0; i < options->n_classes; i++) {
        index[options->classes[i].value] = (uint8_t)i;
        table.named[options->classes[i].value] = true;
    }
    memcpy(table.class_of, index, sizeof index);
    for (uint32_t i = 0; i < options->n_remap; i++) {
        table.class_of[options->remap[i].from] = index[options->remap[i].to];
        table.named[options->remap[i].from] = true;
    }
    table.class_of[options->ignore] = CLASS_IGNORE;
    table.named[options->ignore] = true;
    return table;
}

float label_value_of_name(const DatasetOptions *options, const char *name)
{
    for (uint32_t c = 0; c < options->n_classes; c++)
        if (strcmp(options->classes[c].name, name) == 0) return (float)options->classes[c].value;
    for (uint32_t c = 0; c < options->n_classes; c++)
        if (str_equal_nocase(options->classes[c].name, name)) return (float)options->classes[c].value;
    return -1.0F;
}

int64_t label_counts_unnamed(const LabelCounts *counts, const LabelTable *table, Str *text)
{
    bool listed[LABEL_VALUES] = { false };
    int64_t values = 0;
    int64_t pixels = 0;
    for (int64_t v = 0; v < LABEL_VALUES; v++) {
        if (table->named[v] || counts->pixels[v] == 0) continue;
        values++;
        pixels += counts->pixels[v];
    }
    for (int64_t shown = 0; shown < values && shown < SHOWN; shown++) {
        int64_t most = -1;
        for (int64_t v = 0; v < LABEL_VALUES; v++) {
            if (table->named[v] || listed[v] || counts->pixels[v] == 0) continue;
            if (most < 0 || counts->pixels[v] > counts->pixels[most]) most = v;
        }
        listed[most] = true;
        str_addf(text, shown == 0 ? "%lld (%lld pixels)" : ", %lld (%lld)", (long long)most,
                 (long long)counts->pixels[most]);
    }
    if (values > SHOWN) str_addf(text, " and %lld more values", (long long)(values - SHOWN));
    return pixels;
}

int64_t label_counts_impossible(const LabelCounts *counts, Str *text)
{
    const char *between = "";
    if (counts->negative > 0) {
        str_addf(text, "below 0 (%lld pixels, down to %.9g)", (long long)counts->negative, counts->lowest);
        between = ", ";
    }
    if (counts->beyond > 0) {
        str_addf(text, "%sabove 255 (%lld pixels, up to %.9g)", between, (long long)counts->beyond, counts->highest);
        between = ", ";
    }
    if (counts->fractional > 0)
        str_addf(text, "%snot whole (%lld pixels, such as %.9g)", between, (long long)counts->fractional,
                 counts->fraction);
    return counts->negative + counts->beyond + counts->fractional;
}
