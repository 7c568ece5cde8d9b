/* SPDX-License-Identifier: Apache-2.0
 * The maps that a trained model made of its own images, put into the report afterwards. */
#include "metaseg/train.h"

#include "base/file.h"
#include "eval/report_page.h"
#include "train/trainer.h"

#include <stdlib.h>
#include <string.h>

enum { MOST_MAPS = 12, MOST_PICTURE_BYTES = 16 << 20, MOST_PAGE_BYTES = 1 << 30 };

static Err add_map(Str *page, const char *path)
{
    char *bytes = NULL;
    size_t length = 0;
    TRY(file_read(path, MOST_PICTURE_BYTES, &bytes, &length));
    str_add(page, "<figure class=\"map\"><figcaption>");
    page_text(page, path_name(path));
    str_add(page, "</figcaption>");
    const Err err = page_png(page, (const uint8_t *)bytes, length, path_name(path));
    str_add(page, "</figure>\n");
    free(bytes);
    return err;
}

static Err add_maps(Str *page, const char *const *pictures, int64_t n)
{
    str_add(page, REPORT_MAPS_BEGIN);
    page_heading(page, n == 1 ? "The map" : "The maps");
    for (int64_t i = 0; i < n && i < MOST_MAPS; i++) TRY(add_map(page, pictures[i]));
    if (n > MOST_MAPS)
        str_addf(page, "<p class=\"soft\">%lld more lie in the folder of the run.</p>\n", (long long)(n - MOST_MAPS));
    str_add(page, REPORT_MAPS_END);
    return ERR_NONE;
}

/* Replaces what lies between the marks. */
static Err put_maps(const char *path, const char *report, const char *const *pictures, int64_t n)
{
    const char *begin = strstr(report, REPORT_MAPS_BEGIN);
    const char *end = begin != NULL ? strstr(begin, REPORT_MAPS_END) : NULL;
    Str page = { 0 };
    char *text = NULL;
    if (end == NULL) return ERR_NONE; /* a report of an earlier version */
    str_add_bytes(&page, report, (size_t)(begin - report));
    Err err = add_maps(&page, pictures, n);
    str_add(&page, end + strlen(REPORT_MAPS_END));
    if (err == ERR_NONE) err = str_take(&page, &text);
    if (err == ERR_NONE) err = file_write(path, text, strlen(text), true);
    str_done(&page);
    free(text);
    return err;
}

MetasegStatus metaseg_train_report_maps(const char *folder, const char *const *pictures, int64_t n_pictures)
{
    char *path = NULL, *report = NULL;
    size_t length = 0;
    if (folder == NULL || n_pictures < 0 || (pictures == NULL && n_pictures > 0))
        return err_set(ERR_ARGUMENT, "the folder of a run and its pictures are needed");
    if (n_pictures == 0) return ERR_NONE;
    TRY(path_join(folder, TRAINER_REPORT, &path));
    Err err = ERR_NONE;
    if (file_exists(path)) err = file_read(path, MOST_PAGE_BYTES, &report, &length);
    if (err == ERR_NONE && report != NULL) err = put_maps(path, report, pictures, n_pictures);
    free(path);
    free(report);
    return err;
}
