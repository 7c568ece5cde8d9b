/* SPDX-License-Identifier: Apache-2.0
 * gzip by zlib. */
#include "base/gzip.h"

#include <stdint.h>
#include <stdlib.h>
#include <zlib.h>

enum { GZIP_WINDOW = 16 + MAX_WBITS }; /* zlib: 16 more for the gzip format */

/* The whole of `in`; the buffer doubles. */
static int inflate_all(z_stream *stream, size_t limit_bytes, char **buffer, size_t *ret_length)
{
    size_t room = 1 << 16, used = 0;
    for (;;) {
        char *grown = realloc(*buffer, room + 1);
        if (grown == NULL) return Z_MEM_ERROR;
        *buffer = grown;
        stream->next_out = (unsigned char *)grown + used;
        stream->avail_out = (uInt)(room - used);
        const int status = inflate(stream, Z_NO_FLUSH);
        used = room - stream->avail_out;
        if (used > limit_bytes) return Z_BUF_ERROR;
        *ret_length = used;
        if (status != Z_OK || stream->avail_out > 0) return status == Z_OK ? Z_DATA_ERROR : status;
        room *= 2;
    }
}

Err gzip_unpack(const char *path, size_t limit_bytes, char **bytes, size_t *length)
{
    const unsigned char *in = (const unsigned char *)*bytes;
    if (*length < 2 || in[0] != 0x1F || in[1] != 0x8B) return ERR_NONE;
    z_stream stream = { .next_in = (unsigned char *)*bytes, .avail_in = (uInt)*length };
    char *buffer = NULL;
    size_t unpacked = 0;
    if (*length > UINT32_MAX || inflateInit2(&stream, GZIP_WINDOW) != Z_OK) return err_memory(*length, path);
    const int status = inflate_all(&stream, limit_bytes, &buffer, &unpacked);
    (void)inflateEnd(&stream);
    if (status != Z_STREAM_END) {
        free(buffer);
        if (status == Z_MEM_ERROR) return err_memory(unpacked, path);
        return err_set(ERR_INPUT, "'%s': the gzip file is damaged, cut off or larger than %zu bytes inside", path,
                       limit_bytes);
    }
    buffer[unpacked] = '\0';
    free(*bytes);
    *bytes = buffer;
    *length = unpacked;
    return ERR_NONE;
}
