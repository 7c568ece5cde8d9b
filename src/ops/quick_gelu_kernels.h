/* SPDX-License-Identifier: Apache-2.0
 * Vector kernels of quick_gelu. */
#ifndef METASEG_OPS_QUICK_GELU_KERNELS_H
#define METASEG_OPS_QUICK_GELU_KERNELS_H

#include "ops/kernel_util.h"

extern const Kernel quick_gelu_avx2, quick_gelu_avx512;

#endif
