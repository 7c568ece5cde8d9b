/* SPDX-License-Identifier: Apache-2.0
 * Products of several files: made here as agencies deliver them, small. */
#include "geo/product.h"

#include "geo/georeference.h"
#include "geo/metadata.h"
#include "geo/raster.h"
#include "geo/raster_files.h"

#include "base/file.h"
#include "base/str.h"
#include "geo/geo_test.h"

#include <cpl_conv.h>
#include <cpl_vsi.h>
#include <math.h>
#include <unistd.h>

enum { FINE = 12, COARSE = 6 }; /* pixels of 10 and 20 m */

static const double origin_x = 499980.0, origin_y = 5100000.0;

static void make_folder(const char *name)
{
    char path[256];
    assert_int_equal(VSIMkdirRecursive(unit_at(name, path), 0755), 0);
}

/* A band file of side x side pixels of `pixel` metres; value: of pixel (0, 0), rising by 10 along x and by 100 along y. */
static void make_band_at(const char *name, int side, double pixel, double shift, float value, const char *driver)
{
    static const char *const lossless[] = { "QUALITY=100", "REVERSIBLE=YES", NULL };
    const double place[6] = { origin_x - shift, pixel, 0, origin_y + shift, 0, -pixel };
    char path[256];
    float *values = malloc((size_t)(side * side) * sizeof *values);
    assert_non_null(values);
    for (int i = 0; i < side * side; i++)
        values[i] = value == 0.0F ? 0.0F : value + 10.0F * (float)(i % side) + 100.0F * (float)(i / side);
    const bool jp2 = strcmp(driver, "JP2OpenJPEG") == 0;
    test_raster(unit_at(name, path), (TestRaster){ .width = side,
                                                   .height = side,
                                                   .type = GDT_UInt16,
                                                   .driver = driver,
                                                   .geotransform = place,
                                                   .epsg = 32633,
                                                   .values = values,
                                                   .options = jp2 ? lossless : NULL });
    free(values);
}

static void make_band(const char *name, int side, double pixel, float value)
{
    make_band_at(name, side, pixel, 0.0, value, str_ends_with(name, ".jp2") ? "JP2OpenJPEG" : "GTiff");
}

static void write_text(const char *name, const char *text)
{
    char path[256];
    unit_write_text(unit_at(name, path), text);
}

/* ---- Sentinel-2 ---- */

#define GRANULE "GRANULE/L2A_T33TWL_A033710_20230820T095811/IMG_DATA/"
#define IMAGE(folder, band) "<IMAGE_FILE>" GRANULE folder "T33TWL_20230820T094549_" band "</IMAGE_FILE>"

/* Metadata as of 2023; `offsets` and `more` images are put in. */
static void write_l2a(const char *name, const char *level, const char *offsets, const char *more)
{
    char text[4000];
    (void)snprintf(
        text, sizeof text,
        "<?xml version=\"1.0\"?><n1:Level-2A_User_Product "
        "xmlns:n1=\"https://psd-14.sentinel2.eo.esa.int\"><n1:General_Info>"
        "<Product_Info><PRODUCT_START_TIME>2023-08-20T09:45:49.024Z</PRODUCT_START_TIME>"
        "<PROCESSING_LEVEL>%s</PROCESSING_LEVEL><PROCESSING_BASELINE>05.09</PROCESSING_BASELINE>"
        "<Datatake datatakeIdentifier=\"x\"><SPACECRAFT_NAME>Sentinel-2B</SPACECRAFT_NAME></Datatake>"
        "<Product_Organisation><Granule_List><Granule granuleIdentifier=\"S2B_OPER\" imageFormat=\"JPEG2000\">" IMAGE(
            "R10m/", "B02_10m") IMAGE("R10m/", "B03_10m") IMAGE("R10m/", "B04_10m") IMAGE("R20m/", "B04_20m")
            IMAGE("R20m/", "B05_20m") IMAGE("R20m/", "SCL_20m") IMAGE(
                "R10m/",
                "TCI_10m") "%s</Granule></Granule_List></Product_Organisation></"
                           "Product_Info><Product_Image_Characteristics>"
                           "<QUANTIFICATION_VALUES_LIST><BOA_QUANTIFICATION_VALUE "
                           "unit=\"none\">10000</BOA_QUANTIFICATION_VALUE>"
                           "</QUANTIFICATION_VALUES_LIST>%s</Product_Image_Characteristics></n1:General_Info>"
                           "<n1:Quality_Indicators_Info><Cloud_Coverage_Assessment>64.25</Cloud_Coverage_Assessment>"
                           "</n1:Quality_Indicators_Info></n1:Level-2A_User_Product>",
        level, more, offsets);
    write_text(name, text);
}

#define SAFE "S2B_MSIL2A_20230820T094549_N0509_R079_T33TWL_20230820T124817.SAFE"

static void make_l2a(void)
{
    static bool made;
    if (made) return;
    make_folder(SAFE "/" GRANULE "R10m");
    make_folder(SAFE "/" GRANULE "R20m");
    make_band(SAFE "/" GRANULE "R10m/T33TWL_20230820T094549_B02_10m.jp2", FINE, 10, 1200);
    make_band(SAFE "/" GRANULE "R10m/T33TWL_20230820T094549_B03_10m.jp2", FINE, 10, 1300);
    make_band(SAFE "/" GRANULE "R10m/T33TWL_20230820T094549_B04_10m.jp2", FINE, 10, 1400);
    make_band(SAFE "/" GRANULE "R20m/T33TWL_20230820T094549_B04_20m.jp2", COARSE, 20, 9000);
    make_band(SAFE "/" GRANULE "R20m/T33TWL_20230820T094549_B05_20m.jp2", COARSE, 20, 1500);
    make_band(SAFE "/" GRANULE "R20m/T33TWL_20230820T094549_SCL_20m.jp2", COARSE, 20, 4);
    made = true;
}

static const char offsets[] = "<BOA_ADD_OFFSET_VALUES_LIST><BOA_ADD_OFFSET band_id=\"1\">-1000</BOA_ADD_OFFSET>"
                              "<BOA_ADD_OFFSET band_id=\"4\">-900</BOA_ADD_OFFSET></BOA_ADD_OFFSET_VALUES_LIST>";

