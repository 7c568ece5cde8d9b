/* SPDX-License-Identifier: Apache-2.0
 * Class tables. */
#include "data/class_table.h"

#include "base/str.h"

#include <stdio.h>
#include <string.h>

static const YamlField class_fields[] = {
    { "value", YAML_INTEGER, YAML_AT(DatasetClass, value), .minimum = 0, .maximum = 254, .resume = YAML_SAME },
    { "name", YAML_STRING, YAML_AT(DatasetClass, name), .resume = YAML_SAME },
    { "color", YAML_STRING, YAML_AT(DatasetClass, color), .resume = YAML_SAME },
};
const YamlTable class_entry_table = { "class", sizeof(DatasetClass), class_fields, ARRAY_LEN(class_fields) };

static const YamlField table_fields[] = {
    { "name", YAML_STRING, YAML_AT(ClassTable, name) },
    { "ignore", YAML_INTEGER, YAML_AT(ClassTable, ignore), .minimum = 0, .maximum = 255, .default_value = "255" },
    { "classes", YAML_LIST, YAML_LIST_AT(ClassTable, classes, n_classes), .element = YAML_TABLE,
      .table = &class_entry_table, .min_count = CLASSES_MIN, .max_count = CLASSES_MAX },
};
static const YamlTable file_table = { "class table", sizeof(ClassTable), table_fields, ARRAY_LEN(table_fields) };

bool class_color_is_valid(const char *color)
{
    return color[0] == '#' && strlen(color) == 7 && strspn(color + 1, "0123456789abcdefABCDEF") == 6;
}

Err class_table_check(const YamlFile *file, const char *list, const DatasetClass *classes, uint32_t n)
{
    bool taken[256] = { false };
    for (uint32_t i = 0; i < n; i++) {
        const DatasetClass *c = &classes[i];
        char place[64];
        (void)snprintf(place, sizeof place, "%s.%u.color", list, (unsigned)(i + 1));
        if (!class_color_is_valid(c->color))
            return yaml_file_wrong(file, place, "'%s' is not of the form \"#rrggbb\"", c->color);
        (void)snprintf(place, sizeof place, "%s.%u.value", list, (unsigned)(i + 1));
        if (taken[c->value]) return yaml_file_wrong(file, place, "%d is used twice", (int)c->value);
        taken[c->value] = true;
        (void)snprintf(place, sizeof place, "%s.%u.name", list, (unsigned)(i + 1));
        for (uint32_t k = 0; k < i; k++)
            if (strcmp(classes[k].name, c->name) == 0)
                return yaml_file_wrong(file, place, "'%s' is the name of class %u, too", c->name, (unsigned)(k + 1));
    }
    return ERR_NONE;
}

Err class_table_path(const char *data_folder, const char *name, char **ret_path)
{
    return str_format(ret_path, "%s/classes/%s.yaml", data_folder, name);
}

Err class_table_load(const char *path, ClassTable *ret_table)
{
    ClassTable table;
    YamlFile *file = NULL;
    TRY(yaml_file_load(path, &file_table, NULL, 0, &table, &file));
    const Err err = class_table_check(file, "classes", table.classes, table.n_classes);
    yaml_file_close(file);
    if (err == ERR_NONE)
        *ret_table = table;
    else
        class_table_done(&table);
    return err;
}

void class_table_done(ClassTable *table) { yaml_file_free(&file_table, table); }
