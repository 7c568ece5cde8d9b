/* SPDX-License-Identifier: Apache-2.0
 * Choosing bands by number and by name. */
#include "base/file.h"
#include "geo/gdal_session.h"
#include "geo/raster.h"
#include "geo/raster_internal.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { SEVERAL = -1 };

/* Can a band of this name be what a model calls so? B5 of a model is no B5 of a file whose sensor numbers otherwise. */
static bool agrees(const RasterBand *band, const BandName *asked)
{
    const Spectral wanted = band_name_meaning(asked);
    return wanted == SPECTRAL_UNKNOWN || band->spectral == SPECTRAL_UNKNOWN || band->spectral == wanted;
}

/* Among the bands of one part of the spectrum: Sentinel-2's B8 before B8A, else the nearest to the part's wavelength.
 * SEVERAL when nothing tells them apart. */
static int find_spectral(const Raster *raster, Spectral wanted)
{
    int found = 0;
    double nearest = (double)INFINITY;
    for (int band = 1; band <= (int)raster->info.bands; band++) {
        const RasterBand *b = &raster->bands[band - 1];
        if (b->spectral != wanted) continue;
        const double distance = b->said.wavelength > 0.0 ? fabs(b->said.wavelength - spectral_centre(wanted))
                                : b->said.code_a         ? 1e6
                                                         : 1e5;
        if (found != 0 && distance == nearest) return SEVERAL;
        if (found == 0 || distance < nearest) found = band;
        nearest = fmin(nearest, distance);
    }
    return found;
}

/* Band number of a name; 0 if no band has it, SEVERAL. typed: by a person, who knows this file's own names. */
static int find_band(const Raster *raster, const char *name, bool typed)
{
    const BandName asked = band_name_read(name);
    const int bands = (int)raster->info.bands;
    int found = 0;
    for (int band = 1; band <= bands; band++) {
        if (strcasecmp(raster->bands[band - 1].name, name) != 0 ||
            (!typed && !agrees(&raster->bands[band - 1], &asked)))
            continue;
        if (found != 0) return SEVERAL;
        found = band;
    }
    if (found != 0) return found;
    for (int band = 1; asked.code > 0 && band <= bands; band++) {
        const RasterBand *b = &raster->bands[band - 1];
        if (b->said.code == asked.code && b->said.code_a == asked.code_a && (typed || agrees(b, &asked))) return band;
    }
    const Spectral wanted = band_name_meaning(&asked);
    return wanted == SPECTRAL_UNKNOWN || wanted == SPECTRAL_OTHER ? 0 : find_spectral(raster, wanted);
}

/* A name that is asked for, and a band of the product whose file is missing: a map without it would be another one. */
static Err check_missing(const Raster *raster, const char *name)
{
    const BandName asked = band_name_read(name);
    const Spectral wanted = band_name_meaning(&asked);
    for (int64_t i = 0; raster->product != NULL && i < raster->product->n_missing; i++) {
        const ProductMissing *missing = &raster->product->missing[i];
        const BandName own = band_name_read(missing->name);
        Spectral spectral = spectral_of_wavelength(missing->wavelength);
        if (spectral == SPECTRAL_UNKNOWN) spectral = spectral_of_code(raster->numbering, own.code, own.code_a);
        const bool code = asked.code > 0 && asked.code == own.code && asked.code_a == own.code_a && spectral == wanted;
        const bool colour = asked.code == 0 && wanted != SPECTRAL_UNKNOWN && wanted == spectral;
        if (strcasecmp(missing->name, name) != 0 && !code && !colour) continue;
        return err_set(ERR_INPUT,
                       "'%s': the file of its band %s ('%s') is missing or empty, so the product is not complete; "
                       "download it again",
                       raster->path, missing->name, path_name(missing->file));
    }
    return ERR_NONE;
}

const char *raster_list_bands(const Raster *raster, char *text, size_t text_bytes)
{
    size_t used = 0;
    text[0] = '\0';
    for (int64_t i = 0; i < raster->info.bands && used + 1 < text_bytes; i++) {
        const int n = snprintf(text + used, text_bytes - used, "%s%lld: %s", i > 0 ? ", " : "", (long long)i + 1,
                               raster->bands[i].name);
        if (n < 0) break;
        used += (size_t)n;
    }
    return text;
}

