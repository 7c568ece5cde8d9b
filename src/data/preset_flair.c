/* SPDX-License-Identifier: Apache-2.0
 * FLAIR #1 and #2, aerial part: ROOT/D004_2021/Z1_NN/img/IMG_000419.tif, in the same tree or one beside it
 * D004_2021/Z1_NN/msk/MSK_000419.tif. The images tell where they lie. */
#include "data/preset_files.h"

#include "base/file.h"
#include "base/str.h"

#include <stdlib.h>
#include <string.h>

/* Trees of images and of labels that go together; the first pair of a part whose images are there counts. */
typedef struct Trees {
    PresetPart part;
    const char *images, *labels;
} Trees;

static const Trees trees[] = {
    { PRESET_TRAIN, "flair_aerial_train", "flair_labels_train" },
    { PRESET_TRAIN, "flair_1_aerial_train", "flair_1_labels_train" },
    { PRESET_TRAIN, "train/aerial", "train/labels" },
    { PRESET_TRAIN, "train", "train" },
    { PRESET_TEST, "flair_2_aerial_test", "flair_2_labels_test" },
    { PRESET_TEST, "flair_1_aerial_test", "flair_1_labels_test" },
    { PRESET_TEST, "test/aerial", "test/labels" },
    { PRESET_TEST, "test", "test" },
};

static const char *const validation_domains[] = { "D004_2021", "D014_2020", "D029_2021", "D031_2019",
                                                  "D058_2020", "D066_2021", "D067_2021", "D077_2021" };

static bool is_validation(const char *domain)
{
    for (int64_t i = 0; i < ARRAY_LEN(validation_domains); i++)
        if (strcmp(validation_domains[i], domain) == 0) return true;
    return false;
}

static Err add_zone(Preset *p, const Trees *t, const char *domain, const char *zone)
{
    char *name = NULL, *place = NULL, *images = NULL, *labels = NULL, *label_tree = NULL;
    Err err = str_format(&name, "%s/%s", domain, zone);
    if (err == ERR_NONE) err = str_format(&place, "%s/%s/%s", t->images, name, "img");
    if (err == ERR_NONE) err = preset_path(p->folder, place, NULL, NULL, &images);
    if (err == ERR_NONE) err = preset_path(p->folder, t->labels, NULL, NULL, &label_tree);
    if (err == ERR_NONE) err = preset_path(label_tree, name, "msk", NULL, &labels);
    const bool hidden = err == ERR_NONE && t->part == PRESET_TEST && !file_is_folder(labels);
    const PresetFolders pairs = {
        .part = t->part == PRESET_TRAIN && is_validation(domain) ? PRESET_VALIDATION : t->part,
        .name = name,
        .images = images,
        .image_prefix = "IMG_",
        .image_suffix = ".tif",
        .labels = hidden ? NULL : labels,
        .label_prefix = "MSK_",
        .label_suffix = ".tif",
    };
    if (err == ERR_NONE) err = preset_add_folders(p, &pairs);
    free(name);
    free(place);
    free(images);
    free(labels);
    free(label_tree);
    return err;
}

static Err add_domain(Preset *p, const Trees *t, const char *root, const char *domain)
{
    char *folder = NULL;
    Names zones = { 0 };
    TRY(preset_path(root, domain, NULL, NULL, &folder));
    Err err = names_of_folder(folder, "", "", &zones);
    free(folder);
    for (int64_t i = 0; i < zones.n && err == ERR_NONE; i++) err = add_zone(p, t, domain, zones.items[i]);
    names_done(&zones);
    return err;
}

static Err add_tree(Preset *p, const Trees *t, bool *ret_there)
{
    char *root = NULL;
    Names domains = { 0 };
    TRY(preset_path(p->folder, t->images, NULL, NULL, &root));
    Err err = names_of_folder(root, "D0", "", &domains);
    *ret_there = domains.n > 0;
    for (int64_t i = 0; i < domains.n && err == ERR_NONE; i++) {
        char *domain = NULL;
        err = str_format(&domain, "D0%s", domains.items[i]);
        if (err == ERR_NONE) err = add_domain(p, t, root, domain);
        free(domain);
    }
    names_done(&domains);
    free(root);
    return err;
}

static Err list(Preset *p)
{
    bool there[PRESET_PARTS] = { false };
    for (int64_t i = 0; i < ARRAY_LEN(trees); i++)
        if (!there[trees[i].part]) TRY(add_tree(p, &trees[i], &there[trees[i].part]));
    if (!there[PRESET_TRAIN])
        TRY(preset_found(p, PRESET_NO_FOLDER, p->folder, "no folder 'flair_aerial_train' with domains (D004_2021)"));
    return ERR_NONE;
}

static const PresetSplit splits[] = {
    { "official", "eight domains of the training part to validate (D004, D014, D029, D031, D058, D066, D067, D077)" },
};

/* The twelve frequent classes and the rest, as the published baselines are judged. */
static const DatasetRemap rest[] = { { 14, 13 }, { 15, 13 }, { 16, 13 }, { 17, 13 }, { 18, 13 }, { 19, 13 } };

const PresetDef preset_flair = {
    .name = "flair",
    .title = "FLAIR #1 and #2, aerial images",
    .source = "arXiv:2211.12979, arXiv:2310.13336; github.com/IGNF/FLAIR-1 and FLAIR-2",
    .classes = "flair_13",
    .splits = splits,
    .n_splits = ARRAY_LEN(splits),
    .remap = rest,
    .n_remap = ARRAY_LEN(rest),
    .not_in_means = 13, /* other */
    .gsd = 0.2,
    .width = 512,
    .height = 512,
    .bands = { 1, 2, 3, 4, 5 }, /* red, green, blue, near infrared, height above ground */
    .place = "where its file says",
    .submission = { .server = "its challenges are over and the labels of their test parts published" },
    .list = list,
};
