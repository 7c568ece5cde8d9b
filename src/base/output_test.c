/* SPDX-License-Identifier: Apache-2.0
 * Files that get their names together: all or none, whatever fails; what stood there stays, with its permissions. */
#include "base/output.h"

#include "base/file.h"
#include "harness/unit.h"

#include <errno.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

static char map[256], side[256], old_overviews[256];

static int set_up(void **state)
{
    if (unit_set_up(state) != 0) return -1;
    unit_at("map", map);
    unit_at("map.aux", side);
    unit_at("map.ovr", old_overviews);
    return 0;
}

/* Text of a file of the scratch folder. */
static void check_text(const char *path, const char *expected)
{
    char *bytes = NULL;
    size_t length = 0;
    ASSERT_OK(file_read(path, 100, &bytes, &length));
    assert_string_equal(bytes, expected);
    free(bytes);
}

static unsigned mode_of(const char *path)
{
    struct stat info;
    assert_int_equal(stat(path, &info), 0);
    return (unsigned)info.st_mode & 0777U;
}

/* Opens the output of a map and its side-car and fills both. */
static Output *fill(bool overwrite)
{
    Output *output = NULL;
    const char *partial = NULL;
    ASSERT_OK(output_open(map, overwrite, &output));
    ASSERT_OK(output_retire(output, old_overviews));
    ASSERT_OK(output_add(output, side, &partial));
    ASSERT_OK(output_write(output_partial(output), map, "new", 3));
    ASSERT_OK(output_write(partial, side, "NEW", 3));
    return output;
}

static void write_old(void)
{
    unit_write_text(map, "old");
    unit_write_text(side, "OLD");
    unit_write_text(old_overviews, "overviews");
    assert_int_equal(chmod(map, 0640) + chmod(side, 0604), 0);
}

static void check_old(void)
{
    check_text(map, "old");
    check_text(side, "OLD");
    check_text(old_overviews, "overviews");
    assert_int_equal(mode_of(map), 0640);
    assert_int_equal(mode_of(side), 0604);
    unit_check_files((const char *const[]){ "map", "map.aux", "map.ovr" }, 3);
}

static void together(void **state)
{
    (void)state;
    const mode_t before = umask(027);
    Output *output = fill(false);
    assert_false(file_exists(map));
    ASSERT_OK(output_publish(output));
    output_close(output);
    check_text(map, "new");
    check_text(side, "NEW");
    assert_int_equal(mode_of(map), 0640); /* what the umask leaves */
    unit_check_files((const char *const[]){ "map", "map.aux" }, 2);
    Output *again = NULL;
    ASSERT_ERR(output_open(map, false, &again), ERR_OUTPUT, "-f");
    assert_null(again);
    (void)umask(before);
    assert_true(unit_remove_files());
}

static void replaced(void **state)
{
    (void)state;
    write_old();
    Output *output = fill(true);
    ASSERT_OK(output_publish(output));
    output_close(output);
    check_text(map, "new");
    check_text(side, "NEW");
    assert_int_equal(mode_of(map), 0640); /* kept */
    assert_int_equal(mode_of(side), 0604);
    unit_check_files((const char *const[]){ "map", "map.aux" }, 2); /* overviews of the older map would lie */
    assert_true(unit_remove_files());
}

static void given_up(void **state)
{
    (void)state;
    write_old();
    Output *output = fill(true);
    check_text(map, "old");
    output_close(output);
    check_old();
    assert_true(unit_remove_files());
}

/* A folder that comes to be under one of the names, last, middle or first in the order of renaming: all is undone. */
static void undone(void **state)
{
    (void)state;
    const char *const names[] = { map, side, old_overviews };
    for (int64_t i = 0; i < ARRAY_LEN(names); i++) {
        write_old();
        Output *output = fill(true);
        assert_int_equal(unlink(names[i]) + mkdir(names[i], 0700), 0);
        ASSERT_ERR(output_publish(output), ERR_OUTPUT, "is a folder");
        output_close(output);
        assert_int_equal(rmdir(names[i]), 0);
        for (int64_t k = 0; k < ARRAY_LEN(names); k++) {
            static const char *const texts[] = { "old", "OLD", "overviews" };
            if (k != i) check_text(names[k], texts[k]);
        }
        assert_true(unit_remove_files());
    }
}

