/* SPDX-License-Identifier: Apache-2.0
 * {"configuration":{"name":...},"content":{"model.prompts":"0123456789abcdef",...}}, hashes XXH64. */
#include "train/run_record.h"

#include "base/file.h"
#include "base/hash.h"
#include "data/yaml_record.h"
#include "text/tokenizer_file.h"

#include <stdlib.h>
#include <string.h>

enum { RECORD_BYTES_MAX = 16 << 20 };

/* The files whose content counts, by the keys that name them. */
typedef struct Content {
    const char *key, *path;
    const char *inside; /* file of a folder, NULL: the path itself */
    bool start_only;    /* read when a run starts, never when it is continued */
} Content;

enum { CONTENTS = 6 };

/* Stands for the file of the folder that has the tokens, whatever its name. */
static const char vocabulary[] = "vocabulary";

static void list_contents(const RunConfig *config, Content ret_contents[CONTENTS])
{
    const TrainOptions *t = &config->train;
    const bool zones = run_config_reads_text(config) && t->text == TRAIN_TEXT_ZONES;
    const Content contents[CONTENTS] = {
        { "model.encoder_weights", t->encoder_weights, NULL, true },
        { "model.prompts", zones ? t->prompts : NULL, NULL, false },
        { "model.text_encoder (vocabulary)", zones ? t->text_encoder : NULL, vocabulary, false },
        { "model.text_encoder (model.safetensors)", zones ? t->text_encoder : NULL, "model.safetensors", false },
        { "model.climate", zones ? t->climate : NULL, NULL, false },
        { "train.from", t->from, NULL, true },
    };
    memcpy(ret_contents, contents, sizeof contents);
}

static Err hash_content(const Content *content, char ret_hex[17])
{
    char *path = NULL;
    uint64_t value = 0;
    if (content->inside == vocabulary)
        TRY(tokenizer_find(content->path, TOKENIZER_KIND_COUNT, &path));
    else
        TRY(content->inside == NULL ? str_copy(content->path, &path)
                                    : path_join(content->path, content->inside, &path));
    const Err err = hash_file(path, &value);
    free(path);
    if (err == ERR_NONE) hash_hex(value, ret_hex);
    return err_prefix(err, "%s", content->key);
}

Err run_record_make(const RunConfig *config, char **ret_record)
{
    Content contents[CONTENTS];
    list_contents(config, contents);
    JsonWriter w = { 0 };
    json_begin_object(&w, NULL);
    yaml_record_put(&w, "configuration", &run_config_table, config);
    json_begin_object(&w, "content");
    Err err = ERR_NONE;
    for (int64_t i = 0; err == ERR_NONE && i < CONTENTS; i++) {
        char hex[17];
        if (contents[i].path != NULL) err = hash_content(&contents[i], hex);
        if (err == ERR_NONE) json_put_string(&w, contents[i].key, contents[i].path != NULL ? hex : NULL);
    }
    json_end(&w);
    json_end(&w);
    if (err == ERR_NONE) err = json_take(&w, ret_record);
    json_writer_done(&w);
    return err;
}

/* json_find, but NULL for null. */
static const char *stored_hash(const Json *contents, const char *key)
{
    const char *text = NULL;
    const Json *node = json_find(contents, key);
    return node != NULL && json_as_string(node, key, &text) == ERR_NONE ? text : NULL;
}

static Err compare_contents(const Json *stored, const RunConfig *config, Str *differences)
{
    Content contents[CONTENTS];
    list_contents(config, contents);
    for (int64_t i = 0; i < CONTENTS; i++) {
        const Content *c = &contents[i];
        const char *there = stored_hash(stored, c->key);
        char hex[17] = "no file";
        if (c->path != NULL && there != NULL && c->start_only && !file_exists(c->path)) continue;
        if (c->path != NULL) TRY(hash_content(c, hex));
        if (strcmp(there == NULL ? "no file" : there, hex) == 0) continue;
        str_addf(differences, "%s%s has the content %s there and %s here", differences->length > 0 ? "; " : "", c->key,
                 there == NULL ? "no file" : there, hex);
    }
    return ERR_NONE;
}

static Err compare_configurations(const Json *stored, const RunConfig *config, Str *differences)
{
    JsonWriter w = { 0 };
    char *text = NULL;
    Json *here = NULL;
    yaml_record_put(&w, NULL, &run_config_table, config);
    Err err = json_take(&w, &text);
    if (err == ERR_NONE) err = json_parse(text, strlen(text), RECORD_BYTES_MAX, &here);
    if (err == ERR_NONE) err = yaml_record_compare(&run_config_table, stored, here, differences);
    json_free(here);
    free(text);
    return err;
}

Err run_record_check(const char *record, const char *name, const RunConfig *config, Str *ret_differences)
{
    Json *root = NULL;
    const Json *stored = NULL, *contents = NULL;
    Err err = json_parse(record, strlen(record), RECORD_BYTES_MAX, &root);
    if (err == ERR_NONE) err = json_get_object(root, "configuration", &stored);
    if (err == ERR_NONE) err = json_get_object(root, "content", &contents);
    if (err == ERR_INPUT) err = err_prefix(ERR_MODEL, "'%s': the record of its run", name);
    if (err == ERR_NONE) err = compare_configurations(stored, config, ret_differences);
    if (err == ERR_NONE) err = compare_contents(contents, config, ret_differences);
    json_free(root);
    if (err != ERR_NONE || ret_differences->length == 0) return err;
    return err_set(ERR_CONFIG,
                   "'%s': made by another configuration: %s; continue with that one, or choose another "
                   "train.output",
                   name, str_text(ret_differences));
}
