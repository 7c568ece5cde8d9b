/* SPDX-License-Identifier: Apache-2.0
 *
 * Body of Winograd convolution; include after simd_avx2.h or simd_avx512.h. Formulas: conv2d_winograd.h.
 *
 * Tiles of 4x4 results are numbered through the batch. A block of tiles is transformed to V [36][tiles][channels]; then,
 * for each few panels of output channels, 36 matrix products with the packed weights U [panel][36][channels][PANEL] give
 * M [36][tiles][panels], which is transformed back. Of few channels, V and M of a block stay in the second-level cache; of
 * many, U is what comes from far, and blocks are larger to read it less often. Where blocks are too few for the threads, V
 * of all tiles is shared and the panels are divided, too.
 */
#ifndef METASEG_OPS_CONV2D_WINOGRAD_SIMD_H
#define METASEG_OPS_CONV2D_WINOGRAD_SIMD_H

#include "ops/conv2d_winograd.h"
#include "ops/simd_product.h"

#include <omp.h>
#include <string.h>

enum {
    SIDE = 4,         /* of a tile */
    PATCH = SIDE + 2, /* side of what it reads */
    POINTS = PATCH * PATCH,
    TAPS = 9,
    PACKED = 8,   /* channels */
    NARROW = 128, /* channels: the border between two kinds of blocks, measured with 512 KiB of second-level cache */
};

/* Sizes that follow from a problem. */
typedef struct Sizes {
    int64_t tile_rows, tile_columns, tiles, panels;
    int64_t block, blocks; /* tiles of a block */
    int64_t group, groups; /* panels that share a block's M */
    int64_t row;    /* floats from one tile of V to the next; no power of 2, so that tiles do not share cache sets */
    int64_t shared; /* tiles of V that threads share: all; 0: each has its own block */
    int64_t v, m, zeros; /* floats of V, of M and of a pixel of zeros */
} Sizes;

static Sizes sizes_of(const WinogradProblem *p, int32_t threads)
{
    Sizes s = { .tile_rows = ceil_divide(p->out_height, SIDE), .tile_columns = ceil_divide(p->out_width, SIDE) };
    s.tiles = p->batch * s.tile_rows * s.tile_columns;
    s.panels = ceil_divide(p->out_channels, PANEL);
    s.block = min_int64(s.tiles, p->in_channels > NARROW ? 96 : 24);
    s.group = min_int64(s.panels, p->in_channels > NARROW ? 8 : 2);
    s.blocks = ceil_divide(s.tiles, s.block);
    s.groups = ceil_divide(s.panels, s.group);
    s.row = round_up(p->in_channels, 16) + 16;
    s.shared = threads > 1 && s.blocks < 4 * threads ? s.tiles : 0;
    s.v = POINTS * (s.shared > 0 ? s.shared : s.block) * s.row;
    s.m = POINTS * s.block * s.group * PANEL;
    s.zeros = round_up(p->in_channels, 16);
    return s;
}

static size_t packed_bytes(const WinogradProblem *p)
{
    return (size_t)(ceil_divide(p->out_channels, PANEL) * PANEL * p->in_channels * POINTS) * sizeof(float);
}

static size_t scratch_bytes(const WinogradProblem *p, int32_t threads)
{
    const Sizes s = sizes_of(p, threads);
    const int64_t floats = s.zeros + s.v * (s.shared > 0 ? 1 : threads) + s.m * threads;
    return (size_t)round_up(floats, 16) * sizeof(float);
}

/* ---- weights ---- */

/* u = G g for the three values g. */
static INLINE_ALWAYS void weights_1d(Vec g0, Vec g1, Vec g2, Vec u[PATCH])
{
    const Vec inner = vec_mul(vec_set(-128.0F / 243.0F), vec_fma(vec_set(0.5625F), g2, g0));
    const Vec outer = vec_mul(vec_set(32.0F / 243.0F), vec_fma(vec_set(2.25F), g2, g0));
    u[0] = vec_mul(vec_set(64.0F / 81.0F), g0);
    u[1] = vec_fma(vec_set(-96.0F / 243.0F), g1, inner);
    u[2] = vec_fnma(vec_set(-96.0F / 243.0F), g1, inner);
    u[3] = vec_fma(vec_set(48.0F / 243.0F), g1, outer);
    u[4] = vec_fnma(vec_set(48.0F / 243.0F), g1, outer);
    u[5] = g2;
}