Err raster_find_word(const Raster *raster, const char *word, int *ret_band)
{
    char list[300];
    char *end = NULL;
    errno = 0;
    const long number = strtol(word, &end, 10);
    if (end != word && *end == '\0' && raster->product != NULL && raster->product->n_missing > 0)
        return err_set(ERR_INPUT,
                       "'%s': band %s was asked for, but %s, so numbers are not what they would be; choose by name: %s",
                       raster->path, word, raster->product->note, raster_list_bands(raster, list, sizeof list));
    if (end != word && *end == '\0') {
        if (errno != 0 || number < 1 || number > raster->info.bands)
            return err_set(ERR_INPUT, "'%s': band %s was asked for; the file has %lld (%s)", raster->path, word,
                           (long long)raster->info.bands, raster_list_bands(raster, list, sizeof list));
        *ret_band = (int)number;
        return ERR_NONE;
    }
    TRY(check_missing(raster, word));
    const int band = find_band(raster, word, true);
    if (band == SEVERAL)
        return err_set(ERR_INPUT, "'%s': several bands may be '%s'; choose one by number: %s", raster->path, word,
                       raster_list_bands(raster, list, sizeof list));
    if (band == 0)
        return err_set(ERR_INPUT, "'%s': no band is called '%s'; the file has %s", raster->path, word,
                       raster_list_bands(raster, list, sizeof list));
    *ret_band = band;
    return ERR_NONE;
}

Err raster_split_choice(const char *choice, char (*ret_words)[RASTER_NAME_BYTES], int64_t *ret_count)
{
    int64_t count = 0;
    for (const char *start = choice;; start++) {
        const size_t length = strcspn(start, ",");
        const char *first = start + strspn(start, " ");
        size_t n = first < start + length ? (size_t)(start + length - first) : 0;
        while (n > 0 && first[n - 1] == ' ') n--;
        if (n == 0 || n >= RASTER_NAME_BYTES)
            return err_set(
                ERR_ARGUMENT,
                "bands '%s' cannot be read; expected numbers or names separated by commas, for example 1,2,3", choice);
        if (count == RASTER_MAX_BANDS)
            return err_set(ERR_ARGUMENT, "more than %d bands were asked for", RASTER_MAX_BANDS);
        memcpy(ret_words[count], first, n);
        ret_words[count++][n] = '\0';
        start += length;
        if (*start == '\0') break;
    }
    *ret_count = count;
    return ERR_NONE;
}

static Err read_choice(const Raster *raster, const char *choice, int *ret_bands, int64_t *ret_count)
{
    char(*words)[RASTER_NAME_BYTES] = calloc(RASTER_MAX_BANDS, sizeof *words);
    if (words == NULL) return err_memory(RASTER_MAX_BANDS * sizeof *words, "the chosen bands");
    int64_t count = 0;
    Err err = raster_split_choice(choice, words, &count);
    for (int64_t i = 0; i < count && err == ERR_NONE; i++) err = raster_find_word(raster, words[i], &ret_bands[i]);
    free(words);
    *ret_count = count;
    return err;
}

/* ---- without a choice ---- */

/* All of the model's names, each another band. */
static bool choose_by_names(const Raster *raster, int64_t wanted, const char *const *names, int *bands)
{
    if (names == NULL || wanted < 1 || wanted > RASTER_MAX_BANDS) return false;
    for (int64_t i = 0; i < wanted; i++) {
        bands[i] = find_band(raster, names[i], false);
        if (bands[i] < 1) return false;
        for (int64_t k = 0; k < i; k++)
            if (bands[k] == bands[i]) return false;
    }
    return true;
}

/* Of a product the bands that see the surface: a panchromatic band would make the grid finer, and cirrus, water vapour and
 * thermal bands are hardly meant. */
static int64_t choose_surface(const Raster *raster, int *bands)
{
    int64_t count = 0;
    for (int64_t band = 1; band <= raster->info.bands; band++)
        if (raster->bands[band - 1].spectral != SPECTRAL_OTHER) bands[count++] = (int)band;
    return count;
}

int64_t raster_data_bands(const Raster *raster, int *bands)
{
    int64_t count = raster->product != NULL ? choose_surface(raster, bands) : 0;
    if (count > 0) return count;
    for (int64_t band = 1; band <= raster->info.bands; band++)
        if (!raster->bands[band - 1].is_alpha) bands[count++] = (int)band;
    if (count > 0) return count;
    for (int64_t band = 1; band <= raster->info.bands; band++) bands[count++] = (int)band;
    return count;
}

