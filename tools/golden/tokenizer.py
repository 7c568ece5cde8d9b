# SPDX-License-Identifier: Apache-2.0
"""Writes what the tokenizer's tests compare with, from the reference (the Rust `tokenizers` package).

    python tools/golden/tokenizer.py TOKENIZER.json tests/golden src/text/unicode_class.c

TOKENIZER.json is that of all-MiniLM-L6-v2. Written are

  tokenizer_corpus.txt  one case a line: text as UTF-8 bytes with backslash escapes, a tab, the ids of
                        encode(text) without truncation and padding
  tokenizer_sweep.txt   one line per 4096 code points: first code point and the CRC-32 of the ids of all of them,
                        each alone and between "a" and "b" (little-endian int32, counts in front)
  unicode_class.c       the reference's character classes as ranges, its combining classes and lower case

The output depends on the version of `tokenizers` only; it stands in each file.
"""
import pathlib
import random
import struct
import sys
import unicodedata
import zlib

import tokenizers
from tokenizers import Regex, Tokenizer
from tokenizers.normalizers import NFD, BertNormalizer, Lowercase
from tokenizers.pre_tokenizers import BertPreTokenizer, Split

CODE_POINTS = [c for c in range(0x110000) if not 0xD800 <= c < 0xE000]

WORDS = """Tropical rainforest, monsoon & savanna.|evergreen broadleaf canopy|deciduous needleleaf larch taiga|
permafrost-polygons; thermokarst lakes|unaffable|embeddings|antidisestablishmentarianism|Köppen–Geiger|Köppen Geiger|
naïve façade café résumé Ångström Ærøskøbing|Đà Nẵng, Việt Nam|São Paulo; Curaçao; Škoda; Łódź; Žižkov|Zürich Straße GROẞ groß|
ŒUVRE œuvre|ﬁﬂﬀ ligatures|İstanbul ısı IĞDIR i̇|ΑΘΗΝΑ Οδυσσεύς ΣΊΣΥΦΟΣ σς|Ἀρχιμήδης ᾳ ᾼ ῼ ΐ ΰ|Москва, Тайга и ТУНДРА ёж йод Ї|
日本語のテキスト 東京|中文，没有空格。|한국어 텍스트 가각힣|ﾊﾝｶｸ ｶﾅ ガ が ヴ|ＦＵＬＬＷＩＤＴＨ ｌａｔｉｎ １２３|
مرحبا بالعالم ١٢٣|שָׁלוֹם עולם|नमस्ते दुनिया क़|ไทยภาษา ก็|ភាសាខ្មែរ|தமிழ் மொழி|বাংলা ভাষা|ქართული ᲥᲐᲠᲗᲣᲚᲘ|Հայերեն և|አማርኛ|
👍🏽 ok|👨‍👩‍👧‍👦 family|🇩🇪🇫🇷 flags|☃️❄︎|a🛰️b|🌍🌎🌏|0️⃣1️⃣#️⃣|e\u0301 e\u0323\u0301 e\u0301\u0323|o\u0308\u0304|q\u0307\u0323|Z͑ͫ̓ͪ̂ͫ̽͏̴̙̤̞͉͚̯̞̠͍A̴̵̜̰͔ͫ͗͢L̠ͨͧͩ͘G̴̻͈͍͔̹̑͗̎̅͛́Ǫ̵̹̻̝̳͂̌̌͘!͖̬̰̙̗̿̋ͥͥ̂ͣ̐́́͜͞|
tab\there|line\nfeed|carriage\rreturn|\r\n|vertical\vtab form\ffeed|nul\0byte|bell\x07|del\x7f|soft\xadhyphen|zero\u200bwidth|joiner\u200d\u200c|
bom\ufefftext|word\u2060joiner|rtl\u202emark\u202c|nbsp\xa0space|thin\u2009space|ideographic\u3000space|line\u2028para\u2029sep|next\x85line|replacement\ufffdchar|
private\ue000use|plane\U000f0000fifteen|noncharacter\ufffe\uffff|unassigned\u0378|tag\U000e0041|variation\ufe0f|object\ufffc|
12.5 m, 10-30 m/px; 1e-5 3,141.59 $100 €50 £3 ¥7|50% of #1 @home ^_^ ~tilde `tick` |pipe\\|{brace}[bracket](paren)<angle>|"quotes" ‘single’ “double” «guillemets» „low“|
— – - ‐ ‑ ‒ ― − |… ‥ · • ‣ ※ ¿? ¡!|a+b=c×d÷e±f≠g≈h|½ ¼ ⅓ ² ³ ₂ № ™ ® © ª º µ|x²+y²=z²|CO₂ and H₂O|°C °F K Å ℃ ℉ Ω Ω|
[CLS]|[SEP]|[PAD][MASK][UNK]|[cls]|[ SEP ]|x[SEP]y|a [MASK] b|[[SEP]]|[SEP|[MASK]s|[UNK]able|[unused1]|[unused 1]|##ing|# #ing|##|foo ##bar|
e.g. i.e. U.S.A. don't can't it's o'clock rock'n'roll|snake_case camelCase kebab-case http://example.org/a?b=c&d=e#f user@example.org|
C:\\dir\\file.tif /usr/share/x.yaml|1234567890123456789012345678901234567890|ALLCAPS MiXeD cAsE|a b  c   d    e|  leading|trailing  |""".replace("|\n", "|")


