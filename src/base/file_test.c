/* SPDX-License-Identifier: Apache-2.0
 * Files: whole reads, atomic writes, paths. */
#include "base/file.h"

#include "base/str.h"
#include "harness/unit.h"

#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

static char *at(const char *name)
{
    char *path = NULL;
    assert_int_equal(path_join(unit_scratch, name, &path), ERR_NONE);
    return path;
}

static void write_then_read(void **state)
{
    (void)state;
    char *path = at("a.txt"), *partial = NULL, *bytes = NULL;
    size_t length = 0;
    int64_t size = 0;
    assert_int_equal(file_partial_name(path, &partial), ERR_NONE);
    assert_non_null(strstr(partial, "/.a.txt.partial-"));
    assert_int_equal(file_write(path, "one\0two", 7, false), ERR_NONE);
    assert_false(file_exists(partial));
    assert_int_equal(file_read(path, 7, &bytes, &length), ERR_NONE);
    assert_int_equal(length, 7);
    assert_memory_equal(bytes, "one\0two", 8);
    free(bytes);
    bytes = NULL;
    assert_int_equal(file_read(path, 6, &bytes, &length), ERR_INPUT); /* larger than the limit */
    assert_null(bytes);
    assert_int_equal(file_size(path, &size), ERR_NONE);
    assert_int_equal(size, 7);

    assert_int_equal(file_write(path, "three", 5, false), ERR_OUTPUT); /* refuses to overwrite */
    assert_non_null(strstr(err_message(), "-f"));
    assert_int_equal(file_size(path, &size), ERR_NONE);
    assert_int_equal(size, 7);
    assert_int_equal(file_write(path, "three", 5, true), ERR_NONE);
    assert_int_equal(file_size(path, &size), ERR_NONE);
    assert_int_equal(size, 5);
    assert_int_equal(file_remove(path), ERR_NONE);
    assert_int_equal(file_remove(path), ERR_NONE);
    assert_false(file_exists(path));
    free(path);
    free(partial);
}

static void unreadable(void **state)
{
    (void)state;
    char *bytes = NULL;
    size_t length = 0;
    char *missing = at("missing"), *fifo = at("fifo");
    assert_int_equal(file_read(missing, 10, &bytes, &length), ERR_INPUT);
    assert_int_equal(file_read(unit_scratch, 10, &bytes, &length), ERR_INPUT);
    assert_int_equal(mkfifo(fifo, 0600), 0);
    assert_int_equal(file_read(fifo, 10, &bytes, &length), ERR_INPUT); /* and does not hang */
    assert_null(bytes);
    assert_int_equal(file_remove(fifo), ERR_NONE);
    free(missing);
    free(fifo);
}

static void unwritable(void **state)
{
    (void)state;
    char *in_missing = at("missing/x"), *under_file = at("plain/x"), *plain = at("plain");
    assert_int_equal(file_write(in_missing, "x", 1, false), ERR_OUTPUT);
    assert_int_equal(file_write(unit_scratch, "x", 1, true), ERR_OUTPUT);
    assert_int_equal(file_check_output("", true), ERR_OUTPUT);
    assert_int_equal(file_check_output("a/", true), ERR_OUTPUT);
    assert_int_equal(file_write(plain, "x", 1, false), ERR_NONE);
    assert_int_equal(file_write(under_file, "x", 1, false), ERR_OUTPUT);
    assert_int_equal(file_make_folders(under_file), ERR_OUTPUT);
    assert_int_equal(file_remove(plain), ERR_NONE);
    free(in_missing);
    free(under_file);
    free(plain);
}

static void full_disk(void **state)
{
    (void)state;
    /* /dev/full answers every write with "no space left"; the partial name is a link to it */
    char *path = at("big"), *partial = NULL;
    assert_int_equal(file_partial_name(path, &partial), ERR_NONE);
    if (access("/dev/full", W_OK) != 0) skip();
    assert_int_equal(symlink("/dev/full", partial), 0);
    assert_int_equal(file_write(path, "x", 1, false), ERR_OUTPUT);
    assert_non_null(strstr(err_message(), "free some space"));
    assert_false(file_exists(path));
    assert_false(file_exists(partial));
    free(path);
    free(partial);
}

/* Number of a process that has ended. */
static pid_t ended_process(void)
{
    const pid_t child = fork();
    if (child == 0) _exit(0);
    assert_true(child > 0);
    assert_int_equal(waitpid(child, NULL, 0), child);
    return child;
}

