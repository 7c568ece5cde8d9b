/* SPDX-License-Identifier: Apache-2.0
 * YAML through libcyaml; the only file that includes cyaml.h. Our tables become its schemas with every plain value a
 * string; what it logs on failure becomes one sentence of ours. */
#include "data/yaml_file.h"

#include "base/file.h"
#include "base/str.h"
#include "data/yaml_slots.h"

#include <cyaml/cyaml.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FILE_BYTES_MAX = 16 << 20, DEPTH_MAX = 8, MESSAGE_BYTES = 256 };

/* Schemas live until the document is freed. */
typedef struct Schema {
    void **blocks;
    int64_t n_blocks;
} Schema;

static void *schema_block(Schema *schema, size_t items, size_t bytes)
{
    void **blocks = realloc(schema->blocks, (size_t)(schema->n_blocks + 1) * sizeof *blocks);
    if (blocks == NULL) return NULL;
    schema->blocks = blocks;
    blocks[schema->n_blocks] = calloc(items, bytes);
    return blocks[schema->n_blocks] == NULL ? NULL : blocks[schema->n_blocks++];
}

static void schema_done(Schema *schema)
{
    for (int64_t i = 0; i < schema->n_blocks; i++) free(schema->blocks[i]);
    free(schema->blocks);
}

static Err schema_fields(Schema *schema, const YamlTable *table, int depth, cyaml_schema_field_t **ret_fields);

/* The value of a plain kind or of a table, as a field (behind a pointer) or as an entry of a list (tables stand in it
 * whole). */
static Err schema_value(Schema *schema, YamlKind kind, const YamlTable *table, bool entry, int depth,
                        cyaml_schema_value_t *ret_value)
{
    cyaml_schema_value_t value = { .type = CYAML_STRING, .flags = CYAML_FLAG_POINTER, .data_size = sizeof(char) };
    value.string.max = CYAML_UNLIMITED;
    if (kind == YAML_TABLE) {
        cyaml_schema_field_t *fields = NULL;
        TRY(schema_fields(schema, table, depth + 1, &fields));
        value =
            (cyaml_schema_value_t){ .type = CYAML_MAPPING, .flags = entry ? CYAML_FLAG_DEFAULT : CYAML_FLAG_POINTER };
        value.data_size = (uint32_t)((size_t)table->n_fields * sizeof(YamlSlot));
        value.mapping.fields = fields;
    }
    *ret_value = value;
    return ERR_NONE;
}

static Err schema_list(Schema *schema, const YamlField *field, int depth, cyaml_schema_field_t *to)
{
    cyaml_schema_value_t *entry = schema_block(schema, 1, sizeof *entry);
    if (entry == NULL) return err_memory(sizeof *entry, "a YAML schema");
    ASSERT(field->element != YAML_LIST);
    TRY(schema_value(schema, field->element, field->table, true, depth, entry));
    to->value = (cyaml_schema_value_t){ .type = CYAML_SEQUENCE, .flags = CYAML_FLAG_POINTER };
    to->value.data_size = field->element == YAML_TABLE ? entry->data_size : (uint32_t)sizeof(char *);
    to->value.sequence.entry = entry;
    to->value.sequence.max = CYAML_UNLIMITED;
    to->count_size = sizeof(uint64_t);
    return ERR_NONE;
}

static Err schema_fields(Schema *schema, const YamlTable *table, int depth, cyaml_schema_field_t **ret_fields)
{
    ASSERT(depth < DEPTH_MAX);
    cyaml_schema_field_t *fields = schema_block(schema, (size_t)table->n_fields + 1, sizeof *fields);
    if (fields == NULL) return err_memory((unsigned long long)table->n_fields * sizeof *fields, "a YAML schema");
    for (int64_t i = 0; i < table->n_fields; i++) {
        const YamlField *field = &table->fields[i];
        cyaml_schema_field_t *to = &fields[i];
        if (field->kind == YAML_LIST)
            TRY(schema_list(schema, field, depth, to));
        else
            TRY(schema_value(schema, field->kind, field->table, false, depth, &to->value));
        to->key = field->key;
        to->value.flags |= CYAML_FLAG_OPTIONAL;
        to->data_offset = (uint32_t)((size_t)i * sizeof(YamlSlot) + offsetof(YamlSlot, value));
        to->count_offset = (uint32_t)((size_t)i * sizeof(YamlSlot) + offsetof(YamlSlot, count));
    }
    *ret_fields = fields;
    return ERR_NONE;
}

