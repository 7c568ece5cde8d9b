/* SPDX-License-Identifier: Apache-2.0
 * Choosing bands by number and by name. */
#include "geo/gdal_session.h"
#include "geo/raster.h"
#include "geo/raster_internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Band number of a name, 0 if no band has it. */
static int find_band(const Raster *raster, const char *name)
{
    static const struct {
        const char *name, *sentinel2;
        GDALColorInterp colour;
    } colours[] = { { "red", "B04", GCI_RedBand },
                    { "green", "B03", GCI_GreenBand },
                    { "blue", "B02", GCI_BlueBand },
                    { "nir", "B08", GCI_Undefined } };
    const int bands = (int)raster->info.bands;
    for (int band = 1; band <= bands; band++)
        if (strcasecmp(raster->bands[band - 1].name, name) == 0) return band;
    for (int64_t i = 0; i < ARRAY_LEN(colours); i++) {
        if (strcasecmp(colours[i].name, name) != 0) continue;
        for (int band = 1; band <= bands && colours[i].colour != GCI_Undefined; band++)
            if (GDALGetRasterColorInterpretation(GDALGetRasterBand(raster->dataset, band)) == colours[i].colour)
                return band;
        for (int band = 1; band <= bands; band++)
            if (strcasecmp(raster->bands[band - 1].name, colours[i].sentinel2) == 0) return band;
    }
    return 0;
}

/* "1: red, 2: green, ..." for messages, cut when long. */
static const char *list_bands(const Raster *raster, char *text, size_t text_bytes)
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

/* One word of the choice: a number or a name. */
static Err read_word(const Raster *raster, const char *word, int *ret_band)
{
    char list[300];
    char *end = NULL;
    errno = 0;
    const long number = strtol(word, &end, 10);
    if (end != word && *end == '\0') {
        if (errno != 0 || number < 1 || number > raster->info.bands)
            return err_set(ERR_INPUT, "'%s': band %s was asked for; the file has %lld (%s)", raster->path, word,
                           (long long)raster->info.bands, list_bands(raster, list, sizeof list));
        *ret_band = (int)number;
        return ERR_NONE;
    }
    const int band = find_band(raster, word);
    if (band == 0)
        return err_set(ERR_INPUT, "'%s': no band is called '%s'; the file has %s", raster->path, word,
                       list_bands(raster, list, sizeof list));
    *ret_band = band;
    return ERR_NONE;
}

static Err read_choice(const Raster *raster, const char *choice, int *ret_bands, int64_t *ret_count)
{
    int64_t count = 0;
    for (const char *start = choice;; start++) {
        char word[RASTER_NAME_BYTES];
        const size_t length = strcspn(start, ",");
        const char *first = start + strspn(start, " ");
        size_t n = first < start + length ? (size_t)(start + length - first) : 0;
        while (n > 0 && first[n - 1] == ' ') n--;
        if (n == 0 || n >= sizeof word)
            return err_set(
                ERR_ARGUMENT,
                "bands '%s' cannot be read; expected numbers or names separated by commas, for example 1,2,3", choice);
        if (count == RASTER_MAX_BANDS)
            return err_set(ERR_ARGUMENT, "more than %d bands were asked for", RASTER_MAX_BANDS);
        memcpy(word, first, n);
        word[n] = '\0';
        TRY(read_word(raster, word, &ret_bands[count]));
        count++;
        start += length;
        if (*start == '\0') break;
    }
    *ret_count = count;
    return ERR_NONE;
}

/* Without a choice: by the model's names, else all but alpha. */
static int64_t default_choice(const Raster *raster, int64_t wanted, const char *const *names, int *bands)
{
    int64_t count = 0;
    if (names != NULL && wanted > 0 && wanted <= RASTER_MAX_BANDS) {
        while (count < wanted && (bands[count] = find_band(raster, names[count])) > 0) count++;
        if (count == wanted) return count;
    }
    count = 0;
    for (int64_t band = 1; band <= raster->info.bands; band++)
        if (!raster->bands[band - 1].is_alpha) bands[count++] = (int)band;
    if (count > 0) return count;
    for (int64_t band = 1; band <= raster->info.bands; band++) bands[count++] = (int)band;
    return count;
}

static Err check_choice(const Raster *raster, const int *bands, int64_t count, int64_t wanted)
{
    char list[300];
    if (wanted > 0 && count != wanted) {
        const char *advice = raster->info.bands < wanted ? "this image has too few"
                             : wanted == 1               ? "choose with -b, for example -b 1"
                             : wanted == 2               ? "choose with -b, for example -b 1,2"
                                                         : "choose with -b, for example -b 1,2,3";
        return err_set(ERR_INPUT, "'%s': %lld band%s given (%s%s) but %lld %s wanted; %s", raster->path,
                       (long long)count, count == 1 ? " is" : "s are",
                       raster->info.has_palette ? "a palette; expand it with gdal_translate -expand rgb; " : "",
                       list_bands(raster, list, sizeof list), (long long)wanted, wanted == 1 ? "is" : "are", advice);
    }
    for (int64_t i = 0; i < count; i++)
        if (GDALDataTypeIsComplex(GDALGetRasterDataType(GDALGetRasterBand(raster->dataset, bands[i]))))
            return err_set(ERR_INPUT, "'%s': band %d holds complex numbers; expected integers or floats", raster->path,
                           bands[i]);
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
    if (choice != NULL && choice[0] != '\0')
        err = read_choice(raster, choice, bands, &count);
    else
        count = default_choice(raster, wanted, names, bands);
    if (err == ERR_NONE) err = check_choice(raster, bands, count, wanted);
    gdal_end(&session);
    if (err != ERR_NONE) {
        free(bands);
        return err;
    }
    free(raster->chosen);
    raster->chosen = bands;
    raster->chosen_count = count;
    return ERR_NONE;
}

int64_t raster_chosen_count(const Raster *raster) { return raster->chosen_count; }

int64_t raster_chosen_band(const Raster *raster, int64_t i)
{
    ASSERT(i >= 0 && i < raster->chosen_count);
    return raster->chosen[i];
}
