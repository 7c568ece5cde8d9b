/* SPDX-License-Identifier: Apache-2.0
 * Image and labels on one grid. */
#include "data/scene.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Positions are transformed at nodes this many pixels apart and interpolated between them. */
enum { NODE_STEP = 16 };

static Err class_table(const DatasetOptions *options, uint8_t table[256])
{
    for (int32_t v = 0; v < 256; v++) table[v] = CLASS_IGNORE;
    for (uint32_t i = 0; i < options->n_classes; i++) table[options->classes[i].value] = (uint8_t)i;
    uint8_t mapped[256];
    memcpy(mapped, table, sizeof mapped);
    for (uint32_t i = 0; i < options->n_remap; i++) {
        const DatasetRemap r = options->remap[i];
        if (r.from < 0 || r.from > 255 || r.to < 0 || r.to > 255)
            return err_set(ERR_CONFIG, "data.remap: %d -> %d is outside 0..255", (int)r.from, (int)r.to);
        mapped[r.from] = table[r.to];
    }
    if (options->ignore >= 0 && options->ignore <= 255) mapped[options->ignore] = CLASS_IGNORE;
    memcpy(table, mapped, sizeof mapped);
    return ERR_NONE;
}

static Err band_choice(const DatasetScene *scene, char *text, size_t bytes)
{
    size_t used = 0;
    text[0] = '\0';
    for (uint32_t i = 0; i < scene->n_bands; i++) {
        const int n = snprintf(text + used, bytes - used, "%s%d", i > 0 ? "," : "", (int)scene->bands[i]);
        if (n < 0 || (size_t)n >= bytes - used) return err_set(ERR_CONFIG, "scene '%s': too many bands", scene->name);
        used += (size_t)n;
    }
    return ERR_NONE;
}

static Err open_rasters(Scene *s, const DatasetScene *scene)
{
    TRY(raster_open(scene->image, &s->image));
    TRY(raster_open(scene->labels, &s->labels));
    char bands[512];
    TRY(band_choice(scene, bands, sizeof bands));
    TRY(raster_choose_bands(s->image, bands, 0, NULL));
    raster_remove_offsets(s->image);
    TRY(raster_choose_bands(s->labels, "1", 1, NULL));
    TRY(georeference_open(s->image, scene->crs, &s->image_place));
    TRY(georeference_open(s->labels, scene->labels_crs, &s->label_place));
    if (georeference_kind(s->image_place) == GEOREFERENCE_NONE)
        return err_set(ERR_INPUT,
                       "'%s': no georeference (%s), so its labels cannot be placed; name its CRS with crs, or "
                       "georeference it first",
                       raster_path(s->image), georeference_note(s->image_place));
    if (georeference_kind(s->label_place) == GEOREFERENCE_NONE)
        return err_set(ERR_INPUT, "'%s': no georeference (%s); name the CRS with labels_crs", raster_path(s->labels),
                       georeference_note(s->label_place));
    return ERR_NONE;
}

/* The network's grid: square pixels, `upsample` of them to the longer side of an image pixel. */
static Err present(Scene *s, bool in_degrees, double upsample)
{
    const RasterInfo *info = raster_info(s->image);
    const PixelSides sides = georeference_pixel_sides(s->image_place, in_degrees);
    double columns = 0.0, rows = 0.0;
    georeference_square_grid(&sides, sides.side, info->width, info->height, &columns, &rows);
    s->width = (int64_t)llround(columns * upsample);
    s->height = (int64_t)llround(rows * upsample);
    if (s->width < 1 || s->height < 1)
        return err_set(ERR_CONFIG, "train.upsample: %g leaves nothing of a %lld x %lld image", upsample,
                       (long long)info->width, (long long)info->height);
    s->upsample_x = (double)s->width / (double)info->width;
    s->upsample_y = (double)s->height / (double)info->height;
    return raster_set_grid(s->image, s->width, s->height);
}

Err scene_open(const DatasetOptions *options, uint32_t index, Scene **ret_scene)
{
    Scene *s = calloc(1, sizeof *s);
    if (s == NULL) return err_memory(sizeof *s, "a scene");
    Err err = class_table(options, s->class_of);
    if (err == ERR_NONE) err = open_rasters(s, &options->scenes[index]);
    if (err == ERR_NONE) err = present(s, options->gsd_unit == MODEL_DEGREE, options->upsample);
    if (err != ERR_NONE) {
        scene_close(s);
        return err;
    }
    *ret_scene = s;
    return ERR_NONE;
}

