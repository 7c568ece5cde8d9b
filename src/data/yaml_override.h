/* SPDX-License-Identifier: Apache-2.0
 *
 * Overrides ("data.scenes.2.image=b.tif") put into the tree of a file, and the look-ups by key that they share with
 * yaml_file.c. Internal to it.
 */
#ifndef METASEG_DATA_YAML_OVERRIDE_H
#define METASEG_DATA_YAML_OVERRIDE_H

#include "data/yaml_file.h"
#include "data/yaml_tree.h"

/* Puts one override into the tree of `root`, a map; tables on the way are made. `file` names the file in messages. The
 * text of the override is borrowed by the tree. ERR_ARGUMENT: it is wrong; ERR_CONFIG: the file is, on the way;
 * ERR_MEMORY. */
Err yaml_override(const char *file, const YamlTable *table, YamlNode *root, const char *override);

/* "a, b" or "[a, b]" as a list of plain values. ERR_MEMORY. */
Err yaml_override_list(const char *value, const char *override, YamlNode **ret_list);

/* The field of a key, NULL if there is none. */
const YamlField *yaml_override_field(const YamlTable *table, const char *key);

/* The child of a key or, in a list, of a number from 1; NULL if there is none. */
YamlNode *yaml_override_child(const YamlNode *node, const char *word);

/* "did you mean 'x'?" or "known here: a, b, c", for a key that `table` does not have. */
void yaml_override_advise(const YamlTable *table, const char *key, char *ret_text, size_t bytes);

#endif
