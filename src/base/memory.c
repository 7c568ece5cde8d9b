/* SPDX-License-Identifier: Apache-2.0
 * The machine's memory and the limits of control groups, of version 2 and 1. */
#include "base/memory.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PATH_BYTES = 1024, SHARE = 4 };

static const int64_t most_by_default = INT64_C(2) << 30;

static int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }

/* A file with a number, or with a word ("max") for none. */
static int64_t read_limit(const char *path)
{
    char line[64] = "";
    FILE *stream = fopen(path, "re");
    if (stream == NULL) return INT64_MAX;
    const bool read = fgets(line, sizeof line, stream) != NULL;
    (void)fclose(stream);
    const long long limit = read ? strtoll(line, NULL, 10) : 0;
    return limit > 0 ? limit : INT64_MAX;
}

int64_t memory_group_limit(const char *root, const char *group, const char *file)
{
    char path[PATH_BYTES], own[PATH_BYTES];
    int64_t limit = INT64_MAX;
    (void)snprintf(own, sizeof own, "%s", group);
    for (size_t n = strlen(own) + 1; n > 0;) {
        while (n > 0 && own[n - 1] != '/' && own[n - 1] != '\0') n--; /* the parent's name */
        if (n == 0) break;
        own[n - 1] = '\0';
        n--;
        if (snprintf(path, sizeof path, "%s%s/%s", root, own, file) < (int)sizeof path)
            limit = least(limit, read_limit(path));
    }
    return limit;
}

/* A line of /proc/self/cgroup: "0::/path" (version 2) or "9:memory:/path". */
static int64_t limit_of_line(char *line)
{
    line[strcspn(line, "\n")] = '\0';
    char *controllers = strchr(line, ':');
    char *group = controllers != NULL ? strchr(controllers + 1, ':') : NULL;
    if (group == NULL) return INT64_MAX;
    *group++ = '\0';
    if (strcmp(controllers, ":") == 0) return memory_group_limit("/sys/fs/cgroup", group, "memory.max");
    if (strstr(controllers, "memory") == NULL) return INT64_MAX;
    return memory_group_limit("/sys/fs/cgroup/memory", group, "memory.limit_in_bytes");
}

int64_t memory_usable(void)
{
    char line[PATH_BYTES];
    const long pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGESIZE);
    int64_t bytes = pages > 0 && page > 0 ? (int64_t)pages * (int64_t)page : most_by_default;
    FILE *groups = fopen("/proc/self/cgroup", "re");
    while (groups != NULL && fgets(line, sizeof line, groups) != NULL) bytes = least(bytes, limit_of_line(line));
    if (groups != NULL) (void)fclose(groups);
    return bytes > 0 ? bytes : 1;
}

int64_t memory_default(void) { return least(memory_usable() / SHARE, most_by_default); }