static Raster *open_l2a(const char *stated)
{
    char path[256];
    Raster *raster = NULL;
    make_l2a();
    write_l2a(SAFE "/MTD_MSIL2A.xml", "Level-2A", stated, "");
    ASSERT_OK(raster_open(unit_at(SAFE, path), NULL, &raster));
    return raster;
}

static void offset_of(const Raster *raster, int64_t band, double want_scale, double want_offset)
{
    double scale = 0.0, offset = 0.0;
    raster_band_scaling(raster, band, &scale, &offset);
    if (fabs(scale - want_scale) > 1e-12 || fabs(offset - want_offset) > 1e-12)
        fail_msg("band %d: scale %g, offset %g", (int)band, scale, offset);
}

static void sentinel2_metadata(void **state)
{
    (void)state;
    Raster *raster = open_l2a(offsets);
    const RasterInfo *info = raster_info(raster);
    assert_string_equal(info->driver, "Sentinel-2 SAFE");
    assert_int_equal(info->bands, 4);
    assert_string_equal(raster_band_name(raster, 1), "B02");
    assert_string_equal(raster_band_common_name(raster, 3), "red");
    assert_string_equal(raster_band_name(raster, 4), "B05");
    assert_int_equal(info->width, FINE);
    assert_true(info->geotransform[0] == origin_x && info->geotransform[3] == origin_y &&
                info->geotransform[1] == 10.0);
    assert_string_equal(info->crs_name, "WGS 84 / UTM zone 33N");
    offset_of(raster, 1, 1e-4, -0.1);
    offset_of(raster, 2, 1e-4, 0.0); /* not stated: 0, whatever the baseline */
    offset_of(raster, 4, 1e-4, -0.09);
    Metadata metadata;
    Georeference *place = NULL;
    ASSERT_OK(georeference_open(raster, NULL, &place));
    ASSERT_OK(metadata_read(raster, place, NULL, &metadata));
    assert_true(metadata.cloud_cover == 64.25);
    assert_int_equal(metadata.sensor, SENSOR_SENTINEL_2);
    assert_string_equal(metadata.platform, "Sentinel-2B");
    assert_int_equal(metadata.date.month * 100 + metadata.date.day, 820);
    assert_string_equal(raster_metadata(raster, NULL, "PROCESSING_LEVEL"), "Level-2A");
    georeference_free(place);
    raster_close(raster);
    raster = open_l2a("");
    offset_of(raster, 1, 1e-4, 0.0);
    raster_close(raster);
}

/* The finest chosen band makes the grid, coarser ones are bilinear: at the centre of the four coarse pixels around. */
static void grid_follows_choice(void **state)
{
    (void)state;
    float values[FINE * FINE * 2];
    uint8_t valid[FINE * FINE];
    Raster *raster = open_l2a(offsets);
    ASSERT_OK(raster_choose_bands(raster, "B04,B05", 2, NULL));
    assert_int_equal(raster_info(raster)->width, FINE);
    ASSERT_OK(raster_read(raster, (RasterWindow){ 0, 0, FINE, FINE }, values, valid));
    for (int y = 1; y < FINE - 1; y++)
        for (int x = 1; x < FINE - 1; x++) {
            /* plane through the coarse centres, rounded to the type of the band: pixel x of 10 m lies at (x + 0.5) / 2 - 0.5 coarse pixels */
            const float coarse =
                1500.0F + 10.0F * ((float)x + 0.5F) / 2 - 5.0F + 100.0F * ((float)y + 0.5F) / 2 - 50.0F;
            const float *got = values + (y * FINE + x) * 2;
            if (got[0] != 1400.0F + 10.0F * (float)x + 100.0F * (float)y || fabsf(got[1] - coarse) > 0.51F)
                fail_msg("pixel %d, %d: %g and %g instead of %g", x, y, (double)got[0], (double)got[1], (double)coarse);
        }
    /* windows do not show */
    for (int y = 0; y < FINE; y++)
        for (int x = 0; x < FINE; x++) {
            float one[2];
            uint8_t is_valid = 0;
            ASSERT_OK(raster_read(raster, (RasterWindow){ x, y, 1, 1 }, one, &is_valid));
            if (one[0] != values[(y * FINE + x) * 2] || fabsf(one[1] - values[(y * FINE + x) * 2 + 1]) > 0.01F)
                fail_msg("pixel %d, %d alone: %g instead of %g", x, y, (double)one[1],
                         (double)values[(y * FINE + x) * 2 + 1]);
        }
    /* all blocks (here whole files) that a strip of FINE rows may touch, of two bytes a pixel */
    assert_int_equal(raster_cache_bytes(raster, FINE), 2 * (2 * FINE * FINE + 2 * COARSE * COARSE));
    ASSERT_OK(raster_choose_bands(raster, "B05", 1, NULL));
    assert_int_equal(raster_info(raster)->width, COARSE);
    assert_true(raster_info(raster)->geotransform[1] == 20.0);
    raster_remove_offsets(raster);
    ASSERT_OK(raster_read(raster, (RasterWindow){ 0, 0, COARSE, COARSE }, values, valid));
    assert_true(values[0] == 600.0F);
    raster_close(raster);
}

