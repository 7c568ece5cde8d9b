/* SPDX-License-Identifier: Apache-2.0
 * Class tables. */
#include "data/class_table.h"

#include "base/str.h"

#include <string.h>

static const YamlField class_fields[] = {
    { "value", YAML_INTEGER, YAML_AT(DatasetClass, value), .minimum = 0, .maximum = 254 },
    { "name", YAML_STRING, YAML_AT(DatasetClass, name) },
    { "color", YAML_STRING, YAML_AT(DatasetClass, color) },
};
const YamlTable class_entry_table = { "class", sizeof(DatasetClass), class_fields, ARRAY_LEN(class_fields) };

static const YamlField table_fields[] = {
    { "name", YAML_STRING, YAML_AT(ClassTable, name) },
    { "ignore", YAML_INTEGER, YAML_AT(ClassTable, ignore), .minimum = 0, .maximum = 255, .default_value = "255" },
    { "classes", YAML_LIST, YAML_LIST_AT(ClassTable, classes, n_classes), .element = YAML_TABLE,
      .table = &class_entry_table, .min_count = CLASSES_MIN, .max_count = CLASSES_MAX },
};
static const YamlTable file_table = { "class table", sizeof(ClassTable), table_fields, ARRAY_LEN(table_fields) };

Err class_table_check(const char *path, const char *list, const DatasetClass *classes, uint32_t n)
{
    bool taken[256] = { false };
    for (uint32_t i = 0; i < n; i++) {
        const DatasetClass *c = &classes[i];
        if (c->color[0] != '#' || strlen(c->color) != 7 || strspn(c->color + 1, "0123456789abcdefABCDEF") != 6)
            return err_set(ERR_CONFIG, "'%s': %s.%u ('%s'): color '%s' is not of the form \"#rrggbb\"", path, list,
                           (unsigned)(i + 1), c->name, c->color);
        if (taken[c->value])
            return err_set(ERR_CONFIG, "'%s': %s.%u ('%s'): value %d is used twice", path, list, (unsigned)(i + 1),
                           c->name, (int)c->value);
        taken[c->value] = true;
    }
    return ERR_NONE;
}

Err class_table_load(const char *path, ClassTable *ret_table)
{
    ClassTable table;
    TRY(yaml_file_load(path, &file_table, NULL, 0, &table));
    const Err err = class_table_check(path, "classes", table.classes, table.n_classes);
    if (err == ERR_NONE)
        *ret_table = table;
    else
        class_table_done(&table);
    return err;
}

void class_table_done(ClassTable *table) { yaml_file_free(&file_table, table); }
