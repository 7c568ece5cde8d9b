/* SPDX-License-Identifier: Apache-2.0
 *
 * Pieces of a page that stands alone: well-formed XHTML without scripts, tables, pictures and curves inside. Of the reports
 * of training and of eval.
 */
#ifndef METASEG_EVAL_REPORT_PAGE_H
#define METASEG_EVAL_REPORT_PAGE_H

#include "base/str.h"
#include "eval/bootstrap.h"

/* Around the maps, which a report gets after it was written. Text from anywhere cannot hold them: page_text escapes. */
#define REPORT_MAPS_BEGIN "<!-- maps -->\n"
#define REPORT_MAPS_END "<!-- end of maps -->\n"

/* Opens and closes the page; the style suits light and dark screens, paper and narrow windows. */
void page_begin(Str *page, const char *title);
void page_end(Str *page);

/* Text from anywhere, shown as it is: control characters as escape.h has them, markup without its meaning. */
void page_text(Str *page, const char *text);

/* <h2>; the text is ours. */
void page_heading(Str *page, const char *text);

/* A square of colour 0xRRGGBB with an outline. */
void page_swatch(Str *page, uint32_t color);

/* A number of per cent with `digits` decimals, "-" where it is not finite. */
void page_percent(Str *page, double fraction, int digits);

/* A class as it is shown. */
typedef struct PageClass {
    const char *name;
    uint32_t color; /* 0xRRGGBB */
} PageClass;

/* Its colour and name. */
void page_class(Str *page, const PageClass *class);

/* The beginning of a paragraph: mean IoU with its interval, overall accuracy. */
void page_totals(Str *page, double miou, Interval mean, double overall_accuracy);

/* A table of figures of n classes. */
void page_classes(Str *page, const PageClass *classes, const ClassMetrics *figures, const Interval *intervals,
                  int64_t n);

/* A confusion matrix, [n][n] rows of the truth, under its heading; nothing where it has more classes than anybody reads. */
enum { PAGE_MATRIX_CLASSES = 40 };
void page_matrix(Str *page, const PageClass *classes, const int64_t *counts, int64_t n);

/* One curve in a figure. */
typedef struct PageCurve {
    const char *name; /* ours */
    const double *y;  /* [n], gaps where not finite */
    bool dots;        /* rare points are marked */
} PageCurve;

/* Curves over the same x (ascending), with axes from 0 or the lowest value to the highest, and a title as alternative
 * text. Nothing where no point is finite. */
void page_figure(Str *page, const char *title, const double *x, int64_t n, const PageCurve *curves, int64_t n_curves);

/* The bytes of a PNG file as a data URI; `alt` is escaped. ERR_INPUT where they are none. */
Err page_png(Str *page, const uint8_t *bytes, size_t length, const char *alt);

/* A picture as a data URI; `alt` is escaped. ERR_MEMORY, ERR_UNSUPPORTED of png_encode. */
Err page_picture(Str *page, const uint8_t *rgb, int64_t width, int64_t height, const char *alt);

#endif
