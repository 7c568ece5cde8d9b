/* SPDX-License-Identifier: Apache-2.0
 * Hues a golden angle apart. */
#include "base/class_color.h"

#include <math.h>

uint32_t class_color(int32_t i)
{
    const double hue = fmod((double)i * 137.508, 360.0) / 60.0;
    const double value = i % 3 == 0 ? 220.0 : i % 3 == 1 ? 170.0 : 250.0;
    const double low = value * 0.35;
    const double part = value - (value - low) * fabs(fmod(hue, 2.0) - 1.0);
    const double rgb[6][3] = { { value, part, low }, { part, value, low }, { low, value, part },
                               { low, part, value }, { part, low, value }, { value, low, part } };
    const double *c = rgb[(int)hue];
    return (uint32_t)c[0] << 16 | (uint32_t)c[1] << 8 | (uint32_t)c[2];
}
