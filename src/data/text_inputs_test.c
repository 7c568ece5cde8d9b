/* SPDX-License-Identifier: Apache-2.0
 * Layout of tokens, masks and shares. */
#include "data/text_inputs.h"

#include "harness/unit.h"

#include <math.h>

enum { K = 2, L = 6, NULL_TOKENS = 4, N = K * L + NULL_TOKENS };

static float tokens[K * L * TEXT_WIDTH];
static float mask[N];
static float share16[4 * 4 * (K + 1)];
static float share32[2 * 2 * (K + 1)];
static const NetworkInputs image = { .shape = { .batch = 1,
                                                .height = 64,
                                                .width = 64,
                                                .slots = K,
                                                .tokens = L,
                                                .text_width = TEXT_WIDTH,
                                                .null_tokens = NULL_TOKENS },
                                     .tokens = tokens,
                                     .token_mask = mask,
                                     .log_share_16 = share16,
                                     .log_share_32 = share32 };

static void make_table(TextTable *table)
{
    float rows[5 * TEXT_WIDTH];
    for (int i = 0; i < 5 * TEXT_WIDTH; i++) rows[i] = (float)(i / TEXT_WIDTH + 1);
    assert_int_equal(text_table_init(table, 3, 2), ERR_NONE);
    assert_int_equal(text_table_append(table, 3, 1, rows, 2), ERR_NONE);
    assert_int_equal(text_table_append(table, 3, 1, rows, 3), ERR_NONE);
    assert_int_equal(text_table_append(table, 1, 0, rows, 1), ERR_NONE);
}

static void test_tokens_and_mask(void **state)
{
    (void)state;
    TextTable table;
    make_table(&table);
    text_inputs_fill(&table, (const int32_t[]){ 3, 0 }, (const int32_t[]){ 1, 0 }, NULL, &image);
    const float expected[L] = { 1, 2, 1, 2, 3, 0 };
    for (int t = 0; t < L; t++) {
        assert_true(tokens[t * TEXT_WIDTH + 383] == expected[t]);
        assert_true(mask[t] == (t < 5 ? 0.0F : -1e9F));
        assert_true(tokens[(L + t) * TEXT_WIDTH] == 0.0F);
        assert_true(mask[L + t] == -1e9F);
    }
    for (int t = 0; t < NULL_TOKENS; t++) assert_true(mask[K * L + t] == 0.0F);
    for (int i = 0; i < 16; i++) {
        assert_true(share16[i * 3 + 2] == 0.0F);
        assert_true(fabsf(share16[i * 3] - logf(1e-4F)) < 1e-6F);
    }
    assert_true(share32[2] == 0.0F && fabsf(share32[9] - logf(1e-4F)) < 1e-6F);
    text_table_done(&table);
}

static void test_shares(void **state)
{
    (void)state;
    TextTable table;
    make_table(&table);
    float shares[4 * 4 * 3];
    for (int i = 0; i < 16; i++) {
        const float a = (float)(i % 4) / 3.0F;
        shares[i * 3] = a;
        shares[i * 3 + 1] = 1.0F - a;
        shares[i * 3 + 2] = 0.0F;
    }
    text_inputs_fill(&table, (const int32_t[]){ 1, 3 }, (const int32_t[]){ 0, 1 }, shares, &image);
    assert_true(fabsf(share16[1 * 3] - logf(1.0F / 3.0F)) < 1e-6F);
    assert_true(fabsf(share32[0] - logf(1.0F / 6.0F)) < 1e-6F);
    assert_true(fabsf(share32[3] - logf(5.0F / 6.0F)) < 1e-6F);
    text_table_done(&table);
}

static void test_mean(void **state)
{
    (void)state;
    TextTable table;
    float mean[TEXT_WIDTH];
    make_table(&table);
    text_table_mean(&table, mean); /* rows 1 2 1 2 3 and 1 */
    for (int c = 0; c < TEXT_WIDTH; c++) assert_true(fabsf(mean[c] - 10.0F / 6.0F) < 1e-6F);
    text_table_done(&table);
}

static void test_too_long(void **state)
{
    (void)state;
    TextTable table;
    make_table(&table);
    float *rows = calloc(TEXT_MAX_TOKENS * TEXT_WIDTH, sizeof *rows);
    assert_int_equal(text_table_append(&table, 3, 1, rows, TEXT_MAX_TOKENS - 4), ERR_INPUT);
    assert_int_equal(text_table_append(&table, 3, 1, rows, TEXT_MAX_TOKENS - 5), ERR_NONE);
    free(rows);
    text_table_done(&table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tokens_and_mask),
        cmocka_unit_test(test_shares),
        cmocka_unit_test(test_mean),
        cmocka_unit_test(test_too_long),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