/* What libcyaml said: the complaint, then the way from the wrong place to the root. */
typedef struct Complaint {
    char text[MESSAGE_BYTES];
    int64_t line;                 /* of the innermost place; 0: not told */
    char keys[DEPTH_MAX * 2][64]; /* from inside to outside; "" for a list entry */
    int64_t indexes[DEPTH_MAX * 2];
    int64_t depth;
} Complaint;

static void listen_place(Complaint *complaint, const char *line)
{
    const char *number = strstr(line, "(line: ");
    if (complaint->line == 0 && number != NULL) complaint->line = strtoll(number + 7, NULL, 10);
    if (complaint->depth == DEPTH_MAX * 2) return;
    const char *from = strchr(line, '\'');
    const char *to = from == NULL ? NULL : strchr(from + 1, '\'');
    if (to == NULL) return; /* "in mapping": the place is told by the next line */
    const int64_t depth = complaint->depth++;
    if (strstr(line, "sequence entry") != NULL)
        complaint->indexes[depth] = strtoll(from + 1, NULL, 10) - 1;
    else
        (void)snprintf(complaint->keys[depth], sizeof complaint->keys[0], "%.*s", (int)(to - from - 1), from + 1);
}

static void listen(cyaml_log_t level, void *context, const char *format, va_list arguments)
{
    Complaint *complaint = context;
    char line[512];
    (void)level;
    (void)vsnprintf(line, sizeof line, format, arguments);
    line[strcspn(line, "\n")] = '\0';
    if (strncmp(line, "  in ", 5) == 0)
        listen_place(complaint, line);
    else if (complaint->text[0] == '\0')
        (void)snprintf(complaint->text, sizeof complaint->text, "%.250s",
                       str_starts_with(line, "Load: ") ? line + 6 : line);
}

/* The table that the complaint's place lies in. */
static const YamlTable *complaint_table(const YamlTable *table, const Complaint *complaint)
{
    for (int64_t i = complaint->depth - 1; i >= 0; i--) {
        if (complaint->keys[i][0] == '\0') continue;
        const YamlField *field = yaml_slots_field(table, complaint->keys[i]);
        if (field == NULL || field->table == NULL) return table;
        table = field->table;
    }
    return table;
}

/* libcyaml's words for what was found and what was wanted, as a user knows them. */
static const char *in_plain_words(const char *text)
{
    static const char *const words[][2] = {
        { "Expecting MAPPING, got event: SCALAR",
          "a plain value or nothing stands where keys with values are expected" },
        { "Expecting MAPPING, got event: SEQUENCE_START", "a list stands where keys with values are expected" },
        { "Expecting STRING, got event: SEQUENCE_START", "a list stands where one plain value is expected" },
        { "Expecting STRING, got event: MAPPING_START", "keys with values stand where one plain value is expected" },
        { "Expecting SEQUENCE, got event: SCALAR", "a plain value or nothing stands where a list is expected" },
        { "Expecting SEQUENCE, got event: MAPPING_START", "keys with values stand where a list is expected" },
    };
    for (int64_t i = 0; i < ARRAY_LEN(words); i++)
        if (str_starts_with(text, words[i][0])) return words[i][1];
    return text;
}

/* The place of a complaint: the chain towards the root in `chain`, [DEPTH_MAX * 2]. NULL: the root. */
static const YamlPath *complaint_path(const Complaint *complaint, YamlPath *chain)
{
    const YamlPath *path = NULL;
    for (int64_t i = complaint->depth - 1; i >= 0; i--) {
        const bool entry = complaint->keys[i][0] == '\0';
        chain[i] = (YamlPath){ path, entry ? NULL : complaint->keys[i], complaint->indexes[i] };
        path = &chain[i];
    }
    return path;
}

