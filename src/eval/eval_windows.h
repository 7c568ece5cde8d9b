/* SPDX-License-Identifier: Apache-2.0
 * Private to src/eval: the windows where maps agree worst and best with their references, over all pairs, as pictures for
 * the page. Blocks of pixels come one after the other; kept are the pictures of few windows, whatever the number of pairs. */
#ifndef METASEG_EVAL_EVAL_WINDOWS_H
#define METASEG_EVAL_EVAL_WINDOWS_H

#include "base/str.h"
#include "eval/eval_internal.h"

enum {
    EVAL_WINDOW = 256,       /* side of a window, pixels of the reference; at the borders less */
    EVAL_BLOCK_WINDOWS = 8,  /* of a block, beside each other */
    EVAL_SHOWN_WINDOWS = 3,  /* worst and best ones each */
    EVAL_LABELLED_PART = 16, /* a window with labels on less than this part of its pixels is in no rank */
};

typedef struct EvalWindows EvalWindows;

/* ERR_MEMORY. eval_windows_free() it. */
Err eval_windows_new(EvalWindows **ret_windows);
void eval_windows_free(EvalWindows *windows);

/* From now on pixels are of this block: corners at multiples of EVAL_WINDOW, EVAL_WINDOW rows or less, EVAL_BLOCK_WINDOWS windows. */
void eval_windows_begin(EvalWindows *windows, RasterWindow block);

/* A labelled pixel. value: of the map, EVAL_NOTHING where it has none; compared: it counts for the rank. */
void eval_windows_pixel(EvalWindows *windows, int64_t x, int64_t y, int32_t truth, int32_t value, bool compared);

/* All pixels of the block are there and the rasters of the pair still open. ERR_MEMORY. */
Err eval_windows_end(EvalWindows *windows, const Comparison *pair);

/* How many windows had labels. */
int64_t eval_windows_count(const EvalWindows *windows);

/* What was kept, the worst first, and how many windows are not shown. ERR_MEMORY, ERR_UNSUPPORTED of png_encode. */
Err eval_windows_page(const EvalWindows *windows, Str *page);

#endif
