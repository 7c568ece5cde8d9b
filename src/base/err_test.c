/* SPDX-License-Identifier: Apache-2.0
 * Errors: message, prefix, cutting, exit codes. */
#include "base/err.h"

#include "harness/unit.h"

#include <string.h>

static void message_and_prefix(void **state)
{
    (void)state;
    assert_int_equal(err_set(ERR_INPUT, "'%s': %d bands found", "a.tif", 2), ERR_INPUT);
    assert_string_equal(err_message(), "'a.tif': 2 bands found");
    assert_int_equal(err_prefix(ERR_INPUT, "tile %d,%d", 3, 4), ERR_INPUT);
    assert_string_equal(err_message(), "tile 3,4: 'a.tif': 2 bands found");
    assert_int_equal(err_prefix(ERR_NONE, "nothing"), ERR_NONE);
    assert_string_equal(err_message(), "tile 3,4: 'a.tif': 2 bands found");
    assert_int_equal(err_set(ERR_MODEL, "again: %s", err_message()), ERR_MODEL); /* may quote itself */
    assert_string_equal(err_message(), "again: tile 3,4: 'a.tif': 2 bands found");
}

static void long_messages_are_cut(void **state)
{
    (void)state;
    char text[3000];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    err_set(ERR_INPUT, "%s", text);
    assert_int_equal(strlen(err_message()), ERR_MESSAGE_BYTES - 1);
    err_prefix(ERR_INPUT, "p");
    assert_int_equal(strlen(err_message()), ERR_MESSAGE_BYTES - 1);
    assert_int_equal(strncmp(err_message(), "p: xxx", 6), 0);
}

static Err fails(Err err)
{
    TRY(err);
    return ERR_INTERNAL;
}

static void try_propagates(void **state)
{
    (void)state;
    assert_int_equal(fails(ERR_OUTPUT), ERR_OUTPUT);
    assert_int_equal(fails(ERR_NONE), ERR_INTERNAL);
}

static void exit_codes(void **state)
{
    (void)state;
    static const int expected[ERR_COUNT] = { 0, 1, 2, 2, 3, 4, 5, 6, 6, 8, 1, 1 };
    for (int code = 0; code < ERR_COUNT; code++) assert_int_equal(err_exit_code((Err)code), expected[code]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(message_and_prefix),
        cmocka_unit_test(long_messages_are_cut),
        cmocka_unit_test(try_propagates),
        cmocka_unit_test(exit_codes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
