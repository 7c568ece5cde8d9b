/* SPDX-License-Identifier: Apache-2.0
 * OpenEarthMap: FOLDER/train.txt, val.txt, test.txt with names, FOLDER/koeln/images/koeln_50.tif and labels/koeln_50.tif;
 * labels of the test part are hidden. */
#include "data/preset_files.h"

#include "base/file.h"
#include "base/hash.h"
#include "base/str.h"

#include <stdlib.h>
#include <string.h>

typedef struct Walk {
    Preset *preset;
    char *root;
    Names lists[PRESET_PARTS];
    Places places;
} Walk;

static const char *const list_names[PRESET_PARTS] = { "train.txt", "val.txt", "test.txt" };

/* "san_tome_3.tif" -> "san_tome"; false where no number is behind a "_". */
static Err region_of(const char *file, char **ret_region)
{
    const char *last = strrchr(file, '_');
    return str_format(ret_region, "%.*s", last != NULL ? (int)(last - file) : (int)strlen(file), file);
}

/* About a fifth of the regions, by their names alone: the same ones whatever a copy lacks. */
static bool is_kept_apart(const char *region) { return hash_xxh64(region, strlen(region)) % 5 == 0; }

static Err add_listed(Walk *w, PresetPart part, const char *file)
{
    char *region = NULL, *image = NULL, *labels = NULL, *name = NULL;
    Err err = region_of(file, &region);
    if (err == ERR_NONE) err = preset_path(w->root, region, "images", file, &image);
    if (err == ERR_NONE) err = preset_path(w->root, region, "labels", file, &labels);
    if (err == ERR_NONE) err = path_stem(file, &name);
    if (err == ERR_NONE) {
        const bool apart = strcmp(w->preset->split, "regions") == 0 && is_kept_apart(region);
        PresetItem tile = { .name = name, .part = apart ? PRESET_TEST : part, .image = image, .labels = labels };
        if (part == PRESET_TEST && !file_exists(labels)) tile.labels = NULL;
        tile.placed = places_find(&w->places, region, tile.lonlat);
        err = preset_add_tile(w->preset, &tile);
        if (err == ERR_NONE && !tile.placed)
            err = preset_found(w->preset, PRESET_NO_PLACE, image, "region '%s' is not in the table of places", region);
    }
    free(region);
    free(image);
    free(labels);
    free(name);
    return err;
}

/* Images of a region that no list has. */
static Err find_unlisted(Walk *w, const char *region)
{
    char *folder = NULL;
    Names images = { 0 };
    TRY(preset_path(w->root, region, "images", NULL, &folder));
    Err err = names_of_folder(folder, "", ".tif", &images);
    for (int64_t i = 0; i < images.n && err == ERR_NONE; i++) {
        char *file = NULL, *path = NULL;
        bool listed = false;
        err = str_format(&file, "%s.tif", images.items[i]);
        for (int32_t part = 0; part < PRESET_PARTS && err == ERR_NONE; part++)
            listed = listed || names_have(&w->lists[part], file);
        if (err == ERR_NONE && !listed) err = preset_path(folder, file, NULL, NULL, &path);
        if (err == ERR_NONE && !listed)
            err = preset_found(w->preset, PRESET_UNLISTED, path, "an image that no split lists");
        free(file);
        free(path);
    }
    names_done(&images);
    free(folder);
    return err;
}

static Err read_lists(Walk *w)
{
    for (int32_t part = 0; part < PRESET_PARTS; part++) {
        char *path = NULL;
        TRY(preset_path(w->root, list_names[part], NULL, NULL, &path));
        const Err err = file_exists(path) ? names_of_list(path, &w->lists[part])
                                          : preset_found_in(w->preset, (PresetPart)part, PRESET_NO_LIST, path,
                                                            "the list of split %s is missing", preset_part_names[part]);
        free(path);
        TRY(err);
    }
    return ERR_NONE;
}

static Err walk(Walk *w)
{
    static const char *const roots[] = { "OpenEarthMap_wo_xBD", "OpenEarthMap", NULL };
    Names regions = { 0 };
    TRY(preset_folder(w->preset, roots, &w->root));
    if (w->root == NULL) TRY(str_copy(w->preset->folder, &w->root));
    TRY(places_load(w->preset->share, "openearthmap", &w->places));
    TRY(read_lists(w));
    for (int32_t part = 0; part < PRESET_PARTS; part++)
        for (int64_t i = 0; i < w->lists[part].n; i++) TRY(add_listed(w, (PresetPart)part, w->lists[part].items[i]));
    TRY(names_of_folder(w->root, "", "", &regions));
    Err err = ERR_NONE;
    for (int64_t i = 0; i < regions.n && err == ERR_NONE; i++) err = find_unlisted(w, regions.items[i]);
    names_done(&regions);
    return err;
}

static Err list(Preset *p)
{
    Walk w = { .preset = p };
    const Err err = walk(&w);
    for (int32_t part = 0; part < PRESET_PARTS; part++) names_done(&w.lists[part]);
    places_done(&w.places);
    free(w.root);
    return err;
}

static const PresetSplit splits[] = {
    { "official", "train.txt to learn (3,000), val.txt to validate (500), test.txt (1,500) whose labels are hidden" },
    { "regions", "a fifth of the regions, all of each, to test: what is learned of others" },
};

const PresetDef preset_openearthmap = {
    .name = "openearthmap",
    .title = "OpenEarthMap",
    .source = "arXiv:2210.10732; github.com/bao18/open_earth_map; the archive's own readme",
    .classes = "openearthmap",
    .splits = splits,
    .n_splits = ARRAY_LEN(splits),
    .published = { 3000, 500, 1500 },
    .bands = { 1, 2, 3 },
    .place = "where its file says, else that of its region's name in the table of places",
    .submission = { .coding = SUBMISSION_VALUES,
                    .image_suffix = ".tif",
                    .suffix = ".png",
                    .unknown = 0,
                    .server = "OpenEarthMap's (CodaLab), by the rules of its few-shot challenge" },
    .list = list,
};
