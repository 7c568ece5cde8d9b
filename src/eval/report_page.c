/* SPDX-License-Identifier: Apache-2.0
 * Markup, curves and pictures of a page. */
#include "eval/report_page.h"

#include "base/escape.h"
#include "geo/png.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { WIDTH = 640, HEIGHT = 240, LEFT = 52, BOTTOM = 34, TOP = 12, RIGHT = 12, TICKS = 4 };

static const char style[] =
    ":root{color-scheme:light "
    "dark;--ink:#1c2127;--soft:#59636e;--line:#d0d7de;--paper:#fff;--a:#1f6feb;--b:#bc4c00;--good:#2da44e;--bad:#"
    "cf222e}"
    "@media(prefers-color-scheme:dark){:root{--ink:#e6edf3;--soft:#9aa5b1;--line:#3b434d;--paper:#12161b;--a:#6cb6ff;--"
    "b:#ffa657;--good:#3fb950;--bad:#f85149}}"
    "*{box-sizing:border-box}"
    "body{font:16px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--paper);max-width:60rem;margin:2rem "
    "auto;padding:0 1rem}"
    "h1{font-size:1.6rem;margin-bottom:.2rem}"
    "h2{font-size:1.15rem;margin-top:2.2rem;border-bottom:1px solid var(--line);padding-bottom:.2rem}"
    "h1,p,li,figcaption,summary{overflow-wrap:anywhere}"
    ".wide{overflow-x:auto}"
    "table{border-collapse:collapse;font-variant-numeric:tabular-nums}"
    "th,td{padding:.2rem .6rem;text-align:right;border-bottom:1px solid var(--line)}"
    "th:first-child,td:first-child{text-align:left}"
    "td{white-space:nowrap}.prompts td:last-child,.prompts "
    "th:last-child{text-align:left;min-width:14rem;white-space:normal}"
    "thead th{color:var(--soft);font-weight:600;vertical-align:bottom}"
    ".soft{color:var(--soft)}"
    ".swatch{display:inline-block;width:.9em;height:.9em;border:1px solid "
    "var(--ink);vertical-align:-.1em;margin-right:.4em}"
    ".big{font-size:1.5rem;font-weight:600}"
    ".figures{display:flex;flex-wrap:wrap;gap:1.5rem}"
    ".windows{display:flex;flex-wrap:wrap;gap:.6rem;margin-bottom:1rem}"
    "figure{margin:0;min-width:0;max-width:100%}"
    "figcaption{font-size:.85rem;color:var(--soft)}"
    "img{image-rendering:pixelated;width:16rem;max-width:100%;height:auto;border:1px solid var(--line)}"
    ".map img{width:auto;image-rendering:auto}.classes img{width:auto;min-width:min(16rem,100%)}"
    "svg{max-width:100%;height:auto}"
    "svg text{fill:var(--soft);font:12px system-ui,sans-serif}"
    "pre{overflow-x:auto;border:1px solid var(--line);padding:.8rem;font-size:.85rem}"
    "summary{cursor:pointer;padding:.3rem 0}"
    "@media(max-width:40rem){body{margin:1rem auto;padding:0 .6rem;font-size:15px}th,td{padding:.2rem .35rem}.windows "
    "img{width:calc(33.3% - .4rem)}svg text{font-size:16px}}"
    "@media print{body{max-width:none}}";

void page_begin(Str *page, const char *title)
{
    str_add(page,
            "<!DOCTYPE html>\n<html xmlns=\"http://www.w3.org/1999/xhtml\" lang=\"en\">\n<head>\n"
            "<meta charset=\"utf-8\"/>\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n"
            "<title>");
    page_text(page, title);
    str_addf(page, "</title>\n<style>%s</style>\n</head>\n<body>\n", style);
}

void page_end(Str *page) { str_add(page, "</body>\n</html>\n"); }

void page_text(Str *page, const char *text)
{
    while (*text != '\0') {
        char shown[ESCAPE_BYTES];
        (void)escape_next(&text, shown);
        switch (shown[0]) {
        case '&':
            str_add(page, "&amp;");
            break;
        case '<':
            str_add(page, "&lt;");
            break;
        case '>':
            str_add(page, "&gt;");
            break;
        case '"':
            str_add(page, "&quot;");
            break;
        default:
            str_add(page, shown);
        }
    }
}

void page_heading(Str *page, const char *text) { str_addf(page, "<h2>%s</h2>\n", text); }

void page_swatch(Str *page, uint32_t color)
{
    str_addf(page, "<span class=\"swatch\" style=\"background:#%06x\"></span>", (unsigned)(color & 0xffffffU));
}

void page_percent(Str *page, double fraction, int digits)
{
    if (isfinite(fraction))
        str_addf(page, "%.*f", digits, 100.0 * fraction);
    else
        str_add(page, "-");
}

