/* SPDX-License-Identifier: Apache-2.0
 * Names of bands are cut into words: runs of letters and digits, small letters. */
#include "geo/band_name.h"

#include "base/err.h"

#include <ctype.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { MAX_WORDS = 24, WORD_BYTES = 24 };

typedef struct Words {
    char word[MAX_WORDS][WORD_BYTES];
    int n;
} Words;

static bool is_word_byte(char c) { return isalnum((unsigned char)c) != 0 || (unsigned char)c >= 0x80; }

/* A decimal number is one word ("0.665"); other dots part words ("HLS.S30"). */
static Words split(const char *name)
{
    Words w = { .n = 0 };
    while (*name != '\0' && w.n < MAX_WORDS) {
        while (*name != '\0' && !is_word_byte(*name)) name++;
        int length = 0;
        const bool number = isdigit((unsigned char)*name) != 0;
        while (is_word_byte(*name) || (number && *name == '.' && isdigit((unsigned char)name[1]) != 0)) {
            if (length + 1 < WORD_BYTES) w.word[w.n][length++] = (char)tolower((unsigned char)*name);
            name++;
        }
        w.word[w.n][length] = '\0';
        if (length > 0) w.n++;
    }
    return w;
}

static bool is_one_of(const char *word, const char *const *list)
{
    for (; *list != NULL; list++)
        if (strcmp(word, *list) == 0) return true;
    return false;
}

/* ---- words ---- */

static const struct {
    const char *first, *second; /* second "": the word alone */
    Spectral spectral;
} colour_words[] = {
    { "red", "edge", SPECTRAL_RED_EDGE },
    { "near", "infrared", SPECTRAL_NIR },
    { "near", "infra", SPECTRAL_NIR },
    { "near", "ir", SPECTRAL_NIR },
    { "proche", "infrarouge", SPECTRAL_NIR },
    { "nahes", "infrarot", SPECTRAL_NIR },
    { "short", "wave", SPECTRAL_SWIR1 },
    { "shortwave", "infrared", SPECTRAL_SWIR1 },
    { "mid", "infrared", SPECTRAL_SWIR1 },
    { "coastal", "aerosol", SPECTRAL_COASTAL },
    { "coastal", "blue", SPECTRAL_COASTAL },
    { "thermal", "infrared", SPECTRAL_OTHER },
    { "water", "vapour", SPECTRAL_OTHER },
    { "water", "vapor", SPECTRAL_OTHER },
    { "red", "", SPECTRAL_RED },
    { "rouge", "", SPECTRAL_RED },
    { "rot", "", SPECTRAL_RED },
    { "rojo", "", SPECTRAL_RED },
    { "vermelho", "", SPECTRAL_RED },
    { "green", "", SPECTRAL_GREEN },
    { "vert", "", SPECTRAL_GREEN },
    { "grün", "", SPECTRAL_GREEN },
    { "gruen", "", SPECTRAL_GREEN },
    { "verde", "", SPECTRAL_GREEN },
    { "blue", "", SPECTRAL_BLUE },
    { "bleu", "", SPECTRAL_BLUE },
    { "blau", "", SPECTRAL_BLUE },
    { "azul", "", SPECTRAL_BLUE },
    { "yellow", "", SPECTRAL_YELLOW },
    { "rededge", "", SPECTRAL_RED_EDGE },
    { "re1", "", SPECTRAL_RED_EDGE },
    { "re2", "", SPECTRAL_RED_EDGE },
    { "re3", "", SPECTRAL_RED_EDGE },
    { "rededge1", "", SPECTRAL_RED_EDGE },
    { "rededge2", "", SPECTRAL_RED_EDGE },
    { "rededge3", "", SPECTRAL_RED_EDGE },
    { "nir", "", SPECTRAL_NIR },
    { "nir1", "", SPECTRAL_NIR },
    { "nir08", "", SPECTRAL_NIR },
    { "nir09", "", SPECTRAL_OTHER }, /* STAC's name of the water vapour band */
    { "nearinfrared", "", SPECTRAL_NIR },
    { "infrared", "", SPECTRAL_NIR },
    { "infrarouge", "", SPECTRAL_NIR },
    { "infrarot", "", SPECTRAL_NIR },
    { "swir", "", SPECTRAL_SWIR1 },
    { "swir1", "", SPECTRAL_SWIR1 },
    { "swir16", "", SPECTRAL_SWIR1 },
    { "swir2", "", SPECTRAL_SWIR2 },
    { "swir22", "", SPECTRAL_SWIR2 },
    { "coastal", "", SPECTRAL_COASTAL },
    { "aerosol", "", SPECTRAL_COASTAL },
    { "pan", "", SPECTRAL_OTHER },
    { "panchromatic", "", SPECTRAL_OTHER },
    { "cirrus", "", SPECTRAL_OTHER },
    { "thermal", "", SPECTRAL_OTHER },
    { "lwir", "", SPECTRAL_OTHER },
    { "tir", "", SPECTRAL_OTHER },
};

