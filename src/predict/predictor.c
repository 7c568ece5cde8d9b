/* SPDX-License-Identifier: Apache-2.0
 * The pipeline reader -> program -> mosaic -> sink, strip by strip. */
#include "predict/predictor.h"

#include "base/channel.h"
#include "base/thread.h"
#include "geo/mosaic.h"
#include "geo/tile_grid.h"
#include "network/segmenter.h"
#include "tensor/compute.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { TILES_AHEAD = 2, BLOCKS = 2, MARGIN = 32 };

/* One tile between reader and program. */
typedef struct TileJob {
    int64_t index;
    bool empty; /* no valid pixel: scores stay 0 */
    NetworkInputs inputs;
    float *values;  /* [tile, tile, bands] as the source gives them, where these are not the network's in order */
    uint8_t *valid; /* [tile, tile] */
    float *shares;  /* [tile / 16, tile / 16, slots + 1]; NULL: no text */
} TileJob;

typedef struct Block {
    SceneBlock block;
    uint8_t *bytes;
} Block;

/* What is computed at a time: columns x .. x + columns of the map, from the top to the bottom. */
typedef struct Strip {
    int64_t x, columns;
    int64_t first_tile, end_tile; /* columns of tiles that count there */
} Strip;

typedef struct Pipeline {
    MetasegModel *model;
    const SceneJob *job;
    TileGrid grid; /* in network pixels */
    Strip strip;
    int64_t cell; /* network pixels along a cell of scores */
    Mosaic *mosaic;
    TileJob tiles[TILES_AHEAD];
    Block blocks[BLOCKS];
    Channel *free_tiles, *full_tiles, *free_blocks, *full_blocks;
    pthread_t reader, sink;
    bool reader_started, sink_started;
    float *weight_x, *weight_y; /* [tile / cell] */
    float *scratch;             /* of mosaic_read, one part per thread */
    Tta *tta;                   /* NULL: tiles are read once, as they are */
    int64_t written;            /* output rows handed to the sink */
    int64_t done, total;        /* tiles, of all strips */
} Pipeline;

/* ---- reader ---- */

/* One mix for the whole tile: the mean of its cells. */
static void mix_shares(float *shares, int64_t cells)
{
    double sum[ZONE_SLOTS + 1] = { 0.0 };
    for (int64_t i = 0; i < cells * (ZONE_SLOTS + 1); i++) sum[i % (ZONE_SLOTS + 1)] += (double)shares[i];
    for (int64_t i = 0; i < cells * (ZONE_SLOTS + 1); i++)
        shares[i] = (float)(sum[i % (ZONE_SLOTS + 1)] / (double)cells);
}

/* Control: zone z reads the prompt of the zone 11 further on, a fixed exchange without fixed points that leaves the
 * climate group. */
static void shuffle_zones(int32_t *zones)
{
    for (int32_t k = 0; k < ZONE_SLOTS; k++) {
        if (zones[k] > 0) zones[k] = (zones[k] - 1 + 11) % CLIMATE_ZONES + 1;
    }
}

static void own_prompt_everywhere(int32_t *entries, float *shares, int64_t cells)
{
    entries[0] = 0;
    for (int64_t i = 0; i < cells * (ZONE_SLOTS + 1); i++) shares[i] = i % (ZONE_SLOTS + 1) == 0 ? 1.0F : 0.0F;
}

static Err read_text(const Pipeline *p, const Tile *t, TileJob *tile)
{
    if (tile->shares == NULL) return ERR_NONE;
    const PromptTable *prompts = &p->model->model->prompts;
    const int64_t side = p->job->tile;
    const int64_t cells = side / 16;
    int32_t zones[ZONE_SLOTS] = { 0 };
    int32_t entries[ZONE_SLOTS] = { -1, -1, -1, -1 };
    const int32_t wordings[ZONE_SLOTS] = { 0 };
    bool known = false;
    if (p->job->own_prompt != NULL) {
        own_prompt_everywhere(entries, tile->shares, cells * cells);
        text_inputs_fill(p->job->own_prompt, entries, wordings, tile->shares, &tile->inputs);
        return ERR_NONE;
    }
    if (p->job->prompts != METASEG_PROMPTS_NULL)
        TRY(p->job->source.shares(p->job->source.context, t->x, t->y, side, &known, zones, tile->shares));
    if (known && p->job->prompts == METASEG_PROMPTS_TILE_MIXED) mix_shares(tile->shares, cells * cells);
    if (known && p->job->prompts == METASEG_PROMPTS_SHUFFLED) shuffle_zones(zones);
    if (known) text_inputs_entries(prompts, ZONE_SLOTS, zones, entries);
    text_inputs_fill(prompts, entries, wordings, known ? tile->shares : NULL, &tile->inputs);
    return ERR_NONE;
}

