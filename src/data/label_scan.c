/* SPDX-License-Identifier: Apache-2.0
 * Rows of label pixels: where they lie, what they are. */
#include "data/label_scan.h"

#include "base/clock.h"
#include "base/report.h"

#include <math.h>
#include <stdlib.h>

enum {
    CANDIDATES = 8000000,   /* label pixels looked at per scene, about */
    STRIP_POINTS = 1 << 18, /* places held at a time */
};

static const double radians_per_degree = 0.017453292519943295769;

/* Every step-th pixel of a part of the label raster. */
typedef struct Lattice {
    int64_t column, row, step, columns, rows; /* first pixel; how many */
} Lattice;

typedef struct Strip {
    LabelScan *scan;
    Scene *scene;
    uint32_t index;
    Lattice lattice;
    bool boxes;          /* there are some and the scene has a place: longitudes and latitudes are needed */
    bool by_latitude;    /* pixels of the labels are smaller towards the poles */
    LabelArea pixel;     /* what one that is looked at stands for; by latitude at the equator */
    PlaceLookup *lonlat; /* of the labels' pixels; NULL: they have none */
    float *values;       /* one row of the labels, from lattice.column on */
    uint8_t *valid;
    double *x, *y; /* [strip rows][columns] in the image's pixels */
    double *lon, *lat;
    int64_t inside, labelled, valid_inside;
    double before, of_all; /* fraction of the labels before this part, and of this part */
} Strip;

/* Pixels c = first + k step of [first_pixel, first_pixel + pixels) with c = phase modulo step. */
static void lattice_axis(int64_t from, int64_t pixels, int64_t step, int64_t phase, int64_t *ret_first, int64_t *ret_n)
{
    const int64_t first = from + ((phase - from) % step + step) % step;
    *ret_first = first;
    *ret_n = first >= from + pixels ? 0 : (from + pixels - first + step - 1) / step;
}

static Lattice lattice_of(RasterWindow part, int64_t step)
{
    Lattice l = { .step = step };
    lattice_axis(part.x, part.columns, step, 0, &l.column, &l.columns);
    lattice_axis(part.y, part.rows, step, step / 2, &l.row, &l.rows);
    if (l.columns == 0) l.rows = 0;
    return l;
}

/* Every which label pixel of the parts is looked at. */
static int64_t choose_step(const RasterWindow *parts, int64_t n)
{
    double pixels = 0.0;
    for (int64_t i = 0; i < n; i++) pixels += (double)parts[i].columns * (double)parts[i].rows;
    return (int64_t)fmax(1.0, ceil(sqrt(pixels / CANDIDATES)));
}

static void strip_done(Strip *t)
{
    free(t->values);
    free(t->valid);
    free(t->x);
    free(t->y);
    free(t->lon);
    free(t->lat);
    t->values = NULL;
    t->valid = NULL;
    t->x = t->y = t->lon = t->lat = NULL;
}

static Err strip_init(Strip *t, int64_t rows)
{
    const Lattice *l = &t->lattice;
    const size_t width = (size_t)((l->columns - 1) * l->step + 1);
    const size_t points = (size_t)(l->columns * rows);
    t->values = malloc(width * sizeof *t->values);
    t->valid = malloc(width);
    t->x = malloc(points * sizeof *t->x);
    t->y = malloc(points * sizeof *t->y);
    t->lon = calloc(points, sizeof *t->lon); /* stay 0 where nobody asks for them */
    t->lat = calloc(points, sizeof *t->lat);
    if (t->values == NULL || t->valid == NULL || t->x == NULL || t->y == NULL || t->lon == NULL || t->lat == NULL)
        return err_memory(width * 5 + points * 32, "rows of labels");
    return ERR_NONE;
}

/* What a label pixel of a scene covers on the ground: of a geographic grid at the equator, without a place by the size that
 * was told, NAN without one. */
