/* SPDX-License-Identifier: Apache-2.0
 * Overrides of the command line. */
#include "data/yaml_override.h"

#include "base/str.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NAMES_MAX = 64 };

const YamlField *yaml_override_field(const YamlTable *table, const char *key)
{
    for (int64_t i = 0; i < table->n_fields; i++)
        if (strcmp(table->fields[i].key, key) == 0) return &table->fields[i];
    return NULL;
}

YamlNode *yaml_override_child(const YamlNode *node, const char *word)
{
    if (node->kind == YAML_NODE_MAP) return yaml_tree_find(node, word);
    char *end = NULL;
    const long long number = word[0] >= '0' && word[0] <= '9' ? strtoll(word, &end, 10) : 0;
    if (number < 1 || *end != '\0' || number > node->count) return NULL;
    YamlNode *child = node->first;
    for (long long i = 1; i < number; i++) child = child->next;
    return child;
}

void yaml_override_advise(const YamlTable *table, const char *key, char *ret_text, size_t bytes)
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

Err yaml_override_list(const char *value, const char *override, YamlNode **ret_list)
{
    const char *end = value + strlen(value);
    if (value[0] == '[' && end > value + 1 && end[-1] == ']') {
        value++;
        end--;
    }
    YamlNode *list = NULL;
    TRY(yaml_tree_new(YAML_NODE_LIST, NULL, override, &list));
    value += strspn(value, " ");
    while (value < end) {
        const char *comma = memchr(value, ',', (size_t)(end - value));
        const char *stop = comma == NULL ? end : comma;
        while (stop > value && stop[-1] == ' ') stop--;
        char *text = NULL;
        YamlNode *entry = NULL;
        Err err = str_format(&text, "%.*s", (int)(stop - value), value);
        if (err == ERR_NONE) err = yaml_tree_new(YAML_NODE_TEXT, text, override, &entry);
        if (err == ERR_NONE) err = yaml_tree_append(list, NULL, entry);
        free(text);
        if (err != ERR_NONE) {
            yaml_tree_free(list);
            return err;
        }
        value = comma == NULL ? end : comma + 1;
        value += strspn(value, " ");
    }
    *ret_list = list;
    return ERR_NONE;
}

/* Puts `node` under a key of `map`, in the place of what is there. */
static Err put(YamlNode *map, const char *key, YamlNode *node)
{
    YamlNode *there = yaml_tree_find(map, key);
    if (there == NULL) return yaml_tree_append(map, key, node);
    yaml_tree_replace(map, there, node);
    return ERR_NONE;
}

static Err put_value(YamlNode *map, const YamlField *field, const char *value, const char *override)
{
    YamlNode *node = NULL;
    TRY(field->kind == YAML_LIST ? yaml_override_list(value, override, &node)
                                 : yaml_tree_new(YAML_NODE_TEXT, value, override, &node));
    node->plain = true;
    return put(map, field->key, node);
}

static bool is_nothing(const YamlNode *node)
{
    return node == NULL || (node->kind == YAML_NODE_TEXT && node->plain && node->text[0] == '\0');
}

/* The map of an embedded table, made where there is none. */
static Err enter_table(const char *file, YamlNode *map, const YamlField *field, const char *override,
                       YamlNode **ret_map)
{
    YamlNode *child = yaml_tree_find(map, field->key);
    if (is_nothing(child)) {
        TRY(yaml_tree_new(YAML_NODE_MAP, NULL, override, &child));
        TRY(put(map, field->key, child));
    }
    if (child->kind != YAML_NODE_MAP)
        return yaml_tree_wrong(file, child, "%s: keys with values are expected here", field->key);
    *ret_map = child;
    return ERR_NONE;
}

/* The map of an entry of a list of tables. */
static Err enter_list(const char *file, const YamlNode *map, const YamlField *field, const char *word,
                      const char *override, YamlNode **ret_map)
{
    const YamlNode *list = yaml_tree_find(map, field->key);
    const int64_t count = list != NULL && list->kind == YAML_NODE_LIST ? list->count : 0;
    YamlNode *entry = count == 0 ? NULL : yaml_override_child(list, word);
    if (count == 0) return err_set(ERR_ARGUMENT, "--set %s: '%s' has no entries in the file", override, field->key);
    if (entry == NULL)
        return err_set(ERR_ARGUMENT, "--set %s: '%s' is a list of %lld; write '%s.1.KEY=VALUE'%s", override, field->key,
                       (long long)count, field->key, count > 1 ? " and so on" : "");
    if (entry->kind != YAML_NODE_MAP)
        return yaml_tree_wrong(file, entry, "%s.%s: keys with values are expected here", field->key, word);
    *ret_map = entry;
    return ERR_NONE;
}

/* `path` is cut at its dots. */
static Err walk(const char *file, const YamlTable *table, YamlNode *map, const char *override, char *path,
                const char *value)
{
    for (char *rest = path;;) {
        char *key = rest, *dot = strchr(rest, '.');
        if (dot != NULL) *dot = '\0';
        const YamlField *field = yaml_override_field(table, key);
        if (field == NULL) {
            char advice[512];
            yaml_override_advise(table, key, advice, sizeof advice);
            return err_set(ERR_ARGUMENT, "--set %s: unknown key '%s'; %s", override, key, advice);
        }
        if (dot == NULL && field->table == NULL) return put_value(map, field, value, override);
        if (dot == NULL || field->table == NULL)
            return err_set(ERR_ARGUMENT, "--set %s: '%s' %s", override, key,
                           field->table != NULL ? "holds keys of its own; name one of them, as in section.key=value"
                                                : "is a plain value; it has no keys of its own");
        rest = dot + 1;
        if (field->kind == YAML_TABLE) {
            TRY(enter_table(file, map, field, override, &map));
        } else {
            char *word = rest;
            dot = strchr(rest, '.');
            if (dot != NULL) *dot = '\0';
            TRY(enter_list(file, map, field, dot == NULL ? "" : word, override, &map));
            ASSERT(dot != NULL); /* "" is no entry of a list */
            rest = dot + 1;
        }
        table = field->table;
    }
}

Err yaml_override(const char *file, const YamlTable *table, YamlNode *root, const char *override)
{
    const char *equals = strchr(override, '=');
    if (equals == NULL || equals == override)
        return err_set(ERR_ARGUMENT, "--set %s: expected section.key=value", override);
    char *path = NULL;
    TRY(str_format(&path, "%.*s", (int)(equals - override), override));
    const Err err = walk(file, table, root, override, path, equals + 1);
    free(path);
    return err;
}
