/* SPDX-License-Identifier: Apache-2.0
 *
 * Gradient of the weights by Winograd's method; include after conv2d_winograd_simd.h.
 *
 * x of a block of tiles is transformed to V [36][tiles][channels], dy to W [36][panel][tiles][PANEL]; 36 products over the tiles
 * are added to sums [panel][36][in_channels][PANEL], which are transformed back at the end. Threads divide the sums, not the
 * tiles: each sum runs over the tiles in one order.
 */
#ifndef METASEG_OPS_CONV2D_WINOGRAD_GRADIENT_SIMD_H
#define METASEG_OPS_CONV2D_WINOGRAD_GRADIENT_SIMD_H

#include "ops/conv2d_winograd_simd.h"

enum { GRADIENT_BLOCK = 96 /* tiles */ };

/* Where the parts of the scratch memory begin, in floats. */
typedef struct Parts {
    Sizes sizes;
    int64_t block; /* tiles */
    int64_t zeros, v, w, sums, count;
} Parts;

static Parts parts_of(const WinogradProblem *p)
{
    Parts parts = { .sizes = sizes_of(p, 1) };
    const Sizes *s = &parts.sizes;
    parts.block = min_int64(s->tiles, GRADIENT_BLOCK);
    parts.v = round_up(max_int64(p->in_channels, p->out_channels), 16);
    parts.w = parts.v + POINTS * parts.block * s->row;
    parts.sums = parts.w + POINTS * parts.block * s->panels * PANEL;
    parts.count = parts.sums + POINTS * s->panels * p->in_channels * PANEL;
    return parts;
}

static size_t gradient_bytes(const WinogradProblem *p)
{
    return (size_t)round_up(parts_of(p).count, 16) * sizeof(float);
}

/* w = A y. */
static INLINE_ALWAYS void gradient_1d(const Vec y[SIDE], Vec w[PATCH])
{
    const Vec even = vec_fma(vec_set(0.5625F), y[2], y[0]), outer_even = vec_fma(vec_set(2.25F), y[2], y[0]);
    const Vec odd = vec_fma(vec_set(0.421875F), y[3], vec_mul(vec_set(0.75F), y[1]));
    const Vec outer_odd = vec_fma(vec_set(3.375F), y[3], vec_mul(vec_set(1.5F), y[1]));
    w[0] = y[0];
    w[1] = vec_add(even, odd);
    w[2] = vec_sub(even, odd);
    w[3] = vec_add(outer_even, outer_odd);
    w[4] = vec_sub(outer_even, outer_odd);
    w[5] = y[3];
}

/* Channels [c, c + n) of a tile of dy whose pixels begin at `pixel`. */
static INLINE_ALWAYS void gradient_2d(const float *const *pixel, int64_t c, int64_t n, bool part, int64_t plane,
                                      float *w)
{
    Vec columns[PATCH][SIDE], y[SIDE], u[PATCH];
    for (int x = 0; x < SIDE; x++) {
        for (int i = 0; i < SIDE; i++) {
            const float *from = pixel[i * SIDE + x] + c;
            y[i] = part ? vec_load_first(from, n) : vec_load(from);
        }
        gradient_1d(y, u);
        for (int i = 0; i < PATCH; i++) columns[i][x] = u[i];
    }
    for (int i = 0; i < PATCH; i++) {
        gradient_1d(columns[i], u);
        for (int j = 0; j < PATCH; j++) vec_store(w + (i * PATCH + j) * plane, u[j]);
    }
}

/* W's values of a tile, at w[(point * panels + panel) * tiles * PANEL]. */
static void transform_gradient(const WinogradProblem *p, const Sizes *s, const float *dy, const float *zeros,
                               int64_t tile, int64_t tiles, float *w)
{
    const Place place = place_of(s, tile);
    const int64_t C = p->out_channels, plane = s->panels * tiles * PANEL;
    const float *image = dy + place.image * p->out_height * p->out_width * C, *pixel[SIDE * SIDE];
    for (int64_t i = 0; i < SIDE * SIDE; i++) {
        const int64_t y = place.y + i / SIDE, x = place.x + i % SIDE;
        pixel[i] = y < p->out_height && x < p->out_width ? image + (y * p->out_width + x) * C : zeros;
    }
    for (int64_t c = 0; c < C; c += VEC_LANES) {
        float *to = w + c / PANEL * tiles * PANEL + c % PANEL;
        if (c + VEC_LANES <= C)
            gradient_2d(pixel, c, VEC_LANES, false, plane, to);
        else
            gradient_2d(pixel, c, C - c, true, plane, to);
    }
}

