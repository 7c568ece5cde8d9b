/* SPDX-License-Identifier: Apache-2.0
 * Messages and the wish to stop. */
#include "base/report.h"

#include <stdarg.h>
#include <stdio.h>

void report_message(const MetasegRun *run, int level, const char *format, ...)
{
    if (run == NULL || run->message == NULL) return;
    char text[1024];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    run->message(run->context, level, text);
}

bool report_stop(const MetasegRun *run) { return run != NULL && run->stop != NULL && *run->stop != 0; }
