/* SPDX-License-Identifier: Apache-2.0
 * ISPRS Vaihingen: FOLDER/top/top_mosaic_09cm_area1.tif, labels of the same name in a folder of their own, eroded ones with
 * _noBoundary. */
#include "data/preset_tiles.h"

#include <stddef.h>

#define COMPLETE "ISPRS_semantic_labeling_Vaihingen_ground_truth_COMPLETE"
#define COMPLETE_ERODED "ISPRS_semantic_labeling_Vaihingen_ground_truth_eroded_COMPLETE"

static const TileSet tiles = {
    .images = { { "top", "top_mosaic_09cm_area", ".tif" },
                { "ISPRS_semantic_labeling_Vaihingen/top", "top_mosaic_09cm_area", ".tif" } },
    .labels = { { COMPLETE, "top_mosaic_09cm_area", ".tif" },
                { "gts_for_participants", "top_mosaic_09cm_area", ".tif" },
                { "ISPRS_semantic_labeling_Vaihingen/gts_for_participants", "top_mosaic_09cm_area", ".tif" } },
    .eroded = { { COMPLETE_ERODED, "top_mosaic_09cm_area", "_noBoundary.tif" },
                { "gts_eroded_for_participants", "top_mosaic_09cm_area", "_noBoundary.tif" } },
    .tiles = { { "1 3 5 7 11 13 15 17 21 23 26 28 32 34 37", "30", "2 4 6 8 10 12 14 16 20 22 24 27 29 31 33 35 38" },
               { "1 3 7 11 13 17 23 26 28 32 34 37", NULL, "5 15 21 30" } },
    .lonlat = { 8.96, 48.93 }, /* the town: the world files name no coordinate system */
};

static Err list(Preset *p) { return preset_list_tiles(p, &tiles); }

static const PresetSplit splits[] = {
    { "official", "15 to learn, area 30 to validate, 17 to test" },
    { "12/4", "of the 16 tiles whose labels came first 12 to learn, 4 to test: a later paper's" },
};

const PresetDef preset_vaihingen = {
    .name = "vaihingen",
    .title = "ISPRS 2D Semantic Labeling, Vaihingen",
    .source = "the contest's pages; TorchGeo's data set class; GeoSeg's readme; 12/4: github.com/sstary/SSRS",
    .classes = "isprs",
    .splits = splits,
    .n_splits = ARRAY_LEN(splits),
    .labels_kind = LABELS_COLORS,
    .ignore_color = "#000000",
    .not_in_means = 6, /* clutter, which stays in the matrix and in OA */
    .gsd = 0.09,
    .published = { 15, 1, 17 },
    .bands = { 1, 2, 3 }, /* near infrared, red, green */
    .place = "Vaihingen an der Enz: the place of the town, for all tiles",
    .submission = { .server = "the labels of its test tiles are published" },
    .list = list,
};