static double pixel_area(const DatasetOptions *o, const Scene *s, bool by_latitude)
{
    const double metres_per_degree = 111319.490793; /* a degree of the equator of WGS 84 */
    const GroundSampling g = georeference_sampling(s->labels->place);
    if (by_latitude) return g.degrees_x * g.degrees_y * metres_per_degree * metres_per_degree;
    if (isfinite(g.metres)) return g.metres_x * g.metres_y;
    return o->gsd > 0.0 && o->gsd_unit == MODEL_METRE ? o->gsd * o->gsd : (double)NAN;
}

/* A labelled pixel inside the image: counted for training, or for the boxes that hold it, and offered. */
static Err offer(Strip *t, uint8_t class_index, SamplerPlace place, double lon, double lat)
{
    const DatasetOptions *o = t->scan->options;
    Census *census = t->scan->census;
    const bool held =
        o->scenes[t->index].split == SCENE_HOLDOUT || (t->boxes && boxes_find(o->holdout, o->n_holdout, lon, lat) >= 0);
    const float area = t->by_latitude ? (float)fmax(cos(lat * radians_per_degree), 1e-3) : 1.0F;
    const LabelArea ground = { t->pixel.pixels, t->pixel.square_metres * (double)area };
    bool apart = o->scenes[t->index].split == SCENE_VALIDATION;
    t->labelled++;
    if (held) {
        census->holdout[class_index]++;
        label_area_add(&census->areas[DATASET_HOLDOUT][class_index], ground);
        return ERR_NONE;
    }
    if (apart) census->validation[class_index]++;
    for (uint32_t b = 0; t->boxes && b < o->n_validation; b++) {
        if (boxes_find(&o->validation[b], 1, lon, lat) < 0) continue;
        census->in_box[b]++;
        if (!apart) census->validation[class_index]++;
        apart = true;
    }
    if (apart || t->scan->blocks == NULL)
        label_area_add(&census->areas[apart ? DATASET_VALIDATION : DATASET_TRAINING][class_index], ground);
    if (apart) return ERR_NONE;
    if (t->scan->blocks != NULL)
        TRY(validation_blocks_count(t->scan->blocks, place.block, class_index, (double)area, ground));
    else
        census->training[class_index]++;
    if (t->scan->unsampled[class_index]) return ERR_NONE;
    return sampler_add(t->scan->sampler, class_index, place, area);
}

/* One row of the lattice, whose places begin at `at`. */
static Err scan_row(Strip *t, int64_t row, int64_t at)
{
    const Lattice *l = &t->lattice;
    const Scene *s = t->scene;
    const DatasetOptions *o = t->scan->options;
    Census *census = t->scan->census;
    const RasterWindow window = { l->column, row, (l->columns - 1) * l->step + 1, 1 };
    TRY(labels_read_values(s->labels, window, t->values, t->valid));
    for (int64_t i = 0; i < l->columns; i++) {
        const double px = t->x[at + i] * s->upsample_x;
        const double py = t->y[at + i] * s->upsample_y;
        if (!(px >= 0.0 && py >= 0.0 && px < (double)s->width && py < (double)s->height)) continue;
        t->inside++;
        if (t->valid[i * l->step] == 0) continue;
        t->valid_inside++;
        const float value = t->values[i * l->step];
        if (o->labels_kind == LABELS_COLORS && value < 0.0F)
            color_counts_add(&census->colors, raster_color_of(value));
        else
            label_count(&census->values, value);
        const uint8_t class_index = label_class(&census->table, value);
        if (class_index == CLASS_IGNORE) continue;
        const int32_t block = validation_blocks_at(t->scan->blocks, t->index, (int64_t)px, (int64_t)py);
        const SamplerPlace place = { (int32_t)t->index, (int32_t)(l->column + i * l->step), (int32_t)row, block };
        TRY(offer(t, class_index, place, t->lon[at + i], t->lat[at + i]));
    }
    return ERR_NONE;
}

