/* SPDX-License-Identifier: Apache-2.0
 * What tells a band's part of the spectrum, and the sensor's numbering. */
#include "geo/raster_spectral.h"

#include <cpl_conv.h>
#include <cpl_minixml.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { FOLDERS_UP = 3 };

/* Wavelength items as writers name them, in nanometres; 0: none. */
static double item_wavelength(GDALRasterBandH band)
{
    static const char *const keys[] = { "wavelength", "central_wavelength", "center_wavelength" };
    static const char *const units[] = { "wavelength_units", "wavelength_unit", "wavelength units" };
    const char *micrometres = GDALGetMetadataItem(band, "CENTRAL_WAVELENGTH_UM", "IMAGERY");
    if (micrometres == NULL)
        micrometres = GDALGetMetadataItem(band, "CENTRAL_WAVELENGTH_UM", NULL); /* as copied by hand */
    if (micrometres != NULL) return 1000.0 * CPLAtof(micrometres);
    for (int64_t i = 0; i < ARRAY_LEN(keys); i++) {
        const char *text = GDALGetMetadataItem(band, keys[i], NULL);
        const double value = text != NULL ? CPLAtof(text) : 0.0;
        if (!(value > 0.0)) continue;
        const char *unit = NULL;
        for (int64_t k = 0; unit == NULL && k < ARRAY_LEN(units); k++) unit = GDALGetMetadataItem(band, units[k], NULL);
        if (unit != NULL && strncasecmp(unit, "n", 1) == 0) return value;
        if (unit != NULL && (strncasecmp(unit, "mic", 3) == 0 || strncasecmp(unit, "u", 1) == 0)) return 1000.0 * value;
        return value >= 100.0 ? value : 1000.0 * value; /* no sensor sees 100 um */
    }
    return 0.0;
}

static const char *last_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash != NULL ? slash + 1 : path;
}

/* Name of the one file whose only band stands behind a band of a VRT; "" if there is none or several. */
static void source_name(GDALRasterBandH band, char name[RASTER_NAME_BYTES])
{
    char **sources = GDALGetMetadata(band, "vrt_sources");
    name[0] = '\0';
    if (sources == NULL || sources[0] == NULL || sources[1] != NULL) return;
    const char *xml = strchr(sources[0], '=');
    CPLXMLNode *root = xml != NULL ? CPLParseXMLString(xml + 1) : NULL;
    const CPLXMLNode *source = root != NULL && root->eType == CXT_Element ? root : NULL;
    if (source != NULL && strcmp(CPLGetXMLValue(source, "SourceBand", "1"), "1") == 0)
        (void)snprintf(name, RASTER_NAME_BYTES, "%s", last_name(CPLGetXMLValue(source, "SourceFilename", "")));
    CPLDestroyXMLNode(root);
}

/* Words and wavelength of one band; what they say of codes is settled once the numbering is known. */
static void read_band(Raster *raster, int64_t index)
{
    static const char *const items[] = { "BANDNAME", "BAND_NAME", "common_name", "eo:common_name", "band_name" };
    const GDALRasterBandH handle = GDALGetRasterBand(raster->dataset, (int)index + 1);
    RasterBand *band = &raster->bands[index];
    char name[RASTER_NAME_BYTES];
    band->said = band_name_read(GDALGetDescription(handle));
    for (int64_t i = 0; i < ARRAY_LEN(items) && band->said.spectral == SPECTRAL_UNKNOWN && band->said.code == 0; i++) {
        const char *value = GDALGetMetadataItem(handle, items[i], NULL);
        if (value != NULL) band->said = band_name_read(value);
    }
    if (!(band->said.wavelength > 0.0)) band->said.wavelength = item_wavelength(handle);
    if (band->said.spectral == SPECTRAL_UNKNOWN) band->said.spectral = spectral_of_wavelength(band->said.wavelength);
    if (band->said.spectral != SPECTRAL_UNKNOWN || band->said.code > 0) return;
    if (GDALGetDescription(handle)[0] != '\0') return;
    if (raster->info.bands == 1)
        (void)snprintf(name, sizeof name, "%s", last_name(raster_telling_path(raster)));
    else
        source_name(handle, name);
    const BandName file = band_name_read(name);
    if (file.code > 0 || raster->info.bands > 1) band->said = file;
}

/* ---- numbering ---- */

static BandNumbering numbering_of_items(const Raster *raster)
{
    static const char *const items[][2] = { { "IMAGERY", "SATELLITEID" },   { NULL, "SPACECRAFT_ID" },
                                            { NULL, "SATELLITE" },          { NULL, "PLATFORM" },
                                            { NULL, "platform" },           { NULL, "DATATAKE_1_SPACECRAFT_NAME" },
                                            { NULL, "SENSOR_ID" },          { NULL, "SENSOR" },
                                            { NULL, "LANDSAT_PRODUCT_ID" }, { NULL, "PRODUCT_URI" } };
    for (int64_t i = 0; i < ARRAY_LEN(items); i++) {
        const char *value = GDALGetMetadataItem(raster->dataset, items[i][1], items[i][0]);
        const BandNumbering numbering = value != NULL ? band_numbering_of(value) : NUMBERING_UNKNOWN;
        if (numbering != NUMBERING_UNKNOWN) return numbering;
    }
    return NUMBERING_UNKNOWN;
}

