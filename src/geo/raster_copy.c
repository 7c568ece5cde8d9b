/* SPDX-License-Identifier: Apache-2.0
 * Georeferenced copies of images. */
#include "geo/raster_internal.h"
#include "geo/raster_write.h"

#include <stdlib.h>
#include <string.h>

enum { COPY_ROWS = 64, COLORS = 3 };

/* Reads `rows` rows from y and splits them into planes of bytes. */
static Err read_planes(Raster *raster, int64_t y, int64_t rows, float *values, uint8_t *valid, uint8_t *planes)
{
    const int64_t width = raster->info.width, bands = raster->chosen_count;
    TRY(raster_read(raster, (RasterWindow){ .y = y, .columns = width, .rows = rows }, values, valid));
    for (int64_t i = 0; i < rows * width; i++)
        for (int64_t b = 0; b < COLORS; b++) planes[b * COPY_ROWS * width + i] = (uint8_t)values[i * bands + b];
    return ERR_NONE;
}

Err raster_write_georeferenced(Raster *raster, const double bounds[4], int epsg, const char *path, bool overwrite)
{
    const int64_t width = raster->info.width, height = raster->info.height, bands = raster->chosen_count;
    if (bands < COLORS || strcmp(raster->info.type, "Byte") != 0)
        return err_set(ERR_INPUT, "'%s': %lld bands of %s; expected at least 3 of Byte", raster->path, (long long)bands,
                       raster->info.type);
    if (raster->width != width || raster->height != height) TRY(raster_set_grid(raster, width, height));
    const RasterWriteOptions options = {
        .path = path,
        .kind = RASTER_COLORS,
        .width = width,
        .height = height,
        .bounds = bounds,
        .epsg = epsg,
        .overwrite = overwrite,
    };
    RasterWriter *writer = NULL;
    TRY(raster_writer_open(&options, &writer));
    const size_t pixels = (size_t)(COPY_ROWS * width);
    float *values = malloc(pixels * (size_t)bands * sizeof *values);
    uint8_t *valid = malloc(pixels), *planes = malloc(COLORS * pixels);
    Err err = values == NULL || valid == NULL || planes == NULL
                  ? err_memory(pixels * (size_t)bands * 5, "rows of an image")
                  : ERR_NONE;
    for (int64_t y = 0; y < height && err == ERR_NONE; y += COPY_ROWS) {
        const int64_t rows = height - y < COPY_ROWS ? height - y : COPY_ROWS;
        err = read_planes(raster, y, rows, values, valid, planes);
        const uint8_t *const starts[COLORS] = { planes, planes + pixels, planes + 2 * pixels };
        if (err == ERR_NONE) err = raster_writer_rows(writer, rows, starts, (size_t)width);
    }
    free(values);
    free(valid);
    free(planes);
    if (err == ERR_NONE) return raster_writer_finish(writer);
    raster_writer_abort(writer);
    return err;
}
