/* SPDX-License-Identifier: Apache-2.0
 * The features of a layer: which class, which pixels, and what a person should know of them. */
#include "geo/vector_labels.h"

#include "base/grow.h"
#include "base/str.h"
#include "geo/gdal_session.h"
#include "geo/vector_internal.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { TILE = 1024 };

static Err stopped(const VectorLabels *v, const volatile int *stop)
{
    if (stop == NULL || *stop == 0) return ERR_NONE;
    return err_set(ERR_INTERRUPTED, "stopped while '%s' was read", v->file.path);
}

/* ---- classes ---- */

/* Text without the blanks around it: those of a fixed-width field or of a hand on the keyboard. */
static void trim(char *text)
{
    char *begin = text;
    size_t length = 0;
    while (isspace((unsigned char)*begin)) begin++;
    length = strlen(begin);
    while (length > 0 && isspace((unsigned char)begin[length - 1])) length--;
    memmove(text, begin, length);
    text[length] = '\0';
}

static Err add_class(VectorLabels *v, const char *name, int64_t value, int32_t *ret_index)
{
    for (int32_t i = 0; i < v->n_classes; i++) {
        if (v->file.is_text ? strcmp(v->classes[i].name, name) != 0 : v->classes[i].value != value) continue;
        *ret_index = i;
        return ERR_NONE;
    }
    if (v->n_classes == VECTOR_MOST_CLASSES)
        return err_set(
            ERR_ARGUMENT,
            "'%s': field '%s' of layer '%s' has more than %d different values, so it is hardly the class; name "
            "another one with --field",
            v->file.path, v->file.field_name, v->layer_name, (int)VECTOR_MOST_CLASSES);
    VectorClass *c = &v->classes[v->n_classes];
    *c = (VectorClass){ .value = value };
    TRY(str_copy(name, &c->name));
    *ret_index = v->n_classes++;
    return ERR_NONE;
}

/* Class of a feature. *ret_index -1: its field holds nothing. */
static Err class_of(VectorLabels *v, OGRFeatureH feature, int32_t *ret_index)
{
    const VectorFile *f = &v->file;
    *ret_index = -1;
    if (f->cutline) return add_class(v, "", 0, ret_index);
    if (!OGR_F_IsFieldSetAndNotNull(feature, f->field)) return ERR_NONE;
    char *text = NULL;
    TRY(str_copy(OGR_F_GetFieldAsString(feature, f->field), &text));
    trim(text);
    const OGRFieldType type = OGR_Fld_GetType(OGR_F_GetFieldDefnRef(feature, f->field));
    const double real = type == OFTReal ? OGR_F_GetFieldAsDouble(feature, f->field) : 0.0;
    Err err = ERR_NONE;
    if (f->is_text) {
        if (text[0] != '\0') err = add_class(v, text, 0, ret_index);
    } else if (type == OFTReal && !(real == floor(real) && fabs(real) < 9e15)) {
        err = err_set(ERR_INPUT, "'%s': field '%s' of feature %lld is %s; a class is a whole number or a text", f->path,
                      f->field_name, (long long)OGR_F_GetFID(feature), text);
    } else {
        const int64_t value = type == OFTReal ? (int64_t)real : (int64_t)OGR_F_GetFieldAsInteger64(feature, f->field);
        free(text);
        TRY(str_format(&text, "%lld", (long long)value));
        err = add_class(v, text, value, ret_index);
    }
    free(text);
    return err;
}

typedef struct Ranked {
    VectorClass class;
    int32_t from;
} Ranked;

static int by_value(const void *a, const void *b)
{
    const Ranked *one = a;
    const Ranked *other = b;
    return one->class.value < other->class.value ? -1 : one->class.value > other->class.value;
}

static int by_name(const void *a, const void *b)
{
    const Ranked *one = a;
    const Ranked *other = b;
    return strcmp(one->class.name, other->class.name);
}

