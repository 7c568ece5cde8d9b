/* SPDX-License-Identifier: Apache-2.0
 * The thread-local error message. */
#include "base/err.h"

#include "base/escape.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* the header's macros for clang's analyzer */
#undef err_set
#undef err_memory
#undef err_prefix

enum { FORMATTED_BYTES = 8192 }; /* room for a path of PATH_MAX bytes and the sentence around it */

static _Thread_local char message[ERR_MESSAGE_BYTES];

Err err_set(Err err, const char *format, ...)
{
    char text[FORMATTED_BYTES]; /* the arguments may point into the old message */
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    escape_line(text, message, sizeof message);
    return err;
}

Err err_memory(unsigned long long bytes, const char *what)
{
    if (bytes == 0) return err_set(ERR_MEMORY, "not enough memory for %s", what);
    return err_set(ERR_MEMORY, "not enough memory: %llu bytes wanted for %s", bytes, what);
}

Err err_prefix(Err err, const char *format, ...)
{
    if (err == ERR_NONE) return err;
    char text[FORMATTED_BYTES + 2 + ERR_MESSAGE_BYTES];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(text, FORMATTED_BYTES, format, arguments);
    va_end(arguments);
    const size_t length = strlen(text);
    (void)snprintf(text + length, sizeof text - length, ": %s", message);
    escape_line(text, message, sizeof message);
    return err;
}

const char *err_message(void) { return message; }

Err err_adopt(Err err, const char *text) { return err_set(err, "%s", text); }

int err_exit_code(Err err)
{
    static const int exit_codes[ERR_COUNT] = {
        [ERR_NONE] = 0,    [ERR_INTERNAL] = 1,    [ERR_ARGUMENT] = 2, [ERR_CONFIG] = 2,
        [ERR_PARTIAL] = 3, [ERR_INPUT] = 4,       [ERR_MODEL] = 5,    [ERR_MEMORY] = 6,
        [ERR_OUTPUT] = 6,  [ERR_INTERRUPTED] = 8, [ERR_SHAPE] = 1,    [ERR_UNSUPPORTED] = 1,
    };
    return err < ERR_COUNT ? exit_codes[err] : 1;
}

_Noreturn void err_assert_failed(const char *condition, const char *file, int line)
{
    (void)fprintf(stderr, "internal error: %s is false (%s:%d); please report this\n", condition, file, line);
    abort();
}
