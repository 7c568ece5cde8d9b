/* SPDX-License-Identifier: Apache-2.0
 * Ring of blended class scores; the formulas are in the header. */
#include "geo/mosaic.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct Mosaic {
    int64_t height, width, classes, ring_rows; /* width: cells of the scene */
    int64_t first_cell, cells;                 /* of a row, that are held */
    int64_t out_height, strip_x, strip_columns;
    int32_t threads;
    double step_y, step_x;   /* cells per output pixel */
    int64_t first, complete; /* rows [first, first + ring_rows) are held, rows < complete are divided */
    float *scores;           /* [ring_rows, cells, classes] */
    float *weights;          /* [ring_rows, cells] */
};

static int64_t max64(int64_t a, int64_t b) { return a > b ? a : b; }
static int64_t min64(int64_t a, int64_t b) { return a < b ? a : b; }

/* Lower cell and fraction of a position, clamped so that both neighbours exist. */
static int64_t neighbours(double position, int64_t cells, int64_t *ret_upper, float *ret_fraction)
{
    const double clamped = fmin(fmax(position, 0.0), (double)(cells - 1));
    const int64_t lower = (int64_t)clamped;
    *ret_upper = min64(lower + 1, cells - 1);
    *ret_fraction = (float)(clamped - (double)lower);
    return lower;
}

/* Where output pixel i lies among cells that are `step` of a pixel each. */
static double position_of(int64_t i, double step) { return ((double)i + 0.5) * step - 0.5; }

size_t mosaic_bytes(int64_t columns, int64_t classes, int64_t ring_rows)
{
    return (size_t)(ring_rows * columns * (classes + 1)) * sizeof(float);
}

void mosaic_strip_cells(const MosaicSize *size, int64_t *ret_first, int64_t *ret_columns)
{
    const int64_t width = (int64_t)ceil(size->span_x);
    const double step = size->span_x / (double)size->out_width;
    const int64_t end = size->strip_columns == 0 ? size->out_width : size->strip_x + size->strip_columns;
    int64_t last = 0, upper = 0;
    float fraction = 0.0F;
    *ret_first = size->strip_x == 0 ? 0 : neighbours(position_of(size->strip_x, step), width, &upper, &fraction);
    (void)neighbours(position_of(end - 1, step), width, &last, &fraction);
    *ret_columns = (end == size->out_width ? width : last + 1) - *ret_first;
}

Err mosaic_new(const MosaicSize *size, Mosaic **ret_mosaic)
{
    Mosaic *m = calloc(1, sizeof *m);
    if (m == NULL) return err_memory(sizeof *m, "the mosaic of tiles");
    const int64_t n = size->classes;
    *m = (Mosaic){
        .height = (int64_t)ceil(size->span_y),
        .width = (int64_t)ceil(size->span_x),
        .classes = n,
        .ring_rows = size->ring_rows,
        .out_height = size->out_height,
        .strip_x = size->strip_x,
        .strip_columns = size->strip_columns > 0 ? size->strip_columns : size->out_width,
        .threads = size->threads,
        .step_y = size->span_y / (double)size->out_height,
        .step_x = size->span_x / (double)size->out_width,
    };
    ASSERT(m->strip_x >= 0 && m->strip_x + m->strip_columns <= size->out_width);
    mosaic_strip_cells(size, &m->first_cell, &m->cells);
    const size_t bytes = mosaic_bytes(m->cells, n, m->ring_rows);
    m->scores = calloc((size_t)(m->ring_rows * m->cells * n), sizeof(float));
    m->weights = calloc((size_t)(m->ring_rows * m->cells), sizeof(float));
    if (m->scores == NULL || m->weights == NULL) {
        mosaic_free(m);
        return err_memory(bytes, "the mosaic of tiles");
    }
    *ret_mosaic = m;
    return ERR_NONE;
}

void mosaic_free(Mosaic *mosaic)
{
    if (mosaic == NULL) return;
    free(mosaic->scores);
    free(mosaic->weights);
    free(mosaic);
}

static float *score_row(const Mosaic *m, int64_t row)
{
    return m->scores + (row % m->ring_rows) * m->cells * m->classes;
}

static float *weight_row(const Mosaic *m, int64_t row) { return m->weights + (row % m->ring_rows) * m->cells; }

