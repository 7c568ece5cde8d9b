/* SPDX-License-Identifier: Apache-2.0
 * Fixed crops: each is a scene of its own of one tile, and rows of crops become rows of the map. */
#include "predict/predictor.h"

#include <stdlib.h>
#include <string.h>

/* A row of crops that is being filled. The crop that is read lies at (x, y) of the image, which may begin before it. */
typedef struct Crops {
    const SceneJob *job;
    int64_t x, y;
    SceneRows band; /* the rows of the image in this row of crops */
} Crops;

/* The image at the lower right of a whole number of crops: how far the first one begins before it. */
static int64_t padding(int64_t length, int64_t crop) { return (crop - length % crop) % crop; }

static Err read_crop(void *context, int64_t x, int64_t y, int64_t side, float *ret_values, uint8_t *ret_valid)
{
    const Crops *c = context;
    const SceneJob *job = c->job;
    TRY(job->source.read(job->source.context, c->x + x, c->y + y, side, ret_values, ret_valid));
    const int64_t columns = c->x < 0 ? -c->x : 0, rows = c->y < 0 ? -c->y : 0;
    for (int64_t i = 0; i < side * side; i++) {
        if (i / side >= rows && i % side >= columns) continue;
        ret_valid[i] = 0;
        memcpy(ret_values + i * job->bands, job->zero, (size_t)job->bands * sizeof *ret_values);
    }
    return ERR_NONE;
}

static Err read_shares(void *context, int64_t x, int64_t y, int64_t side, bool *ret_known, int32_t *ret_zones,
                       float *ret_shares)
{
    const Crops *c = context;
    return c->job->source.shares(c->job->source.context, c->x + x, c->y + y, side, ret_known, ret_zones, ret_shares);
}

/* The part inside the image of one plane of rows of a crop. */
static void keep(const Crops *c, const SceneRows *r, const uint8_t *from, uint8_t *to)
{
    const int64_t left = c->x < 0 ? -c->x : 0;
    for (int64_t i = 0; i < r->rows; i++) {
        const int64_t row = c->y + r->first + i - c->band.first;
        if (row < 0) continue;
        memcpy(to + row * c->band.width + c->x + left, from + i * r->width + left, (size_t)(r->width - left));
    }
}

static Err take_rows(void *context, const SceneRows *r)
{
    const Crops *c = context;
    const SceneRows *band = &c->band;
    keep(c, r, r->classes, band->classes);
    if (band->confidence != NULL) keep(c, r, r->confidence, band->confidence);
    if (band->probabilities == NULL) return ERR_NONE;
    for (size_t plane = 0; (int64_t)plane < c->job->classes; plane++)
        keep(c, r, r->probabilities + plane * r->plane_bytes, band->probabilities + plane * band->plane_bytes);
    return ERR_NONE;
}

/* Hands a finished row of crops on, in blocks as the sink takes them. */
static Err emit(const Crops *c)
{
    const SceneRows *band = &c->band;
    for (int64_t row = 0; row < band->rows; row += SCENE_BLOCK_ROWS) {
        const int64_t at = row * band->width;
        const SceneRows block = {
            .first = band->first + row,
            .rows = band->rows - row < SCENE_BLOCK_ROWS ? band->rows - row : SCENE_BLOCK_ROWS,
            .width = band->width,
            .classes = band->classes + at,
            .confidence = band->confidence != NULL ? band->confidence + at : NULL,
            .probabilities = band->probabilities != NULL ? band->probabilities + at : NULL,
            .plane_bytes = band->plane_bytes,
        };
        TRY(c->job->sink.rows(c->job->sink.context, &block));
    }
    return ERR_NONE;
}

static Err run_all(MetasegModel *model, Crops *c, const MetasegRun *run, int64_t *ret_done)
{
    const SceneJob *job = c->job;
    const int64_t crop = job->tile, left = padding(job->width, crop), above = padding(job->height, crop);
    const int64_t columns = (job->width + left) / crop, rows = (job->height + above) / crop;
    SceneJob one = *job;
    one.crops = false;
    one.width = one.height = one.out_width = one.out_height = crop;
    one.overlap = 0;
    one.source = (SceneSource){ .context = c, .read = read_crop, .shares = read_shares };
    one.sink.context = c;
    one.sink.rows = take_rows;
    if (run->progress != NULL) run->progress(run->context, 0, rows * columns, NULL);
    for (int64_t i = 0; i < rows * columns; i++) {
        c->x = i % columns * crop - left;
        c->y = i / columns * crop - above;
        c->band.first = c->y < 0 ? 0 : c->y;
        c->band.rows = c->y + crop - c->band.first;
        const Err err = predictor_run(model, &one, NULL);
        if (err == ERR_INTERRUPTED)
            return err_set(ERR_INTERRUPTED, "stopped after %lld of %lld crops; nothing was written", (long long)i,
                           (long long)(rows * columns));
        TRY(err);
        *ret_done = i + 1;
        if (run->progress != NULL) run->progress(run->context, i + 1, rows * columns, NULL);
        if (i % columns + 1 == columns) TRY(emit(c));
    }
    return ERR_NONE;
}

Err predictor_run_crops(MetasegModel *model, const SceneJob *job, int64_t *ret_tiles)
{
    const size_t plane = (size_t)job->tile * (size_t)job->width;
    const size_t planes = 1U + (job->sink.confidence ? 1U : 0U) + (job->sink.probabilities ? (size_t)job->classes : 0U);
    Crops c = { .job = job, .band = { .width = job->width, .plane_bytes = plane } };
    const MetasegRun run = model->run;
    int64_t done = 0;
    uint8_t *bytes = malloc(planes * plane);
    if (bytes == NULL) return err_memory(planes * plane, "a row of crops");
    c.band.classes = bytes;
    if (job->sink.confidence) c.band.confidence = bytes + plane;
    if (job->sink.probabilities) c.band.probabilities = bytes + (planes - (size_t)job->classes) * plane;
    model->run.progress = NULL; /* crops are counted, not the tile of each */
    const Err err = run_all(model, &c, &run, &done);
    model->run.progress = run.progress;
    free(bytes);
    if (err == ERR_NONE && ret_tiles != NULL) *ret_tiles = done;
    return err;
}
