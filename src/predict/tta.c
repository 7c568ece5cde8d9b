/* SPDX-License-Identifier: Apache-2.0
 * Readings of a tile: at each scale, in each symmetry. */
#include "predict/tta.h"

#include "data/augment.h"
#include "network/segmenter.h"
#include "ops/ops.h"

#include <stdlib.h>
#include <string.h>

enum { SYMMETRIES = 8, CELLS = 2 };

static const Symmetry symmetries[SYMMETRIES] = {
    { false, false, false }, { false, false, true }, { false, true, false }, { false, true, true },
    { true, false, false },  { true, false, true },  { true, true, false },  { true, true, true },
};

/* Of each kind: how many of the symmetries, and at how many of the scales. */
static const struct {
    int32_t symmetries, scales;
} kinds[] = {
    [METASEG_TTA_NONE] = { 1, 1 }, [METASEG_TTA_LR] = { 4, 1 },    [METASEG_TTA_D4] = { 8, 1 },
    [METASEG_TTA_MS] = { 2, 4 },   [METASEG_TTA_LR_MS] = { 4, 4 }, [METASEG_TTA_D4_MS] = { 8, 5 },
};

/* One scale: its program, and what brings an image there and scores back (NULL: they have their size). */
typedef struct Scale {
    Program *network, *there, *back;
    ParamSet *nothing; /* what the two have */
    NetworkInputs seen;
    float *shares[CELLS]; /* of the scaled tile, before a mirror */
    float *scores;        /* of a mirrored reading, the right way round */
} Scale;

struct Tta {
    int32_t n_symmetries, n_scales;
    Scale scales[TTA_SCALES];
    float *sum;
    int64_t n_sum;
};

int32_t tta_scales(MetasegTta tta) { return kinds[tta].scales; }

int32_t tta_side(int32_t tile, int32_t k)
{
    static const int32_t quarters[TTA_SCALES] = { 4, 3, 5, 6, 2 };
    return tile / 4 * quarters[k];
}

/* A program that resizes x [1, side, side, channels] to another side. */
static Err resize_program(ParamSet *nothing, Shape shape, int64_t side, Program **ret_program)
{
    Graph *g = NULL;
    const ResizeBicubicAttr attr = { .height = side, .width = side };
    const ProgramOptions options = program_options_defaults();
    TRY(graph_new(nothing, false, &g));
    graph_output(g, "resized", op_resize_bicubic(g, graph_input(g, "x", DTYPE_F32, shape), &attr));
    Err err = graph_finish(g);
    if (err == ERR_NONE) err = program_compile(g, nothing, &options, ret_program);
    graph_free(g);
    return err;
}

static Err floats(int64_t n, float **ret_values)
{
    *ret_values = malloc((size_t)n * sizeof **ret_values);
    return *ret_values != NULL ? ERR_NONE : err_memory((size_t)n * sizeof **ret_values, "readings of a tile");
}

/* shape: of the tile at this scale; tile: at scale 1. */
static Err scale_init(Scale *scale, Program *network, const NetworkShape *shape, const NetworkShape *tile,
                      int64_t cells)
{
    const Shape image = network_part_shape(shape, NETWORK_IMAGE), whole = network_part_shape(tile, NETWORK_IMAGE);
    const Shape scores = program_tensor(network, "logits").shape;
    scale->network = network;
    TRY(network_inputs_init(shape, &scale->seen));
    TRY(floats(shape_count(&scores), &scale->scores));
    for (int32_t i = 0; i < CELLS && shape->tokens > 0; i++) {
        const Shape shares = network_part_shape(shape, i == 0 ? NETWORK_LOG_SHARE_16 : NETWORK_LOG_SHARE_32);
        TRY(floats(shape_count(&shares), &scale->shares[i]));
    }
    if (shape->height == tile->height) return ERR_NONE;
    TRY(params_new(&scale->nothing));
    TRY(resize_program(scale->nothing, whole, image.dim[1], &scale->there));
    return resize_program(scale->nothing, scores, cells, &scale->back);
}

Err tta_new(const NetworkShape *shape, MetasegTta kind, Program *const *programs, Tta **ret_tta)
{
    const Shape scores = program_tensor(programs[0], "logits").shape;
    Tta *tta = calloc(1, sizeof *tta);
    if (tta == NULL) return err_memory(sizeof *tta, "readings of a tile");
    tta->n_symmetries = kinds[kind].symmetries;
    tta->n_scales = kinds[kind].scales;
    tta->n_sum = shape_count(&scores);
    Err err = floats(tta->n_sum, &tta->sum);
    for (int32_t k = 0; k < tta->n_scales && err == ERR_NONE; k++) {
        NetworkShape scaled = *shape;
        scaled.height = scaled.width = tta_side((int32_t)shape->height, k);
        err = scale_init(&tta->scales[k], programs[k], &scaled, shape, scores.dim[1]);
    }
    if (err == ERR_NONE)
        *ret_tta = tta;
    else
        tta_free(tta);
    return err;
}

