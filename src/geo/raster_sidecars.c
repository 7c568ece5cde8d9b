/* SPDX-License-Identifier: Apache-2.0
 * Class names and styles as XML. The elements of the style are those that QGIS 3 writes for a raster of the renderer
 * "Paletted/Unique values" (Layer Properties, Save as Default Style). */
#include "geo/raster_sidecars.h"

#include "base/escape.h"
#include "base/file.h"
#include "base/str.h"
#include "geo/gdal_session.h"
#include "geo/raster_files.h"

#include <cpl_conv.h>
#include <cpl_minixml.h>
#include <cpl_string.h>
#include <gdal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { STYLE_HEAD_BYTES = 400 };

/* By this a style is known as ours; QGIS does not keep it when a person saves another style. */
static const char mark[] = "<!-- written by metaseg for the map of this name -->";

Err sidecar_clean(const char *text, char **ret_text)
{
    Str clean = { 0 };
    char shown[ESCAPE_BYTES];
    while (*text != '\0') {
        (void)escape_next(&text, shown);
        str_add(&clean, shown);
    }
    return str_take(&clean, ret_text);
}

static const char *name_of(const RasterClass *classes, int64_t n_classes, int32_t value)
{
    for (int64_t i = 0; i < n_classes; i++)
        if (classes[i].value == value) return classes[i].name;
    return "";
}

static CPLXMLNode *first_band(CPLXMLNode *root)
{
    CPLXMLNode *band = CPLSearchXMLNode(root, "PAMRasterBand");
    if (band != NULL) return band;
    band = CPLCreateXMLNode(root, CXT_Element, "PAMRasterBand");
    CPLAddXMLAttributeAndValue(band, "band", "1");
    return band;
}

/* GDAL numbers categories from 0 without gaps. */
static void add_names(CPLXMLNode *band, const RasterClass *classes, int64_t n_classes)
{
    int32_t most = 0;
    for (int64_t i = 0; i < n_classes; i++) most = classes[i].value > most ? classes[i].value : most;
    CPLXMLNode *names = CPLCreateXMLNode(band, CXT_Element, "CategoryNames");
    for (int32_t value = 0; value <= most; value++)
        CPLCreateXMLElementAndValue(names, "Category", name_of(classes, n_classes, value));
}

/* ---- raster attribute table ---- */

typedef struct Column {
    const char *name;
    GDALRATFieldType type;
    GDALRATFieldUsage usage;
} Column;

enum { COLUMNS = 8, AREA_COLUMN = 6 };
static const Column columns[COLUMNS] = {
    { "Value", GFT_Integer, GFU_MinMax }, { "Count", GFT_Real, GFU_PixelCount }, { "Class_Name", GFT_String, GFU_Name },
    { "Red", GFT_Integer, GFU_Red },      { "Green", GFT_Integer, GFU_Green },   { "Blue", GFT_Integer, GFU_Blue },
    { "Area_m2", GFT_Real, GFU_Generic }, { "Share", GFT_Real, GFU_Generic },
};

static void add_number(CPLXMLNode *parent, const char *name, int64_t value)
{
    char text[32];
    (void)snprintf(text, sizeof text, "%lld", (long long)value);
    CPLCreateXMLElementAndValue(parent, name, text);
}

static CPLXMLNode *add_indexed(CPLXMLNode *parent, const char *name, int64_t index)
{
    char text[32];
    CPLXMLNode *node = CPLCreateXMLNode(parent, CXT_Element, name);
    (void)snprintf(text, sizeof text, "%lld", (long long)index);
    CPLAddXMLAttributeAndValue(node, "index", text);
    return node;
}

static void add_row(CPLXMLNode *row, const RasterClass *c, const ClassAreas *areas)
{
    char area[32], share[32];
    str_from_double(areas->area[c->value], area);
    str_from_double(class_areas_share(areas, c->value), share);
    add_number(row, "F", c->value);
    add_number(row, "F", areas->pixels[c->value]);
    CPLCreateXMLElementAndValue(row, "F", c->name);
    for (int i = 0; i < 3; i++) add_number(row, "F", c->color[i]);
    if (areas->known) CPLCreateXMLElementAndValue(row, "F", area);
    CPLCreateXMLElementAndValue(row, "F", share);
}

