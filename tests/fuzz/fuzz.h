/* SPDX-License-Identifier: Apache-2.0
 *
 * Fuzz targets: readers and parsers that get bytes from strangers. Each fuzz_NAME.c has libFuzzer's entry point and is linked
 * twice: with replay.c, which `make check` runs on the seeds and on mutations of them that are always the same, and by
 * `make fuzz TARGET=NAME SECONDS=60` with libFuzzer, where clang is installed. What a target must not do is crash, leak,
 * hang, or fail in another way than its header promises (fuzz_result).
 */
#ifndef METASEG_TESTS_FUZZ_H
#define METASEG_TESTS_FUZZ_H

#include "base/err.h"

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Ends the program unless `err` is ERR_NONE or among the bits (1 << ERR_X) of `documented`; an error has a sentence. */
static inline void fuzz_result(Err err, unsigned documented)
{
    if (err == ERR_NONE) return;
    if ((documented >> (unsigned)err & 1U) != 0 && err_message()[0] != '\0') return;
    (void)fprintf(stderr, "error %d is not documented, or has no message: '%s'\n", (int)err, err_message());
    abort();
}

/* Ends the program if something that must hold does not. */
#define FUZZ_HOLDS(condition)                                                                                          \
    do {                                                                                                               \
        if (!(condition)) {                                                                                            \
            (void)fprintf(stderr, "%s:%d: %s does not hold\n", __FILE__, __LINE__, #condition);                        \
            abort();                                                                                                   \
        }                                                                                                              \
    } while (0)

/* The bytes as text: a copy with a NUL behind it; free() it. */
static inline char *fuzz_text(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);
    if (text == NULL) abort();
    if (size > 0) memcpy(text, data, size);
    text[size] = '\0';
    return text;
}

/* The bytes as a file of this process, rewritten by the next call; the name ends with `suffix`. */
static inline const char *fuzz_file(const uint8_t *data, size_t size, const char *suffix)
{
    static char path[64];
    (void)snprintf(path, sizeof path, "fuzz-%ld%s", (long)getpid(), suffix);
    FILE *file = fopen(path, "wb");
    if (file == NULL || (size > 0 && fwrite(data, 1, size, file) != size) || fclose(file) != 0) abort();
    return path;
}

/* Bits for fuzz_result. */
enum {
    FUZZ_INPUT = 1U << METASEG_ERROR_INPUT,
    FUZZ_MODEL = 1U << METASEG_ERROR_MODEL,
    FUZZ_CONFIG = 1U << METASEG_ERROR_CONFIG,
    FUZZ_ARGUMENT = 1U << METASEG_ERROR_ARGUMENT,
    FUZZ_MEMORY = 1U << METASEG_ERROR_MEMORY,
    FUZZ_UNSUPPORTED = 1U << METASEG_ERROR_UNSUPPORTED
};

#endif
