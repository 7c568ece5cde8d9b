/* SPDX-License-Identifier: Apache-2.0
 *
 * What all long-running calls share: where they run, how they report, how they are stopped.
 */
#ifndef METASEG_RUN_H
#define METASEG_RUN_H

#include "metaseg/error.h"

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* done of total units (tiles, steps); text describes the unit and latest figures and may be NULL. Called from the
 * thread that called the library. */
typedef void (*MetasegProgress)(void *context, int64_t done, int64_t total, const char *text);

/* A warning or note that a person should see. level: 0 information, 1 warning. */
typedef void (*MetasegMessage)(void *context, int level, const char *text);

typedef struct MetasegRun {
    int32_t threads;          /* 0: all processors this process may use */
    const char *cpu;          /* "plain", "avx2", "avx512"; NULL: the best this CPU has */
    const char *data_folder;  /* folder with koppen_geiger.bin, prompts/, models/; NULL: no zones can be looked up */
    MetasegProgress progress; /* may be NULL */
    MetasegMessage message;   /* may be NULL */
    void *context;            /* for both callbacks */
    const volatile int *stop; /* non-zero asks the call to stop at the next safe point; may be NULL */
} MetasegRun;

#ifdef __cplusplus
}
#endif
#endif
