/* SPDX-License-Identifier: Apache-2.0
 * Names as cells of comma-separated values. */
#include "base/csv.h"

#include "harness/unit.h"

static void names(void **state)
{
    (void)state;
    static const char *const list[][2] = {
        { "", "\"\"" },
        { "water, deep", "\"water, deep\"" },
        { "a \"b\"", "\"a \"\"b\"\"\"" },
        { "two\nlines\r", "\"two\\x0alines\\x0d\"" },
        { "=HYPERLINK(\"x\")", "\"'=HYPERLINK(\"\"x\"\")\"" },
        { "+1", "\"'+1\"" },
        { "-1", "\"'-1\"" },
        { "@a", "\"'@a\"" },
        { "a=b", "\"a=b\"" },
        { "\t=b", "\"\\x09=b\"" },
        { "cr\xc3\xb6p\xff", "\"cr\xc3\xb6p\\xff\"" },
    };
    for (int64_t i = 0; i < ARRAY_LEN(list); i++) {
        Str text = { 0 };
        csv_add_name(&text, list[i][0]);
        assert_string_equal(str_text(&text), list[i][1]);
        str_done(&text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(names) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
