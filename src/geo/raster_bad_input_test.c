/* SPDX-License-Identifier: Apache-2.0
 * Files that must be refused, each with one clear sentence, and files that only look odd. */
#include "geo/raster.h"

#include "geo/geo_test.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>

static void refuse(const char *name, const char *text)
{
    char path[256];
    Raster *raster = NULL;
    unit_at(name, path);
    ASSERT_ERR(raster_open(path, NULL, &raster), ERR_INPUT, text);
    if (strstr(err_message(), path) == NULL) fail_msg("the file is not named in: %s", err_message());
    if (strchr(err_message(), '\n') != NULL) fail_msg("more than one line: %s", err_message());
    assert_null(raster);
}

static void not_files(void **state)
{
    (void)state;
    char path[256];
    Raster *raster = NULL;
    refuse("missing.tif", "no such file");
    refuse(".", "this is a folder");
    ASSERT_ERR(raster_open("/vsicurl/http://127.0.0.1/a.tif", NULL, &raster), ERR_INPUT, "only local files");
    ASSERT_ERR(raster_open("/vsizip/a.zip/a.tif", NULL, &raster), ERR_INPUT, "only local files");
    ASSERT_ERR(raster_open("http://127.0.0.1/a.tif", NULL, &raster), ERR_INPUT, "only local files");
    ASSERT_ERR(raster_open("GTIFF_DIR:1:a.tif", NULL, &raster), ERR_INPUT, "no such file");
    ASSERT_ERR(raster_open("/dev/null", NULL, &raster), ERR_INPUT, "not a plain file");
    ASSERT_ERR(raster_open("", NULL, &raster), ERR_ARGUMENT, "no raster was named");
    unit_at("MEM:::DATAPOINTER=1,PIXELS=9,LINES=9", path); /* a file of that name, opened from its own folder */
    unit_write_text(path, "x");
    char here[512];
    assert_non_null(getcwd(here, sizeof here));
    assert_int_equal(chdir(unit_scratch), 0);
    const Err err = raster_open("MEM:::DATAPOINTER=1,PIXELS=9,LINES=9", NULL, &raster);
    assert_int_equal(chdir(here), 0);
    assert_int_equal(err, ERR_INPUT);
    assert_non_null(strstr(err_message(), "not a raster"));
}

static void not_rasters(void **state)
{
    (void)state;
    char path[256];
    unit_write_text(unit_at("empty.tif", path), "");
    refuse("empty.tif", "not a raster");
    unit_write_text(unit_at("text.tif", path), "This is only text, whatever it is called.\n");
    refuse("text.tif", "not a raster");
    unit_write_text(unit_at("magic.tif", path), "II*");
    refuse("magic.tif", "");
    unit_write_text(unit_at("wms.xml", path),
                    "<GDAL_WMS><Service name=\"TMS\"><ServerUrl>http://127.0.0.1/</ServerUrl></Service></GDAL_WMS>");
    refuse("wms.xml", "not a raster");
}

/* An uncompressed TIFF cut in the middle opens, and fails with file, band and row. */
static void truncated(void **state)
{
    (void)state;
    char path[256];
    float values[64 * 64];
    uint8_t valid[64 * 64];
    Raster *raster = NULL;
    static const char *const strips[] = { "BLOCKYSIZE=1", NULL };
    test_raster(unit_at("cut.tif", path), (TestRaster){ .width = 64, .height = 64, .options = strips });
    struct stat status;
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(truncate(path, status.st_size - 64 * 10), 0); /* 10 rows of 64 bytes lie behind the directory */
    ASSERT_OK(raster_open(path, NULL, &raster));
    ASSERT_OK(raster_read(raster, (RasterWindow){ 0, 0, 64, 54 }, values, valid));
    ASSERT_ERR(raster_read(raster, (RasterWindow){ 0, 0, 64, 64 }, values, valid), ERR_INPUT,
               "band 1 cannot be read at row 54");
    assert_non_null(strstr(err_message(), path));
    raster_close(raster);
    assert_int_equal(truncate(path, 100), 0);
    refuse("cut.tif", "");
}

/* Compressed streams that end early: every window that needs the lost part fails, none is silently grey. */
static void truncated_streams(void **state)
{
    (void)state;
    static const struct {
        const char *name, *driver, *text;
    } list[] = { { "cut.png", "PNG", "band 1 cannot be read at row" },
                 { "cut.jpg", "JPEG", "rows 0 to 255 cannot be read" },
                 { "cut.jp2", "JP2OpenJPEG", "band 1 cannot be read at row" } };
    char path[256];
    float *values = malloc(256 * 256 * sizeof *values);
    uint8_t *valid = malloc(256 * 256);
    for (int64_t i = 0; i < ARRAY_LEN(list); i++) {
        Raster *raster = NULL;
        test_raster(unit_at(list[i].name, path), (TestRaster){ .width = 256, .height = 256, .driver = list[i].driver });
        struct stat status;
        assert_int_equal(stat(path, &status), 0);
        assert_int_equal(truncate(path, status.st_size / 2), 0);
        ASSERT_OK(raster_open(path, NULL, &raster));
        ASSERT_ERR(raster_read(raster, (RasterWindow){ 0, 0, 256, 256 }, values, valid), ERR_INPUT, list[i].text);
        assert_null(strchr(err_message(), '\n'));
        raster_close(raster);
    }
    free(values);
    free(valid);
}

