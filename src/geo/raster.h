/* SPDX-License-Identifier: Apache-2.0
 *
 * Rasters, read-only. A Raster is an open file seen through chosen bands and, on request, through a grid of another
 * ground sampling distance; windows of it come as floats, bands interleaved, with a mask of the valid pixels.
 *
 *     Raster *raster = NULL;
 *     TRY(raster_open("scene.tif", NULL, &raster));
 *     Err err = raster_choose_bands(raster, NULL, 3, (const char *const[]){ "red", "green", "blue" });
 *     ... raster_read(raster, (RasterWindow){ .x = -64, .y = -64, .columns = 512, .rows = 512 }, values, valid);
 *     raster_close(raster);
 *
 * A pixel is invalid when GDAL calls it so in any chosen band (masks, nodata values, NODATA_VALUES, alpha: docs/rasters.md
 * has the rules), and when the value is no finite number. A band that is chosen as data is never a mask. A Raster may move between threads, but only one may use it at a time.
 *
 * A product of several files (product.h: a Sentinel-2 .SAFE folder or its zip, a Landsat MTL file, its folder or its tar, band files)
 * is one raster of all its bands. It lies on the grid of the finest band that is chosen, so that choosing bands may change
 * its size and geotransform: choose first.
 *
 * Formats: GTiff (COG included), JPEG, PNG, JP2OpenJPEG, HFA, ENVI and VRTs that only mosaic, stack or warp local
 * files. Only plain local files are opened: no /vsi, no URLs, no connection strings. Limits: 2^40 pixels; blocks of
 * 2^31 bytes; a file of more than 2^32 samples must have at least a byte per 4,096 of them (a deflate stream cannot
 * hold more than 1,032 : 1, so beyond it the file is empty tiles or a decompression bomb).
 */
#ifndef METASEG_GEO_RASTER_H
#define METASEG_GEO_RASTER_H

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct Raster Raster;

/* Pixels [x, x + columns) x [y, y + rows); may reach beyond the raster. */
typedef struct RasterWindow {
    int64_t x, y;
    int64_t columns, rows;
} RasterWindow;

/* What tells which pixels of a band are valid: the first of these that the file has, as GDAL ranks them. */
typedef enum RasterMaskKind {
    RASTER_MASK_NONE = 0,
    RASTER_MASK_FILE,          /* a mask stored with the file (inside, or .msk), one for all bands */
    RASTER_MASK_BAND,          /* a mask stored with the file, the band's own */
    RASTER_MASK_NODATA_VALUES, /* no data where every band of the file has its own value (NODATA_VALUES) */
    RASTER_MASK_NODATA,        /* the band's nodata value */
    RASTER_MASK_ALPHA,         /* an alpha band */
} RasterMaskKind;

/* What the file holds. Strings live as long as the Raster. */
typedef struct RasterInfo {
    int64_t width, height;             /* pixels of the file, whatever grid is presented */
    int64_t bands;                     /* alpha included */
    const char *driver;                /* GDAL's short name, "GTiff"; of a product its format, "Sentinel-2 SAFE" */
    const char *type;                  /* of band 1, GDAL's name, "UInt16" */
    int64_t block_width, block_height; /* of band 1: what is decoded at once */
    const char *crs_name;              /* "WGS 84 / UTM zone 33N", "" if none */
    bool has_geotransform;
    double geotransform[6]; /* GDAL's order; (0, 1, 0, 0, 0, 1) if none */
    int64_t gcps;           /* ground control points */
    bool has_rpc;           /* rational polynomial coefficients */
    bool has_nodata;        /* of band 1 */
    double nodata;
    bool has_palette; /* band 1 has a colour table */
} RasterInfo;

/* Opens `path`, a raster file or a product, with all bands but alpha chosen (of a product those that see the surface), on its
 * own grid. The caller closes it. stop: NULL, or checked while
 * the many sources of a virtual raster are. ERR_INPUT, one sentence: missing file, not a raster, a format or source that
 * is not allowed, no bands, beyond the limits above. ERR_INTERRUPTED when *stop is set. ERR_MEMORY. */
Err raster_open(const char *path, const volatile int *stop, Raster **ret_raster);

/* Whether raster_open would take `path` for a product of several files, by what it is called. */
bool raster_is_product(const char *path);

/* Opens the classification that a product brings with it, as a raster of one band: "scl" of a Sentinel-2 L2A product or of
 * band files, "qa_pixel" of a Landsat product. The caller closes it, before `of` or after. ERR_INPUT where it has none;
 * ERR_MEMORY. */
Err raster_open_classification(const Raster *of, const char *name, Raster **ret_raster);

/* Band files whose names are alike but for their band codes ("x_B04.tif", "x_B08.tif"), as the one text that raster_open()
 * takes for them ("B04=x_B04.tif,B08=x_B08.tif"). free() it. ERR_INPUT: a name without a code, or of another product. */