/* Puts the classes in order. */
static void sort_classes(VectorLabels *v)
{
    Ranked ranked[VECTOR_MOST_CLASSES];
    uint8_t rank[VECTOR_MOST_CLASSES] = { 0 };
    for (int32_t i = 0; i < v->n_classes; i++) ranked[i] = (Ranked){ v->classes[i], i };
    qsort(ranked, (size_t)v->n_classes, sizeof *ranked, v->file.is_text ? by_name : by_value);
    for (int32_t i = 0; i < v->n_classes; i++) {
        v->classes[i] = ranked[i].class;
        if (v->file.is_text) v->classes[i].value = i;
        rank[ranked[i].from] = (uint8_t)i;
    }
    for (int64_t i = 0; i < v->n_features; i++) v->features[i].class_index = rank[v->features[i].class_index];
    for (int64_t i = 0; i < v->n_shapes; i++) v->shapes[i].class_index = rank[v->shapes[i].class_index];
}

/* ---- features ---- */

static bool meets(const VectorLabels *v, const OGREnvelope *box)
{
    return box->MinX < v->width && box->MaxX > 0.0 && box->MinY < v->height && box->MaxY > 0.0;
}

static bool within(const VectorLabels *v, const OGREnvelope *box)
{
    return box->MinX >= 0.0 && box->MaxX <= v->width && box->MinY >= 0.0 && box->MaxY <= v->height;
}

/* Takes the geometry where it meets the image, else frees it. */
static Err add_shape(VectorLabels *v, OGRGeometryH geometry, int32_t class_index)
{
    OGREnvelope box;
    OGR_G_GetEnvelope(geometry, &box);
    Err err = ERR_NONE;
    if (meets(v, &box)) {
        err = grow_array(&v->shapes, v->n_shapes, &v->shapes_capacity, sizeof *v->shapes, "vector labels");
        if (err == ERR_NONE) {
            v->shapes[v->n_shapes++] = (VectorShape){ geometry, box, v->n_features, (uint8_t)class_index };
            return ERR_NONE;
        }
    }
    OGR_G_DestroyGeometry(geometry);
    return err;
}

/* Depth: that of the geometry. */
static void shift(OGRGeometryH geometry, double dx)
{
    for (int i = 0; i < OGR_G_GetGeometryCount(geometry); i++) shift(OGR_G_GetGeometryRef(geometry, i), dx);
    if (OGR_G_GetGeometryCount(geometry) > 0) return;
    for (int i = 0; i < OGR_G_GetPointCount(geometry); i++)
        OGR_G_SetPoint_2D(geometry, i, OGR_G_GetX(geometry, i) + dx, OGR_G_GetY(geometry, i));
}

/* The same a turn of the Earth further, where that meets the image as well. */
static Err add_turned(VectorLabels *v, OGRGeometryH geometry, int32_t class_index, double dx)
{
    OGREnvelope box;
    OGR_G_GetEnvelope(geometry, &box);
    box.MinX += dx;
    box.MaxX += dx;
    if (isnan(dx) || !meets(v, &box)) return ERR_NONE;
    OGRGeometryH copy = OGR_G_Clone(geometry);
    if (copy == NULL) return err_memory(0, "a geometry");
    shift(copy, dx);
    return add_shape(v, copy, class_index);
}

/* Takes the layer's latest feature, whose shapes from `first` on meet the image. */
static void count_feature(VectorLabels *v, int32_t class_index, int64_t first, bool cut)
{
    const int64_t last = v->n_layer - 1;
    VectorFeature feature = { .id = v->ids[last], .layer_index = last, .class_index = class_index };
    OGREnvelope box = v->shapes[first].box;
    for (int64_t i = first + 1; i < v->n_shapes; i++) {
        box.MinX = fmin(box.MinX, v->shapes[i].box.MinX);
        box.MaxX = fmax(box.MaxX, v->shapes[i].box.MaxX);
        box.MinY = fmin(box.MinY, v->shapes[i].box.MinY);
        box.MaxY = fmax(box.MaxY, v->shapes[i].box.MaxY);
    }
    feature.x0 = fmax(box.MinX, 0.0);
    feature.y0 = fmax(box.MinY, 0.0);
    feature.x1 = fmin(box.MaxX, v->width);
    feature.y1 = fmin(box.MaxY, v->height);
    v->states[last] |= cut ? VECTOR_ON_IMAGE | VECTOR_CUT : VECTOR_ON_IMAGE;
    v->features[v->n_features++] = feature;
}

