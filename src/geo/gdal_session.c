/* SPDX-License-Identifier: Apache-2.0
 * Driver registration, message collection, and the rule which names may be opened. */
#include "geo/gdal_session.h"

#include "base/output.h"
#include "geo/vector_file.h"

#include <cpl_conv.h>
#include <cpl_string.h>
#include <errno.h>
#include <fcntl.h>
#include <gdal.h>
#include <gdal_frmts.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

/* Set for the thread inside a bracket, whatever the environment or the host says. A curl file name that no file can have
 * closes /vsicurl and its relatives, which metadata of a hostile file could name. All others are GDAL's own defaults, for
 * options that would change what is read or written, or start threads: side-cars and world files count, read errors are
 * errors, half pixels and negative scales mean what the format says, transformations are those that PROJ chooses. */
static const char *const pinned[] = {
    "CPL_VSIL_CURL_ALLOWED_FILENAME=/network access is off/",
    "GDAL_VRT_ENABLE_PYTHON=NO",
    "GDAL_PAM_ENABLED=YES",
    "GDAL_PAM_MODE=PAM",
    "GDAL_DISABLE_READDIR_ON_OPEN=FALSE",
    "GDAL_GEOREF_SOURCES=PAM,INTERNAL,TABFILE,WORLDFILE",
    "GDAL_NUM_THREADS=1",
    "GDAL_RASTERIO_RESAMPLING=NEAR",
    "GDAL_TIFF_INTERNAL_MASK_TO_8BIT=TRUE",
    "GDAL_TIFF_ENDIANNESS=NATIVE",
    "GDAL_TIFF_DEFLATE_SUBCODEC=", /* the faster one that the library has */
    "GDAL_OVR_PROPAGATE_NODATA=NO",
    "GDAL_OVR_CHUNKYSIZE=256", /* rows at once, as many as the blocks that we write have */
    "GDAL_JPEG_TO_RGB=YES",
    "GDAL_USE_GEOJP2=YES",
    "GDAL_USE_GMLJP2=YES",
    "GTIFF_DONT_WRITE_BLOCKS=NO",
    "GTIFF_IGNORE_READ_ERRORS=NO",
    "GTIFF_POINT_GEO_IGNORE=NO",
    "GTIFF_HONOUR_NEGATIVE_SCALEY=NO",
    "GTIFF_IMPORT_FROM_EPSG=YES",
    "GTIFF_ESRI_CITATION=YES",
    "GTIFF_DIRECT_IO=NO",
    "GTIFF_WRITE_IMAGE_STRUCTURE_METADATA=YES",
    "GTIFF_VIRTUAL_MEM_IO=NO",
    "JPEG_READ_MASK=YES",
    "JPEG_MASK_BIT_ORDER=AUTO",
    "CHECK_WITH_INVERT_PROJ=NO",
    "OGR_CT_FORCE_TRADITIONAL_GIS_ORDER=NO",
    "OGR_CT_OP_SELECTION=PROJ",
    "OGR_CT_PREFER_OFFICIAL_SRS_DEF=YES",
    "OSR_DEFAULT_AXIS_MAPPING_STRATEGY=AUTHORITY_COMPLIANT",
    "OSR_ADD_TOWGS84_ON_IMPORT_FROM_EPSG=NO",
    "OSR_CT_USE_DEFAULT_EPSG_TOWGS84=NO",
    "OSR_STRIP_TOWGS84=YES",
    "OSR_USE_APPROX_TMERC=NO",
    NULL,
};

/* Where the network is allowed and the user has not said otherwise: seconds until a connection that stands still ends. */
static const char *const patience[][2] = { { "GDAL_HTTP_CONNECTTIMEOUT", "20" },
                                           { "GDAL_HTTP_LOW_SPEED_TIME", "30" },
                                           { "GDAL_HTTP_LOW_SPEED_LIMIT", "1" },
                                           { "GDAL_HTTP_MAX_RETRY", "2" } };

static void register_drivers(void)
{
    GDALRegister_GTiff();
    GDALRegister_COG();
    GDALRegister_JPEG();
    GDALRegister_PNG();
    GDALRegister_JP2OpenJPEG();
    GDALRegister_VRT();
    GDALRegister_HFA();
    GDALRegister_ENVI();
    GDALRegister_MEM();
    vector_file_register();
}

const char *const *gdal_allowed_drivers(void)
{
    static const char *const names[] = { "GTiff", "JPEG", "PNG", "JP2OpenJPEG", "VRT", "HFA", "ENVI", NULL };
    return names;
}

/* One line: libraries end messages with newlines. */
static void keep_line(char target[GDAL_MESSAGE_BYTES], const char *text)
{
    (void)snprintf(target, GDAL_MESSAGE_BYTES, "%s", text);
    size_t length = strlen(target);
    while (length > 0 && (unsigned char)target[length - 1] <= ' ') target[--length] = '\0';
    for (size_t i = 0; i < length; i++)
        if ((unsigned char)target[i] < ' ') target[i] = ' ';
}

