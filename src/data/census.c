/* SPDX-License-Identifier: Apache-2.0
 * Counting what a data set holds. */
#include "data/census.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* A file, whatever path leads to it. */
struct SceneImage {
    dev_t device;
    ino_t inode;
    uint32_t scene;
};

/* What a file states of a band's numbers. */
struct BandTags {
    double scale, offset;
    char unit[32];
};

Err census_init(const DatasetOptions *options, Census *ret_census)
{
    const size_t boxes = (size_t)options->n_validation + 1;
    *ret_census = (Census){ .options = options, .table = label_table(options), .step = 1 };
    ret_census->in_box = calloc(boxes, sizeof *ret_census->in_box);
    ret_census->met = calloc(boxes, sizeof *ret_census->met);
    ret_census->images = calloc(options->n_scenes, sizeof *ret_census->images);
    if (ret_census->in_box != NULL && ret_census->met != NULL && ret_census->images != NULL) return ERR_NONE;
    census_done(ret_census);
    return err_memory(boxes * sizeof *ret_census->in_box, "the counts of the labels");
}

void census_done(Census *census)
{
    free(census->in_box);
    free(census->met);
    free(census->images);
    free(census->first_tags);
    vector_census_done(&census->vectors);
    census->in_box = NULL;
    census->met = NULL;
    census->images = NULL;
    census->first_tags = NULL;
}

static void found(Finding *finding, uint32_t scene)
{
    if (finding->scenes++ == 0) finding->first = scene;
}

/* "UInt16, UInt16" and "red, green" of the chosen bands. */
static void describe_bands(const Raster *image, char type[64], char band[64])
{
    size_t types = 0;
    size_t names = 0;
    for (int64_t i = 0; i < raster_chosen_count(image); i++) {
        const int64_t b = raster_chosen_band(image, i);
        const char *comma = i > 0 ? ", " : "";
        types += (size_t)snprintf(type + types, 64 - types, "%s%s", comma, raster_band_type(image, b));
        names += (size_t)snprintf(band + names, 64 - names, "%s%s", comma, raster_band_name(image, b));
        types = types < 63 ? types : 63;
        names = names < 63 ? names : 63;
    }
}

static void compare_bands(Census *c, const Scene *s, uint32_t index)
{
    char type[64] = "";
    char band[64] = "";
    describe_bands(s->image->raster, type, band);
    if (index == c->first) {
        memcpy(c->first_type, type, sizeof type);
        memcpy(c->first_band, band, sizeof band);
        return;
    }
    if (strcmp(type, c->first_type) != 0) {
        if (c->other_type.scenes == 0) memcpy(c->type, type, sizeof type);
        found(&c->other_type, index);
    }
    /* what has no name in the file is "band 3": it contradicts nothing */
    if (strcmp(band, c->first_band) != 0 && strstr(band, "band ") == NULL && strstr(c->first_band, "band ") == NULL) {
        if (c->other_band.scenes == 0) memcpy(c->band, band, sizeof band);
        found(&c->other_band, index);
    }
}

static void write_tags(const Raster *image, int64_t i, const struct BandTags *tags, char text[TAGS_BYTES])
{
    const int64_t band = raster_chosen_band(image, i);
    (void)snprintf(text, TAGS_BYTES, "scale %.10g, offset %.10g%s%s of band %lld (%s)", tags->scale, tags->offset,
                   tags->unit[0] != '\0' ? ", unit " : "", tags->unit, (long long)band, raster_band_name(image, band));
}

static bool same_tags(const struct BandTags *a, const struct BandTags *b)
{
    const bool units = a->unit[0] == '\0' || b->unit[0] == '\0' || strcmp(a->unit, b->unit) == 0;
    return units && a->scale == b->scale && a->offset == b->offset;
}

static struct BandTags tags_of(const Raster *image, int64_t i)
{
    struct BandTags tags;
    const int64_t band = raster_chosen_band(image, i);
    raster_band_scaling(image, band, &tags.scale, &tags.offset);
    (void)snprintf(tags.unit, sizeof tags.unit, "%s", raster_band_unit(image, band));
    return tags;
}

/* What stands in the tags of one scene must hold for the others, too: a model learns stored numbers, less offsets. */
static Err compare_tags(Census *c, const Scene *s, uint32_t index)
{
    const Raster *image = s->image->raster;
    const int64_t bands = raster_chosen_count(image);
    bool far = false;
    bool other = false;
    if (index == c->first) {
        c->first_tags = calloc((size_t)bands, sizeof *c->first_tags);
        if (c->first_tags == NULL) return err_memory((size_t)bands * sizeof *c->first_tags, "the tags of the bands");
        c->n_tags = bands;
    }
    for (int64_t i = 0; i < bands && i < c->n_tags; i++) {
        const struct BandTags tags = tags_of(image, i);
        if (!far && raster_offset_is_far(image, raster_chosen_band(image, i))) {
            far = true;
            if (c->far_offset.scenes == 0) write_tags(image, i, &tags, c->offset);
            found(&c->far_offset, index);
        }
        if (index == c->first) c->first_tags[i] = tags;
        if (other || same_tags(&tags, &c->first_tags[i])) continue;
        other = true;
        if (c->other_tags.scenes == 0) {
            write_tags(image, i, &tags, c->tags[0]);
            write_tags(image, i, &c->first_tags[i], c->tags[1]);
        }
        found(&c->other_tags, index);
    }
    return ERR_NONE;
}

