/* SPDX-License-Identifier: Apache-2.0
 * Listings, pairs and places. */
#include "data/preset_files.h"

#include "base/file.h"
#include "base/grow.h"
#include "base/str.h"

#include <dirent.h>
#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LIST_BYTES_MAX = 64 << 20, TEXT_BYTES = 600 };

/* ---- names ---- */

void names_done(Names *names)
{
    for (int64_t i = 0; i < names->n; i++) free(names->items[i]);
    free(names->items);
    *names = (Names){ 0 };
}

static int by_text(const void *a, const void *b)
{
    const char *const *x = a, *const *y = b;
    return strcmp(*x, *y);
}

static void sort_names(Names *names)
{
    int64_t kept = 0;
    if (names->n > 0) qsort(names->items, (size_t)names->n, sizeof *names->items, by_text);
    for (int64_t i = 0; i < names->n; i++) {
        if (kept > 0 && strcmp(names->items[kept - 1], names->items[i]) == 0)
            free(names->items[i]);
        else
            names->items[kept++] = names->items[i];
    }
    names->n = kept;
}

bool names_have(const Names *names, const char *name)
{
    return names->n > 0 && bsearch(&name, names->items, (size_t)names->n, sizeof *names->items, by_text) != NULL;
}

static Err add_name(Names *names, const char *text, size_t length)
{
    TRY(grow_array((void *)&names->items, names->n, &names->capacity, sizeof *names->items, "names of files"));
    TRY(str_format(&names->items[names->n], "%.*s", (int)length, text));
    names->n++;
    return ERR_NONE;
}

Err names_of_folder(const char *folder, const char *prefix, const char *suffix, Names *ret_names)
{
    Names names = { 0 };
    const size_t before = strlen(prefix), behind = strlen(suffix);
    DIR *listing = opendir(folder);
    if (listing == NULL && (errno == ENOENT || errno == ENOTDIR)) {
        *ret_names = names;
        return ERR_NONE;
    }
    if (listing == NULL) return err_set(ERR_INPUT, "'%s': cannot be listed: %s", folder, strerror(errno));
    Err err = ERR_NONE;
    errno = 0;
    for (const struct dirent *entry = readdir(listing); entry != NULL && err == ERR_NONE; entry = readdir(listing)) {
        const char *name = entry->d_name;
        const size_t length = strlen(name);
        const bool fits = length > before + behind && name[0] != '.' && strncmp(name, prefix, before) == 0 &&
                          strcmp(name + length - behind, suffix) == 0;
        if (fits) err = add_name(&names, name + before, length - before - behind);
        errno = 0;
    }
    if (err == ERR_NONE && errno != 0) err = err_set(ERR_INPUT, "'%s': cannot be listed: %s", folder, strerror(errno));
    (void)closedir(listing);
    if (err != ERR_NONE) {
        names_done(&names);
        return err;
    }
    sort_names(&names);
    *ret_names = names;
    return ERR_NONE;
}

Err names_of_list(const char *path, Names *ret_names)
{
    Names names = { 0 };
    char *text = NULL;
    size_t bytes = 0;
    TRY(file_read(path, LIST_BYTES_MAX, &text, &bytes));
    Err err = ERR_NONE;
    for (const char *line = text; *line != '\0' && err == ERR_NONE;) {
        const size_t end = strcspn(line, "\n");
        size_t from = strspn(line, " \t\r"), to = end;
        while (to > from && strchr(" \t\r", line[to - 1]) != NULL) to--;
        if (from < to) err = add_name(&names, line + from, to - from);
        line += end + (line[end] == '\n');
    }
    free(text);
    if (err != ERR_NONE) {
        names_done(&names);
        return err;
    }
    sort_names(&names);
    *ret_names = names;
    return ERR_NONE;
}

/* ---- paths and what is put into a preset ---- */

Err preset_path(const char *base, const char *one, const char *two, const char *three, char **ret_path)
{
    return str_format(ret_path, "%s/%s%s%s%s%s", base, one, two != NULL ? "/" : "", two != NULL ? two : "",
                      three != NULL ? "/" : "", three != NULL ? three : "");
}

