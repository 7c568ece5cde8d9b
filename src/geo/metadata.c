/* SPDX-License-Identifier: Apache-2.0
 * Collecting facts in the order of trust. */
#include "geo/metadata.h"

#include "base/file.h"
#include "base/str.h"
#include "geo/metadata_internal.h"
#include "geo/raster_internal.h"

#include <cpl_conv.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FOLDERS_UP = 5 };

void metadata_fact(Metadata *metadata, const char *name, const char *source, const char *format, ...)
{
    if (metadata->n_facts == METADATA_FACTS_MAX) return;
    Fact *fact = &metadata->facts[metadata->n_facts++];
    (void)snprintf(fact->name, sizeof fact->name, "%s", name);
    (void)snprintf(fact->source, sizeof fact->source, "%s", source);
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(fact->value, sizeof fact->value, format, arguments);
    va_end(arguments);
}

Season season_of_month(int month, bool is_south)
{
    ASSERT(month >= 1 && month <= 12);
    const int northern = (month + 9) % 12 / 3; /* March is 0 */
    return (Season)((northern + (is_south ? 2 : 0)) % 4);
}

static void set_date(Metadata *metadata, Date date, const char *source)
{
    if (metadata->has_date) return;
    metadata->has_date = true;
    metadata->date = date;
    if (date.day > 0)
        metadata_fact(metadata, "date", source, "%04d-%02d-%02d", date.year, date.month, date.day);
    else
        metadata_fact(metadata, "date", source, "%04d-%02d", date.year, date.month);
}

void metadata_offer_date(Metadata *metadata, const char *text, const char *source)
{
    Date date;
    if (text != NULL && date_read(text, &date)) set_date(metadata, date, source);
}

void metadata_offer_platform(Metadata *metadata, const char *platform, SensorClass sensor, const char *source)
{
    if (metadata->sensor == SENSOR_UNKNOWN && sensor != SENSOR_UNKNOWN) {
        metadata->sensor = sensor;
        metadata_fact(metadata, "sensor", source, "%s", sensor_names[sensor]);
    }
    if (metadata->platform[0] == '\0' && platform != NULL && platform[0] != '\0') {
        (void)snprintf(metadata->platform, sizeof metadata->platform, "%s", platform);
        metadata_fact(metadata, "platform", source, "%s", metadata->platform);
    }
}

void metadata_offer_level(Metadata *metadata, const char *text, const char *source)
{
    const ProcessingLevel level = processing_level_read(text);
    if (metadata->level != PROCESSING_UNKNOWN || level == PROCESSING_UNKNOWN) return;
    metadata->level = level;
    metadata_fact(metadata, "processing level", source, "%s", text);
}

static void offer_number(Metadata *metadata, double *field, const char *text, double low, double high, const char *name,
                         const char *unit, const char *source)
{
    double value = 0.0;
    if (text == NULL || !isnan(*field)) return;
    text += strspn(text, " \t\"");
    char *end = NULL;
    value = CPLStrtod(text, &end);                               /* the decimal point in every locale */
    if (end == text || !(value >= low && value <= high)) return; /* Landsat writes -1 for unknown cloud cover */
    *field = value;
    metadata_fact(metadata, name, source, "%g %s", value, unit);
}

void metadata_offer_cloud_cover(Metadata *metadata, const char *percent, const char *source)
{
    offer_number(metadata, &metadata->cloud_cover, percent, 0.0, 100.0, "cloud cover", "%", source);
}

void metadata_offer_sun_elevation(Metadata *metadata, const char *degrees, const char *source)
{
    offer_number(metadata, &metadata->sun_elevation, degrees, -90.0, 90.0, "sun elevation", "degrees", source);
}

