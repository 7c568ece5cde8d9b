/* SPDX-License-Identifier: Apache-2.0
 * Private to preset_*.c: data sets of a few tiles with numbers, whose splits are lists of these (ISPRS). */
#ifndef METASEG_DATA_PRESET_TILES_H
#define METASEG_DATA_PRESET_TILES_H

#include "data/preset_files.h"

enum { TILE_FOLDERS = 8, TILE_SPLITS = 2 };

/* A folder ("": the data set's own) that may hold files of the tiles, and the rest of their names. */
typedef struct TileFiles {
    const char *folder, *prefix, *suffix;
} TileFiles;

typedef struct TileSet {
    TileFiles images[TILE_FOLDERS], labels[TILE_FOLDERS],
        eroded[TILE_FOLDERS];                     /* for each tile the first folder that has it; up to NULL */
    const char *tiles[TILE_SPLITS][PRESET_PARTS]; /* numbers with a space between, by split and part */
    double lonlat[2];
} TileSet;

/* Errors of preset_add_tile. */
Err preset_list_tiles(Preset *preset, const TileSet *set);

#endif
