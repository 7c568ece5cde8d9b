/* SPDX-License-Identifier: Apache-2.0
 * Products in one file, as they are downloaded: Sentinel-2 in a zip, Landsat in a tar. Read in place by GDAL, which lists all of an
 * archive at once: how much that is, and whether it is whole, is looked up first. */
#include "geo/product_internal.h"

#include "base/file.h"
#include "base/str.h"

#include <cpl_string.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    ZIP_END_BYTES = 22,
    ZIP_COMMENT_BYTES = 65535,
    ARCHIVE_MOST_ENTRIES = 65534,
    TAR_BLOCK = 512,
    TAR_SIZE = 124, /* where the fields of a header stand, octal numbers of 12 and 8 digits */
    TAR_SIZE_BYTES = 12,
    TAR_SUM = 148,
    TAR_SUM_BYTES = 8,
    TAR_NAME_BYTES = 100,
    TAR_TYPE = 156,
    TAR_MAGIC = 257,
    TAR_PREFIX = 345,
    TAR_PREFIX_BYTES = 155,
    TAR_PATH_BYTES = TAR_NAME_BYTES + TAR_PREFIX_BYTES + 2,
};

/* ---- zips ---- */

/* GDAL reads all names of a zip at once: their number is looked up first (APPNOTE.TXT, end of central directory). */
static Err check_zip(const char *path)
{
    unsigned char tail[ZIP_END_BYTES + ZIP_COMMENT_BYTES];
    FILE *file = fopen(path, "rb");
    if (file == NULL) return err_set(ERR_INPUT, "'%s': cannot be opened (%s)", path, strerror(errno));
    long start = 0;
    if (fseek(file, 0, SEEK_END) == 0) start = ftell(file) - (long)sizeof tail;
    (void)fseek(file, start > 0 ? start : 0, SEEK_SET);
    const size_t n = fread(tail, 1, sizeof tail, file);
    (void)fclose(file);
    for (size_t i = n >= ZIP_END_BYTES ? n - ZIP_END_BYTES + 1 : 0; i > 0; i--) {
        const unsigned char *end = tail + i - 1;
        if (memcmp(end, "PK\5\6", 4) != 0) continue;
        if ((end[10] | end[11] << 8) <= ARCHIVE_MOST_ENTRIES) return ERR_NONE;
        return err_set(ERR_INPUT, "'%s': a zip of more than %d files; unpack it and name the product in it", path,
                       (int)ARCHIVE_MOST_ENTRIES);
    }
    return err_set(ERR_INPUT, "'%s': no zip, or one that ends early; download it again", path);
}

static Err open_zip(const char *path, const char *whole, Product *product)
{
    char *zip = NULL, *root = NULL;
    TRY(check_zip(whole));
    TRY(str_format(&zip, "/vsizip/{%s}", whole));
    char **names = product_list(zip);
    const char *found = NULL;
    int64_t products = 0;
    Err err = ERR_NONE;
    for (int64_t i = 0; names != NULL && names[i] != NULL; i++) {
        if (!str_ends_with(names[i], ".SAFE") && !str_ends_with(names[i], ".SAFE/")) continue;
        found = names[i];
        products++;
    }
    if (names == NULL)
        err = err_set(ERR_INPUT, "'%s': this zip cannot be read; it is truncated, damaged or encrypted", path);
    else if (products != 1)
        err = err_set(ERR_INPUT, "'%s': %lld Sentinel-2 products (NAME.SAFE) lie in this zip; one was expected", path,
                      (long long)products);
    if (err == ERR_NONE) err = str_format(&root, "%s/%.*s", zip, (int)strcspn(found, "/"), found);
    if (err == ERR_NONE) err = product_sentinel2_open(path, root, NULL, whole, product);
    CSLDestroy(names);
    free(zip);
    free(root);
    return err;
}

/* ---- tars ---- */

/* An octal number with spaces around, -1: none. */
static int64_t octal(const unsigned char *field, int bytes)
{
    int64_t value = 0;
    int i = 0, digits = 0;
    while (i < bytes && field[i] == ' ') i++;
    for (; i < bytes && field[i] >= '0' && field[i] <= '7'; i++, digits++) value = 8 * value + (field[i] - '0');
    return digits > 0 && (i == bytes || field[i] == ' ' || field[i] == '\0') ? value : -1;
}

/* Sum of a header's bytes, its own field read as spaces. */
static int64_t header_sum(const unsigned char *header)
{
    int64_t sum = 0;
    for (int i = 0; i < TAR_BLOCK; i++) sum += i >= TAR_SUM && i < TAR_SUM + TAR_SUM_BYTES ? ' ' : header[i];
    return sum;
}

static Err tar_damaged(const char *path)
{
    return err_set(ERR_INPUT, "'%s': no tar, or one that ends early; download it again", path);
}

/* The metadata of a Landsat product in a tar, the first by name: as text, XML and JSON they say the same. */
typedef struct TarMetadata {
    char name[TAR_PATH_BYTES]; /* "": none */
    int64_t others;            /* of other products */
} TarMetadata;