/* taps [9][PANEL] -> to[point * stride + 0..VEC_LANES). */
static void weights_2d(const float *taps, int64_t stride, float *to)
{
    Vec columns[PATCH][3], u[PATCH];
    for (int x = 0; x < 3; x++) {
        weights_1d(vec_load(taps + x * PANEL), vec_load(taps + (3 + x) * PANEL), vec_load(taps + (6 + x) * PANEL), u);
        for (int i = 0; i < PATCH; i++) columns[i][x] = u[i];
    }
    for (int i = 0; i < PATCH; i++) {
        weights_1d(columns[i][0], columns[i][1], columns[i][2], u);
        for (int j = 0; j < PATCH; j++) vec_store(to + (i * PATCH + j) * stride, u[j]);
    }
}

static void pack(const WinogradProblem *p, int32_t threads, const float *weights, bool transposed, float *ret_packed)
{
    const int64_t panels = ceil_divide(p->out_channels, PANEL), K = p->in_channels;
    const int64_t out_step = transposed ? TAPS : K * TAPS, in_step = transposed ? p->out_channels * TAPS : TAPS;
#pragma omp parallel for collapse(2) schedule(static) num_threads(threads)
    for (int64_t panel = 0; panel < panels; panel++) {
        for (int64_t first = 0; first < K; first += PACKED) {
            /* a few channels at a time: the 36 places of one share a set of the cache */
            float some[POINTS * PACKED * PANEL];
            const int64_t n = min_int64(PANEL, p->out_channels - panel * PANEL), count = min_int64(PACKED, K - first);
            for (int64_t k = 0; k < count; k++) {
                float taps[TAPS * PANEL] = { 0 };
                const float *from = weights + panel * PANEL * out_step + (first + k) * in_step;
                for (int64_t lane = 0; lane < n; lane++)
                    for (int64_t t = 0; t < TAPS; t++)
                        taps[t * PANEL + lane] = from[lane * out_step + (transposed ? TAPS - 1 - t : t)];
                weights_2d(taps, PACKED * PANEL, some + k * PANEL);
                weights_2d(taps + VEC_LANES, PACKED * PANEL, some + k * PANEL + VEC_LANES);
            }
            for (int64_t point = 0; point < POINTS; point++)
                memcpy(ret_packed + ((panel * POINTS + point) * K + first) * PANEL, some + point * PACKED * PANEL,
                       (size_t)(count * PANEL) * sizeof *some);
        }
    }
}

/* ---- maps ---- */

/* v = B^T d. */
static INLINE_ALWAYS void source_1d(const Vec d[PATCH], Vec v[PATCH])
{
    const Vec p = vec_fnma(vec_set(2.25F), d[2], d[4]), q = vec_fnma(vec_set(2.25F), d[1], d[3]);
    const Vec r = vec_fnma(vec_set(0.5625F), d[2], d[4]), s = vec_fnma(vec_set(0.5625F), d[1], d[3]);
    v[0] = vec_fma(vec_set(1.265625F), d[0], vec_fnma(vec_set(2.8125F), d[2], d[4]));
    v[1] = vec_fma(vec_set(0.75F), q, p);
    v[2] = vec_fnma(vec_set(0.75F), q, p);
    v[3] = vec_fma(vec_set(1.5F), s, r);
    v[4] = vec_fnma(vec_set(1.5F), s, r);
    v[5] = vec_fma(vec_set(1.265625F), d[1], vec_fnma(vec_set(2.8125F), d[3], d[5]));
}

/* Channels [c, c + n) of a patch whose pixels begin at `pixel`; n is VEC_LANES, or less for `part`. */
static INLINE_ALWAYS void source_2d(const float *const *pixel, int64_t c, int64_t n, bool part, int64_t plane, float *v)
{
    Vec columns[PATCH][PATCH], d[PATCH], u[PATCH];
    for (int x = 0; x < PATCH; x++) {
        for (int y = 0; y < PATCH; y++) {
            const float *from = pixel[y * PATCH + x] + c;
            d[y] = part ? vec_load_first(from, n) : vec_load(from);
        }
        source_1d(d, u);
        for (int i = 0; i < PATCH; i++) columns[i][x] = u[i];
    }
    for (int i = 0; i < PATCH; i++) {
        source_1d(columns[i], u);
        for (int j = 0; j < PATCH; j++) vec_store(v + (i * PATCH + j) * plane + c, u[j]);
    }
}