void scene_close(Scene *scene)
{
    if (scene == NULL) return;
    georeference_free(scene->image_place);
    georeference_free(scene->label_place);
    raster_close(scene->image);
    raster_close(scene->labels);
    free(scene->scratch);
    free(scene);
}

Err scene_read_image(Scene *s, int64_t x, int64_t y, int64_t side, float *ret_values, uint8_t *ret_valid)
{
    return raster_read(s->image, (RasterWindow){ .x = x, .y = y, .columns = side, .rows = side }, ret_values,
                       ret_valid);
}

static Err want_scratch(Scene *s, int64_t doubles)
{
    if (doubles <= s->scratch_length) return ERR_NONE;
    double *grown = realloc(s->scratch, (size_t)doubles * sizeof *grown);
    if (grown == NULL) return err_memory((size_t)doubles * sizeof *grown, "positions");
    s->scratch = grown;
    s->scratch_length = doubles;
    return ERR_NONE;
}

/* Positions of the nodes of a window: node (i, j) is the centre of network pixel (x + 16 j, y + 16 i), in pixels of the
 * image (labels false) -> longitude and latitude, or on to pixels of the label raster. */
static void node_positions(Scene *s, int64_t x, int64_t y, int64_t nodes, bool labels, double *u, double *v)
{
    for (int64_t i = 0; i < nodes; i++) {
        for (int64_t j = 0; j < nodes; j++) {
            u[i * nodes + j] = ((double)(x + j * NODE_STEP) + 0.5) / s->upsample_x;
            v[i * nodes + j] = ((double)(y + i * NODE_STEP) + 0.5) / s->upsample_y;
        }
    }
    georeference_to_lonlat(s->image_place, nodes * nodes, u, v);
    if (labels) georeference_to_pixel(s->label_place, nodes * nodes, u, v);
}

static double between_nodes(const double *node, int64_t nodes, int64_t row, int64_t column)
{
    const double *a = node + (row / NODE_STEP) * nodes + column / NODE_STEP;
    const double fy = (double)(row % NODE_STEP) / NODE_STEP;
    const double fx = (double)(column % NODE_STEP) / NODE_STEP;
    const double above = a[0] + fx * (a[1] - a[0]);
    const double below = a[nodes] + fx * (a[nodes + 1] - a[nodes]);
    return above + fy * (below - above);
}

/* Longitudes of neighbouring nodes must not jump at the date line before they are interpolated. */
static void unwrap(double *lon, int64_t n)
{
    for (int64_t i = 1; i < n; i++) {
        if (lon[i] - lon[0] > 180.0) lon[i] -= 360.0;
        if (lon[i] - lon[0] < -180.0) lon[i] += 360.0;
    }
}

Err scene_lonlat(Scene *s, int64_t x, int64_t y, int64_t side, double *ret_lon, double *ret_lat)
{
    const int64_t nodes = (side + NODE_STEP - 1) / NODE_STEP + 1;
    TRY(want_scratch(s, 2 * nodes * nodes));
    double *lon = s->scratch;
    double *lat = s->scratch + nodes * nodes;
    node_positions(s, x, y, nodes, false, lon, lat);
    unwrap(lon, nodes * nodes);
    for (int64_t i = 0; i < side; i++) {
        for (int64_t j = 0; j < side; j++) {
            ret_lon[i * side + j] = between_nodes(lon, nodes, i, j);
            ret_lat[i * side + j] = between_nodes(lat, nodes, i, j);
        }
    }
    return ERR_NONE;
}

typedef struct Span {
    double low, high;
} Span;

static Span finite_span(const double *values, int64_t n)
{
    Span span = { (double)INFINITY, -(double)INFINITY };
    for (int64_t i = 0; i < n; i++) {
        if (!isfinite(values[i])) continue;
        span.low = fmin(span.low, values[i]);
        span.high = fmax(span.high, values[i]);
    }
    return span;
}

