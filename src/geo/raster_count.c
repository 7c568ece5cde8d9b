/* SPDX-License-Identifier: Apache-2.0
 * Counting a finished map. Blocks are read without GDAL's cache. */
#include "geo/raster_count.h"

#include "geo/gdal_session.h"

#include <gdal.h>
#include <stdlib.h>

typedef struct Counter {
    GDALRasterBandH band;
    const char *path;
    int side_x, side_y;
    uint8_t *codes;  /* [side_y][side_x] */
    double *scratch; /* the same */
} Counter;

static Err count_block(const Counter *c, int column, int row, PixelArea *area, const GdalSession *session,
                       ClassAreas *areas)
{
    const int64_t x = (int64_t)column * c->side_x, y = (int64_t)row * c->side_y;
    const int64_t columns = GDALGetRasterBandXSize(c->band) - x, rows = GDALGetRasterBandYSize(c->band) - y;
    const RasterWindow w = { x, y, columns < c->side_x ? columns : c->side_x, rows < c->side_y ? rows : c->side_y };
    if (GDALReadBlock(c->band, column, row, c->codes) != CE_None)
        return err_set(ERR_OUTPUT, "'%s': cannot be read back (%s); is the disk sound?", c->path,
                       gdal_reason(session, "no reason given"));
    return class_areas_add(areas, area, w, c->codes, (size_t)c->side_x, c->scratch);
}

static Err count_all(Counter *c, PixelArea *area, const volatile int *stop, const GdalSession *session,
                     ClassAreas *areas)
{
    GDALGetBlockSize(c->band, &c->side_x, &c->side_y);
    const size_t pixels = (size_t)c->side_x * (size_t)c->side_y;
    c->codes = malloc(pixels);
    c->scratch = malloc(pixels * sizeof *c->scratch);
    if (c->codes == NULL || c->scratch == NULL) return err_memory(pixels * 9, "a block of the map");
    const int columns = (GDALGetRasterBandXSize(c->band) + c->side_x - 1) / c->side_x;
    const int rows = (GDALGetRasterBandYSize(c->band) + c->side_y - 1) / c->side_y;
    for (int row = 0; row < rows; row++)
        for (int column = 0; column < columns; column++) {
            if (stop != NULL && *stop != 0)
                return err_set(ERR_INTERRUPTED, "'%s': stopped while its classes were counted; nothing was written",
                               c->path);
            TRY(count_block(c, column, row, area, session, areas));
        }
    return ERR_NONE;
}

Err raster_count_classes(const char *tiff, const char *path, PixelArea *area, const volatile int *stop,
                         ClassAreas *ret_areas)
{
    static const char *const drivers[] = { "GTiff", NULL };
    ClassAreas areas = { .known = false };
    Counter c = { .path = path };
    Err err = ERR_NONE;
    GdalSession session;
    gdal_begin(&session);
    const GDALDatasetH d = GDALOpenEx(tiff, GDAL_OF_RASTER | GDAL_OF_READONLY, drivers, NULL, NULL);
    if (d == NULL) {
        err = err_set(ERR_OUTPUT, "'%s': cannot be read back (%s)", path, gdal_reason(&session, "no reason given"));
    } else {
        c.band = GDALGetRasterBand(d, 1);
        err = count_all(&c, area, stop, &session, &areas);
        GDALClose(d);
    }
    gdal_end(&session);
    free(c.codes);
    free(c.scratch);
    if (err == ERR_NONE) *ret_areas = areas;
    return err;
}
