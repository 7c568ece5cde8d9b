/* SPDX-License-Identifier: Apache-2.0
 * The table of climate zones. */
#include "base/climate_zones.h"

#include "base/err.h"

#include <strings.h>

static const struct {
    const char *name, *description;
} zones[CLIMATE_ZONES + 1] = {
    { "none", "no climate zone: sea or unknown" },
    { "Af", "tropical, rainforest" },
    { "Am", "tropical, monsoon" },
    { "Aw", "tropical, savannah with a dry winter" },
    { "BWh", "arid, hot desert" },
    { "BWk", "arid, cold desert" },
    { "BSh", "arid, hot steppe" },
    { "BSk", "arid, cold steppe" },
    { "Csa", "temperate, dry and hot summer" },
    { "Csb", "temperate, dry and warm summer" },
    { "Csc", "temperate, dry and cold summer" },
    { "Cwa", "temperate, dry winter, hot summer" },
    { "Cwb", "temperate, dry winter, warm summer" },
    { "Cwc", "temperate, dry winter, cold summer" },
    { "Cfa", "temperate, no dry season, hot summer" },
    { "Cfb", "temperate, no dry season, warm summer" },
    { "Cfc", "temperate, no dry season, cold summer" },
    { "Dsa", "cold, dry and hot summer" },
    { "Dsb", "cold, dry and warm summer" },
    { "Dsc", "cold, dry and cold summer" },
    { "Dsd", "cold, dry summer, very cold winter" },
    { "Dwa", "cold, dry winter, hot summer" },
    { "Dwb", "cold, dry winter, warm summer" },
    { "Dwc", "cold, dry winter, cold summer" },
    { "Dwd", "cold, dry and very cold winter" },
    { "Dfa", "cold, no dry season, hot summer" },
    { "Dfb", "cold, no dry season, warm summer" },
    { "Dfc", "cold, no dry season, cold summer" },
    { "Dfd", "cold, no dry season, very cold winter" },
    { "ET", "polar, tundra" },
    { "EF", "polar, frost" },
};

const char *climate_zone_name(int zone)
{
    ASSERT(zone >= 0 && zone <= CLIMATE_ZONES);
    return zones[zone].name;
}

const char *climate_zone_description(int zone)
{
    ASSERT(zone >= 0 && zone <= CLIMATE_ZONES);
    return zones[zone].description;
}

int climate_zone_number(const char *name)
{
    for (int zone = 0; zone <= CLIMATE_ZONES; zone++)
        if (strcasecmp(name, zones[zone].name) == 0) return zone;
    if (strcasecmp(name, "As") == 0) return climate_zone_number("Aw");
    if (strcasecmp(name, "Ocean") == 0) return CLIMATE_NONE;
    return -1;
}
