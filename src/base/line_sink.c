/* SPDX-License-Identifier: Apache-2.0
 * Lines of tables. */
#include "base/line_sink.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void line_put(LineSink sink, const char *format, ...)
{
    char text[1024];
    va_list arguments;
    if (sink.line == NULL) return;
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    sink.line(sink.context, text);
}

Err line_put_text(LineSink sink, Str *text)
{
    char *whole = NULL;
    TRY(str_take(text, &whole));
    if (sink.line != NULL) sink.line(sink.context, whole);
    free(whole);
    return ERR_NONE;
}
