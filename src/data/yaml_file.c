/* SPDX-License-Identifier: Apache-2.0
 * From nodes to structs: which key is which field, defaults, conversion. */
#include "data/yaml_file.h"

#include "base/file.h"
#include "base/str.h"
#include "data/yaml_override.h"
#include "data/yaml_tree.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FILE_BYTES_MAX = 16 << 20, PLACE_BYTES = 256, KEYS_MAX = 64 };

struct YamlFile {
    char *name;
    YamlNode *root; /* NULL: empty */
};

static void join_place(char ret_place[PLACE_BYTES], const char *place, const char *key)
{
    (void)snprintf(ret_place, PLACE_BYTES, "%.190s%s%.60s", place, place[0] != '\0' ? "." : "", key);
}

/* ---- text to values ---- */

static Err fill_choice(const YamlField *field, const char *text, const char *place, void *to)
{
    for (int64_t i = 0; i < field->n_choices; i++)
        if (strcmp(text, field->choices[i]) == 0) {
            const int32_t value = (int32_t)i;
            memcpy(to, &value, sizeof value);
            return ERR_NONE;
        }
    char known[300] = "";
    size_t length = 0;
    for (int64_t i = 0; i < field->n_choices && length < sizeof known; i++)
        length += (size_t)snprintf(known + length, sizeof known - length, "%s%s", i > 0 ? ", " : "", field->choices[i]);
    const char *nearest = str_nearest(text, field->choices, field->n_choices);
    if (nearest != NULL)
        return err_set(ERR_ARGUMENT, "%s: '%s' is not known (expected one of %s); did you mean '%s'?", place, text,
                       known, nearest);
    return err_set(ERR_ARGUMENT, "%s: '%s' is not known; expected one of %s", place, text, known);
}

static Err fill_boolean(const char *text, const char *place, void *to)
{
    static const char *const words[] = { "false", "true", "no", "yes", "off", "on" };
    for (int64_t i = 0; i < ARRAY_LEN(words); i++)
        if (str_equal_nocase(text, words[i])) {
            const bool value = i % 2 == 1;
            memcpy(to, &value, sizeof value);
            return ERR_NONE;
        }
    return err_set(ERR_ARGUMENT, "%s: '%s' is neither true nor false", place, text);
}

static Err fill_integer(const YamlField *field, bool limited, const char *text, const char *place, void *to)
{
    const bool narrow = field->size == sizeof(int32_t);
    int64_t low = narrow ? INT32_MIN : INT64_MIN, high = narrow ? INT32_MAX : INT64_MAX;
    if (limited && field->minimum > (double)low) low = (int64_t)field->minimum;
    if (limited && field->maximum < (double)high) high = (int64_t)field->maximum;
    int64_t value = 0;
    TRY(str_parse_int(text, place, low, high, &value));
    if (field->multiple > 0 && value % field->multiple != 0)
        return err_set(ERR_ARGUMENT, "%s: %lld is not a multiple of %lld", place, (long long)value,
                       (long long)field->multiple);
    const int32_t value32 = (int32_t)value;
    ASSERT(narrow || field->size == sizeof value);
    memcpy(to, narrow ? (const void *)&value32 : (const void *)&value, field->size);
    return ERR_NONE;
}

static Err fill_number(const YamlField *field, bool limited, const char *text, const char *place, void *to)
{
    double value = 0.0;
    TRY(str_parse_double(text, place, limited ? field->minimum : -HUGE_VAL, limited ? field->maximum : HUGE_VAL,
                         &value));
    const float value32 = (float)value;
    const bool narrow = field->size == sizeof value32;
    ASSERT(narrow || field->size == sizeof value);
    memcpy(to, narrow ? (const void *)&value32 : (const void *)&value, field->size);
    return ERR_NONE;
}

static Err fill_text(const char *text, void *to)
{
    char *copy = NULL;
    TRY(str_copy(text, &copy));
    memcpy(to, &copy, sizeof copy);
    return ERR_NONE;
}

static Err fill_path(const char *file, const char *text, void *to)
{
    char *folder = NULL, *path = NULL;
    TRY(path_folder(file, &folder));
    const Err err = path_join(folder, text, &path);
    free(folder);
    if (err == ERR_NONE) memcpy(to, &path, sizeof path);
    return err;
}

