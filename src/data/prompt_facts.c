/* SPDX-License-Identifier: Apache-2.0
 * Facts and zones of a place joined with the prompt bank. */
#include "data/prompt_facts.h"

#include "geo/zone_shares.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CHANNELS = CLIMATE_ZONES + 1, BOX_SIDE = 64 };

PromptFacts prompt_facts_of(const Metadata *metadata, int32_t zone)
{
    return (PromptFacts){
        .zone = zone,
        .has_season = metadata->has_season,
        .season = metadata->season,
        .hemisphere = metadata->is_south ? PROMPT_SOUTH : PROMPT_NORTH,
        .gsd_metres = metadata->sampling.metres,
        .has_sensor = metadata->sensor != SENSOR_UNKNOWN,
        .sensor = metadata->sensor,
    };
}

static void set_unknown(double *shares)
{
    memset(shares, 0, CHANNELS * sizeof *shares);
    shares[CLIMATE_NONE] = 1.0;
}

static void point_shares(const Climate *climate, PlacePrompts *place, double *shares)
{
    memset(shares, 0, CHANNELS * sizeof *shares);
    shares[climate_zone_near(climate, place->metadata.lon, place->metadata.lat, zone_share_defaults().coast_km,
                             &place->land_kilometres)] = 1.0;
}

/* 64 x 64 places of equal area: even steps of longitude and of the latitude's sine. */
static void box_shares(const Climate *climate, const double box[4], double *shares)
{
    const double radians_per_degree = 0.017453292519943295769;
    const double south = sin(box[1] * radians_per_degree), north = sin(box[3] * radians_per_degree);
    double lon[BOX_SIDE], lat[BOX_SIDE], row[CHANNELS];
    memset(shares, 0, CHANNELS * sizeof *shares);
    for (int i = 0; i < BOX_SIDE; i++) {
        for (int k = 0; k < BOX_SIDE; k++) {
            lon[k] = box[0] + (box[2] - box[0]) * ((double)k + 0.5) / BOX_SIDE;
            lat[k] = asin(south + (north - south) * ((double)i + 0.5) / BOX_SIDE) / radians_per_degree;
        }
        climate_point_shares(climate, BOX_SIDE, lon, lat, zone_share_defaults().coast_km, row);
        for (int zone = 0; zone < CHANNELS; zone++) shares[zone] += row[zone] / BOX_SIDE;
    }
}

static Err read_point(const PlaceQuery *query, const Climate *climate, PlacePrompts *place, double *shares)
{
    const MetadataOverrides overrides = { .lonlat = query->lonlat, .date = query->date, .sensor = query->sensor };
    TRY(metadata_read(NULL, NULL, &overrides, &place->metadata));
    point_shares(climate, place, shares);
    return ERR_NONE;
}

static Err read_box(const PlaceQuery *query, const Climate *climate, PlacePrompts *place, double *shares)
{
    double box[4];
    char middle[80];
    TRY(geo_parse_bbox(query->bbox, box));
    (void)snprintf(middle, sizeof middle, "%.9f,%.9f", 0.5 * (box[0] + box[2]), 0.5 * (box[1] + box[3]));
    const MetadataOverrides overrides = { .lonlat = middle, .date = query->date, .sensor = query->sensor };
    Metadata *m = &place->metadata;
    TRY(metadata_read(NULL, NULL, &overrides, m));
    (void)snprintf(m->facts[0].source, sizeof m->facts[0].source, "middle of the box given by hand");
    m->has_footprint = true;
    m->footprint = (Footprint){
        .west = box[0], .south = box[1], .east = box[2], .north = box[3], .center_lon = m->lon, .center_lat = m->lat
    };
    for (int i = 0; i < FOOTPRINT_POINTS; i++) { /* clockwise from the north-western corner */
        const int side = i / (FOOTPRINT_POINTS / 4);
        const double t = (double)(i % (FOOTPRINT_POINTS / 4)) / (FOOTPRINT_POINTS / 4);
        const double across[] = { t, 1.0, 1.0 - t, 0.0 }, down[] = { 0.0, t, 1.0, 1.0 - t };
        m->footprint.lon[i] = box[0] + across[side] * (box[2] - box[0]);
        m->footprint.lat[i] = box[3] - down[side] * (box[3] - box[1]);
    }
    if (m->n_facts < METADATA_FACTS_MAX) {
        Fact *fact = &m->facts[m->n_facts++];
        (void)snprintf(fact->name, sizeof fact->name, "footprint");
        (void)snprintf(fact->value, sizeof fact->value, "%.5f to %.5f E, %.5f to %.5f N", box[0], box[2], box[1],
                       box[3]);
        (void)snprintf(fact->source, sizeof fact->source, "given by hand");
    }
    box_shares(climate, box, shares);
    return ERR_NONE;
}

