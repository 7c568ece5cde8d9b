/* SPDX-License-Identifier: Apache-2.0
 * Presets and class tables as options of an evaluation. */
#include "cli/eval_truth.h"

#include "base/str.h"

#include <stdlib.h>
#include <string.h>

static uint32_t color_of(const char *text) { return (uint32_t)strtoul(text + 1, NULL, 16); }

/* What a data set's papers do; --ignore is told from its default. */
static void take_preset(EvalTruth *t, MetasegEvalOptions *o)
{
    const PresetDef *def = t->def;
    o->data_set = def->title;
    if (o->ignore == metaseg_eval_options_defaults().ignore) o->ignore = 0;
    t->not_in_means = def->not_in_means;
    if (def->not_in_means != 0 && o->n_not_in_means == 0) {
        o->not_in_means = &t->not_in_means;
        o->n_not_in_means = 1;
    }
    o->truth_threshold = def->colors_threshold;
    ASSERT(def->n_remap <= ARRAY_LEN(t->remap));
    for (uint32_t i = 0; i < def->n_remap; i++)
        t->remap[i] = (MetasegClassPair){ def->remap[i].from, def->remap[i].to };
    o->truth_mapping = t->remap;
    o->n_truth_mapping = def->n_remap;
}

/* A name is that of a table in the data folder. */
static Err load_table(const Cli *cli, const char *word, ClassTable *ret_table)
{
    char *path = NULL;
    const bool file = strchr(word, '/') != NULL || str_ends_with(word, ".yaml");
    if (!file && cli->data_folder == NULL)
        return err_set(ERR_INPUT,
                       "--truth-classes %s: class tables are in the data folder, which was not found; name it with "
                       "--data-folder",
                       word);
    TRY(file ? str_copy(word, &path) : class_table_path(cli->data_folder, word, &path));
    const Err err = class_table_load(path, ret_table);
    free(path);
    return err_prefix(err, "--truth-classes %s", word);
}

static Err take_table(EvalTruth *t, const OptionList *ignored, MetasegEvalOptions *o)
{
    const char *own = t->def != NULL && ignored->count == 0 ? t->def->ignore_color : NULL;
    const int64_t n = (int64_t)t->table.n_classes + ignored->count + (own != NULL ? 1 : 0);
    int64_t at = 0;
    t->classes = calloc((size_t)n, sizeof *t->classes);
    if (t->classes == NULL) return err_memory((size_t)n * sizeof *t->classes, "the colours of the classes");
    for (uint32_t i = 0; i < t->table.n_classes; i++) {
        const DatasetClass *k = &t->table.classes[i];
        t->classes[at++] = (MetasegTruthClass){ color_of(k->color), k->value, k->name };
    }
    if (own != NULL) t->classes[at++] = (MetasegTruthClass){ .color = color_of(own) };
    for (int64_t i = 0; i < ignored->count; i++) {
        if (!class_color_is_valid(ignored->items[i]))
            return err_set(ERR_ARGUMENT, "--ignore-colors: '%s' is no colour; expected one as #000000",
                           ignored->items[i]);
        t->classes[at++] = (MetasegTruthClass){ .color = color_of(ignored->items[i]) };
    }
    o->truth_classes = t->classes;
    o->n_truth_classes = n;
    return ERR_NONE;
}

Err eval_truth_load(const Cli *cli, const char *preset, const char *table, const OptionList *ignore_colors,
                    EvalTruth *truth, MetasegEvalOptions *options)
{
    if (preset != NULL) {
        TRY(preset_get(preset, &truth->def));
        take_preset(truth, options);
    }
    const bool colors = truth->def != NULL && truth->def->labels_kind == LABELS_COLORS && cli->data_folder != NULL;
    if (table != NULL)
        TRY(load_table(cli, table, &truth->table));
    else if (colors)
        TRY(preset_classes(truth->def, cli->data_folder, &truth->table));
    else if (ignore_colors->count > 0)
        return err_set(ERR_ARGUMENT, "--ignore-colors is of a picture, whose classes --truth-classes TABLE names");
    if (table == NULL && !colors) return ERR_NONE;
    return take_table(truth, ignore_colors, options);
}

void eval_truth_done(EvalTruth *truth)
{
    class_table_done(&truth->table);
    free(truth->classes);
    *truth = (EvalTruth){ 0 };
}
