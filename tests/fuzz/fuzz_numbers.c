/* SPDX-License-Identifier: Apache-2.0
 * Numbers, dates, positions and boxes as people type them. */
#include "base/str.h"
#include "fuzz/fuzz.h"
#include "geo/georeference.h"
#include "geo/product_name.h"

#include <math.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = fuzz_text(data, size);
    int64_t whole = 0;
    double value = 0.0, list[4], lon = 0.0, lat = 0.0;
    Date date;
    Err err = str_parse_int(text, "whole", -1000, INT64_MAX, &whole);
    fuzz_result(err, FUZZ_ARGUMENT);
    FUZZ_HOLDS(whole >= -1000);
    err = str_parse_double(text, "value", -1e300, 1e300, &value);
    fuzz_result(err, FUZZ_ARGUMENT);
    FUZZ_HOLDS(isfinite(value));
    if (err == ERR_NONE) {
        char shown[32];
        double again = NAN;
        str_from_double(value, shown);
        FUZZ_HOLDS(str_parse_double(shown, "again", -1e300, 1e300, &again) == ERR_NONE && again == value);
    }
    err = str_parse_doubles(text, "list", 4, list);
    fuzz_result(err, FUZZ_ARGUMENT);
    err = geo_parse_lonlat(text, &lon, &lat);
    fuzz_result(err, FUZZ_ARGUMENT);
    FUZZ_HOLDS(fabs(lat) <= 90.0 && isfinite(lon));
    err = geo_parse_bbox(text, list);
    fuzz_result(err, FUZZ_ARGUMENT);
    if (err == ERR_NONE) FUZZ_HOLDS(list[0] < list[2] && list[1] < list[3]);
    if (date_read(text, &date)) FUZZ_HOLDS(date.month >= 0 && date.month <= 12 && date.day >= 0 && date.day <= 31);
    free(text);
    return 0;
}
