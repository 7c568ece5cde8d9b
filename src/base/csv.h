/* SPDX-License-Identifier: Apache-2.0
 * Names as cells of comma-separated values. */
#ifndef METASEG_BASE_CSV_H
#define METASEG_BASE_CSV_H

#include "base/str.h"

/* Adds a name as one quoted cell of one line (RFC 4180): quotes are doubled, what base/escape.h escapes is escaped, and a name that a
 * spreadsheet would run as a formula (it begins with = + - @) gets an apostrophe before it. */
void csv_add_name(Str *row, const char *name);

#endif