static Err read_tile(const Pipeline *p, TileJob *tile)
{
    const Tile t = tile_grid_at(&p->grid, tile->index);
    float *values = tile->values != NULL ? tile->values : tile->inputs.image;
    TRY(p->job->source.read(p->job->source.context, t.x, t.y, p->job->tile, values, tile->valid));
    if (tile->values != NULL) network_inputs_fill_image(&tile->inputs, values, p->job->bands, p->job->band_source);
    tile->empty = memchr(tile->valid, 1, (size_t)(p->job->tile * p->job->tile)) == NULL;
    return tile->empty ? ERR_NONE : read_text(p, &t, tile);
}

static int64_t strip_tiles(const TileGrid *grid, const Strip *strip)
{
    return grid->rows * (strip->end_tile - strip->first_tile);
}

static void *run_reader(void *argument)
{
    Pipeline *p = argument;
    Err err = ERR_NONE;
    compute_beside_team(p->model->device.threads);
    const int64_t columns = p->strip.end_tile - p->strip.first_tile;
    for (int64_t i = 0; i < p->grid.rows * columns && err == ERR_NONE; i++) {
        void *item = NULL;
        if (!channel_take(p->free_tiles, &item)) break;
        TileJob *tile = item;
        tile->index = i / columns * p->grid.columns + p->strip.first_tile + i % columns;
        err = read_tile(p, tile);
        if (err == ERR_NONE && !channel_put(p->full_tiles, tile)) break;
    }
    channel_close(p->full_tiles, err);
    return NULL;
}

/* ---- sink ---- */

static void *run_sink(void *argument)
{
    Pipeline *p = argument;
    Err err = ERR_NONE;
    void *item = NULL;
    while (err == ERR_NONE && channel_take(p->full_blocks, &item)) {
        Block *block = item;
        err = p->job->sink.block(p->job->sink.context, &block->block);
        if (err == ERR_NONE && !channel_put(p->free_blocks, block)) break;
    }
    channel_close(p->free_blocks, err);
    channel_close(p->full_blocks, err);
    return NULL;
}

static void fill_block(const Pipeline *p, Block *block, int64_t first, int64_t rows)
{
    SceneBlock *b = &block->block;
    b->at.y = first;
    b->at.rows = rows;
    const int64_t scratch = mosaic_scratch(p->mosaic);
    const int64_t per_thread = (rows + p->model->device.threads - 1) / p->model->device.threads;
#pragma omp parallel for schedule(static, 1) num_threads(p->model->device.threads)
    for (int32_t thread = 0; thread < p->model->device.threads; thread++) {
        for (int64_t i = thread * per_thread; i < (thread + 1) * per_thread && i < rows; i++) {
            uint8_t *confidence = b->confidence != NULL ? b->confidence + i * b->stride : NULL;
            uint8_t *probabilities = b->probabilities != NULL ? b->probabilities + i * b->stride : NULL;
            mosaic_read(p->mosaic, first + i, b->classes + i * b->stride, confidence, probabilities, b->plane_bytes,
                        p->scratch + thread * scratch);
        }
    }
}

/* Hands rows [written, readable) to the sink. */
static Err emit(Pipeline *p, int64_t readable)
{
    while (p->written < readable) {
        void *item = NULL;
        if (!channel_take(p->free_blocks, &item)) {
            TRY(channel_error(p->free_blocks));
            return err_set(ERR_INTERNAL, "the writer ended early");
        }
        const int64_t rows = readable - p->written < SCENE_BLOCK_ROWS ? readable - p->written : SCENE_BLOCK_ROWS;
        fill_block(p, item, p->written, rows);
        p->written += rows;
        if (!channel_put(p->full_blocks, item)) return channel_error(p->full_blocks);
    }
    mosaic_discard(p->mosaic, p->written);
    return ERR_NONE;
}

/* ---- program ---- */

static Err score(Pipeline *p, const TileJob *tile)
{
    Program *program = p->model->programs[0];
    const Tensor scores = program_tensor(program, "logits");
    if (tile->empty) {
        memset(scores.data, 0, tensor_bytes(&scores));
    } else if (p->tta != NULL) {
        TRY(tta_score(p->tta, &tile->inputs));
    } else {
        TRY(segmenter_write(program, &tile->inputs));
        TRY(program_forward(program, 0));
    }
    const Tile t = tile_grid_at(&p->grid, tile->index);
    tile_grid_weights_x(&p->grid, t.column, p->cell, p->weight_x);
    tile_grid_weights_y(&p->grid, t.row, p->cell, p->weight_y);
    const int64_t cells = p->grid.size / p->cell;
    mosaic_add(p->mosaic, scores.data, t.y / p->cell, t.x / p->cell, cells, cells, p->weight_y, p->weight_x);
    if (t.column + 1 < p->strip.end_tile) return ERR_NONE;
    int64_t first = 0;
    int64_t end = 0;
    tile_grid_final_rows(&p->grid, t.row, &first, &end);
    return emit(p, mosaic_complete(p->mosaic, t.row + 1 == p->grid.rows ? INT64_MAX : end / p->cell));
}