static Err fill_by_kind(const char *file, const YamlField *field, YamlKind kind, bool limited, const char *text,
                        const char *place, void *to)
{
    const bool within = limited && (field->minimum != 0.0 || field->maximum != 0.0);
    switch (kind) {
    case YAML_STRING:
        return fill_text(text, to);
    case YAML_PATH:
        return fill_path(file, text, to);
    case YAML_INTEGER:
        return fill_integer(field, within, text, place, to);
    case YAML_NUMBER:
        return fill_number(field, within, text, place, to);
    case YAML_BOOLEAN:
        return fill_boolean(text, place, to);
    default:
        ASSERT(kind == YAML_CHOICE);
        return fill_choice(field, text, place, to);
    }
}

/* The type that a node has, and the one that is wanted. */
static Err check_kind(const char *file, const YamlNode *node, YamlKind kind, const char *place)
{
    static const char *const stands[] = { "a plain value stands", "a list stands", "keys with values stand" };
    static const char *const wanted[] = { "one plain value is", "a list is", "keys with values are" };
    const YamlNodeKind want = kind == YAML_TABLE ? YAML_NODE_MAP : kind == YAML_LIST ? YAML_NODE_LIST : YAML_NODE_TEXT;
    ASSERT(node != NULL);
    if (node->kind == want) return ERR_NONE;
    return yaml_tree_wrong(file, node, "%s: %s where %s expected", place[0] == '\0' ? "the document" : place,
                           stands[node->kind], wanted[want]);
}

static Err fill_plain(const char *file, const YamlField *field, YamlKind kind, const YamlNode *node, const char *place,
                      void *to)
{
    ASSERT(node != NULL);
    TRY(check_kind(file, node, kind, place));
    const Err err = fill_by_kind(file, field, kind, true, node->text, place, to);
    if (err != ERR_ARGUMENT) return err;
    char text[ERR_MESSAGE_BYTES];
    (void)snprintf(text, sizeof text, "%s", err_message());
    return yaml_tree_wrong(file, node, "%s", text);
}

/* ---- lists ---- */

static Err fill_table(const char *file, const YamlTable *table, const YamlNode *map, const char *place,
                      char *structure);

static void set_count(const YamlField *field, char *structure, int64_t count)
{
    const uint32_t narrow = (uint32_t)count;
    ASSERT(field->count_size == sizeof narrow || field->count_size == sizeof count);
    memcpy(structure + field->count_offset,
           field->count_size == sizeof narrow ? (const void *)&narrow : (const void *)&count, field->count_size);
}

int64_t yaml_file_count(const YamlField *list, const void *structure)
{
    const char *at = (const char *)structure + list->count_offset;
    uint32_t narrow = 0;
    int64_t count = 0;
    if (list->count_size == sizeof narrow)
        memcpy(&narrow, at, sizeof narrow);
    else
        memcpy(&count, at, sizeof count);
    return list->count_size == sizeof narrow ? (int64_t)narrow : count;
}

static Err fill_list(const char *file, const YamlField *field, const YamlNode *list, const char *place, char *structure)
{
    ASSERT(list != NULL);
    TRY(check_kind(file, list, YAML_LIST, place));
    const int64_t count = list->count;
    const bool few = count<field->min_count, many = field->max_count> 0 && count > field->max_count;
    if (few || many) {
        const char *how = field->min_count == field->max_count ? "exactly" : few ? "at least" : "at most";
        return yaml_tree_wrong(file, list, "%s: has %lld entries; expected %s %lld", place, (long long)count, how,
                               (long long)(few ? field->min_count : field->max_count));
    }
    char *items = calloc((size_t)count, field->size);
    if (items == NULL) return err_memory((unsigned long long)count * field->size, place);
    memcpy(structure + field->offset, &items, sizeof items); /* owned by the struct from here on, also on failure */
    set_count(field, structure, count);
    int64_t i = 0;
    for (const YamlNode *node = list->first; node != NULL; node = node->next, i++) {
        char here[PLACE_BYTES], number[32];
        (void)snprintf(number, sizeof number, "%lld", (long long)i + 1);
        join_place(here, place, number);
        char *to = items + (size_t)i * field->size;
        if (field->element == YAML_TABLE) TRY(check_kind(file, node, YAML_TABLE, here));
        TRY(field->element == YAML_TABLE ? fill_table(file, field->table, node, here, to)
                                         : fill_plain(file, field, field->element, node, here, to));
    }
    return ERR_NONE;
}

