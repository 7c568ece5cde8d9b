/* SPDX-License-Identifier: Apache-2.0
 *
 * Files for the tests of the program, made on the spot: a model with random weights, damaged and hostile models,
 * rasters of every odd kind, and a data folder with a climate map of a small world. make_fixtures FOLDER (which must
 * exist).
 *
 * The world: longitudes -180 to -140 are Af, -140 to -100 BWh, the rest is sea. */
#include "geo/geo_test.h"

#include "base/file.h"
#include "base/rng.h"
#include "geo/climate.h"
#include "harness/text_family.h"
#include "model/model_file.h"

#include <math.h>

enum { WIDTH = 40, HEIGHT = 30, MAX_BYTES = 1 << 28, PROMPT_ROWS = 6 };

static const char *folder;
static char path_buffers[4][256];

static const char *at(int buffer, const char *name)
{
    char *path = path_buffers[buffer];
    (void)snprintf(path, sizeof path_buffers[buffer], "%s/%s", folder, name);
    return path;
}

/* ---- the model ---- */

enum { TEXT_WIDTH = 384 }; /* of network_config_defaults() */

static void make_prompts(Model *model)
{
    float rows[PROMPT_ROWS * TEXT_WIDTH];
    PromptTable *table = &model->prompts;
    prompt_table_done(table);
    ASSERT_OK(prompt_table_init(table, CLIMATE_ZONES, 1, PROMPT_ROWS, TEXT_WIDTH));
    for (int32_t zone = 0; zone < CLIMATE_ZONES; zone++) {
        for (int i = 0; i < PROMPT_ROWS * TEXT_WIDTH; i++)
            rows[i] = 0.3F * rng_normal(7, RNG_WEIGHTS, (uint64_t)zone, (uint64_t)i);
        ASSERT_OK(prompt_table_set(table, zone, 0, climate_zone_name(zone + 1), "random rows", rows, PROMPT_ROWS));
    }
}

/* The fusion's output projections start at 0, where text says nothing: random ones let it speak. */
static void open_fusion(ParamSet *params)
{
    for (int32_t i = 0; i < params_count(params); i++) {
        const ParamInfo *info = params_info(params, i);
        if (strstr(info->name, "image_out.weight") == NULL) continue;
        float *values = params_values(params) + info->offset;
        for (int64_t k = 0; k < info->shape.dim[0] * info->shape.dim[1]; k++)
            values[k] = 0.5F * rng_normal(9, RNG_WEIGHTS, (uint64_t)i, (uint64_t)k);
    }
}

static void make_model(void)
{
    ModelConfig config;
    Model *model = NULL;
    ASSERT_OK(model_config_init(&config));
    ASSERT_OK(model_config_set_classes(&config, 17));
    ASSERT_OK(model_config_set_text(&config.name, "fixture"));
    config.network.decoder_width = 16;
    config.tile = 256;
    config.gsd_minimum = 0.04;
    config.gsd_maximum = 0.06;
    config.gsd_unit = MODEL_DEGREE;
    for (int32_t i = 0; i < config.network.n_classes; i++)
        config.classes[i].color = 0x102030U * (uint32_t)(i % 8) + 15U;
    ASSERT_OK(model_new(&config, false, &model));
    model_config_done(&config);
    model_initialize(model, 3);
    open_fusion(model->params);
    make_prompts(model);
    const ModelSave save = model_save_defaults();
    ASSERT_OK(model_save(model, at(0, "model.safetensors"), &save));
    model_free(model);
}

/* ---- damaged and hostile models ---- */

static void write_bytes(const char *name, const void *bytes, size_t length)
{
    ASSERT_OK(file_write(at(1, name), bytes, length, true));
}

/* A safetensors file of this header and `data_bytes` zeros. */
static void write_tensors(const char *name, uint64_t header_length, const char *header, size_t data_bytes)
{
    const size_t length = strlen(header), total = 8 + length + data_bytes;
    unsigned char *bytes = calloc(1, total);
    assert_non_null(bytes);
    for (int i = 0; i < 8; i++) bytes[i] = (unsigned char)(header_length >> 8 * i);
    memcpy(bytes + 8, header, length);
    write_bytes(name, bytes, total);
    free(bytes);
}

