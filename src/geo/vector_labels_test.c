/* SPDX-License-Identifier: Apache-2.0
 * Vector labels: which pixels a feature has, whatever its CRS and type, and the files that are refused. */
#include "geo/vector_labels.h"

#include "geo/geo_test.h"

#include <math.h>

enum { WIDTH = 40, HEIGHT = 30 };

/* 10 m pixels in UTM 33N; pixel positions (0, 0) and (40, 30) are (500000, 6000300) and (500400, 6000000). */
static const double utm_place[6] = { 500000.0, 10.0, 0.0, 6000300.0, 0.0, -10.0 };

typedef struct Feature {
    const char *wkt;  /* NULL: no geometry */
    const char *text; /* value of the field; NULL: null; "-": left unset */
} Feature;

typedef struct Layer {
    const char *name, *driver, *layer;
    int epsg;
    OGRFieldType type;
    const Feature *features;
    int64_t n;
} Layer;

static void register_drivers(void)
{
    assert_false(vector_labels_is_vector("."));
    GDALRegister_MEM();
}

static OGRLayerH add_layer(GDALDatasetH dataset, const Layer *l)
{
    OGRSpatialReferenceH crs = l->epsg != 0 ? OSRNewSpatialReference(NULL) : NULL;
    if (crs != NULL) {
        assert_int_equal(OSRImportFromEPSG(crs, l->epsg), OGRERR_NONE);
        OSRSetAxisMappingStrategy(crs, OAMS_TRADITIONAL_GIS_ORDER);
    }
    OGRLayerH layer = GDALDatasetCreateLayer(dataset, l->layer != NULL ? l->layer : "labels", crs, wkbUnknown, NULL);
    assert_non_null(layer);
    OSRDestroySpatialReference(crs);
    OGRFieldDefnH field = OGR_Fld_Create("class", l->type);
    assert_int_equal(OGR_L_CreateField(layer, field, 1), OGRERR_NONE);
    OGR_Fld_Destroy(field);
    for (int64_t i = 0; i < l->n; i++) {
        const Feature *f = &l->features[i];
        OGRFeatureH feature = OGR_F_Create(OGR_L_GetLayerDefn(layer));
        if (f->text == NULL) OGR_F_SetFieldNull(feature, 0);
        if (f->text != NULL && strcmp(f->text, "-") != 0) OGR_F_SetFieldString(feature, 0, f->text);
        char *wkt = (char *)f->wkt;
        OGRGeometryH geometry = NULL;
        if (wkt != NULL) assert_int_equal(OGR_G_CreateFromWkt(&wkt, NULL, &geometry), OGRERR_NONE);
        if (geometry != NULL) assert_int_equal(OGR_F_SetGeometryDirectly(feature, geometry), OGRERR_NONE);
        assert_int_equal(OGR_L_CreateFeature(layer, feature), OGRERR_NONE);
        OGR_F_Destroy(feature);
    }
    return layer;
}

static const char *write_layer(Layer l, char ret_path[256])
{
    register_drivers();
    unit_at(l.name, ret_path);
    const GDALDriverH driver = GDALGetDriverByName(l.driver != NULL ? l.driver : "GPKG");
    assert_non_null(driver);
    (void)remove(ret_path);
    GDALDatasetH dataset = GDALCreate(driver, ret_path, 0, 0, 0, GDT_Unknown, NULL);
    assert_non_null(dataset);
    (void)add_layer(dataset, &l);
    GDALClose(dataset);
    return ret_path;
}

static Georeference *place_of(int64_t width, int64_t height, const double *geotransform, int epsg)
{
    char path[256];
    Raster *raster = NULL;
    Georeference *place = NULL;
    test_raster(unit_at("image.tif", path),
                (TestRaster){ .width = (int)width, .height = (int)height, .geotransform = geotransform, .epsg = epsg });
    ASSERT_OK(raster_open(path, NULL, &raster));
    ASSERT_OK(georeference_open(raster, NULL, &place));
    raster_close(raster);
    return place;
}