Err preset_folder(const Preset *preset, const char *const *candidates, char **ret_path)
{
    for (int64_t i = 0; candidates[i] != NULL; i++) {
        char *path = NULL;
        TRY(preset_path(preset->folder, candidates[i], NULL, NULL, &path));
        if (file_is_folder(path)) {
            *ret_path = path;
            return ERR_NONE;
        }
        free(path);
    }
    *ret_path = NULL;
    return ERR_NONE;
}

static Err add_finding(Preset *p, int32_t part, PresetProblem problem, const char *path, const char *text)
{
    TRY(grow_array(&p->findings, p->n_findings, &p->findings_capacity, sizeof *p->findings, "what was found"));
    PresetFinding finding = { .problem = problem, .part = part };
    TRY(str_copy(path, &finding.path));
    const Err err = str_copy(text, &finding.text);
    if (err != ERR_NONE) {
        free(finding.path);
        return err;
    }
    p->findings[p->n_findings++] = finding;
    return ERR_NONE;
}

Err preset_found(Preset *p, PresetProblem problem, const char *path, const char *format, ...)
{
    char text[TEXT_BYTES];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    return add_finding(p, -1, problem, path, text);
}

Err preset_found_in(Preset *p, PresetPart part, PresetProblem problem, const char *path, const char *format, ...)
{
    char text[TEXT_BYTES];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    return add_finding(p, (int32_t)part, problem, path, text);
}

static Err copy_optional(const char *text, char **ret_copy)
{
    *ret_copy = NULL;
    return text != NULL ? str_copy(text, ret_copy) : ERR_NONE;
}

Err preset_add(Preset *p, const PresetItem *item)
{
    TRY(grow_array(&p->items, p->n_items, &p->items_capacity, sizeof *p->items, "the images of a data set"));
    PresetItem copy = *item;
    copy.image = copy.labels = copy.eroded = NULL;
    TRY(str_copy(item->name, &copy.name));
    p->items[p->n_items++] = copy; /* owned from here on, also on failure */
    PresetItem *to = &p->items[p->n_items - 1];
    TRY(copy_optional(item->image, &to->image));
    TRY(copy_optional(item->labels, &to->labels));
    return copy_optional(item->eroded, &to->eroded);
}

/* ---- pairs ---- */

static Err add_pair(Preset *p, const PresetFolders *f, const char *middle, bool image_there, bool labels_there)
{
    PresetItem item = { .part = f->part, .placed = f->lonlat != NULL };
    if (f->lonlat != NULL) memcpy(item.lonlat, f->lonlat, sizeof item.lonlat);
    Err err = str_format(&item.image, "%s/%s%s%s", f->images, f->image_prefix, middle, f->image_suffix);
    if (err == ERR_NONE && f->labels != NULL)
        err = str_format(&item.labels, "%s/%s%s%s", f->labels, f->label_prefix, middle, f->label_suffix);
    if (err == ERR_NONE)
        err = str_format(&item.name, "%s%s%s", f->name != NULL ? f->name : "", f->name != NULL ? "/" : "", middle);
    if (err == ERR_NONE && !image_there)
        err = preset_found_in(p, f->part, PRESET_NO_IMAGE, item.labels, "labels without their image '%s'", item.image);
    else if (err == ERR_NONE && !labels_there)
        err =
            preset_found_in(p, f->part, PRESET_NO_LABELS, item.image, "an image without its labels '%s'", item.labels);
    else if (err == ERR_NONE)
        err = preset_add(p, &item);
    free(item.image);
    free(item.labels);
    free(item.name);
    return err;
}

/* Both lists are sorted: one pass over the two. */
static Err merge(Preset *p, const PresetFolders *f, const Names *images, const Names *labels)
{
    int64_t a = 0, b = 0;
    while (a < images->n || (f->labels != NULL && b < labels->n)) {
        int order = a == images->n ? 1 : -1;
        if (f->labels == NULL)
            order = 0;
        else if (a < images->n && b < labels->n)
            order = strcmp(images->items[a], labels->items[b]);
        TRY(add_pair(p, f, order <= 0 ? images->items[a] : labels->items[b], order <= 0, order == 0));
        a += order <= 0;
        b += order >= 0;
    }
    return ERR_NONE;
}

