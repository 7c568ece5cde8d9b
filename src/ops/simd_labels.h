/* SPDX-License-Identifier: Apache-2.0
 * Class labels of pixels in vectors, for the losses; include after simd_avx2.h or simd_avx512.h. */
#ifndef METASEG_OPS_SIMD_LABELS_H
#define METASEG_OPS_SIMD_LABELS_H

#include <stdint.h>

/* Labels of n pixels (at most VEC_LANES) as floats; -1 for ignored ones and in the lanes from n on. */
static inline Vec vec_labels(const uint8_t *labels, int64_t n, int32_t ignore)
{
    float value[VEC_LANES];
    if (n < VEC_LANES) {
        for (int64_t p = 0; p < VEC_LANES; p++) value[p] = p < n && labels[p] != ignore ? (float)labels[p] : -1.0F;
        return vec_load(value);
    }
    const Vec all = vec_load_u8(labels);
    return vec_select_equal(all, vec_set((float)ignore), vec_set(-1.0F), all);
}

#endif
