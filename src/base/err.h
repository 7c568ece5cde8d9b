/* SPDX-License-Identifier: Apache-2.0
 *
 * Error codes and the one error message per thread.
 *
 * Mental model: like errno, with a sentence. The function that detects a problem calls err_set() with
 * one complete sentence ("'path': what was found; what was expected; what to do") and returns the code.
 * Functions that only pass it on use TRY() and add nothing. Only src/cli prints it and exits.
 *
 *     Err raster_open(const char *path, const volatile int *stop, Raster **ret_raster)
 *     {
 *         if (path == NULL) return err_set(ERR_ARGUMENT, "no raster was named; give a path");
 *         TRY(check(path));
 *         ...
 *         return ERR_NONE;
 *     }
 */
#ifndef METASEG_BASE_ERR_H
#define METASEG_BASE_ERR_H

#include "metaseg/error.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The public statuses under short names. */
typedef MetasegStatus Err;
#define ERR_NONE METASEG_OK
#define ERR_INTERNAL METASEG_ERROR_INTERNAL       /* our bug or an unforeseen library failure      -> exit code 1 */
#define ERR_ARGUMENT METASEG_ERROR_ARGUMENT       /* usage: an option or argument is wrong         -> exit code 2 */
#define ERR_CONFIG METASEG_ERROR_CONFIG           /* a configuration file is wrong                 -> exit code 2 */
#define ERR_PARTIAL METASEG_ERROR_PARTIAL         /* finished, but some inputs failed              -> exit code 3 */
#define ERR_INPUT METASEG_ERROR_INPUT             /* input data missing, unreadable or unsuitable  -> exit code 4 */
#define ERR_MODEL METASEG_ERROR_MODEL             /* a model or weight file is bad or untrusted    -> exit code 5 */
#define ERR_MEMORY METASEG_ERROR_MEMORY           /* an allocation failed                          -> exit code 6 */
#define ERR_OUTPUT METASEG_ERROR_OUTPUT           /* an output cannot be written, disk full        -> exit code 6 */
#define ERR_INTERRUPTED METASEG_ERROR_INTERRUPTED /* stopped by a signal after saving; resumable   -> exit code 8 */
#define ERR_SHAPE METASEG_ERROR_SHAPE             /* tensor shapes do not fit (graph building)     -> exit code 1 */
#define ERR_UNSUPPORTED METASEG_ERROR_UNSUPPORTED /* no kernel, no such feature in this build      -> exit code 1 */
#define ERR_COUNT (METASEG_ERROR_UNSUPPORTED + 1)

/* Bytes kept of a message; of longer ones the middle is left out. */
enum { ERR_MESSAGE_BYTES = 1024 };

#if defined(__GNUC__)
#define PRINTF_LIKE(format_index, first_argument) __attribute__((format(printf, format_index, first_argument)))
#else
#define PRINTF_LIKE(format_index, first_argument)
#endif

/* Records the message of the calling thread, escaped (base/escape.h), and returns `err`. */
Err err_set(Err err, const char *format, ...) PRINTF_LIKE(2, 3);

/* ERR_MEMORY with the size that was wanted (0: only the library that wanted it knows) and what for. */
Err err_memory(unsigned long long bytes, const char *what);

/* Puts "context: " before the recorded message (use at the few boundaries that know the file or the
 * tile) and returns `err` unchanged. No effect when err is ERR_NONE. */
Err err_prefix(Err err, const char *format, ...) PRINTF_LIKE(2, 3);

/* The calling thread's last message, "" if none. Valid until its next err_ call. */
const char *err_message(void);

/* Copies a message from a worker thread to the calling one: err_set(err, "%s", text). */
Err err_adopt(Err err, const char *text);

/* Process exit code of an error class (see the enum). */
int err_exit_code(Err err);

/* Propagates an error; only in functions that hold nothing. */
#define TRY(expression)                                                                                                \
    do {                                                                                                               \
        const Err try_err_ = (expression);                                                                             \
        if (try_err_ != ERR_NONE) return try_err_;                                                                     \
    } while (0)

/* Our own bugs only; kept in release builds. */
#define ASSERT(condition) ((condition) ? (void)0 : err_assert_failed(#condition, __FILE__, __LINE__))
_Noreturn void err_assert_failed(const char *condition, const char *file, int line);

/* clang's analyzer sees one file at a time and would not know that these return their code. Arguments are evaluated
 * once, as by the functions. */
#ifdef __clang_analyzer__
#define err_returned_(function, err, ...)                                                                              \
    __extension__({                                                                                                    \
        const Err returned_ = (err);                                                                                   \
        (void)(function)(returned_, __VA_ARGS__);                                                                      \
        returned_;                                                                                                     \
    })
#define err_set(err, ...) err_returned_(err_set, err, __VA_ARGS__)
#define err_prefix(err, ...) err_returned_(err_prefix, err, __VA_ARGS__)
#define err_memory(bytes, what) ((void)(err_memory)((bytes), (what)), ERR_MEMORY)
#endif

#define ARRAY_LEN(array) ((int64_t)(sizeof(array) / sizeof((array)[0])))

#ifdef __cplusplus
}
#endif
#endif