/* Words of what is made from bands and is none. */
static const char *const derived_words[] = { "mask",        "msk",    "quality",  "qa",    "std",
                                             "stdev",       "stddev", "variance", "var",   "count",
                                             "difference",  "diff",   "ratio",    "index", "error",
                                             "uncertainty", "label",  "class",    NULL };

static bool is_swir_two(const Words *w)
{
    for (int i = 1; i < w->n; i++)
        if (strcmp(w->word[i], "2") == 0 && i > 0 && strcmp(w->word[i - 1], "band") != 0) return true;
    return false;
}

/* The one colour that the words name; unknown when they name none or several. */
static Spectral read_words(const Words *w)
{
    Spectral found = SPECTRAL_UNKNOWN;
    for (int i = 0; i < w->n; i++) {
        for (int64_t k = 0; k < ARRAY_LEN(colour_words); k++) {
            const bool two = colour_words[k].second[0] != '\0';
            if (strcmp(w->word[i], colour_words[k].first) != 0) continue;
            if (two && (i + 1 == w->n || strcmp(w->word[i + 1], colour_words[k].second) != 0)) continue;
            Spectral spectral = colour_words[k].spectral;
            if (spectral == SPECTRAL_SWIR1 && is_swir_two(w)) spectral = SPECTRAL_SWIR2;
            const bool rest =
                strcmp(w->word[i], "infrared") == 0 && found != SPECTRAL_UNKNOWN; /* short wave infrared */
            if (rest) break;
            if (found != SPECTRAL_UNKNOWN && found != spectral) return SPECTRAL_UNKNOWN;
            found = spectral;
            i += two ? 1 : 0;
            break;
        }
    }
    return found;
}

/* A name of one letter. */
static Spectral read_letter(const Words *w)
{
    if (w->n != 1 || w->word[0][1] != '\0') return SPECTRAL_UNKNOWN;
    switch (w->word[0][0]) {
    case 'r':
        return SPECTRAL_RED;
    case 'g':
        return SPECTRAL_GREEN;
    case 'b':
        return SPECTRAL_BLUE;
    case 'n':
        return SPECTRAL_NIR;
    default:
        return SPECTRAL_UNKNOWN;
    }
}

/* ---- wavelengths ---- */

Spectral spectral_of_wavelength(double nanometres)
{
    static const struct {
        double low, high;
        Spectral spectral;
    } parts[] = { { 400, 450, SPECTRAL_COASTAL }, { 450, 515, SPECTRAL_BLUE },    { 515, 590, SPECTRAL_GREEN },
                  { 590, 620, SPECTRAL_YELLOW },  { 620, 690, SPECTRAL_RED },     { 690, 790, SPECTRAL_RED_EDGE },
                  { 790, 920, SPECTRAL_NIR },     { 1550, 1750, SPECTRAL_SWIR1 }, { 2080, 2350, SPECTRAL_SWIR2 } };
    if (!(nanometres > 0.0)) return SPECTRAL_UNKNOWN;
    for (int64_t i = 0; i < ARRAY_LEN(parts); i++)
        if (nanometres >= parts[i].low && nanometres < parts[i].high) return parts[i].spectral;
    return SPECTRAL_OTHER;
}

/* "665 nm", "665nm", "0.665 um": nanometres, 0 if there is none. */
static double read_wavelength(const Words *w)
{
    static const char *const nano[] = { "nm", "nanometers", "nanometres", "nanometer", NULL };
    static const char *const micro[] = { "um", "µm", "μm", "micrometers", "micrometres", "microns", "micron", NULL };
    for (int i = 0; i < w->n; i++) {
        char *end = NULL;
        const double value = strtod(w->word[i], &end);
        if (end == w->word[i] || !isdigit((unsigned char)w->word[i][0])) continue;
        const char *unit = *end != '\0' ? end : i + 1 < w->n ? w->word[i + 1] : "";
        if (is_one_of(unit, nano) && value >= 300.0) return value;
        if (is_one_of(unit, micro) && value >= 0.3 && value < 20.0) return 1000.0 * value;
    }
    return 0.0;
}

/* ---- codes ---- */

