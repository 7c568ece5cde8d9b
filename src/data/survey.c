/* SPDX-License-Identifier: Apache-2.0
 * Places and numbers of scenes. */
#include "data/survey.h"

#include "base/grow.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NODES = 32, MOST_OVERLAPS = 10000 };

static const double saturated_part = 0.05;
static const double radians_per_degree = 0.017453292519943295769;

Err survey_init(const DatasetOptions *options, Survey *ret_survey)
{
    SceneSurvey *scenes = calloc((size_t)options->n_scenes + 1, sizeof *scenes);
    if (scenes == NULL) return err_memory(options->n_scenes * sizeof *scenes, "what is told of the scenes");
    *ret_survey = (Survey){ .options = options, .scenes = scenes };
    return ERR_NONE;
}

void survey_done(Survey *survey)
{
    free(survey->scenes);
    free(survey->overlaps);
    *survey = (Survey){ 0 };
}

/* ---- bands ---- */

static uint32_t suspect(const SampledBand *values)
{
    if (values->low == values->high) return BAND_CONSTANT;
    return values->at_high >= saturated_part ? BAND_SATURATED : 0;
}

/* A pixel is invalid where one of its bands is: which bands have no valid pixel is told by each alone. */
static Err find_invalid(SceneSurvey *s, const DatasetScene *scene, const DatasetOptions *o, const MetasegRun *run)
{
    bool some = false;
    for (int32_t b = 0; b < s->n_bands && s->n_bands > 1; b++) {
        char number[16];
        ImageSource *alone = NULL;
        ImageSample sample = { 0 };
        (void)snprintf(number, sizeof number, "%d", (int)s->bands[b].number);
        const ImageSourceOptions options = { .bands = number,
                                             .crs = scene->crs,
                                             .mask = scene->mask,
                                             .mask_values = scene->mask_values,
                                             .stop = run != NULL ? run->stop : NULL };
        TRY(image_source_open(scene->image, &options, &alone));
        const ImageBand band = dataset_image_band(o, b, 0.0, 1.0);
        Err err = o->n_surface_scale > 0 ? image_source_set_level(alone, scene->level, NULL) : ERR_NONE;
        if (err == ERR_NONE) err = image_sample_read(alone, &band, &sample);
        image_source_close(alone);
        TRY(err);
        if (sample.count == 0) {
            s->bands[b].suspicions |= BAND_INVALID;
            some = true;
        } else {
            s->bands[b].values = image_sample_band(&sample, 0);
            s->bands[b].suspicions |= suspect(&s->bands[b].values);
        }
        image_sample_done(&sample);
    }
    for (int32_t b = 0; b < s->n_bands && !some; b++) s->bands[b].suspicions |= BAND_INVALID;
    return ERR_NONE;
}

static void look_at_bands(SceneSurvey *s, ImageSample *sample)
{
    for (int32_t b = 0; b < s->n_bands; b++) s->bands[b].equal = (int32_t)image_sample_same(sample, b);
    for (int32_t b = 0; b < s->n_bands; b++) {
        BandSurvey *band = &s->bands[b];
        band->values = image_sample_band(sample, b);
        band->suspicions = suspect(&band->values);
        /* two constant bands are constant, no more */
        if (band->equal >= 0 && (band->suspicions & BAND_CONSTANT) == 0) band->suspicions |= BAND_EQUAL;
    }
}

static Err survey_bands(Survey *v, SceneSurvey *s, const ImageSource *image, uint32_t index, const MetasegRun *run)
{
    ImageSample sample = { 0 };
    const int64_t n = raster_chosen_count(image->raster);
    s->n_bands = (int32_t)(n < MODEL_MAX_BANDS ? n : MODEL_MAX_BANDS);
    for (int32_t b = 0; b < s->n_bands; b++) {
        BandSurvey *band = &s->bands[b];
        band->number = (int32_t)raster_chosen_band(image->raster, b);
        (void)snprintf(band->name, sizeof band->name, "%s", raster_band_common_name(image->raster, band->number));
        (void)snprintf(band->type, sizeof band->type, "%s", raster_band_type(image->raster, band->number));
    }
    ImageBand *bands = malloc((size_t)n * sizeof *bands);
    if (bands == NULL) return err_memory((size_t)n * sizeof *bands, "the bands of a scene");
    for (int64_t b = 0; b < n; b++) bands[b] = dataset_image_band(v->options, b, 0.0, 1.0);
    const Err err = image_sample_read(image, bands, &sample);
    free(bands);
    TRY(err);
    s->valid = (double)sample.count / (double)sample.looked;
    if (sample.count > 0) look_at_bands(s, &sample);
    const bool none = sample.count == 0;
    image_sample_done(&sample);
    return none ? find_invalid(s, &v->options->scenes[index], v->options, run) : ERR_NONE;
}