static Err open_at(const char *path, const VectorOptions *options, VectorLabels **ret_labels)
{
    Georeference *place = place_of(WIDTH, HEIGHT, utm_place, 32633);
    const VectorOptions usual = { .buffer = VECTOR_BUFFER };
    const Err err =
        vector_labels_open(path, options != NULL ? options : &usual, place, WIDTH, HEIGHT, NULL, ret_labels);
    georeference_free(place);
    return err;
}

static void read_all(VectorLabels *labels, uint8_t ret_classes[HEIGHT][WIDTH])
{
    const PlaceWindow window = { 0.5, 0.5, 1.0, 1.0, WIDTH, HEIGHT };
    ASSERT_OK(vector_labels_read(labels, &window, ret_classes[0]));
}

/* The class at each pixel of a rectangle, elsewhere nothing. */
static void check_rectangle(uint8_t classes[HEIGHT][WIDTH], int class_index, int x0, int y0, int x1, int y1)
{
    for (int y = 0; y < HEIGHT; y++)
        for (int x = 0; x < WIDTH; x++) {
            const bool inside = x >= x0 && x < x1 && y >= y0 && y < y1;
            if (inside ? classes[y][x] != class_index : classes[y][x] == class_index)
                fail_msg("class %d at column %d, row %d", classes[y][x], x, y);
        }
}

#define BOX(x0, y0, x1, y1) "POLYGON((" #x0 " " #y0 "," #x1 " " #y0 "," #x1 " " #y1 "," #x0 " " #y1 "," #x0 " " #y0 "))"

static void polygons_of_texts(void **state)
{
    (void)state;
    static const Feature features[] = {
        { BOX(500010, 6000190, 500110, 6000290), " wood " }, { BOX(500200, 6000190, 500300, 6000290), "arable" },
        { BOX(500250, 6000190, 500300, 6000290), "wood" },   { BOX(500370, 6000190, 500500, 6000290), "arable" },
        { BOX(510000, 6000190, 510500, 6000290), "sand" },   { BOX(500001, 6000001, 500002, 6000002), "wood" },
    };
    char path[256];
    uint8_t classes[HEIGHT][WIDTH];
    VectorLabels *v = NULL;
    write_layer((Layer){ "text.gpkg", .epsg = 32633, .type = OFTString, .features = features, .n = 6 }, path);
    assert_true(vector_labels_is_vector(path));
    ASSERT_OK(open_at(path, NULL, &v));
    assert_true(vector_labels_is_text(v));
    assert_int_equal(vector_labels_class_count(v), 3);
    assert_string_equal(vector_labels_class(v, 0)->name, "arable");
    assert_string_equal(vector_labels_class(v, 1)->name, "sand");
    assert_string_equal(vector_labels_class(v, 2)->name, "wood");
    assert_int_equal(vector_labels_class(v, 0)->pixels, 80); /* 50 are wood's, 50 have no image */
    assert_int_equal(vector_labels_class(v, 2)->pixels, 150);
    assert_int_equal(vector_labels_class(v, 2)->features, 2);
    assert_int_equal(vector_labels_class(v, 1)->features, 0);
    read_all(v, classes);
    check_rectangle(classes, 1, 0, 0, 0, 0);
    assert_int_equal(classes[1][1], 2);
    assert_int_equal(classes[1][24], 0);
    assert_int_equal(classes[1][25], 2);
    assert_int_equal(classes[1][30], VECTOR_NO_LABEL);
    const VectorFindings *f = vector_labels_findings(v);
    assert_int_equal(f->features, 6);
    assert_int_equal(f->beside, 1);
    assert_int_equal(f->partly, 1);
    assert_int_equal(f->small, 1);
    assert_int_equal(f->first_small, 6);
    assert_int_equal(vector_labels_overlaps(v).overlapped, 50);
    assert_int_equal(vector_labels_overlaps(v).contradicting, 50);
    static const uint8_t states[] = { VECTOR_ON_IMAGE,
                                      VECTOR_ON_IMAGE,
                                      VECTOR_ON_IMAGE,
                                      VECTOR_ON_IMAGE | VECTOR_CUT,
                                      0,
                                      VECTOR_ON_IMAGE | VECTOR_SMALL };
    assert_memory_equal(vector_labels_states(v), states, 6);
    assert_int_equal(vector_labels_ids(v)[5], 6);
    assert_int_equal(vector_labels_feature(v, 4)->layer_index, 5);
    assert_int_equal(vector_labels_feature_count(v), 5);
    assert_int_equal(vector_labels_feature(v, 1)->pixels, 100);
    assert_true(fabs(vector_labels_feature(v, 3)->x1 - 40.0) < 1e-9);
    vector_labels_close(v);
}

