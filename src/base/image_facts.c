/* SPDX-License-Identifier: Apache-2.0
 * Names of seasons and sensors. */
#include "base/image_facts.h"

#include <ctype.h>
#include <stddef.h>
#include <strings.h>

const char *const season_names[SEASON_COUNT] = { "spring", "summer", "autumn", "winter" };
const char *const sensor_names[SENSOR_COUNT] = { "aerial", "very-high-resolution", "sentinel-2", "landsat", "modis",
                                                 "unknown" };
const char *const processing_level_names[PROCESSING_COUNT] = { "auto", "L1C", "L2A" };

ProcessingLevel processing_level_read(const char *text)
{
    static const char *const starts[] = { "level-", "level ", "S2MSI", "L", "" };
    if (text == NULL) return PROCESSING_UNKNOWN;
    for (size_t i = 0; i < sizeof starts / sizeof *starts; i++) {
        size_t length = 0;
        while (starts[i][length] != '\0') length++;
        if (strncasecmp(text, starts[i], length) != 0) continue;
        const char digit = text[length], next = digit != '\0' ? text[length + 1] : '\0';
        if ((digit != '1' && digit != '2') || isdigit((unsigned char)next)) return PROCESSING_UNKNOWN;
        return digit == '1' ? PROCESSING_LEVEL_1 : PROCESSING_LEVEL_2;
    }
    return PROCESSING_UNKNOWN;
}