#define TENSOR(name, dtype, begin, end)                                                                                \
    "\"" name "\":{\"dtype\":\"" dtype "\",\"shape\":[4],\"data_offsets\":[" begin "," end "]}"

static void make_hostile(void)
{
    const char *overlap = "{" TENSOR("a", "F32", "0", "16") "," TENSOR("b", "F32", "8", "24") "}";
    const char *hole = "{" TENSOR("a", "F32", "0", "16") "," TENSOR("b", "F32", "32", "48") "}";
    const char *dtype = "{" TENSOR("a", "F8_E4M3", "0", "4") "}";
    const char *plain = "{" TENSOR("a", "F32", "0", "16") "}";
    write_tensors("overlap.safetensors", strlen(overlap), overlap, 24);
    write_tensors("hole.safetensors", strlen(hole), hole, 48);
    write_tensors("dtype.safetensors", strlen(dtype), dtype, 4);
    write_tensors("other.safetensors", strlen(plain), plain, 16); /* sound, but no model of ours */
    write_tensors("header.safetensors", UINT64_MAX / 2, plain, 16);
    write_tensors("header_beyond_file.safetensors", strlen(plain) + 17, plain, 16);
    write_tensors("empty.safetensors", 0, "", 0);
    unit_write_text(at(1, "hostile.pth"), "cos\nsystem\n(S'touch pwned'\ntR.");
}

/* The first place of `word` in the bytes. */
static unsigned char *find(unsigned char *bytes, size_t length, const char *word)
{
    const size_t n = strlen(word);
    for (size_t i = 0; i + n <= length; i++)
        if (memcmp(bytes + i, word, n) == 0) return bytes + i;
    fail_msg("'%s' is not in the model", word);
    return NULL;
}

/* The good model with the first `from` replaced by `to` of the same length. */
static void make_variant(const char *name, const char *from, const char *to)
{
    char *bytes = NULL;
    size_t length = 0;
    assert_int_equal(strlen(from), strlen(to));
    ASSERT_OK(file_read(at(0, "model.safetensors"), MAX_BYTES, &bytes, &length));
    memcpy(find((unsigned char *)bytes, length, from), to, strlen(to));
    write_bytes(name, bytes, length);
    free(bytes);
}

static void make_damaged(void)
{
    char *bytes = NULL;
    size_t length = 0;
    ASSERT_OK(file_read(at(0, "model.safetensors"), MAX_BYTES, &bytes, &length));
    write_bytes("truncated.safetensors", bytes, length - 1000);
    write_bytes("truncated_header.safetensors", bytes, 2000);
    for (size_t i = 1; i <= 64; i++) bytes[length - i] = (char)0xff; /* no numbers, in f16 and in f32 */
    write_bytes("nan.safetensors", bytes, length);
    free(bytes);
    make_variant("architecture.safetensors", "efficientnet_lite0", "efficientnet_lite9");
    make_variant("fusion.safetensors", "\\\"fusion\\\":\\\"caf\\\"", "\\\"fusion\\\":\\\"cat\\\"");
    make_variant("integers.safetensors", "\"dtype\":\"F32\"", "\"dtype\":\"I32\"");
    make_variant("renamed.safetensors", "encoder._conv_stem.weight", "encoder._conv_stem.height");
}

/* ---- rasters ---- */

static const double place[6] = { -170.0, 0.05, 0.0, 45.0, 0.0, -0.05 };
static const char *const rgb[] = { "PHOTOMETRIC=RGB", NULL };

static TestRaster usual(void)
{
    return (TestRaster){
        .width = WIDTH, .height = HEIGHT, .bands = 3, .geotransform = place, .epsg = 4326, .options = rgb
    };
}

