/* SPDX-License-Identifier: Apache-2.0
 * YAML through libyaml; the only file that includes yaml.h. Its events rather than its documents: depth and size are
 * limited while they grow, and an alias is counted before it is copied. */
#include "data/yaml_tree.h"

#include "base/grow.h"
#include "base/str.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <yaml.h>

enum { DEPTH_MAX = 32, NODES_MAX = 1000000, TEXT_BYTES_MAX = 64 << 20, ANCHORS_MAX = 1000 };

/* ---- nodes ---- */

void yaml_tree_free(YamlNode *node)
{
    if (node == NULL) return;
    for (YamlNode *child = node->first, *next = NULL; child != NULL; child = next) {
        next = child->next;
        yaml_tree_free(child);
    }
    free(node->text);
    free(node->key);
    free(node);
}

Err yaml_tree_new(YamlNodeKind kind, const char *text, const char *override, YamlNode **ret_node)
{
    YamlNode *node = calloc(1, sizeof *node);
    if (node == NULL) return err_memory(sizeof *node, "a YAML document");
    *node = (YamlNode){ .kind = kind, .override = override };
    const Err err = kind == YAML_NODE_TEXT ? str_copy(text, &node->text) : ERR_NONE;
    if (err == ERR_NONE)
        *ret_node = node;
    else
        free(node);
    return err;
}

/* The link that ends a parent's list of children. */
static YamlNode **end_of(YamlNode *parent)
{
    YamlNode **end = &parent->first;
    while (*end != NULL) end = &(*end)->next;
    return end;
}

Err yaml_tree_append(YamlNode *parent, const char *key, YamlNode *child)
{
    const Err err = key == NULL ? ERR_NONE : str_copy(key, &child->key);
    if (err != ERR_NONE) {
        yaml_tree_free(child);
        return err;
    }
    *end_of(parent) = child;
    parent->count++;
    return ERR_NONE;
}

void yaml_tree_replace(YamlNode *parent, YamlNode *child, YamlNode *with)
{
    YamlNode **link = &parent->first;
    while (*link != child) link = &(*link)->next;
    with->key = child->key;
    with->next = child->next;
    child->key = NULL;
    *link = with;
    yaml_tree_free(child);
}

YamlNode *yaml_tree_find(const YamlNode *map, const char *key)
{
    YamlNode *child = map->first;
    while (child != NULL && strcmp(child->key, key) != 0) child = child->next;
    return child;
}

#undef yaml_tree_wrong /* the header's macro for clang's analyzer */
Err yaml_tree_wrong(const char *name, const YamlNode *node, const char *format, ...)
{
    char text[ERR_MESSAGE_BYTES];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (node != NULL && node->override != NULL) return err_set(ERR_ARGUMENT, "--set %s: %s", node->override, text);
    if (node == NULL || node->line == 0) return err_set(ERR_CONFIG, "'%s': %s", name, text);
    return err_set(ERR_CONFIG, "'%s', line %lld, column %lld: %s", name, (long long)node->line, (long long)node->column,
                   text);
}

/* ---- events to nodes ---- */

/* An open map or list. */
typedef struct Level {
    YamlNode *node, *last; /* last: its latest child */
    char *key;             /* of the value that comes next; NULL: a key comes next, or this is a list */
    yaml_mark_t key_mark;
    int64_t anchor; /* index of its anchor, -1: none */
} Level;

typedef struct Anchor {
    char *name;
    const YamlNode *node; /* NULL while its end has not come */
} Anchor;

typedef struct Builder {
    const char *name;
    YamlNode *root;
    Level levels[DEPTH_MAX];
    int64_t depth, nodes;
    size_t text_bytes;
    Anchor *anchors;
    int64_t n_anchors, anchors_capacity;
} Builder;

static Err wrong_at(const Builder *b, yaml_mark_t mark, const char *text)
{
    const YamlNode place = { .line = (int64_t)mark.line + 1, .column = (int64_t)mark.column + 1 };
    return yaml_tree_wrong(b->name, &place, "%s", text);
}

static Err count_node(Builder *b, yaml_mark_t mark, size_t text_bytes)
{
    b->text_bytes += text_bytes;
    if (++b->nodes > NODES_MAX || b->text_bytes > TEXT_BYTES_MAX)
        return wrong_at(b, mark, "more than a million values or 64 MiB of text, with all aliases written out");
    return ERR_NONE;
}

/* Puts a node where it belongs. */
static void place(Builder *b, YamlNode *node, yaml_mark_t mark)
{
    node->line = (int64_t)mark.line + 1;
    node->column = (int64_t)mark.column + 1;
    if (b->depth == 0) {
        b->root = node;
        return;
    }
    Level *level = &b->levels[b->depth - 1];
    if (level->node->kind == YAML_NODE_MAP) {
        node->key = level->key;
        node->key_line = (int64_t)level->key_mark.line + 1;
        node->key_column = (int64_t)level->key_mark.column + 1;
        level->key = NULL;
        if (node->kind != YAML_NODE_TEXT) {
            node->line = node->key_line;
            node->column = node->key_column;
        }
    }
    *(level->last == NULL ? &level->node->first : &level->last->next) = node;
    level->last = node;
    level->node->count++;
}

