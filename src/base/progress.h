/* SPDX-License-Identifier: Apache-2.0
 *
 * Progress of long work with the time left: one redrawn line on a terminal, one line per 5 % elsewhere, JSON lines
 * where the stream is JSON. NULL stream (quiet): nothing. Call from one thread.
 *
 *     Progress progress;
 *     progress_start(&progress, stream, "predicting", "tiles", n_tiles);
 *     for (...) progress_set(&progress, done);
 *     progress_finish(&progress);
 */
#ifndef METASEG_BASE_PROGRESS_H
#define METASEG_BASE_PROGRESS_H

#include "base/log.h"

#include <stdint.h>

typedef struct Progress {
    LogStream *stream; /* NULL: silent */
    const char *what;  /* "predicting"; borrowed */
    const char *unit;  /* "tiles"; borrowed */
    int64_t total;     /* >= 0 */
    int64_t first;     /* where this run began: a resumed job's rate counts from here */
    int64_t done;
    double start;       /* clock_seconds() */
    double shown;       /* when a line was last written */
    int64_t shown_step; /* last multiple of 5 % written */
    char note[96];      /* more text at the end, for example the loss */
} Progress;

void progress_start(Progress *ret_progress, LogStream *stream, const char *what, const char *unit, int64_t total);

/* Work that an earlier run had done; before the first progress_set. */
void progress_resume(Progress *progress, int64_t first);

/* Text shown behind the figures from now on. */
void progress_note(Progress *progress, const char *format, ...) PRINTF_LIKE(2, 3);

/* `done` of `total` are finished. Cheap: writes at most ten times a second. progress may be NULL. */
void progress_set(Progress *progress, int64_t done);

/* Last line: how much was done in which time. Also after a failure or an interruption. progress may be NULL. */
void progress_finish(Progress *progress);

/* Seconds left at time `now` from the mean rate of this run; -1 while unknown. */
double progress_left(const Progress *progress, double now);

#endif
