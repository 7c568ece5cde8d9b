/* SPDX-License-Identifier: Apache-2.0
 * Comparison of a class map with a reference raster of any grid. */
#include "metaseg/eval.h"

#include "base/file.h"
#include "base/json.h"
#include "base/str.h"
#include "eval/confusion.h"
#include "geo/climate.h"
#include "geo/georeference.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { VALUES = CONFUSION_MAX_CLASSES, ROWS_AT_ONCE = 64 };

typedef struct Comparison {
    const MetasegEvalOptions *options;
    const MetasegRun *run;
    Raster *prediction, *truth;
    Georeference *prediction_place, *truth_place;
    Climate *climate;
    Confusion all;
    Confusion zones[CLIMATE_ZONES + 1]; /* n NULL until a zone occurs */
    bool excluded[VALUES];
    double *lon, *lat, *x, *y; /* one row of the truth */
    float *truth_values, *prediction_values;
    uint8_t *truth_valid, *prediction_valid;
    int64_t prediction_capacity;
} Comparison;

MetasegEvalOptions metaseg_eval_options_defaults(void) { return (MetasegEvalOptions){ .ignore = 255 }; }

static Err open_one(const char *path, const char *crs, Raster **ret_raster, Georeference **ret_place)
{
    TRY(raster_open(path, ret_raster));
    TRY(raster_choose_bands(*ret_raster, "1", 1, NULL));
    return georeference_open(*ret_raster, crs, ret_place);
}

static Err open_climate(Comparison *c)
{
    if (!c->options->by_zone) return ERR_NONE;
    if (c->run == NULL || c->run->data_folder == NULL)
        return err_set(ERR_ARGUMENT, "figures by zone need the data folder with koppen_geiger.bin");
    char *path = NULL;
    TRY(path_join(c->run->data_folder, "koppen_geiger.bin", &path));
    const Err err = climate_open(path, &c->climate);
    free(path);
    return err;
}

static Err open_all(Comparison *c, const char *prediction, const char *truth)
{
    TRY(open_one(prediction, NULL, &c->prediction, &c->prediction_place));
    TRY(open_one(truth, c->options->truth_crs, &c->truth, &c->truth_place));
    TRY(open_climate(c));
    TRY(confusion_init(&c->all, VALUES));
    for (int64_t i = 0; i < c->options->n_exclude; i++) {
        const int32_t code = c->options->exclude[i];
        if (code < 0 || code >= VALUES) return err_set(ERR_ARGUMENT, "class %d is outside 0..254", (int)code);
        c->excluded[code] = true;
    }
    const size_t width = (size_t)raster_width(c->truth);
    c->lon = malloc(4 * width * sizeof *c->lon);
    c->truth_values = malloc(width * (sizeof(float) + 1));
    if (c->lon == NULL || c->truth_values == NULL) return err_memory(width * 37, "a row of the truth");
    c->lat = c->lon + width;
    c->x = c->lat + width;
    c->y = c->x + width;
    c->truth_valid = (uint8_t *)(c->truth_values + width);
    return ERR_NONE;
}

static void close_all(Comparison *c)
{
    raster_close(c->prediction);
    raster_close(c->truth);
    georeference_free(c->prediction_place);
    georeference_free(c->truth_place);
    climate_close(c->climate);
    confusion_done(&c->all);
    for (int32_t z = 0; z <= CLIMATE_ZONES; z++) confusion_done(&c->zones[z]);
    free(c->lon);
    free(c->truth_values);
    free(c->prediction_values);
}

static bool inside(const MetasegEvalOptions *o, double lon, double lat)
{
    if (o->n_boxes == 0) return true;
    for (int64_t i = 0; i < o->n_boxes; i++) {
        const MetasegBox *b = &o->boxes[i];
        if (lat < b->south || lat > b->north) continue;
        if (geo_longitudes_meet(lon, lon, b->west, b->east)) return true;
    }
    return false;
}

/* Places of the pixels of a truth row, and where they lie in the prediction (NaN: outside of it or of the boxes).
 * Without any georeference on one side both must have the same size, and pixels correspond. */