/* From the third second on a line every five: how far, and the time left at the rate so far. */
static void tell_time_left(LabelScan *scan, uint32_t index, double part)
{
    const double now = clock_seconds();
    const double done = ((double)index + part) / (double)scan->options->n_scenes;
    if (now - scan->start < 3.0 || now - scan->told < 5.0 || done <= 0.0) return;
    scan->told = now;
    report_message(scan->run, 0, "reading labels: scene %u of %u, about %.0f s left", (unsigned)index + 1,
                   (unsigned)scan->options->n_scenes, ceil((now - scan->start) / done * (1.0 - done)));
}

static Err scan_strips(Strip *t, int64_t strip_rows)
{
    const Lattice *l = &t->lattice;
    for (int64_t k = 0; k < l->rows; k += strip_rows) {
        const PlaceWindow grid = { .x = (double)l->column + 0.5,
                                   .y = (double)(l->row + k * l->step) + 0.5,
                                   .step_x = (double)l->step,
                                   .step_y = (double)l->step,
                                   .columns = l->columns,
                                   .rows = l->rows - k < strip_rows ? l->rows - k : strip_rows };
        tell_time_left(t->scan, t->index, t->before + t->of_all * (double)k / (double)l->rows);
        if (report_stop(t->scan->run)) return err_set(ERR_INTERRUPTED, "stopped while the labels were read");
        TRY(place_lookup_window(t->scene->labels->to_image, &grid, t->x, t->y));
        if (t->boxes || t->by_latitude) TRY(place_lookup_window(t->lonlat, &grid, t->lon, t->lat));
        for (int64_t i = 0; i < grid.rows; i++) TRY(scan_row(t, l->row + (k + i) * l->step, i * l->columns));
    }
    return ERR_NONE;
}

static Err scan_part(Strip *t)
{
    if (t->lattice.rows == 0) return ERR_NONE;
    const int64_t fit = STRIP_POINTS / t->lattice.columns;
    const int64_t strip_rows = fit < 1 ? 1 : fit > t->lattice.rows ? t->lattice.rows : fit;
    Err err = strip_init(t, strip_rows);
    if (err == ERR_NONE) err = scan_strips(t, strip_rows);
    strip_done(t);
    return err;
}

static Err scan_parts(Strip *t, const RasterWindow *parts, int64_t n)
{
    const int64_t step = choose_step(parts, n);
    if (step > t->scan->census->step) t->scan->census->step = step;
    t->pixel.pixels = (double)(step * step);
    t->pixel.square_metres = t->pixel.pixels * pixel_area(t->scan->options, t->scene, t->by_latitude);
    if (t->scene->lonlat != NULL) TRY(place_lookup_new(t->scene->labels->place, NULL, &t->lonlat));
    Err err = ERR_NONE;
    for (int64_t i = 0; i < n && err == ERR_NONE; i++) {
        t->lattice = lattice_of(parts[i], step);
        t->before = (double)i / (double)n;
        t->of_all = 1.0 / (double)n;
        err = scan_part(t);
    }
    place_lookup_free(t->lonlat);
    return err;
}

Err label_scan(LabelScan *scan, Scene *scene, uint32_t index)
{
    const DatasetOptions *o = scan->options;
    const RasterInfo *image = raster_info(scene->image->raster);
    RasterWindow *parts = NULL;
    int64_t n_parts = 0;
    Strip t = { .scan = scan, .scene = scene, .index = index };
    t.boxes = scene->lonlat != NULL && o->n_holdout + o->n_validation > 0;
    t.by_latitude = scene->lonlat != NULL && isfinite(georeference_sampling(scene->labels->place).degrees);
    TRY(labels_parts(scene->labels, image->width, image->height, &parts, &n_parts));
    const Err err = scan_parts(&t, parts, n_parts);
    free(parts);
    if (err == ERR_NONE) census_labels(scan->census, index, t.inside, t.valid_inside, t.labelled);
    return err;
}
