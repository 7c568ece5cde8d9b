/* SPDX-License-Identifier: Apache-2.0
 * Slots of text to structs: paths and messages, overrides, conversion, freeing. */
#include "data/yaml_slots.h"

#include "base/file.h"
#include "base/str.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- places and messages ---- */

void yaml_slots_path_text(const YamlPath *path, char ret_text[YAML_PATH_BYTES])
{
    if (path == NULL) {
        ret_text[0] = '\0';
        return;
    }
    yaml_slots_path_text(path->parent, ret_text);
    const size_t length = strlen(ret_text);
    if (path->key == NULL)
        (void)snprintf(ret_text + length, YAML_PATH_BYTES - length, "[%lld]", (long long)path->index + 1);
    else
        (void)snprintf(ret_text + length, YAML_PATH_BYTES - length, "%s%s", length > 0 ? "." : "", path->key);
}

/* One line of the text from *at: blanks in front (also those behind "- "), and the content. */
typedef struct Line {
    const char *content;
    int64_t indent;
    int64_t dash; /* column of the "- " in front of the content, -1 if there is none */
} Line;

static const char *read_line(const char *at, Line *ret_line)
{
    const char *start = at;
    *ret_line = (Line){ .dash = -1 };
    at += strspn(at, " ");
    while (at[0] == '-' && (at[1] == ' ' || at[1] == '\n')) {
        ret_line->dash = at - start;
        at++;
        at += strspn(at, " ");
    }
    ret_line->content = at;
    ret_line->indent = at - start;
    at += strcspn(at, "\n");
    return *at == '\n' ? at + 1 : at;
}

static bool is_key(const char *content, const char *key)
{
    const size_t length = strlen(key);
    return strncmp(content, key, length) == 0 && content[length] == ':';
}

/* Where a path was found: the line, its start, and the column of what stands there. */
typedef struct Place {
    int64_t line;
    const char *at;
    int64_t indent;
} Place;

static bool find_place(const char *text, const YamlPath *path, Place *ret_place)
{
    Place place = { .line = 1, .at = text, .indent = -1 };
    if (path == NULL) {
        *ret_place = place;
        return true;
    }
    if (!find_place(text, path->parent, &place)) return false;
    const bool in_entry =
        path->parent != NULL && path->parent->key == NULL; /* its first key may share the line of the dash */
    int64_t column = in_entry ? place.indent : -1;
    int64_t entry = -1;
    const char *next = NULL;
    for (const char *at = place.at; *at != '\0'; at = next, place.line++) {
        Line line;
        next = read_line(at, &line);
        const bool first = at == place.at;
        if (line.content[0] == '\n' || line.content[0] == '#' || line.content[0] == '\0') continue;
        if (first && path->parent != NULL && !in_entry) continue; /* the parent's own line */
        const bool dashed = line.dash >= 0 && !(first && in_entry);
        const int64_t starts = dashed ? line.dash : line.indent;
        if (column < 0) column = starts;
        if (starts < column || column < place.indent) return false;
        if (starts > column) continue;
        const bool found =
            path->key != NULL ? !dashed && is_key(line.content, path->key) : dashed && ++entry == path->index;
        if (!found) continue;
        *ret_place = (Place){ place.line, at, line.indent };
        return true;
    }
    return false;
}

int64_t yaml_slots_path_line(const char *text, const YamlPath *path)
{
    Place place;
    return text != NULL && path != NULL && find_place(text, path, &place) ? place.line : 0;
}

Err yaml_slots_wrong(const YamlSource *source, const YamlPath *path, const char *format, ...)
{
    char text[ERR_MESSAGE_BYTES / 2], place[32] = "";
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    const int64_t line = yaml_slots_path_line(source->text, path);
    if (line > 0) (void)snprintf(place, sizeof place, ", line %lld", (long long)line);
    return err_set(ERR_CONFIG, "'%s'%s: %s", source->name, place, text);
}

const YamlField *yaml_slots_field(const YamlTable *table, const char *key)
{
    for (int64_t i = 0; i < table->n_fields; i++)
        if (strcmp(table->fields[i].key, key) == 0) return &table->fields[i];
    return NULL;
}

enum { NAMES_MAX = 64 };

