/* SPDX-License-Identifier: Apache-2.0
 * Pixel positions to longitude and latitude and back, footprints, sampling distances. Expected UTM values: GDAL's
 * gdaltransform. */
#include "geo/georeference.h"

#include "geo/geo_test.h"
#include "geo/place_grid.h"

#include <math.h>

static Georeference *open_test(TestRaster r, const char *crs)
{
    char path[256];
    Raster *raster = NULL;
    Georeference *g = NULL;
    r.width = r.width > 0 ? r.width : 100;
    r.height = r.height > 0 ? r.height : 100;
    test_raster(unit_at("g.tif", path), r);
    ASSERT_OK(raster_open(path, NULL, &raster));
    ASSERT_OK(georeference_open(raster, crs, &g));
    raster_close(raster); /* the georeference outlives it */
    return g;
}

static void near(double got, double expected, double tolerance)
{
    if (!(fabs(got - expected) <= tolerance)) fail_msg("%.12g, expected %.12g within %g", got, expected, tolerance);
}

static void check_place(Georeference *g, double x, double y, double lon, double lat, double tolerance)
{
    double a = x, b = y;
    georeference_to_lonlat(g, 1, &a, &b);
    near(a, lon, tolerance);
    near(b, lat, tolerance);
}

/* Positions survive the way to the Earth and back. */
static void check_return(Georeference *g, double tolerance)
{
    double x[300], y[300];
    for (int i = 0; i < 300; i++) {
        x[i] = (double)(i % 20) * 5.5;
        y[i] = (double)(i / 20) * 7.25;
    }
    georeference_to_lonlat(g, 300, x, y);
    for (int i = 0; i < 300; i++) assert_true(x[i] >= -180.0 && x[i] < 180.0 && fabs(y[i]) <= 90.0);
    georeference_to_pixel(g, 300, x, y);
    for (int i = 0; i < 300; i++) {
        near(x[i], (double)(i % 20) * 5.5, tolerance);
        near(y[i], (double)(i / 20) * 7.25, tolerance);
    }
}

static void geographic(void **state)
{
    (void)state;
    const double t[6] = { 10.0, 0.01, 0.0, 60.0, 0.0, -0.02 };
    Georeference *g = open_test((TestRaster){ .geotransform = t, .epsg = 4326 }, NULL);
    assert_int_equal(georeference_kind(g), GEOREFERENCE_GEOTRANSFORM);
    assert_string_equal(georeference_note(g), "");
    assert_true(georeference_is_affine(g));
    check_place(g, 0.0, 0.0, 10.0, 60.0, 1e-12);
    check_place(g, 50.0, 25.0, 10.5, 59.5, 1e-12);
    check_return(g, 1e-9);
    const GroundSampling s = georeference_sampling(g);
    near(s.degrees, sqrt(0.01 * 0.02), 1e-12);
    near(s.metres_x, 574.6, 1.0); /* 0.01 degrees at latitude 59: 6378137 / sqrt(1 - e2 sin2) * cos * 0.01 degrees */
    near(s.metres_y, 2228.0, 1.0);
    Footprint f;
    assert_true(georeference_footprint(g, &f));
    near(f.west, 10.0, 1e-9);
    near(f.east, 11.0, 1e-9);
    near(f.north, 60.0, 1e-9);
    near(f.south, 58.0, 1e-9);
    near(f.center_lon, 10.5, 1e-9);
    near(f.center_lat, 59.0, 1e-9);
    assert_false(f.contains_pole);
    georeference_free(g);
}

static void utm(void **state)
{
    (void)state;
    const double t[6] = { 485899.0, 5.0, 0.0, 5209246.0, 0.0, -5.0 };
    Georeference *g = open_test((TestRaster){ .geotransform = t, .epsg = 32614 }, NULL);
    assert_false(georeference_is_affine(g));
    check_place(g, 0.0, 0.0, -99.1856038, 47.0365814, 2e-6);
    check_return(g, 1e-4);
    near(georeference_sampling(g).metres, 5.0, 0.0); /* exactly the unit of the CRS */
    assert_true(isnan(georeference_sampling(g).degrees));
    georeference_free(g);
    g = open_test((TestRaster){ .geotransform = t, .epsg = 26914 }, NULL); /* NAD83: the same to a metre or two */
    check_place(g, 0.0, 0.0, -99.1856038, 47.0365814, 3e-5);
    georeference_free(g);
    g = open_test((TestRaster){ .geotransform = t, .epsg = 26914 }, "EPSG:32614"); /* override */
    check_place(g, 0.0, 0.0, -99.1856038, 47.0365814, 2e-6);
    georeference_free(g);
}

