/* SPDX-License-Identifier: Apache-2.0
 * Tiles by their numbers. */
#include "data/preset_tiles.h"

#include "base/file.h"
#include "base/str.h"

#include <stdlib.h>
#include <string.h>

static Err path_in(const Preset *p, const TileFiles *files, const char *tile, char **ret_path)
{
    const bool here = files->folder[0] == '\0';
    return str_format(ret_path, "%s%s%s/%s%s%s", p->folder, here ? "" : "/", files->folder, files->prefix, tile,
                      files->suffix);
}

/* The first folder that has the file of this tile; where none has, its name in the first folder that is there, else of the list. */
static Err find_file(const Preset *p, const TileFiles files[TILE_FOLDERS], const char *tile, char **ret_path)
{
    int64_t named = -1;
    ASSERT(files[0].folder != NULL);
    for (int64_t i = 0; i < TILE_FOLDERS && files[i].folder != NULL; i++) {
        char *path = NULL, *folder = NULL;
        TRY(path_in(p, &files[i], tile, &path));
        if (file_exists(path)) {
            *ret_path = path;
            return ERR_NONE;
        }
        const Err err = path_folder(path, &folder);
        free(path);
        TRY(err);
        if (named < 0 && files[i].folder[0] != '\0' && file_is_folder(folder)) named = i;
        free(folder);
    }
    return path_in(p, &files[named < 0 ? 0 : named], tile, ret_path);
}

static Err add_tile(Preset *p, const TileSet *set, PresetPart part, const char *tile)
{
    PresetItem item = { .part = part, .placed = true };
    memcpy(item.lonlat, set->lonlat, sizeof item.lonlat);
    Err err = str_copy(tile, &item.name);
    if (err == ERR_NONE) err = find_file(p, set->images, tile, &item.image);
    if (err == ERR_NONE) err = find_file(p, set->labels, tile, &item.labels);
    if (err == ERR_NONE) err = find_file(p, set->eroded, tile, &item.eroded);
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
    while (strcmp(p->def->splits[split].name, p->split) != 0) split++;
    for (int32_t part = 0; part < PRESET_PARTS; part++) {
        for (const char *at = set->tiles[split][part]; at != NULL && *at != '\0';) {
            char tile[16] = "";
            const size_t length = strcspn(at, " ");
            ASSERT(length < sizeof tile);
            memcpy(tile, at, length);
            TRY(add_tile(p, set, (PresetPart)part, tile));
            at += length + strspn(at + length, " ");
        }
    }
    return ERR_NONE;
}
