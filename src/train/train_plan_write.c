/* SPDX-License-Identifier: Apache-2.0
 * The configuration that a plan is. */
#include "train/train_plan.h"

#include "base/str.h"
#include "geo/band_name.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* In double quotation marks, as YAML escapes. */
static void quote(Str *text, const char *value)
{
    str_add_char(text, '"');
    for (const char *c = value; *c != '\0'; c++) {
        if ((unsigned char)*c < ' ' || *c == 0x7f)
            str_addf(text, "\\x%02x", (unsigned)(unsigned char)*c);
        else if (*c == '"' || *c == '\\')
            str_addf(text, "\\%c", *c);
        else
            str_add_char(text, *c);
    }
    str_add_char(text, '"');
}

static void put(Str *text, const char *key, const char *value)
{
    if (value == NULL) return;
    str_addf(text, "%s: ", key);
    quote(text, value);
    str_add_char(text, '\n');
}

/* A relative path would start at the folder of the configuration. */
static void put_path(Str *text, const char *key, const char *path)
{
    char *absolute = path != NULL ? realpath(path, NULL) : NULL;
    put(text, key, absolute != NULL ? absolute : path);
    free(absolute);
}

static void put_number(Str *text, const char *key, double value) { str_addf(text, "%s: %.5g\n", key, value); }

static void put_list(Str *text, const char *key, const ModelConfig *m, const int32_t *chosen, int64_t n, size_t field)
{
    str_addf(text, "  %s: [", key);
    for (int64_t b = 0; b < n; b++) {
        double value = 0.0;
        memcpy(&value, (const char *)&m->bands[chosen[b]] + field, sizeof value);
        str_addf(text, "%s%.17g", b > 0 ? ", " : "", value);
    }
    str_add(text, "]\n");
}

bool plan_reads_reflectance(const Plan *p, int32_t ret_bands[MODEL_MAX_BANDS])
{
    const ModelConfig *m = &p->from;
    const char *names[MODEL_MAX_BANDS];
    if (!p->has_from || m->reflectance == 0.0) return false;
    for (int32_t b = 0; b < m->network.n_bands; b++) names[b] = m->bands[b].name;
    for (int64_t b = 0; b < p->n_bands; b++) {
        const int64_t found = band_name_find(p->band_names[b], m->network.n_bands, names);
        if (found < 0) return false;
        ret_bands[b] = (int32_t)found;
    }
    return true;
}

/* A model of reflectance reads the same reflectance here, where all bands are bands of its. */
static void write_reflectance(const Plan *p, Str *text)
{
    const ModelConfig *m = &p->from;
    int32_t chosen[MODEL_MAX_BANDS];
    if (!plan_reads_reflectance(p, chosen)) return;
    str_addf(text, "  reflectance: %.17g\n  transform: %s\n", m->reflectance, model_transform_names[m->transform]);
    if (m->byte_scale != 0.0) str_addf(text, "  byte_scale: %.17g\n", m->byte_scale);
    put_list(text, "mean", m, chosen, p->n_bands, offsetof(ModelBand, mean));
    put_list(text, "std", m, chosen, p->n_bands, offsetof(ModelBand, std));
    if (!model_config_reads_level_1(m)) return;
    put_list(text, "surface_scale", m, chosen, p->n_bands, offsetof(ModelBand, surface_scale));
    put_list(text, "surface_offset", m, chosen, p->n_bands, offsetof(ModelBand, surface_offset));
}

static void write_model(const Plan *p, Str *text)
{
    const bool in_metres = plan_in_metres(p);
    double low = in_metres ? p->scenes[0].side : 1.0;
    double high = low;
    for (int64_t i = 1; i < p->n_scenes && in_metres; i++) {
        low = p->scenes[i].side < low ? p->scenes[i].side : low;
        high = p->scenes[i].side > high ? p->scenes[i].side : high;
    }
    str_add(text, "model:\n");
    if (p->has_from) {
        const NetworkConfig *n = &p->from.network;
        str_addf(text, "  encoder: %s\n  decoder: %s\n  decoder_width: %d\n  output_stride: %d\n",
                 network_encoder_names[n->encoder], network_decoder_names[n->decoder], (int)n->decoder_width,
                 (int)n->output_stride);
        if (n->detail_width != 0) str_addf(text, "  detail_width: %d\n", (int)n->detail_width);
        if (n->missing_bands) str_add(text, "  missing_bands: true\n");
        write_reflectance(p, text);
    } else if (p->detail_alone) {
        str_add(text, "  encoder: none\n  output_stride: 2\n  detail_width: 32\n");
    } else {
        put_path(text, "  encoder_weights", p->given->encoder_weights);
    }
    str_addf(text, "  fusion: %s\n", p->reads_text ? "caf" : "none");
    if (p->reads_text) put_path(text, "  climate", p->given->climate);
    /* pixels a third smaller or larger look alike */
    put_number(text, "  gsd_min", 0.75 * low / (double)p->upsample);
    put_number(text, "  gsd_max", 1.3333 * high / (double)p->upsample);
    str_addf(text, "  gsd_unit: %s\n", model_unit_names[in_metres ? MODEL_METRE : MODEL_PIXEL]);
}

