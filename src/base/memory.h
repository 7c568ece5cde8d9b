/* SPDX-License-Identifier: Apache-2.0
 *
 * How much memory there is to use. */
#ifndef METASEG_BASE_MEMORY_H
#define METASEG_BASE_MEMORY_H

#include <stdint.h>

/* Bytes that this process may use: the machine's memory, or the least limit of the control groups it is in (containers and
 * batch systems set them), whichever is less. At least 1. */
int64_t memory_usable(void);

/* What a prediction may take where nobody says: a quarter of memory_usable(), at most 2 GiB. */
int64_t memory_default(void);

/* The least limit of a control group and its parents: `group` is the path as /proc/self/cgroup has it ("/a/b"), `root` where the
 * hierarchy is mounted, `file` the name of its limit. INT64_MAX: none. */
int64_t memory_group_limit(const char *root, const char *group, const char *file);

#endif