def words():
    cases = [w for w in WORDS.split("|")] + ["|", "a|b", "||"]
    cases += ["", " ", "\t", "\n \n", "a", "A", "é", "ß", "ẞ", "ſ", "K", "Å", "ǅ", "ŉ", "ǰ", "ẚ", "İ", "ı"]
    cases += ["Σ", "ς", "ΑΣ", "Σ.", "ŚĆ"]
    for n in (99, 100, 101):
        cases += ["a" * n, "é" * n, "e\u0301" * n, "東" * n, "." * n, "\u0301" * n]
        cases += ["a\u200b" * n, "x" * n + " tail", "İ" * n]
    cases += ["forest " * 60, "unbreakableword" * 8, "x." * 90, "\U00010330" * 120]
    return cases


def planned_random(rng):
    """Random texts from alphabets that meet each rule, and from all of Unicode."""
    blocks = [(0x20, 0x7F), (0xA0, 0x250), (0x250, 0x300), (0x300, 0x370), (0x370, 0x400), (0x400, 0x530),
              (0x530, 0x600), (0x600, 0x700), (0x900, 0xE00), (0xE00, 0x1100), (0x1100, 0x1200), (0x1E00, 0x2000),
              (0x2000, 0x2070), (0x2070, 0x2200), (0x2200, 0x2C00), (0x2E00, 0x2E80), (0x2E80, 0x3100),
              (0x3100, 0x3400), (0x3400, 0x4E10), (0x4E00, 0xA000), (0xA000, 0xAC00), (0xAC00, 0xD7A4),
              (0xF900, 0xFB50), (0xFB50, 0xFE00), (0xFE00, 0x10000), (0x10000, 0x11000), (0x11000, 0x12000),
              (0x1D000, 0x1D800), (0x1E800, 0x1F000), (0x1F000, 0x1FB00), (0x20000, 0x20100), (0x2A6D0, 0x2A720),
              (0x2B730, 0x2B830), (0x2CE90, 0x2CEC0), (0x2F7F0, 0x2FA30), (0xE0000, 0xE0200)]
    cases = []
    for first, end in blocks:
        for _ in range(9):
            cases.append("".join(chr(rng.randrange(first, end)) for _ in range(rng.randrange(1, 16))))
        for _ in range(5):  # inside Latin words
            pieces = ["land", "Cover", " ", "s", "ing", "E"]
            cases.append("".join(rng.choice([*pieces, chr(rng.randrange(first, end))])
                                 for _ in range(rng.randrange(2, 16))))
    for _ in range(160):
        cases.append("".join(chr(rng.choice(CODE_POINTS)) for _ in range(rng.randrange(1, 12))))
    marks = [c for c in CODE_POINTS if unicodedata.combining(chr(c))]
    for _ in range(80):  # canonical ordering
        cases.append("".join(rng.choice("aeiouN ") + "".join(chr(rng.choice(marks)) for _ in range(rng.randrange(0, 6)))
                             for _ in range(rng.randrange(1, 6))))
    return cases


def vocabulary_texts(tokenizer, rng):
    tokens = [t for t, _ in sorted(tokenizer.get_vocab().items(), key=lambda item: item[1])]
    cases = []
    for _ in range(240):  # pieces glued, so that the greedy search has something to choose
        cases.append("".join(rng.choice(tokens).replace("##", "") + rng.choice(["", "", " ", "-"])
                             for _ in range(rng.randrange(1, 8))))
    for _ in range(90):
        cases.append(" ".join(rng.choice(tokens) for _ in range(rng.randrange(1, 12))).upper())
    return cases


