/* SPDX-License-Identifier: Apache-2.0
 *
 * conv2d_levels through oneDNN. Convolution and bilinear resize are both linear, and the one takes the same weights everywhere: so
 * a smaller map is first multiplied by the weights of the nine taps at its own size, [h, w, 9 Cout], and each pixel of the result
 * gathers its nine taps from there. For a map of half the sides this is a quarter of the products, for a quarter a sixteenth.
 * Maps of the result's size are convolved (where it is faster by Winograd's method, conv2d_winograd.h); their results are added up.
 */
#include "ops/conv2d_levels_kernels.h"
#include "ops/conv2d_winograd.h"
#include "ops/dnnl_util.h"

#include <math.h>
#include <omp.h>
#include <stdlib.h>

typedef struct LevelState {
    OnednnOp *op;             /* of a whole map the convolution, of others the product with all taps */
    const Winograd *winograd; /* of a whole map, instead of op; NULL: none */
    float *packed;
} LevelState;

typedef struct State {
    Conv2dLevels levels;
    LevelState level[LEVELS_MAX];
    float *factor, *bias;
    int32_t whole; /* maps of the result's size */
    bool constant; /* weights and BatchNorm: packed once */
} State;

static WinogradProblem winograd_problem(const Conv2dLevels *l, const Conv2dLevel *level)
{
    return (WinogradProblem){ .batch = l->batch,
                              .in_height = l->height,
                              .in_width = l->width,
                              .in_channels = level->channels,
                              .out_height = l->height,
                              .out_width = l->width,
                              .out_channels = l->channels,
                              .top = 1,
                              .left = 1 };
}

static size_t level_scratch_bytes(const Conv2dLevels *l, const Conv2dLevel *level, const LevelState *made,
                                  int32_t threads)
{
    const WinogradProblem problem = winograd_problem(l, level);
    return made->winograd != NULL ? made->winograd->scratch_bytes(&problem, threads) : onednn_scratch_bytes(made->op);
}

/* Parts of the workspace. */
typedef struct Scratch {
    size_t library, plain, products, sum, rows; /* bytes of each, in this order */
    size_t bytes;
} Scratch;

static Scratch scratch_of(const State *state, int32_t threads)
{
    const Conv2dLevels *l = &state->levels;
    Scratch s = { 0 };
    for (int32_t i = 0; i < l->n; i++) {
        const Conv2dLevel *level = &l->level[i];
        const size_t library = aligned_bytes(level_scratch_bytes(l, level, &state->level[i], threads));
        const size_t plain = aligned_bytes((size_t)(LEVELS_TAPS * l->channels * level->channels) * sizeof(float));
        const size_t products = aligned_bytes(
            (size_t)(l->batch * level->height * level->width * LEVELS_TAPS * l->channels) * sizeof(float));
        const size_t rows = aligned_bytes((size_t)(level->width * 3 * l->channels) * sizeof(float));
        if (library > s.library) s.library = library;
        if (plain > s.plain) s.plain = plain;
        if (level->whole) continue;
        if (products > s.products) s.products = products;
        if (rows > s.rows) s.rows = rows;
    }
    s.sum = aligned_bytes((size_t)(l->batch * l->height * l->width * l->channels) * sizeof(float));
    s.bytes = s.library + s.plain + s.products + s.sum + s.rows * (size_t)threads;
    return s;
}

static void release(Step *step)
{
    State *state = step->state;
    if (state == NULL) return;
    for (int32_t i = 0; i < LEVELS_MAX; i++) {
        onednn_free(state->level[i].op);
        free(state->level[i].packed);
    }
    conv2d_levels_done(&state->levels);
    free(state->factor);
    free(state->bias);
    free(state);
    step->state = NULL;
}

static Err make_whole(const Step *step, const Conv2dLevels *l, const Conv2dLevel *level, bool last, LevelState *made)
{
    if (winograd_wins(l->batch, l->height, l->width, level->channels, l->channels))
        made->winograd = winograd_of(&step->device);
    if (made->winograd != NULL) return ERR_NONE;
    const OnednnConvolution problem = { .batch = l->batch,
                                        .in_height = l->height,
                                        .in_width = l->width,
                                        .in_channels = level->channels,
                                        .out_height = l->height,
                                        .out_width = l->width,
                                        .out_channels = l->channels,
                                        .kernel_height = 3,
                                        .kernel_width = 3,
                                        .groups = 1,
                                        .stride = 1,
                                        .dilation = 1,
                                        .top = 1,
                                        .left = 1,
                                        .bottom = 1,
                                        .right = 1 };
    const OnednnFusion fusion = { .activation = last ? ACTIVATION_RELU : ACTIVATION_NONE,
                                  .residual = true,
                                  .activate_sum = true };
    return onednn_convolution_new(&step->device, &problem, ONEDNN_FORWARD, &fusion, &made->op);
}

