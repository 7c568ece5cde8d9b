/* SPDX-License-Identifier: Apache-2.0
 * One op on values that are at hand, outside of any network. */
#ifndef METASEG_GRAPH_RUN_OP_H
#define METASEG_GRAPH_RUN_OP_H

#include "graph/graph.h"

/* The first result of an op; free() its data. Errors of the op, ERR_MEMORY. */
Err run_op(const OpDef *op, const void *attr, int32_t n_in, const Tensor *in, Tensor *ret_out);

#endif
