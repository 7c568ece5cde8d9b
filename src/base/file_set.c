/* SPDX-License-Identifier: Apache-2.0
 * Files by device and inode. */
#include "base/file_set.h"

#include "base/file.h"
#include "base/grow.h"
#include "base/hash.h"
#include "base/str.h"

#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MOST_LINKS = 40, MOST_KEYS = 4, FIRST_SLOTS = 256 };

/* A place in a folder. `name` points into a path. */
typedef struct Place {
    bool known; /* the folder exists */
    dev_t device;
    ino_t folder;
    const char *name;
} Place;

struct FileSetItem {
    char *path, *role;
    bool output;
    bool exists;
    dev_t device;
    ino_t inode;
    Place own;    /* where the name stands */
    char *target; /* of a link that names nothing yet; NULL: none */
    Place aim;    /* where that would stand */
};

/* A table of the items' keys with open addressing; one key may stand there often. */
struct FileSetSlot {
    uint64_t key;
    int64_t item; /* 1 + its index, 0: free */
};

static Err find_place(const char *path, Place *ret_place)
{
    struct stat info;
    char *folder = NULL;
    TRY(path_folder(path, &folder));
    *ret_place = (Place){ .known = stat(folder, &info) == 0, .name = path_name(path) };
    if (ret_place->known) {
        ret_place->device = info.st_dev;
        ret_place->folder = info.st_ino;
    }
    free(folder);
    return ERR_NONE;
}

/* What the links at `path` name in the end; NULL where there is no link. */
static Err follow(const char *path, char **ret_target)
{
    char *at = NULL;
    char text[PATH_MAX];
    for (int i = 0; i < MOST_LINKS; i++) {
        const ssize_t length = readlink(at != NULL ? at : path, text, sizeof text - 1);
        if (length < 0) break;
        text[length] = '\0';
        char *folder = NULL, *next = NULL;
        Err err = path_folder(at != NULL ? at : path, &folder);
        if (err == ERR_NONE) err = path_join(folder, text, &next);
        free(folder);
        free(at);
        TRY(err);
        at = next;
    }
    *ret_target = at;
    return ERR_NONE;
}

static void release(FileSetItem *item)
{
    free(item->path);
    free(item->role);
    free(item->target);
}

/* Fills an item; released by the caller, on failure too. */
static Err describe(FileSetItem *item, const char *path, const char *role)
{
    struct stat info;
    TRY(str_copy(path, &item->path));
    TRY(str_copy(role, &item->role));
    TRY(find_place(item->path, &item->own));
    item->exists = stat(path, &info) == 0;
    if (item->exists) {
        item->device = info.st_dev;
        item->inode = info.st_ino;
        return ERR_NONE;
    }
    TRY(follow(path, &item->target));
    return item->target != NULL ? find_place(item->target, &item->aim) : ERR_NONE;
}

static bool one_place(const Place *a, const Place *b)
{
    return a->known && b->known && a->device == b->device && a->folder == b->folder && strcmp(a->name, b->name) == 0;
}

static bool one_file(const FileSetItem *a, const FileSetItem *b)
{
    if (a->exists && b->exists && a->device == b->device && a->inode == b->inode) return true;
    return one_place(&a->own, &b->own) || one_place(&a->own, &b->aim) || one_place(&a->aim, &b->own) ||
           one_place(&a->aim, &b->aim) || strcmp(a->path, b->path) == 0;
}

/* What is wrong with a new item beside an old one, if anything. */
static Err compare(const FileSetItem *old, const FileSetItem *item)
{
    if ((!old->output && !item->output) || !one_file(old, item)) return ERR_NONE;
    const FileSetItem *out = item->output ? item : old, *other = item->output ? old : item;
    const bool alike = strcmp(out->path, other->path) == 0;
    char also[300] = "";
    if (!alike) (void)snprintf(also, sizeof also, " (as '%.280s')", other->path);
    if (other->output)
        return err_set(ERR_ARGUMENT, "'%s': both %s and %s%s; give each output a name of its own", out->path,
                       other->role, out->role, also);
    return err_set(ERR_ARGUMENT, "'%s': %s is %s%s, which is read; give the output another name", out->path, out->role,
                   other->role, also);
}