/* 0 is no data in each band, and is no part of what is made for the finer grid. */
static void zero_is_no_data(void **state)
{
    (void)state;
    static const char coarse[] = "B05.tif", fine[] = "B02.tif", folder[] = "S2A_MSIL1C_20200101T000000_zeros";
    char path[256], name[128];
    make_folder(folder);
    const double place[2][6] = { { origin_x, 20, 0, origin_y, 0, -20 }, { origin_x, 10, 0, origin_y, 0, -10 } };
    const float holed[] = { 0, 500, 500, 500 };
    (void)snprintf(name, sizeof name, "%s/T33TWL_20200101T000000_%s", folder, coarse);
    test_raster(
        unit_at(name, path),
        (TestRaster){
            .width = 2, .height = 2, .type = GDT_UInt16, .geotransform = place[0], .epsg = 32633, .values = holed });
    (void)snprintf(name, sizeof name, "%s/T33TWL_20200101T000000_%s", folder, fine);
    test_raster(unit_at(name, path),
                (TestRaster){ .width = 4, .height = 4, .type = GDT_UInt16, .geotransform = place[1], .epsg = 32633 });
    Raster *raster = NULL;
    float values[32];
    uint8_t valid[16];
    ASSERT_OK(raster_open(unit_at(folder, path), NULL, &raster));
    assert_non_null(strstr(raster_product_note(raster), "no offset is known"));
    ASSERT_OK(raster_choose_bands(raster, "B05,B02", 2, NULL));
    ASSERT_OK(raster_read(raster, (RasterWindow){ 0, 0, 4, 4 }, values, valid));
    assert_int_equal(valid[0], 0);
    for (int i = 0; i < 16; i++)
        if (valid[i] != 0 && values[2 * i] != 500.0F)
            fail_msg("pixel %d: %g holds some of the 0", i, (double)values[2 * i]);
    assert_int_equal(valid[15], 1);
    raster_close(raster);
}

static void refuse(const char *name, const char *text)
{
    char path[256];
    Raster *raster = NULL;
    ASSERT_ERR(raster_open(unit_at(name, path), NULL, &raster), ERR_INPUT, text);
    assert_non_null(strstr(err_message(), path));
    assert_null(raster);
}

static void damaged_sentinel2(void **state)
{
    (void)state;
    static const char *const red[] = { "red" }, *const blue[] = { "blue" };
    char path[256];
    Raster *raster = NULL;
    make_l2a();
    make_folder("empty.SAFE");
    refuse("empty.SAFE", "has no metadata (MTD_MSIL1C.xml or MTD_MSIL2A.xml)");
    write_text("empty.SAFE/MTD_MSIL2A.xml", "<n1:Level-2A_User_Product><PROCESSING_LEVEL>");
    refuse("empty.SAFE", "broken XML");
    write_l2a("empty.SAFE/MTD_MSIL2A.xml", "Level-2A", "", "");
    refuse("empty.SAFE", "the files of all its bands are missing");
    write_l2a(SAFE "/MTD_MSIL2A.xml", "Level-0", "", "");
    refuse(SAFE, "processing level 'Level-0'; Level-1C and Level-2A are read");
    write_l2a(SAFE "/MTD_MSIL2A.xml", "Level-2A", "<BOA_ADD_OFFSET band_id=\"1\">many</BOA_ADD_OFFSET>", "");
    refuse(SAFE, "BOA_ADD_OFFSET as 'many'; a number was expected");
    write_l2a(SAFE "/MTD_MSIL2A.xml", "Level-2A", "<BOA_ADD_OFFSET band_id=\"99\">-1000</BOA_ADD_OFFSET>", "");
    refuse(SAFE, "of band 99, which cannot be");
    write_l2a(SAFE "/MTD_MSIL2A.xml", "Level-2A", "", "<IMAGE_FILE>GRANULE/../../../etc/x_B01</IMAGE_FILE>");
    refuse(SAFE, "does not lie in the product");
    write_l2a(SAFE "/MTD_MSIL2A.xml", "Level-2A", "", "<IMAGE_FILE>GRANULE/OTHER/IMG_DATA/T33TWM_B02</IMAGE_FILE>");
    refuse(SAFE, "several granules; name one");
    /* the granule that is named is read */
    ASSERT_OK(raster_open(unit_at(SAFE "/GRANULE/L2A_T33TWL_A033710_20230820T095811", path), NULL, &raster));
    assert_int_equal(raster_info(raster)->bands, 4);
    raster_close(raster);
    raster = NULL;
    /* a band that is missing is told to whoever asks for it, and nobody is given another for it */
    write_l2a(SAFE "/MTD_MSIL2A.xml", "Level-2A", "", IMAGE("R10m/", "B08_10m") IMAGE("R20m/", "B8A_20m"));
    make_band(SAFE "/" GRANULE "R20m/T33TWL_20230820T094549_B8A_20m.jp2", COARSE, 20, 1600);
    ASSERT_OK(raster_open(unit_at(SAFE, path), NULL, &raster));
    assert_non_null(strstr(raster_product_note(raster), "files of bands are missing: B08"));
    ASSERT_OK(raster_choose_bands(raster, NULL, 1, red));
    ASSERT_OK(raster_choose_bands(raster, NULL, 1, blue));
    ASSERT_ERR(raster_choose_bands(raster, NULL, 1, (const char *const[]){ "nir" }), ERR_INPUT,
               "the file of its band B08");
    ASSERT_ERR(raster_choose_bands(raster, "B08", 1, NULL), ERR_INPUT, "missing or empty");
    ASSERT_ERR(raster_choose_bands(raster, "2", 1, NULL), ERR_INPUT, "choose by name");
    ASSERT_OK(raster_choose_bands(raster, "B8A", 1, NULL));
    raster_close(raster);
    /* a file that is no image, or that is one of another kind */
    write_l2a(SAFE "/MTD_MSIL2A.xml", "Level-2A", "", IMAGE("R10m/", "B01_10m"));
    write_text(SAFE "/" GRANULE "R10m/T33TWL_20230820T094549_B01_10m.jp2",
               "<VRTDataset rasterXSize=\"1\" rasterYSize=\"1\"/>");
    refuse(SAFE, "_B01_10m.jp2' cannot be read");
    assert_int_equal(remove(unit_at(SAFE "/" GRANULE "R10m/T33TWL_20230820T094549_B01_10m.jp2", path)), 0);
}

