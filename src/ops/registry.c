/* SPDX-License-Identifier: Apache-2.0
 * The table of all ops, in the order of ops.def. */
#include "ops/ops.h"

#define OP(name) &op_def_##name,
const OpDef *const op_registry[] = {
#include "ops/ops.def"
};
#undef OP

const int32_t op_registry_count = (int32_t)ARRAY_LEN(op_registry);
