/* SPDX-License-Identifier: Apache-2.0
 *
 * Where the lines of a table for people go: the function and the context that a caller of the library gave.
 */
#ifndef METASEG_BASE_LINE_SINK_H
#define METASEG_BASE_LINE_SINK_H

#include "base/err.h"
#include "base/str.h"

typedef struct LineSink {
    void (*line)(void *context, const char *text); /* NULL: nobody reads */
    void *context;
} LineSink;

/* One line. Longer than 1,023 bytes: cut. */
void line_put(LineSink sink, const char *format, ...) PRINTF_LIKE(2, 3);

/* A line that was put together, of any length; empties it. ERR_MEMORY where not all of it is there. */
Err line_put_text(LineSink sink, Str *text);

#endif
