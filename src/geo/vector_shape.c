/* SPDX-License-Identifier: Apache-2.0
 * Geometries of a layer as pixel positions of an image. */
#include "geo/georeference_internal.h"
#include "geo/vector_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { EDGES = 256, QUADRANT_SEGMENTS = 8, MOST_VERTICES = 1 << 16 };

static const double edge_metres = 1000.0;

/* Longest edge that is taken as straight: a 256th of the image's diagonal, in the layer's units. */
static double longest_edge(const VectorPlacing *p, double width, double height)
{
    double x[2] = { 0.0, width };
    double y[2] = { 0.0, height };
    if (p->by_lonlat)
        georeference_to_lonlat(p->image, 2, x, y);
    else
        georeference_to_crs(p->image, 2, x, y);
    crs_pair_transform_back(&p->pair, 2, x, y);
    const double diagonal = hypot(x[1] - x[0], y[1] - y[0]);
    return isfinite(diagonal) && diagonal > 0.0 ? diagonal / EDGES : 0.0;
}

Err vector_placing_init(const VectorFile *file, Georeference *image, double width, double height, double buffer,
                        VectorPlacing *ret_placing)
{
    VectorPlacing *p = ret_placing;
    *p = (VectorPlacing){ .image = image, .turn = (double)NAN, .buffer = buffer };
    if (image->kind == GEOREFERENCE_NONE || image->kind == GEOREFERENCE_POINT)
        return err_set(ERR_INPUT,
                       "'%s': the image has no place on the Earth (%s), so vector labels cannot be laid over it; "
                       "georeference it first (gdal_edit.py -a_srs ... -a_ullr ...)",
                       file->path, image->note[0] != '\0' ? image->note : "one position alone");
    p->by_lonlat = image->kind == GEOREFERENCE_RPC;
    OGRSpatialReferenceH lonlat = p->by_lonlat ? crs_new_lonlat() : NULL;
    OGRSpatialReferenceH to = p->by_lonlat ? lonlat : image->crs;
    p->transformed = to == NULL || !crs_same(file->crs, to);
    const bool found = !p->transformed || (to != NULL && crs_pair_init(&p->pair, file->crs, to, edge_metres));
    OSRDestroySpatialReference(lonlat);
    if (!found) {
        p->transformed = false;
        return err_set(ERR_INPUT,
                       "'%s': no transformation is known from its coordinate reference system to the image's",
                       file->path);
    }
    if (p->transformed) p->longest = longest_edge(p, width, height);
    if (!p->by_lonlat && image->has_grid && image->forward[2] == 0.0) p->turn = fabs(image->turn / image->forward[1]);
    return ERR_NONE;
}

void vector_placing_done(VectorPlacing *p)
{
    if (p->transformed) crs_pair_done(&p->pair);
    *p = (VectorPlacing){ 0 };
}

/* Neighbours stay neighbours where the CRS begins anew. */
static void unwrap(const VectorPlacing *p, double *x, int64_t n)
{
    for (int64_t i = 1; !isnan(p->turn) && i < n; i++) x[i] -= p->turn * floor((x[i] - x[0]) / p->turn + 0.5);
}

static Err place_points(const VectorPlacing *p, OGRGeometryH line, bool *ret_far)
{
    const int n = OGR_G_GetPointCount(line);
    double *x = malloc((size_t)n * 2 * sizeof *x);
    if (x == NULL) return err_memory((size_t)n * 2 * sizeof *x, "a geometry");
    double *y = x + n;
    (void)OGR_G_GetPoints(line, x, sizeof *x, y, sizeof *y, NULL, 0);
    if (p->transformed) crs_pair_transform(&p->pair, n, x, y);
    if (p->by_lonlat)
        georeference_to_pixel(p->image, n, x, y);
    else
        georeference_from_crs(p->image, n, x, y);
    unwrap(p, x, n);
    for (int i = 0; i < n; i++) *ret_far = *ret_far || !isfinite(x[i]) || !isfinite(y[i]);
    if (!*ret_far) OGR_G_SetPoints(line, n, x, sizeof *x, y, sizeof *y, NULL, 0);
    free(x);
    return ERR_NONE;
}

/* Depth: that of the geometry, which OGR limits when it reads one. */
static Err place(const VectorPlacing *p, OGRGeometryH geometry, bool *ret_far)
{
    const int n = OGR_G_GetGeometryCount(geometry);
    if (n == 0) return OGR_G_IsEmpty(geometry) ? ERR_NONE : place_points(p, geometry, ret_far);
    for (int i = 0; i < n && !*ret_far; i++) TRY(place(p, OGR_G_GetGeometryRef(geometry, i), ret_far));
    return ERR_NONE;
}

/* Length of all lines and rings, in the layer's units. Depth: that of the geometry. */
static double length_of(OGRGeometryH geometry)
{
    double sum = 0.0;
    const int n = OGR_G_GetGeometryCount(geometry);
    for (int i = 0; i < n; i++) sum += length_of(OGR_G_GetGeometryRef(geometry, i));
    for (int i = 1; n == 0 && i < OGR_G_GetPointCount(geometry); i++)
        sum += hypot(OGR_G_GetX(geometry, i) - OGR_G_GetX(geometry, i - 1),
                     OGR_G_GetY(geometry, i) - OGR_G_GetY(geometry, i - 1));
    return sum;
}

