#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Functions that nothing but tests calls: each non-static function of src/ has a caller in the product, in tools/ or in
bench/ besides itself. What include/ declares is for other programs and needs none.

    check_unused.py [FOLDER]      exit code 1 and one line per function without a caller
    check_unused.py --self-test   shows that the check can fail
"""
import re
import sys
import tempfile
from pathlib import Path

COMMENT_OR_STRING = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.DOTALL)
# at the start of a line: a type, a name, an open parenthesis
HEAD = re.compile(r"^(?!static\b|typedef\b|return\b|else\b|#)[A-Za-z_][\w \t\*]*?[ \t\*]\(?([A-Za-z_]\w*)\)?\(", re.MULTILINE)
WORD = re.compile(r"[A-Za-z_]\w*")
# Ways in that tests alone take, and why they stay.
TEST_ENTRIES = {
    "safetensors_parse": "the reader on bytes in memory, for hostile files",
    "torch_legacy_parse": "the reader on bytes in memory, for hostile files",
    "graph_result": "operations with several results, which the engine supports and no network uses yet",
    "params_allocated": "state that the tests of networks look at",
    "json_get_bool": "attributes of the golden files of operations",
}


def plain(text):
    """The text without comments and strings, line breaks kept."""
    return COMMENT_OR_STRING.sub(lambda m: "\n" * m.group(0).count("\n") if m.group(0)[0] == "/" else '""', text)


def is_test(path):
    return path.stem.endswith("_test")


def body_end(text, start):
    """Where the declaration or function that begins at start ends."""
    semicolon, brace = text.find(";", start), text.find("{", start)
    if brace < 0 or 0 <= semicolon < brace:
        return semicolon if semicolon >= 0 else len(text)
    line_end = text.find("\n", brace)
    if "}" in text[brace:line_end]:
        return line_end
    end = text.find("\n}", brace)
    return end if end >= 0 else len(text)


def unused(root):
    """(function, file) of each function that is declared and has no caller."""
    product = [p for p in sorted(root.glob("src/**/*.[ch]")) if not is_test(p)]
    callers = product + sorted(root.glob("tools/**/*.c")) + sorted(root.glob("bench/**/*.c"))
    public = {w for p in root.glob("include/**/*.h") for w in WORD.findall(plain(p.read_text()))}
    texts = {p: plain(p.read_text()) for p in callers}
    listed = {w for p in root.glob("src/**/*.def") for w in WORD.findall(plain(p.read_text()))}  # X(name) pastes prefix_name
    defined = {}
    used = set()
    for path, text in texts.items():
        heads = [(m.start(), body_end(text, m.end()), m.group(1)) for m in HEAD.finditer(text)]
        if path.suffix == ".c" and path.is_relative_to(root / "src"):
            for start, end, name in heads:
                if "{" in text[start:end + 1]:
                    defined.setdefault(name, path)
        at = 0
        for start, end, name in heads + [(len(text), len(text), "")]:
            used.update(WORD.findall(text[at:start]))
            if "{" in text[start:end]:
                used.update(w for w in WORD.findall(text[start:end]) if w != name)
            at = max(at, end)
    known = used | public | {"main"} | TEST_ENTRIES.keys()
    pasted = lambda name: any(name[i + 1:] in listed for i, letter in enumerate(name) if letter == "_")
    return [(n, p.relative_to(root)) for n, p in sorted(defined.items()) if n not in known and not pasted(n)]


def self_test():
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        (root / "src/a").mkdir(parents=True)
        (root / "tools").mkdir()
        (root / "include").mkdir()
        (root / "include/m.h").write_text("int metaseg_open(void);\n")
        (root / "src/a/all.def").write_text("COMMAND(show)\n")
        (root / "src/a/cmd_show.c").write_text("int cmd_show(void) { return 1; }\n")
        (root / "src/a/a.h").write_text("int used(void);\nint tested(void);\nint itself(int n);\nint drawn(void);\nint *told(void);\n")
        (root / "src/a/a.c").write_text(
            'int used(void)\n{\n    return 1;\n}\n\nint tested(void) { return 2; }\n'
            'int itself(int n)\n{\n    return n > 0 ? itself(n - 1) : 0;\n}\n'
            'int drawn(void) { return used(); }\nint *told(void)\n{\n    return 0; /* tested() */\n}\n'
            'static int own(void) { return 3; }\nint metaseg_open(void) { return own(); }\n')
        (root / "src/a/a_test.c").write_text("int main(void)\n{\n    return tested() + itself(2) + *told();\n}\n")
        (root / "tools/t.c").write_text('int main(void)\n{\n    return drawn(); /* itself(1) */\n}\n')
        found = [name for name, _ in unused(root)]
        if found != ["itself", "tested", "told"]:
            print(f"check_unused.py --self-test: found {found}")
            return 1
    print("check_unused.py --self-test: finds what only tests call")
    return 0


def main():
    if "--self-test" in sys.argv:
        return self_test()
    root = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent.parent).resolve()
    found = unused(root)
    for name, path in found:
        print(f"{path}: {name} has no caller outside tests; call it or remove it with its tests")
    if not found:
        print("check_unused.py: every function has a caller")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
