# SPDX-License-Identifier: Apache-2.0
"""Resize on the same host: to and fro, confirmed, reverted, confirmed by itself, refused, failed."""
import json
import os

from lab import INSTANCES, READY, HttpError, configured, golden, run, until, virsh


def disk(server, folder=""):
    return os.path.join(INSTANCES, server.id + folder, "disk")


def disk_gib(server):
    return json.loads(run("qemu-img", "info", "-U", "--output=json", disk(server)))["virtual-size"] / 2 ** 30


def machine(server):
    """vCPUs and MiB of the domain."""
    text = virsh("dominfo", server.domain)
    found = dict((line.split(":")[0].strip(), line.split(":")[1].split()[0]) for line in text.splitlines() if ":" in line and line.split(":")[1].split())
    return int(found["CPU(s)"]), int(found["Max memory"]) // 1024


def state(server):
    shown = server.show()
    return [shown["status"], shown["OS-EXT-STS:vm_state"], shown["OS-EXT-STS:task_state"], shown["OS-EXT-STS:power_state"],
            shown["flavor"]["original_name"]]


def migrations(lab, server):
    """[type, status] of each, oldest first."""
    found = lab.cloud.get("compute", f"/os-migrations?instance_uuid={server.id}")["migrations"]
    return [[m["migration_type"], m["status"]] for m in sorted(found, key=lambda m: m["id"])]


def consumers(lab, server):
    """What the server and its migrations hold in Placement: {"server": {...}, "migration": {...}}."""
    moves = lab.cloud.get("compute", f"/os-migrations?instance_uuid={server.id}")["migrations"]
    found = {}
    for name, uuid in [("server", server.id)] + [("migration", m["uuid"]) for m in moves]:
        for entry in lab.cloud.get("placement", f"/allocations/{uuid}")["allocations"].values():
            found[name] = entry["resources"]
    return found


def used(lab):
    """vCPUs and MiB that the compute node says are used."""
    node = lab.cloud.get("compute", "/os-hypervisors/detail", microversion="2.87")["hypervisors"][0]
    return node["vcpus_used"], node["memory_mb_used"]


RESIZE = ["compute_finish_resize", "compute_prep_resize", "compute_resize_instance"]


def events_of(server, action):
    """{event: result} of the agent's part of the newest such action."""
    found = [a for a in server.actions() if a["action"] == action][0]
    return {e["event"]: e["result"] for e in found["events"] if e["event"].startswith("compute_")}


def log_of(server):
    """Actions with their events, whose times are too coarse to tell their order."""
    return [[action, sorted(events)] for action, _, events in server.event_list()]


def test_resize_and_confirm(lab):
    big = lab.flavor("resize-big", vcpus=2, ram=192, disk=2)
    before = used(lab)
    server = lab.server("grow").wait()
    server.wait_console(READY)
    small, address = machine(server), server.show()["addresses"]["public"][0]["addr"]
    server.action("resize", {"flavorRef": big}).wait("VERIFY_RESIZE")
    assert machine(server) == (2, 192) and small == (1, 128), (small, machine(server))
    assert disk_gib(server) == 2 and os.path.exists(disk(server, "_resize"))
    assert virsh("domstate", server.domain).strip() == "running"
    assert consumers(lab, server) == {"server": {"VCPU": 2, "MEMORY_MB": 192, "DISK_GB": 2},
                                      "migration": {"VCPU": 1, "MEMORY_MB": 128, "DISK_GB": 1}}, consumers(lab, server)
    assert migrations(lab, server) == [["resize", "finished"]], migrations(lab, server)
    assert used(lab) == (before[0] + 3, before[1] + 320), (before, used(lab))
    console = server.wait_console("SIMGUEST lease")
    assert f"lease {address}" in console and "SIMGUEST disk vda 4194304" in console, console
    server.action("confirmResize").wait("ACTIVE")
    server.wait_action("confirmResize")
    assert not os.path.exists(disk(server, "_resize"))
    assert consumers(lab, server) == {"server": {"VCPU": 2, "MEMORY_MB": 192, "DISK_GB": 2}}, consumers(lab, server)
    assert migrations(lab, server) == [["resize", "confirmed"]], migrations(lab, server)
    until("usage of the new flavor only", 70, lambda: used(lab) == (before[0] + 2, before[1] + 192))
    assert events_of(server, "resize") == dict.fromkeys(RESIZE, "Success"), server.actions()
    assert events_of(server, "confirmResize") == {"compute_confirm_resize": "Success"}, server.actions()
    assert state(server) == ["ACTIVE", "active", None, 1, "resize-big"], state(server)
    server.action("reboot", {"type": "HARD"}).wait("ACTIVE")
    assert machine(server) == (2, 192)
    server.delete()
    lab.nothing_left()


