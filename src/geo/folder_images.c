/* SPDX-License-Identifier: Apache-2.0
 * Which entries of a folder are images. */
#include "geo/folder_images.h"

#include "base/file.h"
#include "base/grow.h"
#include "base/str.h"
#include "geo/gdal_session.h"
#include "geo/product.h"
#include "geo/product_name.h"

#include <dirent.h>
#include <errno.h>
#include <gdal.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

typedef struct Names {
    char **names; /* NULL behind the last */
    int64_t count, capacity;
} Names;

typedef enum EntryKind { ENTRY_IMAGE, ENTRY_OTHER, ENTRY_FOLDER } EntryKind;

static bool has_suffix(const char *name, const char *const *suffixes)
{
    while (*suffixes != NULL && !str_ends_with(name, *suffixes)) suffixes++;
    return *suffixes != NULL;
}

static int by_name(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

static Err add_name(Names *names, const char *name)
{
    TRY(grow_array((void *)&names->names, names->count + 1, &names->capacity, sizeof *names->names,
                   "the names in a folder"));
    TRY(str_copy(name, &names->names[names->count]));
    names->names[++names->count] = NULL;
    return ERR_NONE;
}

static void names_done(Names *names)
{
    for (int64_t i = 0; i < names->count; i++) free(names->names[i]);
    free(names->names);
}

static Err read_names(const char *folder, Names *names)
{
    DIR *listing = opendir(folder);
    if (listing == NULL) return err_set(ERR_INPUT, "'%s': this folder cannot be read (%s)", folder, strerror(errno));
    Err err = ERR_NONE;
    while (err == ERR_NONE) {
        errno = 0;
        const struct dirent *entry = readdir(listing);
        if (entry == NULL) break;
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) err = add_name(names, entry->d_name);
    }
    if (err == ERR_NONE && errno != 0)
        err = err_set(ERR_INPUT, "'%s': this folder cannot be read to its end (%s)", folder, strerror(errno));
    (void)closedir(listing);
    if (err == ERR_NONE && names->count > 0)
        qsort((void *)names->names, (size_t)names->count, sizeof *names->names, by_name);
    return err;
}

/* names: all of the folder, so that GDAL need not list it for each file. */
static bool is_raster(const char *path, const Names *names)
{
    char plain[PATH_MAX];
    if (gdal_plain_name(path, plain, sizeof plain) != ERR_NONE) return false;
    GdalSession session;
    gdal_begin(&session);
    const bool known =
        GDALIdentifyDriverEx(plain, GDAL_OF_RASTER, gdal_allowed_drivers(), (const char *const *)names->names) != NULL;
    gdal_end(&session);
    return known;
}

static bool is_product_archive(const char *name)
{
    static const char *const archives[] = { ".zip", ".tar", ".tar.gz", ".tgz", NULL };
    const SensorClass sensor = product_name_read(name).sensor;
    return has_suffix(name, archives) &&
           (str_ends_with(name, ".SAFE.zip") || sensor == SENSOR_SENTINEL_2 || sensor == SENSOR_LANDSAT);
}

static EntryKind kind_of(const char *path, const char *name, const Names *names)
{
    static const char *const images[] = {
        ".tif", ".tiff", ".jp2", ".j2k", ".jpg", ".jpeg", ".png", ".img", ".vrt", NULL
    };
    static const char *const side_cars[] = { ".ovr", ".msk", ".aux", ".rrd", NULL }; /* rasters for GDAL */
    struct stat status;
    const bool there = stat(path, &status) == 0;
    if (there && S_ISDIR(status.st_mode))
        return product_folder_kind(path) == PRODUCT_FOLDER_METADATA ? ENTRY_IMAGE : ENTRY_FOLDER;
    if (has_suffix(name, images) || is_product_archive(name)) return ENTRY_IMAGE;
    if (!there || !S_ISREG(status.st_mode) || has_suffix(name, side_cars)) return ENTRY_OTHER;
    return is_raster(path, names) ? ENTRY_IMAGE : ENTRY_OTHER;
}

/* Takes `path` over where it is kept. */
static Err add_entry(FolderImages *images, EntryKind kind, const char *name, char **path)
{
    if (kind == ENTRY_IMAGE) {
        TRY(grow_array((void *)&images->paths, images->count, &images->capacity, sizeof *images->paths,
                       "the images in a folder"));
        images->paths[images->count++] = *path;
        *path = NULL;
        return ERR_NONE;
    }
    int64_t *count = kind == ENTRY_OTHER ? &images->others : &images->folders;
    return (*count)++ == 0 ? str_copy(name, kind == ENTRY_OTHER ? &images->other : &images->other_folder) : ERR_NONE;
}

Err folder_images_list(const char *folder, const volatile int *stop, FolderImages *ret_images)
{
    Names names = { NULL };
    FolderImages images = { NULL };
    Err err = read_names(folder, &names);
    for (int64_t i = 0; i < names.count && err == ERR_NONE; i++) {
        char *path = NULL;
        if (stop != NULL && *stop != 0)
            err = err_set(ERR_INTERRUPTED, "'%s': stopped while the folder was listed; nothing was written", folder);
        if (err == ERR_NONE) err = path_join(folder, names.names[i], &path);
        if (err == ERR_NONE) err = add_entry(&images, kind_of(path, names.names[i], &names), names.names[i], &path);
        free(path);
    }
    names_done(&names);
    if (err == ERR_NONE)
        *ret_images = images;
    else
        folder_images_done(&images);
    return err;
}

void folder_images_done(FolderImages *images)
{
    for (int64_t i = 0; i < images->count; i++) free(images->paths[i]);
    free(images->paths);
    free(images->other);
    free(images->other_folder);
    *images = (FolderImages){ NULL };
}

/* "3 other files ('a' for one)" */
static void say_count(int64_t n, const char *what, const char *first, char *text, size_t bytes)
{
    (void)snprintf(text, bytes, "%lld %s%s ('%.200s'%s)", (long long)n, what, n == 1 ? "" : "s", first,
                   n == 1 ? "" : " for one");
}

const char *folder_images_rest(const FolderImages *images, char ret_text[FOLDER_REST_BYTES])
{
    char files[300] = "", folders[300] = "";
    if (images->others > 0) say_count(images->others, "other file", images->other, files, sizeof files);
    if (images->folders > 0) say_count(images->folders, "folder", images->other_folder, folders, sizeof folders);
    (void)snprintf(ret_text, FOLDER_REST_BYTES, "%s%s%s", files,
                   images->others > 0 && images->folders > 0 ? " and " : "", folders);
    return ret_text;
}
