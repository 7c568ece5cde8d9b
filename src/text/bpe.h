/* SPDX-License-Identifier: Apache-2.0
 *
 * CLIP's byte-level BPE tokenizer: text to token ids, the same ids as the reference (CLIPTokenizer of the `transformers`
 * package on the `tokenizers` package), for every text.
 *
 *     Tokenizer *tokenizer = NULL;
 *     TRY(bpe_new("merges.txt", &tokenizer));
 *
 * What happens to a text:
 *  1. Canonical composition (NFC), white space becomes one blank, lower case character by character (no final sigma).
 *  2. "<|startoftext|>" and "<|endoftext|>" are tokens of their own.
 *  3. Words: the matches of 's|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+ from the left.
 *  4. The UTF-8 bytes of a word are its first symbols, the last one with "</w>"; of all neighbours that the list merges the
 *     pair that stands first there is merged, the leftmost of equal ones, until none is left.
 *
 * Texts that the slow tokenizer of OpenAI's and open_clip's code changes before, with the package ftfy and by reading HTML
 * entities, get other ids from that: curly quotes, full-width letters, ligatures, "&amp;", mistaken encodings. So do a final sigma, a
 * long s behind an apostrophe, and open_clip's spelling "<start_of_text>". Texts without those have the same ids there.
 *
 * Source: Radford et al., CLIP, 2021 (section 2.4); Sennrich et al., 2016; the reference's observable behaviour. Characters that
 * Unicode composes since its version 14 alone may differ, as utf8proc's version has it.
 */
#ifndef METASEG_TEXT_BPE_H
#define METASEG_TEXT_BPE_H

#include "text/tokenizer.h"

/* Reads the list of merges, merges.txt of transformers or bpe_simple_vocab_16e6.txt of OpenAI, also compressed (.gz): a first line with
 * "#version", then two symbols a line, of which the first 48,894 count, as in the references. The ids are those of the 256 bytes, the
 * 256 bytes that end a word, the merges in order, start and end: 49,408 of the published list. A vocab.json in the same folder must say
 * the same. tokenizer_free(). ERR_INPUT (missing, unreadable), ERR_MODEL (not such a file), ERR_MEMORY. */
Err bpe_new(const char *path, Tokenizer **ret_tokenizer);

#endif