def invalid_bytes(rng):
    """Ill-formed UTF-8: read as U+FFFD, as bytes.decode(errors="replace") does."""
    cases = [b"\xff", b"a\xffb", b"\x80abc", b"\xc3", b"caf\xc3", b"\xc3(", b"\xe2\x82", b"\xe2\x82 x", b"\xe2(\xa1",
             b"\xf0\x9f\x98", b"\xf0\x9f\x98z", b"\xc0\xaf", b"\xe0\x80\xaf", b"\xed\xa0\x80", b"\xed\xa0\x80\xed\xb0\x80", b"\xf4\x90\x80\x80",
             b"\xf8\x88\x80\x80\x80",
             b"ab\xe4\xb8\xadcd\xe4\xb8", b"\xfe\xff", b"a\xf0\x80\x80\x80b"]
    for _ in range(60):
        cases.append(bytes(rng.choice([rng.randrange(256), rng.randrange(97, 123)])
                           for _ in range(rng.randrange(1, 20))))
    return cases


def escape(raw):
    plain = bytes(range(32, 127)).replace(b"\\", b"")
    return "".join(chr(b) if b in plain else f"\\x{b:02x}" for b in raw)


def write_corpus(tokenizer, path):
    rng = random.Random(20240607)
    texts = words() + planned_random(rng) + vocabulary_texts(tokenizer, rng)
    raws = list(dict.fromkeys([t.encode("utf-8") for t in texts] + invalid_bytes(rng)))
    lines = [f"# tokenizers {tokenizers.__version__}, {len(raws)} texts"]
    for raw in raws:
        ids = tokenizer.encode(raw.decode("utf-8", errors="replace")).ids
        lines.append(escape(raw) + "\t" + " ".join(map(str, ids)))
    path.write_text("\n".join(lines) + "\n")
    print(f"{path}: {len(raws)} texts")


def write_sweep(tokenizer, path):
    lines = [f"# tokenizers {tokenizers.__version__}, code points but surrogates, 4096 a line"]
    for first in range(0, 0x110000, 4096):
        crc = 0
        points = [c for c in range(first, first + 4096) if not 0xD800 <= c < 0xE000]
        texts = [text for c in points for text in (chr(c), f"a{chr(c)}b")]
        for encoding in tokenizer.encode_batch(texts):
            crc = zlib.crc32(struct.pack(f"<{len(encoding.ids) + 1}i", len(encoding.ids), *encoding.ids), crc)
        lines.append(f"{first:06x} {crc:08x}")
    path.write_text("\n".join(lines) + "\n")
    print(f"{path}: {len(lines) - 1} blocks")


def ranges(values):
    out = []
    for value in values:
        if out and out[-1][1] == value - 1:
            out[-1][1] = value
        else:
            out.append([value, value])
    return out


def matching(pattern):
    """Code points that a regular expression of the reference matches."""
    split = Split(Regex(pattern), behavior="removed", invert=True)
    return [c for c in CODE_POINTS if split.pre_tokenize_str(chr(c))]


def lower_runs():
    """[first, last, step, difference]; U+0130 alone becomes two characters, of which the first counts."""
    lower = Lowercase()
    runs = []
    for c in CODE_POINTS:
        difference = ord(lower.normalize_str(chr(c))[0]) - c
        if difference == 0:
            continue
        last = runs[-1] if runs else None
        if last and last[3] == difference and (c - last[1] == last[2] or (last[0] == last[1] and c - last[1] == 2)):
            last[1], last[2] = c, c - last[1]
        else:
            runs.append([c, c, 1, difference])
    return runs


def combining_runs():
    """[first, last, combining class] of the marks that the reference puts in order; a class never changes."""
    nfd = NFD()
    runs = []
    for c in CODE_POINTS:
        low, high = "a" + chr(c) + "\u0334", "a\u0345" + chr(c)  # classes 1 and 240
        if nfd.normalize_str(low) == low and nfd.normalize_str(high) == high:
            continue
        value = unicodedata.combining(chr(c))
        if value == 0:
            continue  # a starter with a decomposition
        if runs and runs[-1][1] == c - 1 and runs[-1][2] == value:
            runs[-1][1] = c
        else:
            runs.append([c, c, value])
    return runs


