/* SPDX-License-Identifier: Apache-2.0
 *
 * Messages for people, on stderr or wherever the stream goes. Library layers get a Log from their caller and never
 * choose a stream; NULL is silence.
 *
 *     LogStream stream;
 *     log_stream_init(&stream, stderr, false);
 *     const Log log = { LOG_INFO, log_to_stream, &stream };
 *     log_line(&log, LOG_WARNING, "'%s': no CRS; degrees assumed", path);
 */
#ifndef METASEG_BASE_LOG_H
#define METASEG_BASE_LOG_H

#include "base/err.h"

#include <stdbool.h>
#include <stdio.h>

typedef enum LogLevel { LOG_ERROR = 0, LOG_WARNING, LOG_INFO, LOG_DEBUG } LogLevel;

/* Receives one finished line without line break. Called from any thread. */
typedef void (*LogSink)(void *context, LogLevel level, const char *text);

typedef struct Log {
    LogLevel level; /* higher ones are dropped */
    LogSink sink;
    void *context;
} Log;

/* Formats and hands on one message if `log` is not NULL and takes this level. Longer than 2,047 bytes: cut. */
void log_line(const Log *log, LogLevel level, const char *format, ...) PRINTF_LIKE(3, 4);

const char *log_level_name(LogLevel level); /* "error", "warning", "info", "debug" */

/* A stream shared by messages and the progress line, which is wiped before a message and redrawn after. Writes hold
 * the lock of the FILE. Text: "metaseg: warning: ..."; JSON lines: {"time":"...","level":"warning","message":"..."}. */
typedef struct LogStream {
    FILE *file; /* borrowed */
    bool json;
    bool terminal;  /* may redraw a line */
    bool line_open; /* a progress line stands unfinished */
} LogStream;

void log_stream_init(LogStream *ret_stream, FILE *file, bool json);

/* The LogSink whose context is a LogStream. */
void log_to_stream(void *context, LogLevel level, const char *text);

#endif
