/* SPDX-License-Identifier: Apache-2.0
 * The areas of a map's classes as CSV or JSON. */
#include "predict/area_table.h"

#include "base/csv.h"
#include "base/json.h"
#include "base/str.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static Err table_csv(const ClassAreas *a, const RasterClass *classes, int64_t n_classes, char **ret_text)
{
    Str text = { 0 };
    str_add(&text, "class,name,pixels,area_m2,share\n");
    for (int64_t i = 0; i < n_classes; i++) {
        const int32_t code = classes[i].value;
        str_addf(&text, "%d,", (int)code);
        csv_add_name(&text, classes[i].name);
        str_addf(&text, ",%lld,", (long long)a->pixels[code]);
        if (a->known) str_addf(&text, "%.3f", a->area[code]);
        str_addf(&text, ",%.9g\n", class_areas_share(a, code));
    }
    return str_take(&text, ret_text);
}

static Err table_json(const ClassAreas *a, const RasterClass *classes, int64_t n_classes, const char *map,
                      char **ret_text)
{
    JsonWriter w = { .pretty = true };
    json_begin_object(&w, NULL);
    json_put_string(&w, "map", map);
    json_put_int(&w, "valid_pixels", a->valid);
    json_put_double(&w, "valid_area_m2", a->known ? a->valid_area : (double)NAN);
    json_put_int(&w, "pixels_without_area", a->known ? a->beyond : a->valid);
    json_begin_array(&w, "classes");
    for (int64_t i = 0; i < n_classes; i++) {
        const int32_t code = classes[i].value;
        json_begin_object(&w, NULL);
        json_put_int(&w, "code", code);
        json_put_string(&w, "name", classes[i].name);
        json_put_int(&w, "pixels", a->pixels[code]);
        json_put_double(&w, "area_m2", a->known ? a->area[code] : (double)NAN);
        json_put_double(&w, "share", class_areas_share(a, code));
        json_end(&w);
    }
    json_end(&w);
    json_end(&w);
    return json_take(&w, ret_text);
}

Err area_table_write(const ClassAreas *areas, const RasterClass *classes, int64_t n_classes, const char *map,
                     const char *path, bool overwrite, Output **ret_output)
{
    char *text = NULL;
    TRY(str_ends_with(path, ".json") ? table_json(areas, classes, n_classes, map, &text)
                                     : table_csv(areas, classes, n_classes, &text));
    const Err err = output_prepare(path, text, strlen(text), overwrite, ret_output);
    free(text);
    return err;
}