void yaml_slots_advise(const YamlTable *table, const char *key, char *ret_text, size_t bytes)
{
    const char *keys[NAMES_MAX];
    ASSERT(table->n_fields <= NAMES_MAX);
    for (int64_t i = 0; i < table->n_fields; i++) keys[i] = table->fields[i].key;
    const char *nearest = str_nearest(key, keys, table->n_fields);
    if (nearest != NULL) {
        (void)snprintf(ret_text, bytes, "did you mean '%s'?", nearest);
        return;
    }
    size_t length = (size_t)snprintf(ret_text, bytes, "known here:");
    for (int64_t i = 0; i < table->n_fields && length < bytes; i++)
        length += (size_t)snprintf(ret_text + length, bytes - length, "%s %s", i > 0 ? "," : "", keys[i]);
}

/* ---- overrides ---- */

static void free_texts(YamlSlot *slot)
{
    char **texts = slot->value;
    for (uint64_t i = 0; i < slot->count; i++) free(texts[i]);
    free(texts);
    *slot = (YamlSlot){ 0 };
}

/* "a, b" or "[a, b]" into a list slot of texts. */
static Err split_texts(const char *value, YamlSlot *ret_slot)
{
    const char *end = value + strlen(value);
    if (value[0] == '[' && end > value + 1 && end[-1] == ']') {
        value++;
        end--;
    }
    value += strspn(value, " ");
    size_t most = 1;
    for (const char *at = value; at < end; at++) most += *at == ',';
    YamlSlot slot = { .value = calloc(most, sizeof(char *)) };
    if (slot.value == NULL) return err_memory(most * sizeof(char *), "a list");
    while (value < end) {
        const size_t left = (size_t)(end - value);
        const char *comma = memchr(value, ',', left);
        const char *stop = comma == NULL ? end : comma;
        while (stop > value && stop[-1] == ' ') stop--;
        char *text = NULL;
        const Err err = str_format(&text, "%.*s", (int)(stop - value), value);
        if (err != ERR_NONE) {
            free_texts(&slot);
            return err;
        }
        ((char **)slot.value)[slot.count++] = text;
        value = comma == NULL ? end : comma + 1;
        value += strspn(value, " ");
    }
    *ret_slot = slot;
    return ERR_NONE;
}

static Err override_value(const YamlField *field, YamlSlot *slot, const char *value)
{
    if (field->kind == YAML_LIST) {
        YamlSlot fresh;
        TRY(split_texts(value, &fresh));
        if (slot->value != NULL) free_texts(slot);
        *slot = fresh;
        return ERR_NONE;
    }
    char *copy = NULL;
    TRY(str_copy(value, &copy));
    free(slot->value);
    slot->value = copy;
    return ERR_NONE;
}

/* The slots of the table that comes next on the way; makes an absent one. */
static Err override_enter(const char *override, const YamlField *field, YamlSlot *slot, char **rest,
                          YamlSlot **ret_slots)
{
    const int64_t n_fields = field->table->n_fields;
    if (field->kind == YAML_TABLE) {
        if (slot->value == NULL) slot->value = calloc((size_t)n_fields, sizeof(YamlSlot));
        if (slot->value == NULL) return err_memory((unsigned long long)n_fields * sizeof(YamlSlot), "a configuration");
        *ret_slots = slot->value;
        return ERR_NONE;
    }
    char *end = NULL;
    const long long place = strtoll(*rest, &end, 10);
    if (end == *rest || *end != '.' || place < 1 || (uint64_t)place > slot->count)
        return err_set(ERR_ARGUMENT, "--set %s: '%s' is a list of %llu; write '%s.1.KEY=VALUE' to '%s.%llu.KEY=VALUE'",
                       override, field->key, (unsigned long long)slot->count, field->key, field->key,
                       (unsigned long long)slot->count);
    *rest = end + 1;
    *ret_slots = (YamlSlot *)slot->value + (place - 1) * n_fields;
    return ERR_NONE;
}

