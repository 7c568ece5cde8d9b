/* SPDX-License-Identifier: Apache-2.0
 * Vector kernels of gelu. */
#ifndef METASEG_OPS_GELU_KERNELS_H
#define METASEG_OPS_GELU_KERNELS_H

#include "ops/kernel_util.h"

extern const Kernel gelu_avx2, gelu_avx512;

#endif
