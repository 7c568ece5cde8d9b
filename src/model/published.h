/* SPDX-License-Identifier: Apache-2.0
 *
 * Parameters from files whose tensors others have named: each tensor is given our name, each of our parameters must be met once,
 * and nothing may be left over.
 *
 *     PublishedRead read = { .file = file, .prefix = "net.", .rename = rename, .scope = "", .n_bands = 3 };
 *     TRY(published_read(&read, params));
 */
#ifndef METASEG_MODEL_PUBLISHED_H
#define METASEG_MODEL_PUBLISHED_H

#include "graph/params.h"
#include "network/encoder.h"
#include "tensor_file/tensor_file.h"

typedef struct PublishedRead {
    const TensorFile *file;
    const char *prefix;   /* before all names that count, "net."; other tensors of the file are not looked at */
    NetworkRename rename; /* NULL: the names are ours */
    const char *
        encoder; /* behind prefix, before the names of an encoder, which encoder_rename knows and rename does not; NULL */
    NetworkRename encoder_rename;
    const char *scope;    /* our parameters that are read, without it in names: "encoder."; "": all */
    const char *optional; /* parameters that may be missing, by the start of their names; NULL: none */
    const char *what;     /* for messages: "the encoder resnet18" */
    bool all_types;       /* tensors of integers count too; otherwise they are passed over */
    int64_t n_bands;      /* a first convolution of 3 bands is spread over as many (model_load_encoder) */
} PublishedRead;

/* What stands before the names in a file, found by the first of our parameters in the scope: free() it. NULL: the file has no
 * tensor of that name. ERR_MODEL: several; ERR_MEMORY. */
Err published_prefix(const TensorFile *file, NetworkRename rename, const ParamSet *params, const char *scope,
                     char **ret_prefix);

/* Equal but for dimensions of 1 at the end: a layer stored as a 1x1 convolution. */
bool published_same_shape(const Shape *a, const Shape *b);

/* Names and shapes alone, for a set that is only declared. Errors as published_read(). */
Err published_check(const PublishedRead *read, const ParamSet *params);

/* The values of one parameter from a tensor that has its shape, or is its first convolution for 3 bands. ERR_MODEL: another shape,
 * or a value is no number; ERR_INPUT, ERR_MEMORY. */
Err published_values(const PublishedRead *read, const StoredTensor *tensor, const ParamInfo *info, float *values);

/* How near a file is to a network: parameters in the scope that it has in the same shape, less those that it has not. */
int64_t published_fitness(const PublishedRead *read, const ParamSet *params);

/* Marks the tensors that are parameters of the set, by their index in the file. */
void published_mark(const PublishedRead *read, const ParamSet *params, bool *used);

/* Bands that the first convolution of the scope reads in the file, where only they differ; 0: there is none such. */
int32_t published_bands(const PublishedRead *read, const ParamSet *params);

/* Fills the parameters of an allocated set. Tensors of integers (counters, indexes) are passed over. ERR_MODEL: a parameter is
 * missing (the nearest leftover is named), a tensor has no place, a shape differs, a value is no number. ERR_MEMORY. */
Err published_read(const PublishedRead *read, ParamSet *params);

#endif
