/* SPDX-License-Identifier: Apache-2.0
 * Private to src/eval: what a page about a comparison needs beside the counts of all pixels: counts by places, for intervals, and
 * pictures of map and reference. */
#ifndef METASEG_EVAL_EVAL_PAGE_H
#define METASEG_EVAL_EVAL_PAGE_H

#include "eval/eval_internal.h"

/* For n_pairs comparisons. The options are borrowed. ERR_MEMORY. eval_page_free() it. */
Err eval_page_new(const MetasegEvalOptions *options, int64_t n_pairs, EvalPage **ret_page);
void eval_page_free(EvalPage *page);

/* From now on pixels are of this pair, whose reference has width x height pixels. */
void eval_page_begin(EvalPage *page, int64_t pair, int64_t width, int64_t height);

/* From now on pixels are of this block of the reference (eval_windows.h). */
void eval_page_block(EvalPage *page, RasterWindow block);

/* A labelled pixel of the reference; covered: the map has a value there. */
void eval_page_pixel(EvalPage *page, int64_t x, int64_t y, int32_t truth, bool covered, int32_t prediction);

/* All pixels of the block are there. Errors of eval_windows_end. */
Err eval_page_block_end(EvalPage *page, const Comparison *pair);

/* Once all pixels of a pair are there and its rasters are still open. ERR_MEMORY, ERR_UNSUPPORTED of png_encode. */
Err eval_page_end(EvalPage *page, const Comparison *pair);

/* The whole page; free() it. ERR_MEMORY. */
Err eval_page_text(const EvalPage *page, const Comparison *comparison, const Figures *figures, char **ret_text);

#endif
