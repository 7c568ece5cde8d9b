/* SPDX-License-Identifier: Apache-2.0
 * The walk over a VRT's elements. */
#include "geo/vrt_check.h"

#include "base/hash.h"
#include "base/str.h"
#include "geo/gdal_session.h"

#include <cpl_conv.h>
#include <cpl_minixml.h>
#include <gdal.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

enum { MAX_DEPTH = 4, MAX_VRT_BYTES = 64 << 20, MAX_ALL_BYTES = 1 << 28, MAX_SOURCES = 1 << 20, MAX_NESTING = 64 };

/* A file that was checked, or is being checked. */
typedef struct Seen {
    dev_t device;
    ino_t inode;
    bool used, open;
    int levels; /* of VRTs below and with it; 0: no VRT */
} Seen;

typedef struct Check {
    Seen *seen; /* hash table, a power of two */
    size_t capacity, count;
    int64_t sources, bytes;
    const volatile int *stop;
} Check;

static Err check_file(Check *check, const char *path, int depth, int *ret_levels);

/* ---- files seen ---- */

static Seen *find_slot(Seen *table, size_t capacity, dev_t device, ino_t inode)
{
    const uint64_t key[2] = { (uint64_t)device, (uint64_t)inode };
    size_t i = (size_t)hash_xxh64(key, sizeof key) & (capacity - 1);
    while (table[i].used && (table[i].device != device || table[i].inode != inode)) i = (i + 1) & (capacity - 1);
    return &table[i];
}

static Err grow(Check *check)
{
    const size_t capacity = check->capacity > 0 ? 2 * check->capacity : 64;
    Seen *table = calloc(capacity, sizeof *table);
    if (table == NULL) return err_memory(capacity * sizeof *table, "the files of a virtual raster");
    for (size_t i = 0; i < check->capacity; i++)
        if (check->seen[i].used)
            *find_slot(table, capacity, check->seen[i].device, check->seen[i].inode) = check->seen[i];
    free(check->seen);
    check->seen = table;
    check->capacity = capacity;
    return ERR_NONE;
}

/* The file's entry, and whether it is new. The entry is valid until the next call. */
static Err look_up(Check *check, const struct stat *status, Seen **ret_seen, bool *ret_new)
{
    if (2 * (check->count + 1) > check->capacity) TRY(grow(check));
    Seen *seen = find_slot(check->seen, check->capacity, status->st_dev, status->st_ino);
    *ret_new = !seen->used;
    if (!seen->used) {
        *seen = (Seen){ .device = status->st_dev, .inode = status->st_ino, .used = true };
        check->count++;
    }
    *ret_seen = seen;
    return ERR_NONE;
}

/* ---- sources ---- */

static bool is_one_of(const char *name, const char *const *names)
{
    for (; *names != NULL; names++)
        if (strcasecmp(name, *names) == 0) return true;
    return false;
}

/* A file that stands as a source in the VRT `path`; *ret_levels: of VRTs below and with it. */
static Err check_new_source(Check *check, const char *path, const char *source, int depth, int *ret_levels)
{
    char name[PATH_MAX + 2];
    *ret_levels = 0;
    TRY(gdal_plain_name(source, name, sizeof name));
    const GDALDriverH driver = GDALIdentifyDriverEx(name, GDAL_OF_RASTER, gdal_allowed_drivers(), NULL);
    if (driver == NULL)
        return err_set(ERR_INPUT, "'%s': its source '%s' is not a raster of a format that is read here", path, source);
    if (strcmp(GDALGetDriverShortName(driver), "VRT") != 0) return ERR_NONE;
    const Err err = check_file(check, source, depth + 1, ret_levels);
    if (depth < 0) return err; /* the file that was asked for */
    return err != ERR_NONE ? err_prefix(err, "'%s': source of this virtual raster", path) : ERR_NONE;
}

static Err check_path(Check *check, const char *path, const char *source, int depth, int *ret_levels)
{
    struct stat status;
    Seen *seen = NULL;
    bool is_new = false;
    const Err err = gdal_check_path(source);
    if (err != ERR_NONE) return err_prefix(err, "'%s': source of this virtual raster", path);
    if (stat(source, &status) != 0) return err_set(ERR_INPUT, "'%s': its source '%s' cannot be read", path, source);
    TRY(look_up(check, &status, &seen, &is_new));
    if (!is_new) {
        if (seen->open)
            return err_set(ERR_INPUT, "'%s': this virtual raster is a source of itself, by way of '%s'", path, source);
        *ret_levels = seen->levels;
        return ERR_NONE;
    }
    seen->open = true;
    TRY(check_new_source(check, path, source, depth, ret_levels));
    TRY(look_up(check, &status, &seen, &is_new)); /* once more: the table may have grown */
    seen->open = false;
    seen->levels = *ret_levels;
    return ERR_NONE;
}

