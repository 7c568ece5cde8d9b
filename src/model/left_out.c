/* SPDX-License-Identifier: Apache-2.0
 * Groups of tensors by the beginnings of their names. */
#include "model/left_out.h"

#include "base/str.h"

#include <stdio.h>
#include <string.h>

enum { GROUPS = 4, SHOWN = 40 };

typedef struct Group {
    const char *name;
    size_t length;
    int64_t count;
} Group;

/* What no training changes. */
static bool is_learned(const StoredTensor *tensor)
{
    static const char *const made[] = { ".num_batches_tracked",
                                        ".attn_mask",
                                        ".relative_position_index",
                                        ".relative_coords_table",
                                        ".bias_mask",
                                        ".position_ids",
                                        ".periods",
                                        "mask_token" };
    const bool is_float = tensor->dtype == DTYPE_F32 || tensor->dtype == DTYPE_F16 || tensor->dtype == DTYPE_BF16 ||
                          tensor->dtype == DTYPE_F64;
    for (int64_t i = 0; i < ARRAY_LEN(made); i++)
        if (str_ends_with(tensor->name, made[i])) return false;
    return is_float;
}

/* Whether name is or lies in a module. */
static bool lies_in(const char *name, const char *module, size_t length)
{
    return strncmp(name, module, length) == 0 && (name[length] == '.' || name[length] == '\0');
}

static bool is_in_use(const TensorFile *file, const bool *used, const char *module, size_t length)
{
    for (int64_t i = 0; i < tensor_file_count(file); i++)
        if (used[i] && lies_in(tensor_file_at(file, i)->name, module, length)) return true;
    return false;
}

/* The module of a tensor: as much of its name as no tensor in use has. */
static Group make_group(const TensorFile *file, const bool *used, const char *name)
{
    size_t length = strcspn(name, ".");
    while (name[length] == '.' && is_in_use(file, used, name, length)) length += 1 + strcspn(name + length + 1, ".");
    return (Group){ .name = name, .length = length, .count = 1 };
}

/* Counts the tensor in its group, a new one where there is room: false, there is none. */
static bool count_tensor(const TensorFile *file, const bool *used, const char *name, Group groups[GROUPS],
                         int *n_groups)
{
    for (int g = 0; g < *n_groups; g++) {
        if (!lies_in(name, groups[g].name, groups[g].length)) continue;
        groups[g].count++;
        return true;
    }
    if (*n_groups == GROUPS) return false;
    groups[(*n_groups)++] = make_group(file, used, name);
    return true;
}

void left_out_text(const TensorFile *file, const bool *used, char ret_text[LEFT_OUT_TEXT])
{
    Group groups[GROUPS];
    int n = 0;
    size_t at = 0;
    bool more = false;
    ret_text[0] = '\0';
    for (int64_t i = 0; i < tensor_file_count(file); i++) {
        const StoredTensor *tensor = tensor_file_at(file, i);
        if (!used[i] && is_learned(tensor)) more |= !count_tensor(file, used, tensor->name, groups, &n);
    }
    for (int g = 0; g < n; g++) {
        const int length = groups[g].length < SHOWN ? (int)groups[g].length : SHOWN;
        const int add = snprintf(ret_text + at, LEFT_OUT_TEXT - at, "%s%.*s (%lld tensor%s)", g > 0 ? ", " : "", length,
                                 groups[g].name, (long long)groups[g].count, groups[g].count > 1 ? "s" : "");
        at += add > 0 && (size_t)add < LEFT_OUT_TEXT - at ? (size_t)add : 0;
    }
    if (more) (void)snprintf(ret_text + at, LEFT_OUT_TEXT - at, " and others");
}
