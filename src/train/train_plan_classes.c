/* SPDX-License-Identifier: Apache-2.0
 * From values in labels to the classes of a model. */
#include "train/train_plan.h"

#include "base/class_color.h"
#include "base/report.h"
#include "base/str.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Colours that maps have for what is called so; words within a name count. */
static uint32_t color_of(const char *name, int32_t index)
{
    static const struct {
        const char *word;
        uint32_t color;
    } usual[] = {
        { "water", 0x3a7ebf },  { "lake", 0x3a7ebf },       { "river", 0x3a7ebf },    { "wetland", 0x7fb7b2 },
        { "forest", 0x1f6b34 }, { "tree", 0x2d7d43 },       { "wood", 0x2d7d43 },     { "shrub", 0x8a9a3b },
        { "grass", 0x9ccb60 },  { "meadow", 0x9ccb60 },     { "crop", 0xe8c765 },     { "arable", 0xe8c765 },
        { "field", 0xe8c765 },  { "built", 0xc23b36 },      { "building", 0xc23b36 }, { "urban", 0xc23b36 },
        { "road", 0x7d7d85 },   { "impervious", 0x8d8d95 }, { "bare", 0xb99c7a },     { "soil", 0xb99c7a },
        { "sand", 0xdcc59a },   { "snow", 0xeef3f7 },
    };
    char lower[64];
    size_t n = 0;
    for (; name[n] != '\0' && n + 1 < sizeof lower; n++)
        lower[n] = (char)(name[n] >= 'A' && name[n] <= 'Z' ? name[n] - 'A' + 'a' : name[n]);
    lower[n] = '\0';
    for (int64_t i = 0; i < ARRAY_LEN(usual); i++)
        if (strstr(lower, usual[i].word) != NULL) return usual[i].color;
    return class_color(index);
}

/* A colour that no class has yet. */
static uint32_t free_color(const Plan *p, int32_t index, uint32_t wanted)
{
    char text[8];
    for (int32_t shift = 0; shift < 256; shift++) {
        bool taken = false;
        (void)snprintf(text, sizeof text, "#%06x", (unsigned)wanted);
        for (int32_t i = 0; i < index; i++) taken = taken || str_equal_nocase(p->classes.classes[i].color, text);
        if (!taken) break;
        wanted = class_color(index + shift);
    }
    return wanted;
}

static Err fill_class(DatasetClass *c, int32_t value, const char *name, uint32_t color)
{
    c->value = value;
    TRY(str_copy(name, &c->name));
    return str_format(&c->color, "#%06x", (unsigned)color);
}

static Err allocate(Plan *p, int32_t n)
{
    p->classes.ignore = 255;
    p->classes.classes = calloc((size_t)n + 1, sizeof *p->classes.classes);
    if (p->classes.classes == NULL) return err_memory((size_t)n * sizeof *p->classes.classes, "the classes");
    p->classes.n_classes = (uint32_t)n;
    return ERR_NONE;
}

static Err classes_of_model(Plan *p)
{
    TRY(allocate(p, p->from.network.n_classes));
    for (int32_t i = 0; i < p->from.network.n_classes; i++)
        TRY(fill_class(&p->classes.classes[i], p->from.classes[i].code, p->from.classes[i].name,
                       p->from.classes[i].color));
    return ERR_NONE;
}

/* Numbers rising before texts in the order of their bytes. */
static int by_value(const void *a, const void *b)
{
    const PlanValue *x = *(PlanValue *const *)a;
    const PlanValue *y = *(PlanValue *const *)b;
    if (x->value < 0 && y->value < 0) return strcmp(x->name, y->name);
    if ((x->value < 0) != (y->value < 0)) return x->value < 0 ? 1 : -1;
    return x->value < y->value ? -1 : x->value > y->value;
}

/* A class of a number may be called like another one: two entries of a legend with one text. No two classes of a model are. */
static Err own_name(const Plan *p, int32_t index, const PlanValue *v, char **ret_name)
{
    bool taken = false;
    for (int32_t i = 0; i < index; i++) taken = taken || str_equal_nocase(p->classes.classes[i].name, v->name);
    return taken ? str_format(ret_name, "%s (%lld)", v->name, (long long)v->value) : str_copy(v->name, ret_name);
}

static Err classes_of_values(Plan *p)
{
    PlanValue *sorted[VECTOR_MOST_CLASSES];
    int32_t texts = 0;
    for (int32_t i = 0; i < p->n_values; i++) {
        sorted[i] = &p->values[i];
        texts += p->values[i].value < 0;
    }
    if (texts > 0 && texts < p->n_values)
        return err_set(ERR_INPUT,
                       "some labels have texts as classes ('%s') and others numbers; use one of them, or a "
                       "table of both with --classes",
                       p->values[0].name);
    qsort(sorted, (size_t)p->n_values, sizeof *sorted, by_value);
    TRY(allocate(p, p->n_values));
    for (int32_t i = 0; i < p->n_values; i++) {
        const PlanValue *v = sorted[i];
        char *name = NULL;
        TRY(own_name(p, i, v, &name));
        const Err err = fill_class(&p->classes.classes[i], v->value < 0 ? i + 1 : (int32_t)v->value, name,
                                   v->has_color ? v->color : free_color(p, i, color_of(v->name, i)));
        free(name);
        TRY(err);
    }
    return ERR_NONE;
}

