/* SPDX-License-Identifier: Apache-2.0
 * The network's grid for a scene, from the ground sampling distances the model was made for. */
#include "predict/predictor.h"

#include <math.h>

enum { RESAMPLE_MOST = 4, TILE_UNIT = 256 };

int32_t predictor_tile(const MetasegModel *model, int32_t asked, int64_t width, int64_t height)
{
    if (asked > 0) return asked;
    const int64_t larger = width > height ? width : height;
    const int64_t fits = (larger + TILE_UNIT - 1) / TILE_UNIT * TILE_UNIT;
    return fits < model->model->config.tile ? (int32_t)fits : model->model->config.tile;
}

/* Network pixel for an input pixel of `sampling`: inside the range its own, up to a factor of 4 outside the nearest bound, else its own
 * with a warning. */
static double choose(const MetasegModel *model, const char *path, double sampling)
{
    const ModelConfig *const c = &model->model->config;
    const char *const unit = model_unit_name(c->gsd_unit);
    if (!isfinite(sampling)) {
        predictor_tell(model, 1, "'%s': its ground sampling distance is unknown; the model was made for %g to %g %s; "
                       "predicting on the input's own grid", path, c->gsd_minimum, c->gsd_maximum, unit);
        return sampling;
    }
    const double slack = 1.001; /* a bound met but for rounding is met */
    if (sampling >= c->gsd_minimum / slack && sampling <= c->gsd_maximum * slack) return sampling;
    const double bound = sampling < c->gsd_minimum ? c->gsd_minimum : c->gsd_maximum;
    const double factor = sampling < bound ? bound / sampling : sampling / bound;
    if (factor <= RESAMPLE_MOST * slack) return bound;
    predictor_tell(model, 1, "'%s': its ground sampling distance is %.4g %s, the model was made for %g to %g %s, more than %d times away; "
                   "predicting on the input's own grid, expect a poor map", path, sampling, unit, c->gsd_minimum,
                   c->gsd_maximum, unit, (int)RESAMPLE_MOST);
    return sampling;
}

Err predictor_grid(const MetasegModel *model, const char *path, int64_t width, int64_t height, double sampling,
                   double resolution, int64_t *ret_width, int64_t *ret_height, double *ret_resolution)
{
    double target = resolution;
    if (resolution > 0.0 && !isfinite(sampling))
        return err_set(ERR_ARGUMENT, "'%s': --resolution needs an image whose ground sampling distance is known", path);
    if (!(resolution > 0.0)) target = choose(model, path, sampling);
    const double ratio = isfinite(target) && isfinite(sampling) ? sampling / target : 1.0;
    const double columns = fmax(1.0, round((double)width * ratio));
    const double rows = fmax(1.0, round((double)height * ratio));
    if (columns * rows > 0x1p46 || ratio > 64.0 || ratio < 1.0 / 64.0)
        return err_set(ERR_ARGUMENT, "'%s': --resolution %g is %g times the image's %g; at most 64 times either way", path,
                       resolution, 1.0 / ratio, sampling);
    *ret_width = (int64_t)columns;
    *ret_height = (int64_t)rows;
    *ret_resolution = target;
    return ERR_NONE;
}
