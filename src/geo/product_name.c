/* SPDX-License-Identifier: Apache-2.0
 * Product names. A pattern is matched against the start of a name: '9' any digit, 'A' any letter, '?' anything, the
 * rest itself without regard to case. */
#include "geo/product_name.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

static bool is_digit(char c) { return c >= '0' && c <= '9'; }

static bool matches(const char *name, const char *pattern)
{
    for (; *pattern != '\0'; pattern++, name++) {
        const char c = *name;
        if (c == '\0') return false;
        const bool good = *pattern == '9'   ? is_digit(c)
                          : *pattern == 'A' ? isalpha((unsigned char)c) != 0
                          : *pattern == '?' ? true
                                            : tolower((unsigned char)c) == tolower((unsigned char)*pattern);
        if (!good) return false;
    }
    return true;
}

/* Value of the first `count` digits; the caller has checked them. */
static int number(const char *text, int count)
{
    int value = 0;
    for (int i = 0; i < count; i++) value = 10 * value + (text[i] - '0');
    return value;
}

static int days_in_month(int year, int month)
{
    static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return days[month - 1] + (month == 2 && leap ? 1 : 0);
}

static bool is_date(Date date)
{
    return date.year >= 1900 && date.year < 2200 && date.month >= 1 && date.month <= 12 && date.day >= 0 &&
           date.day <= days_in_month(date.year, date.month);
}

bool date_read(const char *text, Date *ret_date)
{
    Date date = { 0 };
    size_t length = 0;
    if (matches(text, "99999999")) {
        date = (Date){ number(text, 4), number(text + 4, 2), number(text + 6, 2) };
        length = 8;
    } else if (matches(text, "9999?99?99") && (text[4] == '-' || text[4] == ':') && text[7] == text[4]) {
        date = (Date){ number(text, 4), number(text + 5, 2), number(text + 8, 2) };
        length = 10;
    } else if (matches(text, "9999-99")) {
        date = (Date){ number(text, 4), number(text + 5, 2), 0 };
        length = 7;
    } else {
        return false;
    }
    if (is_digit(text[length]) || (length == 7 && text[7] != '\0') || (length != 7 && date.day == 0) || !is_date(date))
        return false;
    *ret_date = date;
    return true;
}

/* Year and day of the year, seven digits. */
static bool read_day_of_year(const char *text, Date *ret_date)
{
    if (!matches(text, "9999999")) return false;
    Date date = { number(text, 4), 1, number(text + 4, 3) };
    if (date.year < 1900 || date.year >= 2200 || date.day < 1) return false;
    while (date.month <= 12 && date.day > days_in_month(date.year, date.month)) {
        date.day -= days_in_month(date.year, date.month);
        date.month++;
    }
    if (date.month > 12) return false;
    *ret_date = date;
    return true;
}

/* The one date of the recent past in a name; two different ones tell nothing. */
static bool find_date(const char *name, Date *ret_date)
{
    Date found = { 0 };
    for (const char *at = name; *at != '\0'; at++) {
        Date date;
        if ((at > name && is_digit(at[-1])) || !date_read(at, &date) || date.day == 0 || date.year < 1970 ||
            date.year >= 2100)
            continue;
        if (found.year != 0 && memcmp(&found, &date, sizeof date) != 0) return false;
        found = date;
    }
    if (found.year == 0) return false;
    *ret_date = found;
    return true;
}

/* The first date that follows an underscore or a dot. */
static bool find_first_date(const char *name, Date *ret_date)
{
    for (const char *at = name; *at != '\0'; at++)
        if (at > name && (at[-1] == '_' || at[-1] == '.') && date_read(at, ret_date) && ret_date->day > 0) return true;
    return false;
}

/* In the names that were used until 2016, and inside products still, the first date is that of processing, which may be
 * years later; the time of the image follows "_V" (product) or "_S" (data strip). Names of tiles do not have it. */
static bool find_sensing_date(const char *name, Date *ret_date)
{
    for (const char *at = strchr(name, '_'); at != NULL; at = strchr(at + 1, '_'))
        if ((matches(at, "_V") || matches(at, "_S")) && date_read(at + 2, ret_date) && ret_date->day > 0) return true;
    return false;
}