/* ---- tables ---- */

static bool has_word(const YamlField *field, const char *word)
{
    for (int64_t i = 0; i < field->n_choices; i++)
        if (strcmp(field->choices[i], word) == 0) return true;
    return false;
}

static bool is_absent(const YamlField *field, const YamlNode *node)
{
    static const char *const nothing[] = { "", "~", "null", "Null", "NULL" };
    if (node == NULL) return true;
    if (node->kind != YAML_NODE_TEXT)
        return node->kind == YAML_NODE_LIST && field->kind == YAML_LIST && node->count == 0 &&
               field->default_value == NULL; /* none of what has a default is no default */
    if (node->text[0] == '\0') return node->plain || field->kind == YAML_STRING || field->kind == YAML_PATH;
    for (int64_t i = 0; node->plain && i < ARRAY_LEN(nothing); i++)
        if (strcmp(node->text, nothing[i]) == 0) return !has_word(field, nothing[i]);
    return false;
}

static Err fill_absent(const char *file, const YamlField *field, const YamlNode *map, const char *place,
                       char *structure)
{
    static const char *const kinds[] = {
        [YAML_STRING] = "a text",          [YAML_PATH] = "a path",           [YAML_INTEGER] = "a whole number",
        [YAML_NUMBER] = "a number",        [YAML_BOOLEAN] = "true or false", [YAML_CHOICE] = "one of its words",
        [YAML_TABLE] = "keys with values", [YAML_LIST] = "a list",
    };
    if (field->default_value != NULL && field->kind == YAML_LIST) {
        YamlNode *list = NULL;
        TRY(yaml_override_list(field->default_value, NULL, &list));
        const Err err = fill_list(file, field, list, place, structure);
        yaml_tree_free(list);
        return err;
    }
    if (field->default_value != NULL)
        return fill_by_kind(file, field, field->kind, false, field->default_value, place, structure + field->offset);
    if (field->optional) return ERR_NONE;
    if (field->kind == YAML_TABLE) return fill_table(file, field->table, NULL, place, structure + field->offset);
    return yaml_tree_wrong(file, map, "key '%s' is missing; expected %s", place, kinds[field->kind]);
}

/* The node of each field, NULL where there is none. */
static Err match_keys(const char *file, const YamlTable *table, const YamlNode *map, const char *place,
                      const YamlNode *given[KEYS_MAX])
{
    ASSERT(table->n_fields <= KEYS_MAX);
    for (const YamlNode *node = map == NULL ? NULL : map->first; node != NULL; node = node->next) {
        const YamlField *field = yaml_override_field(table, node->key);
        const YamlNode key = { .line = node->key_line, .column = node->key_column, .override = node->override };
        char here[PLACE_BYTES];
        join_place(here, place, node->key);
        if (field == NULL && strcmp(node->key, "<<") == 0)
            return yaml_tree_wrong(file, &key, "merge keys ('<<') are not read; write the keys out");
        if (field == NULL) {
            char advice[512];
            yaml_override_advise(table, node->key, advice, sizeof advice);
            return yaml_tree_wrong(file, &key, "unknown key '%s'; %s", here, advice);
        }
        const int64_t i = field - table->fields;
        if (given[i] != NULL)
            return yaml_tree_wrong(file, &key, "key '%s' is given twice (first in line %lld); keep one", here,
                                   (long long)given[i]->key_line);
        given[i] = node;
    }
    return ERR_NONE;
}

