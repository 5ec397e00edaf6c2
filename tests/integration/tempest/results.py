# SPDX-License-Identifier: Apache-2.0
"""Results of Tempest's tests: stored while they come, compared, and shown as a table."""
import json
import os

PREFIX = "tempest.api.compute."


def last_line(text):
    lines = [line for line in text.strip().splitlines() if line.strip()]
    return lines[-1].strip()[:300] if lines else ""


class Store:
    """What one agent gave: {test: {result, seconds, why}} in a JSON file."""

    def __init__(self, path, about=None):
        self.path, self.about, self.tests = path, about or {}, {}

    @classmethod
    def read(cls, path):
        store = cls(path)
        with open(path, encoding="utf-8") as file:
            data = json.load(file)
        store.about, store.tests = data["about"], data["tests"]
        return store

    def write(self):
        os.makedirs(os.path.dirname(os.path.abspath(self.path)), exist_ok=True)
        with open(self.path + ".part", "w", encoding="utf-8") as file:
            file.write('{\n "about": ' + json.dumps(self.about, sort_keys=True) + ',\n "tests": {\n')
            file.write(",\n".join(f"  {json.dumps(name)}: {json.dumps(self.tests[name], sort_keys=True)}" for name in sorted(self.tests)))
            file.write("\n }\n}\n")
        os.replace(self.path + ".part", self.path)

    def add(self, record):
        kept = {"result": record["result"], "seconds": record["seconds"]}
        if record["result"] != "passed":
            kept["why"] = last_line(record["why"])
        self.tests[record["test"]] = kept
        self.write()

    def of(self, name):
        return self.tests.get(name, {}).get("result")


def verdict(first, second):
    """What a pair of results means: same, worse, better, or unknown when one of them is missing."""
    if first is None or second is None:
        return "worse" if second == "failed" else "unknown"
    if first == second:
        return "same"
    if first == "passed" or (first == "skipped" and second == "failed"):
        return "worse"
    return "better"


def totals(names, store):
    count = {"passed": 0, "failed": 0, "skipped": 0, None: 0}
    for name in names:
        count[store.of(name)] += 1
    line = ", ".join(f"{count[k]} {k}" for k in ("passed", "failed", "skipped"))
    return line + (f", {count[None]} not run" if count[None] else "")


def table(names, first, second):
    """Markdown: a line a test, where the two differ or one failed first."""
    def line(name):
        why = second.tests.get(name, {}).get("why") or first.tests.get(name, {}).get("why") or ""
        return f"| {name.removeprefix(PREFIX)} | {first.of(name) or '-'} | {second.of(name) or '-'} | {why.replace('|', ' ')} |"
    rows = sorted(names, key=lambda n: ({"worse": 0, "better": 1, "unknown": 2, "same": 3}[verdict(first.of(n), second.of(n))], n))
    return "\n".join(["| test of tempest.api.compute | nova-compute | novad | reason |", "|---|---|---|---|"] + [line(n) for n in rows]) + "\n"
