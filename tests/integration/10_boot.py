# SPDX-License-Identifier: Apache-2.0
"""One server from create to delete, and every power action on the way."""
import hashlib
import base64

from lab import READY, golden, lifecycle_events, until, virsh


def test_service_and_inventory(lab):
    assert lab.service_up(), "the compute service is not up"
    node = lab.hypervisor()
    assert node["state"] == "up" and node["status"] == "enabled", node
    inventory = lab.cloud.get("placement", f"/resource_providers/{node['id']}/inventories")["inventories"]
    assert {"VCPU", "MEMORY_MB", "DISK_GB"} <= set(inventory), inventory
    assert inventory["VCPU"]["total"] > 0 and inventory["MEMORY_MB"]["total"] > 1000, inventory
    traits = lab.cloud.get("placement", f"/resource_providers/{node['id']}/traits")["traits"]
    assert "COMPUTE_NODE" in traits and "COMPUTE_IMAGE_TYPE_QCOW2" in traits, traits


def test_boot(lab):
    data = b"#!/bin/sh\necho user data\n"
    server = lab.server("boot", key_name="labkey", user_data=base64.b64encode(data).decode(), metadata={"a": "b"})
    server.wait()
    shown = server.show()
    address = shown["addresses"]["public"][0]["addr"]
    assert shown["OS-EXT-STS:vm_state"] == "active" and shown["OS-EXT-STS:power_state"] == 1, shown
    console = server.wait_console("SIMGUEST ssh up")
    assert READY in console
    assert f"SIMGUEST lease {address}" in console, console
    assert f"uuid={server.id}" in console and "hostname=boot" in console, console
    assert "sha256=" + hashlib.sha256(data).hexdigest() in console, console
    assert "keys=1" in console, console
    port = lab.cloud.get("network", f"/v2.0/ports?device_id={server.id}")["ports"][0]
    assert port["status"] == "ACTIVE" and port["binding:vif_type"] == "bridge", port
    assert set(lab.usages()) == {"VCPU", "MEMORY_MB", "DISK_GB"}, lab.usages()
    server.delete()
    lab.nothing_left()


def test_power(lab):
    server = lab.server("power").wait()
    server.wait_console(READY)
    server.action("os-stop").wait("SHUTOFF")
    assert virsh("domstate", server.domain).strip() == "shut off"
    server.action("os-start").wait("ACTIVE")
    server.wait_console("alive")
    server.action("reboot", {"type": "SOFT"}).wait("ACTIVE")
    server.action("reboot", {"type": "HARD"}).wait("ACTIVE")
    server.action("pause").wait("PAUSED")
    assert virsh("domstate", server.domain).strip() == "paused"
    server.action("unpause").wait("ACTIVE")
    server.action("suspend").wait("SUSPENDED")
    assert virsh("domstate", server.domain).strip() == "shut off"
    server.action("resume").wait("ACTIVE")
    server.wait_console("SIMGUEST alive")  # the guest goes on; the log begins anew
    assert virsh("domstate", server.domain).strip() == "running"
    golden("events-power", server.event_list())
    server.delete()
    lab.nothing_left()


def test_soft_reboot_asks_the_guest(lab):
    server = lab.server("soft").wait()
    server.wait_console("SIMGUEST alive")
    with lifecycle_events(server.domain) as events:
        server.action("reboot", {"type": "SOFT"}).wait("ACTIVE")
        seen = until("a new start of the domain", 30, lambda: "Started" in events() and events())
    assert "Stopped Shutdown" in seen and "Destroyed" not in seen, seen
    server.wait_console(READY)


def test_stop_asks_the_guest_first(lab):
    server = lab.server("stop").wait()
    server.wait_console("SIMGUEST alive")
    server.action("os-stop").wait("SHUTOFF")
    assert "SIMGUEST power button" in server.console_file(), "the guest was not asked to power off"


def test_console_log_length(lab):
    server = lab.server("console", network="none").wait()
    server.wait_console(READY)
    virsh("suspend", server.domain)  # so that the log stands still
    whole, tail = server.console(), server.console(3)
    assert tail == "\n".join(whole.split("\n")[-3:]), (tail, whole[-200:])


def test_diagnostics(lab):
    server = lab.server("diag").wait()
    facts = lab.cloud.get("compute", f"/servers/{server.id}/diagnostics")
    assert facts["state"] == "running" and facts["driver"] == "libvirt" and facts["num_cpus"] == 1, facts
    assert facts["num_nics"] == 1 and facts["num_disks"] == 1, facts
    golden("diagnostics-keys", sorted(facts) + sorted(facts["nic_details"][0]) + sorted(facts["disk_details"][0]))
    old = lab.cloud.get("compute", f"/servers/{server.id}/diagnostics", microversion="2.1")
    assert {"cpu0_time", "memory", "vda_read"} <= set(old), old


def test_events_of_create_and_delete(lab):
    server = lab.server("events", network="none").wait()
    golden("events-create", server.event_list())


def test_delete_while_building(lab):
    server = lab.server("early")
    server.delete()
    lab.nothing_left()
