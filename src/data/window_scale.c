/* SPDX-License-Identifier: Apache-2.0
 * Along rows, then along columns. */
#include "data/window_scale.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Weights of the source pixels first .. first + n of one target pixel. */
typedef struct Taps {
    int64_t first, n;
    double *weights;
} Taps;

static double kernel(double x)
{
    const double a = -0.5;
    x = fabs(x);
    if (x < 1.0) return ((a + 2.0) * x - (a + 3.0)) * x * x + 1.0;
    if (x < 2.0) return (((x - 5.0) * x + 8.0) * x - 4.0) * a;
    return 0.0;
}

/* *ret_weights holds all weights; free both. */
static Err make_taps(int64_t from_side, int64_t to_side, Taps **ret_taps, double **ret_weights)
{
    const double scale = (double)from_side / (double)to_side, stretch = scale > 1.0 ? scale : 1.0;
    const double support = 2.0 * stretch;
    const int64_t most = 2 * (int64_t)ceil(support) + 1;
    Taps *taps = malloc((size_t)to_side * sizeof *taps);
    double *weights = malloc((size_t)(to_side * most) * sizeof *weights);
    if (taps == NULL || weights == NULL) {
        free(taps);
        free(weights);
        return err_memory((size_t)(to_side * most) * sizeof *weights, "the weights of a window's pixels");
    }
    for (int64_t i = 0; i < to_side; i++) {
        const double centre = ((double)i + 0.5) * scale;
        const int64_t low = (int64_t)fmax(floor(centre - support + 0.5), 0.0);
        const int64_t high = (int64_t)fmin(floor(centre + support + 0.5), (double)from_side);
        double sum = 0.0;
        taps[i] = (Taps){ low, high - low, weights + i * most };
        for (int64_t k = 0; k < high - low; k++) {
            taps[i].weights[k] = kernel(((double)(low + k) - centre + 0.5) / stretch);
            sum += taps[i].weights[k];
        }
        for (int64_t k = 0; k < high - low; k++) taps[i].weights[k] /= sum;
    }
    *ret_taps = taps;
    *ret_weights = weights;
    return ERR_NONE;
}

/* One target cell of `values` numbers: the weighted sum of source cells that are `stride` numbers apart. */
static void sum_cells(const Taps *t, const float *from, int64_t stride, int64_t values, float *ret_to)
{
    for (int64_t v = 0; v < values; v++) {
        double sum = 0.0;
        for (int64_t k = 0; k < t->n; k++) sum += t->weights[k] * (double)from[(t->first + k) * stride + v];
        ret_to[v] = (float)sum;
    }
}

Err window_scale_image(const float *from, int64_t from_side, int64_t bands, int64_t to_side, float *ret_to)
{
    Taps *taps = NULL;
    double *weights = NULL;
    const size_t bytes = (size_t)(from_side * to_side * bands) * sizeof(float);
    TRY(make_taps(from_side, to_side, &taps, &weights));
    float *rows = malloc(bytes); /* [from_side][to_side][bands] */
    for (int64_t y = 0; rows != NULL && y < from_side; y++)
        for (int64_t x = 0; x < to_side; x++)
            sum_cells(&taps[x], from + y * from_side * bands, bands, bands, rows + (y * to_side + x) * bands);
    for (int64_t y = 0; rows != NULL && y < to_side; y++)
        sum_cells(&taps[y], rows, to_side * bands, to_side * bands, ret_to + y * to_side * bands);
    const Err err = rows != NULL ? ERR_NONE : err_memory(bytes, "a window between two sizes");
    free(rows);
    free(taps);
    free(weights);
    return err;
}

void window_scale_cells(const void *from, int64_t from_side, size_t cell_bytes, int64_t to_side, void *ret_to)
{
    const unsigned char *source = from;
    unsigned char *target = ret_to;
    const double scale = (double)from_side / (double)to_side;
    for (int64_t i = 0; i < to_side; i++) {
        const int64_t row = (int64_t)(((double)i + 0.5) * scale);
        for (int64_t j = 0; j < to_side; j++) {
            const int64_t column = (int64_t)(((double)j + 0.5) * scale);
            memcpy(target + (size_t)(i * to_side + j) * cell_bytes,
                   source + (size_t)(row * from_side + column) * cell_bytes, cell_bytes);
        }
    }
}
