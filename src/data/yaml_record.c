/* SPDX-License-Identifier: Apache-2.0
 * Structs to records, and what two records differ in. */
#include "data/yaml_record.h"

#include "base/file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PLACE_BYTES = 256 };

/* ---- writing ---- */

static void put_text(JsonWriter *w, const char *key, bool name_alone, const char *at)
{
    const char *text = NULL;
    memcpy(&text, at, sizeof text);
    json_put_string(w, key, text != NULL && name_alone ? path_name(text) : text);
}

static void put_integer(JsonWriter *w, const char *key, size_t size, const char *at)
{
    int32_t narrow = 0;
    int64_t value = 0;
    if (size == sizeof narrow)
        memcpy(&narrow, at, sizeof narrow);
    else
        memcpy(&value, at, sizeof value);
    json_put_int(w, key, size == sizeof narrow ? narrow : value);
}

static void put_number(JsonWriter *w, const char *key, size_t size, const char *at)
{
    float narrow = 0.0F;
    double value = 0.0;
    if (size == sizeof narrow)
        memcpy(&narrow, at, sizeof narrow);
    else
        memcpy(&value, at, sizeof value);
    json_put_double(w, key, size == sizeof narrow ? (double)narrow : value);
}

static void put_table(JsonWriter *w, const char *key, const YamlTable *table, const void *structure, bool all);

static void put_value(JsonWriter *w, const char *key, const YamlField *field, YamlKind kind, const char *at, bool all)
{
    int32_t choice = 0;
    bool answer = false;
    switch (kind) {
    case YAML_STRING:
    case YAML_PATH:
        put_text(w, key, kind == YAML_PATH && !all, at);
        break;
    case YAML_INTEGER:
        put_integer(w, key, field->size, at);
        break;
    case YAML_NUMBER:
        put_number(w, key, field->size, at);
        break;
    case YAML_BOOLEAN:
        memcpy(&answer, at, sizeof answer);
        json_put_bool(w, key, answer);
        break;
    case YAML_CHOICE:
        memcpy(&choice, at, sizeof choice);
        json_put_string(w, key, field->choices[choice]);
        break;
    default:
        ASSERT(kind == YAML_TABLE);
        put_table(w, key, field->table, at, all);
    }
}

static void put_list(JsonWriter *w, const YamlField *field, const char *structure, bool all)
{
    const char *items = NULL;
    memcpy(&items, structure + field->offset, sizeof items);
    json_begin_array(w, field->key);
    for (int64_t i = 0; i < yaml_file_count(field, structure); i++)
        put_value(w, NULL, field, field->element, items + (size_t)i * field->size, all);
    json_end(w);
}

static void put_table(JsonWriter *w, const char *key, const YamlTable *table, const void *structure, bool all)
{
    json_begin_object(w, key);
    for (int64_t i = 0; i < table->n_fields; i++) {
        const YamlField *field = &table->fields[i];
        ASSERT(field->resume != YAML_UNDECIDED);
        if (field->resume == YAML_MAY_CHANGE && !all) continue;
        if (field->kind == YAML_LIST)
            put_list(w, field, structure, all);
        else
            put_value(w, field->key, field, field->kind, (const char *)structure + field->offset, all);
    }
    json_end(w);
}

void yaml_record_put(JsonWriter *w, const char *key, const YamlTable *table, const void *structure)
{
    put_table(w, key, table, structure, false);
}

void yaml_record_put_all(JsonWriter *w, const char *key, const YamlTable *table, const void *structure)
{
    put_table(w, key, table, structure, true);
}

/* ---- comparing ---- */

/* Whether a value is what the key has when it is absent. */
static bool is_default(const YamlField *field, const Json *value)
{
    const char *text = NULL, *usual = field->default_value != NULL ? field->default_value : "";
    double number = 0.0;
    bool answer = false;
    switch (json_kind(value)) {
    case JSON_NULL:
        return true;
    case JSON_ARRAY:
        return field->default_value == NULL && json_count(value) == 0;
    case JSON_STRING:
        return json_as_string(value, field->key, &text) == ERR_NONE && strcmp(text, usual) == 0;
    case JSON_NUMBER:
        return json_as_double(value, field->key, &number) == ERR_NONE && number == strtod(usual, NULL);
    case JSON_BOOL:
        return json_as_bool(value, field->key, &answer) == ERR_NONE && answer == (strcmp(usual, "true") == 0);
    default:
        return false;
    }
}

/* A record of an earlier version lacks keys that came later; their defaults are what it did. */
static Err compare_values(const YamlField *field, const char *place, const Json *there, const Json *here,
                          Str *differences)
{
    if (there == NULL && here != NULL && is_default(field, here)) return ERR_NONE;
    char *before = NULL, *now = NULL;
    Err err = there == NULL ? str_copy("not recorded", &before) : json_print(there, false, &before);
    if (err == ERR_NONE) err = here == NULL ? str_copy("absent", &now) : json_print(here, false, &now);
    if (err == ERR_NONE && strcmp(before, now) != 0)
        str_addf(differences, "%s%s is %.80s there and %.80s here", differences->length > 0 ? "; " : "", place, before,
                 now);
    free(before);
    free(now);
    return err;
}

static Err compare_tables(const YamlTable *table, const char *place, const Json *there, const Json *here,
                          Str *differences);

static Err compare_lists(const YamlField *field, const char *place, const Json *there, const Json *here,
                         Str *differences)
{
    if (there == NULL || json_kind(there) != JSON_ARRAY) return compare_values(field, place, there, here, differences);
    if (json_count(there) != json_count(here)) {
        str_addf(differences, "%s%s has %lld entries there and %lld here", differences->length > 0 ? "; " : "", place,
                 (long long)json_count(there), (long long)json_count(here));
        return ERR_NONE;
    }
    const Json *old = json_first(there);
    int64_t i = 1;
    for (const Json *now = json_first(here); now != NULL; now = json_next(now), old = json_next(old), i++) {
        char entry[PLACE_BYTES];
        (void)snprintf(entry, sizeof entry, "%.200s.%lld", place, (long long)i);
        TRY(compare_tables(field->table, entry, old, now, differences));
    }
    return ERR_NONE;
}

static Err compare_tables(const YamlTable *table, const char *place, const Json *there, const Json *here,
                          Str *differences)
{
    for (int64_t i = 0; i < table->n_fields; i++) {
        const YamlField *field = &table->fields[i];
        if (field->resume == YAML_MAY_CHANGE) continue;
        const Json *old = json_find(there, field->key), *now = json_find(here, field->key);
        char at[PLACE_BYTES];
        (void)snprintf(at, sizeof at, "%.190s%s%.60s", place, place[0] != '\0' ? "." : "", field->key);
        if (field->kind == YAML_TABLE)
            TRY(compare_tables(field->table, at, old, now, differences));
        else if (field->kind == YAML_LIST && field->element == YAML_TABLE)
            TRY(compare_lists(field, at, old, now, differences));
        else
            TRY(compare_values(field, at, old, now, differences));
    }
    return ERR_NONE;
}

Err yaml_record_compare(const YamlTable *table, const Json *there, const Json *here, Str *ret_differences)
{
    return compare_tables(table, "", there, here, ret_differences);
}
