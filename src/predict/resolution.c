/* SPDX-License-Identifier: Apache-2.0
 * The network's grid for a scene, from the ground sampling distances the model was made for. */
#include "predict/predictor.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const double METRES_PER_DEGREE = 111319.49; /* WGS 84, along the equator */

int64_t predictor_tile_unit(const MetasegModel *model)
{
    enum { OVERLAPS = 32 };
    const int64_t multiple = network_side_multiple(&model->model->config.network);
    int64_t unit = multiple;
    while (unit % OVERLAPS != 0) unit += multiple;
    return unit;
}

int32_t predictor_tile(const MetasegModel *model, int32_t asked, int64_t width, int64_t height)
{
    if (asked > 0) return asked;
    const int64_t larger = width > height ? width : height;
    enum { STEP = 256 };
    const int64_t least = predictor_tile_unit(model), unit = STEP % least == 0 ? STEP : least;
    const int64_t fits = (larger + unit - 1) / unit * unit;
    return fits < model->model->config.tile ? (int32_t)fits : model->model->config.tile;
}

/* "10 m"; of degrees also what they are along the equator: "0.03333 degrees (3.71 km)". */
void predictor_describe_sampling(double sampling, ModelUnit unit, char ret_text[64])
{
    const double metres = unit != MODEL_DEGREE ? sampling : sampling * METRES_PER_DEGREE;
    char text[32];
    (void)snprintf(text, sizeof text, "%.3g %s", metres < 1000.0 ? metres : metres / 1000.0,
                   metres < 1000.0 ? "m" : "km");
    if (unit == MODEL_DEGREE)
        (void)snprintf(ret_text, 64, "%.4g degrees (%s)", sampling, text);
    else
        (void)snprintf(ret_text, 64, "%s", text);
}

/* What the model was made for: "9 m to 11 m", one figure where both are nearly equal. */
void predictor_describe_range(const ModelConfig *c, char ret_text[160])
{
    char low[64], high[64];
    if (c->gsd_unit == MODEL_PIXEL) {
        (void)snprintf(ret_text, 160, "unknown size");
        return;
    }
    predictor_describe_sampling(c->gsd_minimum, c->gsd_unit, low);
    predictor_describe_sampling(c->gsd_maximum, c->gsd_unit, high);
    if (strcmp(low, high) == 0)
        (void)snprintf(ret_text, 160, "%s", low);
    else
        (void)snprintf(ret_text, 160, "%s to %s", low, high);
}

PixelSides predictor_sides(const ModelConfig *c, Georeference *place, double gsd)
{
    const PixelSides s = georeference_pixel_sides(place, c->gsd_unit == MODEL_DEGREE);
    const bool in_pixels = c->gsd_unit == MODEL_PIXEL;
    if (!in_pixels && (s.known || !(gsd > 0.0))) return s;
    const double side = in_pixels ? 1.0 : c->gsd_unit == MODEL_DEGREE ? gsd / METRES_PER_DEGREE : gsd;
    if (!isfinite(s.side)) return (PixelSides){ side, side, side, true };
    return (PixelSides){ s.x / s.side * side, s.y / s.side * side, side, true };
}

double predictor_range_factor(const ModelConfig *c, double sampling)
{
    const double slack = 1.001; /* a bound met but for rounding is met */
    if (sampling >= c->gsd_minimum / slack && sampling <= c->gsd_maximum * slack) return 1.0;
    return sampling < c->gsd_minimum ? c->gsd_minimum / sampling : sampling / c->gsd_maximum;
}

/* Network pixel for an input pixel of `sampling`: inside the range its own, up to a factor of 4 outside the nearest
 * bound, else its own with a warning. */
static double choose(const MetasegModel *model, const char *path, double sampling)
{
    const ModelConfig *c = &model->model->config;
    char own[64], range[160];
    predictor_describe_range(c, range);
    if (!isfinite(sampling)) {
        predictor_tell(model, 1,
                       "'%s': its ground sampling distance is unknown, the model was made for %s; predicting on the "
                       "image's own grid",
                       path, range);
        return sampling;
    }
    const double factor = predictor_range_factor(c, sampling);
    if (!(factor > 1.0)) return sampling;
    if (factor <= PREDICTOR_RESAMPLE_MOST) return sampling < c->gsd_minimum ? c->gsd_minimum : c->gsd_maximum;
    predictor_describe_sampling(sampling, c->gsd_unit, own);
    predictor_tell(model, 1,
                   "'%s': its ground sampling distance is %s, the model was made for %s, more than %d times away; "
                   "predicting on the image's own grid, expect a poor map",
                   path, own, range, (int)PREDICTOR_RESAMPLE_MOST);
    return sampling;
}

Err predictor_grid(const MetasegModel *model, const char *path, int64_t width, int64_t height, const PixelSides *sides,
                   double resolution, int64_t *ret_width, int64_t *ret_height, double *ret_resolution)
{
    const double sampling = sides->known ? sides->side : (double)NAN;
    double target = resolution;
    if (resolution > 0.0 && !isfinite(sampling))
        return err_set(ERR_ARGUMENT, "'%s': --resolution needs an image whose ground sampling distance is known", path);
    if (!(resolution > 0.0)) target = choose(model, path, sampling);
    double columns = 0.0, rows = 0.0;
    georeference_square_grid(sides, sides->known ? target : sides->side, width, height, &columns, &rows);
    const double most = fmax(fmax(columns / (double)width, (double)width / columns),
                             fmax(rows / (double)height, (double)height / rows));
    if (!(resolution > 0.0) && columns * rows > 0x1p46)
        return err_set(ERR_INPUT, "'%s': %lld x %lld pixels would become %.0f x %.0f, too many; crop the image", path,
                       (long long)width, (long long)height, columns, rows);
    if (columns * rows > 0x1p46 || most > 64.0)
        return err_set(
            resolution > 0.0 ? ERR_ARGUMENT : ERR_INPUT,
            "'%s': square pixels of %g cannot be made of the image's pixels of %g x %g%s; at most 64 times either way",
            path, sides->known ? target : sides->side, sides->x, sides->y, resolution > 0.0 ? " (--resolution)" : "");
    *ret_width = (int64_t)columns;
    *ret_height = (int64_t)rows;
    *ret_resolution = target;
    return ERR_NONE;
}
