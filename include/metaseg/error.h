/* SPDX-License-Identifier: Apache-2.0
 *
 * Status codes of libmetaseg and the message behind them. Every function that can fail returns a MetasegStatus; output
 * parameters are untouched on failure. The message belongs to the calling thread.
 */
#ifndef METASEG_ERROR_H
#define METASEG_ERROR_H

#ifdef __cplusplus
extern "C" {
#endif

typedef enum MetasegStatus {
    METASEG_OK = 0,
    METASEG_ERROR_INTERNAL,    /* a bug or an unforeseen library failure */
    METASEG_ERROR_ARGUMENT,    /* an argument or option is wrong */
    METASEG_ERROR_CONFIG,      /* a configuration file is wrong */
    METASEG_ERROR_PARTIAL,     /* finished, but some inputs failed */
    METASEG_ERROR_INPUT,       /* input data missing, unreadable or unsuitable */
    METASEG_ERROR_MODEL,       /* a model file is bad or untrusted */
    METASEG_ERROR_MEMORY,      /* too little memory */
    METASEG_ERROR_OUTPUT,      /* an output cannot be written */
    METASEG_ERROR_INTERRUPTED, /* stopped on request; what was saved can be continued */
    METASEG_ERROR_SHAPE,
    METASEG_ERROR_UNSUPPORTED
} MetasegStatus;

/* One sentence about the calling thread's last failure: what, where, what to do. "" when there was none. Valid until
 * the thread's next call into the library. */
const char *metaseg_error_message(void);

/* Exit code that a command-line program should return for a status (documented in the manual page). */
int metaseg_exit_code(MetasegStatus status);

/* "0.1.0". */
const char *metaseg_version(void);

#ifdef __cplusplus
}
#endif
#endif