/* One more feature of the layer, of which nothing is known yet. */
static Err add_state(VectorLabels *v, int64_t id)
{
    TRY(grow_array(&v->states, v->n_layer, &v->states_capacity, sizeof *v->states, "vector labels"));
    TRY(grow_array(&v->ids, v->n_layer, &v->ids_capacity, sizeof *v->ids, "vector labels"));
    v->states[v->n_layer] = 0;
    v->ids[v->n_layer++] = id;
    return ERR_NONE;
}

/* Adds the parts of the layer's latest feature that meet the image. */
static Err add_parts(VectorLabels *v, const VectorPlacing *placing, OGRGeometryH geometry, int32_t class_index)
{
    VectorPart parts[VECTOR_PARTS];
    int n_parts = 0;
    bool far = false;
    bool cut = false;
    const int64_t first = v->n_shapes;
    uint8_t *state = &v->states[v->n_layer - 1];
    Err err = vector_shape_parts(placing, &v->file, v->ids[v->n_layer - 1], geometry, parts, &n_parts, &far);
    if (err == ERR_NONE)
        err = grow_array(&v->features, v->n_features, &v->features_capacity, sizeof *v->features, "vector labels");
    for (int i = 0; i < n_parts; i++) {
        OGREnvelope box;
        OGR_G_GetEnvelope(parts[i].geometry, &box);
        cut = cut || !within(v, &box);
        if (parts[i].repaired) *state |= VECTOR_REPAIRED;
        if (parts[i].widened) *state |= VECTOR_WIDENED;
        if (err == ERR_NONE) err = add_turned(v, parts[i].geometry, class_index, placing->turn);
        if (err == ERR_NONE) err = add_turned(v, parts[i].geometry, class_index, -placing->turn);
        if (err == ERR_NONE)
            err = add_shape(v, parts[i].geometry, class_index);
        else
            OGR_G_DestroyGeometry(parts[i].geometry);
    }
    TRY(err);
    if (far) *state |= VECTOR_FAR;
    if (v->n_shapes > first) count_feature(v, class_index, first, cut);
    return ERR_NONE;
}

static Err add_feature(VectorLabels *v, const VectorPlacing *placing, OGRFeatureH feature)
{
    int32_t class_index = -1;
    OGRGeometryH geometry = OGR_F_GetGeometryRef(feature);
    TRY(add_state(v, (int64_t)OGR_F_GetFID(feature)));
    TRY(class_of(v, feature, &class_index));
    if (class_index < 0) v->states[v->n_layer - 1] |= VECTOR_NO_CLASS;
    if (geometry == NULL || OGR_G_IsEmpty(geometry)) {
        v->states[v->n_layer - 1] |= VECTOR_NO_GEOMETRY;
        return ERR_NONE;
    }
    return class_index < 0 ? ERR_NONE : add_parts(v, placing, geometry, class_index);
}

static Err read_features(VectorLabels *v, const VectorPlacing *placing, const volatile int *stop)
{
    Err err = ERR_NONE;
    OGRFeatureH feature = NULL;
    GdalSession session;
    gdal_begin(&session);
    OGR_L_ResetReading(v->file.layer);
    while (err == ERR_NONE && (feature = OGR_L_GetNextFeature(v->file.layer)) != NULL) {
        err = stopped(v, stop);
        if (err == ERR_NONE) err = add_feature(v, placing, feature);
        OGR_F_Destroy(feature);
    }
    if (err == ERR_NONE && session.failures > 0)
        err = err_set(ERR_INPUT, "'%s': layer '%s' cannot be read to its end (%s)", v->file.path, v->layer_name,
                      session.message);
    gdal_end(&session);
    return err;
}

/* ---- pixels ---- */

/* Burns one tile of the image, to count. */
static Err count_tile(VectorLabels *v, const PlaceWindow *tile, const VectorBurn *burn, uint8_t *classes)
{
    TRY(vector_burn(v, tile, burn, classes));
    for (int64_t p = 0; p < tile->columns * tile->rows; p++)
        if (classes[p] != VECTOR_NO_LABEL) v->classes[classes[p]].pixels++;
    return ERR_NONE;
}

static int64_t tiles(double size) { return (int64_t)ceil(size / TILE); }