def test_resize_and_revert(lab):
    big = lab.flavor("resize-back", vcpus=2, ram=192, disk=2, ephemeral=1)
    before = used(lab)
    server = lab.server("back").wait()
    server.wait_console(READY)
    inode, address = os.stat(disk(server)).st_ino, server.show()["addresses"]["public"][0]["addr"]
    server.action("resize", {"flavorRef": big}).wait("VERIFY_RESIZE")
    assert machine(server) == (2, 192)
    server.action("revertResize").wait("ACTIVE")
    server.wait_action("revertResize")
    assert machine(server) == (1, 128) and disk_gib(server) == 1
    assert os.stat(disk(server)).st_ino == inode, "the disk is not the one from before"
    assert not os.path.exists(disk(server, "_resize"))
    assert consumers(lab, server) == {"server": {"VCPU": 1, "MEMORY_MB": 128, "DISK_GB": 1}}, consumers(lab, server)
    assert migrations(lab, server) == [["resize", "reverted"]], migrations(lab, server)
    until("usage of the old flavor only", 70, lambda: used(lab) == (before[0] + 1, before[1] + 128))
    console = server.wait_console("SIMGUEST lease")
    assert f"lease {address}" in console, console
    assert events_of(server, "revertResize") == {"compute_revert_resize": "Success", "compute_finish_revert_resize": "Success"}, server.actions()
    assert state(server) == ["ACTIVE", "active", None, 1, "m1.nano"], state(server)
    server.delete()
    lab.nothing_left()


def test_a_stopped_server_stays_stopped(lab):
    big = lab.flavor("resize-off", vcpus=2, ram=192, disk=2)
    server = lab.server("off", network="none").wait()
    server.action("os-stop").wait("SHUTOFF")
    server.action("resize", {"flavorRef": big}).wait("VERIFY_RESIZE")
    assert virsh("domstate", server.domain).strip() == "shut off" and machine(server) == (2, 192)
    server.action("revertResize").wait("SHUTOFF")
    server.wait_action("revertResize")
    assert machine(server) == (1, 128)
    server.action("resize", {"flavorRef": big}).wait("VERIFY_RESIZE")
    server.action("confirmResize").wait("SHUTOFF")
    server.wait_action("confirmResize")
    golden("events-resize-stopped", [log_of(server), state(server), migrations(lab, server)])
    server.action("os-start").wait("ACTIVE")
    server.wait_console(READY)


def test_a_smaller_disk_is_refused(lab):
    big = lab.flavor("resize-disk", vcpus=1, ram=128, disk=1, ephemeral=1)
    server = lab.server("shrink", flavor=big, network="none").wait()
    run_before = virsh("domid", server.domain)
    server.action("resize", {"flavorRef": "m1.nano"}).wait_action("resize")
    until("a server that is at rest", 30, lambda: server.show()["OS-EXT-STS:task_state"] is None)
    assert virsh("domid", server.domain) == run_before, "the guest was touched"
    until("allocations of the server only", 30, lambda: consumers(lab, server) == {"server": {"VCPU": 1, "MEMORY_MB": 128, "DISK_GB": 2}})
    assert events_of(server, "resize") == {"compute_prep_resize": "Success", "compute_resize_instance": "Error"}, server.actions()
    assert state(server)[:4] == ["ACTIVE", "active", None, 1] and migrations(lab, server) == [["resize", "error"]], state(server)


def test_migration_to_itself_is_refused(lab):
    server = lab.server("self", network="none").wait()
    try:
        server.action("migrate")
        server.wait_action("migrate")
        answer = 202
    except HttpError as error:
        answer = error.status
    until("a server that is at rest", 30, lambda: server.show()["OS-EXT-STS:task_state"] is None)
    golden("migrate-self", [answer, log_of(server), state(server), migrations(lab, server)])
    until("allocations of the server only", 30, lambda: list(consumers(lab, server)) == ["server"])


def test_deleted_while_it_waits(lab):
    big = lab.flavor("resize-gone", vcpus=2, ram=192, disk=2)
    server = lab.server("gone", network="none").wait()
    server.action("resize", {"flavorRef": big}).wait("VERIFY_RESIZE")
    server.delete()
    lab.nothing_left()


def test_a_failure_at_the_end(lab):
    """The new machine cannot be made: the server is in ERROR, and its files can be brought back by a revert or a reboot."""
    broken = lab.flavor("resize-broken", vcpus=2, ram=192, disk=2)
    lab.cloud.post("compute", f"/flavors/{broken}/os-extra_specs", {"extra_specs": {"hw:watchdog_action": "bogus"}}, microversion="2.61")
    server = lab.server("broken", network="none").wait()
    server.action("resize", {"flavorRef": broken}).wait("ERROR")
    until("the end of every event", 30, server.event_list)
    golden("resize-broken", [log_of(server), state(server), migrations(lab, server), sorted(consumers(lab, server)),
                             os.path.exists(disk(server)), os.path.exists(disk(server, "_resize")), server.fault()["code"]])
    server.delete()
    if lab.agent == "novad":  # nova-compute leaves the folder of the resize
        lab.nothing_left()


def test_confirmed_by_itself(lab):
    big = lab.flavor("resize-window", vcpus=2, ram=192, disk=2)
    with configured(lab, "resize_confirm_window = 1"):
        server = lab.server("window", network="none").wait()
        server.action("resize", {"flavorRef": big}).wait("VERIFY_RESIZE")
        server.wait("ACTIVE", 150)
        server.wait_action("confirmResize")
        golden("events-resize-window", [log_of(server), state(server), migrations(lab, server)])