static double pixel_metres(const Scene *scene, const DatasetOptions *o)
{
    const double metres = georeference_sampling(scene->image->place).metres;
    if (isfinite(metres)) return metres;
    return o->gsd > 0.0 && o->gsd_unit == MODEL_METRE ? o->gsd : (double)NAN;
}

double survey_ground(const Scene *scene, const DatasetOptions *o)
{
    const double metres_per_degree = 111319.490793; /* a degree of the equator of WGS 84 */
    const RasterInfo *info = raster_info(scene->image->raster);
    const GroundSampling g = georeference_sampling(scene->image->place);
    const double side = pixel_metres(scene, o);
    Footprint f;
    /* degrees of longitude are shorter towards the poles: of a large image the middle is no measure */
    if (isfinite(g.degrees) && georeference_footprint(scene->image->place, &f))
        return metres_per_degree * metres_per_degree * g.degrees_x * (double)info->width *
               (sin(f.north * radians_per_degree) - sin(f.south * radians_per_degree)) / radians_per_degree;
    return side * side * (double)info->width * (double)info->height;
}

Err survey_scene(Survey *survey, Scene *scene, uint32_t index, const Climate *climate, const MetasegRun *run)
{
    SceneSurvey *s = &survey->scenes[index];
    ImageSource *image = scene->image;
    const RasterInfo *info = raster_info(image->raster);
    *s = (SceneSurvey){ .opened = true, .width = info->width, .height = info->height };
    s->metres = pixel_metres(scene, survey->options);
    s->square_metres = survey_ground(scene, survey->options);
    s->placed = georeference_footprint(image->place, &s->footprint);
    s->features = scene->labels->vector != NULL ? vector_labels_feature_count(scene->labels->vector) : -1;
    if (climate != NULL && (s->placed || image->zone_place != NULL))
        zone_image_shares(climate, image_source_zone_place(image), zone_share_defaults().coast_km, s->zones);
    TRY(raster_set_grid(image->raster, info->width, info->height));
    TRY(survey_bands(survey, s, image, index, run));
    return raster_set_grid(image->raster, scene->width, scene->height);
}

void survey_expect(Survey *survey, const ImageBand *bands, int64_t n_bands)
{
    for (uint32_t i = 0; i < survey->options->n_scenes; i++) {
        SceneSurvey *s = &survey->scenes[i];
        for (int32_t b = 0; b < s->n_bands && b < n_bands; b++) {
            BandSurvey *band = &s->bands[b];
            band->wanted = image_expected(&bands[b]);
            band->expected = true;
            if ((band->suspicions & BAND_INVALID) == 0 &&
                (image_is_far(&band->values, band->wanted) || image_is_tiny(&band->values, band->wanted)))
                band->suspicions |= BAND_UNEXPECTED;
        }
    }
}

/* ---- overlaps ---- */

/* A footprint's outline in a plane: degrees, or around a pole Lambert's azimuthal equal-area projection of the sphere. */
typedef struct Outline {
    double x[FOOTPRINT_POINTS], y[FOOTPRINT_POINTS];
    double pole; /* 1 north, -1 south, 0: degrees */
    double west; /* the lowest longitude, on whatever turn */
} Outline;

static void to_plane(double pole, double *x, double *y)
{
    const double r = sin(0.5 * (90.0 - pole * *y) * radians_per_degree), lon = *x * radians_per_degree;
    *x = r * cos(lon);
    *y = r * sin(lon);
}

static Outline outline_of(const Footprint *f)
{
    Outline o = { .pole = !f->contains_pole ? 0.0 : f->north > -f->south ? 1.0 : -1.0, .west = f->lon[0] };
    for (int32_t i = 0; i < FOOTPRINT_POINTS; i++) {
        o.x[i] = f->lon[i];
        o.y[i] = f->lat[i];
        o.west = fmin(o.west, f->lon[i]);
        if (o.pole != 0.0) to_plane(o.pole, &o.x[i], &o.y[i]);
    }
    return o;
}

/* Whether a place lies inside an outline, by the crossings of a ray. */
static bool inside(const Outline *o, double lon, double lat)
{
    bool in = false;
    double x = lon - 360.0 * floor((lon - o->west) / 360.0), y = lat;
    if (o->pole != 0.0) to_plane(o->pole, &x, &y);
    for (int32_t i = 0, k = FOOTPRINT_POINTS - 1; i < FOOTPRINT_POINTS; k = i++) {
        if ((o->x[i] > x) == (o->x[k] > x)) continue;
        const double at = o->y[i] + (x - o->x[i]) / (o->x[k] - o->x[i]) * (o->y[k] - o->y[i]);
        in = in != (y < at);
    }
    return in;
}