/* ---- classes ---- */

void page_class(Str *page, const PageClass *class)
{
    page_swatch(page, class->color);
    page_text(page, class->name);
}

static void add_interval(Str *page, Interval i)
{
    if (!isfinite(i.low)) return;
    str_addf(page, " <span class=\"soft\">(%.1f to %.1f)</span>", 100.0 * i.low, 100.0 * i.high);
}

void page_totals(Str *page, double miou, Interval mean, double overall_accuracy)
{
    str_add(page, "<p><span class=\"big\">mean IoU ");
    page_percent(page, miou, 1);
    str_add(page, " %</span>");
    add_interval(page, mean);
    str_add(page, ", overall accuracy ");
    page_percent(page, overall_accuracy, 1);
    str_add(page, " %");
}

void page_classes(Str *page, const PageClass *classes, const ClassMetrics *figures, const Interval *intervals,
                  int64_t n)
{
    str_add(page, "<div class=\"wide\"><table><thead><tr><th scope=\"col\">class</th><th scope=\"col\">pixels</th>"
                  "<th scope=\"col\">IoU, %</th><th scope=\"col\">F1, %</th><th scope=\"col\">precision, %</th>"
                  "<th scope=\"col\">recall, %</th></tr></thead><tbody>\n");
    for (int64_t c = 0; c < n; c++) {
        const ClassMetrics *k = &figures[c];
        const double rest[] = { k->f1, k->precision, k->recall };
        str_add(page, "<tr><th scope=\"row\">");
        page_class(page, &classes[c]);
        str_addf(page, "</th><td>%lld</td><td>", (long long)k->truth);
        page_percent(page, k->iou, 1);
        add_interval(page, intervals[c]);
        for (int64_t i = 0; i < ARRAY_LEN(rest); i++) {
            str_add(page, "</td><td>");
            page_percent(page, rest[i], 1);
        }
        str_add(page, "</td></tr>\n");
    }
    str_add(page, "</tbody></table></div>\n");
}

static void add_matrix_row(Str *page, const int64_t *row, int64_t i, int64_t n)
{
    int64_t all = 0;
    for (int64_t j = 0; j < n; j++) all += row[j];
    for (int64_t j = 0; j < n; j++) {
        const double share = all > 0 ? (double)row[j] / (double)all : (double)NAN;
        str_addf(page, "<td style=\"background:color-mix(in srgb, %s %.0f%%, transparent)\">",
                 i == j ? "var(--good)" : "var(--bad)", isfinite(share) ? 70.0 * share : 0.0);
        page_percent(page, share, 1);
        str_add(page, "</td>");
    }
}

void page_matrix(Str *page, const PageClass *classes, const int64_t *counts, int64_t n)
{
    if (n > PAGE_MATRIX_CLASSES) return;
    page_heading(page, "What is taken for what");
    str_add(page, "<p class=\"soft\">Rows: the labels; columns: the map; per cent of the row.</p>\n<div class=\"wide\">"
                  "<table><thead><tr><th scope=\"col\">labels</th>");
    for (int64_t c = 0; c < n; c++) {
        str_add(page, "<th scope=\"col\">");
        page_class(page, &classes[c]);
        str_add(page, "</th>");
    }
    str_add(page, "</tr></thead><tbody>\n");
    for (int64_t i = 0; i < n; i++) {
        str_add(page, "<tr><th scope=\"row\">");
        page_class(page, &classes[i]);
        str_add(page, "</th>");
        add_matrix_row(page, counts + i * n, i, n);
        str_add(page, "</tr>\n");
    }
    str_add(page, "</tbody></table></div>\n");
}

/* ---- curves ---- */

/* The plane of a figure. */
typedef struct Plane {
    double x0, x1, y0, y1;
} Plane;

static double across(const Plane *p, double x)
{
    return LEFT + (x - p->x0) / fmax(p->x1 - p->x0, 1e-12) * (WIDTH - LEFT - RIGHT);
}

static double down(const Plane *p, double y)
{
    return HEIGHT - BOTTOM - (y - p->y0) / fmax(p->y1 - p->y0, 1e-12) * (HEIGHT - TOP - BOTTOM);
}

static bool find_plane(const double *x, int64_t n, const PageCurve *curves, int64_t n_curves, Plane *ret_plane)
{
    Plane p = { .x0 = n > 0 ? x[0] : 0.0, .x1 = n > 0 ? x[n - 1] : 0.0, .y0 = 0.0, .y1 = -(double)INFINITY };
    for (int64_t c = 0; c < n_curves; c++) {
        for (int64_t i = 0; i < n; i++) {
            if (!isfinite(curves[c].y[i])) continue;
            p.y0 = fmin(p.y0, curves[c].y[i]);
            p.y1 = fmax(p.y1, curves[c].y[i]);
        }
    }
    *ret_plane = p;
    return isfinite(p.y1);
}

