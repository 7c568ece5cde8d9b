/* SPDX-License-Identifier: Apache-2.0
 * Opening a vector file: which formats, which layer, which field, which CRS. */
#include "geo/vector_file.h"

#include "base/file.h"
#include "base/str.h"
#include "geo/gdal_session.h"
#include "geo/georeference_crs.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Exported by libgdal; its header that declares them is C++. */
void RegisterOGRFlatGeobuf(void);
void RegisterOGRGeoJSON(void);
void RegisterOGRGeoJSONSeq(void);
void RegisterOGRGeoPackage(void);
void RegisterOGRKML(void);
void RegisterOGRShape(void);
void RegisterOGRTAB(void);

static const char formats[] = "GeoPackage, GeoJSON, Shapefile, FlatGeobuf, KML, MapInfo";
static const char *const drivers[] = { "GPKG",       "GeoJSON", "GeoJSONSeq",   "ESRI Shapefile",
                                       "FlatGeobuf", "KML",     "MapInfo File", NULL };

void vector_file_register(void)
{
    RegisterOGRGeoPackage();
    RegisterOGRGeoJSON();
    RegisterOGRGeoJSONSeq();
    RegisterOGRShape();
    RegisterOGRFlatGeobuf();
    RegisterOGRKML();
    RegisterOGRTAB();
}

bool vector_labels_is_vector(const char *path)
{
    char name[PATH_MAX];
    if (!file_exists(path) || gdal_plain_name(path, name, sizeof name) != ERR_NONE) return false;
    GdalSession session;
    gdal_begin(&session);
    const bool found = GDALIdentifyDriverEx(name, GDAL_OF_VECTOR, drivers, NULL) != NULL;
    gdal_end(&session);
    return found;
}

static Err open_dataset(VectorFile *f)
{
    char name[PATH_MAX];
    TRY(gdal_check_path(f->path));
    TRY(gdal_plain_name(f->path, name, sizeof name));
    GdalSession session;
    gdal_begin(&session);
    f->dataset = GDALOpenEx(name, GDAL_OF_VECTOR | GDAL_OF_READONLY, drivers, NULL, NULL);
    Err err = ERR_NONE;
    if (f->dataset == NULL)
        err = session.failures > 0
                  ? err_set(ERR_INPUT, "'%s': it cannot be read (%s)", f->path, session.message)
                  : err_set(ERR_INPUT, "'%s': not a vector file in a format that is read here (%s)", f->path, formats);
    gdal_end(&session);
    return err;
}

static int by_distance_to(const char *word, const char *a, const char *b)
{
    const int64_t d = str_distance(word, a) - str_distance(word, b);
    return d < 0 ? -1 : d > 0 ? 1 : 0;
}

/* "'a', 'b'", those nearest to a word first (NULL: in order), 12 at most. */
static void list_names(const char **names, int64_t n, const char *word, Str *text)
{
    for (int64_t i = 1; word != NULL && i < n; i++)
        for (int64_t k = i; k > 0 && by_distance_to(word, names[k], names[k - 1]) < 0; k--) {
            const char *name = names[k];
            names[k] = names[k - 1];
            names[k - 1] = name;
        }
    for (int64_t i = 0; i < n && i < 12; i++) str_addf(text, "%s'%s'", i > 0 ? ", " : "", names[i]);
    if (n > 12) str_addf(text, " and %lld more", (long long)n - 12);
}

/* Layers that can hold labels: with geometries. */
static int64_t list_layers(const VectorFile *f, const char **names, OGRLayerH *layers, int64_t most)
{
    int64_t n = 0;
    for (int i = 0; i < GDALDatasetGetLayerCount(f->dataset) && n < most; i++) {
        layers[n] = GDALDatasetGetLayer(f->dataset, i);
        if (OGR_FD_GetGeomFieldCount(OGR_L_GetLayerDefn(layers[n])) == 0) continue;
        names[n] = OGR_L_GetName(layers[n]);
        n++;
    }
    return n;
}