/* ---- what may be the same file ---- */

static uint64_t key_of(uint64_t device, uint64_t inode, const char *name)
{
    const uint64_t numbers[] = { device, inode, hash_xxh64(name, strlen(name)) };
    return hash_xxh64(numbers, sizeof numbers);
}

/* Two items that are one file by one_file() have a key in common. */
static int keys_of(const FileSetItem *item, uint64_t ret_keys[MOST_KEYS])
{
    int n = 0;
    const Place *const places[] = { &item->own, &item->aim };
    ret_keys[n++] = hash_xxh64(item->path, strlen(item->path));
    if (item->exists) ret_keys[n++] = key_of((uint64_t)item->device, (uint64_t)item->inode, "");
    for (int64_t i = 0; i < ARRAY_LEN(places); i++)
        if (places[i]->known)
            ret_keys[n++] = key_of((uint64_t)places[i]->device, (uint64_t)places[i]->folder, places[i]->name);
    return n;
}

static void put_key(FileSet *set, uint64_t key, int64_t item)
{
    int64_t i = (int64_t)(key % (uint64_t)set->n_slots);
    while (set->slots[i].item != 0) i = (i + 1) % set->n_slots;
    set->slots[i] = (FileSetSlot){ key, item };
    set->used++;
}

/* Room for the keys of another item: at most half of the slots are used. */
static Err want_slots(FileSet *set)
{
    if (2 * (set->used + MOST_KEYS) <= set->n_slots) return ERR_NONE;
    const int64_t before = set->n_slots;
    const int64_t wanted = before > 0 ? 2 * before : FIRST_SLOTS;
    FileSetSlot *old = set->slots;
    FileSetSlot *slots = calloc((size_t)wanted, sizeof *slots);
    if (slots == NULL) return err_memory((size_t)wanted * sizeof *slots, "a set of files");
    set->slots = slots;
    set->n_slots = wanted;
    set->used = 0;
    for (int64_t i = 0; i < before; i++)
        if (old[i].item != 0) put_key(set, old[i].key, old[i].item);
    free(old);
    return ERR_NONE;
}

/* Compares with the items that have this key. */
static Err compare_key(const FileSet *set, uint64_t key, const FileSetItem *item)
{
    for (int64_t i = (int64_t)(key % (uint64_t)set->n_slots); set->slots[i].item != 0; i = (i + 1) % set->n_slots)
        if (set->slots[i].key == key) TRY(compare(&set->items[set->slots[i].item - 1], item));
    return ERR_NONE;
}

static Err add_item(FileSet *set, const FileSetItem *item)
{
    uint64_t keys[MOST_KEYS];
    const int n = keys_of(item, keys);
    TRY(want_slots(set));
    for (int i = 0; i < n; i++) TRY(compare_key(set, keys[i], item));
    set->items[set->count++] = *item;
    for (int i = 0; i < n; i++) put_key(set, keys[i], set->count);
    return ERR_NONE;
}

static Err add(FileSet *set, const char *path, const char *role, bool output)
{
    if (path == NULL) return ERR_NONE;
    TRY(grow_array(&set->items, set->count, &set->capacity, sizeof *set->items, "a set of files"));
    FileSetItem item = { .output = output };
    Err err = describe(&item, path, role);
    if (err == ERR_NONE) err = add_item(set, &item);
    if (err != ERR_NONE) release(&item);
    return err;
}

Err file_set_input(FileSet *set, const char *path, const char *role) { return add(set, path, role, false); }
Err file_set_output(FileSet *set, const char *path, const char *role) { return add(set, path, role, true); }

void file_set_done(FileSet *set)
{
    for (int64_t i = 0; i < set->count; i++) release(&set->items[i]);
    free(set->items);
    free(set->slots);
    *set = (FileSet){ 0 };
}