static Err locate(Comparison *c, int64_t row)
{
    const int64_t width = raster_width(c->truth);
    for (int64_t i = 0; i < width; i++) {
        c->lon[i] = (double)i + 0.5;
        c->lat[i] = (double)row + 0.5;
    }
    const bool placed = georeference_kind(c->prediction_place) != GEOREFERENCE_NONE &&
                        georeference_kind(c->truth_place) != GEOREFERENCE_NONE;
    memcpy(c->x, c->lon, (size_t)width * sizeof *c->x);
    memcpy(c->y, c->lat, (size_t)width * sizeof *c->y);
    if (!placed) {
        if (raster_width(c->prediction) != width || raster_height(c->prediction) != raster_height(c->truth))
            return err_set(ERR_INPUT, "'%s' and '%s': one has no georeference and their sizes differ",
                           raster_path(c->prediction), raster_path(c->truth));
        if (c->options->n_boxes > 0 || c->climate != NULL)
            return err_set(ERR_INPUT, "boxes and zones need a georeference of both rasters");
        return ERR_NONE;
    }
    georeference_to_lonlat(c->truth_place, width, c->lon, c->lat);
    memcpy(c->x, c->lon, (size_t)width * sizeof *c->x);
    memcpy(c->y, c->lat, (size_t)width * sizeof *c->y);
    for (int64_t i = 0; i < width; i++) {
        if (!inside(c->options, c->lon[i], c->lat[i])) c->x[i] = c->y[i] = (double)NAN;
    }
    georeference_to_pixel(c->prediction_place, width, c->x, c->y);
    return ERR_NONE;
}

/* The part of the prediction that a truth row touches. */
static RasterWindow needed(const Comparison *c)
{
    const double width = (double)raster_width(c->prediction);
    const double height = (double)raster_height(c->prediction);
    double x0 = width;
    double x1 = -1.0;
    double y0 = height;
    double y1 = -1.0;
    for (int64_t i = 0; i < raster_width(c->truth); i++) {
        if (!(c->x[i] >= 0.0 && c->x[i] < width && c->y[i] >= 0.0 && c->y[i] < height)) continue;
        x0 = fmin(x0, floor(c->x[i]));
        x1 = fmax(x1, floor(c->x[i]));
        y0 = fmin(y0, floor(c->y[i]));
        y1 = fmax(y1, floor(c->y[i]));
    }
    if (x1 < x0) return (RasterWindow){ 0 };
    return (RasterWindow){
        .x = (int64_t)x0, .y = (int64_t)y0, .columns = (int64_t)(x1 - x0) + 1, .rows = (int64_t)(y1 - y0) + 1
    };
}

static Err read_prediction(Comparison *c, RasterWindow w)
{
    const int64_t pixels = w.columns * w.rows;
    if (pixels > c->prediction_capacity) {
        free(c->prediction_values);
        c->prediction_capacity = 0;
        c->prediction_values = malloc((size_t)pixels * (sizeof(float) + 1));
        if (c->prediction_values == NULL) return err_memory((size_t)pixels * 5, "a part of the prediction");
        c->prediction_capacity = pixels;
    }
    c->prediction_valid = (uint8_t *)(c->prediction_values + c->prediction_capacity);
    return raster_read(c->prediction, w, c->prediction_values, c->prediction_valid);
}

static uint8_t class_value(float value, uint8_t valid)
{
    return valid != 0 && value >= 0.0F && value < (float)VALUES && value == floorf(value) ? (uint8_t)value : 255;
}

static Err count_row(Comparison *c, RasterWindow w)
{
    for (int64_t i = 0; i < raster_width(c->truth); i++) {
        const double column = floor(c->x[i]) - (double)w.x;
        const double row = floor(c->y[i]) - (double)w.y;
        if (!(column >= 0.0 && column < (double)w.columns && row >= 0.0 && row < (double)w.rows)) continue;
        const uint8_t truth = class_value(c->truth_values[i], c->truth_valid[i]);
        const int64_t at = (int64_t)row * w.columns + (int64_t)column;
        const uint8_t prediction = class_value(c->prediction_values[at], c->prediction_valid[at]);
        if (truth == 255 || truth == c->options->ignore || prediction == 255) continue;
        confusion_add(&c->all, &truth, &prediction, 1);
        if (c->climate == NULL) continue;
        Confusion *zone = &c->zones[climate_zone_at(c->climate, c->lon[i], c->lat[i])];
        if (zone->n == NULL) TRY(confusion_init(zone, VALUES));
        confusion_add(zone, &truth, &prediction, 1);
    }
    return ERR_NONE;
}