/* "S2A_MSIL2A_...", "S2B_30UYG_20200425_0_L2A"; the band files of a tile have their resolution in the name in level 2 alone
 * ("T30UYG_20200425T113321_B04_10m", level 1 "T30UYG_20200425T113321_B04"). */
static ProcessingLevel level_of_sentinel_2(const char *name)
{
    static const char *const level_2[] = { "_MSIL2A", "_L2A", "_B??_10m", "_B??_20m", "_B??_60m" };
    static const char *const level_1[] = { "_MSIL1C", "_L1C" };
    for (const char *at = strchr(name, '_'); at != NULL; at = strchr(at + 1, '_')) {
        for (size_t i = 0; i < sizeof level_2 / sizeof *level_2; i++)
            if (matches(at, level_2[i])) return PROCESSING_LEVEL_2;
        for (size_t i = 0; i < sizeof level_1 / sizeof *level_1; i++)
            if (matches(at, level_1[i])) return PROCESSING_LEVEL_1;
    }
    enum { LENGTH = 26 };
    const bool band = matches(name, "T99AAA_99999999T999999_B??");
    if (band && (name[LENGTH] == '.' || name[LENGTH] == '\0')) return PROCESSING_LEVEL_1;
    return PROCESSING_UNKNOWN;
}

static bool read_sentinel_2(const char *name, ProductName *p)
{
    if (!matches(name, "S2A_") && !matches(name, "S2B_") && !matches(name, "S2C_") && !matches(name, "S2_") &&
        !matches(name, "Sentinel2_") && !matches(name, "T99AAA_99999999T999999_"))
        return false;
    p->sensor = SENSOR_SENTINEL_2;
    p->convention = "Sentinel-2 product name";
    const bool unit = name[2] != '_' && name[3] == '_';
    (void)snprintf(p->platform, sizeof p->platform, "Sentinel-2%c", unit ? toupper((unsigned char)name[2]) : '\0');
    p->level = level_of_sentinel_2(name);
    const bool by_processing = matches(name, "S2?_OPER_") || matches(name, "S2?_USER_");
    p->has_date = by_processing ? find_sensing_date(name, &p->date) : find_first_date(name, &p->date);
    return true;
}

static bool read_landsat(const char *name, ProductName *p)
{
    const bool collection = matches(name, "LA09_L9AA_999999_99999999_"), scene = matches(name, "LA99999999999999AAA99");
    const bool surface = matches(name, "LA09_L9AA_") || collection;
    if (!surface && !scene) return false;
    p->sensor = SENSOR_LANDSAT;
    p->convention = "Landsat product name";
    (void)snprintf(p->platform, sizeof p->platform, "Landsat %c", surface ? name[3] : name[2]);
    p->level = surface ? processing_level_read(name + 5) : PROCESSING_LEVEL_1;
    p->has_date = scene ? read_day_of_year(name + 9, &p->date) : collection && date_read(name + 17, &p->date);
    return true;
}

static bool read_modis(const char *name, ProductName *p)
{
    const char *dot = strchr(name, '.');
    const bool prefix = matches(name, "MCD99") || matches(name, "MOD99") || matches(name, "MYD99");
    if (!prefix || dot == NULL || dot[1] != 'A') return false;
    p->sensor = SENSOR_MODIS;
    p->convention = "MODIS product name";
    (void)snprintf(p->platform, sizeof p->platform, "%s",
                   matches(name, "MOD")   ? "Terra MODIS"
                   : matches(name, "MYD") ? "Aqua MODIS"
                                          : "Terra and Aqua MODIS");
    p->has_date = read_day_of_year(dot + 2, &p->date);
    return true;
}

static bool read_naip(const char *name, ProductName *p)
{
    static const char *const quarters[] = { "ne", "nw", "se", "sw" };
    if (!matches(name, "m_9999999_AA_99_")) return false;
    bool quarter = false;
    for (int i = 0; i < 4; i++) quarter = quarter || strncasecmp(name + 10, quarters[i], 2) == 0;
    if (!quarter) return false;
    p->sensor = SENSOR_AERIAL;
    p->convention = "NAIP file name";
    (void)snprintf(p->platform, sizeof p->platform, "NAIP");
    p->has_date = find_first_date(name + 16, &p->date);
    return true;
}

