/* SPDX-License-Identifier: Apache-2.0
 * Files by what they are: every disguise of one file is seen, and no two files are taken for one. */
#include "base/file_set.h"

#include "harness/unit.h"

#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>

static char in[256], folder[256], other[256];

/* An image, a folder with a link to it, a hard link, links to folders and to nothing. */
static int set_up(void **state)
{
    char path[256], absolute[PATH_MAX], here[PATH_MAX];
    if (unit_set_up(state) != 0) return -1;
    unit_write_text(unit_at("in.tif", in), "x");
    unit_write_text(unit_at("other.tif", other), "x");
    if (mkdir(unit_at("folder", folder), 0777) != 0) return -1;
    if (symlink("../in.tif", unit_at("folder/link.tif", path)) != 0) return -1;
    if (symlink("folder/link.tif", unit_at("link_to_link.tif", path)) != 0) return -1;
    if (link(in, unit_at("hard.tif", path)) != 0) return -1;
    if (symlink("folder", unit_at("same", path)) != 0) return -1;
    if (symlink("folder/new.tif", unit_at("to_nothing.tif", path)) != 0) return -1;
    if (getcwd(here, sizeof here) == NULL) return -1;
    (void)snprintf(absolute, sizeof absolute, "%.2000s/%s", here, unit_at("folder/new.tif", path));
    return symlink(absolute, unit_at("to_nothing_absolute.tif", path));
}

static int tear_down(void **state)
{
    char path[256];
    (void)unlink(unit_at("folder/link.tif", path));
    (void)rmdir(folder);
    return unit_remove_files() ? unit_tear_down(state) : -1;
}

/* Adds "the first" and "the second" under two names; whether they are one. */
static bool one(const char *a, bool a_is_output, const char *b, bool b_is_output)
{
    FileSet set = { 0 };
    ASSERT_OK(a_is_output ? file_set_output(&set, a, "the first") : file_set_input(&set, a, "the first"));
    const Err err = b_is_output ? file_set_output(&set, b, "the second") : file_set_input(&set, b, "the second");
    file_set_done(&set);
    if (err == ERR_NONE) return false;
    assert_int_equal(err, ERR_ARGUMENT);
    assert_non_null(strstr(err_message(), "the first"));
    assert_non_null(strstr(err_message(), "the second"));
    return true;
}

static void check(const char *a, const char *b, bool expected)
{
    char x[256], y[256];
    unit_at(a, x);
    unit_at(b, y);
    for (int order = 0; order < 2; order++) {
        const char *first = order == 0 ? x : y, *second = order == 0 ? y : x;
        if (one(first, false, second, true) != expected || one(first, true, second, false) != expected ||
            one(first, true, second, true) != expected)
            fail_msg("'%s' and '%s': expected %s", first, second, expected ? "one file" : "two files");
        assert_false(one(first, false, second, false)); /* inputs may be named often */
    }
}

static void disguises(void **state)
{
    (void)state;
    static const char *const names[] = { "in.tif",          "./in.tif",       "folder/../in.tif",
                                         "folder/link.tif", "same/link.tif",  "link_to_link.tif",
                                         "hard.tif",        "same/../in.tif", "folder//link.tif" };
    for (int64_t i = 0; i < ARRAY_LEN(names); i++) {
        check("in.tif", names[i], true);
        check("hard.tif", names[i], true);
        check("other.tif", names[i], false);
    }
    char absolute[PATH_MAX];
    assert_non_null(realpath(in, absolute));
    assert_true(one(in, false, absolute, true));
}

static void not_there_yet(void **state)
{
    (void)state;
    check("folder/new.tif", "same/new.tif", true);
    check("folder/new.tif", "same/../folder/./new.tif", true);
    check("folder/new.tif", "to_nothing.tif", true);
    check("folder/new.tif", "to_nothing_absolute.tif", true);
    check("to_nothing.tif", "to_nothing_absolute.tif", true);
    check("new.tif", "to_nothing.tif", false);
    check("new.tif", "folder/new.tif", false);
    check("new.tif", "new.tif.aux.xml", false);
    check("new.tif", "New.tif", false);
    check("missing/new.tif", "missing/new.tif", true); /* no folder: by the words alone */
    check("missing/new.tif", "missing/new2.tif", false);
}

/* Two images without a name, one link that runs in a circle: no file, no end. */
static void odd(void **state)
{
    (void)state;
    char path[256];
    FileSet set = { 0 };
    assert_int_equal(symlink("circle.tif", unit_at("circle.tif", path)), 0);
    assert_true(one(path, true, path, true));
    assert_false(one(path, true, in, false));
    ASSERT_OK(file_set_output(&set, NULL, "nothing"));
    ASSERT_OK(file_set_input(&set, NULL, "nothing"));
    assert_int_equal(set.count, 0);
    ASSERT_OK(file_set_output(&set, path, "the map"));
    ASSERT_ERR(file_set_output(&set, path, "the confidence"), ERR_ARGUMENT, "both the map and the confidence");
    ASSERT_OK(file_set_input(&set, in, "the image"));
    ASSERT_ERR(file_set_output(&set, in, "the quicklook"), ERR_ARGUMENT, "the quicklook is the image, which is read");
    file_set_done(&set);
    assert_int_equal(set.count, 0);
}

/* Each of many is found, the first as well as the last, under another name too. */
static void many(void **state)
{
    (void)state;
    enum { FILES = 3000, SOME = 101 };
    char name[64], path[256];
    FileSet set = { 0 };
    for (int i = 0; i < FILES; i++) {
        (void)snprintf(name, sizeof name, "folder/%d.tif", i);
        ASSERT_OK(i % 2 == 0 ? file_set_output(&set, unit_at(name, path), "the map")
                             : file_set_input(&set, unit_at(name, path), "the image"));
        ASSERT_OK(file_set_input(&set, in, "the image"));
    }
    ASSERT_OK(file_set_output(&set, unit_at("to_nothing.tif", path), "a link"));
    for (int i = 0; i < FILES; i += SOME) {
        (void)snprintf(name, sizeof name, "same/%d.tif", i);
        ASSERT_ERR(file_set_output(&set, unit_at(name, path), "the other"), ERR_ARGUMENT, "the other");
    }
    ASSERT_ERR(file_set_output(&set, unit_at("folder/new.tif", path), "the other"), ERR_ARGUMENT, "a link");
    ASSERT_ERR(file_set_output(&set, unit_at("hard.tif", path), "the other"), ERR_ARGUMENT, "the other is the image");
    ASSERT_OK(file_set_output(&set, unit_at("folder/another.tif", path), "the other"));
    file_set_done(&set);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(disguises), cmocka_unit_test(not_there_yet),
                                        cmocka_unit_test(odd), cmocka_unit_test(many) };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