void mosaic_add(Mosaic *m, const float *scores, int64_t row, int64_t column, int64_t rows, int64_t columns,
                const float *weight_y, const float *weight_x)
{
    const int64_t classes = m->classes;
    const int64_t row_begin = max64(row, 0);
    const int64_t row_end = min64(row + rows, m->height);
    const int64_t column_begin = max64(column, m->first_cell);
    const int64_t column_end = min64(column + columns, m->first_cell + m->cells);
    ASSERT(row_begin >= m->complete && row_end <= m->first + m->ring_rows);
#pragma omp parallel for schedule(static) num_threads(m->threads)
    for (int64_t y = row_begin; y < row_end; y++) {
        float *sum = score_row(m, y);
        float *weights = weight_row(m, y);
        const float *tile = scores + (y - row) * columns * classes;
        for (int64_t x = column_begin; x < column_end; x++) {
            const float w = weight_y[y - row] * weight_x[x - column];
            const float *from = tile + (x - column) * classes;
            float *to = sum + (x - m->first_cell) * classes;
            for (int64_t c = 0; c < classes; c++) to[c] += w * from[c];
            weights[x - m->first_cell] += w;
        }
    }
}

int64_t mosaic_complete(Mosaic *m, int64_t row)
{
    const int64_t end = min64(row, m->height);
    for (int64_t y = m->complete; y < end; y++) {
        float *sum = score_row(m, y);
        const float *weights = weight_row(m, y);
        for (int64_t x = 0; x < m->cells; x++) {
            ASSERT(weights[x] > 0.0F);
            const float inverse = 1.0F / weights[x];
            for (int64_t c = 0; c < m->classes; c++) sum[x * m->classes + c] *= inverse;
        }
    }
    m->complete = max64(m->complete, end);
    if (m->complete == m->height) return m->out_height;
    /* output row i needs cell floor((i + 0.5) * step - 0.5) + 1 */
    int64_t readable = (int64_t)floor(((double)m->complete - 0.5) / m->step_y - 0.5);
    readable = max64(0, min64(readable + 1, m->out_height));
    while (readable > 0 && (int64_t)floor(((double)readable - 0.5) * m->step_y - 0.5) + 1 >= m->complete) readable--;
    return readable;
}

int64_t mosaic_scratch(const Mosaic *m) { return m->cells * m->classes + m->classes; }

/* The first of the classes with the highest score. */
static uint8_t best_class(const float *scores, int64_t classes)
{
    int64_t best = 0;
    for (int64_t c = 1; c < classes; c++) {
        if (scores[c] > scores[best]) best = c;
    }
    return (uint8_t)best;
}

static uint8_t quantise(float probability) { return (uint8_t)lrintf(254.0F * probability); }

void mosaic_read(const Mosaic *m, int64_t out_row, uint8_t *classes, uint8_t *confidence, uint8_t *probabilities,
                 size_t plane_stride, float *scratch)
{
    const int64_t n = m->classes;
    int64_t below = 0;
    float fy = 0.0F;
    const int64_t above = neighbours(position_of(out_row, m->step_y), m->height, &below, &fy);
    ASSERT(above >= m->first && below < m->complete);
    const float *row0 = score_row(m, above);
    const float *row1 = score_row(m, below);
    for (int64_t i = 0; i < m->cells * n; i++) scratch[i] = row0[i] + fy * (row1[i] - row0[i]);
    float *pixel = scratch + m->cells * n;
    for (int64_t x = 0; x < m->strip_columns; x++) {
        int64_t right = 0;
        float fx = 0.0F;
        const int64_t left = neighbours(position_of(m->strip_x + x, m->step_x), m->width, &right, &fx);
        const float *a = scratch + (left - m->first_cell) * n;
        const float *b = scratch + (right - m->first_cell) * n;
        for (int64_t c = 0; c < n; c++) pixel[c] = a[c] + fx * (b[c] - a[c]);
        const uint8_t best = best_class(pixel, n);
        classes[x] = best;
        if (confidence == NULL && probabilities == NULL) continue;
        const float top = pixel[best];
        float sum = 0.0F;
        for (int64_t c = 0; c < n; c++) {
            pixel[c] = expf(pixel[c] - top);
            sum += pixel[c];
        }
        if (confidence != NULL) confidence[x] = quantise(1.0F / sum);
        if (probabilities == NULL) continue;
        for (int64_t c = 0; c < n; c++) probabilities[(size_t)c * plane_stride + (size_t)x] = quantise(pixel[c] / sum);
    }
}

void mosaic_discard(Mosaic *m, int64_t out_row)
{
    int64_t keep = (int64_t)floor(position_of(out_row, m->step_y));
    keep = max64(0, min64(keep, m->complete));
    for (int64_t y = m->first; y < keep; y++) {
        memset(score_row(m, y), 0, (size_t)(m->cells * m->classes) * sizeof(float));
        memset(weight_row(m, y), 0, (size_t)m->cells * sizeof(float));
    }
    m->first = max64(m->first, keep);
}
