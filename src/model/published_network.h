/* SPDX-License-Identifier: Apache-2.0
 *
 * Whole networks that others publish, as models of ours: how a file is recognised, what its shapes say of the architecture, and
 * which of its tensors is which of our parameters. A family has one file, published_FAMILY.c, and lines in published_networks.def.
 */
#ifndef METASEG_MODEL_PUBLISHED_NETWORK_H
#define METASEG_MODEL_PUBLISHED_NETWORK_H

#include "model/model_file.h"
#include "network/encoder.h"

enum { PUBLISHED_MARKS = 3 };

/* How a band is normalised, by its name. */
typedef struct PublishedBand {
    const char *name;
    double mean, std; /* of the pixels as the family's files have them */
} PublishedBand;

typedef struct PublishedNetwork {
    const char *title; /* for people: "U-Net of segmentation_models_pytorch, ResNet" */
    /* Tensors, without what wrapped the network, that a file has all of and no other kind has; unused ones NULL. */
    const char *marks[PUBLISHED_MARKS];
    /* Of bands that the user names, ends with a name NULL; NULL: names change nothing else. */
    const PublishedBand *bands;
    /* Architecture, bands, classes and normalisation, as far as names and shapes say them; config is initialised. prefix: what
     * wrapped the network. ERR_MODEL, ERR_MEMORY. */
    Err (*configure)(const TensorFile *file, const char *prefix, ModelConfig *config);
    /* Our name of one of its tensors, with "encoder." or "decoder."; false: it is not needed for prediction. */
    NetworkRename rename;
    /* Before the names of its encoder, which are those of the encoder's own files (EncoderDef.rename) and not given to rename; NULL:
     * rename knows them all. */
    const char *encoder;
} PublishedNetwork;

#define PUBLISHED_NETWORK(name) extern const PublishedNetwork published_##name;
#include "model/published_networks.def"
#undef PUBLISHED_NETWORK

/* The kind of a file and what wrapped the network in it (free() it); NULL, NULL: none. ERR_MODEL: several; ERR_MEMORY. */
Err published_network_find(const TensorFile *file, const PublishedNetwork **ret_network, char **ret_prefix);

/* Architecture and what is known of the kind, for options to change before published_network_load(). model_config_done() it. */
Err published_network_configure(const TensorFile *file, const PublishedNetwork *network, const char *prefix,
                                ModelConfig *ret_config);

/* The model with its weights. used: by tensor of the file, those that were read become true. ERR_MODEL: a tensor is missing, left over or of another shape. ERR_MEMORY. */
Err published_network_load(const TensorFile *file, const PublishedNetwork *network, const char *prefix,
                           const ModelConfig *config, bool *used, Model **ret_model);

/* -- for the families ---------------------------------------------------------------------------------------------- */

/* A dimension of a tensor of the file. ERR_MODEL: there is no such tensor, or it has another rank. */
Err published_dimension(const TensorFile *file, const char *prefix, const char *name, int32_t rank, int32_t dimension,
                        int32_t *ret_size);

/* Whether a tensor is there. ERR_MEMORY. */
Err published_has(const TensorFile *file, const char *prefix, const char *name, bool *ret_has);

/* Names and normalisation of the first bands of a network from a list of its family. ERR_MEMORY. */
Err published_name_bands(ModelConfig *config, const PublishedBand *bands);

/* Classes, and bands normalised as ImageNet's red, green and blue in bytes (further ones as they are), of pixels of unknown size. */
Err published_ends(ModelConfig *config, int32_t n_classes, int32_t n_bands);

#endif
