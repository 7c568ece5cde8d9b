/* SPDX-License-Identifier: Apache-2.0
 * Random choices of blocks, each judged by what it leaves on both sides. */
#include "train/split.h"

#include "base/rng.h"
#include "base/str.h"
#include "geo/georeference.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_SINGLE = 3000, LEAST_TRIES = 16, MOST_TRIES = 256 };

static const double wanted = 0.25;    /* fraction of each class in validation */
static const double good = 0.12;      /* mean distance from that at which no smaller blocks are tried */
static const int64_t work = 20000000; /* pairs of items and boxes that are looked at */
static const double margin = 1e-7;    /* degrees around an item, so that rounding leaves it inside */

typedef struct Box {
    double west, south, east, north;
} Box;

typedef struct Search {
    const SplitItem *items;
    int64_t n;
    int32_t n_classes;
    uint64_t seed;
    int64_t *block; /* [n] of each item */
    int64_t n_blocks;
    Box *boxes;           /* [n_blocks] of the choice; of those not chosen anything */
    bool *chosen;         /* [n_blocks] */
    bool *validation;     /* [n] */
    double *inside, *all; /* [n_classes] pixels */
    int64_t *items_inside, *items_all;
} Search;

static bool touches(const Box *b, const SplitItem *item)
{
    return item->south <= b->north && item->north >= b->south &&
           geo_longitudes_meet(item->west, item->east, b->west, b->east);
}

/* x brought to the turn nearest to another longitude. */
static double near_turn(double x, double to) { return x - 360.0 * floor((x - to) / 360.0 + 0.5); }

static void extend(Box *b, const SplitItem *item, bool first)
{
    const double west = first ? item->west : near_turn(item->west, b->west);
    const double east = west + item->east - item->west;
    b->west = first ? west - margin : fmin(b->west, west - margin);
    b->east = first ? east + margin : fmax(b->east, east + margin);
    b->south = first ? item->south - margin : fmin(b->south, item->south - margin);
    b->north = first ? item->north + margin : fmax(b->north, item->north + margin);
}

/* Cuts the extent of each image's items into side x side blocks; 0: every item is one. */
static void make_blocks(Search *s, int32_t scenes, int64_t side)
{
    s->n_blocks = side > 0 ? (int64_t)scenes * side * side : s->n;
    for (int64_t i = 0; i < s->n && side == 0; i++) s->block[i] = i;
    for (int32_t k = 0; k < scenes && side > 0; k++) {
        double low[2] = { (double)INFINITY, (double)INFINITY };
        double high[2] = { -(double)INFINITY, -(double)INFINITY };
        for (int64_t i = 0; i < s->n; i++) {
            if (s->items[i].scene != k) continue;
            low[0] = fmin(low[0], s->items[i].x);
            low[1] = fmin(low[1], s->items[i].y);
            high[0] = fmax(high[0], s->items[i].x);
            high[1] = fmax(high[1], s->items[i].y);
        }
        for (int64_t i = 0; i < s->n; i++) {
            if (s->items[i].scene != k) continue;
            const double u = (s->items[i].x - low[0]) / fmax(high[0] - low[0], 1e-9) * (double)side;
            const double v = (s->items[i].y - low[1]) / fmax(high[1] - low[1], 1e-9) * (double)side;
            const int64_t column = u >= (double)side ? side - 1 : (int64_t)u;
            const int64_t row = v >= (double)side ? side - 1 : (int64_t)v;
            s->block[i] = (k * side + row) * side + column;
        }
    }
}

/* Chooses blocks, then draws in what their boxes touch until nothing more comes. */
static void choose(Search *s, uint64_t try)
{
    bool grown = true;
    for (int64_t b = 0; b < s->n_blocks; b++) {
        s->chosen[b] = (double)rng_uniform(s->seed, RNG_SAMPLER, try, (uint64_t)b) < wanted;
        s->boxes[b].west = (double)NAN;
    }
    for (int64_t i = 0; i < s->n; i++) {
        s->validation[i] = s->chosen[s->block[i]];
        Box *box = &s->boxes[s->block[i]];
        if (s->validation[i]) extend(box, &s->items[i], isnan(box->west));
    }
    while (grown) {
        grown = false;
        for (int64_t b = 0; b < s->n_blocks; b++) {
            if (!s->chosen[b] || isnan(s->boxes[b].west)) continue;
            for (int64_t i = 0; i < s->n; i++) {
                if (s->validation[i] || !touches(&s->boxes[b], &s->items[i])) continue;
                extend(&s->boxes[b], &s->items[i], false);
                s->validation[i] = grown = true;
            }
        }
    }
}

