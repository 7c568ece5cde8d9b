/* SPDX-License-Identifier: Apache-2.0
 * Choosing bands for a reader that can do without some of them. */
#include "geo/gdal_session.h"
#include "geo/raster.h"
#include "geo/raster_internal.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Which band of the file, from 1, is each band that the reader knows; 0: missing. */
typedef struct Present {
    const char *const *names;
    int64_t n;
    int of[RASTER_MAX_BANDS];
} Present;

/* What three and four bands without a name are. */
static const char *const usual[] = { "red", "green", "blue", "nir" };

/* "red, green, blue", cut when long; `wanted`: those that are there, or those that are missing. */
static const char *list_names(const Present *p, bool wanted, char *text, size_t text_bytes)
{
    size_t used = 0;
    text[0] = '\0';
    for (int64_t i = 0; i < p->n && used + 1 < text_bytes; i++) {
        if ((p->of[i] > 0) != wanted) continue;
        const int n = snprintf(text + used, text_bytes - used, "%s%s", used > 0 ? ", " : "", p->names[i]);
        if (n > 0) used += (size_t)n;
    }
    return text;
}

static const char *list_all(const Present *p, char *text, size_t text_bytes)
{
    size_t used = 0;
    text[0] = '\0';
    for (int64_t i = 0; i < p->n && used + 1 < text_bytes; i++) {
        const int n = snprintf(text + used, text_bytes - used, "%s%s", i > 0 ? ", " : "", p->names[i]);
        if (n > 0) used += (size_t)n;
    }
    return text;
}

static Err put(const Raster *raster, Present *p, const char *name, int band)
{
    char all[200];
    const int64_t i = band_name_find(name, p->n, p->names);
    if (i < 0)
        return err_set(
            ERR_INPUT,
            "'%s': the model reads no band '%.40s', or several may be it; it reads %s; say which is which: -b "
            "red=3,green=2,blue=1",
            raster->path, name, list_all(p, all, sizeof all));
    if (p->of[i] > 0)
        return err_set(ERR_ARGUMENT, "'%s': -b names the band %s of the model twice", raster->path, p->names[i]);
    p->of[i] = band;
    return ERR_NONE;
}

/* "red=3", "red=B04": the model's name, then the file's band. */
static Err put_pair(const Raster *raster, char *word, Present *p)
{
    char *value = strchr(word, '=');
    int band = 0;
    if (value == NULL || value == word || value[1] == '\0')
        return err_set(ERR_ARGUMENT, "bands: '%.60s' cannot be read; expected NAME=BAND like the others", word);
    *value++ = '\0';
    for (char *end = value - 1; end > word && end[-1] == ' '; end--) end[-1] = '\0';
    value += strspn(value, " ");
    TRY(raster_find_word(raster, value, &band));
    return put(raster, p, word, band);
}

static bool is_number(const char *word)
{
    while (isdigit((unsigned char)*word) != 0) word++;
    return *word == '\0';
}

/* All of the model's bands in its order, or fewer: names that both know, or three or four numbers. */
static Err put_list(const Raster *raster, char words[][RASTER_NAME_BYTES], int64_t count, Present *p)
{
    char all[200];
    bool numbers = true;
    for (int64_t i = 0; i < count; i++) numbers = numbers && is_number(words[i]);
    if (count > p->n || (numbers && count < p->n && count != 3 && count != 4))
        return err_set(
            ERR_INPUT,
            "'%s': %lld bands were chosen; the model reads %s: all of these in this order, or 3 (red, green, "
            "blue) or 4 (and nir), or say which is which: -b red=3,green=2,blue=1",
            raster->path, (long long)count, list_all(p, all, sizeof all));
    for (int64_t i = 0; i < count; i++) {
        int band = 0;
        TRY(raster_find_word(raster, words[i], &band));
        TRY(put(raster, p, count == p->n ? p->names[i] : numbers ? usual[i] : words[i], band));
    }
    return ERR_NONE;
}

static Err read_choice(const Raster *raster, const char *choice, Present *p)
{
    char(*words)[RASTER_NAME_BYTES] = calloc(RASTER_MAX_BANDS, sizeof *words);
    int64_t count = 0;
    if (words == NULL) return err_memory(RASTER_MAX_BANDS * sizeof *words, "the chosen bands");
    Err err = raster_split_choice(choice, words, &count);
    const bool pairs = strchr(choice, '=') != NULL;
    for (int64_t i = 0; i < count && pairs && err == ERR_NONE; i++) err = put_pair(raster, words[i], p);
    if (err == ERR_NONE && !pairs) err = put_list(raster, words, count, p);
    free(words);
    return err;
}

/* Bands by the names of the model; a band of the file is one of them only. */
static Err find_all(const Raster *raster, Present *p)
{
    for (int64_t i = 0; i < p->n; i++) {
        int band = 0;
        TRY(raster_find_named(raster, p->names[i], &band));
        for (int64_t k = 0; k < i; k++)
            if (p->of[k] == band) band = 0;
        p->of[i] = band;
    }
    return ERR_NONE;
}

