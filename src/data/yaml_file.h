/* SPDX-License-Identifier: Apache-2.0
 *
 * YAML files into plain structs, described by tables of ours (no YAML library type leaves yaml_tree.c).
 *
 *     typedef struct Train { int64_t steps; double rate; char *name; Box *boxes; uint32_t n_boxes; } Train;
 *
 *     static const YamlField train_fields[] = {
 *         { "steps", YAML_INTEGER, YAML_AT(Train, steps), .default_value = "1000", .minimum = 1, .maximum = 1e7 },
 *         { "rate", YAML_NUMBER, YAML_AT(Train, rate) },                              // required
 *         { "name", YAML_STRING, YAML_AT(Train, name), .optional = true },            // NULL when absent
 *         { "boxes", YAML_LIST, YAML_LIST_AT(Train, boxes, n_boxes), .element = YAML_TABLE, .table = &box_table,
 *           .optional = true },                                                       // NULL, 0 when absent
 *     };
 *     static const YamlTable train_table = { "train", sizeof(Train), train_fields, ARRAY_LEN(train_fields) };
 *
 *     Train train;
 *     TRY(yaml_file_load("train.yaml", &train_table, overrides, n_overrides, &train, NULL));
 *     ...
 *     yaml_file_free(&train_table, &train);
 *
 * (Names begin with yaml_file_ because libyaml exports yaml_free and its like.)
 *
 * Unknown keys, keys given twice, missing required keys, wrong types and values out of range are errors of one sentence
 * with file, line, column, key, and the nearest valid word. A key with nothing behind it, or with an unquoted ~ or null
 * (unless null is one of its words), counts as absent. Limits and what is refused: yaml_tree.h.
 *
 * A place in the file is written "data.scenes.2.image", entries of lists counted from 1; an override is such a place,
 * "=" and a value. A list of plain values is replaced as a whole: "model.mean=0.4,0.5" or "model.mean=[0.4, 0.5]".
 * It counts as if it stood in the file.
 */
#ifndef METASEG_DATA_YAML_FILE_H
#define METASEG_DATA_YAML_FILE_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum YamlKind {
    YAML_STRING = 1, /* char *, owned by the struct; empty text counts as absent */
    YAML_PATH,       /* the same; a relative path is taken from the folder of the file */
    YAML_INTEGER,    /* int32_t or int64_t */
    YAML_NUMBER,     /* float or double, finite */
    YAML_BOOLEAN,    /* bool: true/false, yes/no, on/off */
    YAML_CHOICE,     /* enum or int (4 bytes): index into `choices` */
    YAML_TABLE,      /* struct embedded in the struct, or (offset 0) more keys of the struct itself */
    YAML_LIST, /* pointer to an owned array, and its count (uint32_t or int64_t); an empty list counts as absent */
} YamlKind;

/* For configurations of something that can be continued: whether a value may differ then (yaml_record.h). */
typedef enum YamlResume { YAML_UNDECIDED = 0, YAML_SAME, YAML_MAY_CHANGE } YamlResume;

typedef struct YamlTable YamlTable;

typedef struct YamlField {
    const char *key;
    YamlKind kind;
    size_t offset, size;             /* of the member: YAML_AT; of a list: YAML_LIST_AT (size of one entry) */
    size_t count_offset, count_size; /* of a list's count */
    YamlKind element;                /* of a list: what its entries are; not YAML_LIST */
    const YamlTable *table;          /* YAML_TABLE, and lists of tables */
    const char *const *choices;      /* YAML_CHOICE, and lists of it */
    int64_t n_choices;
    const char *default_value; /* value when absent, as text; for a list of plain values "a,b". A plain one may lie
                                  outside the limits below, to tell absence */
    bool optional; /* absent without a default: NULL, 0, or all zero (a table: nothing in it is required then) */
    double minimum, maximum;      /* INTEGER and NUMBER, also as entries; both 0: unlimited */
    int64_t multiple;             /* INTEGER: of what; 0: of anything */
    int64_t min_count, max_count; /* YAML_LIST when present; max_count 0: unlimited */
    const char *alternative; /* another key of the table: one of the two is required, both are too many. Set on one of
                                them; both optional */
    const char
        *unless; /* another key of the table: where it is given this one may be absent, and so may the alternative */
    YamlResume resume;
} YamlField;

struct YamlTable {
    const char *name;
    size_t size; /* sizeof the struct */
    const YamlField *fields;
    int64_t n_fields;
};

/* Place of a member, for the initialisers of YamlField: data, not code. */
#define YAML_AT(Type, member) .offset = offsetof(Type, member), .size = sizeof(((Type *)0)->member)
#define YAML_LIST_AT(Type, member, count)                                                                              \
    .offset = offsetof(Type, member), .size = sizeof(((Type *)0)->member[0]), .count_offset = offsetof(Type, count),   \
    .count_size = sizeof(((Type *)0)->count)

/* A file that was read, kept for the messages of further checks. */
typedef struct YamlFile YamlFile;

/* Reads `path`, applies the overrides, fills the struct of `table` (untouched on failure). Absent tables get their
 * fields' defaults. ret_file may be NULL; else yaml_file_close() it, before the overrides go. ERR_CONFIG: the content
 * is wrong; ERR_ARGUMENT: an override is; ERR_INPUT: no such file; ERR_MEMORY. */
Err yaml_file_load(const char *path, const YamlTable *table, const char *const *overrides, int64_t n_overrides,
                   void *ret_struct, YamlFile **ret_file);
void yaml_file_close(YamlFile *file);

/* The same from text in memory; `name` stands for the file in messages. */
Err yaml_file_parse(const char *name, const char *text, size_t bytes, const YamlTable *table,
                    const char *const *overrides, int64_t n_overrides, void *ret_struct, YamlFile **ret_file);

/* "'file', line 7, column 11: data.scenes.2.image: message" for the value at a place ("" is the document), or as much
 * of the way to it as the file has. ERR_CONFIG, or ERR_ARGUMENT for a value that an override put there. */
Err yaml_file_wrong(const YamlFile *file, const char *place, const char *format, ...) PRINTF_LIKE(3, 4);

/* Whether the value at a place stands in the file, or an override put it there. */
bool yaml_file_has(const YamlFile *file, const char *place);

/* Count of a list in a struct that yaml_file_load filled. */
int64_t yaml_file_count(const YamlField *list, const void *structure);

/* Frees the strings and lists of a struct that yaml_file_load filled and zeroes it. The struct itself is the caller's.
 */
void yaml_file_free(const YamlTable *table, void *structure);

#endif
