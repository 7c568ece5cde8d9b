/* SPDX-License-Identifier: Apache-2.0
 *
 * The classes of a data set as YAML: the entries of a list of classes, and the files of share/classes that hold one.
 */
#ifndef METASEG_DATA_CLASS_TABLE_H
#define METASEG_DATA_CLASS_TABLE_H

#include "data/dataset_options.h"
#include "data/yaml_file.h"

enum { CLASSES_MIN = 2, CLASSES_MAX = 254 };

/* Keys of one class, a DatasetClass. */
extern const YamlTable class_entry_table;

/* A class table file; owned (class_table_done). */
typedef struct ClassTable {
    char *name;
    int32_t ignore; /* label value that is never learned */
    DatasetClass *classes;
    uint32_t n_classes;
} ClassTable;

/* Reads and checks. ERR_INPUT: no such file; ERR_CONFIG: its content is wrong; ERR_MEMORY. */
Err class_table_load(const char *path, ClassTable *ret_table);
void class_table_done(ClassTable *table);

/* Where the data folder has the table of this name: "FOLDER/classes/NAME.yaml". free() it. ERR_MEMORY. */
Err class_table_path(const char *data_folder, const char *name, char **ret_path);

/* "#rrggbb". */
bool class_color_is_valid(const char *color);

/* What the keys alone do not tell of classes that `file` lists under `list` ("data.classes"): form of the colours, no
 * value and no name twice. ERR_CONFIG, ERR_ARGUMENT (by an override). */
Err class_table_check(const YamlFile *file, const char *list, const DatasetClass *classes, uint32_t n);

#endif