/* The same product in a zip, as it is downloaded. */
static void zipped(void **state)
{
    (void)state;
    static const char *const parts[] = { "MTD_MSIL2A.xml", GRANULE "R10m/T33TWL_20230820T094549_B02_10m.jp2",
                                         GRANULE "R10m/T33TWL_20230820T094549_B03_10m.jp2",
                                         GRANULE "R10m/T33TWL_20230820T094549_B04_10m.jp2",
                                         GRANULE "R20m/T33TWL_20230820T094549_B05_20m.jp2" };
    char zip[256], from[512], to[512];
    float whole[FINE * FINE * 4], packed[FINE * FINE * 4];
    uint8_t valid[FINE * FINE];
    Raster *raster = open_l2a(offsets);
    ASSERT_OK(raster_choose_bands(raster, "B02,B03,B04,B05", 4, NULL));
    ASSERT_OK(raster_read(raster, (RasterWindow){ 0, 0, FINE, FINE }, whole, valid));
    raster_close(raster);
    raster = NULL;
    (void)unit_at("product.zip", zip);
    VSILFILE *all = VSIFOpenL(CPLSPrintf("/vsizip/%s", zip), "wb"); /* keeps it open for one file after the other */
    assert_non_null(all);
    for (int i = 0; i < 5; i++) {
        (void)snprintf(from, sizeof from, "%s/" SAFE "/%s", unit_scratch, parts[i]);
        (void)snprintf(to, sizeof to, "/vsizip/%s/" SAFE "/%s", zip, parts[i]);
        assert_int_equal(CPLCopyFile(to, from), 0);
    }
    assert_int_equal(VSIFCloseL(all), 0);
    ASSERT_OK(raster_open(zip, NULL, &raster));
    assert_string_equal(raster_info(raster)->driver, "Sentinel-2 SAFE in a zip");
    offset_of(raster, 1, 1e-4, -0.1);
    ASSERT_OK(raster_choose_bands(raster, "B02,B03,B04,B05", 4, NULL));
    ASSERT_OK(raster_read(raster, (RasterWindow){ 0, 0, FINE, FINE }, packed, valid));
    assert_memory_equal(whole, packed, sizeof whole);
    assert_non_null(strstr(raster_file(raster, 0), "product.zip"));
    assert_null(raster_file(raster, 1));
    raster_close(raster);
    /* half of it */
    VSILFILE *file = VSIFOpenL(zip, "rb+");
    assert_non_null(file);
    assert_int_equal(VSIFTruncateL(file, 3000), 0);
    assert_int_equal(VSIFCloseL(file), 0);
    refuse("product.zip", "no zip, or one that ends early");
}

/* A product brings its scene classification with it. */
static void own_classification(void **state)
{
    (void)state;
    float values[COARSE * COARSE];
    uint8_t valid[COARSE * COARSE];
    Raster *raster = open_l2a(offsets), *scl = NULL;
    ASSERT_OK(raster_open_classification(raster, "scl", &scl));
    assert_string_equal(raster_band_name(scl, 1), "SCL");
    assert_int_equal(raster_info(scl)->width, COARSE);
    ASSERT_OK(raster_read(scl, (RasterWindow){ 0, 0, COARSE, COARSE }, values, valid));
    assert_true(values[0] == 4.0F && values[1] == 14.0F);
    raster_close(scl);
    ASSERT_ERR(raster_open_classification(raster, "qa_pixel", &scl), ERR_INPUT, "it has no qa_pixel of its own");
    raster_close(raster);
}

/* An output is never a file of the product. */
static void files_of_a_product(void **state)
{
    (void)state;
    char path[256];
    Raster *raster = open_l2a(offsets);
    FileSet set = { .stop = NULL };
    ASSERT_OK(raster_files_read(raster, &set, "the image"));
    ASSERT_ERR(
        file_set_output(&set, unit_at(SAFE "/" GRANULE "R20m/T33TWL_20230820T094549_SCL_20m.jp2", path), "the map"),
        ERR_ARGUMENT, "a file of the image");
    ASSERT_ERR(file_set_output(&set, unit_at(SAFE "/MTD_MSIL2A.xml", path), "the map"), ERR_ARGUMENT,
               "a file of the image");
    file_set_done(&set);
    set = (FileSet){ .stop = NULL };
    ASSERT_OK(raster_files_path(unit_at(SAFE, path), &set, "the image"));
    ASSERT_ERR(
        file_set_output(&set, unit_at(SAFE "/" GRANULE "R10m/T33TWL_20230820T094549_B02_10m.jp2", path), "the map"),
        ERR_ARGUMENT, "a file of the image");
    file_set_done(&set);
    raster_close(raster);
}

/* Until 2016 names of images stood without their folder, and L1C has one folder for all of them. */
static void old_l1c(void **state)
{
    (void)state;
    static const char folder[] = "S2A_OPER_PRD_MSIL1C_PDMC_20151109T205551_R094_V20151109T103022_20151109T103022.SAFE";
    char name[400], path[500];
    Raster *raster = NULL;
    (void)snprintf(name, sizeof name, "%s/GRANULE/S2A_OPER_MSI_L1C_TL_T33TWL_N02.04/IMG_DATA", folder);
    (void)snprintf(path, sizeof path, "%s/%s", unit_scratch, name);
    assert_int_equal(VSIMkdirRecursive(path, 0755), 0);
    (void)snprintf(path, sizeof path, "%s/%s/S2A_OPER_MSI_L1C_TL_T33TWL_B04.jp2", unit_scratch, name);
    test_raster(path, (TestRaster){ .width = 4,
                                    .height = 4,
                                    .type = GDT_UInt16,
                                    .driver = "JP2OpenJPEG",
                                    .epsg = 32633,
                                    .geotransform = (const double[]){ origin_x, 10, 0, origin_y, 0, -10 } });
    (void)snprintf(path, sizeof path, "%s/%s/S2A_OPER_MTD_SAFL1C_PDMC_20151109T205551.xml", unit_scratch, folder);
    unit_write_text(path, "<n1:Level-1C_User_Product xmlns:n1=\"x\"><PROCESSING_LEVEL>Level-1C</PROCESSING_LEVEL>"
                          "<Granules granuleIdentifier=\"S2A_OPER_MSI_L1C_TL_T33TWL_N02.04\"><IMAGE_ID>"
                          "S2A_OPER_MSI_L1C_TL_T33TWL_B04</IMAGE_ID></Granules><QUANTIFICATION_VALUE>10000"
                          "</QUANTIFICATION_VALUE></n1:Level-1C_User_Product>");
    ASSERT_OK(raster_open(path, NULL, &raster)); /* by its metadata file */
    assert_int_equal(raster_info(raster)->bands, 1);
    assert_string_equal(raster_band_common_name(raster, 1), "red");
    raster_close(raster);
}

