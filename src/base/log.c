/* SPDX-License-Identifier: Apache-2.0
 * Messages as text or JSON lines. */
#include "base/log.h"

#include "base/clock.h"
#include "base/escape.h"
#include "base/json.h"

#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

enum { LINE_BYTES = 2048 };

void log_line(const Log *log, LogLevel level, const char *format, ...)
{
    if (log == NULL || log->sink == NULL || level > log->level) return;
    char text[LINE_BYTES];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    log->sink(log->context, level, text);
}

const char *log_level_name(LogLevel level)
{
    static const char *const names[] = { "error", "warning", "info", "debug" };
    return names[level];
}

void log_stream_init(LogStream *ret_stream, FILE *file, bool json)
{
    *ret_stream = (LogStream){ .file = file, .json = json, .terminal = !json && isatty(fileno(file)) == 1 };
}

static void write_json(FILE *file, LogLevel level, const char *text)
{
    char now[21];
    char *line = NULL;
    JsonWriter w = { 0 };
    clock_iso(clock_unix(), now);
    json_begin_object(&w, NULL);
    json_put_string(&w, "time", now);
    json_put_string(&w, "level", log_level_name(level));
    json_put_string(&w, "message", text);
    json_end(&w);
    if (json_take(&w, &line) == ERR_NONE) (void)fprintf(file, "%s\n", line);
    free(line);
}

void log_to_stream(void *context, LogLevel level, const char *text)
{
    LogStream *stream = context;
    char line[LINE_BYTES];
    escape_line(text, line, sizeof line);
    flockfile(stream->file);
    if (stream->line_open) (void)fputs("\r\033[K", stream->file);
    stream->line_open = false;
    if (stream->json)
        write_json(stream->file, level, text);
    else if (level == LOG_INFO)
        (void)fprintf(stream->file, "%s\n", line);
    else
        (void)fprintf(stream->file, "metaseg: %s: %s\n", log_level_name(level), line);
    (void)fflush(stream->file);
    funlockfile(stream->file);
}