/* Several outputs are one: what the first renamed is undone when the second fails, wherever that happens. */
static void several(void **state)
{
    (void)state;
    char picture[256];
    for (int round = 0; round < 3; round++) {
        Output *outputs[2] = { NULL, NULL };
        write_old();
        unit_write_text(unit_at("picture", picture), "drawn");
        outputs[0] = fill(true);
        ASSERT_OK(output_prepare(picture, "NEWER", 5, true, &outputs[1]));
        check_text(picture, "drawn");
        if (round == 0) assert_int_equal(unlink(output_partial(outputs[1])), 0); /* syncing fails */
        if (round == 1) assert_int_equal(unlink(picture) + mkdir(picture, 0700), 0);
        const Err err = output_publish_all(outputs, 2);
        output_close(outputs[0]);
        output_close(outputs[1]);
        assert_int_equal(err, round < 2 ? ERR_OUTPUT : ERR_NONE);
        check_text(map, round < 2 ? "old" : "new");
        check_text(side, round < 2 ? "OLD" : "NEW");
        assert_true(file_exists(old_overviews) == (round < 2));
        if (round != 1) check_text(picture, round == 0 ? "drawn" : "NEWER");
        if (round == 1) assert_int_equal(rmdir(picture), 0);
        assert_true(unit_remove_files());
    }
}

/* New outputs of which one cannot be named: none is there. */
static void several_new(void **state)
{
    (void)state;
    char picture[256];
    Output *outputs[2] = { fill(false), NULL };
    ASSERT_OK(output_prepare(unit_at("picture", picture), "NEWER", 5, false, &outputs[1]));
    unit_write_text(picture, "other");
    ASSERT_ERR(output_publish_all(outputs, 2), ERR_OUTPUT, "exists already");
    output_close(outputs[0]);
    output_close(outputs[1]);
    check_text(picture, "other");
    unit_check_files((const char *const[]){ "picture" }, 1);
    assert_true(unit_remove_files());
}

/* Rows are appended to a plain file alone, and whole. */
static void appended(void **state)
{
    (void)state;
    struct rlimit before;
    char target[256];
    ASSERT_OK(output_append(map, "one\n", 4));
    ASSERT_OK(output_append(map, "two\n", 4));
    check_text(map, "one\ntwo\n");
    void (*handler)(int) = signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &(struct rlimit){ 10, before.rlim_max }), 0);
    const Err err = output_append(map, "three\n", 6);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    (void)signal(SIGXFSZ, handler);
    assert_int_equal(err, ERR_OUTPUT);
    check_text(map, "one\ntwo\n");
    unit_write_text(unit_at("target", target), "kept");
    assert_int_equal(symlink("target", side), 0);
    ASSERT_ERR(output_append(side, "row", 3), ERR_OUTPUT, "cannot be written");
    check_text(target, "kept");
    assert_int_equal(mkfifo(old_overviews, 0600), 0);
    ASSERT_ERR(output_append(old_overviews, "row", 3), ERR_OUTPUT, "'");
    assert_true(unit_remove_files());
}

/* A file that comes to be meanwhile is not replaced unless that was asked for. */
static void not_replaced(void **state)
{
    (void)state;
    Output *output = fill(false);
    unit_write_text(map, "other");
    ASSERT_ERR(output_publish(output), ERR_OUTPUT, "exists already");
    output_close(output);
    check_text(map, "other");
    unit_check_files((const char *const[]){ "map" }, 1);
    assert_true(unit_remove_files());
    output = fill(false);
    unit_write_text(side, "other");
    ASSERT_ERR(output_publish(output), ERR_OUTPUT, "exists already");
    output_close(output);
    unit_check_files((const char *const[]){ "map.aux" }, 1);
    assert_true(unit_remove_files());
}

/* The link itself is replaced; what it names is untouched. */
static void links(void **state)
{
    (void)state;
    char target[256];
    unit_write_text(unit_at("target", target), "kept");
    assert_int_equal(symlink("target", map), 0);
    Output *output = fill(true);
    ASSERT_OK(output_publish(output));
    output_close(output);
    check_text(target, "kept");
    check_text(map, "new");
    struct stat info;
    assert_true(lstat(map, &info) == 0 && S_ISREG(info.st_mode));
    assert_true(unit_remove_files());
    FILE *stream = NULL;
    unit_write_text(target, "kept");
    assert_int_equal(symlink("target", map), 0);
    ASSERT_ERR(output_create(map, map, &stream), ERR_OUTPUT, "cannot be written");
    ASSERT_ERR(output_create(target, target, &stream), ERR_OUTPUT, "cannot be written");
    assert_null(stream);
    check_text(target, "kept");
    assert_true(unit_remove_files());
}

