/* SPDX-License-Identifier: Apache-2.0
 * What a mask's values mean, and looking them up. */
#include "geo/cloud_mask.h"

#include "base/file.h"
#include "base/str.h"
#include "geo/raster_lookup.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { MOST_VALUES = 256, RULE_BYTES = 200, QA_BITS = 0x1f };

typedef enum MaskKind { MASK_NOT_ZERO, MASK_SCL, MASK_QA_PIXEL, MASK_VALUES } MaskKind;

struct CloudMask {
    Raster *raster; /* its band chosen */
    Georeference *place;
    RasterLookup *lookup; /* NULL: pixel by pixel */
    MaskKind kind;
    int32_t values[MOST_VALUES];
    int64_t n_values;
    char rule[RULE_BYTES];
    float *found; /* of one window; grow */
    uint8_t *known;
    int64_t pixels;
    CloudMaskCounts counts;
};

/* ---- what is masked ---- */

static Err read_values(const char *text, CloudMask *m)
{
    for (const char *at = text;;) {
        char word[16];
        int64_t value = 0;
        const size_t n = strcspn(at, ",");
        (void)snprintf(word, sizeof word, "%.*s", (int)n, at);
        TRY(str_parse_int(word, "a masked value", -32768, 65535, &value));
        if (m->n_values == MOST_VALUES)
            return err_set(ERR_ARGUMENT, "more than %d masked values were given", MOST_VALUES);
        m->values[m->n_values++] = (int32_t)value;
        if (at[n] == '\0') return ERR_NONE;
        at += n + 1;
    }
}

/* Whether a word stands by itself in a name: "T33TWL_..._SCL_20m.jp2". */
static bool has_word(const char *name, const char *word)
{
    const size_t n = strlen(word);
    for (const char *at = name; *at != '\0'; at++)
        if (strncasecmp(at, word, n) == 0 && (at == name || isalnum((unsigned char)at[-1]) == 0) &&
            isalnum((unsigned char)at[n]) == 0)
            return true;
    return false;
}

static Err choose_rule(const char *values, CloudMask *m)
{
    const char *file = path_name(raster_path(m->raster)), *band = raster_band_name(m->raster, 1);
    if (values != NULL) {
        m->kind = MASK_VALUES;
        TRY(read_values(values, m));
        (void)snprintf(m->rule, sizeof m->rule, "the given values %.150s", values);
    } else if (has_word(band, "SCL") || has_word(file, "SCL")) {
        m->kind = MASK_SCL;
        (void)snprintf(m->rule, sizeof m->rule, "scene classification (SCL): values 0, 1, 3, 8, 9 and 10");
    } else if (has_word(band, "QA_PIXEL") || has_word(file, "QA_PIXEL")) {
        m->kind = MASK_QA_PIXEL;
        (void)snprintf(m->rule, sizeof m->rule, "Landsat's QA_PIXEL: fill, clouds, cirrus and cloud shadow");
    } else {
        (void)snprintf(m->rule, sizeof m->rule, "all values but 0");
    }
    return ERR_NONE;
}

static bool is_masked(const CloudMask *m, float value, bool known)
{
    static const bool scl[] = { true, true, false, true, false, false, false, false, true, true, true, false };
    const bool whole = value >= -32768.0F && value <= 65535.0F && value == floorf(value);
    const int32_t v = whole ? (int32_t)value : -1;
    switch (m->kind) {
    case MASK_SCL:
        return !known || v < 0 || v >= (int32_t)ARRAY_LEN(scl) || scl[v];
    case MASK_QA_PIXEL:
        return !known || !whole || (v & QA_BITS) != 0;
    case MASK_VALUES:
        for (int64_t i = 0; known && whole && i < m->n_values; i++)
            if (m->values[i] == v) return true;
        return false;
    case MASK_NOT_ZERO:
    default:
        return known && (value < 0.0F || value > 0.0F);
    }
}

/* ---- opening ---- */

static Err open_raster(const CloudMaskOptions *o, const Raster *image, CloudMask *m)
{
    const char *name = path_name(o->file); /* in a configuration it stands behind the folder of that */
    if ((strcasecmp(name, "scl") == 0 || strcasecmp(name, "qa_pixel") == 0) && !file_exists(o->file))
        TRY(raster_open_classification(image, name, &m->raster));
    else
        TRY(raster_open(o->file, o->stop, &m->raster));
    const char *type = raster_info(m->raster)->type;
    if (raster_info(m->raster)->bands != 1)
        return err_set(ERR_INPUT, "'%s': %lld bands; a cloud mask has one", o->file,
                       (long long)raster_info(m->raster)->bands);
    if (o->values == NULL && str_starts_with(type, "Float") && raster_measurement(m->raster, 1) != NULL)
        return err_set(ERR_INPUT, "'%s': %s; a cloud mask has whole values", o->file, raster_measurement(m->raster, 1));
    return raster_choose_bands(m->raster, "1", 1, NULL);
}