static Err compare_rows(Comparison *c)
{
    const int64_t height = raster_height(c->truth);
    for (int64_t row = 0; row < height; row++) {
        if (c->run != NULL && c->run->stop != NULL && *c->run->stop != 0)
            return err_set(ERR_INTERRUPTED, "stopped; nothing was written");
        TRY(locate(c, row));
        const RasterWindow w = needed(c);
        if (w.columns > 0) {
            TRY(raster_read(c->truth, (RasterWindow){ .x = 0, .y = row, .columns = raster_width(c->truth), .rows = 1 },
                            c->truth_values, c->truth_valid));
            TRY(read_prediction(c, w));
            TRY(count_row(c, w));
        }
        if (c->run != NULL && c->run->progress != NULL && ((row + 1) % ROWS_AT_ONCE == 0 || row + 1 == height))
            c->run->progress(c->run->context, row + 1, height, NULL);
    }
    return ERR_NONE;
}

typedef struct LineSink {
    void (*line)(void *context, const char *text);
    void *context;
} LineSink;

static void print_line(LineSink sink, const char *format, ...) PRINTF_LIKE(2, 3);
static void print_line(LineSink sink, const char *format, ...)
{
    if (sink.line == NULL) return;
    char text[256];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    sink.line(sink.context, text);
}

static const char *class_name(const Comparison *c, int32_t code)
{
    return raster_class_name(c->prediction, code); /* "" where the map has no names */
}

static void print_table(const Comparison *c, const Metrics *m, LineSink sink)
{
    print_line(sink, "%5s  %-42s %12s %7s %7s %9s %7s", "class", "name", "pixels", "IoU", "F1", "precision", "recall");
    for (int32_t k = 0; k < VALUES; k++) {
        const ClassMetrics *p = &m->per_class[k];
        if (p->truth == 0 && p->predicted == 0) continue;
        print_line(sink, "%5d  %-42s %12lld %7.2f %7.2f %9.2f %7.2f%s", (int)k, class_name(c, k), (long long)p->truth,
                   100 * p->iou, 100 * p->f1, 100 * p->precision, 100 * p->recall,
                   p->counted ? "" : "  not in the means");
    }
    print_line(sink, "mIoU (macro, %d classes) %.2f %%", (int)m->counted_classes, 100 * m->miou);
    print_line(sink, "mF1 (macro) %.2f %%", 100 * m->mf1);
    print_line(sink, "OA %.2f %%", 100 * m->overall_accuracy);
    print_line(sink, "kappa %.4f", m->kappa);
    print_line(sink, "pixels %lld", (long long)m->pixels);
}

static void print_zones(const Comparison *c, LineSink sink)
{
    if (c->climate == NULL) return;
    print_line(sink, "%s", "");
    print_line(sink, "%5s  %12s %8s %8s", "zone", "pixels", "mIoU", "OA");
    for (int32_t z = 0; z <= CLIMATE_ZONES; z++) {
        if (c->zones[z].n == NULL) continue;
        Metrics m;
        confusion_metrics(&c->zones[z], c->options->minimum_share, c->excluded, &m);
        if (m.pixels == 0) continue;
        print_line(sink, "%5s  %12lld %8.2f %8.2f", climate_zone_name(z), (long long)m.pixels, 100 * m.miou,
                   100 * m.overall_accuracy);
    }
}

static void put_metrics(JsonWriter *w, const Comparison *c, const Confusion *confusion)
{
    Metrics m;
    confusion_metrics(confusion, c->options->minimum_share, c->excluded, &m);
    json_put_int(w, "pixels", m.pixels);
    json_put_double(w, "miou_macro", m.miou);
    json_put_double(w, "mf1_macro", m.mf1);
    json_put_double(w, "overall_accuracy", m.overall_accuracy);
    json_put_double(w, "kappa", m.kappa);
    json_begin_array(w, "classes");
    for (int32_t k = 0; k < VALUES; k++) {
        const ClassMetrics *p = &m.per_class[k];
        if (p->truth == 0 && p->predicted == 0) continue;
        json_begin_object(w, NULL);
        json_put_int(w, "value", k);
        json_put_string(w, "name", class_name(c, k));
        json_put_int(w, "truth", p->truth);
        json_put_int(w, "predicted", p->predicted);
        json_put_double(w, "iou", p->iou);
        json_put_double(w, "f1", p->f1);
        json_put_double(w, "precision", p->precision);
        json_put_double(w, "recall", p->recall);
        json_put_bool(w, "counted", p->counted);
        json_end(w);
    }
    json_end(w);
}

