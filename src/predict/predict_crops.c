/* SPDX-License-Identifier: Apache-2.0
 * Fixed crops: each is a scene of its own of one tile, and its blocks are blocks of the map. */
#include "predict/predictor.h"

#include <string.h>

/* The crop that is read lies at (x, y) of the image, which may begin before it. */
typedef struct Crops {
    const SceneJob *job;
    int64_t x, y;
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

/* A part of the crop, in the image: what lies before the image is left out. */
static RasterWindow part_inside(const Crops *c, RasterWindow of_crop)
{
    RasterWindow part = { c->x + of_crop.x, c->y + of_crop.y, of_crop.columns, of_crop.rows };
    if (part.x < 0) part.columns += part.x;
    if (part.y < 0) part.rows += part.y;
    part.x = part.x < 0 ? 0 : part.x;
    part.y = part.y < 0 ? 0 : part.y;
    return part;
}

static Err begin_crop(void *context, RasterWindow part)
{
    const Crops *c = context;
    return c->job->source.begin(c->job->source.context, part_inside(c, part));
}

static Err take_block(void *context, const SceneBlock *b)
{
    const Crops *c = context;
    SceneBlock block = *b;
    block.at = part_inside(c, b->at);
    if (block.at.rows <= 0) return ERR_NONE;
    const int64_t left = b->at.columns - block.at.columns, above = b->at.rows - block.at.rows;
    const int64_t skipped = above * b->stride + left;
    block.classes += skipped;
    if (block.confidence != NULL) block.confidence += skipped;
    if (block.probabilities != NULL) block.probabilities += skipped;
    return c->job->sink.block(c->job->sink.context, &block);
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
    one.strip_columns = 0;
    one.source.context = c;
    one.source.begin = job->source.begin != NULL ? begin_crop : NULL;
    one.source.read = read_crop;
    one.source.shares = read_shares;
    one.sink.context = c;
    one.sink.block = take_block;
    if (run->progress != NULL) run->progress(run->context, 0, rows * columns, NULL);
    for (int64_t i = 0; i < rows * columns; i++) {
        c->x = i % columns * crop - left;
        c->y = i / columns * crop - above;
        const Err err = predictor_run(model, &one, NULL);
        if (err == ERR_INTERRUPTED)
            return err_set(ERR_INTERRUPTED, "stopped after %lld of %lld crops; nothing was written", (long long)i,
                           (long long)(rows * columns));
        TRY(err);
        *ret_done = i + 1;
        if (run->progress != NULL) run->progress(run->context, i + 1, rows * columns, NULL);
    }
    return ERR_NONE;
}

Err predictor_run_crops(MetasegModel *model, const SceneJob *job, int64_t *ret_tiles)
{
    Crops c = { .job = job };
    const MetasegRun run = model->run;
    int64_t done = 0;
    model->run.progress = NULL; /* crops are counted, not the tile of each */
    const Err err = run_all(model, &c, &run, &done);
    model->run.progress = run.progress;
    if (err == ERR_NONE && ret_tiles != NULL) *ret_tiles = done;
    return err;
}