def classes():
    clean = BertNormalizer(clean_text=True, handle_chinese_chars=False, strip_accents=False, lowercase=False)
    strip = BertNormalizer(clean_text=False, handle_chinese_chars=False, strip_accents=True, lowercase=False)
    chinese = BertNormalizer(clean_text=False, handle_chinese_chars=True, strip_accents=False, lowercase=False)
    split = BertPreTokenizer()
    return {
        "removed": [c for c in CODE_POINTS if clean.normalize_str(chr(c)) == ""],
        "space": [c for c in CODE_POINTS if clean.normalize_str(chr(c)) == " "],
        "mark": [c for c in CODE_POINTS if strip.normalize_str(chr(c)) == ""],
        "punctuation": [c for c in CODE_POINTS if len(split.pre_tokenize_str(f"a{chr(c)}b")) == 3],
        "ideograph": [c for c in CODE_POINTS if chinese.normalize_str(chr(c)) == f" {chr(c)} "],
        "letter": matching(r"\p{L}"),
        "number": matching(r"\p{N}"),
        "white_space": matching(r"\s"),
    }


def table(declaration, items):
    rows, row = [], "   "
    for item in items:
        if len(row) + 1 + len(item) > 120:
            rows.append(row)
            row = "   "
        row += " " + item
    rows.append(row)
    return f"\n/* clang-format off */\n{declaration} = {{\n" + "\n".join(rows) + "\n};\n/* clang-format on */\n"


def write_classes(path):
    text = f"""/* SPDX-License-Identifier: Apache-2.0
 * Character classes of the tokenizers, read off the reference (tokenizers {tokenizers.__version__}) by tools/golden/tokenizer.py; do
 * not edit. They are facts of the Unicode Character Database: version 8 those of BERT, an older one than 14 combining
 * classes, version 17 letters, numbers and lower case. */
#include "text/unicode_class.h"

#include "base/err.h"

typedef struct Range {{
    int32_t first, last;
}} Range;

static bool in_ranges(const Range *ranges, int64_t count, int32_t character)
{{
    int64_t low = 0, high = count;
    while (low < high) {{
        const int64_t middle = (low + high) / 2;
        if (ranges[middle].last < character)
            low = middle + 1;
        else
            high = middle;
    }}
    return low < count && ranges[low].first <= character;
}}
"""
    for name, members in classes().items():
        text += table(f"static const Range {name}_ranges[]", [f"{{ 0x{a:X}, 0x{b:X} }}," for a, b in ranges(members)])
        text += f"\nbool unicode_is_{name}(int32_t character)\n{{\n    return in_ranges({name}_ranges, ARRAY_LEN({name}_ranges), character);\n}}\n"
    text += """
/* Canonical combining classes that are not 0. */
typedef struct CombiningRun {
    int32_t first, last, combining_class;
} CombiningRun;
"""
    text += table("static const CombiningRun combining_runs[]", [f"{{ 0x{a:X}, 0x{b:X}, {c} }}," for a, b, c in combining_runs()])
    text += """
int32_t unicode_combining_class(int32_t character)
{
    int64_t low = 0, high = ARRAY_LEN(combining_runs);
    while (low < high) {
        const int64_t middle = (low + high) / 2;
        if (combining_runs[middle].last < character)
            low = middle + 1;
        else
            high = middle;
    }
    const bool inside = low < ARRAY_LEN(combining_runs) && combining_runs[low].first <= character;
    return inside ? combining_runs[low].combining_class : 0;
}

/* Characters first, first + step, ... last: what is added to them. */
typedef struct LowerRun {
    int32_t first, last, step, difference;
} LowerRun;
"""
    text += table("static const LowerRun lower_runs[]", [f"{{ 0x{a:X}, 0x{b:X}, {c}, {d} }}," for a, b, c, d in lower_runs()])
    text += """
int32_t unicode_lower(int32_t character)
{
    int64_t low = 0, high = ARRAY_LEN(lower_runs);
    while (low < high) {
        const int64_t middle = (low + high) / 2;
        if (lower_runs[middle].last < character)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == ARRAY_LEN(lower_runs)) return character;
    const LowerRun *run = &lower_runs[low];
    const bool inside = run->first <= character && (character - run->first) % run->step == 0;
    return inside ? character + run->difference : character;
}
"""
    path.write_text(text)
    print(f"{path}: {len(text)} bytes")


def main():
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    tokenizer = Tokenizer.from_file(sys.argv[1])
    tokenizer.no_truncation()
    tokenizer.no_padding()
    folder = pathlib.Path(sys.argv[2])
    write_classes(pathlib.Path(sys.argv[3]))
    write_corpus(tokenizer, folder / "tokenizer_corpus.txt")
    write_sweep(tokenizer, folder / "tokenizer_sweep.txt")


if __name__ == "__main__":
    main()