/* The file's name, then those of the folders above. */
static BandNumbering numbering_of_path(const char *path)
{
    char copy[1024];
    if (strlen(path) >= sizeof copy) return NUMBERING_UNKNOWN;
    (void)snprintf(copy, sizeof copy, "%s", path);
    for (int level = 0; level <= FOLDERS_UP; level++) {
        char *slash = strrchr(copy, '/');
        const BandNumbering numbering = band_numbering_of_file(slash != NULL ? slash + 1 : copy);
        if (numbering != NUMBERING_UNKNOWN || slash == NULL) return numbering;
        *slash = '\0';
    }
    return NUMBERING_UNKNOWN;
}

/* Codes of all bands as bits, and what their names add. */
typedef struct Codes {
    uint32_t bits;
    bool surface;       /* SR_B4 */
    bool positions;     /* each code is its band's place in the file: B1, B2, B3 */
    BandNumbering told; /* by a name */
} Codes;

static Codes collect_codes(const Raster *raster)
{
    static const struct {
        const char *name;
        BandNumbering numbering;
    } companions[] = { { "SR_QA_AEROSOL", NUMBERING_OLI }, { "ST_B10", NUMBERING_OLI },
                       { "ST_B6", NUMBERING_TM },          { "SR_ATMOS_OPACITY", NUMBERING_TM },
                       { "SR_CLOUD_QA", NUMBERING_TM },    { "QA60", NUMBERING_SENTINEL_2 },
                       { "SCL", NUMBERING_SENTINEL_2 },    { "MSK_CLDPRB", NUMBERING_SENTINEL_2 } };
    Codes c = { .positions = true };
    for (int64_t i = 0; i < raster->info.bands; i++) {
        const RasterBand *band = &raster->bands[i];
        for (int64_t k = 0; k < ARRAY_LEN(companions); k++)
            if (strcasecmp(band->name, companions[k].name) == 0) c.told = companions[k].numbering;
        if (band->said.code == 0) continue;
        if (band->said.code < 32) c.bits |= 1U << band->said.code;
        c.surface = c.surface || band->said.surface;
        c.positions = c.positions && band->said.code == i + 1 && !band->said.surface && !band->said.code_a;
        if (band->said.numbering != NUMBERING_UNKNOWN) c.told = band->said.numbering;
    }
    return c;
}

static bool has_code(const Codes *c, int code) { return (c->bits >> code & 1U) != 0; }

/* What the codes alone tell. Landsat's surface products have bands 1 to 7 (8 and 9), or 1 to 5 and 7 (4, 5 and 7). */
static BandNumbering numbering_of_codes(const Codes *c, bool *ret_assumed)
{
    const bool few = (c->bits & ~0xeU) == 0; /* none above 3 */
    *ret_assumed = false;
    if (has_code(c, 12)) return NUMBERING_SENTINEL_2;
    if (c->surface && has_code(c, 6)) return NUMBERING_OLI;
    if (c->surface && has_code(c, 7) && has_code(c, 5) && has_code(c, 1)) return NUMBERING_TM;
    *ret_assumed = true;
    if (few && has_code(c, 1) && !c->positions) return NUMBERING_TM; /* B3, B2, B1: no red in the other numberings */
    if (few && has_code(c, 1) && c->surface) return NUMBERING_TM;
    if (c->positions) return NUMBERING_UNKNOWN; /* B1, B2, B3, ...: may be no more than a count */
    return c->surface ? NUMBERING_OLI : NUMBERING_SENTINEL_2;
}

/* A folder's name may tell of other files: no Landsat has a band 12. */
static bool holds_codes(BandNumbering numbering, const Codes *c)
{
    for (int code = 1; code < 32; code++)
        if (has_code(c, code) && spectral_of_code(numbering, code, false) == SPECTRAL_UNKNOWN) return false;
    return true;
}

static void find_numbering(Raster *raster)
{
    const Codes codes = collect_codes(raster);
    raster->counted = codes.bits != 0 && codes.positions;
    raster->numbering = codes.told;
    if (codes.bits == 0) return;
    if (raster->numbering == NUMBERING_UNKNOWN) raster->numbering = numbering_of_items(raster);
    if (raster->numbering == NUMBERING_UNKNOWN) {
        raster->numbering = numbering_of_path(raster_telling_path(raster));
        if (!holds_codes(raster->numbering, &codes)) raster->numbering = NUMBERING_UNKNOWN;
    }
    if (raster->numbering == NUMBERING_UNKNOWN)
        raster->numbering = numbering_of_codes(&codes, &raster->numbering_assumed);
    raster->counted = raster->counted && raster->numbering == NUMBERING_UNKNOWN;
    raster->numbering_assumed = raster->numbering_assumed && codes.surface;
}

void raster_spectral_describe(Raster *raster)
{
    for (int64_t i = 0; i < raster->info.bands; i++) read_band(raster, i);
    find_numbering(raster);
    for (int64_t i = 0; i < raster->info.bands; i++) {
        const GDALRasterBandH handle = GDALGetRasterBand(raster->dataset, (int)i + 1);
        RasterBand *band = &raster->bands[i];
        band->spectral = band->said.spectral;
        if (band->spectral == SPECTRAL_UNKNOWN)
            band->spectral = spectral_of_code(raster->numbering, band->said.code, band->said.code_a);
        /* what the file says in words outweighs the mark: GDAL marks the fourth of four bytes */
        if (band->spectral != SPECTRAL_UNKNOWN && band->spectral != SPECTRAL_OTHER) band->is_alpha = false;
        const char *colour = GDALGetColorInterpretationName(GDALGetRasterColorInterpretation(handle));
        band->by_colour = band->spectral == SPECTRAL_UNKNOWN;
        if (band->by_colour && colour != NULL) band->spectral = band_name_read(colour).spectral;
    }
}
