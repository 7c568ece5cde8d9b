/* SPDX-License-Identifier: Apache-2.0
 * Scores of shifts, and which of them is believed. */
#include "data/label_shift.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    REACH = LABEL_SHIFT_REACH,
    SIDE = LABEL_SHIFT_SIDE,
    SHIFTS = SIDE * SIDE,
    PARTS = LABEL_SHIFT_PARTS,
    WINDOW = 128, /* pixels of the image; boundaries are looked for where all shifts stay inside */
    CORE = WINDOW - 2 * REACH,
    CELL = 32, /* parts are made of such squares */
    PIXELS = WINDOW * WINDOW,
    CANDIDATES = 256,
    BOUNDARIES = 20000, /* that are used, about */
    LEAST = 400,        /* in all parts */
    LEAST_PART = 50,
};

/* ---- which shift is believed ---- */

static double score(const LabelShiftScores *s, int64_t part, int64_t shift)
{
    double sum = 0.0;
    int64_t n = 0;
    for (int64_t p = 0; p < PARTS; p++) {
        if (part >= 0 && p != part) continue;
        sum += s->sum[p][shift];
        n += s->n[p][shift];
    }
    return n > 0 ? sum / (double)n : 0.0;
}

static int64_t index_of(int64_t x, int64_t y) { return (y + REACH) * SIDE + x + REACH; }

/* Mean and standard deviation of the scores that lie more than two pixels from (x, y). */
static void background(const LabelShiftScores *s, int64_t x, int64_t y, double *ret_mean, double *ret_deviation)
{
    double sum = 0.0, squares = 0.0;
    int64_t n = 0;
    for (int64_t v = -REACH; v <= REACH; v++)
        for (int64_t u = -REACH; u <= REACH; u++) {
            if (llabs(u - x) <= 2 && llabs(v - y) <= 2) continue;
            const double value = score(s, -1, index_of(u, v));
            sum += value;
            squares += value * value;
            n++;
        }
    *ret_mean = sum / (double)n;
    *ret_deviation = sqrt(fmax(squares / (double)n - *ret_mean * *ret_mean, 0.0));
}

/* Most of the parts agree, and each has something to say. */
static bool parts_agree(const LabelShiftScores *s, int64_t best, int64_t opposite)
{
    int64_t agree = 0;
    for (int64_t p = 0; p < PARTS; p++) {
        if (s->n[p][best] < LEAST_PART) return false;
        const double value = score(s, p, best);
        agree += value > score(s, p, index_of(0, 0)) && value > score(s, p, opposite);
    }
    return agree >= PARTS - 1;
}

bool label_shift_decide(const LabelShiftScores *s, int32_t *ret_x, int32_t *ret_y, double *ret_better)
{
    int64_t x = 0, y = 0, n = 0;
    double mean = 0.0, deviation = 0.0;
    for (int64_t v = -REACH; v <= REACH; v++)
        for (int64_t u = -REACH; u <= REACH; u++)
            if (score(s, -1, index_of(u, v)) > score(s, -1, index_of(x, y))) {
                x = u;
                y = v;
            }
    const int64_t best = index_of(x, y), opposite = index_of(-x, -y);
    if ((x == 0 && y == 0) || llabs(x) == REACH || llabs(y) == REACH) return false;
    for (int64_t p = 0; p < PARTS; p++) n += s->n[p][best];
    background(s, x, y, &mean, &deviation);
    const double value = score(s, -1, best), none = score(s, -1, index_of(0, 0)), gain = value - mean;
    if (n < LEAST || !(gain > 4.0 * deviation) || value < 1.05 * mean || none - mean > 0.7 * gain ||
        score(s, -1, opposite) - mean > 0.5 * gain || !parts_agree(s, best, opposite))
        return false;
    *ret_x = (int32_t)x;
    *ret_y = (int32_t)y;
    *ret_better = none > 0.0 ? value / none : (double)NAN;
    return true;
}

/* ---- windows ---- */

typedef struct Candidate {
    int64_t x, y, boundaries;
} Candidate;

typedef struct Measure {
    Scene *scene;
    const LabelTable *table;
    const volatile int *stop;
    int64_t width, height, bands; /* of the image */
    Candidate *candidates;        /* [CANDIDATES] */
    int64_t n_candidates;
    uint8_t *labels, *valid;
    float *image;   /* [WINDOW][WINDOW][bands] */
    float *edge[2]; /* score across the right and the lower side of each pixel, below 0: not known */
    LabelShiftScores scores;
} Measure;