/* Metres that are taken for degrees, and a box around the Earth: edges of millions of pieces are not made of them. */
static void far_larger_than_the_image(void **state)
{
    (void)state;
    static const Feature metres[] = { { BOX(500013, 6000043, 50028700, 6000207), "7" }, { BOX(0, 0, 1e300, 50), "7" } };
    static const Feature earth[] = { { BOX(-180, -90, 180, 90), "7" }, { BOX(-170, 10, 170, 70), "8" } };
    char path[256];
    uint8_t classes[HEIGHT][WIDTH];
    VectorLabels *v = NULL;
    write_layer((Layer){ "metres.gpkg", .epsg = 4326, .type = OFTInteger64, .features = metres, .n = 2 }, path);
    ASSERT_OK(open_at(path, NULL, &v));
    assert_int_equal(vector_labels_findings(v)->far, 2);
    vector_labels_close(v);
    write_layer((Layer){ "earth.gpkg", .epsg = 4326, .type = OFTInteger64, .features = earth, .n = 2 }, path);
    ASSERT_OK(open_at(path, NULL, &v));
    assert_int_equal(vector_labels_findings(v)->features, 2);
    read_all(v, classes);
    vector_labels_close(v);
}

/* The same place in another CRS has the same pixels, in every window and at other steps. */
static void crs_and_windows(void **state)
{
    (void)state;
    static const Feature features[] = { { BOX(500013, 6000043, 500287, 6000207), "7" } };
    static const Feature degrees[] = { { BOX(15.0, 54.14, 15.01, 54.15), "7" } };
    char path[256];
    uint8_t whole[HEIGHT][WIDTH];
    uint8_t fine[8][10];
    VectorLabels *v = NULL;
    write_layer((Layer){ "utm.gpkg", .epsg = 32633, .type = OFTInteger64, .features = features, .n = 1 }, path);
    ASSERT_OK(open_at(path, NULL, &v));
    read_all(v, whole);
    check_rectangle(whole, 0, 1, 9, 29, 26);
    const PlaceWindow window = { 0.25, 8.25, 0.5, 0.5, 10, 8 };
    ASSERT_OK(vector_labels_read(v, &window, fine[0]));
    for (int y = 0; y < 8; y++)
        for (int x = 0; x < 10; x++) {
            const bool inside = 0.25 + 0.5 * x > 1.3 && 8.25 + 0.5 * y > 9.3;
            assert_int_equal(fine[y][x], inside ? 0 : VECTOR_NO_LABEL);
        }
    const PlaceWindow beyond = { -1.5, -1.5, 1.0, 1.0, 4, 4 };
    uint8_t corner[16];
    ASSERT_OK(vector_labels_read(v, &beyond, corner));
    for (int i = 0; i < 16; i++) assert_int_equal(corner[i], VECTOR_NO_LABEL);
    vector_labels_close(v);
    /* geographic, whatever the order of its axes; 15 degrees are the zone's meridian, x = 500000 */
    v = NULL;
    write_layer((Layer){ "degrees.gpkg", .epsg = 4326, .type = OFTInteger, .features = degrees, .n = 1 }, path);
    ASSERT_OK(open_at(path, NULL, &v));
    assert_int_equal(vector_labels_feature_count(v), 1);
    assert_true(fabs(vector_labels_feature(v, 0)->x0) < 1e-6);
    read_all(v, whole);
    assert_int_equal(whole[10][0], 0);
    vector_labels_close(v);
}

