/* SPDX-License-Identifier: Apache-2.0
 * PyTorch's zip format. */
#include "tensor_file/foreign_format.h"
#include "tensor_file/torch_file.h"
#include "tensor_file/torch_storage.h"

#include "base/str.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zip.h>

enum { MAX_PICKLE_BYTES = 64 << 20, MAX_MEMBERS = 2 * TENSOR_FILE_MAX_TENSORS };

typedef struct Archive {
    zip_t *zip;
    const char *path;
    char *folder;    /* "archive/", the folder of data.pkl, with the slash */
    uint64_t budget; /* bytes that may still be read: stored members cannot hold more than the file */
} Archive;

/* Reads a member that must be stored without compression. */
static Err read_member(Archive *archive, const char *name, unsigned char **ret_bytes, size_t *ret_length)
{
    zip_stat_t status;
    zip_stat_init(&status);
    if (zip_stat(archive->zip, name, 0, &status) != 0 || (status.valid & ZIP_STAT_SIZE) == 0) {
        return err_set(ERR_MODEL, "'%s': has no member '%.200s'; it is no PyTorch file or damaged", archive->path,
                       name);
    }
    if ((status.valid & ZIP_STAT_COMP_METHOD) == 0 || status.comp_method != ZIP_CM_STORE) {
        return err_set(ERR_MODEL, "'%s': member '%.200s' is compressed; PyTorch stores them plain", archive->path,
                       name);
    }
    if (status.size > archive->budget) {
        return err_set(ERR_MODEL, "'%s': its members are larger than the file; it is damaged or hostile",
                       archive->path);
    }
    archive->budget -= status.size;
    unsigned char *bytes = malloc((size_t)status.size + 1);
    if (bytes == NULL) return err_memory(status.size, "a member of a zip file");
    zip_file_t *member = zip_fopen(archive->zip, name, 0);
    const bool complete = member != NULL && zip_fread(member, bytes, status.size) == (zip_int64_t)status.size;
    if (member != NULL) (void)zip_fclose(member);
    if (!complete) {
        free(bytes);
        return err_set(ERR_MODEL, "'%s': member '%.200s' cannot be read; the file is damaged", archive->path, name);
    }
    *ret_bytes = bytes;
    *ret_length = (size_t)status.size;
    return ERR_NONE;
}

/* Whether it is FOLDER/data.pkl. */
static bool is_program(const char *name)
{
    if (name == NULL || !str_ends_with(name, "/data.pkl")) return false;
    const size_t length = strlen(name) - strlen("data.pkl");
    return memchr(name, '/', length) == name + length - 1;
}

/* The one member FOLDER/data.pkl names the folder. */
static Err find_folder(Archive *archive)
{
    const char *found = NULL, *what = NULL;
    const zip_int64_t n = zip_get_num_entries(archive->zip, 0);
    if (n > MAX_MEMBERS) return err_set(ERR_MODEL, "'%s': has %lld members; too many", archive->path, (long long)n);
    for (zip_int64_t i = 0; i < n; i++) {
        const char *name = zip_get_name(archive->zip, (zip_uint64_t)i, 0);
        if (what == NULL && name != NULL) what = foreign_zip(name);
        if (!is_program(name)) continue;
        if (found != NULL)
            return err_set(ERR_MODEL, "'%s': holds '%.100s' and '%.100s', two checkpoints; one was expected",
                           archive->path, found, name);
        found = name;
    }
    if (found != NULL) return str_format(&archive->folder, "%.*s", (int)(strlen(found) - strlen("data.pkl")), found);
    if (what != NULL) return err_set(ERR_MODEL, "'%s': is %s", archive->path, what);
    return err_set(ERR_MODEL, "'%s': is a zip file without data.pkl; a PyTorch file was expected", archive->path);
}

static Err check_byte_order(Archive *archive)
{
    char *name = NULL;
    TRY(str_format(&name, "%sbyteorder", archive->folder));
    unsigned char *bytes = NULL;
    size_t length = 0;
    Err err = ERR_NONE;
    if (zip_name_locate(archive->zip, name, 0) >= 0) { /* older files have none and are little-endian */
        err = read_member(archive, name, &bytes, &length);
        if (err == ERR_NONE && (length < 6 || memcmp(bytes, "little", 6) != 0)) {
            err = err_set(ERR_MODEL, "'%s': was not written on a little-endian machine; it cannot be read",
                          archive->path);
        }
    }
    free(bytes);
    free(name);
    return err;
}