/* The first colour that is missing, NULL: none. */
static const char *missing_colour(const Present *p)
{
    for (int64_t i = 0; i < p->n; i++)
        if (p->of[i] == 0 && band_name_is_colour(p->names[i])) return p->names[i];
    return NULL;
}

/* By names; where these are not the colours at least, all bands in the file's order, or its only three as colours. */
static Err choose_default(Raster *raster, Present *p)
{
    int bands[RASTER_MAX_BANDS];
    TRY(find_all(raster, p));
    int64_t found = 0;
    for (int64_t i = 0; i < p->n; i++) found += p->of[i] > 0;
    const bool enough = found > 0 && missing_colour(p) == NULL;
    const int64_t all = raster_data_bands(raster, bands);
    if (found == p->n || (enough && all != p->n) || (all != p->n && all != 3)) return ERR_NONE;
    const Err err = raster_check_order(raster, bands, all, all == p->n ? p->names : usual);
    if (err == ERR_INPUT && enough) return ERR_NONE;
    TRY(err);
    memset(p->of, 0, sizeof p->of);
    for (int64_t i = 0; i < all; i++) TRY(put(raster, p, all == p->n ? p->names[i] : usual[i], bands[i]));
    return ERR_NONE;
}

static Err check_colours(const Raster *raster, const Present *p, bool by_hand)
{
    char there[200], list[300];
    const char *missing = missing_colour(p);
    if (missing == NULL && list_names(p, true, there, sizeof there)[0] != '\0') return ERR_NONE;
    return err_set(ERR_INPUT, "'%s': the model can do without some of its bands, but not without %s, and %s (%s); %s",
                   raster->path, missing != NULL ? missing : "all of them",
                   by_hand ? "-b does not name it" : "no band of the file is known to be it",
                   raster_list_bands(raster, list, sizeof list), "say which is which: -b red=3,green=2,blue=1");
}

/* What was chosen, unless it is all bands in the file's order. */
static void note_present(Raster *raster, const Present *p)
{
    char missing[200];
    size_t used = 0;
    int64_t plain = 0;
    while (plain < p->n && p->of[plain] == plain + 1) plain++;
    if (plain == p->n) return;
    for (int64_t i = 0; i < p->n && used + 1 < RASTER_NOTE_BYTES; i++) {
        if (p->of[i] == 0) continue;
        const int n =
            snprintf(raster->note + used, RASTER_NOTE_BYTES - used, "%s%s is %d (%s)",
                     used > 0 ? ", " : "the model reads ", p->names[i], p->of[i], raster->bands[p->of[i] - 1].name);
        if (n > 0) used += (size_t)n;
    }
    if (list_names(p, false, missing, sizeof missing)[0] != '\0' && used + 1 < RASTER_NOTE_BYTES)
        (void)snprintf(raster->note + used, RASTER_NOTE_BYTES - used, "; missing: %s", missing);
}

/* Bands by their names, some may be missing. */
static Err choose_present(Raster *raster, const char *choice, Present *p)
{
    const bool by_hand = choice != NULL && choice[0] != '\0';
    int bands[RASTER_MAX_BANDS];
    int64_t count = 0;
    raster->note[0] = '\0';
    raster->doubtful = false;
    TRY(by_hand ? read_choice(raster, choice, p) : choose_default(raster, p));
    TRY(check_colours(raster, p, by_hand));
    for (int64_t i = 0; i < p->n; i++)
        if (p->of[i] > 0) bands[count++] = p->of[i];
    if (!raster->doubtful) note_present(raster, p);
    return raster_take_choice(raster, bands, count);
}

Err raster_choose_named(Raster *raster, const char *choice, int64_t n, const char *const *names, bool missing,
                        int32_t *ret_source)
{
    Present p = { .names = names, .n = n };
    ASSERT(n > 0 && n <= RASTER_MAX_BANDS);
    if (!missing && (choice == NULL || strchr(choice, '=') == NULL)) {
        TRY(raster_choose_bands(raster, choice, n, names));
        for (int64_t i = 0; i < n; i++) ret_source[i] = (int32_t)i;
        return ERR_NONE;
    }
    GdalSession session;
    gdal_begin(&session);
    const Err err = choose_present(raster, choice, &p);
    gdal_end(&session);
    TRY(err);
    int32_t count = 0;
    for (int64_t i = 0; i < n; i++) {
        if (p.of[i] == 0 && !missing)
            return err_set(ERR_INPUT, "'%s': the model reads '%s', too, and -b does not say which band it is",
                           raster->path, names[i]);
        ret_source[i] = p.of[i] > 0 ? count++ : -1;
    }
    return ERR_NONE;
}
