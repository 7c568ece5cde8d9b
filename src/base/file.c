/* SPDX-License-Identifier: Apache-2.0
 * Whole files, atomic writing, path parts. */
#include "base/file.h"

#include "base/hash.h"
#include "base/str.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Reads into bytes[0..length) and checks that the file ends there. */
static Err read_all(int fd, const char *path, char *bytes, size_t length)
{
    size_t have = 0;
    while (have < length) {
        const ssize_t got = read(fd, bytes + have, length - have);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return err_set(ERR_INPUT, "'%s': reading failed: %s", path, strerror(errno));
        if (got == 0)
            return err_set(ERR_INPUT, "'%s': ended after %zu of %zu bytes; it changed while read", path, have, length);
        have += (size_t)got;
    }
    bytes[length] = '\0';
    return ERR_NONE;
}

Err file_open(const char *path, int *ret_fd)
{
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY); /* a FIFO must not hang */
    struct stat info;
    if (fd < 0) return err_set(ERR_INPUT, "'%s': %s; give a readable file", path, strerror(errno));
    if (fstat(fd, &info) != 0 || !S_ISREG(info.st_mode)) {
        (void)close(fd);
        return err_set(ERR_INPUT, "'%s': not a plain file; give a readable file", path);
    }
    *ret_fd = fd;
    return ERR_NONE;
}

Err file_read(const char *path, size_t limit_bytes, char **ret_bytes, size_t *ret_length)
{
    char *bytes = NULL;
    int fd = -1;
    struct stat info;
    TRY(file_open(path, &fd));
    Err err = fstat(fd, &info) == 0 ? ERR_NONE : err_set(ERR_INPUT, "'%s': %s", path, strerror(errno));
    if (err != ERR_NONE) goto done;
    if (info.st_size < 0 || (unsigned long long)info.st_size > limit_bytes) {
        err = err_set(ERR_INPUT, "'%s': %lld bytes; at most %zu are read here", path, (long long)info.st_size,
                      limit_bytes);
        goto done;
    }
    const size_t length = (size_t)info.st_size;
    bytes = malloc(length + 1);
    if (bytes == NULL) {
        err = err_memory(length + 1, path);
        goto done;
    }
    err = read_all(fd, path, bytes, length);
    if (err != ERR_NONE) goto done;
    *ret_bytes = bytes;
    *ret_length = length;
    bytes = NULL;
done:
    free(bytes);
    (void)close(fd);
    return err;
}

static Err output_error(const char *path)
{
    const int code = errno;
    const char *hint = "choose another place for the output";
    if (code == ENOSPC || code == EDQUOT) hint = "free some space or write elsewhere";
    if (code == EACCES || code == EPERM || code == EROFS) hint = "you may not write there; choose another folder";
    if (code == ENOENT) hint = "make the folder first";
    return err_set(ERR_OUTPUT, "'%s': cannot be written: %s; %s", path, strerror(code), hint);
}

static Err sync_path(const char *path, int flags)
{
    const int fd = open(path, flags | O_CLOEXEC);
    if (fd < 0) return output_error(path);
    /* Some file systems cannot sync a folder and say EINVAL: then the rename is as safe as it gets there. */
    const bool ok = fsync(fd) == 0 || errno == EINVAL || errno == ENOTSUP;
    const Err err = ok ? ERR_NONE : output_error(path);
    (void)close(fd);
    return err;
}

Err file_check_output(const char *path, bool overwrite)
{
    if (path[0] == '\0' || path[strlen(path) - 1] == '/')
        return err_set(ERR_OUTPUT, "'%s': names no file; give a file name", path);
    if (file_is_folder(path)) return err_set(ERR_OUTPUT, "'%s': is a folder; give a file name", path);
    if (!overwrite && file_exists(path))
        return err_set(ERR_OUTPUT, "'%s': exists already; give -f to replace it, or another name", path);
    char *folder = NULL;
    TRY(path_folder(path, &folder));
    Err err = ERR_NONE;
    if (!file_exists(folder))
        err = err_set(ERR_OUTPUT, "'%s': the folder '%s' does not exist; make it first", path, folder);
    else if (!file_is_folder(folder))
        err = err_set(ERR_OUTPUT, "'%s': '%s' is no folder; choose another place for the output", path, folder);
    else if (access(folder, W_OK | X_OK) != 0)
        err = err_set(ERR_OUTPUT, "'%s': the folder '%s' is not writable; choose another one", path, folder);
    free(folder);
    return err;
}

Err file_publish(const char *partial, const char *path, bool overwrite)
{
    char *folder = NULL;
    TRY(sync_path(partial, O_RDONLY));
    TRY(file_check_output(path, overwrite));
    if (rename(partial, path) != 0) return output_error(path);
    TRY(path_folder(path, &folder));
    const Err err = sync_path(folder, O_RDONLY | O_DIRECTORY);
    free(folder);
    return err;
}

