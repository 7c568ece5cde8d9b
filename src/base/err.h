/* SPDX-License-Identifier: Apache-2.0
 *
 * Error codes and the one error message per thread.
 *
 * Mental model: like errno, with a sentence. The function that detects a problem calls err_set() with
 * one complete sentence ("'path': what was found; what was expected; what to do") and returns the code.
 * Functions that only pass it on use TRY() and add nothing. Only src/cli prints it and exits.
 *
 *     Err raster_open(const char *path, Raster **ret_raster)
 *     {
 *         if (path == NULL) return err_set(ERR_ARGUMENT, "no raster was named; give a path");
 *         TRY(check(path));
 *         ...
 *         return ERR_NONE;
 *     }
 */
#ifndef METASEG_BASE_ERR_H
#define METASEG_BASE_ERR_H

#ifdef __cplusplus
extern "C" {
#endif

typedef enum Err {
    ERR_NONE = 0,
    ERR_INTERNAL,    /* our bug or an unforeseen library failure      -> exit code 1 */
    ERR_ARGUMENT,    /* usage: an option or argument is wrong         -> exit code 2 */
    ERR_CONFIG,      /* a configuration file is wrong                 -> exit code 2 */
    ERR_PARTIAL,     /* finished, but some inputs failed              -> exit code 3 */
    ERR_INPUT,       /* input data missing, unreadable or unsuitable  -> exit code 4 */
    ERR_MODEL,       /* a model or weight file is bad or untrusted    -> exit code 5 */
    ERR_MEMORY,      /* an allocation failed                          -> exit code 6 */
    ERR_OUTPUT,      /* an output cannot be written, disk full        -> exit code 6 */
    ERR_GATE,        /* a stated condition was not met                -> exit code 7 */
    ERR_INTERRUPTED, /* stopped by a signal after saving; resumable   -> exit code 8 */
    ERR_SHAPE,       /* tensor shapes do not fit (graph building)     -> exit code 1 */
    ERR_UNSUPPORTED, /* no kernel, no such feature in this build      -> exit code 1 */
    ERR_COUNT
} Err;

/* Bytes kept of a message; longer ones are cut. */
enum { ERR_MESSAGE_BYTES = 1024 };

#if defined(__GNUC__)
#define PRINTF_LIKE(format_index, first_argument) __attribute__((format(printf, format_index, first_argument)))
#else
#define PRINTF_LIKE(format_index, first_argument)
#endif

/* Records the message of the calling thread and returns `code`. */
Err err_set(Err code, const char *format, ...) PRINTF_LIKE(2, 3);

/* ERR_MEMORY with the size that was wanted and what for. */
Err err_memory(unsigned long long bytes, const char *what);

/* Puts "context: " before the recorded message (use at the few boundaries that know the file or the
 * tile) and returns `code` unchanged. No effect when code is ERR_NONE. */
Err err_prefix(Err code, const char *format, ...) PRINTF_LIKE(2, 3);

/* The calling thread's last message, "" if none. Valid until its next err_ call. */
const char *err_message(void);

/* Copies a message from a worker thread to the calling one: err_set(code, "%s", text). */
Err err_adopt(Err code, const char *text);

/* Forgets the message of the calling thread. */
void err_clear(void);

/* Process exit code of an error class (see the enum). */
int err_exit_code(Err code);

/* Propagates an error; only in functions that hold nothing. */
#define TRY(expression)                                                                                                \
    do {                                                                                                               \
        const Err try_err_ = (expression);                                                                             \
        if (try_err_ != ERR_NONE) return try_err_;                                                                     \
    } while (0)

/* Our own bugs only; kept in release builds. */
#define ASSERT(condition) ((condition) ? (void)0 : err_assert_failed(#condition, __FILE__, __LINE__))
_Noreturn void err_assert_failed(const char *condition, const char *file, int line);

/* clang's analyzer sees one file at a time and would not know that these return their code. */
#ifdef __clang_analyzer__
#define err_set(code, ...) ((void)(err_set)((code), __VA_ARGS__), (code))
#define err_prefix(code, ...) ((void)(err_prefix)((code), __VA_ARGS__), (code))
#define err_memory(bytes, what) ((void)(err_memory)((bytes), (what)), ERR_MEMORY)
#endif

#define ARRAY_LEN(array) ((int64_t)(sizeof(array) / sizeof((array)[0])))

#ifdef __cplusplus
}
#endif
#endif
