/* SPDX-License-Identifier: Apache-2.0
 * Files that get their names together. */
#include "base/output.h"

#include "base/file.h"
#include "base/str.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

enum { NAME_DIGITS = 16, ATTEMPTS = 8 };

static const char prefix[] = ".metaseg-partial-";

/* One name. Inside the hidden folder the new file is "0", "1", ..., the older one "older-0", ... */
typedef struct OutputFile {
    char *path;
    char *partial; /* NULL: an older file that goes */
    char *older;   /* where the older file waits from `moved` on */
    bool moved, named;
} OutputFile;

struct Output {
    bool overwrite;
    bool keeps_older; /* an older file could not be put back: it stays in `folder` */
    char *place;      /* the folder of the files */
    char *folder;     /* the hidden one in it */
    int lock;         /* `folder`, open and locked; -1: none */
    OutputFile files[OUTPUT_MOST_FILES];
    int count;
};

Err output_error(const char *path, int reason)
{
    const char *hint = "choose another place for the output";
    if (reason == ENOSPC) hint = "the disk is full; free some space or write elsewhere";
    if (reason == EDQUOT) hint = "your quota is used up; free some space or write elsewhere";
    if (reason == EFBIG) hint = "files may not grow that large here; write elsewhere or raise the limit (ulimit -f)";
    if (reason == EIO) hint = "the disk or its connection fails; write elsewhere";
    if (reason == EROFS) hint = "nothing can be written to this file system; choose another place";
    if (reason == EACCES || reason == EPERM) hint = "you may not write there; choose another folder";
    if (reason == ENOENT) hint = "make the folder first";
    if (reason == ENAMETOOLONG) hint = "choose a shorter name";
    return err_set(ERR_OUTPUT, "'%s': cannot be written: %s; %s", path, strerror(reason), hint);
}

/* ---- the hidden folder ---- */

/* Removes what is in a hidden folder and is known to come from here, then the folder; whatever cannot be removed stays.
 * A link is removed, not followed. An older file that has no other name is kept unless `all`. */
static void empty_folder(int folder, bool all)
{
    const int again = dup(folder);
    DIR *listing = again >= 0 ? fdopendir(again) : NULL;
    if (listing == NULL) {
        if (again >= 0) (void)close(again);
        return;
    }
    rewinddir(listing);
    for (const struct dirent *entry = NULL; (entry = readdir(listing)) != NULL;) {
        const char *name = entry->d_name;
        struct stat info;
        const bool older = str_starts_with(name, "older-");
        if (!older && (name[0] < '0' || name[0] > '9')) continue;
        if (older && !all && (fstatat(folder, name, &info, AT_SYMLINK_NOFOLLOW) != 0 || info.st_nlink < 2)) continue;
        (void)unlinkat(folder, name, 0);
    }
    (void)closedir(listing);
}

