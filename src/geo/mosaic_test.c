/* SPDX-License-Identifier: Apache-2.0
 * The ring against a direct computation over the whole scene, for many sizes and ratios. */
#include "geo/mosaic.h"

#include "base/rng.h"
#include "harness/unit.h"

#include <math.h>

enum { CLASSES = 5, TILE = 8, STRIDE = 5 };

static float tile_score(int64_t ty, int64_t tx, int64_t y, int64_t x, int64_t c)
{
    return rng_normal(7, RNG_TEST, (uint64_t)(ty * 100 + tx), (uint64_t)((y * TILE + x) * CLASSES + c));
}

static float ramp(int64_t i) { return (float)fmin((double)i + 0.5, (double)TILE - 0.5 - (double)i); }

/* Blended scores of the whole scene in double. */
static double *whole(int64_t height, int64_t width)
{
    double *sum = calloc((size_t)(height * width * (CLASSES + 1)), sizeof *sum);
    for (int64_t ty = 0; ty * STRIDE < height; ty++) {
        for (int64_t tx = 0; tx * STRIDE < width; tx++) {
            for (int64_t i = 0; i < TILE * TILE; i++) {
                const int64_t y = ty * STRIDE + i / TILE - 1;
                const int64_t x = tx * STRIDE + i % TILE - 1;
                if (y < 0 || x < 0 || y >= height || x >= width) continue;
                const double w = (double)(ramp(i / TILE) * ramp(i % TILE));
                double *cell = sum + (y * width + x) * (CLASSES + 1);
                for (int64_t c = 0; c < CLASSES; c++) cell[c] += w * (double)tile_score(ty, tx, i / TILE, i % TILE, c);
                cell[CLASSES] += w;
            }
        }
    }
    return sum;
}

static double cell_score(const double *sum, int64_t height, int64_t width, int64_t y, int64_t x, int64_t c)
{
    y = y < 0 ? 0 : (y >= height ? height - 1 : y);
    x = x < 0 ? 0 : (x >= width ? width - 1 : x);
    const double *cell = sum + (y * width + x) * (CLASSES + 1);
    return cell[c] / cell[CLASSES];
}

static void expected_pixel(const double *sum, int64_t height, int64_t width, double y, double x, double *ret_scores)
{
    const int64_t y0 = (int64_t)floor(y);
    const int64_t x0 = (int64_t)floor(x);
    const double fy = y - floor(y);
    const double fx = x - floor(x);
    for (int64_t c = 0; c < CLASSES; c++) {
        ret_scores[c] = (1 - fy) * ((1 - fx) * cell_score(sum, height, width, y0, x0, c) +
                                    fx * cell_score(sum, height, width, y0, x0 + 1, c)) +
                        fy * ((1 - fx) * cell_score(sum, height, width, y0 + 1, x0, c) +
                              fx * cell_score(sum, height, width, y0 + 1, x0 + 1, c));
    }
}

static void check_row(const Mosaic *m, const double *sum, int64_t height, int64_t width, const MosaicSize *size,
                      int64_t row)
{
    const int64_t out_height = size->out_height, whole_width = size->out_width, out_width = size->strip_columns;
    uint8_t *out = malloc((size_t)(out_width * (CLASSES + 2)));
    float *scratch = malloc((size_t)mosaic_scratch(m) * sizeof(float));
    mosaic_read(m, row, out, out + out_width, out + 2 * out_width, (size_t)out_width, scratch);
    for (int64_t x = 0; x < out_width; x++) {
        double scores[CLASSES];
        expected_pixel(sum, height, width, ((double)row + 0.5) * (double)height / (double)out_height - 0.5,
                       ((double)(size->strip_x + x) + 0.5) * (double)width / (double)whole_width - 0.5, scores);
        double total = 0.0;
        double top = 0.0;
        for (int64_t c = 0; c < CLASSES; c++) {
            total += exp(scores[c]);
            top = fmax(top, exp(scores[c]));
        }
        assert_true(exp(scores[out[x]]) >= top * (1.0 - 1e-5));
        assert_true(fabs((double)out[out_width + x] - 254.0 * top / total) < 0.51);
        for (int64_t c = 0; c < CLASSES; c++)
            assert_true(fabs((double)out[(2 + c) * out_width + x] - 254.0 * exp(scores[c]) / total) < 0.51);
    }
    free(out);
    free(scratch);
}

static void run_strip(int64_t height, int64_t width, MosaicSize size)
{
    double *sum = whole(height, width);
    float tile[TILE * TILE * CLASSES];
    float weights[TILE];
    for (int64_t i = 0; i < TILE; i++) weights[i] = ramp(i);
    Mosaic *m = NULL;
    ASSERT_OK(mosaic_new(&size, &m));
    int64_t done = 0;
    for (int64_t ty = 0; ty * STRIDE < height; ty++) {
        for (int64_t tx = 0; tx * STRIDE < width; tx++) {
            for (int64_t i = 0; i < TILE * TILE * CLASSES; i++)
                tile[i] = tile_score(ty, tx, i / CLASSES / TILE, i / CLASSES % TILE, i % CLASSES);
            mosaic_add(m, tile, ty * STRIDE - 1, tx * STRIDE - 1, TILE, TILE, weights, weights);
        }
        const bool last = (ty + 1) * STRIDE >= height;
        const int64_t readable = mosaic_complete(m, last ? height : (ty + 1) * STRIDE - 1);
        for (; done < readable; done++) check_row(m, sum, height, width, &size, done);
        mosaic_discard(m, done);
    }
    assert_int_equal(done, size.out_height);
    mosaic_free(m);
    free(sum);
}

/* All columns at once, and in strips. */
static void run(int64_t height, int64_t width, int64_t out_height, int64_t out_width)
{
    MosaicSize size = { .span_y = (double)height,
                        .span_x = (double)width,
                        .classes = CLASSES,
                        .ring_rows = TILE + 3,
                        .out_height = out_height,
                        .out_width = out_width,
                        .strip_columns = out_width,
                        .threads = 2 };
    run_strip(height, width, size);
    const int64_t strip = out_width / 3 + 1;
    for (size.strip_x = 0; size.strip_x < out_width; size.strip_x += strip) {
        size.strip_columns = out_width - size.strip_x < strip ? out_width - size.strip_x : strip;
        run_strip(height, width, size);
    }
}

static void test_sizes(void **state)
{
    (void)state;
    const int64_t sizes[] = { 1, 2, 4, 5, 6, 13, 31 };
    const double ratios[] = { 0.3, 1.0, 1.7, 4.0 };
    for (int64_t i = 0; i < ARRAY_LEN(sizes); i++) {
        for (int64_t j = 0; j < ARRAY_LEN(ratios); j++) {
            const int64_t out = (int64_t)ceil((double)sizes[i] * ratios[j]);
            run(sizes[i], 7, out, 28);
            run(7, sizes[i], 9, out);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_sizes) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
