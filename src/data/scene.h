/* SPDX-License-Identifier: Apache-2.0
 *
 * One labelled scene of a data set: an image presented on the network's grid, and the class of every network pixel
 * looked up in a label raster of any other grid (nearest pixel).
 */
#ifndef METASEG_DATA_SCENE_H
#define METASEG_DATA_SCENE_H

#include "data/dataset_options.h"
#include "geo/georeference.h"

enum { CLASS_IGNORE = 255 };

/* Open struct, read-only for others. One thread at a time. */
typedef struct Scene {
    Raster *image, *labels;
    Georeference *image_place, *label_place;
    int64_t width, height;         /* of the network's grid: the image's times upsample */
    double upsample_x, upsample_y; /* network pixels per image pixel, exactly */
    uint8_t class_of[256];         /* label value -> class index, CLASS_IGNORE */
    double *scratch;               /* of positions */
    int64_t scratch_length;
} Scene;

/* Opens image and labels of scene `index`. ERR_INPUT, ERR_CONFIG (class table), ERR_MEMORY. scene_close(). */
Err scene_open(const DatasetOptions *options, uint32_t index, Scene **ret_scene);
void scene_close(Scene *scene);

/* Window of the network's grid -> pixels [side][side][bands] in the image's units (0 where invalid) and mask
 * [side][side]; mirrored beyond the border. */
Err scene_read_image(Scene *scene, int64_t x, int64_t y, int64_t side, float *ret_values, uint8_t *ret_valid);

/* The same window -> class index [side][side], CLASS_IGNORE where there is no label or the window leaves the image. */
Err scene_read_labels(Scene *scene, int64_t x, int64_t y, int64_t side, uint8_t *ret_classes);

/* Longitude and latitude of the centres of a window's pixels, [side][side] each; NaN where unknown. Interpolated
 * between nodes every 16 pixels, exact where the georeference is affine. */
Err scene_lonlat(Scene *scene, int64_t x, int64_t y, int64_t side, double *ret_lon, double *ret_lat);

/* True when the window's footprint (corners, edge middles and centre) touches one of the boxes. */
bool scene_window_touches(Scene *scene, int64_t x, int64_t y, int64_t side, const DatasetBox *boxes, uint32_t n_boxes);

/* True when a position lies in one of the boxes. */
bool boxes_contain(const DatasetBox *boxes, uint32_t n_boxes, double lon, double lat);

#endif