/* Tile i along both axes, cut to the image. */
static PlaceWindow tile_at(const VectorLabels *v, int64_t column, int64_t row)
{
    const double x = (double)(column * TILE);
    const double y = (double)(row * TILE);
    return (PlaceWindow){
        x + 0.5, y + 0.5, 1.0, 1.0, (int64_t)fmin(v->width - x, TILE), (int64_t)fmin(v->height - y, TILE)
    };
}

/* The shapes among `from` that meet a span of columns or rows. */
static int64_t choose(const VectorLabels *v, const int64_t *from, int64_t n, bool rows, double low, double high,
                      int64_t *ret_which)
{
    int64_t count = 0;
    for (int64_t i = 0; i < n; i++) {
        const int64_t s = from != NULL ? from[i] : i;
        const OGREnvelope *box = &v->shapes[s].box;
        if ((rows ? box->MaxY : box->MaxX) >= low - 1.0 && (rows ? box->MinY : box->MinX) <= high + 1.0)
            ret_which[count++] = s;
    }
    return count;
}

static Err count_tiles(VectorLabels *v, int64_t *of_row, int64_t *of_tile, uint8_t *classes, const volatile int *stop)
{
    VectorBurn burn = { of_tile, 0, &v->overlaps };
    for (int64_t row = 0; row < tiles(v->height); row++) {
        const double y = (double)(row * TILE);
        const int64_t in_row = choose(v, NULL, v->n_shapes, true, y, y + TILE, of_row);
        for (int64_t column = 0; column < tiles(v->width) && in_row > 0; column++) {
            const double x = (double)(column * TILE);
            const PlaceWindow tile = tile_at(v, column, row);
            burn.count = choose(v, of_row, in_row, false, x, x + TILE, of_tile);
            if (burn.count == 0) continue;
            TRY(stopped(v, stop));
            TRY(count_tile(v, &tile, &burn, classes));
        }
    }
    return ERR_NONE;
}

static Err count_pixels(VectorLabels *v, const volatile int *stop)
{
    GdalSession session;
    const size_t bytes = ((size_t)v->n_shapes + 1) * sizeof(int64_t);
    int64_t *of_row = malloc(bytes);
    int64_t *of_tile = malloc(bytes);
    uint8_t *classes = malloc((size_t)TILE * TILE);
    gdal_begin(&session);
    Err err = of_row != NULL && of_tile != NULL && classes != NULL
                  ? count_tiles(v, of_row, of_tile, classes, stop)
                  : err_memory(2 * bytes + (size_t)TILE * TILE, "vector labels");
    gdal_end(&session);
    for (int64_t i = 0; i < v->n_features; i++) {
        const VectorFeature *feature = &v->features[i];
        if (feature->pixels > 0)
            v->classes[feature->class_index].features++;
        else
            v->states[feature->layer_index] |= VECTOR_SMALL;
    }
    free(of_row);
    free(of_tile);
    free(classes);
    return err;
}

/* ---- the whole ---- */

static void find(bool found, int64_t id, int64_t *count, int64_t *ret_first)
{
    if (found && (*count)++ == 0 && ret_first != NULL) *ret_first = id;
}

VectorFindings vector_findings(const uint8_t *states, const int64_t *ids, int64_t n)
{
    enum { SOMEWHERE = VECTOR_ON_IMAGE | VECTOR_NO_CLASS | VECTOR_NO_GEOMETRY | VECTOR_FAR };
    VectorFindings f = { .features = n };
    for (int64_t i = 0; i < n; i++) {
        const uint8_t state = states[i];
        find((state & VECTOR_ON_IMAGE) != 0, ids[i], &f.on_image, NULL);
        find((state & VECTOR_NO_CLASS) != 0, ids[i], &f.null_fields, &f.first_null);
        find((state & VECTOR_NO_GEOMETRY) != 0, ids[i], &f.empty, &f.first_empty);
        find((state & VECTOR_FAR) != 0, ids[i], &f.far, &f.first_far);
        find((state & SOMEWHERE) == 0, ids[i], &f.beside, NULL);
        find((state & VECTOR_CUT) != 0, ids[i], &f.partly, NULL);
        find((state & VECTOR_SMALL) != 0, ids[i], &f.small, &f.first_small);
        find((state & VECTOR_REPAIRED) != 0, ids[i], &f.repaired, &f.first_repaired);
        find((state & VECTOR_WIDENED) != 0, ids[i], &f.widened, NULL);
    }
    return f;
}

