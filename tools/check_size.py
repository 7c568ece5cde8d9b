#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks CONTRIBUTING.md rule 2: C files under 800 lines, functions under 60 (from the first line of the head to the brace).

    check_size.py [ROOT]       prints one line per violation, exit code 1 if there is any
    check_size.py --self-test  proves on made-up files that both rules can fail
"""
import pathlib
import re
import sys
import tempfile

FILE_LINES = 800
FUNCTION_LINES = 60


def functions(lines):
    """(name, first line, number of lines) of each function: the opening and closing braces stand in column 1."""
    start = None
    for number, line in enumerate(lines):
        if line == "{":
            start = number
            while start > 0 and lines[start - 1].strip() and not re.search(r"([;}]|\*/)\s*$", lines[start - 1]):
                start -= 1
        elif line == "}" and start is not None:
            head = " ".join(lines[start:number]).split("{")[0]
            name = re.search(r"(\w+)\s*\(", head)
            yield (name[1] if name else "?"), start + 1, number - start + 1
            start = None


def check(root):
    violations = []
    for folder in ("src", "include", "tests", "bench"):
        for path in sorted((root / folder).rglob("*")):
            if path.suffix not in {".c", ".h"}:
                continue
            lines = path.read_text(encoding="utf-8").splitlines()
            where = path.relative_to(root)
            if len(lines) >= FILE_LINES:
                violations.append(f"{where}:1: {len(lines)} lines; fewer than {FILE_LINES} are allowed")
            for name, line, count in functions(lines):
                if count >= FUNCTION_LINES:
                    violations.append(f"{where}:{line}: {name} has {count} lines; fewer than {FUNCTION_LINES} are allowed")
    return violations


def self_test():
    def body(lines):
        return "int f(int a,\n      int b)\n{\n" + "    a++;\n" * (lines - 4) + "}\n"

    cases = [(body(59), 0), (body(60), 1), (body(59) * 3, 0), ("int x;\n" * 799, 0), ("int x;\n" * 800, 1),
             ("static const int t[] = {\n" + "    1,\n" * 100 + "};\n", 0), ("int y;\n" + body(60) + body(70), 2)]
    failures = 0
    for text, expected in cases:
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "src/base/a.c"
            path.parent.mkdir(parents=True)
            path.write_text(text)
            found = check(pathlib.Path(folder))
            if len(found) != expected:
                failures += 1
                print(f"self-test: expected {expected} violations, got {found}")
    print(f"check_size.py: self-test, {len(cases)} cases, {failures} failed")
    return 1 if failures else 0


def main():
    if sys.argv[1:] == ["--self-test"]:
        return self_test()
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parent.parent).resolve()
    violations = check(root)
    print("\n".join(violations) if violations else "check_size.py: files and functions: fine")
    return 1 if violations else 0


if __name__ == "__main__":
    sys.exit(main())