/* "b4", "b04", "b8a". */
static bool read_code(const char *word, BandName *name)
{
    if (word[0] != 'b' || isdigit((unsigned char)word[1]) == 0) return false;
    char *end = NULL;
    const long code = strtol(word + 1, &end, 10);
    const bool a = *end == 'a' && end[1] == '\0';
    if (code < 1 || code > 99 || (*end != '\0' && !a)) return false;
    name->code = (int)code;
    name->code_a = a;
    return true;
}

static bool starts(const char *text, const char *prefix) { return strncasecmp(text, prefix, strlen(prefix)) == 0; }

typedef struct NumberingStart {
    const char *start;
    BandNumbering numbering;
} NumberingStart;

/* How names of platforms and products begin. */
static const NumberingStart product_starts[] = {
    { "SENTINEL2", NUMBERING_SENTINEL_2 },
    { "SENTINEL-2", NUMBERING_SENTINEL_2 },
    { "SENTINEL_2", NUMBERING_SENTINEL_2 },
    { "SENTINEL 2", NUMBERING_SENTINEL_2 },
    { "S2A", NUMBERING_SENTINEL_2 },
    { "S2B", NUMBERING_SENTINEL_2 },
    { "S2C", NUMBERING_SENTINEL_2 },
    { "S2_", NUMBERING_SENTINEL_2 },
    { "HLS.S30", NUMBERING_SENTINEL_2 },
    { "HLSS30", NUMBERING_SENTINEL_2 },
    { "HLS.L30", NUMBERING_OLI },
    { "HLSL30", NUMBERING_OLI },
    { "LC08", NUMBERING_OLI },
    { "LC09", NUMBERING_OLI },
    { "LO08", NUMBERING_OLI },
    { "LO09", NUMBERING_OLI },
    { "LC8", NUMBERING_OLI },
    { "LC9", NUMBERING_OLI },
    { "LT04", NUMBERING_TM },
    { "LT05", NUMBERING_TM },
    { "LE07", NUMBERING_TM },
    { "LT4", NUMBERING_TM },
    { "LT5", NUMBERING_TM },
    { "LE7", NUMBERING_TM },
    { "MODIS", NUMBERING_MODIS },
    { "MOD09", NUMBERING_MODIS },
    { "MYD09", NUMBERING_MODIS },
    { "MCD43", NUMBERING_MODIS },
};

/* Sensors and satellites in metadata; of files and folders they are words like others. */
static const NumberingStart sensor_words[] = {
    { "MSI", NUMBERING_SENTINEL_2 }, { "OLI", NUMBERING_OLI },     { "TM", NUMBERING_TM },
    { "ETM", NUMBERING_TM },         { "TERRA", NUMBERING_MODIS }, { "AQUA", NUMBERING_MODIS },
};

static BandNumbering find_start(const char *text, const NumberingStart *starts_of, int64_t n_starts)
{
    for (int64_t i = 0; i < n_starts; i++) {
        const char *start = starts_of[i].start;
        const size_t n = strlen(start);
        /* "terrain" is not Terra */
        const bool letters = isalpha((unsigned char)start[n - 1]) != 0;
        const bool whole = strnlen(text, n) < n || !letters || isalpha((unsigned char)text[n]) == 0;
        if (starts(text, start) && whole) return starts_of[i].numbering;
    }
    return NUMBERING_UNKNOWN;
}

BandNumbering band_numbering_of_file(const char *name)
{
    if (starts(name, "LANDSAT")) {
        const size_t skip = strcspn(name, "0123456789");
        const int number = (int)strtol(name + skip, NULL, 10);
        return number == 8 || number == 9                  ? NUMBERING_OLI
               : number == 4 || number == 5 || number == 7 ? NUMBERING_TM
                                                           : NUMBERING_UNKNOWN;
    }
    /* T30UYG_20200425T113321_B04 */
    if ((name[0] == 'T' || name[0] == 't') && strlen(name) > 22 && name[6] == '_' && (name[15] == 'T') &&
        name[22] == '_')
        return NUMBERING_SENTINEL_2;
    return find_start(name, product_starts, ARRAY_LEN(product_starts));
}

BandNumbering band_numbering_of(const char *text)
{
    const BandNumbering numbering = band_numbering_of_file(text);
    return numbering != NUMBERING_UNKNOWN ? numbering : find_start(text, sensor_words, ARRAY_LEN(sensor_words));
}