/* An edge of many kilometres in degrees is a curve in UTM. */
static void long_edges(void **state)
{
    (void)state;
    static const double place[6] = { 200000.0, 1000.0, 0.0, 6400000.0, 0.0, -1000.0 };
    static const Feature features[] = { { BOX(10, 55, 20, 57), "1" } };
    char path[256];
    uint8_t column[600];
    VectorLabels *v = NULL;
    const VectorOptions options = { .buffer = 1.0 };
    Georeference *image = place_of(600, 600, place, 32633);
    write_layer((Layer){ "long.gpkg", .epsg = 4326, .type = OFTInteger, .features = features, .n = 1 }, path);
    ASSERT_OK(vector_labels_open(path, &options, image, 600, 600, NULL, &v));
    const PlaceWindow window = { 300.5, 0.5, 1.0, 1.0, 1, 600 };
    ASSERT_OK(vector_labels_read(v, &window, column));
    for (int y = 0; y < 600; y++) {
        double lon = 300.5;
        double lat = y + 0.5;
        georeference_to_lonlat(image, 1, &lon, &lat);
        if (fabs(lat - 55.0) < 0.005 || fabs(lat - 57.0) < 0.005) continue;
        assert_int_equal(column[y], lat > 55.0 && lat < 57.0 ? 0 : VECTOR_NO_LABEL);
    }
    vector_labels_close(v);
    georeference_free(image);
}

/* Geometries that GDAL would burn as nothing, or not at all. */
static void odd_geometries(void **state)
{
    (void)state;
    static const Feature features[] = {
        { "CURVEPOLYGON(CIRCULARSTRING(500050 6000250,500100 6000200,500050 6000150,500000 6000200,500050 6000250))",
          "1" },
        { "TIN(((500200 6000290,500300 6000290,500200 6000190,500200 6000290)))", "2" },
        { "POLYGON((500010 6000010,500110 6000110,500110 6000010,500010 6000110,500010 6000010))", "3" },
        { "GEOMETRYCOLLECTION(POLYGON((500200 6000010,500250 6000010,500250 6000060,500200 6000060,500200 "
          "6000010)),POINT(500355 6000055))",
          "4" },
        { "LINESTRING(500305 6000283,500395 6000283)", "5" },
        { "POINT Z (500325 6000145 7)", "6" },
        { "MULTIPOLYGON EMPTY", "6" },
        { NULL, "6" },
        { "POINT(500325 6000145)", NULL },
        { "POINT(500325 6000145)", "-" },
    };
    static const int64_t expected[] = { 78, 50, 50, 25 + 2, 10 * 2, 2 };
    char path[256];
    VectorLabels *v = NULL;
    write_layer((Layer){ "odd.gpkg", .epsg = 32633, .type = OFTInteger, .features = features, .n = 10 }, path);
    ASSERT_OK(open_at(path, NULL, &v));
    assert_int_equal(vector_labels_class_count(v), 6);
    for (int32_t i = 0; i < 6; i++) {
        const int64_t pixels = vector_labels_class(v, i)->pixels;
        if (llabs((long long)(pixels - expected[i])) > expected[i] / 8)
            fail_msg("class %d: %lld pixels", (int)i, (long long)pixels);
    }
    const VectorFindings *f = vector_labels_findings(v);
    assert_int_equal(f->repaired, 1);
    assert_int_equal(f->first_repaired, 3);
    assert_int_equal(f->widened, 3);
    assert_int_equal(f->empty, 2);
    assert_int_equal(f->first_empty, 7);
    assert_int_equal(f->null_fields, 2);
    assert_int_equal(f->first_null, 9);
    vector_labels_close(v);
    v = NULL;
    const VectorOptions thin = { .buffer = 0.0 };
    ASSERT_OK(open_at(path, &thin, &v));
    assert_int_equal(vector_labels_class(v, 5)->pixels, 1);
    assert_int_equal(vector_labels_class(v, 4)->pixels, 10);
    vector_labels_close(v);
}

