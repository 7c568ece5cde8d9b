/* SPDX-License-Identifier: Apache-2.0
 * Image and labels on one grid. */
#include "data/scene.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

static Err open_labels(Scene *s, const DatasetOptions *options, const DatasetScene *scene, const volatile int *stop)
{
    const RasterInfo *info = raster_info(s->image->raster);
    const VectorOptions vector = { .layer = scene->labels_layer,
                                   .field = scene->labels_field,
                                   .crs = scene->labels_crs,
                                   .buffer = scene->labels_buffer };
    const bool is_vector = vector_labels_is_vector(scene->labels);
    if (is_vector && options->labels_kind != LABELS_CLASSES)
        return err_set(ERR_CONFIG, "scene '%s': '%s' is a vector file, which holds classes; labels_kind is for rasters",
                       scene->name, scene->labels);
    if (is_vector && georeference_kind(s->image->place) == GEOREFERENCE_NONE)
        return err_set(ERR_INPUT,
                       "'%s': no georeference (%s), so its labels cannot be placed; name its CRS with crs, or "
                       "georeference it first",
                       scene->image, georeference_note(s->image->place));
    if (is_vector)
        return labels_open_vector(scene->labels, &vector, options, s->image->place, info->width, info->height, stop,
                                  &s->labels);
    if (scene->labels_layer != NULL || scene->labels_field != NULL)
        return err_set(ERR_CONFIG, "scene '%s': labels_layer and labels_field are for vector files; '%s' is none",
                       scene->name, scene->labels);
    const LabelsPlace place = { scene->labels_crs, scene->labels_by_pixel, scene->crs };
    return labels_open(scene->labels, options, &place, stop, s->image->raster, s->image->place, &s->labels);
}

static Err open_files(Scene *s, const DatasetOptions *options, const DatasetScene *scene, const volatile int *stop)
{
    char bands[512];
    TRY(band_choice(scene, bands, sizeof bands));
    const ImageSourceOptions options_of_image = {
        .bands = bands, .crs = scene->crs, .mask = scene->mask, .mask_values = scene->mask_values, .stop = stop
    };
    TRY(image_source_open(scene->image, &options_of_image, &s->image));
    if (options->n_surface_scale > 0) TRY(image_source_set_level(s->image, scene->level, NULL));
    TRY(open_labels(s, options, scene, stop));
    if (georeference_kind(s->image->place) == GEOREFERENCE_NONE)
        return scene->n_lonlat > 0 ? image_source_set_zone_point(s->image, scene->lonlat[0], scene->lonlat[1])
                                   : ERR_NONE;
    return place_lookup_new(s->image->place, NULL, &s->lonlat);
}

/* The network's grid: square pixels, `upsample` of them to the longer side of an image pixel. */
static Err present(Scene *s, bool in_degrees, double upsample)
{
    const RasterInfo *info = raster_info(s->image->raster);
    const PixelSides sides = georeference_pixel_sides(s->image->place, in_degrees);
    double columns = 0.0, rows = 0.0;
    georeference_square_grid(&sides, sides.side, info->width, info->height, &columns, &rows);
    s->width = (int64_t)llround(columns * upsample);
    s->height = (int64_t)llround(rows * upsample);
    if (s->width < 1 || s->height < 1)
        return err_set(ERR_CONFIG, "train.upsample: %g leaves nothing of a %lld x %lld image", upsample,
                       (long long)info->width, (long long)info->height);
    s->upsample_x = (double)s->width / (double)info->width;
    s->upsample_y = (double)s->height / (double)info->height;
    return raster_set_grid(s->image->raster, s->width, s->height);
}

Err scene_open(const DatasetOptions *options, const Climate *climate, uint32_t index, const volatile int *stop,
               Scene **ret_scene)
{
    Scene *s = calloc(1, sizeof *s);
    if (s == NULL) return err_memory(sizeof *s, "a scene");
    Err err = open_files(s, options, &options->scenes[index], stop);
    if (err == ERR_NONE) err = present(s, options->gsd_unit == MODEL_DEGREE, options->upsample);
    if (err == ERR_NONE) err = image_source_set_zones(s->image, climate);
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
    labels_close(scene->labels);
    place_lookup_free(scene->lonlat);
    image_source_close(scene->image);
    free(scene);
}