static void south_up_and_rotated(void **state)
{
    (void)state;
    const double south_up[6] = { 10.0, 0.01, 0.0, 58.0, 0.0, 0.02 };
    Georeference *g = open_test((TestRaster){ .geotransform = south_up, .epsg = 4326 }, NULL);
    check_place(g, 0.0, 100.0, 10.0, 60.0, 1e-12);
    Footprint f;
    assert_true(georeference_footprint(g, &f));
    near(f.north, 60.0, 1e-9);
    near(f.south, 58.0, 1e-9);
    check_return(g, 1e-9);
    georeference_free(g);
    const double rotated[6] = { 400000.0, 6.0, 8.0, 5000000.0, 8.0, -6.0 }; /* 10 m pixels, turned */
    g = open_test((TestRaster){ .geotransform = rotated, .epsg = 32633 }, NULL);
    near(georeference_sampling(g).metres, 10.0, 1e-12);
    check_return(g, 1e-4);
    assert_true(georeference_footprint(g, &f));
    assert_true(f.center_lon > f.west && f.center_lon < f.east && f.center_lat > f.south && f.center_lat < f.north);
    georeference_free(g);
}

static void units(void **state)
{
    (void)state;
    const double t[6] = { 2000000.0, 10.0, 0.0, 500000.0, 0.0, -10.0 };
    Georeference *g = open_test((TestRaster){ .geotransform = t, .epsg = 2263 }, NULL); /* New York, US survey feet */
    near(georeference_sampling(g).metres, 3.048006096, 1e-6);
    georeference_free(g);
    const double mercator[6] = { 0.0, 100.0, 0.0, 8399737.9, 0.0, -100.0 }; /* 60 degrees north */
    g = open_test((TestRaster){ .geotransform = mercator, .epsg = 3857 }, NULL);
    near(georeference_sampling(g).metres, 50.2, 0.3);
    georeference_free(g);
}

static void unknown_places(void **state)
{
    (void)state;
    const double t[6] = { 10.0, 0.5, 0.0, 60.0, 0.0, -0.5 };
    double x = 1.0, y = 1.0;
    Footprint f;
    Georeference *g = open_test((TestRaster){ .bands = 1 }, NULL);
    assert_int_equal(georeference_kind(g), GEOREFERENCE_NONE);
    assert_string_equal(georeference_note(g), "no georeference");
    georeference_to_lonlat(g, 1, &x, &y);
    assert_true(isnan(x) && isnan(y));
    assert_false(georeference_footprint(g, &f));
    assert_true(isnan(georeference_sampling(g).metres));
    georeference_free(g);
    g = open_test((TestRaster){ .geotransform = t }, NULL);
    assert_int_equal(georeference_kind(g), GEOREFERENCE_NONE);
    assert_string_equal(georeference_note(g), "no coordinate reference system");
    georeference_free(g);
    g = open_test((TestRaster){ .geotransform = t }, "EPSG:4326"); /* told by hand */
    check_place(g, 0.0, 0.0, 10.0, 60.0, 1e-12);
    georeference_free(g);
    g = open_test((TestRaster){ .geotransform = t, .wkt = "LOCAL_CS[\"site\",UNIT[\"foot\",0.3048]]" }, NULL);
    assert_int_equal(georeference_kind(g), GEOREFERENCE_NONE);
    assert_non_null(strstr(georeference_note(g), "local"));
    near(georeference_sampling(g).metres, 0.5 * 0.3048, 1e-9);
    assert_false(georeference_footprint(g, &f));
    georeference_free(g);
    Raster *raster = NULL;
    char path[256];
    ASSERT_OK(raster_open(unit_at("g.tif", path), NULL, &raster));
    ASSERT_ERR(georeference_open(raster, "EPSG:nonsense", &g), ERR_ARGUMENT, "EPSG:nonsense");
    ASSERT_ERR(georeference_open(raster, "http://127.0.0.1/crs", &g), ERR_ARGUMENT,
               "not a coordinate reference system");
    raster_close(raster);
}