/* Area between meridians and parallels, on a sphere. */
static double ground(double west, double south, double east, double north)
{
    const bool any = west < east && south < north;
    return any ? (east - west) * (sin(north * radians_per_degree) - sin(south * radians_per_degree)) : 0.0;
}

/* Of it what lies in both outlines, by places of a grid of equal areas. */
static double ground_inside(double west, double south, double east, double north, const Outline *a, const Outline *b)
{
    const double low = sin(south * radians_per_degree), high = sin(north * radians_per_degree);
    const double all = ground(west, south, east, north);
    int64_t n = 0;
    for (int64_t i = 0; i < (int64_t)NODES * NODES && all > 0.0; i++) {
        const double lon = west + ((double)(i % NODES) + 0.5) / NODES * (east - west);
        const double lat = asin(low + ((double)(i / NODES) + 0.5) / NODES * (high - low)) / radians_per_degree;
        n += inside(a, lon, lat) && inside(b, lon, lat);
    }
    return all * (double)n / ((double)NODES * NODES);
}

/* What two scenes share, as a part of the smaller one. Across the date line a box lies on two turns of another. */
static double shared_part(const Footprint *a, const Footprint *b)
{
    const Outline of_a = outline_of(a), of_b = outline_of(b);
    const double smaller = fmin(ground_inside(a->west, a->south, a->east, a->north, &of_a, &of_a),
                                ground_inside(b->west, b->south, b->east, b->north, &of_b, &of_b));
    double both = 0.0;
    for (int32_t turn = -360; turn <= 360; turn += 360)
        both += ground_inside(fmax(a->west, b->west + turn), fmax(a->south, b->south), fmin(a->east, b->east + turn),
                              fmin(a->north, b->north), &of_a, &of_b);
    return smaller > 0.0 ? fmin(1.0, both / smaller) : 0.0;
}

static Err add_overlap(Survey *v, Overlap overlap)
{
    if (v->n_overlaps >= MOST_OVERLAPS) return ERR_NONE;
    TRY(grow_array(&v->overlaps, v->n_overlaps, &v->capacity, sizeof *v->overlaps, "the overlaps"));
    v->overlaps[v->n_overlaps++] = overlap;
    return ERR_NONE;
}

static Err overlap_scenes(Survey *v)
{
    const double least = 1e-6;
    const DatasetOptions *o = v->options;
    const bool blocks = dataset_validation_places(o) == VALIDATION_BLOCKS;
    for (uint32_t i = 0; i < o->n_scenes; i++) {
        for (uint32_t k = i + 1; k < o->n_scenes; k++) {
            if (!v->scenes[i].placed || !v->scenes[k].placed) continue;
            const Footprint *a = &v->scenes[i].footprint;
            const Footprint *b = &v->scenes[k].footprint;
            if (a->south >= b->north || b->south >= a->north ||
                !geo_longitudes_meet(a->west, a->east, b->west, b->east))
                continue;
            const double share = shared_part(a, b);
            /* blocks are chosen in each scene by itself */
            const bool train = o->scenes[i].split == SCENE_TRAIN && o->scenes[k].split == SCENE_TRAIN;
            const bool leaks = o->scenes[i].split != o->scenes[k].split || (blocks && train);
            if (share > least) TRY(add_overlap(v, (Overlap){ false, i, k, share, leaks }));
        }
    }
    return ERR_NONE;
}

static Err overlap_boxes(Survey *v)
{
    const DatasetOptions *o = v->options;
    for (uint32_t i = 0; i < o->n_validation; i++) {
        for (uint32_t k = 0; k < o->n_holdout; k++) {
            const DatasetBox *a = &o->validation[i];
            const DatasetBox *b = &o->holdout[k];
            double both = 0.0;
            for (int32_t turn = -360; turn <= 360; turn += 360)
                both += ground(fmax(a->west, b->west + turn), fmax(a->south, b->south), fmin(a->east, b->east + turn),
                               fmin(a->north, b->north));
            const double smaller =
                fmin(ground(a->west, a->south, a->east, a->north), ground(b->west, b->south, b->east, b->north));
            if (both > 0.0) TRY(add_overlap(v, (Overlap){ true, i, k, fmin(1.0, both / smaller), false }));
        }
    }
    return ERR_NONE;
}

Err survey_overlaps(Survey *survey)
{
    TRY(overlap_scenes(survey));
    return overlap_boxes(survey);
}
