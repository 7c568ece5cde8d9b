/* SPDX-License-Identifier: Apache-2.0
 * The table of encoded prompts. */
#include "text/prompt_table.h"

#include "harness/unit.h"

#include <math.h>

enum { ROWS = 5, WIDTH = 3 };

static float rows[ROWS * WIDTH];

/* Two keys in two wordings: 2, 5 and 1, 0 rows that hold 1, 2, 3, ... */
static void make_table(PromptTable *table)
{
    for (int i = 0; i < ROWS * WIDTH; i++) rows[i] = (float)(i / WIDTH + 1);
    ASSERT_OK(prompt_table_init(table, 2, 2, ROWS, WIDTH));
    ASSERT_OK(prompt_table_set(table, 0, 0, "BWh", "Sand.", rows, 2));
    ASSERT_OK(prompt_table_set(table, 0, 1, "BWh", "Dunes.", rows, 5));
    ASSERT_OK(prompt_table_set(table, 1, 0, "Af", "Forest.", rows + WIDTH, 1));
}

static void entries_are_found(void **state)
{
    (void)state;
    PromptTable table;
    make_table(&table);
    assert_int_equal(prompt_table_find(&table, "Af"), 1);
    assert_int_equal(prompt_table_find(&table, "BWh"), 0);
    assert_int_equal(prompt_table_find(&table, "af"), -1);
    assert_int_equal(prompt_table_length(&table, 0, 0), 2);
    assert_int_equal(prompt_table_length(&table, 0, 1), 5);
    assert_int_equal(prompt_table_length(&table, 1, 1), 0);
    assert_int_equal(prompt_table_longest(&table), 5);
    assert_true(prompt_table_features(&table, 1, 0)[0] == 2.0F && prompt_table_features(&table, 1, 0)[WIDTH] == 0.0F);
    assert_true(prompt_table_features(&table, 0, 1)[4 * WIDTH] == 5.0F);
    assert_ptr_equal(prompt_table_features(&table, 1, 0), table.features + (ptrdiff_t)ROWS * WIDTH);
    prompt_table_done(&table);
    assert_int_equal(table.count, 0);
    assert_int_equal(prompt_table_find(&table, "Af"), -1);
}

/* What stood there before is gone, rows beyond the new length too. */
static void wordings_are_replaced(void **state)
{
    (void)state;
    PromptTable table;
    make_table(&table);
    ASSERT_OK(prompt_table_set(&table, 0, 1, "BWh", "Rock.", rows + 3 * WIDTH, 1));
    assert_string_equal(table.sentences[2], "Rock.");
    assert_string_equal(table.sentences[0], "Sand.");
    assert_true(prompt_table_features(&table, 0, 1)[0] == 4.0F);
    for (int i = WIDTH; i < ROWS * WIDTH; i++) assert_true(prompt_table_features(&table, 0, 1)[i] == 0.0F);
    prompt_table_done(&table);
}

static void mean_of_used_rows(void **state)
{
    (void)state;
    PromptTable table;
    float mean[WIDTH];
    make_table(&table);
    prompt_table_mean(&table, mean); /* 1 2, 1 2 3 4 5 and 2 */
    for (int c = 0; c < WIDTH; c++) assert_true(fabsf(mean[c] - 20.0F / 8.0F) < 1e-6F);
    prompt_table_done(&table);
    ASSERT_OK(prompt_table_init(&table, 1, 1, ROWS, WIDTH));
    prompt_table_mean(&table, mean);
    for (int c = 0; c < WIDTH; c++) assert_true(mean[c] == 0.0F);
    prompt_table_done(&table);
}

static void what_does_not_fit(void **state)
{
    (void)state;
    static const int32_t sizes[][4] = {
        { 0, 1, 1, 1 }, { -1, 1, 1, 1 }, { 5000, 1, 1, 1 }, { 1, 0, 1, 1 },    { 1, 1000, 1, 1 },
        { 1, 1, 0, 1 }, { 1, 1, 78, 1 }, { 1, 1, 1, 0 },    { 1, 1, 1, 5000 },
    };
    PromptTable table;
    for (int64_t i = 0; i < ARRAY_LEN(sizes); i++)
        ASSERT_ERR(prompt_table_init(&table, sizes[i][0], sizes[i][1], sizes[i][2], sizes[i][3]), ERR_ARGUMENT, "fit");
    make_table(&table);
    ASSERT_ERR(prompt_table_set(&table, 2, 0, "EF", "Ice.", rows, 1), ERR_ARGUMENT, "cannot hold it");
    ASSERT_ERR(prompt_table_set(&table, 1, 2, "Af", "Ice.", rows, 1), ERR_ARGUMENT, "cannot hold it");
    ASSERT_ERR(prompt_table_set(&table, 1, 1, "Af", "Ice.", rows, ROWS + 1), ERR_ARGUMENT, "has 6 tokens");
    ASSERT_ERR(prompt_table_set(&table, 1, 1, "EF", "Ice.", rows, 1), ERR_ARGUMENT, "is of 'Af', not of 'EF'");
    assert_null(table.sentences[3]);
    prompt_table_done(&table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(entries_are_found),
        cmocka_unit_test(wordings_are_replaced),
        cmocka_unit_test(mean_of_used_rows),
        cmocka_unit_test(what_does_not_fit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
