/* SPDX-License-Identifier: Apache-2.0
 * Class mappings. */
#include "data/class_mapping.h"

#include "data/yaml_file.h"

#include <stdio.h>

static const YamlField pair_fields[] = {
    { "from", YAML_INTEGER, YAML_AT(DatasetRemap, from), .minimum = 0, .maximum = 255 },
    { "to", YAML_INTEGER, YAML_AT(DatasetRemap, to), .minimum = 0, .maximum = 255 },
};
static const YamlTable pair_table = { "pair", sizeof(DatasetRemap), pair_fields, ARRAY_LEN(pair_fields) };

static const YamlField fields[] = {
    { "name", YAML_STRING, YAML_AT(ClassMapping, name) },
    { "from", YAML_STRING, YAML_AT(ClassMapping, from) },
    { "to", YAML_STRING, YAML_AT(ClassMapping, to) },
    { "classes", YAML_LIST, YAML_LIST_AT(ClassMapping, classes, n_classes), .element = YAML_TABLE, .table = &pair_table,
      .min_count = 1, .max_count = 256 },
};
static const YamlTable mapping_table = { "class mapping", sizeof(ClassMapping), fields, ARRAY_LEN(fields) };

static Err check(const YamlFile *file, const ClassMapping *m)
{
    bool taken[256] = { false };
    for (uint32_t i = 0; i < m->n_classes; i++) {
        char place[64];
        (void)snprintf(place, sizeof place, "classes.%u.from", (unsigned)(i + 1));
        if (taken[m->classes[i].from]) return yaml_file_wrong(file, place, "%d is used twice", (int)m->classes[i].from);
        taken[m->classes[i].from] = true;
    }
    return ERR_NONE;
}

Err class_mapping_load(const char *path, ClassMapping *ret_mapping)
{
    ClassMapping mapping;
    YamlFile *file = NULL;
    TRY(yaml_file_load(path, &mapping_table, NULL, 0, &mapping, &file));
    const Err err = check(file, &mapping);
    yaml_file_close(file);
    if (err == ERR_NONE)
        *ret_mapping = mapping;
    else
        class_mapping_done(&mapping);
    return err;
}

void class_mapping_done(ClassMapping *mapping) { yaml_file_free(&mapping_table, mapping); }
