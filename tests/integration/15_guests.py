# SPDX-License-Identifier: Apache-2.0
"""Guests of other kinds: devices by image properties and extra specs, the config drive, extra disks. Each must come up."""
import base64
import hashlib

import xml.etree.ElementTree as ElementTree

from lab import READY, run, virsh


def domain_of(server):
    return ElementTree.fromstring(virsh("dumpxml", server.domain))


def boots(lab, name, properties, check, image="sim-full", network="public"):
    """A server of an image with these properties says READY; check(domain XML) looks at its devices."""
    with open(lab.image_file(image), "rb") as file:
        copy = lab.image(name, file.read(), **properties)
    server = lab.server(name, image=copy, network=network).wait()
    check(domain_of(server))
    server.wait_console(READY, 150)
    return server


def disk(domain):
    return domain.find("devices/disk[@device='disk']/target").get("bus")


def model(domain):
    return domain.find("devices/interface/model").get("type")


def test_scsi_disk(lab):
    def check(domain):
        assert disk(domain) == "scsi"
        assert domain.find("devices/controller[@type='scsi']").get("model") == "virtio-scsi"
    boots(lab, "scsi", {"hw_disk_bus": "scsi", "hw_scsi_model": "virtio-scsi"}, check)


def test_sata_disk_and_e1000_on_q35(lab):
    def check(domain):
        assert disk(domain) == "sata" and model(domain) == "e1000"
        assert "q35" in domain.find("os/type").get("machine")
    boots(lab, "sata", {"hw_disk_bus": "sata", "hw_vif_model": "e1000", "hw_machine_type": "q35"}, check)


def test_watchdog_and_random_numbers(lab):
    flavor = lab.flavor("rng", **{"hw_rng:allowed": "true"})
    with open(lab.image_file("sim"), "rb") as file:
        image = lab.image("rng", file.read(), hw_rng_model="virtio", hw_watchdog_action="reset")
    server = lab.server("rng", image=image, flavor=flavor, network="none").wait()
    domain = domain_of(server)
    assert domain.find("devices/rng").get("model") == "virtio"
    assert domain.find("devices/watchdog").get("action") == "reset"
    server.wait_console(READY)


def test_uefi(lab):
    def check(domain):
        assert domain.find("os/loader") is not None and "OVMF" in domain.find("os/loader").text
    flavor = lab.flavor("uefi", ram=256)
    with open(lab.image_file("sim"), "rb") as file:
        image = lab.image("uefi", file.read(), hw_firmware_type="uefi", hw_machine_type="q35")
    server = lab.server("uefi", image=image, flavor=flavor, network="none").wait()
    check(domain_of(server))
    server.wait_console("SIMGUEST", 180)


def config_drive(lab, name, **fields):
    data = b"for the drive\n"
    server = lab.server(name, config_drive=True, key_name="labkey", user_data=base64.b64encode(data).decode(), **fields).wait()
    console = server.wait_console("SIMGUEST ssh up")
    assert "SIMGUEST config drive" in console and "facts from=drive" in console, console
    assert f"uuid={server.id}" in console and f"hostname={name}" in console, console
    assert hashlib.sha256(data).hexdigest() in console and "keys=1" in console, console
    return server


def test_config_drive(lab):
    server = config_drive(lab, "drive")
    server.action("reboot", {"type": "HARD"}).wait()
    server.wait_console("facts from=drive")
    server.delete()
    lab.nothing_left()


def test_config_drive_without_network(lab):
    config_drive(lab, "drivenonet", network="none")


def test_ephemeral_disk_and_swap(lab):
    flavor = lab.flavor("disks", ephemeral=1)
    server = lab.server("disks", flavor=flavor, network="none").wait()
    targets = [t.get("dev") for t in domain_of(server).findall("devices/disk[@device='disk']/target")]
    assert targets == ["vda", "vdb"], targets
    console = server.wait_console(READY)
    assert "SIMGUEST disk vdb 2097152" in console, console
    server.delete()
    lab.nothing_left()


def test_raw_image(lab):
    path = lab.image_file("sim") + ".raw"
    run("qemu-img", "convert", "-O", "raw", lab.image_file("sim"), path)
    with open(path, "rb") as file:
        image = lab.image("raw", file.read(), "raw")
    lab.server("raw", image=image, network="none").wait().wait_console(READY)