/* Each process has its own partial file; those of processes that ended are removed, and no others. */
static void partial_files(void **state)
{
    (void)state;
    char *path = at("map.tif"), *mine = NULL, *again = NULL;
    assert_int_equal(file_partial_name(path, &mine), ERR_NONE);
    const int stem = (int)(strrchr(mine, '-') - mine);
    assert_int_equal(strtol(mine + stem + 1, NULL, 10), getpid());
    const char *const suffixes[] = { "", ".aux.xml", "x", ".0", "", "" };
    char *names[6] = { NULL };
    const pid_t ended = ended_process();
    for (int i = 0; i < 4; i++)
        assert_int_equal(str_format(&names[i], "%.*s-%ld%s", stem, mine, (long)ended, suffixes[i]), ERR_NONE);
    assert_int_equal(str_format(&names[4], "%.*s-%ld", stem, mine, (long)getppid()), ERR_NONE); /* it lives */
    assert_int_equal(str_format(&names[5], "%s/.map.tif.partial-another1-%ld", unit_scratch, (long)ended), ERR_NONE);
    unit_write_text(mine, "");
    for (int i = 0; i < 6; i++) unit_write_text(names[i], "");
    assert_int_equal(file_partial_name(path, &again), ERR_NONE);
    assert_string_equal(mine, again);
    const bool stays[] = { false, false, true, false, true, true };
    for (int i = 0; i < 6; i++) {
        assert_int_equal(file_exists(names[i]), stays[i]);
        assert_int_equal(file_remove(names[i]), ERR_NONE);
        free(names[i]);
    }
    assert_true(file_exists(mine));
    assert_int_equal(file_remove(mine), ERR_NONE);
    free(path);
    free(mine);
    free(again);
}

/* A process that stops half-way while another writes the same file. */
static void two_writers(void **state)
{
    (void)state;
    char *path = at("both"), *bytes = NULL;
    size_t length = 0;
    int ready[2];
    assert_int_equal(pipe(ready), 0);
    const pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        char *partial = NULL;
        if (file_partial_name(path, &partial) != ERR_NONE) _exit(1);
        FILE *stream = fopen(partial, "w");
        if (stream == NULL || fputs("half", stream) < 0 || fclose(stream) != 0) _exit(1);
        if (write(ready[1], "x", 1) != 1) _exit(1);
        (void)pause();
        _exit(0);
    }
    char byte = 0;
    assert_int_equal(read(ready[0], &byte, 1), 1);
    assert_int_equal(file_write(path, "whole", 5, false), ERR_NONE);
    assert_int_equal(file_read(path, 10, &bytes, &length), ERR_NONE);
    assert_string_equal(bytes, "whole");
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(waitpid(child, NULL, 0), child);
    assert_int_equal(file_write(path, "again", 5, true), ERR_NONE); /* and removes what the killed one left */
    assert_int_equal(file_remove(path), ERR_NONE);
    assert_int_equal(close(ready[0]) + close(ready[1]), 0);
    free(bytes);
    free(path);
}

static void folders(void **state)
{
    (void)state;
    char *deep = at("p/q//r/"), *p = at("p"), *q = at("p/q"), *r = at("p/q/r");
    assert_int_equal(file_make_folders(deep), ERR_NONE);
    assert_true(file_is_folder(r));
    assert_int_equal(file_make_folders(deep), ERR_NONE);
    assert_int_equal(file_make_folders("/"), ERR_NONE);
    assert_int_equal(file_make_folders(""), ERR_OUTPUT);
    assert_int_equal(rmdir(r) + rmdir(q) + rmdir(p), 0);
    free(deep);
    free(p);
    free(q);
    free(r);
}

static void check(char *got, const char *expected)
{
    assert_string_equal(got, expected);
    free(got);
}

static void paths(void **state)
{
    (void)state;
    char *text = NULL;
    assert_int_equal(path_join("a", "b", &text), ERR_NONE);
    check(text, "a/b");
    assert_int_equal(path_join("a/", "b", &text), ERR_NONE);
    check(text, "a/b");
    assert_int_equal(path_join("a", "/b", &text), ERR_NONE);
    check(text, "/b");
    assert_int_equal(path_join("", "b", &text), ERR_NONE);
    check(text, "b");
    assert_int_equal(path_folder("a/b", &text), ERR_NONE);
    check(text, "a");
    assert_int_equal(path_folder("b", &text), ERR_NONE);
    check(text, ".");
    assert_int_equal(path_folder("/b", &text), ERR_NONE);
    check(text, "/");
    assert_int_equal(path_stem("a.b/c.tif", &text), ERR_NONE);
    check(text, "a.b/c");
    assert_int_equal(path_stem("a.b/c", &text), ERR_NONE);
    check(text, "a.b/c");
    assert_int_equal(path_stem("a/.c", &text), ERR_NONE);
    check(text, "a/.c");
    assert_string_equal(path_name("a/b.c"), "b.c");
    assert_string_equal(path_name("b.c"), "b.c");
    assert_int_equal(file_partial_name("a/", &text), ERR_ARGUMENT);
}

static void nothing_left_behind(void **state)
{
    (void)state;
    unit_check_files(NULL, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(write_then_read), cmocka_unit_test(unreadable),  cmocka_unit_test(unwritable),
        cmocka_unit_test(full_disk),       cmocka_unit_test(folders),     cmocka_unit_test(paths),
        cmocka_unit_test(partial_files),   cmocka_unit_test(two_writers), cmocka_unit_test(nothing_left_behind),
    };
    return cmocka_run_group_tests(tests, unit_set_up, unit_tear_down);
}