/* ---- Landsat ---- */

#define LANDSAT "LC08_L2SP_193024_20180824_20200831_02_T1"

static void write_mtl(const char *name, const char *level)
{
    char text[2000];
    (void)snprintf(
        text, sizeof text,
        "GROUP = LANDSAT_METADATA_FILE\n  GROUP = PRODUCT_CONTENTS\n    PROCESSING_LEVEL = \"%s\"\n"
        "    FILE_NAME_BAND_2 = \"" LANDSAT "_SR_B2.TIF\"\n    FILE_NAME_BAND_4 = \"" LANDSAT "_SR_B4.TIF\"\n"
        "    FILE_NAME_BAND_ST_B10 = \"" LANDSAT "_ST_B10.TIF\"\n  END_GROUP = PRODUCT_CONTENTS\n"
        "  GROUP = IMAGE_ATTRIBUTES\n    SPACECRAFT_ID = \"LANDSAT_8\"\n    SENSOR_ID = \"OLI_TIRS\"\n"
        "    DATE_ACQUIRED = 2018-08-24\n    CLOUD_COVER = 93.82\n  END_GROUP = IMAGE_ATTRIBUTES\n"
        "  GROUP = LEVEL2_SURFACE_REFLECTANCE_PARAMETERS\n    REFLECTANCE_MULT_BAND_2 = 2.75e-05\n"
        "    REFLECTANCE_ADD_BAND_2 = -0.2\n    REFLECTANCE_MULT_BAND_4 = 2.75e-05\n    REFLECTANCE_ADD_BAND_4 = -0.2\n"
        "  END_GROUP = LEVEL2_SURFACE_REFLECTANCE_PARAMETERS\n  GROUP = LEVEL1_PROCESSING_RECORD\n"
        "    PROCESSING_LEVEL = \"L1TP\"\n    FILE_NAME_BAND_3 = \"LC08_L1TP_B3.TIF\"\n"
        "  END_GROUP = LEVEL1_PROCESSING_RECORD\n  GROUP = LEVEL1_RADIOMETRIC_RESCALING\n"
        "    REFLECTANCE_MULT_BAND_2 = 2.0000E-05\n    REFLECTANCE_ADD_BAND_2 = -0.100000\n"
        "  END_GROUP = LEVEL1_RADIOMETRIC_RESCALING\nEND_GROUP = LANDSAT_METADATA_FILE\nEND\n",
        level);
    write_text(name, text);
}

static void check_level2_as(const char *name, const char *driver)
{
    char path[256];
    Raster *raster = NULL;
    ASSERT_OK(raster_open(unit_at(name, path), NULL, &raster));
    assert_string_equal(raster_info(raster)->driver, driver);
    assert_int_equal(raster_info(raster)->bands, 2); /* the temperature was not downloaded */
    assert_string_equal(raster_band_name(raster, 1), "SR_B2");
    assert_string_equal(raster_band_common_name(raster, 2), "red");
    offset_of(raster, 1, 2.75e-5, -0.2);
    assert_non_null(strstr(raster_product_note(raster), "missing: ST_B10"));
    raster_close(raster);
}

static void check_level2(const char *name) { check_level2_as(name, "Landsat product"); }

/* The header of a file in a tar (POSIX.1-1988). */
static void write_tar_header(FILE *tar, const char *name, unsigned long size)
{
    char header[512] = "";
    unsigned sum = 8 * ' ';
    (void)snprintf(header, 100, "%s", name);
    memcpy(header + 100, "0000644\0000000000\0000000000", 24);
    (void)snprintf(header + 124, 12, "%011lo", size);
    memcpy(header + 136, "00000000000", 12);
    header[156] = '0';
    memcpy(header + 257, "ustar\00000", 8);
    for (int i = 0; i < 512; i++) sum += (unsigned char)header[i];
    (void)snprintf(header + 148, 8, "%06o", sum);
    header[155] = ' ';
    assert_int_equal(fwrite(header, 1, sizeof header, tar), sizeof header);
}

/* prefix: before the names in the tar. */
static void write_tar(const char *name, const char *folder, const char *prefix, const char *const *files, int n)
{
    static const char zeros[1024];
    char path[256], from[512], *bytes = NULL;
    size_t length = 0;
    FILE *tar = fopen(unit_at(name, path), "wb");
    assert_non_null(tar);
    for (int i = 0; i < n; i++) {
        (void)snprintf(from, sizeof from, "%s/%s/%s", unit_scratch, folder, files[i]);
        ASSERT_OK(file_read(from, 1 << 20, &bytes, &length));
        (void)snprintf(from, sizeof from, "%s%s", prefix, files[i]);
        write_tar_header(tar, from, length);
        assert_int_equal(fwrite(bytes, 1, length, tar), length);
        assert_int_equal(fwrite(zeros, 1, (512 - length % 512) % 512, tar), (512 - length % 512) % 512);
        free(bytes);
    }
    assert_int_equal(fwrite(zeros, 1, sizeof zeros, tar), sizeof zeros);
    assert_int_equal(fclose(tar), 0);
}