static void unknown_datum(void **state)
{
    (void)state;
    static const char *const wkt = "GEOGCS[\"unknown\",DATUM[\"Unknown based on Clarke 1866 "
                                   "ellipsoid\",SPHEROID[\"Clarke 1866\",6378206.4,294.978698213898]],"
                                   "PRIMEM[\"Greenwich\",0],UNIT[\"degree\",0.0174532925199433]]";
    const double t[6] = { -180.0, 0.05, 0.0, 90.0, 0.0, -0.05 };
    Georeference *g = open_test((TestRaster){ .width = 7200, .height = 3600, .geotransform = t, .wkt = wkt }, NULL);
    assert_int_equal(georeference_kind(g), GEOREFERENCE_GEOTRANSFORM);
    assert_non_null(strstr(georeference_note(g), "datum"));
    check_place(g, 3600.0, 1800.0, 0.0, 0.0, 1e-12);
    check_place(g, 7199.5, 0.5, 179.975, 89.975, 1e-9);
    Footprint f;
    assert_true(georeference_footprint(g, &f));
    near(f.west, -180.0, 0.0);
    near(f.east, 180.0, 0.0);
    near(f.north, 90.0, 1e-9);
    near(f.south, -90.0, 1e-9);
    near(georeference_sampling(g).degrees, 0.05, 1e-12);
    georeference_free(g);
    /* a projected CRS on such a datum: its own degrees */
    char projected[1024];
    (void)snprintf(projected, sizeof projected,
                   "PROJCS[\"x\",%s,PROJECTION[\"Transverse_Mercator\"],PARAMETER[\"latitude_of_origin\",0],PARAMETER["
                   "\"central_meridian\",9],"
                   "PARAMETER[\"scale_factor\",1],PARAMETER[\"false_easting\",0],PARAMETER[\"false_northing\",0],UNIT["
                   "\"metre\",1]]",
                   wkt);
    const double metres[6] = { 0.0, 10.0, 0.0, 0.0, 0.0, -10.0 };
    g = open_test((TestRaster){ .geotransform = metres, .wkt = projected }, NULL);
    assert_int_equal(georeference_kind(g), GEOREFERENCE_GEOTRANSFORM);
    check_place(g, 0.0, 0.0, 9.0, 0.0, 1e-9);
    georeference_free(g);
}

static void date_line_and_poles(void **state)
{
    (void)state;
    const double across[6] = { 175.0, 0.1, 0.0, 10.0, 0.0, -0.1 }; /* 175 .. 185 */
    Footprint f;
    Georeference *g = open_test((TestRaster){ .geotransform = across, .epsg = 4326 }, NULL);
    check_place(g, 100.0, 0.0, -175.0, 10.0, 1e-9);
    check_return(g, 1e-9);
    assert_true(georeference_footprint(g, &f));
    near(f.west, 175.0, 1e-9);
    near(f.east, 185.0, 1e-9);
    georeference_free(g);
    const double turned[6] = { 0.0, 3.6, 0.0, 90.0, 0.0, -1.8 }; /* 0 .. 360 */
    g = open_test((TestRaster){ .geotransform = turned, .epsg = 4326 }, NULL);
    check_place(g, 75.0, 50.0, -90.0, 0.0, 1e-9);
    assert_true(georeference_footprint(g, &f));
    near(f.west, -180.0, 0.0);
    near(f.east, 180.0, 0.0);
    georeference_free(g);
    const double polar[6] = { -1e6, 20000.0, 0.0, 1e6, 0.0, -20000.0 }; /* south pole in the middle */
    g = open_test((TestRaster){ .geotransform = polar, .epsg = 3031 }, NULL);
    assert_true(georeference_footprint(g, &f));
    assert_true(f.contains_pole);
    near(f.south, -90.0, 0.0);
    near(f.west, -180.0, 0.0);
    near(f.east, 180.0, 0.0);
    assert_true(f.north < -76.0 && f.north > -79.0);
    georeference_free(g);
    const double disc[6] = { -5.5e6, 110000.0, 0.0, 5.5e6, 0.0, -110000.0 }; /* corners beyond the Earth's disc */
    g = open_test(
        (TestRaster){
            .geotransform = disc,
            .wkt =
                "PROJCS[\"g\",GEOGCS[\"WGS 84\",DATUM[\"WGS_1984\",SPHEROID[\"WGS 84\",6378137,298.257223563]],"
                "PRIMEM[\"Greenwich\",0],UNIT[\"degree\",0.0174532925199433]],PROJECTION[\"Geostationary_Satellite\"],"
                "PARAMETER[\"central_meridian\",0],PARAMETER[\"satellite_height\",35785831],"
                "PARAMETER[\"false_easting\",0],PARAMETER[\"false_northing\",0],UNIT[\"metre\",1]]" },
        NULL);
    double x = 0.0, y = 0.0;
    georeference_to_lonlat(g, 1, &x, &y);
    assert_true(isnan(x) && isnan(y));
    check_place(g, 50.0, 50.0, 0.0, 0.0, 1e-9);
    assert_true(georeference_footprint(g, &f));
    assert_true(f.west < -55.0 && f.east > 55.0 && f.north > 55.0 && f.south < -55.0 && f.west > -90.0 &&
                f.east < 90.0);
    georeference_free(g);
}

