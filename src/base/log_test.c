/* SPDX-License-Identifier: Apache-2.0
 * Messages and progress: text, JSON lines, levels, the time left. */
#include "base/log.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/progress.h"
#include "harness/unit.h"

#include <math.h>
#include <string.h>

/* What was written to `file` since the last call; valid until the next. */
static const char *written(FILE *file)
{
    static char text[8192];
    rewind(file);
    const size_t length = fread(text, 1, sizeof text - 1, file);
    text[length] = '\0';
    rewind(file);
    assert_int_equal(ftruncate(fileno(file), 0), 0);
    return text;
}

static void text_and_levels(void **state)
{
    (void)state;
    FILE *file = tmpfile();
    assert_non_null(file);
    LogStream stream;
    log_stream_init(&stream, file, false);
    assert_false(stream.terminal);
    const Log log = { LOG_INFO, log_to_stream, &stream };
    log_line(&log, LOG_WARNING, "'%s': no CRS", "a.tif");
    log_line(&log, LOG_INFO, "reading");
    log_line(&log, LOG_DEBUG, "dropped");
    log_line(NULL, LOG_ERROR, "dropped");
    assert_string_equal(written(file), "metaseg: warning: 'a.tif': no CRS\nreading\n");
    stream.terminal = true; /* a progress line is wiped before a message */
    stream.line_open = true;
    log_line(&log, LOG_INFO, "x");
    assert_string_equal(written(file), "\r\033[Kx\n");
    assert_false(stream.line_open);
    assert_int_equal(fclose(file), 0);
}

static void json_lines(void **state)
{
    (void)state;
    FILE *file = tmpfile();
    assert_non_null(file);
    LogStream stream;
    Json *root = NULL;
    const char *text = NULL;
    log_stream_init(&stream, file, true);
    const Log log = { LOG_WARNING, log_to_stream, &stream };
    log_line(&log, LOG_WARNING, "quote \" and\nbreak");
    const char *line = written(file);
    assert_ptr_equal(strchr(line, '\n'), line + strlen(line) - 1);
    assert_int_equal(json_parse(line, strlen(line), 1000, &root), ERR_NONE);
    assert_int_equal(json_get_string(root, "message", &text), ERR_NONE);
    assert_string_equal(text, "quote \" and\nbreak");
    assert_int_equal(json_get_string(root, "level", &text), ERR_NONE);
    assert_string_equal(text, "warning");
    json_free(root);

    Progress progress;
    bool finished = false;
    root = NULL;
    progress_start(&progress, &stream, "predicting", "tiles", 4);
    progress_set(&progress, 4);
    (void)written(file);
    progress_finish(&progress);
    line = written(file);
    assert_int_equal(json_parse(line, strlen(line), 1000, &root), ERR_NONE);
    assert_int_equal(json_get_bool(root, "finished", &finished), ERR_NONE);
    assert_true(finished);
    json_free(root);
    assert_int_equal(fclose(file), 0);
}

static int64_t count_lines(const char *text)
{
    int64_t lines = 0;
    for (; *text != '\0'; text++) lines += *text == '\n';
    return lines;
}

static void progress_lines(void **state)
{
    (void)state;
    FILE *file = tmpfile();
    assert_non_null(file);
    LogStream stream;
    Progress progress;
    log_stream_init(&stream, file, false);
    progress_start(&progress, &stream, "predicting", "tiles", 1000);
    progress_set(&progress, 0); /* the time left is not known yet, and not told */
    for (int64_t i = 1; i <= 1000; i++) progress_set(&progress, i);
    progress_note(&progress, "%d MiB", 7);
    progress_finish(&progress);
    const char *text = written(file);
    assert_int_equal(count_lines(text), 21); /* 0, 5, ... 95 % and the last one */
    assert_non_null(strstr(text, "predicting:   0 %, 0 of 1000 tiles\n"));
    assert_non_null(strstr(text, "predicting:  50 %, 500 of 1000 tiles, "));
    assert_non_null(strstr(text, "predicting: 1000 of 1000 tiles in 0 s, 7 MiB\n"));

    progress_start(&progress, NULL, "predicting", "tiles", 10); /* quiet */
    progress_set(&progress, 10);
    progress_finish(&progress);
    progress_set(NULL, 1);
    progress_finish(NULL);
    progress_note(NULL, "x");
    assert_string_equal(written(file), "");
    assert_int_equal(fclose(file), 0);
}

static void time_left(void **state)
{
    (void)state;
    Progress progress;
    progress_start(&progress, NULL, "training", "steps", 100);
    assert_true(progress_left(&progress, progress.start + 1.0) < 0.0);
    progress_set(&progress, 25);
    assert_true(fabs(progress_left(&progress, progress.start + 10.0) - 30.0) < 1e-9);
    progress_start(&progress, NULL, "training", "steps", 100);
    progress_resume(&progress, 50);
    progress_set(&progress, 60);
    assert_true(fabs(progress_left(&progress, progress.start + 5.0) - 20.0) < 1e-9);
}

static void clock_texts(void **state)
{
    (void)state;
    char text[32], iso[21];
    clock_duration(12.4, text);
    assert_string_equal(text, "12 s");
    clock_duration(185.0, text);
    assert_string_equal(text, "3 min 05 s");
    clock_duration(7620.0, text);
    assert_string_equal(text, "2 h 07 min");
    clock_duration(-1.0, text);
    assert_string_equal(text, "?");
    clock_duration((double)NAN, text);
    assert_string_equal(text, "?");
    clock_iso(951782400, iso); /* leap day */
    assert_string_equal(iso, "2000-02-29T00:00:00Z");
    clock_iso(INT64_MAX, iso);
    assert_string_equal(iso, "0000-00-00T00:00:00Z");
    const double before = clock_seconds();
    assert_true(clock_seconds() >= before);
    assert_true(clock_unix() > 1700000000);
    assert_true(clock_peak_memory() > 100000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_and_levels), cmocka_unit_test(json_lines),  cmocka_unit_test(progress_lines),
        cmocka_unit_test(time_left),       cmocka_unit_test(clock_texts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
