# SPDX-License-Identifier: Apache-2.0
"""Runs classes of Tempest tests in a few runner.py processes side by side."""
import json
import os
import select
import subprocess
import time

RUNNER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "runner.py")
SILENCE = 1500  # seconds without any result after which a worker is ended; a test of Tempest gives up by itself after some minutes


def environment(folder):
    env = {k: v for k, v in os.environ.items() if not k.startswith(("OS_", "PYTHON"))}
    return dict(env, TEMPEST_CONFIG_DIR=folder, OS_TEST_TIMEOUT="1200")


def list_tests(regex):
    done = subprocess.run([RUNNER, "--list", regex], capture_output=True, text=True, check=False, env=environment("/etc/tempest"))
    if done.returncode:
        raise RuntimeError("Tempest's tests could not be listed: " + done.stderr.strip()[-1000:])
    return done.stdout.split()


class Worker:
    """One runner.py, busy with one class at a time."""

    def __init__(self, folder, number):
        self.folder, self.number = folder, number
        self.process, self.names, self.unheard, self.heard, self.rest = None, [], [], 0, b""

    def start(self, names):
        if self.process is None:
            log = os.path.join(self.folder, f"worker-{self.number}.log")
            with open(log, "ab") as err:
                self.process = subprocess.Popen([RUNNER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=err,  # pylint: disable=consider-using-with
                                                env=environment(self.folder))
            self.rest = b""
        self.names, self.unheard, self.heard = list(names), list(names), time.monotonic()
        self.process.stdin.write(json.dumps(names).encode() + b"\n")
        self.process.stdin.flush()

    def read(self):
        """The records that have come; when the process has ended, failures of the tests that it still had."""
        data = os.read(self.process.stdout.fileno(), 65536)
        if not data:
            return self.lost("the worker ended")
        self.heard = time.monotonic()
        lines = (self.rest + data).split(b"\n")
        self.rest = lines.pop()
        records = [json.loads(line) for line in lines]
        told = {r.get("test") for r in records}
        self.unheard = [n for n in self.unheard if n not in told]
        if any("done" in r for r in records):
            self.names = []
        return records

    def lost(self, why):
        names, self.names, self.unheard = self.unheard, [], []
        self.end()
        return [{"test": n, "result": "failed", "seconds": 0, "why": why} for n in names]

    def end(self):
        if self.process is not None:
            self.process.stdin.close()
            self.process.kill()
            self.process.wait()
            self.process.stdout.close()
            self.process = None


def run(folder, classes, count, deadline, report):
    """Runs each list of test ids of `classes`; calls report(record) for each result. After the deadline no further class is begun.

    Returns the number of classes that were not begun.
    """
    todo = list(classes)[::-1]
    workers = [Worker(folder, i) for i in range(count)]
    try:
        while True:
            for worker in workers:
                if not worker.names and todo and time.monotonic() < deadline:
                    worker.start(todo.pop())
            busy = [w for w in workers if w.names]
            if not busy:
                return len(todo)
            ready, _, _ = select.select([w.process.stdout for w in busy], [], [], 5)
            for worker in busy:
                if worker.process.stdout in ready:
                    records = worker.read()
                elif time.monotonic() - worker.heard > SILENCE:
                    records = worker.lost(f"no result within {SILENCE} s")
                else:
                    continue
                for record in records:
                    if "test" in record:
                        report(record)
    finally:
        for worker in workers:
            worker.end()
