/* SPDX-License-Identifier: Apache-2.0
 *
 * What is known of an image beside its pixels, each fact with its source.
 *
 *     Metadata metadata;
 *     TRY(metadata_read(raster, georeference, &(MetadataOverrides){ .date = "2020-08-31" }, &metadata));
 *     for (int64_t i = 0; i < metadata.n_facts; i++)
 *         printf("%s: %s (%s)\n", metadata.facts[i].name, metadata.facts[i].value, metadata.facts[i].source);
 *
 * Sources in order of trust, the first that tells wins: given by hand; a STAC item beside the file (NAME.json, STAC 1.0
 * core, eo, view); Landsat's NAME_MTL.txt; the IMAGERY domain (GDAL raster data model); metadata items of the file; the
 * name of the file, then of up to five folders above it (product_name.h); TIFFTAG_DATETIME, which is often the time of
 * processing.
 */
#ifndef METASEG_GEO_METADATA_H
#define METASEG_GEO_METADATA_H

#include "geo/georeference.h"
#include "geo/product_name.h"

enum { METADATA_FACTS_MAX = 16, FACT_NAME_BYTES = 32, FACT_VALUE_BYTES = 96, FACT_SOURCE_BYTES = 128 };

/* One line for people. */
typedef struct Fact {
    char name[FACT_NAME_BYTES];     /* "date" */
    char value[FACT_VALUE_BYTES];   /* "2020-08-31" */
    char source[FACT_SOURCE_BYTES]; /* "NAIP file name" */
} Fact;

typedef struct Metadata {
    bool has_place; /* lon, lat: of the image's middle */
    double lon, lat;
    bool has_footprint; /* not with a place given by hand */
    Footprint footprint;
    GroundSampling sampling; /* NaN where unknown */
    bool has_date;
    Date date;
    bool is_south;   /* hemisphere; only with has_place */
    bool has_season; /* date and place are known */
    Season season;
    SensorClass sensor;    /* SENSOR_UNKNOWN if nothing tells */
    ProcessingLevel level; /* PROCESSING_UNKNOWN if nothing tells */
    char platform[48];     /* "" if unknown */
    double cloud_cover;    /* percent, NaN if unknown */
    double sun_elevation;  /* degrees, NaN if unknown */
    Fact facts[METADATA_FACTS_MAX];
    int64_t n_facts;
} Metadata;

/* What the user says; NULL: nothing. */
typedef struct MetadataOverrides {
    const char *lonlat; /* "lon,lat": the place of the whole image */
    const char *date;   /* YYYY-MM-DD, YYYYMMDD or YYYY-MM */
    const char *sensor; /* a name of base/image_facts.h: "landsat" */
} MetadataOverrides;

/* Collects. raster and georeference may both be NULL (a place by hand alone); overrides may be NULL. ERR_ARGUMENT: an
 * override that cannot be read; ERR_MEMORY. Damaged sidecars are passed over with a fact that says so. */
Err metadata_read(const Raster *raster, Georeference *georeference, const MetadataOverrides *overrides,
                  Metadata *ret_metadata);

/* Season of a month 1..12 in a hemisphere. */
Season season_of_month(int month, bool is_south);

#endif
