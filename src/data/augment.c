/* SPDX-License-Identifier: Apache-2.0
 * Flips, rotations and colour changes; the rules are in the header. */
#include "data/augment.h"

#include "base/rng.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Draws of one window: 64 numbers are reserved for each. Of RNG_BANDS the first 24 are those of band_draw.c. */
enum { DRAWS_PER_WINDOW = 64, DRAW_SYMMETRY = 0, DRAW_COLOR = 8, DRAW_STRETCH = 24, DRAW_STRETCH_BAND = 32 };
static const uint64_t noise_window = UINT64_C(1) << 40; /* values of a window, at most */

Symmetry augment_symmetry(uint64_t seed, uint64_t step, uint64_t index, bool flips, bool rotations)
{
    const uint64_t bits = rng_u64(seed, RNG_AUGMENT, step, index * DRAWS_PER_WINDOW + DRAW_SYMMETRY) >> 32;
    Symmetry s = { 0 };
    if (flips) {
        s.flip_rows = (bits & 1U) != 0;
        s.flip_columns = (bits & 2U) != 0;
    }
    if (rotations) {
        s.transpose = (bits & 4U) != 0;
        if (!flips) { /* a pure rotation: the determinant of the symmetry is +1 */
            s.flip_rows = (bits & 1U) != 0;
            s.flip_columns = s.flip_rows != s.transpose;
        }
    }
    return s;
}

void augment_square(Symmetry symmetry, const void *from, void *to, int64_t side, size_t cell_bytes)
{
    const unsigned char *source = from;
    unsigned char *target = to;
    for (int64_t i = 0; i < side; i++) {
        for (int64_t j = 0; j < side; j++) {
            int64_t r = symmetry.flip_rows ? side - 1 - i : i;
            int64_t c = symmetry.flip_columns ? side - 1 - j : j;
            if (symmetry.transpose) {
                const int64_t swap = r;
                r = c;
                c = swap;
            }
            memcpy(target + (size_t)(i * side + j) * cell_bytes, source + (size_t)(r * side + c) * cell_bytes,
                   cell_bytes);
        }
    }
}

void augment_color(float *pixels, const uint8_t *valid, int64_t n_pixels, int64_t bands, double amplitude,
                   uint64_t seed, uint64_t step, uint64_t index)
{
    if (amplitude <= 0.0) return;
    const uint64_t draw = index * DRAWS_PER_WINDOW + DRAW_COLOR;
    const float a = (float)amplitude;
    for (int64_t b = 0; b < bands; b++) {
        const uint64_t own = draw + 2 + 2 * (uint64_t)(b % 16);
        const float u0 = 2.0F * rng_uniform(seed, RNG_AUGMENT, step, draw) - 1.0F;
        const float v0 = 2.0F * rng_uniform(seed, RNG_AUGMENT, step, draw + 1) - 1.0F;
        const float u = 2.0F * rng_uniform(seed, RNG_AUGMENT, step, own) - 1.0F;
        const float v = 2.0F * rng_uniform(seed, RNG_AUGMENT, step, own + 1) - 1.0F;
        const float gain = 1.0F + a * (u0 + 0.5F * u);
        const float offset = a * (v0 + 0.5F * v);
        for (int64_t i = 0; i < n_pixels; i++) {
            if (valid[i] != 0) pixels[i * bands + b] = pixels[i * bands + b] * gain + offset;
        }
    }
}

void augment_noise(float *pixels, const uint8_t *valid, int64_t n_pixels, int64_t bands, double largest, uint64_t seed,
                   uint64_t step, uint64_t index)
{
    if (largest <= 0.0) return;
    const float factor = (float)largest * rng_uniform(seed, RNG_NOISE, step, (index + 1) * noise_window - 1);
    const float unit = factor * 1.7320508F / 65536.0F; /* four uniform numbers in 0..65535 have variance 65536^2 / 3 */
    for (int64_t i = 0; i < n_pixels * bands; i++) {
        if (valid[i / bands] == 0) continue;
        const uint64_t bits = rng_u64(seed, RNG_NOISE, step, index * noise_window + (uint64_t)i);
        const int32_t sum = (int32_t)(bits & 0xFFFFU) + (int32_t)(bits >> 16 & 0xFFFFU) +
                            (int32_t)(bits >> 32 & 0xFFFFU) + (int32_t)(bits >> 48);
        pixels[i] += unit * ((float)sum - 131070.0F);
    }
}

