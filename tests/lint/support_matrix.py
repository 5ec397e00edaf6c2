#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Checks docs/support-matrix.md: all rows are there, their states are known ones, their tests exist; prints TAP."""
import json
import os
import re
import sys

TOP = os.path.abspath(os.environ.get("G_TEST_SRCDIR") or os.path.join(os.path.dirname(__file__), "..", ".."))
ROWS = 59
STATES = ("works", "in part", "refused like upstream", "not yet")
NEED_TESTS = ("works", "in part")


def text_of(*path):
    try:
        with open(os.path.join(TOP, *path), encoding="utf-8") as file:
            return file.read()
    except FileNotFoundError:
        return ""


def exists(test):
    """Whether the test of that name (see the page) is in the tree."""
    if test.startswith("oracle/"):
        return bool(text_of("tests", test))
    place, _, name = test.partition(":")
    if place.startswith("domain-xml/"):
        cases = text_of("tests", "golden", "domain-xml", "cases", place.split("/", 1)[1] + ".json")
        return bool(cases) and name in json.loads(cases)["cases"]
    if place.startswith("test-"):
        code = text_of("tests", "unit", place + ".c")
        return f'"{name}"' in code or (f'"{os.path.dirname(name)}/"' in code and f'"{os.path.basename(name)}"' in code)
    return re.search(rf"^def {re.escape(name)}\(", text_of("tests", "integration", place + ".py"), re.M) is not None


def table():
    for line in text_of("docs", "support-matrix.md").splitlines():
        if line.startswith("| `"):
            yield [cell.strip() for cell in line.strip("|").split("|")]


def main():
    rows = list(table())
    keys = [row[0] for row in rows]
    checks = [("all rows of upstream's matrix, once each", [f"{len(set(keys))} different keys of {len(rows)} rows, not {ROWS}"]
               if not len(set(keys)) == len(rows) == ROWS else [])]
    shapes, states, tests = [], [], []
    for row in rows:
        if len(row) != 5:
            shapes.append(f"{row[0]}: {len(row)} columns")
            continue
        state = row[3].split(" — ")[0]
        named = re.findall(r"`([^`]+)`", row[4])
        if state not in STATES:
            states.append(f"{row[0]}: unknown state '{state}'")
        if not named and (state in NEED_TESTS or row[4] != "—"):
            tests.append(f"{row[0]}: no test")
        tests += [f"{row[0]}: there is no test {test}" for test in named if not exists(test)]
    checks += [("five columns", shapes), ("known states", states), ("the tests exist", tests)]
    print(f"1..{len(checks)}")
    for number, (what, found) in enumerate(checks, 1):
        print(f"{'not ok' if found else 'ok'} {number} - {what}")
        for line in found:
            print(f"# {line}")
    return 1 if any(found for _, found in checks) else 0


if __name__ == "__main__":
    sys.exit(main())
