/* SPDX-License-Identifier: Apache-2.0
 * DeepGlobe land cover: FOLDER/train/119_sat.jpg and 119_mask.png; valid and test without masks. */
#include "data/preset_files.h"

#include <stdlib.h>

static Err list(Preset *p)
{
    static const char *const folders[PRESET_PARTS][3] = { { "train", "land-train", NULL },
                                                          { "valid", "land-valid", NULL },
                                                          { "test", "land-test", NULL } };
    for (int32_t i = 0; i < PRESET_PARTS; i++) {
        char *folder = NULL;
        TRY(preset_folder(p, folders[i], &folder));
        /* the masks of both are hidden: neither can be validated with */
        const PresetFolders pairs = { .part = i == PRESET_TRAIN ? PRESET_TRAIN : PRESET_TEST,
                                      .name = folders[i][0],
                                      .images = folder,
                                      .image_prefix = "",
                                      .image_suffix = "_sat.jpg",
                                      .labels = i == PRESET_TRAIN ? folder : NULL,
                                      .label_prefix = "",
                                      .label_suffix = "_mask.png" };
        const Err err = folder != NULL ? preset_add_folders(p, &pairs)
                                       : preset_found(p, i == PRESET_TRAIN ? PRESET_NO_FOLDER : PRESET_OTHER_COUNT,
                                                      p->folder, "no folder '%s'", folders[i][0]);
        free(folder);
        TRY(err);
    }
    return ERR_NONE;
}

static const PresetSplit splits[] = {
    { "official",
      "803 with masks, all to learn; 171 and 172 whose masks are hidden. Validate with data.validation_fraction" },
};

const PresetDef preset_deepglobe = {
    .name = "deepglobe",
    .title = "DeepGlobe land cover classification",
    .source = "arXiv:1805.06561; TorchGeo's data set class",
    .classes = "deepglobe",
    .splits = splits,
    .n_splits = ARRAY_LEN(splits),
    .labels_kind = LABELS_COLORS,
    .colors_threshold = 128,
    .ignore_color = "#000000",
    .gsd = 0.5,
    .width = 2448,
    .height = 2448,
    .published = { 803, 0, 343 },
    .bands = { 1, 2, 3 },
    .place = "of Thailand, Indonesia and India, of which one no file tells: the climate zone is unknown",
    .submission = { .coding = SUBMISSION_COLORS,
                    .image_suffix = "_sat.jpg",
                    .suffix = "_mask.png",
                    .server = "DeepGlobe Land Cover Classification Challenge (CodaLab)" },
    .list = list,
};
