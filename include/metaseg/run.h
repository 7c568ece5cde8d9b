/* SPDX-License-Identifier: Apache-2.0
 *
 * What all long-running calls share: where they run, how they report, how they are stopped.
 *
 * Threads and host. Functions may be called from any thread, different ones at the same time; what they work on belongs
 * to one call at a time, except where a header says more. A call starts a reader, a writer and threads - 1 threads for
 * computing (OpenMP's, which OpenMP keeps for the next call). While kernels run, the calling thread and these hold back
 * signals, which are handled between two layers of the network; our own threads handle none. A thread inside the library
 * must not be cancelled. When a call returns, signal masks and handlers, OpenMP's and GDAL's settings, floating point
 * control and locale are what they were. One thing is for good: a `cpu` below what the processor has also limits oneDNN
 * in the whole process, if nothing has used oneDNN before.
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
 * thread that called the library; must not use the model or run that reports. */
typedef void (*MetasegProgress)(void *context, int64_t done, int64_t total, const char *text);

/* A warning or note that a person should see. level: 0 information, 1 warning. */
typedef void (*MetasegMessage)(void *context, int level, const char *text);

typedef struct MetasegRun {
    int32_t threads; /* 0: as OMP_NUM_THREADS says, at most the processors that the calling thread may use */
    const char *cpu; /* "plain", "avx2", "avx512"; NULL: the best this CPU has (see above) */
    int64_t ram;     /* bytes of memory that a prediction may take in all; 0: a quarter of what the process may use, at
                                 most 2 GiB */
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
