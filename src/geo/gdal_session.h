/* SPDX-License-Identifier: Apache-2.0
 *
 * Private to src/geo: brackets around GDAL calls. Between gdal_begin() and gdal_end() the calling thread's GDAL
 * messages are collected here instead of going to stderr, network files are closed, Python in VRTs is off, and GDAL's
 * options that would change results have their default values whatever the environment says. The first
 * bracket of the process registers the drivers we use, and no others.
 *
 *     GdalSession session;
 *     gdal_begin(&session);
 *     ... GDAL calls ...
 *     if (session.failures > 0) code = err_set(ERR_INPUT, "'%s': %s", path, session.message);
 *     gdal_end(&session);
 */
#ifndef METASEG_GEO_GDAL_SESSION_H
#define METASEG_GEO_GDAL_SESSION_H

#include "base/err.h"

#include <cpl_error.h>
#include <stdbool.h>
#include <stdint.h>

enum { GDAL_MESSAGE_BYTES = 400 };

typedef struct GdalSession {
    int failures;                     /* errors of class CE_Failure and above, and JPEG streams that end early */
    int warnings;                     /* errors of class CE_Warning */
    char message[GDAL_MESSAGE_BYTES]; /* the first failure (later ones are its consequences), "" if none */
    char warning[GDAL_MESSAGE_BYTES]; /* the first warning */
    char **saved_options;             /* the thread's own configuration options */
} GdalSession;

/* Opens the bracket; brackets nest. */
void gdal_begin(GdalSession *session);

/* Closes it and restores the thread's handler and options. `message` stays readable. */
void gdal_end(GdalSession *session);

/* Sets the memory that GDAL may keep decoded blocks in, where the process is ours (gdal_own_process in geo_process.h);
 * it belongs to the whole process. */
void gdal_set_cache(int64_t bytes);

/* The first failure, or `otherwise` when GDAL said nothing. */
const char *gdal_reason(const GdalSession *session, const char *otherwise);

/* ERR_OUTPUT: `path` cannot be written, after a call of GDAL has failed, with the reason that errno holds (often the only one) or
 * GDAL's. To be called at once; errno was 0 before. */
Err gdal_write_error(const char *path, const GdalSession *session);

/* Driver names that raster_open allows, NULL at the end. */
const char *const *gdal_allowed_drivers(void);

/* GDAL itself remembers that the network may be used (geo_process.h). */
#define GDAL_NETWORK_OPTION "METASEG_ALLOW_NETWORK"
bool gdal_network_allowed(void);

/* "http://..." or "https://...". */
bool gdal_is_url(const char *path);

/* The name under which GDAL must open a raster: gdal_check_path and gdal_plain_name of a local file, /vsicurl/ and the URL where the
 * network is allowed. ERR_INPUT. */
Err gdal_raster_name(const char *path, char *ret_name, size_t name_bytes);

/* Checks that `path` is a plain local file. ERR_INPUT with one sentence: missing, a folder, a network or other GDAL
 * virtual file, a device, no permission. */
Err gdal_check_path(const char *path);

/* Opens and closes a plain file: ERR_INPUT with the system's reason where that fails. GDAL does not tell the lack of file
 * handles from a file of an unknown format, so this is asked again after it has failed. */
Err gdal_check_open(const char *path);

/* Writes the name under which GDAL must open a checked path: absolute, or with "./" before it, so that no name is taken
 * for a GDAL connection string. ERR_INPUT when it does not fit. */
Err gdal_plain_name(const char *path, char *ret_name, size_t name_bytes);

#endif
