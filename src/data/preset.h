/* SPDX-License-Identifier: Apache-2.0
 *
 * Presets: published data sets by their folders. A preset knows the names of folders and files, the official splits, how
 * labels are coded, and where on the Earth an image lies when its file does not tell.
 *
 *     Preset preset = { 0 };
 *     TRY(preset_open(preset_find("loveda"), "/data/LoveDA", NULL, share, &preset));
 *     ... preset.items, preset.findings ...
 *     preset_close(&preset);
 *
 * A new one is one line in presets.def and one file preset_NAME.c, whose `list` goes through the folder with the helpers
 * of preset_files.h. Nothing but names is looked at here; preset_check.h opens the files.
 */
#ifndef METASEG_DATA_PRESET_H
#define METASEG_DATA_PRESET_H

#include "data/class_table.h"

/* What a file is for in a split. */
typedef enum PresetPart { PRESET_TRAIN = 0, PRESET_VALIDATION, PRESET_TEST, PRESET_PARTS } PresetPart;
extern const char *const preset_part_names[PRESET_PARTS]; /* "train", "validation", "test" */

/* An image with its labels. Strings are owned by the Preset. */
typedef struct PresetItem {
    char *name; /* of the tile, no two alike: "Train/Urban/1366", "koeln_50", "2_10" */
    PresetPart part;
    char *image;
    char *labels; /* as published, for training; NULL: hidden, or missing */
    char *eroded; /* the same without the boundaries of classes, for evaluation; NULL: none */
    double lonlat[2];
    bool placed; /* lonlat is known */
} PresetItem;

/* What is not as it should be. Those before PRESET_NOTES make a folder incomplete or wrong; the others are to know. */
typedef enum PresetProblem {
    PRESET_NO_FOLDER = 0, /* a folder of the data set */
    PRESET_NO_LIST,       /* a file that lists a split */
    PRESET_NO_IMAGE,      /* labels, or a line of a list, without image */
    PRESET_NO_LABELS,     /* an image without its labels */
    PRESET_UNLISTED,      /* an image that no split has */
    PRESET_CORRUPT,       /* cannot be opened, or not to its end */
    PRESET_SIZES,         /* image and labels differ in size */
    PRESET_VALUES,        /* labels hold what no class is */
    PRESET_NOTES,
    PRESET_OTHER_SIZE = PRESET_NOTES, /* image and labels have another size than published */
    PRESET_OTHER_COUNT,               /* another number of images than published */
    PRESET_NO_PLACE,                  /* an image whose place is not known */
    PRESET_PROBLEMS
} PresetProblem;
extern const char *const preset_problem_names[PRESET_PROBLEMS]; /* "missing image", ... */

typedef struct PresetFinding {
    PresetProblem problem;
    int32_t part; /* PresetPart; -1: of all, or not told */
    char *path;   /* file or folder that it is about */
    char *text;   /* a clause: "no labels; expected 'masks_png/3.png'" */
} PresetFinding;

typedef struct PresetDef PresetDef;

/* How the server that evaluates hidden labels wants them. */
typedef enum SubmissionCoding {
    SUBMISSION_NONE = 0, /* there is no such server, or nothing to ask it */
    SUBMISSION_VALUES,   /* one band of values */
    SUBMISSION_COLORS    /* red, green, blue: the colours of the class table */
} SubmissionCoding;

/* A zip archive without folders, with a PNG for each image whose labels are hidden. */
typedef struct PresetSubmission {
    SubmissionCoding coding;
    const char *image_suffix, *suffix; /* of a file's name: the image's, and what stands in its place */
    int32_t shift;                     /* SUBMISSION_VALUES: what is added to a class's value */
    int32_t unknown;                   /* SUBMISSION_VALUES: of a pixel without data; -1: there is no such value */
    const char *server;                /* who takes it; of SUBMISSION_NONE why there is none, a clause */
} PresetSubmission;

/* A data set found in a folder; read-only for others. */
typedef struct Preset {
    const PresetDef *def;
    char *folder;
    const char *split; /* of def->splits */
    char *share;       /* folder that holds classes/ and places/; NULL: none */
    PresetItem *items; /* by part, then as listed */
    int64_t n_items, items_capacity;
    PresetFinding *findings;
    int64_t n_findings, findings_capacity;
} Preset;

/* A choice of parts: the official one comes first. */
typedef struct PresetSplit {
    const char *name, *title;
} PresetSplit;

/* What is known of a data set before any file is looked at. */
struct PresetDef {
    const char *name, *title;
    const char *source;  /* where names, splits and codings were read: papers, repositories */
    const char *classes; /* table of share/classes, without ".yaml" */
    const PresetSplit *splits;
    int64_t n_splits;
    LabelsKind labels_kind;
    int32_t colors_threshold;  /* as in DatasetOptions */
    const char *ignore_color;  /* of DatasetOptions.ignore_colors; NULL: none */
    int32_t not_in_means;      /* value of the table that the papers leave out of mIoU and mF1; 0: none */
    const DatasetRemap *remap; /* values of the files to those of the table */
    uint32_t n_remap;
    const char *crs;                 /* of images that have coordinates without one; NULL */
    double gsd;                      /* metres, nominal: for images that do not tell; 0: several */
    int64_t width, height;           /* of every image; 0: several */
    int64_t published[PRESET_PARTS]; /* images of the official split; 0: not known */
    int32_t bands[8];                /* chosen, 1-based, up to the first 0 */
    const char *place;               /* one sentence: what is known of where the images lie */
    PresetSubmission submission;
    Err (*list)(Preset *preset); /* adds items and findings. ERR_INPUT: this is no such folder; ERR_MEMORY */
};

/* Number of presets, one of them, and the one of a name (NULL: none). */
int64_t preset_count(void);
const PresetDef *preset_at(int64_t i);
const PresetDef *preset_find(const char *name);

/* ERR_ARGUMENT with the nearest name when there is none of this name. */
Err preset_get(const char *name, const PresetDef **ret_def);

/* Goes through a folder. split: of def->splits, NULL for the first. share: folder with places/ (borrowed); NULL: places
 * that are looked up by name are unknown. ERR_ARGUMENT: no such split; ERR_INPUT: the folder is missing, or nothing in it
 * is of this data set; ERR_CONFIG: a broken table of places; ERR_MEMORY. preset_close(). */
Err preset_open(const PresetDef *def, const char *folder, const char *split, const char *share, Preset *ret_preset);
void preset_close(Preset *preset);

int64_t preset_items_of(const Preset *preset, PresetPart part);

/* Findings that are no notes: how many, and the first (NULL: none). */
int64_t preset_wrong(const Preset *preset, const PresetFinding **ret_first);

/* The first finding of a part that is no note. NULL: none. */
const PresetFinding *preset_wrong_in(const Preset *preset, PresetPart part);

/* The class table, out of the data folder. class_table_done() it. ERR_INPUT: share is NULL, or has no such table; ERR_CONFIG,
 * ERR_MEMORY. */
Err preset_classes(const PresetDef *def, const char *share, ClassTable *ret_table);

/* Scenes of the items that have labels: validation and test by their eroded labels where there are such, test as
 * SCENE_HOLDOUT. Strings and lists are the caller's, as in DatasetOptions (preset_scenes_free). ERR_MEMORY. */
Err preset_scenes(const Preset *preset, DatasetScene **ret_scenes, uint32_t *ret_n);
void preset_scenes_free(DatasetScene *scenes, uint32_t n);

#endif