static bool key_comes_next(const Builder *b)
{
    return b->depth > 0 && b->levels[b->depth - 1].node->kind == YAML_NODE_MAP && b->levels[b->depth - 1].key == NULL;
}

/* Remembers a named node; node NULL: complete later. */
static Err add_anchor(Builder *b, const yaml_char_t *name, const YamlNode *node, yaml_mark_t mark)
{
    if (b->n_anchors == ANCHORS_MAX) return wrong_at(b, mark, "more than 1000 anchors");
    TRY(grow_array(&b->anchors, b->n_anchors, &b->anchors_capacity, sizeof *b->anchors, "a YAML document"));
    b->anchors[b->n_anchors] = (Anchor){ .node = node };
    TRY(str_copy((const char *)name, &b->anchors[b->n_anchors].name));
    b->n_anchors++;
    return ERR_NONE;
}

static Err add_text(Builder *b, const yaml_event_t *event)
{
    const yaml_mark_t mark = event->start_mark;
    const char *text = (const char *)event->data.scalar.value;
    const size_t length = event->data.scalar.length;
    if (memchr(text, '\0', length) != NULL) return wrong_at(b, mark, "a NUL character stands in a value");
    TRY(count_node(b, mark, length));
    if (key_comes_next(b)) {
        if (event->data.scalar.anchor != NULL) return wrong_at(b, mark, "an anchor stands at a key; put it at a value");
        b->levels[b->depth - 1].key_mark = mark;
        return str_copy(text, &b->levels[b->depth - 1].key);
    }
    YamlNode *node = NULL;
    TRY(yaml_tree_new(YAML_NODE_TEXT, text, NULL, &node));
    node->plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    place(b, node, mark);
    return event->data.scalar.anchor == NULL ? ERR_NONE : add_anchor(b, event->data.scalar.anchor, node, mark);
}

static Err begin(Builder *b, YamlNodeKind kind, const yaml_char_t *anchor, yaml_mark_t mark)
{
    if (b->depth == DEPTH_MAX) return wrong_at(b, mark, "nested deeper than 32 levels");
    if (key_comes_next(b)) return wrong_at(b, mark, "a list or a map stands where a key is expected");
    TRY(count_node(b, mark, 0));
    YamlNode *node = NULL;
    TRY(yaml_tree_new(kind, NULL, NULL, &node));
    place(b, node, mark);
    b->levels[b->depth++] = (Level){ .node = node, .anchor = anchor == NULL ? -1 : b->n_anchors };
    return anchor == NULL ? ERR_NONE : add_anchor(b, anchor, NULL, mark);
}

static void end(Builder *b)
{
    const Level *level = &b->levels[--b->depth];
    if (level->anchor < 0) return;
    ASSERT(b->anchors != NULL);
    b->anchors[level->anchor].node = level->node;
}

/* A copy with the places of the original, counted; freed whole by the caller's yaml_tree_free on failure. */
static Err copy_tree(Builder *b, const YamlNode *from, yaml_mark_t mark, int64_t depth, YamlNode **ret_copy)
{
    if (depth > DEPTH_MAX) return wrong_at(b, mark, "nested deeper than 32 levels");
    TRY(count_node(b, mark, from->text == NULL ? 0 : strlen(from->text)));
    YamlNode *copy = NULL;
    TRY(yaml_tree_new(from->kind, from->text, NULL, &copy));
    copy->plain = from->plain;
    copy->line = from->line;
    copy->column = from->column;
    copy->key_line = from->key_line;
    copy->key_column = from->key_column;
    YamlNode **last = &copy->first;
    Err err = ERR_NONE;
    for (const YamlNode *child = from->first; err == ERR_NONE && child != NULL; child = child->next) {
        err = copy_tree(b, child, mark, depth + 1, last);
        if (err == ERR_NONE && child->key != NULL) err = str_copy(child->key, &(*last)->key);
        if (err == ERR_NONE) last = &(*last)->next;
        copy->count++;
    }
    if (err == ERR_NONE)
        *ret_copy = copy;
    else
        yaml_tree_free(copy);
    return err;
}

static Err add_alias(Builder *b, const yaml_event_t *event)
{
    const char *name = (const char *)event->data.alias.anchor;
    if (key_comes_next(b)) return wrong_at(b, event->start_mark, "an alias stands where a key is expected");
    int64_t i = b->n_anchors - 1; /* of two anchors with one name the later one counts */
    while (i >= 0 && strcmp(b->anchors[i].name, name) != 0) i--;
    char text[200];
    (void)snprintf(text, sizeof text, "the alias '*%.100s' names nothing that ends before it", name);
    if (i < 0 || b->anchors[i].node == NULL) return wrong_at(b, event->start_mark, text);
    YamlNode *copy = NULL;
    TRY(copy_tree(b, b->anchors[i].node, event->start_mark, b->depth, &copy));
    if (copy != NULL) place(b, copy, event->start_mark);
    return ERR_NONE;
}

