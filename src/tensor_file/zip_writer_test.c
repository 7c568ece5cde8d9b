/* SPDX-License-Identifier: Apache-2.0
 * An archive is read back, has the same bytes whenever it is written, and nothing is left of one that fails. */
#include "tensor_file/zip_writer.h"

#include "base/file.h"
#include "base/output.h"
#include "harness/unit.h"

#include <string.h>
#include <time.h>
#include <zip.h>

enum { MEMBERS = 5, LARGEST = 200000 };

static size_t member_of(int i, char name[16], char *bytes)
{
    const size_t n = i == 0 ? 0 : (size_t)(LARGEST / i);
    (void)snprintf(name, 16, "%d.png", 4191 + i);
    for (size_t k = 0; k < n; k++) bytes[k] = (char)(k * 31U + (size_t)i * 7U + (k >> 9));
    return n;
}

static void write_archive(const char *path)
{
    static char bytes[LARGEST];
    char name[16];
    Output *output = NULL;
    ZipWriter *zip = NULL;
    ASSERT_OK(output_open(path, false, &output));
    ASSERT_OK(zip_writer_new(output_partial(output), path, &zip));
    for (int i = 0; i < MEMBERS; i++) {
        const size_t n = member_of(i, name, bytes);
        ASSERT_OK(zip_writer_add(zip, name, bytes, n));
    }
    assert_int_equal(zip_writer_add(zip, "4192.png", bytes, 1), ERR_ARGUMENT);
    assert_non_null(strstr(err_message(), "two members are called '4192.png'"));
    ASSERT_OK(zip_writer_finish(zip));
    zip_writer_free(zip);
    ASSERT_OK(output_publish(output));
    output_close(output);
}

static void read_back(void **state)
{
    (void)state;
    static char bytes[LARGEST], read[LARGEST];
    char path[256], again[256], name[16], *one = NULL, *two = NULL;
    size_t n_one = 0, n_two = 0;
    write_archive(unit_at("one.zip", path));
    assert_int_equal(setenv("TZ", "Asia/Kathmandu", 1), 0);
    tzset();
    write_archive(unit_at("two.zip", again));
    ASSERT_OK(file_read(path, 1 << 22, &one, &n_one));
    ASSERT_OK(file_read(again, 1 << 22, &two, &n_two));
    assert_int_equal(n_one, n_two);
    assert_memory_equal(one, two, n_one);
    free(one);
    free(two);
    zip_t *zip = zip_open(path, ZIP_RDONLY, NULL);
    assert_non_null(zip);
    assert_int_equal(zip_get_num_entries(zip, 0), MEMBERS);
    for (int i = 0; i < MEMBERS; i++) {
        zip_stat_t status;
        const size_t n = member_of(i, name, bytes);
        assert_string_equal(zip_get_name(zip, (zip_uint64_t)i, 0), name);
        assert_int_equal(zip_stat_index(zip, (zip_uint64_t)i, 0, &status), 0);
        assert_int_equal(status.size, n);
        assert_int_equal(status.comp_method, ZIP_CM_STORE);
        zip_file_t *member = zip_fopen_index(zip, (zip_uint64_t)i, 0);
        assert_non_null(member);
        assert_int_equal(zip_fread(member, read, LARGEST), n);
        assert_memory_equal(read, bytes, n);
        assert_int_equal(zip_fclose(member), 0);
    }
    assert_int_equal(zip_close(zip), 0);
    unit_check_files((const char *const[]){ "one.zip", "two.zip" }, 2);
}

/* The folder vanishes under the writer. */
static void cannot_be_written(void **state)
{
    (void)state;
    char folder[256], partial[300];
    ZipWriter *zip = NULL;
    ASSERT_OK(file_make_folders(unit_at("gone", folder)));
    (void)snprintf(partial, sizeof partial, "%s/0", folder);
    ASSERT_OK(zip_writer_new(partial, "out.zip", &zip));
    assert_int_equal(zip_writer_finish(zip), ERR_ARGUMENT);
    ASSERT_OK(zip_writer_add(zip, "a", "b", 1));
    assert_int_equal(rmdir(folder), 0);
    assert_int_equal(zip_writer_finish(zip), ERR_OUTPUT);
    assert_non_null(strstr(err_message(), "'out.zip': cannot be written: "));
    zip_writer_free(zip);
    assert_int_equal(zip_writer_new(partial, "out.zip", &zip), ERR_OUTPUT);
    unit_check_files(NULL, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test_setup_teardown(read_back, unit_set_up, unit_tear_down),
                                        cmocka_unit_test_setup_teardown(cannot_be_written, unit_set_up,
                                                                        unit_tear_down) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
