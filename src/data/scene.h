/* SPDX-License-Identifier: Apache-2.0
 *
 * One labelled scene of a data set: an image presented on the network's grid, and the class of every network pixel
 * looked up in a label raster of any other grid (nearest pixel).
 */
#ifndef METASEG_DATA_SCENE_H
#define METASEG_DATA_SCENE_H

#include "data/image_source.h"
#include "data/labels.h"

/* Open struct, read-only for others. One thread at a time. */
typedef struct Scene {
    ImageSource *image;
    Labels *labels;
    PlaceLookup *lonlat;           /* of the image's pixels; NULL: image and labels have no place on the Earth */
    int64_t width, height;         /* of the network's grid: the image's times upsample */
    double upsample_x, upsample_y; /* network pixels per image pixel, exactly */
} Scene;

/* Opens image and labels of scene `index`. climate (borrowed) and stop (as in raster_open) may be NULL. ERR_INPUT,
 * ERR_CONFIG, ERR_INTERRUPTED, ERR_MEMORY. scene_close(). */
Err scene_open(const DatasetOptions *options, const Climate *climate, uint32_t index, const volatile int *stop,
               Scene **ret_scene);
void scene_close(Scene *scene);

/* Window of the network's grid, as image_source_read takes it -> class index [side][side], CLASS_IGNORE where there is no label or the
 * window leaves the image. ret_probabilities as in labels_read, 0 there; NULL: not wanted. */
Err scene_read_labels(Scene *scene, const LabelTable *table, int64_t x, int64_t y, int64_t side, uint8_t *ret_classes,
                      uint8_t *ret_probabilities);

/* Longitude and latitude of the centres of a window's pixels, [side][side] each; NaN where unknown (place_lookup.h).
 * ERR_MEMORY. */
Err scene_lonlat(Scene *scene, int64_t x, int64_t y, int64_t side, double *ret_lon, double *ret_lat);

/* True when the window's footprint touches one of the boxes. */
bool scene_window_touches(Scene *scene, int64_t x, int64_t y, int64_t side, const DatasetBox *boxes, uint32_t n_boxes);

/* Box in pixels of the network's grid, clamped to it; columns 0 when it misses the scene. ERR_MEMORY. */
Err scene_box_pixels(Scene *scene, const DatasetBox *box, RasterWindow *ret_window);

/* Index of the first box that a position lies in, -1: none (also for NaN). */
int64_t boxes_find(const DatasetBox *boxes, uint32_t n_boxes, double lon, double lat);

#endif
