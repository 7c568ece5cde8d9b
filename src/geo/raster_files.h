/* SPDX-License-Identifier: Apache-2.0
 *
 * The files behind a raster and the files that a map consists of, for the rule that no output is an input (file_set.h).
 */
#ifndef METASEG_GEO_RASTER_FILES_H
#define METASEG_GEO_RASTER_FILES_H

#include "base/file_set.h"
#include "geo/raster.h"

/* Adds what is read with an open raster: the file, all that GDAL finds beside it (masks, overviews, world files,
 * .aux.xml, headers), the names under which GDAL would look for such files if they came to be, and for a virtual raster
 * the same of its sources, nested ones too. `role`: "the image". Errors of file_set_input. */
Err raster_files_read(const Raster *raster, FileSet *set, const char *role);

/* The same for a file that is not open, without opening it unless it is a virtual raster. What cannot be opened is added
 * by its name alone: reading it tells the reason. ERR_INTERRUPTED when *set->stop asks for it. */
Err raster_files_path(const char *path, FileSet *set, const char *role);

/* "map.qml" of "map.tif": where QGIS looks for the style of a raster. free() it. ERR_MEMORY. */
Err raster_style_path(const char *path, char **ret_path);

/* Whether something stands at `path` that is no style of ours: somebody's own work, which a RasterWriter leaves alone. */
bool raster_style_is_foreign(const char *path);

/* Adds what a RasterWriter writes or removes at `path`: the file and its side-cars. `role`: "the map". Errors of
 * file_set_output; ERR_MEMORY. */
Err raster_files_written(const char *path, FileSet *set, const char *role);

#endif
