/* SPDX-License-Identifier: Apache-2.0
 *
 * Time: for durations, and for people. */
#ifndef METASEG_BASE_CLOCK_H
#define METASEG_BASE_CLOCK_H

#include <stdint.h>

/* Seconds of a monotonic clock; only differences mean something. */
double clock_seconds(void);

/* Seconds since 1970-01-01 UTC. */
int64_t clock_unix(void);

/* "2026-03-01T14:05:09Z" of a Unix time (any year 0 to 9999, else year 0000). */
void clock_iso(int64_t unix_seconds, char ret_text[21]);

/* "12 s", "3 min 05 s", "2 h 07 min", for progress lines; negative or not finite: "?". */
void clock_duration(double seconds, char ret_text[32]);

/* Largest resident set of this process so far, in bytes; 0 where the system does not tell. */
int64_t clock_peak_memory(void);

#endif
