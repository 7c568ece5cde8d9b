/* SPDX-License-Identifier: Apache-2.0
 * Vector kernels of mish. */
#ifndef METASEG_OPS_MISH_KERNELS_H
#define METASEG_OPS_MISH_KERNELS_H

#include "ops/kernel_util.h"

extern const Kernel mish_avx2, mish_avx512;

#endif
