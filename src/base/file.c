/* SPDX-License-Identifier: Apache-2.0
 * Whole files, atomic writing, path parts. */
#include "base/file.h"

#include "base/output.h"
#include "base/str.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

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

/* What stands under the name of an output. A link is judged by what it names: it is replaced itself, but somebody put it
 * there for a file. */
static Err check_older(const char *path, bool overwrite)
{
    struct stat info;
    if (lstat(path, &info) != 0) return errno == ENOENT ? ERR_NONE : output_error(path, errno);
    if (S_ISLNK(info.st_mode) && stat(path, &info) != 0) info.st_mode = S_IFREG;
    if (S_ISDIR(info.st_mode)) return err_set(ERR_OUTPUT, "'%s': is a folder; give a file name", path);
    const char *kind = S_ISFIFO(info.st_mode)                           ? "a pipe (FIFO)"
                       : S_ISSOCK(info.st_mode)                         ? "a socket"
                       : S_ISCHR(info.st_mode) || S_ISBLK(info.st_mode) ? "a device"
                                                                        : NULL;
    if (kind != NULL)
        return err_set(ERR_OUTPUT, "'%s': is %s, which is no place for a file; give another name", path, kind);
    if (overwrite) return ERR_NONE;
    return err_set(ERR_OUTPUT, "'%s': exists already; give -f to replace it, or another name", path);
}

/* /dev itself, /proc and /sys belong to the system: their links (/dev/stdout) may lead to plain files, and a rename would
 * replace them for every process of the machine. */
static bool is_system_folder(const char *folder)
{
    char *real = realpath(folder, NULL);
    const bool is = real != NULL &&
                    (strcmp(real, "/dev") == 0 || strncmp(real, "/proc/", 6) == 0 || strncmp(real, "/sys/", 5) == 0);
    free(real);
    return is;
}

Err file_check_output(const char *path, bool overwrite)
{
    if (path[0] == '\0' || path[strlen(path) - 1] == '/')
        return err_set(ERR_OUTPUT, "'%s': names no file; give a file name", path);
    char *folder = NULL;
    TRY(path_folder(path, &folder));
    Err err = ERR_NONE;
    if (!file_exists(folder))
        err = err_set(ERR_OUTPUT, "'%s': the folder '%s' does not exist; make it first", path, folder);
    else if (!file_is_folder(folder))
        err = err_set(ERR_OUTPUT, "'%s': '%s' is no folder; choose another place for the output", path, folder);
    else if (is_system_folder(folder))
        err = err_set(ERR_OUTPUT, "'%s': '%s' is the system's, no place for a file; give another name", path, folder);
    else
        err = check_older(path, overwrite);
    if (err == ERR_NONE && access(folder, W_OK | X_OK) != 0)
        err = err_set(ERR_OUTPUT, "'%s': the folder '%s' is not writable (%s); choose another one", path, folder,
                      strerror(errno));
    free(folder);
    return err;
}

/* Whether `word` is one of the words between commas, ASCII case ignored. */
static bool is_listed(const char *word, const char *words)
{
    for (const char *at = words; *at != '\0'; at += strcspn(at, ",") + (at[strcspn(at, ",")] == ',')) {
        char one[16];
        (void)snprintf(one, sizeof one, "%.*s", (int)strcspn(at, ","), at);
        if (str_equal_nocase(one, word)) return true;
    }
    return false;
}

Err file_check_kind(const char *path, const char *what, const char *format, const char *suffixes)
{
    if (path == NULL) return ERR_NONE;
    const int first = (int)strcspn(suffixes, ",");
    if (strcmp(path, "-") == 0)
        return err_set(ERR_ARGUMENT, "'-': nothing goes to standard output; give a file name that ends in .%.*s (%s)",
                       first, suffixes, what);
    const char *name = path_name(path);
    if (name[0] == '\0' || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
        return err_set(ERR_ARGUMENT, "'%s': names a folder; give a file name that ends in .%.*s (%s)", path, first,
                       suffixes, what);
    const char *dot = strrchr(name, '.');
    if (dot == NULL || dot == name || strpbrk(dot, letters) == NULL || is_listed(dot + 1, suffixes)) return ERR_NONE;
    return err_set(ERR_ARGUMENT, "'%s': no name for a %s (%s); give one that ends in .%.*s", path, format, what, first,
                   suffixes);
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
        if (!file_is_folder(copy) && mkdir(copy, 0777) != 0 && errno != EEXIST) err = output_error(copy, errno);
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