/* The tar that a Landsat product is delivered in. */
static void landsat_tar(void **state)
{
    (void)state;
    static const char *const files[] = { LANDSAT "_SR_B2.TIF", LANDSAT "_SR_B4.TIF", LANDSAT "_MTL.txt" };
    char path[256];
    float whole[5 * 5 * 2], packed[5 * 5 * 2];
    uint8_t valid[5 * 5];
    Raster *raster = NULL;
    make_folder("landsat");
    make_band("landsat/" LANDSAT "_SR_B2.TIF", 5, 30, 8000);
    make_band("landsat/" LANDSAT "_SR_B4.TIF", 5, 30, 9000);
    write_mtl("landsat/" LANDSAT "_MTL.txt", "L2SP");
    write_tar(LANDSAT ".tar", "landsat", "", files, 3);
    check_level2_as(LANDSAT ".tar", "Landsat product in a tar");
    ASSERT_OK(raster_open(unit_at("landsat", path), NULL, &raster));
    ASSERT_OK(raster_choose_bands(raster, "SR_B2,SR_B4", 2, NULL));
    ASSERT_OK(raster_read(raster, (RasterWindow){ 0, 0, 5, 5 }, whole, valid));
    raster_close(raster);
    raster = NULL;
    ASSERT_OK(raster_open(unit_at(LANDSAT ".tar", path), NULL, &raster));
    ASSERT_OK(raster_choose_bands(raster, "SR_B2,SR_B4", 2, NULL));
    ASSERT_OK(raster_read(raster, (RasterWindow){ 0, 0, 5, 5 }, packed, valid));
    assert_true(valid[12] == 1 && whole[24] > 8000.0F);
    assert_memory_equal(whole, packed, sizeof whole);
    assert_string_equal(path_name(raster_file(raster, 0)), LANDSAT ".tar");
    assert_null(raster_file(raster, 1));
    raster_close(raster);
    write_tar("bands.tar", "landsat", "", files, 2);
    refuse("bands.tar", "no metadata of a Landsat product");
    unit_write_text(unit_at("text.tar", path), "This is no tar.");
    refuse("text.tar", "no tar, or one that ends early");
    write_tar("cut.tar", "landsat", "", files, 3);
    assert_int_equal(truncate(unit_at("cut.tar", path), 1000), 0);
    refuse("cut.tar", "no tar, or one that ends early");
    FILE *many = fopen(unit_at("many.tar", path), "wb");
    assert_non_null(many);
    for (int i = 0; i < 65540; i++) write_tar_header(many, "a", 0);
    assert_int_equal(fclose(many), 0);
    refuse("many.tar", "a tar of more than 65534 files");
}

/* Folders in a tar; several products; what is compressed. */
static void other_tars(void **state)
{
    (void)state;
    static const char *const files[] = { LANDSAT "_SR_B2.TIF", LANDSAT "_SR_B4.TIF", LANDSAT "_MTL.txt" };
    static const char *const two[] = { LANDSAT "_MTL.txt", "LC09_MTL.txt" };
    char path[256];
    make_folder("landsat");
    make_band("landsat/" LANDSAT "_SR_B2.TIF", 5, 30, 8000);
    make_band("landsat/" LANDSAT "_SR_B4.TIF", 5, 30, 9000);
    write_mtl("landsat/" LANDSAT "_MTL.txt", "L2SP");
    write_mtl("landsat/LC09_MTL.txt", "L2SP");
    write_tar("folder.tar", "landsat", "some folder/", files, 3);
    check_level2_as("folder.tar", "Landsat product in a tar");
    write_tar("dot.tar", "landsat", "./", files, 3);
    check_level2_as("dot.tar", "Landsat product in a tar");
    write_tar("two.tar", "landsat", "", two, 2);
    refuse("two.tar", "metadata of more than one Landsat product");
    write_tar("above.tar", "landsat", "../", files, 3);
    refuse("above.tar", "no metadata of a Landsat product");
    assert_int_equal(remove(unit_at("landsat/LC09_MTL.txt", path)), 0);
    unit_write_text(unit_at("product.tar.gz", path), "x");
    refuse("product.tar.gz", "a compressed tar is not read in place; unpack it");
    unit_write_text(unit_at("product.tgz", path), "x");
    refuse("product.tgz", "a compressed tar is not read in place; unpack it");
}

static void landsat_level_2(void **state)
{
    (void)state;
    make_folder("landsat");
    make_folder("landsat_xml");
    make_band("landsat/" LANDSAT "_SR_B2.TIF", 5, 30, 8000);
    make_band("landsat/" LANDSAT "_SR_B4.TIF", 5, 30, 9000);
    make_band("landsat_xml/" LANDSAT "_SR_B2.TIF", 5, 30, 8000);
    make_band("landsat_xml/" LANDSAT "_SR_B4.TIF", 5, 30, 9000);
    write_mtl("landsat/" LANDSAT "_MTL.txt", "L2SP");
    check_level2("landsat/" LANDSAT "_MTL.txt");
    check_level2("landsat");
    write_mtl("landsat/" LANDSAT "_MTL.txt", "L3");
    refuse("landsat", "processing level 'L3'; L1TP");
    write_text("landsat/" LANDSAT "_MTL.txt",
               "GROUP = PRODUCT_CONTENTS\nPROCESSING_LEVEL = \"L2SP\"\nFILE_NAME_BAND_2 = \"" LANDSAT "_SR_B2.TIF\"\n");
    refuse("landsat", "do not state REFLECTANCE_MULT_BAND_2");
    write_text("landsat/" LANDSAT "_MTL.txt", "GROUP =\n");
    refuse("landsat", "are damaged");
    write_text(
        "landsat_xml/" LANDSAT "_MTL.xml",
        "<LANDSAT_METADATA_FILE><PRODUCT_CONTENTS><PROCESSING_LEVEL>L2SP</PROCESSING_LEVEL><FILE_NAME_BAND_2>" LANDSAT
        "_SR_B2.TIF</FILE_NAME_BAND_2><FILE_NAME_BAND_4>" LANDSAT
        "_SR_B4.TIF</FILE_NAME_BAND_4><FILE_NAME_BAND_ST_B10>x.TIF"
        "</FILE_NAME_BAND_ST_B10></PRODUCT_CONTENTS><IMAGE_ATTRIBUTES><SPACECRAFT_ID>LANDSAT_8</SPACECRAFT_ID>"
        "</IMAGE_ATTRIBUTES><LEVEL2_SURFACE_REFLECTANCE_PARAMETERS><REFLECTANCE_MULT_BAND_2>2.75e-05"
        "</REFLECTANCE_MULT_BAND_2><REFLECTANCE_ADD_BAND_2>-0.2</"
        "REFLECTANCE_ADD_BAND_2><REFLECTANCE_MULT_BAND_4>2.75e-05"
        "</REFLECTANCE_MULT_BAND_4><REFLECTANCE_ADD_BAND_4>-0.2</REFLECTANCE_ADD_BAND_4>"
        "</LEVEL2_SURFACE_REFLECTANCE_PARAMETERS></LANDSAT_METADATA_FILE>");
    check_level2("landsat_xml");
    write_text(
        "landsat_xml/" LANDSAT "_MTL.json",
        "{\"LANDSAT_METADATA_FILE\":{\"PRODUCT_CONTENTS\":{\"PROCESSING_LEVEL\":\"L2SP\",\"FILE_NAME_BAND_2\":"
        "\"" LANDSAT "_SR_B2.TIF\",\"FILE_NAME_BAND_4\":\"" LANDSAT "_SR_B4.TIF\",\"FILE_NAME_BAND_ST_B10\":\"x.TIF\"},"
        "\"IMAGE_ATTRIBUTES\":{\"SPACECRAFT_ID\":\"LANDSAT_8\"},\"LEVEL2_SURFACE_REFLECTANCE_PARAMETERS\":{"
        "\"REFLECTANCE_MULT_BAND_2\":\"2.75e-05\",\"REFLECTANCE_ADD_BAND_2\":-0.2,\"REFLECTANCE_MULT_BAND_4\":2.75e-05,"
        "\"REFLECTANCE_ADD_BAND_4\":-0.2}}}");
    check_level2("landsat_xml/" LANDSAT "_MTL.json");
    write_text("landsat_xml/" LANDSAT "_MTL.json", "{\"LANDSAT_METADATA_FILE\":");
    refuse("landsat_xml/" LANDSAT "_MTL.json", "");
}

