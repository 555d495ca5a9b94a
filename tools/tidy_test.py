#!/usr/bin/env python3
"""Shows that every check of tools/tidy can fail: small bad trees, and the error each must give.

    tools/tidy_test.py

Prints one line a case in the form of TAP, and exits 1 when a case fails.
"""
import os
import subprocess
import sys
import tempfile

TIDY = os.path.join(os.path.dirname(os.path.abspath(__file__)), "tidy")

GOOD_HEADER = """/* good.h - a header as it should be. */
#ifndef MOIM_BASE_GOOD_H
#define MOIM_BASE_GOOD_H

int good(void);

#endif
"""
GOOD_C = """#include "base/good.h"

int good(void)
{
    return 0;
}
"""


def function(lines):
    """A C function of so many lines, its signature and braces included."""
    return "int long_one(void)\n{\n" + "    ;\n" * (lines - 4) + "    return 0;\n}\n"


def script(lines):
    """The same in JavaScript."""
    return "export function longOne() {\n" + "  step();\n" * (lines - 2) + "}\n"


METRICS = """/* metrics.h - a table. */
#ifndef MOIM_BASE_METRICS_H
#define MOIM_BASE_METRICS_H

#define TABLE(X) \\
    X(NEVER, "moim_never", "", gauge, "Counted nowhere.")

#endif
"""

# name, files beside the good ones, what an error must contain (None: there must be none)
CASES = [
    ("a good tree", {}, None),
    ("a function of 70 lines", {"src/base/a.c": function(70)}, None),
    ("comments and strings name what they like",
     {"src/base/a.c": 'const char *a = "read(x)";\n/* time(NULL) */\n'}, None),
    ("a member may bear a system call's name",
     {"src/base/a.c": "int a(struct a *a)\n{\n    return a->read(a);\n}\n"}, None),
    ("the shell may call the system",
     {"src/shell/a.c": "#include <unistd.h>\nint a(void)\n{\n    return getpid();\n}\n"}, None),
    ("main includes all", {"src/main.c": '#include "base/good.h"\n'}, None),

    ("an include upward", {"src/wire/a.h": "", "src/base/a.c": '#include "wire/a.h"\n'},
     'src/base/a.c:1: "wire/a.h": src/base includes upward'),
    ("a way around", {"src/base/a.c": '#include "../base/good.h"\n'}, "write it from src/ on"),
    ("a bare name", {"src/base/a.c": '#include "good.h"\n'}, 'as "layer/file.h"'),
    ("a header that is not there", {"src/base/a.c": '#include "base/no.h"\n'}, "no such file"),
    ("an unknown layer", {"src/other/a.c": "\n"}, "src/other is not a layer"),
    ("a file outside the layers", {"src/a.c": "int a;\n"}, "only main.c"),
    ("a system header", {"src/front/a.c": "#include <unistd.h>\n"}, "<unistd.h> is not for"),

    ("the clock", {"src/room/a.c": "long a(void)\n{\n    return time(0);\n}\n"},
     "src/room/a.c:3: time(): the clock"),
    ("chance", {"src/base/a.c": "int a(void)\n{\n    return rand();\n}\n"}, "rand(): chance"),
    ("a socket", {"src/agent/a.c": "int a(void)\n{\n    return recv(0, 0, 0, 0);\n}\n"},
     "recv(): sockets"),
    ("a file", {"src/wire/a.c": "int a(void)\n{\n    return open(0, 0);\n}\n"}, "open(): files"),
    ("a thread", {"src/wire/a.c": "void a(void)\n{\n    pthread_create (0, 0, 0, 0);\n}\n"},
     "pthread_create(): threads"),
    ("the environment", {"src/wire/a.c": "char *a(void)\n{\n    return getenv(0);\n}\n"},
     "getenv(): the process"),
    ("the heap", {"src/wire/a.c": "void *a(void)\n{\n    return malloc(1);\n}\n"},
     "malloc(): the heap"),

    ("a long function", {"src/base/a.c": function(71)}, "src/base/a.c:1: long_one: 71 lines"),
    ("a long function in a test", {"tests/base/a.c": function(71)}, "long_one: 71 lines"),
    ("a long script", {"web/a.js": script(71)}, "web/a.js:1: longOne: 71 lines"),
    ("a long Python function", {"tools/a.py": "def a():\n" + "    b()\n" * 70}, "a: 71 lines"),
    ("a long file", {"src/base/a.c": "int a;\n" * 501}, "501 lines, over 500"),
    ("a test may be longer", {"tests/base/a.c": "int a;\n" * 700}, None),
    ("a long test", {"tests/base/a.c": "int a;\n" * 701}, "701 lines, over 700"),
    ("a wide line", {"web/a.css": "a" * 101 + "\n"}, "101 columns"),
    ("a wide line of a script without extension", {"a": "#!/bin/sh\n" + "a" * 101 + "\n"},
     "a:2: 101 columns"),

    ("a tab", {"src/base/a.c": "int\ta;\n"}, "a tab"),
    ("white space at an end", {"README.md": "a \n"}, "README.md:1: white space at the end"),
    ("no last line end", {"src/base/a.c": "int a;"}, "no line end"),
    ("empty last lines", {"src/base/a.c": "int a;\n\n"}, "empty lines at the end"),
    ("bytes that are no text", {"src/base/a.c": b"\xff\n"}, "not UTF-8"),
    ("a header without a comment", {"src/base/a.h": GOOD_HEADER.replace("good.h", "b.h")},
     "does not begin with a comment"),
    ("a wrong guard", {"src/base/a.h": GOOD_HEADER.replace("good.h", "a.h")},
     "guard is not MOIM_BASE_A_H"),
    ("a guard that ends early", {"src/base/good.h": GOOD_HEADER + "int a;\n"}, "#endif"),
    ("a metric that is counted nowhere", {"src/base/metrics.h": METRICS}, "METRIC_NEVER"),
    ("an event's name", {"src/room/a.c": 'void a(void)\n{\n    trace_add(0, 0, 1, "Joined");\n}\n'},
     'the event "Joined"'),
]

