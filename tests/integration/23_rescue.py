# SPDX-License-Identifier: Apache-2.0
"""Rescue of both kinds, and the way back."""
import os
import xml.etree.ElementTree as ElementTree

from lab import INSTANCES, READY, HttpError, until, virsh


def devices(server):
    """[(target, bus, file name)] of the running domain's disks."""
    domain = ElementTree.fromstring(virsh("dumpxml", server.domain))
    return [(d.find("target").get("dev"), d.find("target").get("bus"), os.path.basename(d.find("source").get("file")))
            for d in domain.findall("devices/disk") if d.find("source") is not None]


def files(server):
    return sorted(os.listdir(os.path.join(INSTANCES, server.id)))


def rescue(lab, server, **how):
    return lab.cloud.post("compute", f"/servers/{server.id}/action", {"rescue": how or None})


def test_rescue(lab):
    server = lab.server("rescue").wait()
    server.wait_console(READY)
    before, plain_files = devices(server), files(server)
    rescue(lab, server, adminPass="rescuepw1")
    server.wait("RESCUE")
    assert devices(server) == [("vda", "virtio", "disk.rescue"), ("vdb", "virtio", "disk")], devices(server)
    assert files(server) == sorted(plain_files + ["disk.rescue", "unrescue.xml"]), files(server)
    server.wait_console(READY, count=1)
    server.wait_console("SIMGUEST disk vdb", count=1)
    assert server.show()["OS-EXT-STS:power_state"] == 1
    console = lab.cloud.post("compute", f"/servers/{server.id}/remote-consoles", {"remote_console": {"protocol": "vnc", "type": "novnc"}})
    assert "url" in console["remote_console"]
    server.action("unrescue").wait()
    assert devices(server) == before and files(server) == plain_files, (devices(server), files(server))
    server.wait_console(READY)
    events = [e[0] for e in server.event_list()]
    assert events == ["create", "rescue", "unrescue"], events
    assert [e[2] for e in server.event_list()][1:] == [[["compute_rescue_instance", "Success"]], [["compute_unrescue_instance", "Success"]]]
    # a second time, from stopped
    server.action("os-stop").wait("SHUTOFF")
    rescue(lab, server)
    server.wait("RESCUE")
    server.delete()
    lab.nothing_left()


def test_rescue_image_and_config_drive(lab):
    with open(lab.image_file("sim"), "rb") as file:
        image = lab.image("rescuer", file.read(), hw_disk_bus="sata", hw_machine_type="q35")
    server = lab.server("rescueimg", config_drive=True, network="none").wait()
    server.wait_console(READY)
    rescue(lab, server, rescue_image_ref=image, adminPass="rescuepw2")
    server.wait("RESCUE")
    found = devices(server)
    assert [d[2] for d in found] == ["disk.rescue", "disk", "disk.config.rescue"] and found[0][1] == "sata", found
    drive = os.path.join(INSTANCES, server.id, "disk.config.rescue")
    with open(drive, "rb") as file:
        assert b"rescuepw2" in file.read()
    server.action("unrescue").wait()
    assert [d[2] for d in devices(server)] == ["disk", "disk.config"]
    server.wait_console("facts from=drive", count=1)


def test_stable_device_rescue(lab):
    with open(lab.image_file("sim"), "rb") as file:
        image = lab.image("stable", file.read(), hw_rescue_device="disk", hw_rescue_bus="virtio")
    flavor = lab.flavor("rescueeph", ephemeral=1)
    server = lab.server("stable", flavor=flavor, config_drive=True, network="none").wait()
    server.wait_console(READY)
    before = devices(server)
    rescue(lab, server, rescue_image_ref=image)
    server.wait("RESCUE")
    after = devices(server)
    assert [d for d in after if d[2] != "disk.rescue"] == before, (before, after)
    assert [d[:2] for d in after if d[2] == "disk.rescue"] == [("vdc", "virtio")], after
    domain = ElementTree.fromstring(virsh("dumpxml", server.domain))
    assert domain.find("devices/disk/boot[@order='1']/../source").get("file").endswith("disk.rescue")
    server.wait_console(READY)
    server.action("unrescue").wait()
    assert devices(server) == before, devices(server)
    server.wait_console(READY)


def test_failed_rescue(lab):
    """An image that is none: the server is in ERROR with upstream's class, its guest is off and its own again."""
    image = lab.image("norescue", b"this is no qcow2 image\n" * 100)
    server = lab.server("norescue", network="none").wait()
    before = devices(server), files(server)
    rescue(lab, server, rescue_image_ref=image)
    server.wait("ERROR")
    assert server.fault()["code"] == 400 and "rescue" in server.fault()["message"].lower(), server.fault()
    assert files(server) == before[1], files(server)
    lab.cloud.post("compute", f"/servers/{server.id}/action", {"os-resetState": {"state": "active"}})
    server.action("reboot", {"type": "HARD"}).wait()
    assert devices(server) == before[0]
    server.wait_console(READY)


def test_rescue_refused(lab):
    server = lab.server("notrescued", network="none").wait()
    try:
        server.action("unrescue")
    except HttpError as error:
        assert error.status == 409, error
    else:
        raise AssertionError("unrescue of an active server was taken")
    until("active", 10, lambda: server.show()["status"] == "ACTIVE")