static void draw_axes(Str *page, const Plane *p)
{
    for (int64_t i = 0; i <= TICKS; i++) {
        const double part = (double)i / TICKS, y = p->y0 + part * (p->y1 - p->y0), x = p->x0 + part * (p->x1 - p->x0);
        str_addf(page, "<line x1=\"%d\" y1=\"%.1f\" x2=\"%d\" y2=\"%.1f\" stroke=\"var(--line)\"/>", (int)LEFT,
                 down(p, y), (int)(WIDTH - RIGHT), down(p, y));
        str_addf(page, "<text x=\"%d\" y=\"%.1f\" text-anchor=\"end\">%.3g</text>", (int)LEFT - 6, down(p, y) + 4.0, y);
        str_addf(page, "<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%.6g</text>", across(p, x),
                 (int)(HEIGHT - BOTTOM + 18), x);
    }
}

static void draw_curve(Str *page, const Plane *p, const double *x, int64_t n, const PageCurve *curve, const char *color)
{
    str_addf(page, "<polyline fill=\"none\" stroke=\"%s\" stroke-width=\"1.6\" points=\"", color);
    for (int64_t i = 0; i < n; i++)
        if (isfinite(curve->y[i])) str_addf(page, "%.1f,%.1f ", across(p, x[i]), down(p, curve->y[i]));
    str_add(page, "\"/>");
    for (int64_t i = 0; i < n && curve->dots; i++)
        if (isfinite(curve->y[i]))
            str_addf(page, "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"3\" fill=\"%s\"/>", across(p, x[i]),
                     down(p, curve->y[i]), color);
}

void page_figure(Str *page, const char *title, const double *x, int64_t n, const PageCurve *curves, int64_t n_curves)
{
    static const char *const colors[] = { "var(--a)", "var(--b)" };
    Plane p;
    if (!find_plane(x, n, curves, n_curves, &p)) return;
    str_addf(page, "<figure><svg viewBox=\"0 0 %d %d\" width=\"%d\" role=\"img\" aria-label=\"%s\">", (int)WIDTH,
             (int)HEIGHT, (int)WIDTH, title);
    draw_axes(page, &p);
    for (int64_t c = 0; c < n_curves; c++) draw_curve(page, &p, x, n, &curves[c], colors[c % 2]);
    str_addf(page, "</svg><figcaption>%s over steps:", title);
    for (int64_t c = 0; c < n_curves; c++)
        str_addf(page, " <span style=\"color:%s\">%s</span>%s", colors[c % 2], curves[c].name,
                 c + 1 < n_curves ? "," : "");
    str_add(page, "</figcaption></figure>\n");
}

static void add_base64(Str *page, const uint8_t *bytes, size_t length)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < length; i += 3) {
        const size_t left = length - i;
        const uint32_t three = (uint32_t)bytes[i] << 16U | (left > 1 ? (uint32_t)bytes[i + 1] << 8U : 0U) |
                               (left > 2 ? (uint32_t)bytes[i + 2] : 0U);
        const char four[4] = { digits[three >> 18U], digits[three >> 12U & 63U],
                               left > 1 ? digits[three >> 6U & 63U] : '=', left > 2 ? digits[three & 63U] : '=' };
        str_add_bytes(page, four, 4);
    }
}

static uint32_t big_endian(const uint8_t *b)
{
    return (uint32_t)b[0] << 24U | (uint32_t)b[1] << 16U | (uint32_t)b[2] << 8U | (uint32_t)b[3];
}

Err page_png(Str *page, const uint8_t *bytes, size_t length, const char *alt)
{
    static const uint8_t signature[8] = { 0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n' };
    enum { SIZE_AT = 16, HEAD = 24 }; /* IHDR is the first chunk, width and height its first members */
    if (length < HEAD || memcmp(bytes, signature, sizeof signature) != 0)
        return err_set(ERR_INPUT, "'%s': this is no PNG picture", alt);
    str_addf(page, "<img width=\"%u\" height=\"%u\" alt=\"", (unsigned)big_endian(bytes + SIZE_AT),
             (unsigned)big_endian(bytes + SIZE_AT + 4));
    page_text(page, alt);
    str_add(page, "\" src=\"data:image/png;base64,");
    add_base64(page, bytes, length);
    str_add(page, "\"/>");
    return ERR_NONE;
}

Err page_picture(Str *page, const uint8_t *rgb, int64_t width, int64_t height, const char *alt)
{
    uint8_t *bytes = NULL;
    size_t length = 0;
    TRY(png_encode(rgb, 3, width, height, &bytes, &length));
    const Err err = page_png(page, bytes, length, alt);
    free(bytes);
    return err;
}
