/* SPDX-License-Identifier: Apache-2.0
 *
 * How a long call speaks to its caller: what a MetasegRun holds, used with less writing. run may be NULL.
 */
#ifndef METASEG_BASE_REPORT_H
#define METASEG_BASE_REPORT_H

#include "base/err.h"
#include "metaseg/run.h"

/* One line for a person. level: 0 information, 1 warning. Longer than 1,023 bytes: cut. */
void report_message(const MetasegRun *run, int level, const char *format, ...) PRINTF_LIKE(3, 4);

/* The caller asked to stop. */
bool report_stop(const MetasegRun *run);

#endif
