#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What a compute agent sent over RPC, out of a recording of the broker (tests/lab/rpctap.py).

rpc_summary.py RECORDING [OTHER]      prints the summary, or how OTHER differs from RECORDING
rpc_summary.py --compact RECORDING OUT.jsonl.xz     keeps Nova's messages only, without tokens and passwords
"""
import collections
import json
import lzma
import re
import sys

SECRET = re.compile(r"(gAAAA[\w=-]+|labpw)")
# Sent by the clock, not by the request: they may or may not fall into a recording.
PERIODIC = {"call conductor Service.save", "cast scheduler sync_instance_info", "call conductor Instance.get_by_uuid",
            "call conductor InstanceList.get_by_host", "call conductor InstanceList.get_by_filters",
            "call conductor InstanceList.get_uuids_by_host", "call conductor BlockDeviceMappingList.get_by_instance_uuid",
            "call conductor VirtualInterfaceList.get_by_instance_uuid"}


def rows(path):
    opened = lzma.open(path, "rt", encoding="utf-8") if path.endswith(".xz") else open(path, encoding="utf-8")
    with opened as file:
        for line in file:
            row = json.loads(line)
            message = row["body"].get("oslo.message") if isinstance(row["body"], dict) else None
            if isinstance(message, dict):
                yield row, message


def agent_queue(path):
    """The reply queue of the compute agent: the one on which it awaits its ComputeNode and Instance calls."""
    votes = collections.Counter()
    for _, message in rows(path):
        args = message.get("args") or {}
        subject = args.get("objinst") or {}
        if message.get("_reply_q") and message.get("method") == "object_action" and isinstance(subject, dict):
            if subject.get("nova_object.name") in ("Service", "ComputeNode", "InstanceInfoCache", "Instance"):
                votes[message["_reply_q"]] += 1
    if not votes:
        raise SystemExit(f"{path}: no compute agent speaks in this recording")
    return votes.most_common(1)[0][0]


def audits(path):
    """The requests of resource audits (update_available_resource): the clock starts them, they may fall into a recording."""
    return {message.get("_context_request_id") for _, message in rows(path)
            if (message.get("args") or {}).get("objname") == "MigrationList"
            and message["args"].get("objmethod") == "get_in_progress_and_error"}


def summary(path):
    """{what: {"count": n, "changes": set of changed fields}} of what the agent sent, without resource audits."""
    queue, out, left_out = agent_queue(path), {}, audits(path)
    for row, message in rows(path):
        if message.get("_context_request_id") in left_out:
            continue
        topic = row["keys"][0].split(".")[0] if row["keys"] and row["keys"][0] else row["exchange"].replace("_fanout", "")
        method, args = message.get("method"), message.get("args") or {}
        if not method:
            continue
        ours = message.get("_reply_q") == queue or (row["exchange"] == "scheduler_fanout") or \
            (topic == "scheduler" and "_reply_q" not in message)
        if not ours:
            continue
        changes = []
        if method == "object_action":
            subject = args["objinst"]
            what = f"call conductor {subject['nova_object.name']}.{args['objmethod']}"
            changes = subject.get("nova_object.changes", [])
        elif method == "object_class_action_versions":
            what = f"call conductor {args['objname']}.{args['objmethod']}"
        else:
            what = f"{'call' if '_reply_q' in message else 'cast'} {topic} {method}"
        entry = out.setdefault(what, {"count": 0, "changes": set()})
        entry["count"] += 1
        entry["changes"].update(changes)
    return out


def differences(want, got):
    """Lines that say how `got` differs from `want`; the clock's messages and counts are left out."""
    for what in sorted(set(want) | set(got)):
        if what in PERIODIC:
            continue
        if what not in got:
            yield f"not sent: {what}"
        elif what not in want:
            yield f"sent besides: {what}"
        else:
            less, more = want[what]["changes"] - got[what]["changes"], got[what]["changes"] - want[what]["changes"]
            for field in sorted(less):
                yield f"not changed: {what} {field}"
            for field in sorted(more):
                yield f"changed besides: {what} {field}"


def compact(path, out):
    queue = agent_queue(path)
    with lzma.open(out, "wt", preset=9, encoding="utf-8") as file:
        for row, message in rows(path):
            nova = row["exchange"] in ("nova", "scheduler_fanout") or row["keys"][0] == queue
            if nova and message.get("method") != "get_console_output":
                file.write(SECRET.sub("SECRET", json.dumps(row)) + "\n")


def main(argv):
    if len(argv) == 4 and argv[1] == "--compact":
        compact(argv[2], argv[3])
    elif len(argv) == 3:
        print("\n".join(differences(summary(argv[1]), summary(argv[2]))))
    elif len(argv) == 2:
        for what, entry in sorted(summary(argv[1]).items()):
            print(f"{entry['count']:4} {what} {' '.join(sorted(entry['changes']))}")
    else:
        raise SystemExit(__doc__)


if __name__ == "__main__":
    main(sys.argv)
