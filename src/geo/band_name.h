/* SPDX-License-Identifier: Apache-2.0
 *
 * What the name of a band says, as agencies, programs and people write it. Pure string work.
 *
 * Words      red, "Band 1 (Blue)", "near infrared", NIR, "red edge 1", SWIR2, coastal aerosol, rouge, Grün, "B", "n"
 * Wavelength "665 nm", "B4, central wavelength 665 nm", "0.83 um"
 * Codes      B4, B04, b08, B8A, SR_B4, sur_refl_b01, T30UYG_20200425T113321_B04_10m, LC08_..._SR_B4, HLS.S30....B8A;
 *            which band a code means depends on the sensor
 * A name that tells of something made from bands (mask, quality, standard deviation, index, ratio), or of two colours,
 * says nothing.
 */
#ifndef METASEG_GEO_BAND_NAME_H
#define METASEG_GEO_BAND_NAME_H

#include <stdbool.h>
#include <stdint.h>

/* Parts of the spectrum that sensors share. */
typedef enum Spectral {
    SPECTRAL_UNKNOWN = 0,
    SPECTRAL_COASTAL,  /* 400 to 450 nm */
    SPECTRAL_BLUE,     /* to 515 */
    SPECTRAL_GREEN,    /* 515 to 590 */
    SPECTRAL_YELLOW,   /* to 620 */
    SPECTRAL_RED,      /* to 690 */
    SPECTRAL_RED_EDGE, /* to 790 */
    SPECTRAL_NIR,      /* to 920 */
    SPECTRAL_SWIR1,    /* 1550 to 1750 */
    SPECTRAL_SWIR2,    /* 2080 to 2350 */
    SPECTRAL_OTHER,    /* panchromatic, cirrus, water vapour, thermal, alpha: known, and none of the above */
} Spectral;

/* How a sensor numbers its bands. */
typedef enum BandNumbering {
    NUMBERING_UNKNOWN = 0,
    NUMBERING_SENTINEL_2, /* also HLS S30 */
    NUMBERING_OLI,        /* Landsat 8 and 9, also HLS L30 */
    NUMBERING_TM,         /* Landsat 4, 5 and 7 */
    NUMBERING_MODIS,
} BandNumbering;

typedef struct BandName {
    Spectral spectral;       /* told by words or a wavelength */
    double wavelength;       /* nanometres, 0: not told */
    int code;                /* 4 of B4, B04, SR_B4; 0: none */
    bool code_a;             /* B8A */
    BandNumbering numbering; /* told by the name itself: "LC08_..._SR_B4", "sur_refl_b01", B8A */
    bool surface;            /* SR_B4: Landsat's, of whichever generation */
} BandName;

BandName band_name_read(const char *name);

/* "red", "nir", "red edge"; "" of unknown, "other" of other. */
const char *spectral_name(Spectral spectral);

/* Part of the spectrum at a wavelength in nanometres. */
Spectral spectral_of_wavelength(double nanometres);

/* The wavelength that stands for a part, nanometres; 0 where there is none. */
double spectral_centre(Spectral spectral);

/* What a code means in a numbering. */
Spectral spectral_of_code(BandNumbering numbering, int code, bool code_a);

/* Numbering of a platform, sensor or product: "LANDSAT_5", "Landsat 8", "LC09", "LE07_L2SP_...", "Sentinel-2A",
 * "HLS.L30.T17S...", "MODIS", "TM", "ETM+", "OLI_TIRS". */
BandNumbering band_numbering_of(const char *text);

/* The same of the name of a file or folder, where "TM", "OLI", "MSI", "Terra" and the like are no more than words:
 * "tm_01.tif", "terra/". */
BandNumbering band_numbering_of_file(const char *name);

/* What a name that is asked for means: a code without a sensor is read as Sentinel-2's, whose first four bands are also
 * those of Landsat 8 and 9. */
Spectral band_name_meaning(const BandName *asked);

/* Which of n names is meant by `asked`: the same name, case ignored, else the only one that means the same part of the
 * spectrum. -1: none, or several. */
int64_t band_name_find(const char *asked, int64_t n, const char *const *names);

/* Red, green or blue, by its meaning. */
bool band_name_is_colour(const char *name);

#endif
