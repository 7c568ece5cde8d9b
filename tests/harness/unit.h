/* SPDX-License-Identifier: Apache-2.0
 *
 * What a cmocka test program includes, and a scratch folder. The headers before cmocka.h are its own prerequisites. */
#ifndef METASEG_TESTS_UNIT_H
#define METASEG_TESTS_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

/* Makes a fresh folder below the working folder of the test; the caller removes it. Fails the test if it cannot. */
static inline void unit_folder(char ret_path[64])
{
    (void)snprintf(ret_path, 64, "scratch.XXXXXX");
    if (mkdtemp(ret_path) == NULL) fail_msg("no scratch folder can be made here");
}

#endif