static void CPL_STDCALL collect(CPLErr level, CPLErrorNum number, const char *text)
{
    (void)number;
    GdalSession *session = CPLGetErrorHandlerUserData();
    /* libjpeg fills what is missing with grey and only warns */
    const bool lost = level == CE_Warning && strstr(text, "Premature end of JPEG") != NULL;
    if (level >= CE_Failure || lost) {
        if (session->failures++ == 0) keep_line(session->message, text);
    } else if (level == CE_Warning) {
        if (session->warnings++ == 0) keep_line(session->warning, text);
    }
}

/* The options that were set, and not the environment, which may not open the network. */
bool gdal_network_allowed(void)
{
    char **set = CPLGetConfigOptions();
    const bool allowed = CSLFetchNameValue((CSLConstList)set, GDAL_NETWORK_OPTION) != NULL;
    CSLDestroy(set);
    return allowed;
}

/* Opens the network for the options of a bracket. */
static char **allow_network(char **options)
{
    for (int64_t i = 0; i < ARRAY_LEN(patience); i++)
        if (CPLGetConfigOption(patience[i][0], NULL) == NULL)
            options = CSLSetNameValue(options, patience[i][0], patience[i][1]);
    return CSLSetNameValue(options, "CPL_VSIL_CURL_ALLOWED_FILENAME", NULL);
}

void gdal_begin(GdalSession *session)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    (void)pthread_once(&once, register_drivers);
    memset(session, 0, sizeof *session);
    session->saved_options = CPLGetThreadLocalConfigOptions();
    char **all = CSLMerge(CSLDuplicate(session->saved_options), (CSLConstList)pinned);
    if (gdal_network_allowed()) all = allow_network(all);
    CPLSetThreadLocalConfigOptions((const char *const *)all);
    CSLDestroy(all);
    CPLPushErrorHandlerEx(collect, session);
}

void gdal_end(GdalSession *session)
{
    CPLPopErrorHandler();
    CPLErrorReset();
    CPLSetThreadLocalConfigOptions((const char *const *)session->saved_options);
    CSLDestroy(session->saved_options);
    session->saved_options = NULL;
}

const char *gdal_reason(const GdalSession *session, const char *otherwise)
{
    return session->message[0] != '\0' ? session->message : otherwise;
}

Err gdal_write_error(const char *path, const GdalSession *session)
{
    static const int told[] = { ENOSPC, EDQUOT, EFBIG, EIO, EROFS, EACCES, EPERM, EMFILE, ENFILE };
    const int reason = errno;
    for (int64_t i = 0; i < ARRAY_LEN(told); i++)
        if (reason == told[i]) return output_error(path, reason);
    return err_set(ERR_OUTPUT, "'%s': cannot be written (%s)", path, gdal_reason(session, "no reason given"));
}

bool gdal_is_url(const char *path)
{
    return path != NULL && (strncasecmp(path, "http://", 7) == 0 || strncasecmp(path, "https://", 8) == 0);
}

Err gdal_raster_name(const char *path, char *ret_name, size_t name_bytes)
{
    if (gdal_is_url(path) && gdal_network_allowed()) {
        const int length = snprintf(ret_name, name_bytes, "/vsicurl/%s", path);
        if (length > 0 && (size_t)length < name_bytes) return ERR_NONE;
        return err_set(ERR_INPUT, "'%.200s...': the URL is longer than %zu bytes", path, name_bytes);
    }
    TRY(gdal_check_path(path));
    return gdal_plain_name(path, ret_name, name_bytes);
}

Err gdal_check_path(const char *path)
{
    if (path == NULL || path[0] == '\0') return err_set(ERR_ARGUMENT, "no raster was named; give the path of a file");
    if (strncasecmp(path, "/vsi", 4) == 0 || strstr(path, "://") != NULL)
        return err_set(ERR_INPUT, "'%s': only local files are read; download it first%s", path,
                       gdal_is_url(path) ? ", or give --allow-network (predict)" : "");
    struct stat status;
    if (stat(path, &status) != 0)
        return errno == ENOENT ? err_set(ERR_INPUT, "'%s': no such file", path)
                               : err_set(ERR_INPUT, "'%s': cannot be opened (%s)", path, strerror(errno));
    if (S_ISDIR(status.st_mode)) return err_set(ERR_INPUT, "'%s': this is a folder; expected a file", path);
    if (!S_ISREG(status.st_mode))
        return err_set(ERR_INPUT, "'%s': this is not a plain file; expected a raster or vector file", path);
    return gdal_check_open(path);
}

Err gdal_check_open(const char *path)
{
    const int handle = open(path, O_RDONLY | O_CLOEXEC);
    if (handle < 0)
        return err_set(ERR_INPUT, "'%s': cannot be opened (%s)%s", path, strerror(errno),
                       errno == EMFILE ? "; 'ulimit -n' limits the files that a process may have open" : "");
    (void)close(handle);
    return ERR_NONE;
}

Err gdal_plain_name(const char *path, char *ret_name, size_t name_bytes)
{
    const int length = snprintf(ret_name, name_bytes, "%s%s", path[0] == '/' ? "" : "./", path);
    if (length < 0 || (size_t)length >= name_bytes)
        return err_set(ERR_INPUT, "'%.200s...': the path is longer than %zu bytes", path, name_bytes);
    return ERR_NONE;
}
