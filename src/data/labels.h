/* SPDX-License-Identifier: Apache-2.0
 *
 * A label raster looked up at the pixels of its image: the class of each is that of the label pixel which holds the
 * pixel's centre (nearest neighbour), whatever grid and CRS the labels have. Memory follows the pixels that are looked
 * up, not the label pixels between them.
 */
#ifndef METASEG_DATA_LABELS_H
#define METASEG_DATA_LABELS_H

#include "data/label_values.h"
#include "geo/raster_lookup.h"

/* Open struct, read-only for others. One thread at a time. */
typedef struct Labels {
    Raster *raster; /* band 1 chosen */
    int64_t bands;  /* that the file has, alpha not counted */
    Georeference *place;
    RasterLookup *lookup; /* pixels of the image -> pixels of the labels */
    PlaceLookup *to_image;
    float *values; /* [points]; grow */
    uint8_t *valid;
    int64_t points;
} Labels;

/* Opens labels. crs: NULL or instead of the file's. image: place of the image, borrowed. ERR_INPUT, one sentence: no
 * place, or a picture of colours instead of class values; ERR_MEMORY. labels_close(). */
Err labels_open(const char *path, const char *crs, const volatile int *stop, Georeference *image, Labels **ret_labels);
void labels_close(Labels *labels);

/* Classes at the points of a window over the image: ret_classes [rows][columns], CLASS_IGNORE where there is no label or
 * one that is never learned. ERR_INPUT, ERR_MEMORY. */
Err labels_read(Labels *labels, const LabelTable *table, const PlaceWindow *window, uint8_t *ret_classes);

/* Part of the label raster that may hold centres of label pixels inside an image of width x height pixels: all of it
 * unless places all over the image tell less. columns 0: they do not meet. ERR_MEMORY. */
Err labels_around_image(Labels *labels, int64_t width, int64_t height, RasterWindow *ret_window);

#endif