static void numbers(void **state)
{
    (void)state;
    static const Feature large[] = { { BOX(500010, 6000010, 500110, 6000110), "1099511627776" },
                                     { BOX(500010, 6000010, 500110, 6000110), "-3" } };
    static const Feature whole[] = { { BOX(500010, 6000010, 500110, 6000110), "2" },
                                     { BOX(500010, 6000010, 500110, 6000110), "10" } };
    static const Feature half[] = { { BOX(500010, 6000010, 500110, 6000110), "2" },
                                    { BOX(500010, 6000010, 500110, 6000110), "2.5" } };
    char path[256];
    VectorLabels *v = NULL;
    write_layer((Layer){ "large.gpkg", .epsg = 32633, .type = OFTInteger64, .features = large, .n = 2 }, path);
    ASSERT_OK(open_at(path, NULL, &v));
    assert_true(vector_labels_class(v, 0)->value == -3);
    assert_true(vector_labels_class(v, 1)->value == INT64_C(1099511627776));
    vector_labels_close(v);
    v = NULL;
    write_layer((Layer){ "real.gpkg", .epsg = 32633, .type = OFTReal, .features = whole, .n = 2 }, path);
    ASSERT_OK(open_at(path, NULL, &v));
    assert_true(vector_labels_class(v, 1)->value == 10);
    assert_string_equal(vector_labels_class(v, 1)->name, "10");
    vector_labels_close(v);
    write_layer((Layer){ "real.gpkg", .epsg = 32633, .type = OFTReal, .features = half, .n = 2 }, path);
    ASSERT_ERR(open_at(path, NULL, &v), ERR_INPUT, "field 'class' of feature 2 is 2.5");
}

static void refused(void **state)
{
    (void)state;
    static const Feature box[] = { { BOX(500010, 6000010, 500110, 6000110), "2" } };
    static const Feature null[] = { { BOX(500010, 6000010, 500110, 6000110), NULL } };
    static const char *const drivers[] = { "GPKG", "ESRI Shapefile", "FlatGeobuf" };
    static const char *const names[] = { "none.gpkg", "none.shp", "none.fgb" };
    char path[256];
    VectorLabels *v = NULL;
    VectorOptions options = { .buffer = 1.0, .crs = "EPSG:32633" };
    for (int i = 0; i < 3; i++) {
        write_layer((Layer){ names[i], drivers[i], .layer = "none", .type = OFTInteger, .features = box, .n = 1 },
                    path);
        ASSERT_ERR(open_at(path, NULL, &v), ERR_INPUT, "has no coordinate reference system");
        ASSERT_OK(open_at(path, &options, &v));
        assert_int_equal(vector_labels_class(v, 0)->pixels, 100);
        vector_labels_close(v);
        v = NULL;
    }
    options.crs = "EPSG:none";
    ASSERT_ERR(open_at(path, &options, &v), ERR_ARGUMENT, "is not a coordinate reference system");
    write_layer((Layer){ "box.gpkg", .epsg = 32633, .type = OFTInteger, .features = box, .n = 1 }, path);
    options = (VectorOptions){ .field = "clas" };
    ASSERT_ERR(open_at(path, &options, &v), ERR_ARGUMENT, "no field 'clas'; its fields: 'class'");
    options = (VectorOptions){ .layer = "label" };
    ASSERT_ERR(open_at(path, &options, &v), ERR_ARGUMENT, "no layer 'label'; its layers: 'labels'");
    write_layer((Layer){ "date.gpkg", .epsg = 32633, .type = OFTDate, .n = 0 }, path);
    ASSERT_ERR(open_at(path, NULL, &v), ERR_INPUT, "is of type Date");
    write_layer((Layer){ "empty.gpkg", .epsg = 32633, .type = OFTInteger, .n = 0 }, path);
    ASSERT_ERR(open_at(path, NULL, &v), ERR_INPUT, "has no feature");
    write_layer((Layer){ "null.gpkg", .epsg = 32633, .type = OFTInteger, .features = null, .n = 1 }, path);
    ASSERT_ERR(open_at(path, NULL, &v), ERR_INPUT, "empty in all 1 features");
    unit_write_text(unit_at("text.gpkg", path), "no GeoPackage");
    ASSERT_ERR(open_at(path, NULL, &v), ERR_INPUT, "not a vector file");
    unit_write_text(unit_at("half.geojson", path), "{\"type\":\"FeatureCollection\",\"features\":[{");
    ASSERT_ERR(open_at(path, NULL, &v), ERR_INPUT, "half.geojson");
    ASSERT_ERR(open_at("nothing.gpkg", NULL, &v), ERR_INPUT, "no such file");
    assert_null(v);
}

