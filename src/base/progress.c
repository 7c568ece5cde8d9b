/* SPDX-License-Identifier: Apache-2.0
 * The progress line. */
#include "base/progress.h"

#include "base/clock.h"
#include "base/escape.h"
#include "base/json.h"

#include <stdarg.h>
#include <stdlib.h>

static const double redraw_seconds = 0.1;

void progress_start(Progress *ret_progress, LogStream *stream, const char *what, const char *unit, int64_t total)
{
    *ret_progress = (Progress){
        .stream = stream, .what = what, .unit = unit, .total = total, .start = clock_seconds(), .shown_step = -1
    };
    ret_progress->shown = ret_progress->start - redraw_seconds;
}

void progress_resume(Progress *progress, int64_t first)
{
    progress->first = first;
    progress->done = first;
}

void progress_note(Progress *progress, const char *format, ...)
{
    va_list arguments;
    if (progress == NULL) return;
    va_start(arguments, format);
    (void)vsnprintf(progress->note, sizeof progress->note, format, arguments);
    va_end(arguments);
}

double progress_left(const Progress *progress, double now)
{
    const double fresh = (double)(progress->done - progress->first), seconds = now - progress->start;
    if (fresh <= 0.0 || seconds <= 0.0) return -1.0;
    return (double)(progress->total - progress->done) * seconds / fresh;
}

static double percent_of(const Progress *progress)
{
    return progress->total > 0 ? 100.0 * (double)progress->done / (double)progress->total : 100.0;
}

static void write_json(const Progress *progress, double now, bool last)
{
    char time_text[21];
    char *line = NULL;
    JsonWriter w = { 0 };
    const double left = progress_left(progress, now);
    clock_iso(clock_unix(), time_text);
    json_begin_object(&w, NULL);
    json_put_string(&w, "time", time_text);
    json_put_string(&w, "level", "progress");
    json_put_string(&w, "what", progress->what);
    json_put_string(&w, "unit", progress->unit);
    json_put_int(&w, "done", progress->done);
    json_put_int(&w, "total", progress->total);
    json_put_double(&w, "seconds", now - progress->start);
    if (left >= 0.0) json_put_double(&w, "seconds_left", left);
    if (progress->note[0] != '\0') json_put_string(&w, "note", progress->note);
    json_put_bool(&w, "finished", last);
    json_end(&w);
    if (json_take(&w, &line) == ERR_NONE) (void)fprintf(progress->stream->file, "%s\n", line);
    free(line);
}

static void write_text(const Progress *progress, double now, bool last)
{
    LogStream *stream = progress->stream;
    char took[32], left[48] = "", duration[32], what[256], note[256];
    escape_line(progress->what, what, sizeof what);
    escape_line(progress->note, note, sizeof note);
    clock_duration(now - progress->start, took);
    clock_duration(progress_left(progress, now), duration);
    if (progress_left(progress, now) >= 0.0) (void)snprintf(left, sizeof left, ", %s left", duration);
    const char *separator = progress->note[0] == '\0' ? "" : ", ";
    if (stream->terminal) (void)fputs("\r\033[K", stream->file);
    if (last)
        (void)fprintf(stream->file, "%s: %lld of %lld %s in %s%s%s\n", what, (long long)progress->done,
                      (long long)progress->total, progress->unit, took, separator, note);
    else
        (void)fprintf(stream->file, "%s: %3.0f %%, %lld of %lld %s%s%s%s%s", what, percent_of(progress),
                      (long long)progress->done, (long long)progress->total, progress->unit, left, separator, note,
                      stream->terminal ? "" : "\n");
    stream->line_open = stream->terminal && !last;
}

static void write_line(Progress *progress, double now, bool last)
{
    FILE *file = progress->stream->file;
    flockfile(file);
    if (progress->stream->json)
        write_json(progress, now, last);
    else
        write_text(progress, now, last);
    (void)fflush(file);
    funlockfile(file);
    progress->shown = now;
}

void progress_set(Progress *progress, int64_t done)
{
    if (progress == NULL) return;
    progress->done = done;
    if (progress->stream == NULL) return;
    const double now = clock_seconds();
    if (progress->stream->terminal) {
        if (now - progress->shown >= redraw_seconds) write_line(progress, now, false);
        return;
    }
    const int64_t step = (int64_t)(percent_of(progress) / 5.0);
    if (step > progress->shown_step && progress->done < progress->total) write_line(progress, now, false);
    if (step > progress->shown_step) progress->shown_step = step;
}

void progress_finish(Progress *progress)
{
    if (progress == NULL || progress->stream == NULL) return;
    write_line(progress, clock_seconds(), true);
}