static void no_bands(void **state)
{
    (void)state;
    char path[256];
    unit_write_text(unit_at("none.vrt", path), "<VRTDataset rasterXSize=\"4\" rasterYSize=\"4\"></VRTDataset>");
    refuse("none.vrt", "no raster bands");
}

static void complex_numbers(void **state)
{
    (void)state;
    char path[256];
    test_raster(unit_at("complex.tif", path), (TestRaster){ .width = 2, .height = 2, .type = GDT_CFloat32 });
    refuse("complex.tif", "complex numbers");
}

/* A sparse TIFF: a small file that declares a huge raster. */
static void declare(const char *name, int width, int height, const char *const *block)
{
    char path[256];
    GDALRegister_GTiff();
    const char *const options[] = { "SPARSE_OK=YES", "COMPRESS=DEFLATE", "BIGTIFF=YES", block[0],
                                    block[1],        block[2],           NULL };
    GDALDatasetH d = GDALCreate(GDALGetDriverByName("GTiff"), unit_at(name, path), width, height, 1, GDT_Byte,
                                (CSLConstList)options);
    assert_non_null(d);
    GDALClose(d);
}

static void huge(void **state)
{
    (void)state;
    char path[256];
    declare("blocks.tif", 60000, 60000, (const char *const[]){ "TILED=YES", "BLOCKXSIZE=49152", "BLOCKYSIZE=49152" });
    refuse("blocks.tif", "more than 2 GiB each");
    declare("bomb.tif", 200000, 200000, (const char *const[]){ "BLOCKYSIZE=1000", NULL, NULL });
    refuse("bomb.tif", "declares 200000 x 200000 pixels in a file of");
    unit_write_text(unit_at("huge.vrt", path),
                    "<VRTDataset rasterXSize=\"2000000000\" rasterYSize=\"2000000000\"><VRTRasterBand "
                    "dataType=\"Byte\" band=\"1\"/></VRTDataset>");
    refuse("huge.vrt", "at most 2^40 pixels");
}

/* A VRT over a.tif, with `band` inside its band element. */
static void write_vrt(const char *name, const char *attributes, const char *band)
{
    char path[256], text[2048];
    (void)snprintf(text, sizeof text,
                   "<VRTDataset rasterXSize=\"4\" rasterYSize=\"4\"><VRTRasterBand dataType=\"Byte\" band=\"1\" "
                   "%s>%s</VRTRasterBand></VRTDataset>",
                   attributes, band);
    unit_write_text(unit_at(name, path), text);
}

static void virtual_rasters(void **state)
{
    (void)state;
    char path[256];
    Raster *raster = NULL;
    float values[16];
    uint8_t valid[16];
    test_raster(unit_at("a.tif", path), (TestRaster){ .width = 4, .height = 4 });
    write_vrt("good.vrt", "",
              "<SimpleSource><SourceFilename "
              "relativeToVRT=\"1\">a.tif</SourceFilename><SourceBand>1</SourceBand></SimpleSource>");
    ASSERT_OK(raster_open(unit_at("good.vrt", path), NULL, &raster));
    ASSERT_OK(raster_read(raster, (RasterWindow){ 0, 0, 4, 4 }, values, valid));
    assert_float_equal(values[5], test_value(1, 1, 0), 0.0F);
    raster_close(raster);
    raster = NULL;
    write_vrt("outer.vrt", "",
              "<SimpleSource><SourceFilename relativeToVRT=\"1\">good.vrt</SourceFilename></SimpleSource>");
    ASSERT_OK(raster_open(unit_at("outer.vrt", path), NULL, &raster));
    raster_close(raster);
    write_vrt("self.vrt", "",
              "<SimpleSource><SourceFilename relativeToVRT=\"1\">self.vrt</SourceFilename></SimpleSource>");
    refuse("self.vrt", "a source of itself");
    write_vrt("lost.vrt", "",
              "<SimpleSource><SourceFilename relativeToVRT=\"1\">lost.tif</SourceFilename></SimpleSource>");
    refuse("lost.vrt", "lost.tif': no such file");
    write_vrt("net.vrt", "",
              "<SimpleSource><SourceFilename>/vsicurl/http://127.0.0.1/a.tif</SourceFilename></SimpleSource>");
    refuse("net.vrt", "only local files");
    write_vrt("url.vrt", "", "<SimpleSource><SourceFilename>http://127.0.0.1/a.tif</SourceFilename></SimpleSource>");
    refuse("url.vrt", "only local files");
    write_vrt("deep.vrt", "",
              "<SimpleSource><SourceFilename relativeToVRT=\"1\">net.vrt</SourceFilename></SimpleSource>");
    refuse("deep.vrt", "/vsicurl/");
    write_vrt("text.vrt", "",
              "<SimpleSource><SourceFilename relativeToVRT=\"1\">good.vrt.txt</SourceFilename></SimpleSource>");
    unit_write_text(unit_at("good.vrt.txt", path), "text");
    refuse("text.vrt", "is not a raster");
    refuse("deep.vrt", "virtual raster");
    write_vrt("derived.vrt", "subClass=\"VRTDerivedRasterBand\"", "<PixelFunctionType>sqrt</PixelFunctionType>");
    refuse("derived.vrt", "VRTDerivedRasterBand");
    write_vrt("code.vrt", "", "<PixelFunctionCode>import os</PixelFunctionCode>");
    refuse("code.vrt", "PixelFunctionCode");
    write_vrt("raw.vrt", "subClass=\"VRTRawRasterBand\"", "<SourceFilename>/etc/passwd</SourceFilename>");
    refuse("raw.vrt", "VRTRawRasterBand");
    write_vrt("lower.vrt", "SUBCLASS=\"vrtderivedrasterband\"", "<pixelfunctiontype>x</pixelfunctiontype>");
    refuse("lower.vrt", "vrtderivedrasterband, which is not read");
    unit_write_text(unit_at("broken.vrt", path), "<VRTDataset rasterXSize=\"4\"");
    refuse("broken.vrt", "XML is broken");
}

