/* SPDX-License-Identifier: Apache-2.0
 *
 * The published vocabulary: a tokenizer for tests of the layer text and those above it. */
#ifndef METASEG_TESTS_VOCABULARY_H
#define METASEG_TESTS_VOCABULARY_H

#include "text/wordpiece.h"

#include "harness/data_file.h"

/* A tokenizer with the vocabulary that set-up downloads; skips the test where it is not installed. tokenizer_free(). */
static inline Tokenizer *vocabulary_published(void)
{
    char path[512];
    Tokenizer *tokenizer = NULL;
    data_file_require("minilm/vocab.txt", path);
    ASSERT_OK(wordpiece_new(path, &tokenizer));
    return tokenizer;
}

#endif
