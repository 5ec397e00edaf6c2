# SPDX-License-Identifier: Apache-2.0
"""Shelve, offload and unshelve."""
import os

from lab import INSTANCES, READY, configured, until, virsh


def state(server):
    shown = server.show()
    return [shown["status"], shown["OS-EXT-STS:vm_state"], shown["OS-EXT-STS:task_state"], shown["OS-EXT-STS:power_state"],
            bool(shown["OS-EXT-SRV-ATTR:host"]), bool(shown["OS-EXT-AZ:availability_zone"])]


def events_of(server, action):
    """{event: result} of the agent's part of the newest such action."""
    found = [a for a in server.actions() if a["action"] == action][0]
    return {e["event"]: e["result"] for e in found["events"] if e["event"].startswith("compute_")}


def shelved_images(lab, server):
    return lab.cloud.get("image", f"/v2/images?name={server.show()['name']}-shelved")["images"]


def allocated(lab, server):
    """What it holds in Placement."""
    for entry in lab.cloud.get("placement", f"/allocations/{server.id}")["allocations"].values():
        return entry["resources"]
    return {}


def port_binding(lab, server):
    port = lab.cloud.get("network", f"/v2.0/ports?device_id={server.id}")["ports"][0]
    return [bool(port["binding:host_id"]), port["binding:vif_type"]]


def test_shelve_and_unshelve(lab):
    server = lab.server("shelf").wait()
    server.wait_console(READY)
    address = server.show()["addresses"]["public"][0]["addr"]
    server.action("shelve").wait("SHELVED_OFFLOADED", 180)
    server.wait_action("shelve")
    image = shelved_images(lab, server)[0]
    assert events_of(server, "shelve") == {"compute_shelve_instance": "Success"}, server.actions()
    assert state(server) == ["SHELVED_OFFLOADED", "shelved_offloaded", None, 4, False, False], state(server)
    assert image["status"] == "active" and image["disk_format"] == "qcow2", image
    assert not allocated(lab, server), allocated(lab, server)
    assert not os.path.exists(os.path.join(INSTANCES, server.id))
    assert server.domain not in virsh("list", "--all", "--name")
    server.action("unshelve").wait("ACTIVE", 180)
    server.wait_action("unshelve")
    console = server.wait_console("SIMGUEST lease")
    assert f"lease {address}" in console, console
    until("end of the shelved image", 30, lambda: not shelved_images(lab, server))
    assert events_of(server, "unshelve") == {"compute_unshelve_instance": "Success"}, server.actions()
    assert state(server) == ["ACTIVE", "active", None, 1, True, True], state(server)
    assert port_binding(lab, server) == [True, "bridge"], port_binding(lab, server)
    assert set(allocated(lab, server)) == {"VCPU", "MEMORY_MB", "DISK_GB"}, allocated(lab, server)
    assert server.show()["image"]["id"] == lab.image_id()
    server.action("reboot", {"type": "HARD"}).wait("ACTIVE")
    server.wait_console(READY)
    server.delete()
    lab.nothing_left()


def test_shelved_on_its_host(lab):
    """With shelved_offload_time = -1 the server stays here, shut off, until it is offloaded or unshelved."""
    with configured(lab, "shelved_offload_time = -1"):
        server = lab.server("stay", network="none").wait()
        server.action("shelve").wait("SHELVED", 180)
        server.wait_action("shelve")
        assert state(server)[:4] == ["SHELVED", "shelved", None, 4], state(server)
        assert virsh("domstate", server.domain).strip() == "shut off"
        assert len(shelved_images(lab, server)) == 1, shelved_images(lab, server)
        server.action("unshelve").wait("ACTIVE")
        server.wait_action("unshelve")
        until("end of the shelved image", 30, lambda: not shelved_images(lab, server))
        server.wait_console(READY)
        server.action("os-stop").wait("SHUTOFF")
        server.action("shelve").wait("SHELVED", 180)
        server.action("shelveOffload").wait("SHELVED_OFFLOADED")
        server.wait_action("shelveOffload")
        assert events_of(server, "shelveOffload") == {"compute_shelve_offload_instance": "Success"}, server.actions()
        assert state(server) == ["SHELVED_OFFLOADED", "shelved_offloaded", None, 4, False, False], state(server)
        server.delete()
        lab.nothing_left()


def test_offloaded_after_a_while(lab):
    with configured(lab, "shelved_offload_time = 1\nshelved_poll_interval = 10"):
        server = lab.server("while", network="none").wait()
        server.action("shelve").wait("SHELVED", 180)
        server.wait("SHELVED_OFFLOADED", 90)
        server.delete()
        lab.nothing_left()