/* A tile's place. */
typedef struct Place {
    int64_t image, y, x; /* of its first result */
} Place;

static Place place_of(const Sizes *s, int64_t tile)
{
    return (Place){ .image = tile / (s->tile_rows * s->tile_columns),
                    .y = tile / s->tile_columns % s->tile_rows * SIDE,
                    .x = tile % s->tile_columns * SIDE };
}

/* V's row of a tile, at v[point * plane]. */
static void transform_source(const WinogradProblem *p, const Sizes *s, const float *source, const float *zeros,
                             int64_t tile, int64_t plane, float *v)
{
    const Place place = place_of(s, tile);
    const int64_t C = p->in_channels;
    const float *image = source + place.image * p->in_height * p->in_width * C, *pixel[POINTS];
    for (int64_t i = 0; i < PATCH; i++) {
        const int64_t y = place.y - p->top + i;
        for (int64_t j = 0; j < PATCH; j++) {
            const int64_t x = place.x - p->left + j;
            const bool inside = y >= 0 && y < p->in_height && x >= 0 && x < p->in_width;
            pixel[i * PATCH + j] = inside ? image + (y * p->in_width + x) * C : zeros;
        }
    }
    int64_t c = 0;
    for (; c + VEC_LANES <= C; c += VEC_LANES) source_2d(pixel, c, VEC_LANES, false, plane, v);
    if (c < C) source_2d(pixel, c, C - c, true, plane, v);
}

/* ---- products ---- */

/* One of the 36: m[tiles, PANEL] = v[tiles, channels] u[channels, PANEL]. */
static void multiply(const float *v, int64_t v_row, const float *u, int64_t channels, int64_t tiles, float *m,
                     int64_t m_row)
{
    for (int64_t k = 0; k < channels; k += DEPTH)
        product(v + k, v_row, u + k * PANEL, min_int64(DEPTH, channels - k), tiles, k > 0, m, m_row);
}

/* ---- results ---- */

/* y = A^T m. */
static INLINE_ALWAYS void result_1d(const Vec m[PATCH], Vec y[SIDE])
{
    const Vec s = vec_add(m[1], m[2]), t = vec_sub(m[1], m[2]), outer_s = vec_add(m[3], m[4]),
              outer_t = vec_sub(m[3], m[4]);
    y[0] = vec_add(vec_add(m[0], s), outer_s);
    y[1] = vec_fma(vec_set(0.75F), t, vec_mul(vec_set(1.5F), outer_t));
    y[2] = vec_fma(vec_set(0.5625F), s, vec_mul(vec_set(2.25F), outer_s));
    y[3] = vec_fma(vec_set(0.421875F), t, vec_fma(vec_set(3.375F), outer_t, m[5]));
}

static INLINE_ALWAYS Vec finish(const WinogradArgs *args, Vec value, Vec residual)
{
    const Vec low = vec_set(args->low), high = vec_set(args->high); /* a value that is not a number stays so */
    if (args->cut_sum) return vec_min(high, vec_max(low, vec_add(value, residual)));
    return vec_add(vec_min(high, vec_max(low, value)), residual);
}

