/* SPDX-License-Identifier: Apache-2.0
 * QGIS's style of a layer: the categories of a categorized renderer, with the colour of their symbols. Both ways of
 * writing a symbol are read: <prop k="color" v="r,g,b,a"/> until QGIS 3.26, <Option name="color" value="r,g,b,a"/> since. */
#include "base/file.h"
#include "base/str.h"
#include "geo/vector_file.h"

#include <cpl_minixml.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { STYLE_BYTES_MAX = 16 << 20 };

static CPLXMLNode *next_element(CPLXMLNode *node, const char *name)
{
    while (node != NULL && (node->eType != CXT_Element || strcmp(node->pszValue, name) != 0)) node = node->psNext;
    return node;
}

static CPLXMLNode *first_element(CPLXMLNode *parent, const char *name)
{
    return parent != NULL ? next_element(parent->psChild, name) : NULL;
}

/* "255,0,16,255" or "255,0,16,255,rgb:..." */
static bool read_color(const char *text, uint32_t *ret_color)
{
    int rgb[3];
    const char *at = text;
    for (int i = 0; i < 3; i++) {
        char *end = NULL;
        const long value = strtol(at, &end, 10);
        if (end == at || value < 0 || value > 255 || (i < 2 && *end != ',')) return false;
        rgb[i] = (int)value;
        at = end + 1;
    }
    *ret_color = (uint32_t)rgb[0] << 16 | (uint32_t)rgb[1] << 8 | (uint32_t)rgb[2];
    return true;
}

/* Colour of a symbol: that of its first layer. Outlines have "line_color" or "outline_color". */
static bool symbol_color(CPLXMLNode *symbol, uint32_t *ret_color)
{
    static const char *const keys[] = { "color", "line_color" };
    CPLXMLNode *layer = first_element(symbol, "layer");
    for (int64_t k = 0; k < ARRAY_LEN(keys); k++) {
        for (CPLXMLNode *p = first_element(layer, "prop"); p != NULL; p = next_element(p->psNext, "prop"))
            if (strcmp(CPLGetXMLValue(p, "k", ""), keys[k]) == 0 && read_color(CPLGetXMLValue(p, "v", ""), ret_color))
                return true;
        CPLXMLNode *map = first_element(layer, "Option");
        for (CPLXMLNode *o = first_element(map, "Option"); o != NULL; o = next_element(o->psNext, "Option"))
            if (strcmp(CPLGetXMLValue(o, "name", ""), keys[k]) == 0 &&
                read_color(CPLGetXMLValue(o, "value", ""), ret_color))
                return true;
    }
    return false;
}

static Err read_category(const VectorFile *file, CPLXMLNode *category, CPLXMLNode *symbols, VectorClass *classes,
                         int64_t n)
{
    const char *value = CPLGetXMLValue(category, "value", "");
    const char *label = CPLGetXMLValue(category, "label", "");
    const char *symbol = CPLGetXMLValue(category, "symbol", "");
    for (int64_t i = 0; i < n; i++) {
        char number[32];
        (void)snprintf(number, sizeof number, "%lld", (long long)classes[i].value);
        if (strcmp(file->is_text ? classes[i].name : number, value) != 0) continue;
        if (!file->is_text && label[0] != '\0') {
            char *name = NULL;
            TRY(str_copy(label, &name));
            free(classes[i].name);
            classes[i].name = name;
        }
        CPLXMLNode *s = first_element(symbols, "symbol");
        while (s != NULL && strcmp(CPLGetXMLValue(s, "name", ""), symbol) != 0) s = next_element(s->psNext, "symbol");
        if (s != NULL) classes[i].has_color = symbol_color(s, &classes[i].color);
    }
    return ERR_NONE;
}

/* The field of a renderer may stand in quotation marks. */
static bool same_field(const char *attribute, const char *field)
{
    const size_t length = strlen(attribute);
    char name[128];
    if (length < 2 || attribute[0] != '"' || length > sizeof name) return str_equal_nocase(attribute, field);
    (void)snprintf(name, sizeof name, "%.*s", (int)length - 2, attribute + 1);
    return str_equal_nocase(name, field);
}

static Err read_style(const VectorFile *file, const char *text, VectorClass *classes, int64_t n)
{
    CPLXMLNode *tree = CPLParseXMLString(text);
    CPLXMLNode *renderer = tree != NULL ? CPLSearchXMLNode(tree, "renderer-v2") : NULL;
    Err err = ERR_NONE;
    if (renderer != NULL && strcmp(CPLGetXMLValue(renderer, "type", ""), "categorizedSymbol") == 0 &&
        same_field(CPLGetXMLValue(renderer, "attr", ""), file->field_name)) {
        CPLXMLNode *categories = first_element(renderer, "categories");
        CPLXMLNode *symbols = first_element(renderer, "symbols");
        for (CPLXMLNode *c = first_element(categories, "category"); c != NULL && err == ERR_NONE;
             c = next_element(c->psNext, "category"))
            err = read_category(file, c, symbols, classes, n);
    }
    CPLDestroyXMLNode(tree);
    return err;
}

static const char *text_of(OGRFeatureH feature, const char *field)
{
    const int index = OGR_F_GetFieldIndex(feature, field);
    return index >= 0 ? OGR_F_GetFieldAsString(feature, index) : "";
}

/* The style that a GeoPackage holds for the layer, the default one where there are several. free() it; NULL: none. */
static Err stored_style(const VectorFile *file, char **ret_text)
{
    OGRLayerH styles = GDALDatasetGetLayerByName(file->dataset, "layer_styles");
    Err err = ERR_NONE;
    OGRFeatureH feature = NULL;
    bool is_default = false;
    if (styles != NULL) OGR_L_ResetReading(styles);
    while (styles != NULL && err == ERR_NONE && !is_default && (feature = OGR_L_GetNextFeature(styles)) != NULL) {
        if (strcmp(text_of(feature, "f_table_name"), OGR_L_GetName(file->layer)) == 0) {
            const char *flag = text_of(feature, "useAsDefault");
            is_default = strcmp(flag, "1") == 0 || str_equal_nocase(flag, "true");
            free(*ret_text);
            *ret_text = NULL;
            err = str_copy(text_of(feature, "styleQML"), ret_text);
        }
        OGR_F_Destroy(feature);
    }
    return err;
}

static Err style_beside(const VectorFile *file, char **ret_text)
{
    char *stem = NULL;
    char *path = NULL;
    size_t length = 0;
    TRY(path_stem(file->path, &stem));
    Err err = str_format(&path, "%s.qml", stem);
    if (err == ERR_NONE && file_exists(path) && file_read(path, STYLE_BYTES_MAX, ret_text, &length) == ERR_MEMORY)
        err = ERR_MEMORY;
    free(stem);
    free(path);
    return err;
}

Err vector_style_read(const VectorFile *file, VectorClass *classes, int64_t n)
{
    char *text = NULL;
    Err err = stored_style(file, &text);
    if (err == ERR_NONE && (text == NULL || text[0] == '\0')) {
        free(text);
        text = NULL;
        err = style_beside(file, &text);
    }
    if (err == ERR_NONE && text != NULL) err = read_style(file, text, classes, n);
    free(text);
    return err;
}
