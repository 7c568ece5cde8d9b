/* SPDX-License-Identifier: Apache-2.0
 * Zip archives by libzip, out of a file in which all members wait. */
#include "tensor_file/zip_writer.h"

#include "base/grow.h"
#include "base/output.h"
#include "base/str.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zip.h>

/* 1 January 1980 in DOS's coding, the first day that it has. */
enum { DOS_DATE = 1 << 5 | 1, DOS_TIME = 0 };

typedef struct Member {
    char *name;
    int64_t from, bytes; /* in the file of members */
    int64_t read;        /* of bytes, by libzip */
    ZipWriter *writer;
} Member;

struct ZipWriter {
    char *partial, *path;
    int waiting; /* the file of members */
    int64_t length;
    Member *members;
    int64_t n, capacity;
};

Err zip_writer_new(const char *partial, const char *path, ZipWriter **ret_writer)
{
    char *waiting = NULL;
    ZipWriter *w = calloc(1, sizeof *w);
    if (w == NULL) return err_memory(sizeof *w, "a zip archive");
    w->waiting = -1;
    Err err = str_copy(partial, &w->partial);
    if (err == ERR_NONE) err = str_copy(path, &w->path);
    if (err == ERR_NONE) err = str_format(&waiting, "%s.members", partial);
    if (err == ERR_NONE) {
        w->waiting = open(waiting, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
        if (w->waiting < 0)
            err = output_error(path, errno);
        else
            (void)unlink(waiting); /* it goes with its descriptor */
    }
    free(waiting);
    if (err == ERR_NONE)
        *ret_writer = w;
    else
        zip_writer_free(w);
    return err;
}

void zip_writer_free(ZipWriter *w)
{
    if (w == NULL) return;
    for (int64_t i = 0; i < w->n; i++) free(w->members[i].name);
    free(w->members);
    if (w->waiting >= 0) (void)close(w->waiting);
    free(w->partial);
    free(w->path);
    free(w);
}

static Err append(ZipWriter *w, const char *bytes, size_t length)
{
    for (size_t done = 0; done < length;) {
        const ssize_t n = pwrite(w->waiting, bytes + done, length - done, (off_t)(w->length + (int64_t)done));
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return output_error(w->path, n < 0 ? errno : EIO);
        done += (size_t)n;
    }
    return ERR_NONE;
}

Err zip_writer_add(ZipWriter *w, const char *name, const void *bytes, size_t length)
{
    for (int64_t i = 0; i < w->n; i++)
        if (strcmp(w->members[i].name, name) == 0)
            return err_set(ERR_ARGUMENT, "'%s': two members are called '%s'; each needs its own name", w->path, name);
    TRY(grow_array(&w->members, w->n, &w->capacity, sizeof *w->members, "the members of a zip archive"));
    Member member = { .from = w->length, .bytes = (int64_t)length, .writer = w };
    TRY(str_copy(name, &member.name));
    const Err err = append(w, bytes, length);
    if (err != ERR_NONE) {
        free(member.name);
        return err;
    }
    w->members[w->n++] = member;
    w->length += (int64_t)length;
    return ERR_NONE;
}

/* ---- libzip ---- */

static zip_int64_t read_member(Member *m, void *data, zip_uint64_t length)
{
    const int64_t left = m->bytes - m->read;
    const size_t wanted = length < (zip_uint64_t)left ? (size_t)length : (size_t)left;
    for (size_t done = 0; done < wanted;) {
        const ssize_t n =
            pread(m->writer->waiting, (char *)data + done, wanted - done, (off_t)(m->from + m->read + (int64_t)done));
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return -1;
        done += (size_t)n;
    }
    m->read += (int64_t)wanted;
    return (zip_int64_t)wanted;
}

static zip_int64_t stat_member(const Member *m, void *data, zip_uint64_t length)
{
    zip_stat_t *status = data;
    if (length < sizeof *status) return -1;
    zip_stat_init(status);
    status->valid = ZIP_STAT_SIZE;
    status->size = (zip_uint64_t)m->bytes;
    return sizeof *status;
}

static zip_int64_t source(void *state, void *data, zip_uint64_t length, zip_source_cmd_t command)
{
    Member *m = state;
    if (command == ZIP_SOURCE_OPEN) m->read = 0;
    if (command == ZIP_SOURCE_READ) return read_member(m, data, length);
    if (command == ZIP_SOURCE_STAT) return stat_member(m, data, length);
    if (command == ZIP_SOURCE_SUPPORTS)
        return zip_source_make_command_bitmap(ZIP_SOURCE_OPEN, ZIP_SOURCE_READ, ZIP_SOURCE_CLOSE, ZIP_SOURCE_STAT,
                                              ZIP_SOURCE_ERROR, ZIP_SOURCE_FREE, -1);
    if (command == ZIP_SOURCE_ERROR && length >= 2 * sizeof(int)) {
        const int codes[2] = { ZIP_ER_READ, EIO };
        memcpy(data, codes, sizeof codes);
        return sizeof codes;
    }
    return 0;
}

static bool add_member(zip_t *zip, Member *m)
{
    zip_source_t *from = zip_source_function(zip, source, m);
    const zip_int64_t i = from != NULL ? zip_file_add(zip, m->name, from, ZIP_FL_ENC_UTF_8) : -1;
    if (from != NULL && i < 0) zip_source_free(from);
    return i >= 0 && zip_set_file_compression(zip, (zip_uint64_t)i, ZIP_CM_STORE, 0) == 0 &&
           zip_file_set_dostime(zip, (zip_uint64_t)i, DOS_TIME, DOS_DATE, 0) == 0;
}

/* What libzip says, with the reason of the system where it has one. */
static Err failed(const ZipWriter *w, zip_error_t *error)
{
    if (zip_error_code_zip(error) == ZIP_ER_MEMORY) return err_memory((size_t)w->n * sizeof(Member), "a zip archive");
    if (zip_error_system_type(error) == ZIP_ET_SYS && zip_error_code_system(error) != 0)
        return output_error(w->path, zip_error_code_system(error));
    return err_set(ERR_OUTPUT, "'%s': cannot be written: %s; write elsewhere", w->path, zip_error_strerror(error));
}

Err zip_writer_finish(ZipWriter *w)
{
    int code = 0;
    bool good = true;
    if (w->n == 0) return err_set(ERR_ARGUMENT, "'%s': an archive without members", w->path);
    zip_t *zip = zip_open(w->partial, ZIP_CREATE | ZIP_EXCL, &code);
    if (zip == NULL) {
        zip_error_t error;
        zip_error_init_with_code(&error, code);
        const Err err = failed(w, &error);
        zip_error_fini(&error);
        return err;
    }
    for (int64_t i = 0; i < w->n && good; i++) good = add_member(zip, &w->members[i]);
    if (good && zip_close(zip) == 0) return ERR_NONE;
    const Err err = failed(w, zip_get_error(zip));
    zip_discard(zip);
    return err;
}