static Err check(const VectorLabels *v)
{
    const VectorFindings *f = &v->findings;
    if (f->features == 0)
        return err_set(ERR_INPUT, "'%s': layer '%s' has no feature, so there is nothing to %s", v->file.path,
                       v->layer_name, v->file.cutline ? "map" : "learn from");
    if (f->null_fields == f->features)
        return err_set(
            ERR_INPUT,
            "'%s': field '%s' is empty in all %lld features of layer '%s'; fill in the class, or name another "
            "field with --field",
            v->file.path, v->file.field_name, (long long)f->features, v->layer_name);
    return ERR_NONE;
}

static Err open_labels(VectorLabels *v, const char *path, const VectorOptions *options, Georeference *image,
                       const volatile int *stop)
{
    VectorPlacing placing = { 0 };
    GdalSession session;
    TRY(vector_file_open(path, options, &v->file));
    TRY(str_copy(OGR_L_GetName(v->file.layer), &v->layer_name));
    v->classes = calloc(VECTOR_MOST_CLASSES, sizeof *v->classes);
    if (v->classes == NULL) return err_memory(VECTOR_MOST_CLASSES * sizeof *v->classes, "the classes of vector labels");
    gdal_begin(&session);
    Err err = vector_placing_init(&v->file, image, v->width, v->height, options->buffer, &placing);
    if (err == ERR_NONE) err = read_features(v, &placing, stop);
    vector_placing_done(&placing);
    v->findings = vector_findings(v->states, v->ids, v->n_layer);
    if (err == ERR_NONE) err = check(v);
    if (err == ERR_NONE) {
        sort_classes(v);
        if (!v->file.cutline) err = vector_style_read(&v->file, v->classes, v->n_classes);
    }
    vector_file_release(&v->file);
    gdal_end(&session);
    if (err == ERR_NONE) err = count_pixels(v, stop);
    v->findings = vector_findings(v->states, v->ids, v->n_layer); /* now also what is small */
    return err;
}

Err vector_labels_open(const char *path, const VectorOptions *options, Georeference *image, int64_t width,
                       int64_t height, const volatile int *stop, VectorLabels **ret_labels)
{
    VectorLabels *v = calloc(1, sizeof *v);
    if (v == NULL) return err_memory(sizeof *v, "vector labels");
    v->width = (double)width;
    v->height = (double)height;
    const Err err = open_labels(v, path, options, image, stop);
    if (err == ERR_NONE)
        *ret_labels = v;
    else
        vector_labels_close(v);
    return err;
}

void vector_labels_close(VectorLabels *v)
{
    if (v == NULL) return;
    for (int64_t i = 0; i < v->n_shapes; i++) OGR_G_DestroyGeometry(v->shapes[i].geometry);
    for (int32_t i = 0; i < v->n_classes; i++) free(v->classes[i].name);
    vector_file_close(&v->file);
    free(v->shapes);
    free(v->features);
    free(v->states);
    free(v->ids);
    free(v->classes);
    free(v->layer_name);
    free(v->mask);
    free(v);
}

const char *vector_labels_path(const VectorLabels *v) { return v->file.path; }
const char *vector_labels_layer(const VectorLabels *v) { return v->layer_name; }
const char *vector_labels_field(const VectorLabels *v) { return v->file.field_name; }
bool vector_labels_is_text(const VectorLabels *v) { return v->file.is_text; }
int32_t vector_labels_class_count(const VectorLabels *v) { return v->n_classes; }
const VectorClass *vector_labels_class(const VectorLabels *v, int32_t index) { return &v->classes[index]; }
int64_t vector_labels_feature_count(const VectorLabels *v) { return v->n_features; }
const VectorFeature *vector_labels_feature(const VectorLabels *v, int64_t index) { return &v->features[index]; }
const uint8_t *vector_labels_states(const VectorLabels *v) { return v->states; }
const int64_t *vector_labels_ids(const VectorLabels *v) { return v->ids; }
const VectorFindings *vector_labels_findings(const VectorLabels *v) { return &v->findings; }
VectorOverlaps vector_labels_overlaps(const VectorLabels *v) { return v->overlaps; }
