/* SPDX-License-Identifier: Apache-2.0
 *
 * Private to src/geo: what vector labels are made of. All calls stand between gdal_begin() and gdal_end(). */
#ifndef METASEG_GEO_VECTOR_INTERNAL_H
#define METASEG_GEO_VECTOR_INTERNAL_H

#include "geo/georeference_crs.h"
#include "geo/vector_file.h"

/* A geometry to burn, in pixel positions of the image. */
typedef struct VectorShape {
    OGRGeometryH geometry; /* owned */
    OGREnvelope box;
    int64_t feature; /* index */
    uint8_t class_index;
} VectorShape;

struct VectorLabels {
    VectorFile file;
    char *layer_name;
    double width, height; /* of the image */
    VectorClass *classes; /* [n_classes] */
    int32_t n_classes;
    VectorFeature *features; /* [n_features]; capacities grow */
    int64_t n_features, features_capacity;
    VectorShape *shapes; /* [n_shapes], in the order of the layer */
    int64_t n_shapes, shapes_capacity;
    uint8_t *states; /* [n_layer] VectorState, and FIDs, of all features of the layer; capacities grow */
    int64_t *ids;
    int64_t n_layer, states_capacity, ids_capacity;
    VectorFindings findings;
    VectorOverlaps overlaps;
    uint8_t *mask; /* of one shape in one window; grows */
    int64_t mask_pixels;
};

/* vector_shape.c: from coordinates of the layer to pixel positions of the image. */
typedef struct VectorPlacing {
    Georeference *image;
    CrsPair pair;     /* layer -> the image's CRS, or -> EPSG:4326 where the image has rational polynomials */
    bool transformed; /* `pair` is needed */
    bool by_lonlat;   /* `pair` leads to longitude and latitude */
    double longest;   /* edge, in the layer's units, before it gets more vertices; 0: any */
    double turn;      /* pixels after which the image's CRS repeats; NaN: never */
    double buffer;
} VectorPlacing;

/* ERR_INPUT when the image's place is unknown or PROJ knows no way; ERR_MEMORY. vector_placing_done() in every case. */
Err vector_placing_init(const VectorFile *file, Georeference *image, double width, double height, double buffer,
                        VectorPlacing *ret_placing);
void vector_placing_done(VectorPlacing *placing);

typedef struct VectorPart {
    OGRGeometryH geometry; /* polygons, or what is burned as lines and points; the caller's */
    bool repaired, widened;
} VectorPart;

/* Makes of a feature's geometry (not empty) what is burned: at most three parts (polygons, lines, points). *ret_far: it
 * lies beyond the domain of the projection (no part then). ERR_INPUT, with `what` ("feature 12") when it cannot be made
 * valid. ERR_MEMORY. */
enum { VECTOR_PARTS = 3 };
Err vector_shape_parts(const VectorPlacing *placing, const VectorFile *file, int64_t id, OGRGeometryH geometry,
                       VectorPart ret_parts[VECTOR_PARTS], int *ret_count, bool *ret_far);

/* vector_burn.c: lays the shapes `which` (ascending; NULL: all, count of them) over a window of ret_classes. */
typedef struct VectorBurn {
    const int64_t *which;
    int64_t count;
    VectorOverlaps *overlaps; /* added to, as are the pixels of features; NULL: nothing is counted */
} VectorBurn;
Err vector_burn(VectorLabels *vector, const PlaceWindow *window, const VectorBurn *burn, uint8_t *ret_classes);

#endif