/* g = G^T u. */
static INLINE_ALWAYS void taps_1d(const Vec u[PATCH], Vec g[3])
{
    const Vec s = vec_add(u[1], u[2]), t = vec_sub(u[1], u[2]);
    const Vec outer_s = vec_add(u[3], u[4]), outer_t = vec_sub(u[3], u[4]);
    g[0] = vec_fma(vec_set(64.0F / 81.0F), u[0],
                   vec_fma(vec_set(-128.0F / 243.0F), s, vec_mul(vec_set(32.0F / 243.0F), outer_s)));
    g[1] = vec_fma(vec_set(-96.0F / 243.0F), t, vec_mul(vec_set(48.0F / 243.0F), outer_t));
    g[2] = vec_fma(vec_set(72.0F / 243.0F), vec_sub(outer_s, s), u[5]);
}

/* sums[point * plane] -> taps [9][VEC_LANES]. */
static void taps_2d(const float *sums, int64_t plane, float *ret_taps)
{
    Vec columns[3][PATCH], u[PATCH], g[3];
    for (int x = 0; x < PATCH; x++) {
        for (int i = 0; i < PATCH; i++) u[i] = vec_load(sums + (i * PATCH + x) * plane);
        taps_1d(u, g);
        for (int i = 0; i < 3; i++) columns[i][x] = g[i];
    }
    for (int i = 0; i < 3; i++) {
        taps_1d(columns[i], g);
        for (int j = 0; j < 3; j++) vec_store(ret_taps + (i * 3 + j) * VEC_LANES, g[j]);
    }
}

static void write_gradient(const WinogradProblem *p, int32_t threads, const float *sums, bool add, float *d_weights)
{
    const int64_t K = p->in_channels, vectors = ceil_divide(p->out_channels, VEC_LANES);
#pragma omp parallel for schedule(static) num_threads(threads)
    for (int64_t vector = 0; vector < vectors; vector++) {
        const int64_t first = vector * VEC_LANES, n = min_int64(VEC_LANES, p->out_channels - first);
        for (int64_t k = 0; k < K; k++) {
            float taps[TAPS * VEC_LANES];
            taps_2d(sums + (first / PANEL * POINTS * K + k) * PANEL + first % PANEL, K * PANEL, taps);
            for (int64_t lane = 0; lane < n; lane++) {
                float *to = d_weights + ((first + lane) * K + k) * TAPS;
                for (int64_t t = 0; t < TAPS; t++) to[t] = taps[t * VEC_LANES + lane] + (add ? to[t] : 0.0F);
            }
        }
    }
}

static void gradient(const WinogradProblem *p, int32_t threads, const float *x, const float *dy, bool add,
                     float *d_weights, void *scratch)
{
    const Parts parts = parts_of(p);
    const Sizes *s = &parts.sizes;
    float *zeros = scratch, *v = zeros + parts.v, *w = zeros + parts.w, *sums = zeros + parts.sums;
    memset(zeros, 0, (size_t)parts.v * sizeof *zeros);
    for (int64_t first = 0; first < s->tiles; first += parts.block) {
        const int64_t tiles = min_int64(parts.block, s->tiles - first), plane = tiles * s->row;
#pragma omp parallel num_threads(threads)
        {
#pragma omp for schedule(static)
            for (int64_t tile = 0; tile < tiles; tile++) {
                transform_source(p, s, x, zeros, first + tile, plane, v + tile * s->row);
                transform_gradient(p, s, dy, zeros, first + tile, tiles, w + tile * PANEL);
            }
#pragma omp for collapse(2) schedule(static)
            for (int64_t point = 0; point < POINTS; point++)
                for (int64_t panel = 0; panel < s->panels; panel++)
                    product_transposed(v + point * plane, s->row, w + (point * s->panels + panel) * tiles * PANEL,
                                       tiles, p->in_channels, first > 0,
                                       sums + (panel * POINTS + point) * p->in_channels * PANEL);
        }
    }
    write_gradient(p, threads, sums, add, d_weights);
}

#endif