Err preset_add_folders(Preset *preset, const PresetFolders *f)
{
    Names images = { 0 }, labels = { 0 };
    Err err = names_of_folder(f->images, f->image_prefix, f->image_suffix, &images);
    if (err == ERR_NONE && f->labels != NULL)
        err = names_of_folder(f->labels, f->label_prefix, f->label_suffix, &labels);
    if (err == ERR_NONE) err = merge(preset, f, &images, &labels);
    names_done(&images);
    names_done(&labels);
    return err;
}

Err preset_add_tile(Preset *preset, const PresetItem *tile)
{
    PresetItem item = *tile;
    if (!file_exists(item.image))
        return preset_found_in(preset, item.part, PRESET_NO_IMAGE, item.image, "this image is missing");
    if (item.labels != NULL && !file_exists(item.labels))
        return preset_found_in(preset, item.part, PRESET_NO_LABELS, item.image, "an image without its labels '%s'",
                               item.labels);
    if (item.eroded != NULL && !file_exists(item.eroded)) item.eroded = NULL;
    return preset_add(preset, &item);
}

/* ---- places ---- */

/* NAME,LONGITUDE,LATITUDE and whatever is behind a further comma. */
static bool read_place(const char *line, struct Place *ret_place)
{
    char numbers[80];
    double lonlat[2] = { 0.0, 0.0 };
    const char *first = strchr(line, ',');
    const char *second = first != NULL ? strchr(first + 1, ',') : NULL;
    if (first == line || second == NULL) return false;
    const size_t length = (size_t)(second - first) + strcspn(second + 1, ",\r");
    if (length >= sizeof numbers) return false;
    memcpy(numbers, first + 1, length);
    numbers[length] = '\0';
    if (str_parse_doubles(numbers, "", 2, lonlat) != ERR_NONE) return false;
    ret_place->lon = lonlat[0];
    ret_place->lat = lonlat[1];
    return fabs(lonlat[0]) <= 180.0 && fabs(lonlat[1]) <= 90.0;
}

static Err add_place(Places *places, const char *path, int64_t number, const char *line)
{
    struct Place place = { 0 };
    if (!read_place(line, &place))
        return err_set(ERR_CONFIG, "'%s', line %lld: '%.80s' is not NAME,LONGITUDE,LATITUDE in degrees", path,
                       (long long)number, line);
    TRY(grow_array(&places->items, places->n, &places->capacity, sizeof *places->items, "places"));
    TRY(str_format(&place.name, "%.*s", (int)strcspn(line, ","), line));
    places->items[places->n++] = place;
    return ERR_NONE;
}

static Err read_places(const char *path, char *text, Places *places)
{
    bool heads = true;
    int64_t number = 1;
    for (char *line = text, *end = NULL; line != NULL; line = end, number++) {
        end = strchr(line, '\n');
        if (end != NULL) *end++ = '\0';
        if (line[0] == '#' || line[strspn(line, " \r")] == '\0') continue;
        if (!heads) TRY(add_place(places, path, number, line));
        heads = false;
    }
    return ERR_NONE;
}

Err places_load(const char *share, const char *name, Places *ret_places)
{
    Places places = { 0 };
    char *path = NULL, *text = NULL;
    size_t bytes = 0;
    *ret_places = places;
    if (share == NULL) return ERR_NONE;
    TRY(str_format(&path, "%s/places/%s.csv", share, name));
    Err err = ERR_NONE;
    if (file_exists(path)) {
        err = file_read(path, LIST_BYTES_MAX, &text, &bytes);
        if (err == ERR_NONE) err = read_places(path, text, &places);
    }
    free(text);
    free(path);
    if (err == ERR_NONE)
        *ret_places = places;
    else
        places_done(&places);
    return err;
}

void places_done(Places *places)
{
    for (int64_t i = 0; i < places->n; i++) free(places->items[i].name);
    free(places->items);
    *places = (Places){ 0 };
}

bool places_find(const Places *places, const char *name, double ret_lonlat[2])
{
    for (int64_t i = 0; i < places->n; i++) {
        if (strcmp(places->items[i].name, name) != 0) continue;
        ret_lonlat[0] = places->items[i].lon;
        ret_lonlat[1] = places->items[i].lat;
        return true;
    }
    return false;
}
