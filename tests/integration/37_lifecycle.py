# SPDX-License-Identifier: Apache-2.0
"""A server's whole life beside upstream's recording of it; compare-agents tells more. Unknown differences fail."""
import os

import lifecycle
from lab import Skip
from lifecycle_differences import RECORDED, Known, differences, grouped, load
from lifecycle_recorder import Recorder


def test_beside_upstream(lab):
    if lab.agent != "novad":
        raise Skip("the recording is nova-compute's own; tests/integration/compare-agents --record makes it")
    if not os.path.exists(RECORDED):
        raise Skip("nova-compute's life has not been recorded yet; tests/integration/compare-agents --record does it")
    known, got = Known(), {}
    lifecycle.record(lab, Recorder, lambda text: None, got)
    new = [(row, line) for row, line in differences(load(RECORDED), got, hosts=False) if not known.explains(row, line)]
    assert not new, f"{len(new)} unknown differences (upstream's -> novad's): " + "; ".join(list(grouped(new))[:20])
