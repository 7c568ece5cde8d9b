/* SPDX-License-Identifier: Apache-2.0
 * An array keeps its elements while it grows; what cannot be had leaves it as it was. */
#include "base/grow.h"
#include "harness/unit.h"

static void keeps_elements(void **state)
{
    (void)state;
    int32_t *items = NULL;
    int64_t count = 0;
    int64_t capacity = 0;
    int64_t grown = 0;
    for (int32_t i = 0; i < 1000; i++) {
        const int64_t before = capacity;
        ASSERT_OK(grow_array(&items, count, &capacity, sizeof *items, "a test"));
        grown += capacity != before;
        items[count++] = i;
    }
    for (int32_t i = 0; i < 1000; i++) assert_int_equal(items[i], i);
    assert_int_equal(capacity, 1024);
    assert_int_equal(grown, 5);
    ASSERT_OK(grow_array(&items, 5000, &capacity, sizeof *items, "a test"));
    assert_int_equal(capacity, 8192);
    assert_int_equal(items[999], 999);
    free(items);
}

static void no_memory(void **state)
{
    (void)state;
    char *items = malloc(8);
    const char *before = items;
    int64_t capacity = INT64_MAX / 4;
    assert_non_null(items);
    ASSERT_ERR(grow_array(&items, capacity, &capacity, 64, "a test"), ERR_MEMORY, "a test");
    assert_ptr_equal(items, before);
    assert_int_equal(capacity, INT64_MAX / 4);
    free(items);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(keeps_elements), cmocka_unit_test(no_memory) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
