/* SPDX-License-Identifier: Apache-2.0
 * References that are pictures: classes by the colours of a table, and what no class is. */
#include "eval/eval_internal.h"

#include <math.h>
#include <stdlib.h>

/* By what a file says of itself: a picture of three colours. One band, or a palette, holds class values. */
static bool is_picture(const Raster *raster)
{
    const RasterInfo *info = raster_info(raster);
    return raster_is_color_picture(raster) || (info->bands == 3 && !info->has_palette);
}

Err eval_colors_choose(Comparison *c, bool *ret_picture)
{
    const MetasegEvalOptions *o = c->options;
    *ret_picture = o->n_truth_classes > 0 && o->truth_band == NULL && is_picture(c->truth);
    if (!*ret_picture) return ERR_NONE;
    c->color_table = calloc((size_t)o->n_truth_classes, sizeof *c->color_table);
    if (c->color_table == NULL)
        return err_memory((size_t)o->n_truth_classes * sizeof *c->color_table, "the colours of the classes");
    for (int64_t i = 0; i < o->n_truth_classes; i++) {
        const MetasegTruthClass *k = &o->truth_classes[i];
        c->color_table[i] = (RasterColor){ k->color, k->name != NULL ? (float)k->value : INFINITY };
    }
    c->colors =
        (RasterColors){ .table = c->color_table, .n = o->n_truth_classes, .threshold = (uint32_t)o->truth_threshold };
    return raster_colors_choose(c->truth, NULL, &c->colors);
}

bool eval_colors_take(Comparison *c, float value, int64_t column, int64_t row)
{
    if (isinf(value)) { /* a colour that is no label */
        c->ignored++;
        return false;
    }
    if (value >= 0.0F) return true;
    if (c->unknown.n == 0) {
        c->unknown_at[0] = column;
        c->unknown_at[1] = row;
    }
    color_counts_add(&c->unknown, raster_color_of(value));
    return false;
}

Err eval_colors_check(const Comparison *c)
{
    Str text = { 0 };
    if (color_counts_text(&c->unknown, &text) == 0) return ERR_NONE;
    const Err err =
        err_set(ERR_INPUT,
                "'%s': no class has the colour %s, first at column %lld, row %lld; expected the colours of "
                "the class table, or name those that are no label with --ignore-colors",
                raster_path(c->truth), str_text(&text), (long long)c->unknown_at[0], (long long)c->unknown_at[1]);
    str_done(&text);
    return err;
}

int32_t eval_mapped_truth(const MetasegEvalOptions *o, int32_t value)
{
    for (int64_t i = 0; i < o->n_truth_mapping; i++)
        if (o->truth_mapping[i].from == value) return o->truth_mapping[i].to;
    return value;
}