/* Metadata of a hostile file may name a remote overview; nothing may be fetched. */
static void no_network(void **state)
{
    (void)state;
    const int listener = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
    socklen_t length = sizeof address;
    if (listener < 0 || bind(listener, (struct sockaddr *)&address, sizeof address) != 0 || listen(listener, 4) != 0 ||
        getsockname(listener, (struct sockaddr *)&address, &length) != 0)
        skip();
    char path[256], text[512];
    Raster *raster = NULL;
    float values[16];
    uint8_t valid[16];
    test_raster(unit_at("remote.tif", path), (TestRaster){ .width = 4, .height = 4 });
    (void)snprintf(text, sizeof text,
                   "<PAMDataset><Metadata domain=\"OVERVIEWS\"><MDI "
                   "key=\"OVERVIEW_FILE\">/vsicurl/http://127.0.0.1:%d/a.tif.ovr</MDI></Metadata></PAMDataset>",
                   (int)ntohs(address.sin_port));
    unit_write_text(unit_at("remote.tif.aux.xml", path), text);
    ASSERT_OK(raster_open(unit_at("remote.tif", path), NULL, &raster));
    ASSERT_OK(raster_read(raster, (RasterWindow){ 0, 0, 4, 4 }, values, valid));
    ASSERT_OK(raster_set_grid(raster, 2, 2));
    ASSERT_OK(raster_read(raster, (RasterWindow){ 0, 0, 2, 2 }, values, valid));
    raster_close(raster);
    struct pollfd waiting = { .fd = listener, .events = POLLIN };
    assert_int_equal(poll(&waiting, 1, 0), 0);
    assert_int_equal(close(listener), 0);
}

static void bad_windows(void **state)
{
    (void)state;
    char path[256];
    Raster *raster = NULL;
    float value = 0.0F;
    uint8_t valid = 0;
    test_raster(unit_at("a.tif", path), (TestRaster){ .width = 4, .height = 4 });
    ASSERT_OK(raster_open(path, NULL, &raster));
    ASSERT_ERR(raster_read(raster, (RasterWindow){ 0, 0, 0, 1 }, &value, &valid), ERR_ARGUMENT, "0 x 1");
    ASSERT_ERR(raster_read(raster, (RasterWindow){ 0, 0, 1 << 20, 1 << 20 }, &value, &valid), ERR_ARGUMENT,
               "cannot be read");
    raster_close(raster);
}

/* Without file handles a good file is not "of an unknown format". */
static void no_handles(void **state)
{
    (void)state;
    char path[256];
    struct rlimit before;
    test_raster(unit_at("good.tif", path), (TestRaster){ .width = 4, .height = 4 });
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    struct rlimit none = before;
    none.rlim_cur = (rlim_t)dup(0); /* the next free handle */
    assert_int_equal(close((int)none.rlim_cur), 0);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    Raster *raster = NULL;
    const Err err = raster_open(path, NULL, &raster);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    assert_int_equal(err, ERR_INPUT);
    assert_non_null(strstr(err_message(), "ulimit -n"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(not_files),  cmocka_unit_test(not_rasters),
        cmocka_unit_test(truncated),  cmocka_unit_test(truncated_streams),
        cmocka_unit_test(no_bands),   cmocka_unit_test(complex_numbers),
        cmocka_unit_test(huge),       cmocka_unit_test(virtual_rasters),
        cmocka_unit_test(no_network), cmocka_unit_test(bad_windows),
        cmocka_unit_test(no_handles),
    };
    return cmocka_run_group_tests(tests, unit_set_up, unit_tear_down);
}
