/* SPDX-License-Identifier: Apache-2.0
 * Private to src/geo: collecting facts; the first value of each kind wins. */
#ifndef METASEG_GEO_METADATA_INTERNAL_H
#define METASEG_GEO_METADATA_INTERNAL_H

#include "geo/metadata.h"

/* Adds a line; silently drops what exceeds the table. */
void metadata_fact(Metadata *metadata, const char *name, const char *source, const char *format, ...) PRINTF_LIKE(4, 5);

/* Each sets its field and adds the fact if the field is still unknown and the text makes sense. */
void metadata_offer_date(Metadata *metadata, const char *text, const char *source);
void metadata_offer_platform(Metadata *metadata, const char *platform, SensorClass sensor, const char *source);
void metadata_offer_level(Metadata *metadata, const char *text, const char *source);
void metadata_offer_cloud_cover(Metadata *metadata, const char *percent, const char *source);
void metadata_offer_sun_elevation(Metadata *metadata, const char *degrees, const char *source);

/* Files beside the raster: STAC item, Landsat MTL. ERR_MEMORY. */
Err metadata_read_sidecars(const char *path, Metadata *metadata);

#endif
