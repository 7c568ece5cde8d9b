/* SPDX-License-Identifier: Apache-2.0
 * Private to labels.c: the label pixels of vector labels; promises as of labels_parts and labels_read_values. */
#ifndef METASEG_DATA_LABELS_VECTOR_H
#define METASEG_DATA_LABELS_VECTOR_H

#include "data/labels.h"

Err labels_vector_parts(Labels *labels, RasterWindow **ret_parts, int64_t *ret_count);
Err labels_vector_values(Labels *labels, RasterWindow window, float *ret_values, uint8_t *ret_valid);

#endif