static Err refuse_tag(const Builder *b, const yaml_char_t *tag, yaml_mark_t mark)
{
    char text[200];
    if (tag == NULL) return ERR_NONE;
    (void)snprintf(text, sizeof text, "the tag '%.100s' stands here; each key knows its type: leave the tag out",
                   (const char *)tag);
    return wrong_at(b, mark, text);
}

static Err take(Builder *b, const yaml_event_t *event)
{
    switch (event->type) {
    case YAML_SCALAR_EVENT:
        TRY(refuse_tag(b, event->data.scalar.tag, event->start_mark));
        return add_text(b, event);
    case YAML_SEQUENCE_START_EVENT:
        TRY(refuse_tag(b, event->data.sequence_start.tag, event->start_mark));
        return begin(b, YAML_NODE_LIST, event->data.sequence_start.anchor, event->start_mark);
    case YAML_MAPPING_START_EVENT:
        TRY(refuse_tag(b, event->data.mapping_start.tag, event->start_mark));
        return begin(b, YAML_NODE_MAP, event->data.mapping_start.anchor, event->start_mark);
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT:
        end(b);
        return ERR_NONE;
    case YAML_ALIAS_EVENT:
        return add_alias(b, event);
    case YAML_DOCUMENT_START_EVENT:
        return b->root == NULL ? ERR_NONE : wrong_at(b, event->start_mark, "a second document begins; give one");
    default:
        return ERR_NONE;
    }
}

/* The reader tells a byte, not a place. */
static yaml_mark_t mark_of_byte(const char *text, size_t bytes, size_t offset)
{
    yaml_mark_t mark = { 0 };
    for (size_t i = 0; i < offset && i < bytes; i++) {
        if (text[i] == '\n') {
            mark.line++;
            mark.column = 0;
        } else if (((unsigned char)text[i] & 0xC0U) != 0x80U) {
            mark.column++;
        }
    }
    return mark;
}

static bool is_tab(const char *text, size_t bytes, yaml_mark_t mark)
{
    size_t i = 0;
    for (size_t line = 0; line < mark.line && i < bytes; i++) line += text[i] == '\n';
    for (size_t column = 0; i < bytes; i++) {
        if (column == mark.column) return text[i] == '\t';
        column += i + 1 < bytes && ((unsigned char)text[i + 1] & 0xC0U) != 0x80U;
    }
    return false;
}

static Err malformed(const Builder *b, const yaml_parser_t *parser, const char *text, size_t bytes)
{
    if (parser->error == YAML_MEMORY_ERROR) return err_memory(0, "a YAML document");
    const bool reader = parser->error == YAML_READER_ERROR;
    const yaml_mark_t mark = reader ? mark_of_byte(text, bytes, parser->problem_offset) : parser->problem_mark;
    const bool tab = !reader && is_tab(text, bytes, mark);
    char said[400];
    (void)snprintf(said, sizeof said, "not well-formed YAML: %.150s%s%.150s%s",
                   parser->context == NULL ? "" : parser->context, parser->context == NULL ? "" : ", ",
                   parser->problem == NULL ? "" : parser->problem,
                   tab      ? "; a tab stands here, indent with blanks"
                   : reader ? "; save the file as UTF-8"
                            : "");
    return wrong_at(b, mark, said);
}

static Err build(Builder *b, yaml_parser_t *parser, const char *text, size_t bytes)
{
    for (bool going = true; going;) {
        yaml_event_t event;
        if (yaml_parser_parse(parser, &event) == 0) return malformed(b, parser, text, bytes);
        going = event.type != YAML_STREAM_END_EVENT;
        const Err err = take(b, &event);
        yaml_event_delete(&event);
        TRY(err);
    }
    return ERR_NONE;
}

Err yaml_tree_parse(const char *name, const char *text, size_t bytes, YamlNode **ret_root)
{
    yaml_parser_t parser;
    Builder b = { .name = name };
    if (yaml_parser_initialize(&parser) == 0) return err_memory(sizeof parser, "a YAML document");
    yaml_parser_set_input_string(&parser, (const unsigned char *)text, bytes);
    const Err err = build(&b, &parser, text, bytes);
    yaml_parser_delete(&parser);
    for (int64_t i = 0; i < b.n_anchors; i++) free(b.anchors[i].name);
    free(b.anchors);
    for (int64_t i = 0; i < b.depth; i++) free(b.levels[i].key);
    if (err == ERR_NONE)
        *ret_root = b.root;
    else
        yaml_tree_free(b.root);
    return err;
}
