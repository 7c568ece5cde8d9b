/* SPDX-License-Identifier: Apache-2.0
 * Tensors under other names. */
#include "model/published.h"

#include "base/str.h"
#include "model/model_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LEAST_RANK_OF_FILTERS = 4, PUBLISHED_BANDS = 3 };

static bool is_float(const StoredTensor *tensor)
{
    return tensor->dtype == DTYPE_F32 || tensor->dtype == DTYPE_F16 || tensor->dtype == DTYPE_BF16 ||
           tensor->dtype == DTYPE_F64;
}

/* Our name of a published one, or false. */
static bool our_name(NetworkRename rename, const char *published, char ret_name[NETWORK_NAME_BYTES])
{
    if (rename != NULL) return rename(published, ret_name);
    if (strlen(published) >= NETWORK_NAME_BYTES) return false;
    memcpy(ret_name, published, strlen(published) + 1);
    return true;
}

static int32_t first_in_scope(const ParamSet *params, const char *scope)
{
    int32_t i = 0;
    while (i < params_count(params) && !str_starts_with(params_info(params, i)->name, scope)) i++;
    return i < params_count(params) ? i : -1;
}

/* Where in a stored name the published name begins whose name of ours is `wanted`; NULL: nowhere. */
static const char *find_published(const char *stored, NetworkRename rename, const char *wanted)
{
    for (const char *at = stored; at != NULL; at = strchr(at, '.')) {
        char name[NETWORK_NAME_BYTES];
        if (*at == '.') at++;
        if (our_name(rename, at, name) && strcmp(name, wanted) == 0) return at;
    }
    return NULL;
}

/* A place where a file may have the network: the tensor that would be its first parameter, what stands before that, and how many
 * tensors behind it are parameters. */
typedef struct Place {
    const char *name;
    size_t length;
    int64_t count;
} Place;

static int64_t count_behind(const TensorFile *file, NetworkRename rename, const ParamSet *params, const char *scope,
                            const Place *place)
{
    int64_t count = 0;
    for (int64_t i = 0; i < tensor_file_count(file); i++) {
        const StoredTensor *tensor = tensor_file_at(file, i);
        char name[NETWORK_NAME_BYTES], full[2 * NETWORK_NAME_BYTES];
        if (!is_float(tensor) || strncmp(tensor->name, place->name, place->length) != 0) continue;
        if (!our_name(rename, tensor->name + place->length, name)) continue;
        (void)snprintf(full, sizeof full, "%s%s", scope, name);
        count += params_find(params, full) >= 0;
    }
    return count;
}

enum { MOST_PLACES = 64 };

/* All places, at most MOST_PLACES + 1 of them. */
static int32_t find_places(const TensorFile *file, NetworkRename rename, const char *wanted,
                           Place ret_places[MOST_PLACES + 1])
{
    int32_t n = 0;
    for (int64_t i = 0; i < tensor_file_count(file) && n <= MOST_PLACES; i++) {
        const StoredTensor *tensor = tensor_file_at(file, i);
        const char *at = is_float(tensor) ? find_published(tensor->name, rename, wanted) : NULL;
        if (at != NULL) ret_places[n++] = (Place){ tensor->name, (size_t)(at - tensor->name), 0 };
    }
    return n;
}

/* The first parameter of a ResNet is "conv1.weight", which is in each of its blocks too: the place with most of the parameters
 * is meant, unless another has half as many. */
Err published_prefix(const TensorFile *file, NetworkRename rename, const ParamSet *params, const char *scope,
                     char **ret_prefix)
{
    const int32_t first = first_in_scope(params, scope);
    ASSERT(first >= 0);
    Place places[MOST_PLACES + 1], best = { NULL, 0, 0 }, second = best;
    const int32_t n = find_places(file, rename, params_info(params, first)->name + strlen(scope), places);
    *ret_prefix = NULL;
    if (n > MOST_PLACES)
        return err_set(ERR_MODEL, "'%s': holds '%.200s' in %d places; one network was expected", tensor_file_path(file),
                       params_info(params, first)->name + strlen(scope), (int)n);
    for (int32_t i = 0; i < n; i++) {
        places[i].count = count_behind(file, rename, params, scope, &places[i]);
        if (places[i].count > best.count)
            second = best, best = places[i];
        else if (places[i].count > second.count)
            second = places[i];
    }
    if (second.name != NULL && 2 * second.count >= best.count)
        return err_set(ERR_MODEL, "'%s': holds the same network twice: '%.200s' and '%.200s'; keep one of them",
                       tensor_file_path(file), best.name, second.name);
    return best.name != NULL ? str_format(ret_prefix, "%.*s", (int)best.length, best.name) : ERR_NONE;
}

bool published_same_shape(const Shape *a, const Shape *b)
{
    const int32_t most = a->rank > b->rank ? a->rank : b->rank;
    for (int32_t i = 0; i < most; i++)
        if ((i < a->rank ? a->dim[i] : 1) != (i < b->rank ? b->dim[i] : 1)) return false;
    return true;
}