static Err loop(Pipeline *p)
{
    const MetasegRun *run = &p->model->run;
    void *item = NULL;
    if (run->progress != NULL) run->progress(run->context, p->done, p->total, NULL);
    while (channel_take(p->full_tiles, &item)) {
        if (run->stop != NULL && *run->stop != 0)
            return err_set(ERR_INTERRUPTED, "stopped after %lld of %lld tiles; nothing was written", (long long)p->done,
                           (long long)p->total);
        TRY(score(p, item));
        p->done++;
        if (run->progress != NULL) run->progress(run->context, p->done, p->total, NULL);
        if (!channel_put(p->free_tiles, item)) break;
    }
    TRY(channel_error(p->full_tiles));
    channel_close(p->full_blocks, ERR_NONE);
    return ERR_NONE;
}

/* ---- set-up ---- */

static Err allocate_tile(const Pipeline *p, TileJob *tile)
{
    const NetworkShape shape = segmenter_shape(&p->model->model->config.network, 1, p->job->tile);
    const size_t pixels = (size_t)(shape.height * shape.width);
    const size_t shares = pixels / 256 * (size_t)(shape.slots + 1);
    TRY(network_inputs_init(&shape, &tile->inputs));
    tile->valid = malloc(pixels);
    if (tile->valid == NULL) return err_memory(pixels, "the validity of a tile");
    const size_t values = pixels * (size_t)p->job->bands * sizeof(float);
    if (shape.presence || p->job->band_source != NULL) {
        tile->values = malloc(values);
        if (tile->values == NULL) return err_memory(values, "the bands of a tile");
    }
    if (shape.tokens == 0) return ERR_NONE;
    tile->shares = malloc(shares * sizeof(float));
    return tile->shares != NULL ? ERR_NONE : err_memory(shares * sizeof(float), "the zone shares of a tile");
}

static Err allocate_block(const Pipeline *p, Block *block)
{
    const SceneSink *sink = &p->job->sink;
    const size_t plane = (size_t)(p->strip.columns * SCENE_BLOCK_ROWS);
    const size_t classes = (size_t)p->model->model->config.network.n_classes;
    const size_t planes = 1U + (sink->confidence ? 1U : 0U) + (sink->probabilities ? classes : 0U);
    block->bytes = malloc(planes * plane);
    if (block->bytes == NULL) return err_memory(planes * plane, "a block of the map");
    block->block = (SceneBlock){ .at = { .x = p->strip.x, .columns = p->strip.columns },
                                 .classes = block->bytes,
                                 .stride = p->strip.columns,
                                 .plane_bytes = plane };
    if (sink->confidence) block->block.confidence = block->bytes + plane;
    if (sink->probabilities) block->block.probabilities = block->bytes + (planes - classes) * plane;
    return ERR_NONE;
}

static MosaicSize mosaic_size(const Pipeline *p, int64_t x, int64_t columns)
{
    const SceneJob *job = p->job;
    return (MosaicSize){
        .span_y = (double)job->height / (double)p->cell,
        .span_x = (double)job->width / (double)p->cell,
        .classes = p->model->model->config.network.n_classes,
        .ring_rows = p->grid.size / p->cell + 4,
        .out_height = job->out_height,
        .out_width = job->out_width,
        .strip_x = x,
        .strip_columns = columns,
        .threads = p->model->device.threads,
    };
}

/* The strip that begins at column x of the map. */
static Strip strip_at(const Pipeline *p, int64_t x)
{
    const SceneJob *job = p->job;
    Strip strip = { .x = x, .columns = job->out_width - x };
    int64_t first = 0, cells = 0;
    if (job->strip_columns > 0 && job->strip_columns < strip.columns) strip.columns = job->strip_columns;
    const MosaicSize size = mosaic_size(p, x, strip.columns);
    mosaic_strip_cells(&size, &first, &cells);
    tile_grid_columns_over(&p->grid, p->cell, first, first + cells, &strip.first_tile, &strip.end_tile);
    return strip;
}

