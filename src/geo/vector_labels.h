/* SPDX-License-Identifier: Apache-2.0
 *
 * Polygons, lines and points as labels of an image: a layer of a vector file, one of its fields as the class, laid over
 * the image's pixels.
 *
 *     const VectorOptions options = { .field = "class", .buffer = VECTOR_BUFFER };
 *     VectorLabels *vector = NULL;
 *     TRY(vector_labels_open("polygons.gpkg", &options, image_place, width, height, NULL, &vector));
 *     for (int32_t i = 0; i < vector_labels_class_count(vector); i++) ... vector_labels_class(vector, i)->name ...
 *     TRY(vector_labels_read(vector, &window, classes));
 *     vector_labels_close(vector);
 *
 * Geometries are transformed vertex by vertex into pixel positions of the image (long edges get more vertices first),
 * curves become lines, and polygons that cross themselves are made valid. A pixel has the class of a polygon that holds
 * its centre, by GDAL's rule for centres on an edge (out on the left, in on the right, the top and the bottom). Lines and points are
 * widened by a buffer. Of several features over one pixel the last of the layer has it. What is not labelled is no label.
 *
 * All geometries that meet the image are held in memory, and nine bytes of every feature of the layer.
 */
#ifndef METASEG_GEO_VECTOR_LABELS_H
#define METASEG_GEO_VECTOR_LABELS_H

#include "base/file_set.h"
#include "geo/place_lookup.h"

typedef struct VectorLabels VectorLabels;

enum { VECTOR_NO_LABEL = 255, VECTOR_MOST_CLASSES = 254 };

#define VECTOR_BUFFER 1.0 /* of lines and points, pixels */

/* What of a file is read. Strings may be NULL. */
typedef struct VectorOptions {
    const char *layer; /* NULL: the only one that has geometries */
    const char *field; /* NULL: one called "class", else the only integer or text field beside "id" and "fid" */
    const char *crs;   /* instead of the layer's ("EPSG:32633") */
    double buffer;     /* of lines and points, pixels of the image; 0: the pixels that GDAL burns for them */
    bool cutline;      /* no labels: no field is read, and all features are of one class (cutline.h) */
} VectorOptions;

/* One value of the field. */
typedef struct VectorClass {
    char *name;       /* the text; of a number the label that the layer's style gives it, else its digits */
    int64_t value;    /* the number; of a text its index among the classes */
    int64_t features; /* that have a pixel of the image */
    int64_t pixels;   /* of the image, each counted for the last feature over it */
    bool has_color;   /* the layer's style has one: 0xRRGGBB */
    uint32_t color;
} VectorClass;

/* What became of a feature of the layer on an image; several may hold. None of the first six bits: it lies beside the image. */
typedef enum VectorState {
    VECTOR_ON_IMAGE = 1 << 0,    /* some of it is */
    VECTOR_CUT = 1 << 1,         /* on the image, but not all of it */
    VECTOR_SMALL = 1 << 2,       /* on the image, but over no pixel's centre */
    VECTOR_NO_CLASS = 1 << 3,    /* its field is empty */
    VECTOR_NO_GEOMETRY = 1 << 4, /* or an empty one */
    VECTOR_FAR = 1 << 5,         /* beyond the domain of the image's projection */
    VECTOR_REPAIRED = 1 << 6,    /* a polygon that crossed itself */
    VECTOR_WIDENED = 1 << 7,     /* lines or points */
} VectorState;

/* A feature that meets the image. */
typedef struct VectorFeature {
    int64_t id;          /* FID in the layer */
    int64_t layer_index; /* its place in the layer, from 0 */
    int32_t class_index;
    double x0, y0, x1, y1; /* box, pixel positions of the image, cut to it */
    int64_t pixels;        /* whose centre it holds, whatever lies over them */
} VectorFeature;

/* How many features of a layer are in which state; the ids are those of the first such feature. */
typedef struct VectorFindings {
    int64_t features; /* of the layer */
    int64_t on_image, null_fields, empty, beside, far, partly, repaired, small, widened;
    int64_t first_null, first_empty, first_far, first_repaired, first_small;
} VectorFindings;

/* Pixels of an image with more than one feature, and of these those with more than one class. */
typedef struct VectorOverlaps {
    int64_t overlapped, contradicting;
} VectorOverlaps;

/* True when `path` is a file of a vector format that is read here: GeoPackage, GeoJSON, GeoJSONSeq, Shapefile,
 * FlatGeobuf, KML, MapInfo. A file that is not there is none. */
bool vector_labels_is_vector(const char *path);

/* Reads a layer over an image of width x height pixels at `image` (borrowed). stop: NULL, or asked now and then.
 * ERR_ARGUMENT: no such layer or field, more than one to choose from, more than 254 different values, a CRS that cannot
 * be read. ERR_INPUT: no such file, not a vector file, no layer, layer without features or CRS, a field that is neither
 * number nor text, numbers that are not whole, a geometry that cannot be made valid, the image's place unknown.
 * ERR_INTERRUPTED; ERR_MEMORY. vector_labels_close(). */
Err vector_labels_open(const char *path, const VectorOptions *options, Georeference *image, int64_t width,
                       int64_t height, const volatile int *stop, VectorLabels **ret_labels);
void vector_labels_close(VectorLabels *vector);

const char *vector_labels_path(const VectorLabels *vector);
const char *vector_labels_layer(const VectorLabels *vector);
const char *vector_labels_field(const VectorLabels *vector);

/* The field is text, so that the values of the classes are no more than their order. */
bool vector_labels_is_text(const VectorLabels *vector);

/* The classes of all features of the layer, on the image or not: numbers rising, texts in the order of their bytes. */
int32_t vector_labels_class_count(const VectorLabels *vector);
const VectorClass *vector_labels_class(const VectorLabels *vector, int32_t index);

/* The features that meet the image, in the order of the layer. */
int64_t vector_labels_feature_count(const VectorLabels *vector);
const VectorFeature *vector_labels_feature(const VectorLabels *vector, int64_t index);

/* VectorState bits and FIDs of all features of the layer, in its order: vector_labels_findings()->features of them. */
const uint8_t *vector_labels_states(const VectorLabels *vector);
const int64_t *vector_labels_ids(const VectorLabels *vector);

const VectorFindings *vector_labels_findings(const VectorLabels *vector);
VectorOverlaps vector_labels_overlaps(const VectorLabels *vector);

/* Counts n features by their states. */
VectorFindings vector_findings(const uint8_t *states, const int64_t *ids, int64_t n);

/* Class index of the centres of a window's pixels (pixel positions of the image, any step), [rows][columns];
 * VECTOR_NO_LABEL where there is no feature or the image ends. One thread at a time. ERR_MEMORY, ERR_INPUT. */
Err vector_labels_read(VectorLabels *vector, const PlaceWindow *window, uint8_t *ret_classes);

/* Adds the files that are read with a vector file: itself, the parts of a Shapefile, journals of a GeoPackage, its
 * style where that is read. Errors of file_set_input. */
Err vector_files_path(const char *path, FileSet *set, const char *role, bool style);

#endif