/* A raster of 100 x 100 pixels with control points (pixel, line, x, y) in `crs`, and beside them what GDAL writes for
 * "no geotransform" together with another CRS. */
static Georeference *open_control_points(const double (*points)[4], int n, const char *crs)
{
    char path[256], vrt[256], *wkt = NULL;
    Raster *raster = NULL;
    Georeference *g = NULL;
    test_raster(unit_at("gcp.tif", path), (TestRaster){ .width = 100, .height = 100 });
    OGRSpatialReferenceH reference = OSRNewSpatialReference(NULL);
    assert_int_equal(OSRSetFromUserInput(reference, crs), OGRERR_NONE);
    assert_int_equal(OSRExportToWkt(reference, &wkt), OGRERR_NONE);
    OSRDestroySpatialReference(reference);
    char *escaped = CPLEscapeString(wkt, -1, CPLES_XML);
    FILE *file = fopen(unit_at("gcp.vrt", vrt), "w");
    assert_non_null(file);
    (void)fprintf(file,
                  "<VRTDataset rasterXSize=\"100\" rasterYSize=\"100\"><SRS>EPSG:32632</SRS>"
                  "<GeoTransform>0, 1, 0, 0, 0, 1</GeoTransform>"
                  "<GCPList Projection=\"%s\" dataAxisToSRSAxisMapping=\"2,1\">",
                  escaped);
    for (int i = 0; i < n; i++)
        (void)fprintf(file, "<GCP Pixel=\"%g\" Line=\"%g\" X=\"%.9g\" Y=\"%.9g\"/>", points[i][0], points[i][1],
                      points[i][2], points[i][3]);
    (void)fprintf(file, "</GCPList><VRTRasterBand dataType=\"Byte\" band=\"1\"><SimpleSource><SourceFilename "
                        "relativeToVRT=\"1\">gcp.tif</SourceFilename></SimpleSource></VRTRasterBand></VRTDataset>");
    assert_int_equal(fclose(file), 0);
    CPLFree(wkt);
    CPLFree(escaped);
    ASSERT_OK(raster_open(vrt, NULL, &raster));
    assert_int_equal(raster_info(raster)->gcps, n);
    assert_false(raster_info(raster)->has_geotransform); /* 0, 1, 0, 0, 0, 1 */
    ASSERT_OK(georeference_open(raster, NULL, &g));
    raster_close(raster);
    return g;
}

static void control_points(void **state)
{
    (void)state;
    static const double points[][4] = {
        { 0, 0, 10, 60 }, { 100, 0, 11, 60 }, { 0, 100, 10, 58 }, { 100, 100, 11, 58 }
    };
    Georeference *g = open_control_points(points, 4, "EPSG:4326");
    assert_int_equal(georeference_kind(g), GEOREFERENCE_GCPS);
    assert_false(georeference_has_grid(g));
    check_place(g, 50.0, 25.0, 10.5, 59.5, 1e-6);
    check_return(g, 1e-4);
    near(georeference_sampling(g).metres_x, 574.6, 1.0);
    georeference_free(g);
}

static void control_points_across_180_degrees(void **state)
{
    (void)state;
    static const double points[][4] = {
        { 0, 0, 179, -16 }, { 100, 0, -179, -16 }, { 0, 100, 179, -18 }, { 100, 100, -179, -18 }, { 50, 50, 180, -17 },
    };
    Georeference *g = open_control_points(points, 5, "EPSG:4326");
    check_place(g, 25.0, 50.0, 179.5, -17.0, 1e-6);
    check_place(g, 75.0, 50.0, -179.5, -17.0, 1e-6);
    check_return(g, 1e-4);
    Footprint f;
    assert_true(georeference_footprint(g, &f));
    near(f.west, 179.0, 1e-6);
    near(f.east, 181.0, 1e-6);
    georeference_free(g);
}

