/* SPDX-License-Identifier: Apache-2.0
 *
 * A label raster looked up at the pixels of its image: the class of each is that of the label pixel which holds the
 * pixel's centre (nearest neighbour), whatever grid and CRS the labels have. Memory follows the pixels that are looked
 * up, not the label pixels between them.
 *
 * Of a vector file the class is that of the feature over the centre (geo/vector_labels.h); its label pixels are those of
 * the image.
 *
 * Label rasters are class values in one band, colours of classes, or a distribution over the classes, one band each; the class of a distribution is
 * its most probable one, the first of several, so that all that asks for classes works with both.
 */
#ifndef METASEG_DATA_LABELS_H
#define METASEG_DATA_LABELS_H

#include "data/label_values.h"
#include "geo/raster_lookup.h"
#include "geo/vector_labels.h"

/* Open struct, read-only for others. One thread at a time. */
typedef struct Labels {
    Raster *raster;         /* band 1 chosen, or all of a distribution; NULL: vector labels */
    int64_t bands;          /* that the file has, alpha not counted */
    int64_t width, height;  /* label pixels */
    VectorLabels *vector;   /* NULL: a raster */
    float *vector_values;   /* of its classes; below 0: no class of that name */
    uint8_t *vector_window; /* class indexes of one window; grows */
    int64_t vector_pixels;
    const DatasetOptions *options;
    RasterColor *table; /* LABELS_COLORS: of each class, then of each colour that is ignored */
    RasterColors colors;
    float sharpening;     /* 1 / options->temperature */
    Georeference *place;  /* of the label pixels; of vector labels the image's, borrowed */
    RasterLookup *lookup; /* pixels of the image -> pixels of a label raster */
    PlaceLookup *to_image;
    float *values; /* [points][chosen bands]; grow */
    uint8_t *valid;
    int64_t points;
} Labels;

/* How a label raster lies on its image, beside what the files say. */
typedef struct LabelsPlace {
    const char *crs;       /* of the labels instead of the file's; NULL */
    bool by_pixel;         /* label pixels are those of the image, whatever the files say */
    const char *image_crs; /* of the image instead of the file's, for by_pixel; NULL */
} LabelsPlace;

/* Opens labels of options->labels_kind (classes and temperature from there, too; borrowed). image and its place, both borrowed: where neither image nor labels say where they lie they match pixel by pixel,
 * and the image's place is changed to tell so (georeference_use_pixels). ERR_INPUT, one sentence: only one of them says where it
 * lies, or neither (or by_pixel) and their sizes differ; a picture of colours instead of class values, or another number of bands than of
 * classes; ERR_MEMORY. labels_close(). */
Err labels_open(const char *path, const DatasetOptions *options, const LabelsPlace *place, const volatile int *stop,
                const Raster *image, Georeference *image_place, Labels **ret_labels);
void labels_close(Labels *labels);

/* Opens a layer of a vector file over an image of width x height pixels. A number is the value that a label raster would
 * have there; a text that of the class with this name (ASCII case ignored), or no label, which is told (vector_census.h). Errors of
 * vector_labels_open. */
Err labels_open_vector(const char *path, const VectorOptions *vector, const DatasetOptions *options,
                       Georeference *image, int64_t width, int64_t height, const volatile int *stop,
                       Labels **ret_labels);

/* Classes at the points of a window over the image: ret_classes [rows][columns], CLASS_IGNORE where there is no label or
 * one that is never learned. ret_probabilities: NULL, or with LABELS_PROBABILITIES [rows][columns][classes], probability
 * x 255, at least 1 of the most probable class, all 0 where there is no label. ERR_INPUT (also a number below 0 or not
 * finite in a distribution), ERR_MEMORY. */
Err labels_read(Labels *labels, const LabelTable *table, const PlaceWindow *window, uint8_t *ret_classes,
                uint8_t *ret_probabilities);

/* Label pixels themselves, a window inside the labels: the values of their classes (of a colour that no class has
 * raster_unknown_color), and whether they are valid (in a distribution also: not all 0), both [rows][columns]. Errors as labels_read. */
Err labels_read_values(Labels *labels, RasterWindow window, float *ret_values, uint8_t *ret_valid);

/* Parts of the labels that may hold label pixels inside the image of width x height pixels, none twice: of a raster one
 * or none, of vector labels blocks of pixels with features. free(*ret_parts). ERR_MEMORY. */
Err labels_parts(Labels *labels, int64_t width, int64_t height, RasterWindow **ret_parts, int64_t *ret_count);

#endif