/* Channels [c, c + n) of a tile's results; m[point * plane]. */
static INLINE_ALWAYS void result_2d(const WinogradProblem *p, const WinogradArgs *args, const Place *place, int64_t c,
                                    int64_t n, bool part, const float *m, int64_t plane)
{
    Vec columns[SIDE][PATCH], from[PATCH], y[SIDE];
    for (int x = 0; x < PATCH; x++) {
        for (int i = 0; i < PATCH; i++) from[i] = vec_load(m + (i * PATCH + x) * plane);
        result_1d(from, y);
        for (int i = 0; i < SIDE; i++) columns[i][x] = y[i];
    }
    Vec bias = vec_zero();
    if (args->bias != NULL) bias = part ? vec_load_first(args->bias + c, n) : vec_load(args->bias + c);
    const int64_t rows = min_int64(SIDE, p->out_height - place->y), width = min_int64(SIDE, p->out_width - place->x);
    const int64_t first = ((place->image * p->out_height + place->y) * p->out_width + place->x) * p->out_channels + c;
    for (int64_t i = 0; i < rows; i++) {
        result_1d(columns[i], y);
        for (int64_t j = 0; j < width; j++) {
            const int64_t at = first + (i * p->out_width + j) * p->out_channels;
            Vec residual = vec_zero();
            if (args->residual != NULL)
                residual = part ? vec_load_first(args->residual + at, n) : vec_load(args->residual + at);
            const Vec value = finish(args, vec_add(y[j], bias), residual);
            if (part)
                vec_store_first(args->target + at, value, n);
            else
                vec_store(args->target + at, value);
        }
    }
}

/* Products and results of `tiles` tiles from `first` on for the panels of a group. v: their first row, v[point * plane]. */
static void run_group(const WinogradProblem *p, const Sizes *s, const WinogradArgs *args, int64_t first, int64_t tiles,
                      int64_t group, const float *v, int64_t plane, float *m)
{
    const int64_t begin = group * s->group, end = min_int64(s->panels, begin + s->group), K = p->in_channels;
    const int64_t m_row = (end - begin) * PANEL, m_plane = tiles * m_row;
    for (int64_t point = 0; point < POINTS; point++)
        for (int64_t panel = begin; panel < end; panel++)
            multiply(v + point * plane, s->row, args->weights + (panel * POINTS + point) * K * PANEL, K, tiles,
                     m + point * m_plane + (panel - begin) * PANEL, m_row);
    const int64_t channels = min_int64(p->out_channels, end * PANEL);
    for (int64_t tile = 0; tile < tiles; tile++) {
        const Place place = place_of(s, first + tile);
        const float *row = m + tile * m_row;
        int64_t c = begin * PANEL;
        for (; c + VEC_LANES <= channels; c += VEC_LANES, row += VEC_LANES)
            result_2d(p, args, &place, c, VEC_LANES, false, row, m_plane);
        if (c < channels) result_2d(p, args, &place, c, channels - c, true, row, m_plane);
    }
}

static void run_shared(const WinogradProblem *p, const Sizes *s, int32_t threads, const WinogradArgs *args,
                       const float *zeros, float *v, float *m)
{
    const int64_t plane = s->tiles * s->row;
#pragma omp parallel num_threads(threads)
    {
#pragma omp for schedule(static)
        for (int64_t tile = 0; tile < s->tiles; tile++)
            transform_source(p, s, args->source, zeros, tile, plane, v + tile * s->row);
#pragma omp for collapse(2) schedule(dynamic)
        for (int64_t group = 0; group < s->groups; group++) {
            for (int64_t block = 0; block < s->blocks; block++) {
                const int64_t first = block * s->block;
                run_group(p, s, args, first, min_int64(s->block, s->tiles - first), group, v + first * s->row, plane,
                          m + omp_get_thread_num() * s->m);
            }
        }
    }
}

static void run(const WinogradProblem *p, int32_t threads, const WinogradArgs *args)
{
    const Sizes s = sizes_of(p, threads);
    float *zeros = args->scratch, *m = zeros + s.zeros, *v = m + s.m * threads;
    memset(zeros, 0, (size_t)s.zeros * sizeof *zeros);
    if (s.shared > 0) {
        run_shared(p, &s, threads, args, zeros, v, m);
        return;
    }
#pragma omp parallel for schedule(dynamic) num_threads(threads)
    for (int64_t block = 0; block < s.blocks; block++) {
        const int64_t first = block * s.block, tiles = min_int64(s.block, s.tiles - first), plane = tiles * s.row;
        float *own_v = v + omp_get_thread_num() * s.v, *own_m = m + omp_get_thread_num() * s.m;
        for (int64_t tile = 0; tile < tiles; tile++)
            transform_source(p, &s, args->source, zeros, first + tile, plane, own_v + tile * s.row);
        for (int64_t group = 0; group < s.groups; group++)
            run_group(p, &s, args, first, tiles, group, own_v, plane, own_m);
    }
}

#endif
