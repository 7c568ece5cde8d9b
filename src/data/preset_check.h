/* SPDX-License-Identifier: Apache-2.0
 *
 * Looks into the files of a preset: every image and every label file is read to its end. What is wrong becomes findings of the
 * preset, beside those of names that preset_open found.
 */
#ifndef METASEG_DATA_PRESET_CHECK_H
#define METASEG_DATA_PRESET_CHECK_H

#include "data/class_table.h"
#include "data/preset.h"
#include "metaseg/run.h"

typedef struct PresetCheck {
    int64_t pixels[PRESET_PARTS][256]; /* label pixels by the value of their class, after the preset's remap */
    int64_t ignored[PRESET_PARTS];     /* pixels without a label: the ignored value, nodata */
    int64_t read;                      /* images that were read */
} PresetCheck;

/* classes: of the preset's table. Progress of `run` counts images. ERR_INTERRUPTED, ERR_MEMORY; nothing that is wrong with a
 * file is an error. */
Err preset_check(Preset *preset, const ClassTable *classes, const MetasegRun *run, PresetCheck *ret_check);

#endif
