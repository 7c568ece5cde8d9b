/* SPDX-License-Identifier: Apache-2.0
 *
 * Files that tests read: those that set-up downloads, and those of tests/golden. */
#ifndef METASEG_TESTS_DATA_FILE_H
#define METASEG_TESTS_DATA_FILE_H

#include "base/file.h"

#include "harness/unit.h"

/* Path of a file that set-up downloads: below METASEG_DOWNLOADS, else .cache/data of the source folder. False, and a message
 * that names it, if it is not there. */
static inline bool data_file_find(const char *name, char ret_path[512])
{
    const char *folder = getenv("METASEG_DOWNLOADS");
    if (folder != NULL && folder[0] != '\0')
        (void)snprintf(ret_path, 512, "%s/%s", folder, name);
    else
        (void)snprintf(ret_path, 512, "%s/.cache/data/%s", METASEG_SOURCE_DIR, name);
    const bool there = access(ret_path, R_OK) == 0;
    if (!there) print_message("'%s' is missing; set-up downloads it\n", ret_path);
    return there;
}

/* The same for a test that needs the file: skips it. */
static inline void data_file_require(const char *name, char ret_path[512])
{
    if (!data_file_find(name, ret_path)) skip();
}

/* A whole file of tests/golden, with a NUL after its last byte; fails the test if it cannot be read. free(). */
static inline char *data_file_golden(const char *name, size_t *ret_length)
{
    char path[512];
    char *bytes = NULL;
    (void)snprintf(path, sizeof path, "%s/tests/golden/%s", METASEG_SOURCE_DIR, name);
    ASSERT_OK(file_read(path, 1 << 24, &bytes, ret_length));
    return bytes;
}

#endif
