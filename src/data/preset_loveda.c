/* SPDX-License-Identifier: Apache-2.0
 * LoveDA: FOLDER/Train/Urban/images_png/1366.png and masks_png/1366.png; Rural; Val; Test without masks. */
#include "data/preset_files.h"

#include "base/file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Nanjing. The files do not say of which of the three cities they are; all three have the same climate zone. */
static const double nanjing[2] = { 118.78, 32.06 };

static Err list_scene(Preset *p, const char *folder, const char *area, PresetPart part, bool hidden)
{
    char name[64];
    char *images = NULL, *labels = NULL;
    (void)snprintf(name, sizeof name, "%s/%s", folder, area);
    Err err = preset_path(p->folder, folder, area, "images_png", &images);
    if (err == ERR_NONE && !hidden) err = preset_path(p->folder, folder, area, "masks_png", &labels);
    const PresetFolders pairs = { .part = part,
                                  .name = name,
                                  .images = images,
                                  .image_prefix = "",
                                  .image_suffix = ".png",
                                  .labels = labels,
                                  .label_prefix = "",
                                  .label_suffix = ".png",
                                  .lonlat = nanjing };
    if (err == ERR_NONE && !file_is_folder(images))
        err = preset_found_in(p, part, PRESET_NO_FOLDER, images, "this folder of images is missing");
    else if (err == ERR_NONE)
        err = preset_add_folders(p, &pairs);
    free(images);
    free(labels);
    return err;
}

static Err list(Preset *p)
{
    static const char *const folders[PRESET_PARTS] = { "Train", "Val", "Test" };
    const bool both = strcmp(p->split, "train+val") == 0;
    for (int32_t i = 0; i < PRESET_PARTS; i++) {
        const PresetPart part = both && i == PRESET_VALIDATION ? PRESET_TRAIN : (PresetPart)i;
        TRY(list_scene(p, folders[i], "Urban", part, i == PRESET_TEST));
        TRY(list_scene(p, folders[i], "Rural", part, i == PRESET_TEST));
    }
    return ERR_NONE;
}

static const PresetSplit splits[] = {
    { "official", "2,522 to learn, 1,669 to validate, 1,796 whose masks are hidden" },
    { "train+val", "both labelled parts to learn, none to validate: as for figures of the test server" },
};

const PresetDef preset_loveda = {
    .name = "loveda",
    .title = "LoveDA",
    .source = "arXiv:2110.08733; github.com/Junjue-Wang/LoveDA; TorchGeo's data set class",
    .classes = "loveda",
    .splits = splits,
    .n_splits = ARRAY_LEN(splits),
    .gsd = 0.3,
    .width = 1024,
    .height = 1024,
    .published = { 2522, 1669, 1796 },
    .bands = { 1, 2, 3 },
    .place =
        "of Nanjing, Changzhou or Wuhan, of which one no file tells; all are placed at Nanjing, whose climate zone the "
        "other two share",
    .submission = { .coding = SUBMISSION_VALUES,
                    .image_suffix = ".png",
                    .suffix = ".png",
                    .shift = -1, /* no value for "no data" is left */
                    .unknown = -1,
                    .server = "LoveDA Semantic Segmentation Challenge (CodaLab)" },
    .list = list,
};