/* Our name, with "encoder." where it is one of the encoder's. */
static bool name_of(const PublishedRead *read, const char *published, char ret_name[NETWORK_NAME_BYTES])
{
    char ours[NETWORK_NAME_BYTES];
    if (read->encoder == NULL || !str_starts_with(published, read->encoder))
        return our_name(read->rename, published, ret_name);
    if (!our_name(read->encoder_rename, published + strlen(read->encoder), ours)) return false;
    const int length = snprintf(ret_name, NETWORK_NAME_BYTES, "encoder.%s", ours);
    return length >= 0 && length < NETWORK_NAME_BYTES;
}

/* Our parameter of a tensor: its index, -1 for one that has no place, -2 for what is not looked at. */
static int32_t find_parameter(const PublishedRead *read, const ParamSet *params, const StoredTensor *tensor)
{
    char published[NETWORK_NAME_BYTES], name[2 * NETWORK_NAME_BYTES];
    const size_t skip = strlen(read->prefix);
    if ((!read->all_types && !is_float(tensor)) || !str_starts_with(tensor->name, read->prefix)) return -2;
    if (!read->all_types && str_ends_with(tensor->name, ".num_batches_tracked"))
        return -2; /* a counter, whatever its type */
    if (!name_of(read, tensor->name + skip, published)) return -2;
    (void)snprintf(name, sizeof name, "%s%s", read->scope, published);
    return params_find(params, name);
}

int64_t published_fitness(const PublishedRead *read, const ParamSet *params)
{
    int64_t fitting = 0, all = 0;
    for (int64_t i = 0; i < tensor_file_count(read->file); i++) {
        const StoredTensor *tensor = tensor_file_at(read->file, i);
        const int32_t index = find_parameter(read, params, tensor);
        fitting += index >= 0 && published_same_shape(&tensor->shape, &params_info(params, index)->shape);
    }
    for (int32_t i = 0; i < params_count(params); i++)
        all += str_starts_with(params_info(params, i)->name, read->scope);
    return 2 * fitting - all;
}

void published_mark(const PublishedRead *read, const ParamSet *params, bool *used)
{
    for (int64_t i = 0; i < tensor_file_count(read->file); i++)
        used[i] = used[i] || find_parameter(read, params, tensor_file_at(read->file, i)) >= 0;
}

int32_t published_bands(const PublishedRead *read, const ParamSet *params)
{
    int32_t stem = first_in_scope(params, read->scope);
    while (stem >= 0 && stem < params_count(params) && params_info(params, stem)->shape.rank != LEAST_RANK_OF_FILTERS)
        stem++;
    for (int64_t i = 0; i < tensor_file_count(read->file) && stem >= 0; i++) {
        const StoredTensor *tensor = tensor_file_at(read->file, i);
        if (find_parameter(read, params, tensor) != stem || tensor->shape.rank != LEAST_RANK_OF_FILTERS) continue;
        Shape shape = params_info(params, stem)->shape;
        shape.dim[1] = tensor->shape.dim[1];
        return shape_equal(&shape, &tensor->shape) && shape.dim[1] <= MODEL_MAX_BANDS ? (int32_t)shape.dim[1] : 0;
    }
    return 0;
}

/* The tensor of each parameter, and which tensors of the file nobody wants. */
typedef struct Plan {
    const StoredTensor **tensors; /* by parameter */
    const StoredTensor **rest;
    int64_t n_rest;
} Plan;

static Err place(const PublishedRead *read, const ParamSet *params, const StoredTensor *tensor, Plan *plan)
{
    const int32_t index = find_parameter(read, params, tensor);
    if (index == -2) return ERR_NONE;
    if (index < 0) {
        plan->rest[plan->n_rest++] = tensor;
        return ERR_NONE;
    }
    if (plan->tensors[index] != NULL)
        return err_set(ERR_MODEL, "'%s': '%.200s' and '%.200s' are the same parameter of %s",
                       tensor_file_path(read->file), plan->tensors[index]->name, tensor->name, read->what);
    plan->tensors[index] = tensor;
    return ERR_NONE;
}

static Err tell_missing(const PublishedRead *read, const ParamInfo *info, const Plan *plan)
{
    const char **names = malloc(((size_t)plan->n_rest + 1) * sizeof *names);
    if (names == NULL) return err_memory((size_t)plan->n_rest * sizeof *names, "names of tensors");
    for (int64_t i = 0; i < plan->n_rest; i++) names[i] = plan->rest[i]->name;
    const char *nearest = str_nearest(info->name + strlen(read->scope), names, plan->n_rest);
    char text[96];
    Err err = err_set(ERR_MODEL, "'%s': '%s' %s of %s is missing%s%.200s%s", tensor_file_path(read->file),
                      info->name + strlen(read->scope), shape_text(&info->shape, text, sizeof text), read->what,
                      nearest != NULL ? "; the nearest that is left over is '" : "", nearest != NULL ? nearest : "",
                      nearest != NULL ? "'" : "");
    free(names);
    return err;
}

