/* SPDX-License-Identifier: Apache-2.0
 *
 * What the name of a satellite or aerial product tells: date, sensor and processing level. Pure string work.
 *
 * Known forms (the agencies' naming conventions):
 * Sentinel-2   S2A_MSIL2A_20200425T113321_...   T30UYG_20200425T113321_B04_10m   S2B_30UYG_20200425_0_L2A   s2_20200425
 * Landsat      LC08_L1TP_006066_20200131_20200211_01_T1_B4   LC80060662020031LGN00 (year and day of year)
 * MODIS        MCD12C1.A2019001.006....
 * NAIP         m_4709963_se_14_1_20200831
 * others       WV02..., GE01..., PHR1A..., SPOT..., PSScene...: the sensor alone
 * Words before a whole name of these ("clip_S2B_MSIL2A_...") do not hide it. In S2A_OPER_... names, where the first date is that of
 * processing, the date after _V or _S counts, and none if there is no such.
 * In any other name a single group of eight digits (or YYYY-MM-DD) that is a date from 1970 to 2099 counts as the date.
 */
#ifndef METASEG_GEO_PRODUCT_NAME_H
#define METASEG_GEO_PRODUCT_NAME_H

#include "base/image_facts.h"

#include <stdbool.h>

/* A day of the Gregorian calendar; day 0: only year and month are known. */
typedef struct Date {
    int year, month, day;
} Date;

typedef struct ProductName {
    bool has_date;
    Date date;
    SensorClass sensor;     /* SENSOR_UNKNOWN if the name does not tell */
    ProcessingLevel level;  /* PROCESSING_UNKNOWN if the name does not tell */
    char platform[32];      /* "Sentinel-2A", "Landsat 8", "NAIP", "" */
    const char *convention; /* "Sentinel-2 product name", "date in the name", NULL if it tells nothing */
} ProductName;

/* Reads a file or folder name (no slashes). */
ProductName product_name_read(const char *name);

/* Reads a date at the start of `text`: YYYY-MM-DD, YYYY:MM:DD, YYYYMMDD or YYYY-MM, followed by the end or by a
 * character that is no digit. False if it is none, from 1900 to 2199. */
bool date_read(const char *text, Date *ret_date);

/* Sensor class of a platform's name or code ("LANDSAT_8", "Sentinel-2A", "WV02", "Terra"). */
SensorClass sensor_class_of_platform(const char *platform);

#endif