Spectral spectral_of_code(BandNumbering numbering, int code, bool code_a)
{
    static const Spectral sentinel_2[] = { SPECTRAL_COASTAL,  SPECTRAL_BLUE,     SPECTRAL_GREEN,    SPECTRAL_RED,
                                           SPECTRAL_RED_EDGE, SPECTRAL_RED_EDGE, SPECTRAL_RED_EDGE, SPECTRAL_NIR,
                                           SPECTRAL_OTHER,    SPECTRAL_OTHER,    SPECTRAL_SWIR1,    SPECTRAL_SWIR2 };
    static const Spectral oli[] = { SPECTRAL_COASTAL, SPECTRAL_BLUE,  SPECTRAL_GREEN, SPECTRAL_RED,
                                    SPECTRAL_NIR,     SPECTRAL_SWIR1, SPECTRAL_SWIR2, SPECTRAL_OTHER,
                                    SPECTRAL_OTHER,   SPECTRAL_OTHER, SPECTRAL_OTHER };
    static const Spectral tm[] = { SPECTRAL_BLUE,  SPECTRAL_GREEN, SPECTRAL_RED,   SPECTRAL_NIR,
                                   SPECTRAL_SWIR1, SPECTRAL_OTHER, SPECTRAL_SWIR2, SPECTRAL_OTHER };
    static const Spectral modis[] = { SPECTRAL_RED,   SPECTRAL_NIR,   SPECTRAL_BLUE, SPECTRAL_GREEN,
                                      SPECTRAL_OTHER, SPECTRAL_SWIR1, SPECTRAL_SWIR2 };
    static const struct {
        const Spectral *bands;
        int64_t n;
    } tables[] = { { NULL, 0 },
                   { sentinel_2, ARRAY_LEN(sentinel_2) },
                   { oli, ARRAY_LEN(oli) },
                   { tm, ARRAY_LEN(tm) },
                   { modis, ARRAY_LEN(modis) } };
    if (code_a) return numbering == NUMBERING_SENTINEL_2 && code == 8 ? SPECTRAL_NIR : SPECTRAL_UNKNOWN;
    return code >= 1 && code <= tables[numbering].n ? tables[numbering].bands[code - 1] : SPECTRAL_UNKNOWN;
}

const char *spectral_name(Spectral spectral)
{
    static const char *const names[] = { "",         "coastal", "blue",  "green", "yellow", "red",
                                         "red edge", "nir",     "swir1", "swir2", "other" };
    return names[spectral];
}

double spectral_centre(Spectral spectral)
{
    static const double centres[] = { 0, 443, 490, 560, 605, 660, 720, 842, 1610, 2190, 0 };
    return centres[spectral];
}

BandName band_name_read(const char *name)
{
    BandName b = { .spectral = SPECTRAL_UNKNOWN };
    const Words w = split(name);
    for (int i = 0; i < w.n; i++)
        if (is_one_of(w.word[i], derived_words)) return b;
    b.wavelength = read_wavelength(&w);
    b.spectral = read_words(&w);
    if (b.spectral == SPECTRAL_UNKNOWN) b.spectral = read_letter(&w);
    if (b.spectral == SPECTRAL_UNKNOWN) b.spectral = spectral_of_wavelength(b.wavelength);
    for (int i = 0; i < w.n; i++) {
        if (!read_code(w.word[i], &b)) continue;
        b.surface = i > 0 && strcmp(w.word[i - 1], "sr") == 0;
        if (i > 0 && strcmp(w.word[i - 1], "refl") == 0) b.numbering = NUMBERING_MODIS;
    }
    if (b.code > 0 && b.numbering == NUMBERING_UNKNOWN)
        b.numbering = b.code_a ? NUMBERING_SENTINEL_2 : band_numbering_of(name);
    return b;
}

Spectral band_name_meaning(const BandName *asked)
{
    if (asked->spectral != SPECTRAL_UNKNOWN) return asked->spectral;
    const BandNumbering numbering = asked->numbering != NUMBERING_UNKNOWN ? asked->numbering : NUMBERING_SENTINEL_2;
    return spectral_of_code(numbering, asked->code, asked->code_a);
}

int64_t band_name_find(const char *asked, int64_t n, const char *const *names)
{
    for (int64_t i = 0; i < n; i++)
        if (strcasecmp(asked, names[i]) == 0) return i;
    const BandName read = band_name_read(asked);
    const Spectral wanted = band_name_meaning(&read);
    int64_t found = -1;
    for (int64_t i = 0; i < n && wanted != SPECTRAL_UNKNOWN && wanted != SPECTRAL_OTHER; i++) {
        const BandName name = band_name_read(names[i]);
        if (band_name_meaning(&name) != wanted) continue;
        if (found >= 0) return -1;
        found = i;
    }
    return found;
}

bool band_name_is_colour(const char *name)
{
    const BandName read = band_name_read(name);
    const Spectral part = band_name_meaning(&read);
    return part == SPECTRAL_RED || part == SPECTRAL_GREEN || part == SPECTRAL_BLUE;
}
