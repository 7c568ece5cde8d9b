/* SPDX-License-Identifier: Apache-2.0
 * Shapes into pixels: one after the other, each with the smallest raster that holds it in the window, by
 * GDALRasterizeGeometries. */
#include "geo/gdal_session.h"
#include "geo/vector_internal.h"

#include <gdal_alg.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Pixel positions of the image -> pixels of the raster that is burned. */
typedef struct Grid {
    double x, y, step_x, step_y;
} Grid;

static int to_grid(void *context, int inverse, int n, double *x, double *y, double *z, int *good)
{
    const Grid *g = context;
    (void)z;
    for (int i = 0; i < n; i++) {
        x[i] = inverse ? g->x + x[i] * g->step_x : (x[i] - g->x) / g->step_x;
        y[i] = inverse ? g->y + y[i] * g->step_y : (y[i] - g->y) / g->step_y;
        good[i] = 1;
    }
    return 1;
}

static int64_t clamp(double value, int64_t most)
{
    return value < 0.0 ? 0 : value > (double)most ? most : (int64_t)value;
}

/* Columns and rows of the window that the box may touch; false: none. A line of no width burns beside its box. */
static bool part_of(const PlaceWindow *w, const OGREnvelope *box, RasterWindow *ret_part)
{
    const double left = w->x - w->step_x / 2.0;
    const double top = w->y - w->step_y / 2.0;
    const int64_t x0 = clamp(floor((box->MinX - left) / w->step_x) - 1.0, w->columns);
    const int64_t x1 = clamp(ceil((box->MaxX - left) / w->step_x) + 1.0, w->columns);
    const int64_t y0 = clamp(floor((box->MinY - top) / w->step_y) - 1.0, w->rows);
    const int64_t y1 = clamp(ceil((box->MaxY - top) / w->step_y) + 1.0, w->rows);
    *ret_part = (RasterWindow){ x0, y0, x1 - x0, y1 - y0 };
    return x1 > x0 && y1 > y0;
}

static Err want_mask(VectorLabels *v, int64_t pixels)
{
    if (pixels <= v->mask_pixels) return ERR_NONE;
    free(v->mask);
    v->mask = malloc((size_t)pixels);
    v->mask_pixels = v->mask != NULL ? pixels : 0;
    return v->mask != NULL ? ERR_NONE : err_memory((size_t)pixels, "a window of vector labels");
}

/* One shape into v->mask [part]. */
static Err burn_shape(VectorLabels *v, const PlaceWindow *w, const VectorShape *shape, RasterWindow part)
{
    const int columns = (int)part.columns;
    const int rows = (int)part.rows;
    const double one = 1.0;
    int band = 1;
    Grid grid = { w->x + ((double)part.x - 0.5) * w->step_x, w->y + ((double)part.y - 0.5) * w->step_y, w->step_x,
                  w->step_y };
    OGRGeometryH geometry = shape->geometry;
    TRY(want_mask(v, part.columns * part.rows));
    const GDALDatasetH raster = GDALCreate(GDALGetDriverByName("MEM"), "", columns, rows, 1, GDT_Byte, NULL);
    if (raster == NULL) return err_memory((size_t)(part.columns * part.rows), "a window of vector labels");
    CPLErr status = GDALRasterizeGeometries(raster, 1, &band, 1, &geometry, to_grid, &grid, &one, NULL, NULL, NULL);
    if (status == CE_None)
        status = GDALDatasetRasterIO(raster, GF_Read, 0, 0, columns, rows, v->mask, columns, rows, GDT_Byte, 1, NULL, 0,
                                     0, 0);
    GDALClose(raster);
    if (status == CE_None) return ERR_NONE;
    return err_set(ERR_INPUT, "'%s': feature %lld cannot be rasterised (%s)", v->file.path,
                   (long long)v->features[shape->feature].id, CPLGetLastErrorMsg());
}

static void lay(VectorLabels *v, const PlaceWindow *w, const VectorShape *shape, RasterWindow part,
                const VectorBurn *burn, uint8_t *classes)
{
    int64_t burned = 0;
    VectorOverlaps found = { 0 };
    for (int64_t i = 0; i < part.rows; i++) {
        const uint8_t *mask = v->mask + i * part.columns;
        uint8_t *row = classes + (part.y + i) * w->columns + part.x;
        for (int64_t j = 0; j < part.columns; j++) {
            if (mask[j] == 0) continue;
            burned++;
            found.overlapped += row[j] != VECTOR_NO_LABEL;
            found.contradicting += row[j] != VECTOR_NO_LABEL && row[j] != shape->class_index;
            row[j] = shape->class_index;
        }
    }
    if (burn->overlaps == NULL) return;
    v->features[shape->feature].pixels += burned;
    burn->overlaps->overlapped += found.overlapped;
    burn->overlaps->contradicting += found.contradicting;
}

/* Beyond the image nothing is labelled. */
static void cut(const VectorLabels *v, const PlaceWindow *w, uint8_t *classes)
{
    for (int64_t i = 0; i < w->rows; i++) {
        const double y = w->y + (double)i * w->step_y;
        const bool row_inside = y >= 0.0 && y <= v->height;
        for (int64_t j = 0; j < w->columns; j++) {
            const double x = w->x + (double)j * w->step_x;
            if (!row_inside || x < 0.0 || x > v->width) classes[i * w->columns + j] = VECTOR_NO_LABEL;
        }
    }
}

Err vector_burn(VectorLabels *v, const PlaceWindow *window, const VectorBurn *burn, uint8_t *ret_classes)
{
    memset(ret_classes, VECTOR_NO_LABEL, (size_t)(window->columns * window->rows));
    for (int64_t i = 0; i < burn->count; i++) {
        const VectorShape *shape = &v->shapes[burn->which != NULL ? burn->which[i] : i];
        RasterWindow part;
        if (!part_of(window, &shape->box, &part)) continue;
        TRY(burn_shape(v, window, shape, part));
        lay(v, window, shape, part, burn, ret_classes);
    }
    cut(v, window, ret_classes);
    return ERR_NONE;
}

Err vector_labels_read(VectorLabels *v, const PlaceWindow *window, uint8_t *ret_classes)
{
    const VectorBurn burn = { .count = v->n_shapes };
    GdalSession session;
    gdal_begin(&session);
    const Err err = vector_burn(v, window, &burn, ret_classes);
    gdal_end(&session);
    return err;
}