/* Part of the label raster that the nodes span, clamped to the raster; columns 0 when they do not meet. */
static RasterWindow label_window(const Scene *s, Span u, Span v)
{
    const RasterInfo *info = raster_info(s->labels);
    RasterWindow w = { 0 };
    if (!(u.low <= u.high) || !(v.low <= v.high)) return w;
    const double x0 = fmax(floor(u.low) - 1.0, 0.0);
    const double y0 = fmax(floor(v.low) - 1.0, 0.0);
    const double x1 = fmin(floor(u.high) + 2.0, (double)info->width);
    const double y1 = fmin(floor(v.high) + 2.0, (double)info->height);
    if (x1 <= x0 || y1 <= y0) return w;
    w = (RasterWindow){ .x = (int64_t)x0, .y = (int64_t)y0, .columns = (int64_t)(x1 - x0), .rows = (int64_t)(y1 - y0) };
    return w;
}

static uint8_t class_at(const Scene *s, RasterWindow w, const float *values, const uint8_t *valid, double u, double v)
{
    if (!isfinite(u) || !isfinite(v)) return CLASS_IGNORE;
    const double column = floor(u) - (double)w.x;
    const double row = floor(v) - (double)w.y;
    if (column < 0.0 || row < 0.0 || column >= (double)w.columns || row >= (double)w.rows) return CLASS_IGNORE;
    const int64_t i = (int64_t)row * w.columns + (int64_t)column;
    const float value = values[i];
    if (valid[i] == 0 || value < 0.0F || value > 255.0F || value != floorf(value)) return CLASS_IGNORE;
    return s->class_of[(int32_t)value];
}

Err scene_read_labels(Scene *s, int64_t x, int64_t y, int64_t side, uint8_t *ret_classes)
{
    const int64_t nodes = (side + NODE_STEP - 1) / NODE_STEP + 1;
    TRY(want_scratch(s, 2 * nodes * nodes));
    double *u = s->scratch;
    double *v = s->scratch + nodes * nodes;
    node_positions(s, x, y, nodes, true, u, v);
    const RasterWindow w = label_window(s, finite_span(u, nodes * nodes), finite_span(v, nodes * nodes));
    memset(ret_classes, CLASS_IGNORE, (size_t)(side * side));
    const size_t pixels = (size_t)(w.columns * w.rows);
    if (pixels == 0) return ERR_NONE;
    float *values = malloc(pixels * (sizeof(float) + 1));
    if (values == NULL) return err_memory(pixels * (sizeof(float) + 1), "a window of labels");
    uint8_t *valid = (uint8_t *)(values + pixels);
    const Err err = raster_read(s->labels, w, values, valid);
    for (int64_t i = 0; err == ERR_NONE && i < side; i++) {
        if (y + i < 0 || y + i >= s->height) continue;
        for (int64_t j = 0; j < side; j++) {
            if (x + j < 0 || x + j >= s->width) continue;
            ret_classes[i * side + j] =
                class_at(s, w, values, valid, between_nodes(u, nodes, i, j), between_nodes(v, nodes, i, j));
        }
    }
    free(values);
    return err;
}

bool boxes_contain(const DatasetBox *boxes, uint32_t n_boxes, double lon, double lat)
{
    for (uint32_t i = 0; i < n_boxes; i++) {
        const DatasetBox *b = &boxes[i];
        if (lat < b->south || lat > b->north) continue;
        if (geo_longitudes_meet(lon, lon, b->west, b->east)) return true;
    }
    return false;
}

bool scene_window_touches(Scene *s, int64_t x, int64_t y, int64_t side, const DatasetBox *boxes, uint32_t n_boxes)
{
    enum { NODES = 5 };
    double lon[NODES * NODES];
    double lat[NODES * NODES];
    for (int64_t i = 0; i < NODES * NODES; i++) {
        lon[i] = ((double)x + (double)(side * (i % NODES)) / (NODES - 1)) / s->upsample_x;
        lat[i] = ((double)y + (double)(side * (i / NODES)) / (NODES - 1)) / s->upsample_y;
    }
    georeference_to_lonlat(s->image_place, NODES * NODES, lon, lat);
    unwrap(lon, NODES * NODES);
    const Span u = finite_span(lon, NODES * NODES);
    const Span v = finite_span(lat, NODES * NODES);
    for (uint32_t b = 0; b < n_boxes; b++) {
        if (v.high < boxes[b].south || v.low > boxes[b].north) continue;
        if (geo_longitudes_meet(u.low, u.high, boxes[b].west, boxes[b].east)) return true;
    }
    return false;
}
