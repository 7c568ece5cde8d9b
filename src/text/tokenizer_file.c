/* SPDX-License-Identifier: Apache-2.0
 * Files of tokenizers. */
#include "text/tokenizer_file.h"

#include "base/file.h"
#include "text/bpe.h"
#include "text/wordpiece.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FILES_MAX = 3 };

static const char *const files[TOKENIZER_KIND_COUNT][FILES_MAX] = {
    { "vocab.txt" },
    { "merges.txt", "bpe_simple_vocab_16e6.txt.gz", "bpe_simple_vocab_16e6.txt" },
};

Err tokenizer_find(const char *folder, TokenizerKind kind, char **ret_path)
{
    const int first = kind == TOKENIZER_KIND_COUNT ? 0 : (int)kind,
              end = kind == TOKENIZER_KIND_COUNT ? (int)TOKENIZER_KIND_COUNT : first + 1;
    char *path = NULL;
    for (int k = first; k < end; k++)
        for (int i = 0; i < FILES_MAX && files[k][i] != NULL; i++) {
            TRY(path_join(folder, files[k][i], &path));
            if (file_exists(path)) {
                *ret_path = path;
                return ERR_NONE;
            }
            free(path);
        }
    return path_join(folder, files[first][0], ret_path);
}

const char *tokenizer_file_names(TokenizerKind kind)
{
    return kind == TOKENIZER_WORDPIECE ? "vocab.txt" : "merges.txt or bpe_simple_vocab_16e6.txt.gz";
}

/* gzip's first bytes, or "#version" in the first line: merges. No token of a vocabulary is as long as that line. */
static Err is_merges(const char *path, bool *ret_is)
{
    char head[64] = { 0 };
    int fd = -1;
    TRY(file_open(path, &fd));
    const ssize_t n = read(fd, head, sizeof head - 1);
    (void)close(fd);
    head[strcspn(head, "\n")] = '\0';
    *ret_is = n > 2 && (memcmp(head, "\x1f\x8b", 2) == 0 || strstr(head, "#version") != NULL);
    return ERR_NONE;
}

Err tokenizer_open(const char *path, Tokenizer **ret_tokenizer)
{
    bool merges = false;
    TRY(is_merges(path, &merges));
    return merges ? bpe_new(path, ret_tokenizer) : wordpiece_new(path, ret_tokenizer);
}
