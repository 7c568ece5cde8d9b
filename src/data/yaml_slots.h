/* SPDX-License-Identifier: Apache-2.0
 *
 * Between the YAML library and the structs: every key of a table as a slot that holds text, so that absence can be told
 * from any value, command-line overrides come in by the same way as the file, and every conversion error is ours to
 * word. Internal to yaml_file.c.
 */
#ifndef METASEG_DATA_YAML_SLOTS_H
#define METASEG_DATA_YAML_SLOTS_H

#include "data/yaml_file.h"

/* One key. `value` is NULL when absent; else, by kind: plain kinds: char * text; table: Slot[n_fields]; list: its
 * entries, char *[count] or Slot[count * n_fields], in one block. All from malloc. */
typedef struct YamlSlot {
    void *value;
    uint64_t count;
} YamlSlot;

/* A place in the document, as a chain towards the root, for messages. */
typedef struct YamlPath {
    const struct YamlPath *parent; /* NULL: the root */
    const char *key;               /* NULL: entry `index` of the list that is the parent */
    int64_t index;                 /* from 0; written from 1 */
} YamlPath;

typedef struct YamlSource {
    const char *name; /* file */
    const char *text; /* whole file, NUL-terminated; NULL: no lines are looked up */
} YamlSource;

enum { YAML_PATH_BYTES = 256 };

/* "data.scenes[2].image", "" for the root. */
void yaml_slots_path_text(const YamlPath *path, char ret_text[YAML_PATH_BYTES]);

/* The line (from 1) where `path` stands in block-style YAML, 0 if it is not found. */
int64_t yaml_slots_path_line(const char *text, const YamlPath *path);

/* "'file', line n: "; the message of the wrong thing at `path` follows. Returns err_set(ERR_CONFIG, ...). */
Err yaml_slots_wrong(const YamlSource *source, const YamlPath *path, const char *format, ...) PRINTF_LIKE(3, 4);

/* The field of a key, NULL if there is none. */
const YamlField *yaml_slots_field(const YamlTable *table, const char *key);

/* "did you mean 'x'?" or "expected one of: a, b, c", for a key that `table` does not have. */
void yaml_slots_advise(const YamlTable *table, const char *key, char *ret_text, size_t bytes);

/* Applies "a.b=c" to the slots of `table`. ERR_ARGUMENT, ERR_MEMORY. */
Err yaml_slots_override(const YamlTable *table, YamlSlot *slots, const char *override);

/* Fills the zeroed `structure` from slots (NULL: all absent). On failure what was filled so far is to be freed with
 * yaml_file_free. */
Err yaml_slots_fill(const YamlSource *source, const YamlTable *table, const YamlSlot *slots, const YamlPath *path,
                    void *structure);

#endif