static void make_georeferences(void)
{
    static const double south_up[6] = { -170.0, 0.05, 0.0, 43.5, 0.0, 0.05 };
    static const double rotated[6] = { -170.0, 0.04, 0.03, 45.0, 0.03, -0.04 };
    static const double local[6] = { 500000.0, 5500.0, 0.0, 4900000.0, 0.0, -5500.0 };
    TestRaster r = usual();
    test_raster(at(1, "good.tif"), r);
    r.epsg = 0;
    test_raster(at(1, "no_crs.tif"), r);
    r.geotransform = NULL;
    test_raster(at(1, "no_place.tif"), r);
    r = usual();
    r.epsg = 0;
    r.wkt = "GEOGCS[\"unknown\",DATUM[\"unknown\",SPHEROID[\"unknown\",6371007.181,0]],PRIMEM[\"Greenwich\",0],"
            "UNIT[\"degree\",0.0174532925199433]]";
    test_raster(at(1, "no_datum.tif"), r);
    r.wkt = "LOCAL_CS[\"arbitrary\",UNIT[\"metre\",1]]";
    r.geotransform = local;
    test_raster(at(1, "local.tif"), r);
    r = usual();
    r.geotransform = south_up;
    test_raster(at(1, "south_up.tif"), r);
    r.geotransform = rotated;
    test_raster(at(1, "rotated.tif"), r);
}

static void make_pixels(void)
{
    static float values[HEIGHT][WIDTH][3];
    const double zero = 0.0;
    TestRaster r = usual();
    r.width = r.height = 1;
    test_raster(at(1, "one_pixel.tif"), r);
    r = usual();
    r.values = &values[0][0][0];
    r.nodata = &zero;
    test_raster(at(1, "all_nodata.tif"), r);
    for (int y = 0; y < HEIGHT; y++)
        for (int x = 0; x < WIDTH; x++)
            for (int b = 0; b < 3; b++)
                values[y][x][b] = x < 10 && b == 1 ? NAN : y == 0 ? INFINITY : test_value(x, y, b);
    r.nodata = NULL;
    r.type = GDT_Float32;
    test_raster(at(1, "nan.tif"), r);
    r = usual();
    r.options = NULL;
    r.bands = 4;
    r.type = GDT_UInt16; /* four bands of Bytes would count as red, green, blue and alpha */
    test_raster(at(1, "four_bands.tif"), r);
    r.bands = 2;
    r.type = GDT_Byte;
    test_raster(at(1, "two_bands.tif"), r);
    r = usual();
    r.type = GDT_CFloat32;
    r.options = NULL;
    test_raster(at(1, "complex.tif"), r);
}

/* The bands of good.tif side by side, as band files of one scene. */
static void make_band_files(void)
{
    static const char *const names[] = { "scene/scene_B04.tif", "scene/scene_B03.tif", "scene/scene_B02.tif" };
    static float values[HEIGHT][WIDTH];
    ASSERT_OK(file_make_folders(at(0, "scene")));
    TestRaster r = usual();
    r.bands = 1;
    r.options = NULL;
    r.values = &values[0][0];
    for (int b = 0; b < 3; b++) {
        for (int i = 0; i < HEIGHT * WIDTH; i++) values[i / WIDTH][i % WIDTH] = test_value(i % WIDTH, i / WIDTH, b);
        test_raster(at(1, names[b]), r);
    }
    /* a scene classification in pixels twice as large: cloud on the left half, vegetation on the right */
    const double coarse[6] = { place[0], 2.0 * place[1], 0.0, place[3], 0.0, 2.0 * place[5] };
    r.geotransform = coarse;
    r.width = WIDTH / 2;
    r.height = HEIGHT / 2;
    for (int i = 0; i < r.width * r.height; i++) (&values[0][0])[i] = i % r.width < r.width / 2 ? 9.0F : 4.0F;
    test_raster(at(1, "scene/scene_SCL.tif"), r);
}

static void make_bad_rasters(void)
{
    static const char *const strips[] = { "BLOCKYSIZE=1", "PHOTOMETRIC=RGB", NULL };
    char *bytes = NULL;
    size_t length = 0;
    TestRaster r = usual();
    r.options = strips;
    test_raster(at(1, "whole.tif"), r);
    ASSERT_OK(file_read(at(1, "whole.tif"), MAX_BYTES, &bytes, &length));
    write_bytes("truncated.tif", bytes, length - 1000);
    write_bytes("truncated_early.tif", bytes, 60);
    free(bytes);
    unit_write_text(at(1, "empty.tif"), "");
    unit_write_text(at(1, "text.tif"), "This is only text, whatever it is called.\n");
    unit_write_text(at(1, "no_bands.vrt"), "<VRTDataset rasterXSize=\"4\" rasterYSize=\"4\"></VRTDataset>");
    unit_write_text(at(1, "huge.vrt"),
                    "<VRTDataset rasterXSize=\"2000000000\" rasterYSize=\"2000000000\"><VRTRasterBand "
                    "dataType=\"Byte\" band=\"1\"/></VRTDataset>");
    r = (TestRaster){ .width = 300, .height = 300, .bands = 3, .geotransform = place, .epsg = 4326, .options = rgb };
    test_raster(at(1, "larger.tif"), r);
}

