/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE /* sched_setaffinity */
#include "tensor/device.h"

#include "harness/unit.h"

#include <sched.h>
#include <stdio.h>
#include <string.h>

/* True when the flags line of /proc/cpuinfo has the word. */
static bool kernel_lists(const char *flag)
{
    char line[8192], word[64];
    bool found = false;
    FILE *file = fopen("/proc/cpuinfo", "r");
    if (file == NULL) skip();
    (void)snprintf(word, sizeof word, " %s ", flag);
    while (!found && fgets(line, sizeof line, file) != NULL) {
        if (strncmp(line, "flags", 5) != 0) continue;
        const size_t length = strlen(line);
        if (length > 0 && line[length - 1] == '\n') line[length - 1] = ' ';
        found = strstr(line, word) != NULL;
        break;
    }
    (void)fclose(file);
    return found;
}

static void features_agree_with_the_kernel(void **state)
{
    const CpuFeatures f = cpu_features();
    (void)state;
    assert_int_equal(f.avx2, kernel_lists("avx2"));
    assert_int_equal(f.fma, kernel_lists("fma"));
    assert_int_equal(f.f16c, kernel_lists("f16c"));
    assert_int_equal(f.avx512f, kernel_lists("avx512f"));
    assert_int_equal(f.avx512bw, kernel_lists("avx512bw"));
    assert_int_equal(f.avx512dq, kernel_lists("avx512dq"));
    assert_int_equal(f.avx512vl, kernel_lists("avx512vl"));
    assert_int_equal(f.avx512_vnni, kernel_lists("avx512_vnni"));
    assert_int_equal(f.avx512_bf16, kernel_lists("avx512_bf16"));
    assert_int_equal(f.avx512_fp16, kernel_lists("avx512_fp16"));
    assert_int_equal(f.amx_bf16, kernel_lists("amx_bf16"));
    assert_int_equal(f.amx_int8, kernel_lists("amx_int8"));
    assert_true(strlen(f.brand) > 0);
    print_message("%s, %s\n", f.brand, cpu_isa_name(cpu_isa_detect()));
}

static void names_are_parsed(void **state)
{
    CpuIsa isa = ISA_COUNT;
    (void)state;
    assert_int_equal(cpu_isa_parse("plain", &isa), ERR_NONE);
    assert_int_equal(isa, ISA_PLAIN);
    assert_int_equal(cpu_isa_parse("sse9", &isa), ERR_ARGUMENT);
    assert_string_equal(err_message(), "'sse9': no instruction set of this name; use plain, avx2 or avx512");
    assert_int_equal(isa, ISA_PLAIN); /* untouched on failure */
    for (CpuIsa level = ISA_PLAIN; level < ISA_COUNT; level++) {
        const Err err = cpu_isa_parse(cpu_isa_name(level), &isa);
        assert_int_equal(err, level <= cpu_isa_detect() ? ERR_NONE : ERR_UNSUPPORTED);
    }
}

static void threads_follow_the_affinity_mask(void **state)
{
    cpu_set_t all, single;
    (void)state;
    assert_int_equal(sched_getaffinity(0, sizeof all, &all), 0);
    assert_int_equal(device_default().threads, CPU_COUNT(&all));
    size_t cpu = 0;
    while (!CPU_ISSET(cpu, &all)) cpu++;
    CPU_ZERO(&single);
    CPU_SET(cpu, &single);
    assert_int_equal(sched_setaffinity(0, sizeof single, &single), 0);
    assert_int_equal(device_default().threads, 1);
    assert_int_equal(sched_setaffinity(0, sizeof all, &all), 0);
    assert_int_equal(device_default().kind, DEVICE_CPU);
    assert_int_equal(device_default().isa, cpu_isa_detect());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(features_agree_with_the_kernel),
        cmocka_unit_test(names_are_parsed),
        cmocka_unit_test(threads_follow_the_affinity_mask),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
