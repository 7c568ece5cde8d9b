/* SPDX-License-Identifier: Apache-2.0
 *
 * One picture of four quarters: the image, the map made of it, reference labels in the map's colours, and a legend.
 *
 *     const SideBySide comparison = { .image = "image.tif", .map = "map.tif", .labels = "labels.tif" };
 *     TRY(side_by_side_write(&comparison, "comparison.png", true));
 *
 * Each pixel of the map and of the labels shows the class that most of the ground below it has; the image is averaged.
 * Classes keep the names and the palette of the map; what is no class of the map, and what has no data, is white.
 */
#ifndef METASEG_TOOLS_SIDE_BY_SIDE_H
#define METASEG_TOOLS_SIDE_BY_SIDE_H

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct SideBySide {
    const char *image;      /* path of a raster of Bytes; its first three bands are red, green, blue */
    const char *map;        /* path of a class map with palette on the image's grid */
    const char *labels;     /* path of a class raster on any grid */
    const char *labels_crs; /* instead of the file's own CRS ("EPSG:4326"); NULL */
    const char *image_title, *map_title, *labels_title; /* NULL: "image", "map", "labels" */
    const double (*boxes)[4]; /* west, south, east, north in degrees: outlined in all three; NULL: none */
    int64_t n_boxes;
    int64_t width;          /* of a quarter, pixels, 200 to 1000; 0: 1000 */
    const char *boxes_note; /* what the outlines mean, below the legend; NULL: nothing */
} SideBySide;

/* Writes the picture as PNG, a little wider than two quarters. ERR_ARGUMENT: width; ERR_INPUT: a raster that cannot be
 * read, has no georeference (map, labels) or no palette (map), or is not of Bytes (image); ERR_OUTPUT, ERR_MEMORY. */
Err side_by_side_write(const SideBySide *comparison, const char *path, bool overwrite);

#endif