/* More vertices for long edges, where all there are have a place. Edges of a geometry that is far larger than the image may
 * stay longer: metres that are taken for degrees, or a box around the Earth, would become millions of them. */
static Err divide_edges(const VectorPlacing *p, OGRGeometryH geometry, bool *ret_far)
{
    if (!(p->longest > 0.0)) return ERR_NONE;
    OGRGeometryH probe = OGR_G_Clone(geometry);
    if (probe == NULL) return err_memory(0, "a geometry");
    const Err err = place(p, probe, ret_far);
    OGR_G_DestroyGeometry(probe);
    if (err == ERR_NONE && !*ret_far) OGR_G_Segmentize(geometry, fmax(p->longest, length_of(geometry) / MOST_VERTICES));
    return err;
}

/* Collects the geometries of one dimension below `geometry`; lines and points as they are, polygons for one burn. */
static void collect(OGRGeometryH geometry, int dimension, OGRGeometryH collection)
{
    const OGRwkbGeometryType type = wkbFlatten(OGR_G_GetGeometryType(geometry));
    const bool simple = type == wkbPoint || type == wkbLineString || type == wkbPolygon || type == wkbTriangle;
    if (OGR_G_IsEmpty(geometry)) return;
    if (!simple) {
        for (int i = 0; i < OGR_G_GetGeometryCount(geometry); i++)
            collect(OGR_G_GetGeometryRef(geometry, i), dimension, collection);
    } else if (OGR_G_GetDimension(geometry) == dimension) {
        OGRGeometryH copy = OGR_G_Clone(geometry);
        if (type == wkbTriangle) copy = OGR_G_ForceToPolygon(copy);
        if (copy != NULL && OGR_G_AddGeometryDirectly(collection, copy) != OGRERR_NONE) OGR_G_DestroyGeometry(copy);
    }
}

/* The geometries of one dimension, NULL: there is none. */
static OGRGeometryH only(OGRGeometryH geometry, int dimension)
{
    static const OGRwkbGeometryType types[] = { wkbMultiPoint, wkbMultiLineString, wkbMultiPolygon };
    OGRGeometryH collection = OGR_G_CreateGeometry(types[dimension]);
    if (collection == NULL) return NULL;
    collect(geometry, dimension, collection);
    if (OGR_G_GetGeometryCount(collection) > 0) return collection;
    OGR_G_DestroyGeometry(collection);
    return NULL;
}

static Err cannot_repair(const VectorFile *file, int64_t id)
{
    return err_set(ERR_INPUT,
                   "'%s': feature %lld of layer '%s' crosses itself and cannot be made valid; mend it (QGIS: Fix "
                   "geometries) or delete it",
                   file->path, (long long)id, OGR_L_GetName(file->layer));
}

/* Polygons as GEOS wants them. */
static Err make_valid(const VectorFile *file, int64_t id, VectorPart *part)
{
    if (OGR_G_IsValid(part->geometry)) return ERR_NONE;
    OGRGeometryH valid = OGR_G_MakeValid(part->geometry);
    OGRGeometryH polygons = valid != NULL ? only(valid, 2) : NULL;
    OGR_G_DestroyGeometry(valid);
    if (polygons == NULL) return cannot_repair(file, id);
    OGR_G_DestroyGeometry(part->geometry);
    part->geometry = polygons;
    part->repaired = true;
    return ERR_NONE;
}

static Err widen(double buffer, VectorPart *part)
{
    if (buffer <= 0.0) return ERR_NONE;
    OGRGeometryH wide = OGR_G_Buffer(part->geometry, buffer, QUADRANT_SEGMENTS);
    if (wide == NULL) return err_memory(0, "the buffer of a line");
    OGR_G_DestroyGeometry(part->geometry);
    part->geometry = wide;
    part->widened = true;
    return ERR_NONE;
}

Err vector_shape_parts(const VectorPlacing *p, const VectorFile *file, int64_t id, OGRGeometryH geometry,
                       VectorPart ret_parts[VECTOR_PARTS], int *ret_count, bool *ret_far)
{
    *ret_count = 0;
    *ret_far = false;
    OGRGeometryH linear = OGR_G_GetLinearGeometry(geometry, 0.0, NULL);
    if (linear == NULL) return err_memory(0, "a geometry");
    OGR_G_FlattenTo2D(linear);
    Err err = divide_edges(p, linear, ret_far);
    if (err == ERR_NONE && !*ret_far) err = place(p, linear, ret_far);
    for (int dimension = 2; err == ERR_NONE && !*ret_far && dimension >= 0; dimension--) {
        VectorPart *part = &ret_parts[*ret_count];
        *part = (VectorPart){ .geometry = only(linear, dimension) };
        if (part->geometry == NULL) continue;
        *ret_count += 1;
        err = dimension == 2 ? make_valid(file, id, part) : widen(p->buffer, part);
    }
    OGR_G_DestroyGeometry(linear);
    return err;
}