/* Centres of a window's network pixels, in pixels of the image. */
static PlaceWindow window_grid(const Scene *s, int64_t x, int64_t y, int64_t side)
{
    return (PlaceWindow){ .x = ((double)x + 0.5) / s->upsample_x,
                          .y = ((double)y + 0.5) / s->upsample_y,
                          .step_x = 1.0 / s->upsample_x,
                          .step_y = 1.0 / s->upsample_y,
                          .columns = side,
                          .rows = side };
}

Err scene_lonlat(Scene *s, int64_t x, int64_t y, int64_t side, double *ret_lon, double *ret_lat)
{
    const PlaceWindow grid = window_grid(s, x, y, side);
    for (int64_t i = 0; s->lonlat == NULL && i < side * side; i++) ret_lon[i] = ret_lat[i] = (double)NAN;
    if (s->lonlat == NULL) return ERR_NONE;
    return place_lookup_window(s->lonlat, &grid, ret_lon, ret_lat);
}

Err scene_read_labels(Scene *s, const LabelTable *table, int64_t x, int64_t y, int64_t side, uint8_t *ret_classes,
                      uint8_t *ret_probabilities)
{
    const size_t classes = s->labels->options->n_classes;
    const PlaceWindow grid = window_grid(s, x, y, side);
    TRY(labels_read(s->labels, table, &grid, ret_classes, ret_probabilities));
    for (int64_t i = 0; i < side; i++) {
        const bool row_inside = y + i >= 0 && y + i < s->height;
        for (int64_t j = 0; j < side; j++) {
            if (row_inside && x + j >= 0 && x + j < s->width) continue;
            ret_classes[i * side + j] = CLASS_IGNORE;
            if (ret_probabilities != NULL) memset(ret_probabilities + (size_t)(i * side + j) * classes, 0, classes);
        }
    }
    return ERR_NONE;
}

