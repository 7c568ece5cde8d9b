/* SPDX-License-Identifier: Apache-2.0
 *
 * A raster that tells which pixels of an image are clouds or their shadows, on any grid (nearest neighbour).
 *
 *     CloudMask *mask = NULL;
 *     TRY(cloud_mask_open(&(CloudMaskOptions){ .file = "clouds.tif" }, image, image_place, &mask));
 *     raster_set_cloud_mask(image, mask);    // from now on masked pixels are not valid
 *     ...
 *     cloud_mask_close(mask);
 *
 * What is masked, the first that holds:
 *
 *     values are given               those values
 *     scene classification (SCL)     0 no data, 1 saturated, 3 cloud shadow, 8 and 9 cloud, 10 thin cirrus
 *     Landsat's QA_PIXEL             bits 0 fill, 1 dilated cloud, 2 cirrus, 3 cloud, 4 cloud shadow
 *     anything else                  all but 0; so OmniCloudMask's 1 thick cloud, 2 thin cloud, 3 cloud shadow
 *
 * SCL and QA_PIXEL are known by these words in the name of the file or of its band. Where such a raster has no value (no
 * data, or outside of it) a pixel is masked, where any other has none it is not.
 */
#ifndef METASEG_GEO_CLOUD_MASK_H
#define METASEG_GEO_CLOUD_MASK_H

#include "geo/georeference.h"
#include "geo/raster.h"

typedef struct CloudMaskOptions {
    const char *file;         /* a raster of one band; "scl" or "qa_pixel": that of the image's own product */
    const char *values;       /* "1,3": masked values; NULL: by the rule above */
    const volatile int *stop; /* as in raster_open */
} CloudMaskOptions;

/* image: with its bands chosen; place: its own. Both are borrowed and must outlive the mask. Where neither has a place
 * they are laid on each other pixel by pixel. ERR_INPUT: no such raster, several bands, fractions as type, no place,
 * another size; ERR_ARGUMENT (values); ERR_MEMORY. */
Err cloud_mask_open(const CloudMaskOptions *options, const Raster *image, Georeference *place, CloudMask **ret_mask);
void cloud_mask_close(CloudMask *mask);

/* Clears valid [rows][columns] where a pixel of the image (on its own grid, inside it) is masked. Errors of raster_read. */
Err cloud_mask_apply(CloudMask *mask, RasterWindow window, uint8_t *valid);

/* Of the pixels that cloud_mask_apply was asked about so far, overlapping windows counted each: how many there were, how many
 * the mask has a value for, and how many it masks. */
typedef struct CloudMaskCounts {
    int64_t pixels, covered, masked;
} CloudMaskCounts;
CloudMaskCounts cloud_mask_counts(const CloudMask *mask);

/* The raster behind it, and what it masks, for a person: "scene classification (SCL): values 0, 1, 3, 8, 9 and 10". */
const Raster *cloud_mask_raster(const CloudMask *mask);
const char *cloud_mask_rule(const CloudMask *mask);

#endif
