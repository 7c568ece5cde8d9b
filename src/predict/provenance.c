/* SPDX-License-Identifier: Apache-2.0
 * How a map was made. The command is made of what was understood, not of the words that were typed: bands by number where they were found
 * by name, files without their folders. */
#include "predict/provenance.h"

#include "base/climate_zones.h"
#include "base/file.h"
#include "base/str.h"
#include "geo/cloud_mask.h"
#include "geo/raster_extent.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_ITEMS = 10 };

static const char *const prompt_words[] = { "grounded", "null", "tile-mixed", "shuffled" };
static const char *const tta_words[] = { "none", "lr", "d4", "ms", "lr-ms", "d4-ms" };

/* ---- the command ---- */

/* A word as a shell takes it. */
static void add_word(Str *text, const char *word)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./,:=+-@%";
    str_add_char(text, ' ');
    if (word[0] != '\0' && strspn(word, plain) == strlen(word)) {
        str_add(text, word);
        return;
    }
    str_add_char(text, '\'');
    for (; *word != '\0'; word++) {
        if (*word == '\'')
            str_add(text, "'\\''");
        else
            str_add_char(text, *word);
    }
    str_add_char(text, '\'');
}

static void add_text(Str *text, const char *option, const char *value)
{
    if (value == NULL) return;
    str_addf(text, " --%s", option);
    add_word(text, value);
}

static void add_number(Str *text, const char *option, double value)
{
    char shown[32];
    if (value == 0.0) return;
    str_from_double(value, shown);
    str_addf(text, " --%s %s", option, shown);
}

/* "folder/scene.SAFE/" -> "scene.SAFE". */
static void add_name(Str *text, const char *path, size_t length)
{
    while (length > 1 && path[length - 1] == '/') length--;
    size_t name = 0;
    for (size_t i = 0; i + 1 < length; i++)
        if (path[i] == '/') name = i + 1;
    str_add_bytes(text, path + name, length - name);
}

/* The input without its folder; of a list of band files ("B04=FILE,B03=FILE") each. */
static void add_input(Str *text, const char *in)
{
    const bool list = raster_is_product(in) && strchr(in, '=') != NULL;
    Str names = { 0 };
    for (const char *part = in; *part != '\0';) {
        const size_t length = list ? strcspn(part, ",") : strlen(part), equals = strcspn(part, "=");
        const size_t start = list && equals < length ? equals + 1 : 0;
        str_add_bytes(&names, part, start);
        add_name(&names, part + start, length - start);
        part += length;
        if (*part == ',') str_add_char(&names, *part++);
    }
    add_word(text, str_text(&names));
    str_done(&names);
}

/* Numbers of the bands that are read, where they are not all of the file in its order. */
static void add_bands(Str *text, const ProvenanceFacts *f)
{
    const Raster *raster = f->image->raster;
    const int64_t n = raster_chosen_count(raster);
    const int32_t wanted = f->model->config.network.n_bands;
    bool plain = n == raster_info(raster)->bands && n == wanted;
    for (int64_t i = 0; i < n; i++) plain = plain && raster_chosen_band(raster, i) == i + 1;
    if (plain) return;
    str_add(text, " -b ");
    bool first = true;
    for (int32_t b = 0; b < wanted; b++) {
        const int64_t source = f->image->source != NULL ? f->image->source[b] : b;
        if (source < 0) continue;
        str_add(text, first ? "" : ",");
        if (n < wanted) str_addf(text, "%s=", f->model->config.bands[b].name);
        str_addf(text, "%lld", (long long)raster_chosen_band(raster, source));
        first = false;
    }
}

/* A mask of a file by its name; scl and qa_pixel stay. */
static void add_mask(Str *text, const MetasegPredictOptions *o)
{
    if (o->mask != NULL) add_text(text, "mask", path_name(o->mask));
    add_text(text, "mask-values", o->mask_values);
}

/* The part that is mapped, and what it is cut by. */
static void add_extent(Str *text, const MetasegPredictOptions *o)
{
    RasterExtent e;
    if (raster_extent_of(o->extent, o->extent_crs, &e)) {
        const double corners[] = { e.xmin, e.ymin, e.xmax, e.ymax };
        str_add(text, " -te");
        for (int64_t i = 0; i < ARRAY_LEN(corners); i++) {
            char shown[32];
            str_from_double(corners[i], shown);
            str_addf(text, " %s", shown);
        }
        add_text(text, "te_srs", e.crs);
    }
    if (o->cutline != NULL) add_text(text, "cutline", path_name(o->cutline));
    add_text(text, "cl", o->cutline_layer);
    add_text(text, "cutline_srs", o->cutline_crs);
}

static void add_reading(Str *text, const MetasegPredictOptions *o)
{
    if (o->prompt == NULL && o->prompts != METASEG_PROMPTS_GROUNDED)
        add_text(text, "prompts", prompt_words[o->prompts]);
    add_text(text, "prompt", o->prompt);
    add_number(text, "tile", o->tile);
    if (o->overlap >= 0) str_addf(text, " --overlap %d", (int)o->overlap);
    add_number(text, "crops", o->crops);
    if (o->tta != METASEG_TTA_NONE) add_text(text, "tta", tta_words[o->tta]);
}

