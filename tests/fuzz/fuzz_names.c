/* SPDX-License-Identifier: Apache-2.0
 * Names of products and platforms, the nearest word, and what is shown of a name. */
#include "base/escape.h"
#include "base/str.h"
#include "fuzz/fuzz.h"
#include "geo/product_name.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const words[] = { "predict", "train", "eval", "confidence" };
    char *text = fuzz_text(data, size), line[64], again[64];
    (void)product_name_read(text);
    (void)sensor_class_of_platform(text);
    (void)str_nearest(text, words, ARRAY_LEN(words));
    escape_line(text, line, sizeof line);
    escape_line(line, again, sizeof again);
    FUZZ_HOLDS(strlen(line) < sizeof line && strcmp(line, again) == 0 && str_is_utf8(line, strlen(line)));
    for (const char *c = line; *c != '\0'; c++) FUZZ_HOLDS((unsigned char)*c >= 0x20 && *c != 0x7f);
    free(text);
    return 0;
}