static Err report(const YamlSource *source, const YamlTable *table, const Complaint *complaint, cyaml_err_t code)
{
    if (code == CYAML_ERR_OOM) return err_memory(0, "a YAML document");
    YamlPath chain[DEPTH_MAX * 2];
    const YamlPath *path = complaint_path(complaint, chain);
    char text[YAML_PATH_BYTES], place[32] = "";
    static const char unknown[] = "Unexpected key: ", twice[] = "Mapping field already seen: ";
    if (str_starts_with(complaint->text, unknown)) {
        const YamlPath here = { path, complaint->text + strlen(unknown), 0 };
        char advice[512];
        yaml_slots_advise(complaint_table(table, complaint), here.key, advice, sizeof advice);
        yaml_slots_path_text(&here, text);
        return yaml_slots_wrong(source, &here, "unknown key '%s'; %s", text, advice);
    }
    yaml_slots_path_text(path, text);
    if (str_starts_with(complaint->text, twice))
        return yaml_slots_wrong(source, path, "key '%s' is given twice; keep one", text);
    if (complaint->line > 0) (void)snprintf(place, sizeof place, ", line %lld", (long long)complaint->line);
    if (str_starts_with(complaint->text, "libyaml: "))
        return err_set(ERR_CONFIG, "'%s'%s: not well-formed YAML here or below: %s", source->name, place,
                       complaint->text + 9);
    return err_set(ERR_CONFIG, "'%s'%s: %s: %s", source->name, place, text[0] == '\0' ? "the document" : text,
                   in_plain_words(complaint->text[0] == '\0' ? cyaml_strerror(code) : complaint->text));
}

static Err apply_and_fill(const YamlSource *source, const YamlTable *table, YamlSlot *slots,
                          const char *const *overrides, int64_t n_overrides, void *ret_struct)
{
    for (int64_t i = 0; i < n_overrides; i++) TRY(yaml_slots_override(table, slots, overrides[i]));
    void *filled = calloc(1, table->size);
    if (filled == NULL) return err_memory(table->size, "a configuration");
    const Err err = yaml_slots_fill(source, table, slots, NULL, filled);
    if (err == ERR_NONE)
        memcpy(ret_struct, filled, table->size);
    else
        yaml_file_free(table, filled);
    free(filled);
    return err;
}

Err yaml_file_parse(const char *name, const char *text, size_t bytes, const YamlTable *table,
                    const char *const *overrides, int64_t n_overrides, void *ret_struct)
{
    Schema schema = { 0 };
    Complaint complaint = { 0 };
    const cyaml_config_t config = {
        .log_fn = listen, .log_ctx = &complaint, .mem_fn = cyaml_mem, .log_level = CYAML_LOG_ERROR
    };
    cyaml_schema_value_t root;
    YamlSlot *slots = NULL;
    const YamlSource source = { name, text };
    Err err = schema_value(&schema, YAML_TABLE, table, false, 0, &root);
    if (err != ERR_NONE) goto done;
    const cyaml_err_t code =
        cyaml_load_data((const uint8_t *)text, bytes, &config, &root, (cyaml_data_t **)&slots, NULL);
    if (code != CYAML_OK) {
        err = report(&source, table, &complaint, code);
        goto done;
    }
    if (slots == NULL) slots = calloc((size_t)table->n_fields, sizeof *slots); /* an empty document */
    if (slots == NULL) {
        err = err_memory((unsigned long long)table->n_fields * sizeof *slots, "a YAML document");
        goto done;
    }
    err = apply_and_fill(&source, table, slots, overrides, n_overrides, ret_struct);
done:
    if (slots != NULL) (void)cyaml_free(&config, &root, slots, 0);
    schema_done(&schema);
    return err;
}

Err yaml_file_load(const char *path, const YamlTable *table, const char *const *overrides, int64_t n_overrides,
                   void *ret_struct)
{
    char *text = NULL;
    size_t bytes = 0;
    TRY(file_read(path, FILE_BYTES_MAX, &text, &bytes));
    const Err err = yaml_file_parse(path, text, bytes, table, overrides, n_overrides, ret_struct);
    free(text);
    return err;
}