static Err start(Pipeline *p)
{
    const MosaicSize size = mosaic_size(p, p->strip.x, p->strip.columns);
    const RasterWindow part = { p->strip.x, 0, p->strip.columns, p->job->out_height };
    if (p->job->source.begin != NULL) TRY(p->job->source.begin(p->job->source.context, part));
    TRY(mosaic_new(&size, &p->mosaic));
    if (p->job->tta != METASEG_TTA_NONE) {
        const NetworkShape shape = segmenter_shape(&p->model->model->config.network, 1, p->job->tile);
        TRY(tta_new(&shape, p->job->tta, p->model->programs, &p->tta));
    }
    TRY(channel_new(TILES_AHEAD, &p->free_tiles));
    TRY(channel_new(TILES_AHEAD, &p->full_tiles));
    TRY(channel_new(BLOCKS, &p->free_blocks));
    TRY(channel_new(BLOCKS, &p->full_blocks));
    for (int32_t i = 0; i < TILES_AHEAD; i++) {
        TRY(allocate_tile(p, &p->tiles[i]));
        (void)channel_put(p->free_tiles, &p->tiles[i]);
    }
    for (int32_t i = 0; i < BLOCKS; i++) {
        TRY(allocate_block(p, &p->blocks[i]));
        (void)channel_put(p->free_blocks, &p->blocks[i]);
    }
    const size_t cells = (size_t)(p->grid.size / p->cell);
    const size_t scratch = (size_t)mosaic_scratch(p->mosaic) * (size_t)p->model->device.threads;
    p->weight_x = malloc(cells * sizeof(float));
    p->weight_y = malloc(cells * sizeof(float));
    p->scratch = malloc(scratch * sizeof(float));
    if (p->weight_x == NULL || p->weight_y == NULL || p->scratch == NULL)
        return err_memory(scratch * sizeof(float), "the mosaic's rows");
    TRY(thread_start(&p->reader, run_reader, p, "the reader"));
    p->reader_started = true;
    TRY(thread_start(&p->sink, run_sink, p, "the writer"));
    p->sink_started = true;
    return ERR_NONE;
}

/* Ends both threads; the sink finishes what it got when all went well. */
static Err join(Pipeline *p, Err err)
{
    if (err != ERR_NONE) {
        if (p->full_blocks != NULL) channel_close(p->full_blocks, err);
        if (p->free_blocks != NULL) channel_close(p->free_blocks, err);
    }
    if (p->free_tiles != NULL) channel_close(p->free_tiles, err);
    if (p->full_tiles != NULL) channel_close(p->full_tiles, err);
    if (p->reader_started) (void)pthread_join(p->reader, NULL);
    if (p->sink_started) (void)pthread_join(p->sink, NULL);
    return err != ERR_NONE ? err : channel_error(p->full_blocks);
}

static void release(Pipeline *p)
{
    for (int32_t i = 0; i < TILES_AHEAD; i++) {
        TileJob *t = &p->tiles[i];
        network_inputs_done(&t->inputs);
        free(t->values);
        free(t->valid);
        free(t->shares);
    }
    for (int32_t i = 0; i < BLOCKS; i++) free(p->blocks[i].bytes);
    channel_free(p->free_tiles);
    channel_free(p->full_tiles);
    channel_free(p->free_blocks);
    channel_free(p->full_blocks);
    tta_free(p->tta);
    free(p->weight_x);
    free(p->weight_y);
    free(p->scratch);
    mosaic_free(p->mosaic);
}

/* One strip; `all` has what is common to them. */
static Err run_strip(Pipeline *all, Strip strip)
{
    Pipeline p = *all;
    p.strip = strip;
    Err err = start(&p);
    if (err == ERR_NONE) err = loop(&p);
    char message[ERR_MESSAGE_BYTES];
    memcpy(message, err_message(), strlen(err_message()) + 1);
    const Err joined = join(&p, err);
    if (err != ERR_NONE) (void)err_adopt(err, message);
    all->done = p.done;
    release(&p);
    return joined;
}

Err predictor_run(MetasegModel *model, const SceneJob *job, int64_t *ret_tiles)
{
    if (job->crops) return predictor_run_crops(model, job, ret_tiles);
    Pipeline p = { .model = model, .job = job, .cell = model->model->config.network.output_stride };
    TRY(predictor_compile(model, job->tile, tta_scales(job->tta)));
    TRY(tile_grid_init(&p.grid, job->width, job->height, job->tile, job->overlap,
                       job->overlap > 2 * MARGIN ? MARGIN : 0));
    Strip strip = { 0 };
    for (int64_t x = 0; x < job->out_width; x += strip.columns) {
        strip = strip_at(&p, x);
        p.total += strip_tiles(&p.grid, &strip);
    }
    for (int64_t x = 0; x < job->out_width; x += strip.columns) {
        strip = strip_at(&p, x);
        TRY(run_strip(&p, strip));
    }
    if (ret_tiles != NULL) *ret_tiles = p.total;
    return ERR_NONE;
}
