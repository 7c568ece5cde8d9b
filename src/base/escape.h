/* SPDX-License-Identifier: Apache-2.0
 *
 * Names from files, models and options as they may be shown to a person: a name must not move the cursor, change colours,
 * begin a line that looks like ours, or turn the direction of writing.
 *
 *     a<ESC>[31m<LF>b   ->   a\x1b[31m\x0ab
 *
 * Escaped are control characters (C0 with tab and line feed, DELETE, C1), line and paragraph separators, characters that
 * set the direction of writing (Bidi_Control of Unicode), the byte order mark, interlinear annotations and tags, as \xHH
 * below U+0080, else as \uHHHH or \U00HHHHHH; and each byte that is not UTF-8, as \xHH. All else, the backslash too, stays as
 * it is, so that escaping twice is escaping once.
 */
#ifndef METASEG_BASE_ESCAPE_H
#define METASEG_BASE_ESCAPE_H

#include <stddef.h>
#include <stdint.h>

/* One character at *text, which must not be at its end: *text moves behind it, ret_shown receives the bytes to show
 * (with a NUL). Returns the character's code point if it was escaped, -1 if not; a byte that is not UTF-8 gives 0. */
enum { ESCAPE_BYTES = 12 };
int32_t escape_next(const char **text, char ret_shown[ESCAPE_BYTES]);

/* One line: `text` escaped, with the NUL in at most `capacity` (64 or more) bytes. Of a longer text the middle is
 * replaced by " ... ". The two may not overlap. */
void escape_line(const char *text, char *ret_line, size_t capacity);

#endif
