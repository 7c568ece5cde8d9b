/* SPDX-License-Identifier: Apache-2.0
 *
 * Tokenizers by the files that people have of them, as they lie beside the weights of a text encoder. */
#ifndef METASEG_TEXT_TOKENIZER_FILE_H
#define METASEG_TEXT_TOKENIZER_FILE_H

#include "text/tokenizer.h"

typedef enum TokenizerKind { TOKENIZER_WORDPIECE = 0, TOKENIZER_BPE, TOKENIZER_KIND_COUNT } TokenizerKind;

/* The file of a kind (TOKENIZER_KIND_COUNT: of any) in a folder: vocab.txt; merges.txt, bpe_simple_vocab_16e6.txt.gz or
 * bpe_simple_vocab_16e6.txt. The first of these that is there, else the first. free() it. ERR_MEMORY. */
Err tokenizer_find(const char *folder, TokenizerKind kind, char **ret_path);

/* The names of those files, for messages: "merges.txt or bpe_simple_vocab_16e6.txt.gz". */
const char *tokenizer_file_names(TokenizerKind kind);

/* Opens such a file; its kind is told by its content. ERR_INPUT, ERR_MODEL, ERR_MEMORY as bpe_new and wordpiece_new. */
Err tokenizer_open(const char *path, Tokenizer **ret_tokenizer);

#endif