static Err override_walk(const YamlTable *table, YamlSlot *slots, const char *override, char *path, const char *value)
{
    for (char *rest = path;;) {
        char *key = rest;
        char *dot = strchr(rest, '.');
        if (dot != NULL) *dot = '\0';
        const YamlField *field = yaml_slots_field(table, key);
        if (field == NULL) {
            char advice[512];
            yaml_slots_advise(table, key, advice, sizeof advice);
            return err_set(ERR_ARGUMENT, "--set %s: unknown key '%s'; %s", override, key, advice);
        }
        YamlSlot *slot = &slots[field - table->fields];
        const bool holds_tables = field->table != NULL;
        if (dot == NULL && !holds_tables) return override_value(field, slot, value);
        if (dot == NULL || !holds_tables)
            return err_set(ERR_ARGUMENT, "--set %s: '%s' %s", override, key,
                           holds_tables ? "holds keys of its own; name one of them, as in section.key=value"
                                        : "is a plain value; it has no keys of its own");
        rest = dot + 1;
        TRY(override_enter(override, field, slot, &rest, &slots));
        table = field->table;
    }
}

Err yaml_slots_override(const YamlTable *table, YamlSlot *slots, const char *override)
{
    const char *equals = strchr(override, '=');
    if (equals == NULL || equals == override)
        return err_set(ERR_ARGUMENT, "--set %s: expected section.key=value", override);
    char *path = NULL;
    TRY(str_format(&path, "%.*s", (int)(equals - override), override));
    const Err err = override_walk(table, slots, override, path, equals + 1);
    free(path);
    return err;
}

/* ---- text to values ---- */

static Err fill_choice(const YamlField *field, const char *text, const char *what, void *to)
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
        return err_set(ERR_ARGUMENT, "%s: '%s' is not known (expected one of %s); did you mean '%s'?", what, text,
                       known, nearest);
    return err_set(ERR_ARGUMENT, "%s: '%s' is not known; expected one of %s", what, text, known);
}

static Err fill_boolean(const char *text, const char *what, void *to)
{
    static const char *const words[] = { "false", "true", "no", "yes", "off", "on" };
    for (int64_t i = 0; i < ARRAY_LEN(words); i++)
        if (str_equal_nocase(text, words[i])) {
            const bool value = i % 2 == 1;
            memcpy(to, &value, sizeof value);
            return ERR_NONE;
        }
    return err_set(ERR_ARGUMENT, "%s: '%s' is neither true nor false", what, text);
}

static Err fill_integer(const YamlField *field, size_t size, const char *text, const char *what, void *to)
{
    const bool limited = field->minimum != 0.0 || field->maximum != 0.0;
    int64_t low = size == sizeof(int32_t) ? INT32_MIN : INT64_MIN,
            high = size == sizeof(int32_t) ? INT32_MAX : INT64_MAX;
    if (limited && field->minimum > (double)low) low = (int64_t)field->minimum;
    if (limited && field->maximum < (double)high) high = (int64_t)field->maximum;
    int64_t value = 0;
    TRY(str_parse_int(text, what, low, high, &value));
    if (size == sizeof(int32_t)) {
        const int32_t narrow = (int32_t)value;
        memcpy(to, &narrow, sizeof narrow);
    } else {
        ASSERT(size == sizeof value);
        memcpy(to, &value, sizeof value);
    }
    return ERR_NONE;
}

static Err fill_number(const YamlField *field, size_t size, const char *text, const char *what, void *to)
{
    const bool limited = field->minimum != 0.0 || field->maximum != 0.0;
    double value = 0.0;
    TRY(str_parse_double(text, what, limited ? field->minimum : -HUGE_VAL, limited ? field->maximum : HUGE_VAL,
                         &value));
    if (size == sizeof(float)) {
        const float narrow = (float)value;
        memcpy(to, &narrow, sizeof narrow);
    } else {
        ASSERT(size == sizeof value);
        memcpy(to, &value, sizeof value);
    }
    return ERR_NONE;
}

static Err fill_path(const char *file, const char *text, void *to)
{
    char *folder = NULL, *path = NULL;
    TRY(path_folder(file, &folder));
    const Err err = text[0] == '/' ? str_copy(text, &path) : path_join(folder, text, &path);
    free(folder);
    if (err == ERR_NONE) memcpy(to, &path, sizeof path);
    return err;
}

