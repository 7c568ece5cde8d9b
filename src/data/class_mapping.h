/* SPDX-License-Identifier: Apache-2.0
 *
 * What the classes of one data set are in another (share/mappings), in a YAML file: name, from, to (class tables of share/classes,
 * without ".yaml") and classes, pairs of values.
 */
#ifndef METASEG_DATA_CLASS_MAPPING_H
#define METASEG_DATA_CLASS_MAPPING_H

#include "data/dataset_options.h"

typedef struct ClassMapping {
    char *name, *from, *to;
    DatasetRemap *classes;
    uint32_t n_classes;
} ClassMapping;

/* Reads and checks; class_mapping_done() it. ERR_INPUT: no such file; ERR_CONFIG: its content is wrong, a value is mapped twice;
 * ERR_MEMORY. */
Err class_mapping_load(const char *path, ClassMapping *ret_mapping);
void class_mapping_done(ClassMapping *mapping);

#endif