Err raster_join_band_files(int64_t n, const char *const *paths, char **ret_list);

/* Closes and frees; NULL is fine. */
void raster_close(Raster *raster);

/* The path as given to raster_open. */
const char *raster_path(const Raster *raster);

const RasterInfo *raster_info(const Raster *raster);

/* What a person should know of a product's files, one sentence; "": nothing. */
const char *raster_product_note(const Raster *raster);

/* Band description, else its colour interpretation in lower case ("red"), else "band 3". `band` counts from 1.
 * Valid while the raster is open. */
const char *raster_band_name(const Raster *raster, int64_t band);

/* The name that sensors share ("coastal", "blue", "green", "yellow", "red", "nir", "swir1", "swir2") where anything tells
 * that the band is one of these: its name, a wavelength, its colour interpretation; else raster_band_name. */
const char *raster_band_common_name(const Raster *raster, int64_t band);

/* GDAL's name of a band's type, "UInt16"; "Int8" also where GDAL calls it a Byte with signed values. `band` counts from 1. */
const char *raster_band_type(const Raster *raster, int64_t band);

/* What tells which pixels of a band are valid. `band` counts from 1. */
RasterMaskKind raster_band_mask(const Raster *raster, int64_t band);

/* Scale and offset that the file states for a band (value = stored * scale + offset); 1 and 0 if it states none or what
 * is no number. `band` counts from 1. */
void raster_band_scaling(const Raster *raster, int64_t band, double *ret_scale, double *ret_offset);

/* True when taking the offset off (raster_remove_offsets) moves the band's values by more than its type can tell apart: its
 * whole range, or 2^24 for types of more than 16 bits. Such a tag is hardly what its writer meant. `band` from 1. */
bool raster_offset_is_far(const Raster *raster, int64_t band);

/* The unit that the file states for a band's values ("reflectance"), "" if none. `band` counts from 1. */
const char *raster_band_unit(const Raster *raster, int64_t band);

/* A band's nodata value as text ("-9999", "nan", all digits of 64-bit integers), "" if it has none. */
void raster_band_nodata(const Raster *raster, int64_t band, char ret_text[32]);

/* The value of a metadata item of the file ("TIFFTAG_DATETIME", domain "" or NULL) or NULL. */
const char *raster_metadata(const Raster *raster, const char *domain, const char *key);

/* Item i of a domain as "KEY=VALUE", NULL beyond the last. Valid while the raster is open. */
const char *raster_metadata_item(const Raster *raster, const char *domain, int64_t i);

/* What a raster of ours is ("classes", "confidence", "probabilities"), "" for others and for maps of old versions.
 * Valid while the raster is open. */
const char *raster_kind(const Raster *raster);

/* Name of a class of band 1, "" where the file has none: what the TIFF of a map itself says, else GDAL's category names
 * (.aux.xml). Valid while the raster is open. */
const char *raster_class_name(const Raster *raster, int64_t value);

/* Colour of a class of band 1 (palette) as 0xRRGGBB; false, ret untouched, where the palette has none for it. */
bool raster_class_color(const Raster *raster, int64_t value, uint32_t *ret_rgb);

/* Why a band holds no class values but measurements, as the end of a sentence ("its values have a scale or an offset"):
 * what a raster of ours says that it is, or its scale and offset. NULL: it may hold class values. `band` counts from 1. */
const char *raster_measurement(const Raster *raster, int64_t band);

/* True when the file says that it has a red, a green and a blue band: where class values are expected it is a picture of
 * them. A palette is none. */
bool raster_is_color_picture(const Raster *raster);

/* Files that make up the raster (itself, sidecars, sources): file i, NULL beyond the last. */
const char *raster_file(const Raster *raster, int64_t i);

/* Chooses the bands that raster_read gives, in order.
 * `choice`: numbers from 1 and names separated by commas ("1,2,3", "red,green,blue", "B08,red"); NULL or "": the bands
 * that answer to `names` if all are there, else all bands but alpha if there are exactly `wanted` and no name
 * contradicts that order. A name is matched, case ignored, with a band's own, then by code (B8, B08, SR_B8), then by
 * the part of the spectrum (red: "Band 3 (Red)", B04 of Sentinel-2, SR_B3 of Landsat 5, 665 nm, colour interpretation).
 * `wanted`: how many there must be, 0: any number. `names` (wanted of them) may be NULL. ERR_INPUT when the file's bands
 * do not fit, ERR_ARGUMENT when `choice` cannot be read. */
Err raster_choose_bands(Raster *raster, const char *choice, int64_t wanted, const char *const *names);

