/* SPDX-License-Identifier: Apache-2.0
 * Which virtual rasters are read: kinds of sources and classes, files that are sources of many, signals. */
#include "geo/vrt_check.h"

#include "geo/geo_test.h"
#include "geo/raster.h"

#include <time.h>

/* A VRT whose band holds `inside`; root and band have these attributes. */
static const char *write_vrt(const char *name, const char *root, const char *band, const char *inside, char path[256])
{
    static char text[1 << 20];
    const int n = snprintf(text, sizeof text,
                           "<VRTDataset rasterXSize=\"4\" rasterYSize=\"4\" %s><VRTRasterBand dataType=\"Byte\" "
                           "band=\"1\" %s>%s</VRTRasterBand></VRTDataset>",
                           root, band, inside);
    assert_true(n > 0 && (size_t)n < sizeof text);
    unit_write_text(unit_at(name, path), text);
    return path;
}

#define SOURCE(kind, file, more)                                                                                       \
    "<" kind "><SourceFilename relativeToVRT=\"1\">" file "</SourceFilename><SourceBand>1</SourceBand>" more "</" kind \
    ">"

static void kinds(void **state)
{
    (void)state;
    static const char *const allowed[] = {
        SOURCE("SimpleSource", "a.tif", ""),
        SOURCE("ComplexSource", "a.tif", "<NODATA>3</NODATA><ScaleRatio>2</ScaleRatio>"),
        SOURCE("AveragedSource", "a.tif", ""),
        SOURCE("simplesource", "a.tif", ""),
        SOURCE("NoDataFromMaskSource", "a.tif", ""), /* of GDAL 3.8, passed over by earlier ones */
    };
    static const struct {
        const char *root, *band, *inside, *named;
    } refused[] = {
        { "", "",
          SOURCE("KernelFilteredSource", "a.tif",
                 "<Kernel normalized=\"1\"><Size>3</Size><Coefs>1 1 1 1 1 1 1 1 1</Coefs></Kernel>"),
          "KernelFilteredSource" },
        { "", "", SOURCE("kernelfilteredsource", "a.tif", ""), "kernelfilteredsource" },
        { "", "", SOURCE("ArraySource", "a.tif", ""), "ArraySource" },
        { "", "", SOURCE("SourceOfTomorrowSource", "a.tif", ""), "SourceOfTomorrowSource" },
        { "", "subClass=\"VRTDerivedRasterBand\"",
          SOURCE("SimpleSource", "a.tif", "") "<PixelFunctionType>sqrt</PixelFunctionType>", "VRTDerivedRasterBand" },
        { "", "SubClass=\"VRTPansharpenedRasterBand\"", "", "VRTPansharpenedRasterBand" },
        { "subClass=\"VRTPansharpenedDataset\"", "", "", "VRTPansharpenedDataset" },
        { "subClass=\"VRTProcessedDataset\"", "", "", "VRTProcessedDataset" },
        { "", "",
          "<MaskBand><VRTRasterBand dataType=\"Byte\">" SOURCE("KernelFilteredSource", "a.tif",
                                                               "") "</VRTRasterBand></MaskBand>",
          "KernelFilteredSource" },
    };
    char path[256], inner[256];
    test_raster(unit_at("a.tif", path), (TestRaster){ .width = 4, .height = 4 });
    for (int64_t i = 0; i < ARRAY_LEN(allowed); i++)
        ASSERT_OK(vrt_check(write_vrt("kind.vrt", "", "", allowed[i], path), NULL));
    for (int64_t i = 0; i < ARRAY_LEN(refused); i++) {
        (void)write_vrt("inner.vrt", refused[i].root, refused[i].band, refused[i].inside, inner);
        ASSERT_ERR(vrt_check(inner, NULL), ERR_INPUT, refused[i].named);
        assert_non_null(strstr(err_message(), "gdal_translate"));
        (void)write_vrt("outer.vrt", "", "", SOURCE("SimpleSource", "inner.vrt", ""), path); /* one deeper */
        ASSERT_ERR(vrt_check(path, NULL), ERR_INPUT, refused[i].named);
    }
}

/* Four levels, each naming the next 2,000 times: 16 million million files if each were checked each time. */
static void checked_once(void **state)
{
    (void)state;
    enum { TIMES = 2000 };
    static char inside[TIMES * 160];
    char path[256];
    test_raster(unit_at("a.tif", path), (TestRaster){ .width = 4, .height = 4 });
    for (int level = 4; level >= 0; level--) {
        char name[32], below[32];
        size_t used = 0;
        (void)snprintf(below, sizeof below, level == 4 ? "a.tif" : "level%d.vrt", level + 1);
        (void)snprintf(name, sizeof name, "level%d.vrt", level);
        for (int i = 0; i < TIMES; i++)
            used += (size_t)snprintf(inside + used, sizeof inside - used,
                                     "<SimpleSource><SourceFilename relativeToVRT=\"1\">%s</SourceFilename>"
                                     "</SimpleSource>",
                                     below);
        (void)write_vrt(name, "", "", inside, path);
    }
    const clock_t start = clock();
    ASSERT_OK(vrt_check(path, NULL));
    assert_true(clock() - start < 20 * CLOCKS_PER_SEC);
    const volatile int stop = 1;
    Raster *raster = NULL;
    ASSERT_ERR(vrt_check(path, &stop), ERR_INTERRUPTED, "stopped");
    ASSERT_ERR(raster_open(path, &stop, &raster), ERR_INTERRUPTED, "stopped");
    assert_null(raster);
}

static void nesting(void **state)
{
    (void)state;
    char path[256];
    test_raster(unit_at("a.tif", path), (TestRaster){ .width = 4, .height = 4 });
    (void)write_vrt("deep0.vrt", "", "", SOURCE("SimpleSource", "a.tif", ""), path);
    for (int level = 1; level <= 5; level++) {
        char name[32], inside[256];
        (void)snprintf(name, sizeof name, "deep%d.vrt", level);
        /* twice: what was checked at one depth is not allowed at any */
        (void)snprintf(inside, sizeof inside,
                       "<SimpleSource><SourceFilename relativeToVRT=\"1\">deep%d.vrt</SourceFilename></SimpleSource>"
                       "<SimpleSource><SourceFilename relativeToVRT=\"1\">deep0.vrt</SourceFilename></SimpleSource>",
                       level - 1);
        (void)write_vrt(name, "", "", inside, path);
        if (level <= 4)
            ASSERT_OK(vrt_check(path, NULL));
        else
            ASSERT_ERR(vrt_check(path, NULL), ERR_INPUT, "nested more than 4 deep");
    }
    (void)write_vrt("one.vrt", "", "", SOURCE("SimpleSource", "two.vrt", ""), path);
    (void)write_vrt("two.vrt", "", "", SOURCE("SimpleSource", "one.vrt", ""), path);
    ASSERT_ERR(vrt_check(path, NULL), ERR_INPUT, "a source of itself");
}

int main(void)
{
    GDALRegister_VRT();
    GDALRegister_GTiff();
    const struct CMUnitTest tests[] = { cmocka_unit_test(kinds), cmocka_unit_test(checked_once),
                                        cmocka_unit_test(nesting) };
    return cmocka_run_group_tests(tests, unit_set_up, unit_tear_down);
}
