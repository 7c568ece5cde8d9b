/* SPDX-License-Identifier: Apache-2.0
 *
 * What a configuration is, as JSON: every key that must stay the same when something is continued (YAML_SAME), defaults
 * filled in, keys in the order of their tables. Of a path it holds the name of the file, which may move to another
 * folder. Keys that may change are left out, so two runs that mean the same have the same record.
 */
#ifndef METASEG_DATA_YAML_RECORD_H
#define METASEG_DATA_YAML_RECORD_H

#include "base/json.h"
#include "data/yaml_file.h"

/* Writes the struct that yaml_file_load filled as an object. Every field must be decided (ASSERT). */
void yaml_record_put(JsonWriter *writer, const char *key, const YamlTable *table, const void *structure);

/* The same of every key, those that may change too, and of paths all. */
void yaml_record_put_all(JsonWriter *writer, const char *key, const YamlTable *table, const void *structure);

/* Appends for every key that differs "data.seed is 1 there and 2 here", "; " between them; nothing when the records are
 * the same. Of lists with other counts the counts are told. ERR_MEMORY. */
Err yaml_record_compare(const YamlTable *table, const Json *there, const Json *here, Str *ret_differences);

#endif