/* Less is better: classes that a side lacks, then the distance from the wanted fraction. */
static double judge(Search *s, int32_t *ret_missing, double *ret_fraction)
{
    double cost = 0.0;
    double fraction = 0.0;
    int32_t counted = 0;
    *ret_missing = 0;
    memset(s->inside, 0, (size_t)s->n_classes * sizeof *s->inside);
    memset(s->all, 0, (size_t)s->n_classes * sizeof *s->all);
    memset(s->items_inside, 0, (size_t)s->n_classes * sizeof *s->items_inside);
    memset(s->items_all, 0, (size_t)s->n_classes * sizeof *s->items_all);
    for (int64_t i = 0; i < s->n; i++) {
        const int32_t c = s->items[i].class_index;
        s->all[c] += s->items[i].pixels;
        s->items_all[c]++;
        if (!s->validation[i]) continue;
        s->inside[c] += s->items[i].pixels;
        s->items_inside[c]++;
    }
    for (int32_t c = 0; c < s->n_classes; c++) {
        const bool must_learn = s->items_all[c] > 0 && s->items_inside[c] == s->items_all[c];
        const bool must_validate = s->items_all[c] > 1 && s->items_inside[c] == 0;
        if (must_learn) cost += 1000.0;
        if (must_validate) cost += 100.0;
        *ret_missing += must_learn || must_validate;
        if (s->items_all[c] < 2 || must_learn || must_validate) continue;
        const double part = s->inside[c] / s->all[c];
        cost += fabs(part - wanted) / (double)s->n_classes;
        fraction += part;
        counted++;
    }
    *ret_fraction = counted > 0 ? fraction / counted : 0.0;
    return cost;
}

static Err keep(const Search *s, Split *split)
{
    uint32_t n = 0;
    for (uint32_t b = 0; b < split->n_boxes; b++) free(split->boxes[b].name);
    free(split->boxes);
    split->n_boxes = 0;
    for (int64_t b = 0; b < s->n_blocks; b++) n += s->chosen[b] && !isnan(s->boxes[b].west);
    split->boxes = calloc((size_t)n + 1, sizeof *split->boxes);
    if (split->boxes == NULL) return err_memory((size_t)n * sizeof *split->boxes, "the validation boxes");
    for (int64_t b = 0; b < s->n_blocks; b++) {
        const Box *box = &s->boxes[b];
        if (!s->chosen[b] || isnan(box->west)) continue;
        DatasetBox *kept = &split->boxes[split->n_boxes];
        const double turn = box->west < -180.0 ? 360.0 : box->east > 360.0 ? -360.0 : 0.0;
        *kept =
            (DatasetBox){ NULL, box->west + turn, fmax(box->south, -90.0), box->east + turn, fmin(box->north, 90.0) };
        TRY(str_format(&kept->name, "validation %u", (unsigned)++split->n_boxes));
    }
    memcpy(split->validation, s->validation, (size_t)s->n * sizeof *s->validation);
    return ERR_NONE;
}

static Err search(Search *s, int32_t scenes, Split *split)
{
    static const int64_t sides[] = { 3, 5, 8, 0 };
    double best = (double)INFINITY;
    for (int64_t k = 0; k < ARRAY_LEN(sides) && !(best < good); k++) {
        if (sides[k] == 0 && s->n > MOST_SINGLE) break;
        make_blocks(s, scenes, sides[k]);
        const int64_t fit = work / (s->n * s->n_blocks + 1);
        const int64_t tries = fit < LEAST_TRIES ? LEAST_TRIES : fit > MOST_TRIES ? MOST_TRIES : fit;
        for (int64_t t = 0; t < tries; t++) {
            int32_t missing = 0;
            double fraction = 0.0;
            choose(s, (uint64_t)(k * MOST_TRIES + t));
            const double cost = judge(s, &missing, &fraction);
            if (!(cost < best) || fraction == 0.0) continue;
            best = cost;
            split->missing = missing;
            split->fraction = fraction;
            TRY(keep(s, split));
        }
    }
    return ERR_NONE;
}

Err split_items(const SplitItem *items, int64_t n, int32_t n_classes, uint64_t seed, Split *ret_split)
{
    int32_t scenes = 0;
    for (int64_t i = 0; i < n; i++) scenes = items[i].scene >= scenes ? items[i].scene + 1 : scenes;
    const int64_t most = n > (int64_t)scenes * 64 ? n : (int64_t)scenes * 64;
    Search s = { .items = items, .n = n, .n_classes = n_classes, .seed = seed };
    Split split = { .validation = calloc((size_t)n + 1, sizeof(bool)) };
    s.block = calloc((size_t)n + 1, sizeof *s.block);
    s.boxes = calloc((size_t)most + 1, sizeof *s.boxes);
    s.chosen = calloc((size_t)most + 1, sizeof *s.chosen);
    s.validation = calloc((size_t)n + 1, sizeof *s.validation);
    s.inside = calloc(2 * (size_t)n_classes, sizeof *s.inside);
    s.items_inside = calloc(2 * (size_t)n_classes, sizeof *s.items_inside);
    const bool room = split.validation != NULL && s.block != NULL && s.boxes != NULL && s.chosen != NULL &&
                      s.validation != NULL && s.inside != NULL && s.items_inside != NULL;
    Err err = ERR_NONE;
    if (room) {
        s.all = s.inside + n_classes;
        s.items_all = s.items_inside + n_classes;
        err = search(&s, scenes, &split);
    } else {
        err = err_memory((size_t)(n + most) * sizeof(Box), "the choice of validation labels");
    }
    free(s.block);
    free(s.boxes);
    free(s.chosen);
    free(s.validation);
    free(s.inside);
    free(s.items_inside);
    if (err == ERR_NONE)
        *ret_split = split;
    else
        split_done(&split);
    return err;
}

void split_done(Split *split)
{
    for (uint32_t b = 0; b < split->n_boxes; b++) free(split->boxes[b].name);
    free(split->boxes);
    free(split->validation);
    *split = (Split){ 0 };
}