/* One plain value. */
static Err fill_plain(const YamlSource *source, const YamlField *field, YamlKind kind, const char *text,
                      const YamlPath *path, void *to)
{
    char what[YAML_PATH_BYTES];
    yaml_slots_path_text(path, what);
    Err err = ERR_INTERNAL;
    switch (kind) {
    case YAML_STRING: {
        char *copy = NULL;
        err = str_copy(text, &copy);
        if (err == ERR_NONE) memcpy(to, &copy, sizeof copy);
        break;
    }
    case YAML_PATH:
        err = fill_path(source->name, text, to);
        break;
    case YAML_INTEGER:
        err = fill_integer(field, field->size, text, what, to);
        break;
    case YAML_NUMBER:
        err = fill_number(field, field->size, text, what, to);
        break;
    case YAML_BOOLEAN:
        err = fill_boolean(text, what, to);
        break;
    case YAML_CHOICE:
        err = fill_choice(field, text, what, to);
        break;
    default:
        ASSERT(!"a plain kind");
    }
    return err == ERR_ARGUMENT ? yaml_slots_wrong(source, path, "%s", err_message()) : err;
}

static const char *kind_name(const YamlField *field)
{
    static const char *const names[] = {
        [YAML_STRING] = "a text",          [YAML_PATH] = "a path",           [YAML_INTEGER] = "a whole number",
        [YAML_NUMBER] = "a number",        [YAML_BOOLEAN] = "true or false", [YAML_CHOICE] = "one of its words",
        [YAML_TABLE] = "keys with values", [YAML_LIST] = "a list",
    };
    return names[field->kind];
}

static void set_count(const YamlField *field, char *structure, uint64_t count)
{
    if (field->count_size == sizeof(uint32_t)) {
        const uint32_t narrow = (uint32_t)count;
        memcpy(structure + field->count_offset, &narrow, sizeof narrow);
    } else {
        ASSERT(field->count_size == sizeof count);
        memcpy(structure + field->count_offset, &count, sizeof count);
    }
}

static uint64_t get_count(const YamlField *field, const char *structure)
{
    uint32_t narrow = 0;
    uint64_t count = 0;
    if (field->count_size == sizeof count)
        memcpy(&count, structure + field->count_offset, sizeof count);
    else
        memcpy(&narrow, structure + field->count_offset, sizeof narrow);
    return field->count_size == sizeof count ? count : narrow;
}

static Err fill_list(const YamlSource *source, const YamlField *field, const YamlSlot *slot, const YamlPath *path,
                     char *structure)
{
    const int64_t count = (int64_t)slot->count;
    char what[YAML_PATH_BYTES];
    yaml_slots_path_text(path, what);
    const bool few = count<field->min_count, many = field->max_count> 0 && count > field->max_count;
    if (few || many || count > UINT32_MAX) {
        const char *how = field->min_count == field->max_count ? "exactly" : few ? "at least" : "at most";
        return yaml_slots_wrong(source, path, "%s: has %lld entries; expected %s %lld", what, (long long)count, how,
                                (long long)(few ? field->min_count : field->max_count));
    }
    if (count == 0) return ERR_NONE;
    ASSERT(slot->value != NULL);
    char *items = calloc((size_t)count, field->size);
    if (items == NULL) return err_memory((unsigned long long)count * field->size, what);
    memcpy(structure + field->offset, &items, sizeof items); /* owned by the struct from here on, also on failure */
    set_count(field, structure, slot->count);
    for (int64_t i = 0; i < count; i++) {
        const YamlPath entry = { path, NULL, i };
        char *to = items + (size_t)i * field->size;
        if (field->element == YAML_TABLE)
            TRY(yaml_slots_fill(source, field->table, (const YamlSlot *)slot->value + i * field->table->n_fields,
                                &entry, to));
        else
            TRY(fill_plain(source, field, field->element, ((char *const *)slot->value)[i], &entry, to));
    }
    return ERR_NONE;
}

