/* SPDX-License-Identifier: Apache-2.0
 * What the CPU can run. Bits: Intel SDM volume 2A, CPUID leaves 1, 7.0, 7.1, and volume 1, 13.3 (XCR0). */
#include "tensor/device.h"

#include <omp.h>
#include <string.h>

#if METASEG_WITH_X86
#include <cpuid.h>

/* XCR0: which register files the operating system saves. 0 without OSXSAVE. */
static uint64_t saved_state(uint32_t leaf1_ecx)
{
    if (((leaf1_ecx >> 27) & 1U) == 0) return 0;
    uint32_t low, high;
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return ((uint64_t)high << 32) | low;
}

static void read_brand(char brand[64])
{
    uint32_t words[12];
    if (__get_cpuid_max(0x80000000U, NULL) < 0x80000004U) return;
    for (uint32_t i = 0; i < 3; i++)
        __cpuid(0x80000002U + i, words[4 * i], words[4 * i + 1], words[4 * i + 2], words[4 * i + 3]);
    char text[49] = { 0 };
    memcpy(text, words, sizeof words);
    const char *start = text;
    while (*start == ' ') start++;
    size_t length = strlen(start);
    while (length > 0 && start[length - 1] == ' ') length--;
    memcpy(brand, start, length);
    brand[length] = '\0';
}

CpuFeatures cpu_features(void)
{
    CpuFeatures features = { .brand = "x86-64 processor" };
    uint32_t a, b, c, d;
    read_brand(features.brand);
    if (!__get_cpuid(1, &a, &b, &c, &d)) return features;
    const uint64_t state = saved_state(c);
    const bool ymm = (state & 0x6U) == 0x6U;          /* XMM, YMM */
    const bool zmm = (state & 0xe6U) == 0xe6U;        /* and opmask, ZMM */
    const bool tile = (state & 0x60000U) == 0x60000U; /* AMX tile configuration and data */
    features.fma = ymm && ((c >> 12) & 1U) != 0;
    features.f16c = ymm && ((c >> 29) & 1U) != 0;
    if (!__get_cpuid_count(7, 0, &a, &b, &c, &d)) return features;
    const uint32_t last_subleaf = a;
    features.avx2 = ymm && ((b >> 5) & 1U) != 0;
    features.avx512f = zmm && ((b >> 16) & 1U) != 0;
    features.avx512dq = zmm && ((b >> 17) & 1U) != 0;
    features.avx512bw = zmm && ((b >> 30) & 1U) != 0;
    features.avx512vl = zmm && ((b >> 31) & 1U) != 0;
    features.avx512_vnni = zmm && ((c >> 11) & 1U) != 0;
    features.avx512_fp16 = zmm && ((d >> 23) & 1U) != 0;
    features.amx_bf16 = tile && ((d >> 22) & 1U) != 0;
    features.amx_int8 = tile && ((d >> 25) & 1U) != 0;
    if (last_subleaf >= 1 && __get_cpuid_count(7, 1, &a, &b, &c, &d))
        features.avx512_bf16 = zmm && ((a >> 5) & 1U) != 0;
    return features;
}
#else
CpuFeatures cpu_features(void) { return (CpuFeatures){ .brand = "not an x86-64 processor" }; }
#endif

/* CPUID traps into the hypervisor on virtual machines, but this is called once per program, so nothing is cached. */
CpuIsa cpu_isa_detect(void)
{
    const CpuFeatures f = cpu_features();
    if (!(f.avx2 && f.fma && f.f16c)) return ISA_PLAIN;
    return f.avx512f && f.avx512bw && f.avx512dq && f.avx512vl ? ISA_AVX512 : ISA_AVX2;
}

static const char *const isa_names[ISA_COUNT] = { "plain", "avx2", "avx512" };

const char *cpu_isa_name(CpuIsa isa) { return isa_names[isa]; }

Err cpu_isa_parse(const char *text, CpuIsa *ret_isa)
{
    const CpuIsa best = cpu_isa_detect();
    for (CpuIsa isa = ISA_PLAIN; isa < ISA_COUNT; isa++) {
        if (strcmp(text, isa_names[isa]) != 0) continue;
        if (isa > best)
            return err_set(ERR_UNSUPPORTED, "'%s': this processor has no such instructions; its best level is '%s'",
                           text, isa_names[best]);
        *ret_isa = isa;
        return ERR_NONE;
    }
    return err_set(ERR_ARGUMENT, "'%s': no instruction set of this name; use plain, avx2 or avx512", text);
}

Device device_default(void)
{
    /* The first is OMP_NUM_THREADS, or the processors that the process had when it started; the second counts those of
     * the affinity mask as it is now. */
    const int wanted = omp_get_max_threads(), processors = omp_get_num_procs();
    const int threads = wanted < processors ? wanted : processors;
    const CpuIsa best = cpu_isa_detect();
    return (Device){ .kind = DEVICE_CPU, .isa = best, .threads = threads > 1 ? threads : 1, .best = best };
}