/* "red, green, blue", cut when long. */
static const char *list_names(int64_t count, const char *const *names, char *text, size_t text_bytes)
{
    size_t used = 0;
    text[0] = '\0';
    for (int64_t i = 0; i < count && used + 1 < text_bytes; i++) {
        const int n = snprintf(text + used, text_bytes - used, "%s%s", i > 0 ? ", " : "", names[i]);
        if (n < 0) break;
        used += (size_t)n;
    }
    return text;
}

/* The file's order is right only where no band's name says that it is another than the one wanted at its place. Colours
 * tell less: infrared pictures are stored as red, green and blue. */
static Err check_order(Raster *raster, const int *bands, int64_t count, const char *const *names)
{
    char list[300], wanted[200];
    bool by_name = false, by_colour = false;
    for (int64_t i = 0; i < count; i++) {
        const RasterBand *band = &raster->bands[bands[i] - 1];
        const BandName asked = band_name_read(names[i]);
        if (agrees(band, &asked)) continue;
        by_name = by_name || !band->by_colour;
        by_colour = by_colour || band->by_colour;
    }
    if (by_name)
        return err_set(
            ERR_INPUT,
            "'%s': the model reads %s, and the names of the file's bands say otherwise (%s); choose with -b, "
            "by number, the bands to read as these",
            raster->path, list_names(count, names, wanted, sizeof wanted),
            raster_list_bands(raster, list, sizeof list));
    if (!by_colour) return ERR_NONE;
    raster->doubtful = true;
    (void)snprintf(raster->note, RASTER_NOTE_BYTES,
                   "the model reads %s, and the file's colours say otherwise (%s), so its bands are read in the file's "
                   "order; check it, or choose with -b",
                   list_names(count, names, wanted, sizeof wanted), raster_list_bands(raster, list, sizeof list));
    return ERR_NONE;
}

Err raster_find_named(const Raster *raster, const char *name, int *ret_band)
{
    TRY(check_missing(raster, name));
    const int band = find_band(raster, name, false);
    *ret_band = band > 0 ? band : 0;
    return ERR_NONE;
}

static Err check_count(const Raster *raster, int64_t count, int64_t wanted)
{
    char list[300], advice[120];
    if (wanted > 0 && count != wanted) {
        const bool alpha = raster->info.bands == wanted && count < wanted;
        size_t used = 0;
        for (int64_t i = 1; i <= wanted && used + 8 < sizeof advice; i++)
            used += (size_t)snprintf(advice + used, sizeof advice - used, "%s%lld", i > 1 ? "," : "", (long long)i);
        return err_set(ERR_INPUT, "'%s': %lld band%s given (%s%s) but %lld %s wanted; %s%s", raster->path,
                       (long long)count, count == 1 ? " is" : "s are",
                       raster->info.has_palette ? "a palette; expand it with gdal_translate -expand rgb; " : "",
                       raster_list_bands(raster, list, sizeof list), (long long)wanted, wanted == 1 ? "is" : "are",
                       raster->info.bands < wanted ? "this image has too few"
                       : alpha ? "if the band that is marked as alpha holds data, choose all with -b "
                               : "choose with -b, for example -b ",
                       raster->info.bands < wanted ? "" : advice);
    }
    return ERR_NONE;
}

static Err check_types(const Raster *raster, const int *bands, int64_t count)
{
    for (int64_t i = 0; i < count; i++)
        if (GDALDataTypeIsComplex(GDALGetRasterDataType(GDALGetRasterBand(raster->dataset, bands[i]))))
            return err_set(ERR_INPUT, "'%s': band %d holds complex numbers; expected integers or floats", raster->path,
                           bands[i]);
    return ERR_NONE;
}

