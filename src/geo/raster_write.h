/* SPDX-License-Identifier: Apache-2.0
 *
 * Writing maps: tiled, deflated GeoTIFFs of Bytes on the grid of an input raster, or Cloud Optimized GeoTIFFs, which are made
 * of such a file once it is complete (both lie on the disk then). Rows are given in order, in any portions, or blocks in any
 * order. The map, its side-car (.aux.xml: class names, attribute table, and a coordinate system that GeoTIFF cannot hold) and its style
 * for QGIS (.qml) are one output (base/output.h): they get their names together when all are complete and on disk, and
 * side-cars of an older map (.ovr, .msk too) stay until then. A style that we did not write is never touched.
 *
 *     RasterWriter *writer = NULL;
 *     TRY(raster_writer_open(&options, &writer));
 *     for (...) code = raster_writer_rows(writer, rows, bytes);
 *     code = raster_writer_finish(writer);      // or raster_writer_abort(writer): nothing remains
 */
#ifndef METASEG_GEO_RASTER_WRITE_H
#define METASEG_GEO_RASTER_WRITE_H

#include "base/output.h"
#include "geo/class_areas.h"
#include "geo/raster.h"
#include "geo/raster_format.h"

#include <stddef.h>

typedef struct RasterWriter RasterWriter;

/* One class of a class map. */
typedef struct RasterClass {
    int32_t value; /* 0..254 */
    const char *name;
    uint8_t color[3]; /* red, green, blue */
} RasterClass;

typedef struct RasterWriteOptions {
    const char *path;
    RasterKind kind;
    RasterFormat format;
    const char *const *creation_options; /* of the format's driver, as raster_format_check takes them; NULL: none */
    const volatile int *stop;            /* checked while a COG gets its overviews; NULL: never */
    const Raster *like; /* size, geotransform, CRS, GCPs, RPCs, AREA_OR_POINT; NULL: width, height and bounds below */
    const char *crs;    /* instead of that of `like`, as georeference_open takes it; NULL: that of `like` */
    int64_t width, height;      /* without `like` */
    const double *bounds;       /* without `like`: west, south, east, north in CRS units, or NULL: no georeference */
    int epsg;                   /* CRS of the bounds, for example 4326 */
    const RasterClass *classes; /* for classes and probabilities */
    int64_t n_classes;
    const char *const *metadata; /* key, value, key, value, ..., NULL; items of the file; NULL: none */
    ClassAreas *ret_areas;       /* RASTER_CLASSES: filled once the writer is complete; NULL: not wanted */
    bool overwrite;
} RasterWriteOptions;

/* Creates the hidden file. ERR_OUTPUT: the folder is missing or not writable, the file exists and `overwrite` is false,
 * GDAL cannot create it; ERR_ARGUMENT: options that do not fit together. The caller ends it with raster_writer_finish
 * or raster_writer_abort. */
Err raster_writer_open(const RasterWriteOptions *options, RasterWriter **ret_writer);

/* Appends rows: planes[b] points to band b's first row, rows of width bytes follow each other row_stride bytes apart.
 * ERR_OUTPUT when the disk is full or fails; the writer can then only be aborted. */
Err raster_writer_rows(RasterWriter *writer, int64_t rows, const uint8_t *const *planes, size_t row_stride);

/* Sides of the blocks that the file consists of; those at its right and lower border reach beyond it. */
enum { RASTER_WRITER_BLOCK = 256 };

/* Writes the block in this column and row of blocks of a band (from 0), once each; bytes [RASTER_WRITER_BLOCK][RASTER_WRITER_BLOCK],
 * what lies beyond the border does not count. Not together with raster_writer_rows. The bytes of the file depend on the
 * order. ERR_OUTPUT as above. */
Err raster_writer_block(RasterWriter *writer, int64_t band, int64_t column, int64_t row, const uint8_t *bytes);

/* The writer's output, for output_scratch(). */
const Output *raster_writer_output(const RasterWriter *writer);

/* Closes, syncs, renames and frees the writer, also on failure (then nothing remains). ERR_OUTPUT; ERR_INTERRUPTED; ERR_INTERNAL
 * when rows or blocks are missing. */
Err raster_writer_finish(RasterWriter *writer);

/* The same, but the file has no name yet: *ret_output is for output_publish_all, together with other outputs, and the
 * caller's to close (base/output.h). On failure it is untouched. */
Err raster_writer_complete(RasterWriter *writer, Output **ret_output);

/* Removes the hidden file and frees the writer; NULL is fine. Keeps the thread's error message. */
void raster_writer_abort(RasterWriter *writer);

/* Writes an image without a georeference (or with a wrong one) as a tiled GeoTIFF with the given bounds (west, south,
 * east, north in units of the CRS). First three chosen bands, which must be Bytes. ERR_INPUT, ERR_OUTPUT. */
Err raster_write_georeferenced(Raster *raster, const double bounds[4], int epsg, const char *path, bool overwrite);

#endif
