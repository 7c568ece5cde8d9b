/* SPDX-License-Identifier: Apache-2.0
 * Names as cells of comma-separated values. */
#include "base/csv.h"

#include "base/escape.h"

#include <string.h>

void csv_add_name(Str *row, const char *name)
{
    str_add_char(row, '"');
    if (name[0] != '\0' && strchr("=+-@", name[0]) != NULL) str_add_char(row, '\'');
    while (*name != '\0') {
        char shown[ESCAPE_BYTES];
        (void)escape_next(&name, shown);
        str_add(row, shown[0] == '"' ? "\"\"" : shown);
    }
    str_add_char(row, '"');
}
