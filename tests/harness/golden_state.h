/* SPDX-License-Identifier: Apache-2.0
 *
 * Checkpoints of public packages with random weights: a golden file tells names and shapes of a network's state (metadata "state",
 * [[name, shape, is it floating point], ...]), the values are made by the rule of tools/golden/published.py. */
#ifndef METASEG_TESTS_GOLDEN_STATE_H
#define METASEG_TESTS_GOLDEN_STATE_H

#include "base/json.h"
#include "tensor_file/safetensors.h"

#include "harness/golden.h"

#include <stdlib.h>

/* How a checkpoint is spoilt: its tensor `name` is left out, or gets `other` rows (0: as they are) or another name. */
typedef struct GoldenChange {
    const char *name, *renamed;
    int64_t other;
} GoldenChange;

static inline float *golden_state_values(const char *name, const Shape *shape)
{
    const int64_t n = shape_count(shape);
    float *values = malloc((size_t)(n + 1) * sizeof *values);
    assert_non_null(values);
    const bool norm = shape->rank == 1 && strcmp(strrchr(name, '.'), ".weight") == 0;
    const double std = shape->rank >= 2 ? 1.0 / sqrt((double)(n / shape->dim[0])) : 0.1;
    if (strcmp(strrchr(name, '.'), ".running_var") != 0) {
        golden_normals(name, norm ? 1.0 : 0.0, std, values, n);
        return values;
    }
    golden_normals(name, 0.0, 1.0, values, n);
    for (int64_t i = 0; i < n; i++) values[i] = (float)(1.0 + 0.2 * fabs((double)values[i]));
    return values;
}

/* Adds one entry of the state, [name, shape, is it floating point]; returns its values, which must outlive the writing. */
static inline void *golden_state_add(SafetensorsWriter *writer, const Json *entry, const GoldenChange *change)
{
    static int64_t zero = 0;
    const Json *shape_node = json_next(json_first(entry));
    const char *name = NULL;
    bool floating = false;
    Shape shape = { 0 };
    ASSERT_OK(json_as_string(json_first(entry), "name", &name));
    ASSERT_OK(json_as_bool(json_next(shape_node), "kind", &floating));
    for (const Json *d = json_first(shape_node); d != NULL; d = json_next(d))
        ASSERT_OK(json_as_int(d, "dimension", 1, 1 << 20, &shape.dim[shape.rank++]));
    const bool changed = change != NULL && strcmp(change->name, name) == 0;
    if (changed && change->renamed == NULL && change->other == 0) return NULL;
    if (changed && change->other != 0) shape.dim[0] = change->other;
    if (!floating) {
        ASSERT_OK(safetensors_writer_add(writer, name, &(Tensor){ DTYPE_I64, shape, &zero }, DTYPE_I64));
        return NULL;
    }
    float *values = golden_state_values(name, &shape);
    const char *written = changed && change->renamed != NULL ? change->renamed : name;
    ASSERT_OK(safetensors_writer_add(writer, written, &(Tensor){ DTYPE_F32, shape, values }, DTYPE_F32));
    return values;
}

/* Writes the checkpoint that the golden file describes; change NULL: none. */
static inline void golden_state_write(const TensorFile *golden, const GoldenChange *change, const char *path)
{
    const char *text = tensor_file_metadata(golden, "state");
    Json *state = NULL;
    SafetensorsWriter *writer = NULL;
    assert_non_null(text);
    ASSERT_OK(json_parse(text, strlen(text), 1 << 20, &state));
    void **values = calloc((size_t)json_count(state) + 1, sizeof *values);
    assert_non_null(values);
    ASSERT_OK(safetensors_writer_new(&writer));
    int64_t n = 0;
    for (const Json *entry = json_first(state); entry != NULL; entry = json_next(entry))
        values[n++] = golden_state_add(writer, entry, change);
    ASSERT_OK(safetensors_writer_write(writer, path, true));
    safetensors_writer_free(writer);
    for (int64_t i = 0; i < n; i++) free(values[i]);
    free(values);
    json_free(state);
}

#endif