/* A source of the VRT `path`, as written in `node`. */
static Err check_source(Check *check, const char *path, const CPLXMLNode *node, int depth, int *ret_levels)
{
    const char *text = CPLGetXMLValue(node, NULL, "");
    const bool relative = strcmp(CPLGetXMLValue(node, "relativeToVRT", "0"), "1") == 0;
    char source[PATH_MAX];
    const char *slash = strrchr(path, '/');
    const int folder = relative && text[0] != '/' && slash != NULL ? (int)(slash - path) + 1 : 0;
    const int length = snprintf(source, sizeof source, "%.*s%s", folder, path, text);
    if (length < 0 || (size_t)length >= sizeof source)
        return err_set(ERR_INPUT, "'%s': the path of a source is too long", path);
    if (text[0] == '\0') return err_set(ERR_INPUT, "'%s': a source has no file name", path);
    if (check->stop != NULL && *check->stop != 0)
        return err_set(ERR_INTERRUPTED, "stopped while the sources of '%s' were checked", path);
    if (++check->sources > MAX_SOURCES)
        return err_set(ERR_INPUT, "'%s': a virtual raster of more than %d sources; write parts of it out first", path,
                       MAX_SOURCES);
    int levels = 0;
    TRY(check_path(check, path, source, depth, &levels));
    if (depth + levels > MAX_DEPTH)
        return err_set(ERR_INPUT, "'%s': virtual rasters are nested more than %d deep", path, MAX_DEPTH);
    if (levels > *ret_levels) *ret_levels = levels;
    return ERR_NONE;
}

/* ---- elements ---- */

static Err refuse(const char *path, const char *kind)
{
    return err_set(
        ERR_INPUT,
        "'%s': this virtual raster has a %s, which is not read: only mosaics, stacks and warped rasters are; "
        "write it out first with gdal_translate '%s' OUT.tif",
        path, kind, path);
}

/* Refuses what computes or reads more than rasters. Sources are read by a list of those allowed, so that kinds of later
 * GDALs are refused, too. */
static Err check_name(const char *path, const CPLXMLNode *node)
{
    static const char *const refused[] = {
        "PixelFunctionType",
        "PixelFunctionCode",
        "PixelFunctionLanguage",
        "PixelFunctionArguments",
        "BufferRadius",
        "PansharpeningOptions",
        "ProcessingSteps",
        "Kernel",
        "Group",
        "MDArray",
        "Array",
        "GeoLocTransformer",
        NULL,
    };
    static const char *const sources[] = { "SimpleSource", "ComplexSource", "AveragedSource", "NoDataFromMaskSource",
                                           NULL };
    static const char *const classes[] = { "VRTSourcedRasterBand", "VRTWarpedRasterBand", "VRTWarpedDataset", NULL };
    const bool element = node->eType == CXT_Element;
    if (is_one_of(node->pszValue, refused)) return refuse(path, node->pszValue);
    if (element && str_ends_with(node->pszValue, "Source") && !is_one_of(node->pszValue, sources))
        return refuse(path, node->pszValue);
    if (strcasecmp(node->pszValue, "subClass") == 0 && !is_one_of(CPLGetXMLValue(node, NULL, ""), classes))
        return refuse(path, CPLGetXMLValue(node, NULL, "class without a name"));
    return ERR_NONE;
}

static Err check_nodes(Check *check, const char *path, const CPLXMLNode *node, int depth, int nesting, int *ret_levels)
{
    static const char *const sources[] = { "SourceFilename", "SourceDataset", NULL };
    if (nesting > MAX_NESTING) return err_set(ERR_INPUT, "'%s': its XML is nested too deeply", path);
    for (; node != NULL; node = node->psNext) {
        if (node->eType == CXT_Text) {
            if (strncasecmp(node->pszValue, "/vsi", 4) == 0)
                return err_set(ERR_INPUT, "'%s': this virtual raster names '%s'; only local files are read", path,
                               node->pszValue);
            continue;
        }
        if (node->eType != CXT_Element && node->eType != CXT_Attribute) continue;
        TRY(check_name(path, node));
        if (node->eType == CXT_Element && is_one_of(node->pszValue, sources))
            TRY(check_source(check, path, node, depth, ret_levels));
        TRY(check_nodes(check, path, node->psChild, depth, nesting + 1, ret_levels));
    }
    return ERR_NONE;
}

/* *ret_levels: 1 for a VRT of plain files. */
static Err check_file(Check *check, const char *path, int depth, int *ret_levels)
{
    if (depth > MAX_DEPTH)
        return err_set(ERR_INPUT, "'%s': virtual rasters are nested more than %d deep", path, MAX_DEPTH);
    struct stat status;
    if (stat(path, &status) != 0 || status.st_size > MAX_VRT_BYTES)
        return err_set(ERR_INPUT, "'%s': a virtual raster of more than %d bytes", path, MAX_VRT_BYTES);
    check->bytes += (int64_t)status.st_size;
    if (check->bytes > MAX_ALL_BYTES)
        return err_set(ERR_INPUT,
                       "'%s': its virtual rasters have more than %d bytes in all; write parts of it out first", path,
                       MAX_ALL_BYTES);
    GdalSession session;
    gdal_begin(&session);
    CPLXMLNode *root = CPLParseXMLFile(path);
    int levels = 0;
    Err err = ERR_NONE;
    if (root == NULL)
        err = err_set(ERR_INPUT, "'%s': its XML is broken (%s)", path, gdal_reason(&session, "no reason given"));
    else if (CPLGetXMLNode(root, "=VRTDataset.VRTRasterBand") == NULL)
        err = err_set(ERR_INPUT, "'%s': it holds no raster bands; expected at least one", path);
    else
        err = check_nodes(check, path, root, depth, 0, &levels);
    CPLDestroyXMLNode(root);
    gdal_end(&session);
    *ret_levels = levels + 1;
    return err;
}

Err vrt_check(const char *path, const volatile int *stop)
{
    Check check = { .stop = stop };
    int levels = 0;
    const Err err = check_path(&check, path, path, -1, &levels);
    free(check.seen);
    return err;
}