static void compare_sampling(Census *c, const Scene *s, uint32_t index)
{
    const double slack = 1.001; /* as in prediction: a bound met but for rounding is met */
    const DatasetOptions *o = c->options;
    const PixelSides sides = georeference_pixel_sides(s->image->place, o->gsd_unit == MODEL_DEGREE);
    const bool in_pixels = o->gsd_unit == MODEL_PIXEL;
    if (!sides.known && o->gsd == 0.0 && !in_pixels) return;
    const double pixel = (in_pixels ? 1.0 : sides.known ? sides.side : o->gsd) / o->upsample;
    if (pixel < o->gsd_min / slack) {
        c->finest = c->too_fine.scenes == 0 ? pixel : fmin(c->finest, pixel);
        found(&c->too_fine, index);
    } else if (pixel > o->gsd_max * slack) {
        c->coarsest = fmax(c->coarsest, pixel);
        found(&c->too_coarse, index);
    }
}

Err census_files(Census *c, uint32_t index)
{
    const DatasetScene *scene = &c->options->scenes[index];
    struct stat image;
    struct stat label_file;
    if (stat(scene->image, &image) == 0 && stat(scene->labels, &label_file) == 0) {
        if (image.st_dev == label_file.st_dev && image.st_ino == label_file.st_ino)
            return err_set(ERR_CONFIG, "scene '%s': image and labels are one file, '%s'; name the label raster",
                           scene->name, scene->image);
        c->images[index] = (struct SceneImage){ image.st_dev, image.st_ino, index };
    }
    return ERR_NONE;
}

Err census_scene(Census *c, const Scene *s, uint32_t index)
{
    const RasterInfo *labels = s->labels->raster != NULL ? raster_info(s->labels->raster) : NULL;
    if (c->opened++ == 0) c->first = index;
    const bool values = c->options->labels_kind == LABELS_CLASSES;
    if (s->lonlat == NULL) found(s->image->zone_place != NULL ? &c->pointed : &c->unplaced, index);
    if (s->labels->bands > 1 && values) found(&c->bands, index);
    if (raster_info(s->image->raster)->has_palette) found(&c->palette, index);
    if (values && labels != NULL && labels->has_nodata && label_is_code((float)labels->nodata)) {
        const uint8_t class_index = label_class(&c->table, (float)labels->nodata);
        if (class_index != CLASS_IGNORE) found(&c->nodata[class_index], index);
    }
    compare_bands(c, s, index);
    TRY(compare_tags(c, s, index));
    compare_sampling(c, s, index);
    return ERR_NONE;
}

Err census_vectors(Census *c, const Scene *s)
{
    return s->labels->vector != NULL ? vector_census_add(&c->vectors, s->labels->vector) : ERR_NONE;
}

static int by_file(const void *a, const void *b)
{
    const struct SceneImage *x = a;
    const struct SceneImage *y = b;
    if (x->device != y->device) return x->device < y->device ? -1 : 1;
    if (x->inode != y->inode) return x->inode < y->inode ? -1 : 1;
    return x->scene < y->scene ? -1 : x->scene > y->scene;
}

int64_t census_same_images(Census *c, uint32_t ret_pair[2])
{
    const DatasetScene *scenes = c->options->scenes;
    int64_t found_again = 0;
    bool apart = false;
    qsort(c->images, c->options->n_scenes, sizeof *c->images, by_file);
    for (uint32_t i = 1; i < c->options->n_scenes; i++) {
        const struct SceneImage *before = &c->images[i - 1];
        const struct SceneImage *now = &c->images[i];
        if (now->inode == 0 || before->device != now->device || before->inode != now->inode) continue;
        const bool other_split = scenes[before->scene].split != scenes[now->scene].split;
        if (found_again++ > 0 && (apart || !other_split)) continue;
        apart = other_split;
        ret_pair[0] = before->scene;
        ret_pair[1] = now->scene;
    }
    return found_again;
}

void census_labels(Census *c, uint32_t index, int64_t inside, int64_t valid, int64_t labelled)
{
    if (labelled > 0) return;
    found(&c->unlabelled[inside == 0 ? UNLABELLED_APART : valid == 0 ? UNLABELLED_VALID : UNLABELLED_VALUES], index);
}

void census_mask_elsewhere(Census *c, uint32_t index) { found(&c->mask_elsewhere, index); }

void census_invalid(Census *c, uint32_t index, bool whole)
{
    found(whole ? &c->invalid : &c->rarely_valid, index);
    if (whole && c->options->scenes[index].split == SCENE_TRAIN) c->invalid_training++;
}