/* The same for a reader of n bands of these names, n > 0, of which some may be `missing`. Chosen are those that are there, in
 * the order of `names`; ret_source[i]: which of the chosen ones band i is, -1: it is missing. Bands called red, green and
 * blue are never missing where the reader has them, and one is always there. Where none may be missing it is
 * raster_choose_bands, but that `choice` may be by names.
 * `choice`: "red=3,green=B03,blue=1", the reader's band and the file's by number or name; or the file's alone: n of them
 * in the order of `names`, or fewer, by names that are those of the reader's bands too, or 3 numbers for red, green, blue,
 * 4 for red, green, blue, nir. NULL or "": every band that answers to its name; where red, green and blue do not, all bands
 * in order if there are n, the only three as red, green, blue, if no name contradicts. The note tells what was chosen and
 * what is missing. ERR_INPUT, ERR_ARGUMENT. */
Err raster_choose_named(Raster *raster, const char *choice, int64_t n, const char *const *names, bool missing,
                        int32_t *ret_source);

/* Which bands were chosen for what, one sentence, where the choice was inferred; "" where it was given by number or is
 * the file's order. *ret_doubtful: a person should look, because the file leaves room for another reading. Valid until
 * the next choice. */
const char *raster_choice_note(const Raster *raster, bool *ret_doubtful);

/* Number of chosen bands, and the number in the file (from 1) of chosen band i. */
int64_t raster_chosen_count(const Raster *raster);
int64_t raster_chosen_band(const Raster *raster, int64_t i);

/* Presents the raster on a grid of width x height pixels over the same extent: area-weighted mean of the valid pixels
 * where it is coarser, bilinear where it is finer (resample.h). Each axis may change by at most 64 times; ERR_ARGUMENT
 * beyond, ERR_INPUT beyond 2^30 pixels either way. The file's own size goes back to unresampled reading. */
Err raster_set_grid(Raster *raster, int64_t width, int64_t height);

/* From now on the raster is a part of itself: size, geotransform and windows are those of `part`, pixels of the file's own
 * grid, and what lies beyond its borders is mirrored. After the bands are chosen and before anything else asks for the place or the size. ERR_INPUT
 * where it has no geotransform, ERR_ARGUMENT where the part is empty or not inside. */
Err raster_set_part(Raster *raster, RasterWindow part);

/* Size of the presented grid. */
int64_t raster_width(const Raster *raster);
int64_t raster_height(const Raster *raster);

/* Reads a window of the presented grid. ret_values: [rows][columns][chosen bands]; ret_valid: [rows][columns], 1 valid,
 * 0 not. Invalid values are 0. What lies beyond the border is mirrored (without repeating the border pixel: -1 is 1),
 * mask included; check the bounds to know what is inside. ERR_INPUT names file, band and row when the file is truncated
 * or damaged. ERR_MEMORY. */
Err raster_read(Raster *raster, RasterWindow window, float *ret_values, uint8_t *ret_valid);

/* From now on values come as stored + offset / scale: without the offset that the file states, in the file's own unit. So
 * reflectance stored with 1000 added reads like reflectance stored as it is. Validity is told by the stored values. */
void raster_remove_offsets(Raster *raster);

/* From now on pixels that the mask (cloud_mask.h; borrowed) masks are not valid. NULL: none is. */
typedef struct CloudMask CloudMask;
void raster_set_cloud_mask(Raster *raster, CloudMask *mask);

/* From now on raster_take_valid calls pixels outside of the cutline (cutline.h; borrowed) not valid. raster_read gives them as they are, but for
 * windows that have no pixel inside: of those no pixel is valid. NULL: none is. */
typedef struct Cutline Cutline;
void raster_set_cutline(Raster *raster, Cutline *cutline);

/* From now on the validity of the file's own pixels in `window` is remembered as windows are read, in the place of an earlier
 * one. Once windows have covered its part of rows y .. y + rows of the file, raster_take_valid gives ret_valid
 * [rows][window.columns], in order from its first row, and forgets them; another thread than the reader's may call it.
 * ERR_MEMORY. */
Err raster_keep_valid(Raster *raster, RasterWindow window);
void raster_take_valid(Raster *raster, int64_t y, int64_t rows, uint8_t *ret_valid);

/* Index i mirrored into 0..n-1 that way: -1 is 1, n is n - 2. */
int64_t raster_mirror(int64_t i, int64_t n);

/* Bytes of decoded blocks that are to be kept so that reading strips of `rows` rows from the top to the bottom, which overlap,
 * decodes no block twice: of the chosen bands all blocks that a strip touches. Only of formats that are slow to decode (JPEG
 * 2000; JPEG and PNG, which decode from the top), at most 384 MiB; 0 for others. */
int64_t raster_cache_bytes(const Raster *raster, int64_t rows);

/* Bytes of decoded blocks that GDAL keeps, for the whole process; does nothing in a process that is not ours (see
 * geo_process.h). */
void raster_set_cache_bytes(int64_t bytes);

#endif
