/* SPDX-License-Identifier: Apache-2.0
 * Layout of tokens, masks and shares. */
#include "data/text_inputs.h"

#include "base/climate_zones.h"
#include "harness/unit.h"

#include <math.h>

enum { WIDTH = 384, K = 2, L = 6, NULL_TOKENS = 4, N = K * L + NULL_TOKENS };

static float tokens[K * L * WIDTH];
static float mask[N];
static float share16[4 * 4 * (K + 1)];
static float share32[2 * 2 * (K + 1)];
static const NetworkInputs image = { .shape = { .batch = 1,
                                                .height = 64,
                                                .width = 64,
                                                .slots = K,
                                                .tokens = L,
                                                .text_width = WIDTH,
                                                .null_tokens = NULL_TOKENS },
                                     .tokens = tokens,
                                     .token_mask = mask,
                                     .log_share_16 = share16,
                                     .log_share_32 = share32 };

/* BWh in two wordings, Af in one; rows hold 1, 2, 3, ... */
static void make_table(PromptTable *table)
{
    float rows[5 * WIDTH];
    for (int i = 0; i < 5 * WIDTH; i++) rows[i] = (float)(i / WIDTH + 1);
    ASSERT_OK(prompt_table_init(table, 2, 2, 5, WIDTH));
    ASSERT_OK(prompt_table_set(table, 0, 0, "BWh", "Sand.", rows, 2));
    ASSERT_OK(prompt_table_set(table, 0, 1, "BWh", "Dunes and rock.", rows, 5));
    ASSERT_OK(prompt_table_set(table, 1, 0, "Af", "Forest.", rows, 1));
}

static void test_tokens_and_mask(void **state)
{
    (void)state;
    PromptTable table;
    make_table(&table);
    text_inputs_fill(&table, (const int32_t[]){ 0, -1 }, (const int32_t[]){ 1, 0 }, NULL, &image);
    const float expected[L] = { 1, 2, 3, 4, 5, 0 };
    for (int t = 0; t < L; t++) {
        assert_true(tokens[t * WIDTH + 383] == expected[t]);
        assert_true(mask[t] == (t < 5 ? 0.0F : -1e9F));
        assert_true(tokens[(L + t) * WIDTH] == 0.0F);
        assert_true(mask[L + t] == -1e9F);
    }
    for (int t = 0; t < NULL_TOKENS; t++) assert_true(mask[K * L + t] == 0.0F);
    for (int i = 0; i < 16; i++) {
        assert_true(share16[i * 3 + 2] == 0.0F);
        assert_true(fabsf(share16[i * 3] - logf(1e-4F)) < 1e-6F);
    }
    assert_true(share32[2] == 0.0F && fabsf(share32[9] - logf(1e-4F)) < 1e-6F);
    prompt_table_done(&table);
}

static void test_shares(void **state)
{
    (void)state;
    PromptTable table;
    make_table(&table);
    float shares[4 * 4 * 3];
    for (int i = 0; i < 16; i++) {
        const float a = (float)(i % 4) / 3.0F;
        shares[i * 3] = a;
        shares[i * 3 + 1] = 1.0F - a;
        shares[i * 3 + 2] = 0.0F;
    }
    text_inputs_fill(&table, (const int32_t[]){ 1, 0 }, (const int32_t[]){ 0, 1 }, shares, &image);
    assert_true(fabsf(share16[1 * 3] - logf(1.0F / 3.0F)) < 1e-6F);
    assert_true(fabsf(share32[0] - logf(1.0F / 6.0F)) < 1e-6F);
    assert_true(fabsf(share32[3] - logf(5.0F / 6.0F)) < 1e-6F);
    prompt_table_done(&table);
}

/* Zones are found by their codes, whatever the order of the table. */
static void test_entries(void **state)
{
    (void)state;
    PromptTable table;
    int32_t entries[4];
    make_table(&table);
    text_inputs_entries(&table, 4, (const int32_t[]){ 1, 4, CLIMATE_NONE, 1 }, entries); /* 1: Af, 4: BWh */
    assert_memory_equal(entries, ((const int32_t[]){ 1, 0, -1, 1 }), sizeof entries);
    prompt_table_done(&table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tokens_and_mask),
        cmocka_unit_test(test_shares),
        cmocka_unit_test(test_entries),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