/* ---- an image of three classes, and a few polygons ---- */

enum { FIELDS = 300, FIELD = 50 };

static int field_class(int x, int y) { return (x / FIELD + 2 * (y / FIELD)) % 3; }

static void make_fields_image(void)
{
    static const double utm[6] = { 500000.0, 10.0, 0.0, 5303000.0, 0.0, -10.0 };
    static const float colors[3][3] = { { 40, 60, 140 }, { 60, 140, 50 }, { 200, 170, 120 } };
    static const float classes[3][3] = { { 0, 0, 255 }, { 0, 128, 0 }, { 0xb0, 0xa0, 0x80 } };
    static float values[FIELDS][FIELDS][3], truth[FIELDS][FIELDS], picture[FIELDS][FIELDS][3];
    for (int y = 0; y < FIELDS; y++)
        for (int x = 0; x < FIELDS; x++) {
            truth[y][x] = (float)(field_class(x, y) + 1);
            for (int b = 0; b < 3; b++) picture[y][x][b] = classes[field_class(x, y)][b];
            for (int b = 0; b < 3; b++)
                values[y][x][b] = colors[field_class(x, y)][b] +
                                  20.0F * rng_uniform(3, RNG_TEST, (uint64_t)b, (uint64_t)y * FIELDS + (uint64_t)x);
        }
    TestRaster r = { .width = FIELDS,
                     .height = FIELDS,
                     .bands = 3,
                     .geotransform = utm,
                     .epsg = 32633,
                     .values = &values[0][0][0],
                     .options = rgb };
    test_raster(at(1, "fields.tif"), r);
    r.values = &picture[0][0][0];
    test_raster(at(1, "fields_picture.tif"), r);
    r.bands = 1;
    r.values = &truth[0][0];
    r.options = NULL;
    test_raster(at(1, "fields_truth.tif"), r);
    r.geotransform = NULL;
    r.epsg = 0;
    r.driver = "PNG";
    test_raster(at(1, "photo_mask.png"), r);
    r.bands = 3;
    r.values = &picture[0][0][0];
    test_raster(at(1, "photo_colors.png"), r);
    r.values = &values[0][0][0];
    test_raster(at(1, "photo.png"), r);
    for (int i = 0; i < FIELDS * FIELDS; i++) /* two classes, side by side in one corner */
        truth[i / FIELDS][i % FIELDS] = i / FIELDS >= 16  ? 255.0F
                                        : i % FIELDS < 8  ? 1.0F
                                        : i % FIELDS < 16 ? 2.0F
                                                          : 255.0F;
    r.bands = 1;
    r.values = &truth[0][0];
    test_raster(at(1, "photo_corner.png"), r);
    for (int i = 0; i < FIELDS * FIELDS; i++) truth[i / FIELDS][i % FIELDS] = i % 2 == 0 ? 0.0F : 255.0F;
    test_raster(at(1, "photo_binary.png"), r);
}

void RegisterOGRGeoPackage(void); /* its header is C++ */