static Err command(const ProvenanceFacts *f, char **ret_text)
{
    const MetasegPredictOptions *o = f->options;
    Str text = { 0 };
    str_add(&text, "metaseg predict");
    add_input(&text, f->in);
    str_add(&text, " -m");
    add_word(&text, f->model->config.name);
    add_bands(&text, f);
    add_reading(&text, o);
    add_mask(&text, o);
    add_extent(&text, o);
    add_text(&text, "crs", o->crs);
    if (isfinite(o->longitude) && isfinite(o->latitude)) {
        char lon[32], lat[32];
        str_from_double(o->longitude, lon);
        str_from_double(o->latitude, lat);
        str_addf(&text, " --lonlat %s,%s", lon, lat);
    }
    add_number(&text, "gsd", o->gsd);
    add_number(&text, "resolution", o->resolution);
    add_text(&text, "level", o->level);
    if (o->stored_values) str_add(&text, " --stored");
    return str_take(&text, ret_text);
}

/* ---- what was read ---- */

/* "Cfb 62.1 %, Dfb 37.9 %": those of a thousandth and more. */
static Err zones(const ProvenanceFacts *f, char **ret_text)
{
    static const double least = 0.0005;
    double shares[CLIMATE_ZONES + 1];
    Str text = { 0 };
    zone_image_shares(f->climate, image_source_zone_place(f->image), zone_share_defaults().coast_km, shares);
    for (;;) {
        int most = 0;
        for (int zone = 1; zone <= CLIMATE_ZONES; zone++) most = shares[zone] > shares[most] ? zone : most;
        if (shares[most] < least) break;
        str_addf(&text, "%s%s %.1f %%", text.length > 0 ? ", " : "", climate_zone_name(most), 100.0 * shares[most]);
        shares[most] = 0.0;
    }
    return str_take(&text, ret_text);
}

/* Of the model's bands those that are there, "red,green,blue". */
static Err bands(const ProvenanceFacts *f, char **ret_text)
{
    const ModelConfig *c = &f->model->config;
    Str text = { 0 };
    for (int32_t b = 0; b < c->network.n_bands; b++)
        if (f->image->source[b] >= 0) str_addf(&text, "%s%s", text.length > 0 ? "," : "", c->bands[b].name);
    return str_take(&text, ret_text);
}

/* ---- the list ---- */

typedef struct Items {
    char **list; /* [2 MOST_ITEMS + 1] */
    int n;
} Items;

/* Takes the value over. */
static Err put(Items *items, const char *key, char *value)
{
    ASSERT(items->n < MOST_ITEMS);
    items->list[2 * items->n + 1] = value;
    return str_copy(key, &items->list[2 * items->n++]);
}

static Err put_copy(Items *items, const char *key, const char *value)
{
    char *copy = NULL;
    TRY(str_copy(value, &copy));
    return put(items, key, copy);
}

typedef Err (*Maker)(const ProvenanceFacts *facts, char **ret_text);

static Err put_made(Items *items, const char *key, Maker make, const ProvenanceFacts *f)
{
    char *value = NULL;
    TRY(make(f, &value));
    return put(items, key, value);
}

static Err fill(const ProvenanceFacts *f, Items *items)
{
    const MetasegPredictOptions *o = f->options;
    char hash[32];
    (void)snprintf(hash, sizeof hash, "xxh64:%016" PRIx64, f->hash);
    TRY(put_copy(items, "METASEG_VERSION", METASEG_VERSION));
    TRY(put_copy(items, "METASEG_MODEL", f->model->config.name));
    TRY(put_copy(items, "METASEG_MODEL_HASH", hash));
    TRY(put_made(items, "METASEG_COMMAND", command, f));
    TRY(put_copy(items, "METASEG_PROMPTS", o->prompt != NULL ? "own words" : prompt_words[o->prompts]));
    if (o->prompt != NULL) TRY(put_copy(items, "METASEG_PROMPT", o->prompt));
    if (f->climate != NULL) TRY(put_made(items, "METASEG_ZONES", zones, f));
    if (raster_chosen_count(f->image->raster) != f->model->config.network.n_bands)
        TRY(put_made(items, "METASEG_BANDS", bands, f));
    return f->image->mask != NULL ? put_copy(items, "METASEG_MASK", cloud_mask_rule(f->image->mask)) : ERR_NONE;
}

Err provenance_items(const ProvenanceFacts *facts, char ***ret_items)
{
    Items items = { .list = calloc(2 * MOST_ITEMS + 1, sizeof *items.list) };
    if (items.list == NULL) return err_memory(2 * MOST_ITEMS * sizeof *items.list, "metadata of the map");
    const Err err = fill(facts, &items);
    if (err == ERR_NONE)
        *ret_items = items.list;
    else
        provenance_free(items.list);
    return err;
}

void provenance_free(char **items)
{
    if (items == NULL) return;
    for (int i = 0; i < 2 * MOST_ITEMS; i++) free(items[i]); /* after an error a key may be missing before its value */
    free((void *)items);
}
