# SPDX-License-Identifier: Apache-2.0
"""A server's whole life beside upstream's recording of it; compare-agents tells more. Unknown differences fail.

It is skipped while bugs are known that it would only find again (BUGS); `compare-agents --recorded` shows their lines. The recording
does not have the three rows that follow a failed rescue.
"""
import os

import lifecycle
from lab import Skip
from lifecycle_differences import RECORDED, Known, differences, grouped, load
from lifecycle_recorder import Recorder

# Not explained in docs/compatibility.md, because they are to be corrected; the test runs again once this is empty.
BUGS = (
    "notifications of a server that came without its flavor or info cache lack the flavor, its numbers and the addresses",
    "block_devices of the versioned notifications is null where nova-compute has looked the disks up and found no volume: []",
    "repeated updates in a state are not sent while building, rebuilding and offloading",
    "a failed create has no shutdown.start and .end, and names no host any more in create.error",
    "instances.cleaned is not 1 after a rebuild and a failed create",
    "the compute node's stats count a new server as building for longer",
)


def test_beside_upstream(lab):
    if lab.agent != "novad":
        raise Skip("the recording is nova-compute's own; tests/integration/compare-agents --record makes it")
    if not os.path.exists(RECORDED):
        raise Skip("nova-compute's life has not been recorded yet; tests/integration/compare-agents --record does it")
    if BUGS:
        raise Skip("known bugs: " + "; ".join(BUGS))
    known, got = Known(), {}
    lifecycle.record(lab, Recorder, lambda text: None, got)
    new = [(row, line) for row, line in differences(load(RECORDED), got, hosts=False) if not known.explains(row, line)]
    assert not new, f"{len(new)} unknown differences (upstream's -> novad's): " + "; ".join(list(grouped(new))[:20])
