/* SPDX-License-Identifier: Apache-2.0
 * Starting from a trained model: every weight that has its place here, the heads' rows by the names of classes, the filters
 * that read bands by the names of bands. */
#include "train/trainer.h"

#include "base/report.h"
#include "base/str.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Which of the other model's classes and bands are ours; -1: none. */
typedef struct Matches {
    const ModelConfig *from, *to;
    int32_t classes[MODEL_MAX_CLASSES], bands[MODEL_MAX_BANDS];
    int32_t n_classes, n_bands;
    bool same_classes, same_bands; /* all, in the same order */
    bool in_order; /* no band has the name of another: they are taken in turn, as of ImageNet's weights */
} Matches;

static Matches match(const ModelConfig *from, const ModelConfig *to)
{
    Matches m = { .from = from, .to = to };
    m.same_classes = from->network.n_classes == to->network.n_classes;
    m.same_bands = from->network.n_bands == to->network.n_bands;
    for (int32_t i = 0; i < to->network.n_classes; i++) {
        m.classes[i] = -1;
        for (int32_t k = 0; k < from->network.n_classes && m.classes[i] < 0; k++)
            if (str_equal_nocase(from->classes[k].name, to->classes[i].name)) m.classes[i] = k;
        m.n_classes += m.classes[i] >= 0;
        m.same_classes = m.same_classes && m.classes[i] == i;
    }
    for (int32_t i = 0; i < to->network.n_bands; i++) {
        m.bands[i] = -1;
        for (int32_t k = 0; k < from->network.n_bands && m.bands[i] < 0; k++)
            if (str_equal_nocase(from->bands[k].name, to->bands[i].name)) m.bands[i] = k;
        m.n_bands += m.bands[i] >= 0;
        m.same_bands = m.same_bands && m.bands[i] == i;
    }
    m.in_order = m.n_bands == 0;
    for (int32_t i = 0; i < to->network.n_bands && m.in_order; i++) m.bands[i] = i % from->network.n_bands;
    return m;
}

/* Rows of a layer whose outputs are classes; the new ones keep their random values. */
static void copy_rows(const Matches *m, const Tensor *from, const Tensor *to)
{
    const int64_t row = shape_count(&to->shape) / m->to->network.n_classes;
    for (int32_t i = 0; i < m->to->network.n_classes; i++)
        if (m->classes[i] >= 0)
            memcpy((float *)to->data + i * row, (const float *)from->data + m->classes[i] * row,
                   (size_t)row * sizeof(float));
}

/* Filters [outputs, channels, taps] that read the bands and perhaps their presence; what a new band tells begins at 0. */
static void copy_filters(const Matches *m, const Tensor *from, const Tensor *to)
{
    const int64_t outputs = to->shape.dim[0];
    const int64_t here = to->shape.dim[1];
    const int64_t there = from->shape.dim[1];
    const int64_t taps = shape_count(&to->shape) / (outputs * here);
    const float scale = m->in_order ? (float)m->from->network.n_bands / (float)m->to->network.n_bands : 1.0F;
    for (int64_t o = 0; o < outputs; o++) {
        for (int64_t c = 0; c < here; c++) {
            const int32_t band = m->bands[c % m->to->network.n_bands];
            const int64_t channel = band + c / m->to->network.n_bands * m->from->network.n_bands;
            float *target = (float *)to->data + (o * here + c) * taps;
            const float *source =
                band >= 0 && channel < there ? (const float *)from->data + (o * there + channel) * taps : NULL;
            for (int64_t k = 0; k < taps; k++) target[k] = source != NULL ? scale * source[k] : 0.0F;
        }
    }
}

static bool reads_bands(const char *name)
{
    return strcmp(name, "encoder._conv_stem.weight") == 0 || str_starts_with(name, "decoder.fine1.") ||
           str_starts_with(name, "decoder.detail.stem.");
}

static bool same_but(const Shape *a, const Shape *b, int32_t dimension)
{
    bool same = a->rank == b->rank && a->rank > dimension;
    for (int32_t i = 0; same && i < a->rank; i++) same = i == dimension || a->dim[i] == b->dim[i];
    return same;
}

/* Filters that read the detail branch and then the decoder's map: the branch's part, of a model that had nothing else; what the map
 * tells begins at 0. */
static void copy_first_channels(const Tensor *from, const Tensor *to)
{
    const size_t there = (size_t)from->shape.dim[1] * sizeof(float), here = (size_t)to->shape.dim[1] * sizeof(float);
    for (int64_t o = 0; o < to->shape.dim[0]; o++) {
        char *target = (char *)to->data + (size_t)o * here;
        memset(target, 0, here);
        memcpy(target, (const char *)from->data + (size_t)o * there, there);
    }
}

static bool joins_detail(const Matches *m, const char *name)
{
    return m->from->network.encoder == NETWORK_ENCODER_none && str_starts_with(name, "decoder.detail.block3.");
}

/* True when values were taken over. */
static bool copy_param(const Matches *m, const Model *from, const Model *to, int32_t index)
{
    const ParamInfo *info = params_info(to->params, index);
    const int32_t there = params_find(from->params, info->name);
    if (there < 0) return false;
    const Tensor a = params_tensor(from->params, there);
    const Tensor b = params_tensor(to->params, index);
    const bool head = str_ends_with(info->name, "head.2.0.weight") || str_ends_with(info->name, "conv_out.0.weight");
    if (head && a.shape.dim[0] == m->from->network.n_classes && same_but(&a.shape, &b.shape, 0)) {
        copy_rows(m, &a, &b);
        return m->n_classes > 0;
    }
    if (reads_bands(info->name) && b.shape.rank == 4 && b.shape.dim[1] % m->to->network.n_bands == 0 &&
        !m->same_bands && a.shape.dim[1] % m->from->network.n_bands == 0 && same_but(&a.shape, &b.shape, 1)) {
        copy_filters(m, &a, &b);
        return true;
    }
    if (joins_detail(m, info->name) && b.shape.rank == 4 && shape_count(&b.shape) == b.shape.dim[0] * b.shape.dim[1] &&
        a.shape.dim[1] < b.shape.dim[1] && same_but(&a.shape, &b.shape, 1)) {
        copy_first_channels(&a, &b);
        return true;
    }
    if (!shape_equal(&a.shape, &b.shape)) return false;
    memcpy(b.data, a.data, (size_t)shape_count(&a.shape) * sizeof(float));
    return true;
}

