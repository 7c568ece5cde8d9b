/* SPDX-License-Identifier: Apache-2.0
 *
 * What 'metaseg info' says of one file, for other commands. */
#ifndef METASEG_CLI_INFO_H
#define METASEG_CLI_INFO_H

#include "cli/cli.h"

/* Writes the sheet of a raster, a model or a checkpoint on stdout; json: one line of JSON. ERR_INPUT, ERR_MODEL, ERR_MEMORY. */
Err cli_info(const Cli *cli, const char *path, bool json);

#endif
