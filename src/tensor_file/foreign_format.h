/* SPDX-License-Identifier: Apache-2.0
 * Files that people give by mistake. */
#ifndef METASEG_TENSOR_FILE_FOREIGN_FORMAT_H
#define METASEG_TENSOR_FILE_FOREIGN_FORMAT_H

#include <stddef.h>

/* What a file is by its first bytes, and what to do ("a web page, ...; download it again"); NULL: none that is known. */
const char *foreign_format(const unsigned char *start, size_t n);

/* What a zip file is by the name of a member, NULL: not known by this one. */
const char *foreign_zip(const char *member);

#endif
