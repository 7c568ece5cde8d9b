/* SPDX-License-Identifier: Apache-2.0
 * Driver registration, message collection, and the rule which names may be opened. */
#include "geo/gdal_session.h"

#include <cpl_conv.h>
#include <errno.h>
#include <gdal.h>
#include <gdal_frmts.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

/* Set for the thread inside a bracket. A curl file name that no file can have closes /vsicurl and its relatives, which
 * metadata of a hostile file could name. */
static const char *const options[GDAL_OPTION_COUNT][2] = {
    { "CPL_VSIL_CURL_ALLOWED_FILENAME", "/network access is off/" },
    { "GDAL_VRT_ENABLE_PYTHON", "NO" },
};

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

void gdal_begin(GdalSession *session)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    (void)pthread_once(&once, register_drivers);
    memset(session, 0, sizeof *session);
    for (int i = 0; i < GDAL_OPTION_COUNT; i++) {
        const char *before = CPLGetThreadLocalConfigOption(options[i][0], NULL);
        session->saved_options[i] = before != NULL ? CPLStrdup(before) : NULL;
        CPLSetThreadLocalConfigOption(options[i][0], options[i][1]);
    }
    CPLPushErrorHandlerEx(collect, session);
}

void gdal_end(GdalSession *session)
{
    CPLPopErrorHandler();
    CPLErrorReset();
    for (int i = 0; i < GDAL_OPTION_COUNT; i++) {
        CPLSetThreadLocalConfigOption(options[i][0], session->saved_options[i]);
        CPLFree(session->saved_options[i]);
        session->saved_options[i] = NULL;
    }
}

void gdal_forget(GdalSession *session)
{
    session->failures = session->warnings = 0;
    session->message[0] = session->warning[0] = '\0';
}

const char *gdal_reason(const GdalSession *session, const char *otherwise)
{
    return session->message[0] != '\0' ? session->message : otherwise;
}

Err gdal_check_path(const char *path)
{
    if (path == NULL || path[0] == '\0') return err_set(ERR_ARGUMENT, "no raster was named; give the path of a file");
    if (strncasecmp(path, "/vsi", 4) == 0 || strstr(path, "://") != NULL)
        return err_set(ERR_INPUT, "'%s': only local files are read; download it first", path);
    struct stat status;
    if (stat(path, &status) != 0)
        return errno == ENOENT ? err_set(ERR_INPUT, "'%s': no such file", path)
                               : err_set(ERR_INPUT, "'%s': cannot be opened (%s)", path, strerror(errno));
    if (S_ISDIR(status.st_mode)) return err_set(ERR_INPUT, "'%s': this is a folder; expected a raster file", path);
    if (!S_ISREG(status.st_mode))
        return err_set(ERR_INPUT, "'%s': this is not a plain file; expected a raster file", path);
    if (access(path, R_OK) != 0) return err_set(ERR_INPUT, "'%s': cannot be opened (%s)", path, strerror(errno));
    return ERR_NONE;
}

Err gdal_plain_name(const char *path, char *ret_name, size_t name_bytes)
{
    const int length = snprintf(ret_name, name_bytes, "%s%s", path[0] == '/' ? "" : "./", path);
    if (length < 0 || (size_t)length >= name_bytes)
        return err_set(ERR_INPUT, "'%.200s...': the path is longer than %zu bytes", path, name_bytes);
    return ERR_NONE;
}