/* As GDAL writes one that is set. */
static void add_table(CPLXMLNode *band, const RasterClass *classes, int64_t n_classes, const ClassAreas *areas)
{
    CPLXMLNode *table = CPLCreateXMLNode(band, CXT_Element, "GDALRasterAttributeTable");
    CPLAddXMLAttributeAndValue(table, "tableType", "thematic");
    for (int64_t i = 0, n = 0; i < COLUMNS; i++) {
        if (i == AREA_COLUMN && !areas->known) continue;
        CPLXMLNode *field = add_indexed(table, "FieldDefn", n++);
        CPLCreateXMLElementAndValue(field, "Name", columns[i].name);
        add_number(field, "Type", columns[i].type);
        add_number(field, "Usage", columns[i].usage);
    }
    for (int64_t i = 0; i < n_classes; i++) add_row(add_indexed(table, "Row", i), &classes[i], areas);
}

Err sidecar_text(const char *pam, const RasterClass *classes, int64_t n_classes, const ClassAreas *areas,
                 char **ret_text)
{
    *ret_text = NULL;
    const bool left = file_exists(pam);
    if (!left && n_classes == 0) return ERR_NONE;
    Err err = ERR_NONE;
    GdalSession session;
    gdal_begin(&session);
    CPLXMLNode *root = left ? CPLParseXMLFile(pam) : CPLCreateXMLNode(NULL, CXT_Element, "PAMDataset");
    if (root == NULL) {
        err = err_set(ERR_OUTPUT, "its coordinate system could not be written whole beside it; is there space?");
    } else {
        if (n_classes > 0) {
            CPLXMLNode *band = first_band(root);
            add_names(band, classes, n_classes);
            add_table(band, classes, n_classes, areas);
        }
        char *text = CPLSerializeXMLTree(root);
        err = str_copy(text, ret_text);
        CPLFree(text);
    }
    CPLDestroyXMLNode(root);
    gdal_end(&session);
    return err;
}

Err sidecar_style(const RasterClass *classes, int64_t n_classes, char **ret_text)
{
    Str text = { 0 };
    str_addf(&text,
             "<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>\n%s\n"
             "<qgis version=\"3.22\" styleCategories=\"Symbology\">\n"
             "  <pipe>\n"
             "    <rasterrenderer type=\"paletted\" band=\"1\" opacity=\"1\" alphaBand=\"-1\" nodataColor=\"\">\n"
             "      <colorPalette>\n",
             mark);
    for (int64_t i = 0; i < n_classes; i++) {
        const RasterClass *c = &classes[i];
        char *label = CPLEscapeString(c->name, -1, CPLES_XML);
        str_addf(&text, "        <paletteEntry value=\"%d\" color=\"#%02x%02x%02x\" alpha=\"255\" label=\"%s\"/>\n",
                 (int)c->value, c->color[0], c->color[1], c->color[2], label);
        CPLFree(label);
    }
    str_add(&text, "      </colorPalette>\n"
                   "    </rasterrenderer>\n"
                   "  </pipe>\n"
                   "</qgis>\n");
    return str_take(&text, ret_text);
}

Err raster_style_path(const char *path, char **ret_path)
{
    char *stem = NULL;
    TRY(path_stem(path, &stem));
    const Err err = str_format(ret_path, "%s.qml", stem);
    free(stem);
    return err;
}

bool raster_style_is_foreign(const char *path)
{
    char head[STYLE_HEAD_BYTES + 1] = "";
    if (!file_exists(path)) return false;
    FILE *file = file_is_folder(path) ? NULL : fopen(path, "rb");
    if (file == NULL) return true;
    const size_t n = fread(head, 1, STYLE_HEAD_BYTES, file);
    (void)fclose(file);
    head[n] = '\0';
    return strstr(head, mark) == NULL;
}