static void choices(void **state)
{
    (void)state;
    static Feature many[300];
    static char texts[300][8];
    char path[256];
    VectorLabels *v = NULL;
    for (int i = 0; i < 300; i++) {
        (void)snprintf(texts[i], sizeof texts[i], "%d", i);
        many[i] = (Feature){ BOX(500010, 6000010, 500110, 6000110), texts[i] };
    }
    write_layer((Layer){ "many.gpkg", .epsg = 32633, .type = OFTInteger, .features = many, .n = 300 }, path);
    ASSERT_ERR(open_at(path, NULL, &v), ERR_ARGUMENT, "more than 254 different values");
    register_drivers();
    unit_at("two.gpkg", path);
    GDALDatasetH dataset = GDALCreate(GDALGetDriverByName("GPKG"), path, 0, 0, 0, GDT_Unknown, NULL);
    (void)add_layer(dataset, &(Layer){ .layer = "a", .epsg = 32633, .type = OFTInteger, .features = many, .n = 3 });
    OGRLayerH b = add_layer(dataset, &(Layer){ .layer = "b", .epsg = 32633, .type = OFTInteger });
    OGRFieldDefnH field = OGR_Fld_Create("kind", OFTString);
    assert_int_equal(OGR_L_DeleteField(b, 0), OGRERR_NONE);
    assert_int_equal(OGR_L_CreateField(b, field, 1), OGRERR_NONE);
    OGR_Fld_SetName(field, "use");
    assert_int_equal(OGR_L_CreateField(b, field, 1), OGRERR_NONE);
    OGR_Fld_Destroy(field);
    GDALClose(dataset);
    ASSERT_ERR(open_at(path, NULL, &v), ERR_ARGUMENT, "it has 2 layers ('a', 'b'); name the one");
    VectorOptions options = { .layer = "a", .buffer = 1.0 };
    ASSERT_OK(open_at(path, &options, &v));
    assert_int_equal(vector_labels_class_count(v), 3);
    vector_labels_close(v);
    options.layer = "b";
    ASSERT_ERR(open_at(path, &options, &v), ERR_ARGUMENT, "which field of layer 'b' is the class?");
}

#define CATEGORIES                                                                                                     \
    "<qgis><renderer-v2 type='categorizedSymbol' attr='class'><categories>"                                            \
    "<category symbol='0' value='1' label='wood'/><category symbol='1' value='2' label=''/></categories><symbols>"     \
    "<symbol type='fill' name='0'><layer class='SimpleFill'><Option type='Map'>"                                       \
    "<Option name='color' type='QString' value='1,128,3,255,rgb:0.1'/></Option></layer></symbol>"                      \
    "<symbol type='fill' name='1'><layer><prop k='color' v='255,0,16,255'/></layer></symbol>"                          \
    "</symbols></renderer-v2></qgis>"