void tta_free(Tta *tta)
{
    if (tta == NULL) return;
    for (int32_t k = 0; k < tta->n_scales; k++) {
        Scale *scale = &tta->scales[k];
        program_free(scale->there);
        program_free(scale->back);
        params_free(scale->nothing);
        network_inputs_done(&scale->seen);
        for (int32_t i = 0; i < CELLS; i++) free(scale->shares[i]);
        free(scale->scores);
    }
    free(tta->sum);
    free(tta);
}

/* Shares of the cells of a scaled tile: those of the nearest cell. */
static void resize_shares(const float *from, int64_t n, float *to, int64_t side, int64_t slots)
{
    for (int64_t y = 0; y < side; y++)
        for (int64_t x = 0; x < side; x++)
            memcpy(to + (y * side + x) * slots,
                   from + ((2 * y + 1) * n / (2 * side) * n + (2 * x + 1) * n / (2 * side)) * slots,
                   (size_t)slots * sizeof *to);
}

/* The tile at a scale: its image and shares before a mirror. */
static Err bring_there(const Scale *scale, const NetworkInputs *tile, const float **ret_image)
{
    const int64_t slots = tile->shape.slots + 1, side = scale->seen.shape.height, n = tile->shape.height;
    if (tile->log_share_16 != NULL) {
        resize_shares(tile->log_share_16, n / 16, scale->shares[0], side / 16, slots);
        resize_shares(tile->log_share_32, n / 32, scale->shares[1], side / 32, slots);
    }
    *ret_image = tile->image;
    if (scale->there == NULL) return ERR_NONE;
    const Tensor x = program_tensor(scale->there, "x");
    memcpy(x.data, tile->image, tensor_bytes(&x));
    TRY(program_forward(scale->there, 0));
    *ret_image = program_tensor(scale->there, "resized").data;
    return ERR_NONE;
}

/* Fills scale->seen with the tile as it is seen in one symmetry; words are the same. */
static void mirror(Scale *scale, Symmetry symmetry, const float *image, const NetworkInputs *tile)
{
    NetworkInputs *seen = &scale->seen;
    const Shape shape = network_part_shape(&seen->shape, NETWORK_IMAGE);
    const size_t slots = (size_t)(seen->shape.slots + 1) * sizeof(float);
    const int64_t side = seen->shape.height;
    augment_square(symmetry, image, seen->image, side, (size_t)shape.dim[3] * sizeof(float));
    if (tile->log_share_16 == NULL) return;
    augment_square(symmetry, scale->shares[0], seen->log_share_16, side / 16, slots);
    augment_square(symmetry, scale->shares[1], seen->log_share_32, side / 32, slots);
    const Tensor tokens = network_inputs_part(seen, NETWORK_TOKENS),
                 mask = network_inputs_part(seen, NETWORK_TOKEN_MASK);
    memcpy(seen->tokens, tile->tokens, tensor_bytes(&tokens));
    memcpy(seen->token_mask, tile->token_mask, tensor_bytes(&mask));
}

/* What brings a reading back: flips trade places behind a transposition. */
static Symmetry inverse(Symmetry s)
{
    if (!s.transpose) return s;
    return (Symmetry){ .transpose = true, .flip_rows = s.flip_columns, .flip_columns = s.flip_rows };
}

/* Scores of one reading, added to the sum. */
static Err add_reading(Tta *tta, Scale *scale, Symmetry symmetry)
{
    TRY(segmenter_write(scale->network, &scale->seen));
    TRY(program_forward(scale->network, 0));
    const Tensor scores = program_tensor(scale->network, "logits");
    const float *values = scale->scores;
    augment_square(inverse(symmetry), scores.data, scale->scores, scores.shape.dim[1],
                   (size_t)scores.shape.dim[3] * sizeof(float));
    if (scale->back != NULL) {
        const Tensor x = program_tensor(scale->back, "x");
        memcpy(x.data, scale->scores, tensor_bytes(&x));
        TRY(program_forward(scale->back, 0));
        values = program_tensor(scale->back, "resized").data;
    }
    for (int64_t i = 0; i < tta->n_sum; i++) tta->sum[i] += values[i];
    return ERR_NONE;
}

Err tta_score(Tta *tta, const NetworkInputs *tile)
{
    const float weight = 1.0F / (float)(tta->n_scales * tta->n_symmetries);
    memset(tta->sum, 0, (size_t)tta->n_sum * sizeof *tta->sum);
    for (int32_t k = 0; k < tta->n_scales; k++) {
        Scale *scale = &tta->scales[k];
        const float *image = NULL;
        TRY(bring_there(scale, tile, &image));
        for (int32_t i = 0; i < tta->n_symmetries; i++) {
            mirror(scale, symmetries[i], image, tile);
            TRY(add_reading(tta, scale, symmetries[i]));
        }
    }
    float *scores = program_tensor(tta->scales[0].network, "logits").data;
    for (int64_t i = 0; i < tta->n_sum; i++) scores[i] = tta->sum[i] * weight;
    return ERR_NONE;
}
