/* SPDX-License-Identifier: Apache-2.0
 * The search over the list of encoders. */
#include "model/published_encoder.h"

#include "base/str.h"
#include "model/published.h"
#include "model/published_vit.h"
#include "network/segmenter.h"

#include <stdio.h>
#include <stdlib.h>

static const char scope[] = "encoder.";
enum { USUAL_BANDS = 3, WHAT = 80 };

/* Where to look: behind a prefix with names that are given ours, or (prefix NULL) wherever an encoder's own published names are. */
typedef struct Search {
    const TensorFile *file;
    const char *prefix;
    NetworkRename rename;
    int32_t bands; /* 0: those of the file */
} Search;

/* One encoder of the list: its parameters, how it is read, and how much of it is there. */
typedef struct Candidate {
    NetworkEncoder encoder;
    ParamSet *params;
    PublishedRead read;
    char *prefix, what[WHAT];
    int64_t fitness;
} Candidate;

static void candidate_done(Candidate *c)
{
    params_free(c->params);
    free(c->prefix);
    c->params = NULL;
    c->prefix = NULL;
}

static Err declare(NetworkEncoder encoder, int32_t bands, ParamSet **ret_params)
{
    NetworkConfig network = network_config_defaults();
    network.encoder = encoder;
    network.decoder = NETWORK_DECODER_none;
    network.output_stride = 0;
    network.fusion = NETWORK_FUSION_NONE;
    network.n_bands = bands;
    network.n_classes = 1;
    network_config_resolve(&network);
    TRY(params_new(ret_params));
    const Err err = segmenter_declare(*ret_params, &network, false);
    if (err != ERR_NONE) {
        params_free(*ret_params);
        *ret_params = NULL;
    }
    return err;
}

static void name_encoder(NetworkEncoder encoder, char what[WHAT])
{
    (void)snprintf(what, WHAT, "the encoder %s", network_encoder_names[encoder]);
}

/* read points into the candidate, which stays where it is. */
static Err candidate_init(const Search *s, NetworkEncoder encoder, Candidate *c)
{
    const NetworkRename rename = s->prefix != NULL ? s->rename : encoder_def(encoder)->rename;
    *c = (Candidate){ .encoder = encoder, .fitness = INT64_MIN };
    name_encoder(encoder, c->what);
    TRY(declare(encoder, s->bands > 0 ? s->bands : USUAL_BANDS, &c->params));
    if (s->prefix != NULL)
        TRY(str_copy(s->prefix, &c->prefix));
    else
        TRY(published_prefix(s->file, rename, c->params, scope, &c->prefix));
    if (c->prefix == NULL) return ERR_NONE;
    c->read =
        (PublishedRead){ .file = s->file, .prefix = c->prefix, .rename = rename, .scope = scope, .what = c->what };
    c->fitness = published_fitness(&c->read, c->params);
    return ERR_NONE;
}

/* Other files of the list hold the same tensors, and it has none of its own. */
static bool is_searched(const Search *s, NetworkEncoder encoder)
{
    const EncoderDef *def = encoder_def(encoder);
    return def->build != NULL && (s->prefix != NULL || !def->others_files);
}

/* NETWORK_ENCODER_none: no encoder has its first tensor there. */
static Err find_best(const Search *s, NetworkEncoder *ret_encoder)
{
    int64_t best = INT64_MIN;
    *ret_encoder = NETWORK_ENCODER_none;
    for (NetworkEncoder e = 0; e < NETWORK_ENCODER_COUNT; e++) {
        Candidate c;
        if (!is_searched(s, e)) continue;
        const Err err = candidate_init(s, e, &c);
        const int64_t fitness = c.fitness;
        candidate_done(&c);
        TRY(err);
        if (fitness <= best) continue;
        best = fitness;
        *ret_encoder = e;
    }
    return ERR_NONE;
}

/* All tensors of the encoder that fits best, of as many bands as the file has. */
static Err check_best(const Search *s, NetworkEncoder encoder, int32_t *ret_bands)
{
    Search known = *s;
    Candidate c;
    Err err = candidate_init(s, encoder, &c);
    if (err == ERR_NONE && known.bands == 0) {
        known.bands = published_bands(&c.read, c.params);
        if (known.bands == 0) known.bands = USUAL_BANDS;
        candidate_done(&c);
        err = candidate_init(&known, encoder, &c);
    }
    if (err == ERR_NONE) err = published_check(&c.read, c.params);
    if (err == ERR_NONE) *ret_bands = known.bands;
    candidate_done(&c);
    return err;
}

Err published_encoder_find(const TensorFile *file, NetworkEncoder *ret_encoder, int32_t *ret_bands)
{
    const Search search = { .file = file };
    NetworkEncoder encoder = NETWORK_ENCODER_none;
    TRY(published_vit_find(file, &encoder, ret_bands));
    if (encoder == NETWORK_ENCODER_none) {
        TRY(find_best(&search, &encoder));
        if (encoder == NETWORK_ENCODER_none && tensor_file_count(file) == 0)
            return err_set(ERR_MODEL, "'%s': holds no tensors", tensor_file_path(file));
        if (encoder == NETWORK_ENCODER_none)
            return err_set(ERR_MODEL,
                           "'%s': its %lld tensors belong to no network that can be converted (metaseg convert --help "
                           "lists them)",
                           tensor_file_path(file), (long long)tensor_file_count(file));
        TRY(check_best(&search, encoder, ret_bands));
    }
    *ret_encoder = encoder;
    return ERR_NONE;
}

Err published_encoder_fit(const TensorFile *file, const char *prefix, const char *inner, NetworkRename rename,
                          ModelConfig *config)
{
    char *behind = NULL;
    int32_t bands = 0;
    TRY(str_format(&behind, "%s%s", prefix, inner));
    const Search search = { .file = file, .prefix = behind, .rename = rename, .bands = config->network.n_bands };
    Err err = find_best(&search, &config->network.encoder);
    if (err == ERR_NONE) err = check_best(&search, config->network.encoder, &bands);
    free(behind);
    return err;
}

Err published_encoder_read(const TensorFile *file, const NetworkConfig *network, ParamSet *params, bool *used)
{
    const NetworkRename rename = encoder_def(network->encoder)->rename;
    NetworkEncoder held = NETWORK_ENCODER_none;
    char *prefix = NULL, what[WHAT];
    int32_t bands = 0;
    TRY(published_vit_find(file, &held, &bands));
    if (held != NETWORK_ENCODER_none && held != network->encoder)
        return err_set(ERR_MODEL, "'%s': holds the encoder %s; the model's is %s", tensor_file_path(file),
                       network_encoder_names[held], network_encoder_names[network->encoder]);
    if (held != NETWORK_ENCODER_none) return published_vit_read(file, params, scope, network->n_bands, used);
    name_encoder(network->encoder, what);
    TRY(published_prefix(file, rename, params, scope, &prefix));
    const PublishedRead read = { .file = file,
                                 .prefix = prefix != NULL ? prefix : "",
                                 .rename = rename,
                                 .scope = scope,
                                 .what = what,
                                 .n_bands = network->n_bands };
    const Err err = published_read(&read, params);
    if (err == ERR_NONE && used != NULL) published_mark(&read, params, used);
    free(prefix);
    return err;
}