static Err read_overrides(const MetadataOverrides *overrides, Metadata *metadata)
{
    if (overrides == NULL) return ERR_NONE;
    if (overrides->lonlat != NULL) {
        TRY(geo_parse_lonlat(overrides->lonlat, &metadata->lon, &metadata->lat));
        metadata->has_place = true;
        metadata_fact(metadata, "longitude, latitude", "given by hand", "%.5f, %.5f", metadata->lon, metadata->lat);
    }
    Date date;
    if (overrides->date != NULL) {
        if (!date_read(overrides->date, &date) || strlen(overrides->date) > 10)
            return err_set(ERR_ARGUMENT, "'%s' is no date; expected YYYY-MM-DD or YYYY-MM", overrides->date);
        set_date(metadata, date, "given by hand");
    }
    if (overrides->sensor != NULL) {
        int sensor = SENSOR_AERIAL;
        while (sensor < SENSOR_UNKNOWN && !str_equal_nocase(overrides->sensor, sensor_names[sensor])) sensor++;
        if (sensor == SENSOR_UNKNOWN)
            return err_set(
                ERR_ARGUMENT,
                "'%s' is no sensor class; expected aerial, very-high-resolution, sentinel-2, landsat or modis",
                overrides->sensor);
        metadata_offer_platform(metadata, NULL, (SensorClass)sensor, "given by hand");
    }
    return ERR_NONE;
}

static const char *georeference_source(GeoreferenceKind kind)
{
    return kind == GEOREFERENCE_GCPS  ? "ground control points"
           : kind == GEOREFERENCE_RPC ? "rational polynomial coefficients"
                                      : "geotransform and coordinate reference system";
}

static void read_place(Georeference *georeference, Metadata *metadata)
{
    char source[FACT_SOURCE_BYTES];
    const char *note = georeference_note(georeference);
    (void)snprintf(source, sizeof source, "%s%s%s", georeference_source(georeference_kind(georeference)),
                   note[0] != '\0' ? "; " : "", note);
    Footprint *f = &metadata->footprint;
    if (!metadata->has_place && georeference_footprint(georeference, f)) {
        metadata->has_place = metadata->has_footprint = true;
        metadata->lon = f->center_lon;
        metadata->lat = f->center_lat;
        metadata_fact(metadata, "longitude, latitude", source, "%.5f, %.5f", f->center_lon, f->center_lat);
        metadata_fact(metadata, "footprint", source, "%.5f to %.5f E, %.5f to %.5f N%s", f->west, f->east, f->south,
                      f->north, f->contains_pole ? ", around a pole" : "");
    } else if (!metadata->has_place) {
        metadata_fact(metadata, "longitude, latitude", note[0] != '\0' ? note : "outside the projection's domain",
                      "unknown");
    }
    metadata->sampling = georeference_sampling(georeference);
    const GroundSampling s = metadata->sampling;
    if (!isnan(s.degrees))
        metadata_fact(metadata, "ground sampling distance", source,
                      "%.6g degrees, %.5g m (%.5g x %.5g m) at the middle", s.degrees, s.metres, s.metres_x,
                      s.metres_y);
    else if (!isnan(s.metres) && fabs(s.metres_x - s.metres_y) > 0.01 * s.metres)
        metadata_fact(metadata, "ground sampling distance", source, "%.5g m (%.5g x %.5g m)", s.metres, s.metres_x,
                      s.metres_y);
    else if (!isnan(s.metres))
        metadata_fact(metadata, "ground sampling distance", source, "%.5g m", s.metres);
}