static void write_data(const Plan *p, Str *text)
{
    str_add(text, "data:\n  scenes:\n");
    for (int64_t i = 0; i < p->n_scenes; i++) {
        const PlanScene *s = &p->scenes[i];
        str_addf(text, "    - name: \"%lld\"\n", (long long)i + 1);
        put(text, "      image", s->image);
        put(text, "      labels", s->labels);
        put(text, "      crs", p->given->crs);
        put(text, "      labels_crs", p->given->labels_crs);
        if (s->vector) {
            put(text, "      labels_layer", p->given->layer);
            put(text, "      labels_field", p->given->field);
            put_number(text, "      labels_buffer", p->given->buffer);
        }
        str_addf(text, "      bands: [%s]\n", s->bands);
        if (s->level != PROCESSING_UNKNOWN) str_addf(text, "      level: %s\n", processing_level_names[s->level]);
    }
    if (p->colors) str_add(text, "  labels_kind: colors\n");
    if (p->given->gsd > 0.0) put_number(text, "  gsd", p->given->gsd);
    if (p->fraction > 0.0) put_number(text, "  validation_fraction", p->fraction);
    if (p->given->classes != NULL) {
        put_path(text, "  class_table", p->given->classes);
    } else {
        str_add(text, "  classes:\n");
        for (uint32_t i = 0; i < p->classes.n_classes; i++) {
            const DatasetClass *c = &p->classes.classes[i];
            str_addf(text, "    - { value: %d, name: ", (int)c->value);
            quote(text, c->name);
            str_addf(text, ", color: \"%s\" }\n", c->color);
        }
    }
    if (p->split.n_boxes > 0) str_add(text, "  validation:\n");
    for (uint32_t b = 0; b < p->split.n_boxes; b++) {
        const DatasetBox *box = &p->split.boxes[b];
        str_add(text, "    - { name: ");
        quote(text, box->name);
        str_addf(text, ", west: %.9f, south: %.9f, east: %.9f, north: %.9f }\n", box->west, box->south, box->east,
                 box->north);
    }
}

static void write_encoder_training(const Plan *p, Str *text)
{
    put_number(text, "  learning_rate", p->continues ? 0.0005 : 0.001);
    str_add(text, "  encoder_multiplier: 0.1\n  encoder_start: 0.2 # the decoder learns first\n");
    str_add(text, "  balance: 0.8 # rare classes are drawn nearly as often as frequent ones\n");
    str_addf(text, "  freeze_encoder: 0\n  freeze_decoder: %s\n", p->continues ? "0" : "0.5");
}

/* What keeps a small network from learning few labels by heart. */
static void write_detail_training(Str *text)
{
    put_number(text, "  learning_rate", 0.003);
    str_add(text, "  encoder_multiplier: 1\n  weight_decay: 0.1\n  color_jitter: 0.4\n  label_smoothing: 0.1\n"
                  "  dice_weight: 0\n  balance: 0.2\n  freeze_encoder: 0\n  freeze_decoder: 0.5\n");
}

static void write_train(const Plan *p, Str *text)
{
    const int64_t every = p->validations > 0 ? (p->steps + p->validations - 1) / p->validations : p->steps;
    str_add(text, "train:\n");
    put_path(text, "  from", p->given->from);
    str_addf(text, "  seed: %lld\n  steps: %lld # %g minutes", (long long)p->given->seed, (long long)p->steps,
             p->given->minutes);
    if (p->speed.seconds_per_step > 0.0) str_addf(text, " at %.3f s a step", p->speed.seconds_per_step);
    str_addf(text, "\n  batch: %lld\n  window: %lld\n  upsample: %lld\n", (long long)p->batch, (long long)p->window,
             (long long)p->upsample);
    if (p->detail_alone)
        write_detail_training(text);
    else
        write_encoder_training(p, text);
    str_addf(text, "  warmup_steps: %lld\n", (long long)(p->steps / 20));
    str_addf(text, "  ema_decay: %s\n", p->steps >= 200 ? "0.99" : "0");
    str_addf(text, "  validate_every: %lld\n  checkpoint_every: %lld\n", (long long)every, (long long)every);
    str_add(text, "  output: .\n");
}

Err plan_write(const Plan *plan, char **ret_yaml)
{
    Str text = { 0 };
    str_add(&text, "# Made by `metaseg train --labels`; edit it and train again with `metaseg train` and this file.\n");
    put(&text, "name", plan->given->name);
    write_model(plan, &text);
    write_data(plan, &text);
    write_train(plan, &text);
    return str_take(&text, ret_yaml);
}
