/* SPDX-License-Identifier: Apache-2.0
 * Private to labels.c: label rasters that show classes by their colours (LABELS_COLORS). */
#ifndef METASEG_DATA_LABELS_COLOR_H
#define METASEG_DATA_LABELS_COLOR_H

#include "data/labels.h"

/* Chooses the red, green and blue band of labels->raster, or band 1 of a palette, and reads the colours of the classes.
 * ERR_INPUT when there are none, or not of 8 bits; ERR_MEMORY. */
Err labels_color_choose(Labels *labels);

/* Values of n pixels of the chosen bands: that of the class with the same colour, options->ignore where it is one of options->ignore_colors, else
 * label_unknown_color(). */
void labels_color_values(const Labels *labels, int64_t n, const float *pixels, float *ret_values);

#endif