/* Platforms. Only distinctive words count in file names: "terrain.tif" is not from Terra. */
static const struct {
    const char *pattern;
    SensorClass sensor;
    bool in_names;
} platforms[] = {
    { "LANDSAT", SENSOR_LANDSAT, true },
    { "SENTINEL-2", SENSOR_SENTINEL_2, true },
    { "SENTINEL2", SENSOR_SENTINEL_2, true },
    { "SENTINEL_2", SENSOR_SENTINEL_2, true },
    { "MODIS", SENSOR_MODIS, true },
    { "NAIP", SENSOR_AERIAL, true },
    { "WORLDVIEW", SENSOR_VERY_HIGH_RESOLUTION, true },
    { "PLANETSCOPE", SENSOR_VERY_HIGH_RESOLUTION, true },
    { "PSSCENE", SENSOR_VERY_HIGH_RESOLUTION, true },
    { "WV09", SENSOR_VERY_HIGH_RESOLUTION, true },
    { "GE09", SENSOR_VERY_HIGH_RESOLUTION, true },
    { "QB09", SENSOR_VERY_HIGH_RESOLUTION, true },
    { "PHR9A_", SENSOR_VERY_HIGH_RESOLUTION, true },
    { "SPOT9", SENSOR_VERY_HIGH_RESOLUTION, true },
    { "SPOT", SENSOR_VERY_HIGH_RESOLUTION, false },
    { "PHR", SENSOR_VERY_HIGH_RESOLUTION, false },
    { "TERRA", SENSOR_MODIS, false },
    { "AQUA", SENSOR_MODIS, false },
    { "AERIAL", SENSOR_AERIAL, false },
    { "GEOEYE", SENSOR_VERY_HIGH_RESOLUTION, false },
    { "QUICKBIRD", SENSOR_VERY_HIGH_RESOLUTION, false },
    { "IKONOS", SENSOR_VERY_HIGH_RESOLUTION, false },
    { "PLEIADES", SENSOR_VERY_HIGH_RESOLUTION, false },
    { "SKYSAT", SENSOR_VERY_HIGH_RESOLUTION, false },
};

static SensorClass find_platform(const char *text, bool in_name)
{
    for (size_t i = 0; i < sizeof platforms / sizeof *platforms; i++)
        if ((platforms[i].in_names || !in_name) && matches(text, platforms[i].pattern)) return platforms[i].sensor;
    return SENSOR_UNKNOWN;
}

SensorClass sensor_class_of_platform(const char *platform) { return find_platform(platform, false); }

static bool read_product(const char *name, ProductName *p)
{
    return read_sentinel_2(name, p) || read_landsat(name, p) || read_modis(name, p) || read_naip(name, p);
}

/* Whether a product's whole name stands here, as people put words of their own before it ("clip_S2B_MSIL2A_..."). */
static bool is_whole_name(const char *name)
{
    return matches(name, "S2?_MSIL") || matches(name, "S2?_OPER_") || matches(name, "T99AAA_99999999T999999_") ||
           matches(name, "LA09_L9AA_999999_99999999_") || matches(name, "LA99999999999999AAA99") ||
           matches(name, "M?D99A9.A9999999.") || matches(name, "M?D99AA.A9999999.") ||
           matches(name, "m_9999999_AA_99_");
}

ProductName product_name_read(const char *name)
{
    ProductName p = { .sensor = SENSOR_UNKNOWN };
    if (read_product(name, &p)) return p;
    for (const char *at = strpbrk(name, "_- "); at != NULL; at = strpbrk(at + 1, "_- ")) {
        ProductName found = { .sensor = SENSOR_UNKNOWN };
        if (!is_whole_name(at + 1) || !read_product(at + 1, &found)) continue;
        const bool first = p.convention == NULL;
        if (!first && memcmp(&p.date, &found.date, sizeof p.date) != 0) p.has_date = false; /* two images: which one? */
        if (first) p = found;
    }
    if (p.convention != NULL) return p;
    p.sensor = find_platform(name, true);
    p.has_date = find_date(name, &p.date);
    if (p.sensor != SENSOR_UNKNOWN)
        p.convention = "platform in the name";
    else if (p.has_date)
        p.convention = "date in the name";
    return p;
}