/* Keys that are not known or given twice, wherever they stand: told before what is missing, which they may explain. */
static Err check_keys(const char *file, const YamlTable *table, const YamlNode *map, const char *place)
{
    const YamlNode *given[KEYS_MAX] = { NULL };
    TRY(match_keys(file, table, map, place, given));
    for (int64_t i = 0; i < table->n_fields; i++) {
        const YamlNode *node = given[i];
        char here[PLACE_BYTES], entry[PLACE_BYTES], number[32];
        if (node == NULL || table->fields[i].table == NULL) continue;
        join_place(here, place, table->fields[i].key);
        if (node->kind == YAML_NODE_MAP) TRY(check_keys(file, table->fields[i].table, node, here));
        int64_t n = 1;
        for (const YamlNode *child = node->kind == YAML_NODE_LIST ? node->first : NULL; child != NULL;
             child = child->next, n++) {
            (void)snprintf(number, sizeof number, "%lld", (long long)n);
            join_place(entry, here, number);
            if (child->kind == YAML_NODE_MAP) TRY(check_keys(file, table->fields[i].table, child, entry));
        }
    }
    return ERR_NONE;
}

/* The key that makes this one dispensable is given. */
static bool is_spared(const YamlTable *table, const YamlField *field, const YamlNode *const given[KEYS_MAX])
{
    if (field->unless == NULL) return false;
    const YamlField *other = yaml_override_field(table, field->unless);
    ASSERT(other != NULL);
    return !is_absent(other, given[other - table->fields]);
}

/* Of a field and its alternative exactly one is there. */
static Err check_alternative(const char *file, const YamlTable *table, const YamlField *field, const YamlNode *map,
                             const char *place, const YamlNode *const given[KEYS_MAX])
{
    const YamlField *other = yaml_override_field(table, field->alternative);
    ASSERT(other != NULL);
    const YamlNode *node = given[field - table->fields];
    const bool here = !is_absent(field, node), there = !is_absent(other, given[other - table->fields]);
    if (here != there || (!here && is_spared(table, field, given))) return ERR_NONE;
    char text[PLACE_BYTES], other_text[PLACE_BYTES];
    join_place(text, place, field->key);
    join_place(other_text, place, other->key);
    if (here) return yaml_tree_wrong(file, node, "keys '%s' and '%s' are both given; keep one", text, other_text);
    return yaml_tree_wrong(file, map, "keys '%s' and '%s' are both missing; give one", text, other_text);
}

/* map NULL: all is absent. */
static Err fill_table(const char *file, const YamlTable *table, const YamlNode *map, const char *place, char *structure)
{
    const YamlNode *given[KEYS_MAX] = { NULL };
    TRY(match_keys(file, table, map, place, given));
    for (int64_t i = 0; i < table->n_fields; i++) {
        const YamlField *field = &table->fields[i];
        char here[PLACE_BYTES];
        join_place(here, place, field->key);
        if (field->alternative != NULL) TRY(check_alternative(file, table, field, map, place, given));
        if (is_absent(field, given[i])) {
            if (is_spared(table, field, given)) continue;
            TRY(fill_absent(file, field, map, here, structure));
        } else if (field->kind == YAML_TABLE) {
            TRY(check_kind(file, given[i], YAML_TABLE, here));
            TRY(fill_table(file, field->table, given[i], here, structure + field->offset));
        } else if (field->kind == YAML_LIST) {
            TRY(fill_list(file, field, given[i], here, structure));
        } else {
            TRY(fill_plain(file, field, field->kind, given[i], here, structure + field->offset));
        }
    }
    return ERR_NONE;
}

/* ---- files ---- */

static Err fill_root(YamlFile *file, const YamlTable *table, const char *const *overrides, int64_t n_overrides,
                     void *ret_struct)
{
    static const YamlField document = { .kind = YAML_TABLE };
    if (is_absent(&document, file->root)) {
        yaml_tree_free(file->root);
        file->root = NULL;
        TRY(yaml_tree_new(YAML_NODE_MAP, NULL, NULL, &file->root));
    }
    file->root->line = 0; /* what is missing in the whole document has no line */
    TRY(check_kind(file->name, file->root, YAML_TABLE, ""));
    for (int64_t i = 0; i < n_overrides; i++) TRY(yaml_override(file->name, table, file->root, overrides[i]));
    TRY(check_keys(file->name, table, file->root, ""));
    char *filled = calloc(1, table->size);
    if (filled == NULL) return err_memory(table->size, "a configuration");
    const Err err = fill_table(file->name, table, file->root, "", filled);
    if (err == ERR_NONE)
        memcpy(ret_struct, filled, table->size);
    else
        yaml_file_free(table, filled);
    free(filled);
    return err;
}

