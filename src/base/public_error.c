/* SPDX-License-Identifier: Apache-2.0
 * include/metaseg/error.h. */
#include "metaseg/error.h"

#include "base/err.h"

const char *metaseg_error_message(void) { return err_message(); }

int metaseg_exit_code(MetasegStatus status) { return err_exit_code(status); }

const char *metaseg_version(void) { return METASEG_VERSION; }
