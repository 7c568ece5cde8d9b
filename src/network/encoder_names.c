/* SPDX-License-Identifier: Apache-2.0
 * What the families share to give published names ours. */
#include "network/encoder.h"

#include "base/str.h"

#include <stdio.h>
#include <string.h>

bool network_rename_start(const char *published, const char *from, const char *to, char ret_name[NETWORK_NAME_BYTES])
{
    if (!str_starts_with(published, from)) return false;
    const int length = snprintf(ret_name, NETWORK_NAME_BYTES, "%s%s", to, published + strlen(from));
    return length >= 0 && length < NETWORK_NAME_BYTES;
}

bool network_name_starts(const char *name, const char *const *starts)
{
    for (; *starts != NULL; starts++)
        if (str_starts_with(name, *starts)) return true;
    return false;
}

bool network_name_ends(const char *name, const char *const *ends)
{
    for (; *ends != NULL; ends++)
        if (str_ends_with(name, *ends)) return true;
    return false;
}