static Err choose_layer(VectorFile *f, const char *wanted)
{
    enum { MOST = 512 };
    const char *names[MOST];
    OGRLayerH layers[MOST];
    const int64_t n = list_layers(f, names, layers, MOST);
    if (n == 0)
        return err_set(ERR_INPUT, "'%s': it has no layer with geometries; labels are polygons, lines or points",
                       f->path);
    for (int64_t i = 0; i < n; i++)
        if (wanted == NULL ? n == 1 : strcmp(names[i], wanted) == 0) f->layer = layers[i];
    if (f->layer != NULL) return ERR_NONE;
    Str text = { 0 };
    list_names(names, n, wanted, &text);
    const Err err =
        wanted == NULL
            ? err_set(ERR_ARGUMENT, "'%s': it has %lld layers (%s); name the one that holds the %s", f->path,
                      (long long)n, str_text(&text), f->cutline ? "cutline with -cl" : "labels with --layer")
            : err_set(ERR_ARGUMENT, "'%s': it has no layer '%s'; its layers: %s", f->path, wanted, str_text(&text));
    str_done(&text);
    return err;
}

static bool may_be_class(OGRFieldType type)
{
    return type == OFTInteger || type == OFTInteger64 || type == OFTString || type == OFTReal;
}

static Err no_field(const VectorFile *f, const char *wanted)
{
    enum { MOST = 512 };
    const char *names[MOST];
    const OGRFeatureDefnH definition = OGR_L_GetLayerDefn(f->layer);
    int64_t n = 0;
    for (int i = 0; i < OGR_FD_GetFieldCount(definition) && n < MOST; i++)
        names[n++] = OGR_Fld_GetNameRef(OGR_FD_GetFieldDefn(definition, i));
    const char *layer = OGR_L_GetName(f->layer);
    if (n == 0)
        return err_set(ERR_INPUT,
                       "'%s': layer '%s' has no field; labels need one with the class, a whole number or a text",
                       f->path, layer);
    Str text = { 0 };
    list_names(names, n, wanted, &text);
    const Err err = wanted == NULL
                        ? err_set(ERR_ARGUMENT,
                                  "'%s': which field of layer '%s' is the class? Name it with --field; its fields: %s",
                                  f->path, layer, str_text(&text))
                        : err_set(ERR_ARGUMENT, "'%s': layer '%s' has no field '%s'; its fields: %s", f->path, layer,
                                  wanted, str_text(&text));
    str_done(&text);
    return err;
}

static bool is_candidate(OGRFieldDefnH field)
{
    static const char *const numbers[] = { "id", "fid", "ogc_fid", "objectid" };
    const OGRFieldType type = OGR_Fld_GetType(field);
    bool numbered = false;
    for (int64_t i = 0; i < ARRAY_LEN(numbers); i++)
        numbered = numbered || str_equal_nocase(OGR_Fld_GetNameRef(field), numbers[i]);
    return !numbered && type != OFTReal && may_be_class(type);
}

/* Without a name: "class", else the only one that may be it. */
static int guess_field(OGRFeatureDefnH definition)
{
    int candidates = 0;
    int found = OGR_FD_GetFieldIndex(definition, "class");
    if (found >= 0) return found;
    for (int i = 0; i < OGR_FD_GetFieldCount(definition); i++) {
        if (!is_candidate(OGR_FD_GetFieldDefn(definition, i))) continue;
        candidates++;
        found = i;
    }
    return candidates == 1 ? found : -1;
}

static Err choose_field(VectorFile *f, const char *wanted)
{
    const OGRFeatureDefnH definition = OGR_L_GetLayerDefn(f->layer);
    f->field = wanted != NULL ? OGR_FD_GetFieldIndex(definition, wanted) : guess_field(definition);
    if (f->field < 0) return no_field(f, wanted);
    const OGRFieldDefnH field = OGR_FD_GetFieldDefn(definition, f->field);
    const OGRFieldType type = OGR_Fld_GetType(field);
    TRY(str_copy(OGR_Fld_GetNameRef(field), &f->field_name));
    f->is_text = type == OFTString;
    if (may_be_class(type)) return ERR_NONE;
    return err_set(
        ERR_INPUT,
        "'%s': field '%s' of layer '%s' is of type %s; a class is a whole number or a text: make such a field "
        "of it (field calculator)",
        f->path, f->field_name, OGR_L_GetName(f->layer), OGR_GetFieldTypeName(type));
}

