/* SPDX-License-Identifier: Apache-2.0
 * From words to paths. */
#include "geo/input_list.h"

#include "base/file.h"
#include "base/grow.h"
#include "base/str.h"
#include "geo/folder_images.h"
#include "geo/product.h"

#include <errno.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LIST_LIMIT = 256 << 20, ORIGIN_BYTES = 600 };

typedef struct Adding {
    InputList *list;
    const Log *log;
    const volatile int *stop;
    const char *origin; /* of what is added now */
} Adding;

static Err add_one(const Adding *a, const char *path)
{
    InputList *list = a->list;
    char *copy = NULL, *origin = NULL;
    TRY(grow_array((void *)&list->paths, list->count, &list->capacity, sizeof *list->paths, "the inputs"));
    TRY(grow_array((void *)&list->origins, list->count, &list->origins_capacity, sizeof *list->origins, "the inputs"));
    TRY(str_copy(path, &copy));
    const Err err = a->origin != NULL ? str_copy(a->origin, &origin) : ERR_NONE;
    if (err != ERR_NONE) {
        free(copy);
        return err;
    }
    list->paths[list->count] = copy;
    list->origins[list->count++] = origin;
    return ERR_NONE;
}

/* ---- folders ---- */

/* A scene of band files may lie among other images. */
static void tell_unread(const Adding *a, const char *folder, const FolderImages *images)
{
    int64_t unread = 0, first = 0;
    for (int64_t i = images->count - 1; i >= 0; i--) {
        if (product_band_files_has_code(path_name(images->paths[i]))) continue;
        unread++;
        first = i;
    }
    if (unread > 0)
        log_line(a->log, LOG_WARNING,
                 "'%s': read as one scene of the files with a band code in their names; %lld other image%s in this "
                 "folder %s not read ('%s'%s)",
                 folder, (long long)unread, unread == 1 ? "" : "s", unread == 1 ? "is" : "are",
                 path_name(images->paths[first]), unread == 1 ? "" : " for one");
}

static Err add_images(const Adding *a, const char *folder, const FolderImages *images)
{
    char rest[FOLDER_REST_BYTES];
    const char *others = folder_images_rest(images, rest);
    if (images->count == 0)
        return err_set(
            ERR_INPUT,
            "'%s': this is a folder, and no image and no product is in it%s%s; expected GeoTIFF, COG, JPEG, PNG, "
            "JPEG 2000, VRT, ENVI or HFA files, a Sentinel-2 .SAFE folder, a Landsat MTL file, or band files such as "
            "NAME_B04.jp2",
            folder, others[0] != '\0' ? ", but " : "", others);
    log_line(a->log, LOG_INFO, "'%s': %lld image%s%s%s%s", folder, (long long)images->count,
             images->count == 1 ? "" : "s", others[0] != '\0' ? "; " : "", others,
             others[0] == '\0'                       ? ""
             : images->others + images->folders == 1 ? " is not read"
                                                     : " are not read");
    a->list->many = true;
    for (int64_t i = 0; i < images->count; i++) TRY(add_one(a, images->paths[i]));
    return ERR_NONE;
}

static Err add_path(const Adding *a, const char *path)
{
    const ProductFolder kind = file_is_folder(path) ? product_folder_kind(path) : PRODUCT_FOLDER_METADATA;
    if (kind == PRODUCT_FOLDER_METADATA) return add_one(a, path);
    FolderImages images;
    TRY(folder_images_list(path, a->stop, &images));
    Err err = ERR_NONE;
    if (kind == PRODUCT_FOLDER_NONE) {
        err = add_images(a, path, &images);
    } else {
        tell_unread(a, path, &images);
        err = add_one(a, path);
    }
    folder_images_done(&images);
    return err;
}

/* ---- patterns ---- */

static bool is_pattern(const char *word)
{
    return strpbrk(word, "*?[") != NULL && !file_exists(word) && !product_band_files_is_list(word) &&
           strstr(word, "://") == NULL;
}

