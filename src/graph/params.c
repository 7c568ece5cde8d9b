/* SPDX-License-Identifier: Apache-2.0
 * The flat parameter set. */
#include "graph/params.h"

#include "base/grow.h"
#include "base/hash.h"
#include "base/rng.h"
#include "base/str.h"

#include <stdlib.h>
#include <string.h>

enum { ALIGN_FLOATS = 16 }; /* 64 bytes: a cache line, an AVX-512 register */

struct ParamSet {
    ParamInfo *info;
    int32_t count;
    int64_t capacity;
    bool allocated;
    float *values, *gradients;
    int64_t length, trainable_length;
};

Err params_new(ParamSet **ret_params)
{
    ParamSet *params = calloc(1, sizeof *params);
    if (params == NULL) return err_memory(sizeof *params, "the parameter set");
    *ret_params = params;
    return ERR_NONE;
}

void params_free(ParamSet *params)
{
    if (params == NULL) return;
    for (int32_t i = 0; i < params->count; i++) free((char *)(uintptr_t)params->info[i].name);
    free(params->info);
    free(params->values);
    free(params->gradients);
    free(params);
}

static Err check_known(const ParamInfo *known, const Shape *shape, bool trainable)
{
    char a[96], b[96];
    if (!shape_equal(&known->shape, shape))
        return err_set(ERR_SHAPE, "parameter '%s': declared with shape %s before, now with %s", known->name,
                       shape_text(&known->shape, a, sizeof a), shape_text(shape, b, sizeof b));
    if (known->trainable != trainable)
        return err_set(ERR_SHAPE, "parameter '%s': declared %s before, now %s", known->name,
                       known->trainable ? "trainable" : "as state", trainable ? "trainable" : "as state");
    return ERR_NONE;
}

Err params_declare(ParamSet *params, const char *name, const Shape *shape, ParamInit init, bool trainable, bool decay,
                   int32_t *ret_index)
{
    const int32_t known = params_find(params, name);
    if (known >= 0) {
        TRY(check_known(&params->info[known], shape, trainable));
        *ret_index = known;
        return ERR_NONE;
    }
    if (params->allocated)
        return err_set(ERR_SHAPE, "parameter '%s': new, but the parameter set is complete; declare it before", name);
    TRY(grow_array(&params->info, params->count, &params->capacity, sizeof *params->info, "the parameter table"));
    char *copy = NULL;
    TRY(str_copy(name, &copy));
    params->info[params->count] = (ParamInfo){
        .name = copy, .shape = *shape, .init = init, .trainable = trainable, .decay = decay && trainable, .offset = -1
    };
    *ret_index = params->count++;
    return ERR_NONE;
}

/* Floats of a parameter in the flat buffers. */
static int64_t padded_count(const ParamInfo *info)
{
    return (shape_count(&info->shape) + ALIGN_FLOATS - 1) / ALIGN_FLOATS * ALIGN_FLOATS;
}

static int64_t place(ParamSet *params, bool trainable, int64_t offset)
{
    for (int32_t i = 0; i < params->count; i++) {
        ParamInfo *info = &params->info[i];
        if (info->trainable != trainable) continue;
        info->offset = offset;
        offset += padded_count(info);
    }
    return offset;
}

/* Zeroed, 64-byte aligned; never of length 0. */
static float *new_buffer(int64_t length)
{
    const size_t bytes = (size_t)(length > 0 ? length : ALIGN_FLOATS) * sizeof(float);
    float *buffer = aligned_alloc(64, bytes);
    if (buffer != NULL) memset(buffer, 0, bytes);
    return buffer;
}

Err params_allocate(ParamSet *params)
{
    if (params->allocated) return ERR_NONE;
    params->trainable_length = place(params, true, 0);
    params->length = place(params, false, params->trainable_length);
    params->values = new_buffer(params->length);
    if (params->values == NULL) return err_memory((size_t)params->length * sizeof(float), "the parameters");
    params->allocated = true;
    return ERR_NONE;
}

bool params_allocated(const ParamSet *params) { return params->allocated; }

Err params_discard(ParamSet *params, const bool *drop)
{
    ASSERT(params->allocated && params->gradients == NULL);
    const float *old = params->values;
    int64_t length = 0, trainable_length = 0;
    for (int32_t i = 0; i < params->count; i++)
        if (!drop[i]) length += padded_count(&params->info[i]);
    float *values = new_buffer(length);
    if (values == NULL) return err_memory((size_t)length * sizeof(float), "the parameters");
    int64_t offset = 0;
    for (int pass = 0; pass < 2; pass++) {
        for (int32_t i = 0; i < params->count; i++) {
            ParamInfo *info = &params->info[i];
            if (info->trainable != (pass == 0) || info->offset < 0) continue;
            if (!drop[i]) {
                memcpy(values + offset, old + info->offset, (size_t)shape_count(&info->shape) * sizeof *values);
                info->offset = offset;
                offset += padded_count(info);
            } else {
                info->offset = -1;
            }
        }
        if (pass == 0) trainable_length = offset;
    }
    free(params->values);
    params->values = values;
    params->length = offset;
    params->trainable_length = trainable_length;
    return ERR_NONE;
}

Err params_want_gradients(ParamSet *params)
{
    if (params->gradients != NULL) return ERR_NONE;
    TRY(params_allocate(params));
    params->gradients = new_buffer(params->trainable_length);
    if (params->gradients == NULL)
        return err_memory((size_t)params->trainable_length * sizeof(float), "the parameters' gradients");
    return ERR_NONE;
}

void params_initialize(ParamSet *params, uint64_t seed)
{
    ASSERT(params->allocated);
    for (int32_t i = 0; i < params->count; i++) {
        const ParamInfo *info = &params->info[i];
        ASSERT(info->offset >= 0);
        float *values = params->values + info->offset;
        const uint64_t name_hash = hash_xxh64(info->name, strlen(info->name));
        const int64_t n = shape_count(&info->shape);
        for (int64_t k = 0; k < n; k++) {
            if (info->init.kind == INIT_NORMAL) {
                const float normal = rng_normal(seed, RNG_WEIGHTS, name_hash, (uint64_t)k);
                values[k] = (float)((double)normal * info->init.value);
            } else {
                values[k] = info->init.kind == INIT_CONSTANT ? (float)info->init.value
                            : info->init.kind == INIT_ONE    ? 1.0F
                                                             : 0.0F;
            }
        }
    }
}

int32_t params_count(const ParamSet *params) { return params->count; }

const ParamInfo *params_info(const ParamSet *params, int32_t index)
{
    ASSERT(index >= 0 && index < params->count);
    return &params->info[index];
}

int32_t params_find(const ParamSet *params, const char *name)
{
    for (int32_t i = 0; i < params->count; i++)
        if (strcmp(params->info[i].name, name) == 0) return i;
    return -1;
}

float *params_values(ParamSet *params) { return params->values; }

float *params_gradients(ParamSet *params) { return params->gradients; }

int64_t params_numbers(const ParamSet *params)
{
    int64_t n = 0;
    for (int32_t i = 0; i < params->count; i++) n += shape_count(&params_info(params, i)->shape);
    return n;
}

int64_t params_length(const ParamSet *params) { return params->length; }

int64_t params_trainable_length(const ParamSet *params) { return params->trainable_length; }

Tensor params_tensor(const ParamSet *params, int32_t index)
{
    const ParamInfo *info = params_info(params, index);
    ASSERT(params->allocated && info->offset >= 0);
    return (Tensor){ DTYPE_F32, info->shape, params->values + info->offset };
}
