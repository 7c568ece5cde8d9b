/* SPDX-License-Identifier: Apache-2.0
 * include/metaseg/error.h: our errors under their public names, which have the same values. */
#include "metaseg/error.h"

#include "base/err.h"

#define SAME(public_name, own_name) _Static_assert((int)(public_name) == (int)(own_name), #public_name)
SAME(METASEG_OK, ERR_NONE);
SAME(METASEG_ERROR_INTERNAL, ERR_INTERNAL);
SAME(METASEG_ERROR_ARGUMENT, ERR_ARGUMENT);
SAME(METASEG_ERROR_CONFIG, ERR_CONFIG);
SAME(METASEG_ERROR_PARTIAL, ERR_PARTIAL);
SAME(METASEG_ERROR_INPUT, ERR_INPUT);
SAME(METASEG_ERROR_MODEL, ERR_MODEL);
SAME(METASEG_ERROR_MEMORY, ERR_MEMORY);
SAME(METASEG_ERROR_OUTPUT, ERR_OUTPUT);
SAME(METASEG_ERROR_GATE, ERR_GATE);
SAME(METASEG_ERROR_INTERRUPTED, ERR_INTERRUPTED);
SAME(METASEG_ERROR_SHAPE, ERR_SHAPE);
SAME(METASEG_ERROR_UNSUPPORTED, ERR_UNSUPPORTED);

const char *metaseg_error_message(void) { return err_message(); }

int metaseg_exit_code(MetasegStatus status) { return err_exit_code((Err)status); }

const char *metaseg_version(void) { return METASEG_VERSION; }