static Err make_level(const Step *step, State *state, int32_t i, bool last)
{
    const Conv2dLevels *l = &state->levels;
    const Conv2dLevel *level = &l->level[i];
    const OnednnFusion none = { .activation = ACTIVATION_NONE };
    LevelState *made = &state->level[i];
    if (level->whole)
        TRY(make_whole(step, l, level, last, made));
    else
        TRY(onednn_matmul_new(&step->device, l->batch * level->height * level->width, level->channels,
                              LEVELS_TAPS * l->channels, true, &none, &made->op));
    const WinogradProblem problem = winograd_problem(l, level);
    const size_t bytes =
        aligned_bytes(made->winograd != NULL ? made->winograd->packed_bytes(&problem) : onednn_packed_bytes(made->op));
    made->packed = aligned_alloc(BUFFER_ALIGNMENT, bytes);
    return made->packed == NULL ? err_memory(bytes, "packed convolution weights") : ERR_NONE;
}

static Err make(const Step *step, State *state)
{
    TRY(conv2d_levels_init(step, &state->levels));
    const size_t bytes = aligned_bytes((size_t)state->levels.channels * sizeof(float));
    state->factor = aligned_alloc(BUFFER_ALIGNMENT, bytes);
    state->bias = aligned_alloc(BUFFER_ALIGNMENT, bytes);
    if (state->factor == NULL || state->bias == NULL) return err_memory(bytes, "a folded BatchNorm");
    int32_t last = -1;
    for (int32_t i = 0; i < state->levels.n; i++) {
        if (!state->levels.level[i].whole) continue;
        state->whole++;
        last = i;
    }
    for (int32_t i = 0; i < state->levels.n; i++) TRY(make_level(step, state, i, i == last));
    return ERR_NONE;
}

static Err prepare(Step *step)
{
    State *state = calloc(1, sizeof *state);
    if (state == NULL) return err_memory(sizeof *state, "a convolution of several maps");
    step->state = state;
    const Err err = make(step, state);
    if (err != ERR_NONE) {
        release(step);
        return err;
    }
    state->constant = true;
    for (int32_t i = 0; i < LEVELS_FIRST; i++) state->constant = state->constant && step->constant[i];
    for (int32_t i = 0; i < LEVELS_FIRST && state->constant; i++) step->packed_in |= READS_IN(i);
    step->workspace_bytes = scratch_of(state, step->device.threads).bytes;
    return ERR_NONE;
}

/* The weights of one map with the BatchNorm's factor: [Cout, C, 3, 3] of a whole one, else [9, Cout, C]. */
static void fold(const Step *step, const State *state, int32_t i, float *plain)
{
    const Conv2dLevel *level = &state->levels.level[i];
    const int64_t channels = state->levels.channels, n = level->channels;
    const float *weight = step->in[0].data;
    for (int64_t co = 0; co < channels; co++) {
        const float *from = weight + (co * state->levels.joined + level->first) * LEVELS_TAPS;
        for (int64_t c = 0; c < n; c++)
            for (int64_t t = 0; t < LEVELS_TAPS; t++) {
                const int64_t to = level->whole ? (co * n + c) * LEVELS_TAPS + t : (t * channels + co) * n + c;
                plain[to] = state->factor[co] * from[c * LEVELS_TAPS + t];
            }
    }
}

static Err pack_all(const Step *step, float *plain, void *library)
{
    const State *state = step->state;
    conv2d_levels_norm(step, state->levels.channels, state->factor, state->bias);
    for (int32_t i = 0; i < state->levels.n; i++) {
        fold(step, state, i, plain);
        const LevelState *made = &state->level[i];
        if (made->winograd != NULL) {
            const WinogradProblem problem = winograd_problem(&state->levels, &state->levels.level[i]);
            made->winograd->pack(&problem, step->device.threads, plain, false, made->packed);
        } else {
            TRY(onednn_pack(made->op, plain, made->packed, library));
        }
    }
    return ERR_NONE;
}

static Err pack(Step *step)
{
    const State *state = step->state;
    if (!state->constant) return ERR_NONE;
    const Scratch s = scratch_of(state, 1);
    char *memory = aligned_alloc(BUFFER_ALIGNMENT, s.library + s.plain);
    if (memory == NULL) return err_memory(s.library + s.plain, "packing convolution weights");
    const Err err = pack_all(step, (float *)(void *)(memory + s.library), memory);
    free(memory);
    return err;
}

/* ---- gathering ---- */

/* to = a + weight (b - a). */
static void blend(const float *a, const float *b, float weight, int64_t n, float *to)
{
#pragma omp simd
    for (int64_t c = 0; c < n; c++) to[c] = a[c] + weight * (b[c] - a[c]);
}

/* to += a + weight (b - a). */
static void add_blend(const float *a, const float *b, float weight, int64_t n, float *to)
{
#pragma omp simd
    for (int64_t c = 0; c < n; c++) to[c] += a[c] + weight * (b[c] - a[c]);
}