static Err write_json(const Comparison *c)
{
    if (c->options->json == NULL) return ERR_NONE;
    JsonWriter w = { .pretty = true };
    json_begin_object(&w, NULL);
    json_put_string(&w, "prediction", raster_path(c->prediction));
    json_put_string(&w, "truth", raster_path(c->truth));
    put_metrics(&w, c, &c->all);
    if (c->climate != NULL) {
        json_begin_object(&w, "zones");
        for (int32_t z = 0; z <= CLIMATE_ZONES; z++) {
            if (c->zones[z].n == NULL) continue;
            json_begin_object(&w, climate_zone_name(z));
            put_metrics(&w, c, &c->zones[z]);
            json_end(&w);
        }
        json_end(&w);
    }
    json_end(&w);
    char *text = NULL;
    TRY(json_take(&w, &text));
    const Err err = file_write(c->options->json, text, strlen(text), c->options->overwrite);
    free(text);
    return err;
}

/* The confusion matrix: one row per truth class, one column per predicted class, those that occur. */
static Err write_csv(const Comparison *c)
{
    if (c->options->csv == NULL) return ERR_NONE;
    bool used[VALUES] = { false };
    for (int32_t i = 0; i < VALUES * VALUES; i++) {
        if (c->all.n[i] > 0) used[i / VALUES] = used[i % VALUES] = true;
    }
    Str text = { 0 };
    str_add(&text, "truth\\prediction");
    for (int32_t k = 0; k < VALUES; k++) {
        if (used[k]) str_addf(&text, ",%d", (int)k);
    }
    str_add(&text, "\n");
    for (int32_t i = 0; i < VALUES; i++) {
        if (!used[i]) continue;
        str_addf(&text, "%d", (int)i);
        for (int32_t k = 0; k < VALUES; k++) {
            if (used[k]) str_addf(&text, ",%lld", (long long)c->all.n[i * VALUES + k]);
        }
        str_add(&text, "\n");
    }
    char *bytes = NULL;
    TRY(str_take(&text, &bytes));
    const Err err = file_write(c->options->csv, bytes, strlen(bytes), c->options->overwrite);
    free(bytes);
    return err;
}

static Err compare(Comparison *c, const char *prediction, const char *truth, LineSink sink, MetasegEvalReport *report)
{
    TRY(open_all(c, prediction, truth));
    TRY(compare_rows(c));
    Metrics m;
    confusion_metrics(&c->all, c->options->minimum_share, c->excluded, &m);
    if (m.pixels == 0)
        return err_set(ERR_INPUT, "'%s' and '%s' share no labelled pixel; check their places and the boxes", prediction,
                       truth);
    TRY(write_json(c));
    TRY(write_csv(c));
    print_table(c, &m, sink);
    print_zones(c, sink);
    if (report != NULL)
        *report = (MetasegEvalReport){ .pixels = m.pixels,
                                       .counted_classes = m.counted_classes,
                                       .miou = m.miou,
                                       .mf1 = m.mf1,
                                       .overall_accuracy = m.overall_accuracy,
                                       .kappa = m.kappa };
    return ERR_NONE;
}

MetasegStatus metaseg_eval_rasters(const char *prediction, const char *truth, const MetasegEvalOptions *options,
                                   const MetasegRun *run, void (*line)(void *context, const char *text),
                                   MetasegEvalReport *report)
{
    Comparison *c = calloc(1, sizeof *c);
    if (c == NULL) return err_memory(sizeof *c, "the comparison");
    *c = (Comparison){ .options = options, .run = run };
    const LineSink sink = { line, run != NULL ? run->context : NULL };
    const Err err = compare(c, prediction, truth, sink, report);
    close_all(c);
    free(c);
    return err;
}