/* Coefficients of an affine camera: line = -(lat - 50) / 0.5 * 100 + 100, sample = (lon - 10) / 0.5 * 100 + 100. */
static void rational_polynomials(void **state)
{
    (void)state;
    char path[256];
    Raster *raster = NULL;
    Georeference *g = NULL;
    static const char *const items[][2] = {
        { "LINE_OFF", "100" },
        { "SAMP_OFF", "100" },
        { "LAT_OFF", "50" },
        { "LONG_OFF", "10" },
        { "HEIGHT_OFF", "300" },
        { "LINE_SCALE", "100" },
        { "SAMP_SCALE", "100" },
        { "LAT_SCALE", "0.5" },
        { "LONG_SCALE", "0.5" },
        { "HEIGHT_SCALE", "500" },
        { "LINE_NUM_COEFF", "0 0 -1 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0" },
        { "LINE_DEN_COEFF", "1 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0" },
        { "SAMP_NUM_COEFF", "0 1 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0" },
        { "SAMP_DEN_COEFF", "1 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0" },
    };
    test_raster(unit_at("rpc.tif", path), (TestRaster){ .width = 200, .height = 200 });
    GDALDatasetH d = GDALOpen(path, GA_Update);
    for (int64_t i = 0; i < ARRAY_LEN(items); i++)
        assert_int_equal(GDALSetMetadataItem(d, items[i][0], items[i][1], "RPC"), CE_None);
    GDALClose(d);
    ASSERT_OK(raster_open(path, NULL, &raster));
    assert_true(raster_info(raster)->has_rpc);
    ASSERT_OK(georeference_open(raster, NULL, &g));
    raster_close(raster);
    assert_int_equal(georeference_kind(g), GEOREFERENCE_RPC);
    check_place(g, 100.5, 100.5, 10.0, 50.0, 1e-4); /* RPC counts from pixel centres */
    check_place(g, 150.5, 50.5, 10.25, 50.25, 1e-4);
    check_return(g, 0.05);
    georeference_free(g);
}

/* Rotated poles are transformed, whatever their datum. Expected: gdaltransform of PROJ 9.1.1. */
static void derived(void **state)
{
    (void)state;
    const double t[6] = { -3.5, 0.01, 0.0, 1.5, 0.0, -0.01 };
    Georeference *g = open_test((TestRaster){ .geotransform = t },
                                "+proj=ob_tran +o_proj=longlat +o_lat_p=39.25 +lon_0=18 +o_lon_p=0 +R=6371229");
    assert_int_equal(georeference_kind(g), GEOREFERENCE_GEOTRANSFORM);
    assert_false(georeference_is_affine(g));
    check_place(g, 50.0, 50.0, 13.161900873558332, 51.65190247925947, 1e-9);
    check_return(g, 1e-6);
    georeference_free(g);
    /* the Greenland pole of a climate model, with the pole inside */
    const double wide[6] = { -20.0, 0.4, 0.0, 20.0, 0.0, -0.4 };
    g = open_test((TestRaster){ .geotransform = wide },
                  "+proj=ob_tran +o_proj=longlat +o_lat_p=5 +lon_0=-40 +o_lon_p=0 +datum=WGS84");
    Footprint f;
    assert_true(georeference_footprint(g, &f) && f.contains_pole);
    near(f.north, 90.0, 0.0);
    georeference_free(g);
}

/* Where a projection ends, positions are unknown, also where PROJ's inverse answers with another place. */
static void edges(void **state)
{
    (void)state;
    const double t[6] = { 17e6, 50000.0, 0.0, 7.5e6, 0.0, -50000.0 };
    static const char *const list[] = { "+proj=sinu", "+proj=moll", "+proj=robin", "+proj=eqearth", "+proj=vandg" };
    for (int64_t i = 0; i < ARRAY_LEN(list); i++) {
        Georeference *g = open_test((TestRaster){ .geotransform = t }, list[i]);
        double x = 99.0, y = 50.0; /* 22,000 km east of the middle at 45 degrees north */
        georeference_to_lonlat(g, 1, &x, &y);
        if (!isnan(x) || !isnan(y)) fail_msg("%s: %g, %g beyond the edge", list[i], x, y);
        x = 0.0;
        y = 150.0;
        georeference_to_lonlat(g, 1, &x, &y);
        if (!(x > 150.0 && fabs(y) < 1e-6)) fail_msg("%s: %g, %g on the equator", list[i], x, y);
        georeference_free(g);
    }
    /* cylindrical: beyond 180 degrees the Earth goes on */
    const double mercator[6] = { 19997508.34, 1000.0, 0.0, 6e6, 0.0, -1000.0 };
    Georeference *g = open_test((TestRaster){ .width = 80, .geotransform = mercator }, "EPSG:3857");
    check_place(g, 79.0, 0.0, -179.65, 47.3537, 1e-3);
    double x = -179.65, y = 47.3537;
    georeference_to_pixel(g, 1, &x, &y);
    near(x, 79.0, 0.2);
    georeference_free(g);
    const double high[6] = { 0.0, 1.0, 0.0, 95.0, 0.0, -1.0 }; /* rows beyond the pole */
    g = open_test((TestRaster){ .geotransform = high }, "EPSG:4258");
    x = y = 2.0;
    georeference_to_lonlat(g, 1, &x, &y);
    assert_true(isnan(x) && isnan(y));
    check_place(g, 2.0, 10.0, 2.0, 85.0, 1e-9);
    georeference_free(g);
}