static Err write_all(const char *path, const char *bytes, size_t length)
{
    const int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (fd < 0) return output_error(path);
    Err err = ERR_NONE;
    size_t done = 0;
    while (done < length && err == ERR_NONE) {
        const ssize_t put = write(fd, bytes + done, length - done);
        if (put >= 0)
            done += (size_t)put;
        else if (errno != EINTR)
            err = output_error(path);
    }
    if (close(fd) != 0 && err == ERR_NONE) err = output_error(path);
    return err;
}

Err file_write(const char *path, const void *bytes, size_t length, bool overwrite)
{
    char *partial = NULL;
    TRY(file_check_output(path, overwrite));
    TRY(file_partial_name(path, &partial));
    Err err = write_all(partial, bytes, length);
    if (err == ERR_NONE) err = file_publish(partial, path, overwrite);
    if (err != ERR_NONE) (void)unlink(partial);
    free(partial);
    return err;
}

/* What stands before the process number in the partial names of this machine: ".NAME.partial-XXXXXXXX-". */
static Err partial_prefix(const char *name, char **ret_prefix)
{
    char host[256] = "", hash[17];
    (void)gethostname(host, sizeof host - 1);
    hash_hex(hash_xxh64(host, strlen(host)), hash);
    return str_format(ret_prefix, ".%s.partial-%.8s-", name, hash);
}

/* The digits behind the prefix name a process that has ended. */
static bool is_stale(const char *digits)
{
    char *end = NULL;
    const long process = strtol(digits, &end, 10);
    if (end == digits || digits[0] < '0' || digits[0] > '9' || (*end != '\0' && *end != '.')) return false;
    return process > 0 && process <= INT32_MAX && kill((pid_t)process, 0) != 0 && errno == ESRCH;
}

/* Removes what killed processes of this machine left of `prefix`. What cannot be removed hinders nobody. */
static void remove_stale(const char *folder, const char *prefix)
{
    DIR *listing = opendir(folder);
    if (listing == NULL) return;
    for (const struct dirent *entry = NULL; (entry = readdir(listing)) != NULL;)
        if (str_starts_with(entry->d_name, prefix) && is_stale(entry->d_name + strlen(prefix)))
            (void)unlinkat(dirfd(listing), entry->d_name, 0);
    (void)closedir(listing);
}

Err file_partial_name(const char *path, char **ret_partial)
{
    const char *name = path_name(path);
    if (name[0] == '\0') return err_set(ERR_ARGUMENT, "'%s': names no file; give a file name", path);
    char *folder = NULL, *prefix = NULL;
    Err err = path_folder(path, &folder);
    if (err == ERR_NONE) err = partial_prefix(name, &prefix);
    if (err == ERR_NONE) {
        remove_stale(folder, prefix);
        err = str_format(ret_partial, "%.*s%s%ld", (int)(name - path), path, prefix, (long)getpid());
    }
    free(folder);
    free(prefix);
    return err;
}

Err file_remove(const char *path)
{
    if (unlink(path) == 0 || errno == ENOENT) return ERR_NONE;
    return err_set(ERR_OUTPUT, "'%s': cannot be removed: %s", path, strerror(errno));
}

bool file_exists(const char *path)
{
    struct stat info;
    return lstat(path, &info) == 0;
}

bool file_is_folder(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

Err file_size(const char *path, int64_t *ret_bytes)
{
    struct stat info;
    if (stat(path, &info) != 0) return err_set(ERR_INPUT, "'%s': %s; give a readable file", path, strerror(errno));
    *ret_bytes = (int64_t)info.st_size;
    return ERR_NONE;
}

Err file_make_folders(const char *path)
{
    if (path[0] == '\0') return err_set(ERR_OUTPUT, "'': names no folder; give a folder");
    char *copy = NULL;
    TRY(str_copy(path, &copy));
    Err err = ERR_NONE;
    char *at = copy;
    do {
        at++;
        at += strcspn(at, "/");
        const char kept = *at;
        *at = '\0';
        if (!file_is_folder(copy) && mkdir(copy, 0777) != 0 && errno != EEXIST) err = output_error(copy);
        if (err == ERR_NONE && !file_is_folder(copy))
            err = err_set(ERR_OUTPUT, "'%s': is a file; a folder is wanted there", copy);
        *at = kept;
    } while (err == ERR_NONE && *at != '\0');
    free(copy);
    return err;
}

Err path_join(const char *folder, const char *name, char **ret_path)
{
    if (folder[0] == '\0' || name[0] == '/') return str_copy(name, ret_path);
    return str_format(ret_path, "%s%s%s", folder, folder[strlen(folder) - 1] == '/' ? "" : "/", name);
}

Err path_folder(const char *path, char **ret_folder)
{
    const char *slash = strrchr(path, '/');
    if (slash == NULL) return str_copy(".", ret_folder);
    return str_format(ret_folder, "%.*s", slash == path ? 1 : (int)(slash - path), path);
}

const char *path_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash == NULL ? path : slash + 1;
}

Err path_stem(const char *path, char **ret_stem)
{
    const char *name = path_name(path);
    const char *dot = strrchr(name, '.');
    const size_t length = dot == NULL || dot == name ? strlen(path) : (size_t)(dot - path);
    return str_format(ret_stem, "%.*s", (int)length, path);
}
