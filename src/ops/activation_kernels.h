/* SPDX-License-Identifier: Apache-2.0
 * Vector kernels of activation. */
#ifndef METASEG_OPS_ACTIVATION_KERNELS_H
#define METASEG_OPS_ACTIVATION_KERNELS_H

#include "ops/kernel_util.h"

extern const Kernel activation_avx2, activation_avx512;

#endif