/* TOWGS84 ties an unnamed datum to WGS 84; grads and the meridian of Paris; heights and compounds change nothing. */
static void kinds_of_crs(void **state)
{
    (void)state;
    const double t[6] = { 10.0, 0.01, 0.0, 50.0, 0.0, -0.01 };
    Georeference *g = open_test((TestRaster){ .geotransform = t }, "+proj=longlat +ellps=bessel +towgs84=598,73,418");
    assert_string_equal(georeference_note(g), "");
    check_place(g, 0.0, 0.0, 9.999554368871, 49.998861449673, 1e-9);
    georeference_free(g);
    g = open_test((TestRaster){ .geotransform = t }, "EPSG:4807");
    check_place(g, 0.0, 0.0, 11.336901911, 45.000014196, 1e-6); /* 9 degrees east of Paris, 45 north */
    near(georeference_sampling(g).degrees, 0.009, 1e-12);
    check_return(g, 1e-4);
    georeference_free(g);
    g = open_test((TestRaster){ .geotransform = t }, "EPSG:4326+5773");
    check_place(g, 0.0, 0.0, 10.0, 50.0, 1e-9);
    assert_true(georeference_is_affine(g));
    georeference_free(g);
    g = open_test((TestRaster){ .geotransform = t }, "EPSG:4978");
    assert_int_equal(georeference_kind(g), GEOREFERENCE_NONE);
    assert_non_null(strstr(georeference_note(g), "not horizontal"));
    georeference_free(g);
}

/* A VRT may say that its first coordinate is the first axis of EPSG:4326, the latitude. */
static void latitude_first(void **state)
{
    (void)state;
    char path[256];
    Raster *raster = NULL;
    Georeference *g = NULL;
    test_raster(unit_at("axes.tif", path), (TestRaster){ .width = 100, .height = 100 });
    FILE *file = fopen(unit_at("axes.vrt", path), "w");
    assert_non_null(file);
    (void)fprintf(file, "<VRTDataset rasterXSize=\"100\" rasterYSize=\"100\">"
                        "<SRS dataAxisToSRSAxisMapping=\"1,2\">EPSG:4326</SRS>"
                        "<GeoTransform>50, 0, -0.01, 10, 0.02, 0</GeoTransform><VRTRasterBand dataType=\"Byte\" "
                        "band=\"1\"><SimpleSource><SourceFilename relativeToVRT=\"1\">axes.tif</SourceFilename>"
                        "</SimpleSource></VRTRasterBand></VRTDataset>");
    assert_int_equal(fclose(file), 0);
    ASSERT_OK(raster_open(path, NULL, &raster));
    ASSERT_OK(georeference_open(raster, NULL, &g));
    check_place(g, 50.0, 100.0, 11.0, 49.0, 1e-9);
    check_return(g, 1e-6);
    georeference_free(g);
    raster_close(raster);
}

/* Names and codes do not make a CRS: Landsat's harmonised tiles have none. */
static void same_crs(void **state)
{
    (void)state;
    static const char *const unnamed_utm =
        "PROJCS[\"UTM Zone 33, Northern Hemisphere\",GEOGCS[\"Unknown datum based upon the WGS 84 ellipsoid\",DATUM["
        "\"Not specified (based on WGS 84 spheroid)\",SPHEROID[\"WGS 84\",6378137,298.257223563]],PRIMEM["
        "\"Greenwich\",0],UNIT[\"degree\",0.0174532925199433]],PROJECTION[\"Transverse_Mercator\"],PARAMETER["
        "\"latitude_of_origin\",0],PARAMETER[\"central_meridian\",15],PARAMETER[\"scale_factor\",0.9996],PARAMETER["
        "\"false_easting\",500000],PARAMETER[\"false_northing\",0],UNIT[\"metre\",1]]";
    const double t[6] = { 400000.0, 30.0, 0.0, 5.5e6, 0.0, -30.0 };
    static const struct {
        const char *crs;
        bool same;
    } list[] = { { "EPSG:32633", true },  { "EPSG:32733", false },
                 { "EPSG:32632", false }, { "+proj=utm +zone=33 +ellps=WGS84", true },
                 { "EPSG:4326", false },  { "+proj=utm +zone=33 +ellps=intl", false } };
    Georeference *a = open_test((TestRaster){ .geotransform = t }, unnamed_utm);
    for (int64_t i = 0; i < ARRAY_LEN(list); i++) {
        Georeference *b = open_test((TestRaster){ .geotransform = t }, list[i].crs);
        if (georeference_same_crs(a, b) != list[i].same || georeference_same_crs(b, a) != list[i].same)
            fail_msg("%s", list[i].crs);
        georeference_free(b);
    }
    georeference_free(a);
}

