/* SPDX-License-Identifier: Apache-2.0
 * Folders, patterns and lists as inputs: what is taken, in which order, what is told and what is refused. */
#include "geo/geo_test.h"
#include "geo/input_list.h"

#include "base/str.h"

static char told[4][1024]; /* lines of the log */
static int64_t n_told;

static void hear(void *context, LogLevel level, const char *text)
{
    (void)context;
    (void)level;
    if (n_told < 4) (void)snprintf(told[n_told], sizeof told[n_told], "%s", text);
    n_told++;
}

static const Log listener = { LOG_INFO, hear, NULL };

static Err add(InputList *list, const char *word)
{
    n_told = 0;
    return input_list_add(list, word, &listener, NULL);
}

static void write_bytes(const char *name, const char *bytes, size_t length)
{
    char path[256];
    FILE *file = fopen(unit_at(name, path), "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, length, file), length);
    assert_int_equal(fclose(file), 0);
}

static void write_text(const char *name, const char *text) { write_bytes(name, text, strlen(text)); }

static void make_folder(const char *name)
{
    char path[256];
    assert_int_equal(mkdir(unit_at(name, path), 0777), 0);
}

static void make_raster(const char *name, const char *driver)
{
    char path[256];
    test_raster(unit_at(name, path), (TestRaster){ .width = 4, .height = 4, .driver = driver });
}

/* The paths are these, blank separated, below the scratch folder. */
static void check_paths(const InputList *list, const char *names)
{
    Str all = { 0 };
    for (int64_t i = 0; i < list->count; i++) {
        const char *path = list->paths[i];
        if (str_starts_with(path, unit_scratch)) path += strlen(unit_scratch) + 1;
        str_addf(&all, "%s%s", i > 0 ? " " : "", path);
    }
    assert_string_equal(str_text(&all), names);
    str_done(&all);
}

static void expect_paths(const char *word, bool many, const char *names)
{
    InputList list = { 0 };
    ASSERT_OK(add(&list, word));
    check_paths(&list, names);
    assert_int_equal(list.many, many);
    input_list_done(&list);
}

static void expect_error(const char *word, Err err, const char *text)
{
    InputList list = { 0 };
    ASSERT_ERR(add(&list, word), err, text);
    input_list_done(&list);
}

/* The rasters of a folder by suffix or content, in order; side-cars and the rest are counted and told. */
static void folder(void **state)
{
    (void)state;
    char path[256];
    make_folder("tiles");
    make_raster("tiles/b.tif", NULL);
    make_raster("tiles/B.png", "PNG");
    make_raster("tiles/raw", "ENVI"); /* and raw.hdr */
    make_raster("tiles/no_suffix", NULL);
    make_raster("tiles/b.tif.ovr", NULL);
    make_raster("tiles/.hidden", NULL);
    write_text("tiles/damaged.tif", ""); /* is told by who reads it */
    write_text("tiles/notes.txt", "words");
    write_text("tiles/backup.zip", "PK");
    write_text("tiles/S2B_MSIL2A_20230820T094549_N0509_R079_T33TWL_20230820T124817.SAFE.zip", "PK");
    make_folder("tiles/inner");
    make_raster("tiles/inner/c.tif", NULL);
    make_folder("tiles/X.SAFE");
    InputList list = { 0 };
    ASSERT_OK(add(&list, unit_at("tiles", path)));
    check_paths(&list, "tiles/.hidden tiles/B.png "
                       "tiles/S2B_MSIL2A_20230820T094549_N0509_R079_T33TWL_20230820T124817.SAFE.zip tiles/X.SAFE "
                       "tiles/b.tif tiles/damaged.tif tiles/no_suffix tiles/raw");
    assert_true(list.many);
    assert_int_equal(n_told, 1);
    if (strstr(told[0], "8 images; ") == NULL || strstr(told[0], " other files ('b.tif.ovr' for one) and ") == NULL)
        fail_msg("told: %s", told[0]);
    if (strstr(told[0], "1 folder ('inner') are not read") == NULL) fail_msg("told: %s", told[0]);
    input_list_done(&list);
}

static void folder_without_images(void **state)
{
    (void)state;
    char path[256];
    make_folder("empty");
    expect_error(unit_at("empty", path), ERR_INPUT, "this is a folder, and no image and no product is in it; expected");
    write_text("empty/a.txt", "words");
    make_folder("empty/b");
    expect_error(unit_at("empty", path), ERR_INPUT, "is in it, but 1 other file ('a.txt') and 1 folder ('b'); ");
}

/* A folder of band files stays one scene; another image in it is told. */
static void scene_in_folder(void **state)
{
    (void)state;
    char path[256];
    make_folder("scene");
    make_raster("scene/s_B02.tif", NULL);
    make_raster("scene/s_B03.tif", NULL);
    expect_paths(unit_at("scene", path), false, "scene");
    assert_int_equal(n_told, 0);
    make_raster("scene/other.tif", NULL);
    expect_paths(unit_at("scene", path), false, "scene");
    assert_int_equal(n_told, 1);
    if (strstr(told[0], "1 other image in this folder is not read ('other.tif')") == NULL)
        fail_msg("told: %s", told[0]);
}

static void patterns(void **state)
{
    (void)state;
    char path[256];
    make_folder("p");
    make_raster("p/t10.tif", NULL);
    make_raster("p/t2.tif", NULL);
    make_raster("p/t[1].tif", NULL);
    make_raster("p/t1.tif", NULL);
    write_text("p/t.txt", "words");
    expect_paths(unit_at("p/t*.tif", path), true, "p/t1.tif p/t10.tif p/t2.tif p/t[1].tif");
    expect_paths(unit_at("p/t?.tif", path), true, "p/t1.tif p/t2.tif");
    expect_paths(unit_at("p/t[1].tif", path), false, "p/t[1].tif"); /* a file of that name */
    expect_paths(unit_at("p/t.*", path), true, "p/t.txt");          /* named: who reads it refuses it */
    expect_paths("B02=a*.tif,B03=b.tif", false, "B02=a*.tif,B03=b.tif");
    expect_error(unit_at("p/u*.tif", path), ERR_INPUT, "no file has a name like this");
    expect_error(unit_at("nowhere/*.tif", path), ERR_INPUT, "cannot be read (No such file");
    expect_error(unit_at("p/**/t*.tif", path), ERR_INPUT, "'**' is not read");
}

static void lists(void **state)
{
    (void)state;
    char path[256], word[300];
    make_folder("l");
    make_folder("l/sub");
    make_raster("l/sub/x.tif", NULL);
    make_raster("l/sub/y.tif", NULL);
    (void)snprintf(word, sizeof word, "@%s", unit_at("l/list.txt", path));
    write_text("l/list.txt",
               "\xEF\xBB\xBF# tiles\r\n\r\na b.tif  \r\nsub\n/abs/z.tif\n   \nsub/y*\nB02=m.tif,B03=n.tif\n#end");
    InputList list = { 0 };
    ASSERT_OK(add(&list, word));
    check_paths(&list, "l/a b.tif l/sub/x.tif l/sub/y.tif /abs/z.tif l/sub/y.tif l/B02=m.tif,B03=n.tif");
    assert_true(list.many);
    static const int lines[] = { 3, 4, 4, 5, 7, 8 };
    for (int i = 0; i < 6; i++) {
        char ends[32];
        (void)snprintf(ends, sizeof ends, "list.txt', line %d", lines[i]);
        if (!str_ends_with(list.origins[i], ends)) fail_msg("'%s' comes from %s", list.paths[i], list.origins[i]);
    }
    ASSERT_OK(add(&list, "plain.tif"));
    assert_null(list.origins[6]);
    input_list_done(&list);
}

static void damaged_lists(void **state)
{
    (void)state;
    static const char with_nul[] = "a.tif\nb\0c.tif\n";
    char path[256], word[300];
    (void)snprintf(word, sizeof word, "@%s", unit_at("bad.txt", path));
    expect_error(word, ERR_INPUT, "bad.txt': No such file");
    write_text("bad.txt", "# nothing\n\n");
    expect_error(word, ERR_INPUT, "no path is in this list");
    write_text("bad.txt", "a.tif\n@more.txt\n");
    expect_error(word, ERR_INPUT, "line 2: '@more.txt': a list in a list");
    write_text("bad.txt", "a.tif\n\nno*where.tif");
    expect_error(word, ERR_INPUT, "line 3: ");
    write_bytes("bad.txt", with_nul, sizeof with_nul - 1);
    expect_error(word, ERR_INPUT, "line 2: a NUL byte");
    expect_error("@", ERR_ARGUMENT, "no list was named");
}

static void stopped(void **state)
{
    (void)state;
    const volatile int stop = 1;
    char path[256];
    InputList list = { 0 };
    make_folder("s");
    make_raster("s/a.tif", NULL);
    ASSERT_ERR(input_list_add(&list, unit_at("s", path), NULL, &stop), ERR_INTERRUPTED, "stopped");
    input_list_done(&list);
}

static int tear_down(void **state)
{
    (void)state;
    char command[128];
    (void)snprintf(command, sizeof command, "rm -rf '%s'", unit_scratch);
    return system(command); /* NOLINT(cert-env33-c): folders in folders */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(folder),          cmocka_unit_test(folder_without_images),
        cmocka_unit_test(scene_in_folder), cmocka_unit_test(patterns),
        cmocka_unit_test(lists),           cmocka_unit_test(damaged_lists),
        cmocka_unit_test(stopped),
    };
    return cmocka_run_group_tests(tests, unit_set_up, tear_down);
}