static int by_bytes(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

static Err add_pattern(const Adding *a, const char *pattern)
{
    glob_t found;
    if (strstr(pattern, "**") != NULL)
        return err_set(ERR_INPUT, "'%s': '**' is not read in patterns; a '*' stands for names in one folder", pattern);
    const int status = glob(pattern, GLOB_NOSORT | GLOB_ERR, NULL, &found);
    if (status == GLOB_NOSPACE) return err_memory(0, "the names of a pattern");
    if (status == GLOB_NOMATCH)
        return err_set(ERR_INPUT, "'%s': no file has a name like this; check the pattern", pattern);
    if (status != 0)
        return err_set(ERR_INPUT, "'%s': the folder of such names cannot be read (%s)", pattern, strerror(errno));
    a->list->many = true;
    qsort((void *)found.gl_pathv, found.gl_pathc, sizeof *found.gl_pathv, by_bytes);
    Err err = ERR_NONE;
    for (size_t i = 0; i < found.gl_pathc && err == ERR_NONE; i++) err = add_path(a, found.gl_pathv[i]);
    globfree(&found);
    return err;
}

static Err add_word(const Adding *a, const char *word)
{
    return is_pattern(word) ? add_pattern(a, word) : add_path(a, word);
}

/* ---- lists ---- */

static Err add_line(const Adding *a, const char *folder, const char *line)
{
    char *path = NULL;
    if (line[0] == '@')
        return err_set(ERR_INPUT, "'%s': a list in a list is not read; name it beside the other (./%s is a file)", line,
                       line);
    if (strstr(line, "://") != NULL) return add_word(a, line); /* its refusal names it as it is */
    TRY(path_join(folder, line, &path));
    const Err err = add_word(a, path);
    free(path);
    return err;
}

/* text: `length` bytes and a NUL; lines are cut in place. */
static Err add_lines(const Adding *of, const char *file, const char *folder, char *text, size_t length)
{
    char origin[ORIGIN_BYTES];
    const Adding a = { of->list, of->log, of->stop, origin };
    char *at = str_starts_with(text, "\xEF\xBB\xBF") ? text + 3 : text;
    for (int64_t line = 1; at < text + length; line++) {
        char *end = memchr(at, '\n', (size_t)(text + length - at));
        char *next = end != NULL ? end + 1 : text + length;
        if (end == NULL) end = text + length;
        (void)snprintf(origin, sizeof origin, "'%.500s', line %lld", file, (long long)line);
        if (memchr(at, '\0', (size_t)(end - at)) != NULL)
            return err_set(ERR_INPUT, "%s: a NUL byte; expected a text file with one path per line", origin);
        while (end > at && (end[-1] == ' ' || end[-1] == '\t' || end[-1] == '\r')) end--;
        *end = '\0';
        if (*at != '\0' && *at != '#') {
            const Err err = add_line(&a, folder, at);
            if (err != ERR_NONE) return err_prefix(err, "%s", origin);
        }
        at = next;
    }
    return ERR_NONE;
}

static Err add_list(const Adding *a, const char *file)
{
    char *text = NULL, *folder = NULL;
    size_t length = 0;
    const int64_t before = a->list->count;
    if (file[0] == '\0')
        return err_set(ERR_ARGUMENT, "'@': no list was named; give @FILE, a text file with one path per line");
    TRY(file_read(file, LIST_LIMIT, &text, &length));
    a->list->many = true;
    Err err = strchr(file, '/') != NULL ? path_folder(file, &folder) : str_copy("", &folder);
    if (err == ERR_NONE) err = add_lines(a, file, folder, text, length);
    if (err == ERR_NONE && a->list->count == before)
        err = err_set(ERR_INPUT, "'%s': no path is in this list; expected one per line", file);
    free(folder);
    free(text);
    return err;
}

Err input_list_add(InputList *list, const char *word, const Log *log, const volatile int *stop)
{
    const Adding adding = { list, log, stop, NULL };
    return word[0] == '@' ? add_list(&adding, word + 1) : add_word(&adding, word);
}

void input_list_done(InputList *list)
{
    for (int64_t i = 0; i < list->count; i++) {
        free(list->paths[i]);
        free(list->origins[i]);
    }
    free(list->paths);
    free(list->origins);
    *list = (InputList){ NULL };
}
