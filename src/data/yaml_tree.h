/* SPDX-License-Identifier: Apache-2.0
 *
 * A YAML file as a tree of nodes that know where they stand. Internal to yaml_file.c.
 *
 * What is read: one document, keys that are plain values, aliases (each becomes a copy of what it names). Refused with
 * a line: tags, merge keys (yaml_file.c), a second document, keys that are lists, NUL characters, more than 32 levels,
 * more than a million values or 64 MiB of text with all aliases written out, more than 1000 anchors.
 */
#ifndef METASEG_DATA_YAML_TREE_H
#define METASEG_DATA_YAML_TREE_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum YamlNodeKind { YAML_NODE_TEXT = 0, YAML_NODE_LIST, YAML_NODE_MAP } YamlNodeKind;

/* Owns its text, key and children. */
typedef struct YamlNode {
    YamlNodeKind kind;
    bool plain;           /* a text without quotation marks */
    char *text;           /* of YAML_NODE_TEXT */
    char *key;            /* of an entry of a map */
    int64_t line, column; /* from 1: of the key where the value is a map or a list, else of the value; 0: none */
    int64_t key_line, key_column;  /* of the key */
    const char *override;          /* borrowed: the override that put it here, NULL for the file */
    struct YamlNode *first, *next; /* children in their order; the next one of the same parent */
    int64_t count;                 /* of the children */
} YamlNode;

/* ret_root NULL: the document is empty. ERR_CONFIG with file, line and column; ERR_MEMORY. */
Err yaml_tree_parse(const char *name, const char *text, size_t bytes, YamlNode **ret_root);

/* Frees a node with all below it; its siblings stay. NULL is fine. */
void yaml_tree_free(YamlNode *node);

/* A node without a place. text is copied (NULL unless kind is YAML_NODE_TEXT). ERR_MEMORY. */
Err yaml_tree_new(YamlNodeKind kind, const char *text, const char *override, YamlNode **ret_node);

/* Appends a child that the parent then owns; key (copied) for a map. On failure the child is freed. ERR_MEMORY. */
Err yaml_tree_append(YamlNode *parent, const char *key, YamlNode *child);

/* Replaces a child, which is freed, by another that takes its key. */
void yaml_tree_replace(YamlNode *parent, YamlNode *child, YamlNode *with);

/* Entry of a map, NULL if there is none. */
YamlNode *yaml_tree_find(const YamlNode *map, const char *key);

/* "'name', line 3, column 5: " or "--set a.b=c: ", and the message. ERR_CONFIG, or ERR_ARGUMENT for an override. node
 * NULL, or without a place: the name alone. */
Err yaml_tree_wrong(const char *name, const YamlNode *node, const char *format, ...) PRINTF_LIKE(3, 4);
#ifdef __clang_analyzer__ /* as in base/err.h */
#define yaml_tree_wrong(...) ((void)(yaml_tree_wrong)(__VA_ARGS__), ERR_CONFIG)
#endif

#endif