/* The grid of squares on which the network sees an image. */
static void square_pixels(void **state)
{
    (void)state;
    static const struct {
        const char *crs;
        double t[6];
        bool in_degrees, known;
        double x, y, side, columns, rows; /* columns and rows of 100 x 100 pixels */
    } list[] = {
        { "EPSG:32633", { 5e5, 10.0, 0.0, 5e6, 0.0, -10.0 }, false, true, 10.0, 10.0, 10.0, 100, 100 },
        { "EPSG:32633", { 5e5, 10.0, 0.0, 5e6, 0.0, -30.0 }, false, true, 10.0, 30.0, 30.0, 33, 100 },
        { "EPSG:32633", { 5e5, 0.0, 20.0, 5e6, 10.0, 0.0 }, false, true, 10.0, 20.0, 20.0, 50, 100 }, /* turned */
        { "EPSG:4326", { 10.0, 0.02, 0.0, 60.0, 0.0, -0.01 }, true, true, 0.02, 0.01, 0.02, 100, 50 },
        { "EPSG:4326", { 10.0, 0.0001, 0.0, 60.0, 0.0, -0.0001 }, true, true, 1e-4, 1e-4, 1e-4, 100, 100 },
        { "EPSG:4326", { 10.0, 0.0001, 0.0, 60.0, 0.0, -0.0001 }, false, true, 5.582, 11.141, 11.141, 50, 100 },
        { "EPSG:32633", { 5e5, 111.31949, 0.0, 5e6, 0.0, -333.95847 }, true, true, 1e-3, 3e-3, 3e-3, 33, 100 },
        { NULL, { 5.0, 4.0, 0.0, 5.0, 0.0, -1.0 }, false, false, 4.0, 1.0, 4.0, 100, 25 },
        { NULL, { 5.0, 4.0, 0.0, 5.0, 0.0, -4.1 }, false, false, 4.05, 4.05, 4.05, 100, 100 },
    };
    for (int64_t i = 0; i < ARRAY_LEN(list); i++) {
        Georeference *g = open_test((TestRaster){ .geotransform = list[i].t }, list[i].crs);
        const PixelSides s = georeference_pixel_sides(g, list[i].in_degrees);
        double columns = 0.0, rows = 0.0;
        assert_int_equal(s.known, list[i].known);
        near(s.x, list[i].x, 1e-3 * list[i].x);
        near(s.y, list[i].y, 1e-3 * list[i].y);
        near(s.side, list[i].side, 1e-3 * list[i].side);
        georeference_square_grid(&s, s.side, 100, 100, &columns, &rows);
        near(columns, list[i].columns, 0.0);
        near(rows, list[i].rows, 0.0);
        georeference_square_grid(&s, s.side / 2.0, 100, 100, &columns, &rows);
        near(rows, round(200.0 * s.y / s.side), 0.0);
        georeference_free(g);
    }
    Georeference *none = open_test((TestRaster){ .bands = 1 }, NULL);
    const PixelSides s = georeference_pixel_sides(none, false);
    double columns = 0.0, rows = 0.0;
    assert_true(!s.known && isnan(s.side));
    georeference_square_grid(&s, s.side, 100, 70, &columns, &rows);
    assert_true(columns == 100.0 && rows == 70.0);
    georeference_free(none);
}