/* The panchromatic band's pixels of 15 m begin 7.5 m before the others': half a pixel of it. */
static void landsat_panchromatic(void **state)
{
    (void)state;
    char path[256];
    Raster *raster = NULL;
    float values[11 * 11 * 2];
    uint8_t valid[11 * 11];
    make_folder("level1");
    make_band("level1/LE07_B3.TIF", 5, 30, 50);
    make_band_at("level1/LE07_B8.TIF", 11, 15, 7.5, 90, "GTiff");
    write_text(
        "level1/LE07_L1TP_MTL.txt",
        "GROUP = L1_METADATA_FILE\nGROUP = PRODUCT_METADATA\nDATA_TYPE = \"L1TP\"\nSPACECRAFT_ID = \"LANDSAT_7\"\n"
        "FILE_NAME_BAND_3 = \"LE07_B3.TIF\"\nFILE_NAME_BAND_8 = \"LE07_B8.TIF\"\nEND_GROUP = PRODUCT_METADATA\n"
        "GROUP = RADIOMETRIC_RESCALING\nREFLECTANCE_MULT_BAND_3 = 1.2385E-03\nREFLECTANCE_ADD_BAND_3 = -0.011199\n"
        "END_GROUP = RADIOMETRIC_RESCALING\nEND_GROUP = L1_METADATA_FILE\nEND\n");
    ASSERT_OK(raster_open(unit_at("level1", path), NULL, &raster));
    assert_int_equal(raster_info(raster)->width, 5); /* the panchromatic band is not chosen, and makes no grid */
    offset_of(raster, 1, 1.2385e-3, -0.011199);
    offset_of(raster, 2, 1.0, 0.0);
    assert_non_null(strstr(raster_product_note(raster), "state no SUN_ELEVATION, so its reflectance is not corrected"));
    ASSERT_OK(raster_choose_bands(raster, "B8,B3", 2, NULL));
    assert_int_equal(raster_info(raster)->width, 11);
    assert_true(raster_info(raster)->geotransform[0] == origin_x - 7.5);
    ASSERT_OK(raster_read(raster, (RasterWindow){ 0, 0, 11, 11 }, values, valid));
    /* pixel (5, 5) of 15 m: centre 5.5 * 15 - 7.5 = 75 m, which is the centre of the coarse pixel (2, 2) */
    assert_true(values[(5 * 11 + 5) * 2] == 90.0F + 50.0F + 500.0F);
    if (fabsf(values[(5 * 11 + 5) * 2 + 1] - (50.0F + 20.0F + 200.0F)) > 0.01F)
        fail_msg("%g instead of 270", (double)values[(5 * 11 + 5) * 2 + 1]);
    raster_close(raster);
}

/* Level 1 is divided by the sine of the sun's elevation, where there is one. */
static void landsat_sun(void **state)
{
    (void)state;
    static const struct {
        const char *line;
        double factor;
        const char *note;
    } list[] = { { "SUN_ELEVATION = 30.00000000\n", 2.0, "" },
                 { "SUN_ELEVATION = 90\n", 1.0, "" },
                 { "SUN_ELEVATION = -3.5\n", 1.0, "the sun stood below the horizon" },
                 { "", 1.0, "state no SUN_ELEVATION" } };
    char path[256], text[1000];
    make_folder("sun");
    make_band("sun/LC08_B3.TIF", 5, 30, 50);
    make_band("sun/LC08_B10.TIF", 5, 30, 50);
    for (int64_t i = 0; i <= ARRAY_LEN(list); i++) {
        Raster *raster = NULL;
        (void)snprintf(
            text, sizeof text,
            "GROUP = PRODUCT_CONTENTS\nPROCESSING_LEVEL = \"L1TP\"\nFILE_NAME_BAND_3 = \"LC08_B3.TIF\"\n"
            "FILE_NAME_BAND_10 = \"LC08_B10.TIF\"\nEND_GROUP = PRODUCT_CONTENTS\nGROUP = IMAGE_ATTRIBUTES\n"
            "SPACECRAFT_ID = \"LANDSAT_8\"\n%sEND_GROUP = IMAGE_ATTRIBUTES\nGROUP = LEVEL1_RADIOMETRIC_RESCALING\n"
            "REFLECTANCE_MULT_BAND_3 = 2.0000E-05\nREFLECTANCE_ADD_BAND_3 = -0.100000\nEND_GROUP = "
            "LEVEL1_RADIOMETRIC_RESCALING\n",
            i < ARRAY_LEN(list) ? list[i].line : "SUN_ELEVATION = high\n");
        write_text("sun/LC08_L1TP_MTL.txt", text);
        if (i == ARRAY_LEN(list)) {
            refuse("sun", "SUN_ELEVATION as 'high'; a number was expected");
            break;
        }
        ASSERT_OK(raster_open(unit_at("sun", path), NULL, &raster));
        offset_of(raster, 1, 2e-5 * list[i].factor, -0.1 * list[i].factor);
        offset_of(raster, 2, 1.0, 0.0); /* a temperature */
        const char *note = raster_product_note(raster);
        if (list[i].note[0] == '\0' ? note[0] != '\0' : strstr(note, list[i].note) == NULL) fail_msg("'%s'", note);
        raster_close(raster);
    }
}

