# SPDX-License-Identifier: Apache-2.0
"""novad is killed at each step of snapshots, rescues and their end."""
import importlib
import os

from lab import INSTANCES, READY, until, virsh

recovery = importlib.import_module("61_recovery")
snapshots = importlib.import_module("21_snapshots")


def after(server, states):
    status = recovery.settled(server, ("ACTIVE", "SHUTOFF", "PAUSED", "SUSPENDED", "RESCUE", "ERROR"))
    assert status in states, status
    assert "running" in virsh("domstate", server.domain), virsh("domstate", server.domain)
    until("an empty journal", 10, lambda: not recovery.journal())
    recovery.check_events(server)
    return status


def is_rescued(server):
    folder = os.listdir(os.path.join(INSTANCES, server.id))
    disks = virsh("domblklist", server.domain)
    signs = {"disk.rescue" in folder, "unrescue.xml" in folder, "disk.rescue" in disks}
    assert len(signs) == 1, (folder, disks)
    return signs.pop()


def test_snapshot(lab):
    with recovery.killable(lab):
        server = recovery.quick_server(lab)
        server.wait_console(READY)
        before = virsh("domid", server.domain)

        def check(place):
            recovery.order("snapshot_instance", place)
            image = snapshots.snapshot(lab, server, "snap-killed")
            recovery.await_death(lab)
            recovery.start(lab)
            status = after(server, ("ACTIVE",))
            assert virsh("domid", server.domain) == before and "mirror" not in virsh("dumpxml", server.domain)
            snapshots.no_files()
            known = lab.cloud.get("image", f"/v2/images/{image}")["status"]
            assert known == "active" or place[0] != "finish"
            return f"{status}, image {known}"
        recovery.each("snapshot_instance", [("take", 300), ("take", 900), ("take", 1500)], check)
        snapshots.wait_image(lab, snapshots.snapshot(lab, server, "snap-after"))


def test_rescue(lab):
    with recovery.killable(lab):
        server = recovery.quick_server(lab)

        def check(place):
            if server.show()["status"] == "RESCUE":
                server.action("unrescue").wait()
            recovery.order("rescue_instance", place)
            server.action("rescue")
            recovery.await_death(lab)
            recovery.start(lab)
            status = after(server, ("ACTIVE", "RESCUE"))
            assert (status == "RESCUE") == is_rescued(server), (status, is_rescued(server))
            assert status == "RESCUE" or place[0] != "finish"
            return status
        recovery.each("rescue_instance", [("rescue", 150), ("rescue", 500)], check)
        server.delete()
        lab.nothing_left()


def test_unrescue(lab):
    with recovery.killable(lab):
        server = recovery.quick_server(lab)

        def check(place):
            if server.show()["status"] == "ACTIVE":
                server.action("rescue").wait("RESCUE")
            recovery.order("unrescue_instance", place)
            server.action("unrescue")
            recovery.await_death(lab)
            recovery.start(lab)
            status = after(server, ("ACTIVE",))
            assert not is_rescued(server)
            return status
        recovery.each("unrescue_instance", [("unrescue", 150)], check)
        server.delete()
        lab.nothing_left()
