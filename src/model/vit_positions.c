/* SPDX-License-Identifier: Apache-2.0
 * The same resize as in each pass of the network, once. */
#include "model/vit_positions.h"

#include "graph/run_op.h"
#include "ops/ops.h"

#include <stdlib.h>
#include <string.h>

static int64_t square_root(int64_t n)
{
    int64_t root = 0;
    while (root * root < n) root++;
    return root * root == n ? root : 0;
}

int64_t vit_positions_side(int64_t n, bool *ret_class_row)
{
    enum { MOST = 1 << 20 }; /* a map of a thousand patches along a side */
    if (n < 1 || n > MOST) return 0;
    const int64_t with = square_root(n - 1), without = square_root(n);
    *ret_class_row = with > 0;
    return with > 0 ? with : without;
}

Err vit_positions_resize(VitPositions how, const float *positions, int64_t from, int64_t to, int64_t channels,
                         float *ret_positions)
{
    const ResizeBicubicAttr attr = { .height = to,
                                     .width = to,
                                     .antialias = how == VIT_POSITIONS_TIMM,
                                     .offset = how == VIT_POSITIONS_META ? 0.1F : 0.0F };
    union {
        const float *from;
        void *to;
    } both = { .from = positions }; /* only read */
    const Tensor in = { DTYPE_F32, shape4(1, from, from, channels), both.to };
    Tensor out = { .data = NULL };
    const size_t bytes = (size_t)(to * to * channels) * sizeof *positions;
    if (from == to) {
        memcpy(ret_positions, positions, bytes);
        return ERR_NONE;
    }
    TRY(run_op(&op_def_resize_bicubic, &attr, 1, &in, &out));
    memcpy(ret_positions, out.data, bytes);
    free(out.data);
    return ERR_NONE;
}