static int32_t class_of(const Plan *p, const PlanValue *v)
{
    for (uint32_t i = 0; i < p->classes.n_classes; i++) {
        const DatasetClass *c = &p->classes.classes[i];
        if (v->value < 0 ? str_equal_nocase(c->name, v->name) : c->value == v->value) return (int32_t)i;
    }
    return -1;
}

/* All values are classes of the model that training starts from. */
static bool model_has_all(const Plan *p)
{
    bool all = p->has_from;
    for (int32_t i = 0; all && i < p->n_values; i++) {
        const PlanValue *v = &p->values[i];
        bool found = false;
        for (int32_t c = 0; c < p->from.network.n_classes; c++)
            found = found || str_equal_nocase(p->from.classes[c].name, v->name);
        all = found && v->value < 0;
    }
    return all;
}

static void map_items(Plan *p)
{
    int64_t kept = 0;
    for (int32_t i = 0; i < p->n_values; i++) p->values[i].class_index = class_of(p, &p->values[i]);
    for (int64_t i = 0; i < p->n_items; i++) {
        SplitItem item = p->items[i];
        item.class_index = p->values[item.class_index].class_index;
        if (item.class_index >= 0) p->items[kept++] = item;
    }
    p->n_items = kept;
}

/* All vector files together. */
static VectorFindings sum_of_findings(const VectorCensus *vectors)
{
    VectorFindings sum = { 0 };
    for (int64_t i = 0; i < vectors->n_layers; i++) {
        const VectorCensusLayer *l = &vectors->layers[i];
        const VectorFindings f = vector_findings(l->states, l->ids, l->n_features);
        sum.features += f.features;
        sum.beside += f.beside;
        sum.far += f.far;
        sum.empty += f.empty;
    }
    return sum;
}

/* Where the features are that are not on the images, for the message of files without a use. */
static void describe_missing(const VectorFindings *f, char ret_text[256])
{
    ret_text[0] = '\0';
    if (f->features == 0) return;
    (void)snprintf(
        ret_text, 256,
        " (of %lld features %lld lie beside it, %lld where its projection has no place, and %lld have no geometry)",
        (long long)f->features, (long long)f->beside, (long long)f->far, (long long)f->empty);
}

static bool has_contradictions(const VectorCensus *vectors)
{
    for (int64_t i = 0; i < vectors->n_layers; i++)
        if (vectors->layers[i].overlaps.contradicting > 0) return true;
    return false;
}

static Err check(const Plan *p)
{
    int32_t learned = 0;
    const char *only = "";
    char missing[256];
    const VectorFindings found = sum_of_findings(&p->vectors);
    describe_missing(&found, missing);
    for (int32_t i = 0; i < p->n_values; i++) {
        if (p->values[i].class_index < 0 || p->values[i].pixels <= 0.0) continue;
        learned++;
        only = p->values[i].name;
    }
    if (learned == 0)
        return err_set(ERR_INPUT, "'%s': no label lies on '%s'%s%s; are both of the same place%s?", p->scenes[0].labels,
                       p->scenes[0].image, p->n_scenes > 1 ? " or on another image" : "", missing,
                       found.beside + found.far > 0
                           ? ", or does the file tell a wrong coordinate reference system, in place of which "
                             "--labels-crs names the right one"
                           : "");
    if (learned == 1 && !p->has_from)
        return err_set(ERR_INPUT,
                       "'%s': '%s' is the only class on the image; a map needs two at least: label some of what is "
                       "something else, too%s",
                       p->scenes[0].labels, only,
                       p->has_255 ? " (the value 255 is no label: give what it stands for another value)"
                       : has_contradictions(&p->vectors)
                           ? " (features of other classes lie under it; the last one of a layer has a pixel)"
                           : "");
    return ERR_NONE;
}

static void tell(const Plan *p)
{
    Str text = { 0 };
    double all = 0.0;
    for (int32_t i = 0; i < p->n_values; i++) all += p->values[i].class_index >= 0 ? p->values[i].pixels : 0.0;
    for (int32_t i = 0; i < p->n_values; i++) {
        const PlanValue *v = &p->values[i];
        if (v->class_index < 0) continue;
        const char *name = p->classes.classes[v->class_index].name;
        str_addf(&text, "%s%s (", text.length > 0 ? ", " : "", name);
        if (v->features > 0) str_addf(&text, "%lld features, ", (long long)v->features);
        str_addf(&text, "%.1f %% of the labels)", 100.0 * v->pixels / all);
        if (v->features > 0 && v->features < 3)
            report_message(p->run, 1, "class '%s' has only %lld feature%s: %s; draw more of it, in different places",
                           v->name, (long long)v->features, v->features > 1 ? "s" : "",
                           v->features > 1 ? "one to learn from and one to validate with"
                                           : "it can be learned but not validated");
    }
    report_message(p->run, 0, "classes: %s", str_text(&text));
    str_done(&text);
}

Err plan_classes(Plan *p)
{
    p->continues = model_has_all(p);
    if (p->given->classes == NULL) TRY(p->continues ? classes_of_model(p) : classes_of_values(p));
    map_items(p);
    TRY(check(p));
    tell(p);
    return ERR_NONE;
}