/* Path of a file in the tar, as GDAL has it; false: no plain file. */
static bool tar_path(const unsigned char *header, char ret_path[TAR_PATH_BYTES])
{
    const char *name = (const char *)header, *prefix = name + TAR_PREFIX;
    const bool prefixed = memcmp(header + TAR_MAGIC, "ustar", 6) == 0 && prefix[0] != '\0';
    if (header[TAR_TYPE] != '0' && header[TAR_TYPE] != '\0') return false;
    (void)snprintf(ret_path, TAR_PATH_BYTES, "%.*s%s%.*s", prefixed ? (int)TAR_PREFIX_BYTES : 0, prefix,
                   prefixed ? "/" : "", (int)TAR_NAME_BYTES, name);
    if (str_starts_with(ret_path, "./")) memmove(ret_path, ret_path + 2, strlen(ret_path) - 1);
    return strstr(ret_path, "..") == NULL;
}

static void look_for_metadata(const unsigned char *header, TarMetadata *found)
{
    char path[TAR_PATH_BYTES];
    if (!tar_path(header, path) || !product_landsat_is_metadata(path_name(path))) return;
    const size_t stem = (size_t)(strrchr(path, '.') - path);
    if (found->name[0] != '\0' && strncmp(found->name, path, stem + 1) != 0)
        found->others++;
    else if (found->name[0] == '\0' || strcmp(path, found->name) < 0)
        memcpy(found->name, path, sizeof path);
}

/* Walks from header to header (POSIX.1-1988, ustar) up to the block of zeros at the end. */
static Err walk_tar(const char *path, FILE *file, TarMetadata *found)
{
    unsigned char header[TAR_BLOCK];
    int64_t length = 0, at = 0;
    if (fseeko(file, 0, SEEK_END) != 0) return tar_damaged(path);
    length = (int64_t)ftello(file);
    for (int64_t entries = 0;; entries++) {
        if (entries > ARCHIVE_MOST_ENTRIES)
            return err_set(ERR_INPUT, "'%s': a tar of more than %d files; unpack it and name the product in it", path,
                           (int)ARCHIVE_MOST_ENTRIES);
        if (fseeko(file, (off_t)at, SEEK_SET) != 0 || fread(header, 1, TAR_BLOCK, file) != TAR_BLOCK)
            return tar_damaged(path);
        if (header[0] == '\0') return entries > 0 ? ERR_NONE : tar_damaged(path);
        const int64_t size = octal(header + TAR_SIZE, TAR_SIZE_BYTES);
        if (size < 0 || octal(header + TAR_SUM, TAR_SUM_BYTES) != header_sum(header)) return tar_damaged(path);
        look_for_metadata(header, found);
        at += TAR_BLOCK + (size + TAR_BLOCK - 1) / TAR_BLOCK * TAR_BLOCK;
        if (at > length) return tar_damaged(path);
    }
}

static Err read_tar(const char *path, TarMetadata *ret_found)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL) return err_set(ERR_INPUT, "'%s': cannot be opened (%s)", path, strerror(errno));
    *ret_found = (TarMetadata){ .others = 0 };
    const Err err = walk_tar(path, file, ret_found);
    (void)fclose(file);
    return err;
}

static Err open_tar(const char *path, const char *whole, Product *product)
{
    TarMetadata found;
    char *metadata = NULL;
    TRY(read_tar(whole, &found));
    if (found.name[0] == '\0')
        return err_set(ERR_INPUT,
                       "'%s': no metadata of a Landsat product (..._MTL.txt) lie in this tar; unpack it, and name what "
                       "is in it",
                       path);
    if (found.others > 0)
        return err_set(ERR_INPUT,
                       "'%s': metadata of more than one Landsat product lie in this tar; unpack it, and name the one "
                       "that is wanted",
                       path);
    TRY(str_format(&metadata, "/vsitar/{%s}/%s", whole, found.name));
    const Err err = product_landsat_open(path, metadata, whole, product);
    free(metadata);
    return err;
}

/* ---- both ---- */

/* Every look into a compressed tar would decompress all that stands before. */
static bool is_compressed_tar(const char *path)
{
    static const char *const ends[] = { ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz", ".tar.zst" };
    for (int64_t i = 0; i < ARRAY_LEN(ends); i++)
        if (str_ends_with(path, ends[i])) return true;
    return false;
}

bool product_archive_is_named(const char *path)
{
    return str_ends_with(path, ".zip") || str_ends_with(path, ".tar") || is_compressed_tar(path);
}

Err product_archive_open(const char *path, const char *whole, Product *product)
{
    const bool tar = str_ends_with(whole, ".tar");
    if (is_compressed_tar(whole))
        return err_set(ERR_INPUT,
                       "'%s': a compressed tar is not read in place; unpack it (tar -xf) and name the folder, or the "
                       "..._MTL.txt in it",
                       path);
    if (strpbrk(whole, "{}") != NULL)
        return err_set(ERR_INPUT, "'%s': a %s in a path with braces cannot be read; move it, or unpack it", path,
                       tar ? "tar" : "zip");
    return tar ? open_tar(path, whole, product) : open_zip(path, whole, product);
}
