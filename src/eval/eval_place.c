/* SPDX-License-Identifier: Apache-2.0
 * How two rasters are laid on each other; the rules are in docs/rasters.md, "Comparing with a reference". */
#include "eval/eval_internal.h"

#include <stddef.h>

static bool same_size(const Comparison *c)
{
    return raster_width(c->map) == raster_width(c->truth) && raster_height(c->map) == raster_height(c->truth);
}

static Err refuse_sizes(const Comparison *c, const char *why)
{
    return err_set(ERR_INPUT, "'%s' and '%s': %s, but their sizes differ (%lld x %lld and %lld x %lld)",
                   raster_path(c->map), raster_path(c->truth), why, (long long)raster_width(c->map),
                   (long long)raster_height(c->map), (long long)raster_width(c->truth),
                   (long long)raster_height(c->truth));
}

/* The place of one of them is not known, so they cannot be laid on each other. */
static Err refuse_unknown(const Comparison *c, bool is_map)
{
    const Georeference *g = is_map ? c->map_place : c->truth_place;
    const char *path = raster_path(is_map ? c->map : c->truth), *other = raster_path(is_map ? c->truth : c->map);
    if (georeference_has_grid(g) && !georeference_has_crs(g))
        return err_set(ERR_INPUT,
                       "'%s': no coordinate reference system, while '%s' has one; name it with %s, for example %s "
                       "EPSG:4326",
                       path, other, is_map ? "--crs" : "--truth-crs", is_map ? "--crs" : "--truth-crs");
    return err_set(ERR_INPUT,
                   "'%s': its place is unknown (%s), while that of '%s' is known; give it a geotransform and a "
                   "coordinate reference system (gdal_translate -a_ullr -a_srs), or say --by-pixel when their pixels "
                   "correspond",
                   path, georeference_note(g), other);
}

static Err lay_by_pixel(const Comparison *c)
{
    if (!same_size(c)) return refuse_sizes(c, "their pixels were said to correspond");
    return ERR_NONE;
}

static Err lay_unknown(Comparison *c)
{
    const Georeference *map = c->map_place, *truth = c->truth_place;
    const bool map_known = georeference_kind(map) != GEOREFERENCE_NONE;
    const bool truth_known = georeference_kind(truth) != GEOREFERENCE_NONE;
    if (map_known || truth_known) return refuse_unknown(c, truth_known);
    if (georeference_has_grid(map) != georeference_has_grid(truth))
        return refuse_unknown(c, georeference_has_grid(truth));
    if (georeference_has_grid(map)) { /* both have a geotransform, not of one CRS */
        if (!georeference_has_crs(map) || !georeference_has_crs(truth))
            return refuse_unknown(c, georeference_has_crs(truth));
        return err_set(
            ERR_INPUT,
            "'%s' and '%s': two coordinate reference systems without a place on the Earth (%s; %s) cannot be "
            "laid on each other; name the right ones with --crs and --truth-crs",
            raster_path(c->map), raster_path(c->truth), georeference_note(map), georeference_note(truth));
    }
    if (!same_size(c)) return refuse_sizes(c, "neither says where it lies");
    eval_tell(c, "'%s' and '%s': neither says where it lies, so they are compared pixel by pixel", raster_path(c->map),
              raster_path(c->truth));
    return ERR_NONE;
}

static Err lay_lonlat(Comparison *c)
{
    if (c->options->n_boxes == 0 && c->climate == NULL) return ERR_NONE;
    if (georeference_kind(c->truth_place) == GEOREFERENCE_NONE)
        return err_set(ERR_INPUT, "'%s': boxes and zones need to know where it lies (%s)", raster_path(c->truth),
                       georeference_note(c->truth_place));
    return place_lookup_new(c->truth_place, NULL, &c->lonlat);
}

Err eval_lay(Comparison *c)
{
    TRY(lay_lonlat(c));
    if (c->options->by_pixel) return lay_by_pixel(c);
    if (georeference_same_points(c->map_place, c->truth_place) && same_size(c)) return ERR_NONE;
    const bool known =
        georeference_kind(c->map_place) != GEOREFERENCE_NONE && georeference_kind(c->truth_place) != GEOREFERENCE_NONE;
    if (known || georeference_same_crs(c->map_place, c->truth_place))
        return place_lookup_new(c->truth_place, c->map_place, &c->lookup);
    return lay_unknown(c);
}
