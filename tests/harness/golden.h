/* SPDX-License-Identifier: Apache-2.0
 *
 * Golden files of tests/golden: reading, the random numbers by name, and comparison with summaries. Formats and
 * tolerances: tools/twin/README.md. */
#ifndef METASEG_TESTS_GOLDEN_H
#define METASEG_TESTS_GOLDEN_H

#include "base/hash.h"
#include "base/rng.h"
#include "tensor_file/tensor_file.h"

#include "harness/unit.h"

#include <math.h>
#include <string.h>

enum { GOLDEN_SEED = 7, GOLDEN_FIRST = 8 };

/* A file of tests/golden; fails the test if it cannot be read. tensor_file_close(). */
static inline TensorFile *golden_open(const char *name)
{
    char path[512];
    TensorFile *file = NULL;
    (void)snprintf(path, sizeof path, "%s/tests/golden/%s", METASEG_SOURCE_DIR, name);
    ASSERT_OK(tensor_file_open(path, &file));
    return file;
}

/* u(NAME, i) and n(NAME, i). */
static inline float golden_uniform(const char *name, uint64_t i)
{
    return rng_uniform(GOLDEN_SEED, RNG_TEST, hash_xxh64(name, strlen(name)), i);
}

static inline void golden_normals(const char *name, double mean, double std, float *to, int64_t n)
{
    const uint64_t step = hash_xxh64(name, strlen(name));
    for (int64_t i = 0; i < n; i++) {
        to[i] = (float)(mean + std * (double)rng_normal(GOLDEN_SEED, RNG_TEST, step, (uint64_t)i));
    }
}

/* A tensor of doubles by key; fails the test if it is missing or has another length (n < 0: any). free(). */
static inline double *golden_doubles(const TensorFile *file, const char *key, int64_t n)
{
    const StoredTensor *tensor = NULL;
    ASSERT_OK(tensor_file_require(file, key, NULL, &tensor));
    assert_int_equal(tensor->dtype, DTYPE_F64);
    const int64_t count = shape_count(&tensor->shape);
    if (n >= 0) assert_int_equal(count, n);
    double *values = malloc((size_t)count * sizeof *values + 1);
    assert_non_null(values);
    ASSERT_OK(stored_tensor_copy(tensor, values));
    return values;
}

/* Largest of |a - b| / allowed so far, for the report. */
static inline void golden_note(double *worst, double difference, double allowed)
{
    const double used = difference == 0.0 ? 0.0 : difference / allowed;
    if (!(used <= *worst)) *worst = used; /* NaN counts as the worst */
}

/* Compares n values called `name` with the summary `key`: returns the largest used fraction of the tolerance (1: at the
 * limit), where the tolerance is relative to max|x|, and grows with sqrt(n) for sums and projections. */
static inline double golden_compare(const TensorFile *file, const char *key, const char *name, const float *x,
                                    int64_t n, int64_t projections, double tolerance)
{
    double *want = golden_doubles(file, key, 3 + GOLDEN_FIRST + projections);
    double sum = 0.0, magnitude = 0.0, largest = 0.0, worst = 0.0;
    for (int64_t i = 0; i < n; i++) {
        sum += (double)x[i];
        magnitude += fabs((double)x[i]);
        if (!(fabs((double)x[i]) <= largest)) largest = fabs((double)x[i]);
    }
    const double element = tolerance * want[2], total = element * sqrt((double)n);
    golden_note(&worst, fabs(sum - want[0]), total);
    golden_note(&worst, fabs(magnitude - want[1]), element * (double)n); /* errors in elements that are 0 add up here */
    golden_note(&worst, fabs(largest - want[2]), element);
    for (int64_t i = 0; i < GOLDEN_FIRST && i < n; i++) golden_note(&worst, fabs((double)x[i] - want[3 + i]), element);
    const uint64_t step = hash_xxh64(name, strlen(name));
    for (int64_t j = 0; j < projections; j++) {
        double projection = 0.0;
        for (int64_t i = 0; i < n; i++) {
            projection += (double)x[i] * (double)rng_normal(1000 + (uint64_t)j, RNG_TEST, step, (uint64_t)i);
        }
        golden_note(&worst, fabs(projection - want[3 + GOLDEN_FIRST + j]), total);
    }
    free(want);
    return worst;
}

#endif