/* A square inside most fields, by name and by number; one lies beside the image, one has no class. */
static void make_fields_polygons(void)
{
    static const char *const names[] = { "water", "wood", "bare" };
    RegisterOGRGeoPackage();
    GDALDatasetH file = GDALCreate(GDALGetDriverByName("GPKG"), at(1, "fields.gpkg"), 0, 0, 0, GDT_Unknown, NULL);
    OGRSpatialReferenceH crs = OSRNewSpatialReference(NULL);
    assert_non_null(file);
    assert_int_equal(OSRImportFromEPSG(crs, 32633), OGRERR_NONE);
    OGRLayerH layer = GDALDatasetCreateLayer(file, "fields", crs, wkbPolygon, NULL);
    OSRDestroySpatialReference(crs);
    OGRFieldDefnH text = OGR_Fld_Create("class", OFTString);
    OGRFieldDefnH number = OGR_Fld_Create("code", OFTInteger);
    assert_int_equal(OGR_L_CreateField(layer, text, 1), OGRERR_NONE);
    assert_int_equal(OGR_L_CreateField(layer, number, 1), OGRERR_NONE);
    OGR_Fld_Destroy(text);
    OGR_Fld_Destroy(number);
    for (int i = 0; i < 38; i++) {
        const int column = i == 36 ? 50 : i % 6;
        const int row = i / 6 % 6;
        const double x = 500000.0 + 10.0 * (FIELD * column + 15);
        const double y = 5303000.0 - 10.0 * (FIELD * row + 15);
        char wkt[256];
        char *at_wkt = wkt;
        OGRGeometryH square = NULL;
        OGRFeatureH feature = OGR_F_Create(OGR_L_GetLayerDefn(layer));
        const int class_index = field_class(FIELD * column, FIELD * row);
        (void)snprintf(wkt, sizeof wkt, "POLYGON((%f %f,%f %f,%f %f,%f %f,%f %f))", x, y, x + 200, y, x + 200, y - 200,
                       x, y - 200, x, y);
        assert_int_equal(OGR_G_CreateFromWkt(&at_wkt, NULL, &square), OGRERR_NONE);
        assert_int_equal(OGR_F_SetGeometryDirectly(feature, square), OGRERR_NONE);
        if (i != 37) OGR_F_SetFieldString(feature, 0, names[class_index]);
        if (i != 37) OGR_F_SetFieldInteger(feature, 1, class_index + 1);
        assert_int_equal(OGR_L_CreateFeature(layer, feature), OGRERR_NONE);
        OGR_F_Destroy(feature);
    }
    GDALClose(file);
}

/* ---- the data folder ---- */

static void make_share(void)
{
    float values[18 * 36];
    for (int i = 0; i < 18 * 36; i++) values[i] = i % 36 < 4 ? 1.0F : i % 36 < 8 ? 7.0F : 32.0F;
    test_raster(at(1, "world.png"), (TestRaster){ .width = 36, .height = 18, .driver = "PNG", .values = values });
    unit_write_text(at(2, "world.csv"), ",kg_zone,zoneNum\n1,Af,1\n7,BWh,7\n32,Ocean,32\n");
    ASSERT_OK(file_make_folders(at(0, "share/models")));
    ASSERT_OK(climate_convert(at(1, "world.png"), at(2, "world.csv"), at(3, "share/koppen_geiger.bin"), 1));
    if (symlink(METASEG_SOURCE_DIR "/share/prompts", at(0, "share/prompts")) != 0) fail_msg("no link can be made");
}

/* Small text encoders with random weights, as folders: clip with our own merges, bert with hardly any words. */
static void make_text_encoders(void)
{
    enum { CLIP_TOKENS = 512 + 1500 + 2, BERT_TOKENS = 6 };
    ParamSet *clip = text_family_params(NETWORK_TEXT_ENCODER_clip_quickgelu, CLIP_TOKENS);
    ParamSet *bert = text_family_params(NETWORK_TEXT_ENCODER_bert, BERT_TOKENS);
    ASSERT_OK(file_make_folders(at(0, "clip")));
    ASSERT_OK(file_make_folders(at(0, "bert")));
    text_family_write(clip, at(0, "clip/model.safetensors"), "text_model.", NULL, 0, 0);
    unit_write_text(at(0, "clip/config.json"), "{\"model_type\": \"clip_text_model\", \"num_attention_heads\": 2}");
    if (symlink(METASEG_SOURCE_DIR "/tests/golden/bpe_merges.txt", at(0, "clip/merges.txt")) != 0)
        fail_msg("no link can be made");
    text_family_write(bert, at(0, "bert/model.safetensors"), "", NULL, 0, 0);
    unit_write_text(at(0, "bert/vocab.txt"), "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\n,\n");
    params_free(clip);
    params_free(bert);
}

int main(int argc, char **argv)
{
    if (argc != 2) return 2;
    folder = argv[1];
    make_model();
    make_hostile();
    make_damaged();
    make_georeferences();
    make_pixels();
    make_bad_rasters();
    make_band_files();
    make_fields_image();
    make_fields_polygons();
    make_share();
    make_text_encoders();
    return 0;
}
