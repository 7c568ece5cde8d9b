/* SPDX-License-Identifier: Apache-2.0
 * Time and peak memory. */
#include "base/clock.h"

#include <math.h>
#include <stdio.h>
#include <sys/resource.h>
#include <time.h>

static double seconds_of(clockid_t clock)
{
    struct timespec now = { 0 };
    (void)clock_gettime(clock, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

double clock_seconds(void) { return seconds_of(CLOCK_MONOTONIC); }

int64_t clock_unix(void) { return (int64_t)time(NULL); }

void clock_iso(int64_t unix_seconds, char ret_text[21])
{
    const time_t when = (time_t)unix_seconds;
    struct tm parts = { 0 };
    if (gmtime_r(&when, &parts) == NULL || parts.tm_year + 1900 < 0 || parts.tm_year + 1900 > 9999 ||
        strftime(ret_text, 21, "%Y-%m-%dT%H:%M:%SZ", &parts) == 0)
        (void)snprintf(ret_text, 21, "0000-00-00T00:00:00Z");
}

void clock_duration(double seconds, char ret_text[32])
{
    if (!isfinite(seconds) || seconds < 0.0 || seconds > 1e9) {
        (void)snprintf(ret_text, 32, "?");
        return;
    }
    const long long whole = llround(seconds);
    if (whole < 60)
        (void)snprintf(ret_text, 32, "%lld s", whole);
    else if (whole < 3600)
        (void)snprintf(ret_text, 32, "%lld min %02lld s", whole / 60, whole % 60);
    else
        (void)snprintf(ret_text, 32, "%lld h %02lld min", whole / 3600, whole / 60 % 60);
}

int64_t clock_peak_memory(void)
{
    struct rusage usage = { 0 };
    if (getrusage(RUSAGE_SELF, &usage) != 0) return 0;
    return (int64_t)usage.ru_maxrss * 1024; /* Linux counts KiB */
}
