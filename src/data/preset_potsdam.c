/* SPDX-License-Identifier: Apache-2.0
 * ISPRS Potsdam: FOLDER/2_Ortho_RGB/top_potsdam_2_10_RGB.tif with .tfw, 5_Labels_all/top_potsdam_2_10_label.tif,
 * 5_Labels_all_noBoundary/top_potsdam_2_10_label_noBoundary.tif. */
#include "data/preset_tiles.h"

#include <stddef.h>

static const TileSet tiles = {
    .images = { { "2_Ortho_RGB", "top_potsdam_", "_RGB.tif" },
                { "4_Ortho_RGBIR", "top_potsdam_", "_RGBIR.tif" },
                { "train_images", "top_potsdam_", "_RGB.tif" }, /* GeoSeg's folders */
                { "test_images", "top_potsdam_", "_RGB.tif" } },
    .labels = { { "5_Labels_all", "top_potsdam_", "_label.tif" },
                { "5_Labels_for_participants", "top_potsdam_", "_label.tif" },
                { "train_masks", "top_potsdam_", "_label.tif" },
                { "test_masks", "top_potsdam_", "_label.tif" } },
    .eroded = { { "5_Labels_all_noBoundary", "top_potsdam_", "_label_noBoundary.tif" },
                { "5_Labels_for_participants_no_Boundary", "top_potsdam_", "_label_noBoundary.tif" },
                { "train_masks_eroded", "top_potsdam_", "_label_noBoundary.tif" },
                { "test_masks_eroded", "top_potsdam_", "_label_noBoundary.tif" } },
    .tiles = { { "2_11 2_12 3_10 3_11 3_12 4_10 4_11 4_12 5_10 5_11 5_12 6_7 6_8 6_9 6_10 6_11 6_12 7_7 7_8 7_9 7_11 "
                 "7_12",
                 "2_10", "2_13 2_14 3_13 3_14 4_13 4_14 4_15 5_13 5_14 5_15 6_13 6_14 6_15 7_13" },
               { "2_10 2_12 3_11 3_12 4_11 4_12 5_10 5_12 6_7 6_8 6_9 6_10 6_12 7_7 7_8 7_9 7_10 7_11", NULL,
                 "2_11 3_10 4_10 5_11 6_11 7_12" } },
    .lonlat = { 13.06, 52.40 }, /* the town, for copies without their world files */
};

static Err list(Preset *p) { return preset_list_tiles(p, &tiles); }

static const PresetSplit splits[] = {
    { "official", "22 to learn (7_10 is left out: its labels are wrong), 2_10 to validate, 14 to test" },
    { "18/6", "of the 24 tiles whose labels came first 18 to learn, 6 to test: a later paper's" },
};

const PresetDef preset_potsdam = {
    .name = "potsdam",
    .title = "ISPRS 2D Semantic Labeling, Potsdam",
    .source = "the contest's pages; TorchGeo's data set class; GeoSeg's readme; 18/6: github.com/sstary/SSRS",
    .classes = "isprs",
    .splits = splits,
    .n_splits = ARRAY_LEN(splits),
    .labels_kind = LABELS_COLORS,
    .ignore_color = "#000000",
    .not_in_means = 6, /* clutter, which stays in the matrix and in OA */
    .crs = "EPSG:32633",
    .gsd = 0.05,
    .width = 6000,
    .height = 6000,
    .published = { 22, 1, 14 },
    .bands = { 1, 2, 3 },
    .place = "Potsdam: by the world files, in UTM zone 33 North",
    .submission = { .server = "the labels of its test tiles are published" },
    .list = list,
};
