/* SPDX-License-Identifier: Apache-2.0
 * The walk over a VRT's elements. */
#include "geo/vrt_check.h"

#include "geo/gdal_session.h"

#include <cpl_conv.h>
#include <cpl_minixml.h>
#include <gdal.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

enum { MAX_DEPTH = 4, MAX_VRT_BYTES = 64 << 20, MAX_NESTING = 64 };

static Err check_file(const char *path, int depth);

static bool is_one_of(const char *name, const char *const *names)
{
    for (; *names != NULL; names++)
        if (strcasecmp(name, *names) == 0) return true;
    return false;
}

/* A source of the VRT `path`, as written in `node`. */
static Err check_source(const char *path, const CPLXMLNode *node, int depth)
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
    const Err err = gdal_check_path(source);
    if (err != ERR_NONE) return err_prefix(err, "'%s': source of this virtual raster", path);
    char name[PATH_MAX + 2];
    TRY(gdal_plain_name(source, name, sizeof name));
    const GDALDriverH driver = GDALIdentifyDriverEx(name, GDAL_OF_RASTER, gdal_allowed_drivers(), NULL);
    if (driver == NULL)
        return err_set(ERR_INPUT, "'%s': its source '%s' is not a raster of a format that is read here", path, source);
    if (strcmp(GDALGetDriverShortName(driver), "VRT") != 0) return ERR_NONE;
    return err_prefix(check_file(source, depth + 1), "'%s': source of this virtual raster", path);
}

/* Refuses what computes or reads more than rasters. */
static Err check_name(const char *path, const CPLXMLNode *node)
{
    static const char *const refused[] = {
        "PixelFunctionType",
        "PixelFunctionCode",
        "PixelFunctionLanguage",
        "PixelFunctionArguments",
        "BufferRadius",
        "PansharpeningOptions",
        "Group",
        "MDArray",
        "Array",
        "GeoLocTransformer",
        NULL,
    };
    static const char *const classes[] = { "VRTSourcedRasterBand", "VRTWarpedRasterBand", "VRTWarpedDataset", NULL };
    if (is_one_of(node->pszValue, refused))
        return err_set(
            ERR_INPUT,
            "'%s': this virtual raster has a <%s>, which is not allowed; write it out with gdal_translate first", path,
            node->pszValue);
    if (node->eType == CXT_Attribute && strcasecmp(node->pszValue, "subClass") == 0 && node->psChild != NULL &&
        !is_one_of(node->psChild->pszValue, classes))
        return err_set(
            ERR_INPUT,
            "'%s': this virtual raster is a %s, which is not allowed; write it out with gdal_translate first", path,
            node->psChild->pszValue);
    return ERR_NONE;
}

static Err check_nodes(const char *path, const CPLXMLNode *node, int depth, int nesting)
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
        if (node->eType == CXT_Element && is_one_of(node->pszValue, sources)) TRY(check_source(path, node, depth));
        TRY(check_nodes(path, node->psChild, depth, nesting + 1));
    }
    return ERR_NONE;
}

static Err check_file(const char *path, int depth)
{
    if (depth > MAX_DEPTH)
        return err_set(ERR_INPUT, "'%s': virtual rasters are nested more than %d deep", path, MAX_DEPTH);
    struct stat status;
    if (stat(path, &status) != 0 || status.st_size > MAX_VRT_BYTES)
        return err_set(ERR_INPUT, "'%s': a virtual raster of more than %d bytes", path, MAX_VRT_BYTES);
    GdalSession session;
    gdal_begin(&session);
    CPLXMLNode *root = CPLParseXMLFile(path);
    Err err = ERR_NONE;
    if (root == NULL)
        err = err_set(ERR_INPUT, "'%s': its XML is broken (%s)", path, gdal_reason(&session, "no reason given"));
    else if (CPLGetXMLNode(root, "=VRTDataset.VRTRasterBand") == NULL)
        err = err_set(ERR_INPUT, "'%s': it holds no raster bands; expected at least one", path);
    else
        err = check_nodes(path, root, depth, 0);
    CPLDestroyXMLNode(root);
    gdal_end(&session);
    return err;
}

Err vrt_check(const char *path) { return check_file(path, 0); }