static Err read_open_image(const PlaceQuery *query, const Raster *raster, Georeference *georeference,
                           const Climate *climate, PlacePrompts *place, double *shares)
{
    const MetadataOverrides overrides = { .lonlat = query->lonlat, .date = query->date, .sensor = query->sensor };
    const bool placed = georeference_kind(georeference) != GEOREFERENCE_NONE;
    if (placed && query->lonlat != NULL)
        return err_set(ERR_ARGUMENT,
                       "'%s': has a georeference of its own; a position by hand is for images without one",
                       query->image);
    TRY(metadata_read(raster, georeference, &overrides, &place->metadata));
    if (placed)
        zone_image_shares(climate, georeference, zone_share_defaults().coast_km, shares);
    else if (query->lonlat != NULL)
        point_shares(climate, place, shares);
    else
        set_unknown(shares);
    return ERR_NONE;
}

static Err read_image(const PlaceQuery *query, const Climate *climate, PlacePrompts *place, double *shares)
{
    Raster *raster = NULL;
    Georeference *georeference = NULL;
    Err err = raster_open(query->image, query->stop, &raster);
    if (err == ERR_NONE) err = georeference_open(raster, query->crs, &georeference);
    if (err == ERR_NONE) err = read_open_image(query, raster, georeference, climate, place, shares);
    georeference_free(georeference);
    raster_close(raster);
    return err;
}

static int by_share(const void *a, const void *b)
{
    const ZonePrompt *x = a, *y = b;
    if (x->share != y->share) return x->share < y->share ? 1 : -1;
    return (x->zone > y->zone) - (x->zone < y->zone);
}

static Err compose(const PromptBank *bank, const double *shares, PlacePrompts *place)
{
    place->null_share = shares[CLIMATE_NONE];
    for (int32_t zone = 1; zone <= CLIMATE_ZONES; zone++)
        if (shares[zone] > 0.0) place->zones[place->n_zones++] = (ZonePrompt){ .zone = zone, .share = shares[zone] };
    qsort(place->zones, (size_t)place->n_zones, sizeof place->zones[0], by_share);
    for (int32_t i = 0; i < place->n_zones; i++) {
        const PromptFacts facts = prompt_facts_of(&place->metadata, place->zones[i].zone);
        TRY(prompt_compose(bank, &facts, &place->zones[i].prompt));
    }
    return ERR_NONE;
}

Err place_prompts_collect(const PlaceQuery *query, const Climate *climate, const PromptBank *bank,
                          PlacePrompts *ret_place)
{
    double shares[CHANNELS];
    PlacePrompts *place = calloc(1, sizeof *place);
    if (place == NULL) return err_memory(sizeof *place, "the prompts of a place");
    Err err = ERR_NONE;
    if (query->bbox != NULL && (query->image != NULL || query->lonlat != NULL))
        err = err_set(ERR_ARGUMENT, "a box stands for itself; give either an image, a position or a box");
    else if (query->image != NULL)
        err = read_image(query, climate, place, shares);
    else if (query->lonlat != NULL)
        err = read_point(query, climate, place, shares);
    else if (query->bbox != NULL)
        err = read_box(query, climate, place, shares);
    else
        err = err_set(ERR_ARGUMENT, "no place was given; give an image, a position or a box");
    if (err == ERR_NONE) err = compose(bank, shares, place);
    if (err == ERR_NONE)
        *ret_place = *place;
    else
        place_prompts_done(place);
    free(place);
    return err;
}

void place_prompts_done(PlacePrompts *place)
{
    for (int32_t i = 0; i < place->n_zones; i++) prompt_done(&place->zones[i].prompt);
    place->n_zones = 0;
}

Err place_prompts_tokenize(const Tokenizer *tokenizer, PlacePrompts *place)
{
    for (int32_t i = 0; i < place->n_zones; i++)
        TRY(prompt_tokenize(tokenizer, PROMPT_TOKENS_MAX, &place->zones[i].prompt));
    return ERR_NONE;
}
