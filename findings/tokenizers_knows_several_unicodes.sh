#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# One tokenizer of Hugging Face's tokenizers knows letters of Unicode 17 and marks and punctuation of Unicode 8 only, and two of its parts for one thing differ.
#
# Seen with tokenizers 0.23.3 on Python 3.11: BertNormalizer(lowercase=True, strip_accents=True) makes of the Adlam capital U+1E900 with the mark U+1E944 (both of
# Unicode 9, 2016; the script of Fula) the small letter with its mark, where NFD, StripAccents and Lowercase, one after the other, make the small letter alone. Of E with an
# acute both make e. Split at \p{P} takes the dash U+2E43 (Unicode 9) for punctuation, Punctuation and BertPreTokenizer do not; the hyphen U+2E17 (4.1) is
# one for all three. NFKC writes the era U+337B out and leaves U+32FF (12.1, 2019) as it is; Lowercase knows U+A7D2 (17, 2025).
# Why one would guess otherwise: the parts are of one library and release, named after the properties of one standard; a normalizer that lowercases a letter is expected to know the
# marks of its alphabet. What happens: each part has its own tables, those of BERT from 2015. Another program that takes all from one version of Unicode gets other token ids for such texts.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
cat >"$work/requirements.txt" <<'END'
tokenizers==0.23.3 --hash=sha256:376851d22bcf9d650a5c3090bb83e6cf9e895fbf0595369fa4cd43c1f69b5f87
END
"$work/venv/bin/pip" install -q --disable-pip-version-check --no-deps --only-binary :all: --require-hashes -r "$work/requirements.txt"
OMP_NUM_THREADS=1 "$work/venv/bin/python" - <<'END'
from tokenizers import Regex, normalizers, pre_tokenizers

bert = normalizers.BertNormalizer(lowercase=True, strip_accents=True)
general = normalizers.Sequence([normalizers.NFD(), normalizers.StripAccents(), normalizers.Lowercase()])


def points(text):
    return " ".join(f"{ord(c):04X}" for c in text)


def pieces(splitter, sign):
    return len(splitter.pre_tokenize_str("a" + sign + "b"))


# Capital letters with a mark above: E with acute, Adlam alif with its lengthener (Unicode 9, 2016).
words = {text: (points(bert.normalize_str(text)), points(general.normalize_str(text))) for text in ("E\u0301", "\U0001e900\U0001e944")}
print("letter and mark:", list(words.values()))
assert list(words.values()) == [("0065", "0065"), ("1E922 1E944", "1E922")], "the behaviour has changed"
# Dashes: double oblique hyphen (Unicode 4.1), dash with left upturn (Unicode 9).
any_punctuation = pre_tokenizers.Split(Regex(r"\p{P}"), "isolated")
dashes = {points(sign): [pieces(splitter, sign) for splitter in (any_punctuation, pre_tokenizers.Punctuation(), pre_tokenizers.BertPreTokenizer())]
          for sign in "\u2e17\u2e43"}
print("pieces of a-b by Split with \\p{P}, Punctuation, BertPreTokenizer:", dashes)
assert dashes == {"2E17": [3, 3, 3], "2E43": [3, 1, 1]}, "the behaviour has changed"
# Names of eras as one character: Heisei (Unicode 1.1), Reiwa (Unicode 12.1, 2019).
eras = [points(normalizers.NFKC().normalize_str(era)) for era in "\u337b\u32ff"]
print("NFKC of eras:", eras)
assert eras == ["5E73 6210", "32FF"], "the behaviour has changed"
# Lower case: double thorn (Unicode 17, 2025).
lower = points(normalizers.Lowercase().normalize_str("\ua7d2"))
print("lower case of A7D2:", lower)
assert lower == "A7D3", "the behaviour has changed"
END