/* Bands that both have are normalised as the other model does, where the image's values are like those it learned from:
 * mean within 3 deviations, deviation within a factor of 4. Else by what was measured here. */
static int32_t take_normalisation(const Matches *m, ModelConfig *to)
{
    int32_t taken = 0;
    for (int32_t i = 0; i < to->network.n_bands; i++) {
        const ModelBand *there = m->bands[i] >= 0 ? &m->from->bands[m->bands[i]] : NULL;
        ModelBand *here = &to->bands[i];
        if (there == NULL) continue;
        const double mean = there->mean / there->scale;
        const double std = there->std / there->scale;
        const double ratio = here->std / std;
        if (!(fabs(here->mean - mean) <= 3.0 * std && ratio >= 0.25 && ratio <= 4.0)) continue;
        here->mean = mean;
        here->std = std;
        taken++;
    }
    return taken;
}

static Err check(const Trainer *t, const ModelConfig *from)
{
    const NetworkConfig *here = &t->config->network;
    const char *path = t->config->train.from;
    const bool detail = from->network.encoder == NETWORK_ENCODER_none && here->detail_width > 0;
    if (detail) return ERR_NONE; /* of any decoder, which has the branch */
    if (from->network.encoder != here->encoder)
        return err_set(ERR_CONFIG, "'%s': its encoder is %s, model.encoder is %s; train.from needs the same", path,
                       network_encoder_names[from->network.encoder], network_encoder_names[here->encoder]);
    if (from->network.decoder != here->decoder)
        return err_set(ERR_CONFIG, "'%s': its decoder is %s, model.decoder is %s; train.from needs the same", path,
                       network_decoder_names[from->network.decoder], network_decoder_names[here->decoder]);
    if (from->network.decoder_width != here->decoder_width)
        return err_set(ERR_CONFIG, "'%s': its decoder is %d wide, model.decoder_width is %d; train.from needs the same",
                       path, (int)from->network.decoder_width, (int)here->decoder_width);
    return ERR_NONE;
}

static void tell(const Trainer *t, const Matches *m, int32_t taken, int32_t normalised)
{
    Str fresh = { 0 };
    for (int32_t i = 0; i < m->to->network.n_classes; i++)
        if (m->classes[i] < 0) str_addf(&fresh, "%s%s", fresh.length > 0 ? ", " : "; new: ", m->to->classes[i].name);
    report_message(t->run, 0,
                   "starts from '%s': %d of %d parameters; %d of %d classes are its classes%s; %d of %d bands are its "
                   "bands, %d normalised as there",
                   t->config->train.from, (int)taken, (int)params_count(t->model->params), (int)m->n_classes,
                   (int)m->to->network.n_classes, str_text(&fresh), (int)m->n_bands, (int)m->to->network.n_bands,
                   (int)normalised);
    if (m->in_order)
        report_message(t->run, 1, "no band is called as one of '%s': they are read in their order",
                       t->config->train.from);
    str_done(&fresh);
}

static Err take_prompts(Trainer *t, Model *from)
{
    const bool wanted = run_config_reads_text(t->config) && t->config->train.text == TRAIN_TEXT_ZONES &&
                        t->config->train.text_encoder == NULL;
    if (!wanted) return ERR_NONE;
    if (from->prompts.count == 0)
        return err_set(ERR_CONFIG,
                       "'%s': has no prompts; name model.prompts and model.text_encoder, or choose model.text: null",
                       t->config->train.from);
    prompt_table_done(&t->model->prompts);
    t->model->prompts = from->prompts;
    from->prompts = (PromptTable){ 0 };
    return model_config_set_text(&t->model->config.prompts, from->config.prompts);
}

/* Whether the features of both come from one text encoder, as far as the models tell. */
static bool same_text(const ModelConfig *from, const ModelConfig *to)
{
    const ModelTextEncoder *a = &from->text_encoder, *b = &to->text_encoder;
    if (from->network.text_width != to->network.text_width) return false;
    return !a->known || !b->known || (a->kind == b->kind && a->hash == b->hash);
}

static Err start_from(Trainer *t, Model *from)
{
    TRY(check(t, &from->config));
    const Matches m = match(&from->config, &t->model->config);
    int32_t taken = 0;
    for (int32_t i = 0; i < params_count(t->model->params); i++) taken += copy_param(&m, from, t->model, i);
    const bool measured = t->config->data.n_mean == 0;
    tell(t, &m, taken, measured ? take_normalisation(&m, &t->model->config) : 0);
    t->continues_classes = m.same_classes;
    t->continues_fusion = params_find(from->params, "text.null") >= 0 && same_text(&from->config, &t->model->config);
    return take_prompts(t, from);
}

Err trainer_start_from(Trainer *t)
{
    Model *from = NULL;
    if (t->config->train.from == NULL) return ERR_NONE;
    TRY(model_load(t->config->train.from, true, &from));
    const Err err = start_from(t, from);
    model_free(from);
    return err;
}
