# SPDX-License-Identifier: Apache-2.0
"""How one recording of the lifecycle differs from another, and which of it is known (docs/compatibility.md)."""
import difflib
import json
import lzma
import os
import re

from lab import HERE

DOCS = os.path.join(HERE, "..", "..", "docs", "compatibility.md")
RECORDED = os.path.join(HERE, "..", "golden", "lifecycle", "zed.json.xz")
HEADING = "## The life of a server"
NOTHING = "nothing"


def shown(value):
    return value if value is NOTHING else json.dumps(value, sort_keys=True)


def values(where, want, got):
    """Lines for the members of two flat dicts that differ."""
    for path in sorted(set(want) | set(got)):
        if path not in got:
            yield f"{where} {path}: {shown(want[path])} -> {NOTHING}"
        elif path not in want:
            yield f"{where} {path}: {NOTHING} -> {shown(got[path])}"
        elif want[path] != got[path]:
            yield f"{where} {path}: {shown(want[path])} -> {shown(got[path])}"


def label(notification):
    """What tells a notification from the next in the order of a row: updates are told by their states too."""
    payload, kind = notification["payload"], notification["type"]
    if kind == "compute.instance.update":
        return f"{kind} {payload.get('old_state')}/{payload.get('old_task_state')} to {payload.get('state')}/{payload.get('new_task_state')}"
    if kind == "instance.update":
        state = {k: payload.get(f"state_update.{k}") for k in ("old_state", "old_task_state", "state", "new_task_state")}
        return f"{kind} {state['old_state']}/{state['old_task_state']} to {state['state']}/{state['new_task_state']}"
    return kind


def notifications(kind, want, got):
    matcher = difflib.SequenceMatcher(None, [label(n) for n in want], [label(n) for n in got], autojunk=False)
    for what, first, last, other, end in matcher.get_opcodes():
        if what != "equal":
            for missing in want[first:last]:
                yield f"{kind} not sent: {label(missing)}"
            for more in got[other:end]:
                yield f"{kind} sent besides: {label(more)}"
            continue
        for ours, theirs in zip(got[other:end], want[first:last]):
            for part in ("priority", "publisher"):
                if ours[part] != theirs[part]:
                    yield f"{kind} {ours['type']} {part}: {shown(theirs[part])} -> {shown(ours[part])}"
            yield from values(f"{kind} {ours['type']}", theirs["payload"], ours["payload"])


def actions(want, got):
    for index in range(max(len(want), len(got))):
        theirs = want[index] if index < len(want) else NOTHING
        ours = got[index] if index < len(got) else NOTHING
        if NOTHING in (theirs, ours) or theirs[:2] != ours[:2]:
            yield f"action: {shown(theirs)} -> {shown(ours)}"
            continue
        events = [{e[0]: dict(zip(("result", "host", "details", "traceback"), e[1:])) for e in side[2]} for side in (theirs, ours)]
        yield from values(f"action {ours[0]}", flat_events(events[0]), flat_events(events[1]))


def flat_events(events):
    return {f"{name} {key}": value for name, members in events.items() for key, value in members.items()}


def of_row(want, got):
    if got.get("failure") or want.get("failure"):
        yield f"failure: {shown(want.get('failure'))} -> {shown(got.get('failure'))}"
    if want["answer"] != got["answer"]:
        yield f"answer: {shown(want['answer'])} -> {shown(got['answer'])}"
    yield from actions(want["actions"], got["actions"])
    for kind in sorted(set(want["notifications"]) | set(got["notifications"])):
        yield from notifications(kind, want["notifications"].get(kind, []), got["notifications"].get(kind, []))
    yield from values("database", want["database"], got["database"])


def differences(want, got, hosts=True):
    """[(row, line), ...]; `want` is upstream's. hosts: both were recorded on the same host."""
    out = []
    if hosts:
        out += [("host", line) for line in values("compute node", want["host"], got["host"])]
    ours = {row["row"]: row for row in got["rows"]}
    for row in want["rows"]:
        if row["row"] not in ours:
            out.append((row["row"], "row: recorded -> not done"))
        else:
            out += [(row["row"], line) for line in of_row(row, ours[row["row"]])]
    return out


class Known:
    """The table of explained differences: `ROW: LINE` with * for anything, and why."""

    def __init__(self, path=DOCS):
        with open(path, encoding="utf-8") as file:
            text = file.read()
        section = text.partition(HEADING)[2].partition("\n## ")[0]
        self.table = {pattern: why.strip() for pattern, why in re.findall(r"^\| `(.+?)` \| (.+?) \|$", section, re.M)}
        self.patterns = {p: re.compile(".*".join(re.escape(part) for part in p.split("*"))) for p in self.table}
        self.seen = set()

    def explains(self, row, line):
        found = [p for p, pattern in self.patterns.items() if pattern.fullmatch(f"{row}: {line}")]
        self.seen.update(found)
        return bool(found)

    def unseen(self):
        return [p for p in self.table if p not in self.seen]


def grouped(found):
    """Lines, each once, with the rows in which it was seen."""
    rows = {}
    for row, line in found:
        rows.setdefault(line, []).append(row)
    for line, where in rows.items():
        names = list(dict.fromkeys(where))
        yield f"{', '.join(names[:6])}{', ...' if len(names) > 6 else ''}: {line}"


def times(want, got):
    """Lines of the seconds of each row, side by side."""
    ours = {row["row"]: row["seconds"] for row in got["rows"]}
    yield f"{'row':24}{want['agent']:>14}{got['agent']:>14}   ratio"
    for row in want["rows"]:
        if row["row"] in ours:
            mine = ours[row["row"]]
            yield f"{row['row']:24}{row['seconds']:12.2f} s{mine:12.2f} s{mine / max(row['seconds'], 0.01):8.2f}" \
                  f"{'  slower' if mine > row['seconds'] * 1.1 + 0.1 else ''}"
    both = [row for row in want["rows"] if row["row"] in ours]
    total, mine = sum(r["seconds"] for r in both), sum(ours[r["row"]] for r in both)
    yield f"{'all':24}{total:12.2f} s{mine:12.2f} s{mine / max(total, 0.01):8.2f}"


def load(path):
    opened = lzma.open if path.endswith(".xz") else open
    with opened(path, "rt", encoding="utf-8") as file:
        return json.load(file)


def save(path, recording):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    opened = lzma.open if path.endswith(".xz") else open
    with opened(path, "wt", encoding="utf-8") as file:
        json.dump(recording, file, sort_keys=True)
