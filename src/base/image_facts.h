/* SPDX-License-Identifier: Apache-2.0
 *
 * Classes that the metadata of an image is reduced to (geo/metadata.h) and that the prompt bank has sentences for
 * (text/prompt_bank.h); geography and words share no other layer.
 */
#ifndef METASEG_BASE_IMAGE_FACTS_H
#define METASEG_BASE_IMAGE_FACTS_H

/* Meteorological season of the place: March to May is spring in the north, autumn in the south. */
typedef enum Season { SEASON_SPRING = 0, SEASON_SUMMER, SEASON_AUTUMN, SEASON_WINTER, SEASON_COUNT } Season;

typedef enum SensorClass {
    SENSOR_AERIAL = 0,
    SENSOR_VERY_HIGH_RESOLUTION,
    SENSOR_SENTINEL_2,
    SENSOR_LANDSAT,
    SENSOR_MODIS,
    SENSOR_UNKNOWN,
    SENSOR_COUNT
} SensorClass;

/* What a product's numbers are: level 1, reflectance at the top of the atmosphere (Sentinel-2 L1C, Landsat L1TP); level 2,
 * reflectance of the surface (L2A, L2SP). */
typedef enum ProcessingLevel {
    PROCESSING_UNKNOWN = 0,
    PROCESSING_LEVEL_1,
    PROCESSING_LEVEL_2,
    PROCESSING_COUNT
} ProcessingLevel;

/* Names in files, options and output, by value: "spring" ..., "aerial", "very-high-resolution", ..., "unknown". */
extern const char *const season_names[SEASON_COUNT];
extern const char *const sensor_names[SENSOR_COUNT];

/* "auto", "L1C", "L2A": names in configurations, by value. */
extern const char *const processing_level_names[PROCESSING_COUNT];

/* The level that a word tells, as agencies write it, case ignored: "L1C", "Level-2A", "L2SP", "1C", "L1", "S2MSI2A".
 * PROCESSING_UNKNOWN for any other and for NULL. */
ProcessingLevel processing_level_read(const char *text);

#endif
