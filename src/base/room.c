/* SPDX-License-Identifier: Apache-2.0
 * Trying for address space. */
#define _DEFAULT_SOURCE /* MAP_ANONYMOUS; NOLINT(bugprone-reserved-identifier) */
#include "base/room.h"

#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>

Err room_check(const char *what)
{
    static const size_t bytes = (size_t)64 << 20;
    void *room = mmap(NULL, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (room == MAP_FAILED) return err_memory(bytes, what);
    (void)munmap(room, bytes);
    return ERR_NONE;
}