/* Adds the three taps of a row of taps, blended to [w, 3, Cout], to a row of the result. */
static void gather_columns(const Conv2dLevels *l, const Conv2dLevel *level, const float *blended, float *to)
{
    const int64_t C = l->channels;
    for (int64_t x = 0; x < l->width; x++)
        for (int64_t kx = 0; kx < 3; kx++) {
            const int64_t from = x + kx - 1;
            if (from < 0 || from >= l->width) continue;
            const ResizeSource h = level->columns.source[from];
            add_blend(blended + (h.first * 3 + kx) * C, blended + (h.second * 3 + kx) * C, h.weight, C, to + x * C);
        }
}

/* Adds what a smaller map gives to all rows of sum; products [B, h, w, 9, Cout]. */
static void gather(const Step *step, const Conv2dLevel *level, const float *products, float *rows, size_t row_bytes,
                   float *sum)
{
    const Conv2dLevels *l = &((const State *)step->state)->levels;
    const int64_t C = l->channels, pixel = LEVELS_TAPS * C;
#pragma omp parallel for schedule(static) num_threads(step->device.threads)
    for (int64_t row = 0; row < l->batch * l->height; row++) {
        float *blended = rows + (size_t)omp_get_thread_num() * (row_bytes / sizeof *rows);
        for (int64_t ky = 0; ky < 3; ky++) {
            const int64_t y = row % l->height + ky - 1;
            if (y < 0 || y >= l->height) continue;
            const ResizeSource v = level->rows.source[y];
            const float *image = products + row / l->height * level->height * level->width * pixel + ky * 3 * C;
            const float *top = image + v.first * level->width * pixel,
                        *bottom = image + v.second * level->width * pixel;
            for (int64_t x = 0; x < level->width; x++)
                blend(top + x * pixel, bottom + x * pixel, v.weight, 3 * C, blended + x * 3 * C);
            gather_columns(l, level, blended, sum + row * l->width * C);
        }
    }
}

static void fill_bias(const Step *step, const State *state, float *sum)
{
    const int64_t C = state->levels.channels;
    const int64_t pixels = state->levels.batch * state->levels.height * state->levels.width;
#pragma omp parallel for schedule(static) num_threads(step->device.threads)
    for (int64_t p = 0; p < pixels; p++)
        for (int64_t c = 0; c < C; c++) sum[p * C + c] = state->bias[c];
}

static void relu(const Step *step, float *y)
{
    const int64_t n = shape_count(&step->out[0].shape);
#pragma omp parallel for simd schedule(static) num_threads(step->device.threads)
    for (int64_t i = 0; i < n; i++) y[i] = y[i] > 0.0F ? y[i] : 0.0F;
}

/* to = convolution of a whole map + from, after the last one with ReLU. */
static Err convolve(const Step *step, const State *state, int32_t i, bool last, const float *from, float *to,
                    void *library)
{
    const LevelState *made = &state->level[i];
    const float *source = step->in[LEVELS_FIRST + i].data;
    if (made->winograd == NULL)
        return onednn_run(
            made->op,
            &(OnednnArgs){
                .source = source, .weights = made->packed, .residual = from, .target = to, .scratch = library });
    const WinogradProblem problem = winograd_problem(&state->levels, &state->levels.level[i]);
    made->winograd->run(&problem, step->device.threads,
                        &(WinogradArgs){ .source = source,
                                         .weights = made->packed,
                                         .residual = from,
                                         .low = last ? 0.0F : -INFINITY,
                                         .high = INFINITY,
                                         .cut_sum = true,
                                         .target = to,
                                         .scratch = library });
    return ERR_NONE;
}

static Err forward(const Step *step)
{
    const State *state = step->state;
    const Conv2dLevels *l = &state->levels;
    const Scratch s = scratch_of(state, step->device.threads);
    char *library = step->workspace, *plain = library + s.library, *products = plain + s.plain;
    float *other = (float *)(void *)(products + s.products), *rows = (float *)(void *)(products + s.products + s.sum);
    /* convolutions go from one buffer to the other and end in the result */
    float *from = state->whole % 2 == 0 ? step->out[0].data : other;
    float *to = state->whole % 2 == 0 ? other : step->out[0].data;
    if (!state->constant) TRY(pack_all(step, (float *)(void *)plain, library));
    fill_bias(step, state, from);
    for (int32_t i = 0; i < l->n; i++) {
        if (l->level[i].whole) continue;
        TRY(onednn_run(state->level[i].op, &(OnednnArgs){ .source = step->in[LEVELS_FIRST + i].data,
                                                          .weights = state->level[i].packed,
                                                          .target = (float *)(void *)products,
                                                          .scratch = library }));
        gather(step, &l->level[i], (const float *)(void *)products, rows, s.rows, from);
    }
    for (int32_t i = 0, done = 0; i < l->n; i++) {
        if (!l->level[i].whole) continue;
        TRY(convolve(step, state, i, ++done == state->whole, from, to, library));
        float *result = to;
        to = from;
        from = result;
    }
    if (state->whole == 0) relu(step, step->out[0].data);
    return ERR_NONE;
}

const Kernel conv2d_levels_dnnl = {
    .name = "dnnl",
    .isa = ISA_AVX2,
    .prepare = prepare,
    .pack = pack,
    .forward = forward,
    .release = release,
};
