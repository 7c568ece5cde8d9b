/* SPDX-License-Identifier: Apache-2.0
 * ISPRS Vaihingen: FOLDER/top/top_mosaic_09cm_area1.tif, labels of the same name in a folder of their own, eroded ones with
 * _noBoundary. */
#include "data/preset_tiles.h"

#include <stddef.h>

#define TRUTH "ISPRS_semantic_labeling_Vaihingen_ground_truth_"
#define AREA "top_mosaic_09cm_area"

static const TileSet tiles = {
    .images = { { "top", AREA, ".tif" },
                { "ISPRS_semantic_labeling_Vaihingen/top", AREA, ".tif" },
                { "train_images", AREA, ".tif" }, /* GeoSeg's folders */
                { "test_images", AREA, ".tif" } },
    .labels = { { TRUTH "COMPLETE", AREA, ".tif" },
                { "gts_for_participants", AREA, ".tif" },
                { "ISPRS_semantic_labeling_Vaihingen/gts_for_participants", AREA, ".tif" },
                { "train_masks", AREA, ".tif" },
                { "test_masks", AREA, ".tif" },
                { "", AREA, ".tif" } }, /* TorchGeo unpacks the archive where it lies */
    .eroded = { { TRUTH "eroded_COMPLETE", AREA, "_noBoundary.tif" },
                { "gts_eroded_for_participants", AREA, "_noBoundary.tif" },
                { TRUTH "eroded_for_participants", AREA, "_noBoundary.tif" },
                { "train_masks_eroded", AREA, "_noBoundary.tif" },
                { "test_masks_eroded", AREA, "_noBoundary.tif" } },
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
