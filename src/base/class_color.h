/* SPDX-License-Identifier: Apache-2.0
 * Colours for classes that have none. */
#ifndef METASEG_BASE_CLASS_COLOR_H
#define METASEG_BASE_CLASS_COLOR_H

#include <stdint.h>

/* 0xRRGGBB of class i >= 0: hues a golden angle apart, the brightness in turns, so that neighbours differ. */
uint32_t class_color(int32_t i);

#endif