static void measure_done(Measure *m)
{
    free(m->candidates);
    free(m->labels);
    free(m->valid);
    free(m->image);
    free(m->edge[0]);
    free(m->edge[1]);
    free(m);
}

static Err measure_new(Scene *scene, const LabelTable *table, const volatile int *stop, Measure **ret_measure)
{
    const RasterInfo *info = raster_info(scene->image->raster);
    const int64_t bands = raster_chosen_count(scene->image->raster);
    Measure *m = calloc(1, sizeof *m);
    if (m == NULL) return err_memory(sizeof *m, "shifts of labels");
    m->scene = scene;
    m->table = table;
    m->stop = stop;
    m->width = info->width;
    m->height = info->height;
    m->bands = bands;
    m->candidates = calloc(CANDIDATES, sizeof *m->candidates);
    m->labels = malloc(PIXELS);
    m->valid = malloc(PIXELS);
    m->image = malloc((size_t)(PIXELS * bands) * sizeof *m->image);
    m->edge[0] = malloc(PIXELS * sizeof *m->edge[0]);
    m->edge[1] = malloc(PIXELS * sizeof *m->edge[1]);
    if (m->candidates == NULL || m->labels == NULL || m->valid == NULL || m->image == NULL || m->edge[0] == NULL ||
        m->edge[1] == NULL) {
        measure_done(m);
        return err_memory((size_t)(PIXELS * bands) * sizeof(float), "shifts of labels");
    }
    *ret_measure = m;
    return ERR_NONE;
}

/* The part of the image that a part of the labels lies over; all of it where that cannot be said. */
static Err place_part(const Measure *m, RasterWindow part, RasterWindow *ret_window)
{
    enum { NODES = 5 };
    double x[NODES * NODES], y[NODES * NODES], x0 = (double)INFINITY, y0 = x0, x1 = -x0, y1 = -x0;
    const PlaceWindow nodes = {
        (double)part.x, (double)part.y, (double)part.columns / (NODES - 1), (double)part.rows / (NODES - 1),
        NODES,          NODES
    };
    TRY(place_lookup_window(m->scene->labels->to_image, &nodes, x, y));
    for (int64_t i = 0; i < (int64_t)NODES * NODES; i++) {
        const bool known = isfinite(x[i]) && isfinite(y[i]);
        x0 = fmin(x0, known ? x[i] : 0.0);
        x1 = fmax(x1, known ? x[i] : (double)m->width);
        y0 = fmin(y0, known ? y[i] : 0.0);
        y1 = fmax(y1, known ? y[i] : (double)m->height);
    }
    x0 = fmin(fmax(floor(x0), 0.0), (double)m->width);
    y0 = fmin(fmax(floor(y0), 0.0), (double)m->height);
    x1 = fmin(fmax(ceil(x1), x0), (double)m->width);
    y1 = fmin(fmax(ceil(y1), y0), (double)m->height);
    *ret_window = (RasterWindow){ (int64_t)x0, (int64_t)y0, (int64_t)(x1 - x0), (int64_t)(y1 - y0) };
    return ERR_NONE;
}

static int64_t cores(int64_t size) { return (size + CORE - 1) / CORE; }

/* Every which window that covers the labels. */
static Err add_candidates(Measure *m, const RasterWindow *parts, int64_t n_parts)
{
    int64_t all = 0, seen = 0;
    for (int64_t pass = 0; pass < 2; pass++) {
        const int64_t step = (all + CANDIDATES - 1) / CANDIDATES;
        for (int64_t p = 0; p < n_parts; p++) {
            RasterWindow w;
            TRY(place_part(m, parts[p], &w));
            const int64_t columns = cores(w.columns), n = columns * cores(w.rows);
            if (pass == 0) all += n;
            for (int64_t i = 0; i < n && pass == 1; i++)
                if (seen++ % step == 0 && m->n_candidates < CANDIDATES)
                    m->candidates[m->n_candidates++] =
                        (Candidate){ w.x + i % columns * CORE - REACH, w.y + i / columns * CORE - REACH, 0 };
        }
    }
    return ERR_NONE;
}

static Err read_labels(Measure *m, const Candidate *c)
{
    const PlaceWindow grid = { (double)c->x + 0.5, (double)c->y + 0.5, 1.0, 1.0, WINDOW, WINDOW };
    if (m->stop != NULL && *m->stop != 0) return err_set(ERR_INTERRUPTED, "stopped while the labels were looked at");
    return labels_read(m->scene->labels, m->table, &grid, m->labels, NULL);
}

