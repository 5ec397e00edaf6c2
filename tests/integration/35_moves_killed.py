# SPDX-License-Identifier: Apache-2.0
"""novad is killed in the parts of a resize or a shelve and started again: it goes on, or is taken back as a whole."""
import importlib
import os

from lab import INSTANCES, until, virsh

kill = importlib.import_module("61_recovery")

SHORT = ("migrated", "claim", "spawn")  # the steps of a short run

# (method, step before which it dies, what the user asks for after the resize, statuses that the server may come to rest in)
PLACES = [
    ("resize_instance", "disks", None, ["ACTIVE", "VERIFY_RESIZE"]),
    ("resize_instance", "migrated", None, ["ACTIVE", "VERIFY_RESIZE"]),
    ("resize_instance", "hand-over", None, ["VERIFY_RESIZE"]),
    ("finish_resize", "spawn", None, ["VERIFY_RESIZE"]),
    ("finish_resize", "settle", None, ["VERIFY_RESIZE"]),
    ("confirm_resize", "claim", "confirmResize", ["ACTIVE"]),
    ("confirm_resize", "settle", "confirmResize", ["ACTIVE"]),
    ("confirm_resize", "forget", "confirmResize", ["ACTIVE"]),
    ("revert_resize", "claim", "revertResize", ["ACTIVE"]),
    ("finish_revert_resize", "spawn", "revertResize", ["ACTIVE"]),
    ("finish_revert_resize", "settle", "revertResize", ["ACTIVE"]),
]


def held(lab, uuid):
    found = lab.cloud.get("placement", f"/allocations/{uuid}")["allocations"]
    return [entry["resources"]["VCPU"] for entry in found.values()]


def vcpus(server):
    return [int(line.split(":")[1]) for line in virsh("dominfo", server.domain).splitlines() if line.startswith("CPU(s)")][0]


def check(lab, flavor, method, step, action, statuses):
    server = lab.server("killed", network="none").wait()
    if action:
        server.action("resize", {"flavorRef": flavor}).wait("VERIFY_RESIZE")
    kill.order(method, ("run", step, "before"))
    server.action(action) if action else server.action("resize", {"flavorRef": flavor})
    kill.await_death(lab)
    kill.start(lab)
    status = kill.settled(server, statuses)
    size = vcpus(server)
    if status == "VERIFY_RESIZE":
        assert size == 2, size
        server.action("revertResize" if step == "settle" else "confirmResize").wait("ACTIVE")
        size = 1 if step == "settle" else 2
    elif action != "confirmResize":
        assert size == 1, size
    until("no folder of the resize", 30, lambda: not os.path.exists(os.path.join(INSTANCES, server.id + "_resize")))
    assert vcpus(server) == size and virsh("domstate", server.domain).strip() == "running"
    moves = lab.cloud.get("compute", f"/os-migrations?instance_uuid={server.id}")["migrations"]
    until("allocations of the server only", 30, lambda: held(lab, server.id) == [size] and not any(held(lab, m["uuid"]) for m in moves))
    until("an empty journal", 30, lambda: not kill.journal())
    server.delete()
    lab.nothing_left()
    return f"{status}, then {size} vCPUs"


def test_parts_of_a_resize(lab):
    flavor = lab.flavor("resize-killed", vcpus=2, ram=192, disk=2)
    chosen, failed = kill.few(*SHORT), []
    with kill.killable(lab):
        for place in PLACES if chosen is None else [p for p in PLACES if p[1] in chosen]:
            try:
                text = check(lab, flavor, *place)
            except (AssertionError, TimeoutError) as error:
                failed.append(f"{place[0]} {place[1]}: {error}")
                text = f"FAILED: {error}"
            kill.told(("run", place[1], place[0]), text)
    assert not failed, "; ".join(failed)


def test_shelving(lab):
    with kill.killable(lab):
        server = lab.server("shelved", network="none").wait()
        for step, status in (("snapshot", "ACTIVE"), ("offload-destroy", "SHELVED_OFFLOADED")):
            kill.order("shelve_instance", ("run", step, "before"))
            server.action("shelve")
            kill.await_death(lab)
            kill.start(lab)
            kill.settled(server, [status, "SHUTOFF"] if status == "ACTIVE" else [status])
        until("allocations of the server", 30, lambda: not held(lab, server.id))
        kill.order("unshelve_instance", ("run", "settle", "before"))
        server.action("unshelve")
        kill.await_death(lab)
        kill.start(lab)
        kill.settled(server, ["SHELVED_OFFLOADED"])
        assert not held(lab, server.id) and not os.path.exists(os.path.join(INSTANCES, server.id))
        server.action("unshelve").wait("ACTIVE")
        server.delete()
        lab.nothing_left()
