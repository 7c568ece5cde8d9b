/* SPDX-License-Identifier: Apache-2.0
 *
 * Private to src/geo: which part of the spectrum each band shows (band_name.h says how names are read). A band's
 * description tells first, then a wavelength stored with it, then the name of the one file behind it (a band of a VRT,
 * the only band of a file), then its colour interpretation. A code such as B4 means what the sensor's numbering says;
 * the sensor is told by the codes, by metadata items, or by the names of the file and of the folders above it. */
#ifndef METASEG_GEO_RASTER_SPECTRAL_H
#define METASEG_GEO_RASTER_SPECTRAL_H

#include "geo/raster_internal.h"

/* Fills spectral, wavelength, said of all bands, and the raster's numbering. Inside a GDAL bracket. */
void raster_spectral_describe(Raster *raster);

#endif
