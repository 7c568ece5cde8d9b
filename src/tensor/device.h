/* SPDX-License-Identifier: Apache-2.0
 *
 * Devices and CPU instruction sets. One program runs on one device; kernels of an op are registered
 * per (device, instruction set, dtype) and chosen once, when a program is compiled.
 */
#ifndef METASEG_TENSOR_DEVICE_H
#define METASEG_TENSOR_DEVICE_H

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum DeviceKind { DEVICE_CPU = 0, DEVICE_CUDA, DEVICE_KIND_COUNT } DeviceKind;

/* Ordered: a higher one includes the lower ones. ISA_AVX2 means AVX2 + FMA + F16C,
 * ISA_AVX512 means AVX-512 F, BW, DQ, VL on top. */
typedef enum CpuIsa { ISA_PLAIN = 0, ISA_AVX2, ISA_AVX512, ISA_COUNT } CpuIsa;

/* What this CPU and its operating system can run (CPUID and XGETBV). */
CpuIsa cpu_isa_detect(void);

/* Extras beyond the level, for `doctor`. */
typedef struct CpuFeatures {
    char brand[64];
    bool avx2, fma, f16c, avx512f, avx512bw, avx512dq, avx512vl, avx512_vnni, avx512_bf16, avx512_fp16, amx_bf16,
        amx_int8;
} CpuFeatures;
CpuFeatures cpu_features(void);

const char *cpu_isa_name(CpuIsa isa); /* "plain", "avx2", "avx512" */

/* Parses such a name. ERR_ARGUMENT for an unknown one, ERR_UNSUPPORTED where this CPU lacks it. */
Err cpu_isa_parse(const char *text, CpuIsa *ret_isa);

/* Passed down explicitly; there is no global. Open struct. */
typedef struct Device {
    DeviceKind kind;
    CpuIsa isa;      /* upper limit for kernel choice; --cpu */
    int32_t threads; /* threads of one kernel; >= 1 */
    CpuIsa best;     /* what this CPU has: where isa is below it, libraries must be limited */
} Device;

/* CPU, best instruction set; as many threads as OMP_NUM_THREADS says, but not more than the processors that this thread
 * may run on. */
Device device_default(void);

#ifdef __cplusplus
}
#endif
#endif