/* Whether a boundary runs along the right (0) or lower (1) side of a pixel. */
static bool is_boundary(const Measure *m, const Candidate *c, int64_t x, int64_t y, int64_t axis)
{
    const int64_t at = y * WINDOW + x, next = axis == 0 ? at + 1 : at + WINDOW;
    const int64_t px = c->x + x, py = c->y + y;
    const bool inside = px >= 0 && py >= 0 && px + (axis == 0) < m->width && py + (axis == 1) < m->height;
    return inside && m->labels[at] != m->labels[next];
}

static int by_boundaries(const void *a, const void *b)
{
    const Candidate *x = a, *y = b;
    if (x->boundaries != y->boundaries) return x->boundaries < y->boundaries ? 1 : -1;
    return x->y != y->y ? (x->y > y->y) - (x->y < y->y) : (x->x > y->x) - (x->x < y->x);
}

/* Keeps the windows with the longest boundaries. */
static Err choose_windows(Measure *m, int64_t *ret_boundaries)
{
    int64_t sum = 0;
    for (int64_t i = 0; i < m->n_candidates; i++) {
        Candidate *c = &m->candidates[i];
        TRY(read_labels(m, c));
        for (int64_t y = REACH; y < WINDOW - REACH; y++)
            for (int64_t x = REACH; x < WINDOW - REACH; x++)
                c->boundaries += is_boundary(m, c, x, y, 0) + is_boundary(m, c, x, y, 1);
    }
    qsort(m->candidates, (size_t)m->n_candidates, sizeof *m->candidates, by_boundaries);
    if (m->n_candidates > LABEL_SHIFT_WINDOWS) m->n_candidates = LABEL_SHIFT_WINDOWS;
    for (int64_t i = 0; i < m->n_candidates; i++) sum += m->candidates[i].boundaries;
    *ret_boundaries = sum;
    return ERR_NONE;
}

/* Adds what one band says across the sides of pixels along an axis. Where the window is flat it says nothing. */
static void add_edges(Measure *m, int64_t band, int64_t axis)
{
    const int64_t step = axis == 0 ? 1 : WINDOW;
    double sum = 0.0;
    int64_t n = 0;
    for (int64_t pass = 0; pass < 2; pass++) {
        const double mean = n > 0 ? sum / (double)n : 0.0;
        if (pass == 1 && !(mean > 0.0)) return;
        for (int64_t i = 0; i + step < PIXELS; i++) {
            if (m->edge[axis][i] < 0.0F) continue;
            const double d =
                fabs((double)m->image[(i + step) * m->bands + band] - (double)m->image[i * m->bands + band]);
            if (pass == 0) {
                sum += d;
                n++;
            } else {
                m->edge[axis][i] += (float)(d / (d + mean) / (double)m->bands);
            }
        }
    }
}

static Err read_edges(Measure *m, const Candidate *c)
{
    TRY(image_source_read(m->scene->image, c->x, c->y, WINDOW, m->image, m->valid));
    for (int64_t axis = 0; axis < 2; axis++) {
        for (int64_t i = 0; i < PIXELS; i++) {
            const int64_t x = i % WINDOW, y = i / WINDOW, step = axis == 0 ? 1 : WINDOW;
            const int64_t px = c->x + x, py = c->y + y;
            const bool inside = (axis == 0 ? x : y) + 1 < WINDOW && px >= 0 && py >= 0 && px + (axis == 0) < m->width &&
                                py + (axis == 1) < m->height;
            m->edge[axis][i] = inside && m->valid[i] != 0 && m->valid[i + step] != 0 ? 0.0F : -1.0F;
        }
        for (int64_t b = 0; b < m->bands; b++) add_edges(m, b, axis);
    }
    return ERR_NONE;
}

static void add_scores(Measure *m, const float *edge, int64_t at, int64_t part)
{
    for (int64_t k = 0; k < SHIFTS; k++) {
        const float value = edge[at + (k / SIDE - REACH) * WINDOW + k % SIDE - REACH];
        if (value < 0.0F) continue;
        m->scores.sum[part][k] += (double)value;
        m->scores.n[part][k]++;
    }
}

