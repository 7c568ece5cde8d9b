/* SPDX-License-Identifier: Apache-2.0
 *
 * Checkpoints of tools/golden/checkpoints.py: a golden file has names and shapes of a published network's saved state, whose values
 * come from the random numbers, and scores of an image of bytes. */
#ifndef METASEG_TESTS_GOLDEN_CHECKPOINT_H
#define METASEG_TESTS_GOLDEN_CHECKPOINT_H

#include "base/json.h"
#include "base/str.h"
#include "tensor_file/safetensors.h"

#include "harness/golden.h"

enum { GOLDEN_CHECKPOINT_PROJECTIONS = 8 };

/* Whole numbers 0..255. */
static inline void golden_checkpoint_bytes(const char *name, float *to, int64_t n)
{
    const uint64_t step = hash_xxh64(name, strlen(name));
    for (int64_t i = 0; i < n; i++) to[i] = (float)rng_below(GOLDEN_SEED, RNG_TEST, step, (uint64_t)i, 256);
}

/* published.value() and checkpoints.special(). */
static inline void golden_checkpoint_values(const char *name, const Shape *shape, float *to)
{
    const int64_t n = shape_count(shape);
    const bool variance = str_ends_with(name, "running_var"), shares = str_ends_with(name, ".weights");
    const bool norm = shape->rank == 1 && str_ends_with(name, ".weight");
    double std = shares ? 0.2 : 0.1;
    if (shape->rank >= 2) std = 1.0 / sqrt((double)(n / shape->dim[0]));
    if (variance) std = 1.0;
    golden_normals(name, norm || shares ? 1.0 : 0.0, std, to, n);
    for (int64_t i = 0; variance && i < n; i++) to[i] = (float)(1.0 + 0.2 * fabs((double)to[i]));
}

/* [name, shape, whether it has floating-point numbers]; free() data. */
static inline Tensor golden_checkpoint_tensor(const Json *entry, const char **ret_name)
{
    Tensor tensor = { .dtype = DTYPE_F32 };
    bool floats = false;
    const Json *part = json_first(entry);
    ASSERT_OK(json_as_string(part, "name", ret_name));
    part = json_next(part);
    for (const Json *size = json_first(part); size != NULL; size = json_next(size)) {
        assert_true(tensor.shape.rank < SHAPE_MAX_RANK);
        ASSERT_OK(json_as_int(size, "size", 1, 1 << 20, &tensor.shape.dim[tensor.shape.rank++]));
    }
    ASSERT_OK(json_as_bool(json_next(part), "floats", &floats));
    if (!floats) tensor.dtype = DTYPE_I64;
    tensor.data = calloc(1, tensor_bytes(&tensor) + 1);
    assert_non_null(tensor.data);
    if (floats) golden_checkpoint_values(*ret_name, &tensor.shape, tensor.data);
    return tensor;
}

/* How a checkpoint is spoilt: its tensor `name` gets another name, or `rows` rows, or (neither) is left out. */
typedef struct GoldenChange {
    const char *name, *renamed;
    int64_t rows;
} GoldenChange;

/* Applies it to the tensor of this name; false: the tensor is left out. */
static inline bool golden_checkpoint_change(const GoldenChange *change, const char **name, Tensor *tensor)
{
    if (change == NULL || strcmp(change->name, *name) != 0) return true;
    if (change->renamed != NULL) *name = change->renamed;
    if (change->rows > 0) {
        free(tensor->data);
        tensor->shape.dim[0] = change->rows;
        tensor->data = calloc(1, tensor_bytes(tensor));
        assert_non_null(tensor->data);
    }
    return change->renamed != NULL || change->rows > 0;
}

/* Writes the state of a golden file; change NULL: as it is. */
static inline void golden_checkpoint_write_changed(const TensorFile *golden, const GoldenChange *change,
                                                   const char *path)
{
    const char *text = tensor_file_metadata(golden, "state");
    SafetensorsWriter *writer = NULL;
    Json *state = NULL;
    int64_t n = 0;
    assert_non_null(text);
    ASSERT_OK(json_parse(text, strlen(text), 1 << 20, &state));
    ASSERT_OK(safetensors_writer_new(&writer));
    void **data = calloc((size_t)json_count(state), sizeof *data);
    assert_non_null(data);
    for (const Json *entry = json_first(state); entry != NULL; entry = json_next(entry)) {
        const char *name = NULL;
        Tensor tensor = golden_checkpoint_tensor(entry, &name);
        const bool written = golden_checkpoint_change(change, &name, &tensor);
        data[n++] = tensor.data;
        if (written) ASSERT_OK(safetensors_writer_add(writer, name, &tensor, tensor.dtype));
    }
    ASSERT_OK(safetensors_writer_write(writer, path, true));
    safetensors_writer_free(writer);
    for (int64_t i = 0; i < n; i++) free(data[i]);
    free(data);
    json_free(state);
}

static inline void golden_checkpoint_write(const TensorFile *golden, const char *path)
{
    golden_checkpoint_write_changed(golden, NULL, path);
}

/* The largest difference of scores [1, H, W, classes], relative to the largest score: of a grid of pixels, and of sums and
 * projections of all, measured as golden_compare() does. */
static inline double golden_checkpoint_difference(const TensorFile *golden, Tensor scores)
{
    const StoredTensor *stored = NULL;
    ASSERT_OK(tensor_file_require(golden, "scores", NULL, &stored));
    assert_int_equal(stored->shape.rank, 3);
    const int64_t width = scores.shape.dim[2], classes = scores.shape.dim[3], side = stored->shape.dim[0];
    const int64_t step = scores.shape.dim[1] / side, n = shape_count(&scores.shape);
    assert_int_equal(stored->shape.dim[2], classes);
    double *summary = golden_doubles(golden, "scores.summary", -1);
    double worst =
        golden_compare(golden, "scores.summary", "scores", scores.data, n, GOLDEN_CHECKPOINT_PROJECTIONS, 1.0);
    float *want = malloc((size_t)shape_count(&stored->shape) * sizeof *want);
    assert_non_null(want);
    ASSERT_OK(stored_tensor_copy(stored, want));
    for (int64_t i = 0; i < shape_count(&stored->shape); i++) {
        const int64_t x = step / 2 + i / classes % stored->shape.dim[1] * step;
        const int64_t y = step / 2 + i / classes / stored->shape.dim[1] * step;
        const float got = ((const float *)scores.data)[(y * width + x) * classes + i % classes];
        golden_note(&worst, fabs((double)(got - want[i])), summary[2]);
    }
    free(want);
    free(summary);
    return worst;
}

#endif
