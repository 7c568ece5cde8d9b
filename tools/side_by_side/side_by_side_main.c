/* SPDX-License-Identifier: Apache-2.0
 *
 * A picture of an image, a map and reference labels, for the demo and the documentation.
 *
 *     side_by_side IMAGE MAP LABELS OUT.png [KEY=VALUE...]
 *     keys: image, map, labels (titles), crs (of the labels), note (below the legend),
 *     width (of a quarter, pixels), box=W,S,E,N (any number of times)
 */
#include "base/str.h"
#include "geo/georeference.h"
#include "side_by_side.h"

#include <stdio.h>
#include <string.h>

enum { MOST_BOXES = 32 };

static Err read_words(int count, char **words, SideBySide *what, double boxes[MOST_BOXES][4])
{
    const struct {
        const char *key;
        const char **value;
    } texts[] = {
        { "image=", &what->image_title }, { "map=", &what->map_title },   { "labels=", &what->labels_title },
        { "crs=", &what->labels_crs },    { "note=", &what->boxes_note },
    };
    for (int i = 0; i < count; i++) {
        bool known = false;
        for (int64_t k = 0; k < ARRAY_LEN(texts) && !known; k++) {
            known = str_starts_with(words[i], texts[k].key);
            if (known) *texts[k].value = words[i] + strlen(texts[k].key);
        }
        if (known) continue;
        if (str_starts_with(words[i], "width=")) {
            TRY(str_parse_int(words[i] + 6, "width", 1, 100000, &what->width));
            continue;
        }
        if (!str_starts_with(words[i], "box=")) return err_set(ERR_ARGUMENT, "'%s' is none of the keys", words[i]);
        if (what->n_boxes == MOST_BOXES) return err_set(ERR_ARGUMENT, "more than %d boxes", (int)MOST_BOXES);
        TRY(geo_parse_bbox(words[i] + 4, boxes[what->n_boxes]));
        what->n_boxes++;
    }
    return ERR_NONE;
}

int main(int argc, char **argv)
{
    double boxes[MOST_BOXES][4];
    Err err = ERR_NONE;
    if (argc < 5) {
        err = err_set(ERR_ARGUMENT, "usage: side_by_side IMAGE MAP LABELS OUT.png [KEY=VALUE...]");
    } else {
        SideBySide what = { .image = argv[1], .map = argv[2], .labels = argv[3], .boxes = (const double(*)[4])boxes };
        err = read_words(argc - 5, argv + 5, &what, boxes);
        if (err == ERR_NONE) err = side_by_side_write(&what, argv[4], true);
    }
    if (err != ERR_NONE) (void)fprintf(stderr, "side_by_side: error: %s\n", err_message());
    return err_exit_code(err);
}
