#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks CONTRIBUTING.md rules 2, 5, 6, 7, 8 and 10 on the source tree.

    check_layers.py [ROOT]       prints one line per violation, exit code 1 if there is any
    check_layers.py --self-test  proves on made-up trees that each rule can fail

Layers and what they may use are read from src/CMakeLists.txt, so there is one list.
"""
import pathlib
import re
import sys
import tempfile

# Third-party headers and the folder that is their home.
HOMES = [
    (r"(gdal\w*|ogr\w*|cpl_\w+|gdalwarper)\.h", "geo"),
    (r"(oneapi/dnnl/)?dnnl\w*\.h", "ops"),
    (r"curl/\w+\.h|utf8proc\.h", "text"),
    (r"cjson/cJSON\.h|xxhash\.h|zlib\.h", "base"),
    (r"yaml\.h", "data"),
    (r"zip\.h", "tensor_file"),
    (r"protobuf-c/protobuf-c\.h|export/onnx\.pb-c\.h", "export"),
    (r"cairo/?\w*\.h|cairo/cairo\w*\.h", "predict"),
    (r"[xp]mmintrin\.h", "tensor"),  # the control word of the processor; vector code goes to the files named below
    (r"cmocka\.h|setjmp\.h", "tests"),
]
ONE_FILE = {"yaml.h"}
STANDARD = set("""assert complex ctype errno fenv float inttypes iso646 limits locale math signal stdalign stdarg stdatomic
    stdbool stddef stdint stdio stdlib stdnoreturn string tgmath threads time uchar wchar wctype dirent fcntl ftw glob omp
    poll pthread sched strings unistd sys/file sys/mman sys/random sys/resource sys/stat sys/time sys/types sys/wait sys/statvfs semaphore
    cpuid""".split())
INTRINSICS = {"immintrin.h", "x86intrin.h"}
INTRINSIC_FILES = re.compile(r"(_avx2|_avx512)\.c$|_avx(2|512)\.h$|simd\w*\.h$")
TEST = re.compile(r"_test\.[ch]$")
TEST_HEADERS = {"arpa/inet.h", "netinet/in.h", "sys/socket.h", "sys/un.h", "dlfcn.h", "link.h"}  # tests that act as a server, or come between the program and its libraries
BANNED = "atoi atol atof strcpy strcat sprintf vsprintf gets strtok alloca setjmp longjmp rand srand".split()
# One dialect (CONTRIBUTING.md rules 5 and 6): errors are `err`, float literals end with F, locals and parameters are not const pointers.
DIALECT = [
    (r"\bErr (?:code|status|error|result|rc|e|ret)\b(?!\()", "an error is called err"),
    (r"(?<![\w.])(?:\d+\.\d*|\.\d+)(?:[eE][+-]?\d+)?f\b|(?<![\w.])\d+[eE][+-]?\d+f\b", "a float literal ends with F"),
    (r"^(?!\s*(?:static|extern)\b)\s+(?:\w+ )+\**\*const [a-z_]\w* =", "a local pointer is not const itself: T *x"),
]
PUBLIC_USERS = {"base", "data", "train", "eval", "predict", "cli"}  # may include metaseg/*.h
SOURCE = {".c", ".h", ".def"}


def read_layers(root):
    """{layer: set of layers it may include, itself too}, from metaseg_layer(name USES ...) lines."""
    direct = {}
    for line in (root / "src/CMakeLists.txt").read_text(encoding="utf-8").splitlines():
        match = re.match(r"\s*metaseg_layer\((\w+)(.*)\)", line)
        if match:
            uses = re.search(r"USES((?: \w+)*?)(?: EXTERNAL.*)?$", match[2])
            direct.setdefault(match[1], set()).update(uses[1].split() if uses else [])
    closure = {}

    def close(layer):
        if layer not in closure:
            closure[layer] = {layer}
            for used in direct[layer]:
                closure[layer] |= close(used)
        return closure[layer]

    for layer in direct:
        close(layer)
    closure["cli"] = set(direct) | {"cli"}
    return closure


def strip(text):
    """The code with comments, string and character literals blanked; line breaks stay."""
    pattern = r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\''
    return re.sub(pattern, lambda m: re.sub(r"[^\n]", " ", m[0]), text, flags=re.S)


class Checker:
    def __init__(self, root):
        self.root = root
        self.layers = read_layers(root)
        self.violations = []
        self.one_file = {}

    def report(self, path, line, text):
        self.violations.append(f"{path.relative_to(self.root)}:{line}: {text}")

    def check_include(self, path, layer, line, name, quoted):
        is_test = TEST.search(path.name) or layer == "tests"
        if quoted:
            folder = name.split("/")[0]
            if "/" not in name:
                self.report(path, line, f'"{name}" must be included with its folder')
            elif folder == "metaseg":
                if not is_test and layer not in PUBLIC_USERS | {"include", "bench"}:
                    self.report(path, line, f"{layer} may not include the public header {name}")
            elif folder == "harness":
                if not is_test:
                    self.report(path, line, f"{name} belongs to tests")
            elif layer == "include":
                self.report(path, line, f"a public header may not include {name}")
            elif layer not in ("tests", "bench") and folder not in self.layers.get(layer, {folder}):
                self.report(path, line, f"{layer} may not include {name}: not a layer below (src/CMakeLists.txt)")
            return
        if name in INTRINSICS:
            if not INTRINSIC_FILES.search(path.name):
                self.report(path, line, f"<{name}> only in x_avx2.c, x_avx512.c and the simd headers")
            return
        if name.removesuffix(".h") in STANDARD or (is_test and name in TEST_HEADERS):
            return
        for pattern, home in HOMES:
            if re.fullmatch(pattern, name):
                if layer != home and not (is_test and home == "tests"):
                    self.report(path, line, f"<{name}> has its home in {home}")
                if name in ONE_FILE and self.one_file.setdefault(name, path) != path:
                    self.report(path, line, f"<{name}> is in {self.one_file[name].name} already; one file only")
                return
        self.report(path, line, f"<{name}> is neither standard nor listed in tools/check_layers.py")

    def check_calls(self, path, layer, code):
        is_test = TEST.search(path.name) or layer in ("tests", "bench")
        rules = [(rf"\b({'|'.join(BANNED)})\s*\(", "is banned")]
        if layer != "cli" and not is_test:
            rules += [(r"(?<![.>\w])(printf|puts|putchar|vprintf)\s*\(", "prints to stdout; only cli may"),
                      (r"\b(stdout)\b", "only in cli"),
                      (r"\b(getenv|setenv|putenv|secure_getenv)\s*\(", "touches the environment; only cli may")]
        if layer == "cli" and not is_test and path.name not in ("cli.c", "main.c"):
            rules.append((r"(?<![.>\w])(printf|puts|putchar|vprintf)\s*\(|\b(stdout)\b", "shows names unescaped; cli_line and cli_json print"))
        if not is_test and path.name != "main.c":
            rules.append((r"(?<![.>\w])(exit|_exit|_Exit|quick_exit)\s*\(", "ends the program; only cli/main.c may"))
        for number, line in enumerate(code.splitlines(), 1):
            for pattern, why in rules:
                for match in re.finditer(pattern, line):
                    self.report(path, number, f"{match[1] or match[2]} {why}")

    def check_dialect(self, path, code):
        for number, line in enumerate(code.splitlines(), 1):
            for pattern, rule in DIALECT:
                if re.search(pattern, line):
                    self.report(path, number, rule)

    def check_source(self, path, layer):
        text = path.read_text(encoding="utf-8")
        if not text.startswith("/* SPDX-License-Identifier: Apache-2.0"):
            self.report(path, 1, "the first line must be /* SPDX-License-Identifier: Apache-2.0")
        for number, line in enumerate(text.splitlines(), 1):
            match = re.match(r'\s*#\s*include\s+(?:"([^"]+)"|<([^>]+)>)', line)
            if match:
                self.check_include(path, layer, number, match[1] or match[2], bool(match[1]))
            if re.search(r"\b(TODO|FIXME|XXX)\b", line):
                self.report(path, number, "no TODO: make an issue of it")
        self.check_calls(path, layer, strip(text))
        self.check_dialect(path, strip(text))

    def check_script(self, path):
        head = path.read_text(encoding="utf-8").split("\n", 3)[:2]
        if not any(line == "# SPDX-License-Identifier: Apache-2.0" for line in head):
            self.report(path, 1, "# SPDX-License-Identifier: Apache-2.0 is missing at the top")

    def run(self):
        names = {}
        for folder in ("src", "include", "tests", "bench"):
            for path in sorted((self.root / folder).rglob("*")):
                if path.suffix in SOURCE:
                    parts = path.relative_to(self.root).parts
                    layer = parts[1] if folder == "src" and len(parts) > 2 else folder
                    if folder == "src" and layer not in self.layers:
                        self.report(path, 1, f"'{layer}' is no layer of src/CMakeLists.txt")
                    self.check_source(path, layer)
                    if folder != "include" and names.setdefault(path.name, path) != path:
                        self.report(path, 1, f"the name is taken by {names[path.name].relative_to(self.root)}")
        for folder in ("src", "tests", "tools", "cmake", "bench"):
            for path in sorted((self.root / folder).rglob("*")):
                if path.suffix in {".py", ".sh", ".cmake"} or path.name == "CMakeLists.txt":
                    self.check_script(path)
        return self.violations


def self_test():
    good = "/* SPDX-License-Identifier: Apache-2.0 */\n"
    cases = [  # path, text after the licence line, part of the expected message ("" for none)
        ("src/base/a.c", '#include "base/a.h"\n#include <stdio.h>\nint f(void) { return 0; }\n', ""),
        ("src/ops/a.c", '#include "base/a.h"\n', ""),
        ("src/base/a.c", '#include "ops/a.h"\n', "not a layer below"),
        ("src/geo/a.c", '#include "ops/a.h"\n', "not a layer below"),
        ("src/cli/a.c", '#include "ops/a.h"\n', ""),
        ("src/base/a.c", '#include "a.h"\n', "with its folder"),
        ("src/geo/a.c", "#include <gdal.h>\n", ""),
        ("src/ops/a.c", "#include <gdal.h>\n", "home in geo"),
        ("src/geo/a.c", "#include <dnnl.h>\n", "home in ops"),
        ("src/base/a.c", "#include <strange.h>\n", "neither standard"),
        ("src/ops/a.c", "#include <immintrin.h>\n", "only in x_avx2.c"),
        ("src/ops/a_avx2.c", "#include <immintrin.h>\n", ""),
        ("src/ops/a.c", '#include "metaseg/run.h"\n', "public header"),
        ("src/ops/a.c", '#include "harness/x.h"\n', "belongs to tests"),
        ("src/ops/a_test.c", '#include "harness/x.h"\n#include <cmocka.h>\n', ""),
        ("src/geo/a_test.h", '#include "harness/x.h"\n#include <sys/socket.h>\nchar *p = getenv(x);\n', ""),
        ("src/geo/a.c", "#include <sys/socket.h>\n", "neither standard"),
        ("src/base/a.c", "int x = atoi(s);\n", "atoi is banned"),
        ("src/base/a.c", '/* atoi(s) */ const char *t = "atoi(s)";\n', ""),
        ("src/base/a.c", "void f(void) { printf(1); }\n", "prints to stdout"),
        ("src/base/a.c", "void f(void) { fprintf(file, 1); snprintf(b, 1, 2); }\n", ""),
        ("src/base/a.c", "FILE *f = stdout;\n", "only in cli"),
        ("src/cli/a.c", "void f(void) { cli_line(1); getenv(2); }\n", ""),
        ("src/cli/a.c", "void f(void) { printf(1); }\n", "shows names unescaped"),
        ("src/cli/a.c", "void f(void) { fputs(x, stdout); }\n", "shows names unescaped"),
        ("src/cli/cli.c", "void f(void) { puts(1); }\n", ""),
        ("src/cli/a.c", "void f(void) { exit(1); }\n", "only cli/main.c"),
        ("src/cli/main.c", "void f(void) { exit(1); }\n", ""),
        ("src/base/a.c", "char *p = getenv(x);\n", "environment"),
        ("src/base/a.c", "Err f(void) { Err code = 0; }\n", "is called err"),
        ("src/base/a.c", "Err f(void) { Err err = err_set(1, 2); }\n", ""),
        ("src/base/a.c", "float x = 1.5f;\n", "ends with F"),
        ("src/base/a.c", "float x = 1e-6f;\n", "ends with F"),
        ("src/base/a.c", "float x = 1.5F; int y = 0x1f;\n", ""),
        ("src/base/a.c", "void f(void) {\n    char *const x = 0;\n}\n", "not const itself"),
        ("src/base/a.c", "void f(void) {\n    static const char *const x = 0;\n}\n", ""),
        ("src/base/a.c", "/* TODO: more */\n", "no TODO"),
        ("src/base/same.c", "", "name is taken"),
        ("src/odd/a.c", "", "is no layer"),
        ("include/metaseg/a.h", '#include "base/err.h"\n', "may not include"),
    ]
    failures = 0
    for path, text, expected in cases + [("src/base/nolicence.c", None, "first line"), ("tools/x.py", None, "missing at the top")]:
        with tempfile.TemporaryDirectory() as folder:
            root = pathlib.Path(folder)
            for name in (path, "src/CMakeLists.txt", "src/ops/same.c"):
                (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / "src/CMakeLists.txt").write_text(
                "# SPDX-License-Identifier: Apache-2.0\nmetaseg_layer(base EXTERNAL x)\nmetaseg_layer(graph USES base)\n"
                "metaseg_layer(ops USES graph EXTERNAL y)\nmetaseg_layer(geo USES base EXTERNAL z)\n")
            (root / "src/ops/same.c").write_text(good)
            (root / path).write_text("int x;\n" if text is None else good + text)
            found = Checker(root).run()
            if (expected == "" and found) or (expected != "" and not any(expected in line for line in found)):
                failures += 1
                print(f"self-test: {path} {text!r}: expected '{expected}', got {found}")
    print(f"check_layers.py: self-test, {len(cases) + 2} cases, {failures} failed")
    return 1 if failures else 0


def main():
    if sys.argv[1:] == ["--self-test"]:
        return self_test()
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parent.parent).resolve()
    violations = Checker(root).run()
    print("\n".join(violations) if violations else "check_layers.py: includes, homes, calls, dialect, licence lines: fine")
    return 1 if violations else 0


if __name__ == "__main__":
    sys.exit(main())
