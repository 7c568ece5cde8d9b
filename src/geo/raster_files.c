/* SPDX-License-Identifier: Apache-2.0
 * Which files a raster is made of. */
#include "geo/raster_files.h"

#include "base/file.h"
#include "base/str.h"
#include "geo/gdal_session.h"
#include "geo/raster_internal.h"

#include <gdal.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_DEPTH = 8, ROLE_BYTES = 160 };

/* What GDAL looks for beside every file, and in place of the suffix: world files, headers, old side-cars of ERDAS. */
static const char *const appended[] = { ".aux.xml", ".ovr", ".msk" };
static const char *const replacing[] = { ".tfw", ".tifw", ".wld", ".jgw", ".jpgw", ".pgw", ".pngw",
                                         ".j2w", ".jp2w", ".hdr", ".prj", ".aux",  ".rrd", ".ige" };

static Err add_raster(const Raster *raster, FileSet *set, const char *role, int depth);

static Err add_suffixed(const char *path, const char *suffix, FileSet *set, const char *role,
                        Err (*add)(FileSet *, const char *, const char *))
{
    char *name = NULL;
    TRY(str_format(&name, "%s%s", path, suffix));
    const Err err = add(set, name, role);
    free(name);
    return err;
}

/* A file and the files that GDAL would read with it. */
static Err add_names(const char *path, FileSet *set, const char *role)
{
    char beside[ROLE_BYTES];
    (void)snprintf(beside, sizeof beside, "a side-car of %s", role);
    TRY(file_set_input(set, path, role));
    for (int64_t i = 0; i < ARRAY_LEN(appended); i++) TRY(add_suffixed(path, appended[i], set, beside, file_set_input));
    char *stem = NULL;
    TRY(path_stem(path, &stem));
    Err err = ERR_NONE;
    for (int64_t i = 0; i < ARRAY_LEN(replacing) && err == ERR_NONE; i++)
        err = add_suffixed(stem, replacing[i], set, beside, file_set_input);
    free(stem);
    return err;
}

/* GDAL was given relative paths with "./" before them. */
static bool is_itself(const char *file, const char *path)
{
    return strcmp(file, path) == 0 || (str_starts_with(file, "./") && strcmp(file + 2, path) == 0);
}

/* A virtual raster or a product: made of other files. */
static bool is_virtual(const char *path)
{
    char name[PATH_MAX];
    if (product_is_named(path)) return true;
    if (gdal_check_path(path) != ERR_NONE || gdal_plain_name(path, name, sizeof name) != ERR_NONE) return false;
    GdalSession session;
    gdal_begin(&session);
    const GDALDriverH driver = GDALIdentifyDriverEx(name, GDAL_OF_RASTER, gdal_allowed_drivers(), NULL);
    gdal_end(&session);
    return driver != NULL && strcmp(GDALGetDriverShortName(driver), "VRT") == 0;
}

static Err add_path(const char *path, FileSet *set, const char *role, int depth)
{
    if (!product_is_named(path)) TRY(add_names(path, set, role));
    if (depth > MAX_DEPTH || !is_virtual(path)) return ERR_NONE;
    Raster *raster = NULL;
    const Err opened = raster_open(path, set->stop, &raster);
    if (opened == ERR_MEMORY || opened == ERR_INTERRUPTED) return opened;
    if (opened != ERR_NONE) return ERR_NONE; /* whoever reads it tells why it cannot be */
    const Err err = add_raster(raster, set, role, depth);
    raster_close(raster);
    return err;
}

static Err add_raster(const Raster *raster, FileSet *set, const char *role, int depth)
{
    const bool product = raster->product != NULL;
    const bool sources = !product && strcmp(raster_info(raster)->driver, "VRT") == 0;
    char source[ROLE_BYTES];
    (void)snprintf(source, sizeof source, "%s %s",
                   product   ? "a file of"
                   : sources ? "a source of"
                             : "a side-car of",
                   role);
    if (!product) TRY(add_names(raster_path(raster), set, role));
    const char *file = NULL;
    for (int64_t i = 0; (file = raster_file(raster, i)) != NULL; i++) {
        if (is_itself(file, raster_path(raster))) continue;
        if (product)
            TRY(add_names(file, set, source));
        else if (sources)
            TRY(add_path(file, set, depth == 0 ? source : role, depth + 1));
        else
            TRY(file_set_input(set, file, source));
    }
    return ERR_NONE;
}

Err raster_files_read(const Raster *raster, FileSet *set, const char *role) { return add_raster(raster, set, role, 0); }

Err raster_files_path(const char *path, FileSet *set, const char *role)
{
    return path != NULL ? add_path(path, set, role, 0) : ERR_NONE;
}

Err raster_files_written(const char *path, FileSet *set, const char *role)
{
    char beside[ROLE_BYTES], *style = NULL;
    if (path == NULL) return ERR_NONE;
    (void)snprintf(beside, sizeof beside, "a side-car of %s", role);
    TRY(file_set_output(set, path, role));
    for (int64_t i = 0; i < ARRAY_LEN(appended); i++)
        TRY(add_suffixed(path, appended[i], set, beside, file_set_output));
    TRY(raster_style_path(path, &style));
    const Err err = file_set_output(set, style, beside);
    free(style);
    return err;
}
