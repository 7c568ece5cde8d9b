/* SPDX-License-Identifier: Apache-2.0
 *
 * How metaseg eval reads its reference: as a published data set has it, or by the colours of a class table. */
#ifndef METASEG_CLI_EVAL_TRUTH_H
#define METASEG_CLI_EVAL_TRUTH_H

#include "cli/cli.h"
#include "data/preset.h"
#include "metaseg/eval.h"

/* Zero it to start; eval_truth_done(). */
typedef struct EvalTruth {
    const PresetDef *def; /* NULL: no data set was named */
    ClassTable table;
    MetasegTruthClass *classes;
    MetasegClassPair remap[32];
    int32_t not_in_means;
} EvalTruth;

/* Fills in the options' data set, ignored value, truth_classes, threshold and mapping, which point into `truth`. preset, table (the name
 * of one of the data folder, or a file): NULL: none. What the options have already stays. ERR_ARGUMENT: no such preset, a
 * colour that is none; ERR_INPUT, ERR_CONFIG: the table; ERR_MEMORY. */
Err eval_truth_load(const Cli *cli, const char *preset, const char *table, const OptionList *ignore_colors,
                    EvalTruth *truth, MetasegEvalOptions *options);
void eval_truth_done(EvalTruth *truth);

#endif
