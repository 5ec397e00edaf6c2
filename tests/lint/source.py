#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Checks the house rules over the files git knows; prints TAP.

 - which folder may include which (docs/architecture.md)
 - no file longer than 1000 lines, no function longer than 120, unless a reason stands in the line before it:
   /* long function: WHY */ or, at the top of a file, /* long file: WHY */; generated files are not measured
 - the licence line in each source file and script
 - no absolute path of a developer's machine
 - no goto, no strcpy family, no g_return_* where an error must be set is left to review
"""
import os
import re
import subprocess
import sys

TOP = os.path.abspath(os.environ.get("G_TEST_SRCDIR") or os.path.join(os.path.dirname(__file__), "..", ".."))
MAY_INCLUDE = {
    "base": {"base"},
    "objects": {"base", "objects"},
    "rpc": {"base", "objects", "rpc"},
    "rest": {"base", "rest"},
    "virt": {"base", "virt"},
    "agent": {"base", "objects", "rpc", "rest", "virt", "agent"},
    "ctl": {"base", "ctl"},
}
FILE_LINES, FUNCTION_LINES = 1000, 120
FORBIDDEN_CALLS = re.compile(r"\b(goto|strcpy|strcat|sprintf|vsprintf|gets|system|popen|tmpnam|mktemp)\b(?=\s*\(|\s+\w+;)")
MACHINE_PATH = re.compile(r"(?<![\w.])/(?:work|home|root|Users)/\w")


def tracked():
    done = subprocess.run(["git", "-c", "safe.directory=*", "-C", TOP, "ls-files", "-co", "--exclude-standard"], capture_output=True, text=True, check=False)
    if done.returncode:
        print("1..0 # SKIP not a git checkout")
        sys.exit(0)
    return [n for n in done.stdout.splitlines() if os.path.isfile(os.path.join(TOP, n)) and not os.path.islink(os.path.join(TOP, n))]


def text_of(name):
    with open(os.path.join(TOP, name), encoding="utf-8", errors="replace") as file:
        return file.read()


def is_c(name):
    return name.endswith((".c", ".h"))


def without_comments(text):
    """The C text with comments and strings blanked, line by line as it was."""
    blank = lambda match: re.sub(r"[^\n]", " ", match.group())  # noqa: E731
    return re.sub(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"', blank, text, flags=re.S)


def includes(name, text):
    folder = name.split("/")[0]
    allowed = MAY_INCLUDE.get(folder)
    if not allowed or not is_c(name):
        return
    for number, line in enumerate(text.splitlines(), 1):
        match = re.match(r'\s*#\s*include\s+"([^"]+)"', line)
        if not match or match.group(1) == "config.h":
            continue
        target = match.group(1).split("/")[0]
        if target not in allowed:
            yield f"{name}:{number}: {folder}/ may not include \"{match.group(1)}\""


def sizes(name, text):
    generated = "/generated/" in name
    lines = text.splitlines()
    if is_c(name) or name.endswith((".py", ".sh")):
        if len(lines) > FILE_LINES and not generated and "long file:" not in "\n".join(lines[:5]):
            yield f"{name}: {len(lines)} lines (at most {FILE_LINES})"
    if not name.endswith(".c") or generated:
        return
    start = None
    for number, line in enumerate(lines, 1):
        if line == "{" or (line.endswith(") {") and line[:1] not in (" ", "\t", "}")):
            start = number
        elif line.startswith("}") and start is not None:
            length = number - start - 1
            if length > FUNCTION_LINES and not any("long function:" in before for before in lines[max(0, start - 6):start]):
                yield f"{name}:{start}: function of {length} lines (at most {FUNCTION_LINES})"
            start = None


def licence(name, text):
    code = is_c(name) or name.endswith((".py", ".sh", ".am", ".ac", ".m4")) or text.startswith("#!")
    if code and "SPDX-License-Identifier: Apache-2.0" not in "\n".join(text.splitlines()[:6]):
        yield f"{name}: no SPDX-License-Identifier line"


def machine_paths(name, text):
    if name.startswith("tests/lint/") or name.endswith((".xz", ".jsonl")):
        return
    for number, line in enumerate(text.splitlines(), 1):
        if MACHINE_PATH.search(line):
            yield f"{name}:{number}: path of a developer's machine"


def forbidden(name, text):
    if not name.endswith(".c") or name.split("/")[0] not in MAY_INCLUDE:
        return
    for number, line in enumerate(without_comments(text).splitlines(), 1):
        match = FORBIDDEN_CALLS.search(line)
        if match:
            yield f"{name}:{number}: {match.group(1)} is not used here"


CHECKS = (("include rules", includes), ("lengths of files and functions", sizes), ("licence lines", licence),
          ("no machine paths", machine_paths), ("no forbidden calls", forbidden))


def main():
    texts = {name: text_of(name) for name in tracked()}
    print(f"1..{len(CHECKS)}")
    failed = False
    for number, (what, check) in enumerate(CHECKS, 1):
        found = [line for name, text in sorted(texts.items()) for line in check(name, text)]
        print(f"{'not ok' if found else 'ok'} {number} - {what}")
        for line in found:
            print(f"# {line}")
        failed = failed or bool(found)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
