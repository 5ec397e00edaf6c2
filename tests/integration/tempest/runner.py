#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""runner.py: runs classes of Tempest's tests in this process.

Each line of standard input is a JSON list of test ids of one class. For each comes one JSON line a test with its
result (another one when the class could not be cleaned up), then {"done": CLASS}. `--list REGEX` prints ids instead.
TEMPEST_CONFIG_DIR says where the configuration is. One process runs many classes, because importing Tempest takes some seconds.
"""
import json
import os
import re
import sys
import time
import unittest

TREE = "/usr/lib/python3/dist-packages"  # Debian's python3-tempest


def plain_id(test):
    """An id without the attributes in brackets: module.Class.test."""
    return test.id().split("[")[0]


def flatten(suite):
    for item in suite:
        if isinstance(item, unittest.TestSuite):
            yield from flatten(item)
        else:
            yield item


def find(regex):
    suite = unittest.TestLoader().discover(os.path.join(TREE, "tempest", "api", "compute"), top_level_dir=TREE)
    return sorted({plain_id(t) for t in flatten(suite) if re.search(regex, plain_id(t))})


def class_of(name):
    return name.rsplit(".", 1)[0]


class Results(unittest.TestResult):
    """Gives one result a test to `tell`. What happens in setUpClass counts for every test of the class."""

    def __init__(self, tell):
        super().__init__()
        self.tell, self.began, self.found, self.whole = tell, {}, {}, None

    def startTest(self, test):
        super().startTest(test)
        self.began[plain_id(test)] = time.monotonic()

    def stopTest(self, test):
        super().stopTest(test)
        name = plain_id(test)
        if name in self.found:
            self.tell(dict(self.found[name], test=name))

    def note(self, test, result, why=""):
        name = plain_id(test)
        if name.startswith(("setUpClass", "tearDownClass", "setUpModule", "tearDownModule")):
            if self.whole is None or self.whole[0] == "skipped":
                self.whole = (result, name.split(" ")[0] + ": " + why)
            return
        seconds = time.monotonic() - self.began.get(name, time.monotonic())
        known = self.found.get(name)
        if known is None or (known["result"] == "passed" and result == "failed"):
            self.found[name] = {"result": result, "seconds": round(seconds, 1), "why": why}

    def addSuccess(self, test):
        self.note(test, "passed")

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        self.note(test, "skipped", reason)

    def addError(self, test, err):
        super().addError(test, err)
        self.note(test, "failed", self.errors[-1][1])

    def addFailure(self, test, err):
        super().addFailure(test, err)
        self.note(test, "failed", self.failures[-1][1])

    def addExpectedFailure(self, test, err):
        self.note(test, "passed")

    def addUnexpectedSuccess(self, test):
        self.note(test, "failed", "expected to fail")


def run_class(names, tell):
    began = time.monotonic()
    suite = unittest.TestLoader().loadTestsFromName(class_of(names[0]))
    wanted = unittest.TestSuite(t for t in flatten(suite) if plain_id(t) in names)
    results = Results(tell)
    wanted.run(results)
    for name in names:
        found = results.found.get(name)
        if found is None:
            what, why = results.whole or ("failed", "the test did not run")
            tell({"test": name, "result": what, "seconds": 0, "why": why})
        elif results.whole and results.whole[0] == "failed" and found["result"] == "passed":
            tell(dict(found, test=name, result="failed", why=results.whole[1]))
    tell({"done": class_of(names[0]), "seconds": round(time.monotonic() - began, 1)})


def main():
    out = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # whatever a library prints is no result
    if len(sys.argv) == 3 and sys.argv[1] == "--list":
        print("\n".join(find(sys.argv[2])), file=out)
        return
    for line in sys.stdin:
        run_class(json.loads(line), lambda record: print(json.dumps(record), file=out))


if __name__ == "__main__":
    main()