/* ---- pictures of bytes ---- */

/* How one band becomes bytes. */
typedef struct Stretch {
    double low, high, exponent;
} Stretch;

enum { SAMPLE = 4096 };

static int compare_floats(const void *a, const void *b)
{
    const float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

/* Values of a band, evenly chosen among the pixels, of those that are valid, in the image's units, sorted. */
static int64_t sample_band(const Picture *p, const float *pixels, const uint8_t *valid, int64_t n_pixels, int64_t bands,
                           int64_t band, float ret_sorted[SAMPLE])
{
    const int64_t every = (n_pixels + SAMPLE - 1) / SAMPLE;
    int64_t n = 0;
    for (int64_t i = 0; i < n_pixels; i += every)
        if (valid[i] != 0)
            ret_sorted[n++] = (float)image_denormalised(&p->bands[band], (double)pixels[i * bands + band]);
    qsort(ret_sorted, (size_t)n, sizeof *ret_sorted, compare_floats);
    return n;
}

static double between(double low, double high, uint64_t seed, uint64_t step, uint64_t draw)
{
    return low + (high - low) * (double)rng_uniform(seed, RNG_BANDS, step, draw);
}

/* sorted: n > 0 values. */
static Stretch draw_stretch(const float *sorted, int64_t n, int64_t band, double white, uint64_t seed, uint64_t step,
                            uint64_t index)
{
    const uint64_t draw = index * DRAWS_PER_WINDOW + DRAW_STRETCH;
    const uint64_t own = index * DRAWS_PER_WINDOW + DRAW_STRETCH_BAND + 2 * (uint64_t)(band % 16);
    Stretch s = { .exponent = 1.0 };
    if (between(0.0, 1.0, seed, step, draw) < 0.5) {
        s.low = between(0.0, 0.15, seed, step, draw + 1) * white * between(0.5, 1.5, seed, step, own);
        s.high = between(0.57, 1.72, seed, step, draw + 2) * white * between(0.85, 1.15, seed, step, own + 1);
    } else {
        const double dark = between(0.0, 0.03, seed, step, own), bright = between(0.97, 1.0, seed, step, own + 1);
        s.low = (double)sorted[(int64_t)(dark * (double)(n - 1))];
        s.high = (double)sorted[(int64_t)(bright * (double)(n - 1))];
        const double missing = 0.15 * white - (s.high - s.low);
        if (missing > 0.0) {
            s.low -= 0.5 * missing;
            s.high += 0.5 * missing;
        }
    }
    if (between(0.0, 1.0, seed, step, draw + 3) < 0.3) s.exponent = between(0.6, 1.4, seed, step, draw + 4);
    return s;
}

static void stretch_band(const Picture *p, const Stretch *s, float *pixels, const uint8_t *valid, int64_t n_pixels,
                         int64_t bands, int64_t band)
{
    float read_back[256]; /* of each byte */
    uint8_t all[256];
    ImageBand of_bytes = p->bands[band];
    of_bytes.scale *= p->byte_scale;
    for (int32_t byte = 0; byte < 256; byte++) read_back[byte] = (float)byte;
    memset(all, 1, sizeof all);
    image_normalise(&of_bytes, 1, 256, all, read_back);
    for (int64_t i = 0; i < n_pixels; i++) {
        float *value = &pixels[i * bands + band];
        if (valid[i] == 0) continue;
        const double x = image_denormalised(&p->bands[band], (double)*value);
        float part = fminf(fmaxf((float)((x - s->low) / (s->high - s->low)), 0.0F), 1.0F);
        if (s->exponent != 1.0) part = powf(part, (float)s->exponent);
        *value = read_back[lrintf(255.0F * part)];
    }
}

void augment_picture(const Picture *picture, float *pixels, const uint8_t *valid, int64_t n_pixels, int64_t bands,
                     uint64_t seed, uint64_t step, uint64_t index)
{
    const double white = 255.0 * picture->byte_scale;
    float sorted[SAMPLE];
    for (int64_t b = 0; b < bands; b++) {
        if (!picture->there[b]) continue;
        Stretch s = { 0.0, white, 1.0 };
        const int64_t n = picture->plain ? 0 : sample_band(picture, pixels, valid, n_pixels, bands, b, sorted);
        if (n > 0) s = draw_stretch(sorted, n, b, white, seed, step, index);
        stretch_band(picture, &s, pixels, valid, n_pixels, bands, b);
    }
}