/* Items inside the file, IMAGERY domain first (names of GDAL's raster data model). */
static void read_items(const Raster *raster, Metadata *metadata)
{
    static const char *const dates[][2] = {
        { "IMAGERY", "ACQUISITIONDATETIME" }, { NULL, "DATE_ACQUIRED" },
        { NULL, "ACQUISITION_DATE" },         { NULL, "ACQUISITIONDATETIME" },
        { NULL, "PRODUCT_START_TIME" },       { NULL, "DATATAKE_1_DATATAKE_SENSING_START" },
        { "EXIF", "EXIF_DateTimeOriginal" },  { NULL, "EXIF_DateTimeOriginal" }
    };
    static const char *const satellites[][2] = { { "IMAGERY", "SATELLITEID" },
                                                 { NULL, "SPACECRAFT_ID" },
                                                 { NULL, "SATELLITE" },
                                                 { NULL, "PLATFORM" },
                                                 { NULL, "DATATAKE_1_SPACECRAFT_NAME" } };
    static const char *const clouds[][2] = { { "IMAGERY", "CLOUDCOVER" },
                                             { NULL, "CLOUD_COVER" },
                                             { NULL, "CLOUD_COVERAGE_ASSESSMENT" } };
    char source[FACT_SOURCE_BYTES];
    for (int64_t i = 0; i < ARRAY_LEN(dates); i++) {
        (void)snprintf(source, sizeof source, "metadata item %s", dates[i][1]);
        metadata_offer_date(metadata, raster_metadata(raster, dates[i][0], dates[i][1]), source);
    }
    for (int64_t i = 0; i < ARRAY_LEN(satellites); i++) {
        const char *value = raster_metadata(raster, satellites[i][0], satellites[i][1]);
        (void)snprintf(source, sizeof source, "metadata item %s", satellites[i][1]);
        if (value != NULL) metadata_offer_platform(metadata, value, sensor_class_of_platform(value), source);
    }
    for (int64_t i = 0; i < ARRAY_LEN(clouds); i++) {
        (void)snprintf(source, sizeof source, "metadata item %s", clouds[i][1]);
        metadata_offer_cloud_cover(metadata, raster_metadata(raster, clouds[i][0], clouds[i][1]), source);
    }
    metadata_offer_sun_elevation(metadata, raster_metadata(raster, NULL, "SUN_ELEVATION"),
                                 "metadata item SUN_ELEVATION");
    static const char *const levels[] = { "PROCESSING_LEVEL", "PRODUCT_TYPE" };
    for (int64_t i = 0; i < ARRAY_LEN(levels); i++) {
        (void)snprintf(source, sizeof source, "metadata item %s", levels[i]);
        metadata_offer_level(metadata, raster_metadata(raster, NULL, levels[i]), source);
    }
}

static void offer_name(const char *name, bool is_folder, Metadata *metadata)
{
    const ProductName p = product_name_read(name);
    if (p.convention == NULL) return;
    /* a folder tells by a product's convention alone: "2018-07-04" may be any day */
    if (is_folder && strstr(p.convention, "in the name") != NULL) return;
    char source[FACT_SOURCE_BYTES];
    (void)snprintf(source, sizeof source, "%s%s", p.convention, is_folder ? " of the folder" : "");
    if (p.has_date) set_date(metadata, p.date, source);
    metadata_offer_platform(metadata, p.platform, p.sensor, source);
    if (p.level != PROCESSING_UNKNOWN) metadata_offer_level(metadata, processing_level_names[p.level], source);
}

/* The file's name, then the folders above it. */
static Err read_names(const char *path, Metadata *metadata)
{
    char *copy = NULL;
    TRY(str_copy(path, &copy));
    for (int level = 0; level <= FOLDERS_UP && copy[0] != '\0'; level++) {
        char *slash = strrchr(copy, '/');
        offer_name(slash != NULL ? slash + 1 : copy, level > 0, metadata);
        if (slash == NULL) break;
        *slash = '\0';
    }
    free(copy);
    return ERR_NONE;
}

static void derive(Metadata *metadata)
{
    if (!metadata->has_place) return;
    metadata->is_south = metadata->lat < 0.0;
    metadata_fact(metadata, "hemisphere", "latitude", "%s", metadata->is_south ? "south" : "north");
    if (!metadata->has_date) return;
    metadata->has_season = true;
    metadata->season = season_of_month(metadata->date.month, metadata->is_south);
    metadata_fact(metadata, "season", "date and hemisphere", "%s", season_names[metadata->season]);
}

Err metadata_read(const Raster *raster, Georeference *georeference, const MetadataOverrides *overrides,
                  Metadata *ret_metadata)
{
    const double unknown = (double)NAN;
    Metadata metadata = { .sampling = { unknown, unknown, unknown, unknown, unknown, unknown },
                          .sensor = SENSOR_UNKNOWN,
                          .cloud_cover = unknown,
                          .sun_elevation = unknown };
    TRY(read_overrides(overrides, &metadata));
    if (georeference != NULL) read_place(georeference, &metadata);
    if (raster != NULL) {
        TRY(metadata_read_sidecars(raster_telling_path(raster), &metadata));
        read_items(raster, &metadata);
        TRY(read_names(raster_telling_path(raster), &metadata));
        metadata_offer_date(&metadata, raster_metadata(raster, NULL, "TIFFTAG_DATETIME"),
                            "TIFF tag DateTime, maybe of processing");
    }
    derive(&metadata);
    *ret_metadata = metadata;
    return ERR_NONE;
}
