/* SPDX-License-Identifier: Apache-2.0
 * Codec, disk, or damage. */
#include "geo/read_failure.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

enum { PROBE_BYTES = 1 << 16 };

static bool contains(const char *text, const char *word)
{
    const size_t n = strlen(word);
    for (; *text != '\0'; text++)
        if (strncasecmp(text, word, n) == 0) return true;
    return false;
}

/* "Cannot open TIFF file due to missing codec JXL.", "LERC compression support is not configured", "Compression scheme
 * 50001 tile decoding is not implemented", "Unsupported JPEG data precision 12" */
bool read_failure_is_codec(const char *reason)
{
    return contains(reason, "missing codec") || contains(reason, "support is not configured") ||
           contains(reason, "decoding is not implemented") || contains(reason, "unsupported jpeg data precision") ||
           contains(reason, "unknown compression") || contains(reason, "unsupported compression");
}

int read_failure_probe(const char *path)
{
    uint8_t bytes[PROBE_BYTES];
    ssize_t n = 0;
    const int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0) return errno == ENOENT ? 0 : errno;
    do n = read(file, bytes, sizeof bytes);
    while (n > 0 || (n < 0 && errno == EINTR));
    const int error = n < 0 ? errno : 0;
    (void)close(file);
    return error;
}

Err read_failure(const char *path, const char *what, const char *reason, char *const *files)
{
    if (read_failure_is_codec(reason))
        return err_set(
            ERR_INPUT,
            "'%s': %s: its compression is one that this GDAL has no codec for (%s); write it anew where GDAL "
            "has it, with gdal_translate -co COMPRESS=DEFLATE IN.tif OUT.tif",
            path, what, reason);
    char *const alone[] = { (char *)(uintptr_t)path, NULL };
    for (char *const *file = files != NULL ? files : alone; *file != NULL; file++) {
        const int error = read_failure_probe(*file);
        if (error != 0)
            return err_set(ERR_INPUT, "'%s': %s: the system cannot read '%s' (%s)", path, what, *file, strerror(error));
    }
    return err_set(ERR_INPUT, "'%s': %s (%s); the file is truncated or damaged", path, what, reason);
}
