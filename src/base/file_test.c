/* SPDX-License-Identifier: Apache-2.0
 * Files: whole reads, atomic writes, paths. */
#include "base/file.h"

#include "base/str.h"
#include "harness/unit.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

static char *at(const char *name)
{
    char *path = NULL;
    assert_int_equal(path_join(unit_scratch, name, &path), ERR_NONE);
    return path;
}

static void check_content(const char *path, const char *content, size_t length)
{
    char *bytes = NULL;
    size_t found = 0;
    assert_int_equal(file_read(path, 100, &bytes, &found), ERR_NONE);
    assert_int_equal(found, length);
    assert_memory_equal(bytes, content, length);
    free(bytes);
}

static void write_then_read(void **state)
{
    (void)state;
    char *path = at("a.txt"), *bytes = NULL;
    size_t length = 0;
    assert_int_equal(file_write(path, "one\0two", 7, false), ERR_NONE);
    assert_int_equal(file_read(path, 7, &bytes, &length), ERR_NONE);
    assert_int_equal(length, 7);
    assert_memory_equal(bytes, "one\0two", 8);
    free(bytes);
    bytes = NULL;
    assert_int_equal(file_read(path, 6, &bytes, &length), ERR_INPUT); /* larger than the limit */
    assert_null(bytes);

    assert_int_equal(file_write(path, "three", 5, false), ERR_OUTPUT); /* refuses to overwrite */
    assert_non_null(strstr(err_message(), "-f"));
    check_content(path, "one\0two", 7);
    assert_int_equal(file_write(path, "three", 5, true), ERR_NONE);
    check_content(path, "three", 5);
    assert_int_equal(file_remove(path), ERR_NONE);
    assert_int_equal(file_remove(path), ERR_NONE);
    assert_false(file_exists(path));
    free(path);
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

/* What is no plain file is never replaced, whether it is named or linked to. */
static void in_the_way(void **state)
{
    (void)state;
    char *fifo = at("fifo"), *link = at("link"), *folder = at("folder"), *device = at("device"), *sock = at("socket");
    assert_int_equal(mkfifo(fifo, 0600), 0);
    assert_int_equal(symlink("fifo", link), 0);
    assert_int_equal(mkdir(folder, 0700), 0);
    assert_int_equal(symlink("/dev/null", device), 0);
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    const int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    (void)snprintf(address.sun_path, sizeof address.sun_path, "%s", sock);
    assert_int_equal(bind(fd, (const struct sockaddr *)&address, sizeof address), 0);
    ASSERT_ERR(file_write(fifo, "x", 1, true), ERR_OUTPUT, "is a pipe");
    ASSERT_ERR(file_write(link, "x", 1, true), ERR_OUTPUT, "is a pipe");
    ASSERT_ERR(file_write(folder, "x", 1, true), ERR_OUTPUT, "is a folder");
    ASSERT_ERR(file_write(device, "x", 1, true), ERR_OUTPUT, "is a device");
    ASSERT_ERR(file_write(sock, "x", 1, true), ERR_OUTPUT, "is a socket");
    assert_int_equal(close(fd) + unlink(fifo) + unlink(link) + rmdir(folder) + unlink(device) + unlink(sock), 0);
    free(fifo);
    free(link);
    free(folder);
    free(device);
    free(sock);
}

/* /dev/stdout is a link, by way of /proc, to whatever standard output is, a plain file for example; a rename would replace
 * the link itself. */
static void system_folders(void **state)
{
    (void)state;
    static const char *const paths[] = { "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1", "/dev/../dev/map.tif" };
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++)
        ASSERT_ERR(file_check_output(paths[i], true), ERR_OUTPUT, "is the system's, no place for a file");
    ASSERT_OK(file_check_output("/dev/shm/metaseg_no_such_file.tif", true));
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
}

/* The suffix says what is written, or there is none. */
static void kinds(void **state)
{
    (void)state;
    static const char *const right[] = {
        "m.tif", "a/m.TIF", "m.tiff", "map", "a.b/map", "map.2024", ".map", "m.jpg.tif"
    };
    static const char *const wrong[] = { "m.jpg", "m.tif.png", "m.ti", "m.tifff", "-", "a/", "a.tif/", "a/..", "." };
    for (int64_t i = 0; i < ARRAY_LEN(right); i++)
        ASSERT_OK(file_check_kind(right[i], "the map", "GeoTIFF", "tif,tiff"));
    for (int64_t i = 0; i < ARRAY_LEN(wrong); i++)
        ASSERT_ERR(file_check_kind(wrong[i], "the map", "GeoTIFF", "tif,tiff"), ERR_ARGUMENT, "ends in .tif");
    ASSERT_OK(file_check_kind(NULL, "the map", "GeoTIFF", "tif,tiff"));
}

static void nothing_left_behind(void **state)
{
    (void)state;
    unit_check_files(NULL, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(write_then_read), cmocka_unit_test(unreadable),     cmocka_unit_test(unwritable),
        cmocka_unit_test(in_the_way),      cmocka_unit_test(system_folders), cmocka_unit_test(folders),
        cmocka_unit_test(paths),           cmocka_unit_test(kinds),          cmocka_unit_test(nothing_left_behind),
    };
    return cmocka_run_group_tests(tests, unit_set_up, unit_tear_down);
}