/* Filters for 3 bands where the network reads others. */
static bool is_stem(const PublishedRead *read, const ParamInfo *info, const StoredTensor *tensor)
{
    const Shape *ours = &info->shape, *theirs = &tensor->shape;
    if (read->n_bands == 0 || ours->rank != LEAST_RANK_OF_FILTERS || theirs->rank != ours->rank) return false;
    const bool bands = ours->dim[1] == read->n_bands || ours->dim[1] == 2 * read->n_bands;
    return bands && ours->dim[1] != PUBLISHED_BANDS && theirs->dim[1] == PUBLISHED_BANDS &&
           ours->dim[0] == theirs->dim[0] && ours->dim[2] == theirs->dim[2] && ours->dim[3] == theirs->dim[3];
}

static Err check_shape(const PublishedRead *read, const StoredTensor *tensor, const ParamInfo *info)
{
    char ours[96], theirs[96];
    if (published_same_shape(&tensor->shape, &info->shape) || is_stem(read, info, tensor)) return ERR_NONE;
    return err_set(ERR_MODEL, "'%s': '%.200s' is %s; %s was expected for %s", tensor_file_path(read->file),
                   tensor->name, shape_text(&tensor->shape, theirs, sizeof theirs),
                   shape_text(&info->shape, ours, sizeof ours), read->what);
}

/* All names and shapes before any value. */
static Err check(const PublishedRead *read, const ParamSet *params, const Plan *plan)
{
    char theirs[96];
    for (int32_t i = 0; i < params_count(params); i++) {
        const ParamInfo *info = params_info(params, i);
        const StoredTensor *tensor = plan->tensors[i];
        if (!str_starts_with(info->name, read->scope)) continue;
        if (tensor == NULL && read->optional != NULL && str_starts_with(info->name, read->optional)) continue;
        if (tensor == NULL) return tell_missing(read, info, plan);
        TRY(check_shape(read, tensor, info));
    }
    if (plan->n_rest == 0) return ERR_NONE;
    return err_set(ERR_MODEL, "'%s': '%.200s' %s has no place in %s (%lld such tensors)", tensor_file_path(read->file),
                   plan->rest[0]->name, shape_text(&plan->rest[0]->shape, theirs, sizeof theirs), read->what,
                   (long long)plan->n_rest);
}

/* The stem reads as many bands as the model has: the published filters in turn, scaled so that the sum stays. Channels
 * after the bands tell their presence. */
static Err read_stem(const PublishedRead *read, const StoredTensor *tensor, const ParamInfo *info, float *values)
{
    const int64_t filters = info->shape.dim[0], channels = info->shape.dim[1],
                  taps = info->shape.dim[2] * info->shape.dim[3];
    const size_t bytes = (size_t)shape_count(&tensor->shape) * sizeof(float);
    float *rgb = malloc(bytes);
    if (rgb == NULL) return err_memory(bytes, "the first convolution");
    const Err err = model_read_values(read->file, tensor, rgb);
    const float scale = (float)PUBLISHED_BANDS / (float)read->n_bands;
    for (int64_t f = 0; f < filters && err == ERR_NONE; f++) {
        for (int64_t c = 0; c < channels; c++) {
            for (int64_t t = 0; t < taps; t++)
                values[(f * channels + c) * taps + t] =
                    c < read->n_bands ? rgb[(f * PUBLISHED_BANDS + c % PUBLISHED_BANDS) * taps + t] * scale : 0.0F;
        }
    }
    free(rgb);
    return err;
}

Err published_values(const PublishedRead *read, const StoredTensor *tensor, const ParamInfo *info, float *values)
{
    TRY(check_shape(read, tensor, info));
    return is_stem(read, info, tensor) ? read_stem(read, tensor, info, values)
                                       : model_read_values(read->file, tensor, values);
}

static Err fill(const PublishedRead *read, ParamSet *params, const Plan *plan)
{
    for (int32_t i = 0; i < params_count(params); i++) {
        const ParamInfo *info = params_info(params, i);
        const StoredTensor *tensor = plan->tensors[i];
        if (tensor == NULL) continue;
        TRY(published_values(read, tensor, info, params_values(params) + info->offset));
    }
    return ERR_NONE;
}

/* params is filled where it is not NULL. */
static Err read_or_check(const PublishedRead *read, const ParamSet *declared, ParamSet *params)
{
    const size_t n = (size_t)params_count(declared), m = (size_t)tensor_file_count(read->file);
    Plan plan = { .tensors = calloc(n + 1, sizeof(StoredTensor *)), .rest = malloc((m + 1) * sizeof(StoredTensor *)) };
    Err err = plan.tensors != NULL && plan.rest != NULL ? ERR_NONE : err_memory((n + m) * sizeof(void *), "tensors");
    for (size_t i = 0; i < m && err == ERR_NONE; i++)
        err = place(read, declared, tensor_file_at(read->file, (int64_t)i), &plan);
    if (err == ERR_NONE) err = check(read, declared, &plan);
    if (err == ERR_NONE && params != NULL) err = fill(read, params, &plan);
    free((void *)plan.tensors);
    free((void *)plan.rest);
    return err;
}

Err published_check(const PublishedRead *read, const ParamSet *params) { return read_or_check(read, params, NULL); }

Err published_read(const PublishedRead *read, ParamSet *params) { return read_or_check(read, params, params); }
