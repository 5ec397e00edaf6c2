# SPDX-License-Identifier: Apache-2.0
"""The RPC of one boot and delete, beside upstream's recording. What differs must be in docs/compatibility.md, with why."""
import os

import rpc_summary
from lab import HERE, LAB, READY, until

GOLDEN_RPC = os.path.join(HERE, "..", "golden", "rpc")


def test_boot_and_delete_beside_upstream(lab):
    lab.server("warm-up").wait()
    lab.clean()
    path = os.path.join(LAB, "boot-recorded.jsonl")
    if os.path.exists(path):
        os.unlink(path)
    lab.command("tap", "start", path)
    try:
        server = lab.server("recorded").wait()
        until("a ready guest", 90, lambda: READY in server.console_file())
        server.delete()
    finally:
        lab.command("tap", "stop")
    want = rpc_summary.summary(os.path.join(GOLDEN_RPC, "upstream-boot.jsonl.xz"))
    got = rpc_summary.summary(path)
    print(f"                 messages sent for one boot and delete: {sum(e['count'] for e in got.values())}, "
          f"upstream {sum(e['count'] for e in want.values())}")
    with open(os.path.join(HERE, "..", "..", "docs", "compatibility.md"), encoding="utf-8") as file:
        known = file.read()
    new = [line for line in rpc_summary.differences(want, got) if f"`{line}`" not in known]
    assert not new, "; ".join(new)
