/* SPDX-License-Identifier: Apache-2.0
 * GDAL as part of this process. */
#ifndef METASEG_GEO_GEO_PROCESS_H
#define METASEG_GEO_GEO_PROCESS_H

#include <stddef.h>

/* Says that the process is ours, as it is in our own programs: GDAL's cache of decoded blocks then follows what is read
 * (32 MiB at first; a GDAL_CACHEMAX of the user stands), and PROJ never uses the network. Without this call, in
 * somebody else's process, both stay as they are. */
void gdal_own_process(void);

/* From now on http and https URLs may be opened: those that are named as rasters and those of the assets of STAC items, no others. Connections
 * and transfers that stand still end after some time. For the whole process, before any raster is opened. */
void gdal_allow_network(void);

/* Writes the release name of the GDAL library in use: "3.6.2". */
void geo_gdal_version(char *ret_text, size_t bytes);

#endif