static void points(void **state)
{
    (void)state;
    Georeference *g = NULL;
    double lon = 0.0, lat = 0.0, box[4];
    Footprint f;
    ASSERT_OK(georeference_from_point(350.0, 52.0, &g));
    check_place(g, 1234.0, -5.0, -10.0, 52.0, 1e-12);
    assert_true(georeference_footprint(g, &f) && f.west == -10.0 && f.east == -10.0 && f.north == 52.0);
    georeference_free(g);
    ASSERT_ERR(georeference_from_point(0.0, 91.0, &g), ERR_ARGUMENT, "not on the Earth");
    ASSERT_ERR(georeference_from_point((double)NAN, 1.0, &g), ERR_ARGUMENT, "not on the Earth");
    ASSERT_OK(geo_parse_lonlat("13.06,52.40", &lon, &lat));
    assert_true(lon == 13.06 && lat == 52.40);
    ASSERT_ERR(geo_parse_lonlat("52.4", &lon, &lat), ERR_ARGUMENT, "");
    ASSERT_ERR(geo_parse_lonlat("13,95", &lon, &lat), ERR_ARGUMENT, "not on the Earth");
    assert_true(geo_longitudes_meet(15.0, 15.0, 10.0, 20.0) && geo_longitudes_meet(20.0, 30.0, 10.0, 20.0));
    assert_true(geo_longitudes_meet(-170.0, -170.0, 180.0, 200.0) && geo_longitudes_meet(190.0, 200.0, -175.0, -160.0));
    assert_false(geo_longitudes_meet(21.0, 30.0, 10.0, 20.0) ||
                 geo_longitudes_meet((double)NAN, (double)NAN, 10.0, 20.0));
    ASSERT_OK(geo_parse_bbox("10,50,11,51", box));
    assert_true(box[3] == 51.0);
    ASSERT_ERR(geo_parse_bbox("11,50,10,51", box), ERR_ARGUMENT, "west < east");
    near(geo_distance(0.0, 0.0, 1.0, 0.0), 111319.49, 0.01); /* one degree of the equator */
    near(geo_distance(179.5, 45.0, -179.5, 45.0), 78846.8, 1.0);
}

/* Interpolated places stay within 100 m of exact ones, also across the date line and at a pole. */
static void interpolated_places(void **state)
{
    (void)state;
    static const struct {
        double t[6];
        int epsg;
    } list[] = { { { 300000.0, 10.0, 0.0, 5.5e6, 0.0, -10.0 }, 32633 },
                 { { -6e5, 250.0, 0.0, 5e5, 0.0, -250.0 }, 3031 },
                 { { 900000.0, 100.0, 0.0, 2e6, 0.0, -100.0 }, 32660 },
                 { { -4e6, 1000.0, 0.0, 3e6, 0.0, -1000.0 }, 3575 } };
    for (int64_t k = 0; k < ARRAY_LEN(list); k++) {
        Georeference *g = open_test(
            (TestRaster){ .width = 4000, .height = 4000, .geotransform = list[k].t, .epsg = list[k].epsg }, NULL);
        PlaceGrid *grid = NULL;
        ASSERT_OK(place_grid_new(g, &grid));
        double x[500], y[500], u[500], v[500], alone_x = 0.0, alone_y = 0.0;
        for (int i = 0; i < 500; i++) {
            x[i] = u[i] = (double)(i * 7919 % 4000) + 0.25;
            y[i] = v[i] = (double)(i * 104729 % 4000) + 0.5;
        }
        alone_x = x[77];
        alone_y = y[77];
        georeference_to_lonlat(g, 500, x, y);
        ASSERT_OK(place_grid_lonlat(grid, 500, u, v));
        int between = 0; /* nodes: not transformed one by one */
        for (int i = 0; i < 500; i++) {
            assert_true(geo_distance(x[i], y[i], u[i], v[i]) < 100.0);
            between += x[i] != u[i] || y[i] != v[i];
        }
        assert_true(between > 400);
        ASSERT_OK(place_grid_lonlat(grid, 1, &alone_x, &alone_y)); /* the same bits, whatever else is asked */
        assert_true(alone_x == u[77] && alone_y == v[77]);
        place_grid_free(grid);
        georeference_free(g);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(geographic),
        cmocka_unit_test(utm),
        cmocka_unit_test(south_up_and_rotated),
        cmocka_unit_test(units),
        cmocka_unit_test(unknown_places),
        cmocka_unit_test(unknown_datum),
        cmocka_unit_test(date_line_and_poles),
        cmocka_unit_test(control_points),
        cmocka_unit_test(control_points_across_180_degrees),
        cmocka_unit_test(rational_polynomials),
        cmocka_unit_test(derived),
        cmocka_unit_test(edges),
        cmocka_unit_test(kinds_of_crs),
        cmocka_unit_test(latitude_first),
        cmocka_unit_test(same_crs),
        cmocka_unit_test(square_pixels),
        cmocka_unit_test(points),
        cmocka_unit_test(interpolated_places),
    };
    return cmocka_run_group_tests(tests, unit_set_up, unit_tear_down);
}