/* Where partial files are: a folder of our own that others cannot enter, another one each time. */
static void hidden(void **state)
{
    (void)state;
    Output *first = NULL, *second = NULL;
    char folder[256], other[256];
    ASSERT_OK(output_open(map, false, &first));
    ASSERT_OK(output_open(map, false, &second));
    (void)snprintf(folder, sizeof folder, "%s", output_partial(first));
    *strrchr(folder, '/') = '\0';
    (void)snprintf(other, sizeof other, "%s", output_partial(second));
    *strrchr(other, '/') = '\0';
    assert_string_not_equal(folder, other);
    assert_int_equal(mode_of(folder), 0700);
    output_close(first);
    output_close(second);
    unit_check_files(NULL, 0);
}

/* A process that stops half-way: nobody touches its files while it lives, the next writer removes them afterwards, and
 * nothing that only looks like them. */
static void killed(void **state)
{
    (void)state;
    char path[256], link[256];
    int ready[2];
    char byte = 0;
    assert_int_equal(pipe(ready), 0);
    const pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        Output *output = NULL;
        if (output_open(map, false, &output) != ERR_NONE) _exit(1);
        if (output_write(output_partial(output), map, "half", 4) != ERR_NONE) _exit(1);
        if (write(ready[1], output_partial(output), 200) != 200) _exit(1);
        (void)pause();
        _exit(0);
    }
    assert_int_equal(read(ready[0], path, 200), 200);
    path[200] = byte;
    ASSERT_OK(file_write(map, "whole", 5, false));
    assert_true(file_exists(path)); /* it lives */
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(waitpid(child, NULL, 0), child);
    assert_int_equal(mkdir(unit_at(".metaseg-partial-0123456789abcdef", link), 0700), 0);
    char keep[300];
    (void)snprintf(keep, sizeof keep, "%s/notes.txt", link);
    unit_write_text(keep, "not ours");
    ASSERT_OK(file_write(map, "again", 5, true));
    assert_false(file_exists(path));
    check_text(keep, "not ours");
    assert_int_equal(unlink(keep) + rmdir(link), 0);
    unit_check_files((const char *const[]){ "map" }, 1);
    assert_int_equal(close(ready[0]) + close(ready[1]), 0);
    assert_true(unit_remove_files());
}

/* A limit on the size of files stands in for a full disk. */
static void full(void **state)
{
    (void)state;
    struct rlimit before;
    char text[4096];
    memset(text, 'x', sizeof text);
    void (*handler)(int) = signal(SIGXFSZ, SIG_IGN);
    unit_write_text(map, "old");
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &(struct rlimit){ 100, before.rlim_max }), 0);
    const Err err = file_write(map, text, sizeof text, true);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_int_equal(err, ERR_OUTPUT);
    assert_non_null(strstr(err_message(), "File too large"));
    (void)signal(SIGXFSZ, handler);
    check_text(map, "old");
    unit_check_files((const char *const[]){ "map" }, 1);
    assert_true(unit_remove_files());
}

/* What is said is what happened. */
static void reasons(void **state)
{
    (void)state;
    static const struct {
        int reason;
        const char *text;
    } list[] = { { ENOSPC, "disk is full" }, { EDQUOT, "quota" },         { EIO, "fails" },
                 { EROFS, "file system" },   { EACCES, "may not write" }, { ENAMETOOLONG, "shorter name" } };
    for (int64_t i = 0; i < ARRAY_LEN(list); i++) {
        ASSERT_ERR(output_error("m.tif", list[i].reason), ERR_OUTPUT, list[i].text);
        if (list[i].reason != ENOSPC) assert_null(strstr(err_message(), "disk is full"));
    }
    char name[600] = "";
    (void)snprintf(name, sizeof name, "%s/%0300d", unit_scratch, 7);
    ASSERT_ERR(file_check_output(name, true), ERR_OUTPUT, "shorter name");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(together), cmocka_unit_test(replaced),     cmocka_unit_test(given_up),
        cmocka_unit_test(undone),   cmocka_unit_test(not_replaced), cmocka_unit_test(links),
        cmocka_unit_test(hidden),   cmocka_unit_test(killed),       cmocka_unit_test(full),
        cmocka_unit_test(reasons),  cmocka_unit_test(several),      cmocka_unit_test(several_new),
        cmocka_unit_test(appended),
    };
    return cmocka_run_group_tests(tests, set_up, unit_tear_down);
}
