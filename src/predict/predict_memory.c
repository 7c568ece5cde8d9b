/* SPDX-License-Identifier: Apache-2.0
 * How much memory a prediction will take, before it takes any: what follows the area of a tile, and what follows the width of a
 * strip, which is chosen by what is left. The number of rows costs nothing. */
#include "predict/predictor.h"

#include "base/memory.h"
#include "geo/mosaic.h"

/* STRIP_UNIT: strips end where blocks of the map's file do. CACHE_BYTES: weights, libraries and up to 32 MiB of GDAL's decoded blocks. NETWORK_BYTES: values of the network for one pixel of a tile
 * and the two tiles read ahead (129, 243 and 695 MiB of memory at tiles of 512, 1024 and 2048 with the globe model). FINE_BYTES:
 * further ones at output strides 2 and 1 (18 MiB more at tiles of 512). */
enum {
    BLOCKS = 2,
    STRIP_UNIT = 256,
    CACHE_BYTES = 100 << 20,
    USUAL_DECODED = 32 << 20,
    NETWORK_BYTES = 150,
    FINE_BYTES = 72
};

/* What a pixel of the image takes beyond three bands: in the program and in two tiles read ahead, there also as it is read
 * where presence is added. */
static double image_bytes(const MetasegModel *model)
{
    const ModelConfig *c = &model->model->config;
    const double bands = (double)c->network.n_bands, value = sizeof(float);
    return c->network.missing_bands ? value * (3.0 * (2.0 * bands - 3.0) + 2.0 * bands) : value * 3.0 * (bands - 3.0);
}

/* Pixels of a tile at all scales that it is read at. */
static double scaled_pixels(const SceneJob *job)
{
    double pixels = 0.0;
    for (int32_t k = 0; k < tta_scales(job->tta); k++)
        pixels += (double)tta_side(job->tile, k) * (double)tta_side(job->tile, k);
    return pixels;
}

/* Further readings keep, for each pixel of a tile, its image as it is seen, and twice its scores (tta.h). */
static double tta_bytes(const ModelConfig *c, const SceneJob *job)
{
    const double cell = (double)c->network.output_stride, channels = c->network.missing_bands ? 2.0 : 1.0;
    const double values = channels * (double)c->network.n_bands + 2.0 * (double)c->network.n_classes / (cell * cell);
    return job->tta != METASEG_TTA_NONE ? (double)sizeof(float) * values : 0.0;
}

/* What does not follow the width. */
static double fixed_bytes(const MetasegModel *model, const SceneJob *job)
{
    const ModelConfig *c = &model->model->config;
    const double fine = c->network.output_stride == 4 ? 0.0 : (double)FINE_BYTES;
    const double pixel = NETWORK_BYTES + fine + image_bytes(model) + tta_bytes(c, job);
    const double decoded = job->decoded_bytes > USUAL_DECODED ? (double)(job->decoded_bytes - USUAL_DECODED) : 0.0;
    return pixel * scaled_pixels(job) + decoded + CACHE_BYTES;
}

/* A strip of so many columns of the map: the ring of scores and a row of them for each thread, blocks of rows on their way,
 * and those that the sink makes of them. */
static double strip_bytes(const MetasegModel *model, const SceneJob *job, int64_t columns)
{
    enum { SINK_PLANES = 2, MORE_CELLS = 2 };
    const int64_t classes = model->model->config.network.n_classes, cell = model->model->config.network.output_stride;
    const double ratio = (double)job->width / (double)job->out_width / (double)cell;
    const int64_t cells = (int64_t)(ratio * (double)columns) + MORE_CELLS;
    const double planes = 1.0 + (job->sink.confidence ? 1.0 : 0.0) + (job->sink.probabilities ? (double)classes : 0.0);
    const double scratch = (double)model->device.threads * (double)sizeof(float) * (double)(cells * classes);
    return (double)mosaic_bytes(cells, classes, job->tile / cell + 4) + scratch +
           SCENE_BLOCK_ROWS * (double)columns * (BLOCKS * planes + SINK_PLANES);
}

Err predictor_choose_strips(const MetasegModel *model, SceneJob *job)
{
    const double ram = (double)(model->run.ram > 0 ? model->run.ram : memory_default());
    const double fixed = fixed_bytes(model, job), mebibyte = 1024.0 * 1024.0;
    const int64_t narrowest = job->out_width < STRIP_UNIT ? job->out_width : STRIP_UNIT;
    const double least = fixed + strip_bytes(model, job, job->crops ? job->tile : narrowest);
    if (least > ram)
        return err_set(ERR_MEMORY,
                       "tiles of %d pixels would take about %.0f MiB of memory, more than the %.0f MiB that a "
                       "prediction may take; give a smaller %s%s, or more with --ram",
                       (int)job->tile, least / mebibyte, ram / mebibyte, job->crops ? "--crops" : "--tile",
                       job->tta != METASEG_TTA_NONE ? ", or no --tta" : "");
    job->strip_columns = 0;
    if (job->crops || fixed + strip_bytes(model, job, job->out_width) <= ram) return ERR_NONE;
    int64_t columns = STRIP_UNIT;
    while (fixed + strip_bytes(model, job, columns + STRIP_UNIT) <= ram) columns += STRIP_UNIT;
    const int64_t strips = (job->out_width + columns - 1) / columns; /* of one width, as far as blocks go */
    const int64_t even = (job->out_width + strips - 1) / strips;
    job->strip_columns = (even + STRIP_UNIT - 1) / STRIP_UNIT * STRIP_UNIT;
    return ERR_NONE;
}
