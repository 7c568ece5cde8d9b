/* SPDX-License-Identifier: Apache-2.0
 *
 * What a cmocka test program includes, scratch folders, and checks of errors. A program whose tests share a scratch
 * folder is one source file that ends with
 *
 *     return cmocka_run_group_tests(tests, unit_set_up, unit_tear_down);
 *
 * cmocka reports a failure of a group's tear-down but counts it as none, so what is to be checked at the end is a test,
 * the last one. The headers before cmocka.h are its own prerequisites. */
#ifndef METASEG_TESTS_UNIT_H
#define METASEG_TESTS_UNIT_H

#include "base/err.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* A call succeeds; if not, its code and message are shown. */
#define ASSERT_OK(call)                                                                                                \
    do {                                                                                                               \
        const Err ok_code_ = (call);                                                                                   \
        if (ok_code_ != ERR_NONE) fail_msg("error %d: %s", (int)ok_code_, err_message());                              \
    } while (0)

/* A call fails with this code and a message that holds `text`. */
#define ASSERT_ERR(call, code, text)                                                                                   \
    do {                                                                                                               \
        assert_int_equal((call), (code));                                                                              \
        if (strstr(err_message(), (text)) == NULL) fail_msg("'%s' is not in: %s", (text), err_message());              \
    } while (0)

/* Makes a fresh folder below the working folder of the test; the caller removes it. Fails the test if it cannot. */
static inline void unit_folder(char ret_path[64])
{
    (void)snprintf(ret_path, 64, "scratch.XXXXXX");
    if (mkdtemp(ret_path) == NULL) fail_msg("no scratch folder can be made here");
}

/* The scratch folder of the program, from unit_set_up to unit_tear_down. */
static char unit_scratch[64];

/* Path of a file in the scratch folder; returns ret_path. */
static inline const char *unit_at(const char *name, char ret_path[256])
{
    (void)snprintf(ret_path, 256, "%s/%s", unit_scratch, name);
    return ret_path;
}

/* Removes the files of the scratch folder; false if one, such as a folder that is not empty, cannot be removed. */
static inline bool unit_remove_files(void)
{
    bool removed = true;
    DIR *listing = opendir(unit_scratch);
    if (listing == NULL) return false;
    for (const struct dirent *entry = NULL; (entry = readdir(listing)) != NULL;) {
        char path[64 + 1 + sizeof entry->d_name];
        (void)snprintf(path, sizeof path, "%s/%s", unit_scratch, entry->d_name);
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0 && remove(path) != 0) removed = false;
    }
    (void)closedir(listing);
    return removed;
}

/* Fails the test unless the scratch folder holds these n files and nothing else, hidden files included. */
static inline void unit_check_files(const char *const *names, int64_t n)
{
    int64_t found = 0;
    DIR *listing = opendir(unit_scratch);
    assert_non_null(listing);
    for (const struct dirent *entry = NULL; (entry = readdir(listing)) != NULL;) {
        bool known = strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0;
        for (int64_t i = 0; i < n; i++)
            if (strcmp(names[i], entry->d_name) == 0) {
                known = true;
                found++;
            }
        if (!known) fail_msg("'%s' was left behind", entry->d_name);
    }
    (void)closedir(listing);
    assert_int_equal(found, n);
}

/* Writes a file of text (no NUL follows); an existing one is replaced. */
static inline void unit_write_text(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

/* Set-up of a group: makes the scratch folder. */
static inline int unit_set_up(void **state)
{
    (void)state;
    unit_folder(unit_scratch);
    return 0;
}

/* Tear-down of a group: removes the scratch folder with its files. */
static inline int unit_tear_down(void **state)
{
    (void)state;
    return unit_remove_files() ? rmdir(unit_scratch) : -1;
}

#endif
