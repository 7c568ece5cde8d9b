/* SPDX-License-Identifier: Apache-2.0
 * Mirrored readings of a tile; a mirror is its own inverse. */
#include "predict/flips.h"

#include "data/augment.h"
#include "network/segmenter.h"

#include <stdlib.h>
#include <string.h>

struct Flips {
    int32_t n;
    float *image, *log_share_16, *log_share_32; /* of the mirrored tile; shares NULL without text */
    float *sum, *back;                          /* scores */
};

static float *floats(const Shape *shape) { return malloc((size_t)shape_count(shape) * sizeof(float)); }

Err flips_new(const NetworkShape *shape, const Shape *scores, int32_t n, Flips **ret_flips)
{
    const Shape image = network_part_shape(shape, NETWORK_IMAGE);
    const Shape shares[] = { network_part_shape(shape, NETWORK_LOG_SHARE_16),
                             network_part_shape(shape, NETWORK_LOG_SHARE_32) };
    const bool text = shape->tokens > 0;
    Flips *flips = calloc(1, sizeof *flips);
    if (flips == NULL) return err_memory(sizeof *flips, "mirrored tiles");
    *flips = (Flips){ .n = n, .image = floats(&image), .sum = floats(scores), .back = floats(scores) };
    if (text) flips->log_share_16 = floats(&shares[0]);
    if (text) flips->log_share_32 = floats(&shares[1]);
    const bool shared = !text || (flips->log_share_16 != NULL && flips->log_share_32 != NULL);
    if (flips->image == NULL || flips->sum == NULL || flips->back == NULL || !shared) {
        flips_free(flips);
        return err_memory((size_t)shape_count(&image) * sizeof(float), "mirrored tiles");
    }
    *ret_flips = flips;
    return ERR_NONE;
}

void flips_free(Flips *flips)
{
    if (flips == NULL) return;
    free(flips->image);
    free(flips->log_share_16);
    free(flips->log_share_32);
    free(flips->sum);
    free(flips->back);
    free(flips);
}

/* The tile as it is seen in a mirror; words are the same. */
static NetworkInputs mirror(const Flips *flips, Symmetry symmetry, const NetworkInputs *tile)
{
    NetworkInputs seen = *tile;
    const int64_t side = tile->shape.height;
    const size_t slots = (size_t)(tile->shape.slots + 1) * sizeof(float);
    const Shape image = network_part_shape(&tile->shape, NETWORK_IMAGE);
    augment_square(symmetry, tile->image, flips->image, side, (size_t)image.dim[3] * sizeof(float));
    seen.image = flips->image;
    if (tile->log_share_16 == NULL) return seen;
    augment_square(symmetry, tile->log_share_16, flips->log_share_16, side / 16, slots);
    augment_square(symmetry, tile->log_share_32, flips->log_share_32, side / 32, slots);
    seen.log_share_16 = flips->log_share_16;
    seen.log_share_32 = flips->log_share_32;
    return seen;
}

Err flips_score(Flips *flips, Program *program, const NetworkInputs *tile)
{
    const Tensor scores = program_tensor(program, "logits");
    const int64_t n = shape_count(&scores.shape);
    float *values = scores.data;
    for (int32_t k = 0; k < flips->n; k++) {
        const Symmetry symmetry = { .flip_columns = (k & 1) != 0, .flip_rows = (k & 2) != 0 };
        const NetworkInputs seen = k > 0 ? mirror(flips, symmetry, tile) : *tile;
        TRY(segmenter_write(program, &seen));
        TRY(program_forward(program, 0));
        augment_square(symmetry, values, flips->back, scores.shape.dim[1], (size_t)scores.shape.dim[3] * sizeof(float));
        for (int64_t i = 0; i < n; i++) flips->sum[i] = k > 0 ? flips->sum[i] + flips->back[i] : flips->back[i];
    }
    for (int64_t i = 0; i < n; i++) values[i] = flips->sum[i] / (float)flips->n;
    return ERR_NONE;
}