/* What went wrong in data.pkl; TorchScript keeps constants and code beside it, and may have more in it than tensors and modules. */
static Err explain(const Archive *archive, Err err)
{
    char *name = NULL;
    TRY(str_format(&name, "%sconstants.pkl", archive->folder));
    const bool program = zip_name_locate(archive->zip, name, 0) >= 0;
    free(name);
    if (!program || err != ERR_MODEL) return err;
    return err_set(
        ERR_MODEL,
        "'%s': is a TorchScript program of more than tensors and modules, or damaged; save its state_dict with "
        "torch.save",
        archive->path);
}

static Err read_object(Archive *archive, TensorFile *file, TorchObject **ret_object)
{
    char *name = NULL;
    TRY(str_format(&name, "%sdata.pkl", archive->folder));
    unsigned char *bytes = NULL;
    size_t length = 0, used = 0;
    Pickle *pickle = NULL;
    Err err = read_member(archive, name, &bytes, &length);
    if (err == ERR_NONE && length > MAX_PICKLE_BYTES) {
        err = err_set(ERR_MODEL, "'%s': data.pkl has %zu bytes; at most %d are read", archive->path, length,
                      MAX_PICKLE_BYTES);
    }
    if (err == ERR_NONE) err = pickle_parse(bytes, length, archive->path, &pickle, &used);
    if (err == ERR_NONE) err = torch_object_new(file, pickle, ret_object);
    free(bytes);
    free(name);
    return err == ERR_NONE ? ERR_NONE : explain(archive, err);
}

static Err read_storages(Archive *archive, const TensorFile *file, TorchObject *object)
{
    for (int64_t i = 0; i < object->n_storages; i++) {
        TorchStorage *storage = &object->storages[i];
        if (!storage->wanted) continue;
        char *name = NULL;
        TRY(str_format(&name, "%sdata/%s", archive->folder, storage->key));
        size_t length = 0;
        Err err = read_member(archive, name, &storage->owned, &length);
        if (err == ERR_NONE && length != torch_storage_bytes(storage)) {
            err = err_set(ERR_MODEL, "'%s': storage '%.100s' has %zu bytes; %zu were announced", archive->path,
                          storage->key, length, torch_storage_bytes(storage));
        }
        storage->bytes = (StoredBytes){ .file = file, .memory = storage->owned };
        free(name);
        TRY(err);
    }
    return ERR_NONE;
}

static Err read_all(Archive *archive, TensorFile *file)
{
    file->format = "PyTorch zip";
    TRY(find_folder(archive));
    TRY(check_byte_order(archive));
    TorchObject *object = NULL;
    TRY(read_object(archive, file, &object));
    file->owned = object;
    file->release = torch_object_free;
    TRY(read_storages(archive, file, object));
    return torch_object_tensors(object, file);
}

Err torch_zip_read(TensorFile *file)
{
    const int fd = fcntl(file->fd, F_DUPFD_CLOEXEC, 0); /* libzip takes it over */
    if (fd < 0) return err_set(ERR_INPUT, "'%s': cannot be opened: %s", file->path, strerror(errno));
    int code = 0;
    Archive archive = { .path = file->path, .budget = (uint64_t)file->n_bytes };
    Err err = ERR_NONE;
    archive.zip = zip_fdopen(fd, ZIP_CHECKCONS, &code);
    if (archive.zip == NULL) {
        zip_error_t error;
        zip_error_init_with_code(&error, code);
        if (code == ZIP_ER_NOZIP)
            err = err_set(ERR_MODEL, "'%s': is a zip file without its end, cut short; download or copy it again",
                          file->path);
        else
            err = err_set(code == ZIP_ER_MEMORY ? ERR_MEMORY : ERR_MODEL, "'%s': cannot be read as a zip file: %s",
                          file->path, zip_error_strerror(&error));
        zip_error_fini(&error);
        (void)close(fd);
    } else {
        err = read_all(&archive, file);
        zip_discard(archive.zip);
    }
    free(archive.folder);
    return err;
}