/* Every step-th boundary pixel of the windows. */
static Err score_windows(Measure *m, int64_t step)
{
    int64_t seen = 0;
    for (int64_t i = 0; i < m->n_candidates; i++) {
        const Candidate *c = &m->candidates[i];
        if (c->boundaries == 0) continue;
        TRY(read_labels(m, c));
        TRY(read_edges(m, c));
        for (int64_t y = REACH; y < WINDOW - REACH; y++)
            for (int64_t x = REACH; x < WINDOW - REACH; x++)
                for (int64_t axis = 0; axis < 2; axis++)
                    if (is_boundary(m, c, x, y, axis) && seen++ % step == 0)
                        add_scores(m, m->edge[axis], y * WINDOW + x,
                                   ((c->x + x) / CELL + 2 * ((c->y + y) / CELL)) % PARTS);
    }
    return ERR_NONE;
}

/* ---- the scene ---- */

/* Length and direction on the ground of labels that lie x and y pixels off. */
static void place_shift(Scene *s, LabelShift *shift)
{
    static const char *const compass[] = { "N", "NE", "E", "SE", "S", "SW", "W", "NW" };
    const double radians = 0.017453292519943295769, eighth = 45.0;
    const RasterInfo *info = raster_info(s->image->raster);
    const GroundSampling g = georeference_sampling(s->image->place);
    double lon[2] = { 0.5 * (double)info->width, 0.5 * (double)info->width + shift->x };
    double lat[2] = { 0.5 * (double)info->height, 0.5 * (double)info->height + shift->y };
    shift->metres = hypot(shift->x * g.metres_x, shift->y * g.metres_y);
    if (s->lonlat == NULL) return;
    georeference_to_lonlat(s->image->place, 2, lon, lat);
    const double east = remainder(lon[1] - lon[0], 360.0) * cos(lat[0] * radians), north = lat[1] - lat[0];
    if (!isfinite(east) || !isfinite(north)) return;
    const int64_t wind = (int64_t)lround(atan2(east, north) / radians / eighth);
    (void)snprintf(shift->compass, sizeof shift->compass, "%s", compass[(wind + 8) % 8]);
}

static Err measure(Measure *m, LabelShift *shift)
{
    RasterWindow *parts = NULL;
    int64_t n_parts = 0, boundaries = 0;
    int32_t x = 0, y = 0;
    TRY(labels_parts(m->scene->labels, m->width, m->height, &parts, &n_parts));
    const Err err = add_candidates(m, parts, n_parts);
    free(parts);
    TRY(err);
    TRY(choose_windows(m, &boundaries));
    if (boundaries < LEAST) return ERR_NONE;
    TRY(score_windows(m, (boundaries + BOUNDARIES - 1) / BOUNDARIES));
    if (!label_shift_decide(&m->scores, &x, &y, &shift->better)) return ERR_NONE;
    shift->told = true;
    shift->x = -x; /* the image has to the left what lies too far right in the labels */
    shift->y = -y;
    place_shift(m->scene, shift);
    return ERR_NONE;
}

Err label_shift_measure(Scene *scene, const LabelTable *table, const volatile int *stop, LabelShift *ret_shift)
{
    Measure *m = NULL;
    LabelShift shift = { .metres = (double)NAN, .better = (double)NAN };
    TRY(measure_new(scene, table, stop, &m));
    Err err = raster_set_grid(scene->image->raster, m->width, m->height);
    if (err == ERR_NONE) err = measure(m, &shift);
    measure_done(m);
    const Err back = raster_set_grid(scene->image->raster, scene->width, scene->height);
    if (err == ERR_NONE) err = back;
    TRY(err);
    *ret_shift = shift;
    return ERR_NONE;
}

void label_shift_text(const LabelShift *s, char ret_text[LABEL_SHIFT_TEXT])
{
    char down[32] = "", ground[40] = "";
    const int32_t x = abs(s->x), y = abs(s->y), first = x > 0 ? x : y;
    const char *across = s->x > 0 ? " to the right" : s->x < 0 ? " to the left" : s->y > 0 ? " down" : " up";
    if (x > 0 && y > 0) (void)snprintf(down, sizeof down, " and %d %s", (int)y, s->y > 0 ? "down" : "up");
    if (isfinite(s->metres))
        (void)snprintf(ground, sizeof ground, " (%.3g %s%s%s)", s->metres < 999.5 ? s->metres : s->metres / 1000.0,
                       s->metres < 999.5 ? "m" : "km", s->compass[0] != '\0' ? " to the " : "", s->compass);
    (void)snprintf(ret_text, LABEL_SHIFT_TEXT, "%d pixel%s%s%s%s", (int)first, first == 1 ? "" : "s", across, down,
                   ground);
}
