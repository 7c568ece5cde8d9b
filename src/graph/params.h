/* SPDX-License-Identifier: Apache-2.0
 *
 * Parameter set: every weight of a model by name, flat. Trainable values come first and are contiguous, so the
 * optimizer, gradient clipping, all-reduce and checkpoints are one loop each. Programs of one model share one set.
 *
 *   values:    [ trainable ... | state ... ]      state = BatchNorm running statistics and frozen weights
 *   gradients: [ trainable ... ]                  exists only after params_want_gradients()
 *
 * Entries are 64-byte aligned inside the buffers (padding holds zeros and stays zero).
 */
#ifndef METASEG_GRAPH_PARAMS_H
#define METASEG_GRAPH_PARAMS_H

#include "base/err.h"
#include "tensor/tensor.h"

typedef struct ParamSet ParamSet;

typedef enum ParamInitKind { INIT_ZERO, INIT_ONE, INIT_NORMAL, INIT_CONSTANT } ParamInitKind;
typedef struct ParamInit {
    ParamInitKind kind;
    double value; /* std of INIT_NORMAL; the value of INIT_CONSTANT */
} ParamInit;

typedef struct ParamInfo {
    const char *name; /* "decoder.b4.attn.qkv.0.weight"; owned by the set */
    Shape shape;
    ParamInit init;
    bool trainable;
    bool decay;     /* weight decay applies: matrices and filters, not biases, norms, tables or scalars */
    int64_t offset; /* in floats, into values (and gradients where trainable) */
} ParamInfo;

/* Empty set. ERR_MEMORY. Owned by the caller: params_free. */
Err params_new(ParamSet **ret_params);
void params_free(ParamSet *params);

/* Declares a parameter, or finds the one of this name (then shape and trainable must agree: ERR_SHAPE). Only
 * before params_allocate. ret_index stays valid for ever. */
Err params_declare(ParamSet *params, const char *name, const Shape *shape, ParamInit init, bool trainable, bool decay,
                   int32_t *ret_index);

/* Fixes offsets and allocates values (zeroed). Declaring known names stays allowed afterwards, new ones fail. */
Err params_allocate(ParamSet *params);
bool params_allocated(const ParamSet *params);

/* Allocates the gradient buffer (zeroed) once. */
Err params_want_gradients(ParamSet *params);

/* Draws initial values: INIT_NORMAL by rng_normal(seed, RNG_WEIGHTS, xxh64(name), element) * value. */
void params_initialize(ParamSet *params, uint64_t seed);

int32_t params_count(const ParamSet *params);
const ParamInfo *params_info(const ParamSet *params, int32_t index);
int32_t params_find(const ParamSet *params, const char *name); /* -1: unknown */

/* Flat buffers; lengths in floats, padding included. gradients is NULL before params_want_gradients. */
float *params_values(ParamSet *params);
float *params_gradients(ParamSet *params);
int64_t params_length(const ParamSet *params);
int64_t params_trainable_length(const ParamSet *params);

/* Numbers in all parameters, running statistics included, padding not. */
int64_t params_numbers(const ParamSet *params);

/* Frees the values of parameters that a program has packed (drop: by index): the others move to a smaller buffer, so
 * pointers into the old one end. Dropped ones have offset -1 from then on, and may not be asked for (ASSERT). Not with
 * gradients (ASSERT). ERR_MEMORY: nothing changed. */
Err params_discard(ParamSet *params, const bool *drop);

/* View of one parameter's values. */
Tensor params_tensor(const ParamSet *params, int32_t index);

#endif
