/* SPDX-License-Identifier: Apache-2.0
 * The planner against brute force on random lifetimes. */
#include "graph/plan.h"

#include "base/rng.h"
#include "harness/unit.h"

#include <stdbool.h>

enum { BUFFERS_MAX = 120, TIMES = 60, ROUNDS = 300 };

static int64_t below(uint64_t round, uint64_t index, int64_t n) { return rng_below(1, RNG_TEST, round, index, n); }

static int32_t random_buffers(uint64_t round, PlanBuffer *buffers)
{
    const int32_t n = (int32_t)below(round, 0, BUFFERS_MAX) + 1;
    for (int32_t i = 0; i < n; i++) {
        const uint64_t index = (uint64_t)i * 4 + 1;
        const int32_t first = (int32_t)below(round, index, TIMES);
        const int64_t length = below(round, index + 1, 4) == 0 ? TIMES : 8; /* some live long */
        buffers[i] = (PlanBuffer){ .bytes = (size_t)below(round, index + 2, 100000) + 1,
                                   .first = first,
                                   .last = first + (int32_t)below(round, index + 3, length) };
    }
    return n;
}

static void check_no_overlap(const PlanBuffer *buffers, int32_t n, size_t bytes)
{
    for (int32_t i = 0; i < n; i++) {
        assert_int_equal(buffers[i].offset % PLAN_ALIGN, 0);
        assert_true(buffers[i].offset + buffers[i].bytes <= bytes);
        for (int32_t k = 0; k < i; k++) {
            const bool same_time = buffers[i].first <= buffers[k].last && buffers[k].first <= buffers[i].last;
            const bool same_place = buffers[i].offset < buffers[k].offset + buffers[k].bytes &&
                                    buffers[k].offset < buffers[i].offset + buffers[i].bytes;
            assert_false(same_time && same_place);
        }
    }
}

/* No plan can be smaller than what is alive at once. */
static size_t live_bytes(const PlanBuffer *buffers, int32_t n)
{
    size_t most = 0;
    for (int32_t time = 0; time < 2 * TIMES; time++) {
        size_t bytes = 0;
        for (int32_t i = 0; i < n; i++)
            if (buffers[i].first <= time && time <= buffers[i].last) bytes += buffers[i].bytes;
        if (bytes > most) most = bytes;
    }
    return most;
}

static void random_plans_never_overlap(void **state)
{
    double total = 0, total_live = 0;
    (void)state;
    for (uint64_t round = 0; round < ROUNDS; round++) {
        PlanBuffer buffers[BUFFERS_MAX];
        size_t bytes = 0;
        const int32_t n = random_buffers(round, buffers);
        assert_int_equal(plan_buffers(buffers, n, &bytes), ERR_NONE);
        check_no_overlap(buffers, n, bytes);
        const size_t live = live_bytes(buffers, n);
        assert_true(bytes >= live);
        total += (double)bytes;
        total_live += (double)live;
        const size_t all = plan_without_reuse(buffers, n);
        check_no_overlap(buffers, n, all);
        assert_true(all >= bytes);
    }
    print_message("arenas are %.3f of the largest sum of live bytes\n", total / total_live);
    assert_true(total < 1.1 * total_live); /* measured 1.03 */
}

static void buffers_of_different_times_share(void **state)
{
    PlanBuffer buffers[] = { { 100, 0, 1, 7 }, { 60, 2, 3, 7 }, { 64, 2, 2, 7 }, { 128, 4, 9, 7 } };
    size_t bytes = 7;
    (void)state;
    assert_int_equal(plan_buffers(buffers, 4, &bytes), ERR_NONE);
    assert_int_equal(bytes, 128);
    assert_int_equal(plan_buffers(buffers, 0, &bytes), ERR_NONE);
    assert_int_equal(bytes, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_plans_never_overlap),
        cmocka_unit_test(buffers_of_different_times_share),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
