/* SPDX-License-Identifier: Apache-2.0
 * Private to preset*.c: going through the folders of a data set, and what is put into a Preset on the way. */
#ifndef METASEG_DATA_PRESET_FILES_H
#define METASEG_DATA_PRESET_FILES_H

#include "data/preset.h"

/* Names, owned, sorted by strcmp, none twice. */
typedef struct Names {
    char **items;
    int64_t n, capacity;
} Names;

void names_done(Names *names);
bool names_have(const Names *names, const char *name);

/* What is between prefix and suffix (case counts) of the files in a folder; hidden files are left out. A folder that is
 * missing has none. ERR_INPUT: it cannot be listed; ERR_MEMORY. */
Err names_of_folder(const char *folder, const char *prefix, const char *suffix, Names *ret_names);

/* Lines of a text file, without spaces around them; empty ones are left out. ERR_INPUT, ERR_MEMORY. */
Err names_of_list(const char *path, Names *ret_names);

/* "base/one/two": parts up to the first NULL, at most three. ERR_MEMORY. */
Err preset_path(const char *base, const char *one, const char *two, const char *three, char **ret_path);

/* The first of the candidates ("a/b" in the preset's folder; up to NULL) that is a folder; NULL if none is. ERR_MEMORY. */
Err preset_folder(const Preset *preset, const char *const *candidates, char **ret_path);

/* Tells something of a path. ERR_MEMORY. */
Err preset_found(Preset *preset, PresetProblem problem, const char *path, const char *format, ...) PRINTF_LIKE(4, 5);

/* The same of a part. */
Err preset_found_in(Preset *preset, PresetPart part, PresetProblem problem, const char *path, const char *format, ...)
    PRINTF_LIKE(5, 6);

/* Adds an item with copies of the strings. ERR_MEMORY. */
Err preset_add(Preset *preset, const PresetItem *item);

/* Files of one folder that belong to those of another by what is between prefix and suffix. */
typedef struct PresetFolders {
    PresetPart part;
    const char *name; /* of an item: this (NULL: nothing), "/" and the middle of the file's name */
    const char *images, *image_prefix, *image_suffix;
    const char *labels, *label_prefix, *label_suffix; /* labels NULL: hidden */
    const double *lonlat;                             /* [2] of all of them; NULL: not known */
} PresetFolders;

/* Adds an item for each image with labels (or, hidden, for each image), and findings for those without the other.
 * ERR_INPUT, ERR_MEMORY. */
Err preset_add_folders(Preset *preset, const PresetFolders *folders);

/* One tile by its paths (copied): added when the image is there, and labels unless they are hidden (labels NULL); what is missing
 * is told. eroded: used where it is there; NULL: none. ERR_MEMORY. */
Err preset_add_tile(Preset *preset, const PresetItem *tile);

/* Places by name, from share/places/NAME.csv: "name,longitude,latitude,..." with one line of heads, lines that begin with
 * "#" left out. */
typedef struct Places {
    struct Place {
        char *name;
        double lon, lat;
    } * items;
    int64_t n, capacity;
} Places;

/* No places where share is NULL or has no such file. ERR_CONFIG: a line is wrong; ERR_MEMORY. */
Err places_load(const char *share, const char *name, Places *ret_places);
void places_done(Places *places);
bool places_find(const Places *places, const char *name, double ret_lonlat[2]);

#endif