# name, {file: text} to compile, what an error must contain
OBJECT_CASES = [
    ("objects that are in order", {
        "src/base/pool.c": "void *malloc(unsigned long);\n"
                           "void *make(void) { return malloc(1); }\n",
        "src/wire/a.c": "void *make(void);\nvoid *a(void) { return make(); }\n"}, None),
    ("a symbol behind a pointer", {
        "src/base/a.c": "long time(long *);\nlong (*a)(long *) = time;\n"},
     "src/base/a.c:0: uses the symbol time"),
    ("a symbol that nobody listed", {
        "src/wire/a.c": "void unheard_of(void);\nvoid a(void) { unheard_of(); }\n"},
     "src/wire/a.c:0: uses the symbol unheard_of"),
    ("a library outside its file", {
        "src/wire/a.c": "int inflate(void *, int);\nint a(void) { return inflate(0, 0); }\n"},
     "src/wire/a.c:0: uses the symbol inflate"),
    ("the heap outside its files", {
        "src/wire/a.c": "void *(*a)(unsigned long);\nvoid *malloc(unsigned long);\n"
                        "void b(void) { a = malloc; }\n"}, "uses the symbol malloc"),
    ("an upward symbol", {
        "src/base/a.c": "void b(void);\nvoid a(void) { b(); }\n",
        "src/room/b.c": "void b(void);\nvoid b(void) { }\n"},
     "src/base/a.c:0: uses b of src/room/b.c: upward"),
]


def write(root, path, text):
    path = os.path.join(root, path)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as file:
        file.write(text if isinstance(text, bytes) else text.encode())


def build(root, files):
    """A static library of the files, its members named as Meson names them."""
    objects = []
    for path in files:
        objects.append(os.path.join(root, path.replace("/", "_") + ".o"))
        subprocess.run(["cc", "-fno-builtin", "-c", os.path.join(root, path), "-o", objects[-1]],
                       check=True)
    library = os.path.join(root, "libcore.a")
    subprocess.run(["ar", "rcs", library, *objects], check=True)
    return ["--library", library]


def run(files, wanted, compile_them=False):
    """"" when tidy says what it should; else what is wrong."""
    with tempfile.TemporaryDirectory() as root:
        write(root, "src/base/good.h", GOOD_HEADER)
        write(root, "src/base/good.c", GOOD_C)
        for path, text in files.items():
            write(root, path, text)
        more = build(root, files) if compile_them else []
        tidy = subprocess.run([TIDY, "--root", root, *more], capture_output=True, text=True)
    if tidy.stderr:
        return tidy.stderr
    if wanted is None and tidy.returncode != 0:
        return f"wanted no error, seen:\n{tidy.stdout}"
    if wanted is not None and (tidy.returncode != 1 or wanted not in tidy.stdout):
        return f"wanted an error with: {wanted}\nseen:\n{tidy.stdout}"
    return ""


def main():
    cases = [(*case, False) for case in CASES] + [(*case, True) for case in OBJECT_CASES]
    failed = 0
    print(f"1..{len(cases)}")
    for number, (name, files, wanted, compile_them) in enumerate(cases, 1):
        problem = run(files, wanted, compile_them)
        print(f"{'not ok' if problem else 'ok'} {number} - {name}")
        if problem:
            failed += 1
            print("# " + problem.strip().replace("\n", "\n# "))
    return 1 if failed else 0


sys.exit(main())