int64_t boxes_find(const DatasetBox *boxes, uint32_t n_boxes, double lon, double lat)
{
    for (uint32_t i = 0; i < n_boxes; i++) {
        const DatasetBox *b = &boxes[i];
        if (!(lat >= b->south && lat <= b->north)) continue;
        if (geo_longitudes_meet(lon, lon, b->west, b->east)) return i;
    }
    return -1;
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

/* Longitudes of one window, all within half a turn of the first that is known. */
static void unwrap(double *lon, int64_t n)
{
    int64_t first = 0;
    while (first < n && isnan(lon[first])) first++;
    for (int64_t i = first + 1; i < n; i++) {
        if (lon[i] - lon[first] > 180.0) lon[i] -= 360.0;
        if (lon[i] - lon[first] < -180.0) lon[i] += 360.0;
    }
}

/* A pole inside the window: all longitudes, and its latitude. */
static void include_pole(Scene *s, int64_t x, int64_t y, int64_t side, Span *lon, Span *lat)
{
    double px[2] = { 0.0, 0.0 };
    double py[2] = { 90.0, -90.0 };
    georeference_to_pixel(s->image->place, 2, px, py);
    for (int64_t i = 0; i < 2; i++) {
        const double u = px[i] * s->upsample_x - (double)x;
        const double v = py[i] * s->upsample_y - (double)y;
        if (!(u >= 0.0 && v >= 0.0 && u <= (double)side && v <= (double)side)) continue;
        *lon = (Span){ -180.0, 180.0 };
        if (i == 0) lat->high = 90.0;
        if (i == 1) lat->low = -90.0;
    }
}

bool scene_window_touches(Scene *s, int64_t x, int64_t y, int64_t side, const DatasetBox *boxes, uint32_t n_boxes)
{
    enum { NODES = 5 };
    double lon[NODES * NODES];
    double lat[NODES * NODES];
    if (n_boxes == 0 || s->lonlat == NULL) return false;
    for (int64_t i = 0; i < NODES * NODES; i++) {
        lon[i] = ((double)x + (double)(side * (i % NODES)) / (NODES - 1)) / s->upsample_x;
        lat[i] = ((double)y + (double)(side * (i / NODES)) / (NODES - 1)) / s->upsample_y;
    }
    georeference_to_lonlat(s->image->place, NODES * NODES, lon, lat);
    unwrap(lon, NODES * NODES);
    Span u = finite_span(lon, NODES * NODES);
    Span v = finite_span(lat, NODES * NODES);
    if (!georeference_is_affine(s->image->place)) include_pole(s, x, y, side, &u, &v);
    for (uint32_t b = 0; b < n_boxes; b++) {
        if (v.high < boxes[b].south || v.low > boxes[b].north) continue;
        if (geo_longitudes_meet(u.low, u.high, boxes[b].west, boxes[b].east)) return true;
    }
    return false;
}

enum { BOX_NODES = 9, IMAGE_NODES = 33 };

static void extend(Span *x, Span *y, double px, double py)
{
    if (!isfinite(px) || !isfinite(py)) return;
    x->low = fmin(x->low, px);
    x->high = fmax(x->high, px);
    y->low = fmin(y->low, py);
    y->high = fmax(y->high, py);
}

/* Places of the image that lie inside the box but not between the box's own nodes, with the places next to them: a box
 * much larger than the image may have no node near it, and its sides are curved. */
static Err extend_by_image(Scene *s, const DatasetBox *box, Span *x, Span *y)
{
    enum { N = IMAGE_NODES };
    double lon[N * N];
    double lat[N * N];
    const double step_x = (double)raster_info(s->image->raster)->width / (N - 1);
    const double step_y = (double)raster_info(s->image->raster)->height / (N - 1);
    const PlaceWindow nodes = { 0.0, 0.0, step_x, step_y, N, N };
    TRY(place_lookup_window(s->lonlat, &nodes, lon, lat));
    for (int64_t i = 0; i < N * N; i++) {
        if (boxes_find(box, 1, lon[i], lat[i]) < 0) continue;
        const double px = (double)(i % N) * step_x;
        const double py = (double)(i / N) * step_y;
        if (px > x->low - 1.0 && px < x->high + 1.0 && py > y->low - 1.0 && py < y->high + 1.0) continue;
        extend(x, y, px - step_x, py - step_y);
        extend(x, y, px + step_x, py + step_y);
    }
    return ERR_NONE;
}

Err scene_box_pixels(Scene *s, const DatasetBox *box, RasterWindow *ret_window)
{
    enum { N = BOX_NODES };
    double px[N * N];
    double py[N * N];
    *ret_window = (RasterWindow){ 0 };
    if (s->lonlat == NULL) return ERR_NONE;
    for (int64_t i = 0; i < N * N; i++) {
        px[i] = box->west + (box->east - box->west) * (double)(i % N) / (N - 1);
        py[i] = box->south + (box->north - box->south) * (double)(i / N) / (N - 1);
    }
    georeference_to_pixel(s->image->place, N * N, px, py);
    Span x = { (double)INFINITY, -(double)INFINITY };
    Span y = x;
    for (int64_t i = 0; i < N * N; i++) extend(&x, &y, px[i], py[i]);
    if (!georeference_is_affine(s->image->place)) TRY(extend_by_image(s, box, &x, &y));
    const double x0 = fmax(floor(x.low * s->upsample_x), 0.0);
    const double y0 = fmax(floor(y.low * s->upsample_y), 0.0);
    const double x1 = fmin(ceil(x.high * s->upsample_x), (double)s->width);
    const double y1 = fmin(ceil(y.high * s->upsample_y), (double)s->height);
    const bool meets = x.low < x.high && x0 < x1 && y0 < y1;
    if (meets) *ret_window = (RasterWindow){ (int64_t)x0, (int64_t)y0, (int64_t)(x1 - x0), (int64_t)(y1 - y0) };
    return ERR_NONE;
}
