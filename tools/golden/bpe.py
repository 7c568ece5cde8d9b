# SPDX-License-Identifier: Apache-2.0
"""Writes what the byte-level BPE's tests compare with, from the reference (the Rust `tokenizers` package, put together as
CLIPTokenizer of `transformers` does).

    python tools/golden/bpe.py tests/golden               writes bpe_merges.txt, bpe_corpus.txt and bpe_sweep.txt
    python tools/golden/bpe.py tests/golden MERGES        prints the ids of the texts of standard input under another list of
                                                          merges, one text and one line of ids each (for comparisons by hand)

  bpe_merges.txt  1,500 merges of our own, learnt from share/prompts and docs once (an existing file stays); the published list
                  is not ours to copy
  bpe_corpus.txt  for each text of tokenizer_corpus.txt the number of its ids and the CRC-32 of them (little-endian int32)
  bpe_sweep.txt   as tokenizer_sweep.txt
"""
import gzip
import json
import pathlib
import struct
import sys
import zlib

import tokenizers
from tokenizers import Regex, Tokenizer, normalizers, pre_tokenizers, processors
from tokenizers.models import BPE
from tokenizers.trainers import BpeTrainer

PATTERN = r"'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"
START, END = "<|startoftext|>", "<|endoftext|>"
MERGES, MOST = 1500, 48894
ROOT = pathlib.Path(__file__).parent.parent.parent


def alphabet():
    printable = [*range(33, 127), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [b for b in range(256) if b not in printable]
    return [chr(b) for b in printable] + [chr(256 + i) for i in range(len(others))]


def wrap(model):
    """Normaliser, words and special tokens of CLIPTokenizer; special tokens are found in any case, as its published settings say."""
    tokenizer = Tokenizer(model)
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.NFC(), normalizers.Replace(Regex(r"\s+"), " "), normalizers.Lowercase()])
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Split(Regex(r"<\|startoftext\|>|<\|endoftext\|>|" + PATTERN), behavior="removed", invert=True),
         pre_tokenizers.ByteLevel(add_prefix_space=False)])
    return tokenizer


def learn():
    files = sorted([*ROOT.glob("share/prompts/*.yaml"), *ROOT.glob("docs/*.md")])
    trainer = BpeTrainer(vocab_size=512 + MERGES, initial_alphabet=alphabet(), end_of_word_suffix="</w>", show_progress=False)
    learner = wrap(BPE(end_of_word_suffix="</w>"))
    learner.train_from_iterator((file.read_text() for file in files), trainer)
    merges = json.loads(learner.to_str())["model"]["merges"]
    return [tuple(m.split(" ") if isinstance(m, str) else m) for m in merges][:MERGES]


def build(merges):
    symbols = alphabet()
    vocabulary = {s: i for i, s in enumerate(symbols + [s + "</w>" for s in symbols])}
    for left, right in merges:
        assert left in vocabulary and right in vocabulary and left + right not in vocabulary, (left, right)
        vocabulary[left + right] = len(vocabulary)
    for token in (START, END):
        vocabulary[token] = len(vocabulary)
    tokenizer = wrap(BPE(vocab=vocabulary, merges=merges, continuing_subword_prefix="", end_of_word_suffix="</w>",
                         fuse_unk=False, unk_token=END))
    tokenizer.add_special_tokens([tokenizers.AddedToken(t, special=True, normalized=True) for t in (START, END)])
    tokenizer.post_processor = processors.RobertaProcessing((END, vocabulary[END]), (START, vocabulary[START]), False, False)
    return tokenizer


def read_merges(path):
    raw = path.read_bytes()
    lines = (gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw).decode("utf-8").split("\n")
    return [tuple(line.split()) for line in lines[1:MOST + 1] if line]


def checksum(ids, crc=0):
    return zlib.crc32(struct.pack(f"<{len(ids)}i", *ids), crc)


def texts(path):
    """The texts of tokenizer_corpus.txt: bytes, "\\xNN" escapes, a tab."""
    for line in path.read_text().splitlines():
        if "\t" in line:
            yield line.split("\t")[0].encode("latin-1").decode("unicode_escape").encode("latin-1")


def main():
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    folder = pathlib.Path(sys.argv[1])
    if len(sys.argv) == 3:
        tokenizer = build(read_merges(pathlib.Path(sys.argv[2])))
        for line in sys.stdin.buffer.read().split(b"\n")[:-1]:
            print(*tokenizer.encode(line.decode("utf-8", errors="replace")).ids)
        return
    own = folder / "bpe_merges.txt"
    if not own.exists():
        own.write_text("#version: 0.2\n" + "".join(f"{a} {b}\n" for a, b in learn()))
    merges = read_merges(own)
    tokenizer = build(merges)
    lines = [f"# tokenizers {tokenizers.__version__}, {len(merges)} merges"]
    for raw in texts(folder / "tokenizer_corpus.txt"):
        ids = tokenizer.encode(raw.decode("utf-8", errors="replace")).ids
        lines.append(f"{len(ids)} {checksum(ids):08x}")
    (folder / "bpe_corpus.txt").write_text("\n".join(lines) + "\n")
    sweep = [f"# tokenizers {tokenizers.__version__}, code points but surrogates, 4096 a line"]
    for first in range(0, 0x110000, 4096):
        crc = 0
        points = [c for c in range(first, first + 4096) if not 0xD800 <= c < 0xE000]
        for encoding in tokenizer.encode_batch([text for c in points for text in (chr(c), f"a{chr(c)}b")]):
            crc = checksum([len(encoding.ids), *encoding.ids], crc)
        sweep.append(f"{first:06x} {crc:08x}")
    (folder / "bpe_sweep.txt").write_text("\n".join(sweep) + "\n")


if __name__ == "__main__":
    main()