/* ---- band files ---- */

static void named_one_by_one(void **state)
{
    (void)state;
    char list[600], path[256];
    Raster *raster = NULL;
    make_folder("side by side");
    make_band("side by side/a.tif", FINE, 10, 300);
    make_band("side by side/b, c.tif", COARSE, 20, 400);
    (void)snprintf(list, sizeof list, "%s/side by side/red=a.tif,nir=b, c.tif", unit_scratch);
    ASSERT_OK(raster_open(list, NULL, &raster));
    assert_int_equal(raster_info(raster)->bands, 2);
    assert_string_equal(raster_band_common_name(raster, 2), "nir");
    assert_int_equal(raster_info(raster)->width, FINE);
    raster_close(raster);
    raster = NULL;
    (void)snprintf(list, sizeof list, "%s/side by side/red=a.tif,red=b, c.tif", unit_scratch);
    ASSERT_ERR(raster_open(list, NULL, &raster), ERR_INPUT, "two files are band 'red'");
    (void)snprintf(list, sizeof list, "%s/side by side/red=a.tif,nir=missing.tif", unit_scratch);
    ASSERT_ERR(raster_open(list, NULL, &raster), ERR_INPUT, "missing.tif': no such file");
    make_band_at("side by side/far.tif", FINE, 10, 5000, 300, "GTiff");
    (void)snprintf(list, sizeof list, "%s/side by side/red=a.tif,nir=far.tif", unit_scratch);
    ASSERT_ERR(raster_open(list, NULL, &raster), ERR_INPUT, "do not cover one place");
    test_raster(unit_at("side by side/two.tif", path), (TestRaster){ .width = 2, .height = 2, .bands = 2 });
    (void)snprintf(list, sizeof list, "%s/side by side/red=two.tif", unit_scratch);
    ASSERT_ERR(raster_open(list, NULL, &raster), ERR_INPUT, "has 2 bands; one band each");
    test_raster(unit_at("side by side/other.tif", path),
                (TestRaster){ .width = FINE,
                              .height = FINE,
                              .epsg = 32634,
                              .geotransform = (const double[]){ origin_x, 10, 0, origin_y, 0, -10 } });
    (void)snprintf(list, sizeof list, "%s/side by side/red=a.tif,nir=other.tif", unit_scratch);
    ASSERT_ERR(raster_open(list, NULL, &raster), ERR_INPUT, "another coordinate reference system");
}

/* Half a file opens, and fails with the product and the band. */
static void cut_file(void **state)
{
    (void)state;
    char path[256];
    float values[64 * 64];
    uint8_t valid[64 * 64];
    struct stat status;
    Raster *raster = NULL;
    make_folder("half");
    make_band("half/x_B02.tif", 64, 10, 300);
    make_band("half/x_B03.tif", 64, 10, 300);
    assert_int_equal(stat(unit_at("half/x_B03.tif", path), &status), 0);
    assert_int_equal(truncate(path, status.st_size / 2), 0);
    ASSERT_OK(raster_open(unit_at("half", path), NULL, &raster));
    ASSERT_OK(raster_choose_bands(raster, "B02", 1, NULL));
    ASSERT_OK(raster_read(raster, (RasterWindow){ 0, 0, 64, 64 }, values, valid));
    ASSERT_OK(raster_choose_bands(raster, "B03", 1, NULL));
    ASSERT_ERR(raster_read(raster, (RasterWindow){ 0, 0, 64, 64 }, values, valid), ERR_INPUT,
               "its band B03 cannot be read at row");
    raster_close(raster);
}

static void folders_of_bands(void **state)
{
    (void)state;
    char path[256];
    Raster *raster = NULL;
    make_folder("bands");
    refuse("bands", "this is a folder, and no product is in it");
    make_band("bands/x_B8A.tif", COARSE, 20, 400);
    make_band("bands/x_B04_10m.tif", FINE, 10, 300);
    make_band("bands/x_B04_20m.tif", COARSE, 20, 300);
    make_band("bands/MSK_CLASSI_B00.tif", COARSE, 60, 1);
    ASSERT_OK(raster_open(unit_at("bands", path), NULL, &raster));
    assert_int_equal(raster_info(raster)->bands, 2);
    assert_string_equal(raster_product_note(raster), "");
    raster_close(raster);
    make_band("bands/y_B02.tif", FINE, 10, 300);
    refuse("bands", "more than one product ('x_*' and 'y_*'");
}

static int tear_down(void **state)
{
    (void)state;
    return VSIRmdirRecursive(unit_scratch);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sentinel2_metadata),
        cmocka_unit_test(grid_follows_choice),
        cmocka_unit_test(zero_is_no_data),
        cmocka_unit_test(damaged_sentinel2),
        cmocka_unit_test(zipped),
        cmocka_unit_test(files_of_a_product),
        cmocka_unit_test(own_classification),
        cmocka_unit_test(old_l1c),
        cmocka_unit_test(landsat_level_2),
        cmocka_unit_test(landsat_tar),
        cmocka_unit_test(landsat_sun),
        cmocka_unit_test(other_tars),
        cmocka_unit_test(landsat_panchromatic),
        cmocka_unit_test(named_one_by_one),
        cmocka_unit_test(folders_of_bands),
        cmocka_unit_test(cut_file),
    };
    return cmocka_run_group_tests(tests, unit_set_up, tear_down);
}
