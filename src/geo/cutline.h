/* SPDX-License-Identifier: Apache-2.0
 *
 * Polygons outside of which an image is not mapped, as gdalwarp -cutline has them.
 *
 *     Cutline *cutline = NULL;
 *     TRY(cutline_open(&(CutlineOptions){ .file = "districts.gpkg" }, image, image_place, &cutline));
 *     raster_set_cutline(image, cutline);
 *     ...
 *     cutline_close(cutline);
 *
 * A pixel is inside when a polygon of the layer holds its centre (vector_labels.h has the rule for centres on an edge). What
 * lies outside is read all the same: the network sees the surroundings of what it maps, and the map inside is the one that it is without a
 * cutline.
 */
#ifndef METASEG_GEO_CUTLINE_H
#define METASEG_GEO_CUTLINE_H

#include "geo/georeference.h"
#include "geo/raster.h"

typedef struct CutlineOptions {
    const char *file;  /* of a vector format (vector_labels_is_vector) */
    const char *layer; /* NULL: the only one that has geometries */
    const char *crs;   /* instead of the layer's; NULL: the layer's */
    const volatile int *stop;
} CutlineOptions;

/* image: as large as it is mapped (raster_set_part first), borrowed during the call; place: its own, borrowed. ERR_ARGUMENT: layer, crs. ERR_INPUT: no such file,
 * no polygons, lines or points among them, a layer without CRS, the image's place unknown, no pixel of the image inside.
 * ERR_INTERRUPTED, ERR_MEMORY. */
Err cutline_open(const CutlineOptions *options, const Raster *image, Georeference *place, Cutline **ret_cutline);
void cutline_close(Cutline *cutline);

/* How many polygons were passed over because some of them lies beyond the domain of the image's projection. */
int64_t cutline_passed_over(const Cutline *cutline);

/* Of a window inside the image, [rows][columns]: 1 where `valid` is and the pixel is inside, else 0. The result is the cutline's, until the
 * next call. *ret_any: a pixel of the window is inside, valid or not. ERR_INPUT, ERR_MEMORY. */
Err cutline_apply(Cutline *cutline, RasterWindow window, const uint8_t *valid, const uint8_t **ret_inside,
                  bool *ret_any);

#endif