/* What a person may want to know of a choice by names. */
static void note_choice(Raster *raster, const int *bands, int64_t count, const char *const *names)
{
    char *note = raster->note;
    size_t used = (size_t)snprintf(note, RASTER_NOTE_BYTES, "bands by their names: ");
    bool plain = true;
    for (int64_t i = 0; i < count && used + 1 < RASTER_NOTE_BYTES; i++) {
        const RasterBand *b = &raster->bands[bands[i] - 1];
        const int n = snprintf(note + used, RASTER_NOTE_BYTES - used, "%s%s is %d (%s)", i > 0 ? ", " : "", names[i],
                               bands[i], b->name);
        if (n > 0) used += (size_t)n;
        plain = plain && bands[i] == i + 1;
        raster->doubtful = raster->doubtful || (raster->numbering_assumed && b->said.code > 0);
    }
    if (raster->doubtful && used + 1 < RASTER_NOTE_BYTES)
        (void)snprintf(
            note + used, RASTER_NOTE_BYTES - used,
            "; nothing tells the sensor, so the numbers are read as those of %s; check them, or choose with -b",
            raster->numbering == NUMBERING_TM ? "Landsat 4, 5 and 7" : "Landsat 8 and 9");
    if (plain && !raster->doubtful) note[0] = '\0';
}

/* Bands called B1, B2, B3 may be no more than counted, or those of a sensor. */
static void note_count(Raster *raster)
{
    if (!raster->counted) return;
    raster->doubtful = true;
    (void)snprintf(
        raster->note, RASTER_NOTE_BYTES,
        "the bands are called B1, B2, ... and nothing tells the sensor, so they are read in the file's order; "
        "check it, or choose with -b");
}

Err raster_check_order(Raster *raster, const int *bands, int64_t count, const char *const *names)
{
    note_count(raster);
    return check_order(raster, bands, count, names);
}

static Err choose_default(Raster *raster, int64_t wanted, const char *const *names, int *bands, int64_t *ret_count)
{
    for (int64_t i = 0; names != NULL && i < wanted; i++) TRY(check_missing(raster, names[i]));
    if (choose_by_names(raster, wanted, names, bands)) {
        *ret_count = wanted;
        note_choice(raster, bands, wanted, names);
        return ERR_NONE;
    }
    *ret_count = raster_data_bands(raster, bands);
    if (names == NULL || *ret_count != wanted) return ERR_NONE;
    return raster_check_order(raster, bands, wanted, names);
}

/* A product lies on the grid of its finest chosen band. */
static Err regrid(Raster *raster, int64_t count, const int *bands)
{
    GDALDatasetH dataset = NULL;
    if (raster->product == NULL) return ERR_NONE;
    TRY(product_dataset(raster->product, count, bands, &dataset));
    GDALClose(raster->dataset);
    raster->dataset = dataset;
    raster_describe_grid(raster);
    return ERR_NONE;
}

Err raster_take_choice(Raster *raster, const int *bands, int64_t count)
{
    TRY(check_types(raster, bands, count));
    int *copy = malloc((size_t)count * sizeof *copy);
    if (copy == NULL) return err_memory((size_t)count * sizeof *copy, "the chosen bands");
    memcpy(copy, bands, (size_t)count * sizeof *copy);
    const Err err = regrid(raster, count, bands);
    if (err != ERR_NONE) {
        free(copy);
        return err;
    }
    free(raster->chosen);
    raster->chosen = copy;
    raster->chosen_count = count;
    return ERR_NONE;
}

Err raster_choose_bands(Raster *raster, const char *choice, int64_t wanted, const char *const *names)
{
    int *bands = calloc(RASTER_MAX_BANDS, sizeof *bands);
    if (bands == NULL) return err_memory(RASTER_MAX_BANDS * sizeof *bands, "the chosen bands");
    GdalSession session;
    gdal_begin(&session);
    int64_t count = 0;
    Err err = ERR_NONE;
    raster->note[0] = '\0';
    raster->doubtful = false;
    if (choice != NULL && choice[0] != '\0')
        err = read_choice(raster, choice, bands, &count);
    else
        err = choose_default(raster, wanted, names, bands, &count);
    if (err == ERR_NONE) err = check_count(raster, count, wanted);
    if (err == ERR_NONE) err = raster_take_choice(raster, bands, count);
    gdal_end(&session);
    free(bands);
    return err;
}

const char *raster_choice_note(const Raster *raster, bool *ret_doubtful)
{
    *ret_doubtful = raster->doubtful;
    return raster->note;
}

int64_t raster_chosen_count(const Raster *raster) { return raster->chosen_count; }

int64_t raster_chosen_band(const Raster *raster, int64_t i)
{
    ASSERT(i >= 0 && i < raster->chosen_count);
    return raster->chosen[i];
}