static Err place_mask(const CloudMaskOptions *o, const Raster *image, Georeference *place, CloudMask *m)
{
    TRY(georeference_open(m->raster, NULL, &m->place));
    const bool none = georeference_kind(place) == GEOREFERENCE_NONE,
               mask_none = georeference_kind(m->place) == GEOREFERENCE_NONE;
    const RasterInfo *of = raster_info(m->raster), *own = raster_info(image);
    if (!none && !mask_none) return raster_lookup_new(m->raster, place, m->place, &m->lookup);
    if (none != mask_none && !(of->width == own->width && of->height == own->height))
        return err_set(
            ERR_INPUT,
            "'%s': only one of cloud mask and image tells where it lies, and their sizes differ (%lld x %lld, "
            "%lld x %lld pixels); georeference the other",
            o->file, (long long)of->width, (long long)of->height, (long long)own->width, (long long)own->height);
    if (of->width == own->width && of->height == own->height) {
        const size_t used = strlen(m->rule);
        (void)snprintf(m->rule + used, sizeof m->rule - used, ", pixel by pixel");
        return ERR_NONE;
    }
    return err_set(
        ERR_INPUT,
        "'%s': cloud mask and image do not tell where they lie, and their sizes differ (%lld x %lld, %lld x %lld "
        "pixels)",
        o->file, (long long)of->width, (long long)of->height, (long long)own->width, (long long)own->height);
}

Err cloud_mask_open(const CloudMaskOptions *options, const Raster *image, Georeference *place, CloudMask **ret_mask)
{
    CloudMask *m = calloc(1, sizeof *m);
    if (m == NULL) return err_memory(sizeof *m, "a cloud mask");
    Err err = open_raster(options, image, m);
    if (err == ERR_NONE) err = choose_rule(options->values, m);
    if (err == ERR_NONE) err = place_mask(options, image, place, m);
    if (err == ERR_NONE)
        *ret_mask = m;
    else
        cloud_mask_close(m);
    return err;
}

void cloud_mask_close(CloudMask *m)
{
    if (m == NULL) return;
    raster_lookup_free(m->lookup);
    georeference_free(m->place);
    raster_close(m->raster);
    free(m->found);
    free(m->known);
    free(m);
}

CloudMaskCounts cloud_mask_counts(const CloudMask *mask) { return mask->counts; }

const Raster *cloud_mask_raster(const CloudMask *mask) { return mask->raster; }

const char *cloud_mask_rule(const CloudMask *mask) { return mask->rule; }

/* ---- applying ---- */

static Err want_pixels(CloudMask *m, int64_t pixels)
{
    if (pixels <= m->pixels) return ERR_NONE;
    free(m->found);
    free(m->known);
    m->found = malloc((size_t)pixels * sizeof *m->found);
    m->known = malloc((size_t)pixels);
    m->pixels = m->found != NULL && m->known != NULL ? pixels : 0;
    return m->pixels > 0 ? ERR_NONE : err_memory((size_t)pixels * (sizeof *m->found + 1), "a window of the cloud mask");
}

Err cloud_mask_apply(CloudMask *m, RasterWindow window, uint8_t *valid)
{
    const int64_t pixels = window.columns * window.rows;
    const PlaceWindow centres = { .x = (double)window.x + 0.5,
                                  .y = (double)window.y + 0.5,
                                  .step_x = 1.0,
                                  .step_y = 1.0,
                                  .columns = window.columns,
                                  .rows = window.rows };
    TRY(want_pixels(m, pixels));
    if (m->lookup != NULL)
        TRY(raster_lookup_window(m->lookup, &centres, m->found, m->known));
    else
        TRY(raster_read(m->raster, window, m->found, m->known));
    m->counts.pixels += pixels;
    for (int64_t i = 0; i < pixels; i++) {
        const bool masked = is_masked(m, m->found[i], m->known[i] != 0);
        m->counts.covered += m->known[i] != 0;
        m->counts.masked += masked;
        if (masked) valid[i] = 0;
    }
    return ERR_NONE;
}
