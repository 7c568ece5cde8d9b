/* SPDX-License-Identifier: Apache-2.0
 * Event files against golden bytes (made with Python's struct from the formats in event_file.h), and what is kept of one
 * that was torn or goes on. */
#include "train/event_file.h"

#include "harness/unit.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { TIME = 1700000000, STEP = 300 };

static const uint8_t golden[] = {
    0x18, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0xa3, 0x7f, 0x4b, 0x22, 0x09, 0x00, 0x00,
    0x00, 0x40, 0xfc, 0x54, 0xd9, 0x41, 0x1a, 0x0d, 0x62, 0x72, 0x61, 0x69, 0x6e, 0x2e, 0x45,
    0x76, 0x65, 0x6e, 0x74, 0x3a, 0x32, 0xec, 0xed, 0x8f, 0x9d, /* the version */
    0x1b, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x1a, 0x0d, 0x9e, 0x13, 0x09, 0x00, 0x00,
    0x00, 0x40, 0xfc, 0x54, 0xd9, 0x41, 0x10, 0xac, 0x02, 0x2a, 0x0d, 0x0a, 0x0b, 0x0a, 0x04,
    0x6c, 0x6f, 0x73, 0x73, 0x15, 0x00, 0x00, 0x40, 0x3f, 0xbe, 0xe6, 0x73, 0x1d, /* loss 0.75 of step 300 */
};

static void add_step(Str *file, int64_t step, double loss)
{
    Str summary = { 0 };
    event_scalar(&summary, "loss", loss);
    event_record(file, TIME, step, &summary);
    str_done(&summary);
}

static void test_golden_bytes(void **state)
{
    (void)state;
    Str file = { 0 };
    event_version(&file, TIME);
    add_step(&file, STEP, 0.75);
    assert_int_equal(file.length, sizeof golden);
    assert_memory_equal(file.text, golden, sizeof golden);
    add_step(&file, STEP + 1, (double)NAN); /* nothing to show: no record */
    assert_int_equal(file.length, sizeof golden);
    str_done(&file);
}

static void test_keep(void **state)
{
    (void)state;
    Str file = { 0 };
    size_t ends[5];
    event_version(&file, TIME);
    ends[0] = file.length;
    for (int64_t i = 1; i < 5; i++) {
        add_step(&file, i * 1000, 1.0);
        ends[i] = file.length;
    }
    for (int64_t i = 0; i < 5; i++) {
        assert_int_equal(event_keep(file.text, file.length, i * 1000), ends[i]);
        assert_int_equal(event_keep(file.text, file.length, i * 1000 + 999), ends[i]);
    }
    /* torn anywhere: the whole records; a changed byte: those before it */
    for (size_t length = 0; length <= file.length; length++) {
        size_t whole = 0;
        for (int64_t i = 0; i < 5; i++) whole = ends[i] <= length ? ends[i] : whole;
        char *torn = malloc(length + 1);
        memcpy(torn, file.text, length);
        assert_int_equal(event_keep(torn, length, INT64_MAX), whole);
        free(torn);
    }
    for (size_t at = 0; at < file.length; at++) {
        size_t before = 0;
        for (int64_t i = 0; i < 5; i++) before = ends[i] <= at ? ends[i] : before;
        file.text[at] ^= 0x10;
        assert_int_equal(event_keep(file.text, file.length, INT64_MAX), before);
        file.text[at] ^= 0x10;
    }
    str_done(&file);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_golden_bytes), cmocka_unit_test(test_keep) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
