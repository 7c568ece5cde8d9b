/* SPDX-License-Identifier: Apache-2.0
 * Limits of control groups, from folders as the kernel shows them. */
#include "base/memory.h"

#include "base/file.h"
#include "harness/unit.h"

#include <string.h>

static void put(const char *name, const char *text)
{
    char path[256];
    ASSERT_OK(file_write(unit_at(name, path), text, strlen(text), true));
}

static void least_limit_on_the_way(void **state)
{
    char root[256], path[256];
    (void)state;
    (void)unit_at("groups", root);
    ASSERT_OK(file_make_folders(unit_at("groups/job/step", path)));
    put("groups/memory.max", "max\n");
    put("groups/job/memory.max", "1000\n");
    put("groups/job/step/memory.max", "3000\n");
    assert_int_equal(memory_group_limit(root, "/job/step", "memory.max"), 1000);
    put("groups/job/step/memory.max", "300\n");
    assert_int_equal(memory_group_limit(root, "/job/step", "memory.max"), 300);
    assert_int_equal(memory_group_limit(root, "/job", "memory.max"), 1000);
    assert_true(memory_group_limit(root, "/", "memory.max") == INT64_MAX);
    put("groups/memory.max", "7\n");
    assert_int_equal(memory_group_limit(root, "/", "memory.max"), 7);
    assert_int_equal(memory_group_limit(root, "/job/gone", "memory.max"), 7);
    assert_true(memory_group_limit(root, "/job", "memory.limit_in_bytes") == INT64_MAX);
}

static void a_part_of_the_machine(void **state)
{
    (void)state;
    assert_true(memory_usable() > 0);
    assert_true(memory_default() <= memory_usable() / 4 && memory_default() <= INT64_C(2) << 30);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(least_limit_on_the_way),
                                        cmocka_unit_test(a_part_of_the_machine) };
    return cmocka_run_group_tests(tests, unit_set_up, unit_tear_down);
}
