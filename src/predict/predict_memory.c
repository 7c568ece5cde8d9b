/* SPDX-License-Identifier: Apache-2.0
 * How much memory a prediction will take, before it takes any. It follows the width of the scene and the area of a tile,
 * not the number of rows. */
#include "predict/predictor.h"

#include "geo/mosaic.h"

/* CACHE_BYTES: weights, libraries and up to 32 MiB of GDAL's decoded blocks. NETWORK_BYTES: values of the network for one pixel of a tile
 * and the two tiles read ahead (129, 243 and 695 MiB of memory at tiles of 512, 1024 and 2048 with the globe model). FINE_BYTES:
 * further ones at output strides 2 and 1 (18 MiB more at tiles of 512). */
enum {
    BLOCKS = 2,
    WRITER_ROWS = 256,
    CACHE_BYTES = 100 << 20,
    USUAL_DECODED = 32 << 20,
    NETWORK_BYTES = 150,
    FINE_BYTES = 72
};

static const double most_bytes = 1024.0 * 1024.0 * 1024.0;

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

Err predictor_check_memory(const MetasegModel *model, const SceneJob *job, int64_t written_bands)
{
    const double width = (double)job->out_width;
    const int32_t classes = model->model->config.network.n_classes;
    const double planes = 1.0 + (job->sink.confidence ? 1.0 : 0.0) + (job->sink.probabilities ? (double)classes : 0.0);
    const int64_t cell = model->model->config.network.output_stride;
    const int64_t cells = job->crops ? job->tile / cell : (job->width + cell - 1) / cell;
    const double band = job->crops ? (double)job->tile * width * planes : 0.0;
    const double rows = band + (double)mosaic_bytes(cells, classes, job->tile / cell + 4) +
                        BLOCKS * SCENE_BLOCK_ROWS * width * planes + WRITER_ROWS * width * (double)written_bands;
    const double fine = cell == 4 ? 0.0 : (double)FINE_BYTES;
    const double pixel = NETWORK_BYTES + fine + image_bytes(model) + tta_bytes(&model->model->config, job);
    const double network = pixel * scaled_pixels(job);
    const double decoded = job->decoded_bytes > USUAL_DECODED ? (double)(job->decoded_bytes - USUAL_DECODED) : 0.0;
    const double all = rows + network + decoded + CACHE_BYTES;
    if (all <= most_bytes) return ERR_NONE;
    const double mebibyte = 1024.0 * 1024.0;
    if (network > rows)
        return err_set(
            ERR_MEMORY,
            "tiles of %d pixels would take about %.0f MiB of memory, more than the %.0f MiB that a prediction "
            "may take; give a smaller %s%s",
            (int)job->tile, all / mebibyte, most_bytes / mebibyte, job->crops ? "--crops" : "--tile",
            job->tta != METASEG_TTA_NONE ? ", or no --tta" : "");
    return err_set(
        ERR_MEMORY,
        "rows of %lld pixels would take about %.0f MiB of memory, more than the %.0f MiB that a prediction may "
        "take; cut the image into parts (gdal_translate -srcwin), or give %s 256",
        (long long)job->out_width, all / mebibyte, most_bytes / mebibyte, job->crops ? "--crops" : "--tile");
}
