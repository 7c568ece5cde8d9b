/* SPDX-License-Identifier: Apache-2.0
 * A layer of polygons without a class. */
#include "geo/cutline.h"

#include "geo/vector_labels.h"

#include <stdlib.h>

struct Cutline {
    VectorLabels *polygons;
    uint8_t *inside; /* of one window; grows */
    int64_t pixels;
};

static Err check(const CutlineOptions *o, const VectorLabels *polygons, const Raster *image)
{
    const VectorFindings *f = vector_labels_findings(polygons);
    const char *layer = vector_labels_layer(polygons);
    if (f->widened > 0)
        return err_set(ERR_INPUT, "'%s': layer '%s' has lines or points; a cutline is of polygons alone", o->file,
                       layer);
    if (f->on_image > f->small) return ERR_NONE;
    return err_set(ERR_INPUT,
                   "'%s': no polygon of layer '%s' holds a pixel of the image '%s', so nothing of it is to be mapped%s",
                   o->file, layer, raster_path(image),
                   f->far > 0 ? " (some reach beyond the domain of the image's projection; cut them to it)" : "");
}

Err cutline_open(const CutlineOptions *o, const Raster *image, Georeference *place, Cutline **ret_cutline)
{
    const VectorOptions options = { .layer = o->layer, .crs = o->crs, .buffer = VECTOR_BUFFER, .cutline = true };
    const RasterInfo *info = raster_info(image);
    Cutline *cutline = calloc(1, sizeof *cutline);
    if (cutline == NULL) return err_memory(sizeof *cutline, "a cutline");
    Err err = vector_labels_open(o->file, &options, place, info->width, info->height, o->stop, &cutline->polygons);
    if (err == ERR_NONE) err = check(o, cutline->polygons, image);
    if (err == ERR_NONE)
        *ret_cutline = cutline;
    else
        cutline_close(cutline);
    return err;
}

void cutline_close(Cutline *cutline)
{
    if (cutline == NULL) return;
    vector_labels_close(cutline->polygons);
    free(cutline->inside);
    free(cutline);
}

int64_t cutline_passed_over(const Cutline *cutline) { return vector_labels_findings(cutline->polygons)->far; }

Err cutline_apply(Cutline *c, RasterWindow window, const uint8_t *valid, const uint8_t **ret_inside, bool *ret_any)
{
    const int64_t pixels = window.columns * window.rows;
    const PlaceWindow centres = { .x = (double)window.x + 0.5,
                                  .y = (double)window.y + 0.5,
                                  .step_x = 1.0,
                                  .step_y = 1.0,
                                  .columns = window.columns,
                                  .rows = window.rows };
    bool any = false;
    if (pixels > c->pixels) {
        free(c->inside);
        c->inside = malloc((size_t)pixels);
        c->pixels = c->inside != NULL ? pixels : 0;
        if (c->inside == NULL) return err_memory((size_t)pixels, "a window of a cutline");
    }
    TRY(vector_labels_read(c->polygons, &centres, c->inside));
    for (int64_t i = 0; i < pixels; i++) {
        const bool inside = c->inside[i] != VECTOR_NO_LABEL;
        any = any || inside;
        c->inside[i] = inside && valid[i] != 0;
    }
    *ret_inside = c->inside;
    *ret_any = any;
    return ERR_NONE;
}
