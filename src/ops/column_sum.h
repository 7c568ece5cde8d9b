/* SPDX-License-Identifier: Apache-2.0
 * Sums over rows: gradients of biases. */
#ifndef METASEG_OPS_COLUMN_SUM_H
#define METASEG_OPS_COLUMN_SUM_H

#include "tensor/device.h"

/* sum[c] = (or +=) sum over r of rows[r, c], rows [n, channels]. Blocks of 64 rows are summed in float, blocks in
 * double, in an order that depends on the shape alone: any number of threads gives the same bytes. */
void column_sum(const Device *device, const float *rows, int64_t n, int64_t channels, bool add, float *ret_sum);

#endif
