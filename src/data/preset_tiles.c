/* SPDX-License-Identifier: Apache-2.0
 * Tiles by their numbers. */
#include "data/preset_tiles.h"

#include "base/file.h"
#include "base/str.h"

#include <stdlib.h>
#include <string.h>

/* The first folder that is there, else the first one of the list. */
static Err choose(const Preset *p, const TileFiles files[TILE_FOLDERS], const TileFiles **ret_files)
{
    for (int64_t i = 0; i < TILE_FOLDERS && files[i].folder != NULL; i++) {
        char *path = NULL;
        TRY(preset_path(p->folder, files[i].folder, NULL, NULL, &path));
        const bool there = file_is_folder(path);
        free(path);
        if (!there) continue;
        *ret_files = &files[i];
        return ERR_NONE;
    }
    *ret_files = &files[0];
    return ERR_NONE;
}

static Err file_of(const Preset *p, const TileFiles *files, const char *tile, char **ret_path)
{
    return str_format(ret_path, "%s/%s/%s%s%s", p->folder, files->folder, files->prefix, tile, files->suffix);
}

typedef struct Chosen {
    const TileFiles *images, *labels, *eroded;
} Chosen;

static Err add_tile(Preset *p, const TileSet *set, const Chosen *files, PresetPart part, const char *tile)
{
    PresetItem item = { .part = part, .placed = true };
    memcpy(item.lonlat, set->lonlat, sizeof item.lonlat);
    Err err = str_copy(tile, &item.name);
    if (err == ERR_NONE) err = file_of(p, files->images, tile, &item.image);
    if (err == ERR_NONE) err = file_of(p, files->labels, tile, &item.labels);
    if (err == ERR_NONE) err = file_of(p, files->eroded, tile, &item.eroded);
    if (err == ERR_NONE) err = preset_add_tile(p, &item);
    free(item.name);
    free(item.image);
    free(item.labels);
    free(item.eroded);
    return err;
}

Err preset_list_tiles(Preset *p, const TileSet *set)
{
    int64_t split = 0;
    Chosen files = { 0 };
    while (strcmp(p->def->splits[split].name, p->split) != 0) split++;
    TRY(choose(p, set->images, &files.images));
    TRY(choose(p, set->labels, &files.labels));
    TRY(choose(p, set->eroded, &files.eroded));
    for (int32_t part = 0; part < PRESET_PARTS; part++) {
        for (const char *at = set->tiles[split][part]; at != NULL && *at != '\0';) {
            char tile[16] = "";
            const size_t length = strcspn(at, " ");
            ASSERT(length < sizeof tile);
            memcpy(tile, at, length);
            TRY(add_tile(p, set, &files, (PresetPart)part, tile));
            at += length + strspn(at + length, " ");
        }
    }
    return ERR_NONE;
}