static Err fill_absent(const YamlSource *source, const YamlField *field, const YamlPath *path, char *structure)
{
    if (field->default_value != NULL && field->kind == YAML_LIST) {
        YamlSlot slot;
        TRY(split_texts(field->default_value, &slot));
        const Err err = fill_list(source, field, &slot, path, structure);
        free_texts(&slot);
        return err;
    }
    if (field->default_value != NULL) {
        YamlField free_of_limits = *field;
        free_of_limits.minimum = free_of_limits.maximum = 0.0;
        return fill_plain(source, &free_of_limits, field->kind, field->default_value, path, structure + field->offset);
    }
    if (field->optional) return ERR_NONE;
    if (field->kind == YAML_TABLE) return yaml_slots_fill(source, field->table, NULL, path, structure + field->offset);
    char what[YAML_PATH_BYTES];
    yaml_slots_path_text(path, what);
    return yaml_slots_wrong(source, path->parent, "key '%s' is missing; expected %s", what, kind_name(field));
}

static bool is_absent(const YamlField *field, const YamlSlot *slot)
{
    if (slot->value == NULL) return true;
    if (field->kind == YAML_LIST) return slot->count == 0;
    return (field->kind == YAML_STRING || field->kind == YAML_PATH) && ((const char *)slot->value)[0] == '\0';
}

/* Of a field and its alternative exactly one is there. */
static Err check_alternative(const YamlSource *source, const YamlTable *table, const YamlSlot *slots,
                             const YamlField *field, const YamlPath *path)
{
    const YamlField *other = yaml_slots_field(table, field->alternative);
    ASSERT(other != NULL);
    const bool here = slots != NULL && !is_absent(field, &slots[field - table->fields]);
    const bool there = slots != NULL && !is_absent(other, &slots[other - table->fields]);
    if (here != there) return ERR_NONE;
    const YamlPath field_path = { path, field->key, 0 }, other_path = { path, other->key, 0 };
    char text[YAML_PATH_BYTES], other_text[YAML_PATH_BYTES];
    yaml_slots_path_text(&field_path, text);
    yaml_slots_path_text(&other_path, other_text);
    if (here)
        return yaml_slots_wrong(source, &field_path, "keys '%s' and '%s' are both given; keep one", text, other_text);
    return yaml_slots_wrong(source, path, "keys '%s' and '%s' are both missing; give one", text, other_text);
}

Err yaml_slots_fill(const YamlSource *source, const YamlTable *table, const YamlSlot *slots, const YamlPath *path,
                    void *structure)
{
    for (int64_t i = 0; i < table->n_fields; i++) {
        const YamlField *field = &table->fields[i];
        const YamlSlot *slot = slots == NULL ? NULL : &slots[i];
        const YamlPath here = { path, field->key, 0 };
        char *base = structure;
        if (field->alternative != NULL) TRY(check_alternative(source, table, slots, field, path));
        if (slot == NULL || is_absent(field, slot))
            TRY(fill_absent(source, field, &here, base));
        else if (field->kind == YAML_TABLE)
            TRY(yaml_slots_fill(source, field->table, slot->value, &here, base + field->offset));
        else if (field->kind == YAML_LIST)
            TRY(fill_list(source, field, slot, &here, base));
        else
            TRY(fill_plain(source, field, field->kind, slot->value, &here, base + field->offset));
    }
    return ERR_NONE;
}

static void free_fields(const YamlTable *table, char *structure);

static void free_list(const YamlField *field, char *structure)
{
    char *items = NULL;
    memcpy(&items, structure + field->offset, sizeof items);
    const uint64_t count = get_count(field, structure);
    for (uint64_t i = 0; items != NULL && i < count; i++) {
        char *item = items + i * field->size;
        if (field->element == YAML_TABLE) free_fields(field->table, item);
        if (field->element == YAML_STRING || field->element == YAML_PATH) {
            char *text = NULL;
            memcpy(&text, item, sizeof text);
            free(text);
        }
    }
    free(items);
}

static void free_fields(const YamlTable *table, char *structure)
{
    for (int64_t i = 0; i < table->n_fields; i++) {
        const YamlField *field = &table->fields[i];
        if (field->kind == YAML_TABLE) free_fields(field->table, structure + field->offset);
        if (field->kind == YAML_LIST) free_list(field, structure);
        if (field->kind == YAML_STRING || field->kind == YAML_PATH) {
            char *text = NULL;
            memcpy(&text, structure + field->offset, sizeof text);
            free(text);
        }
    }
}

void yaml_file_free(const YamlTable *table, void *structure)
{
    if (structure == NULL) return;
    free_fields(table, structure);
    memset(structure, 0, table->size);
}
