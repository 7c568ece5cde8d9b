/* SPDX-License-Identifier: Apache-2.0
 * Rank and pictures of windows. */
#include "eval/eval_windows.h"

#include "base/file.h"
#include "eval/report_page.h"

#include <stdlib.h>
#include <string.h>

enum { KEPT = 2 * EVAL_SHOWN_WINDOWS, BLOCK = EVAL_BLOCK_WINDOWS * EVAL_WINDOW };

/* A window that is kept, with its pictures. */
typedef struct Kept {
    double accuracy;
    int64_t x, y, width, height;
    char *name;   /* of the map's file */
    uint8_t *rgb; /* reference, then map: [2][height][width][3] */
} Kept;

typedef struct Counts {
    int64_t labelled, compared, correct;
} Counts;

struct EvalWindows {
    RasterWindow block;
    int32_t *truth, *map; /* [block.rows][block.columns] */
    Counts counts[EVAL_BLOCK_WINDOWS];
    Kept kept[KEPT]; /* the worst first */
    int64_t n_kept, ranked, labelled;
};

Err eval_windows_new(EvalWindows **ret_windows)
{
    EvalWindows *w = calloc(1, sizeof *w);
    if (w == NULL) return err_memory(sizeof *w, "the windows");
    const size_t pixels = (size_t)BLOCK * EVAL_WINDOW;
    w->truth = malloc(pixels * sizeof *w->truth);
    w->map = malloc(pixels * sizeof *w->map);
    if (w->truth == NULL || w->map == NULL) {
        eval_windows_free(w);
        return err_memory(2 * pixels * sizeof(int32_t), "the windows");
    }
    *ret_windows = w;
    return ERR_NONE;
}

static void kept_done(Kept *k)
{
    free(k->name);
    free(k->rgb);
    *k = (Kept){ 0 };
}

void eval_windows_free(EvalWindows *w)
{
    if (w == NULL) return;
    for (int64_t i = 0; i < w->n_kept; i++) kept_done(&w->kept[i]);
    free(w->truth);
    free(w->map);
    free(w);
}

void eval_windows_begin(EvalWindows *w, RasterWindow block)
{
    w->block = block;
    for (int64_t i = 0; i < block.columns * block.rows; i++) w->truth[i] = w->map[i] = EVAL_NOTHING;
    memset(w->counts, 0, sizeof w->counts);
}

void eval_windows_pixel(EvalWindows *w, int64_t x, int64_t y, int32_t truth, int32_t value, bool compared)
{
    const int64_t column = x - w->block.x, at = (y - w->block.y) * w->block.columns + column;
    Counts *c = &w->counts[column / EVAL_WINDOW];
    w->truth[at] = truth;
    w->map[at] = value;
    c->labelled++;
    c->compared += compared;
    c->correct += compared && truth == value;
}

/* Where a window of this accuracy comes among those that are kept: behind its equals. */
static int64_t rank_of(const EvalWindows *w, double accuracy)
{
    int64_t at = 0;
    while (at < w->n_kept && w->kept[at].accuracy <= accuracy) at++;
    return at;
}

static Err draw(const EvalWindows *w, const Comparison *pair, int64_t first, Kept *k)
{
    const size_t plane = 3 * (size_t)(k->width * k->height);
    TRY(str_copy(path_name(raster_path(pair->map)), &k->name));
    k->rgb = malloc(2 * plane);
    if (k->rgb == NULL) return err_memory(2 * plane, "the pictures");
    for (int64_t r = 0; r < k->height; r++) {
        const int64_t from = r * w->block.columns + first;
        uint8_t *row = k->rgb + 3 * (size_t)(r * k->width);
        eval_draw(pair, w->truth + from, k->width, row);
        eval_draw(pair, w->map + from, k->width, row + plane);
    }
    return ERR_NONE;
}

/* Kept are the worst and the best of all that came; one more than these, and the middle one goes. */
static Err keep(EvalWindows *w, const Comparison *pair, int64_t index, double accuracy)
{
    const int64_t first = index * EVAL_WINDOW, left = w->block.columns - first;
    const bool full = w->n_kept == KEPT;
    int64_t at = rank_of(w, accuracy);
    if (full && at == EVAL_SHOWN_WINDOWS) return ERR_NONE;
    Kept k = { .accuracy = accuracy,
               .x = w->block.x + first,
               .y = w->block.y,
               .width = left < EVAL_WINDOW ? left : EVAL_WINDOW,
               .height = w->block.rows };
    const Err err = draw(w, pair, first, &k);
    if (err != ERR_NONE) {
        kept_done(&k);
        return err;
    }
    if (full) {
        const int64_t out = at < EVAL_SHOWN_WINDOWS ? EVAL_SHOWN_WINDOWS - 1 : EVAL_SHOWN_WINDOWS;
        kept_done(&w->kept[out]);
        memmove(&w->kept[out], &w->kept[out + 1], (size_t)(KEPT - out - 1) * sizeof *w->kept);
        w->n_kept--;
        at -= at > out;
    }
    memmove(&w->kept[at + 1], &w->kept[at], (size_t)(w->n_kept - at) * sizeof *w->kept);
    w->kept[at] = k;
    w->n_kept++;
    return ERR_NONE;
}

Err eval_windows_end(EvalWindows *w, const Comparison *pair)
{
    for (int64_t i = 0; i * EVAL_WINDOW < w->block.columns; i++) {
        const Counts *c = &w->counts[i];
        const int64_t left = w->block.columns - i * EVAL_WINDOW;
        const int64_t pixels = (left < EVAL_WINDOW ? left : EVAL_WINDOW) * w->block.rows;
        w->labelled += c->labelled > 0;
        if (c->compared == 0 || c->compared * EVAL_LABELLED_PART < pixels) continue;
        w->ranked++;
        TRY(keep(w, pair, i, (double)c->correct / (double)c->compared));
    }
    return ERR_NONE;
}

int64_t eval_windows_count(const EvalWindows *w) { return w->labelled; }

static Err add_window(const Kept *k, Str *page)
{
    static const char *const shown[] = { "Reference", "Map" };
    const size_t plane = 3 * (size_t)(k->width * k->height);
    str_add(page, "<figure class=\"classes\"><figcaption>");
    page_text(page, k->name);
    str_addf(page, ", column %lld, row %lld: ", (long long)k->x, (long long)k->y);
    page_percent(page, k->accuracy, 1);
    str_add(page, " % right: reference, map</figcaption><div class=\"windows\">");
    for (int64_t i = 0; i < ARRAY_LEN(shown); i++)
        TRY(page_picture(page, k->rgb + (size_t)i * plane, k->width, k->height, shown[i]));
    str_add(page, "</div></figure>\n");
    return ERR_NONE;
}

Err eval_windows_page(const EvalWindows *w, Str *page)
{
    page_heading(page, "Where it is worst and best");
    str_addf(page,
             "<p class=\"soft\">Windows of %d x %d pixels of the reference, the worst first; grey: no label, or no "
             "value of the map. %lld of %lld windows with labels are shown, %lld are not",
             (int)EVAL_WINDOW, (int)EVAL_WINDOW, (long long)w->n_kept, (long long)w->labelled,
             (long long)(w->labelled - w->n_kept));
    if (w->labelled > w->ranked)
        str_addf(page, "; of these %lld had too few pixels to compare (less than a %dth of the window) to be ranked",
                 (long long)(w->labelled - w->ranked), (int)EVAL_LABELLED_PART);
    str_add(page, ".</p>\n");
    for (int64_t i = 0; i < w->n_kept; i++) TRY(add_window(&w->kept[i], page));
    return ERR_NONE;
}