/* What GDAL makes of a layer without a CRS, by version and format: nothing, or one of these. */
static bool is_undefined(OGRSpatialReferenceH crs)
{
    const char *name = crs != NULL ? OSRGetName(crs) : NULL;
    return crs == NULL || OSRIsLocal(crs) || (name != NULL && str_starts_with(name, "Undefined "));
}

static Err choose_crs(VectorFile *f, const char *wanted)
{
    if (wanted != NULL) return crs_from_text(wanted, &f->crs);
    OGRSpatialReferenceH crs = OGR_L_GetSpatialRef(f->layer);
    if (is_undefined(crs)) {
        TRY(crs_check_database());
        return err_set(ERR_INPUT,
                       "'%s': layer '%s' has no coordinate reference system, so its place is unknown; name it with "
                       "%s",
                       f->path, OGR_L_GetName(f->layer),
                       f->cutline ? "-cutline_srs, for example EPSG:4326"
                                  : "--labels-crs, for example EPSG:4326 (labels_crs in a configuration)");
    }
    f->crs = OSRClone(crs);
    if (f->crs == NULL) return err_memory(64, "a coordinate reference system");
    OSRSetAxisMappingStrategy(f->crs, OAMS_TRADITIONAL_GIS_ORDER);
    return ERR_NONE;
}

Err vector_file_open(const char *path, const VectorOptions *options, VectorFile *ret_file)
{
    TRY(str_copy(path, &ret_file->path));
    ret_file->cutline = options->cutline;
    TRY(open_dataset(ret_file));
    GdalSession session;
    gdal_begin(&session);
    Err err = choose_layer(ret_file, options->layer);
    if (err == ERR_NONE && !options->cutline) err = choose_field(ret_file, options->field);
    if (err == ERR_NONE) err = choose_crs(ret_file, options->crs);
    gdal_end(&session);
    return err;
}

void vector_file_release(VectorFile *f)
{
    if (f->dataset != NULL) GDALClose(f->dataset);
    f->dataset = NULL;
    f->layer = NULL;
}

void vector_file_close(VectorFile *f)
{
    GdalSession session;
    gdal_begin(&session);
    OSRDestroySpatialReference(f->crs);
    vector_file_release(f);
    gdal_end(&session);
    free(f->field_name);
    free(f->path);
    *f = (VectorFile){ 0 };
}

Err vector_files_path(const char *path, FileSet *set, const char *role, bool style)
{
    static const char *const appended[] = { "-wal", "-shm", "-journal" };
    static const char *const replacing[] = { ".shx", ".dbf", ".prj", ".cpg", ".qix", ".sbn", ".sbx", ".qml",
                                             ".tab", ".dat", ".map", ".id",  ".ind", ".mif", ".mid" };
    char *stem = NULL, part[160];
    (void)snprintf(part, sizeof part, "a part of %s", role);
    TRY(file_set_input(set, path, role));
    Err err = path_stem(path, &stem);
    for (int64_t i = 0; err == ERR_NONE && i < ARRAY_LEN(appended) + ARRAY_LEN(replacing); i++) {
        const bool beside = i < ARRAY_LEN(appended);
        char *name = NULL;
        err =
            str_format(&name, "%s%s", beside ? path : stem, beside ? appended[i] : replacing[i - ARRAY_LEN(appended)]);
        const bool read = strcmp(name, path) != 0 && (style || !str_ends_with(name, ".qml"));
        if (err == ERR_NONE && read) err = file_set_input(set, name, part);
        free(name);
    }
    free(stem);
    return err;
}
