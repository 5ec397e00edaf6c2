# SPDX-License-Identifier: Apache-2.0
"""Rebuild: the server's disks made anew, from the same image or another."""
import os

from lab import INSTANCES, READY, golden, virsh


def disk_inode(server):
    return os.stat(os.path.join(INSTANCES, server.id, "disk")).st_ino


def backing(server):
    with open(os.path.join(INSTANCES, server.id, "disk"), "rb") as file:
        return file.read(4096)


def log_of(server):
    """Actions with their events, whose times are too coarse to tell their order."""
    return [[action, sorted(events)] for action, _, events in server.event_list()]


def state(server):
    shown = server.show()
    return [shown["status"], shown["OS-EXT-STS:vm_state"], shown["OS-EXT-STS:task_state"], shown["OS-EXT-STS:power_state"]]


def test_same_image_new_name(lab):
    server = lab.server("before", metadata={"a": "b"}, config_drive=True).wait()
    server.wait_console(READY)
    run, inode, address = virsh("domid", server.domain), disk_inode(server), server.show()["addresses"]["public"][0]["addr"]
    server.action("rebuild", {"imageRef": lab.image_id(), "name": "after", "hostname": "after", "metadata": {"c": "d"}, "key_name": "labkey",
                              "adminPass": "secret77"}).wait()
    shown = server.show()
    assert shown["name"] == "after" and shown["metadata"] == {"c": "d"} and shown["key_name"] == "labkey", shown
    assert shown["OS-EXT-STS:power_state"] == 1 and virsh("domid", server.domain) != run and disk_inode(server) != inode
    assert shown["addresses"]["public"][0]["addr"] == address, shown["addresses"]
    console = server.wait_console("SIMGUEST ssh up")
    assert "from=drive hostname=after" in console and "keys=1" in console and f"lease {address}" in console, console
    golden("events-rebuild", log_of(server))
    assert set(lab.usages()) == {"VCPU", "MEMORY_MB", "DISK_GB"}, lab.usages()
    server.delete()
    lab.nothing_left()


def test_other_image(lab):
    with open(lab.image_file("sim"), "rb") as file:
        other = lab.image("other", file.read(), hw_video_model="vga")
    server = lab.server("other", network="none").wait()
    assert "type='vga'" not in virsh("dumpxml", server.domain)
    before = backing(server)
    server.action("rebuild", {"imageRef": other}).wait()
    assert "type='vga'" in virsh("dumpxml", server.domain) and backing(server) != before
    assert server.show()["image"]["id"] == other
    server.wait_console(READY)


def test_a_stopped_server_stays_stopped(lab):
    server = lab.server("off").wait()
    server.action("os-stop").wait("SHUTOFF")
    inode = disk_inode(server)
    server.action("rebuild", {"imageRef": lab.image_id()}).wait("SHUTOFF")
    assert disk_inode(server) != inode and virsh("domstate", server.domain).strip() == "shut off"
    golden("events-rebuild-stopped", log_of(server))
    server.action("os-start").wait("ACTIVE")
    server.wait_console(READY)


def test_failures_and_the_way_back(lab):
    server = lab.server("fails", network="none").wait()
    server.action("rebuild", {"imageRef": lab.image_id(), "preserve_ephemeral": True}).wait("ERROR")
    found = {"preserve": [state(server), server.fault()["code"]]}
    server.action("rebuild", {"imageRef": lab.image_id()}).wait()
    server.wait_console(READY)
    bad = lab.image("bad", b"no qcow2 at all" * 1000)
    server.action("rebuild", {"imageRef": bad}).wait("ERROR")
    found["bad image"] = [state(server)]
    server.action("rebuild", {"imageRef": lab.image_id()}).wait()
    server.wait_console(READY)
    found["events"] = log_of(server)
    golden("rebuild-failures", found)