Err yaml_file_parse(const char *name, const char *text, size_t bytes, const YamlTable *table,
                    const char *const *overrides, int64_t n_overrides, void *ret_struct, YamlFile **ret_file)
{
    YamlFile *file = calloc(1, sizeof *file);
    if (file == NULL) return err_memory(sizeof *file, "a YAML file");
    Err err = str_copy(name, &file->name);
    if (err == ERR_NONE) err = yaml_tree_parse(name, text, bytes, &file->root);
    if (err == ERR_NONE) err = fill_root(file, table, overrides, n_overrides, ret_struct);
    if (err == ERR_NONE && ret_file != NULL)
        *ret_file = file;
    else
        yaml_file_close(file);
    return err;
}

Err yaml_file_load(const char *path, const YamlTable *table, const char *const *overrides, int64_t n_overrides,
                   void *ret_struct, YamlFile **ret_file)
{
    char *text = NULL;
    size_t bytes = 0;
    TRY(file_read(path, FILE_BYTES_MAX, &text, &bytes));
    const Err err = yaml_file_parse(path, text, bytes, table, overrides, n_overrides, ret_struct, ret_file);
    free(text);
    return err;
}

void yaml_file_close(YamlFile *file)
{
    if (file == NULL) return;
    yaml_tree_free(file->root);
    free(file->name);
    free(file);
}

/* The node at a place, or the last one on the way to it; whether it is that of the place. */
static const YamlNode *walk_to(const YamlFile *file, const char *place, bool *ret_there)
{
    const YamlNode *node = file->root;
    *ret_there = true;
    for (const char *at = place; *at != '\0';) {
        char word[PLACE_BYTES];
        const size_t length = strcspn(at, ".");
        (void)snprintf(word, sizeof word, "%.*s", (int)length, at);
        const YamlNode *child = yaml_override_child(node, word);
        *ret_there = child != NULL;
        if (child == NULL) break;
        node = child;
        at += length + (at[length] == '.');
    }
    return node;
}

bool yaml_file_has(const YamlFile *file, const char *place)
{
    bool there = false;
    const YamlNode *node = walk_to(file, place, &there);
    return there && !(node->kind == YAML_NODE_TEXT && node->plain && node->text[0] == '\0');
}

Err yaml_file_wrong(const YamlFile *file, const char *place, const char *format, ...)
{
    char text[ERR_MESSAGE_BYTES / 2];
    bool there = false;
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    const YamlNode *node = walk_to(file, place, &there);
    return yaml_tree_wrong(file->name, node, "%s%s%s", place, place[0] != '\0' ? ": " : "", text);
}

/* ---- freeing ---- */

static void free_fields(const YamlTable *table, char *structure);

static void free_text(const char *at)
{
    char *text = NULL;
    memcpy(&text, at, sizeof text);
    free(text);
}

static void free_list(const YamlField *field, const char *structure)
{
    char *items = NULL;
    memcpy(&items, structure + field->offset, sizeof items);
    const int64_t count = yaml_file_count(field, structure);
    for (int64_t i = 0; items != NULL && i < count; i++) {
        char *item = items + (size_t)i * field->size;
        if (field->element == YAML_TABLE) free_fields(field->table, item);
        if (field->element == YAML_STRING || field->element == YAML_PATH) free_text(item);
    }
    free(items);
}

static void free_fields(const YamlTable *table, char *structure)
{
    for (int64_t i = 0; i < table->n_fields; i++) {
        const YamlField *field = &table->fields[i];
        if (field->kind == YAML_TABLE) free_fields(field->table, structure + field->offset);
        if (field->kind == YAML_LIST) free_list(field, structure);
        if (field->kind == YAML_STRING || field->kind == YAML_PATH) free_text(structure + field->offset);
    }
}

void yaml_file_free(const YamlTable *table, void *structure)
{
    if (structure == NULL) return;
    free_fields(table, structure);
    memset(structure, 0, table->size);
}