/* Removes one hidden folder of a process that is gone: its lock can be had. */
static void remove_left(int place, const char *name)
{
    struct stat info;
    const int folder = openat(place, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (folder < 0) return;
    if (fstat(folder, &info) == 0 && info.st_uid == geteuid() && flock(folder, LOCK_EX | LOCK_NB) == 0) {
        empty_folder(folder, false);
        (void)unlinkat(place, name, AT_REMOVEDIR);
    }
    (void)close(folder);
}

static void remove_leftovers(const char *place)
{
    DIR *listing = opendir(place);
    if (listing == NULL) return;
    for (const struct dirent *entry = NULL; (entry = readdir(listing)) != NULL;)
        if (str_starts_with(entry->d_name, prefix) && strlen(entry->d_name) == sizeof prefix - 1 + NAME_DIGITS)
            remove_left(dirfd(listing), entry->d_name);
    (void)closedir(listing);
}

/* Makes one hidden folder and locks it; false when another process has just taken it for a leftover. */
static Err try_folder(Output *o, const char *path, bool *ret_made)
{
    unsigned char random[NAME_DIGITS / 2];
    char digits[NAME_DIGITS + 1];
    struct stat info;
    if (getrandom(random, sizeof random, 0) != (ssize_t)sizeof random) return output_error(path, errno);
    for (size_t i = 0; i < sizeof random; i++) (void)snprintf(digits + 2 * i, 3, "%02x", random[i]);
    TRY(str_format(&o->folder, "%s%s%s%s", o->place, strcmp(o->place, "/") == 0 ? "" : "/", prefix, digits));
    *ret_made = false;
    if (mkdir(o->folder, 0700) != 0) return errno == EEXIST ? ERR_NONE : output_error(path, errno);
    o->lock = open(o->folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (o->lock < 0) {
        const int reason = errno;
        (void)rmdir(o->folder);
        return reason == ENOENT ? ERR_NONE : output_error(path, reason);
    }
    /* where locks are unknown nothing can be taken for a leftover either */
    const bool locked = flock(o->lock, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK;
    *ret_made = locked && stat(o->folder, &info) == 0;
    return ERR_NONE;
}

static Err make_folder(Output *o, const char *path)
{
    for (int i = 0; i < ATTEMPTS; i++) {
        bool made = false;
        const Err err = try_folder(o, path, &made);
        if (err == ERR_NONE && made) return ERR_NONE;
        if (o->lock >= 0) (void)close(o->lock);
        o->lock = -1;
        free(o->folder);
        o->folder = NULL;
        TRY(err);
    }
    return err_set(ERR_OUTPUT, "'%s': no hidden folder can be made beside it; choose another place", path);
}

/* ---- names ---- */

static Err add_file(Output *o, const char *path, bool written)
{
    ASSERT(o->count < OUTPUT_MOST_FILES);
    OutputFile *f = &o->files[o->count];
    TRY(file_check_output(path, o->overwrite));
    Err err = str_copy(path, &f->path);
    if (err == ERR_NONE && written) err = str_format(&f->partial, "%s/%d", o->folder, o->count);
    if (err == ERR_NONE) err = str_format(&f->older, "%s/older-%d", o->folder, o->count);
    o->count++; /* output_close frees what there is */
    return err;
}

Err output_open(const char *path, bool overwrite, Output **ret_output)
{
    TRY(file_check_output(path, overwrite));
    Output *o = calloc(1, sizeof *o);
    if (o == NULL) return err_memory(sizeof *o, "an output");
    o->overwrite = overwrite;
    o->lock = -1;
    Err err = path_folder(path, &o->place);
    if (err == ERR_NONE) {
        remove_leftovers(o->place);
        err = make_folder(o, path);
    }
    if (err == ERR_NONE) err = add_file(o, path, true);
    if (err == ERR_NONE)
        *ret_output = o;
    else
        output_close(o);
    return err;
}

const char *output_partial(const Output *output) { return output->files[0].partial; }

Err output_add(Output *output, const char *path, const char **ret_partial)
{
    TRY(add_file(output, path, true));
    *ret_partial = output->files[output->count - 1].partial;
    return ERR_NONE;
}

Err output_scratch(const Output *output, int *ret_file)
{
    static const char name[] = "0-scratch"; /* empty_folder() would know it, should it outlive the next line but one */
    const int flags = O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
    const int file = openat(output->lock, name, flags, 0600);
    if (file < 0) return output_error(output->files[0].path, errno);
    (void)unlinkat(output->lock, name, 0);
    *ret_file = file;
    return ERR_NONE;
}

Err output_retire(Output *output, const char *path) { return add_file(output, path, false); }

/* ---- publishing ---- */

static Err sync_path(const char *partial, const char *path, int flags)
{
    const int fd = open(partial, flags | O_CLOEXEC);
    if (fd < 0) return output_error(path, errno);
    /* Some file systems cannot sync a folder and say EINVAL: then the rename is as safe as it gets there. */
    const bool ok = fsync(fd) == 0 || errno == EINVAL || errno == ENOTSUP;
    const Err err = ok ? ERR_NONE : output_error(path, errno);
    (void)close(fd);
    return err;
}

/* The older file, if there is one, waits in the hidden folder, and keeps its name meanwhile where it can have two. */
static Err move_older(OutputFile *f)
{
    struct stat info, older = { 0 };
    if (lstat(f->path, &info) != 0) return errno == ENOENT ? ERR_NONE : output_error(f->path, errno);
    const bool plain = stat(f->path, &older) == 0 && S_ISREG(older.st_mode);
    const bool linked = f->partial != NULL && link(f->path, f->older) == 0;
    if (!linked && rename(f->path, f->older) != 0) return output_error(f->path, errno);
    f->moved = true;
    if (f->partial == NULL || !plain) return ERR_NONE;
    return chmod(f->partial, older.st_mode & 0777) == 0 ? ERR_NONE : output_error(f->path, errno);
}

static Err name_file(OutputFile *f, bool overwrite)
{
    TRY(file_check_output(f->path, overwrite)); /* what stands there may have changed meanwhile */
    if (overwrite) TRY(move_older(f));
    if (f->partial == NULL) return ERR_NONE;
    /* a link never replaces a file that came to be just now */
    if (!overwrite && link(f->partial, f->path) == 0) {
        f->named = true;
        return ERR_NONE;
    }
    if (!overwrite && errno == EEXIST) return file_check_output(f->path, false);
    if (rename(f->partial, f->path) != 0) return output_error(f->path, errno);
    f->named = true;
    return ERR_NONE;
}

static bool undo(const OutputFile *f)
{
    if (f->moved) return rename(f->older, f->path) == 0;
    return !f->named || unlink(f->path) == 0;
}

/* Everything back as it was; an older file that cannot be put back stays where it is, and the message says where. */
static void undo_all(Output *o)
{
    for (int i = 0; i < o->count; i++) {
        const OutputFile *f = &o->files[i];
        if (undo(f) || !f->moved) continue;
        o->keeps_older = true;
        (void)err_set(ERR_OUTPUT, "%s; the older '%s' is kept as '%s'", err_message(), f->path, f->older);
    }
}

static Err sync_files(Output *o)
{
    for (int i = 1; i < o->count; i++) {
        OutputFile *f = &o->files[i];
        if (f->partial == NULL || file_exists(f->partial)) continue;
        free(f->partial); /* not written: the older one goes */
        f->partial = NULL;
    }
    for (int i = 0; i < o->count; i++)
        if (o->files[i].partial != NULL) TRY(sync_path(o->files[i].partial, o->files[i].path, O_RDONLY));
    return ERR_NONE;
}

static Err name_files(Output *o)
{
    for (int i = o->count - 1; i >= 0; i--) TRY(name_file(&o->files[i], o->overwrite));
    return ERR_NONE;
}

Err output_publish_all(Output *const *outputs, int64_t count)
{
    Err err = ERR_NONE;
    for (int64_t i = 0; i < count && err == ERR_NONE; i++) err = sync_files(outputs[i]);
    for (int64_t i = 0; i < count && err == ERR_NONE; i++) err = name_files(outputs[i]);
    for (int64_t i = 0; i < count && err == ERR_NONE; i++)
        err = sync_path(outputs[i]->place, outputs[i]->files[0].path, O_RDONLY | O_DIRECTORY);
    for (int64_t i = 0; i < count && err != ERR_NONE; i++) undo_all(outputs[i]);
    return err;
}

Err output_publish(Output *output) { return output_publish_all(&output, 1); }

void output_close(Output *o)
{
    if (o == NULL) return;
    for (int i = 0; i < o->count; i++) {
        free(o->files[i].path);
        free(o->files[i].partial);
        free(o->files[i].older);
    }
    if (o->lock >= 0) {
        empty_folder(o->lock, !o->keeps_older);
        (void)rmdir(o->folder);
        (void)close(o->lock);
    }
    free(o->folder);
    free(o->place);
    free(o);
}

/* ---- writing ---- */

Err output_create(const char *partial, const char *path, FILE **ret_stream)
{
    const int fd = open(partial, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
    if (fd < 0) return output_error(path, errno);
    FILE *stream = fdopen(fd, "wb");
    if (stream != NULL) {
        *ret_stream = stream;
        return ERR_NONE;
    }
    const int reason = errno;
    (void)close(fd);
    return output_error(path, reason);
}

Err output_write(const char *partial, const char *path, const void *bytes, size_t length)
{
    FILE *stream = NULL;
    TRY(output_create(partial, path, &stream));
    Err err = fwrite(bytes, 1, length, stream) == length ? ERR_NONE : output_error(path, errno);
    if (fclose(stream) != 0 && err == ERR_NONE) err = output_error(path, errno);
    return err;
}

static bool append_all(int fd, const char *bytes, size_t length)
{
    while (length > 0) {
        const ssize_t n = write(fd, bytes, length);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return false;
        bytes += n;
        length -= (size_t)n;
    }
    return true;
}

Err output_append(const char *path, const void *bytes, size_t length)
{
    struct stat info;
    const int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0666);
    if (fd < 0) return output_error(path, errno);
    Err err = fstat(fd, &info) == 0 && S_ISREG(info.st_mode)
                  ? ERR_NONE
                  : err_set(ERR_OUTPUT, "'%s': is no plain file; expected one to append to; remove it", path);
    if (err == ERR_NONE && !append_all(fd, bytes, length)) {
        err = output_error(path, errno);
        (void)!ftruncate(fd, info.st_size); /* no torn row where the disk is full */
    }
    if (close(fd) != 0 && err == ERR_NONE) err = output_error(path, errno);
    return err;
}

Err output_prepare(const char *path, const void *bytes, size_t length, bool overwrite, Output **ret_output)
{
    Output *output = NULL;
    TRY(output_open(path, overwrite, &output));
    const Err err = output_write(output_partial(output), path, bytes, length);
    if (err == ERR_NONE)
        *ret_output = output;
    else
        output_close(output);
    return err;
}

Err file_write(const char *path, const void *bytes, size_t length, bool overwrite)
{
    Output *output = NULL;
    TRY(output_prepare(path, bytes, length, overwrite, &output));
    const Err err = output_publish(output);
    output_close(output);
    return err;
}
