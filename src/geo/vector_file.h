/* SPDX-License-Identifier: Apache-2.0
 *
 * Private to src/geo: an open vector file, the layer and the field that are read of it. */
#ifndef METASEG_GEO_VECTOR_FILE_H
#define METASEG_GEO_VECTOR_FILE_H

#include "geo/vector_labels.h"

#include <gdal.h>
#include <ogr_api.h>
#include <ogr_srs_api.h>

typedef struct VectorFile {
    char *path;
    GDALDatasetH dataset;
    OGRLayerH layer;
    OGRSpatialReferenceH crs; /* owned */
    int field;                /* index in the layer's definition */
    char *field_name;
    bool is_text;
    bool cutline; /* no field is read */
} VectorFile;

/* Registers OGR's drivers, with the first bracket of the process. */
void vector_file_register(void);

/* Opens a file and chooses layer, field and CRS: errors of vector_labels_open. vector_file_close() also after an error;
 * zero it first. */
Err vector_file_open(const char *path, const VectorOptions *options, VectorFile *ret_file);
void vector_file_close(VectorFile *file);

/* Closes the file itself, when all of it is read; path and name of the field stay. Between gdal_begin() and gdal_end(). */
void vector_file_release(VectorFile *file);

/* Names and colours that a style gives to the classes: the layer_styles of a GeoPackage, else a .qml beside the file.
 * A style that cannot be read, or of another field, changes nothing. Between gdal_begin() and gdal_end(). ERR_MEMORY. */
Err vector_style_read(const VectorFile *file, VectorClass *classes, int64_t n);

#endif