static void styles(void **state)
{
    (void)state;
    static const Feature features[] = { { BOX(500010, 6000010, 500110, 6000110), "1" },
                                        { BOX(500210, 6000010, 500310, 6000110), "2" },
                                        { BOX(500210, 6000210, 500310, 6000290), "3" } };
    char path[256], style[256];
    VectorLabels *v = NULL;
    write_layer((Layer){ "styled.gpkg", .epsg = 32633, .type = OFTInteger, .features = features, .n = 3 }, path);
    unit_write_text(unit_at("styled.qml", style), CATEGORIES);
    ASSERT_OK(open_at(path, NULL, &v));
    assert_string_equal(vector_labels_class(v, 0)->name, "wood");
    assert_true(vector_labels_class(v, 0)->has_color && vector_labels_class(v, 0)->color == 0x018003);
    assert_string_equal(vector_labels_class(v, 1)->name, "2");
    assert_true(vector_labels_class(v, 1)->has_color && vector_labels_class(v, 1)->color == 0xff0010);
    assert_false(vector_labels_class(v, 2)->has_color);
    vector_labels_close(v);
    v = NULL;
    unit_write_text(style, "<qgis><renderer-v2 type='categorizedSymbol' attr=");
    ASSERT_OK(open_at(path, NULL, &v));
    assert_false(vector_labels_class(v, 0)->has_color);
    vector_labels_close(v);
    v = NULL;
    GDALDatasetH dataset = GDALOpenEx(path, GDAL_OF_VECTOR | GDAL_OF_UPDATE, NULL, NULL, NULL);
    const char *sql = "CREATE TABLE layer_styles (id INTEGER PRIMARY KEY, f_table_name TEXT, styleQML TEXT, "
                      "useAsDefault BOOLEAN)";
    GDALDatasetExecuteSQL(dataset, sql, NULL, NULL);
    GDALDatasetExecuteSQL(dataset,
                          "INSERT INTO layer_styles VALUES (1, 'labels', '<qgis/>', 0), (2, 'labels', \"" CATEGORIES
                          "\", 1), (3, 'labels', '<qgis/>', 0)",
                          NULL, NULL);
    GDALClose(dataset);
    ASSERT_OK(open_at(path, NULL, &v));
    assert_true(vector_labels_class(v, 0)->has_color && vector_labels_class(v, 0)->color == 0x018003);
    vector_labels_close(v);
}

/* Across 180 degrees, on an image of the whole Earth and on one at the date line. */
static void date_line(void **state)
{
    (void)state;
    static const double world[6] = { -180.0, 1.0, 0.0, 90.0, 0.0, -1.0 };
    static const double fiji[6] = { 175.0, 0.1, 0.0, -10.0, 0.0, -0.1 };
    static const Feature features[] = { { BOX(178, -18, 182, -14), "1" } };
    char path[256];
    VectorLabels *v = NULL;
    const VectorOptions options = { .buffer = 1.0 };
    uint8_t row[360];
    write_layer((Layer){ "fiji.gpkg", .epsg = 4326, .type = OFTInteger, .features = features, .n = 1 }, path);
    Georeference *image = place_of(360, 180, world, 4326);
    ASSERT_OK(vector_labels_open(path, &options, image, 360, 180, NULL, &v));
    const PlaceWindow window = { 0.5, 106.5, 1.0, 1.0, 360, 1 };
    ASSERT_OK(vector_labels_read(v, &window, row));
    for (int x = 0; x < 360; x++) assert_int_equal(row[x], x < 2 || x >= 358 ? 0 : VECTOR_NO_LABEL);
    assert_int_equal(vector_labels_overlaps(v).overlapped, 0);
    vector_labels_close(v);
    georeference_free(image);
    v = NULL;
    image = place_of(100, 100, fiji, 4326);
    ASSERT_OK(vector_labels_open(path, &options, image, 100, 100, NULL, &v));
    assert_int_equal(vector_labels_class(v, 0)->pixels, 40 * 40);
    vector_labels_close(v);
    georeference_free(image);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(polygons_of_texts),
        cmocka_unit_test(far_larger_than_the_image),
        cmocka_unit_test(crs_and_windows),
        cmocka_unit_test(long_edges),
        cmocka_unit_test(odd_geometries),
        cmocka_unit_test(numbers),
        cmocka_unit_test(refused),
        cmocka_unit_test(choices),
        cmocka_unit_test(styles),
        cmocka_unit_test(date_line),
    };
    return cmocka_run_group_tests(tests, unit_set_up, unit_tear_down);
}
