/* SPDX-License-Identifier: Apache-2.0
 *
 * An image encoder: a function that adds its nodes to a graph and gives feature maps (docs/adding-an-encoder.md). A family has
 * one file, encoder_FAMILY.c, and a line in encoders.def for each of its variants.
 */
#ifndef METASEG_NETWORK_ENCODER_H
#define METASEG_NETWORK_ENCODER_H

#include "network/network_config.h"
#include "ops/ops.h"

/* Feature maps at strides 2, 4, 8, 16 and 32, [B, H / stride, W / stride, C]; VAR_NONE where an encoder has none. */
typedef struct FeatureMaps {
    Var f2, f4, f8, f16, f32;
} FeatureMaps;

/* Our name, without scope, of a tensor that others have named; false: it is none of the network's (a classifier). */
enum { NETWORK_NAME_BYTES = 256 };
typedef bool (*NetworkRename)(const char *published, char ret_name[NETWORK_NAME_BYTES]);

/* `published` with its start `from` replaced by `to` ("", "": as it is); false where it starts otherwise, or is too long. */
bool network_rename_start(const char *published, const char *from, const char *to, char ret_name[NETWORK_NAME_BYTES]);

/* Whether a name starts with (ends in) one of a list, whose last is NULL. */
bool network_name_starts(const char *name, const char *const *starts);
bool network_name_ends(const char *name, const char *const *ends);

typedef struct EncoderDef {
    NetworkDecoder decoder; /* its own choice */
    int32_t size_multiple;  /* sides of images are multiples of this; 1: any size, padded as the reference does */
    const void *variant;    /* what tells the members of a family apart */
    bool has_f2;            /* has a map at stride 2 */
    bool drops_paths;       /* has stochastic depth in training */
    double drop_path;       /* its own choice of the last block's rate: that of the family's published training */
    /* Adds the encoder in the current scope, parameters named as in the public implementation; image [B, H, W, bands];
     * drop_path: rate of the last block in training graphs (nn_drop_path_rate), of no meaning without drops_paths. NULL: it has no
     * maps. */
    FeatureMaps (*build)(Graph *g, Var image, const void *variant, float drop_path);
    /* Names of the published files that hold its weights; NULL: they are those of build. Ends what belongs to no feature map. */
    NetworkRename rename;
    bool others_files; /* those files are of another encoder of the list too, as which they are recognised */
    /* Instead of build and a decoder: a whole network for inference graphs, image -> scores [B, H, W, classes]. */
    Var (*whole)(Graph *g, Var image, int64_t classes);
} EncoderDef;

#define ENCODER(name, title) extern const EncoderDef encoder_def_##name;
#include "network/encoders.def"
#undef ENCODER

const EncoderDef *encoder_def(NetworkEncoder encoder);

#endif
